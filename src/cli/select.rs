//! Which job a `JOB` on the command line means: a job id, `PROJECT/JOB`, or a label when it is
//! unique.

use thiserror::Error;

use crate::board::Watched;
use crate::text;

/// Why a `JOB` or a `PROJECT` on the command line means nothing.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SelectError {
    /// No watched job has this id or label.
    #[error("no watched job is called \"{0}\"; `mintwatch list` shows those that are")]
    NoSuchJob(String),
    /// Several have.
    #[error("\"{0}\" could be any of {1}; say which, as PROJECT/JOB")]
    Ambiguous(String, String),
    /// No project in the config has this id or name.
    #[error("no project is called \"{0}\"; the config has {1}")]
    NoSuchProject(String, String),
}

/// The one of `watched` that `name` means.
pub fn job<'a>(watched: &'a [Watched], name: &str) -> Result<&'a Watched, SelectError> {
    let by_path = || {
        let (project, id) = name.split_once('/')?;
        watched
            .iter()
            .find(|job| in_project(job, project) && *job.key.id == *id)
    };
    let by_id = watched
        .iter()
        .filter(|job| *job.key.id == *name)
        .collect::<Vec<_>>();
    let by_label = || {
        watched
            .iter()
            .filter(|job| job.label.as_deref() == Some(name))
            .collect()
    };
    let found = if by_id.is_empty() {
        by_path().map_or_else(by_label, |job| vec![job])
    } else {
        by_id
    };
    match found.as_slice() {
        [job] => Ok(job),
        [] => Err(SelectError::NoSuchJob(text::clean(name))),
        many => {
            let keys: Vec<String> = many.iter().map(|job| job.key.to_string()).collect();
            Err(SelectError::Ambiguous(text::clean(name), keys.join(", ")))
        }
    }
}

/// Whether `job` belongs to the project with this id or name.
pub fn in_project(job: &Watched, project: &str) -> bool {
    *job.project.id == *project || job.project.name.as_deref() == Some(project)
}

/// The jobs of the project with this id or name.
pub fn project(watched: &[Watched], name: &str) -> Result<Vec<Watched>, SelectError> {
    let jobs: Vec<Watched> = watched
        .iter()
        .filter(|job| in_project(job, name))
        .cloned()
        .collect();
    if jobs.is_empty() {
        let mut known: Vec<&str> = watched.iter().map(|job| job.project.title()).collect();
        known.dedup();
        let known = if known.is_empty() {
            String::from("none")
        } else {
            known.join(", ")
        };
        return Err(SelectError::NoSuchProject(text::clean(name), known));
    }
    Ok(jobs)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::board::Project;
    use crate::job::JobKey;

    fn watched() -> Vec<Watched> {
        let docs = Arc::new(Project {
            id: "p1".into(),
            name: Some("docs".into()),
        });
        let api = Arc::new(Project {
            id: "p2".into(),
            name: None,
        });
        [
            (&docs, "job_1", Some("SDK quickstart")),
            (&docs, "job_2", Some("Twice")),
            (&api, "job_2", Some("Twice")),
            (&api, "job_3", Some("job_1")),
        ]
        .into_iter()
        .map(|(project, id, label)| Watched {
            key: JobKey::new(Arc::clone(&project.id), id),
            project: Arc::clone(project),
            label: label.map(Into::into),
            tags: Vec::new(),
        })
        .collect()
    }

    #[test]
    fn job_table() {
        for (name, want) in [
            ("job_3", Some("p2/job_3")),
            ("p1/job_2", Some("p1/job_2")),
            ("docs/job_2", Some("p1/job_2")),
            ("SDK quickstart", Some("p1/job_1")),
            ("job_1", Some("p1/job_1")),
            ("job_2", None),
            ("Twice", None),
            ("p2/job_1", None),
            ("nothing", None),
            ("", None),
        ] {
            let found = job(&watched(), name).map(|job| job.key.to_string()).ok();
            assert_eq!(found.as_deref(), want, "{name}");
        }
    }

    #[test]
    fn what_is_ambiguous_or_unknown_is_said() {
        let error = job(&watched(), "job_2").unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"job_2\" could be any of p1/job_2, p2/job_2; say which, as PROJECT/JOB"
        );
        let error = project(&watched(), "web").unwrap_err();
        assert_eq!(
            error.to_string(),
            "no project is called \"web\"; the config has docs, p2"
        );
        assert_eq!(project(&watched(), "docs").map(|jobs| jobs.len()), Ok(2));
    }
}
