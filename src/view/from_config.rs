//! What `[ui]` names, looked up in the tables of columns and views.
//!
//! This file must not know where any of it is drawn.

use super::columns::ColumnId;
use super::order::Sort;
use super::views::ViewId;
use crate::config::{ConfigError, Located, UiConfig};

impl ColumnId {
    /// The columns of `[ui]`: each once, and none missing that a table has to have.
    pub fn all_from_config(ui: &UiConfig) -> Result<Vec<Self>, ConfigError> {
        let Some(list) = &ui.columns else {
            return Ok(Self::all().collect());
        };
        let mut columns = Vec::new();
        for name in &list.value {
            let id = Self::from_config(name, &name.value)?;
            if columns.contains(&id) {
                let why = format!("the column `{}` is listed twice", name.value);
                return Err(name.location.error(&why));
            }
            columns.push(id);
        }
        let mut required = Self::all().filter(|id| id.column().is_required());
        match required.find(|id| !columns.contains(id)) {
            Some(missing) => Err(list.location.error(&format!(
                "the column `{}` is missing: a table without it says nothing",
                missing.column().name
            ))),
            None => Ok(columns),
        }
    }

    /// `name` is what `written` says, without the sign of an order.
    fn from_config(written: &Located<String>, name: &str) -> Result<Self, ConfigError> {
        let names = || Self::all().map(|id| id.column().name);
        Self::named(name).ok_or_else(|| written.unknown("column", name, names()))
    }
}

impl Sort {
    /// The order of `[ui]`; a minus before the column reverses it.
    pub fn from_config(ui: &UiConfig) -> Result<Self, ConfigError> {
        let reversed = ui.sort.value.strip_prefix('-');
        let name = reversed.unwrap_or(&ui.sort.value);
        Ok(Self {
            column: ColumnId::from_config(&ui.sort, name)?,
            reversed: reversed.is_some(),
        })
    }
}

impl ViewId {
    pub fn from_config(ui: &UiConfig) -> Result<Self, ConfigError> {
        let (view, names) = (&ui.view, || Self::all().map(|id| id.view().name));
        Self::named(&view.value).ok_or_else(|| view.unknown("view", &view.value, names()))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::Path;

    use super::*;
    use crate::config::{Config, EXAMPLE};

    fn ui(text: &str) -> UiConfig {
        let config = Config::parse(text, Path::new("/home/a/config.toml"));
        config.unwrap().ui
    }

    fn sort_of(text: &str) -> Sort {
        Sort::from_config(&ui(text)).unwrap()
    }

    #[test]
    fn the_defaults_are_all_columns_in_order_and_all_jobs_by_status() {
        // The example has to name what the empty config means.
        for text in ["", EXAMPLE] {
            let all: Vec<ColumnId> = ColumnId::all().collect();
            assert_eq!(ColumnId::all_from_config(&ui(text)), Ok(all));
            assert_eq!(sort_of(text), Sort::default());
            assert_eq!(sort_of(text).column.column().name, "status");
            assert_eq!(ViewId::from_config(&ui(text)), Ok(ViewId::EVERYTHING));
        }
    }

    #[test]
    fn values_table() {
        let chosen = ui("[ui]\ncolumns = ['pr', 'job', 'status']\nsort = '-age'");
        let columns = ColumnId::all_from_config(&chosen).unwrap().into_iter();
        let names: Vec<_> = columns.map(|id| id.column().name).collect();
        assert_eq!(names, ["pr", "job", "status"]);
        let sort = Sort::from_config(&chosen).unwrap();
        assert_eq!((sort.column.column().name, sort.reversed), ("age", true));
        for id in ViewId::all() {
            let text = format!("ui.view = '{}'", id.view().name);
            assert_eq!(ViewId::from_config(&ui(&text)), Ok(id));
        }
        for id in ColumnId::all() {
            let text = format!("ui.sort = '{}'", id.column().name);
            assert_eq!(sort_of(&text).column, id);
        }
    }

    fn check(ui: &UiConfig) -> Result<(), ConfigError> {
        ColumnId::all_from_config(ui)?;
        Sort::from_config(ui)?;
        ViewId::from_config(ui).map(drop)
    }

    /// Each error that these settings can have, as it is printed.
    #[test]
    fn every_error_in_words() {
        let mut shown = String::new();
        for text in [
            "[ui]\ncolumns = [\"job\", \"stauts\"]",
            "[ui]\ncolumns = [\"job\", \"money\"]",
            "[ui]\ncolumns = [\"job\", \"pr\", \"job\"]",
            "[ui]\ncolumns = [\"status\", \"pr\"]",
            "[ui]\ncolumns = []",
            "[ui]\nsort = \"-agee\"",
            "[ui]\nsort = \"\"",
            "[ui]\nview = \"need-you\"",
            "[ui]\nview = \"mine\"",
        ] {
            let error = check(&ui(text)).expect_err(text);
            let _ = writeln!(shown, "{error}\n");
        }
        insta::assert_snapshot!(shown);
    }
}
