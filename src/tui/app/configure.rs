//! What the config says of the screen: taken at the start, and again whenever it changes.
//!
//! In a run the user may have chosen another view, order or columns than the config names. A change
//! of the config takes effect only in the settings that it changes.

use jiff::Timestamp;

use super::super::keys::{Action, Keymap};
use super::super::notice::Reloaded;
use super::{App, Effect};
use crate::board::Board;
use crate::config::{Config, ConfigError};
use crate::view::columns::ColumnId;
use crate::view::order::Sort;
use crate::view::theme::Role;
use crate::view::views::ViewId;

/// Why the config, as the file is now, is not in use.
#[derive(Debug)]
pub struct ConfigProblem {
    pub since: Timestamp,
    pub error: ConfigError,
}

/// What the config says of the screen, checked.
#[derive(Debug)]
pub struct ScreenSettings {
    view: ViewId,
    sort: Sort,
    columns: Vec<ColumnId>,
    keys: Keymap,
}

impl ScreenSettings {
    /// Fails where the config names a key, action, column or view that does not exist.
    pub fn from_config(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self {
            columns: ColumnId::all_from_config(&config.ui)?,
            sort: Sort::from_config(&config.ui)?,
            view: ViewId::from_config(&config.ui)?,
            keys: Keymap::new(&config.keys)?,
        })
    }
}

impl App {
    /// Takes what `config` says of the screen, before anything is shown.
    pub fn start_with(&mut self, config: &Config) -> Result<(), ConfigError> {
        let settings = ScreenSettings::from_config(config)?;
        self.listing.start_with(settings.view, settings.sort);
        self.listing.set_columns(settings.columns);
        self.keys = settings.keys;
        self.ui = config.ui.clone();
        Ok(())
    }

    /// Takes a changed config.
    pub(super) fn on_reloaded(
        &mut self,
        reloaded: Reloaded,
        board: &Board,
        now: Timestamp,
    ) -> Effect {
        let had_mouse = self.ui.mouse;
        if let Err(error) = self.configure(&reloaded.config, board) {
            self.on_config_error(error, now);
            return Effect::None;
        }
        self.theme = reloaded.theme;
        self.projects = reloaded.projects;
        self.config_problem = None;
        if let Some(text) = reloaded.text {
            self.show_report(text, Role::Good, now);
        }
        // Texts are as wide as the glyphs of the theme.
        self.measurer.forget();
        self.measured = None;
        self.after_input(board, now);
        match self.ui.mouse {
            mouse if mouse == had_mouse => Effect::None,
            mouse => Effect::TakeMouse(mouse),
        }
    }

    /// Takes the settings that differ from those in use, all or none of them.
    fn configure(&mut self, config: &Config, board: &Board) -> Result<(), ConfigError> {
        let settings = ScreenSettings::from_config(config)?;
        let ui = &config.ui;
        self.keys = settings.keys;
        if ui.columns != self.ui.columns {
            self.listing.set_columns(settings.columns);
        }
        if ui.sort != self.ui.sort {
            self.listing.set_sort(settings.sort, board);
        }
        if ui.view != self.ui.view {
            self.listing.set_view(settings.view, board);
        }
        self.ui = ui.clone();
        Ok(())
    }

    /// The file says what a config may not say: the last good one stays in use.
    pub(super) fn on_config_error(&mut self, error: ConfigError, now: Timestamp) {
        let whole = error.to_string();
        let first = whole.lines().next().unwrap_or_default();
        let more = self.keys.hint(Action::Errors, "shows it");
        let text = format!("{first}; the last good config stays, {more}");
        self.show_report(text, Role::Bad, now);
        self.config_problem = Some(ConfigProblem { since: now, error });
    }

    /// What is wrong with the config now, until it is good again.
    pub fn config_problem(&self) -> Option<&ConfigProblem> {
        self.config_problem.as_ref()
    }
}
