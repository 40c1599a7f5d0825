//! Text from outside: cleaned once, where it enters, and measured as ratatui draws it.
//!
//! ratatui writes bidi controls, zero-width joiners and stacked combining marks to the terminal, so
//! all text from a server, a config file or a user passes [`clean`] (one line) or [`clean_lines`]
//! first. This file must not know what the text is for or how it is styled.

use std::borrow::Cow;

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, NoncharacterCodePoint};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The most code points of one field from outside.
pub const MAX_CHARS: usize = 1_024;
/// The most code points of a text of several lines.
pub const MAX_BLOCK: usize = 65_536;
/// The most bytes of one grapheme cluster: a base with a few marks.
pub const MAX_GRAPHEME_BYTES: usize = 32;
const MAX_GRAPHEME_CHARS: usize = 6;
/// Symbols that show nothing, for which Unicode has no property: the blank pattern of Braille, and the
/// null notehead.
const BLANK: [char; 2] = ['\u{2800}', '\u{1D159}'];

/// One line of safe text: no control, format, private-use or tag characters, no line breaks, no
/// stacks of combining marks, at most [`MAX_CHARS`] code points. Idempotent.
///
/// White space of any kind becomes one plain space, and is trimmed at both ends.
pub fn clean(raw: &str) -> String {
    if is_clean_ascii(raw) {
        return raw.to_owned();
    }
    let mut line = drop_unsafe(raw);
    // Cutting a cluster can join its rest to a neighbour (Hangul jamo), so repeat until stable.
    while !line.is_ascii() {
        let shorter = drop_unsafe(&cap_graphemes(&line));
        if shorter == line {
            break;
        }
        line = shorter;
    }
    line
}

/// As [`clean`], without a copy of what is clean.
pub fn into_clean(raw: String) -> String {
    if is_clean_ascii(&raw) {
        raw
    } else {
        clean(&raw)
    }
}

/// Safe text of several lines: spaces and line breaks stay, a tab becomes four spaces, and the rest is
/// cleaned as in [`clean`]. Capped at [`MAX_BLOCK`] code points.
pub fn clean_lines(raw: &str) -> String {
    let spaced = raw
        .replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace('\t', "    ");
    let kept = |c: &char| matches!(c, '\n' | ' ') || is_safe(*c);
    let safe: String = spaced.chars().filter(kept).take(MAX_BLOCK).collect();
    let capped = |line: &str| {
        if line.is_ascii() {
            line.to_owned()
        } else {
            cap_graphemes(line)
        }
    };
    safe.split('\n').map(capped).collect::<Vec<_>>().join("\n")
}

/// The cells of `text` as ratatui draws it: the sum over its grapheme clusters.
pub fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// `text` without `prefix`, unless nothing else is in it.
pub fn without_prefix<'a>(text: &'a str, prefix: &str) -> &'a str {
    let rest = text.strip_prefix(prefix);
    rest.filter(|rest| !rest.is_empty()).unwrap_or(text)
}

/// Where a text is cut that is too wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    Start,
    Middle,
    End,
}

/// `text` cut to `max` cells, with `ellipsis` at the end where something was cut.
pub fn truncate<'a>(text: &'a str, max: usize, ellipsis: &str) -> Cow<'a, str> {
    truncate_at(Cut::End, text, max, ellipsis)
}

/// `text` cut to `max` cells, with `ellipsis` where something was cut.
pub fn truncate_at<'a>(cut: Cut, text: &'a str, max: usize, ellipsis: &str) -> Cow<'a, str> {
    if width(text) <= max {
        return Cow::Borrowed(text);
    }
    if max == 0 {
        return Cow::Borrowed("");
    }
    let room = max.saturating_sub(width(ellipsis));
    let at_end = match cut {
        Cut::Start => room,
        Cut::Middle => room / 2,
        Cut::End => 0,
    };
    let start = take_cells(text, room - at_end);
    Cow::Owned([start, ellipsis, take_last_cells(text, at_end)].concat())
}

/// The longest end of `text` that is at most `max` cells wide, cut between clusters.
fn take_last_cells(text: &str, max: usize) -> &str {
    let mut cells = 0;
    let mut start = text.len();
    for (at, cluster) in text.grapheme_indices(true).rev() {
        cells += width(cluster);
        if cells > max {
            break;
        }
        start = at;
    }
    &text[start..]
}

