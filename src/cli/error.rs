//! The error of the command line, which carries its exit code.
//!
//! This is the only place that maps errors of other layers to exit codes.

use std::fmt;
use std::io::{self, Write};

use crate::actions::{ActionError, FollowUpError};
use crate::config::ConfigError;
use crate::config::edit::EditError;
use crate::config::ids::IdsError;
use crate::exit::Exit;
use crate::failure::ErrorKind;
use crate::mintlify::write::WriteError;
use crate::poll::Poller;
use crate::session::NoKeys;
use crate::store::OpenError;

use super::output::NoTerminal;
use super::select::SelectError;

pub type CommandResult = Result<Exit, CommandError>;

#[derive(Debug)]
pub struct CommandError {
    exit: Exit,
    error: anyhow::Error,
}

impl CommandError {
    pub fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        let error = error.into();
        // The reader of our output has closed it, which is no error.
        let exit = if is_broken_pipe(&error) {
            Exit::Done
        } else {
            exit
        };
        Self { exit, error }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, anyhow::Error::msg(message.into()))
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, anyhow::Error::msg(message.into()))
    }

    /// The poller ends by itself only by a bug.
    pub async fn poller_ended(poller: &mut Poller) -> Self {
        let ended = poller.ended().await.err();
        let why = ended.map_or_else(String::new, |error| format!(": {error}"));
        Self::failed(format!(
            "polling stopped because of a bug in mintwatch{why}; restart it, and please report this"
        ))
    }

    /// Appends `text` to the message.
    #[must_use]
    pub fn with_note(self, text: &str) -> Self {
        Self::new(self.exit, anyhow::anyhow!("{:#}{text}", self.error))
    }

    /// Prints it on standard error, and returns the exit code.
    pub fn report(&self) -> Exit {
        if self.exit != Exit::Done {
            // Standard error may be closed too.
            let _ = writeln!(io::stderr(), "mintwatch: {self}");
        }
        self.exit
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.error)
    }
}

/// The rule for exit code 4 where a request failed.
pub fn exit_of(kind: ErrorKind) -> Exit {
    if kind.blames_key() {
        Exit::NoKey
    } else {
        Exit::Failed
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// Errors with one exit code.
macro_rules! exits {
    ($($error:ty => $exit:ident),* $(,)?) => {$(
        impl From<$error> for CommandError {
            fn from(error: $error) -> Self {
                Self::new(Exit::$exit, error)
            }
        }
    )*};
}

exits! {
    anyhow::Error => Failed,
    io::Error => Failed,
    serde_json::Error => Failed,
    OpenError => Failed,
    ConfigError => Usage,
    EditError => Usage,
    IdsError => Usage,
    NoTerminal => Usage,
    SelectError => Usage,
    NoKeys => NoKey,
}

impl From<ActionError> for CommandError {
    fn from(error: ActionError) -> Self {
        let exit = match error {
            ActionError::Key(_) => Exit::NoKey,
            ActionError::Edit(_) => Exit::Usage,
            ActionError::Client(_) | ActionError::ProjectGone => Exit::Failed,
        };
        Self::new(exit, error)
    }
}

impl From<WriteError> for CommandError {
    fn from(error: WriteError) -> Self {
        Self::new(exit_of(error.failure.kind), error)
    }
}

impl From<FollowUpError> for CommandError {
    fn from(error: FollowUpError) -> Self {
        Self::new(exit_of(error.error.failure.kind), error)
    }
}
