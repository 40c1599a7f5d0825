//! The config that changes while the dashboard runs: what is taken of it, and what is wrong with it.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::path::Path;

use mintwatch::board::Board;
use mintwatch::config::{Config, ConfigError};
use mintwatch::tui::app::{App, Effect};
use mintwatch::tui::screen;
use mintwatch::tui::{Notice, Reloaded};
use mintwatch::view::theme::Theme;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Size;
use ratatui::style::Color;
use support::board::{now, realistic};
use support::drawn;
use support::fake_server::FakeServer;
use support::keys::keys;
use support::reply::Reply;
use support::session::{Call, Session};
use support::{PATIENT, setup, until};

const PATH: &str = "/home/you/.config/mintwatch/config.toml";

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new(PATH))
}

fn reloaded(text: &str, theme: Theme) -> Notice {
    Notice::Reloaded(Box::new(Reloaded {
        text: Some(String::from("the config has changed: 3 jobs")),
        config: parse(text).unwrap(),
        theme,
        projects: Vec::new(),
    }))
}

fn colour() -> Theme {
    Theme::new(true, false)
}

/// A screen, and the board that it shows.
struct Screen {
    app: App,
    board: Board,
}

impl Screen {
    fn start(config: &str, (width, height): (u16, u16)) -> Self {
        let board = realistic();
        let mut app = App::new(colour(), "mintwatch", Size::new(width, height));
        app.start_with(&parse(config).unwrap()).unwrap();
        app.on_board(&board, now());
        Self { app, board }
    }

    fn press(&mut self, sequence: &str) {
        for event in keys(sequence) {
            self.app.on_input(&event, &self.board, now());
        }
    }

    fn reload(&mut self, config: &str) -> Effect {
        let notice = reloaded(config, colour());
        self.app.on_notice(notice, &self.board, now())
    }

    fn refuse(&mut self, config: &str) -> ConfigError {
        let error = parse(config).unwrap_err();
        let notice = Notice::ConfigRefused(error.clone());
        self.app.on_notice(notice, &self.board, now());
        error
    }

    /// The columns that the config and the user have chosen, the order and the view.
    fn chosen(&self) -> (String, String, &'static str) {
        let listing = &self.app.listing;
        let names = listing.columns().iter().map(|id| id.column().name);
        let sort = listing.sort();
        let sign = if sort.reversed { "-" } else { "" };
        (
            names.collect::<Vec<_>>().join(" "),
            format!("{sign}{}", sort.column.column().name),
            listing.view().view().name,
        )
    }

    fn text(&self) -> String {
        let Size { width, height } = self.app.size();
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal
            .draw(|frame| screen::draw(frame, &self.app, &self.board, now()))
            .unwrap();
        drawn::text(terminal.backend().buffer())
    }
}

#[test]
fn a_changed_setting_is_taken_and_the_others_stay_as_the_user_has_them() {
    let before = "[ui]\ncolumns = ['status', 'job', 'pr']\nsort = 'age'\nview = 'active'";
    let mut screen = Screen::start(before, (80, 24));
    assert_eq!(
        screen.chosen(),
        ("status job pr".into(), "age".into(), "active")
    );
    // By hand: the status, reversed, and the view of failed jobs.
    screen.press("ssS5");
    let by_hand = ("status job pr".into(), "-status".into(), "failed");
    assert_eq!(screen.chosen(), by_hand);
    screen.reload(&format!("{before}\ntitle = false"));
    assert_eq!(screen.chosen(), by_hand);
    screen.refuse(&format!("{before}\nview = nonsense"));
    assert_eq!(screen.chosen(), by_hand);
    screen.reload(&before.replace("'age'", "'-pr'"));
    assert_eq!(
        screen.chosen(),
        ("status job pr".into(), "-pr".into(), "failed")
    );
    screen.press("1");
    screen.reload("[ui]\nsort = '-pr'\nview = 'needs-you'");
    assert_eq!(screen.chosen().1, "-pr");
    assert_eq!(screen.chosen().2, "needs-you");
    assert!(screen.chosen().0.ends_with("seen"), "{:?}", screen.chosen());
    // A setting that is taken out of the file is the default again.
    screen.reload("");
    assert_eq!(screen.chosen().2, "all");
    assert_eq!(screen.chosen().1, "status");
}

