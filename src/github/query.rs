//! The queries. Their text depends on how many pull requests there are, and on nothing that comes from
//! outside: that travels in variables.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::pull_request::PullRequestId;

const RATE_LIMIT: &str = "rateLimit{cost remaining resetAt}";
/// The fields of one pull request. The checks are not listed one by one, which would cost points.
const FIELDS: &str = "pullRequest(number:$n{at}){title state isDraft mergeable reviewDecision createdAt \
                      updatedAt mergedAt closedAt commits(last:1){nodes{commit{statusCheckRollup{state}}}}}";

pub(super) fn viewer() -> Value {
    json!({ "query": format!("query{{{RATE_LIMIT} viewer{{login}}}}") })
}

/// The one at `at` is answered under [`alias`].
pub(super) fn pull_requests(ids: &[PullRequestId]) -> Value {
    let (mut parameters, mut body) = (String::new(), String::from(RATE_LIMIT));
    let mut variables = Map::new();
    for (at, id) in ids.iter().enumerate() {
        // Writing to a `String` does not fail.
        let _ = write!(parameters, "$o{at}:String!,$r{at}:String!,$n{at}:Int!,");
        let fields = FIELDS.replace("{at}", &at.to_string());
        let alias = alias(at);
        let _ = write!(
            body,
            " {alias}:repository(owner:$o{at},name:$r{at}){{{fields}}}"
        );
        variables.insert(format!("o{at}"), json!(id.owner));
        variables.insert(format!("r{at}"), json!(id.repository));
        variables.insert(format!("n{at}"), json!(id.number));
    }
    json!({ "query": format!("query({parameters}){{{body}}}"), "variables": variables })
}

pub(super) fn alias(at: usize) -> String {
    format!("p{at}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_travel_as_variables() {
        let id = |owner: &str, number| PullRequestId {
            host: "github.com".into(),
            owner: owner.into(),
            repository: "docs".into(),
            number,
        };
        let hostile = pull_requests(&[id("a\"){evil}", 1), id("b", 2)]);
        let plain = pull_requests(&[id("acme", 3), id("acme", 4)]);
        assert_eq!(hostile["query"], plain["query"]);
        assert_eq!(hostile["variables"]["o0"], "a\"){evil}");
        assert_eq!(plain["variables"]["n1"], 4);
        let text = plain["query"].as_str().unwrap();
        assert!(
            text.starts_with("query($o0:String!,$r0:String!,$n0:Int!,$o1:"),
            "{text}"
        );
        assert!(text.contains(" p1:repository(owner:$o1,name:$r1){pullRequest(number:$n1){title "));
        assert_eq!(text.matches('{').count(), text.matches('}').count());
        assert!(
            viewer()["query"]
                .as_str()
                .unwrap()
                .starts_with("query{rateLimit{")
        );
    }
}
