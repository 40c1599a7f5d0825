//! `[ui]` and `[keys]`, checked as far as the config knows them: what the columns, views and actions
//! are called, and which keys there are, only the dashboard knows, so that they keep their places.
//!
//! This file must not know how TOML is read or how a fault is shown.

use std::ops::Range;
use std::path::Path;

use toml::Spanned;

use super::error::{Fault, Place};
use super::raw::{RawChords, RawKeys, RawSwitch, RawUi, nearest};
use super::settings::{Ascii, KeySetting, LocatedList, Palette, UiSettings, Written};

/// What is read, and where it is from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl Source<'_> {
    fn place(self, span: &Range<usize>) -> Place {
        Place::new(self.path, self.text, span)
    }

    fn written(self, raw: Spanned<String>) -> Written {
        Written {
            place: self.place(&raw.span()),
            text: raw.into_inner(),
        }
    }

    fn list(self, raw: Vec<Spanned<String>>, span: &Range<usize>) -> LocatedList {
        LocatedList {
            names: raw.into_iter().map(|raw| self.written(raw)).collect(),
            place: self.place(span),
        }
    }
}

pub(super) fn ui(raw: RawUi, source: Source) -> Result<UiSettings, Fault> {
    let default = UiSettings::default();
    let columns = raw.columns.map(|raw| {
        let span = raw.span();
        source.list(raw.into_inner(), &span)
    });
    let name =
        |raw: Option<Spanned<String>>, default| raw.map_or(default, |raw| source.written(raw));
    Ok(UiSettings {
        columns,
        sort: name(raw.sort, default.sort),
        view: name(raw.view, default.view),
        theme: raw.theme.map_or(Ok(default.theme), |raw| theme(&raw))?,
        ascii: raw.ascii.map_or(Ok(default.ascii), |raw| ascii(&raw))?,
        mouse: raw.mouse.unwrap_or(default.mouse),
        title: raw.title.unwrap_or(default.title),
    })
}

fn theme(raw: &Spanned<String>) -> Result<Palette, Fault> {
    match raw.get_ref().as_str() {
        "terminal" => Ok(Palette::Terminal),
        "plain" => Ok(Palette::Plain),
        other => {
            let meant = nearest(other, ["terminal", "plain"]);
            let meant = meant.map_or(
                String::from("expected `\"terminal\"` or `\"plain\"`"),
                |near| format!("did you mean `{near}`?"),
            );
            Err(Fault::new(
                raw.span(),
                format!("unknown theme `{other}`: {meant}"),
            ))
        }
    }
}

fn ascii(raw: &Spanned<RawSwitch>) -> Result<Ascii, Fault> {
    match raw.get_ref() {
        RawSwitch::Is(true) => Ok(Ascii::Always),
        RawSwitch::Is(false) => Ok(Ascii::Never),
        RawSwitch::Word(word) if word == "auto" => Ok(Ascii::Auto),
        RawSwitch::Word(_) => Err(Fault::new(
            raw.span(),
            "expected `\"auto\"`, `true` or `false`",
        )),
    }
}

pub(super) fn keys(raw: RawKeys, source: Source) -> Vec<KeySetting> {
    let mut entries = raw.0;
    entries.sort_by_key(|(action, _)| action.span().start);
    let entry = |(action, keys): (Spanned<String>, Spanned<RawChords>)| {
        let span = keys.span();
        let keys = match keys.into_inner() {
            RawChords::One(key) => vec![Spanned::new(span.clone(), key)],
            RawChords::Several(keys) => keys,
        };
        KeySetting {
            action: source.written(action),
            keys: source.list(keys, &span),
        }
    };
    entries.into_iter().map(entry).collect()
}
