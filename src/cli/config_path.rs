//! `mintwatch config path`: prints where the config is, whether or not it exists.

use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;

use super::context::Context;
use super::error::CommandResult;
use crate::exit::Exit;

pub fn execute(context: &Context) -> CommandResult {
    let path = context.config_path()?;
    let mut out = io::stdout();
    out.write_all(path.as_os_str().as_bytes())?;
    writeln!(out)?;
    Ok(Exit::Done)
}
