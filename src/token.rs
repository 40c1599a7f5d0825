//! The token for a GitHub: where it comes from, and a value that never shows itself.
//!
//! Nothing in this file, no error and no `Debug`, holds any part of a token. This file must not know the
//! network or the screen, or how a source is read.

use std::ffi::OsStr;
use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::config::{GithubHost, KeySource, TOKEN_VARIABLES};
use crate::credential::{self, SourceProblem};
use crate::environment::Environment;

/// How long a configured command may take: long enough to unlock a password manager by hand.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);
/// How long `gh` may take, which asks nothing.
const GH_LIMIT: Duration = Duration::from_secs(10);
const MAX_TOKEN: usize = 512;

/// A token for one GitHub. Its `Debug` is redacted; only the client of that GitHub reads it.
#[derive(Clone, Debug)]
pub struct Token(SecretString);

impl Token {
    /// The token in `text`, with white space around it, unless it cannot be one.
    pub fn parse(text: &str) -> Result<Self, TokenProblem> {
        let token = text.trim();
        if token.is_empty() {
            Err(TokenProblem::Empty)
        } else if token.starts_with("mint_") {
            Err(TokenProblem::MintlifyKey)
        } else if token.len() > MAX_TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            Err(TokenProblem::NotAToken)
        } else {
            Ok(Self(token.into()))
        }
    }

    fn parse_bytes(bytes: &[u8]) -> Result<Self, TokenProblem> {
        Self::parse(std::str::from_utf8(bytes).map_err(|_| TokenProblem::NotAToken)?)
    }

    /// The token itself, still hidden, for the `Authorization` header and nothing else.
    pub(crate) fn secret(&self) -> &SecretString {
        &self.0
    }
}

impl PartialEq for Token {
    /// For telling a new token from an old one of the same user; nobody can time it.
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

/// Where a token comes from. Its `Display` is how messages name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSource {
    Config(KeySource),
    Variable(&'static str),
    Gh,
}

impl fmt::Display for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(source) => source.fmt(f),
            Self::Variable(name) => write!(f, "${name}"),
            Self::Gh => f.write_str("`gh auth token`"),
        }
    }
}

/// Why a source gave no token, and what to do. One line, safe to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {problem}")]
pub struct TokenError {
    pub origin: TokenSource,
    pub problem: TokenProblem,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenProblem {
    #[error("no token in it")]
    Empty,
    #[error("not a token, which is one word of at most {MAX_TOKEN} ASCII characters")]
    NotAToken,
    #[error("a Mintlify key (mint_), which is not sent to GitHub")]
    MintlifyKey,
    #[error(transparent)]
    Source(#[from] SourceProblem),
}

/// A token, and where it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundToken {
    pub token: Token,
    pub source: TokenSource,
}

/// The token for `host`: the configured one, else that of the environment, else that of `gh`. `None` where
/// no source has one. Commands see `environment`.
pub async fn resolve(
    host: &GithubHost,
    environment: &Environment,
) -> Result<Option<FoundToken>, TokenError> {
    if let Some(source) = &host.token {
        let bytes = credential::read(source, "token", environment, COMMAND_LIMIT).await;
        return found(TokenSource::Config(source.clone()), bytes).map(Some);
    }
    if let Some(name) = variable(host, |name| !credential::from_env(name).is_empty()) {
        let bytes = Ok(credential::from_env(name));
        return found(TokenSource::Variable(name), bytes).map(Some);
    }
    if !environment.has_program(OsStr::new("gh")) {
        return Ok(None);
    }
    match credential::read(&gh(&host.host), "token", environment, GH_LIMIT).await {
        // It is not signed in.
        Err(SourceProblem::Failed(_)) => Ok(None),
        bytes => found(TokenSource::Gh, bytes).map(Some),
    }
}

fn found(
    source: TokenSource,
    bytes: Result<credential::Bytes, SourceProblem>,
) -> Result<FoundToken, TokenError> {
    let token = match bytes {
        Ok(bytes) => Token::parse_bytes(&bytes),
        Err(problem) => Err(problem.into()),
    };
    match token {
        Ok(token) => Ok(FoundToken { token, source }),
        Err(problem) => Err(TokenError {
            origin: source,
            problem,
        }),
    }
}

/// The first variable with a token for `host`: they are for GitHub's own hosts only.
fn variable(host: &GithubHost, is_set: impl Fn(&str) -> bool) -> Option<&'static str> {
    let is_for = host.is_github_com() || host.is_ghe_com();
    TOKEN_VARIABLES
        .into_iter()
        .find(|name| is_for && is_set(name))
}

