//! The API key: where it comes from, and a value that never shows itself.
//!
//! This file must not know the network or the screen.

use secrecy::{ExposeSecret, SecretString};

/// An API key. Its `Debug` is redacted; only the API client reads it.
#[derive(Clone, Debug)]
pub struct ApiKey(SecretString);

impl ApiKey {
    /// The key itself, for the `Authorization` header and nothing else.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}
