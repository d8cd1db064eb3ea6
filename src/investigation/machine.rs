//! The investigation as a state machine that decides and never acts.

use serde::{Deserialize, Serialize};

use super::{
    action::{Action, Observation},
    case::Case,
    finding::{Finding, Problem},
    guard::{self, Proposal, Refusal, Remedy, Ruling},
    outcome::Outcome,
    settings::Settings,
    steps::{
        ask::Ask,
        challenge::Challenge,
        conclude::Conclude,
        count::{Count, Counted},
        handoff::Handoff,
        hypothesise::Hypothesise,
        index::Index,
        inspect::Inspect,
        intake::Intake,
        inventory::Inventory,
        live::Live,
        narrow::Narrow,
        packets::Packets,
        preflight::Preflight,
        probe::Probe,
        reading::ReadBodies,
        recheck::Recheck,
        secure::Secure,
        survey::Survey,
        transfer::Transfer,
        weigh::Weigh,
        window::SettleWindow,
        write::Write,
    },
};

/// Where the investigation is, with the data only that place needs.
#[derive(Clone, Debug)]
pub enum State {
    Preflight(Preflight),
    /// A model reads the user's words, where our own parser could not.
    Intake(Intake),
    Window(SettleWindow),
    Secure(Secure),
    Index(Index),
    Survey(Survey),
    /// A model says who may be at fault.
    Hypothesise(Hypothesise),
    Narrow(Narrow),
    Inspect(Inspect),
    /// A model says what error bodies mean.
    Read(ReadBodies),
    /// A model asks.
    Probe(Probe),
    Weigh(Weigh),
    /// A model argues against the leading suspect.
    Challenge(Challenge),
    Handoff(Handoff),
    /// A model writes the prose.
    Write(Write),
    Conclude(Conclude),
    /// Instead of an investigation: calls are counted.
    Count(Count),
    /// Instead: the snapshots are listed.
    Inventory(Inventory),
    /// A snapshot goes to cloud storage, or comes from there.
    Transfer(Transfer),
    /// Instead: packets are exported, without any dissection.
    Packets(Packets),
    /// Whether live traffic can answer a question.
    Live(Live),
    /// Instead: a question is answered.
    Ask(Ask),
    /// Instead: recorded queries are asked again.
    Recheck(Recheck),
    /// The end: there is a finding, be it that there is nothing or not enough to be found.
    Concluded(Box<Finding>),
    /// The end: the calls are counted, or it is known how they would be.
    Counted(Box<Counted>),
    /// The end: what else was ordered is done.
    Finished(Box<Outcome>),
    /// The end: something about the environment has to be mended first.
    Stopped(Problem),
}

/// The name of a [`State`], for tables, logs and diagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Preflight,
    Intake,
    Window,
    Secure,
    Index,
    Survey,
    Hypothesise,
    Narrow,
    Inspect,
    Read,
    Probe,
    Weigh,
    Challenge,
    Handoff,
    Write,
    Conclude,
    Count,
    Inventory,
    Transfer,
    Recheck,
    Packets,
    Live,
    Ask,
    Concluded,
    Counted,
    Finished,
    Stopped,
}

impl Phase {
    /// All of them, in the order in which routes pass them.
    pub const ALL: [Self; 27] = [
        Self::Preflight,
        Self::Intake,
        Self::Window,
        Self::Secure,
        Self::Index,
        Self::Survey,
        Self::Hypothesise,
        Self::Narrow,
        Self::Inspect,
        Self::Read,
        Self::Probe,
        Self::Weigh,
        Self::Challenge,
        Self::Handoff,
        Self::Write,
        Self::Conclude,
        Self::Count,
        Self::Inventory,
        Self::Transfer,
        Self::Recheck,
        Self::Packets,
        Self::Live,
        Self::Ask,
        Self::Concluded,
        Self::Counted,
        Self::Finished,
        Self::Stopped,
    ];

