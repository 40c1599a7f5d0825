//! The mouse, and keys and columns other than the defaults: clicks, hints and drawing agree.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::path::Path;
use std::time::Duration;

use crossterm::event::{Event, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use jiff::Timestamp;
use mintwatch::board::Board;
use mintwatch::config::Config;
use mintwatch::failure::ErrorKind;
use mintwatch::job::JobKey;
use mintwatch::tui::app::{App, Effect, Mode};
use mintwatch::tui::screen;
use mintwatch::view::theme::{Role, Theme};
use mintwatch::view::views::ViewId;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Size;
use support::board::{ago, board, fail, job, now, project, realistic, watched};
use support::drawn::{line, text};
use support::keys::keys;

const CLICK: MouseEventKind = MouseEventKind::Down(MouseButton::Left);
const TABS: u16 = 1;
const HEADER: u16 = 2;

struct Screen {
    app: App,
    board: Board,
}

impl Screen {
    /// A screen of this size, as `config` wants it, after the keys of `sequence`.
    fn new(config: &str, sequence: &str, size: (u16, u16)) -> Self {
        Self::with_board(realistic(), config, sequence, size)
    }

    /// The same for another board than the realistic one.
    fn with_board(board: Board, config: &str, sequence: &str, (width, height): (u16, u16)) -> Self {
        let config = Config::parse(config, Path::new("config.toml")).unwrap();
        let mut app = App::new(
            Theme::new(true, false),
            "mintwatch",
            Size::new(width, height),
        );
        app.projects = vec![project("64f0c1e2", Some("docs"))];
        app.start_with(&config).unwrap();
        app.on_board(&board, now());
        let mut screen = Self { app, board };
        screen.press(sequence);
        screen
    }

    fn press(&mut self, sequence: &str) -> Effect {
        let mut effect = Effect::None;
        for event in keys(sequence) {
            effect = self.app.on_input(&event, &self.board, now());
        }
        effect
    }

    fn mouse(&mut self, kind: MouseEventKind, column: u16, row: u16) -> Effect {
        self.mouse_at(kind, column, row, now())
    }

    fn mouse_at(&mut self, kind: MouseEventKind, column: u16, row: u16, time: Timestamp) -> Effect {
        let event = Event::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        });
        self.app.on_input(&event, &self.board, time)
    }

    fn click_at(&mut self, column: u16, row: u16, time: Timestamp) {
        self.mouse_at(CLICK, column, row, time);
    }

    fn click(&mut self, column: u16, row: u16) -> Effect {
        self.mouse(CLICK, column, row)
    }

    fn draw(&self) -> Buffer {
        self.draw_at(now())
    }

    fn draw_at(&self, time: Timestamp) -> Buffer {
        let Size { width, height } = self.app.size();
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal
            .draw(|frame| screen::draw(frame, &self.app, &self.board, time))
            .unwrap();
        terminal.backend().buffer().clone()
    }

    fn line(&self, y: u16) -> String {
        line(&self.draw(), y)
    }

    /// The cell at which the word `text` begins in line `y`.
    fn find(&self, y: u16, text: &str) -> u16 {
        let line = self.line(y);
        let is_word = |at: &(usize, &str)| {
            let (before, after) = (&line[..at.0], &line[at.0 + text.len()..]);
            before.ends_with(' ') && !after.starts_with(char::is_alphanumeric)
        };
        let found = line.match_indices(text).find(is_word);
        let (at, _) = found.unwrap_or_else(|| panic!("{text} in {line}"));
        u16::try_from(line[..at].chars().count()).unwrap()
    }

    /// The name of the selected job.
    fn selected(&self) -> &str {
        let row = self.app.listing.selected_row(&self.board);
        row.unwrap().title()
    }
}

fn assert_drawn(name: &str, screen: &Screen) {
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!(name, text(&screen.draw()));
    });
}

