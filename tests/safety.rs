//! Holds `docs/safety.md` to the tests that it names.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::Path;

fn sources(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_rule_names_tests_that_exist() {
    let mut all = String::new();
    sources(Path::new("src"), &mut all);
    sources(Path::new("tests"), &mut all);
    let page = fs::read_to_string("docs/safety.md").unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ")).collect();
    let heads = ["| rule", "| fault", "| ---"];
    let rules = rows
        .into_iter()
        .filter(|row| !heads.iter().any(|head| row.starts_with(head)));
    let rules: Vec<&str> = rules.collect();
    let is_numbered = |row: &&&str| row[2..].starts_with(|c: char| c.is_ascii_digit());
    let numbered = rules.iter().filter(is_numbered).count();
    assert_eq!(numbered, 10, "one row for each rule, and one for GitHub");
    for rule in rules {
        let tests = rule.split('|').nth(2).unwrap();
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{rule}");
        for name in names {
            assert!(all.contains(&format!("fn {name}(")), "{name} is no test");
        }
    }
}
