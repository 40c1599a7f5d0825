//! The one error of the command line, which carries its exit code.
//!
//! What each error of the other layers means for the exit code is said here and nowhere else.

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

use super::output::NoTerminal;
use super::select::SelectError;

/// What a verb returns.
pub type CommandResult = Result<Exit, CommandError>;

/// Why a verb could not do what it was asked for.
#[derive(Debug)]
pub struct CommandError {
    exit: Exit,
    error: anyhow::Error,
}

impl CommandError {
    pub fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        let error = error.into();
        // Whoever read our output has had enough of it, which is no error.
        let exit = if is_broken_pipe(&error) {
            Exit::Done
        } else {
            exit
        };
        Self { exit, error }
    }

    /// The command line asks for what cannot be.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, anyhow::Error::msg(message.into()))
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, anyhow::Error::msg(message.into()))
    }

    /// The poller ends by itself only by a fault of the program.
    pub async fn poller_ended(poller: &mut Poller) -> Self {
        let ended = poller.ended().await.err();
        let why = ended.map_or_else(String::new, |error| format!(": {error}"));
        Self::failed(format!(
            "polling stopped by a fault in mintwatch{why}; start it again, and please report it"
        ))
    }

    /// The same error with `text` behind what it says.
    pub fn with_note(self, text: &str) -> Self {
        if text.is_empty() {
            return self;
        }
        Self::new(self.exit, anyhow::anyhow!("{:#}{text}", self.error))
    }

    /// Tells it on standard error; the exit code.
    pub fn report(&self) -> Exit {
        if self.exit != Exit::Done {
            // Nobody is left to tell where standard error is closed too.
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

/// The rule for exit code 4 where a call failed: the key was refused, or may not do this.
pub fn exit_of(kind: ErrorKind) -> Exit {
    if kind.blames_key() {
        Exit::NoKey
    } else {
        Exit::Failed
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |e: &io::Error| e.kind() == io::ErrorKind::BrokenPipe;
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(broken))
}

/// Errors that always mean the same exit code.
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
