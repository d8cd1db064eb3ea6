//! Filters built from typed parts.
//!
//! A part that goes in as a value comes out as a literal whatever it holds, so no workload name can change
//! what a filter means. A filter remembers the order in which it was narrowed, and is written with the
//! cheap and selective terms first.

mod term;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

pub use term::{Literal, LiteralMismatch, Protocol, Term};

use super::check::{Checked, check};
use super::diagnostic::Diagnostic;
use super::field::FieldId;
use crate::time::{Utc, Window};

/// A filter in the making. Its `Display` is KFL.
///
/// Every method narrows: it gives the filter with one term more, whose [`previous`](Self::previous) is the
/// one before. What [`check`] can refuse of a built filter are contradictions (a call that has status 200
/// and at least 500 at once) and a text beyond the checker's limit of length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// In the order in which they were added.
    terms: Vec<Term>,
}

impl Filter {
    /// The empty filter, which matches every entry.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Entries of one protocol.
    pub fn new(protocol: Protocol) -> Self {
        Self::everything().and(Term::protocol(protocol))
    }

    /// Narrows by a term. A term that the filter has already is not repeated.
    #[must_use]
    pub fn and(mut self, term: Term) -> Self {
        if !self.terms.contains(&term) {
            self.terms.push(term);
        }
        self
    }

    /// Narrows by a term that restricts something; `None` restricts nothing.
    fn and_some(self, term: Option<Term>) -> Self {
        match term {
            Some(term) => self.and(term),
            None => self,
        }
    }

    /// The filter before its last narrowing. `None` for the empty filter.
    pub fn previous(&self) -> Option<Self> {
        let (_, before) = self.terms.split_last()?;
        Some(Self {
            terms: before.to_vec(),
        })
    }

    /// The filter with one term less: the last one that is about how calls end or how long they take, so that whose calls
    /// they are stays as long as it can; without such a term the last one: the positive control of "nothing found". `None` for
    /// the empty filter.
    pub fn relaxed(&self) -> Option<Self> {
        const OUTCOME: [&str; 3] = ["status", "elapsed_time", "error"];
        let outcome = |term: &Term| {
            let text = term.to_string();
            OUTCOME.iter().any(|word| text.contains(word))
        };
        let Some(at) = self.terms.iter().rposition(outcome) else {
            return self.previous();
        };
        let mut terms = self.terms.clone();
        terms.remove(at);
        Some(Self { terms })
    }

    /// The terms in the order in which they were added.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// The filter checked, as everything is before it is sent.
    ///
    /// # Errors
    /// What is contradictory, or too long.
    pub fn check(&self) -> Result<Checked, Vec<Diagnostic>> {
        check(&self.to_string())
    }

    /// Called by this service.
    #[must_use]
    pub fn src_service(self, name: &str) -> Self {
        self.and(Term::text(FieldId::SRC_SERVICE_NAME, name))
    }

    /// Calls to this service.
    #[must_use]
    pub fn dst_service(self, name: &str) -> Self {
        self.and(Term::text(FieldId::DST_SERVICE_NAME, name))
    }

    /// Called from this namespace: the pod's, which falls back to the service's.
    #[must_use]
    pub fn src_namespace(self, name: &str) -> Self {
        self.and(Term::text(FieldId::SRC_POD_NAMESPACE, name))
    }

    /// Calls into this namespace: the pod's, which falls back to the service's.
    #[must_use]
    pub fn dst_namespace(self, name: &str) -> Self {
        self.and(Term::text(FieldId::DST_POD_NAMESPACE, name))
    }

    /// Called by this pod.
    #[must_use]
    pub fn src_pod(self, name: &str) -> Self {
        self.and(Term::text(FieldId::SRC_POD_NAME, name))
    }

    /// Calls to this pod.
    #[must_use]
    pub fn dst_pod(self, name: &str) -> Self {
        self.and(Term::text(FieldId::DST_POD_NAME, name))
    }

    /// Called from this address.
    #[must_use]
    pub fn src_ip(self, address: std::net::IpAddr) -> Self {
        self.and(Term::text(FieldId::SRC_IP, &address.to_string()))
    }

    /// Calls to this address.
    #[must_use]
    pub fn dst_ip(self, address: std::net::IpAddr) -> Self {
        self.and(Term::text(FieldId::DST_IP, &address.to_string()))
    }

