//! `mintwatch completions`: scripts that complete the command line in a shell; and the hidden verb
//! that they call for the names that the config holds.
//!
//! The scripts are clap's own, which know every verb and flag. For jobs and projects they ask
//! `complete-names`, which reads the command line so far by the same definition. This file must not
//! know where the config is.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Arg, Args, Command, CommandFactory, ValueHint};
use clap_complete::{Shell, generate};

use super::Cli;
use super::context::Context;
use super::error::CommandResult;
use crate::board::{Project, Watched};
use crate::exit::Exit;
use crate::poll::into_watched_jobs;
use crate::session::LoadedConfig;

/// What `completions` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  source <(mintwatch completions bash)                             # in ~/.bashrc
  mintwatch completions zsh > ~/.zfunc/_mintwatch                  # a folder of $fpath
  mintwatch completions fish > ~/.config/fish/completions/mintwatch.fish

In bash, zsh and fish, job ids, labels and projects of the config complete too.")]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

impl CompletionsArgs {
    pub fn execute(&self) -> CommandResult {
        print(self.shell, &Cli::command(), &mut io::stdout())?;
        Ok(Exit::Done)
    }
}

impl CompleteNamesArgs {
    /// Prints the names that the word being typed may be. A shell that completes shows no errors, so
    /// there are no names where there is no config.
    pub async fn execute(&self, context: &Context) -> CommandResult {
        let wanted = Wanted::by(Cli::command(), &self.words);
        let (config, demo) = source_flags(&self.words);
        if wanted == Wanted::Nothing || demo || context.global.demo {
            return Ok(Exit::Done);
        }
        let path = config.map_or_else(|| context.config_path(), Ok)?;
        let Ok(mut loaded) = LoadedConfig::load(path) else {
            return Ok(Exit::Done);
        };
        let names = if wanted == Wanted::Jobs {
            job_names(&into_watched_jobs(&mut loaded.config))
        } else {
            let projects = loaded.config.projects.iter();
            projects
                .map(|own| Project::from(own).title().to_owned())
                .collect()
        };
        for name in names {
            writeln!(io::stdout(), "{name}")?;
        }
        Ok(Exit::Done)
    }
}

/// What the scripts ask.
#[derive(Debug, Args)]
pub struct CompleteNamesArgs {
    /// The command line behind the program's name; the last word is being typed
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<String>,
}