#[test]
fn a_click_selects_the_row_that_is_drawn_there() {
    for (config, sequence, size) in [
        ("", "", (80, 24)),
        ("", "p", (80, 24)),
        ("", "p", (200, 50)),
        ("ui.columns = ['job']", "G", (60, 12)),
    ] {
        let mut screen = Screen::new(config, sequence, size);
        let drawn = screen.draw();
        for y in [3, 6, 4] {
            assert_eq!(screen.click(6, y), Effect::None);
            let line = line(&drawn, y);
            let name = screen.selected();
            let shown: String = name.chars().take(6).collect();
            assert!(line.contains(&shown), "{name} in {line}");
        }
    }
}

#[test]
fn a_click_beside_the_rows_does_nothing() {
    let mut screen = Screen::new("ui.view = 'failed'", "", (80, 24));
    let rows = screen.app.listing.len();
    assert!((1..15).contains(&rows), "{rows}");
    let before = text(&screen.draw());
    let last = u16::try_from(rows).unwrap() + HEADER;
    for (x, y) in [
        (6, last + 1),
        (6, 22),
        (6, 23),
        (6, 0),
        (79, 1),
        (500, 500),
        (0, HEADER),
    ] {
        assert_eq!(screen.click(x, y), Effect::None);
        assert_eq!(text(&screen.draw()), before, "{x} {y}");
    }
    for kind in [
        MouseEventKind::Up(MouseButton::Left),
        MouseEventKind::Down(MouseButton::Right),
        MouseEventKind::Moved,
    ] {
        screen.app.take_dirty();
        assert_eq!(screen.mouse(kind, 6, 4), Effect::None);
        assert!(!screen.app.is_dirty(), "{kind:?}");
    }
}

#[test]
fn a_click_on_a_title_sorts_and_again_turns_it_round() {
    for config in [
        "",
        "ui.columns = ['seen', 'pr', 'age', 'job', 'status', 'branch']",
    ] {
        let mut screen = Screen::new(config, "", (200, 24));
        for id in screen.app.listing.columns().to_vec() {
            let title = id.column().title;
            if !screen.line(HEADER).contains(title) {
                assert_eq!(title, "SINCE", "no change was seen yet");
                continue;
            }
            if screen.app.listing.sort().column != id {
                let x = screen.find(HEADER, title);
                screen.click(x, HEADER);
                assert!(screen.line(HEADER).contains(&format!("{title}▲")));
            }
            let x = screen.find(HEADER, &format!("{title}▲"));
            screen.click(x, HEADER);
            assert!(screen.line(HEADER).contains(&format!("{title}▼")));
        }
    }
}

#[test]
fn a_click_on_a_pull_request_opens_that_one() {
    for config in ["", "ui.columns = ['pr', 'job']"] {
        let mut screen = Screen::new(config, "<space><space>", (200, 24));
        let x = screen.find(HEADER, "PR");
        let y = (3..23).find(|y| screen.line(*y).contains('#')).unwrap();
        let effect = screen.click(x, y);
        let row = screen.app.listing.selected_row(&screen.board).unwrap();
        let link = row.pull_request().unwrap().link().unwrap().clone();
        assert!(
            screen
                .line(y)
                .contains(&row.pull_request().unwrap().short())
        );
        assert_eq!(effect, Effect::Open(vec![link]));
        // Where there is none, the row is selected.
        let drawn = screen.draw();
        let y = (3..23).find(|y| drawn[(x, *y)].symbol() == "–").unwrap();
        assert_eq!(screen.click(x, y), Effect::None);
    }
}

#[test]
fn a_click_on_a_tab_goes_to_the_view_that_is_drawn_there() {
    for size in [(200, 50), (80, 24), (50, 12)] {
        for sequence in ["", "/e", "?", "<enter>", "e", "p"] {
            // Those that are there only now and then have no number.
            let steady = ViewId::all().filter(|id| !id.view().is_occasional);
            for (at, view) in steady.enumerate() {
                let mut screen = Screen::new("", sequence, size);
                screen.app.listing.set_view(view.next(), &screen.board);
                let line = screen.line(TABS).replace('│', " ");
                let number = at + 1;
                let forms = [
                    format!(" {number} {}", view.view().title),
                    format!(" {number}:"),
                ];
                let found = forms.iter().find_map(|form| line.find(form));
                let at = found.unwrap_or_else(|| panic!("{number} in {line}"));
                screen.click(u16::try_from(at).unwrap() + 1, TABS);
                assert_eq!(screen.app.listing.view(), view, "{line}");
                assert!(text(&screen.draw()).contains("JOB"), "the table is back");
            }
        }
    }
}

