//! KFL filters of queries, with the manners of a Hub.

use std::str::FromStr;

use crate::kfl::{Code, Diagnostic, OnError, Predicate, Severity, check_as_server};

use super::columns::Row;
use super::error::ToolError;

/// What a filter with an unknown name or a wrong type does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KflErrors {
    /// Matches nothing, without a word, as Kubeshark does.
    #[default]
    Silent,
    /// Is refused with the reason.
    Strict,
}

impl FromStr for KflErrors {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "silent" => Ok(Self::Silent),
            "strict" => Ok(Self::Strict),
            other => Err(format!("`{other}` is neither `silent` nor `strict`")),
        }
    }
}

/// A filter ready to be asked about calls. `None` matches nothing.
pub(super) struct Filter(Option<Predicate>);

impl Filter {
    /// Reads a filter. What is no KFL at all is refused; what names unknown fields or compares wrong
    /// types is treated as `errors` says. `now_us` is what `now()` gives, Unix µs.
    pub(super) fn compile(text: &str, errors: KflErrors, now_us: i64) -> Result<Self, ToolError> {
        let found = match check_as_server(text) {
            Ok(checked) => return Ok(Self(Some(checked.compile(now_us).on_error(OnError::NoMatch)))),
            Err(found) => found,
        };
        let syntax = found
            .iter()
            .any(|one| matches!(one.code, Code::Syntax | Code::TooLarge));
        if syntax || errors == KflErrors::Strict {
            let wrong: Vec<String> = found
                .iter()
                .filter(|one| one.severity == Severity::Error)
                .map(|one| sentence(one, text))
                .collect();
            return Err(ToolError::bad_request(format!(
                "invalid KFL filter: {}",
                wrong.join("; ")
            )));
        }
        Ok(Self(None))
    }

    /// Whether the call is wanted. One that the filter fails on is not.
    pub(super) fn matches(&self, call: &Row<'_>) -> bool {
        self.0
            .as_ref()
            .is_some_and(|predicate| predicate.matches(call).unwrap_or(false))
    }
}

fn sentence(found: &Diagnostic, text: &str) -> String {
    let at = text
        .get(..found.span.start)
        .map_or(0, |before| before.chars().count())
        + 1;
    format!("column {at}: {}", found.message)
}
