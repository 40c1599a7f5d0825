//! The two calls that change something: a new job, and a follow-up to one.
//!
//! Each is sent once: a reply that is lost says nothing about whether the server did it, so what
//! happened is told and the choice is the user's. Contract:
//! <https://www.mintlify.com/docs/api/agent/v2/create-agent-job>.

use tracing::Instrument;

use super::refusal::{KEYS_PAGE, of_a_poll};
use super::wire::{self, DecodeError};
use super::{Call, Client};
use crate::failure::{ErrorKind, Failure};
use crate::http::ExchangeError;
use crate::job::{Job, JobId, JobKey, ProjectId};
use crate::key::ApiKey;

/// Writes that the API takes from one project in an hour.
pub const WRITES_AN_HOUR: usize = 100;

/// Why a write did not succeed, and what to do: also where nobody knows whether it happened.
pub type WriteError = ExchangeError;

/// A job that the server has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedJob {
    pub id: JobId,
    /// What the server says of it.
    pub job: Job,
}

/// A new job whose fate is not known.
pub const JOB_MAY_EXIST: &str = "The job may exist all the same: look in the Mintlify dashboard \
                                 before you try again";
/// A message whose fate is not known.
pub const MESSAGE_MAY_HAVE_ARRIVED: &str = "The message may have arrived all the same: look in \
                                            the Mintlify dashboard before you try again";

impl Client {
    /// Makes a new job in `project`.
    pub async fn create_job(
        &self,
        project: &ProjectId,
        prompt: &str,
        key: &ApiKey,
    ) -> Result<CreatedJob, WriteError> {
        let call = Call {
            project,
            path: &["job"],
            prompt: Some(prompt),
            key,
            meaning: |code| refusal(code, "no such project (404): check its id"),
        };
        let made = self.write(&call, wire::created).await;
        let made = made.and_then(|(id, job)| match id {
            Some(id) => Ok(CreatedJob { id: id.into(), job }),
            None => Err(after(Failure::new(
                ErrorKind::Protocol,
                "the reply names no job id",
            ))),
        });
        made.map_err(|error| with_doubt(error, JOB_MAY_EXIST))
    }

    /// Sends a follow-up to `job`, which wakes it if it has finished.
    pub async fn send_message(
        &self,
        job: &JobKey,
        prompt: &str,
        key: &ApiKey,
    ) -> Result<Job, WriteError> {
        let call = Call {
            project: &job.project,
            path: &["job", &job.id, "message"],
            prompt: Some(prompt),
            key,
            meaning: |code| refusal(code, "no such job in this project (404): check both ids"),
        };
        let sent = self.write(&call, wire::job).await;
        sent.map_err(|error| with_doubt(error, MESSAGE_MAY_HAVE_ARRIVED))
    }

    async fn write<T>(
        &self,
        call: &Call<'_>,
        decode: fn(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<T, WriteError> {
        let (project, path) = (call.project, call.path);
        let span = tracing::debug_span!("call", method = "POST", ?project, ?path);
        let body = self.body_of(call).instrument(span).await?;
        decode(&body).map_err(|error| after(self.undecodable(call, &error)))
    }
}

/// The same with all that there is to say, since a face does not judge doubts.
fn with_doubt(mut error: WriteError, doubt: &str) -> WriteError {
    if error.may_have_happened {
        let message = &mut error.failure.message;
        let stop = if message.ends_with('?') { "" } else { "." };
        *message = format!("{message}{stop} {doubt}");
    }
    error
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
        _ => of_a_poll(code),
    }
}

/// A failure that came after the server had said yes.
fn after(failure: Failure) -> WriteError {
    WriteError {
        failure,
        may_have_happened: true,
    }
}
