//! Links: which are safe to open, and the one form in which they are shown, copied and opened.
//!
//! A link is text from a server, so nothing but a [`Link`] reaches a browser. This file must not know
//! how one is opened.

use std::fmt;

use url::{ParseError, Url};

use crate::text;

/// A link has fewer bytes than this. Longer text may have been cut by [`text::clean`], and half a
/// link leads elsewhere.
const MAX_LINK: usize = text::MAX_CHARS;
/// The most cells of a scheme in an error.
const SCHEME_WIDTH: usize = 20;

/// Why a link is refused. Safe to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    #[error("link refused: it is empty")]
    Empty,
    #[error("link refused: it is too long ({MAX_LINK} bytes or more)")]
    TooLong,
    /// Control, format or bidi characters, line breaks, outer spaces: it is not what it looks like.
    #[error("link refused: it holds hidden characters, line breaks or stray spaces")]
    Hidden,
    /// Browsers read it as a slash, other programs do not.
    #[error("link refused: it holds a backslash, which programs read in different ways")]
    Backslash,
    #[error("link refused: only http and https links are opened, not {0}")]
    Scheme(String),
    /// A user name or password before the host (`https://github.com@example.com`).
    #[error("link refused: it has a user name before its host, to look like another site")]
    UserInfo,
    #[error("link refused: it has no host after http:// or https://")]
    NoHost,
    #[error("link refused: it is not a web address ({0})")]
    Malformed(String),
}

/// A web address that is safe to hand to a browser: `http` or `https`, with a host, without user
/// info, and the same to every reader.
///
/// It is in the normal form of the URL standard: the host in ASCII (punycode), the rest
/// percent-encoded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Link(Url);

