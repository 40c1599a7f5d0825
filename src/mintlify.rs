//! The client of the Mintlify agent API: one call, one typed answer or one [`Failure`].
//!
//! Contract: <https://www.mintlify.com/docs/api/agent/v2/get-agent-job>. What is on the wire is in
//! `wire`, what a status code means is in `refusal`, and how a request travels is in [`http`]. This
//! file must not know the board or the schedule.

mod refusal;
mod wire;
pub mod write;

use std::time::Duration;

use serde_json::json;
use tracing::Instrument as _;

pub use self::wire::{DecodeError, job as decode};
use crate::base_url::BaseUrl;
use crate::failure::{ErrorKind, Failure};
use crate::http::{self, Endpoint, ExchangeError, Method, Request, SetupError, Terms};
use crate::job::{Job, JobKey};
use crate::key::ApiKey;

/// The most decoded bytes of a reply that are read; a job takes less than one of these KiB.
const MAX_BODY: usize = 1024 * 1024;
const TERMS: Terms = Terms {
    address: "base_url",
    secret: "key",
};

/// A client of one API server. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: http::Client,
}

/// A call to an address of one project.
struct Call<'a> {
    project: &'a str,
    /// What follows the project in the address.
    path: &'a [&'a str],
    /// What a write sends; a call without one reads.
    prompt: Option<&'a str>,
    key: &'a ApiKey,
    /// What a status code means that is no success.
    meaning: fn(u16) -> (ErrorKind, String),
}

impl Client {
    /// A client of the server at `base_url` that gives each call `timeout`.
    pub fn new(base_url: &BaseUrl, timeout: Duration) -> Result<Self, SetupError> {
        let http = http::Client::new(base_url, timeout, TERMS)?;
        Ok(Self { http })
    }

    /// The job that `job` names, as the server tells it now.
    pub async fn get_job(&self, job: &JobKey, key: &ApiKey) -> Result<Job, Failure> {
        let span =
            tracing::debug_span!("call", method = "GET", project = ?job.project, job = ?job.id);
        let call = Call {
            project: &job.project,
            path: &["job", &job.id],
            prompt: None,
            key,
            meaning: refusal::of_a_poll,
        };
        let body = self.body_of(&call).instrument(span).await;
        let body = body.map_err(|error| error.failure)?;
        wire::job(&body).map_err(|error| self.undecodable(&call, &error))
    }

    /// The body of the successful reply to `call`, which is made once.
    async fn body_of(&self, call: &Call<'_>) -> Result<Vec<u8>, ExchangeError> {
        let reply = self.http.exchange(self.request(call)?).await?;
        if reply.status.is_success() {
            return Ok(reply.body);
        }
        let failure = refusal::refused(&self.http, call, &reply);
        tracing::debug!(kind = failure.kind.as_str(), error = %failure, "refused");
        Err(ExchangeError {
            failure,
            may_have_happened: reply.status.is_server_error(),
        })
    }

    fn request<'a>(&self, call: &Call<'a>) -> Result<Request<'a>, ExchangeError> {
        Ok(Request {
            method: call.method(),
            endpoint: self.endpoint(call)?,
            secret: call.key.secret(),
            json: call.prompt.map(|prompt| json!({ "prompt": prompt })),
            limit: MAX_BODY,
        })
    }

    fn endpoint(&self, call: &Call<'_>) -> Result<Endpoint, ExchangeError> {
        let path = [&["v2", "agent", call.project], call.path].concat();
        self.http.endpoint(&path).ok_or_else(|| ExchangeError {
            failure: refusal::unusable_id(),
            may_have_happened: false,
        })
    }

    fn undecodable(&self, call: &Call<'_>, error: &DecodeError) -> Failure {
        refusal::undecodable(&self.http, call, error)
    }
}

impl Call<'_> {
    fn method(&self) -> Method {
        match self.prompt {
            Some(_) => Method::POST,
            None => Method::GET,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(project: &str, job: &str) -> Result<Endpoint, ExchangeError> {
        let base_url = "http://localhost:1/front".parse().unwrap();
        let client = Client::new(&base_url, Duration::from_secs(20)).unwrap();
        client.endpoint(&Call {
            project,
            path: &["job", job],
            prompt: None,
            key: &ApiKey::parse("mint_x").unwrap(),
            meaning: refusal::of_a_poll,
        })
    }

    #[test]
    fn the_address_of_a_job() {
        let found = format!("{:?}", endpoint("p", "../j").unwrap());
        assert!(found.contains("/front/v2/agent/p/job/..%2Fj"), "{found}");
    }

    #[test]
    fn ids_that_would_change_the_path_are_refused() {
        for (project, job) in [("", "j"), ("..", "j"), ("p", "."), ("p", "a\tb")] {
            let error = endpoint(project, job).unwrap_err();
            assert_eq!(error.failure.kind, ErrorKind::NotFound);
            assert!(error.to_string().contains("check both ids"), "{error}");
            assert!(!error.may_have_happened);
        }
    }
}
