//! That everything drawn can be read: the contrast of every role and of every cell, in the default
//! palettes of common terminals, on dark and on light.
//!
//! Contrast is that of WCAG 2.2 (<https://www.w3.org/TR/WCAG22/#contrast-minimum>): text has at least
//! 4.5:1. A mark in colour, beside text that says the same, has at least 3:1, as graphics do there
//! (<https://www.w3.org/TR/WCAG22/#non-text-contrast>).

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use mintwatch::board::Board;
use mintwatch::tui::app::App;
use mintwatch::tui::screen;
use mintwatch::view::theme::{Role, Theme};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Size;
use ratatui::style::{Color, Modifier, Style};
use support::board::{all_failing, events, never_seen, now, realistic, stale};
use support::keys::keys;

const TEXT: f64 = 4.5;
const MARK: f64 = 3.0;

type Rgb = [u8; 3];

struct Palette {
    name: &'static str,
    foreground: Rgb,
    background: Rgb,
    /// Bright red, bright blue and bright magenta: 9, 12 and 13 of the 16.
    marks: [Rgb; 3],
}

/// In the order of [`Palette::marks`].
const MARKS: [Color; 3] = [Color::LightRed, Color::LightBlue, Color::LightMagenta];

/// Of the other colours only magenta stands out everywhere here; xterm's green is 2.2:1 on white, its cyan
/// 2.0:1, its bright green 1.4:1. In GNOME Terminal's scheme "Tango light", which is not its default, bright
/// blue is 2.4:1 and bright magenta 2.8:1: there is no hue that suits every palette, so that what a mark
/// means is in its shape and in the word beside it too.
const PALETTES: [Palette; 6] = [
    // xterm: `XTerm-col.ad` of its source, with the names of X11's `rgb.txt`; white on black with `-rv`.
    Palette::new(
        "xterm",
        [0x00_0000, 0xff_ffff, 0xff_0000, 0x5c_5cff, 0xff_00ff],
    ),
    Palette::new(
        "xterm -rv",
        [0xff_ffff, 0x00_0000, 0xff_0000, 0x5c_5cff, 0xff_00ff],
    ),
    // GNOME Terminal: its schemes "GNOME light" and "GNOME dark", and its first palette, in
    // `src/profile-editor.cc` of <https://gitlab.gnome.org/GNOME/gnome-terminal>.
    Palette::new(
        "GNOME light",
        [0x1e_1e1e, 0xff_ffff, 0xf6_6151, 0x2a_7bde, 0xc0_61cb],
    ),
    Palette::new(
        "GNOME dark",
        [0xcf_cfcf, 0x1e_1e1e, 0xf6_6151, 0x2a_7bde, 0xc0_61cb],
    ),
    // Terminal.app of macOS: the profiles "Basic" and "Pro"; the colours are those of
    // <https://en.wikipedia.org/wiki/ANSI_escape_code#3-bit_and_4-bit>.
    Palette::new(
        "Terminal.app Basic",
        [0x00_0000, 0xff_ffff, 0xfc_391f, 0x58_33ff, 0xf9_35f8],
    ),
    Palette::new(
        "Terminal.app Pro",
        [0xf2_f2f2, 0x00_0000, 0xfc_391f, 0x58_33ff, 0xf9_35f8],
    ),
];

/// All of them: another one does not compile here.
const ROLES: [Role; 9] = [
    Role::Plain,
    Role::Active,
    Role::Good,
    Role::Bad,
    Role::NeedsYou,
    Role::Muted,
    Role::Strong,
    Role::Key,
    Role::Link,
];

const fn place(role: Role) -> usize {
    match role {
        Role::Plain => 0,
        Role::Active => 1,
        Role::Good => 2,
        Role::Bad => 3,
        Role::NeedsYou => 4,
        Role::Muted => 5,
        Role::Strong => 6,
        Role::Key => 7,
        Role::Link => 8,
    }
}

impl Palette {
    const fn new(name: &'static str, [foreground, background, marks @ ..]: [u32; 5]) -> Self {
        let [red, blue, magenta] = marks;
        Self {
            name,
            foreground: rgb(foreground),
            background: rgb(background),
            marks: [rgb(red), rgb(blue), rgb(magenta)],
        }
    }

