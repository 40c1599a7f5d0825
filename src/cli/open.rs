//! `mintwatch open`: opens the pull request of a job.

use std::io::{self, IsTerminal, Stdout, Write};

use anyhow::anyhow;
use clap::Args;
use clap_complete::ArgValueCompleter;

use super::completions;
use super::context::Context;
use super::error::{CommandError, CommandResult, exit_of};
use super::select;
use crate::board::{Row, Watched};
use crate::desktop::{self, Opened, Opener};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::link::Link;
use crate::view::why_no_pull_request;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mintwatch open job_01
  mintwatch open \"SDK quickstart\"
  gh pr checkout \"$(mintwatch open job_01 --print)\"

Where there is no browser, as over SSH, the link is printed instead. BROWSER names another one.

Exit codes: 0 done; 1 there is no pull request, or it could not be opened; 2 usage or config; 4 no
key, or a key refused.")]
pub struct OpenArgs {
    /// The job: an id, PROJECT/JOB, or a label
    #[arg(value_name = "JOB", add = ArgValueCompleter::new(completions::jobs))]
    pub job: String,
    /// Print the link instead of opening it
    #[arg(long)]
    pub print: bool,
}

impl OpenArgs {
    pub async fn execute(&self, context: &Context) -> CommandResult {
        let choose = |watched: Vec<Watched>| Ok(vec![select::job(&watched, &self.job)?.clone()]);
        let session = context.poll_once(choose).await?;
        let board = session.poller.board();
        let link = match board.borrow().rows().first() {
            Some(row) => pull_request(row)?,
            None => return Err(CommandError::failed("nothing was polled")),
        };
        let mut out = io::stdout();
        if self.print {
            writeln!(out, "{link}")?;
            return Ok(Exit::Done);
        }
        let opener = Opener::new(session.environment.clone());
        let message = match opener.open(&link).map_err(anyhow::Error::from)? {
            Opened::Browser(name) => format!("opened {link} with {name}"),
            Opened::NoBrowser => print_instead(&link, &session.environment, &mut out)?,
        };
        let _ = writeln!(io::stderr(), "{message}");
        Ok(Exit::Done)
    }
}

/// Prints the link, and sends it to the clipboard of the terminal where the output is one; returns the
/// message for that.
fn print_instead(link: &Link, environment: &Environment, out: &mut Stdout) -> io::Result<String> {
    writeln!(out, "{link}")?;
    let is_sent =
        out.is_terminal() && desktop::copy(link.as_str(), environment, out, || {}).is_ok();
    let sent = if is_sent {
        ", and sent to the terminal's clipboard"
    } else {
        ""
    };
    Ok(format!(
        "no browser here, so the link is printed{sent}; BROWSER can name one"
    ))
}

/// The pull request of `row`, which has been polled.
fn pull_request(row: &Row) -> Result<Link, CommandError> {
    let title = row.title();
    if let Some(error) = &row.error {
        let message = format!("{title}: {}", error.message);
        return Err(CommandError::new(exit_of(error.kind), anyhow!(message)));
    }
    let Some(found) = row.pull_request() else {
        let why = why_no_pull_request(row.status());
        let message = format!("{title} has no pull request{why}");
        return Err(CommandError::failed(message));
    };
    let refused = |error| CommandError::failed(format!("{title}: {error}"));
    found.link().cloned().map_err(refused)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::board::{Board, Project, Update, Watched};
    use crate::failure::{ErrorKind, Failure};
    use crate::job::{Job, JobKey, Status};
    use crate::pull_request::PullRequest;

    fn link_or_error(update: Update) -> String {
        let key = JobKey::new("p", "job_1");
        let mut board = Board::new([Watched {
            key: key.clone(),
            project: Arc::new(Project {
                id: "p".into(),
                name: None,
            }),
            label: None,
            tags: Vec::new(),
        }]);
        board.apply(&key, update, Timestamp::UNIX_EPOCH);
        match pull_request(board.row(&key).unwrap()) {
            Ok(url) => url.to_string(),
            Err(error) => error.to_string(),
        }
    }

    fn seen(status: &str, link: Option<&str>) -> Update {
        let job = Job {
            status: Some(Status::from_api(status)),
            pull_request: link.map(PullRequest::new),
            ..Job::default()
        };
        let fresh_for = None;
        Update::Fetched { job, fresh_for }
    }

    #[test]
    fn link_table() {
        for (status, link, want) in [
            (
                "completed",
                Some("https://github.com/a/b/pull/1"),
                "https://github.com/a/b/pull/1",
            ),
            (
                "completed",
                None,
                "job_1 has no pull request: it completed without one (nothing changed, or it pushed \
                 straight to the branch)",
            ),
            ("failed", None, "job_1 has no pull request: it failed"),
            (
                "archived",
                None,
                "job_1 has no pull request, and it is archived",
            ),
            (
                "active",
                None,
                "job_1 has no pull request yet: it is still at work",
            ),
            (
                "completed",
                Some("file:///etc/passwd"),
                "job_1: link refused: only http and https links are opened, not file",
            ),
        ] {
            assert_eq!(link_or_error(seen(status, link)), want, "{status} {link:?}");
        }
        let failed = Failure::new(ErrorKind::Timeout, "no answer");
        assert_eq!(link_or_error(Update::Failed(failed)), "job_1: no answer");
    }
}