/// In bash: clap's function, then the names, quoted as the person quotes.
const BASH: &str = r#"
_mintwatch_with_names() {
    _mintwatch "$@"
    local cur="$2" name kept=() names=()
    for name in "${COMPREPLY[@]}"; do
        [[ $name == [\[\<]* ]] || kept+=("$name")
    done
    COMPREPLY=("${kept[@]}")
    while IFS= read -r name; do
        # Behind a quote, readline closes it; without one, spaces need a backslash.
        [[ ${COMP_WORDS[COMP_CWORD]} == [\"\']* ]] || printf -v name %q "$name"
        [[ $name == "$cur"* ]] && names+=("$name")
    done < <("$1" complete-names -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    # Where a name may stand, a file or a folder of this directory is none.
    (( ${#names[@]} )) && COMPREPLY=("${names[@]}")
}

complete -F _mintwatch_with_names -o bashdefault -o default mintwatch
"#;

/// In zsh: what completes a `JOB` or a `PROJECT`.
const ZSH: &str = r#"_mintwatch_names() {
    local -a names
    names=("${(@f)$(mintwatch complete-names -- "${_mintwatch_words[@]}" 2>/dev/null)}")
    names=(${names:#})
    (( $#names )) && compadd -a names
}

"#;
/// In zsh: where clap's function begins, and the words as they are before it takes them apart.
const ZSH_START: &str = "_mintwatch() {\n";
const ZSH_WORDS: &str = r#"    local -a _mintwatch_words
    _mintwatch_words=("${(@Q)words[2,CURRENT]}")
"#;

/// In fish: names wherever one may stand.
const FISH: &str = r#"
function __mintwatch_names
    set -l words (commandline -opc) (commandline -ct)
    mintwatch complete-names -- $words[2..-1] 2>/dev/null
end
complete -c mintwatch -n "__mintwatch_names | string length -q" -f -a "(__mintwatch_names)"
"#;

/// Prints the script for `shell`; `command` is the definition of the command line.
pub fn print(shell: Shell, command: &Command, out: &mut dyn Write) -> io::Result<()> {
    let mut command = without_hidden(command);
    let mut script = Vec::new();
    generate(shell, &mut command, "mintwatch", &mut script);
    let script = String::from_utf8_lossy(&script);
    let script = match shell {
        Shell::Bash => format!("{script}{BASH}"),
        Shell::Zsh => zsh(&script),
        Shell::Fish => script.replace("(__fish_complete_users)", "(__mintwatch_names)") + FISH,
        _ => script.into_owned(),
    };
    out.write_all(script.as_bytes())
}

fn zsh(script: &str) -> String {
    let start = format!("{ZSH}{ZSH_START}{ZSH_WORDS}");
    script
        .replacen(ZSH_START, &start, 1)
        .replace(":_users", ":_mintwatch_names")
}

/// `command` without its hidden verbs, which clap would offer too.
fn without_hidden(command: &Command) -> Command {
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    Command::new("mintwatch")
        .version(env!("CARGO_PKG_VERSION"))
        .args(command.get_arguments().cloned())
        .subcommands(verbs.cloned().map(hint_names))
}

/// Gives names the one hint that nothing else here has, so that what clap writes for it can be told
/// and replaced.
fn hint_names(command: Command) -> Command {
    let hint = |arg: Arg| match Wanted::of(&arg) {
        Wanted::Nothing => arg,
        Wanted::Jobs | Wanted::Projects => arg.value_hint(ValueHint::Username),
    };
    command.mut_args(hint).mut_subcommands(hint_names)
}

/// What the word that is being typed may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A job's id or label.
    Jobs,
    /// A project's id or name.
    Projects,
    /// Nothing that the config names.
    Nothing,
}

impl Wanted {
    fn of(arg: &Arg) -> Self {
        let names = arg.get_value_names().unwrap_or_default();
        match names.first().map(clap::builder::Str::as_str) {
            Some("JOB") => Self::Jobs,
            Some("PROJECT" | "P") => Self::Projects,
            _ => Self::Nothing,
        }
    }

    /// What the last of `words` may be; `command` is the definition of the command line.
    pub fn by(mut command: Command, words: &[String]) -> Self {
        let Some((current, before)) = words.split_last() else {
            return Self::Nothing;
        };
        // Only now clap knows which flags take values.
        command.build();
        let mut reading = Reading::new(&command);
        for word in before {
            reading.take(word);
        }
        reading.next(current)
    }
}

/// A command line that is read word by word.
struct Reading<'a> {
    verb: &'a Command,
    /// The flag whose value comes next.
    flag: Option<&'a Arg>,
    positionals: usize,
    only_positionals: bool,
}

impl<'a> Reading<'a> {
    fn new(root: &'a Command) -> Self {
        Self {
            verb: root,
            flag: None,
            positionals: 0,
            only_positionals: false,
        }
    }

    fn take(&mut self, word: &str) {
        if self.flag.take().is_some() {
            return;
        }
        if !self.only_positionals && word == "--" {
            self.only_positionals = true;
        } else if !self.only_positionals && word.starts_with('-') && word != "-" {
            self.flag = self.flag_of(word);
        } else if let Some(verb) = self.verb.find_subcommand(word).filter(|_| self.is_first()) {
            self.verb = verb;
        } else {
            self.positionals += 1;
        }
    }

    fn is_first(&self) -> bool {
        self.positionals == 0
    }

    /// The flag that `word` is, if its value is the next word.
    fn flag_of(&self, word: &str) -> Option<&'a Arg> {
        let is = |arg: &&Arg| match word.strip_prefix("--") {
            Some(long) => arg.get_long() == Some(long),
            None => arg.get_short().is_some_and(|short| word.ends_with(short)),
        };
        self.verb.get_opts().find(is)
    }

    fn next(&self, current: &str) -> Wanted {
        if let Some(flag) = self.flag {
            return Wanted::of(flag);
        }
        if !self.only_positionals && current.starts_with('-') {
            return Wanted::Nothing;
        }
        let mut positionals = self.verb.get_positionals();
        let arg = positionals.nth(self.positionals).or_else(|| {
            let last = self.verb.get_positionals().last();
            last.filter(|arg| takes_many(arg))
        });
        arg.map_or(Wanted::Nothing, Wanted::of)
    }
}

fn takes_many(arg: &Arg) -> bool {
    matches!(arg.get_action(), clap::ArgAction::Append)
        || arg
            .get_num_args()
            .is_some_and(|range| range.max_values() > 1)
}

/// The flags among `words` that say what is watched: `--config` and `--demo`.
pub fn source_flags(words: &[String]) -> (Option<PathBuf>, bool) {
    let mut config = None;
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if word == "--config" {
            config = rest.next().map(PathBuf::from);
        } else if let Some(path) = word.strip_prefix("--config=") {
            config = Some(PathBuf::from(path));
        }
    }
    (config, words.iter().any(|word| word == "--demo"))
}

/// The ids and labels by which `watched` can be named: those that only one job has, and
/// `PROJECT/JOB` where several projects have an id.
pub fn job_names(watched: &[Watched]) -> Vec<String> {
    let ids = how_often(watched.iter().map(|job| &*job.key.id));
    let labels = how_often(watched.iter().filter_map(|job| job.label.as_deref()));
    let mut names = Vec::new();
    for job in watched {
        let id = &*job.key.id;
        names.push(if ids[id] == 1 {
            id.to_owned()
        } else {
            format!("{}/{id}", job.project.title())
        });
        names.extend(job.label.clone().filter(|label| labels[&**label] == 1));
    }
    names
}

fn how_often<'a>(names: impl Iterator<Item = &'a str>) -> HashMap<&'a str, usize> {
    let mut times = HashMap::new();
    for name in names {
        *times.entry(name).or_default() += 1;
    }
    times
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use clap::CommandFactory;

    use super::*;
    use crate::board::Project;
    use crate::cli::Cli;
    use crate::job::JobKey;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(String::from).collect()
    }

    #[test]
    fn wanted_table() {
        use Wanted::{Jobs, Nothing, Projects};
        for (line, want) in [
            ("", Nothing),
            ("li", Nothing),
            ("list ", Jobs),
            ("list job_", Jobs),
            ("list job_1 ", Jobs),
            ("list --json ", Jobs),
            ("list -", Nothing),
            ("list --project ", Projects),
            ("list --project d", Projects),
            ("list --project docs ", Jobs),
            ("list --project=docs ", Jobs),
            ("list --status ", Nothing),
            ("--config list ", Nothing),
            ("--config x.toml list ", Jobs),
            ("list --config ", Nothing),
            ("list --config x.toml ", Jobs),
            ("list -- -", Jobs),
            ("wait --timeout 5m ", Jobs),
            ("wait --timeout ", Nothing),
            ("open ", Jobs),
            ("open job_1 ", Nothing),
            ("watch ", Nothing),
            ("completions ", Nothing),
            ("config ", Nothing),
        ] {
            assert_eq!(Wanted::by(Cli::command(), &words(line)), want, "{line:?}");
        }
        assert_eq!(Wanted::by(Cli::command(), &[]), Nothing);
    }

    #[test]
    fn source_flags_table() {
        for (line, want, demo) in [
            ("list ", None, false),
            ("--config a list ", Some("a"), false),
            ("list --config=b --demo ", Some("b"), true),
            ("--config", None, false),
        ] {
            let want = want.map(PathBuf::from);
            assert_eq!(source_flags(&words(line)), (want, demo), "{line}");
        }
    }

    #[test]
    fn only_names_that_mean_one_job_are_offered() {
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

    fn script(shell: Shell) -> String {
        let mut out = Vec::new();
        print(shell, &Cli::command(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn names_complete_in_each_shell_that_can() {
        let zsh = script(Shell::Zsh);
        assert!(
            zsh.contains(":_mintwatch_names'") && zsh.contains(ZSH_WORDS),
            "{zsh}"
        );
        let fish = script(Shell::Fish);
        assert!(
            fish.contains("-l project") && fish.contains("(__mintwatch_names)"),
            "{fish}"
        );
        for script in [&zsh, &fish] {
            assert!(!script.contains("_users"), "{script}");
        }
        assert!(script(Shell::Bash).ends_with(BASH));
    }

    #[test]
    fn hidden_verbs_are_not_offered() {
        let bash = script(Shell::Bash);
        let offered = bash.lines().filter(|line| line.contains("opts=\""));
        for line in offered {
            assert!(!line.contains("complete-names"), "{line}");
        }
        assert!(bash.contains("doctor completions man"));
    }
}
