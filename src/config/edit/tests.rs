//! Tables of edits: the text before, the command, the text after; and edits at random.

use proptest::prelude::*;

use super::*;

fn path() -> &'static Path {
    Path::new("/home/a/config.toml")
}

/// Does `add PROJECT ID…`, `add PROJECT ID label:L tag:T`, or `rm PROJECT/ID…`; `_` in a label
/// stands for a space.
fn edit(text: &str, command: &str) -> Result<Edited, EditError> {
    let mut words = command.split(' ');
    let verb = words.next().unwrap();
    if verb == "rm" {
        let keys: Vec<_> = words
            .map(|word| word.split_once('/').unwrap())
            .map(|(project, id)| JobKey::new(project, id))
            .collect();
        return remove(text, path(), &keys);
    }
    let project = words.next().unwrap();
    let mut jobs: Vec<NewJob> = Vec::new();
    for word in words {
        if let Some(label) = word.strip_prefix("label:") {
            jobs.last_mut().unwrap().label = Some(label.replace('_', " "));
        } else if let Some(tag) = word.strip_prefix("tag:") {
            jobs.last_mut().unwrap().tags.push(tag.to_owned());
        } else {
            jobs.push(NewJob {
                id: word.into(),
                label: None,
                tags: Vec::new(),
            });
        }
    }
    add(text, path(), project, &jobs)
}

/// The jobs of the project `p` without a job, the command that adds it, the jobs with it: `rm` goes
/// the way back.
const BOTH_WAYS: &[(&str, &str, &str)] = &[
    // On one line.
    ("jobs = []", "add p x", "jobs = [\"x\"]"),
    ("jobs = [ ]", "add p x", "jobs = [ \"x\" ]"),
    ("jobs=['a']", "add p x", "jobs=['a', \"x\"]"),
    ("jobs = ['a', 'b']", "add p x", "jobs = ['a', 'b', \"x\"]"),
    ("jobs = ['a','b']", "add p x", "jobs = ['a','b',\"x\"]"),
    ("jobs = ['a', ] # c", "add p x", "jobs = ['a', \"x\", ] # c"),
    ("jobs = [ 'a' ] # ]", "add p x", "jobs = [ 'a', \"x\" ] # ]"),
    // One a line.
    ("jobs = [\n]", "add p x", "jobs = [\n  \"x\",\n]"),
    (
        "  jobs = [\n  ]\n",
        "add p x",
        "  jobs = [\n    \"x\",\n  ]\n",
    ),
    (
        "jobs = [ # none\n\t# yet\n]",
        "add p x",
        "jobs = [ # none\n\t# yet\n\t\"x\",\n]",
    ),
    (
        "jobs = [\n    'a',\n]",
        "add p x",
        "jobs = [\n    'a',\n    \"x\",\n]",
    ),
    (
        "jobs = [\n\t'a'\n]",
        "add p x",
        "jobs = [\n\t'a',\n\t\"x\"\n]",
    ),
    (
        "jobs = [\n  'a' # ca, cb\n]",
        "add p x",
        "jobs = [\n  'a', # ca, cb\n  \"x\"\n]",
    ),
    (
        "jobs = [\n  'a', # ca\n  # old:\n  # 'z',\n]",
        "add p x",
        "jobs = [\n  'a', # ca\n  \"x\",\n  # old:\n  # 'z',\n]",
    ),
    ("jobs = [\n  'a']", "add p x", "jobs = [\n  'a',\n  \"x\"]"),
    (
        "jobs = [\n  # ,\n  'a', ]",
        "add p x",
        "jobs = [\n  # ,\n  'a',\n  \"x\", ]",
    ),
    (
        "jobs = ['a',\n  'b']",
        "add p x",
        "jobs = ['a',\n  'b',\n  \"x\"]",
    ),
    (
        "jobs = ['a', # ca\n]",
        "add p x",
        "jobs = ['a', \"x\", # ca\n]",
    ),
    (
        "jobs = [\n 'a', 'b', # cb\n]",
        "add p x",
        "jobs = [\n 'a', 'b', \"x\", # cb\n]",
    ),
    (
        "jobs = [\n  'a' # ca\n  ,\n]",
        "add p x",
        "jobs = [\n  'a' # ca\n  ,\n  \"x\",\n]",
    ),
    (
        "jobs = [\n  'a'\n , ]",
        "add p x",
        "jobs = [\n  'a', \"x\"\n , ]",
    ),
    (
        "jobs = [ 'a' # ca\n       , 'b' # cb\n       ]",
        "add p x",
        "jobs = [ 'a' # ca\n       , 'b' # cb\n       , \"x\"\n       ]",
    ),
    (
        "jobs = [\r\n  'a', # ca\r\n]\r\n",
        "add p x",
        "jobs = [\r\n  'a', # ca\r\n  \"x\",\r\n]\r\n",
    ),
    (
        "jobs = [\r\n  'a' # ca\r\n]\r\n",
        "add p x",
        "jobs = [\r\n  'a', # ca\r\n  \"x\"\r\n]\r\n",
    ),
    // Labels, tags, what is strange inside of a string.
    (
        "jobs = ['[#,]', { id = ']', tags = ['#'] }]",
        "add p x label:A_\"b\" tag:t tag:ü",
        "jobs = ['[#,]', { id = ']', tags = ['#'] }, { id = \"x\", label = 'A \"b\"', tags = [\"t\", \"ü\"] }]",
    ),
    (
        "jobs = ['''a''', {id='b'}]",
        "add p x label:'日本'_\\\"",
        "jobs = ['''a''', {id='b'}, { id = \"x\", label = ''''日本' \\\"''' }]",
    ),
    (
        "jobs = ['a']",
        "add p x tag:t",
        "jobs = ['a', { id = \"x\", tags = [\"t\"] }]",
    ),
    ("jobs = []", "add p x y", "jobs = [\"x\", \"y\"]"),
    // Tables.
    (
        "[[projects.jobs]]\nid = 'a'\n# end",
        "add p x label:L",
        "[[projects.jobs]]\nid = 'a'\n[[projects.jobs]]\nid = \"x\"\nlabel = \"L\"\n# end",
    ),
    (
        "\n  [[ projects . jobs ]] # ca\n    id = 'a' # cid",
        "add p x y tag:t",
        "\n  [[ projects . jobs ]] # ca\n    id = 'a' # cid\n\n  [[ projects . jobs ]]\n    id = \"x\"\n\n  [[ projects . jobs ]]\n    id = \"y\"\n    tags = [\"t\"]",
    ),
    (
        "\r\n[[projects.jobs]]\r\nid = 'a'\r\n\r\n[projects.key]\r\nenv = 'A'\r\n",
        "add p x",
        "\r\n[[projects.jobs]]\r\nid = 'a'\r\n\r\n[[projects.jobs]]\r\nid = \"x\"\r\n\r\n[projects.key]\r\nenv = 'A'\r\n",
    ),
];

