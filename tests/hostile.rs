//! Hostile text through every field, into a drawn buffer and through `list`.
//!
//! Most strings are cleaned here, as they are where they enter; a smaller number goes the whole way,
//! through a config and the wire.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use crossterm::event::Event;
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use mintwatch::board::Board;
use mintwatch::cli::list::ListArgs;
use mintwatch::cli::output::OutputStyle;
use mintwatch::event::Event as JobEvent;
use mintwatch::failure::ErrorKind;
use mintwatch::job::{Job, Status};
use mintwatch::pull_request::PullRequest;
use mintwatch::text::{MAX_GRAPHEME_BYTES, clean};
use mintwatch::tui::app::App;
use mintwatch::tui::screen;
use mintwatch::view::theme::Theme;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Size;
use serde_json::{Value, json};
use support::board::{fail, now, project, see, watched};
use support::fake_server::FakeServer;
use support::keys::keys;
use support::reply::Reply;
use support::{PATIENT, setup};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Characters that do something other than show themselves, and those that join their neighbours.
const NASTY: &[char] = &[
    '\u{0}',
    '\u{7}',
    '\u{8}',
    '\t',
    '\n',
    '\r',
    '\u{1b}',
    '\u{7f}',
    '\u{85}',
    '\u{90}',
    '\u{9b}',
    '\u{9d}',
    '\u{ad}',
    '\u{61c}',
    '\u{180e}',
    '\u{200b}',
    '\u{200c}',
    '\u{200d}',
    '\u{200e}',
    '\u{200f}',
    '\u{2028}',
    '\u{2029}',
    '\u{202a}',
    '\u{202e}',
    '\u{2060}',
    '\u{2066}',
    '\u{2067}',
    '\u{2069}',
    '\u{206f}',
    '\u{feff}',
    '\u{fff9}',
    '\u{fe0e}',
    '\u{fe0f}',
    '\u{e0001}',
    '\u{e0020}',
    '\u{e0041}',
    '\u{e007f}',
    '\u{e0100}',
    '\u{e000}',
    '\u{f8ff}',
    '\u{f0000}',
    '\u{10fffd}',
    '\u{300}',
    '\u{301}',
    '\u{34f}',
    '\u{489}',
    '\u{20dd}',
    '\u{1f3fb}',
    '\u{1f468}',
    '\u{1f1e6}',
    '\u{1f1ff}',
    '\u{1100}',
    '\u{1161}',
    '\u{11a8}',
    '\u{915}',
    '\u{94d}',
    '\u{e33}',
    '\u{600}',
    '\u{644}',
    '\u{627}',
    '\u{110bd}',
    '\u{fdfd}',
    '\u{12031}',
    '\u{3000}',
    '\u{a0}',
    '日',
    'ｱ',
    'é',
    'a',
    'm',
    '[',
    ']',
    ';',
    '/',
    '#',
    '"',
    '\\',
    ' ',
];

/// Sequences that terminals obey, and a tower of marks.
const PARTS: [&str; 4] = [
    "\u{1b}]0;title\u{7}",
    "\u{1b}[2J",
    "https://github.com/acme/docs/pull/",
    concat!(
        "x",
        "\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}\u{30a}\u{30b}\u{30c}"
    ),
];

fn hostile() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<u32>(), 0..40)
        .prop_map(|numbers| numbers.into_iter().map(hostile_part).collect())
}

fn hostile_part(number: u32) -> String {
    let pick = usize::try_from(number / 16).unwrap();
    match number % 16 {
        0 => PARTS[pick % PARTS.len()].into(),
        1..=10 => NASTY[pick % NASTY.len()].into(),
        _ => char::from_u32(number / 16 % 0x11_0000)
            .unwrap_or('x')
            .into(),
    }
}

/// Whether a terminal may do anything with `c` but show it.
fn is_dangerous(c: char) -> bool {
    matches!(
        CodePointMapData::<GeneralCategory>::new().get(c),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::PrivateUse
            | GeneralCategory::Surrogate
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    ) || matches!(c, '\u{e0000}'..='\u{e0fff}')
}

fn check_text(text: &str) -> Result<(), String> {
    if let Some(c) = text.chars().find(|c| is_dangerous(*c)) {
        return Err(format!("{c:?} in {text:?}"));
    }
    match text.graphemes(true).find(|g| g.len() > MAX_GRAPHEME_BYTES) {
        Some(long) => Err(format!("{} bytes in {long:?}", long.len())),
        None => Ok(()),
    }
}

/// Every cell is safe, and as wide as the buffer takes it to be: a wide one has blanks behind it.
fn check_buffer(buffer: &Buffer) -> Result<(), String> {
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            if matches!(symbol.as_bytes(), [b' '..=b'~']) {
                x += 1;
                continue;
            }
            check_text(symbol)?;
            let width = u16::try_from(symbol.width()).unwrap();
            let covered = x + 1..x + width;
            let fits = width > 0 && covered.end <= buffer.area.width;
            if !fits || !covered.clone().all(|x| buffer[(x, y)].symbol() == " ") {
                return Err(format!("{symbol:?} is {width} wide at {x},{y}"));
            }
            x += width;
        }
    }
    Ok(())
}

/// A board whose every text is `text`: two rows that were seen, one of them failing since.
fn board_of(text: &str) -> (Board, Vec<JobEvent>) {
    let some = (!text.is_empty()).then(|| text.to_owned());
    let project = project("docs", some.as_deref());
    let rows = ["job_1", "job_2"].map(|id| watched(&project, id, some.as_deref(), &[text]));
    let mut board = Board::new(rows.iter().cloned());
    let job = Job {
        status: some.as_deref().map(Status::from_api),
        repository: some.clone(),
        branch: some.clone(),
        model: some.clone(),
        pull_request: some.map(PullRequest::new),
        created_at: None,
        archived_at: None,
    };
    let mut events = Vec::new();
    for row in &rows {
        see(&mut board, &row.key, Job::default(), 9);
        events.extend(see(&mut board, &row.key, job.clone(), 3));
    }
    fail(&mut board, &rows[0].key, ErrorKind::Server, text, 2);
    (board, events)
}

