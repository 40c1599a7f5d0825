//! Completion as shells ask for it: the protocol that the scripts speak, and the scripts themselves in
//! the shells that are installed.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::command::{Home, binary};

const CONFIG: &str = r#"
[[projects]]
id = "p1"
name = "docs"
jobs = [{ id = "job_1", label = "SDK quickstart" }, "job_2", "job_3"]
[[projects]]
id = "p2"
name = "API docs"
jobs = ["job_3", { id = "odd", label = "Don't \"panic\" now" }]
"#;

const STATUSES: [&str; 5] = ["active", "completed", "failed", "archived", "unknown"];
const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

fn home() -> Home {
    let home = Home::new();
    home.write_config(CONFIG);
    home
}

fn lines(output: &std::process::Output) -> Vec<String> {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.is_empty(), "{errors}");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(String::from).collect()
}

/// What the program answers to the script of `shell` for `words`, without the descriptions.
fn answers(home: &Home, shell: &str, words: &[&str]) -> Vec<String> {
    let output = home
        .command()
        .env("MINTWATCH_COMPLETE", shell)
        .env("_CLAP_IFS", "\n")
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .args(["--", "mintwatch"])
        .args(words)
        .output()
        .unwrap();
    let value = |line: String| line.split(['\t', ':']).next().unwrap().to_owned();
    lines(&output).into_iter().map(value).collect()
}

#[test]
fn names_flags_and_verbs_complete_in_each_protocol() {
    let home = home();
    for shell in SHELLS {
        for (words, want) in [
            (&["wai"][..], &["wait"][..]),
            (&["wait", "job_"], &["job_1", "job_2"]),
            (&["wait", "job_1", "SDK"], &["SDK quickstart"]),
            (&["open", "SDK\\ q"], &["SDK quickstart"]),
            (&["open", "\"SDK q"], &["SDK quickstart"]),
            (
                &["rm", "docs/"],
                &["docs/job_3", "docs/job_1", "docs/job_2"],
            ),
            (&["wait", "docs/job_2"], &["docs/job_2"]),
            (&["ack", "job_1", "SDK"], &["SDK quickstart"]),
            (&["history", "--since", "7d", "SDK"], &["SDK quickstart"]),
            (&["wait", "p2/o"], &["p2/odd"]),
            (&["open", "API\\ docs/o"], &["API docs/odd"]),
            (&["send", "o"], &["odd"]),
            (&["open", "job_1", "job_"], &[]),
            (&["add", "API"], &["API docs"]),
            (&["add", "docs", "job_"], &[]),
            (&["new", "d"], &["docs"]),
            (&["list", "--project", "d"], &["docs"]),
            (&["list", "--project=d"], &["--project=docs"]),
            (&["list", "--status", "a"], &["active", "archived"]),
            (&["list", "--status", "u"], &["unknown"]),
            (&["list", "--needs"], &["--needs-you"]),
            (&["--color", "al"], &["always"]),
            (&["completions", "fi"], &["fish"]),
            (&["watch", "job_"], &[]),
            (&["--demo", "wait", "job_"], &[]),
            (&["--config", "/nowhere.toml", "wait", "job_"], &[]),
        ] {
            let found = answers(&home, shell, words);
            assert_eq!(found, want, "{shell} {words:?}");
        }
    }
}

#[test]
fn flags_do_not_crowd_out_names() {
    let home = home();
    for shell in SHELLS {
        let verbs = answers(&home, shell, &[""]);
        assert!(verbs.contains(&String::from("doctor")), "{verbs:?}");
        let jobs = answers(&home, shell, &["wait", ""]);
        assert!(jobs.contains(&String::from("job_1")), "{jobs:?}");
        for found in [verbs, jobs] {
            assert!(!found.iter().any(|name| name.starts_with('-')), "{found:?}");
        }
        let flags = answers(&home, shell, &["watch", ""]);
        assert!(flags.contains(&String::from("--json")), "{flags:?}");
    }
}

