//! `mintwatch init`: writes a commented config to start from.

use std::io::{self, Write};

use super::context::Context;
use super::error::CommandResult;
use crate::base_url::KEYS_PAGE;
use crate::config;
use crate::config::ids::WHERE_TO_FIND;
use crate::exit::Exit;

pub fn execute(context: &Context) -> CommandResult {
    let path = context.config_path()?;
    config::init(&path)?;
    writeln!(io::stdout(), "{}", path.display())?;
    io::stderr().write_all(next_steps().as_bytes())?;
    Ok(Exit::Done)
}

fn next_steps() -> String {
    format!(
        "Written. Next:
  1. Set the key: export MINTLIFY_API_KEY=mint_..., or name another source under [key].
  2. List your projects in it, under [[projects]]; their ids are on the page of the API keys:
     {KEYS_PAGE}
  3. `mintwatch new PROJECT` starts a job and lists it, `mintwatch add PROJECT JOB` lists one that
     exists, by its id: {WHERE_TO_FIND}.
  4. `mintwatch doctor` checks all this, and `mintwatch` is the dashboard.
"
    )
}
