//! The user's desktop: browser, clipboard and editor, and the environment of the programs started for
//! them.
//!
//! No program that is started here sees an API key ([`Environment`]). These files must not know the
//! board or the screen.

pub use browser::{BrowserError, Opened, Opener};
pub use clipboard::{copy, tmux_set_clipboard};
pub use editor::{EditedDocument, EditorError};
pub use environment::Environment;

mod browser;
mod clipboard;
mod editor;
mod environment;
