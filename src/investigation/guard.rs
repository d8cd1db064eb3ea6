//! Every condition under which the agent may act or move on, in one table.
//!
//! A guard is pure. It fails closed: a guard that cannot decide refuses. What each one demands
//! comes from the network-rca skill; the checks themselves are in [`super::checks`].

use serde::{Deserialize, Serialize};

use super::{
    action::Action,
    case::Case,
    checks,
    machine::{Phase, State},
};

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
    pub applies: fn(&Proposal<'_>) -> bool,
    pub check: fn(&Case, &Proposal<'_>) -> Result<(), String>,
}

/// All guards, in the order in which they are consulted.
pub const GUARDS: &[Guard] = &[
    Guard {
        name: "health-first",
        demands: "the health check passes before anything else is asked",
        remedy: Remedy::Stop,
        applies: is_act,
        check: checks::health_first,
    },
    Guard {
        name: "allowed-tools",
        demands: "only operations that read or record; whatever changes the cluster needs an explicit yes",
        remedy: Remedy::Stop,
        applies: is_act,
        check: checks::allowed_tools,
    },
    Guard {
        name: "known-tools",
        demands: "only operations that this server has a tool for",
        remedy: Remedy::GoOn,
        applies: is_act,
        check: checks::known_tools,
    },
    Guard {
        name: "boundaries-before-snapshot",
        demands: "a snapshot is taken only of a window known to lie inside the recorded data",
        remedy: Remedy::Stop,
        applies: is_act,
        check: checks::boundaries_before_snapshot,
    },
    Guard {
        name: "snapshot-completed",
        demands: "nothing is done with a snapshot before it is completed",
        remedy: Remedy::Stop,
        applies: is_act,
        check: checks::snapshot_completed,
    },
    Guard {
        name: "dissected-before-queries",
        demands: "no query about calls before the dissection of that snapshot is completed; never a live one",
        remedy: Remedy::Stop,
        applies: is_act,
        check: checks::dissected_before_queries,
    },
    Guard {
        name: "window-inside-snapshot",
        demands: "no query about a time that the snapshot does not hold",
        remedy: Remedy::GoOn,
        applies: is_act,
        check: checks::window_inside_snapshot,
    },
    Guard {
        name: "statistics-first",
        demands: "statistics before lists, lists before single calls",
        remedy: Remedy::GoOn,
        applies: is_act,
        check: checks::statistics_first,
    },
    Guard {
        name: "checked-filter",
        demands: "every filter is parsed and type-checked against the field table",
        remedy: Remedy::GoOn,
        applies: is_act,
        check: checks::checked_filter,
    },
    Guard {
        name: "fresh-query",
        demands: "the same query is not asked twice; an answer already recorded is not new evidence",
        remedy: Remedy::GoOn,
        applies: is_act,
        check: checks::fresh_query,
    },
    Guard {
        name: "budget",
        demands: "calls, bytes and time stay inside the budget",
        remedy: Remedy::GoOn,
        applies: is_act,
        check: checks::budget,
    },
    Guard {
        name: "window-covered",
        demands: "the snapshot covers the window, or the gap is recorded",
        remedy: Remedy::Stop,
        applies: is_move,
        check: checks::window_covered,
    },
    Guard {
        name: "cited-evidence",
        demands: "a conclusion cites evidence, and only evidence that exists",
        remedy: Remedy::GoOn,
        applies: is_move,
        check: checks::cited_evidence,
    },
    Guard {
        name: "cause-before-effect",
        demands: "the onset of a cause does not follow the effects it is to explain",
        remedy: Remedy::GoOn,
        applies: is_move,
        check: checks::cause_before_effect,
    },
    Guard {
        name: "positive-control",
        demands: "\"nothing found\" needs traffic that was seen, and no part of the window unlooked at",
        remedy: Remedy::GoOn,
        applies: is_move,
        check: checks::positive_control,
    },
];

/// Consults every guard that applies. Stops at the first refusal.
pub fn consult(case: &Case, proposal: &Proposal<'_>) -> Vec<Ruling> {
    let mut rulings = Vec::new();
    for guard in GUARDS.iter().filter(|guard| (guard.applies)(proposal)) {
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

fn is_act(proposal: &Proposal<'_>) -> bool {
    matches!(proposal, Proposal::Act { action, .. } if !action.calls().is_empty())
}

fn is_move(proposal: &Proposal<'_>) -> bool {
    matches!(proposal, Proposal::Move { .. })
}
