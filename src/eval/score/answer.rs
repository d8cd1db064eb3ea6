//! Whether the answer is right: verdict, cause, onset, path, who was ruled out.

use chrono::DateTime;

use super::Check;
use crate::{
    eval::{
        case::{CauseFile, Ending, OneOrMore},
        load::EvalCase,
        run::Ran,
    },
    investigation::finding::CauseKind,
    report::{Report, RootCause},
    time::Utc,
};

pub(super) fn verdict(case: &EvalCase, ran: &Ran) -> Check {
    let right: Vec<&str> = case.endings().iter().map(|ending| ending.word()).collect();
    let wrong = !case.endings().contains(&ran.ending);
    Check::all_or_nothing(
        "verdict",
        wrong.then(|| format!("{} instead of {}", ran.ending.word(), right.join(" or "))),
    )
}

/// A party as the truth and the report name it.
fn is(wanted: &CauseFile, service: Option<&str>, namespace: Option<&str>, workload: Option<&str>) -> bool {
    let says = |wanted: &Option<String>, said: Option<&str>| wanted.is_none() || wanted.as_deref() == said;
    wanted.party().is(service, workload)
        && says(&wanted.namespace, namespace)
        && says(&wanted.workload, workload)
}

fn accepted<'a>(case: &'a EvalCase, cause: &RootCause) -> Option<&'a CauseFile> {
    case.truth.causes.iter().find(|wanted| {
        is(
            wanted,
            cause.service.as_deref(),
            cause.namespace.as_deref(),
            cause.workload.as_deref(),
        )
    })
}

/// A root cause was reported, and the first one is none.
pub(super) fn wrong_cause(case: &EvalCase, report: &Report) -> bool {
    report
        .root_causes
        .first()
        .is_some_and(|first| accepted(case, first).is_none())
}

fn shown(service: Option<&str>, workload: Option<&str>) -> String {
    match (service, workload) {
        (Some(service), Some(workload)) => format!("{service} ({workload})"),
        (Some(service), None) => service.to_owned(),
        (None, workload) => workload.unwrap_or("nobody").to_owned(),
    }
}

fn wanted(case: &EvalCase) -> String {
    let names = case.truth.causes.iter();
    let names: Vec<String> = names
        .map(|cause| shown(cause.service.as_deref(), cause.workload.as_deref()))
        .collect();
    names.join(" or ")
}

pub(super) fn causes(case: &EvalCase, report: &Report) -> Vec<Check> {
    let mut checks = Vec::new();
    let first = report.root_causes.first();
    let said = |cause: Option<&RootCause>| {
        cause.map_or_else(
            || "nobody".to_owned(),
            |cause| shown(cause.service.as_deref(), cause.workload.as_deref()),
        )
    };
    // Where another verdict is honest too, nobody has to be named.
    let may_be_silent =
        report.root_causes.is_empty() && case.endings().iter().any(|ending| *ending != Ending::RootCause);
    if !case.truth.causes.is_empty() && case.endings().contains(&Ending::RootCause) && !may_be_silent {
        let right = first.and_then(|cause| accepted(case, cause));
        checks.push(Check::all_or_nothing(
            "cause",
            right
                .is_none()
                .then(|| format!("{} instead of {}", said(first), wanted(case))),
        ));
        let among = report.suspects.iter().take(3).any(|suspect| {
            case.truth.causes.iter().any(|wanted| {
                is(
                    wanted,
                    suspect.service.as_deref(),
                    suspect.namespace.as_deref(),
                    suspect.workload.as_deref(),
                )
            })
        });
        checks.push(Check::all_or_nothing(
            "first-three",
            (right.is_none() && !among).then(|| format!("{} is not among the first three", wanted(case))),
        ));
        if let (Some(cause), Some(right)) = (first, right) {
            checks.extend(kind(cause.kind, right));
            checks.extend(right.endpoint.as_ref().map(|endpoint| {
                let said = cause.endpoint.as_deref();
                Check::all_or_nothing(
                    "endpoint",
                    (said != Some(endpoint))
                        .then(|| format!("{} instead of {endpoint}", said.unwrap_or("none"))),
                )
            }));
        }
    }
    let extra: Vec<String> = report
        .root_causes
        .iter()
        .filter(|cause| accepted(case, cause).is_none())
        .map(|cause| format!("{} is no cause", said(Some(cause))))
        .collect();
    checks.push(Check::of_many("extra-causes", report.root_causes.len(), &extra));
    checks
}