    /// Calls to this port.
    #[must_use]
    pub fn dst_port(self, port: u16) -> Self {
        self.and(Term::int(FieldId::DST_PORT, "==", i64::from(port)))
    }

    /// With this method, which HTTP writes in capitals.
    #[must_use]
    pub fn method(self, method: &str) -> Self {
        self.and(Term::text(FieldId::METHOD, method))
    }

    /// With exactly this path (without the query).
    #[must_use]
    pub fn path(self, path: &str) -> Self {
        self.and(Term::text(FieldId::PATH, path))
    }

    /// With a path that begins so. The empty beginning restricts nothing.
    #[must_use]
    pub fn path_starts_with(self, prefix: &str) -> Self {
        self.and_some(Term::starts_with(FieldId::PATH, prefix))
    }

    /// With a path that contains this. The empty text restricts nothing.
    #[must_use]
    pub fn path_contains(self, part: &str) -> Self {
        self.and_some(Term::contains(FieldId::PATH, part))
    }

    /// With exactly this status: HTTP's, or the DNS response code. The highest is 999.
    #[must_use]
    pub fn status(self, code: u16) -> Self {
        self.and(Term::int(FieldId::STATUS_CODE, "==", i64::from(code.min(999))))
    }

    /// With this status or a higher one. 0 restricts nothing; the highest is 999.
    #[must_use]
    pub fn status_at_least(self, code: u16) -> Self {
        self.and_some((code > 0).then(|| Term::status_at_least(code)))
    }

    /// With a status of this class, 1 to 5: 5 is 500 to 599.
    #[must_use]
    pub fn status_class(self, class: u8) -> Self {
        self.and(Term::status_class(class))
    }

    /// Took this long or longer. Rounded down to whole µs; zero restricts nothing.
    #[must_use]
    pub fn latency_at_least(self, bound: Duration) -> Self {
        let micros = term::micros(bound);
        let term = Term::int(FieldId::ELAPSED_TIME, ">=", micros);
        self.and_some((micros > 0).then_some(term))
    }

    /// Took less than this. Rounded up to whole µs, 1 at least.
    #[must_use]
    pub fn latency_below(self, bound: Duration) -> Self {
        let up = bound.saturating_add(Duration::from_nanos(999));
        self.and(Term::int(FieldId::ELAPSED_TIME, "<", term::micros(up).max(1)))
    }

    /// DNS entries whose response code is an error.
    #[must_use]
    pub fn dns_failed(self) -> Self {
        self.and(Term::protocol(Protocol::Dns)).and(Term::dns_failed())
    }

    /// Began in the window, whose end does not belong to it.
    #[must_use]
    pub fn between(self, window: &Window) -> Self {
        self.and(Term::between(window))
    }

    /// Began outside of the window.
    #[must_use]
    pub fn not_between(self, window: &Window) -> Self {
        self.and(Term::not_between(window))
    }

    /// Began at this time or later.
    #[must_use]
    pub fn since(self, start: Utc) -> Self {
        self.and(Term::since(start))
    }

    /// Began before this time.
    #[must_use]
    pub fn until(self, end: Utc) -> Self {
        self.and(Term::until(end))
    }

    /// With a field that equals a value.
    ///
    /// # Errors
    /// Where the field has another type than the value.
    pub fn eq(self, field: FieldId, value: impl Into<Literal>) -> Result<Self, LiteralMismatch> {
        Ok(self.and(Term::equals(field, value)?))
    }
}

impl From<&Checked> for Filter {
    /// A filter that somebody wrote: each of its terms is a step of narrowing.
    fn from(checked: &Checked) -> Self {
        let terms = checked.terms();
        let alone = terms.len() == 1;
        terms.iter().fold(Self::everything(), |filter, term| {
            filter.and(Term::written(term.text, alone))
        })
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut terms: Vec<&Term> = self.terms.iter().collect();
        terms.sort_by_key(|term| term.rank());
        for (at, term) in terms.into_iter().enumerate() {
            if at > 0 {
                f.write_str(" && ")?;
            }
            f.write_str(term.kfl())?;
        }
        Ok(())
    }
}

/// The text as a string literal of KFL: quotes, backslashes and what is not visible are escaped.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || is_invisible(c) => {
                out.push_str(&escaped(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Characters that turn the writing direction, or take no room.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn escaped(c: char) -> String {
    // All characters escaped this way are below U+10000.
    format!("\\u{:04x}", u32::from(c))
}
