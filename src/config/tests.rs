//! Tables of the config: what it means, and what is said of each fault.

use std::fmt::Write as _;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

const PATH: &str = "/home/a/mintwatch/config.toml";
const KEY: &str = "mint_canary42_Canary";
const TOKEN: &str = "ghp_canary0123456789Canary";

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new(PATH))
}

fn default() -> Config {
    parse("").unwrap()
}

/// The example with the lines that `pick` picks in use, instead of as comments.
fn example_with(pick: impl Fn(&str) -> bool) -> String {
    let is_example =
        |line: &&str| !line.is_empty() && (!line.starts_with(' ') || line.starts_with("  "));
    let line = |line: &str| match line.strip_prefix('#').filter(is_example) {
        Some(code) if pick(code) => format!("{code}\n"),
        _ => format!("{line}\n"),
    };
    EXAMPLE.lines().map(line).collect()
}

#[test]
fn an_empty_config_means_the_defaults() {
    let config = default();
    assert_eq!(config.base_url.to_string(), "https://api.mintlify.com/");
    assert_eq!(config.key, KeySource::Env("MINTLIFY_API_KEY".into()));
    assert_eq!(config.poll, PollConfig::default());
    assert_eq!(config.ui, UiConfig::default());
    assert_eq!(config.keys, []);
    assert_eq!(config.projects, []);
}

#[test]
fn the_example_states_the_defaults() {
    let mut example = parse(EXAMPLE).unwrap();
    // What the columns are by default, only their table knows; its tests hold the example to it.
    assert!(example.ui.columns.take().is_some());
    assert_eq!(example, default());
    assert_eq!(example_with(|_| false), EXAMPLE);
    // A default that is only documented by a comment could rot: each one is a line in use.
    for line in [
        r#"base_url = "https://api.mintlify.com""#,
        r#"env = "MINTLIFY_API_KEY""#,
        r#"active = "10s""#,
        r#"finished = "5m""#,
        r#"timeout = "20s""#,
        "concurrency = 32",
        r#"columns = ["status", "job", "project", "branch", "pr", "model", "age", "since", "seen"]"#,
        r#"sort = "status""#,
        r#"view = "all""#,
        r#"theme = "terminal""#,
        r#"ascii = "auto""#,
        "mouse = false",
        "title = true",
    ] {
        assert!(EXAMPLE.lines().any(|found| found == line), "{line}");
    }
}

#[test]
fn the_example_has_every_key() {
    for table in [
        "",
        "[poll]",
        "[ui]",
        "[key]",
        "[github]",
        "[[github.hosts]]\nhost = 'a.b'\napi = 'https://a.b'",
        "[[projects]]",
        "[[projects]]\nid = 'x'\n[[projects.jobs]]",
    ] {
        let error = parse(&format!("{table}\nno_such_key = 1")).unwrap_err();
        let ConfigError::Invalid { message, .. } = error else {
            panic!("{error}");
        };
        let (_, known) = message.split_once("known here are ").unwrap();
        for key in known.split(", ").map(|key| key.trim_matches('`')) {
            let documented = [format!("{key} = "), format!("[{key}]"), format!(".{key}]]")];
            assert!(
                documented.iter().any(|text| EXAMPLE.contains(text)),
                "{key}"
            );
        }
    }
}

#[test]
fn the_examples_in_comments_work() {
    let all = example_with(|code| !code.starts_with("file") && !code.starts_with("command"));
    assert_eq!(
        parse(&all).unwrap().projects,
        [ProjectConfig {
            id: "64f0c1e2".into(),
            name: Some("docs".into()),
            key: Some(KeySource::Env("ACME_MINTLIFY_KEY".into())),
            jobs: vec![
                JobConfig {
                    id: "job_01".into(),
                    label: None,
                    tags: vec![],
                },
                JobConfig {
                    id: "job_02".into(),
                    label: Some("SDK quickstart".into()),
                    tags: vec!["release".into()],
                },
            ],
        }]
    );
    for (name, source) in [
        ("file", KeySource::File("~/.config/mintwatch/key".into())),
        (
            "command",
            KeySource::Command(
                ["op", "read", "op://work/mintlify/key"]
                    .map(String::from)
                    .into(),
            ),
        ),
    ] {
        let text = example_with(|code| code.starts_with(name)).replace("\nenv = ", "\n# ");
        assert_eq!(parse(&text).unwrap().key, source);
    }
}

