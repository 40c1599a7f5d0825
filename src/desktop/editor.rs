//! Editing a text in the user's editor, `$VISUAL` or `$EDITOR`.
//!
//! This file must not know what the text is for.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::NamedTempFile;

use crate::environment::Environment;

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

/// A text that was written in an editor, and its temporary file, which is removed on drop.
#[derive(Debug)]
pub struct EditedDocument {
    pub text: String,
    file: NamedTempFile,
}

impl EditedDocument {
    /// Runs the editor of `environment`, which has the terminal until it ends; `None` where none is
    /// set.
    pub fn write(environment: &Environment) -> Result<Option<Self>, EditorError> {
        let set = |name| Some((name, environment.text(name)?));
        let Some((name, setting)) = set("VISUAL").or_else(|| set("EDITOR")) else {
            return Ok(None);
        };
        let words = shell_words::split(&setting).unwrap_or_default();
        let Some((program, arguments)) = words.split_first() else {
            return Err(EditorError::Setting(name));
        };
        // `tempfile` creates it with mode 0600.
        let file = tempfile::Builder::new()
            .prefix("mintwatch-")
            .suffix(".md")
            .tempfile()
            .map_err(EditorError::File)?;
        let mut command = Command::new(program);
        // Standard output may be read by a script, for our own output only.
        command
            .args(arguments)
            .arg(file.path())
            .stdout(Stdio::from(io::stderr()));
        environment.apply(&mut command);
        let status = command
            .status()
            .map_err(|error| EditorError::NotStarted(program.clone(), name, error))?;
        if !status.success() {
            return Err(EditorError::Failed(status));
        }
        // By its name: editors replace files.
        let text = fs::read_to_string(file.path()).map_err(EditorError::Unreadable)?;
        Ok(Some(Self { text, file }))
    }

    /// Keeps the file, and returns its path.
    pub fn keep(self) -> Option<PathBuf> {
        self.file.into_temp_path().keep().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(editor: &str) -> Result<Option<EditedDocument>, EditorError> {
        let path = std::env::var("PATH").unwrap();
        let variables = [("PATH", path.as_str()), ("EDITOR", editor)];
        EditedDocument::write(&Environment::new(variables, &[] as &[&str]))
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
