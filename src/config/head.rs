//! A config without its projects, which are nearly all of a long one.
//!
//! This file must not know TOML: it goes by how lines begin. Whoever is to tell what is wrong with a
//! config has to read the whole.

/// `text` without its tables of projects, where these are written as `[[projects]]`.
pub(super) fn without_projects(text: &str) -> String {
    let mut is_left_out = false;
    let lines = text.split_inclusive('\n').filter(|line| {
        if let Some(header) = line.trim_start().strip_prefix('[') {
            is_left_out = is_of_projects(header);
        }
        !is_left_out
    });
    lines.collect()
}

/// Whether a header without its first bracket is that of a project, or of a table in one.
fn is_of_projects(header: &str) -> bool {
    let name = header.trim_start_matches(['[', ' ', '\t']);
    let rest = name.strip_prefix("projects");
    rest.is_some_and(|rest| rest.starts_with([']', '.', ' ', '\t']))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    #[test]
    fn projects_are_left_out() {
        for (text, want) in [
            ("", ""),
            ("base_url = 1", "base_url = 1"),
            (
                "a = 1\n[[projects]]\nid = 1\njobs = [\n  \"x\",\n]\n[store]\nb = 1\n",
                "a = 1\n[store]\nb = 1\n",
            ),
            (
                "[[projects]]\n[projects.key]\nx = 1\n[[projects.jobs]]\ny = 1\n  [store]\r\nb = 1",
                "  [store]\r\nb = 1",
            ),
            ("[[ projects ]]\nid = 1\n[poll]\n[[projects]]", "[poll]\n"),
            ("[projects_too]\na = 1\n", "[projects_too]\na = 1\n"),
        ] {
            assert_eq!(without_projects(text), want);
        }
    }

    #[test]
    fn all_other_settings_are_those_of_the_whole() {
        let text = "base_url = \"http://127.0.0.1:1\"\n[ui]\nmouse = true\n[[projects]]\nid = \"p\"\n\
                    jobs = [\n  \"a\", # [x]\n]\n[[github.hosts]]\nhost = \"a.b\"\napi = \"https://a.b\"\n[store]\npath = \"/x\"\n";
        let path = Path::new("config.toml");
        let whole = Config::parse(text, path);
        let head = Config::parse(&without_projects(text), path).unwrap();
        let whole = Config {
            projects: Vec::new(),
            ..whole.unwrap()
        };
        assert_eq!(head, whole);
    }
}
