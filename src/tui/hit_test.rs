//! Where the columns of the table and the tabs are. Drawing and clicks both ask here, so that they
//! agree.
//!
//! This file must not know any style.

use ratatui::layout::Rect;

use super::app::App;
use super::keys::Action;
use super::listing::Listing;
use crate::board::Counts;
use crate::text;
use crate::view::columns::ColumnId;
use crate::view::fit::fit;
use crate::view::measure::Measure;
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

impl ColumnArea {
    /// The part of `area` that is in this column.
    pub fn within(&self, area: Rect) -> Rect {
        let (x, width) = (self.x, self.width);
        Rect { x, width, ..area }.intersection(area)
    }
}

/// Those of the listing's columns that a table in `area` has room for, as wide as `measure` says of its
/// rows.
pub fn column_areas(area: Rect, listing: &Listing, measure: &Measure) -> Vec<ColumnArea> {
    let gap = if area.width >= WIDE { WIDE_GAP } else { GAP };
    let mut left = area.x + GUTTER.min(area.width);
    let width = area.width.saturating_sub(GUTTER);
    let sorted_by = listing.sort().column;
    let columns = fit(listing.columns(), sorted_by, measure, width, gap);
    let column_area = |(id, width)| {
        let x = left;
        left = x.saturating_add(width + gap);
        ColumnArea { id, x, width }
    };
    columns.into_iter().map(column_area).collect()
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    pub view: ViewId,
    pub area: Rect,
    pub text: String,
}

/// The tabs in `area`, in the longest form that has room beside the filter and the position; where no
/// form has, beside the filter alone.
pub fn tabs(area: Rect, app: &App, counts: &Counts) -> Vec<Tab> {
    let filter = with_space(visible_filter(area, &app.filter_text()));
    let position = with_space(&app.position_text(counts));
    let all = present_views(app, counts, true);
    // Before names go, so does what is there only now and then.
    let steady = present_views(app, counts, false);
    let current = vec![app.listing.view()];
    let forms = [
        (3, false, &all),
        (2, false, &all),
        (1, false, &all),
        (3, false, &steady),
        (2, false, &steady),
        (1, false, &steady),
        (1, true, &steady),
    ];
    let drawn = |(gap, short, views): (u16, bool, &Vec<ViewId>)| {
        side_by_side(area, gap, labels(views, app, counts, short))
    };
    let forms = forms.map(drawn);
    let fits = |tabs: &Vec<Tab>, cells: u16| end_of(tabs).saturating_add(cells) < area.right();
    let beside = |cells: u16| forms.iter().find(|tabs| fits(tabs, cells));
    let tabs = beside(filter.saturating_add(position)).or_else(|| beside(filter));
    let alone = || Some(drawn((1, false, &current))).filter(|tabs| fits(tabs, filter));
    tabs.cloned().or_else(alone).unwrap_or_default()
}

/// Where `tabs` end.
pub fn end_of(tabs: &[Tab]) -> u16 {
    tabs.last().map_or(0, |last| last.area.right())
}

/// The cells of `text` and of a space beside it, where it is not empty.
fn with_space(text: &str) -> u16 {
    match cells(text) {
        0 => 0,
        width => width + 1,
    }
}

/// The part of the filter that has room in `area`, at its right end: the end, where one types.
pub fn visible_filter(area: Rect, filter: &str) -> &str {
    let mut starts = filter.char_indices().map(|(at, _)| &filter[at..]);
    let fitting = starts.find(|rest| cells(rest) <= area.width / 2);
    fitting.unwrap_or_default()
}

/// Each view with its key and its count; where `short`, only the current one is named.
fn labels(views: &[ViewId], app: &App, counts: &Counts, short: bool) -> Vec<(ViewId, String)> {
    let label = |id: ViewId| {
        let (count, title) = ((id.view().count)(counts), id.view().title);
        match (
            id != app.listing.view() && short,
            app.keys.key_of(Action::View(id)),
        ) {
            (true, Some(key)) => format!("{key}:{count}"),
            (true, None) => format!("{count}"),
            (false, Some(key)) => format!("{key} {title} {count}"),
            (false, None) => format!("{title} {count}"),
        }
    };
    views.iter().map(|id| (*id, label(*id))).collect()
}

/// The current view and those that have a tab; of those that have one only while they have rows, all
/// or none.
fn present_views(app: &App, counts: &Counts, occasional: bool) -> Vec<ViewId> {
    let has_tab = |id: &ViewId| {
        let view = id.view();
        let is_current = *id == app.listing.view();
        !view.is_occasional || is_current || (occasional && (view.count)(counts) > 0)
    };
    ViewId::all().filter(has_tab).collect()
}

/// `labels` beside each other with `gap` cells between two, a cell from the left end of `area`.
fn side_by_side(area: Rect, gap: u16, labels: Vec<(ViewId, String)>) -> Vec<Tab> {
    let mut x = area.x.saturating_add(1);
    let tab = |(view, text): (ViewId, String)| {
        let width = cells(&text);
        let area = Rect { x, width, ..area };
        x = x.saturating_add(width).saturating_add(gap);
        Tab { view, area, text }
    };
    labels.into_iter().map(tab).collect()
}

fn cells(text: &str) -> u16 {
    u16::try_from(text::width(text)).unwrap_or(u16::MAX)
}
