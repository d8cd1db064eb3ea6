//! Which phases a task passes, and what each phase may ask of a server and has to obey.
//!
//! A playbook is checked against these tables: it may leave out what a route can do without, add guards and take
//! tools away. It cannot take a guard away or bring a phase or a tool in.

use serde::{Deserialize, Serialize};

use super::{
    guard::{GUARDS, Guard},
    machine::{MOVES, Phase},
};

/// What a run is for, without the details of the order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Find out what failed first, why, and how it spread.
    #[default]
    Investigate,
    /// Count calls.
    Count,
    /// List the snapshots.
    Inventory,
    /// Move a snapshot to cloud storage, or from it.
    Transfer,
    /// Take a snapshot.
    Keep,
    /// Ask recorded queries again.
    Recheck,
    /// Export packets.
    Packets,
    /// Answer a question.
    Ask,
    /// Survey a window, to compare it with another.
    Measure,
}

/// The phases that a task passes.
pub struct Route {
    pub task: TaskKind,
    /// The command that runs it.
    pub command: &'static str,
    /// In order; without one of these the route does not hold together.
    pub needed: &'static [Phase],
    /// What a playbook may leave out.
    pub optional: &'static [Phase],
}

/// All routes.
pub const ROUTES: &[Route] = &[
    Route {
        task: TaskKind::Investigate,
        command: "investigate",
        needed: &[
            Phase::Preflight,
            Phase::Window,
            Phase::Secure,
            Phase::Index,
            Phase::Survey,
            Phase::Weigh,
            Phase::Conclude,
        ],
        optional: &[
            Phase::Intake,
            Phase::Hypothesise,
            Phase::Narrow,
            Phase::Inspect,
            Phase::Read,
            Phase::Probe,
            Phase::Challenge,
            Phase::Handoff,
            Phase::Write,
        ],
    },
    Route {
        task: TaskKind::Count,
        command: "kfl count",
        needed: &[
            Phase::Preflight,
            Phase::Window,
            Phase::Secure,
            Phase::Index,
            Phase::Count,
        ],
        optional: &[],
    },
    Route {
        task: TaskKind::Transfer,
        command: "preserve",
        needed: &[Phase::Preflight, Phase::Transfer],
        optional: &[],
    },
    Route {
        task: TaskKind::Inventory,
        command: "snapshots",
        needed: &[Phase::Preflight, Phase::Inventory],
        optional: &[],
    },
    Route {
        task: TaskKind::Keep,
        command: "snapshots take",
        needed: &[Phase::Preflight, Phase::Window, Phase::Secure],
        optional: &[],
    },
    Route {
        task: TaskKind::Recheck,
        command: "verify",
        needed: &[
            Phase::Preflight,
            Phase::Window,
            Phase::Secure,
            Phase::Index,
            Phase::Recheck,
        ],
        optional: &[],
    },
    Route {
        task: TaskKind::Ask,
        command: "ask",
        needed: &[
            Phase::Preflight,
            Phase::Window,
            Phase::Secure,
            Phase::Index,
            Phase::Ask,
        ],
        optional: &[Phase::Live],
    },
    Route {
        task: TaskKind::Measure,
        command: "compare",
        needed: &[
            Phase::Preflight,
            Phase::Window,
            Phase::Secure,
            Phase::Index,
            Phase::Survey,
        ],
        optional: &[],
    },
    Route {
        task: TaskKind::Packets,
        command: "pcap",
        needed: &[Phase::Preflight, Phase::Window, Phase::Secure, Phase::Packets],
        optional: &[],
    },
];

impl TaskKind {
    pub const ALL: [Self; 9] = [
        Self::Investigate,
        Self::Count,
        Self::Inventory,
        Self::Transfer,
        Self::Keep,
        Self::Recheck,
        Self::Packets,
        Self::Ask,
        Self::Measure,
    ];

    /// The serialised name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Investigate => "investigate",
            Self::Count => "count",
            Self::Inventory => "inventory",
            Self::Transfer => "transfer",
            Self::Keep => "keep",
            Self::Recheck => "recheck",
            Self::Packets => "packets",
            Self::Ask => "ask",
            Self::Measure => "measure",
        }
    }

    /// The phases that this task passes.
    pub fn route(self) -> Option<&'static Route> {
        ROUTES.iter().find(|route| route.task == self)
    }
}