#[test]
fn add_and_rm_undo_each_other_table() {
    for &(without, command, with) in BOTH_WAYS {
        let foot = if with.ends_with('\n') {
            "\n[[projects]]\nid = 'q'\njobs = [ 'x' ]\n"
        } else {
            ""
        };
        let mut head = "# top\n[[projects]] # p\nid = 'p'\n".to_owned();
        if with.contains('\r') {
            head = head.replace('\n', "\r\n");
        }
        for head in [head.clone(), format!("\u{feff}{head}")] {
            let [without, with] = [without, with].map(|text| format!("{head}{text}{foot}"));
            let added =
                edit(&without, command).unwrap_or_else(|error| panic!("{without}: {error}"));
            assert_eq!(added.text.as_deref(), Some(&*with), "{without}\n{command}");
            let again = edit(&with, command).unwrap();
            assert_eq!((again.text, again.unchanged), (None, added.changed.clone()));
            let removed = remove(&with, path(), &added.changed).unwrap();
            assert_eq!(removed.text.as_deref(), Some(&*without), "rm from {with}");
            assert_eq!(removed.changed, added.changed);
        }
    }
}

#[test]
fn add_table() {
    for (before, command, after) in [
        // A project without jobs gets a list, below its own keys.
        (
            "[[projects]]\nid = 'p'",
            "add p x",
            "[[projects]]\nid = 'p'\njobs = [\n  \"x\",\n]",
        ),
        (
            "[[projects]]\n  id = 'p' # c\n  key.env = 'A' # ck\n\n[[projects]]\nid = 'q'\n",
            "add p x y label:L",
            "[[projects]]\n  id = 'p' # c\n  key.env = 'A' # ck\n  jobs = [\n    \"x\",\n    { id = \"y\", label = \"L\" },\n  ]\n\n[[projects]]\nid = 'q'\n",
        ),
        (
            "[[projects]]\nid = 'p'\n[projects.key]\nenv = 'A'\n",
            "add p x",
            "[[projects]]\nid = 'p'\njobs = [\n  \"x\",\n]\n[projects.key]\nenv = 'A'\n",
        ),
        (
            "[[projects]]\r\nid = 'p'\r\nname = '''n\r\nm'''\r\n",
            "add p x",
            "[[projects]]\r\nid = 'p'\r\nname = '''n\r\nm'''\r\njobs = [\r\n  \"x\",\r\n]\r\n",
        ),
        (
            "projects = [{ id = 'p' }]",
            "add p x y",
            "projects = [{ id = 'p', jobs = [\"x\", \"y\"] }]",
        ),
        (
            "projects = [\n  { id = 'q' },\n  { key.env = 'A', id = 'p', },\n]",
            "add p x",
            "projects = [\n  { id = 'q' },\n  { key.env = 'A', id = 'p', jobs = [\"x\"], },\n]",
        ),
        (
            "projects = [{ id = 'p', jobs = ['a'] }, { id = 'q', jobs = ['a'] }]",
            "add q x",
            "projects = [{ id = 'p', jobs = ['a'] }, { id = 'q', jobs = ['a', \"x\"] }]",
        ),
        // By name; an id goes first.
        (
            "[[projects]]\nid = 'p'\nname = 'q'\njobs = []\n[[projects]]\nid = 'q'\njobs = []\n",
            "add q x",
            "[[projects]]\nid = 'p'\nname = 'q'\njobs = []\n[[projects]]\nid = 'q'\njobs = [\"x\"]\n",
        ),
        (
            "[[projects]]\nid = 'p'\nname = ' docs '\njobs = []\n",
            "add docs x x",
            "[[projects]]\nid = 'p'\nname = ' docs '\njobs = [\"x\"]\n",
        ),
        // A label or a tag of nothing is none.
        (
            "[[projects]]\nid = 'p'\njobs = []\n",
            "add p x label:_ tag:",
            "[[projects]]\nid = 'p'\njobs = [\"x\"]\n",
        ),
        (
            "[[projects]]\nid = 'p'\njobs = [\n  'a' # ca\n  , ]",
            "add p x",
            "[[projects]]\nid = 'p'\njobs = [\n  'a', \"x\" # ca\n  , ]",
        ),
    ] {
        let edited = edit(before, command).unwrap_or_else(|error| panic!("{before}: {error}"));
        assert_eq!(edited.text.as_deref(), Some(after), "{before}\n{command}");
    }
}

