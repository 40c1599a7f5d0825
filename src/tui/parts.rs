//! Lines of parts, of which as many are drawn as there is room for.
//!
//! This file must not know what the parts say.

use ratatui::text::Line;

use crate::text;

/// Those of `parts` that fit into `room` cells, without the lightest.
pub(super) fn heaviest<T>(
    mut parts: Vec<T>,
    room: usize,
    width: impl Fn(&T) -> usize,
    weight: impl Fn(&T) -> u8,
) -> Vec<T> {
    while parts.iter().map(&width).sum::<usize>() > room {
        let weights = parts.iter().map(&weight).enumerate();
        let Some((lightest, _)) = weights.min_by_key(|(_, weight)| *weight) else {
            break;
        };
        parts.remove(lightest);
    }
    parts
}

/// As many of `parts`, with `gap` between them, as fit into `room` cells.
pub(super) fn fit(
    parts: impl IntoIterator<Item = Line<'static>>,
    gap: &str,
    room: usize,
) -> Line<'static> {
    let mut line = Line::default();
    for part in parts {
        let gap = if line.spans.is_empty() { "" } else { gap };
        if line.width() + text::width(gap) + part.width() > room {
            break;
        }
        line.push_span(gap.to_owned());
        line.extend(part);
    }
    line
}
