//! Every width, with what is hard to lay out: a terminal shows each cell where it was drawn.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::num::NonZero;

use mintwatch::board::Board;
use mintwatch::text::{clean, width};
use mintwatch::tui::app::App;
use mintwatch::tui::hit_test::column_areas;
use mintwatch::tui::layout::areas;
use mintwatch::tui::screen;
use mintwatch::view::theme::Theme;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::{Terminal, TerminalOptions, Viewport};
use support::board::{board, job, now, project, watched};

const HEIGHT: u16 = 12;

/// So many jobs that are called, and tagged, by these texts in turn, in so many projects.
fn jobs(texts: &[&str], count: usize, projects: usize) -> Board {
    let projects: Vec<_> = (0..projects)
        .map(|at| {
            project(
                &format!("p{at}"),
                Some(&format!("{} {at}", clean(texts[0]))),
            )
        })
        .collect();
    let jobs = (0..count).map(|at| {
        let text = clean(texts[at % texts.len()]);
        let watched = watched(
            &projects[at % projects.len()],
            &format!("job_{at}"),
            Some(&text),
            &[],
        );
        let link = format!("https://github.com/acme/docs/pull/{at}");
        let branch = format!("mintlify/{text}");
        let job = job("completed", &branch, Some(&link), at as u64 * 1000);
        (watched, Some(job))
    });
    board(jobs.collect())
}

/// What is drawn, and the bytes that draw it.
fn draw(app: &App, board: &Board, size: Size) -> (Buffer, Vec<u8>) {
    let mut bytes = Vec::new();
    let viewport = Viewport::Fixed(Rect::from((ratatui::layout::Position::ORIGIN, size)));
    let options = TerminalOptions { viewport };
    let mut terminal = Terminal::with_options(CrosstermBackend::new(&mut bytes), options).unwrap();
    let frame = terminal
        .draw(|frame| screen::draw(frame, app, board, now()))
        .unwrap();
    let buffer = frame.buffer.clone();
    drop(terminal);
    (buffer, bytes)
}

fn nonzero(cells: u16) -> NonZero<u16> {
    NonZero::new(cells).unwrap()
}

fn check(name: &str, board: &Board, columns: u16) {
    let size = Size::new(columns, HEIGHT);
    let mut app = App::new(Theme::new(true, false), "mintwatch", size);
    app.on_board(board, now());
    let (buffer, bytes) = draw(&app, board, size);
    let mut terminal = vt100::Parser::new(nonzero(HEIGHT), nonzero(columns), 0);
    terminal.process(&bytes);
    for y in 0..HEIGHT {
        let mut x = 0;
        while x < columns {
            let drawn = buffer[(x, y)].symbol();
            let cells = u16::try_from(width(drawn)).unwrap().max(1);
            // Some terminals show a flag as its two letters.
            let shown = (x..x + cells).filter_map(|x| terminal.screen().cell(y, x));
            let shown: String = shown.map(vt100::Cell::contents).collect();
            assert_eq!(
                shown.trim_end(),
                drawn.trim_end(),
                "{name}, {columns}: {x}, {y}"
            );
            x += cells;
        }
    }
    let body = areas(size, false).body;
    let shown = column_areas(body, &app.listing, app.measure());
    for pair in shown.windows(2) {
        assert!(pair[0].x + pair[0].width < pair[1].x, "{name}, {columns}");
    }
    let last = shown.last().unwrap();
    assert!(last.x + last.width <= columns.max(5), "{name}, {columns}");
}

#[test]
fn at_every_width_a_terminal_shows_each_cell_where_it_was_drawn() {
    let long = "x".repeat(500);
    let texts = [
        &*long,
        "שלום עולם, זה תיעוד",
        "مرحبا بالعالم",
        "👨\u{200d}👩\u{200d}👧\u{200d}👦 family",
        "🇩🇪🇫🇷🇯🇵 flags",
        "日本語の使い方ガイド",
        "e\u{301}\u{302}\u{303} combined",
        "❤\u{fe0f} ☎\u{fe0e} 1\u{fe0f}\u{20e3}",
        "नमस्ते दुनिया",
        "",
    ];
    let boards = [
        ("none", Board::default()),
        ("one", jobs(&["SDK quickstart"], 1, 1)),
        ("hard texts", jobs(&texts, 20, 3)),
        (
            "40 projects",
            jobs(&["docs of a team with a long name"], 80, 40),
        ),
    ];
    for (name, board) in &boards {
        for columns in 1..=250 {
            check(name, board, columns);
        }
    }
    let equal = jobs(&["the same name"], 5_000, 1);
    for columns in [1, 40, 80, 250] {
        check("equal names", &equal, columns);
    }
    assert!(width(&clean(&long)) <= 500);
}