#[test]
fn names_are_those_of_the_config_that_the_line_names() {
    let home = home();
    let folder = home.path().join("my configs");
    fs::create_dir(&folder).unwrap();
    let text = "[[projects]]\nid = \"p9\"\njobs = [\"job_9\"]\n";
    fs::write(folder.join("work.toml"), text).unwrap();
    let path = folder.join("work.toml");
    let quoted = format!("'{}'", path.display());
    let joined = format!("--config={}", path.display());
    for words in [
        &["--config", &*quoted, "wait", "job_"][..],
        &["wait", "--config", "~/my\\ configs/work.toml", "job_"],
        &[&*joined, "wait", "job_"],
    ] {
        assert_eq!(answers(&home, "bash", words), ["job_9"], "{words:?}");
    }
}

#[test]
fn a_question_that_makes_no_sense_is_answered_by_silence() {
    let home = home();
    home.write_config("this is no TOML");
    assert!(answers(&home, "bash", &["wait", "job_"]).is_empty());
    assert!(answers(&home, "tcsh", &["wait", "job_"]).is_empty());
}

#[test]
fn nothing_completes_unless_a_script_asks() {
    let home = home();
    let mut command = home.command();
    let output = command.env("COMPLETE", "bash").arg("--version").output();
    assert!(lines(&output.unwrap())[0].starts_with("mintwatch "));
}

/// The lines that `script` prints in `shell`, which finds the binary; `None` where there is no such
/// shell.
fn run_in(home: &Home, shell: &[&str], script: &str) -> Option<Vec<String>> {
    let folder = Path::new(binary()).parent().unwrap().to_str().unwrap();
    let path = std::env::var("PATH").unwrap();
    let output = Command::new(shell[0])
        .args(&shell[1..])
        .args(["-c", script])
        .env_clear()
        .envs(home.environment())
        .env("PATH", format!("{folder}:{path}"))
        .current_dir(home.path())
        .output();
    match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        output => Some(lines(&output.unwrap())),
    }
}

#[test]
fn the_script_works_in_bash() {
    let home = home();
    let setup = "source <(mintwatch completions bash)
        complete -p mintwatch | grep -o -- '-F [^ ]*'";
    let ask = |typed: &str, words: &str| {
        let script = format!(
            "{setup}\nCOMP_WORDS=(mintwatch {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
            _mintwatch mintwatch {typed} ''; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        run_in(&home, &["bash", "--norc"], &script)
    };
    // What bash hands over: `$2` without the opening quote, and the words as it splits them.
    for (typed, words, want) in [
        ("wai", "wai", &["wait"][..]),
        ("job_", "wait job_", &["job_1", "job_2"]),
        ("SDK", "open SDK", &["SDK\\ quickstart"]),
        (r"'SDK\ q'", r"open 'SDK\ q'", &["SDK\\ quickstart"]),
        ("'SDK q'", r#"open '"SDK q'"#, &["SDK quickstart"]),
        ("Do", "open Do", &[r#"Don\'t\ \"panic\"\ now"#]),
        ("\"Don't\"", r#"open "\"Don't""#, &["Don't \"panic\" now"]),
        ("d", "list --project = d", &["docs"]),
        ("''", "list --project docs --status =", &STATUSES),
        ("ac", "list --status = ac", &["active"]),
        ("'~/con'", "--config '~/con'", &["~/config/"]),
    ] {
        let Some(found) = ask(typed, words) else {
            return;
        };
        assert_eq!(found[0], "-F _mintwatch");
        assert_eq!(found[1..], *want, "{words}");
    }
}

#[test]
fn the_script_works_in_zsh() {
    let home = home();
    // The line editor is what `compdef` and `_describe` need.
    let script = r#"compdef() { }; _describe() { print -l -- "${(@P)3}" }
        source <(mintwatch completions zsh)
        words=(mintwatch open 'SDK\ q'); CURRENT=3; _mintwatch
        words=(mintwatch wait ''); CURRENT=3; _mintwatch"#;
    if let Some(found) = run_in(&home, &["zsh", "-f"], script) {
        assert_eq!(found[..2], ["SDK quickstart", "job_1"], "{found:?}");
    }
}

#[test]
fn the_script_works_in_fish() {
    let home = home();
    let script = r#"mintwatch completions fish | source
        complete -C "mintwatch open SDK"; complete -C "mintwatch open SDK\\ q"
        complete -C "mintwatch wait job_"; complete -C "mintwatch list --project d""#;
    if let Some(found) = run_in(&home, &["fish", "--no-config"], script) {
        let want = ["SDK quickstart", "SDK quickstart", "job_1", "job_2", "docs"];
        assert_eq!(found, want);
    }
}
