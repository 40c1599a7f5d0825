//! A small editor of several lines: the text, where the cursor is, and what keys do to them.
//!
//! Positions are bytes at the borders of grapheme clusters. This file must not know what the text is
//! for.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};
use unicode_width::UnicodeWidthStr;

use crate::text;

#[derive(Clone, Debug, Default)]
pub struct TextArea {
    text: String,
    cursor: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub struct WrappedText<'a> {
    pub rows: Vec<&'a str>,
    /// The row and the column of the cursor, in cells.
    pub cursor: (usize, usize),
}

impl TextArea {
    /// An editor of `text`, its cursor at the end.
    pub fn new(text: &str) -> Self {
        let mut area = Self::default();
        // What is inserted at once is capped.
        text.split_inclusive('\n')
            .for_each(|line| area.insert(line));
        area
    }

    /// Whether nothing is written in it.
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Puts text where the cursor is, cleaned line by line.
    pub fn insert(&mut self, raw: &str) {
        let clean = text::clean_lines(raw);
        self.text.insert_str(self.cursor, &clean);
        self.go_to_border(self.cursor + clean.len());
    }

    /// Does what `key` asks for, if it is a key of the editor.
    pub fn on_key(&mut self, key: &KeyEvent) {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        match (key.code, ctrl) {
            (KeyCode::Enter, _) | (KeyCode::Char('j'), true) => self.insert("\n"),
            (KeyCode::Char(c), false) => self.insert(c.encode_utf8(&mut [0; 4])),
            (KeyCode::Backspace, _) | (KeyCode::Char('h'), true) => {
                self.delete(self.before()..self.cursor);
            }
            (KeyCode::Delete, _) => self.delete(self.cursor..self.after()),
            (KeyCode::Char('u'), true) => self.delete(self.line_start()..self.cursor),
            (KeyCode::Char('k'), true) => self.delete(self.cursor..self.line_end()),
            (KeyCode::Char('w'), true) => self.delete(self.word_start()..self.cursor),
            (KeyCode::Left, _) => self.cursor = self.before(),
            (KeyCode::Right, _) => self.cursor = self.after(),
            (KeyCode::Home, _) | (KeyCode::Char('a'), true) => self.cursor = self.line_start(),
            (KeyCode::End, _) => self.cursor = self.line_end(),
            (KeyCode::Up, _) => self.up(),
            (KeyCode::Down, _) => self.down(),
            _ => {}
        }
    }