    /// The contrast of what is drawn in `style`.
    fn contrast(&self, style: Style) -> f64 {
        let (text, behind) = self.colors(style);
        let [a, b] = [luminance(text), luminance(behind)];
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn colors(&self, style: Style) -> (Rgb, Rgb) {
        let text = self.color(style.fg, self.foreground);
        let behind = self.color(style.bg, self.background);
        let has = |modifier| style.add_modifier.contains(modifier);
        let is_dim = has(Modifier::DIM);
        match has(Modifier::REVERSED) {
            // Some terminals dim the text before they reverse it, and some after.
            true => {
                assert!(!is_dim, "grey on grey: {style:?}");
                (behind, text)
            }
            false if is_dim => (dim(text, behind), behind),
            false => (text, behind),
        }
    }

    fn color(&self, color: Option<Color>, default: Rgb) -> Rgb {
        match color {
            None | Some(Color::Reset) => default,
            Some(color) => {
                let at = MARKS.iter().position(|mark| *mark == color);
                self.marks[at.unwrap_or_else(|| panic!("{color} is not readable everywhere"))]
            }
        }
    }
}

const fn rgb(code: u32) -> Rgb {
    let [_, red, green, blue] = code.to_be_bytes();
    [red, green, blue]
}

/// Two thirds of the text's colour: 0.66 in Alacritty, 0.69 in Ghostty, 0.75 in kitty.
fn dim(text: Rgb, behind: Rgb) -> Rgb {
    let mix = |text: u8, behind: u8| {
        let sum = u16::from(text) * 2 + u16::from(behind);
        u8::try_from(sum / 3).unwrap()
    };
    [0, 1, 2].map(|at| mix(text[at], behind[at]))
}

/// The relative luminance (<https://www.w3.org/TR/WCAG22/#dfn-relative-luminance>).
fn luminance(color: Rgb) -> f64 {
    let [red, green, blue] = color.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn assert_readable(style: Style, least: f64, what: &str) {
    for palette in &PALETTES {
        let contrast = palette.contrast(style);
        assert!(
            contrast >= least,
            "{what} in {}: {contrast:.2}:1",
            palette.name
        );
    }
}

#[test]
fn the_contrast_of_known_colours() {
    let white_on_black = PALETTES[1].contrast(Style::new());
    assert!((white_on_black - 21.0).abs() < 0.01, "{white_on_black}");
    // As the checkers of contrast in browsers have it.
    let [red, white] = [luminance([255, 0, 0]), luminance([255; 3])];
    assert!(((white + 0.05) / (red + 0.05) - 4.0).abs() < 0.01);
}

#[test]
fn every_role_is_readable_on_dark_and_on_light() {
    let theme = Theme::new(true, false);
    for (at, role) in ROLES.into_iter().enumerate() {
        assert_eq!(place(role), at);
        let style = theme.style(role);
        assert_readable(style, TEXT, &format!("text of {role:?}"));
        assert_readable(theme.mark(role), MARK, &format!("a mark of {role:?}"));
    }
    assert_readable(theme.selected(), TEXT, "what is selected");
}

/// Every cell of every mode, with fresh, stale, failing and unknown rows, each of them selected once.
#[test]
fn every_cell_that_is_drawn_is_readable_on_dark_and_on_light() {
    let boards: [fn() -> Board; 4] = [realistic, stale, all_failing, never_seen];
    for board in boards {
        for sequence in [
            "", "j", "jj", "jjj", "G", "jp", "?", "e", "<space>", "/rel", "j<enter>",
        ] {
            for size in [(200, 50), (80, 24), (40, 12)] {
                assert_cells_readable(&draw(&board(), sequence, size), sequence);
            }
        }
    }
}

fn draw(board: &Board, sequence: &str, (width, height): (u16, u16)) -> Buffer {
    let mut app = App::new(
        Theme::new(true, false),
        "mintwatch",
        Size::new(width, height),
    );
    app.on_board(board, now());
    for event in events() {
        app.on_event(event, board, now());
    }
    for event in keys(sequence) {
        app.on_input(&event, board, now());
    }
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| screen::draw(frame, &app, board, now()))
        .unwrap();
    terminal.backend().buffer().clone()
}

fn assert_cells_readable(buffer: &Buffer, sequence: &str) {
    let is_blank = |cell: &Cell| cell.symbol().trim().is_empty();
    let columns = usize::from(buffer.area.width);
    for row in buffer.content.chunks(columns) {
        for (at, cell) in row.iter().enumerate().filter(|(_, cell)| !is_blank(cell)) {
            let what = format!("{:?} after {sequence:?}", cell.symbol());
            if cell.fg == Color::Reset {
                assert_readable(cell.style(), TEXT, &what);
                continue;
            }
            // A mark: a single cell, beside text without a colour.
            assert_readable(cell.style(), MARK, &what);
            let beside = row.get(at + 1);
            assert!(beside.is_none_or(is_blank), "{what} is more than a mark");
        }
    }
}
