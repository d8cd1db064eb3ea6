//! The case file: what every step may read, and what steps add to it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    action::{Action, Answer, Failure, FailureKind, Observation},
    consult::{self, Consulted, Role, opinion::Opinion},
    evidence::{EvidenceFile, EvidenceId},
    machine::Phase,
    settings::Settings,
};
use crate::{
    analysis::{Diagnosis, EdgeKey, Incident, Layer, Lossy, Picture},
    kfl::Filter,
    time::{Reading as TimeReading, Utc, Window},
    wire::{
        Operation, Scope, SnapshotRef,
        decode::{Boundaries, Call},
    },
};

/// What a run has used up. Failed calls count as calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    pub calls: u32,
    pub failed: u32,
    /// Bytes of answers.
    pub bytes: u64,
    /// Time spent in tools and in waiting, ms. Calls made at once count with the longest.
    pub millis: u64,
}

/// Something that happened at a known time, for the report's timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub at: Utc,
    pub what: String,
    pub evidence: Vec<EvidenceId>,
}

/// How often a guard said no, and what to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalNote {
    pub guard: String,
    pub why: String,
    pub times: u32,
}

/// What was looked at and what was not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Coverage {
    /// What the nodes held when we looked.
    pub captured: Option<Window>,
    /// What the snapshot holds.
    pub secured: Option<Window>,
    /// Calls the dissection of the snapshot produced, where the server says.
    pub entries: Option<u64>,
    pub not_seen: Vec<String>,
    pub truncated: Vec<String>,
    /// Queries without an answer, by the kind of failure.
    pub unanswered: BTreeMap<FailureKind, Unanswered>,
    /// Share of the time asked about that is not in the data, 0 to 1.
    pub missing: f64,
    /// The survey or the narrowing did not come to its end.
    pub cut_short: bool,
    /// The server's totals contradict its own rows: no count can be trusted.
    pub unreliable: bool,
    /// What the control query found in the window, where no request was seen.
    pub control: Option<u64>,
}

/// Queries that failed in the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    pub count: u32,
    /// The first of them, and what was said to it.
    pub query: String,
    pub reason: String,
}

impl Coverage {
    /// Takes note of a query without an answer.
    pub fn unanswered(&mut self, query: &str, failure: &Failure) {
        let entry = self.unanswered.entry(failure.kind).or_insert_with(|| Unanswered {
            count: 0,
            query: query.to_owned(),
            reason: failure.message.clone(),
        });
        entry.count = entry.count.saturating_add(1);
    }

    /// Everything that was asked about and not seen whole, a line each.
    pub fn gaps(&self) -> Vec<String> {
        let unanswered = self
            .unanswered
            .values()
            .map(|Unanswered { count, query, reason }| {
                if *count == 1 {
                    format!("`{query}` was not answered: {reason}")
                } else {
                    format!("{count} queries were not answered, the first of them `{query}`: {reason}")
                }
            });
        self.truncated.iter().cloned().chain(unanswered).collect()
    }
}

/// What a single abnormal call showed when it was looked at in detail.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub call: String,
    /// "answered 503", "was refused".
    pub outcome: String,
    /// The beginning of the error body, on one line; untrusted text.
    pub said: Option<String>,
    pub evidence: EvidenceId,
}

/// Connections that were looked at for losses.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    pub calls: Vec<Call>,
    pub evidence: Vec<EvidenceId>,
}

/// The snapshot the investigation works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secured {
    pub reference: SnapshotRef,
    pub window: Window,
    pub completed: bool,
    /// Found, not taken by this run.
    pub reused: bool,
}

