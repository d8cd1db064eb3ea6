//! The prose of the report, by a model: sentences with slots, each held against finding and evidence. What does not
//! stand after it was asked for once more is dropped and counted.

use serde_json::{Value, json};

use super::{challenge::leading, conclude::Conclude};
use crate::investigation::{
    case::Case,
    consult::{Asking, Heard, Role, Slots, answers, digest, ground, present},
    finding::{Finding, Verdict},
    machine::{Phase, Plan, Seen, State, Step},
};

#[derive(Clone, Debug)]
pub struct Write {
    finding: Box<Finding>,
    slots: Box<Slots>,
    asking: Box<Asking>,
}

/// Sentences of the prose.
const SENTENCES: usize = 8;

impl Write {
    /// The last state before the conclusion.
    pub fn next(case: &mut Case, finding: Finding) -> State {
        let slots = Slots::of(case, &finding);
        if !present(case, Phase::Write) || finding.verdict != Verdict::RootCause || slots.is_empty() {
            return State::Conclude(Conclude::new(finding));
        }
        let facts = digest(case);
        let citable = |about| {
            let ids: Vec<String> = ground::citable(&finding, about)
                .iter()
                .take(8)
                .map(ToString::to_string)
                .collect();
            ids.join(" ")
        };
        let readings: Vec<String> = case
            .opinion
            .readings
            .iter()
            .map(|reading| format!("{}: {}", reading.evidence, reading.quote))
            .collect();
        let task = json!({
            "leading": leading(case, &finding),
            "slots": slots.shown(),
            "readings": readings,
            "cite": {
                "cause": citable(answers::About::Cause),
                "spread": citable(answers::About::Spread),
                "impact": citable(answers::About::Impact),
                "ruled_out": citable(answers::About::RuledOut),
            },
        });
        let asking = Box::new(Asking::new(case, Role::Write, facts, task));
        State::Write(Self {
            finding: Box::new(finding),
            slots: Box::new(slots),
            asking,
        })
    }
}

impl Step for Write {
    fn plan(&self, _: &Case) -> Plan {
        Plan::Act(self.asking.action())
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        let done = || State::Conclude(Conclude::new((*self.finding).clone()));
        let again = |asking: Asking| {
            State::Write(Self {
                asking: Box::new(asking),
                ..self.clone()
            })
        };
        let said = match self.asking.hear::<answers::Write>(case, seen, |_, _| Ok(())) {
            Heard::Answer(said) => said,
            Heard::Again(asking) => return again(*asking),
            Heard::Nothing => return done(),
        };
        let mut wrong = Vec::new();
        for sentence in &said.sentences {
            if case.opinion.prose.len() >= SENTENCES {
                break;
            }
            match ground::sentence(case, &self.finding, &self.slots, sentence) {
                Ok(stands) if case.opinion.prose.contains(&stands) => {}
                Ok(stands) => case.opinion.prose.push(stands),
                Err(why) => wrong.push((sentence.text.clone(), why)),
            }
        }
        case.opinion.prose.sort_by_key(|sentence| sentence.about);
        if wrong.is_empty() {
            return done();
        }
        for (_, why) in &wrong {
            case.reject(Role::Write, "grounded", why);
        }
        let texts: Vec<&str> = wrong.iter().map(|(text, _)| text.as_str()).collect();
        let reasons: Vec<String> = wrong
            .iter()
            .map(|(text, why)| {
                let shown: String = text.chars().take(60).collect();
                format!("\"{shown}…\": {why}")
            })
            .collect();
        let why = format!(
            "these sentences do not stand; send them again, corrected, and no others: {}",
            reasons.join("; ")
        );
        if let Some(asking) = self.asking.repair(&Value::from(texts.join("\n")), why) {
            return again(asking);
        }
        case.opinion.dropped.extend(wrong.into_iter().map(|(_, why)| why));
        done()
    }

    fn refused(&self, _: &mut Case, _: &str) -> State {
        State::Conclude(Conclude::new((*self.finding).clone()))
    }
}