/// `text` in lines of at most `max` cells; ends at a cluster wider than `max`.
pub fn wrap(text: &str, max: usize) -> Vec<&str> {
    wrap_at(text, max, |line, _| {
        line.rfind(' ').filter(|at| *at > line.len() / 2)
    })
}

/// The same, but no word is broken that has room on a line of its own, such as a link.
pub fn wrap_words(text: &str, max: usize) -> Vec<&str> {
    wrap_at(text, max, |line, after| {
        let space = line.rfind(' ');
        space.filter(|_| !after.starts_with(' '))
    })
}

/// `space` finds where to break a line that is full, given what comes after it.
fn wrap_at(text: &str, max: usize, space: impl Fn(&str, &str) -> Option<usize>) -> Vec<&str> {
    let mut rest = text;
    let mut lines = Vec::new();
    while !rest.is_empty() && max > 0 {
        let (mut line, after) = rest.split_at(take_cells(rest, max).len());
        if line.is_empty() {
            break;
        }
        if !after.is_empty()
            && let Some(end) = space(line, after)
        {
            line = &line[..end];
        }
        rest = rest[line.len()..].trim_start_matches(' ');
        lines.push(line);
    }
    lines
}

/// `text` in pieces of at most `max` cells, or of one cluster where that is wider; at least one piece,
/// which may be empty.
pub fn chop(text: &str, max: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        let fitting = take_cells(rest, max).len();
        let first = rest.graphemes(true).next().map_or(0, str::len);
        let (piece, after) = rest.split_at(fitting.max(first));
        pieces.push(piece);
        rest = after;
        if rest.is_empty() {
            return pieces;
        }
    }
}

fn take_cells(text: &str, max: usize) -> &str {
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += grapheme.width();
        if used > max {
            return &text[..at];
        }
    }
    text
}

/// The fast path of [`clean`], for nearly all text: printable ASCII with no space at an end or beside
/// another.
fn is_clean_ascii(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    let mut before = b' ';
    for byte in bytes {
        if !(byte.is_ascii_graphic() || (*byte == b' ' && before != b' ')) {
            return false;
        }
        before = *byte;
    }
    before != b' ' && bytes.len() <= MAX_CHARS
}

fn drop_unsafe(raw: &str) -> String {
    let mut line = String::with_capacity(raw.len().min(MAX_CHARS * 4));
    // Also a cap on the input: a megabyte of controls must not cost a megabyte.
    for c in raw.chars().take(MAX_CHARS * 4) {
        if c.is_whitespace() {
            if !line.ends_with(' ') && !line.is_empty() {
                line.push(' ');
            }
        } else if is_safe(c) {
            line.push(c);
        }
    }
    let end = line
        .char_indices()
        .nth(MAX_CHARS)
        .map_or(line.len(), |(at, _)| at);
    line.truncate(end);
    line.truncate(line.trim_end().len());
    line
}

/// Whether a terminal shows `c` as a mark of its own. Variation selectors are not safe either: they are
/// among the ignorable, and terminals disagree on the widths that they make.
fn is_safe(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    let is_invisible = CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || CodePointSetData::new::<NoncharacterCodePoint>().contains(c)
        || BLANK.contains(&c);
    !is_invisible
        && !matches!(
            CodePointMapData::<GeneralCategory>::new().get(c),
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::PrivateUse
                | GeneralCategory::Surrogate
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator
        )
}

/// Caps each cluster and drops those of no width (a mark without a base would be drawn on the cell
/// before it).
fn cap_graphemes(line: &str) -> String {
    line.graphemes(true)
        .filter(|g| g.width() > 0)
        .map(cap_grapheme)
        .collect()
}

