//! `mintwatch completions`: the scripts for shells, and the completions that those ask for.
//!
//! Most of both is clap's. The completers of jobs and projects run before the command line is parsed,
//! and so look for `--config` themselves.

use std::collections::{HashMap, HashSet};
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;
use clap_complete::engine::CompletionCandidate;
use clap_complete::env::{CompleteEnv, Shells};

use super::Cli;
use super::error::CommandResult;
use super::list::status_names;
use crate::board::{Project, Watched};
use crate::config::{self, Config};
use crate::exit::Exit;
use crate::poll::into_watched_jobs;

/// The scripts set it to the name of the shell.
const VARIABLE: &str = "MINTWATCH_COMPLETE";

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  source <(mintwatch completions bash)   # in ~/.bashrc
  source <(mintwatch completions zsh)    # in ~/.zshrc, after compinit
  mintwatch completions fish | source    # in ~/.config/fish/completions/mintwatch.fish

Job ids, labels and projects of the config complete too. The script calls mintwatch, and may change
with its version: let the shell ask for it at each start rather than keep it in a file.

Exit codes: 0 printed; 2 usage.")]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

impl CompletionsArgs {
    pub fn execute(&self) -> CommandResult {
        print(self.shell, &mut io::stdout())?;
        Ok(Exit::Done)
    }
}

