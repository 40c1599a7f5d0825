//! What every part of the screen is drawn with: the buffer, and what drawing is a function of.

use std::borrow::Cow;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::app::{App, Mode};
use super::keys::Action;
use crate::board::Board;
use crate::text::{self, Cut};
use crate::view::theme::{Glyphs, Role};

pub(super) struct Painter<'a> {
    pub(super) buffer: &'a mut Buffer,
    pub(super) app: &'a App,
    pub(super) board: &'a Board,
    pub(super) now: Timestamp,
}

impl Painter<'_> {
    pub(super) fn style(&self, role: Role) -> Style {
        self.app.theme.style(role)
    }

    pub(super) fn glyphs(&self) -> &'static Glyphs {
        self.app.theme.glyphs()
    }

    pub(super) fn span(&self, text: impl Into<Cow<'static, str>>, role: Role) -> Span<'static> {
        Span::styled(text, self.style(role))
    }

    /// `text` behind a mark, which alone has the colour of `role`.
    pub(super) fn marked(&self, mark: &'static str, text: &str, role: Role) -> [Span<'static>; 2] {
        let mark = Span::styled(mark, self.app.theme.mark(role));
        [mark, self.span(format!(" {text}"), role)]
    }

    /// Gives the mark at the beginning of `area` the colour of `role`.
    pub(super) fn color_mark(&mut self, area: Rect, role: Role) {
        if !area.is_empty() {
            self.buffer[area.as_position()].set_style(self.app.theme.mark(role));
        }
    }

    /// Shortens `text` to `width` cells, with an ellipsis where something is cut.
    pub(super) fn truncate(&self, text: &str, width: usize) -> String {
        text::truncate(text, width, self.glyphs().ellipsis).into_owned()
    }

    /// Draws `text` on the first line of `area`, cut to its width at its end.
    pub(super) fn text(&mut self, area: Rect, text: &str, style: Style) {
        self.text_cut(Cut::End, area, text, style);
    }

    /// Draws `text` on the first line of `area`, cut to its width.
    pub(super) fn text_cut(&mut self, cut: Cut, area: Rect, text: &str, style: Style) {
        if !area.is_empty() {
            let width = usize::from(area.width);
            let text = self.app.theme.cut(cut, text, width);
            self.buffer.set_stringn(area.x, area.y, text, width, style);
        }
    }

    /// Draws `left` at the left end, and `right` at the right end where it fits beside it.
    pub(super) fn ends(&mut self, area: Rect, left: Line, right: Line) {
        let beside = left.width() + right.width() < usize::from(area.width);
        left.render(area, self.buffer);
        if beside {
            right.right_aligned().render(area, self.buffer);
        }
    }

    /// Draws `lines` scrolled by what the state says, and returns how far they are: scrolling ends
    /// with the last line. Where there are more lines than `area` has room for, its last line says so.
    pub(super) fn scrolled(&mut self, area: Rect, lines: Vec<Line>) -> usize {
        if lines.len() <= usize::from(area.height) || area.height < 3 {
            return self.lines(area, lines);
        }
        let parts = [Constraint::Fill(1), Constraint::Length(1)];
        let [text, sign] = Layout::vertical(parts).areas(area);
        let all = lines.len();
        let scrolled = self.lines(text, lines);
        let below = all.saturating_sub(scrolled + usize::from(text.height));
        self.draw_sign(sign, scrolled, below);
        scrolled
    }

    fn lines(&mut self, area: Rect, lines: Vec<Line>) -> usize {
        let end = lines.len().saturating_sub(usize::from(area.height));
        let scroll = self.app.scroll.min(end);
        for (line, row) in lines.into_iter().skip(scroll).zip(area.rows()) {
            line.render(row, self.buffer);
        }
        scroll
    }

    /// Says how many lines are above and below, and which key scrolls.
    fn draw_sign(&mut self, area: Rect, above: usize, below: usize) {
        let (up, down) = (self.glyphs().ascending, self.glyphs().descending);
        let sign = |lines: usize, arrow: &str, action| {
            let key = self.app.keys.key_of(action).unwrap_or_default();
            (lines > 0).then(|| format!("{arrow} {lines} more {key}"))
        };
        // Beside the table, the page keys are the table's.
        let [up_key, down_key] = match self.app.mode {
            Mode::Details | Mode::Errors | Mode::Help => [Action::PageUp, Action::PageDown],
            _ => [Action::ScrollUp, Action::ScrollDown],
        };
        let signs = [sign(above, up, up_key), sign(below, down, down_key)];
        let signs: Vec<String> = signs.into_iter().flatten().collect();
        let line = Line::from(self.span(format!("{} ", signs.join("   ")), Role::Muted));
        line.right_aligned().render(area, self.buffer);
    }
}
