//! What came back for one operation.

use serde_json::Value;

use crate::wire::Operation;
use crate::wire::decode::{self, CallList, Stats};

/// An answer, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// Size of the answer as received, bytes.
    pub bytes: u64,
    pub told: Result<Told, String>,
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    Calls(CallList),
    Statistics(Stats),
}

impl Reply {
    /// Reads the answer to an operation that a plan asked.
    pub fn read(operation: &Operation, answer: &Value, bytes: u64) -> Self {
        let told = match operation {
            Operation::ApiStats { .. } => Ok(Told::Statistics(decode::stats(answer))),
            _ => decode::calls(answer)
                .map(Told::Calls)
                .map_err(|error| error.to_string()),
        };
        Self { bytes, told }
    }

    /// The list, where it is one.
    pub fn list(&self) -> Option<&CallList> {
        self.calls().ok()
    }

    /// A call that failed.
    pub fn failed(why: impl Into<String>) -> Self {
        Self {
            bytes: 0,
            told: Err(why.into()),
        }
    }

    pub(super) fn missing() -> Self {
        Self::failed("it was not asked")
    }

    pub(super) fn calls(&self) -> Result<&CallList, String> {
        match &self.told {
            Ok(Told::Calls(list)) => Ok(list),
            Ok(Told::Statistics(_)) => Err("statistics came where calls were asked for".to_owned()),
            Err(why) => Err(why.clone()),
        }
    }

    pub(super) fn statistics(&self) -> Option<&Stats> {
        match &self.told {
            Ok(Told::Statistics(stats)) => Some(stats),
            _ => None,
        }
    }
}
