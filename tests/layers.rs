//! Holds the layers: a file imports only from layers above it, or from earlier files of its own.
//!
//! The table is the one in the crate's documentation.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};

/// The files of the table, in order.
fn order() -> Vec<String> {
    let page = fs::read_to_string("src/lib.rs").unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("//! | "));
    let files = rows.filter_map(|row| row.split('|').nth(1)).map(str::trim);
    let quoted = files.filter(|files| files.starts_with('`'));
    quoted
        .flat_map(|files| files.split(' '))
        .map(|file| file.trim_matches('`').into())
        .collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The module at the top of the crate that a file belongs to.
fn module(path: &Path) -> String {
    let inside = path
        .strip_prefix("src")
        .unwrap()
        .components()
        .next()
        .unwrap();
    inside
        .as_os_str()
        .to_str()
        .unwrap()
        .trim_end_matches(".rs")
        .to_owned()
}

#[test]
fn every_file_is_in_the_table_and_imports_only_from_above() {
    let order = order();
    assert!(
        order.len() > 8,
        "the table in src/lib.rs was not found: {order:?}"
    );
    let place = |name: &str| order.iter().position(|known| known == name);
    let mut files = Vec::new();
    rust_files(Path::new("src"), &mut files);
    for file in files.iter().filter(|file| !file.ends_with("lib.rs")) {
        let own = module(file);
        let own_place = place(&own).unwrap_or_else(|| panic!("{own} is not in the table"));
        let source = fs::read_to_string(file).unwrap();
        for (number, line) in source.lines().enumerate() {
            for used in line.split("crate::").skip(1) {
                let name: String = used
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                    .collect();
                let Some(used_place) = place(&name) else {
                    continue;
                };
                let at = format!("{}:{}", file.display(), number + 1);
                assert!(used_place <= own_place, "{at}: {own} may not import {name}");
            }
        }
    }
}

#[test]
fn every_file_says_what_it_owns() {
    let mut files = Vec::new();
    rust_files(Path::new("src"), &mut files);
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        assert!(
            source.starts_with("//! "),
            "{} has no //! at its top",
            file.display()
        );
    }
}

#[test]
fn files_stay_small_before_their_tests() {
    let mut files = Vec::new();
    rust_files(Path::new("src"), &mut files);
    for file in files.iter().filter(|file| !file.ends_with("tests.rs")) {
        let source = fs::read_to_string(file).unwrap();
        let shipped = source.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = shipped.lines().count();
        assert!(
            lines < 500,
            "{} has {lines} lines before its tests",
            file.display()
        );
    }
}

/// The verbs print; what draws on a screen is the dashboard's own. The manual explains its keys.
#[test]
fn of_the_commands_only_the_dashboard_and_its_manual_know_the_tui() {
    let knows_it = |file: &&PathBuf| {
        file.ends_with("cli/dashboard.rs") || file.ends_with("cli/man/sections.rs")
    };
    let mut files = Vec::new();
    rust_files(Path::new("src/cli"), &mut files);
    rust_files(Path::new("src/session"), &mut files);
    files.push(PathBuf::from("src/session.rs"));
    for file in files.iter().filter(|file| !knows_it(file)) {
        let source = fs::read_to_string(file).unwrap();
        let shipped = source.split("#[cfg(test)]").next().unwrap_or_default();
        assert!(
            !shipped.contains("crate::tui"),
            "{} uses the tui",
            file.display()
        );
    }
}

#[test]
fn the_view_layer_knows_styles_but_not_widgets() {
    let mut files = vec![PathBuf::from("src/view.rs")];
    rust_files(Path::new("src/view"), &mut files);
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        for used in source.split("ratatui::").skip(1) {
            assert!(used.starts_with("style"), "{}", file.display());
        }
    }
}
