//! News from outside the loop: what became of an action, and of the config.

use std::sync::Arc;

use super::app::Purpose;
use crate::board::Project;
use crate::config::Config;
use crate::job::{JobKey, ProjectId};
use crate::view::theme::Role;

#[derive(Clone, Debug)]
pub enum Notice {
    Message(String, Role),
    /// What was asked for has been done: its draft is no longer needed.
    Done {
        text: String,
        role: Role,
        purpose: Purpose,
        /// The job to select, as soon as it is among the rows.
        select: Option<JobKey>,
    },
    /// The config has changed; what it says of the screen has been checked.
    Reloaded {
        /// `None` where an action of this program tells of it.
        text: Option<String>,
        config: Box<Config>,
        projects: Vec<Arc<Project>>,
    },
    /// How many writes a project has had this hour; `None` where that is not known.
    WritesThisHour {
        project: ProjectId,
        count: Option<usize>,
    },
}

impl Notice {
    pub fn good(text: impl Into<String>) -> Self {
        Self::Message(text.into(), Role::Good)
    }

    pub fn bad(text: impl Into<String>) -> Self {
        Self::Message(text.into(), Role::Bad)
    }

    pub fn plain(text: impl Into<String>) -> Self {
        Self::Message(text.into(), Role::Plain)
    }
}
