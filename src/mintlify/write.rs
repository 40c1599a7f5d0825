//! The two calls that change something: a new job, and a follow-up to one.
//!
//! Each is sent once: a reply that is lost says nothing about whether the server did it, so what
//! happened is told and the choice is the user's. Contract:
//! <https://www.mintlify.com/docs/api/agent/v2/create-agent-job>.

use serde::Serialize;
use tracing::Instrument;
use url::Url;

use super::fault::{self, Faults, KEYS_PAGE};
use super::{ApiError, Client, ErrorKind, wire};
use crate::job::{Job, JobKey};
use crate::key::ApiKey;
use crate::time;

/// Writes that the API takes from one project in an hour.
pub const WRITES_AN_HOUR: usize = 100;

/// Why a write did not succeed, and what to do: also where nobody knows whether it happened.
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

/// A new job whose fate is not known.
pub const JOB_MAY_EXIST: &str = "The job may exist all the same: look in the Mintlify dashboard \
                                 before you try again";
/// A message whose fate is not known.
pub const MESSAGE_MAY_HAVE_ARRIVED: &str = "The message may have arrived all the same: look in \
                                            the Mintlify dashboard before you try again";

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
        let faults = Faults {
            refusal: |code| refusal(code, "no such project (404): check its id"),
            ..self.faults(key)
        };
        let made = async {
            let body = self.post(project, &["job"], prompt, &faults).await?;
            match wire::created(&body).map_err(|fault| after(faults.body(&fault)))? {
                (Some(id), job) => Ok(CreatedJob { id, job }),
                (None, _) => Err(after(ApiError {
                    kind: ErrorKind::Protocol,
                    message: String::from("the reply names no job id"),
                    retry_after: None,
                })),
            }
        };
        made.await
            .map_err(|error: WriteError| error.in_full(JOB_MAY_EXIST))
    }

    /// Sends a follow-up to `job`, which wakes it if it has finished.
    pub async fn send_message(
        &self,
        job: &JobKey,
        prompt: &str,
        key: &ApiKey,
    ) -> Result<Job, WriteError> {
        let faults = Faults {
            refusal: |code| refusal(code, "no such job in this project (404): check both ids"),
            ..self.faults(key)
        };
        let sent = async {
            let path = ["job", &*job.id, "message"];
            let body = self.post(&job.project, &path, prompt, &faults).await?;
            wire::job(&body).map_err(|fault| after(faults.body(&fault)))
        };
        sent.await
            .map_err(|error| error.in_full(MESSAGE_MAY_HAVE_ARRIVED))
    }

    async fn post(
        &self,
        project: &str,
        path: &[&str],
        prompt: &str,
        faults: &Faults<'_>,
    ) -> Result<Vec<u8>, WriteError> {
        let url = self.url(project, path).map_err(before)?;
        let span = tracing::debug_span!("call", method = "POST", project = ?project, path = ?path);
        let outcome = self.send_once(url, prompt, faults).instrument(span).await;
        if let Err(error) = &outcome {
            tracing::debug!(kind = error.error.kind.as_str(), %error, "failed");
        }
        outcome
    }

    async fn send_once(
        &self,
        url: Url,
        prompt: &str,
        faults: &Faults<'_>,
    ) -> Result<Vec<u8>, WriteError> {
        let request = self.http.post(url).json(&Prompt { prompt });
        let sent = request.bearer_auth(faults.key.expose()).send().await;
        let response = sent.map_err(|error| WriteError {
            may_have_happened: !error.is_connect() && !error.is_builder(),
            error: faults.transport(&error),
        })?;
        let status = response.status();
        let received = self.receive(response, faults).await;
        received.map_err(|error| WriteError {
            may_have_happened: status.is_success() || status.is_server_error(),
            error,
        })
    }
}

impl WriteError {
    /// Nothing was sent, since no key was found for the project.
    pub fn no_key() -> Self {
        before(ApiError {
            kind: ErrorKind::Auth,
            message: String::from("no API key is known for this project"),
            retry_after: None,
        })
    }

    /// The same with all that there is to say, since a face knows neither codes nor doubts.
    fn in_full(mut self, doubt: &str) -> Self {
        let message = &mut self.error.message;
        if let (ErrorKind::RateLimited, Some(wait)) = (self.error.kind, self.error.retry_after) {
            *message = format!(
                "{message}; the server asks to wait {}",
                time::duration(wait)
            );
        }
        if self.may_have_happened {
            let stop = if message.ends_with('?') { "" } else { "." };
            *message = format!("{message}{stop} {doubt}");
        }
        self
    }
}

/// What the status `code` of a refused write means.
fn refusal(code: u16, not_found: &str) -> (ErrorKind, String) {
    match code {
        400 => (
            ErrorKind::Protocol,
            String::from("the server did not accept the prompt (400)"),
        ),
        401 => (
            ErrorKind::Auth,
            format!(
                "the key was refused (401): it may have expired, and a write needs a key that is \
                 not `read`-scoped; check it at {KEYS_PAGE}"
            ),
        ),
        403 => (
            ErrorKind::Forbidden,
            format!(
                "not allowed (403): a write needs a key that is not `read`-scoped, and that may \
                 be used from this network; check it at {KEYS_PAGE}"
            ),
        ),
        404 => (
            ErrorKind::NotFound,
            format!("{not_found} and base_url in the config"),
        ),
        429 => (
            ErrorKind::RateLimited,
            format!(
                "too many requests (429): a project takes {WRITES_AN_HOUR} writes an hour; try \
                 again later"
            ),
        ),
        500..=599 => (ErrorKind::Server, format!("the server failed ({code})")),
        _ => fault::refusal(code),
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
