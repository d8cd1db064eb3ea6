//! What the guards check. See the table in [`super::guard`].

use chrono::TimeDelta;

pub(super) mod model;

use super::{
    action::Action,
    case::Case,
    evidence::EvidenceId,
    finding::{Finding, Verdict},
    guard::Proposal,
    machine::{Phase, State},
};
use crate::{
    bpf::PacketFilter,
    kfl::{self, FieldId, FilterTerm},
    wire::{CallForm, Effect, Operation, Scope, SnapshotRef},
};

type Check = Result<(), String>;

/// Clocks of nodes and capture points differ by this much without anybody noticing.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::milliseconds(500);

/// Runs `check` on every call of a proposed action.
fn each_call(proposal: &Proposal<'_>, check: impl Fn(&Operation) -> Check) -> Check {
    match proposal {
        Proposal::Act { action, .. } => action.calls().iter().try_for_each(check),
        Proposal::Move { .. } => Ok(()),
    }
}

pub(super) fn health_first(case: &Case, proposal: &Proposal<'_>) -> Check {
    each_call(proposal, |call| {
        if case.healthy || matches!(call, Operation::CheckStatus) {
            Ok(())
        } else {
            Err(format!(
                "`{}` was to be called before the health check passed",
                call.name()
            ))
        }
    })
}

pub(super) fn allowed_tools(case: &Case, proposal: &Proposal<'_>) -> Check {
    each_call(proposal, |call| match call.effect() {
        Effect::Read | Effect::Record => Ok(()),
        Effect::Change if case.settings.yes => Ok(()),
        Effect::Change => Err(format!(
            "`{}` changes the cluster's state or sends data out of it; it needs --yes",
            call.name()
        )),
    })
}

pub(super) fn known_tools(case: &Case, proposal: &Proposal<'_>) -> Check {
    each_call(proposal, |call| {
        if case.supports(call) {
            Ok(())
        } else {
            Err(format!("this server has no tool for `{}`", call.name()))
        }
    })
}

pub(super) fn boundaries_before_snapshot(case: &Case, proposal: &Proposal<'_>) -> Check {
    each_call(proposal, |call| {
        let Operation::CreateSnapshot { window, .. } = call else {
            return Ok(());
        };
        let Some(captured) = case.coverage.captured else {
            return Err("the data boundaries are not known".to_owned());
        };
        if captured.covers(window) {
            Ok(())
        } else {
            Err("the window to keep reaches outside the recorded data".to_owned())
        }
    })
}

fn snapshot_of(call: &Operation) -> Option<&SnapshotRef> {
    match call {
        Operation::StartDissection { snapshot, .. } | Operation::ExportPcap { snapshot, .. } => {
            Some(snapshot)
        }
        _ => call.scope().and_then(|scope| scope.snapshot.as_ref()),
    }
}

pub(super) fn snapshot_completed(case: &Case, proposal: &Proposal<'_>) -> Check {
    each_call(proposal, |call| {
        let Some(wanted) = snapshot_of(call) else {
            return Ok(());
        };
        match &case.snapshot {
            Some(secured) if &secured.reference == wanted && secured.completed => Ok(()),
            Some(secured) if &secured.reference == wanted => {
                Err(format!("the snapshot `{}` is not completed", wanted.name))
            }
            _ => Err(format!(
                "the snapshot `{}` is not the one of this case",
                wanted.name
            )),
        }
    })
}

fn each_scope(proposal: &Proposal<'_>, check: impl Fn(&Operation, &Scope) -> Check) -> Check {
    each_call(proposal, |call| {
        call.scope().map_or(Ok(()), |scope| check(call, scope))
    })
}

pub(super) fn dissected_before_queries(case: &Case, proposal: &Proposal<'_>) -> Check {
    each_scope(proposal, |call, scope| {
        if scope.snapshot.is_none() {
            return case.live.map(|_| ()).ok_or_else(|| {
                format!(
                    "`{}` would ask live traffic, which the server does not say to have dissected",
                    call.name()
                )
            });
        }
        if case.dissected.is_some() {
            Ok(())
        } else {
            Err("the snapshot is not dissected yet".to_owned())
        }
    })
}

pub(super) fn window_inside_snapshot(case: &Case, proposal: &Proposal<'_>) -> Check {
    each_scope(proposal, |_, scope| {
        if scope.snapshot.is_none() {
            return match (&scope.window, &case.live) {
                (Some(window), Some(live)) if live.covers(window) => Ok(()),
                // Live traffic goes on: without an end its counts change from one query to the next.
                _ => Err("the query reaches outside the live traffic that is dissected".to_owned()),
            };
        }
        let (Some(window), Some(secured)) = (&scope.window, &case.snapshot) else {
            return Ok(());
        };
        if secured.window.covers(window) {
            Ok(())
        } else {
            Err("the query reaches outside the snapshot".to_owned())
        }
    })
}

