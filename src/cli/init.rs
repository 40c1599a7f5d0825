//! `mintwatch init`: writes a commented config to start from.

use std::io::{self, Write};

use super::context::Context;
use super::error::CommandResult;
use crate::config;
use crate::exit::Exit;

pub fn execute(context: &Context) -> CommandResult {
    let path = context.config_path()?;
    config::init(&path)?;
    writeln!(io::stdout(), "{}", path.display())?;
    let next = "Written. List your projects and jobs in it, set the key, and run mintwatch.";
    writeln!(io::stderr(), "{next}")?;
    Ok(Exit::Done)
}