fn gh(host: &str) -> KeySource {
    let argv = ["gh", "auth", "token", "--hostname", host];
    KeySource::Command(argv.map(String::from).into())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const CANARY: &str = "ghp_canary0123456789canary";

    fn host(host: &str, api: &str) -> GithubHost {
        GithubHost {
            host: host.into(),
            api: api.parse().unwrap(),
            token: None,
        }
    }

    #[test]
    fn token_table() {
        for (text, want) in [
            (" ghp_x\n", Ok("ghp_x")),
            (" ", Err(TokenProblem::Empty)),
            ("Bearer ghp_x", Err(TokenProblem::NotAToken)),
            ("ghp_é", Err(TokenProblem::NotAToken)),
            (&"x".repeat(513), Err(TokenProblem::NotAToken)),
            ("mint_x", Err(TokenProblem::MintlifyKey)),
        ] {
            let token = Token::parse(text);
            let shown = format!("{token:?}");
            assert!(!shown.contains("ghp_"), "{shown}");
            let token = token.map(|token| token.0.expose_secret().to_owned());
            assert_eq!(token, want.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn variables_are_for_githubs_own_hosts_only() {
        let both = |_: &str| true;
        let second = |name: &str| name == "GITHUB_TOKEN";
        let tenant = "https://api.acme.ghe.com/graphql";
        for (name, api, want) in [
            ("github.com", "https://api.github.com/graphql", true),
            ("acme.ghe.com", tenant, true),
            ("acme.ghe.com", "https://api.other.ghe.com/graphql", false),
            ("acme.ghe.com", "https://evil.example/graphql", false),
            ("acme.ghe.com", "http://127.0.0.1/graphql", false),
            ("ghe.com.evil.example", tenant, false),
            ("evilghe.com", "https://api.evilghe.com/graphql", false),
            ("github.com.evil.example", tenant, false),
            (
                "github.acme.dev",
                "https://github.acme.dev/api/graphql",
                false,
            ),
        ] {
            let host = host(name, api);
            assert_eq!(variable(&host, both), want.then_some("GH_TOKEN"), "{name}");
            assert_eq!(
                variable(&host, second),
                want.then_some("GITHUB_TOKEN"),
                "{name}"
            );
            assert_eq!(variable(&host, |_| false), None);
        }
    }

    /// `gh` in a `PATH` of its own, with what it prints.
    async fn with_gh(script: &str) -> Result<Option<FoundToken>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gh");
        // Another process writes it: an open file cannot be executed.
        let mut writer = std::process::Command::new("sh");
        writer.args(["-c", r#"printf '%s' "$1" > "$0""#]).arg(&path);
        let script = format!("#!/bin/sh\n{script}\n");
        assert!(writer.arg(script).status().unwrap().success());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        let path = folder.path().to_str().unwrap().to_owned();
        let environment = Environment::new([("PATH", path + ":/usr/bin:/bin")], &[] as &[&str]);
        // No variable is for it.
        let host = host("github.acme.dev", "https://github.acme.dev/api/graphql");
        let found = resolve(&host, &environment).await;
        found.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn gh_is_asked_for_the_token_of_the_host() {
        let echo = r#"[ "$*" = "auth token --hostname github.acme.dev" ] && echo gho_x"#;
        let found = with_gh(echo).await.unwrap().unwrap();
        assert_eq!(found.token, Token::parse("gho_x").unwrap());
        assert_eq!(found.source.to_string(), "`gh auth token`");
        let signed_out = format!("echo 'no oauth token for {CANARY}' >&2; exit 1");
        assert_eq!(with_gh(&signed_out).await, Ok(None));
        let error = with_gh("echo mint_canary").await.unwrap_err();
        assert!(
            error.starts_with("`gh auth token`: a Mintlify key"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_configured_source_is_the_only_one() {
        let variable = "MINTWATCH_TEST_NEVER_SET";
        let host = GithubHost {
            token: Some(KeySource::Env(variable.into())),
            ..host("github.com", "https://api.github.com/graphql")
        };
        let error = resolve(&host, &Environment::default()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("${variable}: no token in it"));
        let script = format!("echo {CANARY} {CANARY}; echo {CANARY} >&2; exit 3");
        let host = GithubHost {
            token: Some(KeySource::Command(vec!["sh".into(), "-c".into(), script])),
            ..host
        };
        let environment = Environment::from_process(&TOKEN_VARIABLES);
        let error = resolve(&host, &environment).await.unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("command sh: failed with exit code 3")
        );
        let shown = format!("{error} {:?}", error.problem);
        assert!(!shown.contains("canary"), "{shown}");
    }
}