/// Facts shared by all steps. Steps own their private data; this is the rest.
#[derive(Clone, Debug)]
pub struct Case {
    /// Names the snapshot and the case directory.
    pub id: String,
    pub settings: Settings,
    /// Name and version of the server, once connected.
    pub server: Option<String>,
    /// Serialised names of the operations the server has tools for.
    pub supported: BTreeSet<String>,
    /// The health check passed.
    pub healthy: bool,
    pub boundaries: Option<Boundaries>,
    /// What is dissected live, as far as the server says.
    pub live_boundaries: Option<Boundaries>,
    /// The live traffic that queries go to instead of a snapshot: of this time the server says that it is dissected.
    pub live: Option<Window>,
    /// What the user's words for the window were read as.
    pub when: TimeReading,
    /// What was asked about, inside the data.
    pub asked_window: Option<Window>,
    /// What is compared with the time before it: the same, or from the onset on where that was earlier.
    pub window: Option<Window>,
    /// The window was moved to the onset of the failures.
    pub compared_apart: bool,
    /// When it was over, where that was inside the window.
    pub ended: Option<Utc>,
    pub snapshot: Option<Secured>,
    /// The dissection of `snapshot` that is completed, by name where it has one.
    pub dissected: Option<Option<String>>,
    /// Request protocols that the dissection found, where the server says; otherwise empty.
    pub layers: BTreeSet<Layer>,
    /// What the analysis made of the picture.
    pub diagnosis: Diagnosis,
    pub connections: Connections,
    /// Where packets were lost, if in one place.
    pub lossy: Option<Lossy>,
    /// Statistics were asked for before any list.
    pub surveyed: bool,
    /// Calls a list showed, by id: only these can be looked at in detail.
    pub listed: BTreeSet<String>,
    /// What the survey and the narrowing saw.
    pub picture: Picture,
    pub evidence: EvidenceFile,
    /// Which evidence the numbers of an edge come from.
    support: BTreeMap<EdgeKey, Vec<EvidenceId>>,
    /// What single calls said, by edge: a line each.
    pub readings: BTreeMap<EdgeKey, Reading>,
    pub events: Vec<Event>,
    pub coverage: Coverage,
    pub assumptions: Vec<String>,
    /// What was changed on the cluster with the user's approval.
    pub changes: Vec<String>,
    pub refusals: Vec<RefusalNote>,
    pub spent: Spent,
    /// Every query of the program so far, to refuse the same one twice.
    asked: BTreeSet<String>,
    /// Every query that a model asked for. Kept apart: what a model asks must not keep the program from asking it.
    probed: BTreeSet<String>,
    /// What queries about calls were answered with: hashes of results, by what tells equivalent queries from others.
    pub(super) answered: BTreeMap<String, String>,
    /// What was asked of the model, and at what cost.
    pub consulted: Consulted,
    /// What the model contributed.
    pub opinion: Opinion,
    /// Files written beside the report: (path, what it is, SHA-256 where known).
    pub attachments: Vec<Attachment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    pub file: String,
    pub what: String,
    pub sha256: Option<String>,
}

impl Case {
    pub fn new(id: impl Into<String>, settings: Settings) -> Self {
        let assumptions = settings
            .notes
            .iter()
            .chain(&settings.reading.assumptions)
            .cloned()
            .collect();
        Self {
            id: id.into(),
            when: settings.reading.clone(),
            settings,
            server: None,
            supported: BTreeSet::new(),
            healthy: false,
            boundaries: None,
            live_boundaries: None,
            live: None,
            asked_window: None,
            window: None,
            compared_apart: false,
            ended: None,
            snapshot: None,
            dissected: None,
            layers: BTreeSet::new(),
            diagnosis: Diagnosis::default(),
            connections: Connections::default(),
            lossy: None,
            surveyed: false,
            listed: BTreeSet::new(),
            picture: Picture::default(),
            evidence: EvidenceFile::default(),
            support: BTreeMap::new(),
            readings: BTreeMap::new(),
            events: Vec::new(),
            coverage: Coverage::default(),
            assumptions,
            changes: Vec::new(),
            refusals: Vec::new(),
            spent: Spent::default(),
            asked: BTreeSet::new(),
            probed: BTreeSet::new(),
            answered: BTreeMap::new(),
            consulted: Consulted::default(),
            opinion: Opinion::default(),
            attachments: Vec::new(),
        }
    }

    /// Whether the server has a tool for this.
    pub fn supports(&self, operation: &Operation) -> bool {
        self.supported.contains(operation.name())
    }

    /// Whether exactly this was asked before.
    pub fn has_asked(&self, operation: &Operation) -> bool {
        self.asked.contains(&fingerprint(operation))
    }

    /// Whether exactly this was asked before by anybody.
    pub(super) fn was_asked(&self, operation: &Operation) -> bool {
        self.has_asked(operation) || self.probed.contains(&fingerprint(operation))
    }

    /// Takes note of what an action cost and of what was asked.
    pub(super) fn charge(&mut self, phase: Phase, action: &Action, seen: &Observation) {
        let asked = if phase == Phase::Probe {
            &mut self.probed
        } else {
            &mut self.asked
        };
        asked.extend(action.calls().iter().map(fingerprint));
        if let Action::Consult { consultation } = action {
            self.charge_model(consultation.role, seen);
        }
        match seen {
            Observation::Answers { answers } => {
                for (call, answer) in action.calls().iter().zip(answers) {
                    if let (Some(key), Ok(body)) = (consult::key(call), &answer.result) {
                        self.answered.insert(key, body.sha256.clone());
                    }
                }
                let mut longest = 0;
                for answer in answers {
                    self.spent.calls = self.spent.calls.saturating_add(1);
                    self.spent.failed = self
                        .spent
                        .failed
                        .saturating_add(u32::from(answer.result.is_err()));
                    self.spent.bytes = self.spent.bytes.saturating_add(answer.bytes);
                    longest = longest.max(answer.took_ms);
                }
                self.spent.millis = self.spent.millis.saturating_add(longest);
            }
            Observation::Connected { took_ms, .. } => {
                self.spent.millis = self.spent.millis.saturating_add(*took_ms);
            }
            Observation::Chosen { .. } | Observation::Replied { .. } | Observation::Unavailable { .. } => {}
        }
        if let Action::Wait { after_ms, .. } = action {
            self.spent.millis = self.spent.millis.saturating_add(*after_ms);
        }
    }