#[test]
fn values_table() {
    let poll = |poll: PollConfig| Config { poll, ..default() };
    let base = |url: &str| Config {
        base_url: url.parse().unwrap(),
        ..default()
    };
    let key = |key: KeySource| Config { key, ..default() };
    let normal = PollConfig::default();
    for (text, want) in [
        (
            "base_url = 'https://eu.example:8443/api'",
            base("https://eu.example:8443/api"),
        ),
        (
            "base_url = 'http://127.8.9.1:4010'",
            base("http://127.8.9.1:4010"),
        ),
        ("base_url = 'http://[::1]:4010'", base("http://[::1]:4010")),
        (
            "base_url = 'HTTP://LocalHost:4010'",
            base("http://localhost:4010"),
        ),
        ("key.env = 'A_1'", key(KeySource::Env("A_1".into()))),
        (
            "key.file = '/etc/key'",
            key(KeySource::File("/etc/key".into())),
        ),
        ("key.file = '~/key'", key(KeySource::File("~/key".into()))),
        (
            "key.file = 'keys/a'",
            key(KeySource::File("/home/a/mintwatch/keys/a".into())),
        ),
        (
            "key.command = ['pass', '']",
            key(KeySource::Command(vec!["pass".into(), String::new()])),
        ),
        (
            "[poll]\nactive = '100ms'\nfinished = '24h'\ntimeout = '1m 30s'\nconcurrency = 256",
            poll(PollConfig {
                active: Duration::from_millis(100),
                finished: Duration::from_hours(24),
                timeout: Duration::from_secs(90),
                concurrency: 256,
            }),
        ),
        (
            "poll.concurrency = 1",
            poll(PollConfig {
                concurrency: 1,
                ..normal
            }),
        ),
        (
            "[ui]\ntheme = 'plain'\nascii = true\nmouse = true\ntitle = false\nsort = '-age'",
            Config {
                ui: UiConfig {
                    theme: Palette::Plain,
                    ascii: Ascii::Always,
                    mouse: true,
                    title: false,
                    sort: "-age".into(),
                    ..UiConfig::default()
                },
                ..default()
            },
        ),
        ("\u{feff}poll = {}\r\nprojects = []\r\n", default()),
    ] {
        assert_eq!(parse(text).unwrap(), want, "{text}");
    }
}

#[test]
fn text_is_cleaned_and_empty_text_is_none() {
    let config = parse(
        r#"
        [[projects]]
        id = "日本"
        name = " a\u001b[31m\tb\u202e "
        jobs = [
          { id = "é", label = "\u200b", tags = ["x\ny", " "] },
          { id = "日本", label = "SDK" },
        ]
        [[projects]]
        id = "empty"
        name = ""
        "#,
    )
    .unwrap();
    let [first, second] = &config.projects[..] else {
        panic!("{config:?}");
    };
    assert_eq!(first.name.as_deref(), Some("a[31m b"));
    assert_eq!(first.jobs[0].label, None);
    assert_eq!(first.jobs[0].tags, ["x y"]);
    assert_eq!(first.jobs[1].label.as_deref(), Some("SDK"));
    assert_eq!((second.name.as_deref(), second.jobs.len()), (None, 0));
}

#[test]
fn long_ids_and_the_same_id_in_two_projects_are_fine() {
    let id = "é".repeat(500);
    let longest = "x".repeat(1_024);
    let jobs = format!("jobs = ['{id}', '{longest}']");
    let text = format!("[[projects]]\nid = 'a'\n{jobs}\n[[projects]]\nid = 'b'\n{jobs}\n");
    let config = parse(&text).unwrap();
    assert_eq!(&*config.projects[1].jobs[0].id, id);
    assert!(parse(&text.replace(&longest, &"x".repeat(1_025))).is_err());
}

fn faults_of_github() -> Vec<String> {
    let host =
        |host: &str, api: &str| format!("[[github.hosts]]\nhost = \"{host}\"\napi = \"{api}\"\n");
    vec![
        "[github]\ntokens = 1".into(),
        "[github]\nenabled = \"no\"".into(),
        format!("[github]\ntoken = \"{TOKEN}\""),
        format!("[github]\ntoken = {{ env = \"{TOKEN}\" }}"),
        "[github]\ntoken = {}".into(),
        "[github]\ntoken = { file = \"\" }".into(),
        "[github]\nhosts = 3".into(),
        "[[github.hosts]]\nhost = \"github.acme.dev\"".into(),
        host("", "https://a.b"),
        host("github.com", "https://a.b"),
        host("api.github.com", "https://a.b"),
        host("GitHub.acme.dev", "https://a.b"),
        host("github.acme.dev:8443", "https://a.b"),
        host("github.acme.dev.", "https://a.b"),
        host("https://github.acme.dev", "https://a.b"),
        host("me@github.acme.dev", "https://a.b"),
        host("gіthub.com", "https://a.b"),
        host("a.b", "http://a.b/api/graphql"),
        host("a.b", "a.b/api/graphql"),
        host("a.b", "ftp://a.b"),
        host("a.b", "https://me:pw@a.b"),
        host("a.b", "https://a.b?x"),
        host("a.b", "https://a.b") + &host("a.b", "https://c.d"),
    ]
}