impl Link {
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        check_text(text)?;
        let url = Url::parse(text).map_err(parse_error)?;
        if !matches!(url.scheme(), "http" | "https") {
            let scheme = text::truncate(url.scheme(), SCHEME_WIDTH, "…");
            return Err(LinkError::Scheme(scheme.into_owned()));
        }
        check_authority(&text[url.scheme().len()..])?;
        // Percent-encoding may have made it longer.
        if url.as_str().len() >= MAX_LINK {
            return Err(LinkError::TooLong);
        }
        Ok(Self(url))
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The URL parser accepts missing and extra slashes and empty user info; a person would not see which
/// host is meant.
fn check_authority(after_scheme: &str) -> Result<(), LinkError> {
    let authority = after_scheme
        .strip_prefix("://")
        .and_then(|rest| rest.split(['/', '?', '#']).next())
        .filter(|authority| !authority.is_empty())
        .ok_or(LinkError::NoHost)?;
    if authority.contains('@') {
        return Err(LinkError::UserInfo);
    }
    Ok(())
}

fn check_text(link: &str) -> Result<(), LinkError> {
    if link.len() >= MAX_LINK {
        return Err(LinkError::TooLong);
    }
    if link.trim().is_empty() {
        return Err(LinkError::Empty);
    }
    if text::clean(link) != link {
        return Err(LinkError::Hidden);
    }
    if link.contains('\\') {
        return Err(LinkError::Backslash);
    }
    Ok(())
}

fn parse_error(error: ParseError) -> LinkError {
    match error {
        ParseError::EmptyHost => LinkError::NoHost,
        ParseError::RelativeUrlWithoutBase => {
            LinkError::Malformed("it does not begin with https://".into())
        }
        other => LinkError::Malformed(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// Links that are opened, and what the browser gets for them.
    const ALLOWED: &[(&str, &str)] = &[
        (
            "https://github.com/acme/docs/pull/412",
            "https://github.com/acme/docs/pull/412",
        ),
        (
            "http://gitlab.example/a/-/merge_requests/7",
            "http://gitlab.example/a/-/merge_requests/7",
        ),
        ("https://github.com", "https://github.com/"),
        ("HTTPS://GitHub.COM/Acme", "https://github.com/Acme"),
        ("hTtP://example.com/", "http://example.com/"),
        ("https://example.com:8443/pr", "https://example.com:8443/pr"),
        ("https://example.com:443/pr", "https://example.com/pr"),
        ("https://example.com:/pr", "https://example.com/pr"),
        (
            "http://127.0.0.1:7300/pull/1",
            "http://127.0.0.1:7300/pull/1",
        ),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://localhost/x", "http://localhost/x"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("https://[2001:DB8::1]/x", "https://[2001:db8::1]/x"),
        ("https://example.com./x", "https://example.com./x"),
        // Letters that look like others: the browser and the reader get the ASCII form.
        ("https://gіthub.com/x", "https://xn--gthub-n2e.com/x"),
        ("https://ｇithub.com/x", "https://github.com/x"),
        (
            "https://日本語.example/道",
            "https://xn--wgv71a119e.example/%E9%81%93",
        ),
        ("https://example。com/x", "https://example.com/x"),
        ("https://%67ithub.com/x", "https://github.com/x"),
        // Characters that mean something to a shell stay part of the one argument.
        ("https://example.com/;id", "https://example.com/;id"),
        ("https://example.com/$(id)", "https://example.com/$(id)"),
        ("https://example.com/`id`", "https://example.com/%60id%60"),
        ("https://example.com/a|b&c", "https://example.com/a|b&c"),
        (
            "https://example.com/?q=a&b=c",
            "https://example.com/?q=a&b=c",
        ),
        ("https://example.com/'x'", "https://example.com/'x'"),
        ("https://example.com/\"x\"", "https://example.com/%22x%22"),
        ("https://example.com/<b>", "https://example.com/%3Cb%3E"),
        ("https://example.com/*?[x]", "https://example.com/*?[x]"),
        ("https://example.com/{a,b}", "https://example.com/%7Ba,b%7D"),
        ("https://example.com/~root", "https://example.com/~root"),
        ("https://example.com/!!", "https://example.com/!!"),
        ("https://example.com/%0a%0d", "https://example.com/%0a%0d"),
        ("https://example.com/%00", "https://example.com/%00"),
        ("https://example.com/%s%d%n", "https://example.com/%s%d%n"),
        ("https://example.com/a b", "https://example.com/a%20b"),
        ("https://example.com/--help", "https://example.com/--help"),
        ("https://example.com/../../etc", "https://example.com/etc"),
        (
            "https://example.com//evil.example",
            "https://example.com//evil.example",
        ),
        // An at sign after the host is part of the page, not of the host.
        ("https://github.com/@evil", "https://github.com/@evil"),
        ("https://github.com?@evil", "https://github.com/?@evil"),
        ("https://github.com#@evil", "https://github.com/#@evil"),
        (
            "https://example.com/javascript:alert(1)",
            "https://example.com/javascript:alert(1)",
        ),
        ("https://-leading.example/", "https://-leading.example/"),
        (
            "https://example.com/é🎉",
            "https://example.com/%C3%A9%F0%9F%8E%89",
        ),
    ];

    /// Links that are refused, by the reason given.
    const REFUSED: &[(&str, &[&str])] = &[
        ("it is empty", &["", " ", "\n\t ", "\u{3000}"]),
        (
            "it holds hidden characters, line breaks or stray spaces",
            &[
                " https://example.com/",
                "https://example.com/ ",
                "https://example.com/\n",
                "https://example.com/\r\nX-Header: 1",
                "java\nscript:alert(1)",
                "jav\tascript:alert(1)",
                "https://exa\tmple.com/",
                "https://example.com/\0",
                "\0https://example.com/",
                "https://example.com/\u{1b}[31m",
                "https://example.com/\u{1b}]52;c;eA==\u{7}",
                "https://example.com/\u{9b}31m",
                "https://example.com/\u{7f}",
                "https://example.com/\u{202e}lmth.live",
                "https://\u{2066}example.com\u{2069}/",
                "https://git\u{200b}hub.com/",
                "https://github.com\u{200d}/",
                "https://git\u{ad}hub.com/",
                "\u{feff}https://example.com/",
                "https://example.com/\u{e0041}",
                "https://example.com/\u{e000}",
                "https://example.com/\u{2028}",
                "https://example.com/a\u{a0}b",
                "https://example.com/two  spaces",
                "https://example.com/a\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
            ],
        ),
        (
            "it holds a backslash, which programs read in different ways",
            &[
                r"https://github.com\@evil.example/",
                r"https:\\evil.example\x",
                r"\\server\share",
                r"C:\Windows\System32\calc.exe",
                r"https://example.com/a\b",
            ],
        ),
        (
            "it has a user name before its host, to look like another site",
            &[
                "https://github.com@evil.example/",
                "https://github.com:443@evil.example/acme",
                "https://user:secret@github.com/",
                "https://:secret@github.com/",
                "https://@evil.example/",
                "https://:@evil.example/",
                "https://a@b@evil.example/",
                "https://github.com%2f@evil.example/",
                "https://github.com;@evil.example/",
                "https://github.com@[::1]/",
            ],
        ),
        (
            "it has no host after http:// or https://",
            &[
                "http:",
                "http:/",
                "http://",
                "http:///",
                "http:///evil.example",
                "https:////evil.example",
                "https:evil.example",
                "https:/evil.example",
                "https://?x",
                "https://#x",
                "https://:80/",
            ],
        ),
        (
            "it is not a web address (it does not begin with https://)",
            &[
                "--help",
                "-P/tmp/evil",
                "//evil.example/x",
                "/etc/passwd",
                "../x",
                "acme/docs#412",
                "github.com/acme/docs/pull/1",
                "?q",
                "#x",
                "$(id)",
                ";id",
                "null",
                "://example.com",
                "ｈttps://example.com/",
            ],
        ),
        (
            "it is not a web address (invalid port number)",
            &[
                "https://example.com:99999/",
                "https://example.com:x/",
                "https://example.com:-1/",
            ],
        ),
        (
            "it is not a web address (invalid IPv6 address)",
            &["https://[::1", "https://[::g]/", "https://[::1%25eth0]/"],
        ),
        (
            "it is not a web address (invalid IPv4 address)",
            &["http://1.2.3.4.5/", "http://999.1.1.1/"],
        ),
        (
            "it is not a web address (invalid international domain name)",
            &[
                "https://git hub.com/",
                "https://exa<mple.com/",
                "https://github.com%00.evil.example/",
                "https://example.com|id/",
                "https://xn--a/",
            ],
        ),
    ];

    /// Links of other schemes, and the scheme that the refusal names.
    const SCHEMES: &[(&str, &str)] = &[
        ("javascript:alert(1)", "javascript"),
        ("JaVaScRiPt:alert(1)", "javascript"),
        ("javascript://example.com/%0aalert(1)", "javascript"),
        ("file:///etc/passwd", "file"),
        ("file://server/share", "file"),
        ("FILE:/etc/passwd", "file"),
        ("data:text/html,<script>alert(1)</script>", "data"),
        ("data:,x", "data"),
        ("vbscript:msgbox(1)", "vbscript"),
        ("ssh://git@github.com/acme/docs", "ssh"),
        ("ssh://-oProxyCommand=id/x", "ssh"),
        ("git://github.com/acme/docs.git", "git"),
        ("git+ssh://github.com/acme", "git+ssh"),
        ("ftp://example.com/x", "ftp"),
        ("ws://example.com/", "ws"),
        ("mailto:a@example.com", "mailto"),
        ("tel:112", "tel"),
        ("about:blank", "about"),
        ("chrome://settings", "chrome"),
        ("view-source:https://example.com/", "view-source"),
        ("blob:https://example.com/1", "blob"),
        ("smb://server/share", "smb"),
        ("ms-msdt:/id", "ms-msdt"),
        ("httpss://example.com/", "httpss"),
        ("github.com:443/acme", "github.com"),
        ("c:/windows/x.exe", "c"),
        (
            "an-endless-scheme-to-fill-the-screen-with-it:x",
            "an-endless-scheme-t…",
        ),
    ];

    /// What the browser would get for `link`, or the words of the refusal.
    fn verdict(link: &str) -> Result<String, String> {
        Link::parse(link)
            .map(|link| link.to_string())
            .map_err(|error| error.to_string())
    }

    /// Every link of the tables, with its verdict.
    fn hostile_links() -> impl Iterator<Item = (&'static str, Result<String, String>)> {
        let allowed = ALLOWED
            .iter()
            .map(|(link, want)| (*link, Ok((*want).to_owned())));
        let refused = REFUSED.iter().flat_map(|(why, links)| {
            let words = format!("link refused: {why}");
            links.iter().map(move |link| (*link, Err(words.clone())))
        });
        let schemes = SCHEMES.iter().map(|(link, scheme)| {
            let words = format!("link refused: only http and https links are opened, not {scheme}");
            (*link, Err(words))
        });
        allowed.chain(refused).chain(schemes)
    }

    #[test]
    fn hostile_links_table() {
        let mut wrong = Vec::new();
        let mut seen = HashSet::new();
        for (link, want) in hostile_links() {
            assert!(seen.insert(link), "twice: {link:?}");
            let got = verdict(link);
            if got != want {
                wrong.push((link, got, want));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(seen.len() >= 100, "{} links", seen.len());
    }

    #[test]
    fn a_link_that_may_have_been_cut_is_refused() {
        let whole = format!("https://example.com/{}", "x".repeat(MAX_LINK - 21));
        assert_eq!(Link::parse(&whole).unwrap().as_str(), whole);
        let long = format!("{whole}xxx");
        assert_eq!(Link::parse(&long), Err(LinkError::TooLong));
        assert_eq!(Link::parse(&text::clean(&long)), Err(LinkError::TooLong));
        assert_eq!(
            Link::parse(&"x".repeat(10_000_000)),
            Err(LinkError::TooLong)
        );
        let grows = format!("https://example.com/{}", "道".repeat(300));
        assert_eq!(Link::parse(&grows), Err(LinkError::TooLong));
    }

    #[test]
    fn refusals_are_one_short_plain_line() {
        for (_, want) in hostile_links() {
            let Err(line) = want else { continue };
            assert_eq!(text::clean(&line), line);
            assert!(text::width(&line) <= 100, "{line}");
        }
    }

    proptest! {
        #[test]
        fn what_is_opened_is_a_plain_web_address(
            start in prop::sample::select(vec!["", "https://", "http:", "https:/", "HTTP://a"]),
            rest in "\\PC{0,40}|[@:/?#\\\\\\[\\]%.a0 ;-]{0,40}|.{0,40}",
        ) {
            if let Ok(link) = Link::parse(&format!("{start}{rest}")) {
                let url = link.as_url();
                prop_assert!(matches!(url.scheme(), "http" | "https"));
                prop_assert!(url.username().is_empty() && url.password().is_none());
                prop_assert!(url.host_str().is_some_and(|host| !host.is_empty()));
                prop_assert!(url.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert_eq!(Link::parse(link.as_str()), Ok(link.clone()));
            }
        }
    }
}
