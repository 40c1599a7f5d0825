//! `[github]`: which hosts are asked for the state of pull requests, and where their tokens come from.
//!
//! This file must not know how a token is read, or what is sent.

use std::fmt;
use std::path::Path;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;
use url::{Host, Url};

use super::check;
use super::location::Diagnostic;
use super::raw::RawKey;
use super::settings::KeySource;
use crate::base_url::{BaseUrl, BaseUrlError};

/// The host of the links to GitHub's own pull requests.
const GITHUB_COM: &str = "github.com";
const GITHUB_API: &str = "https://api.github.com/graphql";
/// The variables that hold a token by convention, in the order in which `gh` reads them.
pub const TOKEN_VARIABLES: [&str; 2] = ["GH_TOKEN", "GITHUB_TOKEN"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GithubConfig {
    pub enabled: bool,
    /// github.com, then the others in the order of the file; each once.
    pub hosts: Vec<GithubHost>,
}

/// A GitHub that is asked. Its token is sent to `api` and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GithubHost {
    /// As links to its pull requests have it, in its normal form.
    pub host: String,
    pub api: BaseUrl,
    /// `None` for the token of the environment, or of `gh`.
    pub token: Option<KeySource>,
}

impl GithubConfig {
    /// The one of exactly this name: another that looks like it is none of ours.
    pub fn host(&self, name: &str) -> Option<&GithubHost> {
        self.hosts.iter().find(|host| host.host == name)
    }

    /// The environment variables that hold tokens.
    pub(super) fn token_variables(&self) -> impl Iterator<Item = &str> {
        let own = self.hosts.iter().filter_map(|host| host.token.as_ref());
        let conventional = TOKEN_VARIABLES.into_iter().filter(|_| self.enabled);
        own.filter_map(KeySource::variable).chain(conventional)
    }
}

impl GithubHost {
    pub fn is_github_com(&self) -> bool {
        self.host == GITHUB_COM
    }

    /// Whether it is a tenant of GitHub Enterprise Cloud, asked at its own address.
    pub fn is_ghe_com(&self) -> bool {
        let api = self.api.as_url();
        let own = format!("api.{}", self.host);
        self.host.ends_with(".ghe.com") && self.api.is_https() && api.host_str() == Some(&own)
    }
}

/// As it is written.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
#[cfg_attr(test, derive(Debug))]
pub(super) struct RawGithub {
    enabled: bool,
    token: Option<Spanned<RawToken>>,
    hosts: Vec<RawHost>,
}

impl Default for RawGithub {
    fn default() -> Self {
        Self {
            enabled: true,
            token: None,
            hosts: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table with the `host` and the `api` of a GitHub"
)]
#[cfg_attr(test, derive(Debug))]
struct RawHost {
    host: Spanned<String>,
    api: Spanned<String>,
    token: Option<Spanned<RawToken>>,
}

/// Written as a key is, but called a token.
#[cfg_attr(test, derive(Debug))]
struct RawToken(RawKey);

impl<'de> Deserialize<'de> for RawToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TokenVisitor)
    }
}

struct TokenVisitor;

impl<'de> Visitor<'de> for TokenVisitor {
    type Value = RawToken;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a table such as `{ env = \"GH_TOKEN\" }` (the token itself does not belong in this file)",
        )
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawToken, A::Error> {
        RawKey::deserialize(MapAccessDeserializer::new(map)).map(RawToken)
    }
}

/// The checked `[github]` of the config `text` in `folder`.
pub(super) fn check(raw: RawGithub, text: &str, folder: &Path) -> Result<GithubConfig, Diagnostic> {
    let names = raw.hosts.iter().map(|host| &host.host);
    check::check_names("host", names, invalid_host, text)?;
    let github_com = GithubHost {
        host: GITHUB_COM.to_owned(),
        api: api(&Spanned::new(0..0, GITHUB_API.to_owned()))?,
        token: token(raw.token, folder)?,
    };
    let mut hosts = vec![github_com];
    for host in raw.hosts {
        hosts.push(GithubHost {
            api: api(&host.api)?,
            token: token(host.token, folder)?,
            host: host.host.into_inner(),
        });
    }
    Ok(GithubConfig {
        enabled: raw.enabled,
        hosts,
    })
}

fn token(raw: Option<Spanned<RawToken>>, folder: &Path) -> Result<Option<KeySource>, Diagnostic> {
    let raw = raw.map(|raw| Spanned::new(raw.span(), raw.into_inner().0));
    check::key(raw, "token", folder)
}

fn api(raw: &Spanned<String>) -> Result<BaseUrl, Diagnostic> {
    let url = raw.get_ref().parse();
    url.map_err(|error| Diagnostic::new(raw.span(), invalid_api(&error)))
}

fn invalid_api(error: &BaseUrlError) -> String {
    let example = "an https:// URL such as `https://github.acme.dev/api/graphql`";
    match error {
        BaseUrlError::NotAUrl(why) => format!("not {example}: {why}"),
        BaseUrlError::OtherScheme => format!("expected {example}"),
        BaseUrlError::Credentials => {
            String::from("a user or a password does not belong in this URL: see `token`")
        }
        BaseUrlError::QueryOrFragment => error.to_string(),
        BaseUrlError::PlainHttp => String::from(
            "plain http:// is only for this machine (127.0.0.1, [::1], localhost): anyone on the way \
             could read the token; use https://",
        ),
    }
}

/// Why `host` cannot be the host of links.
fn invalid_host(host: &str) -> Option<String> {
    if host.is_empty() {
        return Some("the host is empty".to_owned());
    }
    if host == GITHUB_COM || host.ends_with(".github.com") {
        let why =
            "github.com is always asked, at its own address: its token is the `token` of [github]";
        return Some(why.to_owned());
    }
    let why = "not the host of links, such as `github.acme.dev`: in lower case, without a scheme, a port \
               or a dot at its end";
    (!is_normal(host)).then(|| why.to_owned())
}

/// Whether `host` is written as it stands in a checked link.
fn is_normal(host: &str) -> bool {
    let Ok(url) = Url::parse(&format!("https://{host}/")) else {
        return false;
    };
    let is_ipv6 = matches!(url.host(), Some(Host::Ipv6(_)));
    !is_ipv6
        && !host.ends_with('.')
        && url.as_str() == format!("https://{host}/")
        && url.host_str() == Some(host)
}
