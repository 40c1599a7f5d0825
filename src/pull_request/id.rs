//! Which pull request of which GitHub a link leads to.
//!
//! This file must not know which hosts are asked, or how.

use std::fmt;

use url::{Host, Url};

use crate::link::Link;

/// GitHub's own limit for a repository; an owner has fewer.
const MAX_NAME: usize = 100;

/// What `https://HOST/OWNER/REPOSITORY/pull/NUMBER` names. Its `Display` is `acme/docs#412`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PullRequestId {
    /// In its normal form, and only to be compared: where requests go, the config says.
    pub host: String,
    pub owner: String,
    pub repository: String,
    /// Fits into an `Int` of GraphQL.
    pub number: u32,
}

impl PullRequestId {
    /// `None` for a link of another form, or with another port. What follows the number does not matter.
    pub fn from_link(link: &Link) -> Option<Self> {
        let url = link.as_url();
        if url.scheme() != "https" || url.port().is_some() {
            return None;
        }
        let mut segments = url.path_segments()?;
        let (owner, repository) = (segments.next()?, segments.next()?);
        let ("pull", number) = (segments.next()?, segments.next()?) else {
            return None;
        };
        if !is_name(owner) || !is_name(repository) {
            return None;
        }
        Some(Self {
            host: host(url)?,
            owner: owner.to_owned(),
            repository: repository.to_owned(),
            number: parse_number(number)?,
        })
    }

    /// `acme/docs`.
    pub fn repository_path(&self) -> String {
        format!("{}/{}", self.owner, self.repository)
    }
}

impl fmt::Display for PullRequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}#{}", self.owner, self.repository, self.number)
    }
}

fn host(url: &Url) -> Option<String> {
    match url.host()? {
        Host::Domain(name) => Some(name.to_owned()),
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(_) => None,
    }
}

fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(is_plain)
}

/// Without a sign or a zero at its beginning, which a number of GitHub's has not.
fn parse_number(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let number = text.parse().ok().filter(|_| is_plain)?;
    i32::try_from(number).is_ok().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(link: &str) -> Option<String> {
        let id = PullRequestId::from_link(&Link::parse(link).ok()?)?;
        Some(format!("{} {id}", id.host))
    }

    #[test]
    fn pull_request_id_table() {
        for (link, want) in [
            (
                "https://github.com/acme/docs/pull/412",
                "github.com acme/docs#412",
            ),
            (
                "https://github.com/acme/docs/pull/412/",
                "github.com acme/docs#412",
            ),
            (
                "https://GitHub.com/Acme/docs.md/pull/1/files?w=1#x",
                "github.com Acme/docs.md#1",
            ),
            (
                "https://github.com:443/a_b/c-d/pull/2147483647",
                "github.com a_b/c-d#2147483647",
            ),
            (
                "https://127.0.0.1/acme/docs/pull/4",
                "127.0.0.1 acme/docs#4",
            ),
            // Known by no config.
            (
                "https://github.com./acme/docs/pull/4",
                "github.com. acme/docs#4",
            ),
            (
                "https://gіthub.com/acme/docs/pull/4",
                "xn--gthub-n2e.com acme/docs#4",
            ),
        ] {
            assert_eq!(id(link).as_deref(), Some(want), "{link}");
        }
        for link in [
            "http://github.com/acme/docs/pull/4",
            "https://github.com:8443/acme/docs/pull/4",
            "https://api.github.com@evil.example/acme/docs/pull/4",
            "https://[::1]/acme/docs/pull/4",
            "https://github.com/acme/docs/issues/4",
            "https://github.com/acme/docs/pull",
            "https://github.com/acme/docs/pull/",
            "https://github.com/acme/docs/pull/0",
            "https://github.com/acme/docs/pull/04",
            "https://github.com/acme/docs/pull/+4",
            "https://github.com/acme/docs/pull/2147483648",
            "https://github.com/acme/docs/pull/99999999999999999999",
            "https://github.com/acme/docs/pulls/4",
            "https://github.com/x/acme/docs/pull/4",
            "https://github.com//docs/pull/4",
            "https://github.com/ac%22me/docs/pull/4",
            "https://github.com/a}b/docs/pull/4",
            "https://gitlab.com/acme/docs/-/merge_requests/4",
            "https://github.com",
        ] {
            assert_eq!(id(link), None, "{link}");
        }
    }
}
