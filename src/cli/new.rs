//! `mintwatch new`: starts a job, and lists it in the config.
//!
//! This file must not know how a job is started, or how the config is edited.

use std::borrow::Cow;
use std::path::Path;

use clap::Args;
use clap_complete::ArgValueCompleter;
use shell_words::quote;

use super::completions;
use super::prompt::PromptArgs;
use crate::config::edit::NewJob;
use crate::config::hide_keys;
use crate::text;

/// The most cells of a label that is taken from a prompt.
const MAX_LABEL: usize = 60;

/// What `new` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Prints the id of the new job, and lists it in the config. On a terminal it asks \
first, and
says how many writes the project has had this hour; the API takes 100.

Examples:
  mintwatch new docs \"Document the retry policy of the SDK\"
  mintwatch new docs                     write the prompt in $EDITOR
  mintwatch new docs -F prompt.md --label \"SDK retries\" --tag release
  git diff v1..v2 | mintwatch new docs -F - --yes
  id=$(mintwatch new docs --yes \"Fix the broken links\") && mintwatch wait \"$id\"

Exit codes: 0 done; 1 not started, or not known, or not listed in the config; 2 usage or config;
4 no key, or a key refused. It is never tried twice."
)]
pub struct NewArgs {
    /// The project, by id or name
    #[arg(value_name = "PROJECT", add = ArgValueCompleter::new(completions::projects))]
    pub project: String,
    /// What the agent is to do.
    #[command(flatten)]
    pub prompt: PromptArgs,
    /// What to call the job; else the first line of the prompt
    #[arg(long, value_name = "L")]
    pub label: Option<String>,
    /// A word to filter by; may be given several times
    #[arg(long = "tag", value_name = "T")]
    pub tags: Vec<String>,
    /// Print the job as one JSON object, as `list --json` has it
    #[arg(long)]
    pub json: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

impl NewArgs {
    /// The job with this id, which `prompt` started, as the config will list it.
    pub fn job(&self, id: &str, prompt: &str) -> NewJob {
        let label = match &self.label {
            Some(label) => text::clean(label),
            None => label_of(prompt),
        };
        let tags = self.tags.iter().map(|tag| text::clean(tag));
        NewJob {
            id: id.to_owned(),
            label: Some(label).filter(|label| !label.is_empty()),
            tags: tags.filter(|tag| !tag.is_empty()).collect(),
        }
    }
}

/// What a job is called by its prompt: the API gives it no title.
pub fn label_of(prompt: &str) -> String {
    let lines = prompt.lines().map(|line| text::clean(&hide_keys(line)));
    let first = lines.into_iter().find(|line| !line.is_empty());
    text::truncate(&first.unwrap_or_default(), MAX_LABEL, "…").into_owned()
}

/// The command that lists `job` of `project` in `config` (else the usual one), where `new` could not.
pub fn add_command(config: Option<&Path>, project: &str, job: &NewJob) -> String {
    let config = config.map(|path| path.to_string_lossy());
    let mut words: Vec<Cow<'_, str>> = vec!["mintwatch".into()];
    if let Some(path) = &config {
        words.extend(["--config".into(), quote(path)]);
    }
    words.extend(["add".into(), quote(project), quote(&job.id)]);
    if let Some(label) = &job.label {
        words.extend(["--label".into(), quote(label)]);
    }
    for tag in &job.tags {
        words.extend(["--tag".into(), quote(tag)]);
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_table() {
        let long = "word ".repeat(30);
        let cut = format!("{}…", &long[..59]);
        let wide = "日".repeat(60);
        let cut_wide = format!("{}…", "日".repeat(29));
        for (prompt, want) in [
            ("Fix the links", "Fix the links"),
            ("  Fix\tthe links \r\nand more", "Fix the links"),
            ("\u{200b}\n\n# Title\n", "# Title"),
            ("a\u{1b}[31mb\u{202e}", "a[31mb"),
            ("use mint_secret1", "use mint_*******"),
            (&long, &cut),
            (&wide, &cut_wide),
            ("", ""),
        ] {
            assert_eq!(label_of(prompt), want, "{prompt:?}");
        }
    }

    #[test]
    fn the_job_takes_what_was_given_and_else_the_prompt() {
        let args = |label: Option<&str>, tags: &[&str]| NewArgs {
            project: String::from("docs"),
            prompt: PromptArgs::default(),
            label: label.map(Into::into),
            tags: tags.iter().map(ToString::to_string).collect(),
            json: false,
            yes: false,
        };
        let job = args(None, &[]).job("job_1", "Do\nit");
        assert_eq!(
            add_command(None, "docs", &job),
            "mintwatch add docs job_1 --label Do"
        );
        let job = args(Some("it's \n mine"), &["a", " ", "b c"]).job("job_1", "Do");
        assert_eq!(
            add_command(Some(Path::new("a b.toml")), "my docs", &job),
            r"mintwatch --config 'a b.toml' add 'my docs' job_1 --label 'it'\''s mine' --tag a --tag 'b c'"
        );
        let job = args(Some(""), &[]).job("job_1", "Do");
        assert_eq!(add_command(None, "docs", &job), "mintwatch add docs job_1");
    }
}
