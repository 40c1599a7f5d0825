//! Where the columns of the table and the tabs of the views are: asked by whoever draws them and by
//! whoever takes a click, so that the two agree.
//!
//! This file must not know the state of the screen or how anything looks.

use ratatui::layout::{Position, Rect};

use super::keys::{Action, Keymap};
use crate::board::Counts;
use crate::text;
use crate::view::columns::fit;
use crate::view::views::VIEWS;

/// The mark, the sign that a row needs you, and a space.
pub const GUTTER: u16 = 3;
/// Between two columns.
const GAP: u16 = 1;
/// Between two columns where there is room.
const WIDE_GAP: u16 = 2;
/// From this width on there is room.
const WIDE: u16 = 130;

/// Where each column is: its place in the table of columns, its left end and its width.
pub type Columns = Vec<(usize, u16, u16)>;

/// The `chosen` columns of a table in `area`.
pub fn columns(area: Rect, chosen: &[usize]) -> Columns {
    let gap = if area.width >= WIDE { WIDE_GAP } else { GAP };
    let mut x = area.x + GUTTER.min(area.width);
    let columns = fit(chosen, area.width.saturating_sub(GUTTER), gap);
    let place = |(at, width)| {
        let here = (at, x, width);
        x = x.saturating_add(width + gap);
        here
    };
    columns.into_iter().map(place).collect()
}

/// The place in the table of columns of the one at `x`.
pub fn column_at(columns: &Columns, x: u16) -> Option<usize> {
    let here = |(_, left, width): &&(usize, u16, u16)| (*left..*left + *width).contains(&x);
    columns.iter().find(here).map(|(at, ..)| *at)
}

/// Which row of the table in `area` stands at `y`, from 0 below the header, or the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The titles of the columns.
    Header,
    /// A row.
    Row(usize),
}

/// The line of a table in `area` that is at this position.
pub fn line_at(area: Rect, position: Position) -> Option<Line> {
    let below = usize::from(position.y.saturating_sub(area.y));
    area.contains(position)
        .then(|| below.checked_sub(1).map_or(Line::Header, Line::Row))
}

/// A tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    /// The view that it stands for, by its place in the table of views.
    pub view: usize,
    /// Where it is.
    pub area: Rect,
    /// What it says.
    pub text: String,
}

/// What the tabs tell.
#[derive(Clone, Copy, Debug)]
pub struct Tabs<'a> {
    /// The present view.
    pub here: usize,
    /// How many jobs each view has.
    pub counts: &'a Counts,
    /// The keys that lead there.
    pub keys: &'a Keymap,
    /// What is filtered by; it takes the right end.
    pub filter: &'a str,
}

impl Tabs<'_> {
    /// The part of the filter that is shown in `area`: its end, where one types.
    pub fn filter_in(&self, area: Rect) -> &str {
        let most = usize::from(area.width) / 2;
        let starts = self.filter.char_indices().map(|(at, _)| &self.filter[at..]);
        starts
            .into_iter()
            .find(|rest| text::width(rest) <= most)
            .unwrap_or_default()
    }

    /// The tabs in `area`, in the longest form that there is room for beside the filter.
    pub fn places(&self, area: Rect) -> Vec<Tab> {
        if area.is_empty() {
            return Vec::new();
        }
        let filter = match text::width(self.filter_in(area)) {
            0 => 0,
            width => width + 1,
        };
        let room = usize::from(area.width).saturating_sub(filter + 1);
        let forms = [("   ", false), ("  ", false), (" ", true)];
        let fitting = forms.into_iter().find_map(|(gap, short)| {
            let texts = self.texts(short);
            let gaps = gap.len() * texts.len().saturating_sub(1);
            let cells: usize = texts.iter().map(|text| text::width(text)).sum();
            (1 + cells + gaps <= room).then_some((gap, texts))
        });
        let (gap, texts) = fitting.unwrap_or_default();
        in_a_row(area, gap, texts)
    }

    /// Each view with its key and its count; where `short`, only the present one is named.
    fn texts(&self, short: bool) -> Vec<String> {
        let text = |(at, view): (usize, &crate::view::views::View)| {
            let count = (view.count)(self.counts);
            let key = self.keys.key_of(Action::View(at));
            match (at != self.here && short, key) {
                (true, Some(key)) => format!("{key}:{count}"),
                (true, None) => format!("{count}"),
                (false, Some(key)) => format!("{key} {} {count}", view.title),
                (false, None) => format!("{} {count}", view.title),
            }
        };
        VIEWS.iter().enumerate().map(text).collect()
    }
}

/// `texts` beside each other, a cell from the left end of `area`.
fn in_a_row(area: Rect, gap: &str, texts: Vec<String>) -> Vec<Tab> {
    let cells = |text: &str| u16::try_from(text::width(text)).unwrap_or(u16::MAX);
    let mut x = area.x.saturating_add(1);
    let place = |(view, text): (usize, String)| {
        let width = cells(&text);
        let area = Rect { x, width, ..area };
        x = x.saturating_add(width).saturating_add(cells(gap));
        Tab { view, area, text }
    };
    texts.into_iter().enumerate().map(place).collect()
}
