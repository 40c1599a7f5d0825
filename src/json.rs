//! JSON from a remote, read with suspicion: text is cleaned where it enters, a wrong type is named
//! without its value, and what is no JSON is told from what is broken.
//!
//! This file must not know what any remote sends.

use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::http::Client;
use crate::secret;
use crate::text;

#[derive(Debug, PartialEq, Eq)]
pub enum DecodeError {
    Empty,
    Html,
    Truncated,
    NotJson,
    /// The member that holds the secret that was sent.
    RepeatsSecret(&'static str),
    /// Other JSON than expected: the member, and its problem.
    Shape(String),
}

impl DecodeError {
    /// The problem with a reply that `client` received, and how to fix it.
    pub(crate) fn message(&self, client: &Client, secret: &SecretString) -> String {
        let terms = client.terms();
        let address = terms.address;
        match self {
            Self::Empty => format!("the reply is empty: is {address} right?"),
            Self::Html => format!("the reply is HTML, not JSON: is {address} right?"),
            Self::Truncated => format!(
                "the reply stops in the middle of its JSON: if this stays so, check {address} and any \
                 proxy"
            ),
            Self::NotJson => format!("the reply is not JSON: is {address} right?"),
            Self::RepeatsSecret(member) => format!(
                "the reply repeats the {} in `{member}`, so that it was refused: is {address} right?",
                terms.secret
            ),
            Self::Shape(problem) => format!(
                "the reply is not what the API promises: {}; is {address} right, and this program new \
                 enough?",
                client.quote(problem, secret)
            ),
        }
    }
}

pub(crate) fn refuse_secret(
    member: &'static str,
    text: Option<&str>,
    secret: &SecretString,
) -> Result<(), DecodeError> {
    match text {
        Some(text) if secret::cleaned_holds(text, secret.expose_secret()) => {
            Err(DecodeError::RepeatsSecret(member))
        }
        _ => Ok(()),
    }
}

pub(crate) fn non_empty(text: Option<Text>) -> Option<String> {
    let Text(text) = text?;
    Some(text).filter(|text| !text.is_empty())
}

pub(crate) fn timestamp(text: Option<Text>) -> Option<Timestamp> {
    text?.0.parse().ok()
}

pub(crate) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    match serde_json::from_slice(body) {
        Ok(Object(value)) => Ok(value),
        Err(_) => decode_or_explain(body),
    }
}

/// Keeps track of the path to name the member, at a third of the speed.
fn decode_or_explain<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    match body.trim_ascii().first() {
        None => return Err(DecodeError::Empty),
        Some(b'<') => return Err(DecodeError::Html),
        Some(_) => {}
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let Object(value) = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        decode_error(&path, &error.into_inner())
    })?;
    json.end().map_err(|error| decode_error(".", &error))?;
    Ok(value)
}

fn decode_error(path: &str, error: &serde_json::Error) -> DecodeError {
    if error.is_eof() {
        DecodeError::Truncated
    } else if error.is_data() {
        DecodeError::Shape(shape(path, error))
    } else {
        DecodeError::NotJson
    }
}

/// Turns serde's "invalid type: integer `5`, expected a string at line 1 column 12" into a problem
/// without the value, which may be long or hostile.
fn shape(path: &str, error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = message
        .rsplit_once(" at line ")
        .map_or(&*message, |(message, _)| message);
    if let Some(name) = message.strip_prefix("duplicate field ") {
        return format!("{name} comes twice");
    }
    let what = if path == "." {
        String::from("the reply")
    } else {
        format!("`{path}`")
    };
    let types = message
        .strip_prefix("invalid type: ")
        .and_then(|types| types.rsplit_once(", expected "));
    match types {
        Some((got, want)) => format!("{what} is {}, not {}", type_name(got), type_name(want)),
        None => format!("{what} cannot be read"),
    }
}

fn type_name(serde_words: &str) -> &str {
    let end = serde_words.find(['`', '"']).unwrap_or(serde_words.len());
    match serde_words[..end].trim_end() {
        "string" | "a string" => "text",
        "integer" | "floating point" => "a number",
        "boolean" => "true or false",
        "sequence" => "a list",
        "map" => "an object",
        other => other,
    }
}

/// Cleaned text, without a copy of the raw one.
pub(crate) struct Text(pub(crate) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(CleanText)
    }
}

struct CleanText;

impl Visitor<'_> for CleanText {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, raw: &str) -> Result<Text, E> {
        Ok(Text(text::clean(raw)))
    }
}

/// A JSON object only: derived `Deserialize` also accepts a list.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(PhantomData))
    }
}

struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}
