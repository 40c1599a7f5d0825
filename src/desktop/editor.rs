//! Editing a text in the user's editor, `$VISUAL` or `$EDITOR`.
//!
//! This file must not know what the text is for.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::Pid;
use tempfile::NamedTempFile;

use crate::environment::Environment;

/// Begins a line that is left out: a comment in Markdown, and one of ours, since prompts have headings
/// and may have comments.
const COMMENT: &str = "<!-- mintwatch:";
const HELP: &str = "Lines such as this one are left out. An empty text changes nothing.";

/// Why there is no text. Safe to show.
#[derive(Debug, thiserror::Error)]
pub enum EditorError {
    #[error("no temporary file to write in: {0}")]
    File(io::Error),
    #[error("${0} names no program, or a quote in it is not closed")]
    Setting(&'static str),
    #[error("cannot start the editor {0} (${1}): {2}")]
    NotStarted(String, &'static str, io::Error),
    /// Also how the user cancels (`:cq`).
    #[error("the editor ended with {0}")]
    Failed(std::process::ExitStatus),
    #[error("cannot read what the editor wrote: {0}")]
    Unreadable(io::Error),
}

/// The user's editor, as the environment names it.
#[derive(Debug)]
pub struct Editor {
    /// Where it is named.
    variable: &'static str,
    program: String,
    arguments: Vec<String>,
    environment: Environment,
}

/// An editor that has the terminal.
#[derive(Debug)]
pub struct OpenEditor {
    child: Child,
    file: NamedTempFile,
}

/// A text that was written in an editor, and its temporary file, which is removed on drop.
#[derive(Debug)]
pub struct EditedDocument {
    /// Without the comments.
    pub text: String,
    file: NamedTempFile,
}

impl Editor {
    /// The editor of `environment`, which is what it sees; `None` where none is set.
    pub fn new(environment: &Environment) -> Result<Option<Self>, EditorError> {
        let set = |name| Some((name, environment.text(name)?));
        let Some((variable, setting)) = set("VISUAL").or_else(|| set("EDITOR")) else {
            return Ok(None);
        };
        let mut words = shell_words::split(&setting).unwrap_or_default().into_iter();
        let program = words.next().ok_or(EditorError::Setting(variable))?;
        Ok(Some(Self {
            variable,
            program,
            arguments: words.collect(),
            environment: environment.clone(),
        }))
    }

    /// Opens it on `text`, with a comment that says what the text is for: `about`, a line.
    pub fn open(&self, text: &str, about: &str) -> Result<OpenEditor, EditorError> {
        // `tempfile` creates it with mode 0600.
        let mut file = tempfile::Builder::new()
            .prefix("mintwatch-")
            .suffix(".md")
            .tempfile()
            .map_err(EditorError::File)?;
        file.write_all(document(text, about).as_bytes())
            .map_err(EditorError::File)?;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).arg(file.path());
        // A script may read it, for our own output only.
        if !io::stdout().is_terminal() {
            command.stdout(Stdio::from(io::stderr()));
        }
        self.environment.apply(&mut command);
        let child = command
            .spawn()
            .map_err(|error| EditorError::NotStarted(self.program.clone(), self.variable, error))?;
        Ok(OpenEditor { child, file })
    }
}

impl OpenEditor {
    pub fn id(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits until it has ended.
    pub fn wait(mut self) -> Result<EditedDocument, EditorError> {
        let status = self.child.wait().map_err(EditorError::Unreadable)?;
        if !status.success() {
            return Err(EditorError::Failed(status));
        }
        // By its name: editors replace files.
        let text = fs::read_to_string(self.file.path()).map_err(EditorError::Unreadable)?;
        Ok(EditedDocument {
            text: without_comments(&text),
            file: self.file,
        })
    }
}

fn document(text: &str, about: &str) -> String {
    format!("{text}\n\n{COMMENT} {about} -->\n{COMMENT} {HELP} -->\n")
}

fn without_comments(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    lines
        .filter(|line| !line.trim_start().starts_with(COMMENT))
        .collect()
}

impl EditedDocument {
    /// Keeps the file, without the comments, and returns its path.
    pub fn keep(self) -> Option<PathBuf> {
        // With them, if need be.
        let _ = fs::write(self.file.path(), &self.text);
        self.file.into_temp_path().keep().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(editor: &str, text: &str) -> Result<Option<EditedDocument>, EditorError> {
        let path = std::env::var("PATH").unwrap();
        let variables = [("PATH", path.as_str()), ("EDITOR", editor)];
        let environment = Environment::new(variables, &[] as &[&str]);
        let Some(editor) = Editor::new(&environment)? else {
            return Ok(None);
        };
        editor.open(text, "New job in docs")?.wait().map(Some)
    }

    fn written(editor: &str) -> Result<Option<EditedDocument>, EditorError> {
        edited(editor, "")
    }

    #[test]
    fn it_opens_with_the_text_and_comments_that_are_left_out() {
        let copy = tempfile::NamedTempFile::new().unwrap();
        let editor = format!("sh -c 'cat \"$0\" > {}'", copy.path().display());
        let text = "# Title\n<!-- mine -->\n- one";
        let document = edited(&editor, text).unwrap().unwrap();
        assert_eq!(document.text, format!("{text}\n\n"));
        let seen = fs::read_to_string(copy.path()).unwrap();
        let want = "\n\n<!-- mintwatch: New job in docs -->\n<!-- mintwatch: Lines such as";
        assert!(seen.starts_with(&format!("{text}{want}")), "{seen}");
        let path = document.keep().unwrap();
        let kept = fs::read_to_string(&path).unwrap();
        fs::remove_file(path).unwrap();
        assert_eq!(kept, format!("{text}\n\n"));
    }

    #[test]
    fn what_the_editor_writes_is_read_and_kept_where_wanted() {
        // As many editors do: a new file in place of the old one.
        let editor = r#"sh -c 'printf "a\nb" > "$0.new"; mv "$0.new" "$0"'"#;
        let document = written(editor).unwrap().unwrap();
        assert_eq!(document.text, "a\nb");
        let path = document.keep().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a\nb");
        fs::remove_file(path).unwrap();
        let document = written("true").unwrap().unwrap();
        let path = document.file.path().to_owned();
        drop(document);
        assert!(!path.exists());
    }

    #[test]
    fn without_a_text_the_error_says_why() {
        assert!(written("").unwrap().is_none());
        for (editor, want) in [
            (
                "'open",
                "$EDITOR names no program, or a quote in it is not closed",
            ),
            (
                "  ",
                "$EDITOR names no program, or a quote in it is not closed",
            ),
            (
                "no-such-editor -x",
                "cannot start the editor no-such-editor ($EDITOR): ",
            ),
            ("false", "the editor ended with exit status: 1"),
            (
                r#"sh -c 'printf "\\377" > "$0"'"#,
                "cannot read what the editor wrote: ",
            ),
        ] {
            let error = written(editor).unwrap_err().to_string();
            assert!(error.starts_with(want), "{editor}: {error}");
        }
    }
}
