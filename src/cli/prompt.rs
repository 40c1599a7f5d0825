//! The prompt of `new` and `send`: an argument, a file, standard input, or the person's editor.
//!
//! This file must not know what a prompt is for.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;

use super::confirm::confirm;
use super::error::CommandError;
use crate::actions::Actions;
use crate::desktop::{EditedDocument, Environment};
use crate::job::ProjectId;
use crate::process;
use crate::session::key_variables;
use crate::text;

/// The most bytes of a prompt.
const MAX_BYTES: usize = 1 << 20;

/// Where a prompt comes from.
#[derive(Debug, Default, Args)]
pub struct PromptArgs {
    /// What the agent is to do; without it and -F, $VISUAL or $EDITOR is opened on a terminal
    #[arg(value_name = "PROMPT")]
    pub prompt: Option<String>,
    /// Read the prompt from FILE; `-` is standard input
    #[arg(short = 'F', long, value_name = "FILE", conflicts_with = "prompt")]
    pub file: Option<PathBuf>,
    /// Print the job as one JSON object, as `list --json` has it
    #[arg(long)]
    pub json: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

impl PromptArgs {
    /// The prompt, and the person's agreement to send it to `project`.
    pub async fn ask(
        &self,
        actions: &Actions,
        project: &ProjectId,
        question: &str,
    ) -> Result<Prompt, CommandError> {
        let on_terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
        let environment =
            on_terminal.then(|| Environment::from_process(&key_variables(&actions.config())));
        let prompt = Prompt::read(self, &mut io::stdin(), environment.as_ref())?;
        if self.yes || !on_terminal {
            return Ok(prompt);
        }
        let count = actions.writes_this_hour(project).await;
        let (input, err) = (&mut io::stdin().lock(), &mut io::stderr());
        if confirm(question, count, input, err)? {
            return Ok(prompt);
        }
        Err(CommandError::failed(format!("not sent{}", prompt.keep())))
    }
}

/// A prompt that is not empty.
#[derive(Debug)]
pub struct Prompt {
    /// The text, without white space at its ends.
    pub text: String,
    /// Where it was written in an editor.
    document: Option<EditedDocument>,
}

impl Prompt {
    /// Reads the prompt that `args` ask for. `input` is standard input; `editor` is the environment
    /// of an editor, where there is a terminal for one.
    pub fn read(
        args: &PromptArgs,
        input: &mut dyn Read,
        editor: Option<&Environment>,
    ) -> Result<Self, CommandError> {
        let text = match (&args.prompt, &args.file) {
            (Some(prompt), _) => prompt.clone(),
            (None, Some(path)) if path.as_os_str() == "-" => read(input, "standard input")?,
            (None, Some(path)) => read_file(path)?,
            (None, None) => return Self::written(editor),
        };
        let text = trimmed(&text).ok_or_else(|| usage("the prompt is empty"))?;
        Ok(Self {
            text,
            document: None,
        })
    }

    fn written(editor: Option<&Environment>) -> Result<Self, CommandError> {
        let nothing = "no prompt: give it as an argument, with -F FILE, or with -F - on standard \
                       input";
        let Some(environment) = editor else {
            return Err(usage(nothing));
        };
        let document = EditedDocument::write(environment).context("not sent")?;
        let document = document.ok_or_else(|| usage(&format!("{nothing}; or set EDITOR")))?;
        let text = trimmed(&document.text);
        Ok(Self {
            text: text.ok_or_else(|| CommandError::failed("not sent: the prompt is empty"))?,
            document: Some(document),
        })
    }

    /// Makes the write that the prompt is for, once. What was written in an editor is kept where the
    /// write fails. A signal that ends the program before there is a reply leaves the `doubt`
    /// whether it happened, and it counts as if it had.
    pub async fn write<T, E, C>(
        self,
        call: impl Future<Output = Result<T, E>>,
        doubt: &str,
        count: impl FnOnce() -> C,
    ) -> Result<T, CommandError>
    where
        CommandError: From<E>,
        C: Future<Output = ()>,
    {
        let result = tokio::select! {
            biased;
            exit = process::interrupted() => Err(exit),
            result = call => Ok(result),
        };
        match result {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(CommandError::from(error).with_note(&self.keep())),
            Err(exit) => {
                count().await;
                let kept = self.keep();
                let message = format!("stopped before there was a reply. {doubt}{kept}");
                Err(CommandError::new(exit, anyhow!(message)))
            }
        }
    }

