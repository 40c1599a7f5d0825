//! `mintwatch statusline`: what earlier runs have seen in a few characters, for the status line of a
//! terminal multiplexer or a prompt.
//!
//! It runs every few seconds, beside whatever else goes wrong: it asks nobody, waits for nobody, does not
//! read the projects of the config, and where it cannot say anything it says nothing.

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use super::context::Context;
use super::error::CommandResult;
use super::stored::refuse_demo;
use crate::config::Config;
use crate::exit::Exit;
use crate::session::memory;
use crate::store::{Database, Summary};
use crate::time::age;
use crate::view::theme::Glyphs;

/// How long another run may hold the store before nothing is said.
const PATIENCE: Duration = Duration::from_millis(20);

#[derive(Debug, Args)]
#[command(
    after_help = "Prints as `!4 ●9 · 12m` how many jobs need you, how many are active, and how old
that is: the age of the oldest value of an active job whose polls do not fail, else of the newest value
of all. Nothing is printed where no job needs you or is active, or where nothing can be read.

Neither the network nor a key is needed, and the jobs of the config are not read: they are those that
it listed when the dashboard, or `list`, `wait` or `watch` without a JOB, last ran.

In F, {needs_you} {active} {completed} {failed} {archived} {errors} and {age} stand for values, {{ and
}} for braces; all else is printed as it stands, also where no job needs you.

Examples:
  mintwatch statusline
  mintwatch statusline --format '{needs_you} of {active} active'
  set -g status-right '#(mintwatch statusline)'     in ~/.tmux.conf

Exit codes: 0 always, but for 2 an error in the command line."
)]
pub struct StatuslineArgs {
    /// Print this, with values in place of `{needs_you}` and the like
    #[arg(long, value_name = "F")]
    pub format: Option<String>,
}

impl StatuslineArgs {
    pub fn execute(&self, context: &Context) -> CommandResult {
        refuse_demo(context)?;
        let line = read(context).and_then(|summary| self.line(&summary, context, Timestamp::now()));
        if let Some(line) = line {
            // Where it cannot be printed, there is nobody to tell.
            let _ = writeln!(io::stdout(), "{line}");
        }
        Ok(Exit::Done)
    }

    fn line(&self, summary: &Summary, context: &Context, now: Timestamp) -> Option<String> {
        match &self.format {
            Some(format) => Some(fill(format, |name| value(name, summary, now))),
            None => one_line(summary, context.theme(false).glyphs(), now),
        }
    }
}

/// What is known of the jobs that the config listed when a run last read it.
fn read(context: &Context) -> Option<Summary> {
    if context.global.no_store {
        return None;
    }
    let path = context.config_path().ok()?;
    let options = memory::options(&Config::load_settings(&path).ok()?, &path)?;
    let database = Database::open_read_only(&options.path, &options.base_url, PATIENCE).ok()?;
    database.of_config(&options.config).summary().ok()
}

fn one_line(summary: &Summary, glyphs: &Glyphs, now: Timestamp) -> Option<String> {
    let parts = [
        (glyphs.needs_you, summary.needs_you),
        (glyphs.active, summary.active),
    ];
    let parts = parts.iter().filter(|(_, count)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(glyph, count)| format!("{glyph}{count}"))
        .collect();
    let age = age(summary.seen_at()?, now);
    (!parts.is_empty()).then(|| format!("{} {} {age}", parts.join(" "), glyphs.dot))
}

/// What stands for `{name}`, if anything does.
fn value(name: &str, summary: &Summary, now: Timestamp) -> Option<String> {
    let count = match name {
        "needs_you" => summary.needs_you,
        "active" => summary.active,
        "completed" => summary.completed,
        "failed" => summary.failed,
        "archived" => summary.archived,
        "errors" => summary.errors,
        "age" => {
            let at = summary.seen_at();
            return Some(at.map_or_else(String::new, |at| age(at, now)));
        }
        _ => return None,
    };
    Some(count.to_string())
}

/// `format` with values in its placeholders. What is none stays as it stands.
fn fill(format: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::new();
    let mut rest = format;
    while let Some((before, brace)) = rest.find(['{', '}']).map(|at| rest.split_at(at)) {
        let (text, length) = piece(brace, &value);
        filled.push_str(before);
        filled.push_str(&text);
        rest = &brace[length..];
    }
    filled + rest
}

/// What stands for the beginning of `text`, which is a brace, and how much of it that is.
fn piece(text: &str, value: impl Fn(&str) -> Option<String>) -> (String, usize) {
    if text.starts_with("{{") || text.starts_with("}}") {
        return (text[..1].to_owned(), 2);
    }
    let name = text.strip_prefix('{').and_then(|rest| rest.split_once('}'));
    let found = name.and_then(|(name, _)| Some((value(name)?, name.len() + 2)));
    found.unwrap_or_else(|| (text[..1].to_owned(), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_table() {
        let value = |name: &str| (name == "a").then(|| String::from("1"));
        for (format, want) in [
            ("", ""),
            ("plain ü", "plain ü"),
            ("{a}", "1"),
            ("ü{a}{a} x", "ü11 x"),
            ("{{a}}", "{a}"),
            ("{{{a}}}", "{1}"),
            ("{b} {a}", "{b} 1"),
            ("{ü", "{ü"),
            ("{", "{"),
            ("}", "}"),
            ("{x{a}", "{x1"),
            ("#[fg=red]!{a}#[default]", "#[fg=red]!1#[default]"),
        ] {
            assert_eq!(fill(format, value), want, "{format}");
        }
    }
}