/// Each fault that a text can have, as it is printed.
#[test]
fn every_fault_in_words() {
    let jobs = |jobs: &str| format!("[[projects]]\nid = \"docs\"\njobs = [{jobs}]\n");
    let far = |pad: usize| format!("{}3, \"{}\"", "\"日本\", ".repeat(pad), "x".repeat(200));
    let mut shown = String::new();
    for text in [
        // What TOML refuses.
        "x".into(),
        "base_url = \"https://".into(),
        "[poll\nactive = \"10s\"".into(),
        "[[projects]]\nid = \"docs\"\njobs = [\n  \"job_01\",\n\n".into(),
        "base_url = \"a\"\nbase_url = \"b\"".into(),
        // Unknown keys.
        "[[project]]\nid = \"docs\"".into(),
        "jobs = []".into(),
        // The first in the file, not in the alphabet.
        "zzz = 1\naaa = 2".into(),
        "[poll]\nfinnished = \"5m\"".into(),
        "[key]\ntoken = 1".into(),
        jobs("\"a\", { id = \"b\", lable = \"SDK\" }"),
        // Wrong types.
        "base_url = 3".into(),
        "[projects]\nid = \"docs\"".into(),
        "projects = \"docs\"".into(),
        "[[projects]]\nname = \"docs\"\n".into(),
        jobs("3"),
        jobs("\"a\", [\"b\"]"),
        jobs("{ label = \"SDK\" }"),
        jobs("{ id = \"b\", tags = \"x\" }"),
        jobs("2026-11-20"),
        "poll = 3".into(),
        "[poll]\nconcurrency = \"32\"".into(),
        "[poll]\nconcurrency = 18446744073709551615".into(),
        format!("key = \"{KEY}\""),
        "ui = 3".into(),
        "keys = 3".into(),
        "[ui]\ncolumns = \"job\"".into(),
        "[ui]\ncolumns = [\"job\", 3]".into(),
        "[ui]\nascii = 3".into(),
        "[ui]\nmouse = \"on\"".into(),
        "[ui]\ncolours = 1".into(),
        "[keys]\nopen = 3".into(),
        "[keys]\nopen = [\"o\", 3]".into(),
        "[keys.open]\nkey = \"o\"".into(),
        // Values that make no sense.
        "base_url = \"api.mintlify.com\"".into(),
        "base_url = \"ftp://api.mintlify.com\"".into(),
        "base_url = \"https://me@api.mintlify.com\"".into(),
        "base_url = \"https://api.mintlify.com/?v=2\"".into(),
        "base_url = \"https://api.mintlify.com/#top\"".into(),
        "base_url = \"http://api.mintlify.com\"".into(),
        "base_url = \"http://localhost.example\"".into(),
        "[poll]\nactive = \"10\"".into(),
        "[poll]\nactive = \"99ms\"".into(),
        "[poll]\ntimeout = \"-1s\"".into(),
        "[poll]\nfinished = \"25h\"".into(),
        "[poll]\nconcurrency = 0".into(),
        "[poll]\nconcurrency = 257".into(),
        "[ui]\ntheme = \"plane\"".into(),
        "[ui]\ntheme = \"solarized\"".into(),
        "[ui]\nascii = \"never\"".into(),
        "[key]\nenv = \"A\"\nfile = \"b\"".into(),
        "[key]\n".into(),
        "[[projects]]\nid = \"docs\"\nkey = {}".into(),
        "key = { command = [] }".into(),
        "key = { command = [\"\"] }".into(),
        "key = { file = \"\" }".into(),
        "key = { env = \"\" }".into(),
        "key = { env = \"$ACME KEY\" }".into(),
        format!("key = {{ env = \"{KEY}\" }}"),
        "[[projects]]\nid = \"\"".into(),
        "[[projects]]\nid = \"docs\"\n\n[[projects]]\nid = \"docs\"".into(),
        jobs("\n  \"a\",\n  \"b\",\n  { id = \"a\", label = \"again\" },\n"),
        jobs("\"\""),
        jobs("\"..\""),
        jobs("\"a/b\""),
        jobs("\"a b\""),
        jobs("\"a\\u202eb\""),
        jobs(&format!("\"{}\"", "x".repeat(1_025))),
        // Hostile and long lines.
        "base_url = \"\u{202e}x\u{200b}\",\t\u{1b}[31m".into(),
        jobs(&far(0)),
        jobs(&far(30)),
        format!("{} = 3", "k".repeat(600)),
    ]
    .into_iter()
    .chain(faults_of_github())
    {
        let error = parse(&text).expect_err(&text);
        let _ = writeln!(shown, "{error}\n");
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn no_key_is_ever_shown() {
    for text in [
        "key = 'K'",
        "key = { env = 'K' }",
        "key.env = 'K",
        "K = 1",
        "[[projects]]\nid = 'a'\njobs = ['K', 3]",
        "[[projects]]\nid = 'a'\njobs = ['b/K']",
        "[[projects]]\nid = 'a'\njobs = [{ id = 'a', K = 1 }]",
        "[poll]\nactive = 'K'",
        "[poll]\nconcurrency = 'K'",
        "[github]\ntoken = 'K'",
        "[github]\ntoken = { env = 'K' }",
        "[github]\ntoken = { K = 'x' }",
        "[[github.hosts]]\nhost = 'K'\napi = 'https://a.b'",
        "[[github.hosts]]\nhost = 'a.b'\napi = 'https://K@a.b'",
        "[[github.hosts]]\nhost = 'a.b'\napi = 'K'",
    ] {
        for secret in [KEY, TOKEN] {
            let error = parse(&text.replace('K', secret)).unwrap_err();
            let shown = format!("{error} {error:?}").to_lowercase();
            assert!(!shown.contains("canary"), "{shown}");
        }
    }
}

#[test]
fn githubs_are_known_by_exactly_their_names() {
    let config = parse(
        "github.token.env = 'T'\n[[github.hosts]]\nhost = 'github.acme.dev'\n\
         api = 'https://github.acme.dev/api/graphql'\ntoken = { env = 'E' }\n\
         [[github.hosts]]\nhost = '127.0.0.1'\napi = 'http://127.0.0.1:1/graphql'\n",
    );
    let config = config.unwrap();
    let known = |name: &str| {
        let host = config.github.host(name)?;
        Some((host.api.to_string(), host.token.clone()))
    };
    for (name, api, token) in [
        ("github.com", "https://api.github.com/graphql", Some("T")),
        (
            "github.acme.dev",
            "https://github.acme.dev/api/graphql",
            Some("E"),
        ),
        ("127.0.0.1", "http://127.0.0.1:1/graphql", None),
    ] {
        let token = token.map(|name| KeySource::Env(name.into()));
        assert_eq!(known(name), Some((api.into(), token)));
    }
    for name in [
        "github.com.",
        "GitHub.com",
        "github.com.attacker.example",
        "api.github.com",
        "acme.ghe.com",
    ] {
        assert_eq!(known(name), None);
    }
    for name in ["T", "E", "GH_TOKEN", "GITHUB_TOKEN"] {
        assert!(config.key_variables().contains(&name), "{name}");
    }
    let off = parse("github.enabled = false").unwrap();
    assert_eq!(off.key_variables(), ["MINTLIFY_API_KEY"]);
}

fn damaged_example() -> impl Strategy<Value = String> {
    let text = example_with(|code| !code.starts_with("file") && !code.starts_with("command"));
    let length = text.chars().count();
    let damage = prop_oneof![
        prop::sample::select(vec![
            "\"", "[", "]", "=", "\n", "\r", "\u{1b}", "\u{202e}", "日"
        ])
        .prop_map(String::from),
        any::<char>().prop_map(String::from),
        "[a-z]{1,200}",
    ];
    (0..length, 0_usize..30, damage).prop_map(move |(at, cut, damage)| {
        let kept = text.chars().take(at).collect::<String>() + &damage;
        kept + &text.chars().skip(at + cut).collect::<String>()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_damaged_config_is_read_or_explained(text in damaged_example()) {
        if let Err(error) = parse(&text) {
            let shown = error.to_string();
            prop_assert!(shown.starts_with(PATH), "{shown}");
            prop_assert_eq!(shown.lines().count(), 4, "{}", shown);
            for line in shown.lines().skip(1) {
                prop_assert!(crate::text::width(line) <= 2 * 100 + 10, "{line}");
                prop_assert!(!line.contains(char::is_control), "{line:?}");
            }
        }
    }
}