    /// Keeps what was written in an editor and could not be used; says where it is.
    pub fn keep(self) -> String {
        let kept = self.document.and_then(EditedDocument::keep);
        kept.map_or_else(String::new, |path| {
            format!("\nYour prompt is kept in {}", path.display())
        })
    }
}

fn usage(message: &str) -> CommandError {
    CommandError::usage(message)
}

fn trimmed(text: &str) -> Option<String> {
    let text = text.trim_start_matches('\u{feff}').trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn read_file(path: &Path) -> Result<String, CommandError> {
    let name = text::clean(&path.to_string_lossy());
    let mut file = File::open(path).map_err(|error| unreadable(&name, &error))?;
    read(&mut file, &name)
}

fn read(input: &mut dyn Read, name: &str) -> Result<String, CommandError> {
    let mut bytes = Vec::new();
    // One more than there may be, to tell a prompt that just fits from one that does not.
    let mut input = input.take(MAX_BYTES as u64 + 1);
    input
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(name, &error))?;
    if bytes.len() > MAX_BYTES {
        return Err(usage(&format!("the prompt in {name} is longer than 1 MiB")));
    }
    String::from_utf8(bytes).map_err(|_| unreadable(name, &"it is not UTF-8"))
}

fn unreadable(name: &str, why: &dyn std::fmt::Display) -> CommandError {
    usage(&format!("cannot read the prompt from {name}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(prompt: Option<&str>, file: Option<&str>, input: &[u8]) -> Result<String, String> {
        let args = PromptArgs {
            prompt: prompt.map(Into::into),
            file: file.map(Into::into),
            ..PromptArgs::default()
        };
        let prompt = Prompt::read(&args, &mut &*input, None);
        prompt
            .map(|prompt| prompt.text)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn prompt_table() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prompt.md");
        std::fs::write(&path, "\u{feff}# Title\r\n\n  rest\n").unwrap();
        let path = path.to_str().unwrap();
        for (prompt, file, input, want) in [
            (Some(" a\nb\n"), None, "unread", "a\nb"),
            (Some("-"), None, "unread", "-"),
            (None, Some("-"), "\n  é\n", "é"),
            (None, Some(path), "unread", "# Title\r\n\n  rest"),
        ] {
            let text = told(prompt, file, input.as_bytes());
            assert_eq!(text.as_deref(), Ok(want));
        }
    }

    #[test]
    fn without_a_prompt_it_is_said_why() {
        let long = vec![b'x'; MAX_BYTES + 1];
        for (prompt, file, input, want) in [
            (Some(""), None, &b""[..], "the prompt is empty"),
            (Some(" \n\t"), None, b"", "the prompt is empty"),
            (None, Some("-"), b"\n", "the prompt is empty"),
            (None, None, b"unread", "no prompt: give it as an argument"),
            (
                None,
                Some("-"),
                b"\xff",
                "cannot read the prompt from standard input: it is not UTF-8",
            ),
            (
                None,
                Some("-"),
                &long,
                "the prompt in standard input is longer than 1 MiB",
            ),
            (
                None,
                Some("/no/such/file"),
                b"",
                "cannot read the prompt from /no/such/file: No such file",
            ),
        ] {
            let error = told(prompt, file, input).unwrap_err();
            assert!(error.starts_with(want), "{error}");
        }
        assert!(told(None, Some("-"), &long[1..]).is_ok());
    }

    #[test]
    fn what_was_given_needs_no_keeping() {
        let args = PromptArgs {
            prompt: Some("a".into()),
            file: None,
            ..PromptArgs::default()
        };
        let prompt = Prompt::read(&args, &mut std::io::empty(), None).unwrap();
        assert_eq!(prompt.keep(), "");
    }
}
