//! Keys that stand where they should not: hidden before a text is shown.
//!
//! This file must not know whose text it is.

use crate::text;

/// The beginning of every API key.
const PREFIX: &str = "mint_";

/// `text` with a `*` for each character of a key after its prefix; as many bytes as before, so that
/// offsets in the text stay right.
pub(crate) fn redact_keys(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(PREFIX) {
        let (before, key) = rest.split_at(at + PREFIX.len());
        let length = key.find(|c| !is_key_char(c)).unwrap_or(key.len());
        shown.push_str(before);
        shown.extend(std::iter::repeat_n('*', length));
        rest = &key[length..];
    }
    shown.push_str(rest);
    shown
}

/// The first `most` cells of `text`, as they are safe to show.
pub(super) fn excerpt(text: &str, most: usize) -> String {
    text::truncate(&text::clean(&redact_keys(text)), most, "…").into_owned()
}

fn is_key_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redact_keys_table() {
        for (text, want) in [
            ("nothing to hide", "nothing to hide"),
            ("key = \"mint_aB9-x\"", "key = \"mint_*****\""),
            ("mint_a mint_dsc_b", "mint_* mint_*****"),
            ("mint_", "mint_"),
            ("mint_mint_x日", "mint_******日"),
        ] {
            assert_eq!(redact_keys(text), want);
            assert_eq!(redact_keys(text).len(), text.len());
        }
    }
}