/// The jobs of the project `p` before, the command, the jobs after.
const REMOVALS: &[(&str, &str, &str)] = &[
    ("jobs = ['a', 'b', 'c']", "rm p/a", "jobs = ['b', 'c']"),
    ("jobs = ['a', 'b', 'c']", "rm p/b", "jobs = ['a', 'c']"),
    ("jobs = ['a', 'b', 'c']", "rm p/c p/a", "jobs = ['b']"),
    ("jobs = ['a', 'b', 'c',]", "rm p/a p/b p/c", "jobs = []"),
    ("jobs = ['a']", "rm p/a", "jobs = []"),
    ("jobs = ['a', 'b']", "rm p/a q/b", "jobs = ['b']"),
    // Only the comment at the end of its own line goes.
    (
        "jobs = [\n  # above\n  'a', # ca\n  # between\n  'b', # cb\n  # below\n]",
        "rm p/a",
        "jobs = [\n  # above\n  # between\n  'b', # cb\n  # below\n]",
    ),
    (
        "jobs = [\n  # above\n  'a', # ca\n\n  # between\n  'b' # cb\n  # below\n]",
        "rm p/b",
        "jobs = [\n  # above\n  'a' # ca\n\n  # between\n  # below\n]",
    ),
    (
        "jobs = [ # all\n  'a', # ca\n  { id = 'b', label = 'L' }, # cb\n] # end",
        "rm p/b p/a",
        "jobs = [ # all\n] # end",
    ),
    // Lines with several jobs.
    (
        "jobs = [\n  'a', 'b', # cb\n  'c',\n]",
        "rm p/a",
        "jobs = [\n  'b', # cb\n  'c',\n]",
    ),
    (
        "jobs = [\n  'a', 'b', # cb\n  'c',\n]",
        "rm p/b",
        "jobs = [\n  'a', # cb\n  'c',\n]",
    ),
    (
        "jobs = [\n  'a', 'b', # cb\n  'c',\n]",
        "rm p/a p/b",
        "jobs = [\n  'c',\n]",
    ),
    (
        "jobs = [ 'a', # ca\n         'b', # cb\n]",
        "rm p/a",
        "jobs = [\n         'b', # cb\n]",
    ),
    (
        "jobs = [ 'a', # ca\n         'b' ] # cb",
        "rm p/b",
        "jobs = [ 'a' # ca\n] # cb",
    ),
    (
        "jobs = [ 'a', # ca\n         'b', ] # cb",
        "rm p/b",
        "jobs = [ 'a', # ca\n] # cb",
    ),
    ("jobs = [\n  'a' ]", "rm p/a", "jobs = [\n]"),
    // Commas in odd places.
    (
        "jobs = [ 'a' # ca\n  , 'b' # cb\n  , 'c' # cc\n]",
        "rm p/b",
        "jobs = [ 'a' # ca\n  , 'c' # cc\n]",
    ),
    (
        "jobs = [ 'a' # ca\n  , 'b' # cb\n  , 'c' # cc\n]",
        "rm p/c",
        "jobs = [ 'a' # ca\n  , 'b' # cb\n]",
    ),
    (
        "jobs = [ 'a' # ca\n  , 'b' ]",
        "rm p/b",
        "jobs = [ 'a' # ca\n]",
    ),
    (
        "jobs = [\n  'a' # ca\n  , # x\n  'b'\n]",
        "rm p/a",
        "jobs = [\n   # x\n  'b'\n]",
    ),
    (
        "jobs = [\n  'a'\n,\n  'b'\n]",
        "rm p/b",
        "jobs = [\n  'a'\n\n]",
    ),
    (
        "jobs = [\n  'a',\n  'b',\n  'c'\n,\n]",
        "rm p/b p/c",
        "jobs = [\n  'a',\n\n]",
    ),
    // A table over several lines.
    (
        "jobs = [\n  {\n    id = 'a', # ca\n  }, # end\n  'b',\n]",
        "rm p/a",
        "jobs = [\n  'b',\n]",
    ),
    // Tables: with what is said inside, not what is said around.
    (
        "[[projects.jobs]]\n# in a\nid = 'a' # ca\ntags = [\n 't' ]\n# after\n\n[[projects.jobs]]\nid = 'b'\n",
        "rm p/a",
        "# after\n\n[[projects.jobs]]\nid = 'b'\n",
    ),
    (
        "\n[[projects.jobs]]\nid = 'a'\n\n# about b\n[[projects.jobs]]\nid = 'b'\n\n[[projects]]\nid = 'q'\n",
        "rm p/b p/a",
        "\n# about b\n\n[[projects]]\nid = 'q'\n",
    ),
    (
        "jobs = [\r\n  'a', # ca\r\n  'b', # cb\r\n]\r\n",
        "rm p/a",
        "jobs = [\r\n  'b', # cb\r\n]\r\n",
    ),
];

