//! Exit codes. They are a contract with scripts.

use std::process::ExitCode;

/// Shells report a death by signal as this plus its number.
const SIGNALLED: i32 = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0.
    Done,
    /// 1: a job failed, or the command did.
    Failed,
    /// 2: the command line or the config is wrong.
    Usage,
    /// 4: there is no key, or it was refused (401), or it lacks the permission (403).
    NoKey,
    /// 8: `wait` timed out.
    Unfinished,
    /// 128 plus the number of the signal.
    Signal(i32),
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NoKey => 4,
            Self::Unfinished => 8,
            Self::Signal(number) => u8::try_from(SIGNALLED + number).unwrap_or(1),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
