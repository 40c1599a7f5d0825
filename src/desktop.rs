//! The user's desktop: browser, clipboard and editor.
//!
//! No program that is started here sees an API key ([`Environment`](crate::environment::Environment)).
//! These files must not know the board or the screen.

pub use browser::{BrowserError, Opened, Opener};
pub use clipboard::{copy, tmux_set_clipboard};
pub use editor::{EditedDocument, Editor, EditorError, OpenEditor};

mod browser;
mod clipboard;
mod editor;
