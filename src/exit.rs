//! How a command ends, as its exit code tells a script. The codes are a contract.

use std::process::ExitCode;

/// What a shell adds to the number of the signal that ended a program.
const SIGNALLED: i32 = 128;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0
    Done,
    /// 1: a job failed, or the thing asked for did not happen.
    Failed,
    /// 2: the command line or the config is wrong.
    Usage,
    /// 4: what was asked for could not be done for want of a key: there is none, or it was refused
    /// (401), or it may not do this (403).
    NoKey,
    /// 8: not finished in the time given.
    Unfinished,
    /// 128 and the number of the signal that ended it.
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
