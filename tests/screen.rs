//! What is drawn, at the common sizes in every mode, and that nothing hostile reaches a cell.
//!
//! Everything here is a function of its arguments: no clock, no network, no terminal. The snapshots
//! are in `tests/snapshots`.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::time::Duration;

use crossterm::event::Event;
use mintwatch::board::Board;
use mintwatch::event::{Change, Event as ChangeEvent};
use mintwatch::job::{Acknowledgement, Fingerprint, JobKey, Status};
use mintwatch::store::StoredEvent;
use mintwatch::tui::app::App;
use mintwatch::tui::{Notice, screen};
use mintwatch::view::theme::Theme;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Size;
use ratatui::style::{Color, Modifier};
use support::board::{ago, all_failing, events, never_seen, now, project, realistic, stale};
use support::drawn::{cells, line, row_of, selected, text};
use support::keys::keys;

const SIZES: [(u16, u16); 3] = [(200, 50), (80, 24), (40, 12)];
/// Between those, for the scenes that are looked at all day.
const MORE_SIZES: [(u16, u16); 4] = [(160, 40), (120, 30), (100, 30), (60, 20)];
const AT_MORE_SIZES: [&str; 4] = ["table", "pane", "help", "details"];

/// A board and the keys that lead to a mode of the screen.
struct Scene {
    name: &'static str,
    board: fn() -> Board,
    keys: &'static str,
}

const SCENES: [Scene; 18] = [
    scene("table", realistic, ""),
    scene("details", realistic, "/quickstart<enter><enter>"),
    scene("details_of_a_failing_job", realistic, "/zx9<enter><enter>"),
    scene("pane", realistic, "jp"),
    scene("help", realistic, "?"),
    scene("filter_typed", realistic, "/rel"),
    scene("filter_without_match", realistic, "/zz<enter>"),
    scene("errors", realistic, "e"),
    scene("changes", changed, "c"),
    scene("acknowledged", changed, "d"),
    scene("acknowledged_view", changed, "D"),
    scene("needs_you", realistic, "2sS"),
    scene("marked", realistic, "<space>j<space>"),
    scene("confirm", realistic, "          O"),
    scene("empty", Board::default, ""),
    scene("all_failing", all_failing, ""),
    scene("never_seen", never_seen, ""),
    scene("stale", stale, ""),
];

const fn scene(name: &'static str, board: fn() -> Board, keys: &'static str) -> Scene {
    Scene { name, board, keys }
}

fn colour() -> Theme {
    Theme::new(true, false)
}

/// Two jobs have changed that nobody has seen yet, and one is acknowledged.
fn changed() -> Board {
    let mut board = realistic();
    board.mark_seen(ago(300));
    let failed = board.rows().iter().find(|row| row.needs_you()).unwrap();
    let acknowledged = Acknowledgement {
        key: failed.key().clone(),
        seen: failed.job.as_ref().map(Fingerprint::from),
    };
    board.acknowledge(&[acknowledged]);
    board
}

/// What the store has of the two days before.
fn earlier() -> Vec<StoredEvent> {
    let changes = [
        (180_000, None, "active", "failed", Some(25)),
        (100_000, None, "failed", "active", None),
        (50_000, Some(90_000), "active", "completed", None),
        (8_000, None, "completed", "active", None),
    ];
    let stored = |(seconds, since, from, to, ran): (u64, Option<u64>, &str, &str, Option<u64>)| {
        let [from, to] = [from, to].map(|word| Some(Status::from_api(word)));
        StoredEvent {
            event: ChangeEvent {
                at: ago(seconds),
                since: since.map(ago),
                key: JobKey::new("docs", "job_01HZX9"),
                change: Change::Status { from, to },
            },
            ran: ran.map(Duration::from_mins),
        }
    };
    changes.map(stored).to_vec()
}

