//! A terminal of a size that no screen has is drawn on only in part: what is allocated grows with
//! the size that the terminal claims, which may be 65,535 columns and rows.

use std::io;

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

/// The largest size that is drawn: beyond the largest screens with the smallest letters.
const LARGEST: Size = Size::new(1_500, 500);

/// `size` as far as it is drawn on.
pub(super) fn capped_size(size: Size) -> Size {
    Size::new(
        size.width.min(LARGEST.width),
        size.height.min(LARGEST.height),
    )
}

/// A backend that tells no larger size than what is drawn on.
#[derive(Debug)]
pub struct Capped<B>(pub(super) B);

impl<B: Backend<Error = io::Error>> Backend for Capped<B> {
    type Error = io::Error;

    fn size(&self) -> io::Result<Size> {
        self.0.size().map(capped_size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        let mut size = self.0.window_size()?;
        size.columns_rows = capped_size(size.columns_rows);
        Ok(size)
    }

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        self.0.draw(content)
    }

    fn append_lines(&mut self, lines: u16) -> io::Result<()> {
        self.0.append_lines(lines)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.0.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.0.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.0.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.0.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.0.clear()
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.0.clear_region(region)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
