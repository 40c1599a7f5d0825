//! The text of a config that watches the simulated jobs.
//!
//! It is the same text for the embedded demo, which adds a store, and for the file that `demo-server`
//! writes. This file must not know how a config is read.

use std::fmt::Write;

use super::simulator::{Project, SimulatedJob};

/// Up to this many jobs are polled fast, since a person watches the simulation; more are for
/// measuring, with the program's defaults.
const MAX_FAST_JOBS: usize = 100;

/// A config for the server at `base_url`; `key_source_line` is the line in its `[key]` table.
pub(super) fn config_text(base_url: &str, key_source_line: &str, projects: &[Project]) -> String {
    let mut text = format!(
        "# The simulated jobs of a mintwatch demo server.\n\
         base_url = \"{base_url}\"\n\n[key]\n{key_source_line}\n"
    );
    let jobs: usize = projects.iter().map(|project| project.jobs.len()).sum();
    if jobs <= MAX_FAST_JOBS {
        text.push_str("\n[poll]\nactive = \"2s\"\nfinished = \"10s\"\n");
    }
    for project in projects {
        push_project(&mut text, project);
    }
    text
}

/// What names the store in a config; `path` is a string in TOML.
pub(super) fn store_text(path: &str) -> String {
    format!("\n[store]\npath = {path}\n")
}

fn push_project(text: &mut String, project: &Project) {
    let (id, name) = (project.id, project.name);
    let jobs = project.jobs.iter().map(job_entry).collect::<String>();
    // Writing to a `String` cannot fail.
    let _ = write!(
        text,
        "\n[[projects]]\nid = \"{id}\"\nname = \"{name}\"\njobs = [\n{jobs}]\n"
    );
}

/// An element of `jobs`. Ids, labels and tags are the simulation's own, and need no escapes in TOML.
fn job_entry(job: &SimulatedJob) -> String {
    let id = &job.id;
    let label = job.label.as_ref();
    let label = label.map_or_else(String::new, |label| format!(", label = \"{label}\""));
    let tags = match job.tags.join("\", \"") {
        none if none.is_empty() => none,
        tags => format!(", tags = [\"{tags}\"]"),
    };
    if label.is_empty() && tags.is_empty() {
        return format!("  \"{id}\",\n");
    }
    format!("  {{ id = \"{id}\"{label}{tags} }},\n")
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use jiff::Timestamp;

    use super::*;
    use crate::demo::simulator::Simulator;

    fn table(jobs: usize) -> toml::Table {
        let simulator = Simulator::new(jobs, 1.0, Rng::with_seed(1), Timestamp::UNIX_EPOCH);
        let text = config_text("http://127.0.0.1:9", "env = \"KEY\"", simulator.projects());
        text.parse().unwrap()
    }

    fn jobs(table: &toml::Table) -> Vec<&toml::Value> {
        let projects = table["projects"].as_array().unwrap();
        projects
            .iter()
            .flat_map(|project| project["jobs"].as_array().unwrap())
            .collect()
    }

    #[test]
    fn it_lists_every_job_with_its_label_and_tags() {
        let table = table(24);
        assert_eq!(table["base_url"].as_str(), Some("http://127.0.0.1:9"));
        assert_eq!(table["key"]["env"].as_str(), Some("KEY"));
        assert_eq!(table["projects"][0]["id"].as_str(), Some("64f0c1e2"));
        assert_eq!(table["projects"][0]["name"].as_str(), Some("docs"));
        let jobs = jobs(&table);
        assert_eq!(jobs.len(), 24);
        let quickstart = jobs
            .iter()
            .find(|job| job.get("label").and_then(|label| label.as_str()) == Some("SDK quickstart"))
            .unwrap();
        assert!(quickstart["id"].as_str().unwrap().starts_with("job_01K"));
        assert_eq!(quickstart["tags"][0].as_str(), Some("release"));
        assert!(jobs.iter().any(|job| job.is_str()), "one with its id alone");
    }

    #[test]
    fn few_jobs_are_polled_fast_and_many_at_the_default_intervals() {
        assert_eq!(table(24)["poll"]["active"].as_str(), Some("2s"));
        assert!(!table(5_000).contains_key("poll"));
        assert_eq!(jobs(&table(5_000)).len(), 5_000);
        assert_eq!(jobs(&table(0)).len(), 0);
    }
}
