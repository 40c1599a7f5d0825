//! What every part of the screen is drawn with: the buffer, and what drawing is a function of.

use std::borrow::Cow;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::app::App;
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

    /// Draws `lines` scrolled by what the state says, and returns how far they are: scrolling ends
    /// with the last line.
    pub(super) fn scrolled(&mut self, area: Rect, lines: Vec<Line>) -> usize {
        let end = lines.len().saturating_sub(usize::from(area.height));
        let scroll = self.app.scroll.min(end);
        for (line, row) in lines.into_iter().skip(scroll).zip(area.rows()) {
            line.render(row, self.buffer);
        }
        scroll
    }
}