    /// The text in rows of at most `width` cells, broken at cells: where one types, nothing jumps.
    pub fn wrapped(&self, width: usize) -> WrappedText<'_> {
        let mut laid = WrappedText {
            rows: Vec::new(),
            cursor: (0, 0),
        };
        let mut at = 0;
        for line in self.text.split('\n') {
            self.lay_line(line, at, width.max(3), &mut laid);
            at += line.len() + 1;
        }
        laid
    }

    fn lay_line<'a>(&self, line: &'a str, at: usize, width: usize, laid: &mut WrappedText<'a>) {
        let (mut start, mut used) = (0, 0);
        for (place, grapheme) in line.grapheme_indices(true) {
            // One cell stays free for the cursor behind the last character, so that a cluster wider
            // than the rest counts for as much as there is: no terminal agrees on its width anyway.
            let cells = grapheme.width().min(width - 1);
            if used + cells >= width {
                laid.rows.push(&line[start..place]);
                (start, used) = (place, 0);
            }
            if at + place == self.cursor {
                laid.cursor = (laid.rows.len(), used);
            }
            used += cells;
        }
        if at + line.len() == self.cursor {
            laid.cursor = (laid.rows.len(), used);
        }
        laid.rows.push(&line[start..]);
    }

    fn delete(&mut self, range: std::ops::Range<usize>) {
        let start = range.start;
        self.text.replace_range(range, "");
        self.go_to_border(start);
    }

    /// Puts the cursor at `at`, or behind the cluster that `at` is inside of: what was on both sides
    /// of a change may have become one cluster.
    fn go_to_border(&mut self, at: usize) {
        let mut border = GraphemeCursor::new(at, self.text.len(), true);
        // Neither fails where the whole text is given.
        let is_border = border.is_boundary(&self.text, 0) == Ok(true);
        let next = border.next_boundary(&self.text, 0).ok().flatten();
        self.cursor = if is_border {
            at
        } else {
            next.unwrap_or(self.text.len())
        };
    }

    fn before(&self) -> usize {
        let before = self.text[..self.cursor].grapheme_indices(true).next_back();
        before.map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        let next = self.text[self.cursor..].graphemes(true).next();
        self.cursor + next.map_or(0, str::len)
    }

    fn line_start(&self) -> usize {
        self.text[..self.cursor].rfind('\n').map_or(0, |at| at + 1)
    }

    fn line_end(&self) -> usize {
        self.text[self.cursor..]
            .find('\n')
            .map_or(self.text.len(), |at| self.cursor + at)
    }

    fn word_start(&self) -> usize {
        let before = self.text[..self.cursor].trim_end_matches(' ');
        before
            .rfind([' ', '\n'])
            .map_or(0, |at| at + 1)
            .max(self.line_start().min(before.len()))
    }

    fn up(&mut self) {
        let start = self.line_start();
        if start > 0 {
            let column = self.column();
            self.cursor = start - 1;
            self.go_to_column(column);
        }
    }

    fn down(&mut self) {
        let end = self.line_end();
        if end < self.text.len() {
            let column = self.column();
            self.cursor = end + 1;
            self.go_to_column(column);
        }
    }

    /// How many clusters stand before the cursor on its line.
    fn column(&self) -> usize {
        self.text[self.line_start()..self.cursor]
            .graphemes(true)
            .count()
    }

    fn go_to_column(&mut self, column: usize) {
        let start = self.line_start();
        let line = &self.text[start..self.line_end()];
        let place = line.grapheme_indices(true).nth(column);
        self.cursor = start + place.map_or(line.len(), |(at, _)| at);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn press(area: &mut TextArea, code: KeyCode) {
        area.on_key(&KeyEvent::new(code, KeyModifiers::NONE));
    }

    fn ctrl(area: &mut TextArea, c: char) {
        area.on_key(&KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL));
    }

    #[test]
    fn keys_edit_as_people_expect() {
        let mut area = TextArea::new("one two\nthree");
        ctrl(&mut area, 'w');
        assert_eq!(area.text(), "one two\n");
        press(&mut area, KeyCode::Backspace);
        ctrl(&mut area, 'w');
        assert_eq!(area.text(), "one ");
        area.insert("2\n日本\n");
        press(&mut area, KeyCode::Up);
        press(&mut area, KeyCode::End);
        press(&mut area, KeyCode::Backspace);
        assert_eq!(area.text(), "one 2\n日\n");
        press(&mut area, KeyCode::Home);
        press(&mut area, KeyCode::Delete);
        assert_eq!(area.text(), "one 2\n\n");
        press(&mut area, KeyCode::Up);
        press(&mut area, KeyCode::Right);
        ctrl(&mut area, 'k');
        assert_eq!(area.text(), "o\n\n");
        ctrl(&mut area, 'u');
        assert_eq!(area.text(), "\n\n");
        // Some terminals and people send it for Enter.
        ctrl(&mut area, 'j');
        assert_eq!(area.text(), "\n\n\n");
    }

    /// Two halves of a flag, which are one cluster.
    #[test]
    fn the_cursor_is_behind_what_a_change_has_joined() {
        let (first, second) = ("\u{1f1e9}", "\u{1f1ea}");
        let mut area = TextArea::new(second);
        press(&mut area, KeyCode::Home);
        area.insert(&format!("ab{first}"));
        assert_eq!(area.wrapped(20).cursor, (0, 4));
        let mut area = TextArea::new(&format!("ab{first}\n{second}c"));
        press(&mut area, KeyCode::Up);
        press(&mut area, KeyCode::End);
        press(&mut area, KeyCode::Delete);
        assert_eq!(area.text(), format!("ab{first}{second}c"));
        assert_eq!(area.wrapped(20).cursor, (0, 4));
    }

    #[test]
    fn what_is_pasted_keeps_its_lines_and_loses_what_is_unsafe() {
        let area = TextArea::new("a\u{1b}[31m\r\n\tb\u{202e}c\n");
        assert_eq!(area.text(), "a[31m\n    bc\n");
    }

    #[test]
    fn rows_break_at_cells_and_follow_the_cursor() {
        let mut area = TextArea::new("abcdef\n日本語");
        assert_eq!(
            area.wrapped(5),
            WrappedText {
                rows: vec!["abcd", "ef", "日本", "語"],
                cursor: (3, 2)
            }
        );
        press(&mut area, KeyCode::Up);
        assert_eq!(area.wrapped(5).cursor, (0, 3));
    }

    #[test]
    fn a_cluster_wider_than_the_editor_keeps_the_cursor_inside() {
        for text in ["aං\u{dda}", "0A\u{acb}\u{acb}"] {
            for width in 0..5 {
                let mut area = TextArea::new(text);
                loop {
                    let laid = area.wrapped(width);
                    assert!(laid.cursor.0 < laid.rows.len(), "{text} {width}");
                    assert!(laid.cursor.1 < width.max(3), "{text} {width} {laid:?}");
                    assert!(laid.rows.iter().all(|row| !row.is_empty()), "{laid:?}");
                    if area.cursor == 0 {
                        break;
                    }
                    press(&mut area, KeyCode::Left);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_sequence_of_keys_breaks_it(
            start in any::<String>(),
            keys in prop::collection::vec(0_u8..16, 0..80),
            width in 0_usize..30,
        ) {
            let mut area = TextArea::new(&start);
            for key in keys {
                match key {
                    0 => press(&mut area, KeyCode::Enter),
                    1 => press(&mut area, KeyCode::Char('日')),
                    14 => press(&mut area, KeyCode::Char('\u{1f1e9}')),
                    2 => press(&mut area, KeyCode::Char('\u{301}')),
                    3 => press(&mut area, KeyCode::Backspace),
                    4 => press(&mut area, KeyCode::Delete),
                    5 => press(&mut area, KeyCode::Left),
                    6 => press(&mut area, KeyCode::Right),
                    7 => press(&mut area, KeyCode::Up),
                    8 => press(&mut area, KeyCode::Down),
                    9 => press(&mut area, KeyCode::Home),
                    10 => press(&mut area, KeyCode::End),
                    11 => ctrl(&mut area, 'u'),
                    12 => ctrl(&mut area, 'k'),
                    13 => ctrl(&mut area, 'w'),
                    _ => area.insert("x y\nz"),
                }
                let mut borders = area.text.grapheme_indices(true).map(|(at, _)| at);
                let at_border = borders.any(|at| at == area.cursor);
                prop_assert!(at_border || area.cursor == area.text.len(), "{:?}", area);
                let rows = area.wrapped(width);
                prop_assert!(rows.cursor.0 < rows.rows.len());
                prop_assert!(rows.cursor.1 < width.max(3));
            }
        }
    }
}
