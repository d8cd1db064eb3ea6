//! What a decision is made from besides what was heard.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    bot::{
        person::{Person, Place, Profile},
        store::{CaseRow, CaseState},
    },
    investigation::finding::{Confidence, Verdict},
    report::Report,
    time::{Utc, Zone},
};

/// What is known when something arrives. Whoever asks for a decision reads it from the store and from Slack.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// What the last [`Decision`](super::Decision) of this thread left.
    pub thread: Option<Value>,
    /// Who is speaking; `None` where Slack does not tell. Without a zone people are asked for it where it matters.
    pub profile: Option<Profile>,
    /// The newest case of this thread.
    pub case: Option<CaseInfo>,
    /// Cases that wait for a worker before a new one.
    pub ahead: u64,
    /// The person's cases, the newest first, for the home.
    pub recent: Vec<CaseInfo>,
    /// The newest case of the same alert (by its fingerprint).
    pub alerted: Option<CaseInfo>,
    /// State of the thread of `alerted`.
    pub alerted_thread: Option<Value>,
    /// The id that a case gets if this delivery opens one. The same each time the delivery is handled: keys of
    /// messages and of work are made from it.
    pub fresh: String,
}

impl Known {
    /// Nothing is known but the id for a case.
    pub fn nothing(fresh: impl Into<String>) -> Self {
        Self {
            thread: None,
            profile: None,
            case: None,
            ahead: 0,
            recent: Vec::new(),
            alerted: None,
            alerted_thread: None,
            fresh: fresh.into(),
        }
    }
}

/// A case as the store knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseInfo {
    pub case: String,
    pub at: Place,
    pub by: Person,
    /// Untrusted.
    pub question: String,
    pub state: CaseState,
    pub created: Utc,
    pub ended: Option<Utc>,
    /// Of a case that is done.
    pub digest: Option<Digest>,
}

impl From<CaseRow> for CaseInfo {
    /// A verdict that is no [`Digest`] is none.
    fn from(row: CaseRow) -> Self {
        Self {
            digest: row
                .verdict
                .as_ref()
                .and_then(|verdict| Digest::deserialize(verdict).ok()),
            case: row.case.id,
            at: row.case.at,
            by: row.case.by,
            question: row.case.question,
            state: row.state,
            created: row.created,
            ended: row.ended,
        }
    }
}

/// What a thread answers out of: the short of a report. Its words are untrusted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    pub verdict: Verdict,
    pub confidence: Confidence,
    /// "shop/postgres, refused"; empty where no cause was found.
    pub title: String,
    pub summary: String,
    pub because: Vec<String>,
    pub path: Vec<String>,
    pub ruled_out: Vec<String>,
    pub evidence: Vec<String>,
    pub next: Vec<String>,
}

/// Lines of a kind that a digest keeps.
const LINES: usize = 12;
/// Characters of a line that it keeps.
const LINE: usize = 400;

impl Digest {
    /// The short of a report.
    pub fn of(report: &Report) -> Self {
        let cut = |text: &str| text.chars().take(LINE).collect::<String>();
        let cited = |text: String, evidence: &[String]| {
            let ids: Vec<&str> = evidence.iter().take(8).map(String::as_str).collect();
            if ids.is_empty() {
                cut(&text)
            } else {
                format!("{} [{}]", cut(&text), cut(&ids.join(" ")))
            }
        };
        Self {
            verdict: report.verdict,
            confidence: report.confidence,
            title: cut(&crate::bot::blocks::title(report)),
            summary: report.summary.chars().take(2 * LINE).collect(),
            because: report.because.iter().take(LINES).map(|line| cut(line)).collect(),
            path: report
                .path
                .iter()
                .take(LINES)
                .map(|hop| cited(format!("{} → {}: {}", hop.from, hop.to, hop.what), &hop.evidence))
                .collect(),
            ruled_out: report
                .ruled_out
                .iter()
                .take(LINES)
                .map(|out| cited(format!("{}: {}", out.service, out.reason), &out.evidence))
                .collect(),
            evidence: report
                .evidence
                .iter()
                .take(LINES * 2)
                .map(|one| cut(&format!("{}: {} {}", one.id, one.tool, one.arguments)))
                .collect(),
            next: report.next.iter().take(LINES).map(|line| cut(line)).collect(),
        }
    }
}

/// Who may do what, and how long is waited. Empty lists of who may allow everybody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// `T…`
    pub teams: Vec<String>,
    /// `C…`, `G…`; where it is not empty, direct messages are allowed to those who are in `users`.
    pub channels: Vec<String>,
    /// `U…`
    pub users: Vec<String>,
    /// By channel: what it may ask about. A channel that is not here may ask about all.
    pub namespaces: BTreeMap<String, Vec<String>>,
    /// Who may approve what changes state; empty for whoever asked.
    pub approvers: Vec<String>,
    /// Exporting packets needs an approval too.
    pub approve_pcap: bool,
    /// Cases of one workspace that run at a time, as far as a message speaks of it.
    pub per_team: u32,
    /// Seconds after which a question that nobody answered is settled by what was assumed.
    pub patience: u32,
    /// Seconds for which an approval may be given.
    pub approval: u32,
    /// Where alerts are told that name no channel.
    pub alert_channel: Option<String>,
    /// The workspace of alerts.
    pub alert_team: Option<String>,
    /// Offered where Slack does not tell somebody's zone, the likeliest first.
    pub zones: Vec<Zone>,
    /// Whom people are told to ask for access: a person, a channel, an address.
    pub contact: Option<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            teams: Vec::new(),
            channels: Vec::new(),
            users: Vec::new(),
            namespaces: BTreeMap::new(),
            approvers: Vec::new(),
            approve_pcap: false,
            per_team: 2,
            patience: 120,
            approval: 600,
            alert_channel: None,
            alert_team: None,
            zones: vec![Zone::UTC],
            contact: None,
        }
    }
}

impl Policy {
    pub(super) fn patience(&self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.patience))
    }

    pub(super) fn approval(&self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.approval))
    }
}