    /// The serialised name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Preflight => "preflight",
            Self::Intake => "intake",
            Self::Hypothesise => "hypothesise",
            Self::Read => "read",
            Self::Probe => "probe",
            Self::Challenge => "challenge",
            Self::Write => "write",
            Self::Window => "window",
            Self::Secure => "secure",
            Self::Index => "index",
            Self::Survey => "survey",
            Self::Narrow => "narrow",
            Self::Inspect => "inspect",
            Self::Weigh => "weigh",
            Self::Handoff => "handoff",
            Self::Conclude => "conclude",
            Self::Count => "count",
            Self::Inventory => "inventory",
            Self::Transfer => "transfer",
            Self::Recheck => "recheck",
            Self::Packets => "packets",
            Self::Live => "live",
            Self::Ask => "ask",
            Self::Finished => "finished",
            Self::Concluded => "concluded",
            Self::Counted => "counted",
            Self::Stopped => "stopped",
        }
    }

    /// What it is for, as a playbook is explained.
    pub fn purpose(self) -> &'static str {
        match self {
            Self::Preflight => "connect, and see that the tools are there",
            Self::Intake => "a model reads which time the user means, where the parser could not",
            Self::Hypothesise => "a model says who may be at fault",
            Self::Read => "a model says what error texts mean",
            Self::Probe => "a model asks, inside the guards",
            Self::Challenge => "a model argues against the leading suspect",
            Self::Write => "a model writes the prose, with slots",
            Self::Window => "settle the window, ask where it is ambiguous, cut it to what is recorded",
            Self::Secure => {
                "find a snapshot that covers the window and its buffer, or take one, and wait for it"
            }
            Self::Index => "find the snapshot's dissection, or start it, and wait for it",
            Self::Survey => "statistics, then the calls before and during the window, and a first ranking",
            Self::Narrow => "the abnormal calls of each suspected edge, good ones beside them",
            Self::Inspect => "the first abnormal calls in full, and good ones beside them",
            Self::Weigh => "control queries; a suspect survives, or nothing does",
            Self::Handoff => "the packets of the workloads involved as a file",
            Self::Conclude => "the finding, as far as the guards let it stand",
            Self::Count => "exact numbers, planned so that they take few calls",
            Self::Transfer => "a snapshot to cloud storage, or from it",
            Self::Inventory => "what snapshots there are, where, of which time and how large",
            Self::Recheck => {
                "every recorded query again on the same snapshot, held against what was recorded"
            }
            Self::Live => "whether what is dissected as it comes covers the window",
            Self::Ask => "the question as a checked filter, counted exactly, with rows and a control",
            Self::Packets => "workloads to addresses, addresses to a packet filter, packets to a file",
            Self::Finished => "the end: what was ordered is done",
            Self::Concluded => "the end: a finding",
            Self::Counted => "the end: numbers and gaps",
            Self::Stopped => "the end: something has to be mended first",
        }
    }

    /// Whether a run ends here.
    pub fn is_end(self) -> bool {
        matches!(
            self,
            Self::Concluded | Self::Counted | Self::Finished | Self::Stopped
        )
    }
}

