//! The two calls that write: a new job, and a follow-up to one.
//!
//! Each is sent once. If the reply is lost, nobody knows whether the server has done it, so the error
//! says that, and the user decides. Contract:
//! <https://www.mintlify.com/docs/api/agent/v2/create-agent-job>.

use secrecy::SecretString;
use tracing::Instrument;

use super::refusal::{self, poll_message};
use super::wire::{self, DecodeError};
use super::{Call, Client};
use crate::base_url::KEYS_PAGE;
use crate::failure::{ErrorKind, Failure};
use crate::http::ExchangeError;
use crate::job::{Job, JobId, JobKey, ProjectId};
use crate::key::ApiKey;

/// Writes that the API accepts from one project in an hour.
pub const WRITES_AN_HOUR: usize = 100;

/// Its message begins with the doubt, if the write may have happened.
pub type WriteError = ExchangeError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedJob {
    pub id: JobId,
    pub job: Job,
}

pub const JOB_MAY_EXIST: &str = "the job may exist all the same";
pub const MESSAGE_MAY_HAVE_ARRIVED: &str = "it may have arrived all the same";

/// Says that `doubt` remains, and `why`. The doubt comes first: where there is little room, the end
/// of a message is cut.
pub fn doubtful(doubt: &str, why: &str) -> String {
    let stop = if why.ends_with('?') { "" } else { "." };
    format!("{doubt}: {why}{stop} Look in the Mintlify dashboard before you try again")
}

impl Client {
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
            explain: |code| write_message(code, "no such project (404): check its id"),
        };
        let (id, job) = self.write(&call, JOB_MAY_EXIST, wire::created).await?;
        let no_id = || Failure::new(ErrorKind::Protocol, "the reply names no job id");
        let id = id.ok_or_else(|| in_doubt(no_id(), JOB_MAY_EXIST))?;
        Ok(CreatedJob { id: id.into(), job })
    }

    /// Sends a follow-up to `job`, which makes it active again if it has finished.
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
            explain: |code| {
                write_message(code, "no such job in this project (404): check both ids")
            },
        };
        let written = self.write(&call, MESSAGE_MAY_HAVE_ARRIVED, wire::reply);
        written.await.map(|(job, _)| job)
    }

    async fn write<T>(
        &self,
        call: &Call<'_>,
        doubt: &str,
        decode: fn(&[u8], &SecretString) -> Result<T, DecodeError>,
    ) -> Result<T, WriteError> {
        let (project, path) = (call.project, call.path);
        let span = tracing::debug_span!("call", method = "POST", ?project, ?path);
        let body = match self.body(call).instrument(span).await {
            Err(error) if error.may_have_happened => return Err(in_doubt(error.failure, doubt)),
            result => result?,
        };
        decode(&body, call.key.secret())
            .map_err(|error| in_doubt(refusal::invalid_body(&self.http, call, &error), doubt))
    }
}

fn in_doubt(mut failure: Failure, doubt: &str) -> WriteError {
    failure.message = doubtful(doubt, &failure.message);
    ExchangeError::in_doubt(failure)
}

/// The message for the status `code` of a write.
fn write_message(code: u16, not_found: &str) -> String {
    match code {
        400 => "the server did not accept the prompt (400)".into(),
        401 => format!(
            "the key was refused (401): it may have expired, and a write needs a key that is not \
             `read`-scoped; check it at {KEYS_PAGE}"
        ),
        403 => format!(
            "not allowed (403): a write needs a key that is not `read`-scoped, and that may be \
             used from this network; check it at {KEYS_PAGE}"
        ),
        404 => format!("{not_found} and base_url in the config"),
        429 => format!(
            "too many requests (429): a project takes {WRITES_AN_HOUR} writes an hour; try again \
             later"
        ),
        500..=599 => format!("the server failed ({code})"),
        _ => poll_message(code),
    }
}
