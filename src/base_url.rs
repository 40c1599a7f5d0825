//! The base URL of an API that a key may be sent to.
//!
//! The rule is https, or plain http to this machine; no user, query or fragment. This file must not
//! know where a URL is configured, or what is requested from it.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// The page of Mintlify where keys are made, and where the ids of projects are shown.
pub const KEYS_PAGE: &str = "https://app.mintlify.com/settings/organization/api-keys";

/// A URL to which a key can be sent without crossing a network in clear. It may have a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Why a URL is refused, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    #[error("not a URL such as `{example}`: {0}", example = BaseUrl::MINTLIFY)]
    NotAUrl(#[from] url::ParseError),
    #[error("expected an https:// URL such as `{}`", BaseUrl::MINTLIFY)]
    OtherScheme,
    #[error("a user or a password does not belong in this URL: see `[key]`")]
    Credentials,
    #[error("this URL may have neither a query nor a fragment")]
    QueryOrFragment,
    #[error(
        "plain http:// is only for this machine (127.0.0.1, [::1], localhost): anyone on the way \
         could read the key; use https://"
    )]
    PlainHttp,
}

impl BaseUrl {
    pub const MINTLIFY: &str = "https://api.mintlify.com";

    pub fn as_url(&self) -> &Url {
        &self.0
    }

    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether its host is always this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }
}

impl TryFrom<Url> for BaseUrl {
    type Error = BaseUrlError;

    fn try_from(url: Url) -> Result<Self, BaseUrlError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(BaseUrlError::OtherScheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::QueryOrFragment);
        }
        if url.scheme() == "http" && !is_loopback(&url) {
            return Err(BaseUrlError::PlainHttp);
        }
        Ok(Self(url))
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        Url::parse(text)?.try_into()
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_url_table() {
        use BaseUrlError::{Credentials, OtherScheme, PlainHttp, QueryOrFragment};
        for (text, want) in [
            (BaseUrl::MINTLIFY, Ok(false)),
            ("https://host/prefix", Ok(false)),
            ("https://127.0.0.1", Ok(true)),
            ("http://127.0.0.1:8080", Ok(true)),
            ("http://127.9.9.9", Ok(true)),
            ("http://[::1]:8080/x", Ok(true)),
            ("http://localhost", Ok(true)),
            ("http://api.mintlify.com", Err(PlainHttp)),
            ("http://localhost.example.com", Err(PlainHttp)),
            ("http://127.0.0.1.example.com", Err(PlainHttp)),
            ("http://0.0.0.0", Err(PlainHttp)),
            ("http://192.168.0.1", Err(PlainHttp)),
            ("http://[::ffff:192.168.0.1]", Err(PlainHttp)),
            ("ftp://127.0.0.1", Err(OtherScheme)),
            ("data:text/plain,x", Err(OtherScheme)),
            ("https://user@host", Err(Credentials)),
            ("https://:pass@host", Err(Credentials)),
            ("https://host/?a=b", Err(QueryOrFragment)),
            ("https://host/#a", Err(QueryOrFragment)),
        ] {
            let got = text.parse::<BaseUrl>();
            assert_eq!(got.map(|url| url.is_loopback()), want, "{text}");
        }
        let error = "api.mintlify.com".parse::<BaseUrl>().unwrap_err();
        assert!(
            error.to_string().starts_with("not a URL such as"),
            "{error}"
        );
    }
}