pub(super) fn statistics_first(case: &Case, proposal: &Proposal<'_>) -> Check {
    each_call(proposal, |call| match call {
        Operation::ListCalls { .. } if !case.surveyed => {
            Err("calls were to be listed before any statistics".to_owned())
        }
        Operation::CallDetail { call, .. } if !case.listed.contains(call) => {
            Err(format!("the call `{call}` was in no list so far"))
        }
        _ => Ok(()),
    })
}

pub(super) fn checked_filter(_: &Case, proposal: &Proposal<'_>) -> Check {
    each_scope(proposal, |_, scope| {
        kfl::check(&scope.filter).map(|_| ()).map_err(|diagnostics| {
            let reasons: Vec<String> = diagnostics
                .iter()
                .map(|d| match &d.suggestion {
                    Some(help) => format!("{} ({help})", d.message),
                    None => d.message.clone(),
                })
                .collect();
            format!(
                "the filter `{}` does not check: {}",
                scope.filter,
                reasons.join("; ")
            )
        })
    })
}

pub(super) fn checked_packet_filter(_: &Case, proposal: &Proposal<'_>) -> Check {
    each_call(proposal, |call| match call {
        Operation::ExportPcap {
            bpf: Some(filter), ..
        } => PacketFilter::compile(filter)
            .map(|_| ())
            .map_err(|why| format!("the packet filter `{filter}` does not compile: {why}")),
        _ => Ok(()),
    })
}

pub(super) fn fresh_query(case: &Case, proposal: &Proposal<'_>) -> Check {
    // To look again at a job is the point of waiting; to ask the health or the boundaries again is cheap.
    if matches!(
        proposal,
        Proposal::Act {
            action: Action::Wait { .. },
            ..
        }
    ) {
        return Ok(());
    }
    each_scope(proposal, |call, _| {
        let again = match proposal {
            Proposal::Act {
                phase: Phase::Probe, ..
            } => case.was_asked(call),
            _ => case.has_asked(call),
        };
        if again {
            Err(format!("this `{}` was asked before", call.name()))
        } else {
            Ok(())
        }
    })
}

pub(super) fn budget(case: &Case, proposal: &Proposal<'_>) -> Check {
    let Proposal::Act { phase, action } = proposal else {
        return Ok(());
    };
    let (budget, spent) = (&case.settings.playbook.budget, &case.spent);
    let calls = u32::try_from(action.calls().len()).unwrap_or(u32::MAX);
    // A little is kept back for the control queries without which nothing can be said.
    let reserve = if matches!(
        phase,
        Phase::Weigh | Phase::Handoff | Phase::Count | Phase::Packets | Phase::Recheck | Phase::Ask
    ) {
        0
    } else {
        RESERVED_CALLS.min(budget.calls / 4)
    };
    if spent.calls.saturating_add(calls) > budget.calls - reserve {
        return Err(format!(
            "{} of {} calls are spent, {reserve} of them kept for control queries",
            spent.calls, budget.calls
        ));
    }
    if spent.bytes >= budget.bytes {
        return Err(format!(
            "{} of {} bytes of answers are spent",
            spent.bytes, budget.bytes
        ));
    }
    if spent.millis >= budget.seconds.saturating_mul(1000) {
        return Err(format!(
            "{} s of {} s are spent",
            spent.millis / 1000,
            budget.seconds
        ));
    }
    Ok(())
}

const RESERVED_CALLS: u32 = 6;

pub(super) fn window_covered(case: &Case, proposal: &Proposal<'_>) -> Check {
    let Proposal::Move {
        from: Phase::Secure,
        to: State::Index(_),
    } = proposal
    else {
        return Ok(());
    };
    let (Some(window), Some(secured)) = (&case.window, &case.snapshot) else {
        return Err("there is no snapshot or no window".to_owned());
    };
    if !secured.completed {
        return Err(format!(
            "the snapshot `{}` is not completed",
            secured.reference.name
        ));
    }
    if secured.window.covers(window) {
        Ok(())
    } else {
        Err(format!(
            "the snapshot `{}` does not cover the window",
            secured.reference.name
        ))
    }
}

fn concluded<'a>(proposal: &'a Proposal<'_>) -> Option<&'a Finding> {
    match proposal {
        Proposal::Move {
            to: State::Concluded(finding),
            ..
        } => Some(finding),
        _ => None,
    }
}

pub(super) fn cited_evidence(case: &Case, proposal: &Proposal<'_>) -> Check {
    let Some(finding) = concluded(proposal) else {
        return Ok(());
    };
    let claims: Vec<(&str, &[EvidenceId])> = finding
        .causes
        .iter()
        .map(|cause| ("a cause", cause.evidence.as_slice()))
        .chain(finding.path.iter().map(|hop| ("a hop", hop.evidence.as_slice())))
        .chain(
            finding
                .impact
                .iter()
                .map(|impact| ("an impact", impact.evidence.as_slice())),
        )
        .chain(
            finding
                .ruled_out
                .iter()
                .map(|out| ("what was ruled out", out.evidence.as_slice())),
        )
        .collect();
    for (what, cited) in claims {
        if cited.is_empty() {
            return Err(format!("{what} cites no evidence"));
        }
        if let Some(id) = cited.iter().find(|id| case.evidence.get(id).is_none()) {
            return Err(format!("{what} cites {id}, which is not in the evidence"));
        }
    }
    if finding.verdict == Verdict::RootCause && finding.causes.is_empty() {
        return Err("a root cause was concluded without naming one".to_owned());
    }
    Ok(())
}

