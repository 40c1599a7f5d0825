//! The client of the Mintlify agent API: each call returns a [`Job`] or a [`Failure`].
//!
//! Contract: <https://www.mintlify.com/docs/api/agent/v2/get-agent-job>. JSON is decoded in `wire`,
//! failures are explained in `refusal`, and requests are sent by [`http`]. This file must not know the
//! board or the schedule.

mod refusal;
mod wire;
pub mod write;

use std::time::Duration;

use serde_json::json;
use tracing::Instrument as _;

pub use self::wire::{DecodeError, job as decode};
use crate::base_url::BaseUrl;
use crate::failure::Failure;
use crate::http::{self, Endpoint, ExchangeError, Method, Request, SetupError, Terms};
use crate::job::{Job, JobId, JobKey};
use crate::key::ApiKey;

/// The most decoded bytes of a reply; a job takes less than 1 KiB.
const MAX_BODY: usize = 1024 * 1024;
const TERMS: Terms = Terms {
    address: "base_url",
    secret: "key",
};

/// Clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: http::Client,
}

struct Call<'a> {
    project: &'a str,
    /// After the project in the URL.
    path: &'a [&'a str],
    /// Set for a write.
    prompt: Option<&'a str>,
    key: &'a ApiKey,
    /// The message for an error status.
    explain: fn(u16) -> String,
}

impl Client {
    /// `timeout` is for each call.
    pub fn new(base_url: &BaseUrl, timeout: Duration) -> Result<Self, SetupError> {
        let http = http::Client::new(base_url, timeout, TERMS)?;
        Ok(Self { http })
    }

    pub async fn get_job(&self, job: &JobKey, key: &ApiKey) -> Result<Job, Failure> {
        self.get_job_and_id(job, key).await.map(|(job, _)| job)
    }

    /// The job, and the id that the reply gives it: a server may mix them up.
    pub async fn get_job_and_id(
        &self,
        job: &JobKey,
        key: &ApiKey,
    ) -> Result<(Job, Option<JobId>), Failure> {
        let span =
            tracing::debug_span!("call", method = "GET", project = ?job.project, job = ?job.id);
        let call = Call {
            project: &job.project,
            path: &["job", &job.id],
            prompt: None,
            key,
            explain: refusal::poll_message,
        };
        let body = self.body(&call).instrument(span).await;
        let body = body.map_err(|error| error.failure)?;
        wire::reply(&body, key.secret())
            .map_err(|error| refusal::invalid_body(&self.http, &call, &error))
    }

    /// Sends `call`, once, and returns the body of a successful reply.
    async fn body(&self, call: &Call<'_>) -> Result<Vec<u8>, ExchangeError> {
        let request = Request {
            method: call.prompt.map_or(Method::GET, |_| Method::POST),
            endpoint: self.endpoint(call)?,
            secret: call.key.secret(),
            json: call.prompt.map(|prompt| json!({ "prompt": prompt })),
            limit: MAX_BODY,
        };
        let reply = self.http.exchange(request).await?;
        if reply.status.is_success() {
            return Ok(reply.body);
        }
        let failure = refusal::error_status(&self.http, call, &reply);
        tracing::debug!(kind = failure.kind.as_str(), error = %failure, "refused");
        Err(ExchangeError {
            failure,
            may_have_happened: reply.status.is_server_error(),
        })
    }

    fn endpoint(&self, call: &Call<'_>) -> Result<Endpoint, ExchangeError> {
        let path = [&["v2", "agent", call.project], call.path].concat();
        let invalid_id = || ExchangeError::rejected(refusal::invalid_id());
        self.http.endpoint(&path).ok_or_else(invalid_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::ErrorKind;

    fn endpoint(project: &str, job: &str) -> Result<Endpoint, ExchangeError> {
        let base_url = "http://localhost:1/front".parse().unwrap();
        let client = Client::new(&base_url, Duration::from_secs(20)).unwrap();
        client.endpoint(&Call {
            project,
            path: &["job", job],
            prompt: None,
            key: &ApiKey::parse("mint_x").unwrap(),
            explain: refusal::poll_message,
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
