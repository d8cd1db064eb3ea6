//! Is Kubeshark there, and can it do what an investigation needs?

use super::{answer, stopped};
use crate::{
    investigation::{
        action::{Action, Failure, FailureKind, Observation},
        case::Case,
        finding::Problem,
        machine::{Plan, Seen, State, Step},
        settings::{Direction, Task},
    },
    wire::Operation,
};

use super::{intake::Intake, inventory::Inventory, transfer::Transfer};

/// Connects, then asks for the status.
#[derive(Clone, Debug, Default)]
pub struct Preflight {
    connected: bool,
}

/// The usual name of a tool for people.
type Tool = (&'static str, &'static str);

const BOUNDARIES: Tool = ("data_boundaries", "get_data_boundaries");
const SNAPSHOTS: Tool = ("list_snapshots", "list_snapshots");
const TAKE: [Tool; 2] = [
    ("create_snapshot", "create_snapshot"),
    ("get_snapshot", "get_snapshot"),
];
const DISSECT: [Tool; 3] = [
    ("start_dissection", "start_snapshot_dissection"),
    ("dissection_status", "get_snapshot_dissection_status"),
    ("list_calls", "list_api_calls"),
];

const PACKETS: [Tool; 2] = [
    ("export_pcap", "export_snapshot_pcap"),
    ("download_file", "download_file"),
];

/// What a task cannot do without.
fn needed(task: &Task) -> Vec<Tool> {
    let taking = || [BOUNDARIES, SNAPSHOTS].into_iter().chain(TAKE);
    match task {
        Task::Investigate | Task::Count(_) | Task::Recheck(_) | Task::Ask(_) | Task::Measure { .. } => {
            taking().chain(DISSECT).collect()
        }
        Task::Packets(_) => taking().chain(PACKETS).collect(),
        Task::Inventory => vec![SNAPSHOTS],
        Task::Transfer(order) => {
            let (name, tool) = match order.direction {
                Direction::Upload => ("upload_snapshot", "upload_snapshot_to_cloud"),
                Direction::Download => ("download_snapshot", "download_snapshot_from_cloud"),
            };
            vec![
                SNAPSHOTS,
                ("cloud_storage_status", "get_cloud_storage_status"),
                (name, tool),
                ("cloud_job_status", "get_cloud_job_status"),
            ]
        }
        Task::Keep { .. } => taking().collect(),
    }
}

impl Step for Preflight {
    fn plan(&self, case: &Case) -> Plan {
        if !self.connected {
            Plan::Act(Action::Connect)
        } else if case.supports(&Operation::CheckStatus) {
            Plan::Act(super::one("is Kubeshark running?", Operation::CheckStatus))
        } else {
            Plan::Decide
        }
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        if self.connected {
            let status = match seen {
                Seen::Nothing => None,
                Seen::Observed(_) => answer(seen).ok(),
            };
            let said = status
                .as_ref()
                .and_then(|answer| answer.value().ok()?.as_str().map(str::to_owned));
            return ready(case, said);
        }
        match seen {
            Seen::Observed(Observation::Connected {
                server, supported, ..
            }) => {
                case.server = Some(server);
                case.supported = supported.into_iter().collect();
                State::Preflight(Self { connected: true })
            }
            Seen::Observed(Observation::Unavailable { failure }) => {
                stopped("could not reach Kubeshark", failure)
            }
            Seen::Observed(_) | Seen::Nothing => stopped(
                "could not reach Kubeshark",
                super::malformed("the server answered something else"),
            ),
        }
    }

    fn refused(&self, _: &mut Case, why: &str) -> State {
        stopped("could not check Kubeshark", super::malformed(why))
    }
}

/// Tools decide, not words: behind a URL the local status check may see no cluster at all while the Hub answers.
fn ready(case: &mut Case, said: Option<String>) -> State {
    let missing: Vec<&str> = needed(&case.settings.task)
        .into_iter()
        .filter(|(name, _)| !case.supported.contains(*name))
        .map(|(_, tool)| tool)
        .collect();
    if missing.is_empty() {
        case.healthy = true;
        return match &case.settings.task {
            Task::Inventory => State::Inventory(Inventory::new(case)),
            Task::Transfer(order) => State::Transfer(Transfer::new(case, order.clone())),
            _ => Intake::next(case),
        };
    }
    let mut because = vec![format!("the MCP server offers no {}", missing.join(", "))];
    because.extend(said.filter(|said| !said.trim().is_empty()).map(|said| {
        let line: String = said.trim().chars().take(300).collect();
        format!("check_kubeshark_status says: {line}")
    }));
    State::Stopped(Problem {
        what: "Kubeshark's Hub cannot be reached through this MCP server".to_owned(),
        because,
        hints: vec![
            "check that Kubeshark runs in the cluster: `kubectl get pods -l app.kubernetes.io/name=kubeshark -A`".to_owned(),
            "where the Hub asks for a token, set KUBESHARK_HUB_TOKEN".to_owned(),
            "check the kubeconfig or the --url that the MCP server was started with; `rca-agent doctor` checks each part".to_owned(),
        ],
    })
}

/// What to tell a user whose cluster does not record packets.
pub(super) fn raw_capture_off(message: String) -> Failure {
    Failure {
        kind: FailureKind::RawCaptureOff,
        message,
        hints: vec![
            "investigating the past needs raw capture: switch it on in Kubeshark's Helm values, and the next incident is recorded:\n  \
             tap:\n    capture:\n      raw:\n        enabled: true\n        storageSize: 10Gi    # per-node FIFO buffer; larger reaches further back"
                .to_owned(),
        ],
    }
}
