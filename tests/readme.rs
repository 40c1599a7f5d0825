//! Holds the README to the program: its keys, verbs, flags, config, JSON, words and links.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use clap::error::ErrorKind as ClapError;
use clap::{Command, CommandFactory};
use jiff::Timestamp;
use mintwatch::board::{Board, Project, Update, Watched};
use mintwatch::cli::Cli;
use mintwatch::cli::dashboard::check_settings;
use mintwatch::cli::list::ListArgs;
use mintwatch::cli::output::OutputStyle;
use mintwatch::config::{Config, KeySource};
use mintwatch::failure::ErrorKind;
use mintwatch::job::{Job, JobKey, Status};
use mintwatch::pull_request::PullRequest;
use mintwatch::tui::keys::{BINDINGS, Binding};
use mintwatch::view::columns::ColumnId;
use mintwatch::view::theme::Theme;

const README: &str = include_str!("../README.md");

/// The cells of the rows of the table whose header begins with these cells.
fn table(header: &str) -> Vec<Vec<&'static str>> {
    let rows = README
        .lines()
        .skip_while(|line| !line.starts_with(header))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let rows: Vec<Vec<&str>> = rows.map(cells).collect();
    assert!(!rows.is_empty(), "no table {header}");
    rows
}

fn cells(row: &str) -> Vec<&str> {
    let row = row.trim_matches(['|', ' ']);
    row.split(" | ").map(str::trim).collect()
}

/// What stands between backquotes.
fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The contents of all blocks of code in `language`.
fn blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("```{language}\n");
    let blocks = README.split(&opening).skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

/// The long flags in `text`, without their dashes.
fn flags_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    words
        .filter_map(|word| word.strip_prefix("--"))
        .filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
        .map(ToOwned::to_owned)
        .collect()
}

/// The command line with all its flags, each verb having the global ones too.
fn command() -> Command {
    let mut command = Cli::command();
    command.build();
    command
}

fn flags_of(command: &Command) -> BTreeSet<String> {
    let arguments = command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set());
    arguments
        .filter_map(|argument| argument.get_long())
        .map(ToOwned::to_owned)
        .collect()
}

fn verbs(command: &Command) -> impl Iterator<Item = &Command> {
    command
        .get_subcommands()
        .filter(|verb| verb.get_name() != "help" && !verb.is_hide_set())
}

#[test]
fn the_table_of_keys_has_every_key_and_no_other() {
    let rows = table("| key | does |");
    let told = rows.iter().flat_map(|row| code_spans(row[0]));
    let told = told.map(ToOwned::to_owned).collect();
    let chords = BINDINGS.iter().flat_map(Binding::default_chords);
    let known: Vec<String> = chords.map(|chord| chord.to_string()).collect();
    let sorted = |mut keys: Vec<String>| {
        keys.sort();
        keys
    };
    assert_eq!(sorted(told), sorted(known));
}

#[test]
fn the_table_of_commands_has_every_verb_and_no_other() {
    let rows = table("| command | does |");
    let spans = rows.iter().flat_map(|row| code_spans(row[0]));
    let told: Vec<&str> = spans
        .filter_map(|span| span.strip_prefix("mintwatch ")?.split(' ').next())
        .collect();
    let command = command();
    let known: Vec<&str> = verbs(&command).map(Command::get_name).collect();
    assert_eq!(told, known);
}

#[test]
fn the_table_of_flags_has_every_flag_and_no_other() {
    let command = command();
    let global = flags_of(&command);
    let rows = table("| flags | |");
    let told = |name: &str| {
        let row = rows.iter().find(|row| row[0].trim_matches('`') == name);
        row.map(|row| flags_in(row[1])).unwrap_or_default()
    };
    assert_eq!(told("all"), global);
    for verb in verbs(&command) {
        let own: BTreeSet<String> = flags_of(verb).difference(&global).cloned().collect();
        assert_eq!(told(verb.get_name()), own, "{}", verb.get_name());
    }
}

#[test]
fn no_flag_is_made_up() {
    let command = command();
    let mut known = flags_of(&command);
    known.extend(verbs(&command).flat_map(flags_of));
    let foreign = ["cargo ", "firefox "];
    for line in README.lines() {
        let ours = !foreign.iter().any(|program| line.contains(program));
        for flag in flags_in(line).into_iter().filter(|_| ours) {
            assert!(known.contains(&flag), "--{flag} in: {line}");
        }
    }
}