fn draw(app: &App, board: &Board) -> Buffer {
    let Size { width, height } = app.size();
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| screen::draw(frame, app, board, now()))
        .unwrap();
    terminal.backend().buffer().clone()
}

/// The keys to the modes that show text from outside: the table with the details beside or below it,
/// the details, the errors, and a filter to paste into.
const MODES: [&str; 4] = ["p", "<enter>", "e", "/"];

fn check_screen(
    (board, events): &(Board, Vec<JobEvent>),
    mode: &str,
    pasted: &str,
    width: u16,
) -> Result<(), String> {
    let mut app = App::new(Theme::new(true, false), "mintwatch", Size::new(width, 40));
    app.on_board(board, now());
    for event in events {
        app.on_event(event.clone(), board, now());
    }
    let paste = Event::Paste(pasted.into());
    for event in keys(mode).iter().chain([&paste]) {
        app.on_input(event, board, now());
    }
    check_buffer(&draw(&app, board)).map_err(|why| format!("after {mode}: {why}"))?;
    check_text(&app.title(board))
}

/// The forms that `list` prints: JSON, a table as wide as it needs, and one cut to a terminal.
const FORMS: [(bool, Option<u16>); 3] = [(true, None), (false, None), (false, Some(80))];

fn check_list(board: &Board, (json, width): (bool, Option<u16>)) -> Result<(), String> {
    let args = ListArgs {
        json,
        ..ListArgs::default()
    };
    let style = OutputStyle {
        theme: Theme::new(false, false),
        width,
    };
    let mut out = Vec::new();
    args.print(board, style, now(), &mut out).unwrap();
    check_printed(&String::from_utf8(out).unwrap(), json, board.rows().len())
}

fn check_printed(out: &str, json: bool, rows: usize) -> Result<(), String> {
    out.lines().try_for_each(check_text)?;
    if json {
        check_json(&serde_json::from_str(out).unwrap())
    } else if out.lines().count() == 1 + rows {
        Ok(())
    } else {
        Err(format!("not one line a job: {out:?}"))
    }
}

fn check_json(value: &Value) -> Result<(), String> {
    match value {
        Value::String(text) => check_text(text),
        Value::Array(items) => items.iter().try_for_each(check_json),
        Value::Object(members) => members.values().try_for_each(check_json),
        _ => Ok(()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10_000) })]

    #[test]
    fn nothing_hostile_reaches_a_cell(raw in hostile(), mode in 0..MODES.len(), width in 1_u16..140) {
        let checked = check_screen(&board_of(&clean(&raw)), MODES[mode], &raw, width);
        prop_assert!(checked.is_ok(), "{checked:?}");
    }

    #[test]
    fn nothing_hostile_is_listed(raw in hostile(), form in 0..FORMS.len()) {
        let checked = check_list(&board_of(&clean(&raw)).0, FORMS[form]);
        prop_assert!(checked.is_ok(), "{checked:?}");
    }
}

/// Hostile strings that are the same in every run.
fn some_hostile(count: usize) -> Vec<String> {
    let mut runner = TestRunner::deterministic();
    let strategy = hostile();
    (0..count)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect()
}

/// A config whose labels, tags and project name are `texts`, as far as TOML can say them.
fn hostile_config(base_url: &str, texts: &[String]) -> String {
    let quoted = |text: &String| {
        serde_json::to_string(text)
            .unwrap()
            .replace('\u{7f}', "\\u007f")
    };
    let jobs: Vec<String> = (0..texts.len())
        .map(|at| {
            format!(
                "{{ id = \"job_{at}\", label = {0}, tags = [{0}] }}",
                quoted(&texts[at])
            )
        })
        .collect();
    format!(
        "base_url = \"{base_url}\"\n[[projects]]\nid = \"p\"\nname = {}\njobs = [{}]\n",
        quoted(&texts[0]),
        jobs.join(",\n")
    )
}

fn hostile_job(text: &str) -> Value {
    json!({
        "id": text, "status": text, "source": { "repository": text, "ref": text }, "model": text,
        "prLink": text, "createdAt": text, "archivedAt": text, text: text,
    })
}

#[tokio::test]
async fn nothing_hostile_comes_in_through_the_config_and_the_wire() {
    // A label of nothing but hostile characters is refused by the config: a letter is added.
    let texts: Vec<String> = some_hostile(60)
        .iter()
        .map(|text| format!("{text}x"))
        .collect();
    let server = FakeServer::start();
    for (at, text) in texts.iter().enumerate() {
        let reply = match at % 3 {
            0 => Reply::json(500, &json!({ "error": text })),
            _ => Reply::json(200, &hostile_job(text)),
        };
        server.set("p", &format!("job_{at}"), reply);
    }
    let config = hostile_config(&server.base_url(), &texts);
    let mut poller = setup::start(&config);
    tokio::time::timeout(PATIENT, poller.first_round())
        .await
        .unwrap();

    let board = poller.board().borrow().clone();
    assert_eq!(board.counts().errors, 20);
    let told = (board.clone(), Vec::new());
    for (at, text) in texts.iter().enumerate() {
        for mode in MODES {
            let sequence = "j".repeat(at) + mode;
            check_screen(&told, &sequence, text, 130).unwrap();
        }
    }
    for form in FORMS {
        check_list(&board, form).unwrap();
    }
}