/// The state of the screen after `sequence`.
fn app(theme: Theme, board: &Board, sequence: &str, (width, height): (u16, u16)) -> App {
    let mut app = App::new(theme, "mintwatch", Size::new(width, height));
    app.config_path = Some("/home/you/.config/mintwatch/config.toml".into());
    app.projects = vec![project("64f0c1e2", Some("docs"))];
    app.on_board(board, now());
    app.on_notice(Notice::Changes(earlier()), board, ago(90));
    // Long enough ago for their notices to have expired.
    for event in events() {
        app.on_event(event, board, ago(60));
    }
    for event in keys(sequence) {
        app.on_input(&event, board, now());
    }
    app.on_time(board, now());
    app
}

fn draw(app: &App, board: &Board) -> Buffer {
    let Size { width, height } = app.size();
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| screen::draw(frame, app, board, now()))
        .unwrap();
    terminal.backend().buffer().clone()
}

fn draw_scene(scene: &Scene, theme: Theme, size: (u16, u16)) -> Buffer {
    let board = (scene.board)();
    draw(&app(theme, &board, scene.keys, size), &board)
}

fn assert_drawn(name: &str, buffer: &Buffer) {
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!(name, text(buffer));
    });
}

#[test]
fn every_mode_at_every_common_size() {
    for scene in &SCENES {
        let is_frequent = AT_MORE_SIZES.contains(&scene.name);
        let more = MORE_SIZES.iter().filter(|_| is_frequent);
        for &(width, height) in SIZES.iter().chain(more) {
            let buffer = draw_scene(scene, colour(), (width, height));
            assert_drawn(&format!("{}_{width}x{height}", scene.name), &buffer);
        }
    }
}

#[test]
fn without_a_project_it_says_how_to_add_one() {
    let board = Board::default();
    for (width, height) in SIZES {
        let mut app = app(colour(), &board, "", (width, height));
        app.projects.clear();
        assert_drawn(&format!("no_project_{width}x{height}"), &draw(&app, &board));
    }
}

/// Also with no rows or no columns at all, as while a pane is being dragged.
#[test]
fn every_mode_is_drawn_at_every_small_size() {
    let board = realistic();
    for (width, height) in (0..12).flat_map(|width| (0..8).map(move |height| (width, height))) {
        for sequence in [
            "",
            "n",
            "f",
            "a",
            "na long word<enter>",
            "<enter>",
            "p",
            "?",
            "e",
            "/x",
            "x",
        ] {
            let mut app = app(colour(), &board, "", (width, height));
            for event in keys(sequence) {
                app.on_input(&event, &board, now());
                draw(&app, &board);
            }
        }
    }
}

#[test]
fn in_ascii_nothing_else_is_drawn() {
    let theme = Theme::new(true, true);
    for scene in &SCENES {
        for size in SIZES {
            let buffer = draw_scene(scene, theme, size);
            assert!(text(&buffer).is_ascii(), "{} at {size:?}", scene.name);
        }
    }
    assert_drawn(
        "table_ascii_80x24",
        &draw_scene(&SCENES[0], theme, (80, 24)),
    );
}

#[test]
fn without_colour_no_cell_has_one_and_the_words_are_the_same() {
    let theme = Theme::new(false, false);
    for scene in &SCENES {
        for size in SIZES {
            let buffer = draw_scene(scene, theme, size);
            for cell in buffer.content() {
                assert_eq!(
                    (cell.fg, cell.bg),
                    (Color::Reset, Color::Reset),
                    "{}",
                    scene.name
                );
            }
            let coloured = draw_scene(scene, colour(), size);
            assert_eq!(text(&buffer), text(&coloured));
            // Only what is known of jobs has colours.
            if !matches!(scene.name, "empty" | "never_seen") {
                assert_ne!(buffer, coloured, "{} at {size:?}", scene.name);
            }
        }
    }
}

#[test]
fn at_any_size_every_mode_is_drawn_without_a_panic() {
    for scene in &SCENES {
        let board = (scene.board)();
        let mut app = app(colour(), &board, scene.keys, (80, 24));
        for pane in [false, true] {
            app.pane = pane;
            for (width, height) in (0..=60).flat_map(|x| (0..=20).map(move |y| (x, y))) {
                app.on_input(&Event::Resize(width, height), &board, now());
                draw(&app, &board);
            }
        }
    }
}

