//! What the fake server answers: good replies, refusals, and faults.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

/// One answer to one request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A whole reply; the connection stays open.
    Full {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// These bytes and the end of the connection.
    Raw(Vec<u8>),
    /// Nothing, for ever.
    HangBeforeHeaders,
    /// Half a header, then nothing.
    HangInHeaders,
    /// The head and one byte of the body, then nothing.
    HangInBody,
    /// The head, then a byte of white space each interval, for ever.
    Drip(Duration),
    /// The connection is reset.
    Reset,
    /// Less than the promised length, then the end of the connection.
    Truncate,
    /// A body of white space without end, as fast as it is taken.
    EndlessStream,
    /// Interim responses (100 and 103) without end, as fast as they are taken.
    EndlessInterim,
    /// This reply, once the gate is open.
    Gated(Gate, Box<Reply>),
}

/// Holds replies back until a test opens it.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<AtomicBool>);

impl Gate {
    pub fn open(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub fn is_open(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Reply {
    pub fn json(status: u16, value: &Value) -> Self {
        Self::text(status, "application/json", value.to_string())
    }

    pub fn text(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::Full {
            status,
            headers: vec![("Content-Type".into(), content_type.into())],
            body: body.into(),
        }
    }

    /// A job as the contract has it, with this status.
    pub fn job(status: &str) -> Self {
        Self::json(200, &job_json(status, None))
    }

    /// A completed job with this pull request.
    pub fn pull_request(link: &str) -> Self {
        Self::json(200, &job_json("completed", Some(link)))
    }

    /// A refusal as the contract has it.
    pub fn error(status: u16, message: &str) -> Self {
        Self::json(status, &json!({ "error": message }))
    }

    pub fn unauthorized() -> Self {
        Self::error(401, "Unauthorized")
    }

    pub fn forbidden() -> Self {
        Self::error(403, "Forbidden")
    }

    pub fn not_found() -> Self {
        Self::error(404, "Job not found")
    }

    pub fn too_many(retry_after: Option<&str>) -> Self {
        let reply = Self::error(429, "Rate limit exceeded");
        match retry_after {
            Some(value) => reply.header("Retry-After", value),
            None => reply,
        }
    }

    pub fn unavailable() -> Self {
        Self::text(503, "text/html", "<html>503</html>")
    }

    pub fn html() -> Self {
        Self::text(200, "text/html", "\r\n<!DOCTYPE html><html>Welcome</html>")
    }

    pub fn no_content() -> Self {
        Self::Full {
            status: 204,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub fn redirect(status: u16, location: &str) -> Self {
        Self::text(status, "text/html", "moved").header("Location", location)
    }

    /// Lists in lists, `depth` deep, as the value of `member`, or alone where that is empty.
    pub fn deep_json(member: &str, depth: usize) -> Self {
        let lists = "[".repeat(depth) + &"]".repeat(depth);
        let body = if member.is_empty() {
            lists
        } else {
            format!("{{\"{member}\":{lists}}}")
        };
        Self::text(200, "application/json", body)
    }

    /// A megabyte that decodes to 1 GiB of white space.
    pub fn gzip_bomb() -> Self {
        let mut member = GzEncoder::new(Vec::new(), Compression::best());
        member.write_all(&vec![b' '; 8 * 1024 * 1024]).unwrap();
        let bomb = member.finish().unwrap().repeat(128);
        Self::text(200, "application/json", bomb).header("Content-Encoding", "gzip")
    }

    pub fn gzip(self) -> Self {
        let Self::Full {
            status,
            headers,
            body,
        } = self
        else {
            return self;
        };
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&body).unwrap();
        let body = encoder.finish().unwrap();
        Self::Full {
            status,
            headers,
            body,
        }
        .header("Content-Encoding", "gzip")
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Full { headers, .. } = &mut self {
            headers.push((name.into(), value.into()));
        }
        self
    }

    /// This, once `gate` is open.
    pub fn behind(self, gate: &Gate) -> Self {
        Self::Gated(gate.clone(), Box::new(self))
    }

    /// This reply to a request about `job`.
    pub fn about(self, job: &str) -> Self {
        self.with(JOB, job)
    }

    /// This with `to` in its text in place of `from`.
    pub fn with(self, from: &str, to: &str) -> Self {
        match self {
            Self::Full {
                status,
                headers,
                body,
            } => Self::Full {
                status,
                headers: headers
                    .into_iter()
                    .map(|(name, value)| (name, value.replace(from, to)))
                    .collect(),
                body: match String::from_utf8(body) {
                    Ok(text) => text.replace(from, to).into_bytes(),
                    Err(error) => error.into_bytes(),
                },
            },
            Self::Gated(gate, reply) => Self::Gated(gate, Box::new(reply.with(from, to))),
            other => other,
        }
    }

    /// This once, then `next`.
    pub fn then(self, next: Reply) -> Script {
        Script::from(self).then(next)
    }
}

/// Replies used in order; the last one is used again and again.
#[derive(Clone, Debug)]
pub struct Script(VecDeque<Reply>);

impl Script {
    pub fn then(mut self, next: Reply) -> Self {
        self.0.push_back(next);
        self
    }

    pub fn next_reply(&mut self) -> Reply {
        let next = if self.0.len() > 1 {
            self.0.pop_front()
        } else {
            self.0.front().cloned()
        };
        next.expect("a script has at least one reply")
    }
}

impl From<Reply> for Script {
    fn from(reply: Reply) -> Self {
        Self(VecDeque::from([reply]))
    }
}

/// What a reply calls the job, whatever the request called it.
pub const ID_OF_REPLY: &str = "job_of_the_reply";
/// Stands in a body for the job that the request is about.
const JOB: &str = "{job}";

/// A job as the contract has it, on a branch of its own.
pub fn job_json(status: &str, pr_link: Option<&str>) -> Value {
    json!({
        "id": ID_OF_REPLY,
        "status": status,
        "source": { "repository": "https://github.com/acme/docs", "ref": format!("mintlify/{JOB}") },
        "model": "sonnet",
        "prLink": pr_link,
        "createdAt": "2026-11-20T10:00:00.000Z",
        "archivedAt": null,
    })
}