/// The operations that a phase asks for, by their serialised names.
pub fn tools_of(phase: Phase) -> &'static [&'static str] {
    const QUERIES: &[&str] = &["api_stats", "count_calls", "list_calls"];
    match phase {
        Phase::Preflight => &["check_status"],
        Phase::Window => &["data_boundaries", "l7_data_boundaries"],
        Phase::Secure => &["list_snapshots", "create_snapshot", "get_snapshot"],
        Phase::Index => &["list_dissections", "start_dissection", "dissection_status"],
        Phase::Survey | Phase::Count => QUERIES,
        Phase::Narrow | Phase::Weigh => &["count_calls", "list_calls"],
        Phase::Inspect => &["call_detail"],
        Phase::Probe => &["count_calls", "list_calls", "call_detail", "list_workloads"],
        Phase::Handoff => &["export_pcap", "download_file"],
        Phase::Inventory => &["list_snapshots", "cloud_storage_status"],
        Phase::Transfer => &[
            "cloud_storage_status",
            "list_snapshots",
            "upload_snapshot",
            "download_snapshot",
            "cloud_job_status",
        ],
        Phase::Live => &["enable_live_dissection"],
        Phase::Ask => &["list_workloads", "api_stats", "count_calls", "list_calls"],
        Phase::Packets => &["list_workloads", "list_ips", "export_pcap", "download_file"],
        Phase::Recheck => &["api_stats", "count_calls", "list_calls", "call_detail"],
        Phase::Intake
        | Phase::Hypothesise
        | Phase::Read
        | Phase::Challenge
        | Phase::Write
        | Phase::Conclude
        | Phase::Concluded
        | Phase::Counted
        | Phase::Finished
        | Phase::Stopped => &[],
    }
}

/// The guards that a phase obeys whatever a playbook says.
pub fn guards_of(phase: Phase) -> impl Iterator<Item = &'static Guard> {
    GUARDS
        .iter()
        .filter(move |guard| !guard.optional && guard.phases.contains(&phase))
}

/// Whether a route through `phases` leads from the beginning to `phase`.
pub fn reaches(phases: &[Phase], phase: Phase) -> bool {
    let mut seen = vec![Phase::Preflight];
    let mut at = 0;
    while let Some(from) = seen.get(at).copied() {
        if from == phase {
            return phases.contains(&Phase::Preflight);
        }
        let next = MOVES
            .iter()
            .filter(|(start, end)| *start == from && phases.contains(end))
            .map(|(_, end)| *end);
        for end in next {
            if !seen.contains(&end) {
                seen.push(end);
            }
        }
        at += 1;
    }
    false
}

/// The phases of the route that are not listed and lie on the way to `phase`, as few as there can be, in their order.
/// Empty where it is reached, or where nothing leads to it.
pub fn missing_on_the_way(route: &Route, listed: &[Phase], phase: Phase) -> Vec<Phase> {
    let of_route = |phase: &Phase| route.needed.contains(phase) || route.optional.contains(phase);
    let unlisted = |phase: Phase| (!listed.contains(&phase)).then_some(phase);
    let mut ways: Vec<(Phase, Vec<Phase>)> =
        vec![(Phase::Preflight, unlisted(Phase::Preflight).into_iter().collect())];
    loop {
        // The next phase that the fewest missing ones lead to.
        let next = MOVES
            .iter()
            .filter(|(_, end)| of_route(end) && ways.iter().all(|(known, _)| known != end))
            .filter_map(|(start, end)| {
                let (_, way) = ways.iter().find(|(known, _)| known == start)?;
                let way: Vec<Phase> = way.iter().copied().chain(unlisted(*end)).collect();
                Some((*end, way))
            })
            .min_by_key(|(_, way)| way.len());
        let Some((end, way)) = next else {
            return Vec::new();
        };
        if end == phase {
            return way;
        }
        ways.push((end, way));
    }
}
