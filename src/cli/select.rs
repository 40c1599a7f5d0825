//! Finds the watched jobs that `JOB` and `PROJECT` on the command line name.

use thiserror::Error;

use crate::board::Watched;
use crate::config::nearest;
use crate::text;

/// Each has the cleaned name, and the choices or a suggestion.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SelectError {
    #[error("no watched job is called \"{0}\"; {1}")]
    NoSuchJob(String, String),
    #[error("\"{0}\" could be any of {1}; say which, as PROJECT/JOB")]
    Ambiguous(String, String),
    #[error("no project with jobs is called \"{0}\"; {1}")]
    NoSuchProject(String, String),
}

/// The one of `watched` with this id, else this `PROJECT/JOB`, else this label.
pub fn job<'a>(watched: &'a [Watched], name: &str) -> Result<&'a Watched, SelectError> {
    let mut found: Vec<&Watched> = watched.iter().filter(|job| *job.key.id == *name).collect();
    if found.is_empty() {
        let (project, id) = name.split_once('/').unwrap_or_default();
        let named = |job: &&Watched| *job.key.id == *id && in_project(job, project);
        found.extend(watched.iter().filter(named));
    }
    if found.is_empty() {
        let labelled = |job: &&Watched| job.label.as_deref() == Some(name);
        found.extend(watched.iter().filter(labelled));
    }
    match found.as_slice() {
        [job] => Ok(job),
        [] => Err(no_such_job(watched, name)),
        many => {
            let keys: Vec<String> = many.iter().map(|job| job.key.to_string()).collect();
            Err(SelectError::Ambiguous(text::clean(name), keys.join(", ")))
        }
    }
}

/// The jobs that `names` name, in that order; all if `names` is empty.
pub fn jobs(watched: Vec<Watched>, names: &[String]) -> Result<Vec<Watched>, SelectError> {
    if names.is_empty() {
        return Ok(watched);
    }
    let find = |name: &String| job(&watched, name).cloned();
    names.iter().map(find).collect()
}

/// The jobs of the project with this id or name.
pub fn project(watched: &[Watched], name: &str) -> Result<Vec<Watched>, SelectError> {
    let jobs = watched.iter().filter(|job| in_project(job, name));
    let jobs: Vec<Watched> = jobs.cloned().collect();
    if jobs.is_empty() {
        return Err(no_such_project(watched, name));
    }
    Ok(jobs)
}

fn in_project(job: &Watched, project: &str) -> bool {
    *job.project.id == *project || job.project.name.as_deref() == Some(project)
}

fn no_such_job(watched: &[Watched], name: &str) -> SelectError {
    let mut known = Vec::new();
    for job in watched {
        known.push(job.key.id.to_string());
        known.extend(job.label.clone());
        if name.contains('/') {
            known.push(format!("{}/{}", job.project.title(), job.key.id));
        }
    }
    let known = known.iter().map(String::as_str);
    let otherwise = "`mintwatch list` shows those that are";
    SelectError::NoSuchJob(text::clean(name), suggestion(name, known, otherwise))
}

fn no_such_project(watched: &[Watched], name: &str) -> SelectError {
    let mut titles: Vec<&str> = watched.iter().map(|job| job.project.title()).collect();
    titles.dedup();
    let otherwise = format!("the config has {}", titles.join(", "));
    let ids = watched.iter().map(|job| &*job.project.id);
    let known = titles.into_iter().chain(ids);
    SelectError::NoSuchProject(text::clean(name), suggestion(name, known, &otherwise))
}

fn suggestion<'a>(
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    otherwise: &str,
) -> String {
    if known.clone().next().is_none() {
        return String::from("the config lists no jobs");
    }
    let near = nearest(name, known);
    near.map_or_else(
        || otherwise.to_owned(),
        |near| format!("did you mean \"{near}\"?"),
    )
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
        // Two projects of one name.
        let [web, web_too] = ["p3", "p4"].map(|id| {
            Arc::new(Project {
                id: id.into(),
                name: Some("web".into()),
            })
        });
        [
            (&docs, "job_1", Some("SDK quickstart")),
            (&docs, "job_2", Some("Twice")),
            (&api, "job_2", Some("Twice")),
            (&api, "job_3", Some("job_1")),
            (&web, "job_4", None),
            (&web_too, "job_4", None),
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
            ("web/job_4", None),
            ("p3/job_4", Some("p3/job_4")),
            ("nothing", None),
            ("", None),
        ] {
            let found = job(&watched(), name).map(|job| job.key.to_string()).ok();
            assert_eq!(found.as_deref(), want, "{name}");
        }
    }

    #[test]
    fn ambiguous_and_unknown_names_are_errors() {
        let error = job(&watched(), "job_2").unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"job_2\" could be any of p1/job_2, p2/job_2; say which, as PROJECT/JOB"
        );
        let error = project(&watched(), "nothing").unwrap_err();
        assert_eq!(
            error.to_string(),
            "no project with jobs is called \"nothing\"; the config has docs, p2, web"
        );
        assert_eq!(project(&watched(), "docs").map(|jobs| jobs.len()), Ok(2));
    }

    #[test]
    fn the_nearest_name_is_suggested() {
        for (name, want) in [
            ("job_5", "did you mean \"job_1\"?"),
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
        assert_eq!(ids(&[]).unwrap().len(), 6);
        assert!(ids(&["job_3", "nothing"]).is_err());
    }
}
