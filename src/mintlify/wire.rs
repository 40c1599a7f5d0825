//! The API's JSON, and its conversion into a [`Job`].
//!
//! Any member may be missing, null or unknown; one of the wrong type is an error that names it. All
//! text is cleaned by `json`. This file must not know how a body was received.

use secrecy::SecretString;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::job::{Job, JobId, Status};
pub use crate::json::DecodeError;
use crate::json::{Object, Text, decode, non_empty, refuse_secret, timestamp};
use crate::pull_request::PullRequest;

pub fn job(body: &[u8]) -> Result<Job, DecodeError> {
    decode::<WireJob>(body).map(Into::into)
}

/// The job in the reply to a call with `key`, which it must not repeat, and the id that it says is its
/// own.
pub(super) fn reply(body: &[u8], key: &SecretString) -> Result<(Job, Option<JobId>), DecodeError> {
    let wire = decode::<WireJob>(body)?;
    for (member, text) in wire.texts() {
        refuse_secret(member, text.map(|Text(text)| &**text), key)?;
    }
    refuse_secret("id", wire.id(), key)?;
    let id = wire.id().filter(|id| !id.is_empty()).map(JobId::from);
    let job = Job::from(wire);
    // Its normal form may have what the text had not, such as plain letters for full-width ones.
    let link = job.pull_request.as_ref().map(PullRequest::as_str);
    refuse_secret("prLink", link, key)?;
    Ok((job, id))
}

/// The id and the job in the reply to a creation.
pub(super) fn created(
    body: &[u8],
    key: &SecretString,
) -> Result<(Option<String>, Job), DecodeError> {
    let id = non_empty(decode::<WireId>(body)?.id);
    refuse_secret("id", id.as_deref(), key)?;
    let (job, _) = reply(body, key)?;
    Ok((id, job))
}

