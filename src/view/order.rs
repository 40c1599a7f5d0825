//! The order of rows: by which column, and which way round.

use std::cmp::Ordering;

use super::columns::ColumnId;
use crate::board::Row;

/// By which column rows are sorted. The default is the leftmost one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sort {
    pub column: ColumnId,
    pub reversed: bool,
}

impl Sort {
    /// By `column`, in the order that suits it.
    pub fn new(column: ColumnId) -> Self {
        Self {
            column,
            reversed: false,
        }
    }

    #[must_use]
    pub fn reverse(self) -> Self {
        Self {
            reversed: !self.reversed,
            ..self
        }
    }

    pub fn compare(self, a: &Row, b: &Row) -> Ordering {
        let order = (self.column.column().compare)(a, b);
        if self.reversed {
            order.reverse()
        } else {
            order
        }
    }
}