/// Every move there is. Anything else is a bug in a step, and is an error.
pub const MOVES: &[(Phase, Phase)] = &[
    (Phase::Preflight, Phase::Preflight),
    (Phase::Preflight, Phase::Intake),
    (Phase::Preflight, Phase::Window),
    (Phase::Preflight, Phase::Inventory), // only a list is wanted
    (Phase::Preflight, Phase::Transfer),
    (Phase::Preflight, Phase::Stopped),
    (Phase::Intake, Phase::Intake),
    (Phase::Intake, Phase::Window),
    (Phase::Intake, Phase::Stopped),
    (Phase::Window, Phase::Window),
    (Phase::Window, Phase::Secure),
    (Phase::Window, Phase::Conclude), // nothing was recorded then
    (Phase::Window, Phase::Count),    // only the plan of a count is wanted
    (Phase::Window, Phase::Live),     // a question may need no snapshot
    (Phase::Window, Phase::Stopped),
    (Phase::Live, Phase::Live),
    (Phase::Live, Phase::Ask),
    (Phase::Live, Phase::Secure),
    (Phase::Live, Phase::Conclude), // nothing was recorded then
    (Phase::Live, Phase::Stopped),
    (Phase::Secure, Phase::Secure),
    (Phase::Secure, Phase::Index),
    (Phase::Secure, Phase::Conclude), // not recorded any more, and nobody took a snapshot in time
    (Phase::Secure, Phase::Packets),  // packets need no dissection
    (Phase::Secure, Phase::Finished), // only a snapshot is wanted
    (Phase::Secure, Phase::Stopped),
    (Phase::Index, Phase::Index),
    (Phase::Index, Phase::Survey),
    (Phase::Index, Phase::Count),
    (Phase::Index, Phase::Recheck),
    (Phase::Index, Phase::Ask),
    (Phase::Index, Phase::Stopped),
    (Phase::Survey, Phase::Survey),
    (Phase::Survey, Phase::Finished), // only numbers are wanted
    (Phase::Survey, Phase::Hypothesise),
    (Phase::Survey, Phase::Narrow),
    (Phase::Survey, Phase::Probe),
    (Phase::Survey, Phase::Weigh), // nothing abnormal, or the budget is spent
    (Phase::Survey, Phase::Stopped),
    (Phase::Hypothesise, Phase::Hypothesise),
    (Phase::Hypothesise, Phase::Narrow),
    (Phase::Narrow, Phase::Narrow),
    (Phase::Narrow, Phase::Inspect),
    (Phase::Narrow, Phase::Probe),
    (Phase::Narrow, Phase::Weigh),
    (Phase::Narrow, Phase::Stopped),
    (Phase::Inspect, Phase::Read),
    (Phase::Inspect, Phase::Probe),
    (Phase::Inspect, Phase::Weigh),
    (Phase::Inspect, Phase::Stopped),
    (Phase::Read, Phase::Read),
    (Phase::Read, Phase::Probe),
    (Phase::Read, Phase::Weigh),
    (Phase::Probe, Phase::Probe),
    (Phase::Probe, Phase::Weigh),
    (Phase::Weigh, Phase::Weigh),
    (Phase::Weigh, Phase::Challenge),
    (Phase::Weigh, Phase::Handoff),
    (Phase::Weigh, Phase::Write),
    (Phase::Weigh, Phase::Conclude),
    (Phase::Weigh, Phase::Stopped),
    (Phase::Challenge, Phase::Challenge),
    (Phase::Challenge, Phase::Handoff),
    (Phase::Challenge, Phase::Write),
    (Phase::Challenge, Phase::Conclude),
    (Phase::Handoff, Phase::Handoff),
    (Phase::Handoff, Phase::Write),
    (Phase::Handoff, Phase::Conclude),
    (Phase::Write, Phase::Write),
    (Phase::Write, Phase::Conclude),
    (Phase::Conclude, Phase::Conclude), // a guard refused what was concluded
    (Phase::Conclude, Phase::Concluded),
    (Phase::Count, Phase::Count),
    (Phase::Count, Phase::Counted),
    (Phase::Count, Phase::Stopped),
    (Phase::Transfer, Phase::Transfer),
    (Phase::Transfer, Phase::Finished),
    (Phase::Transfer, Phase::Stopped),
    (Phase::Inventory, Phase::Finished),
    (Phase::Inventory, Phase::Stopped),
    (Phase::Recheck, Phase::Recheck),
    (Phase::Recheck, Phase::Finished),
    (Phase::Recheck, Phase::Stopped),
    (Phase::Packets, Phase::Packets),
    (Phase::Packets, Phase::Finished),
    (Phase::Packets, Phase::Stopped),
    (Phase::Ask, Phase::Ask),
    (Phase::Ask, Phase::Finished),
    (Phase::Ask, Phase::Stopped),
];