#[test]
fn rm_table() {
    for &(before, command, after) in REMOVALS {
        let [before, after] = [before, after].map(|text| format!("[[projects]]\nid = 'p'\n{text}"));
        let edited = edit(&before, command).unwrap_or_else(|error| panic!("{before}: {error}"));
        assert_eq!(edited.text.as_deref(), Some(&*after), "{before}\n{command}");
    }
}

#[test]
fn what_cannot_be_done_is_said() {
    let text = "[[projects]]\nid = 'p'\nname = 'docs'\n[[projects]]\nid = 'q'\nname = 'two'\n\
                [[projects]]\nid = 'r'\nname = 'two'\n";
    for (text, command, want) in [
        (
            text,
            "add dosc x",
            "no project is called \"dosc\"; did you mean \"docs\"?",
        ),
        (
            text,
            "add website x",
            "no project is called \"website\"; the config has docs, two, two",
        ),
        (
            "",
            "add p x",
            "no project is called \"p\"; the config has none yet: add the lines `[[projects]]` and `id = \"p\"` to it",
        ),
        (
            text,
            "add two x",
            "several projects are called \"two\"; say which by its id: q, r",
        ),
        (text, "add p ", "\"\" cannot be added: the id is empty"),
        (
            text,
            "add p x a/b",
            "\"a/b\" cannot be added: an id has neither spaces nor `/`",
        ),
        (
            "x = 1",
            "add p x",
            "/home/a/config.toml:1:1: unknown key `x`: known here are `base_url`, `key`, `poll`, `github`, `store`, `ui`, `keys`, `projects`",
        ),
        (
            "x = 1",
            "rm p/x",
            "/home/a/config.toml:1:1: unknown key `x`: known here are `base_url`, `key`, `poll`, `github`, `store`, `ui`, `keys`, `projects`",
        ),
    ] {
        let error = edit(text, command).unwrap_err().to_string();
        assert_eq!(error.lines().next(), Some(want), "{command}");
    }
    let nothing = edit(text, "rm p/x z/x").unwrap();
    assert_eq!((nothing.text, nothing.unchanged.len()), (None, 2));
}

