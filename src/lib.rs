//! mintwatch.

pub mod api;
pub mod board;
pub mod job;
pub mod key;
pub mod poll;
pub mod text;
