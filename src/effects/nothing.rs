//! For a replay: whatever is not recorded does not happen.

use crate::{
    driver::{Effects, Performed},
    investigation::{Action, Failure, FailureKind, Observation},
    wire::Operation,
};

/// Performs nothing. The journal refuses to go beyond its recording before this is noticed.
pub struct NoEffects;

impl Effects for NoEffects {
    fn perform<'a>(&'a mut self, _: &'a Action) -> Performed<'a, Observation> {
        let failure = Failure {
            kind: FailureKind::Unreachable,
            message: "a replay performs nothing".to_owned(),
            hints: Vec::new(),
        };
        Box::pin(async move { Observation::Unavailable { failure } })
    }

    fn restore<'a>(&'a mut self, _: &'a [Operation]) -> Performed<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}
