//! What `doctor` asks GitHub: whose the token of each host is, and how one pull request of a watched job
//! stands.
//!
//! The facts are judged in `findings::github`.

use std::time::Duration;

use jiff::Timestamp;

use super::findings::{Finding, github as findings};
use crate::config::{GithubConfig, GithubHost};
use crate::environment::Environment;
use crate::failure::{ErrorKind, Failure};
use crate::github::Client;
use crate::pull_request::PullRequestId;
use crate::token::{self, FoundToken};

/// `pull_request` is one of a watched job. `timeout` is for each request.
pub(super) async fn check(
    github: &GithubConfig,
    pull_request: Option<&PullRequestId>,
    environment: &mut Environment,
    timeout: Duration,
) -> Vec<Finding> {
    if !github.enabled {
        return vec![findings::off()];
    }
    let mut all = Vec::new();
    for host in &github.hosts {
        let own = pull_request.filter(|id| id.host == host.host);
        match token::resolve(host, environment).await {
            Ok(Some(found)) => {
                *environment = environment.clone().without(found.token.secret());
                all.extend(ask(host, &found, own, timeout).await);
            }
            Ok(None) => all.push(findings::no_token(&host.host)),
            Err(error) => all.push(findings::token_error(&host.host, &error)),
        }
    }
    let unknown = pull_request.filter(|id| github.host(&id.host).is_none());
    all.extend(unknown.map(findings::unknown_host));
    all
}

async fn ask(
    host: &GithubHost,
    found: &FoundToken,
    pull_request: Option<&PullRequestId>,
    timeout: Duration,
) -> Vec<Finding> {
    let FoundToken { token, source } = found;
    let viewer = match Client::new(host, timeout) {
        Ok(client) => client.viewer(token).await.map(|viewer| (client, viewer)),
        Err(error) => Err(Failure::new(ErrorKind::Network, error.to_string())),
    };
    let now = Timestamp::now();
    let (client, viewer) = match viewer {
        Ok(known) => known,
        Err(error) => return vec![findings::failed(&host.host, source, &error, now)],
    };
    let mut all = vec![findings::viewer(&host.host, source, &viewer, now)];
    if let Some(id) = pull_request {
        let batch = client.read(std::slice::from_ref(id), token).await;
        let state = batch.and_then(|mut batch| match batch.results.pop() {
            Some((_, state)) => state,
            None => Err(Failure::new(
                ErrorKind::Protocol,
                "GitHub was not asked for it",
            )),
        });
        all.push(findings::pull_request(id, state.as_ref(), Timestamp::now()));
    }
    all
}