fn kind(said: CauseKind, right: &CauseFile) -> Option<Check> {
    let kinds = right.kind.as_ref().map(OneOrMore::all)?;
    let word = |kind: &CauseKind| {
        let value = serde_json::to_value(kind).unwrap_or_default();
        value.as_str().unwrap_or_default().to_owned()
    };
    let wrong = !kinds.contains(&said);
    let wanted: Vec<String> = kinds.iter().map(word).collect();
    Some(Check::all_or_nothing(
        "kind",
        wrong.then(|| format!("{} instead of {}", word(&said), wanted.join(" or "))),
    ))
}

pub(super) fn onset(case: &EvalCase, report: &Report) -> Option<Check> {
    let (at, within) = case.true_onset?;
    let first = report.root_causes.first()?;
    let said: Option<Utc> = first
        .onset
        .as_ref()
        .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
        .map(Into::into);
    let wrong = match said {
        None => Some(format!("none instead of {}", at.to_rfc3339())),
        Some(said) => {
            let off = (said - at).as_seconds_f64();
            (off.abs() > within).then(|| {
                format!(
                    "{} is {:.1} s {} {}; {within} s are allowed",
                    said.to_rfc3339(),
                    off.abs(),
                    if off < 0.0 { "before" } else { "after" },
                    at.to_rfc3339()
                )
            })
        }
    };
    Some(Check::all_or_nothing("onset", wrong))
}

/// Hop by hop, in order: hops that are missing, and hops that are none. Of several right paths the nearest counts.
pub(super) fn path(case: &EvalCase, report: &Report) -> Option<Check> {
    if report.root_causes.is_empty() {
        return None;
    }
    let paths = case.truth.paths();
    let checks = paths.iter().map(|names| one_path(names, report));
    checks.max_by(|a, b| a.share.total_cmp(&b.share))
}

fn one_path(names: &[String], report: &Report) -> Check {
    let hop = |from: &str, to: &str| format!("{from} to {to}");
    let wanted: Vec<String> = names
        .windows(2)
        .filter_map(|pair| Some(hop(pair.first()?, pair.get(1)?)))
        .collect();
    let said: Vec<String> = report.path.iter().map(|step| hop(&step.from, &step.to)).collect();
    let mut wrong: Vec<String> = wanted
        .iter()
        .filter(|step| !said.contains(step))
        .map(|step| format!("{step} is missing"))
        .collect();
    wrong.extend(
        said.iter()
            .filter(|step| !wanted.contains(step))
            .map(|step| format!("{step} is no hop of it")),
    );
    if wrong.is_empty() && said != wanted {
        wrong.push(format!("the order is {}", said.join(", ")));
    }
    Check::of_many("path", wanted.len(), &wrong)
}

/// Named as ruled out, and neither blamed nor suspected first.
pub(super) fn ruled_out(case: &EvalCase, report: &Report) -> Option<Check> {
    let names = &case.truth.ruled_out;
    if names.is_empty() {
        return None;
    }
    let wrong: Vec<String> = names
        .iter()
        .filter_map(|name| {
            let (namespace, service) = match name.split_once('/') {
                Some((namespace, service)) => (Some(namespace), service),
                None => (None, name.as_str()),
            };
            let same = |named: &str, space: Option<&str>| {
                named == service && namespace.is_none_or(|namespace| Some(namespace) == space)
            };
            let blamed = report.root_causes.iter().any(|cause| {
                cause
                    .service
                    .as_deref()
                    .is_some_and(|named| same(named, cause.namespace.as_deref()))
            });
            if blamed {
                return Some(format!("{name} is blamed"));
            }
            let named = report
                .ruled_out
                .iter()
                .any(|out| same(&out.service, out.namespace.as_deref()));
            (!named).then(|| format!("{name} is not ruled out"))
        })
        .collect();
    Some(Check::of_many("ruled-out", names.len(), &wrong))
}