#[test]
fn the_wheel_moves_the_selection_or_scrolls_the_text() {
    let mut screen = Screen::new("", "", (80, 24));
    screen.mouse(MouseEventKind::ScrollDown, 6, 5);
    screen.mouse(MouseEventKind::ScrollDown, 6, 5);
    screen.mouse(MouseEventKind::ScrollUp, 6, 5);
    assert_eq!(screen.app.listing.cursor(), 1);
    for sequence in ["?", "<enter>", "e"] {
        let mut screen = Screen::new("", sequence, (80, 12));
        screen.mouse(MouseEventKind::ScrollDown, 6, 5);
        screen.mouse(MouseEventKind::ScrollDown, 6, 5);
        assert_eq!((screen.app.scroll, screen.app.listing.cursor()), (6, 0));
        screen.mouse(MouseEventKind::ScrollUp, 6, 5);
        assert_eq!(screen.app.scroll, 3, "{sequence}");
    }
    // Over the pane beside the table it scrolls the pane.
    let mut screen = Screen::new("", "p", (200, 24));
    screen.mouse(MouseEventKind::ScrollDown, 190, 5);
    assert_eq!((screen.app.scroll, screen.app.listing.cursor()), (3, 0));
    screen.mouse(MouseEventKind::ScrollDown, 6, 5);
    assert_eq!((screen.app.scroll, screen.app.listing.cursor()), (0, 1));
}

#[test]
fn a_question_is_answered_with_keys_alone() {
    let mut screen = Screen::new("", "          O", (80, 24));
    let before = text(&screen.draw());
    assert!(before.contains("y/n"));
    for y in 0..24 {
        assert_eq!(screen.click(10, y), Effect::None);
        assert_eq!(
            screen.mouse(MouseEventKind::ScrollDown, 10, y),
            Effect::None
        );
    }
    assert_eq!(text(&screen.draw()), before);
}

#[test]
fn anywhere_on_any_screen_a_click_is_taken_without_a_panic() {
    for sequence in ["", "p", "?", "e", "<enter>", "/a", "/zzz"] {
        for (width, height) in [(0, 0), (1, 1), (5, 3), (20, 8), (130, 20)] {
            let mut screen = Screen::new("", sequence, (width, height));
            for (x, y) in (0..width + 2).flat_map(|x| (0..height + 2).map(move |y| (x, y))) {
                screen.click(x, y);
                screen.mouse(MouseEventKind::ScrollDown, x, y);
            }
        }
    }
}

const REBOUND: &str = "\
[keys]
open = ['z', 'ctrl-o', 'f5', 'insert']
quit = 'ctrl-q'
details = 'right'
back = 'left'
filter = []
errors = 'E'
view-all = 'A'
view-needs-you = []
[ui]
columns = ['job', 'pr', 'age', 'status']
sort = '-age'
view = 'completed'
";

#[test]
fn the_screen_follows_the_config() {
    for (width, height) in [(200, 50), (80, 24)] {
        let mut screen = Screen::new(REBOUND, "", (width, height));
        assert_drawn(&format!("rebound_{width}x{height}"), &screen);
        screen.press("?");
        assert_drawn(&format!("rebound_help_{width}x{height}"), &screen);
    }
    let mut screen = Screen::new(REBOUND, "6", (80, 24));
    screen.app.listing.set_filter("zzzz", &screen.board);
    assert!(text(&screen.draw()).contains("Left clears the filter."));
}

