//! Endpoints: a method and a path whose variable parts are taken out.

use std::collections::BTreeMap;

use crate::wire::decode::Call;

/// The path without query, with every segment that looks like an identifier replaced by `{id}`.
pub fn path_template(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    path.split('/')
        .map(|segment| if is_identifier(segment) { "{id}" } else { segment })
        .collect::<Vec<_>>()
        .join("/")
}

/// Digits, or a mix of digits and letters of some length: nobody names a route like that.
fn is_identifier(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let word = segment
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let version = segment.len() <= 3 && segment.starts_with('v');
    word && digits > 0 && !version && (digits == segment.len() || digits >= 2)
}

/// `POST /orders/{id}`; `None` where the call has no path.
pub fn endpoint(call: &Call) -> Option<String> {
    let path = call.path.as_deref().filter(|path| !path.is_empty())?;
    Some(format!(
        "{} {}",
        call.method.as_deref().unwrap_or("?"),
        path_template(path)
    ))
}

/// The endpoint that most of the calls have, where it is most of them by far (nine of ten).
pub fn common_endpoint<'a>(calls: impl IntoIterator<Item = &'a Call>) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut all = 0;
    for call in calls {
        all += 1;
        if let Some(name) = endpoint(call) {
            *counts.entry(name).or_default() += 1;
        }
    }
    let (name, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (count * 10 >= all * 9).then_some(name)
}