#[test]
fn what_the_screen_cannot_take_changes_nothing() {
    let mut screen = Screen::start("", (80, 24));
    let before = screen.chosen();
    screen.reload("[ui]\nsort = 'age'\n[keys]\nopne = 'x'");
    assert_eq!(screen.chosen(), before);
    assert!(screen.app.config_problem().is_some());
}

#[test]
fn the_mouse_is_taken_and_given_back_only_where_that_changes() {
    let mut screen = Screen::start("", (80, 24));
    assert_eq!(screen.reload("[ui]\nsort = 'age'"), Effect::None);
    assert_eq!(screen.reload("[ui]\nmouse = true"), Effect::TakeMouse(true));
    assert_eq!(
        screen.reload("[ui]\nmouse = true\ntitle = false"),
        Effect::None
    );
    assert_eq!(screen.reload(""), Effect::TakeMouse(false));
}

#[test]
fn the_theme_and_ascii_are_taken_at_once() {
    let mut screen = Screen::start("", (80, 24));
    assert!(!screen.text().is_ascii());
    let notice = reloaded("[ui]\nascii = true", Theme::new(false, true));
    screen.app.on_notice(notice, &screen.board, now());
    assert!(screen.app.is_dirty() && screen.text().is_ascii());
}

/// As the command line prints it, at any width.
#[test]
fn a_config_error_is_readable_whole_until_the_config_is_good_again() {
    for size in [(120, 30), (80, 24), (40, 12)] {
        let mut screen = Screen::start("", size);
        let error =
            screen.refuse("[poll]\nactive = \"10s\"\nfinished = \"5 minuets\" # often enough");
        screen.press("e");
        let text = screen.text();
        let whole = |text: &str| text.split_whitespace().collect::<String>();
        let first = error.to_string();
        let first = first.lines().next().unwrap();
        assert!(whole(&text).contains(&whole(first)), "{text}");
        assert!(text.contains("3 | finished = \"5 minuets\""), "{text}");
        // On a low screen the rest is a few lines below.
        screen.press(if size.1 < 20 { "jjj" } else { "" });
        let text = screen.text();
        let line = |found: &str| text.lines().find(|line| line.contains(found)).unwrap();
        let column = |found: &str| line(found).find(found).unwrap();
        assert_eq!(column("\"5 minuets\""), column("^^^"), "{text}");
        screen.reload("");
        let text = screen.text();
        assert!(!text.contains("minuets"), "{text}");
    }
}

#[test]
fn that_the_config_is_broken_stays_in_the_footer() {
    let mut screen = Screen::start("[keys]\nerrors = 'E'", (120, 24));
    screen.refuse("view = 1");
    let later = now() + jiff::SignedDuration::from_mins(10);
    screen.app.on_time(&screen.board, later);
    assert!(
        screen.text().contains("1 config error, E says why"),
        "{}",
        screen.text()
    );
    screen.reload("");
    screen.app.on_time(&screen.board, later);
    assert!(!screen.text().contains("config error"), "{}", screen.text());
}

/// Through the loop: the host is asked, and what is on the screen is drawn anew.
#[tokio::test]
async fn a_running_dashboard_takes_the_mouse_the_title_and_the_colours() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let config = format!(
        "base_url = \"{}\"\n[[projects]]\nid = \"docs\"\njobs = [\"job_a\"]\n",
        server.base_url()
    );
    let mut session = Session::start(setup::start(&config), (80, 24));
    session.wait_for_row("job_a", "● active").await;
    until(PATIENT, "a title", || !session.titles().is_empty()).await;
    session.notice(reloaded(
        "[ui]\ntitle = false\nmouse = true",
        Theme::new(false, false),
    ));
    let no_colour = |shown: &support::session::Shown| {
        shown
            .buffer
            .content()
            .iter()
            .all(|cell| cell.fg == Color::Reset)
    };
    session.wait("a screen without colours", no_colour).await;
    session
        .wait_for_calls(&[Call::Mouse(true), Call::ResetTitle])
        .await;
    let titles = session.titles().len();
    session.notice(reloaded("", colour()));
    until(PATIENT, "the title again", || {
        session.titles().len() > titles
    })
    .await;
}
