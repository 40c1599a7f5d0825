//! The prompt of `new` and `send`: an argument, a file, standard input, or the user's editor.
//!
//! This file must not know what a prompt is for.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;

use super::confirm;
use super::error::CommandError;
use crate::actions::Actions;
use crate::desktop::{EditedDocument, Editor, OpenEditor};
use crate::environment::Environment;
use crate::job::ProjectId;
use crate::mintlify::write::doubtful;
use crate::process;
use crate::text;

const MAX_BYTES: usize = 1 << 20;
const NO_PROMPT: &str =
    "no prompt: give it as an argument, with -F FILE, or with -F - on standard input";

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
    /// Reads the prompt, and asks `question` where there is a terminal; an editor sees `environment`.
    pub async fn ask(
        &self,
        actions: &Actions,
        project: &ProjectId,
        question: &str,
        environment: &Environment,
    ) -> Result<Prompt, CommandError> {
        let on_terminal = confirm::can_ask();
        let editor = on_terminal.then_some((environment, question));
        let prompt = Prompt::read(self, &mut io::stdin(), editor)?;
        if self.yes || !on_terminal {
            return Ok(prompt);
        }
        let count = actions.writes_this_hour(project).await;
        if confirm::ask(&confirm::with_count(question, count))? {
            return Ok(prompt);
        }
        let note = prompt.keep_document();
        Err(CommandError::failed(format!("not sent{note}")))
    }
}

#[derive(Debug)]
pub struct Prompt {
    /// Trimmed, and not empty.
    pub text: String,
    /// Set if it was written in an editor.
    document: Option<EditedDocument>,
}

impl Prompt {
    /// `input` is standard input; `editor` is the environment of an editor and what it is told of the
    /// prompt, `None` without a terminal.
    pub fn read(
        args: &PromptArgs,
        input: &mut dyn Read,
        editor: Option<(&Environment, &str)>,
    ) -> Result<Self, CommandError> {
        let text = match (&args.prompt, &args.file) {
            (Some(prompt), _) => prompt.clone(),
            (None, Some(path)) if path.as_os_str() == "-" => read(input, "standard input")?,
            (None, Some(path)) => {
                let name = text::clean(&path.to_string_lossy());
                let mut file = File::open(path).map_err(|error| unreadable(&name, &error))?;
                read(&mut file, &name)?
            }
            (None, None) => return Self::edit(editor),
        };
        let text = trim(&text).ok_or_else(|| CommandError::usage("the prompt is empty"))?;
        Ok(Self {
            text,
            document: None,
        })
    }

    fn edit(editor: Option<(&Environment, &str)>) -> Result<Self, CommandError> {
        let (environment, about) = editor.ok_or_else(|| CommandError::usage(NO_PROMPT))?;
        let no_editor = || CommandError::usage(format!("{NO_PROMPT}; or set EDITOR"));
        let editor = Editor::new(environment).context("not sent")?;
        let open = editor.ok_or_else(no_editor)?.open("", about);
        let document = open.and_then(OpenEditor::wait).context("not sent")?;
        let text = trim(&document.text);
        Ok(Self {
            text: text.ok_or_else(|| CommandError::failed("not sent: the prompt is empty"))?,
            document: Some(document),
        })
    }

    /// Awaits `call`, which sends the prompt once. If it fails, an edited document is kept. If a
    /// signal comes first, the error says `doubt`, and `count` counts the write as sent.
    pub async fn send<T, E>(
        self,
        call: impl Future<Output = Result<T, E>>,
        doubt: &str,
        count: impl FnOnce(),
    ) -> Result<T, CommandError>
    where
        CommandError: From<E>,
    {
        tokio::select! {
            biased;
            exit = process::interrupted() => {
                count();
                let message = doubtful(doubt, "stopped before there was a reply");
                let note = self.keep_document();
                Err(CommandError::new(exit, anyhow!("{message}{note}")))
            }
            result = call => {
                result.map_err(|error| CommandError::from(error).with_note(&self.keep_document()))
            }
        }
    }

    /// Keeps an edited document; returns a note that says where, or an empty one.
    pub fn keep_document(self) -> String {
        let path = self.document.and_then(EditedDocument::keep);
        path.map_or_else(String::new, |path| {
            format!("\nYour prompt is kept in {}", path.display())
        })
    }
}

/// `None` where nothing is left.
fn trim(text: &str) -> Option<String> {
    let text = text.trim_start_matches('\u{feff}').trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn read(input: &mut dyn Read, name: &str) -> Result<String, CommandError> {
    let mut bytes = Vec::new();
    // One more than the limit, to recognise a longer prompt.
    let mut input = input.take(MAX_BYTES as u64 + 1);
    input
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(name, &error))?;
    if bytes.len() > MAX_BYTES {
        let message = format!("the prompt in {name} is longer than 1 MiB");
        return Err(CommandError::usage(message));
    }
    String::from_utf8(bytes).map_err(|_| unreadable(name, &"it is not UTF-8"))
}

fn unreadable(name: &str, error: &dyn std::fmt::Display) -> CommandError {
    CommandError::usage(format!("cannot read the prompt from {name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_prompt(
        prompt: Option<&str>,
        file: Option<&str>,
        input: &[u8],
    ) -> Result<String, String> {
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
            let text = read_prompt(prompt, file, input.as_bytes());
            assert_eq!(text.as_deref(), Ok(want));
        }
    }

    #[test]
    fn without_a_prompt_the_error_says_why() {
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
            let error = read_prompt(prompt, file, input).unwrap_err();
            assert!(error.starts_with(want), "{error}");
        }
        assert!(read_prompt(None, Some("-"), &long[1..]).is_ok());
    }

    #[test]
    fn only_a_document_is_kept() {
        let args = PromptArgs {
            prompt: Some("a".into()),
            file: None,
            ..PromptArgs::default()
        };
        let prompt = Prompt::read(&args, &mut std::io::empty(), None).unwrap();
        assert_eq!(prompt.keep_document(), "");
    }
}
