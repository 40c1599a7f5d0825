//! The API's contract in HTTP words: paths, methods, bodies, codes and errors.
//!
//! Plain functions over hyper's types; this file must not know sockets, chance or time.

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::simulator::{AgentJob, Refusal};

/// The largest request body that is accepted, in bytes.
pub(super) const LARGEST_BODY: usize = 256 * 1024;

/// The largest request body that is read through for the sake of an answer, in bytes.
const DISCARDED_BODY: usize = 64 * LARGEST_BODY;

/// An answer with its whole body.
pub(super) type Answer = Response<Full<Bytes>>;

/// A call of the API, by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call<'a> {
    /// Tell a job.
    Get { project: &'a str, id: &'a str },
    /// Begin a job.
    Create { project: &'a str },
    /// Send a job a follow-up.
    Message { project: &'a str, id: &'a str },
}

impl<'a> Call<'a> {
    /// The call that `path` names.
    pub(super) fn from_path(path: &'a str) -> Option<Self> {
        let mut parts = path.strip_prefix("/v2/agent/")?.split('/');
        let (project, "job") = (parts.next()?, parts.next()?) else {
            return None;
        };
        match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => Some(Self::Create { project }),
            (Some(id), None, _) => Some(Self::Get { project, id }),
            (Some(id), Some("message"), None) => Some(Self::Message { project, id }),
            _ => None,
        }
    }

    /// The method that it takes.
    pub(super) fn method(self) -> &'static str {
        match self {
            Self::Get { .. } => "GET",
            Self::Create { .. } | Self::Message { .. } => "POST",
        }
    }
}

/// An error that the API answers with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    status: StatusCode,
    message: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Fault {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            header: None,
        }
    }

    fn with_header(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.header = Some((name, value.into()));
        self
    }

    /// The key is missing or wrong.
    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Invalid or missing API key")
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// The path names no call.
    pub(super) fn no_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found")
    }

    /// The call takes only the method `allowed`.
    pub(super) fn wrong_method(allowed: &'static str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("Method not allowed: use {allowed}"),
        )
        .with_header(header::ALLOW, HeaderValue::from_static(allowed))
    }

    /// The error that comes now and then, as from any real service.
    pub(super) fn service_unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Service temporarily unavailable (simulated)",
        )
    }

    fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// The error as a reply.
    pub(super) fn into_answer(self) -> Answer {
        let body = json!({ "error": self.message }).to_string();
        let mut answer = json_answer(self.status, body);
        if let Some((name, value)) = self.header {
            answer.headers_mut().insert(name, value);
        }
        answer
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoProject => Self::new(StatusCode::NOT_FOUND, "Project not found"),
            Refusal::NoJob => Self::new(StatusCode::NOT_FOUND, "Job not found"),
            Refusal::TooManyWrites { retry_after } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "Rate limit exceeded: 100 requests an hour per project",
            )
            .with_header(header::RETRY_AFTER, retry_after),
        }
    }
}

/// The answer that tells `job`, with `status` where there is one.
pub(super) fn job_response(
    status: StatusCode,
    job: Result<AgentJob<'_>, Refusal>,
) -> Result<Answer, Fault> {
    let body = serde_json::to_vec(&job?)
        .map_err(|error| Fault::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(json_answer(status, body))
}

fn json_answer(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    answer
}

/// A request's body; the part of it that is too large is read too, but not kept.
pub(super) async fn read_body<B: Body<Data = Bytes> + Unpin>(
    mut body: B,
) -> Result<Vec<u8>, Fault> {
    let (mut kept, mut size) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Fault::bad_request("The request body broke off"))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        size += data.len();
        if size <= LARGEST_BODY {
            kept.extend_from_slice(&data);
        } else if size > DISCARDED_BODY {
            break;
        }
    }
    if size > LARGEST_BODY {
        return Err(Fault::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The request body is larger than {LARGEST_BODY} bytes"),
        ));
    }
    Ok(kept)
}

/// The `prompt` in a request's JSON body.
pub(super) fn prompt_of(body: &[u8]) -> Result<String, Fault> {
    let mut body: Value = serde_json::from_slice(body)
        .map_err(|error| Fault::bad_request(format!("The request body is not JSON: {error}")))?;
    match body.get_mut("prompt").map(Value::take) {
        Some(Value::String(prompt)) if !prompt.is_empty() => Ok(prompt),
        Some(Value::String(_)) => Err(Fault::bad_request("prompt must not be empty")),
        Some(_) => Err(Fault::bad_request("prompt must be a string")),
        None => Err(Fault::bad_request("prompt is required")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_table() {
        let project = "p1";
        for (path, want) in [
            ("/v2/agent/p1/job", Some(Call::Create { project })),
            ("/v2/agent/p1/job/j2", Some(Call::Get { project, id: "j2" })),
            (
                "/v2/agent/p1/job/j2/message",
                Some(Call::Message { project, id: "j2" }),
            ),
            ("/v2/agent/p1/job/j2/message/more", None),
            ("/v2/agent/p1/job/j2/messages", None),
            ("/v2/agent/p1/jobs", None),
            ("/v2/agent/p1", None),
            ("/v1/agent/p1/job/j2", None),
            ("/", None),
        ] {
            assert_eq!(Call::from_path(path), want, "{path}");
        }
    }

    #[test]
    fn prompt_table() {
        for (body, want) in [
            (r#"{"prompt":"Go","more":1}"#, Ok("Go")),
            (r#"{"prompt":" "}"#, Ok(" ")),
            (r#"{"prompt":""}"#, Err("prompt must not be empty")),
            (r#"{"prompt":7}"#, Err("prompt must be a string")),
            (r#"{"prompt":null}"#, Err("prompt must be a string")),
            ("{}", Err("prompt is required")),
            (r#"["prompt"]"#, Err("prompt is required")),
            (r#""prompt""#, Err("prompt is required")),
        ] {
            let got = prompt_of(body.as_bytes());
            let want = want.map(String::from).map_err(Fault::bad_request);
            assert_eq!(got, want, "{body}");
        }
        for body in ["", "prompt=Go", "{\"prompt\":\"Go\""] {
            let fault = prompt_of(body.as_bytes()).unwrap_err();
            assert_eq!(fault.status, StatusCode::BAD_REQUEST, "{body}");
            assert!(fault.message.contains("not JSON"), "{body}");
        }
    }
}