/// What a step wants next.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time; a box would only cost a line at every step"
)]
pub enum Plan {
    /// Perform this, then settle.
    Act(Action),
    /// Nothing has to be done to know where to go.
    Decide,
}

/// What a step is told.
pub enum Seen {
    /// What came of the planned action.
    Observed(Observation),
    /// Nothing was planned.
    Nothing,
}

/// One place in the investigation. All methods are pure.
pub trait Step {
    /// What to ask for. Called twice, it must answer the same.
    fn plan(&self, case: &Case) -> Plan;

    /// Where an observation leads. May file evidence in the case.
    fn settle(&self, case: &mut Case, seen: Seen) -> State;

    /// Where to go when a guard refuses what this step proposed and leaves it a choice.
    fn refused(&self, case: &mut Case, why: &str) -> State;
}

/// The machine was used in a way it does not allow, or a step made a move that is not in [`MOVES`].
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    #[error("there is no move from {from:?} to {to:?}")]
    NoSuchMove { from: Phase, to: Phase },
    #[error("the investigation is already over ({0:?})")]
    Over(Phase),
    #[error("{0:?} made no progress: it moved to itself more often than any run needs")]
    Circling(Phase),
}

/// What came of one turn of the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    pub from: Phase,
    pub to: Phase,
    /// What the guards said of the move.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rulings: Vec<Ruling>,
}

/// The whole of a run's decisions.
#[derive(Clone, Debug)]
pub struct Machine {
    state: State,
    case: Case,
    /// Turns in a row that stayed in one phase: a step that never leaves would run for ever.
    stayed: u32,
}

/// No phase needs as many turns: waiting is bounded by time, narrowing by its edges.
const TURNS_IN_A_PHASE: u32 = 5_000;

impl State {
    pub fn phase(&self) -> Phase {
        match self {
            Self::Preflight(_) => Phase::Preflight,
            Self::Intake(_) => Phase::Intake,
            Self::Hypothesise(_) => Phase::Hypothesise,
            Self::Read(_) => Phase::Read,
            Self::Probe(_) => Phase::Probe,
            Self::Challenge(_) => Phase::Challenge,
            Self::Write(_) => Phase::Write,
            Self::Window(_) => Phase::Window,
            Self::Secure(_) => Phase::Secure,
            Self::Index(_) => Phase::Index,
            Self::Survey(_) => Phase::Survey,
            Self::Narrow(_) => Phase::Narrow,
            Self::Inspect(_) => Phase::Inspect,
            Self::Weigh(_) => Phase::Weigh,
            Self::Handoff(_) => Phase::Handoff,
            Self::Conclude(_) => Phase::Conclude,
            Self::Count(_) => Phase::Count,
            Self::Inventory(_) => Phase::Inventory,
            Self::Transfer(_) => Phase::Transfer,
            Self::Recheck(_) => Phase::Recheck,
            Self::Packets(_) => Phase::Packets,
            Self::Live(_) => Phase::Live,
            Self::Ask(_) => Phase::Ask,
            Self::Finished(_) => Phase::Finished,
            Self::Concluded(_) => Phase::Concluded,
            Self::Counted(_) => Phase::Counted,
            Self::Stopped(_) => Phase::Stopped,
        }
    }

