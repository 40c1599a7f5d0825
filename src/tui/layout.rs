//! The parts of a screen of a given size: pure arithmetic, shared by drawing, by clicks and by the
//! state, which has to know how many rows a page has.

use ratatui::layout::{Constraint, Layout, Position, Rect, Size};

/// From this width on, the details pane is beside the table, else below it.
const WIDE: u16 = 120;
/// Lower than this, there is no room for a details pane below the table.
const LOW: u16 = 16;

/// The parts of the screen; a part for which there is no room has no height.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Areas {
    pub header: Rect,
    /// The tabs of the views, and the filter.
    pub tabs: Rect,
    /// The table with its header, or what is shown instead.
    pub body: Rect,
    /// The details pane, with the rule that separates it from the body.
    pub pane: Option<Rect>,
    pub footer: Rect,
}

impl Areas {
    /// How many rows the table has room for, below its header.
    pub fn table_rows(&self) -> usize {
        usize::from(self.body.height.saturating_sub(1))
    }

    /// With a footer of so many lines, for which what is above it makes room.
    #[must_use]
    pub fn with_footer(self, lines: u16) -> Self {
        let more = lines.min(self.body.height).saturating_sub(1);
        if self.footer.is_empty() || more == 0 {
            return self;
        }
        let top = self.footer.y - more;
        let above = |area: Rect| Rect {
            height: area.bottom().min(top).saturating_sub(area.y),
            ..area
        };
        Self {
            body: above(self.body),
            pane: self.pane.map(above),
            footer: Rect {
                y: top,
                height: 1 + more,
                ..self.footer
            },
            ..self
        }
    }

    pub fn pane_is_beside(&self) -> bool {
        self.pane.is_some_and(|pane| pane.y == self.body.y)
    }
}

/// On low screens the tabs go first, then the header, then the footer.
pub fn areas(size: Size, pane: bool) -> Areas {
    let line_from = |height| Constraint::Length(u16::from(size.height >= height));
    let lines = [
        line_from(4),
        line_from(6),
        Constraint::Fill(1),
        line_from(3),
    ];
    let screen = Rect::from((Position::ORIGIN, size));
    let [header, tabs, body, footer] = Layout::vertical(lines).areas(screen);
    let (body, pane) = if pane { split(body) } else { (body, None) };
    Areas {
        header,
        tabs,
        body,
        pane,
        footer,
    }
}

fn split(body: Rect) -> (Rect, Option<Rect>) {
    let parts = if body.width >= WIDE {
        Layout::horizontal([Constraint::Ratio(11, 20), Constraint::Fill(1)])
    } else if body.height >= LOW {
        Layout::vertical([Constraint::Length(body.height / 2), Constraint::Fill(1)])
    } else {
        return (body, None);
    };
    let [body, pane] = parts.areas(body);
    (body, Some(pane))
}

/// The header of the table and the lines of its rows.
pub fn header_and_rows(table: Rect) -> [Rect; 2] {
    Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_fill_every_screen_and_never_leave_it() {
        for (width, height) in (0..=210)
            .step_by(7)
            .flat_map(|w| (0..60).map(move |h| (w, h)))
        {
            for (pane, lines) in [(false, 1), (true, 1), (false, 3), (true, 30)] {
                let areas = areas(Size::new(width, height), pane).with_footer(lines);
                let parts = [
                    Some(areas.header),
                    Some(areas.tabs),
                    Some(areas.body),
                    areas.pane,
                ];
                let parts: Vec<Rect> = parts
                    .into_iter()
                    .chain([Some(areas.footer)])
                    .flatten()
                    .collect();
                let cells: u32 = parts.iter().map(|part| part.area()).sum();
                assert_eq!(
                    cells,
                    u32::from(width) * u32::from(height),
                    "{width}x{height}"
                );
                assert!(
                    parts
                        .iter()
                        .all(|part| part.right() <= width && part.bottom() <= height)
                );
            }
        }
    }

    #[test]
    fn the_pane_is_beside_where_it_is_wide_and_below_where_it_is_high() {
        assert!(areas(Size::new(200, 50), true).pane_is_beside());
        let low = areas(Size::new(80, 24), true);
        assert!(low.pane.is_some() && !low.pane_is_beside());
        assert_eq!(areas(Size::new(40, 12), true).pane, None);
    }
}
