//! `[ui]` and `[keys]`: how the dashboard looks, and the keys that it obeys.
//!
//! What the columns, views, actions and keys are called, only the dashboard knows: those names stay
//! as they are written, with their locations. This file must not know how an error is shown.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use toml::Spanned;

use super::error::nearest;
use super::location::{Located, Source};
use super::raw::parsed;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct UiConfig {
    /// From left to right; `None` for all, in the order that the dashboard has them.
    pub columns: Option<Located<Vec<Located<String>>>>,
    /// The column to sort by at first; a minus before it reverses the order.
    pub sort: Located<String>,
    pub view: Located<String>,
    pub theme: Palette,
    pub ascii: Ascii,
    pub mouse: bool,
    /// Whether the terminal's title shows the counts.
    pub title: bool,
}

impl Default for UiConfig {
    fn default() -> Self {
        Self {
            columns: None,
            sort: "status".into(),
            view: "all".into(),
            theme: Palette::Terminal,
            ascii: Ascii::Auto,
            mouse: false,
            title: true,
        }
    }
}

impl UiConfig {
    pub(super) fn locate_names(&mut self, source: Source) {
        self.sort.location.resolve(source);
        self.view.location.resolve(source);
        if let Some(columns) = &mut self.columns {
            columns.locate_all(source);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Palette {
    /// The terminal's own.
    Terminal,
    Plain,
}

impl<'de> Deserialize<'de> for Palette {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer, |name: String| match name.as_str() {
            "terminal" => Ok(Self::Terminal),
            "plain" => Ok(Self::Plain),
            other => Err(match nearest(other, ["terminal", "plain"]) {
                Some(near) => format!("unknown theme `{other}`: did you mean `{near}`?"),
                None => format!("unknown theme `{other}`: expected `\"terminal\"` or `\"plain\"`"),
            }),
        })
    }
}

/// Whether only ASCII is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ascii {
    /// Where the locale is not UTF-8.
    Auto,
    Always,
    Never,
}

impl<'de> Deserialize<'de> for Ascii {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AsciiVisitor)
    }
}

struct AsciiVisitor;

impl Visitor<'_> for AsciiVisitor {
    type Value = Ascii;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`\"auto\"`, `true` or `false`")
    }

    fn visit_bool<E: de::Error>(self, always: bool) -> Result<Ascii, E> {
        Ok(if always { Ascii::Always } else { Ascii::Never })
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Ascii, E> {
        match word {
            "auto" => Ok(Ascii::Auto),
            _ => Err(E::custom("expected `\"auto\"`, `true` or `false`")),
        }
    }
}

/// An action and the keys that replace its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySetting {
    pub action: Located<String>,
    /// Without any, the action has no key.
    pub keys: Located<Vec<Located<String>>>,
}

/// `[keys]` as it is written, but not in the order of the file.
pub(super) type RawKeys = BTreeMap<Spanned<String>, Spanned<RawChords>>;

#[cfg_attr(test, derive(Debug))]
pub(super) enum RawChords {
    One(String),
    Several(Vec<Located<String>>),
}

impl<'de> Deserialize<'de> for RawChords {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ChordsVisitor)
    }
}

struct ChordsVisitor;

impl<'de> Visitor<'de> for ChordsVisitor {
    type Value = RawChords;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key such as `\"o\"`, or several such as `[\"o\", \"ctrl-o\"]`")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<RawChords, E> {
        Ok(RawChords::One(key.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut keys: A) -> Result<RawChords, A::Error> {
        let mut several = Vec::new();
        while let Some(key) = keys.next_element()? {
            several.push(key);
        }
        Ok(RawChords::Several(several))
    }
}

/// The settings of `raw` in the order of the file.
pub(super) fn keys(raw: RawKeys, source: Source) -> Vec<KeySetting> {
    let mut entries: Vec<_> = raw.into_iter().collect();
    entries.sort_by_key(|(action, _)| action.span().start);
    let setting = |(action, keys): (Spanned<String>, Spanned<RawChords>)| {
        let span = keys.span();
        let keys = match keys.into_inner() {
            RawChords::One(key) => vec![Spanned::new(span.clone(), key).into()],
            RawChords::Several(keys) => keys,
        };
        let mut keys = Located::from(Spanned::new(span, keys));
        keys.locate_all(source);
        let mut action = Located::from(action);
        action.location.resolve(source);
        KeySetting { action, keys }
    };
    entries.into_iter().map(setting).collect()
}
