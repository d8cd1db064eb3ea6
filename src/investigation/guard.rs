//! Every condition under which the agent may act or move on, in one table.
//!
//! A guard is pure. It fails closed: a guard that cannot decide refuses. What each one demands
//! comes from the network-rca skill; the checks themselves are in [`super::checks`]. A playbook can have the
//! optional ones consulted as well. It cannot switch one off.

use serde::{Deserialize, Serialize};

use super::{
    action::Action,
    case::Case,
    checks,
    machine::{Phase, State},
};
use crate::wire::Operation;

/// What is being proposed, and what a guard may look at.
pub enum Proposal<'a> {
    Act { phase: Phase, action: &'a Action },
    Move { from: Phase, to: &'a State },
}

/// What one guard said. Journalled whether it allowed or refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    pub guard: String,
    /// Why it refused; absent where it allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// A refusal, and what may follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub guard: String,
    pub why: String,
    pub remedy: Remedy,
}

/// What may follow a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The step goes on without what it proposed.
    GoOn,
    /// Nothing the step could propose would be allowed.
    Stop,
}

/// A named condition. `applies` keeps the table readable and `check` small.
pub struct Guard {
    pub name: &'static str,
    /// What it demands, for the documentation.
    pub demands: &'static str,
    pub remedy: Remedy,
    /// Where it matters. It is consulted everywhere all the same.
    pub phases: &'static [Phase],
    /// Consulted only where a playbook asks for it.
    pub optional: bool,
    /// A guard that does not apply is not journalled: a new one leaves old journals as they were, where it has nothing to say.
    pub applies: fn(&Case, &Proposal<'_>) -> bool,
    pub check: fn(&Case, &Proposal<'_>) -> Result<(), String>,
}

/// All guards, in the order in which they are consulted.
pub const GUARDS: &[Guard] = &[
    Guard {
        name: "health-first",
        demands: "the health check passes before anything else is asked",
        remedy: Remedy::Stop,
        phases: ACTING,
        optional: false,
        applies: is_act,
        check: checks::health_first,
    },
    Guard {
        name: "allowed-tools",
        demands: "only operations that read or record; whatever changes the cluster needs an explicit yes",
        remedy: Remedy::Stop,
        phases: ACTING,
        optional: false,
        applies: is_act,
        check: checks::allowed_tools,
    },
    Guard {
        name: "known-tools",
        demands: "only operations that this server has a tool for",
        remedy: Remedy::GoOn,
        phases: ACTING,
        optional: false,
        applies: is_act,
        check: checks::known_tools,
    },
    Guard {
        name: "boundaries-before-snapshot",
        demands: "a snapshot is taken only of a window known to lie inside the recorded data",
        remedy: Remedy::Stop,
        phases: &[Phase::Secure],
        optional: false,
        applies: is_act,
        check: checks::boundaries_before_snapshot,
    },
    Guard {
        name: "snapshot-completed",
        demands: "nothing is done with a snapshot before it is completed",
        remedy: Remedy::Stop,
        phases: USING_SNAPSHOT,
        optional: false,
        applies: is_act,
        check: checks::snapshot_completed,
    },
    Guard {
        name: "dissected-before-queries",
        demands: "no query about calls before the dissection of that snapshot is completed; of live traffic only what the server says it has dissected",
        remedy: Remedy::Stop,
        phases: QUERYING,
        optional: false,
        applies: is_act,
        check: checks::dissected_before_queries,
    },
    Guard {
        name: "window-inside-snapshot",
        demands: "no query about a time that the snapshot, or the dissected live traffic, does not hold",
        remedy: Remedy::GoOn,
        phases: QUERYING,
        optional: false,
        applies: is_act,
        check: checks::window_inside_snapshot,
    },
    Guard {
        name: "statistics-first",
        demands: "statistics before lists, lists before single calls",
        remedy: Remedy::GoOn,
        phases: QUERYING,
        optional: false,
        applies: is_act,
        check: checks::statistics_first,
    },
    Guard {
        name: "checked-filter",
        demands: "every filter is parsed and type-checked against the field table",
        remedy: Remedy::GoOn,
        phases: QUERYING,
        optional: false,
        applies: is_act,
        check: checks::checked_filter,
    },
    Guard {
        name: "checked-packet-filter",
        demands: "every packet filter is parsed and compiled before it is sent",
        remedy: Remedy::Stop,
        phases: &[Phase::Handoff, Phase::Packets],
        optional: false,
        applies: filters_packets,
        check: checks::checked_packet_filter,
    },
    Guard {
        name: "fresh-query",
        demands: "the same query is not asked twice; an answer already recorded is not new evidence",
        remedy: Remedy::GoOn,
        phases: QUERYING,
        optional: false,
        applies: is_act,
        check: checks::fresh_query,
    },
    Guard {
        name: "budget",
        demands: "calls, bytes and time stay inside the budget",
        remedy: Remedy::GoOn,
        phases: ACTING,
        optional: false,
        applies: is_act,
        check: checks::budget,
    },
    Guard {
        name: "model-tools",
        demands: "what a model asks for reads calls or workloads of the case's snapshot, and nothing else",
        remedy: Remedy::GoOn,
        phases: &[Phase::Probe],
        optional: false,
        applies: is_of_model,
        check: checks::model::model_tools,
    },
    Guard {
        name: "model-budget",
        demands: "a model is asked inside its budget of calls, tokens and money, and not after it failed twice in a row",
        remedy: Remedy::GoOn,
        phases: CONSULTING,
        optional: false,
        applies: is_consultation,
        check: checks::model::model_budget,
    },
    Guard {
        name: "window-covered",
        demands: "the snapshot covers the window, or the gap is recorded",
        remedy: Remedy::Stop,
        phases: &[Phase::Secure],
        optional: false,
        applies: is_move,
        check: checks::window_covered,
    },
    Guard {
        name: "cited-evidence",
        demands: "a conclusion cites evidence, and only evidence that exists",
        remedy: Remedy::GoOn,
        phases: &[Phase::Conclude],
        optional: false,
        applies: is_move,
        check: checks::cited_evidence,
    },
    Guard {
        name: "grounded",
        demands: "no word of a model stands without evidence that exists, nor with a slot that nobody filled",
        remedy: Remedy::GoOn,
        phases: &[Phase::Conclude],
        optional: false,
        applies: concludes_with_model,
        check: checks::model::grounded,
    },
    Guard {
        name: "cause-before-effect",
        demands: "the onset of a cause does not follow the effects it is to explain",
        remedy: Remedy::GoOn,
        phases: &[Phase::Conclude],
        optional: false,
        applies: is_move,
        check: checks::cause_before_effect,
    },
    Guard {
        name: "positive-control",
        demands: "\"nothing found\" needs traffic that was seen, and no part of the window unlooked at",
        remedy: Remedy::GoOn,
        phases: &[Phase::Conclude],
        optional: false,
        applies: is_move,
        check: checks::positive_control,
    },
    Guard {
        name: "playbook-tools",
        demands: "only the tools that the playbook allows in this phase",
        remedy: Remedy::GoOn,
        phases: ACTING,
        optional: true,
        applies: is_act,
        check: checks::playbook_tools,
    },
    Guard {
        name: "playbook-phases",
        demands: "no phase that the playbook leaves out",
        remedy: Remedy::Stop,
        phases: PHASES,
        optional: true,
        applies: is_move,
        check: checks::playbook_phases,
    },
    Guard {
        name: "read-only",
        demands: "nothing is recorded on the server: snapshots and dissections have to be there",
        remedy: Remedy::Stop,
        phases: ACTING,
        optional: true,
        applies: is_act,
        check: checks::read_only,
    },
    Guard {
        name: "no-changes",
        demands: "nothing that changes the cluster or sends data out of it, with --yes neither",
        remedy: Remedy::Stop,
        phases: ACTING,
        optional: true,
        applies: is_act,
        check: checks::no_changes,
    },
    Guard {
        name: "no-payloads",
        demands: "no headers and bodies are read",
        remedy: Remedy::GoOn,
        phases: QUERYING,
        optional: true,
        applies: is_act,
        check: checks::no_payloads,
    },
    Guard {
        name: "one-namespace",
        demands: "every query is limited to the namespace that was named",
        remedy: Remedy::GoOn,
        phases: QUERYING,
        optional: true,
        applies: is_act,
        check: checks::one_namespace,
    },
];

/// Phases that ask something of a server.
const ACTING: &[Phase] = &[
    Phase::Preflight,
    Phase::Inventory,
    Phase::Transfer,
    Phase::Window,
    Phase::Secure,
    Phase::Index,
    Phase::Survey,
    Phase::Narrow,
    Phase::Inspect,
    Phase::Probe,
    Phase::Weigh,
    Phase::Handoff,
    Phase::Count,
    Phase::Recheck,
    Phase::Packets,
    Phase::Live,
    Phase::Ask,
];

/// Phases that ask about calls.
const QUERYING: &[Phase] = &[
    Phase::Survey,
    Phase::Narrow,
    Phase::Inspect,
    Phase::Probe,
    Phase::Weigh,
    Phase::Count,
    Phase::Recheck,
    Phase::Ask,
];

/// Phases that do something with a snapshot.
const USING_SNAPSHOT: &[Phase] = &[
    Phase::Index,
    Phase::Survey,
    Phase::Narrow,
    Phase::Inspect,
    Phase::Probe,
    Phase::Weigh,
    Phase::Handoff,
    Phase::Count,
    Phase::Recheck,
    Phase::Packets,
    Phase::Ask,
];

/// Phases that ask a language model.
const CONSULTING: &[Phase] = &[
    Phase::Intake,
    Phase::Hypothesise,
    Phase::Read,
    Phase::Probe,
    Phase::Challenge,
    Phase::Write,
];

/// Phases that are left by a move.
const PHASES: &[Phase] = &[
    Phase::Preflight,
    Phase::Inventory,
    Phase::Transfer,
    Phase::Intake,
    Phase::Window,
    Phase::Secure,
    Phase::Index,
    Phase::Survey,
    Phase::Hypothesise,
    Phase::Narrow,
    Phase::Inspect,
    Phase::Read,
    Phase::Probe,
    Phase::Weigh,
    Phase::Challenge,
    Phase::Handoff,
    Phase::Write,
    Phase::Conclude,
    Phase::Count,
    Phase::Recheck,
    Phase::Packets,
    Phase::Live,
    Phase::Ask,
];

/// The phases that a guard is consulted in; none where there is no such guard.
pub fn consulted_in(name: &str) -> &'static [Phase] {
    let found = GUARDS.iter().find(|guard| guard.name == name);
    found.map_or(&[], |guard| guard.phases)
}

/// Consults every guard that applies, and those that the playbook adds. Stops at the first refusal.
pub fn consult(case: &Case, proposal: &Proposal<'_>) -> Vec<Ruling> {
    let mut rulings = Vec::new();
    let phase = match proposal {
        Proposal::Act { phase, .. } => *phase,
        Proposal::Move { from, .. } => *from,
    };
    let asked = |guard: &Guard| !guard.optional || case.settings.playbook.asks_for(guard.name, phase);
    for guard in GUARDS
        .iter()
        .filter(|guard| (guard.applies)(case, proposal) && asked(guard))
    {
        let refused = (guard.check)(case, proposal).err();
        let stop = refused.is_some();
        rulings.push(Ruling {
            guard: guard.name.to_owned(),
            refused,
        });
        if stop {
            break;
        }
    }
    rulings
}

/// What a person can do about a refusal that ends the run, where there is something.
pub fn advice(guard: &str) -> Vec<String> {
    let advice = match guard {
        "allowed-tools" => "`--yes` approves it; so far nothing was changed",
        "read-only" | "no-changes" | "playbook-phases" => {
            "the playbook asks for it: `rca-agent playbooks show NAME` explains it, and --playbook chooses another"
        }
        _ => return Vec::new(),
    };
    vec![advice.to_owned()]
}

/// The refusal among the rulings, if there is one. A guard that no longer exists stops.
pub fn refusal(rulings: &[Ruling]) -> Option<Refusal> {
    rulings.iter().find_map(|ruling| {
        let why = ruling.refused.clone()?;
        let remedy = GUARDS
            .iter()
            .find(|guard| guard.name == ruling.guard)
            .map_or(Remedy::Stop, |guard| guard.remedy);
        Some(Refusal {
            guard: ruling.guard.clone(),
            why,
            remedy,
        })
    })
}

fn is_act(_: &Case, proposal: &Proposal<'_>) -> bool {
    matches!(proposal, Proposal::Act { action, .. } if !action.calls().is_empty())
}

fn filters_packets(_: &Case, proposal: &Proposal<'_>) -> bool {
    let exports = |call: &Operation| matches!(call, Operation::ExportPcap { bpf: Some(_), .. });
    matches!(proposal, Proposal::Act { action, .. } if action.calls().iter().any(exports))
}

fn is_consultation(_: &Case, proposal: &Proposal<'_>) -> bool {
    matches!(
        proposal,
        Proposal::Act {
            action: Action::Consult { .. },
            ..
        }
    )
}

fn is_move(_: &Case, proposal: &Proposal<'_>) -> bool {
    matches!(proposal, Proposal::Move { .. })
}

fn is_of_model(case: &Case, proposal: &Proposal<'_>) -> bool {
    let probe = matches!(
        proposal,
        Proposal::Act {
            phase: Phase::Probe,
            ..
        }
    );
    probe && is_act(case, proposal)
}

fn concludes_with_model(case: &Case, proposal: &Proposal<'_>) -> bool {
    let concludes = matches!(
        proposal,
        Proposal::Move {
            to: State::Concluded(_),
            ..
        }
    );
    concludes && case.settings.model.is_some()
}