/// What can stand between two jobs, around a comma.
fn space() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        " ",
        "\n",
        "\n  ",
        " # c, ]\n",
        "\n\t# 'x', [\n  ",
        "\n\n",
    ])
}

/// A list of jobs with the ids `j0`, `j1`, …
fn jobs() -> impl Strategy<Value = String> {
    let form = prop::sample::select(vec![
        "'ID'",
        "\"ID\"",
        "{ id = 'ID' }",
        "{id='ID',label=',]#'}",
    ]);
    let item = (space(), form, space());
    (
        prop::collection::vec(item, 0..6),
        prop::option::of(space()),
        space(),
    )
        .prop_map(|(items, trailing, end)| {
            let count = items.len();
            let mut text = String::from("[");
            for (at, (before, form, after)) in items.into_iter().enumerate() {
                text += before;
                text += &form.replace("ID", &format!("j{at}"));
                text += after;
                if at + 1 < count || trailing.is_some() {
                    text += ",";
                }
            }
            text + end + "]"
        })
}

fn config() -> impl Strategy<Value = String> {
    (jobs(), jobs(), any::<bool>(), any::<bool>()).prop_map(|(p, q, inline, crlf)| {
        let text = if inline {
            format!("# top\nprojects = [ {{ id = 'p', jobs = {p} }}, # p\n  {{ id = 'q', jobs = {q} }} ]\n")
        } else {
            format!("# top\n[[projects]]\nid = 'p'\njobs = {p} # p\n\n[[projects]] # q\njobs = {q}\nid = 'q'\n")
        };
        if crlf { text.replace('\n', "\r\n") } else { text }
    })
}

/// What is left of a text without white space and commas, which come and go beside a job.
fn bare(text: &str) -> String {
    text.replace([',', ' ', '\t', '\r', '\n'], "")
}

/// Whether `long` is `short` with one piece more in it.
fn is_with_a_piece(long: &str, short: &str) -> bool {
    let same = |(a, b): &(char, char)| a == b;
    let start = long.chars().zip(short.chars()).take_while(same).count();
    let ends = long.chars().rev().zip(short.chars().rev());
    start + ends.take_while(same).count() >= short.chars().count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn random_edits_keep_what_is_not_concerned(
        text in config(),
        edits in prop::collection::vec((any::<bool>(), 0_u8..8, any::<bool>()), 1..8),
    ) {
        // That each edit means what it should is checked by the edit itself.
        let mut text = text;
        for (adds, number, first) in edits {
            let project = if first { "p" } else { "q" };
            let command = if adds {
                format!("add {project} j{number}")
            } else {
                format!("rm {project}/j{number}")
            };
            let edited = edit(&text, &command);
            prop_assert!(edited.is_ok(), "{}: {:?}", text, edited);
            let Some(new) = edited.unwrap().text else { continue };
            let (long, short) = if adds { (&new, &text) } else { (&text, &new) };
            prop_assert!(is_with_a_piece(&bare(long), &bare(short)), "{}\n{}\n{}", text, command, new);
            let comments = |text: &str| text.matches("# ").count();
            let lost = comments(&text) - comments(&new);
            prop_assert!(lost <= usize::from(!adds), "{}\n{}\n{}", text, command, new);
            if adds {
                let back = edit(&new, &format!("rm {project}/j{number}")).unwrap().text;
                prop_assert_eq!(back.as_deref(), Some(&*text), "by way of {}", new);
            }
            text = new;
        }
    }
}
