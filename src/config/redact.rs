//! Keys that stand where they should not: hidden before a text is shown.
//!
//! This file must not know whose text it is.

use crate::text;

/// The beginning of every API key.
const PREFIX: &str = "mint_";
/// The beginnings of GitHub's tokens, which a name can have too.
const TOKEN_PREFIXES: [&str; 6] = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"];
/// The fewest characters of a token after its prefix.
const MIN_TOKEN: usize = 16;

/// `text` with a `*` for each character of a key or a token after its prefix; as many bytes as before,
/// so that offsets in the text stay right.
pub(crate) fn redact_keys(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = next_key(rest, shown.chars().next_back()) {
        let (before, key) = rest.split_at(at);
        let length = key_length(key);
        shown.push_str(before);
        shown.extend(std::iter::repeat_n('*', length));
        rest = &key[length..];
    }
    shown.push_str(rest);
    shown
}

/// Whether `text` begins as a key or a token does.
pub(super) fn begins_as_secret(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with(PREFIX) || TOKEN_PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}

/// Where the first key or token goes on after its prefix; `before` is what stands before `text`.
fn next_key(text: &str, before: Option<char>) -> Option<usize> {
    let key = text.find(PREFIX).map(|at| at + PREFIX.len());
    let tokens = TOKEN_PREFIXES.iter().flat_map(|prefix| {
        let ends = text.match_indices(prefix).filter(|(at, _)| {
            let before = text[..*at].chars().next_back().or(before);
            !before.is_some_and(is_key_char)
        });
        ends.map(|(at, prefix)| at + prefix.len())
    });
    let tokens = tokens.filter(|end| key_length(&text[*end..]) >= MIN_TOKEN);
    tokens.chain(key).min()
}

fn key_length(text: &str) -> usize {
    text.find(|c| !is_key_char(c)).unwrap_or(text.len())
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
            ("'ghp_0123456789abcdef'", "'ghp_****************'"),
            (
                "github_pat_0123456789abcdef, mint_a",
                "github_pat_****************, mint_*",
            ),
            // Names, not tokens.
            ("ghp_short", "ghp_short"),
            ("laughs_0123456789abcdef", "laughs_0123456789abcdef"),
        ] {
            assert_eq!(redact_keys(text), want);
            assert_eq!(redact_keys(text).len(), text.len());
        }
    }
}
