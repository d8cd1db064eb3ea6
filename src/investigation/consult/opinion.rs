//! A model's claims, each held against the analysis: what holds is told, what does not is told as that.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    answers::{self, Claim, Query},
    ground::{Grounded, cited, remark},
    proposal::party_of,
};
use crate::{
    analysis::{EdgeKey, Party, compare},
    investigation::{
        account,
        case::Case,
        evidence::EvidenceId,
        finding::{CauseKind, Confidence, Finding, Verdict},
        steps::verdict::{ONE_DOUBT, level, missing},
    },
};

/// All that a model contributed to a case.
#[derive(Clone, Debug, Default)]
pub struct Opinion {
    /// The facts at the head of every prompt, once they are made, and the parties numbered in them.
    pub facts: Option<Value>,
    pub parties: Vec<Party>,
    /// Error bodies that may be quoted, by the evidence they belong to. Untrusted text.
    pub texts: BTreeMap<EvidenceId, String>,
    /// The body of a good call beside them: what is the same in it says nothing.
    pub good: Option<String>,
    pub hypotheses: Vec<Hypothesis>,
    /// Queries that hypotheses asked for.
    pub queued: Vec<Query>,
    pub readings: Vec<Reading>,
    pub conclusion: Option<Conclusion>,
    pub objections: Vec<Objection>,
    pub prose: Vec<Grounded>,
    /// Sentences of the prose that did not stand, with why.
    pub dropped: Vec<String>,
}

/// A hypothesis about a party of the picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Hypothesis {
    pub party: Party,
    pub kind: CauseKind,
    pub because: String,
    pub refuted_by: String,
    pub evidence: Vec<EvidenceId>,
}

/// What an error text means, with words that are in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub evidence: EvidenceId,
    pub quote: String,
    pub meaning: String,
}

/// Whom the model holds to be the cause.
#[derive(Clone, Debug, PartialEq)]
pub struct Conclusion {
    pub party: Party,
    pub kind: CauseKind,
    pub why: String,
    pub evidence: Vec<EvidenceId>,
    /// Set when it was compared with the finding.
    pub agreement: Option<Agreement>,
}

/// How the model's conclusion stands to the analysis.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    pub agrees: bool,
    /// Whether the recorded calls show anything abnormal at the party that the model names.
    pub holds: bool,
    /// What the recorded calls say of each party, with the evidence.
    pub decides: Vec<(String, Vec<EvidenceId>)>,
}

/// What speaks against the leading suspect, in the model's view.
#[derive(Clone, Debug, PartialEq)]
pub struct Objection {
    pub claim: Claim,
    pub party: Option<Party>,
    pub text: String,
    pub evidence: Vec<EvidenceId>,
    /// Whether the recorded calls bear it out; `None` where no code can tell.
    pub holds: Option<bool>,
}

/// A hypothesis whose party and evidence exist.
pub fn hypothesis(case: &Case, said: &answers::Hypothesis) -> Result<Hypothesis, String> {
    Ok(Hypothesis {
        party: party(case, &said.party)?,
        kind: said.kind,
        evidence: cited(case, &said.evidence)?,
        because: remark(case, &said.because, "")?,
        refuted_by: remark(case, &said.refuted_by, "")?,
    })
}

fn party(case: &Case, handle: &str) -> Result<Party, String> {
    party_of(case, handle).cloned().ok_or_else(|| {
        let shown: String = handle.chars().take(20).collect();
        format!("there is no party `{shown}`; they are numbered in the facts, as in P1")
    })
}

