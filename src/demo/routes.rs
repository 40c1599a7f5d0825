//! The HTTP side of the API's contract: paths, methods, bodies, status codes and errors.
//!
//! Plain functions over hyper's types; this file must not know sockets, randomness or time.

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::simulator::{JobResult, Refusal};

/// The largest request body that is accepted, in bytes.
pub(super) const MAX_BODY: usize = 256 * 1024;

/// The most bytes that are read: a client that is still sending when it is refused would see a
/// broken pipe instead of the response.
const MAX_READ: usize = 64 * MAX_BODY;

pub(super) type JsonResponse = Response<Full<Bytes>>;

/// An endpoint of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    Get { project: &'a str, id: &'a str },
    Create { project: &'a str },
    Message { project: &'a str, id: &'a str },
}

impl<'a> Route<'a> {
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

    pub(super) fn method(self) -> &'static str {
        match self {
            Self::Get { .. } => "GET",
            Self::Create { .. } | Self::Message { .. } => "POST",
        }
    }
}

/// `{"error": "..."}`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ErrorResponse {
    status: StatusCode,
    message: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl ErrorResponse {
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

    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Invalid or missing API key")
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found")
    }

    pub(super) fn method_not_allowed(allowed: &'static str) -> Self {
        let message = format!("Method not allowed: use {allowed}");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, message)
            .with_header(header::ALLOW, HeaderValue::from_static(allowed))
    }

    pub(super) fn service_unavailable() -> Self {
        let message = "Service temporarily unavailable (simulated)";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn into_response(self) -> JsonResponse {
        let mut response = json_response(self.status, &json!({ "error": self.message }));
        response.headers_mut().extend(self.header);
        response
    }
}

impl From<Refusal> for ErrorResponse {
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

pub(super) fn job_response(
    status: StatusCode,
    job: JobResult<'_>,
) -> Result<JsonResponse, ErrorResponse> {
    Ok(json_response(status, &json!(job?)))
}

fn json_response(status: StatusCode, body: &Value) -> JsonResponse {
    let json = HeaderValue::from_static("application/json");
    let mut response = Response::new(Full::new(body.to_string().into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

pub(super) async fn read_body<B>(body: B) -> Result<Bytes, ErrorResponse>
where
    B: Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    let too_large = || {
        let message = format!("The request body is larger than {MAX_BODY} bytes");
        ErrorResponse::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    };
    match Limited::new(body, MAX_READ).collect().await {
        Ok(body) => Some(body.to_bytes())
            .filter(|body| body.len() <= MAX_BODY)
            .ok_or_else(too_large),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(ErrorResponse::bad_request("The request body broke off")),
    }
}

/// The `prompt` in a request's JSON body.
pub(super) fn parse_prompt(body: &[u8]) -> Result<String, ErrorResponse> {
    let bad_request = |message: &str| Err(ErrorResponse::bad_request(message));
    let mut body: Value = serde_json::from_slice(body).map_err(|error| {
        ErrorResponse::bad_request(format!("The request body is not JSON: {error}"))
    })?;
    match body.get_mut("prompt").map(Value::take) {
        Some(Value::String(prompt)) if !prompt.is_empty() => Ok(prompt),
        Some(Value::String(_)) => bad_request("prompt must not be empty"),
        Some(_) => bad_request("prompt must be a string"),
        None => bad_request("prompt is required"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_table() {
        let project = "p1";
        for (path, want) in [
            ("/v2/agent/p1/job", Some(Route::Create { project })),
            (
                "/v2/agent/p1/job/j2",
                Some(Route::Get { project, id: "j2" }),
            ),
            (
                "/v2/agent/p1/job/j2/message",
                Some(Route::Message { project, id: "j2" }),
            ),
            ("/v2/agent/p1/job/j2/message/more", None),
            ("/v2/agent/p1/job/j2/messages", None),
            ("/v2/agent/p1/jobs", None),
            ("/v2/agent/p1", None),
            ("/v1/agent/p1/job/j2", None),
            ("/", None),
        ] {
            assert_eq!(Route::from_path(path), want, "{path}");
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
            let got = parse_prompt(body.as_bytes());
            let want = want.map(String::from).map_err(ErrorResponse::bad_request);
            assert_eq!(got, want, "{body}");
        }
        for body in ["", "prompt=Go", "{\"prompt\":\"Go\""] {
            let error = parse_prompt(body.as_bytes()).unwrap_err();
            assert_eq!(error.status, StatusCode::BAD_REQUEST, "{body}");
            assert!(error.message.contains("not JSON"), "{body}");
        }
    }
}
