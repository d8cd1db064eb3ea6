//! The end: a finding, and the guards that may refuse it.

use crate::investigation::{
    case::Case,
    finding::{Confidence, Finding, Verdict},
    machine::{Plan, Seen, State, Step},
};

#[derive(Clone, Debug)]
pub struct Conclude {
    finding: Finding,
}

impl Conclude {
    pub fn new(finding: Finding) -> Self {
        Self { finding }
    }

    /// Nothing was recorded that could be looked at.
    pub fn no_data(because: String, next: Vec<String>) -> Self {
        Self::new(Finding {
            next,
            ..Finding::bare(Verdict::NoData, Confidence::High, vec![because])
        })
    }
}

impl Step for Conclude {
    fn plan(&self, _: &Case) -> Plan {
        Plan::Decide
    }

    fn settle(&self, _: &mut Case, _: Seen) -> State {
        State::Concluded(Box::new(self.finding.clone()))
    }

    /// What a guard does not let stand is not said: the verdict falls back to what is certain. Claims
    /// go with it, so that the second attempt has nothing left to be refused.
    fn refused(&self, case: &mut Case, why: &str) -> State {
        // Whatever it was: no word of a model stands beside a refused conclusion.
        case.opinion = crate::investigation::consult::opinion::Opinion::default();
        let mut finding = self.finding.clone();
        finding.verdict = Verdict::Inconclusive;
        finding.confidence = Confidence::Low;
        finding
            .because
            .push(format!("a guard refused the conclusion: {why}"));
        finding.causes.clear();
        finding.path.clear();
        finding.impact.clear();
        finding.ruled_out.clear();
        State::Conclude(Self { finding })
    }
}