/// A reading whose words are in the text that it reads.
pub fn reading(case: &Case, said: &answers::Reading) -> Result<Reading, String> {
    let id = EvidenceId(said.evidence.trim().to_owned());
    let shown: String = id.0.chars().take(20).collect();
    let Some(text) = case.opinion.texts.get(&id) else {
        return Err(format!("`{shown}` is none of the texts to read"));
    };
    let flat = |text: &str| {
        let plain: String = text
            .chars()
            .filter(|c| !c.is_control() || c.is_whitespace())
            .collect();
        plain.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let quote = flat(&said.quote);
    if quote.chars().count() < 3 || quote.chars().count() > 200 {
        return Err(format!("the quotation of {shown} is to have 3 to 200 characters"));
    }
    // JSON inside JSON: a text may be quoted as it reads or as it is written.
    let shown_as = super::skeleton(text, case.opinion.good.as_deref());
    let found = [
        flat(text),
        flat(&text.replace("\\\"", "\"").replace("\\n", " ")),
        shown_as,
    ];
    if !found.iter().any(|text| text.contains(&quote)) {
        return Err(format!(
            "the quotation of {shown} is not in its text; copy it letter by letter"
        ));
    }
    Ok(Reading {
        meaning: remark(case, &said.meaning, &quote)?,
        quote: quote.replace('`', "'"),
        evidence: id,
    })
}

/// A conclusion whose party and evidence exist.
pub fn conclusion(case: &Case, said: &answers::Narrow) -> Result<Conclusion, String> {
    let handle = said.party.as_deref().unwrap_or_default();
    let evidence = cited(case, &said.evidence)?;
    if evidence.is_empty() {
        return Err("a conclusion has to cite evidence".to_owned());
    }
    Ok(Conclusion {
        party: party(case, handle)?,
        kind: said.kind.unwrap_or(CauseKind::Unknown),
        why: remark(case, &said.why, "")?,
        evidence,
        agreement: None,
    })
}

/// An objection whose party and evidence exist, held against the recorded calls.
pub fn objection(case: &Case, finding: &Finding, said: &answers::Objection) -> Result<Objection, String> {
    let other = match said.party.as_deref().filter(|handle| !handle.is_empty()) {
        Some(handle) => Some(party(case, handle)?),
        None => None,
    };
    let evidence = cited(case, &said.evidence)?;
    Ok(Objection {
        holds: borne_out(case, finding, said.claim, other.as_ref()),
        claim: said.claim,
        party: other,
        text: remark(case, &said.text, "")?,
        evidence,
    })
}

/// Whether the recorded calls bear an objection out.
fn borne_out(case: &Case, finding: &Finding, claim: Claim, other: Option<&Party>) -> Option<bool> {
    let cause = finding.causes.first()?;
    let suspect = |party: &Party| {
        case.diagnosis
            .suspects
            .iter()
            .find(|suspect| &suspect.party == party)
    };
    match claim {
        Claim::BeganEarlier => {
            let began = edges(case, other?)
                .filter(|key| abnormal(case, key))
                .filter_map(|key| Some(case.picture.edges.get(key)?.onset.as_ref()?.ended))
                .min();
            // Whoever waits for the cause begins before it; what counts is what had failed before.
            Some(began.zip(cause.onset).is_some_and(|(began, onset)| began < onset))
        }
        Claim::ExplainsMore => {
            let (other, leading) = (suspect(other?)?, suspect(&cause.party)?);
            Some(other.party != leading.party && other.share > leading.share)
        }
        Claim::FailedBefore => {
            let (mut before, mut during) = (0.0, 0.0);
            for key in &suspect(&cause.party)?.edges {
                let edge = case.picture.edges.get(key)?;
                before += edge.before.share();
                during += edge.during.share();
            }
            Some(before > 0.0 && before * 2.0 >= during)
        }
        Claim::NotLookedAt => Some(!case.coverage.gaps().is_empty() || missing(case).is_some()),
        Claim::Other => None,
    }
}

/// Edges into and out of a party.
fn edges<'a>(case: &'a Case, party: &'a Party) -> impl Iterator<Item = &'a EdgeKey> {
    case.picture
        .edges
        .keys()
        .filter(move |key| &key.to == party || &key.from == party)
}

fn abnormal(case: &Case, key: &EdgeKey) -> bool {
    let rules = &case.settings.playbook.survey.abnormal;
    case.picture
        .edges
        .get(key)
        .is_some_and(|edge| compare(&edge.before, &edge.during, rules).is_abnormal())
}

/// Compares the model's conclusion with the finding, and takes from the confidence what the second opinion takes. It
/// can only take, once, and never the verdict: a model that lies at every turn cannot make a finding wrong.
pub fn apply(case: &mut Case, mut finding: Finding) -> Finding {
    let mut against = Vec::new();
    if let Some(mut conclusion) = case.opinion.conclusion.take() {
        let agreement = agreement(case, &finding, &conclusion);
        if finding.verdict == Verdict::RootCause && !agreement.agrees && agreement.holds {
            against.push(format!(
                "a second opinion names {} instead, where something is abnormal too",
                conclusion.party
            ));
        }
        conclusion.agreement = Some(agreement);
        case.opinion.conclusion = Some(conclusion);
    }
    if finding.verdict == Verdict::RootCause
        && let Some(objection) = case
            .opinion
            .objections
            .iter()
            .find(|objection| objection.holds == Some(true))
    {
        against.push(
            match objection.claim {
                Claim::BeganEarlier => {
                    "a second opinion objects that something else was abnormal earlier, and it was"
                }
                Claim::ExplainsMore => {
                    "a second opinion objects that another suspect explains more, and it does"
                }
                Claim::FailedBefore => "a second opinion objects that it failed before as well, and it did",
                Claim::NotLookedAt => {
                    "a second opinion objects that part of the time was not looked at, and it was not"
                }
                Claim::Other => "a second opinion objects",
            }
            .to_owned(),
        );
    }
    if !against.is_empty() {
        finding.probability *= ONE_DOUBT;
        finding.confidence = finding
            .confidence
            .min(level(finding.probability))
            .max(lower(finding.confidence));
        finding.because.extend(against);
    }
    finding
}

/// One level down.
fn lower(confidence: Confidence) -> Confidence {
    match confidence {
        Confidence::High => Confidence::Medium,
        Confidence::Medium | Confidence::Low => Confidence::Low,
    }
}

fn agreement(case: &Case, finding: &Finding, conclusion: &Conclusion) -> Agreement {
    let agrees = finding.causes.iter().any(|cause| cause.party == conclusion.party);
    let holds = edges(case, &conclusion.party).any(|key| abnormal(case, key));
    let mut decides = Vec::new();
    if !agrees {
        if let Some(cause) = finding.causes.first() {
            decides.push((said_of(case, &cause.party), cause.evidence.clone()));
        }
        let mut evidence: Vec<EvidenceId> = Vec::new();
        for id in edges(case, &conclusion.party).flat_map(|key| case.supporting(key)) {
            if !evidence.contains(&id) {
                evidence.push(id);
            }
        }
        decides.push((said_of(case, &conclusion.party), evidence));
    }
    Agreement {
        agrees,
        holds,
        decides,
    }
}

/// What the recorded calls say of a party.
fn said_of(case: &Case, party: &Party) -> String {
    let suspect = case
        .diagnosis
        .suspects
        .iter()
        .find(|suspect| &suspect.party == party);
    if let Some(suspect) = suspect {
        return format!("{party}: {}", account::why(case, suspect));
    }
    let (mut calls, mut failing, mut exact) = (0, 0, true);
    for (key, edge) in &case.picture.edges {
        if &key.to == party && key.layer.is_request() {
            calls += edge.during.calls;
            failing += edge.during.failing;
            exact &= edge.during.exact;
        }
    }
    let seen = if exact { "" } else { " seen" };
    format!(
        "{party}: {}{seen} of the calls to it failed, and no new failing call leads to it",
        crate::investigation::words::of(failing, calls)
    )
}