    fn charge_model(&mut self, role: Role, seen: &Observation) {
        match seen {
            Observation::Replied { reply } => {
                let prices = self.settings.model.as_ref().and_then(|model| model.prices);
                self.consulted.charge(role, reply, prices);
            }
            Observation::Unavailable { failure } => self.consulted.failed(role, &failure.message),
            _ => self
                .consulted
                .failed(role, "the answer does not belong to the question"),
        }
    }

    /// Takes note of something that a model said and that does not stand.
    pub(super) fn reject(&mut self, role: Role, guard: &str, why: &str) {
        let spent = self.consulted.spent.entry(role).or_default();
        spent.rejected = spent.rejected.saturating_add(1);
        self.note_refusal(guard, why);
    }

    /// Counts a refusal for the report.
    pub(super) fn note_refusal(&mut self, guard: &str, why: &str) {
        match self
            .refusals
            .iter_mut()
            .find(|r| r.guard == guard && r.why == why)
        {
            Some(note) => note.times = note.times.saturating_add(1),
            None => self.refusals.push(RefusalNote {
                guard: guard.to_owned(),
                why: why.to_owned(),
                times: 1,
            }),
        }
    }

    /// Takes note that `id` supports what is said of an edge.
    pub fn support(&mut self, key: &EdgeKey, id: &EvidenceId) {
        let ids = self.support.entry(key.clone()).or_default();
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }

    /// The evidence for an edge, in the order in which it was filed.
    pub fn supporting(&self, key: &EdgeKey) -> Vec<EvidenceId> {
        self.support.get(key).cloned().unwrap_or_default()
    }

    /// Begins the comparison anew from the onset of the failures: the time before the window mixed the fault
    /// with what was before, or there was none.
    pub fn compare_from(&mut self, onset: Utc) {
        let Some(window) = &mut self.window else { return };
        let early = onset < window.start;
        window.start = onset;
        self.compared_apart = true;
        self.picture = Picture::default();
        self.listed.clear();
        self.support.clear();
        let at = self.settings.clock().at(onset);
        self.assumptions.push(if early {
            format!("the failures of the window began before it, at {at}; the comparison is with the time before that")
        } else {
            format!("hardly anything was recorded before the window; the comparison is with its own part before the failures began, at {at}")
        });
    }

    /// What the window is compared with: the time before it that the snapshot holds, or what the user said.
    pub fn baseline(&self) -> Vec<Window> {
        let (Some(window), Some(secured)) = (self.window, self.snapshot.as_ref()) else {
            return Vec::new();
        };
        // A window that is only measured is compared elsewhere.
        if self.settings.task.is_measuring() {
            return Vec::new();
        }
        let held = secured.window;
        let wanted = self.settings.baseline.unwrap_or(Window {
            start: held.start,
            end: window.start.max(held.start),
        });
        wanted
            .overlap(&held)
            .map(|part| part.without(&window))
            .unwrap_or_default()
    }

    /// A query over the snapshot that the case works on, or over live traffic where it has none.
    pub fn scope(&self, filter: &Filter, window: Option<Window>) -> Scope {
        Scope {
            snapshot: self.snapshot.as_ref().map(|secured| secured.reference.clone()),
            dissection: self.dissected.clone().flatten(),
            filter: filter.to_string(),
            window,
        }
    }

    /// Compares what happened during the incident with the time before it, rather than the window asked about, which
    /// holds healthy minutes or leaves out the beginning.
    pub fn compare_during(&mut self, incident: &Incident) {
        let Some(window) = &mut self.window else { return };
        let early = incident.onset < window.start;
        *window = Window {
            start: incident.onset,
            end: incident.ended.unwrap_or(window.end),
        };
        self.ended = incident.ended;
        self.compared_apart = true;
        if early {
            let at = self.settings.clock().at(incident.onset);
            self.assumptions
                .push(format!("what happened in the window began before it, at {at}; the comparison is with the time before that"));
        }
    }

    /// Files a result as evidence.
    pub fn file(&mut self, answer: &Answer, facts: serde_json::Value) -> Option<EvidenceId> {
        self.evidence.file(answer, facts)
    }
}

fn fingerprint(operation: &Operation) -> String {
    serde_json::to_string(operation).unwrap_or_default()
}
