//! The entry point: arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser;
use mintwatch::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().run()
}
