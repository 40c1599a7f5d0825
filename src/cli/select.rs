//! Which job a `JOB` on the command line means: a job id, `PROJECT/JOB`, or a label when it is
//! unique.

use thiserror::Error;

use crate::board::Watched;
use crate::config::nearest;
use crate::text;

/// Why a `JOB` or a `PROJECT` on the command line means nothing.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SelectError {
    /// No watched job has this id or label; and what to do.
    #[error("no watched job is called \"{0}\"; {1}")]
    NoSuchJob(String, String),
    /// Several have.
    #[error("\"{0}\" could be any of {1}; say which, as PROJECT/JOB")]
    Ambiguous(String, String),
    /// No project with jobs has this id or name; and what to do.
    #[error("no project with jobs is called \"{0}\"; {1}")]
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
        [] => Err(SelectError::NoSuchJob(
            text::clean(name),
            job_advice(watched, name),
        )),
        many => {
            let keys: Vec<String> = many.iter().map(|job| job.key.to_string()).collect();
            Err(SelectError::Ambiguous(text::clean(name), keys.join(", ")))
        }
    }
}

/// The jobs of `watched` that `names` mean, in that order; all where none is named.
pub fn jobs(watched: Vec<Watched>, names: &[String]) -> Result<Vec<Watched>, SelectError> {
    if names.is_empty() {
        return Ok(watched);
    }
    names
        .iter()
        .map(|name| job(&watched, name).cloned())
        .collect()
}

/// What to do where no job is called `name`.
fn job_advice(watched: &[Watched], name: &str) -> String {
    if watched.is_empty() {
        return String::from("the config lists no jobs");
    }
    let paths: Vec<String> = if name.contains('/') {
        watched
            .iter()
            .map(|job| format!("{}/{}", job.project.title(), job.key.id))
            .collect()
    } else {
        Vec::new()
    };
    let names = watched
        .iter()
        .flat_map(|job| [Some(&*job.key.id), job.label.as_deref()]);
    let names = names.flatten().chain(paths.iter().map(String::as_str));
    match nearest(name, names) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => String::from("`mintwatch list` shows those that are"),
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
        let ids = watched.iter().map(|job| &*job.project.id);
        let advice = match nearest(name, known.iter().copied().chain(ids)) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None if known.is_empty() => String::from("the config lists no jobs"),
            None => format!("the config has {}", known.join(", ")),
        };
        return Err(SelectError::NoSuchProject(text::clean(name), advice));
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
            key: JobKey::new(project.id.clone(), id),
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
            "no project with jobs is called \"web\"; the config has docs, p2"
        );
        assert_eq!(project(&watched(), "docs").map(|jobs| jobs.len()), Ok(2));
    }

    #[test]
    fn the_nearest_name_is_suggested() {
        for (name, want) in [
            ("job_4", "did you mean \"job_1\"?"),
            ("jbo_3", "did you mean \"job_3\"?"),
            ("SDK quikstart", "did you mean \"SDK quickstart\"?"),
            ("sdk QUICKSTART", "did you mean \"SDK quickstart\"?"),
            ("SDK", "did you mean \"SDK quickstart\"?"),
            ("doc/job_2", "did you mean \"docs/job_2\"?"),
            ("SD", "`mintwatch list` shows those that are"),
            ("release notes", "`mintwatch list` shows those that are"),
            ("", "`mintwatch list` shows those that are"),
        ] {
            let error = job(&watched(), name).unwrap_err().to_string();
            let want = format!("no watched job is called \"{name}\"; {want}");
            assert_eq!(error, want);
        }
        let error = job(&[], "x").unwrap_err().to_string();
        assert!(error.ends_with("the config lists no jobs"), "{error}");
        let error = project(&watched(), "Doc").unwrap_err().to_string();
        assert!(error.ends_with("did you mean \"docs\"?"), "{error}");
    }

    #[test]
    fn jobs_come_in_the_order_of_their_names() {
        let ids = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            let jobs = jobs(watched(), &names)?;
            Ok::<_, SelectError>(
                jobs.iter()
                    .map(|job| job.key.to_string())
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            ids(&["job_3", "docs/job_2"]).unwrap(),
            ["p2/job_3", "p1/job_2"]
        );
        assert_eq!(ids(&[]).unwrap().len(), 4);
        assert!(ids(&["job_3", "nothing"]).is_err());
    }
}
