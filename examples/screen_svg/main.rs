//! Writes a picture of the dashboard, as SVG, to standard output:
//! `cargo run --example screen_svg > docs/screen.svg`.
//!
//! Nothing in it is made up for the picture: the demo server answers the real client and poller,
//! and the frame comes from the function that draws every frame. Only the terminal is missing.

mod svg;

use std::path::Path;

use jiff::Timestamp;
use mintwatch::board::{Board, Watched};
use mintwatch::config::Config;
use mintwatch::demo::{DemoServer, Options};
use mintwatch::environment::Environment;
use mintwatch::key::ApiKey;
use mintwatch::poll::Poller;
use mintwatch::poll::schedule::Start;
use mintwatch::poll::{self, KeySlot, PollerConfig};
use mintwatch::tui::app::App;
use mintwatch::tui::screen;
use mintwatch::view::theme::Theme;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Size;

const SCREEN: Size = Size::new(120, 28);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // A failed poll in the one round that is drawn would be chance.
    let options = Options {
        error_rate: 0.0,
        ..Options::default()
    };
    let server = DemoServer::start(options).await?;
    let (watched, setup) = setup(&server)?;
    let mut poller = Poller::start(watched, setup)?;
    poller.first_round().await;
    let board = poller.board();
    let (frame, title) = draw(&board.borrow())?;
    print!("{}", svg::window(&frame, &title));
    Ok(())
}

/// What `--demo` polls, all of it at once.
fn setup(server: &DemoServer) -> anyhow::Result<(Vec<Watched>, PollerConfig)> {
    let text = server.config_toml("env = \"MINTWATCH_DEMO_KEY\"");
    let mut config = Config::parse(&text, Path::new("the demo's config"))?;
    let watched = poll::into_watched_jobs(&mut config);
    let key = ApiKey::parse(server.key())?;
    let slot = |source| KeySlot {
        source,
        key: Ok(key.clone()),
    };
    let keys = poll::key_sources(&config).into_iter().map(slot).collect();
    Ok((
        watched,
        PollerConfig::new(&config, keys, Environment::default(), Start::Once),
    ))
}

/// One frame, and the terminal's title.
fn draw(board: &Board) -> anyhow::Result<(Buffer, String)> {
    let now = Timestamp::now();
    let mut app = App::new(Theme::new(true, false), "mintwatch demo", SCREEN);
    app.on_board(board, now);
    // On a job with a pull request, so that the footer has all its keys.
    app.listing.step(2, board);
    let mut terminal = Terminal::new(TestBackend::new(SCREEN.width, SCREEN.height))?;
    let frame = terminal.draw(|frame| screen::draw(frame, &app, board, now))?;
    Ok((frame.buffer.clone(), app.title(board)))
}