#[test]
fn the_keys_of_the_config_act_and_those_they_replace_do_not() {
    let mut screen = Screen::new(REBOUND, "", (80, 24));
    assert_eq!(screen.press("o"), Effect::None);
    assert_eq!(screen.press("q/"), Effect::None);
    assert!(matches!(screen.press("<^o>"), Effect::Open(_)));
    screen.press("A");
    assert_eq!(screen.app.listing.view(), ViewId::EVERYTHING);
    // While a filter is typed, only Ctrl and a letter suspends.
    let mut typing = Screen::new("keys.suspend = ['Z', 'ctrl-t']", "/", (80, 24));
    assert_eq!(typing.press("Z"), Effect::None);
    assert_eq!(typing.press("<^z>"), Effect::None);
    assert_eq!(typing.press("<^t>"), Effect::Suspend);
    assert_eq!(typing.app.listing.filter().text(), "Z");
    assert_eq!(screen.press("<^q>"), Effect::Quit);
    assert_eq!(screen.press("<^c>"), Effect::Quit);
}

#[test]
fn the_order_is_that_of_the_column_whose_letter_is_pressed() {
    let mut screen = Screen::new("ui.columns = ['age', 'status', 'job', 'pr']", "", (80, 24));
    let sorted_by = |screen: &Screen| {
        let sort = screen.app.listing.sort();
        (sort.column.column().name, sort.reversed)
    };
    for (keys, want) in [
        ("sj", ("job", false)),
        ("sj", ("job", true)),
        ("sR", ("pr", false)),
        ("S", ("pr", true)),
        ("ss", ("status", false)),
        // No column in use has this letter, and these are no letters.
        ("sm", ("status", false)),
        ("s<esc>", ("status", false)),
        ("s<down>", ("status", false)),
    ] {
        screen.press(keys);
        assert_eq!(sorted_by(&screen), want, "{keys}");
    }
    let mut screen = Screen::new("ui.sort = 'seen'\nui.columns = ['pr', 'job']", "", (80, 24));
    assert!(screen.line(HEADER).contains("JOB by SEEN▲"));
    screen.press("s");
    assert!(screen.line(23).contains(" Sort by pR Job"));
    let screen = Screen::new("", "s", (80, 24));
    let want = " Sort by Status▲ Job Project Branch pR Model Age sInce sEen";
    assert!(screen.line(23).contains(want), "{}", screen.line(23));
    // Whatever message there was, however long.
    let mut screen = Screen::new("", "", (80, 24));
    let message = "long ".repeat(40);
    screen.app.show_message(message, Role::Bad, now());
    screen.press("s");
    assert!(screen.line(23).contains(want), "{}", screen.line(23));
    // The table is clicked on as ever.
    screen.click(screen.find(HEADER, "PR"), HEADER);
    assert_eq!(sorted_by(&screen), ("pr", false));
    assert!(!screen.line(23).contains("Sort by"));
}

#[test]
fn a_double_click_opens_the_details() {
    let later = |millis| now() + Duration::from_millis(millis);
    for (first, second, millis, opens) in
        [(4, 4, 300, true), (4, 4, 500, false), (4, 5, 300, false)]
    {
        let mut screen = Screen::new("", "", (80, 24));
        screen.click_at(6, first, now());
        screen.click_at(6, second, later(millis));
        let details = matches!(screen.app.mode, Mode::Details);
        assert_eq!(details, opens, "{first} {second} {millis}");
    }
}

#[test]
fn a_key_in_the_footer_is_clicked_on() {
    let footer = 23;
    for (sequence, word, mode) in [
        ("j", "? help", "Help"),
        ("j", "Enter details", "Details"),
        ("?", "Esc back", "Table"),
        ("s", "Esc cancel", "Table"),
        ("/x", "Esc clear", "Table"),
        ("n", "Esc later", "Table"),
    ] {
        let mut screen = Screen::new("", sequence, (80, 24));
        let at = screen.find(footer, word);
        screen.click(at - 1, footer);
        screen.click(at + u16::try_from(word.len()).unwrap() + 1, footer);
        assert!(
            !format!("{:?}", screen.app.mode).starts_with(mode),
            "{word}"
        );
        screen.click(at, footer);
        assert!(format!("{:?}", screen.app.mode).starts_with(mode), "{word}");
    }
    let mut screen = Screen::new("", "", (80, 24));
    let at = screen.find(footer, "q quit");
    assert_eq!(screen.click(at + 3, footer), Effect::Quit);
}

