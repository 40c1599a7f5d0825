//! The sections of the manual page that the command line's definition does not give: keys, files and
//! environment variables.

use std::io::{self, Write};

use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use crate::tui::keys::{BINDINGS, Binding};

const KEYS: &str = "Of the dashboard. In parentheses stands what [keys] of the config calls an \
                    action, to give it other keys; ? in the dashboard shows those in use.";

const FILES: &[(&str, &str)] = &[
    (
        "~/.config/mintwatch/config.toml",
        "The config; on macOS in ~/Library/Application Support/mintwatch. --config, \
         MINTWATCH_CONFIG and XDG_CONFIG_HOME name another one. mintwatch config path prints which \
         it is, mintwatch init writes one that explains every setting.",
    ),
    (
        ".config.toml.lock",
        "Beside the config, empty: held while mintwatch changes the config.",
    ),
    (
        "~/.local/state/mintwatch/store.db",
        "What the dashboard remembers between runs, and the new jobs and follow-ups of the last hour, \
         to count them, unless [store] names another file; on macOS in \
         ~/Library/Application Support/mintwatch.",
    ),
];

const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "MINTLIFY_API_KEY",
        "The API key, unless [key] of the config names another source.",
    ),
    (
        "GH_TOKEN, GITHUB_TOKEN",
        "The token for github.com, unless [github] of the config names another source: for doctor, which \
         reads the state of a pull request.",
    ),
    (
        "MINTWATCH_CONFIG",
        "The config file, where --config is not given.",
    ),
    (
        "XDG_CONFIG_HOME",
        "The folder of mintwatch/config.toml, where neither of these is given.",
    ),
    (
        "XDG_STATE_HOME",
        "The folder of mintwatch/store.db, in place of ~/.local/state; not on macOS.",
    ),
    (
        "HOME",
        "The home folder: ~ in the paths above and in those of the config.",
    ),
    (
        "PATH",
        "Where key commands, browsers and editors are looked for.",
    ),
    (
        "VISUAL, EDITOR",
        "The editor of prompts: of new, of send, and of Ctrl-E in the dashboard; the first that is set.",
    ),
    (
        "TMPDIR",
        "The folder of the prompt while it is edited; else /tmp.",
    ),
    (
        "BROWSER",
        "Commands that open a link, between colons, tried in turn; %s is the link.",
    ),
    (
        "DISPLAY, WAYLAND_DISPLAY, WSL_DISTRO_NAME",
        "Where one is set there is a desktop, on which a browser can be opened. macOS needs none.",
    ),
    (
        "SSH_CONNECTION, SSH_CLIENT, SSH_TTY",
        "Where one is set the desktop is elsewhere: without a BROWSER, links are copied or printed.",
    ),
    ("TMUX", "Where it is set, tmux is given what is copied."),
    (
        "NO_COLOR",
        "Where it is not empty there are no colours, unless --color always is given.",
    ),
    (
        "TERM",
        "The terminal; the dashboard needs one that is neither unset nor dumb.",
    ),
    (
        "LC_ALL, LC_CTYPE, LANG",
        "The first that is set is the locale: only ASCII is printed unless it is a UTF-8 one.",
    ),
    ("TZ", "The time zone of the times that are shown."),
    (
        "HTTPS_PROXY, NO_PROXY",
        "The proxy for https, and the hosts that are reached without it.",
    ),
    (
        "SSL_CERT_FILE",
        "On Linux, the certificates to trust in place of the system's.",
    ),
];

/// `KEYS`, `FILES` and `ENVIRONMENT`.
pub(super) fn print(out: &mut dyn Write) -> io::Result<()> {
    let mut page = Roff::new();
    page.control("SH", ["KEYS"]).text([roman(KEYS)]);
    for binding in BINDINGS {
        entry(&mut page, &keys(binding), help(binding));
    }
    for (title, entries) in [("FILES", FILES), ("ENVIRONMENT", ENVIRONMENT)] {
        page.control("SH", [title]);
        for (name, text) in entries {
            entry(&mut page, name, vec![roman(*text)]);
        }
    }
    page.to_writer(out)
}

fn entry(page: &mut Roff, name: &str, text: Vec<Inline>) {
    page.control("TP", []).text([bold(name)]).text(text);
}

fn keys(binding: &Binding) -> String {
    let chords = binding.default_chords();
    let names: Vec<String> = chords.iter().map(ToString::to_string).collect();
    names.join(", ")
}

fn help(binding: &Binding) -> Vec<Inline> {
    let help = format!("{} (", binding.help);
    vec![roman(help), italic(binding.name), roman(")")]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn page() -> String {
        let mut page = Vec::new();
        print(&mut page).unwrap();
        String::from_utf8(page).unwrap().replace("\\-", "-")
    }

    #[test]
    fn every_key_is_explained() {
        let page = page();
        for binding in BINDINGS {
            for chord in binding.default_chords() {
                assert!(page.contains(&chord.to_string()), "{chord}");
            }
            assert!(page.contains(binding.name), "{}", binding.name);
        }
    }

    /// The variables that the sources name as a constant; libraries read the others.
    #[test]
    fn every_variable_that_is_read_is_in_the_table() {
        let sources = [
            include_str!("../../config/file.rs"),
            include_str!("../../config/github.rs"),
            include_str!("../../config/settings.rs"),
            include_str!("../../desktop/browser.rs"),
            include_str!("../../desktop/clipboard.rs"),
            include_str!("../../desktop/editor.rs"),
            include_str!("../../environment.rs"),
            include_str!("../doctor.rs"),
            include_str!("../output.rs"),
        ];
        let shipped = sources.map(|source| source.split("#[cfg(test)]").next().unwrap_or_default());
        let words = shipped
            .iter()
            .flat_map(|source| source.split('"').skip(1).step_by(2));
        let is_name = |word: &&str| {
            word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        };
        let read: BTreeSet<&str> = words.filter(is_name).collect();
        let told: BTreeSet<&str> = ENVIRONMENT
            .iter()
            .flat_map(|(names, _)| names.split(", "))
            .collect();
        assert!(read.len() > 15, "{read:?}");
        assert!(read.is_subset(&told), "{:?}", read.difference(&told));
        let of_libraries: Vec<&str> = told.difference(&read).copied().collect();
        let want = [
            "HOME",
            "HTTPS_PROXY",
            "NO_PROXY",
            "SSL_CERT_FILE",
            "TMPDIR",
            "TZ",
            "XDG_STATE_HOME",
        ];
        assert_eq!(of_libraries, want);
    }
}
