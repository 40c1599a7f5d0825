//! Finds a secret in a text that should not hold it.
//!
//! The case of letters does not matter, since a host name loses it, nor does percent-encoding, since a
//! browser takes it back. This file must not know whose text it is.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use crate::text;

/// Fewer bytes stand in a text by chance: a text repeats so short a secret only if it is nothing else.
const SHORTEST_PART: usize = 8;

/// Whether `text` holds `secret`.
pub(crate) fn holds(text: &[u8], secret: &[u8]) -> bool {
    let decoded = Cow::from(percent_decode(text));
    [text, &decoded].iter().any(|text| {
        if secret.len() < SHORTEST_PART {
            !secret.is_empty() && text.trim_ascii().eq_ignore_ascii_case(secret)
        } else {
            find(text, secret).is_some()
        }
    })
}

/// As [`holds`], for text from [`text::clean`], which may have cut it inside the secret.
pub(crate) fn cleaned_holds(text: &str, secret: &str) -> bool {
    holds(text.as_bytes(), secret.as_bytes()) || was_cut_inside(text, secret)
}

/// Cleaned `text` with `shown` for each `secret`; `shown` alone where more than that would be needed.
pub(crate) fn redact(text: &str, secret: &str, shown: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = find(rest.as_bytes(), secret.as_bytes()) {
        kept.push_str(&rest[..at]);
        kept.push_str(shown);
        rest = &rest[at + secret.len()..];
    }
    kept.push_str(rest);
    if holds(kept.as_bytes(), secret.as_bytes()) || was_cut_inside(text, secret) {
        return shown.to_owned();
    }
    kept
}

/// Where `secret` begins in `text`. Both are UTF-8 where they come from a `str`, so that it begins and
/// ends between two characters there.
fn find(text: &[u8], secret: &[u8]) -> Option<usize> {
    let size = secret.len().max(1);
    let mut windows = text.windows(size);
    windows.position(|window| window.eq_ignore_ascii_case(secret))
}

fn was_cut_inside(text: &str, secret: &str) -> bool {
    let ends_in = |length: usize| {
        let end = text.len().checked_sub(length);
        end.is_some_and(|end| {
            text.as_bytes()[end..].eq_ignore_ascii_case(&secret.as_bytes()[..length])
        })
    };
    text.len() >= text::MAX_CHARS && (SHORTEST_PART..secret.len()).any(ends_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "mint_Canary0123";

    #[test]
    fn holds_table() {
        for (text, want) in [
            ("mint_Canary0123", true),
            ("https://x/mint_Canary0123/y", true),
            ("MINT_CANARY0123.example.com", true),
            ("?key=mint%5fC%61nary0123", true),
            ("日mint_Canary0123日", true),
            ("mint_Canary012", false),
            ("mint_Canary 0123", false),
            ("", false),
        ] {
            assert_eq!(holds(text.as_bytes(), SECRET.as_bytes()), want, "{text}");
        }
    }

    #[test]
    fn a_short_secret_is_repeated_by_nothing_but_itself() {
        for (text, secret, want) in [
            ("main", "a", false),
            (" A\n", "a", true),
            ("%61", "a", true),
            ("", "", false),
            ("main", "", false),
        ] {
            assert_eq!(holds(text.as_bytes(), secret.as_bytes()), want, "{text}");
        }
    }

    #[test]
    fn a_part_at_a_cut_is_as_good_as_the_whole() {
        let cut = |secret: &str| text::clean(&format!("{}{secret}", "x".repeat(1_014)));
        assert!(cleaned_holds(&cut(SECRET), SECRET));
        assert!(!cleaned_holds(&cut("mint_other0123"), SECRET));
        assert!(!cleaned_holds("at the end mint_Canary", SECRET));
    }

    #[test]
    fn redact_table() {
        let cut = text::clean(&format!("xyz{SECRET}").repeat(100));
        for (text, secret, want) in [
            ("no such key", SECRET, "no such key"),
            ("éMINT_canary0123é mint_Canary0123", SECRET, "é[it]é [it]"),
            ("bad mint%5FCanary0123", SECRET, "[it]"),
            (&cut, SECRET, "[it]"),
            ("main", "a", "m[it]in"),
            ("main", "", "main"),
            ("", "", ""),
        ] {
            assert_eq!(redact(text, secret, "[it]"), want, "{text}");
        }
    }
}
