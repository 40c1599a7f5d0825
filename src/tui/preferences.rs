//! What the config says of the dashboard, checked against the tables of keys, columns and views.
//!
//! This file must not know where any of it is drawn.

use super::keys::Keymap;
use super::listing::Sort;
use crate::config::{Config, ConfigError, LocatedList, Written, nearest};
use crate::view::columns::{COLUMNS, JOB};
use crate::view::views::VIEWS;

/// How a person wants the dashboard.
#[derive(Clone, Debug)]
pub struct Preferences {
    /// The keys.
    pub keys: Keymap,
    /// The columns from left to right, by their places in the table of columns.
    pub columns: Vec<usize>,
    /// How the rows are sorted at first.
    pub sort: Sort,
    /// The view at first, by its place in the table of views.
    pub view: usize,
    /// Whether the terminal's title tells the counts.
    pub title: bool,
}

impl Preferences {
    /// What `config` says, or what in it names something that there is not.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let ui = &config.ui;
        Ok(Self {
            columns: columns(&ui.columns)?,
            sort: sort(&ui.sort)?,
            view: place_of(&ui.view, &ui.view.text, "view", VIEWS.map(|view| view.name))?,
            title: ui.title,
            keys: Keymap::new(&config.keys)?,
        })
    }
}

fn columns(list: &LocatedList) -> Result<Vec<usize>, ConfigError> {
    let mut columns = Vec::new();
    for written in &list.names {
        let at = column(written, &written.text)?;
        if columns.contains(&at) {
            let why = format!("the column `{}` is there twice", written.text);
            return Err(written.place.fault(&why));
        }
        columns.push(at);
    }
    if columns.contains(&JOB) {
        return Ok(columns);
    }
    Err(list
        .place
        .fault("the column `job` is missing: a table without it says nothing"))
}

fn sort(written: &Written) -> Result<Sort, ConfigError> {
    let turned = written.text.strip_prefix('-');
    Ok(Sort {
        column: column(written, turned.unwrap_or(&written.text))?,
        reversed: turned.is_some(),
    })
}

fn column(written: &Written, name: &str) -> Result<usize, ConfigError> {
    place_of(
        written,
        name,
        "column",
        COLUMNS.each_ref().map(|column| column.name),
    )
}

/// Where `name` is among `known`.
fn place_of<const N: usize>(
    written: &Written,
    name: &str,
    what: &str,
    known: [&str; N],
) -> Result<usize, ConfigError> {
    known
        .iter()
        .position(|known| *known == name)
        .ok_or_else(|| {
            let said = match nearest(name, known) {
                Some(near) => format!("unknown {what} `{name}`: did you mean `{near}`?"),
                None => format!(
                    "unknown {what} `{name}`: there are `{}`",
                    known.join("`, `")
                ),
            };
            written.place.fault(&said)
        })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::Path;

    use super::*;
    use crate::view::columns::STATUS;

    fn preferences(text: &str) -> Result<Preferences, ConfigError> {
        Preferences::new(&Config::parse(text, Path::new("/home/a/config.toml")).unwrap())
    }

    #[test]
    fn the_defaults_are_all_columns_in_order_and_all_jobs_by_status() {
        let preferences = preferences("").unwrap();
        let all: Vec<usize> = (0..COLUMNS.len()).collect();
        assert_eq!(preferences.columns, all);
        assert_eq!(preferences.sort, Sort::default());
        assert_eq!((preferences.view, preferences.title), (0, true));
    }

    #[test]
    fn values_table() {
        let text = "[ui]\ncolumns = ['pr', 'job', 'status']\nsort = '-age'\nview = 'needs-you'";
        let chosen = preferences(text).unwrap();
        assert_eq!(chosen.columns, [4, JOB, STATUS]);
        assert_eq!((chosen.sort.column, chosen.sort.reversed), (6, true));
        assert_eq!(chosen.view, 1);
        for (at, view) in VIEWS.iter().enumerate() {
            let text = format!("ui.view = '{}'", view.name);
            assert_eq!(preferences(&text).unwrap().view, at);
        }
        for (at, column) in COLUMNS.iter().enumerate() {
            let text = format!("ui.sort = '{}'", column.name);
            assert_eq!(preferences(&text).unwrap().sort.column, at);
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
