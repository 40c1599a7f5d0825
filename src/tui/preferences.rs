//! The `[ui]` and `[keys]` sections of the config, checked against the tables of keys, columns and
//! views.
//!
//! This file must not know where any of it is drawn.

use super::keys::Keymap;
use crate::config::{Config, ConfigError, LocatedList, Written, nearest};
use crate::view::columns::ColumnId;
use crate::view::order::Sort;
use crate::view::views::ViewId;

/// How a person wants the dashboard.
#[derive(Clone, Debug)]
pub struct Preferences {
    pub keys: Keymap,
    /// From left to right.
    pub columns: Vec<ColumnId>,
    /// How the rows are sorted at the start.
    pub sort: Sort,
    /// The view at the start.
    pub view: ViewId,
    /// Whether the terminal's title shows the counts.
    pub title: bool,
}

impl Preferences {
    /// Fails where `config` names a key, action, column or view that does not exist.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let ui = &config.ui;
        let all = || Ok(ColumnId::all().collect());
        Ok(Self {
            columns: ui.columns.as_ref().map_or_else(all, columns)?,
            sort: sort(&ui.sort)?,
            view: view(&ui.view)?,
            title: ui.title,
            keys: Keymap::new(&config.keys)?,
        })
    }
}

fn columns(list: &LocatedList) -> Result<Vec<ColumnId>, ConfigError> {
    let mut columns = Vec::new();
    for written in &list.names {
        let id = column(written, &written.text)?;
        if columns.contains(&id) {
            let why = format!("the column `{}` is listed twice", written.text);
            return Err(written.place.fault(&why));
        }
        columns.push(id);
    }
    let mut required = ColumnId::all().filter(|id| id.column().is_required());
    match required.find(|id| !columns.contains(id)) {
        Some(missing) => Err(list.place.fault(&format!(
            "the column `{}` is missing: a table without it says nothing",
            missing.column().name
        ))),
        None => Ok(columns),
    }
}

fn sort(written: &Written) -> Result<Sort, ConfigError> {
    let reversed = written.text.strip_prefix('-');
    Ok(Sort {
        column: column(written, reversed.unwrap_or(&written.text))?,
        reversed: reversed.is_some(),
    })
}

fn column(written: &Written, name: &str) -> Result<ColumnId, ConfigError> {
    let names = || ColumnId::all().map(|id| id.column().name);
    ColumnId::named(name).ok_or_else(|| unknown(written, name, "column", names()))
}

fn view(written: &Written) -> Result<ViewId, ConfigError> {
    let names = || ViewId::all().map(|id| id.view().name);
    let name = &written.text;
    ViewId::named(name).ok_or_else(|| unknown(written, name, "view", names()))
}

fn unknown(
    written: &Written,
    name: &str,
    what: &str,
    known: impl Iterator<Item = &'static str> + Clone,
) -> ConfigError {
    let suggestion = match nearest(name, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "expected one of `{}`",
            known.collect::<Vec<_>>().join("`, `")
        ),
    };
    written
        .place
        .fault(&format!("unknown {what} `{name}`: {suggestion}"))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::Path;

    use super::*;
    use crate::config::EXAMPLE;

    fn preferences(text: &str) -> Result<Preferences, ConfigError> {
        Preferences::new(&Config::parse(text, Path::new("/home/a/config.toml")).unwrap())
    }

    fn column_names(preferences: &Preferences) -> Vec<&'static str> {
        let columns = preferences.columns.iter();
        columns.map(|id| id.column().name).collect()
    }

    #[test]
    fn the_defaults_are_all_columns_in_order_and_all_jobs_by_status() {
        // The example has to name what the empty config means.
        for text in ["", EXAMPLE] {
            let preferences = preferences(text).unwrap();
            let all: Vec<ColumnId> = ColumnId::all().collect();
            assert_eq!(preferences.columns, all);
            assert_eq!(preferences.sort, Sort::default());
            assert_eq!(preferences.sort.column.column().name, "status");
            assert_eq!(preferences.view, ViewId::EVERYTHING);
            assert!(preferences.title);
        }
    }

    #[test]
    fn values_table() {
        let text = "[ui]\ncolumns = ['pr', 'job', 'status']\nsort = '-age'\nview = 'needs-you'";
        let chosen = preferences(text).unwrap();
        assert_eq!(column_names(&chosen), ["pr", "job", "status"]);
        let sorted_by = chosen.sort.column.column().name;
        assert_eq!((sorted_by, chosen.sort.reversed), ("age", true));
        assert_eq!(chosen.view.view().name, "needs-you");
        for id in ViewId::all() {
            let text = format!("ui.view = '{}'", id.view().name);
            assert_eq!(preferences(&text).unwrap().view, id);
        }
        for id in ColumnId::all() {
            let text = format!("ui.sort = '{}'", id.column().name);
            assert_eq!(preferences(&text).unwrap().sort.column, id);
        }
    }

    /// Each fault that these settings can have, as it is printed.
    #[test]
    fn every_fault_in_words() {
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
            let error = preferences(text).expect_err(text);
            let _ = writeln!(shown, "{error}\n");
        }
        insta::assert_snapshot!(shown);
    }
}
