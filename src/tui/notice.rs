//! News from outside the loop: what became of what was asked for, and of the config.

use std::sync::Arc;

use super::app::Request;
use crate::board::Project;
use crate::config::{Config, ConfigError};
use crate::job::{JobKey, ProjectId};
use crate::store::StoredEvent;
use crate::view::theme::{Role, Theme};

#[derive(Clone, Debug)]
pub enum Notice {
    Message(String, Role),
    /// Why nothing can be stored; `None` where it can be again.
    StoreProblem(Option<String>),
    /// What changed in earlier runs, the oldest first.
    Changes(Vec<StoredEvent>),
    /// What was asked for has come to an end.
    Ended(Request, Result<Done, NotDone>),
    /// What the user's editor made of a text, or in words why nothing.
    Edited(Result<String, String>),
    Reloaded(Box<Reloaded>),
    /// The config file has changed, and says what a config may not say.
    ConfigRefused(ConfigError),
    /// tmux has what was copied in its buffer.
    InTmux(String),
    /// How many writes a project has had this hour; `None` where that is not known.
    WritesThisHour {
        project: ProjectId,
        count: Option<usize>,
    },
}

/// The config has changed; what it says of the screen has been checked.
#[derive(Clone, Debug)]
pub struct Reloaded {
    /// `None` where an action of this program tells of it.
    pub text: Option<String>,
    pub config: Config,
    /// What the config means by its looks, on this terminal.
    pub theme: Theme,
    pub projects: Vec<Arc<Project>>,
}

/// What was asked for has been done: its draft is no longer needed.
#[derive(Clone, Debug)]
pub struct Done {
    pub text: String,
    pub role: Role,
    /// The job to select, as soon as it is among the rows.
    pub select: Option<JobKey>,
}

/// What was asked for has not been done, or that is in doubt.
#[derive(Clone, Debug)]
pub struct NotDone {
    pub message: String,
    /// The jobs of a follow-up that it has not reached, or not surely; all of them where that is
    /// `None`.
    pub not_reached: Option<Vec<JobKey>>,
    /// The jobs of a follow-up that it is still to be sent to, where it has been sent to others.
    pub remaining: Option<Vec<JobKey>>,
}

impl NotDone {
    pub fn because(reason: impl std::fmt::Display) -> Self {
        Self {
            message: reason.to_string(),
            not_reached: None,
            remaining: None,
        }
    }
}
