//! An array as text: its items and the gaps between them, so that one item comes or goes and all
//! else stays byte for byte.
//!
//! A gap holds white space, comments, and one comma where an item stands on both its sides. This
//! file must not know what the items are.

use std::ops::Range;

/// The text between `[` and `]`. There is one gap more than there are items.
pub(super) struct ArrayText {
    gaps: Vec<String>,
    items: Vec<String>,
    line_break: &'static str,
}

impl ArrayText {
    /// The array at `span` of `text`, brackets included, with the ids and spans of its items; `None`
    /// where these are not in order.
    pub(super) fn new(
        text: &str,
        span: &Range<usize>,
        items: &[(String, Range<usize>)],
        line_break: &'static str,
    ) -> Option<Self> {
        let end = span.end.checked_sub(1)?;
        let mut array = Self {
            gaps: Vec::with_capacity(items.len() + 1),
            items: Vec::with_capacity(items.len()),
            line_break,
        };
        let mut at = span.start + 1;
        for (_, item) in items {
            array.gaps.push(text.get(at..item.start)?.to_owned());
            array.items.push(text.get(item.clone())?.to_owned());
            at = item.end;
        }
        array.gaps.push(text.get(at..end)?.to_owned());
        Some(array)
    }

    /// Adds `item` at the end, in the style of the items before it.
    pub(super) fn push(&mut self, item: String) {
        let Some(last) = self.gaps.pop() else { return };
        let (before, after) = match self.gaps.last() {
            None => self.around_the_first(&last),
            Some(previous) => self.around_one_more(previous, &last),
        };
        self.gaps.extend([before, after]);
        self.items.push(item);
    }

    fn around_the_first(&self, inside: &str) -> (String, String) {
        let Some(cut) = inside.rfind('\n').map(|at| at + 1) else {
            return (inside.to_owned(), inside.to_owned());
        };
        let (lines, closing) = inside.split_at(cut);
        let comment = lines.lines().skip(1).find(|line| !line.trim().is_empty());
        let indent = comment.map_or_else(|| format!("{closing}  "), |line| indent(line).to_owned());
        let after = format!(",{}{closing}", self.line_break);
        (format!("{lines}{indent}"), after)
    }

    /// The gaps before and after one more item, where `previous` and `last` were around the last.
    fn around_one_more(&self, previous: &str, last: &str) -> (String, String) {
        let own_line = own_line(previous).and_then(|indent| self.on_own_line(indent, last));
        let leads = || self.behind_its_comma(previous, last);
        own_line.or_else(leads).unwrap_or_else(|| {
            let is_separator = self.items.len() > 1 && !previous.contains('\n');
            let separator = if is_separator { previous } else { ", " };
            (separator.to_owned(), last.to_owned())
        })
    }

    /// The gaps around an item on the line below the last one.
    fn on_own_line(&self, indent: &str, last: &str) -> Option<(String, String)> {
        let line_break = self.line_break;
        if !last.contains('\n') {
            // The closing bracket stands on the line of the last item.
            return Some((format!(",{line_break}{indent}"), last.to_owned()));
        }
        let comma = comma(last);
        let from = comma.unwrap_or(0);
        let (line, rest) = last.split_at(from + last[from..].find('\n')? + 1);
        let [given, own] = if comma.is_some() {
            ["", ","]
        } else {
            [",", ""]
        };
        Some((
            format!("{given}{line}{indent}"),
            format!("{own}{line_break}{rest}"),
        ))
    }

    /// The gaps around an item on a line that starts with a comma, as the line of the last one does.
    fn behind_its_comma(&self, previous: &str, last: &str) -> Option<(String, String)> {
        let (_, start) = previous.rsplit_once('\n')?;
        if !start.trim_start().starts_with(',') || comma(last).is_some() {
            return None;
        }
        let (line, rest) = last.split_at(line_end(last).unwrap_or(0));
        Some((format!("{line}{}{start}", self.line_break), rest.to_owned()))
    }

    /// Takes the item `at` out, with the comment at the end of its line where it has that line for
    /// itself; all other comments stay.
    pub(super) fn remove(&mut self, at: usize) {
        let is_last = at + 1 == self.items.len();
        self.items.remove(at);
        let after = self.gaps.remove(at + 1);
        if let Some(gap) = self.gaps.get_mut(at) {
            *gap = join(gap, &after, at == 0, is_last);
        }
    }

    pub(super) fn into_text(self) -> String {
        let mut text = String::from("[");
        let mut items = self.items.into_iter();
        for gap in self.gaps {
            text += &gap;
            text += &items.next().unwrap_or_default();
        }
        text.push(']');
        text
    }
}

/// The gap that is left of `before` and `after` when the item between them is gone.
fn join(before: &str, after: &str, is_first: bool, is_last: bool) -> String {
    let wants_comma = if is_last {
        !is_first && comma(after).is_some()
    } else {
        !is_first
    };
    let own_start = own_line(before).map(|indent| before.len() - indent.len());
    let joined = match (own_start, line_end(after)) {
        // A line of its own, or several.
        (Some(start), Some(end)) => before[..start].to_owned() + past_line_break(&after[end..]),
        // The first of several on its line.
        (_, None) if !is_last => before.to_owned(),
        // The last one, on the line of the closing bracket.
        (Some(start), None) if is_first => before[..start].to_owned(),
        (_, None) if before.contains('#') => before.trim_end_matches([' ', '\t', ',']).to_owned(),
        (_, None) => after.to_owned(),
        // The first one, on the line of the opening bracket.
        (None, Some(end)) if is_first => after[end..].to_owned(),
        // After another one on its line, or after its own comma.
        (None, Some(end)) => match before.rfind('\n') {
            Some(start) => trim_line_break(&before[..=start]).to_owned() + &after[end..],
            None => after.to_owned(),
        },
    };
    with_comma(&joined, wants_comma)
}

/// The white space before an item that stands first on its line, where `gap` is before it.
fn own_line(gap: &str) -> Option<&str> {
    let (_, indent) = gap.rsplit_once('\n')?;
    indent.trim().is_empty().then_some(indent)
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// Where the first line of `gap` ends, before its line break.
fn line_end(gap: &str) -> Option<usize> {
    let at = gap.find('\n')?;
    Some(trim_line_break(&gap[..=at]).len())
}

fn trim_line_break(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

fn past_line_break(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, rest)| rest)
}

/// Where the first comma of `gap` is that is no part of a comment.
fn comma(gap: &str) -> Option<usize> {
    let mut in_comment = false;
    gap.bytes().position(|byte| {
        in_comment = byte != b'\n' && (in_comment || byte == b'#');
        byte == b',' && !in_comment
    })
}

/// `gap` with one comma, or with none.
fn with_comma(gap: &str, mut wanted: bool) -> String {
    let (mut text, mut rest) = (String::new(), gap);
    while let Some(at) = comma(rest) {
        text += &rest[..at];
        if std::mem::take(&mut wanted) {
            text.push(',');
        }
        rest = &rest[at + 1..];
    }
    text += rest;
    if wanted {
        text.insert(0, ',');
    }
    text
}
