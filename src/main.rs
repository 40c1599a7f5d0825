//! The entry point: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    mintwatch::cli::main()
}
