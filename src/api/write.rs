//! The two calls that change something: a new job, and a follow-up to one.
//!
//! Each is sent once: a reply that is lost says nothing about whether the server did it, so what
//! happened is told and the choice is the user's. Contract:
//! <https://www.mintlify.com/docs/api/agent/v2/create-agent-job>.

use reqwest::Method;
use serde::Serialize;
use tracing::Instrument;
use url::Url;

use super::{ApiError, Client, ErrorKind, wire};
use crate::job::{Job, JobKey};
use crate::key::ApiKey;

/// Writes that the API takes from one project in an hour.
pub const WRITES_AN_HOUR: usize = 100;

/// Why a write did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct WriteError {
    /// What went wrong.
    pub error: ApiError,
    /// Whether the server may have done it all the same.
    pub may_have_happened: bool,
}

/// A job that the server has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedJob {
    /// Its id.
    pub id: String,
    /// What the server says of it.
    pub job: Job,
}

#[derive(Serialize)]
struct Prompt<'a> {
    prompt: &'a str,
}

impl Client {
    /// Makes a new job in `project`.
    pub async fn create_job(
        &self,
        project: &str,
        prompt: &str,
        key: &ApiKey,
    ) -> Result<CreatedJob, WriteError> {
        let body = self.post(project, &["job"], prompt, key).await?;
        let made = wire::created(&body).map_err(|fault| after(self.faults(key).body(&fault)))?;
        match made {
            (Some(id), job) => Ok(CreatedJob { id, job }),
            (None, _) => Err(after(ApiError {
                kind: ErrorKind::Protocol,
                message: String::from("the reply names no job id"),
                retry_after: None,
            })),
        }
    }

    /// Sends a follow-up to `job`, which wakes it if it has finished.
    pub async fn send_message(
        &self,
        job: &JobKey,
        prompt: &str,
        key: &ApiKey,
    ) -> Result<Job, WriteError> {
        let path = ["job", &*job.id, "message"];
        let body = self.post(&job.project, &path, prompt, key).await?;
        wire::job(&body).map_err(|fault| after(self.faults(key).body(&fault)))
    }

    async fn post(
        &self,
        project: &str,
        path: &[&str],
        prompt: &str,
        key: &ApiKey,
    ) -> Result<Vec<u8>, WriteError> {
        let url = self.url(project, path).map_err(before)?;
        let span = tracing::debug_span!("call", method = "POST", project = ?project, path = ?path);
        self.send_once(url, prompt, key).instrument(span).await
    }

    async fn send_once(&self, url: Url, prompt: &str, key: &ApiKey) -> Result<Vec<u8>, WriteError> {
        let faults = self.faults(key);
        let request = self
            .http
            .request(Method::POST, url)
            .json(&Prompt { prompt });
        let sent = request.bearer_auth(key.expose()).send().await;
        let response = sent.map_err(|error| WriteError {
            may_have_happened: !error.is_connect() && !error.is_builder(),
            error: faults.transport(&error),
        })?;
        let status = response.status();
        self.receive(response, &faults)
            .await
            .map_err(|error| WriteError {
                may_have_happened: status.is_success() || status.is_server_error(),
                error,
            })
    }
}

/// A fault that came before anything was sent.
fn before(error: ApiError) -> WriteError {
    WriteError {
        error,
        may_have_happened: false,
    }
}

/// A fault that came after the server had said yes.
fn after(error: ApiError) -> WriteError {
    WriteError {
        error,
        may_have_happened: true,
    }
}