fn cap_grapheme(grapheme: &str) -> &str {
    let end = grapheme
        .char_indices()
        .enumerate()
        .find(|(nth, (at, c))| *nth >= MAX_GRAPHEME_CHARS || at + c.len_utf8() > MAX_GRAPHEME_BYTES)
        .map_or(grapheme.len(), |(_, (at, _))| at);
    &grapheme[..end]
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_word_is_broken_that_has_room_on_a_line_of_its_own() {
        for (text, max, want) in [
            (
                "sent: https://a.test/b",
                16,
                &["sent:", "https://a.test/b"][..],
            ),
            (
                "sent: https://a.test/bc",
                16,
                &["sent:", "https://a.test/b", "c"],
            ),
            ("one two three", 7, &["one two", "three"]),
            ("日本 日本", 5, &["日本", "日本"]),
            ("one", 0, &[]),
            ("", 5, &[]),
        ] {
            assert_eq!(wrap_words(text, max), want, "{text} in {max}");
        }
    }

    #[test]
    fn chopped_text_loses_nothing() {
        for (text, max, want) in [
            ("a b  c", 2, &["a ", "b ", " c"][..]),
            ("日本語", 5, &["日本", "語"]),
            ("日", 1, &["日"]),
            ("", 3, &[""]),
        ] {
            assert_eq!(chop(text, max), want, "{text} in {max}");
        }
    }

    #[test]
    fn clean_table() {
        for (raw, want) in [
            ("plain", "plain"),
            ("", ""),
            ("  a \t b\r\nc  ", "a b c"),
            ("\u{1b}[31mred\u{1b}[0m", "[31mred[0m"),
            ("\u{202e}evil\u{2066}x\u{2069}", "evilx"),
            ("a\u{2028}b\u{2029}c", "a b c"),
            ("zero\u{200b}width\u{feff}", "zerowidth"),
            ("\u{1f468}\u{200d}\u{1f469}", "\u{1f468}\u{1f469}"),
            ("heart\u{2764}\u{fe0f}", "heart\u{2764}"),
            ("tag\u{e0041}\u{e007f}", "tag"),
            ("pua\u{e000}\u{f0000}\u{10fffd}", "pua"),
            ("\u{301}lead", "lead"),
            (
                "caf\u{e9} cafe\u{301} 日本語",
                "caf\u{e9} cafe\u{301} 日本語",
            ),
        ] {
            assert_eq!(clean(raw), want, "{raw:?}");
        }
    }

    #[test]
    fn what_shows_nothing_is_dropped() {
        let invisible = [
            "\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180b}\u{180c}\u{180d}\u{180e}\u{180f}",
            "\u{200b}\u{200f}\u{2060}\u{2065}\u{206f}\u{2800}\u{3164}\u{fe00}\u{fe0f}\u{feff}\u{ffa0}",
            "\u{fff0}\u{fff8}\u{fdd0}\u{fdef}\u{fffe}\u{ffff}\u{1fffe}\u{10ffff}\u{1bca0}\u{1d159}\u{1d173}",
            "\u{e0000}\u{e0100}\u{e0fff}",
        ];
        for c in invisible.concat().chars() {
            assert_eq!(clean(&format!("a{c}b")), "ab", "{c:?}");
        }
    }

    #[test]
    fn a_zalgo_tower_is_capped() {
        let tower = format!("a{}b", "\u{301}".repeat(500));
        let cleaned = clean(&tower);
        assert!(
            cleaned.starts_with('a') && cleaned.ends_with('b'),
            "{cleaned}"
        );
        assert_eq!(width(&cleaned), 2);
        assert!(cleaned.len() <= 2 + MAX_GRAPHEME_BYTES);
    }

    #[test]
    fn truncate_table() {
        for (text, max, want) in [
            ("short", 9, "short"),
            ("exactly", 7, "exactly"),
            ("too long for it", 8, "too lon…"),
            ("日本語のラベル", 7, "日本語…"),
            ("日本語のラベル", 6, "日本…"),
            ("x", 0, ""),
            ("xy", 1, "…"),
        ] {
            assert_eq!(truncate(text, max, "…"), want, "{text} {max}");
        }
    }

    #[test]
    fn wrap_breaks_at_spaces_where_it_can() {
        assert_eq!(wrap("the key was refused", 12), ["the key was", "refused"]);
        assert_eq!(wrap("aaaaaaaaaa", 4), ["aaaa", "aaaa", "aa"]);
        assert_eq!(wrap("anything", 0), Vec::<&str>::new());
    }

    /// What must not be drawn, from Unicode's own tables (`UnicodeData.txt`, `PropList.txt` and
    /// `DerivedCoreProperties.txt`) rather than from the code under test.
    const UNSAFE: &[RangeInclusive<u32>] = &[
        0x00..=0x1f,
        0x7f..=0x9f,
        0xad..=0xad,
        0x34f..=0x34f,
        0x600..=0x605,
        0x61c..=0x61c,
        0x6dd..=0x6dd,
        0x70f..=0x70f,
        0x115f..=0x1160,
        0x17b4..=0x17b5,
        0x180b..=0x180f,
        0x200b..=0x200f,
        0x2028..=0x202e,
        0x2060..=0x206f,
        0x2800..=0x2800,
        0x3164..=0x3164,
        0xe000..=0xf8ff,
        0xfdd0..=0xfdef,
        0xfe00..=0xfe0f,
        0xfeff..=0xfeff,
        0xffa0..=0xffa0,
        0xfff0..=0xfffb,
        0xfffe..=0xffff,
        0x110bd..=0x110bd,
        0x1bca0..=0x1bca3,
        0x1d159..=0x1d159,
        0x1d173..=0x1d17a,
        0x1fffe..=0x1ffff,
        0xe0000..=0xe0fff,
        0xf0000..=0x0010_ffff,
    ];

    fn is_unsafe(c: char) -> bool {
        UNSAFE.iter().any(|range| range.contains(&u32::from(c)))
    }

    fn unsafe_char() -> impl Strategy<Value = char> {
        let range = prop::sample::select(UNSAFE);
        range
            .prop_flat_map(|range| range)
            .prop_map(|code| char::from_u32(code).unwrap())
    }

    fn hostile() -> impl Strategy<Value = String> {
        let nasty = prop::sample::select(vec![
            '\u{0}',
            '\u{1b}',
            '\u{7f}',
            '\u{9b}',
            '\u{200d}',
            '\u{200e}',
            '\u{202e}',
            '\u{2067}',
            '\u{2028}',
            '\u{301}',
            '\u{489}',
            '\u{e0020}',
            '\u{e000}',
            '\u{10fffd}',
            '\u{fe0f}',
            '\u{1f3fb}',
            '\u{1f1e6}',
            '\u{1100}',
            '\u{1161}',
            '\u{11a8}',
            '\u{94d}',
            '\u{915}',
            '日',
            'a',
            ' ',
            '\n',
            '\u{ad}',
            '\u{644}',
            '\u{627}',
            '\u{600}',
            '\u{110bd}',
        ]);
        prop::collection::vec(prop_oneof![nasty, unsafe_char(), any::<char>()], 0..200)
            .prop_map(|chars| chars.into_iter().collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        /// The short way out of `clean` is taken when, and only when, the long way changes nothing.
        #[test]
        fn the_ascii_fast_path_changes_nothing(
            raw in prop_oneof!["[ -~]{0,12}", "[ a\\t\\n\u{7f}\u{e9}]{0,6}", "x{1020,1028}"],
        ) {
            let unchanged = raw.is_ascii() && !raw.is_empty() && drop_unsafe(&raw) == raw;
            prop_assert_eq!(is_clean_ascii(&raw), unchanged);
        }

        #[test]
        fn cleaned_text_is_safe_to_draw(raw in hostile()) {
            let cleaned = clean(&raw);
            prop_assert!(!cleaned.chars().any(|c| is_unsafe(c) || (c != ' ' && c.is_whitespace())));
            prop_assert!(cleaned.chars().count() <= MAX_CHARS);
            for grapheme in cleaned.graphemes(true) {
                prop_assert!(grapheme.len() <= MAX_GRAPHEME_BYTES, "{grapheme:?}");
                prop_assert!(grapheme.width() > 0, "{grapheme:?}");
            }
            prop_assert_eq!(clean(&cleaned), cleaned);
        }

        #[test]
        fn truncated_text_fits(raw in hostile(), max in 0_usize..40) {
            let cleaned = clean(&raw);
            prop_assert!(width(&truncate(&cleaned, max, "…")) <= max);
            for line in wrap(&cleaned, max) {
                prop_assert!(width(line) <= max);
            }
        }
    }
}