#[test]
fn a_screen_that_grew_since_the_last_event_is_drawn_too() {
    let board = realistic();
    let app = app(colour(), &board, "p", (80, 24));
    for (width, height) in [(0, 0), (1, 1), (79, 3), (200, 50)] {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal
            .draw(|frame| screen::draw(frame, &app, &board, now()))
            .unwrap();
    }
}

/// The selected row is lighter instead: dim and in reverse, it would be grey on grey.
#[test]
fn what_the_filter_found_is_underlined() {
    let board = realistic();
    for (filter, row, want) in [
        ("sdk", "SDK quickstart", "SDKsdk"),
        ("job:sdk", "SDK quickstart", "SDK"),
        ("#41", "SDK quickstart", "#41"),
        ("日本", "日本語の使い方", "日本日本"),
        ("status:fail", "Broken links", "fail"),
        ("!sdk", "Broken links", ""),
    ] {
        let app = app(colour(), &board, &format!("/{filter}<enter>"), (200, 50));
        let buffer = draw(&app, &board);
        let y = row_of(&buffer, row).unwrap();
        let cells = (0..200).map(|x| &buffer[(x, y)]);
        let underlined = cells.filter(|cell| cell.modifier.contains(Modifier::UNDERLINED));
        let found: String = underlined.map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(found.replace(' ', ""), want, "{filter}");
    }
}

#[test]
fn stale_rows_are_dim_and_fresh_ones_are_not() {
    let board = stale();
    for (sequence, job, want) in [
        ("g", "job_01", Modifier::DIM),
        ("G", "job_02", Modifier::DIM),
        ("g", "job_03", Modifier::empty()),
        ("g", "job_02", Modifier::REVERSED),
        ("G", "job_03", Modifier::REVERSED.union(Modifier::BOLD)),
    ] {
        let buffer = draw(&app(colour(), &board, sequence, (80, 24)), &board);
        let y = row_of(&buffer, job).unwrap();
        let at = line(&buffer, y).find(job).unwrap();
        let x = u16::try_from(line(&buffer, y)[..at].chars().count()).unwrap();
        assert_eq!(buffer[(x, y)].modifier, want, "{}", line(&buffer, y));
    }
}

#[test]
fn stale_rows_are_counted_as_time_goes_on_and_when_it_goes_back() {
    let board = realistic();
    let mut app = app(colour(), &board, "", (80, 24));
    let counted = app.stale_rows();
    let later = now() + jiff::SignedDuration::from_hours(24 * 365);
    app.on_time(&board, later);
    assert!(app.stale_rows() > counted, "{counted}");
    app.on_time(&board, now());
    assert_eq!(app.stale_rows(), counted);
}

/// A frame costs what it shows, not what is watched: what it needs of all rows is counted before.
#[test]
fn no_drawing_looks_at_all_rows() {
    let draws = [
        include_str!("../src/tui/compose.rs"),
        include_str!("../src/tui/detail.rs"),
        include_str!("../src/tui/errors.rs"),
        include_str!("../src/tui/help.rs"),
        include_str!("../src/tui/screen.rs"),
        include_str!("../src/tui/table.rs"),
    ];
    for source in draws {
        let (purpose, _) = source.split_once('\n').unwrap();
        assert!(!source.contains("board.rows()"), "{purpose}");
    }
}

#[test]
fn the_selected_row_alone_is_reversed() {
    let board = realistic();
    let buffer = draw(&app(colour(), &board, "j", (80, 24)), &board);
    let body = 3..23;
    let reversed =
        |y: &u16| cells(&buffer, *y).any(|cell| cell.modifier.contains(Modifier::REVERSED));
    assert_eq!(body.filter(reversed).count(), 1);
    assert!(
        selected(&buffer).unwrap().contains("SDK quickstart"),
        "{:?}",
        selected(&buffer)
    );
}