pub(super) fn cause_before_effect(_: &Case, proposal: &Proposal<'_>) -> Check {
    let Some(finding) = concluded(proposal) else {
        return Ok(());
    };
    // A call that waits for another begins before it: what counts is when it ended.
    let (Some(cause), Some(first)) = (
        finding.causes.first(),
        finding.path.iter().map(|hop| hop.ended).min(),
    ) else {
        return Ok(());
    };
    match cause.onset {
        Some(onset) if onset > first + CLOCK_TOLERANCE => Err(format!(
            "{} began to fail after what it is to explain",
            cause.party
        )),
        _ => Ok(()),
    }
}

pub(super) fn positive_control(case: &Case, proposal: &Proposal<'_>) -> Check {
    let Some(finding) = concluded(proposal) else {
        return Ok(());
    };
    if finding.verdict != Verdict::NoAnomaly {
        return Ok(());
    }
    let nothing = case.picture.edges.values().all(|edge| edge.during.calls == 0);
    if nothing && case.coverage.control.unwrap_or(0) == 0 {
        return Err("no call was seen in the window: that nothing failed means nothing".to_owned());
    }
    if let Some(gap) = case.coverage.gaps().first() {
        return Err(format!("part of the window was not looked at: {gap}"));
    }
    Ok(())
}

pub(super) fn playbook_tools(case: &Case, proposal: &Proposal<'_>) -> Check {
    let Proposal::Act { phase, .. } = proposal else {
        return Ok(());
    };
    let playbook = &case.settings.playbook;
    let Some(allowed) = playbook.rules(*phase).and_then(|rules| rules.tools.as_ref()) else {
        return Ok(());
    };
    each_call(proposal, |call| {
        if allowed.iter().any(|name| name == call.name()) {
            Ok(())
        } else {
            Err(format!(
                "the playbook {} does not allow `{}` in {}",
                playbook.name,
                call.name(),
                phase.name()
            ))
        }
    })
}

pub(super) fn playbook_phases(case: &Case, proposal: &Proposal<'_>) -> Check {
    let Proposal::Move { to, .. } = proposal else {
        return Ok(());
    };
    let (playbook, to) = (&case.settings.playbook, to.phase());
    if to.is_end() || playbook.has(to) {
        Ok(())
    } else {
        Err(format!("the playbook {} leaves {} out", playbook.name, to.name()))
    }
}

pub(super) fn read_only(_: &Case, proposal: &Proposal<'_>) -> Check {
    each_call(proposal, |call| match call {
        Operation::CreateSnapshot { .. } | Operation::StartDissection { .. } => Err(format!(
            "`{}` records something on the server, and the playbook only reads",
            call.name()
        )),
        _ => Ok(()),
    })
}

pub(super) fn no_changes(_: &Case, proposal: &Proposal<'_>) -> Check {
    each_call(proposal, |call| {
        if call.effect() == Effect::Change {
            Err(format!("the playbook forbids `{}`, also with --yes", call.name()))
        } else {
            Ok(())
        }
    })
}

pub(super) fn no_payloads(_: &Case, proposal: &Proposal<'_>) -> Check {
    each_call(proposal, |call| match call {
        Operation::CallDetail { .. }
        | Operation::ListCalls {
            form: CallForm::Full, ..
        } => Err(format!(
            "`{}` would read headers or bodies, which the playbook forbids",
            call.name()
        )),
        _ => Ok(()),
    })
}

pub(super) fn one_namespace(case: &Case, proposal: &Proposal<'_>) -> Check {
    let Some(namespace) = &case.settings.namespace else {
        return Err("the playbook wants one namespace, and none was named (--namespace)".to_owned());
    };
    let fields = [FieldId::DST_NAMESPACE, FieldId::SRC_NAMESPACE];
    let terms: Vec<String> = fields
        .into_iter()
        .filter_map(|field| {
            Some(
                FilterTerm::equals(field, namespace.as_str())
                    .ok()?
                    .kfl()
                    .to_owned(),
            )
        })
        .collect();
    each_scope(proposal, |call, scope| {
        // A call is read by its id, which a limited list showed.
        let single = matches!(call, Operation::CallDetail { .. });
        let checked = kfl::check(&scope.filter).map_err(|_| "the filter does not check".to_owned())?;
        let limited = checked
            .terms()
            .iter()
            .any(|term| terms.iter().any(|wanted| wanted == term.text));
        if single || limited {
            Ok(())
        } else {
            Err(format!(
                "the filter `{}` is not limited to {namespace}",
                scope.filter
            ))
        }
    })
}