#[test]
fn every_command_line_is_accepted() {
    let lines = blocks("sh").into_iter().flat_map(str::lines);
    let spans = code_spans(README).filter(|span| !span.contains('\n'));
    let ours = lines.chain(spans).filter_map(|line| {
        let after_cargo = line.strip_prefix("cargo run --release -- ");
        let own = line.strip_prefix("mintwatch ");
        after_cargo.or(own)
    });
    let mut tried = 0;
    for line in ours {
        let words = shell_words::split(line).unwrap();
        let words = words.into_iter().take_while(|word| word != "|");
        let words = std::iter::once(String::from("mintwatch")).chain(words);
        match command().try_get_matches_from(words) {
            Err(error) if error.kind() != ClapError::DisplayHelp => panic!("{line}: {error}"),
            _ => tried += 1,
        }
    }
    assert!(tried > 5, "only {tried} command lines were found");
}

#[test]
fn the_config_is_read() {
    let blocks = blocks("toml");
    let [text, looks] = blocks.as_slice() else {
        panic!("two configs: {blocks:?}");
    };
    let config = Config::parse(looks, Path::new("README.md")).unwrap();
    check_settings(&config).unwrap();
    let columns = ColumnId::all_from_config(&config.ui).unwrap();
    assert_eq!((columns.len(), config.keys.len()), (4, 3));
    let config = Config::parse(text, Path::new("README.md")).unwrap();
    let jobs: usize = config
        .projects
        .iter()
        .map(|project| project.jobs.len())
        .sum();
    assert_eq!((config.projects.len(), jobs), (2, 3));

    let keys = table("| source | example | |");
    let read = |row: &Vec<&str>| {
        let line = code_spans(row[1]).next().unwrap();
        let config = Config::parse(&format!("[key]\n{line}"), Path::new("README.md")).unwrap();
        match config.key {
            KeySource::Env(_) => "`env`",
            KeySource::File(_) => "`file`",
            KeySource::Command(_) => "`command`",
        }
    };
    let names: Vec<&str> = keys.iter().map(|row| row[0]).collect();
    assert_eq!(keys.iter().map(read).collect::<Vec<_>>(), names);
}

#[test]
fn list_prints_the_json() {
    let told: serde_json::Value = serde_json::from_str(blocks("json")[0]).unwrap();
    let mut out = Vec::new();
    let args = ListArgs {
        json: true,
        ..ListArgs::default()
    };
    let style = OutputStyle {
        theme: Theme::new(false, false),
        width: None,
    };
    let at = "2026-11-23T09:00:00Z".parse().unwrap();
    args.print(&board(at), style, at, &mut out).unwrap();
    let printed: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(told, printed);
}

/// One job, seen at this moment.
fn board(at: Timestamp) -> Board {
    let key = JobKey::new("64f0c1e2", "job_02");
    let mut board = Board::new([Watched {
        project: Arc::new(Project {
            id: key.project.clone(),
            name: Some("docs".into()),
        }),
        key: key.clone(),
        label: Some("SDK quickstart".into()),
        tags: vec!["release".into()],
    }]);
    let job = Job {
        status: Some(Status::Completed),
        repository: Some("https://github.com/acme/docs".into()),
        branch: Some("mintlify/sdk".into()),
        model: Some("sonnet".into()),
        pull_request: Some(PullRequest::new("https://github.com/acme/docs/pull/412")),
        created_at: Some("2026-11-20T10:00:00Z".parse().unwrap()),
        archived_at: None,
    };
    let fresh_for = None;
    board.apply(&key, Update::Fetched { job, fresh_for }, at);
    board
}

#[test]
fn the_faults_are_called_as_on_the_screen() {
    let known =
        ErrorKind::ALL.map(|kind| [kind.reason().to_owned(), format!("`{}`", kind.as_str())]);
    let rows = table("| SEEN | `kind` |");
    let told: Vec<&[&str]> = rows.iter().map(|row| &row[..2]).collect();
    assert_eq!(told, known);
}

#[test]
fn what_it_links_to_is_there() {
    let targets = README
        .split("](")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap());
    let files: Vec<&str> = targets.filter(|target| !target.contains("://")).collect();
    assert!(files.contains(&"docs/screen.svg"), "{files:?}");
    for file in files {
        assert!(Path::new(file).is_file(), "{file}");
    }
}