/// Works around bash, which splits `--flag=value` in three words, takes the opening quote off the
/// current word, and inserts names unquoted. Calls clap's function.
const BASH: &str = r#"
_mintwatch() {
    local cur=$2 i word words=()
    [[ ${COMP_WORDS[COMP_CWORD]} == [\"\']* ]] && cur=${COMP_WORDS[COMP_CWORD]:0:1}$2
    for word in "${COMP_WORDS[@]:0:COMP_CWORD}"; do
        [[ $word == "=" ]] || words+=("$word")
    done
    local COMP_WORDS=("${words[@]}" "$cur") COMP_CWORD=${#words[@]}
    _clap_complete_mintwatch "$1" "$cur" "$3" 2>/dev/null
    [[ $cur == [\"\']* ]] && return
    for i in "${!COMPREPLY[@]}"; do
        printf -v word %q "${COMPREPLY[i]}"
        COMPREPLY[i]=${word/#'\~'/'~'}
    done
}
complete -o nospace -o bashdefault -o nosort -F _mintwatch mintwatch 2>/dev/null ||
    complete -o nospace -o bashdefault -F _mintwatch mintwatch
"#;

/// A word that begins with `~` is a file; clap's function would quote the `~`. The last line is for a
/// script in a folder of `$fpath`, which zsh runs as the function when that is first called.
const ZSH: &str = r"
_mintwatch() {
    if [[ $words[CURRENT] == \~* ]]; then _files; else _clap_dynamic_completer_mintwatch; fi
}
compdef _mintwatch mintwatch
[[ $funcstack[1] != _mintwatch ]] || _mintwatch
";

fn print(shell: Shell, out: &mut dyn Write) -> io::Result<()> {
    let shells = Shells::builtins();
    let script = shells
        .completer(&shell.to_string())
        .ok_or(io::ErrorKind::Unsupported)?;
    script.write_registration(VARIABLE, "mintwatch", "mintwatch", "mintwatch", out)?;
    let rest = match shell {
        Shell::Bash => BASH,
        Shell::Zsh => ZSH,
        _ => "",
    };
    out.write_all(rest.as_bytes())
}

/// Prints completions where a shell asks for them; `None` in an ordinary run. Errors are not printed,
/// since they would appear in the middle of the command line.
pub fn complete() -> Option<ExitCode> {
    let folder = env::current_dir().ok();
    let engine = CompleteEnv::with_factory(command).var(VARIABLE);
    match engine.try_complete(words(), folder.as_deref()) {
        Ok(false) => None,
        Ok(true) => Some(ExitCode::SUCCESS),
        Err(_) => Some(ExitCode::FAILURE),
    }
}

/// The engine offers hidden arguments only where nothing else matches: flags are hidden, so that names
/// come first.
fn command() -> Command {
    let mut command = Cli::command();
    command.build();
    hide_flags(command)
}

fn hide_flags(command: Command) -> Command {
    command
        .mut_args(|arg| arg.hide(true))
        .mut_subcommands(hide_flags)
}

/// The arguments of this process. After the first `--` is the command line to complete, with its quotes
/// as typed.
fn words() -> Vec<OsString> {
    let unquoted = |word: OsString| match word.to_str() {
        Some(word) => unquote(word).into(),
        None => word,
    };
    env::args_os().map(unquoted).collect()
}

/// Removes shell quotes, of which the last may still be open.
fn unquote(word: &str) -> String {
    let mut plain = String::new();
    let mut open = None;
    let mut chars = word.chars();
    while let Some(char) = chars.next() {
        match (char, open) {
            ('\\', None | Some('"')) => plain.extend(chars.next()),
            ('"' | '\'', None) => open = Some(char),
            (_, Some(quote)) if char == quote => open = None,
            _ => plain.push(char),
        }
    }
    plain
}

pub fn jobs(typed: &OsStr) -> Vec<CompletionCandidate> {
    let names = |mut config| {
        let watched = into_watched_jobs(&mut config);
        let mut names = job_names(&watched);
        // Else each job would be offered twice.
        if !typed.is_empty() {
            names.extend(paths(&watched));
        }
        names
    };
    matching(typed, watched_config().map_or_else(Vec::new, names))
}

pub fn projects(typed: &OsStr) -> Vec<CompletionCandidate> {
    let title = |project: &_| Project::from(project).title().to_owned();
    let names = |config: Config| config.projects.iter().map(title).collect();
    matching(typed, watched_config().map_or_else(Vec::new, names))
}

pub fn statuses(typed: &OsStr) -> Vec<CompletionCandidate> {
    matching(typed, status_names().collect())
}

fn matching(typed: &OsStr, mut names: Vec<String>) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let mut seen = HashSet::new();
    names.retain(|name| name.starts_with(&*typed) && seen.insert(name.clone()));
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// The config of the command line to complete; `None` for `--demo`, whose jobs only its server knows.
fn watched_config() -> Option<Config> {
    let words = words();
    let start = words.iter().position(|word| word == "--")?;
    let words = &words[start + 1..];
    if words.iter().any(|word| word == "--demo") {
        return None;
    }
    let path = config::path(config_flag(words, env::home_dir()).as_deref()).ok()?;
    Config::load(&path).ok()
}

/// The value of the last `--config`, with `~` expanded, which the shell has not done yet.
fn config_flag(words: &[OsString], home: Option<PathBuf>) -> Option<PathBuf> {
    let mut flag = None;
    let mut words = words.iter().take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if word == "--config" {
            flag = words.next().map(PathBuf::from);
        } else if let Some(path) = word.to_str().and_then(|w| w.strip_prefix("--config=")) {
            flag = Some(PathBuf::from(path));
        }
    }
    let flag = flag?;
    let expanded = match (flag.strip_prefix("~"), home) {
        (Ok(path), Some(home)) => home.join(path),
        _ => flag,
    };
    Some(expanded)
}

/// Unique ids and labels, and `PROJECT/JOB` where several projects have an id.
fn job_names(watched: &[Watched]) -> Vec<String> {
    let ids = count(watched.iter().map(|job| &*job.key.id));
    let labels = count(watched.iter().filter_map(|job| job.label.as_deref()));
    let mut names = Vec::new();
    for job in watched {
        let id = &*job.key.id;
        names.push(match ids[id] {
            1 => id.to_owned(),
            _ => format!("{}/{id}", job.project.title()),
        });
        names.extend(job.label.clone().filter(|label| labels[&**label] == 1));
    }
    names
}

/// Each `PROJECT/JOB`, by the name of the project and by its id. A name with a `/` would be read as
/// another one.
fn paths(watched: &[Watched]) -> impl Iterator<Item = String> {
    watched.iter().flat_map(|job| {
        let projects = [job.project.title(), &job.project.id];
        let readable = projects.into_iter().filter(|name| !name.contains('/'));
        readable.map(|project| format!("{project}/{}", job.key.id))
    })
}

fn count<'a>(names: impl Iterator<Item = &'a str>) -> HashMap<&'a str, usize> {
    let mut counts = HashMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::board::Project;
    use crate::job::JobKey;

    #[test]
    fn config_flag_table() {
        for (line, want) in [
            ("mintwatch list ", None),
            ("mintwatch --config a list ", Some("a")),
            ("mintwatch list --config=b ", Some("b")),
            ("mintwatch --config a list --config b ", Some("b")),
            ("mintwatch list -- --config a", None),
            ("mintwatch --config ~/a list ", Some("/home/me/a")),
            ("mintwatch --config ~you/a list ", Some("~you/a")),
            ("mintwatch --config", None),
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let flag = config_flag(&words, Some(PathBuf::from("/home/me")));
            assert_eq!(flag, want.map(PathBuf::from), "{line}");
        }
    }

    #[test]
    fn unquote_table() {
        for (word, want) in [
            ("plain", "plain"),
            ("SDK\\ q", "SDK q"),
            ("\"SDK q", "SDK q"),
            ("'SDK \\q", "SDK \\q"),
            ("\"a\\\"b\"c", "a\"bc"),
            ("\"Don't", "Don't"),
            ("Don\\'t", "Don't"),
            ("end\\", "end"),
        ] {
            assert_eq!(unquote(word), want, "{word}");
        }
    }

    #[test]
    fn only_unique_names_are_offered() {
        let job = |project: &str, id: &str, label: Option<&str>| Watched {
            key: JobKey::new(project, id),
            project: Arc::new(Project {
                id: project.into(),
                name: None,
            }),
            label: label.map(String::from),
            tags: Vec::new(),
        };
        let watched = [
            job("p1", "a", Some("Twice")),
            job("p1", "b", Some("SDK quickstart")),
            job("p2", "b", Some("Twice")),
            job("p2", "c", None),
        ];
        let want = ["a", "p1/b", "SDK quickstart", "p2/b", "c"];
        assert_eq!(job_names(&watched), want);
    }
}
