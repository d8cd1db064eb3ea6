//! Reading incidents.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use chrono::DateTime;
use serde_json::Value;

use crate::time::{Utc, Window};

/// One incident with what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    pub name: String,
    /// The calls or packets.
    pub source: PathBuf,
    /// `network_delay`: incidents are counted by it.
    pub kind: String,
    pub question: String,
    pub window: Window,
    /// What to compare with, where the publisher says so.
    pub baseline: Option<Window>,
    /// The right answers. Empty where nothing was wrong.
    pub wanted: Vec<Wanted>,
}

/// A cause that counts as right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// `None` where the fault is a node's.
    pub service: Option<String>,
    pub workload: Option<String>,
    pub kind: Option<String>,
}

impl Wanted {
    /// Whether a suspect is this one: by its service, or by its node.
    pub fn is(&self, service: Option<&str>, workload: Option<&str>) -> bool {
        match &self.service {
            Some(name) => service == Some(name.as_str()),
            None => self.workload.is_some() && workload == self.workload.as_deref(),
        }
    }
}

/// An incident that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum IncidentError {
    #[error("`{path}` cannot be read: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("`{path}` is no JSON: {source}")]
    Json {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("`{path}` lacks {field}")]
    Field { path: PathBuf, field: &'static str },
    #[error("`{path}` holds no incident: no `case.json` or `truth.json` in it or in its directories")]
    None { path: PathBuf },
}

/// The incidents of a directory: itself, or its directories, by name.
pub fn incidents(root: &Path) -> Result<Vec<Incident>, IncidentError> {
    if let Some(incident) = incident(root)? {
        return Ok(vec![incident]);
    }
    let unreadable = |source| IncidentError::Io {
        path: root.to_owned(),
        source,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(root).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            found.extend(incident(&path)?);
        }
    }
    if found.is_empty() {
        return Err(IncidentError::None {
            path: root.to_owned(),
        });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn incident(dir: &Path) -> Result<Option<Incident>, IncidentError> {
    let published = dir.join("case.json");
    let own = dir.join("truth.json");
    if published.is_file() {
        of_case(dir, &published).map(Some)
    } else if own.is_file() {
        of_truth(dir, &own).map(Some)
    } else {
        Ok(None)
    }
}

fn json(path: &Path) -> Result<Value, IncidentError> {
    let text = fs::read_to_string(path).map_err(|source| IncidentError::Io {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_str(&text).map_err(|source| IncidentError::Json {
        path: path.to_owned(),
        source,
    })
}

fn name_of(dir: &Path) -> String {
    dir.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn text(value: &Value, field: &str) -> Option<String> {
    value.get(field)?.as_str().map(str::to_owned)
}

/// A published incident: windows in Unix µs.
fn of_case(dir: &Path, path: &Path) -> Result<Incident, IncidentError> {
    let value = json(path)?;
    let lacks = |field| IncidentError::Field {
        path: path.to_owned(),
        field,
    };
    let window = |field: &'static str| -> Option<Window> {
        let ends = value.get(field)?.as_array()?;
        let at = |index: usize| DateTime::from_timestamp_micros(ends.get(index)?.as_i64()?);
        let (start, end) = (at(0)?, at(1)?);
        (start < end).then_some(Window { start, end })
    };
    Ok(Incident {
        name: name_of(dir),
        source: dir.to_owned(),
        kind: text(&value, "fault_type").ok_or_else(|| lacks("fault_type"))?,
        question: String::new(),
        window: window("fault_window_us").ok_or_else(|| lacks("fault_window_us"))?,
        baseline: window("baseline_window_us"),
        wanted: vec![Wanted {
            service: text(&value, "root_cause_service"),
            workload: text(&value, "root_cause_pod"),
            kind: None,
        }],
    })
}

/// One of our own captures.
fn of_truth(dir: &Path, path: &Path) -> Result<Incident, IncidentError> {
    let value = json(path)?;
    let lacks = |field| IncidentError::Field {
        path: path.to_owned(),
        field,
    };
    let ask = value.get("ask").ok_or_else(|| lacks("ask"))?;
    let at = |field: &'static str| -> Result<Utc, IncidentError> {
        text(ask, field)
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| lacks("ask.since or ask.until"))
    };
    let causes = value
        .get("causes")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let kind = text(&value, "fault").ok_or_else(|| lacks("fault"))?;
    Ok(Incident {
        name: name_of(dir),
        source: dir.to_owned(),
        kind: kind.split(':').next().unwrap_or_default().to_owned(),
        question: text(ask, "question").unwrap_or_default(),
        window: Window {
            start: at("since")?,
            end: at("until")?,
        },
        baseline: None,
        wanted: causes
            .iter()
            .map(|cause| Wanted {
                service: text(cause, "service"),
                workload: text(cause, "workload"),
                kind: text(cause, "kind"),
            })
            .collect(),
    })
}