/// The text of `{"error": "..."}`, cleaned.
pub(super) fn error_text(body: &[u8]) -> Option<String> {
    decode::<WireError>(body)
        .ok()
        .and_then(|wire| non_empty(wire.error))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireJob {
    id: Option<AnyId>,
    status: Option<Text>,
    source: Option<Object<WireSource>>,
    model: Option<Text>,
    pr_link: Option<Text>,
    created_at: Option<Text>,
    archived_at: Option<Text>,
}

/// A job is known by the id that it was asked for by, so one of an odd type does no harm.
#[derive(Deserialize)]
#[serde(untagged)]
enum AnyId {
    Text(Text),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
struct WireId {
    id: Option<Text>,
}

#[derive(Deserialize)]
struct WireSource {
    repository: Option<Text>,
    #[serde(rename = "ref")]
    reference: Option<Text>,
}

#[derive(Deserialize)]
struct WireError {
    error: Option<Text>,
}

impl WireJob {
    fn id(&self) -> Option<&str> {
        match &self.id {
            Some(AnyId::Text(Text(id))) => Some(id),
            Some(AnyId::Other(_)) | None => None,
        }
    }

    /// Every text, and the member that it is.
    fn texts(&self) -> [(&'static str, Option<&Text>); 7] {
        let source = self.source.as_ref().map(|Object(source)| source);
        let repository = source.and_then(|source| source.repository.as_ref());
        let reference = source.and_then(|source| source.reference.as_ref());
        [
            ("status", self.status.as_ref()),
            ("source.repository", repository),
            ("source.ref", reference),
            ("model", self.model.as_ref()),
            ("prLink", self.pr_link.as_ref()),
            ("createdAt", self.created_at.as_ref()),
            ("archivedAt", self.archived_at.as_ref()),
        ]
    }
}

impl From<WireJob> for Job {
    fn from(wire: WireJob) -> Self {
        let (repository, branch) = wire.source.map_or((None, None), |Object(source)| {
            (non_empty(source.repository), non_empty(source.reference))
        });
        Self {
            status: non_empty(wire.status).map(|word| Status::from_api(&word)),
            repository,
            branch,
            model: non_empty(wire.model),
            pull_request: non_empty(wire.pr_link).map(PullRequest::new),
            created_at: timestamp(wire.created_at),
            archived_at: timestamp(wire.archived_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text;

    #[test]
    fn a_job_of_the_contract() {
        let body = r#"{
            "id": "ignored", "status": "completed",
            "source": {"repository": "https://github.com/acme/docs", "ref": "mintlify/sdk"},
            "model": "sonnet", "prLink": "https://github.com/acme/docs/pull/412",
            "createdAt": "2026-11-20T10:00:00.000Z", "archivedAt": "2026-11-21T12:00:00+02:00"
        }"#;
        let want = Job {
            status: Some(Status::Completed),
            repository: Some("https://github.com/acme/docs".into()),
            branch: Some("mintlify/sdk".into()),
            model: Some("sonnet".into()),
            pull_request: Some(PullRequest::new("https://github.com/acme/docs/pull/412")),
            created_at: Some("2026-11-20T10:00:00Z".parse().unwrap()),
            archived_at: Some("2026-11-21T10:00:00Z".parse().unwrap()),
        };
        assert_eq!(job(body.as_bytes()), Ok(want));
    }

    #[test]
    fn empty_values_are_none() {
        for body in [
            "{}",
            " {} \r\n",
            r#"{"id": 7, "new": {"a": [1, {"b": null}]}}"#,
            r#"{"status": null, "source": null, "model": null, "prLink": null,
                "createdAt": null, "archivedAt": null}"#,
            r#"{"status": "", "source": {}, "model": " \t", "prLink": "\u200b", "createdAt": ""}"#,
            r#"{"source": {"repository": null, "ref": null, "more": 1}}"#,
            r#"{"createdAt": "yesterday", "archivedAt": "2026-11-20"}"#,
        ] {
            assert_eq!(job(body.as_bytes()), Ok(Job::default()), "{body}");
        }
    }

    #[test]
    fn all_text_is_cleaned() {
        let body = r#"{
            "status": "act\u202eive\u0007", "model": "\u001b[31mopus\u0000",
            "source": {"repository": "https://x\u2066/y", "ref": "a\nb\ud83d\udc68\u200d"},
            "prLink": " https://x/pull/1\u200b "
        }"#;
        let got = job(body.as_bytes()).unwrap();
        assert_eq!(got.status, Some(Status::Active));
        assert_eq!(got.model.as_deref(), Some("[31mopus"));
        assert_eq!(got.repository.as_deref(), Some("https://x/y"));
        assert_eq!(got.branch.as_deref(), Some("a b\u{1f468}"));
        assert_eq!(got.pull_request, Some(PullRequest::new("https://x/pull/1")));
    }

    #[test]
    fn a_wrong_shape_is_explained() {
        for (body, want) in [
            ("[]", "the reply is a list, not an object"),
            ("null", "the reply is null, not an object"),
            ("true", "the reply is true or false, not an object"),
            ("\"job\"", "the reply is text, not an object"),
            ("1.5", "the reply is a number, not an object"),
            (r#"{"status": 5}"#, "`status` is a number, not text"),
            (r#"{"status": {"a": 1}}"#, "`status` is an object, not text"),
            (
                r#"{"prLink": false}"#,
                "`prLink` is true or false, not text",
            ),
            (r#"{"createdAt": 1.0}"#, "`createdAt` is a number, not text"),
            (r#"{"source": "here"}"#, "`source` is text, not an object"),
            (r#"{"source": []}"#, "`source` is a list, not an object"),
            (
                r#"{"source": {"ref": ["main"]}}"#,
                "`source.ref` is a list, not text",
            ),
            (
                "{\"source\": \"at line 1, expected \\u001b\\\"`\"}",
                "`source` is text, not an object",
            ),
            (
                r#"{"status": "active", "status": "failed"}"#,
                "`status` comes twice",
            ),
        ] {
            assert_eq!(
                job(body.as_bytes()),
                Err(DecodeError::Shape(want.into())),
                "{body}"
            );
        }
    }

    #[test]
    fn what_is_no_json_table() {
        for (body, want) in [
            ("", DecodeError::Empty),
            (" \r\n\t", DecodeError::Empty),
            ("<html>", DecodeError::Html),
            ("\n <!doctype html>", DecodeError::Html),
            ("{", DecodeError::Truncated),
            (r#"{"status": "act"#, DecodeError::Truncated),
            (r#"{"source": {"ref": "#, DecodeError::Truncated),
            ("not found", DecodeError::NotJson),
            ("{}{}", DecodeError::NotJson),
            ("{} trailing", DecodeError::NotJson),
            ("{'status': 'active'}", DecodeError::NotJson),
            (r#"{"status": "\ud800"}"#, DecodeError::NotJson),
        ] {
            assert_eq!(job(body.as_bytes()), Err(want), "{body:?}");
        }
        assert_eq!(
            job(b"{\"status\": \"\xff\"}"),
            Err(DecodeError::NotJson),
            "invalid UTF-8"
        );
    }

    #[test]
    fn deep_nesting_ends_in_an_error_or_is_skipped() {
        let opened = "[".repeat(100_000);
        let closed = "]".repeat(100_000);
        let member = |name: &str| format!("{{\"{name}\":{opened}{closed}}}");
        for (body, want) in [
            (
                format!("{opened}{closed}"),
                Err("the reply is a list, not an object"),
            ),
            (member("source"), Err("`source` is a list, not an object")),
            (member("status"), Err("`status` is a list, not text")),
            (member("unknown"), Ok(Job::default())),
        ] {
            let want = want.map_err(|what| DecodeError::Shape(what.into()));
            assert_eq!(job(body.as_bytes()), want);
        }
        let cut = format!("{{\"unknown\":{}", "{\"a\":".repeat(100_000));
        assert_eq!(job(cut.as_bytes()), Err(DecodeError::Truncated));
    }

    #[test]
    fn error_text_table() {
        for (body, want) in [
            (r#"{"error": "Job not found"}"#, Some("Job not found")),
            (r#"{"error": "a\u001b[2Jb\n"}"#, Some("a[2Jb")),
            (r#"{"error": {"code": 1}}"#, None),
            (r#"{"error": ""}"#, None),
            (r#"["error"]"#, None),
            ("<html>", None),
            ("", None),
        ] {
            assert_eq!(error_text(body.as_bytes()).as_deref(), want, "{body}");
        }
    }

    /// JSON whose members are those of a job as often as not.
    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            ".{0,20}".prop_map(Into::into),
            Just("active".into()),
        ];
        let name = prop_oneof![
            prop::sample::select(vec![
                "status",
                "source",
                "model",
                "prLink",
                "createdAt",
                "archivedAt",
                "repository",
                "ref",
                "error"
            ])
            .prop_map(String::from),
            ".{0,8}",
        ];
        leaf.prop_recursive(4, 32, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::vec((name.clone(), inner), 0..6).prop_map(|members| {
                    serde_json::Value::Object(members.into_iter().collect())
                }),
            ]
        })
    }

    fn is_clean(field: Option<&str>) -> bool {
        field.is_none_or(|field| !field.is_empty() && text::clean(field) == field)
    }

    fn all_clean(job: &Job) -> bool {
        let link = job.pull_request.as_ref().map(PullRequest::as_str);
        [
            job.status.as_ref().map(Status::as_str),
            job.repository.as_deref(),
            job.branch.as_deref(),
            job.model.as_deref(),
            link,
        ]
        .into_iter()
        .all(is_clean)
    }

    /// What happens to a valid job on its way here.
    #[derive(Clone, Debug)]
    enum Damage {
        /// The member at this place gets another value.
        Replace(prop::sample::Index, serde_json::Value),
        /// A member is left out.
        Remove(prop::sample::Index),
        /// Its text is in here twice.
        Repeat(prop::sample::Index),
        /// A new member, so many lists deep.
        Nest(String, usize),
        /// Only the beginning comes.
        Cut(prop::sample::Index),
        /// Bytes in the middle are others.
        Overwrite(prop::sample::Index, Vec<u8>),
        /// Bytes are put in.
        Insert(prop::sample::Index, Vec<u8>),
    }

    fn any_damage() -> impl Strategy<Value = Damage> {
        use prop::collection::vec;
        use prop::sample::Index;
        // What has a meaning in JSON, as often as any byte.
        let byte = || {
            let meant = prop::sample::select(b"{}[]\",:\\/u0e-.\x00\x1b\x7f\xff \n".to_vec());
            prop_oneof![meant, any::<u8>()]
        };
        prop_oneof![
            (any::<Index>(), any_json()).prop_map(|(at, json)| Damage::Replace(at, json)),
            any::<Index>().prop_map(Damage::Remove),
            any::<Index>().prop_map(Damage::Repeat),
            (".{0,8}", 0_usize..300).prop_map(|(name, depth)| Damage::Nest(name, depth)),
            any::<Index>().prop_map(Damage::Cut),
            (any::<Index>(), vec(byte(), 1..4)).prop_map(|(at, by)| Damage::Overwrite(at, by)),
            (any::<Index>(), vec(byte(), 1..4)).prop_map(|(at, by)| Damage::Insert(at, by)),
        ]
    }

    /// A job of the contract after `all` this.
    fn damaged(all: Vec<Damage>) -> Vec<u8> {
        let mut members: Vec<(String, String)> = [
            ("id", r#""job_01""#),
            ("status", r#""completed""#),
            (
                "source",
                r#"{"repository":"https://github.com/acme/docs","ref":"main"}"#,
            ),
            ("model", r#""sonnet""#),
            ("prLink", r#""https://github.com/acme/docs/pull/412""#),
            ("createdAt", r#""2026-11-20T10:00:00.000Z""#),
            ("archivedAt", "null"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        let mut bytes = Vec::new();
        for damage in all {
            match damage {
                Damage::Replace(at, json) if !members.is_empty() => {
                    let at = at.index(members.len());
                    members[at].1 = json.to_string();
                }
                Damage::Remove(at) if !members.is_empty() => {
                    members.remove(at.index(members.len()));
                }
                Damage::Repeat(at) if !members.is_empty() => {
                    let member = members[at.index(members.len())].clone();
                    members.push(member);
                }
                Damage::Nest(name, depth) => {
                    members.push((name, "[".repeat(depth) + &"]".repeat(depth)));
                }
                damage => bytes.push(damage),
            }
        }
        let members = members.iter().map(|(name, value)| {
            let name = serde_json::Value::from(name.as_str());
            format!("{name}:{value}")
        });
        let mut body = format!("{{{}}}", members.collect::<Vec<_>>().join(",")).into_bytes();
        for damage in bytes {
            let place = |at: prop::sample::Index| at.index(body.len() + 1);
            match damage {
                Damage::Cut(at) => body.truncate(place(at)),
                Damage::Insert(at, by) => {
                    let at = place(at);
                    body.splice(at..at, by);
                }
                Damage::Overwrite(at, by) => {
                    let at = place(at);
                    let end = (at + by.len()).min(body.len());
                    body.splice(at..end, by);
                }
                _ => {}
            }
        }
        body
    }

    #[test]
    fn an_undamaged_job_is_whole() {
        let whole = job(&damaged(Vec::new())).unwrap();
        assert!(whole.status.is_some() && whole.branch.is_some() && whole.created_at.is_some());
    }

    proptest! {
        // As many cases as PROPTEST_CASES says.
        #[test]
        fn a_damaged_job_gives_a_job_or_an_error(
            damage in prop::collection::vec(any_damage(), 0..5)
        ) {
            let body = damaged(damage);
            let _ = error_text(&body);
            match job(&body) {
                Ok(job) => prop_assert!(all_clean(&job), "{:?}", job),
                Err(DecodeError::Shape(what)) => {
                    prop_assert!(is_clean(Some(&what)), "{}", what);
                    // It names one of our members and two types, and repeats nothing else.
                    prop_assert!(what.len() < 80, "{}", what);
                }
                Err(_) => {}
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn any_bytes_give_a_job_or_an_error(
            body in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..300),
                any_json().prop_map(|json| json.to_string().into_bytes()),
                // Damaged in one place.
                (any_json(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(json, at, byte)| {
                    let mut body = json.to_string().into_bytes();
                    let at = at.index(body.len());
                    body[at] = byte;
                    body
                }),
            ]
        ) {
            let _ = error_text(&body);
            match job(&body) {
                Ok(job) => prop_assert!(all_clean(&job), "{:?}", job),
                Err(DecodeError::Shape(what)) => {
                    prop_assert!(is_clean(Some(&what)), "{}", what);
                }
                Err(_) => {}
            }
        }

        #[test]
        fn any_object_with_members_of_the_right_type_is_a_job(
            status in prop::option::of(".{0,20}"), model in prop::option::of(".{0,20}")
        ) {
            let body = serde_json::json!({"status": status, "model": model}).to_string();
            prop_assert!(job(body.as_bytes()).is_ok());
        }
    }
}