#[test]
fn the_details_beside_the_table_are_scrolled_by_key() {
    let mut screen = Screen::new("", "jjp", (80, 24));
    let (selected, top) = (screen.selected().to_owned(), text(&screen.draw()));
    assert!(top.contains("more J"), "{top}");
    screen.press("JJ");
    let scrolled = text(&screen.draw());
    assert!(scrolled.contains("2 more K"), "{scrolled}");
    screen.press("KK");
    assert_eq!(text(&screen.draw()), top);
    assert_eq!(screen.selected(), selected);
}

/// One archived job that is fresh for ever: nothing about it changes but its ages.
fn archived() -> Board {
    let job = job("archived", "mintlify/sdk", None, 3 * 3600 + 60);
    board(vec![(
        watched(&project("docs", None), "job_01", None, &[]),
        Some(job),
    )])
}

fn without_valid_key() -> Board {
    let mut board = archived();
    let key = JobKey::new("docs", "job_01");
    fail(&mut board, &key, ErrorKind::Auth, "the key was refused", 10);
    board
}

#[test]
fn hints_name_the_keys_that_are_bound() {
    for (board, config, sequence, want) in [
        (realistic(), "", "", "3 failing, e says why"),
        (
            realistic(),
            "keys.errors = 'E'",
            "",
            "3 failing, E says why",
        ),
        (realistic(), "keys.errors = []", "", "3 failing · 2 stale"),
        (
            Board::default(),
            "",
            "",
            "n starts a job, a watches one that exists",
        ),
        (
            Board::default(),
            "keys.add = 'insert'",
            "",
            "Insert watches one that exists",
        ),
        (
            Board::default(),
            "keys.add = []",
            "",
            "n starts a job, add (no key bound) watches one",
        ),
        (
            without_valid_key(),
            "keys.poll-all = 'ctrl-r'",
            "<enter>",
            "Once that is fixed, Ctrl-R looks for the key again.",
        ),
        (
            without_valid_key(),
            "keys.poll-all = []",
            "<enter>",
            "Once that is fixed, poll-all (no key bound) looks for the key again.",
        ),
    ] {
        let screen = Screen::with_board(board, config, sequence, (200, 24));
        let shown = text(&screen.draw());
        assert!(shown.contains(want), "{config}: {want} is not in\n{shown}");
    }
}

#[test]
fn the_screen_wakes_only_for_the_ages_that_it_shows() {
    for (columns, width, wakes) in [
        ("'job', 'age'", 80, true),
        ("'job', 'branch'", 80, false),
        ("'status', 'job', 'pr', 'age'", 24, false),
    ] {
        let config = format!("ui.columns = [{columns}]");
        let screen = Screen::with_board(archived(), &config, "", (width, 24));
        assert_eq!(screen.app.wake_at().is_some(), wakes, "{columns}");
    }
}

#[test]
fn every_age_in_the_details_is_kept_up_to_date() {
    // Created 3h, archived 90 minutes and failing for 10 seconds before now.
    let mut screen = Screen::with_board(
        without_valid_key(),
        "ui.columns = ['job']",
        "<enter>",
        (80, 24),
    );
    for (seconds, want) in [
        (50, "Polls fail since 2026-11-23 08:59:50 (1m ago)"),
        (1_770, "2026-11-23 07:29:30 (2h ago)"),
        (3_540, "2026-11-23 05:59:00 (4h ago)"),
    ] {
        let before = ago(0) + std::time::Duration::from_secs(seconds - 1);
        screen.app.on_time(&screen.board, before);
        screen.app.take_dirty();
        let then = ago(0) + std::time::Duration::from_secs(seconds);
        screen.app.on_time(&screen.board, then);
        assert!(screen.app.is_dirty(), "{want}");
        let shown = text(&screen.draw_at(then));
        assert!(shown.contains(want), "{want} is not in\n{shown}");
    }
}
