//! Whether two queries ask the same: an answer that is recorded is not asked for again.

use crate::{
    investigation::{EvidenceId, case::Case},
    kfl,
    wire::Operation,
};

/// A filter in a form in which the order of its terms, spaces and repetitions make no difference.
fn canonical(filter: &str) -> String {
    let Ok(checked) = kfl::check(filter) else {
        return filter.to_owned();
    };
    let mut terms: Vec<String> = checked.terms().iter().map(|term| spaced(term.text)).collect();
    terms.sort();
    terms.dedup();
    terms.join(" && ")
}

/// The text without spaces outside of quotes, and without parentheses around all of it.
fn spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quote = None;
    let mut escaped = false;
    for c in text.chars() {
        match quote {
            Some(open) => {
                out.push(c);
                if !escaped && c == open {
                    quote = None;
                }
                escaped = !escaped && c == '\\';
            }
            None if c.is_whitespace() => {}
            None => {
                if matches!(c, '"' | '\'') {
                    quote = Some(c);
                    escaped = false;
                }
                out.push(c);
            }
        }
    }
    out
}

/// What tells queries that ask the same from others; `None` for what is no query about calls.
pub(in crate::investigation) fn key(operation: &Operation) -> Option<String> {
    let scope = operation.scope()?;
    let window = serde_json::to_string(&scope.window).unwrap_or_default();
    let about = match operation {
        Operation::ListCalls { limit, form, .. } => format!("list {limit} {form:?}"),
        Operation::CallDetail { call, .. } => format!("detail {call}"),
        other => other.name().to_owned(),
    };
    Some(format!("{about}|{window}|{}", canonical(&scope.filter)))
}

/// The evidence that an equivalent query was answered with.
pub(in crate::investigation) fn answered(case: &Case, operation: &Operation) -> Option<EvidenceId> {
    let hash = case.answered.get(&key(operation)?)?;
    case.evidence
        .all()
        .iter()
        .find(|evidence| &evidence.result_sha256 == hash)
        .map(|evidence| evidence.id.clone())
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn order_spaces_and_repetition_make_no_difference() {
        let forms = [
            r#"http && status_code >= 500 && dst.service.name == "a b""#,
            r#"status_code>=500 && http && dst.service.name=="a b""#,
            r#"http && http && dst.service.name == "a b" && status_code >= 500"#,
        ];
        let first = canonical(forms[0]);
        assert!(forms.iter().all(|form| canonical(form) == first), "{first}");
        assert_ne!(
            canonical(r#"http && dst.service.name == "a b""#),
            canonical(r#"http && dst.service.name == "ab""#)
        );
    }
}