    fn step(&self) -> Option<&dyn Step> {
        match self {
            Self::Preflight(step) => Some(step),
            Self::Intake(step) => Some(step),
            Self::Hypothesise(step) => Some(step),
            Self::Read(step) => Some(step),
            Self::Probe(step) => Some(step),
            Self::Challenge(step) => Some(step),
            Self::Write(step) => Some(step),
            Self::Window(step) => Some(step),
            Self::Secure(step) => Some(step),
            Self::Index(step) => Some(step),
            Self::Survey(step) => Some(step),
            Self::Narrow(step) => Some(step),
            Self::Inspect(step) => Some(step),
            Self::Weigh(step) => Some(step),
            Self::Handoff(step) => Some(step),
            Self::Conclude(step) => Some(step),
            Self::Count(step) => Some(step),
            Self::Inventory(step) => Some(step),
            Self::Transfer(step) => Some(step),
            Self::Recheck(step) => Some(step),
            Self::Packets(step) => Some(step),
            Self::Live(step) => Some(step),
            Self::Ask(step) => Some(step),
            Self::Concluded(_) | Self::Counted(_) | Self::Finished(_) | Self::Stopped(_) => None,
        }
    }
}

impl Machine {
    pub fn new(id: impl Into<String>, settings: Settings) -> Self {
        Self {
            state: State::Preflight(Preflight::default()),
            case: Case::new(id, settings),
            stayed: 0,
        }
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn case(&self) -> &Case {
        &self.case
    }

    /// What to do next with what the guards say of it, or `None` at the end.
    pub fn plan(&self) -> Option<(Plan, Vec<Ruling>)> {
        let plan = self.state.step()?.plan(&self.case);
        let rulings = match &plan {
            Plan::Act(action) => guard::consult(
                &self.case,
                &Proposal::Act {
                    phase: self.state.phase(),
                    action,
                },
            ),
            Plan::Decide => Vec::new(),
        };
        Some((plan, rulings))
    }

    /// Takes note that a guard refused the planned action.
    pub fn refuse(&mut self, refusal: &Refusal) -> Result<Moved, MachineError> {
        self.case.note_refusal(&refusal.guard, &refusal.why);
        let state = self.state.clone();
        let step = state.step().ok_or(MachineError::Over(state.phase()))?;
        let next = after(step, &mut self.case, refusal);
        self.go(next, Vec::new())
    }

    /// Takes what came of the planned action, or nothing where none was planned, and moves.
    pub fn settle(&mut self, action: Option<&Action>, seen: Seen) -> Result<Moved, MachineError> {
        if let (Some(action), Seen::Observed(observation)) = (action, &seen) {
            self.case.charge(self.state.phase(), action, observation);
        }
        let state = self.state.clone();
        let step = state.step().ok_or(MachineError::Over(state.phase()))?;
        let next = step.settle(&mut self.case, seen);
        let rulings = guard::consult(
            &self.case,
            &Proposal::Move {
                from: state.phase(),
                to: &next,
            },
        );
        let next = match guard::refusal(&rulings) {
            Some(refusal) => {
                self.case.note_refusal(&refusal.guard, &refusal.why);
                after(step, &mut self.case, &refusal)
            }
            None => next,
        };
        self.go(next, rulings)
    }

    fn go(&mut self, next: State, rulings: Vec<Ruling>) -> Result<Moved, MachineError> {
        let (from, to) = (self.state.phase(), next.phase());
        if !MOVES.contains(&(from, to)) {
            return Err(MachineError::NoSuchMove { from, to });
        }
        self.stayed = if from == to {
            self.stayed.saturating_add(1)
        } else {
            0
        };
        if self.stayed > TURNS_IN_A_PHASE {
            return Err(MachineError::Circling(from));
        }
        self.state = next;
        Ok(Moved { from, to, rulings })
    }
}

fn after(step: &dyn Step, case: &mut Case, refusal: &Refusal) -> State {
    match refusal.remedy {
        Remedy::GoOn => step.refused(case, &refusal.why),
        Remedy::Stop => State::Stopped(Problem {
            what: if case.settings.task.is_investigation() {
                "the investigation cannot go on".to_owned()
            } else {
                "this was not done".to_owned()
            },
            because: vec![format!("the guard `{}` refused: {}", refusal.guard, refusal.why)],
            hints: guard::advice(&refusal.guard),
        }),
    }
}
