//! Opening and copying with real programs: fake browsers and a fake tmux that record what they got.
//!
//! It must not know the modules inside `link`, nor start a real browser.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use mintwatch::desktop::{BrowserError, Opened, Opener, copy};
use mintwatch::environment::Environment;
use mintwatch::link::Link;
use tempfile::TempDir;

const LINK: &str = "https://github.com/acme/docs/pull/412";
/// Stands for an API key; no program that we start may ever see it.
const CANARY: &str = "canary-7f3a";
/// Records its arguments, its environment and what it is to the terminal beside itself. The last
/// file appears whole, so that its presence says that all are there.
const RECORD: &str = r#"
streams=$(readlink "/proc/$$/fd/0" "/proc/$$/fd/1" "/proc/$$/fd/2")
for argument in "$@"; do printf '%s\n' "$argument"; done > "$0.arguments"
env > "$0.environment"
echo "$$" > "$0.pid"
if [ -d /proc/self/fd ]; then
    cut -d ' ' -f 5 "/proc/$$/stat" > "$0.group"
    printf '%s\n' "$streams" > "$0.streams"
fi
: > "$0.done"
"#;

/// A folder of fake programs.
struct Programs(TempDir);

impl Programs {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Installs `script` as program `name`.
    ///
    /// Another process writes it: a child that a parallel test forks in that moment would hold our
    /// own handle open, and an open file cannot be executed.
    fn install(&self, name: &str, script: &str) -> String {
        let path = self.path(name);
        let mut writer = Command::new("sh")
            .args(["-c", r#"cat > "$0" && chmod 755 "$0""#])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = writer.stdin.take().unwrap();
        write!(input, "#!/bin/sh\n{script}").unwrap();
        drop(input);
        assert!(writer.wait().unwrap().success());
        path.to_str().unwrap().into()
    }

    /// An environment that finds these programs first.
    fn environment(&self, vars: &[(&str, &str)], key_names: &[&str]) -> Environment {
        let path = format!("{}:/usr/bin:/bin", self.0.path().display());
        let vars = vars.iter().copied().chain([("PATH", path.as_str())]);
        Environment::new(vars, key_names)
    }

    fn open(&self, browser: &str, link: &str) -> Result<Opened, BrowserError> {
        let environment = self.environment(&[("BROWSER", browser)], &[]);
        Opener::new(environment).open(&Link::parse(link).unwrap())
    }

    /// What `name` recorded of `what`, once it is done.
    fn recorded(&self, name: &str, what: &str) -> String {
        wait_for(&self.path(&format!("{name}.done")), true);
        fs::read_to_string(self.path(&format!("{name}.{what}"))).unwrap()
    }

    fn arguments(&self, name: &str) -> Vec<String> {
        let recorded = self.recorded(name, "arguments");
        recorded.lines().map(String::from).collect()
    }
}

/// Waits until `path` exists, or until it does not.
fn wait_for(path: &Path, there: bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while path.exists() != there {
        assert!(
            Instant::now() < deadline,
            "{} there: {there}",
            path.display()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "it is compared with what `open` returns"
)]
fn browser(name: &str) -> Result<Opened, BrowserError> {
    Ok(Opened::Browser(name.into()))
}

#[test]
fn a_link_is_the_last_argument() {
    let programs = Programs::new();
    let setting = programs.install("firefox", RECORD);
    assert_eq!(programs.open(&setting, LINK), browser("firefox"));
    assert_eq!(programs.arguments("firefox"), [LINK]);
}

#[test]
fn arguments_with_spaces_and_percent_s_reach_the_browser() {
    let programs = Programs::new();
    let path = programs.install("my browser", RECORD);
    let setting = format!("'{path}' --name 'two words' \"--app=%s\" 100%%");
    assert_eq!(programs.open(&setting, LINK), browser("my browser"));
    let app = format!("--app={LINK}");
    assert_eq!(
        programs.arguments("my browser"),
        ["--name", "two words", &app, "100%"]
    );
}

#[test]
fn what_a_shell_would_run_stays_one_argument() {
    let programs = Programs::new();
    let setting = programs.install("firefox", RECORD);
    let trap = programs.path("trap");
    let link = format!(
        "https://example.com/;touch${{IFS}}{0};$(touch${{IFS}}{0})`touch%20{0}`&&touch${{IFS}}{0}|sh'\"<>*?a=~&b=!!#%s",
        trap.display()
    );
    let url = Link::parse(&link).unwrap();
    assert_eq!(programs.open(&setting, &link), browser("firefox"));
    assert_eq!(programs.arguments("firefox"), [url.as_str()]);
    assert!(!trap.exists());
}

#[test]
fn a_browser_never_sees_a_key() {
    let programs = Programs::new();
    let path = programs.install("firefox", RECORD);
    let mint = format!("mint_{CANARY}");
    let vars = [
        ("BROWSER", path.as_str()),
        ("MINTLIFY_API_KEY", CANARY),
        ("ACME_KEY", CANARY),
        ("ELSEWHERE", &mint),
        ("KEPT", "kept"),
    ];
    let environment = programs.environment(&vars, &["MINTLIFY_API_KEY", "ACME_KEY"]);
    let opened = Opener::new(environment).open(&Link::parse(LINK).unwrap());
    assert_eq!(opened, browser("firefox"));
    let seen = programs.recorded("firefox", "environment");
    assert!(!seen.contains(CANARY), "{seen}");
    // Nothing comes past the environment that was given; a shell adds a few of its own.
    let names = seen.lines().filter_map(|line| line.split_once('='));
    let mut names: Vec<&str> = names
        .map(|(name, _)| name)
        .filter(|name| !["_", "OLDPWD", "PWD", "SHLVL"].contains(name))
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["BROWSER", "KEPT", "PATH"]);
}

#[test]
fn the_next_browser_is_tried_when_one_does_not_exist() {
    let programs = Programs::new();
    let path = programs.install("lynx", RECORD);
    let setting = format!("/nowhere/firefox:'unclosed:no-such-browser -x:{path}");
    assert_eq!(programs.open(&setting, LINK), browser("lynx"));
    assert_eq!(programs.arguments("lynx"), [LINK]);
}

#[test]
fn the_next_browser_is_tried_when_one_fails_at_once() {
    let programs = Programs::new();
    let first = programs.install("firefox", "exit 3");
    let second = programs.install("lynx", RECORD);
    let setting = format!("{first}:{second}");
    assert_eq!(programs.open(&setting, LINK), browser("firefox"));
    assert_eq!(programs.arguments("lynx"), [LINK]);
}

#[test]
fn if_no_browser_starts_the_error_says_how_to_fix_it() {
    let programs = Programs::new();
    let error = programs.open("/nowhere/firefox:no-such-browser -x", LINK);
    assert_eq!(
        error.unwrap_err().to_string(),
        "no browser started (firefox, no-such-browser: not found); \
         set BROWSER to the command of one that is installed"
    );
    let error = programs.open("firefox 'https", LINK);
    assert_eq!(
        error.unwrap_err().to_string(),
        "no browser started: $BROWSER names no program, or a quote in it is not closed"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn the_desktop_opens_a_link_without_a_setting() {
    let programs = Programs::new();
    programs.install("xdg-open", RECORD);
    let environment =
        programs.environment(&[("DISPLAY", ":0"), ("ACME_KEY", CANARY)], &["ACME_KEY"]);
    let opened = Opener::new(environment).open(&Link::parse(LINK).unwrap());
    assert_eq!(opened, browser("xdg-open"));
    assert_eq!(programs.arguments("xdg-open"), [LINK]);
    assert!(
        !programs
            .recorded("xdg-open", "environment")
            .contains(CANARY)
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_browser_is_detached_and_reaped() {
    let programs = Programs::new();
    let script = format!("{RECORD}\nwhile [ ! -e \"$0.leave\" ]; do sleep 0.01; done");
    let setting = programs.install("firefox", &script);
    // It returns while the browser still runs.
    assert_eq!(programs.open(&setting, LINK), browser("firefox"));
    assert_eq!(
        programs.recorded("firefox", "streams"),
        "/dev/null\n/dev/null\n/dev/null\n"
    );
    let pid = programs.recorded("firefox", "pid");
    assert_eq!(programs.recorded("firefox", "group"), pid);
    let process = Path::new("/proc").join(pid.trim());
    assert!(process.exists());
    fs::write(programs.path("firefox.leave"), "").unwrap();
    // A zombie would stay listed.
    wait_for(&process, false);
}

/// A tmux that also records its input, and knows `-w` only when it is `new`.
fn install_tmux(programs: &Programs, new: bool) {
    let refusal = if new {
        ""
    } else {
        "case \" $* \" in *' -w '*) exit 1;; esac"
    };
    let script = format!("{refusal}\ncat > \"$0.input\"\n{RECORD}");
    programs.install("tmux", &script);
}

/// What `copy` of `text` wrote to the terminal inside tmux, and whether tmux has it.
fn copied_in_tmux(programs: &Programs, text: &str) -> (String, bool) {
    let vars = [("TMUX", "/tmp/tmux-0/default,1,0"), ("ACME_KEY", CANARY)];
    let environment = programs.environment(&vars, &["ACME_KEY"]);
    let mut out = Vec::new();
    let (loaded, told) = mpsc::channel();
    let in_tmux = move || loaded.send(()).unwrap();
    copy(text, &environment, &mut out, in_tmux).unwrap();
    // Without an answer the sender is dropped unused.
    (String::from_utf8(out).unwrap(), told.recv().is_ok())
}

const COPIED: &str = "\u{1b}]52;c;YQpi\u{1b}\\";

#[test]
fn tmux_gets_what_is_copied() {
    let programs = Programs::new();
    install_tmux(&programs, true);
    assert_eq!(
        copied_in_tmux(&programs, "a\u{202e}\n\nb\n"),
        (COPIED.into(), true)
    );
    assert_eq!(programs.arguments("tmux"), ["load-buffer", "-w", "-"]);
    assert_eq!(programs.recorded("tmux", "input"), "a\nb");
    assert!(!programs.recorded("tmux", "environment").contains(CANARY));
}

#[test]
fn an_old_tmux_gets_what_is_copied() {
    let programs = Programs::new();
    install_tmux(&programs, false);
    assert_eq!(copied_in_tmux(&programs, "a\nb"), (COPIED.into(), true));
    assert_eq!(programs.arguments("tmux"), ["load-buffer", "-"]);
    assert_eq!(programs.recorded("tmux", "input"), "a\nb");
}

#[test]
fn a_tmux_that_fails_is_not_said_to_have_it() {
    let programs = Programs::new();
    programs.install("tmux", "exit 1");
    assert_eq!(copied_in_tmux(&programs, "a\nb"), (COPIED.into(), false));
}

#[test]
fn the_terminal_is_asked_where_tmux_cannot_be_started() {
    let environment = Environment::new([("TMUX", "x"), ("PATH", "/nowhere")], &[] as &[&str]);
    let mut out = Vec::new();
    let in_tmux = || unreachable!("no tmux");
    copy("a\nb", &environment, &mut out, in_tmux).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), COPIED);
}
