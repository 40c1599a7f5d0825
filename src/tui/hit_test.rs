//! Where the columns of the table and the tabs are. Drawing and clicks both ask here, so that they
//! agree.
//!
//! This file must not know the state of the screen or any style.

use ratatui::layout::{Position, Rect};

use super::keys::{Action, Keymap};
use crate::board::Counts;
use crate::text;
use crate::view::columns::ColumnId;
use crate::view::fit::fit;
use crate::view::views::ViewId;

/// Left of the columns: the mark, the glyph of a row that needs you, and a space.
pub const GUTTER: u16 = 3;
/// Between two columns.
const GAP: u16 = 1;
/// The same in tables of at least [`WIDE`].
const WIDE_GAP: u16 = 2;
const WIDE: u16 = 130;

/// The cells of a column, in every line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnArea {
    pub id: ColumnId,
    pub x: u16,
    pub width: u16,
}

/// Those of the `chosen` columns that a table in `area` has room for.
pub fn column_areas(area: Rect, chosen: &[ColumnId]) -> Vec<ColumnArea> {
    let gap = if area.width >= WIDE { WIDE_GAP } else { GAP };
    let mut left = area.x + GUTTER.min(area.width);
    let columns = fit(chosen, area.width.saturating_sub(GUTTER), gap);
    let column_area = |(id, width)| {
        let x = left;
        left = x.saturating_add(width + gap);
        ColumnArea { id, x, width }
    };
    columns.into_iter().map(column_area).collect()
}

pub fn column_at(areas: &[ColumnArea], x: u16) -> Option<ColumnId> {
    let contains = |area: &&ColumnArea| (area.x..area.x + area.width).contains(&x);
    areas.iter().find(contains).map(|area| area.id)
}

/// A line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    Header,
    /// The nth row on the screen, from 0.
    Row(usize),
}

/// The line at `position` of a table in `area`.
pub fn line_at(area: Rect, position: Position) -> Option<Line> {
    let below = usize::from(position.y.saturating_sub(area.y));
    area.contains(position)
        .then(|| below.checked_sub(1).map_or(Line::Header, Line::Row))
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    pub view: ViewId,
    pub area: Rect,
    pub text: String,
}

/// What the tabs show.
#[derive(Clone, Copy, Debug)]
pub struct Tabs<'a> {
    pub current: ViewId,
    pub counts: &'a Counts,
    pub keys: &'a Keymap,
    /// The filter as text; it takes the right end of the line.
    pub filter: &'a str,
}

impl Tabs<'_> {
    /// The part of the filter that has room in `area`: its end, where one types.
    pub fn visible_filter(&self, area: Rect) -> &str {
        let most = usize::from(area.width) / 2;
        let starts = self.filter.char_indices().map(|(at, _)| &self.filter[at..]);
        starts
            .into_iter()
            .find(|rest| text::width(rest) <= most)
            .unwrap_or_default()
    }

    /// The tabs in `area`, in the longest form that has room beside the filter.
    pub fn lay_out(&self, area: Rect) -> Vec<Tab> {
        if area.is_empty() {
            return Vec::new();
        }
        let filter = match text::width(self.visible_filter(area)) {
            0 => 0,
            width => width + 1,
        };
        let room = usize::from(area.width).saturating_sub(filter + 1);
        let forms = [("   ", false), ("  ", false), (" ", true)];
        let fitting = forms.into_iter().find_map(|(gap, short)| {
            let texts = self.texts(short);
            let gaps = gap.len() * texts.len().saturating_sub(1);
            let cells: usize = texts.iter().map(|(_, text)| text::width(text)).sum();
            (1 + cells + gaps <= room).then_some((gap, texts))
        });
        let (gap, texts) = fitting.unwrap_or_default();
        side_by_side(area, gap, texts)
    }

    /// Each view with its key and its count; where `short`, only the current one is named.
    fn texts(&self, short: bool) -> Vec<(ViewId, String)> {
        let text = |id: ViewId| {
            let count = (id.view().count)(self.counts);
            let title = id.view().title;
            let key = self.keys.key_of(Action::View(id));
            match (id != self.current && short, key) {
                (true, Some(key)) => format!("{key}:{count}"),
                (true, None) => format!("{count}"),
                (false, Some(key)) => format!("{key} {title} {count}"),
                (false, None) => format!("{title} {count}"),
            }
        };
        ViewId::all().map(|id| (id, text(id))).collect()
    }
}

/// `texts` beside each other, a cell from the left end of `area`.
fn side_by_side(area: Rect, gap: &str, texts: Vec<(ViewId, String)>) -> Vec<Tab> {
    let cells = |text: &str| u16::try_from(text::width(text)).unwrap_or(u16::MAX);
    let mut x = area.x.saturating_add(1);
    let tab = |(view, text): (ViewId, String)| {
        let width = cells(&text);
        let area = Rect { x, width, ..area };
        x = x.saturating_add(width).saturating_add(cells(gap));
        Tab { view, area, text }
    };
    texts.into_iter().map(tab).collect()
}
