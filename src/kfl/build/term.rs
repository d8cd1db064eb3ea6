//! Terms: the parts of a filter that are joined by `&&`.

use std::fmt;
use std::time::Duration;

use chrono::{DurationRound, SecondsFormat, TimeDelta};

use super::super::field::{self, FieldId, Type};
use super::quoted;
use crate::time::{Utc, Window};

/// What an entry is of: the flags that filters begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    Http,
    Dns,
    Tls,
    Grpc,
    Ws,
    Gql,
    Redis,
    Kafka,
    Amqp,
    Mysql,
    Postgresql,
    Mongodb,
    Ldap,
    Radius,
    Diameter,
    Icmp,
    Tcp,
    Udp,
    Sctp,
    Conn,
    TcpConn,
    UdpConn,
    Flow,
    TcpFlow,
    UdpFlow,
}

impl Protocol {
    /// The flag that entries of the protocol have.
    pub fn flag(self) -> FieldId {
        match self {
            Protocol::Http => FieldId::HTTP,
            Protocol::Dns => FieldId::DNS,
            Protocol::Tls => FieldId::TLS,
            Protocol::Grpc => FieldId::GRPC,
            Protocol::Ws => FieldId::WS,
            Protocol::Gql => FieldId::GQL,
            Protocol::Redis => FieldId::REDIS,
            Protocol::Kafka => FieldId::KAFKA,
            Protocol::Amqp => FieldId::AMQP,
            Protocol::Mysql => FieldId::MYSQL,
            Protocol::Postgresql => FieldId::POSTGRESQL,
            Protocol::Mongodb => FieldId::MONGODB,
            Protocol::Ldap => FieldId::LDAP,
            Protocol::Radius => FieldId::RADIUS,
            Protocol::Diameter => FieldId::DIAMETER,
            Protocol::Icmp => FieldId::ICMP,
            Protocol::Tcp => FieldId::TCP,
            Protocol::Udp => FieldId::UDP,
            Protocol::Sctp => FieldId::SCTP,
            Protocol::Conn => FieldId::CONN,
            Protocol::TcpConn => FieldId::TCP_CONN,
            Protocol::UdpConn => FieldId::UDP_CONN,
            Protocol::Flow => FieldId::FLOW,
            Protocol::TcpFlow => FieldId::TCP_FLOW,
            Protocol::UdpFlow => FieldId::UDP_FLOW,
        }
    }
}

/// Where a term stands in a filter: what is cheap to look at and leaves little over comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Protocol,
    Namespace,
    Number,
    Time,
    Name,
    List,
    Part,
    Joined,
}

/// One term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    rank: Rank,
    kfl: String,
}

impl Term {
    pub(super) fn rank(&self) -> Rank {
        self.rank
    }

    /// The term's text.
    pub fn kfl(&self) -> &str {
        &self.kfl
    }

    /// A term that somebody wrote, which has been checked. One that stands `alone` may be joined by what binds
    /// less than `&&`.
    pub(super) fn written(text: &str, alone: bool) -> Self {
        let flag = field::lookup(text).is_some_and(|id| field::info(id).is_protocol_flag());
        let loose = alone && text.contains(['|', '?']);
        Self {
            rank: if flag { Rank::Protocol } else { Rank::Joined },
            kfl: if loose {
                format!("({text})")
            } else {
                text.to_owned()
            },
        }
    }

    /// The flag of a protocol.
    pub fn protocol(protocol: Protocol) -> Self {
        Self {
            rank: Rank::Protocol,
            kfl: protocol.flag().name().to_owned(),
        }
    }

    /// A field that equals a value.
    ///
    /// # Errors
    /// Where the field has another type than the value.
    pub fn equals(field: FieldId, value: impl Into<Literal>) -> Result<Self, LiteralMismatch> {
        match (field.kind(), value.into()) {
            (Type::Bool, Literal::Bool(true)) => Ok(Self {
                rank: Rank::Number,
                kfl: field.name().to_owned(),
            }),
            (Type::Bool, Literal::Bool(false)) => Ok(Self {
                rank: Rank::Number,
                kfl: format!("!{field}"),
            }),
            (Type::Int, Literal::Int(value)) => Ok(Self::int(field, "==", value)),
            (Type::String, Literal::Text(value)) => Ok(Self::text(field, &value)),
            // A list "equals" a text where it holds it: the way a filter asks for one of several.
            (Type::List, Literal::Text(value)) => Ok(Self {
                rank: Rank::List,
                kfl: format!("{} in {field}", quoted(&value)),
            }),
            (_, literal) => Err(LiteralMismatch { field, literal }),
        }
    }

    /// A field that has another value.
    ///
    /// # Errors
    /// Where the field has another type than the value.
    pub fn differs(field: FieldId, value: impl Into<Literal>) -> Result<Self, LiteralMismatch> {
        let literal = value.into();
        let equal = Self::equals(field, literal.clone())?;
        Ok(match (field.kind(), literal) {
            (Type::Int, Literal::Int(value)) => Self::int(field, "!=", value),
            (Type::String, Literal::Text(value)) => Self {
                rank: equal.rank,
                kfl: format!("{field} != {}", quoted(&value)),
            },
            _ => equal.negated(),
        })
    }

    /// A string field that has one of several values; `None` where there are none, or the field is of
    /// another type.
    pub fn one_of(field: FieldId, values: &[&str]) -> Option<Self> {
        if field.kind() != Type::String || values.is_empty() {
            return None;
        }
        if let [only] = values {
            return Some(Self::text(field, only));
        }
        let list: Vec<_> = values.iter().map(|value| quoted(value)).collect();
        Some(Self {
            rank: rank_of(field).max(Rank::List),
            kfl: format!("{field} in [{}]", list.join(", ")),
        })
    }

    /// A map (labels, headers, …) that has this value under a key; `None` where the field is no map.
    pub fn entry(map: FieldId, key: &str, value: &str) -> Option<Self> {
        if map.kind() != Type::Map {
            return None;
        }
        // The default must differ from the value, or entries without the key would match.
        let default = if value.is_empty() { "-" } else { "" };
        Some(Self {
            rank: Rank::List,
            kfl: format!(
                "map_get({map}, {}, {}) == {}",
                quoted(key),
                quoted(default),
                quoted(value)
            ),
        })
    }

    /// A string field that contains a text; `None` where that restricts nothing.
    pub fn contains(field: FieldId, part: &str) -> Option<Self> {
        Self::part(field, "contains", part)
    }

    /// A string field that begins with a text; `None` where that restricts nothing.
    pub fn starts_with(field: FieldId, part: &str) -> Option<Self> {
        Self::part(field, "startsWith", part)
    }

    /// A string field that ends with a text; `None` where that restricts nothing.
    pub fn ends_with(field: FieldId, part: &str) -> Option<Self> {
        Self::part(field, "endsWith", part)
    }

    fn part(field: FieldId, function: &str, part: &str) -> Option<Self> {
        (field.kind() == Type::String && !part.is_empty()).then(|| Self {
            rank: Rank::Part,
            kfl: format!("{field}.{function}({})", quoted(part)),
        })
    }

    /// Entries whose number is below `bound`; `None` where the field is no number.
    pub fn below(field: FieldId, bound: u16) -> Option<Self> {
        (field.kind() == Type::Int).then(|| Self::int(field, "<", i64::from(bound)))
    }

    /// What the term does not match.
    #[must_use]
    pub fn negated(&self) -> Self {
        let simple = self
            .kfl
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._".contains(&b));
        Self {
            rank: self.rank.max(Rank::Number),
            kfl: if simple {
                format!("!{}", self.kfl)
            } else {
                format!("!({})", self.kfl)
            },
        }
    }

    /// What all of the terms match, as one term; `None` where there are none.
    pub fn all(terms: &[Term]) -> Option<Self> {
        let rank = terms.iter().map(|term| term.rank).max()?;
        let texts: Vec<_> = terms.iter().map(Term::kfl).collect();
        Some(Self {
            rank,
            kfl: texts.join(" && "),
        })
    }

    /// What any of the terms matches; `None` where there are none.
    pub fn any(terms: &[Term]) -> Option<Self> {
        if let [only] = terms {
            return Some(only.clone());
        }
        let rank = terms.iter().map(|term| term.rank).max()?.max(Rank::Joined);
        // `&&` binds tighter than `||`, so terms of two parts need no parentheses.
        let texts: Vec<_> = terms.iter().map(Term::kfl).collect();
        Some(Self {
            rank,
            kfl: format!("({})", texts.join(" || ")),
        })
    }

    pub(super) fn text(field: FieldId, value: &str) -> Self {
        Self {
            rank: rank_of(field),
            kfl: format!("{field} == {}", quoted(value)),
        }
    }

    pub(super) fn int(field: FieldId, operator: &str, value: i64) -> Self {
        Self {
            rank: Rank::Number,
            kfl: format!("{field} {operator} {value}"),
        }
    }

    /// This status or a higher one; at most 999.
    pub fn status_at_least(code: u16) -> Self {
        Self::int(FieldId::STATUS_CODE, ">=", i64::from(code.min(999)))
    }

    /// A status class, 1 to 9, of which HTTP defines those up to 5.
    pub fn status_class(class: u8) -> Self {
        let low = u16::from(class.clamp(1, 9)) * 100;
        Self {
            rank: Rank::Number,
            kfl: format!("status_code >= {low} && status_code < {}", low + 100),
        }
    }

    /// A DNS answer whose response code is an error.
    pub fn dns_failed() -> Self {
        Self {
            rank: Rank::Number,
            kfl: "dns_response && status_code != 0".to_owned(),
        }
    }

    /// Began in the window, whose end does not belong to it.
    pub fn between(window: &Window) -> Self {
        let (start, end) = (literal(window.start), literal(window.end));
        Self {
            rank: Rank::Time,
            kfl: format!("timestamp >= {start} && timestamp < {end}"),
        }
    }

    /// Began outside of the window.
    pub fn not_between(window: &Window) -> Self {
        let (start, end) = (literal(window.start), literal(window.end));
        Self {
            rank: Rank::Time,
            kfl: format!("(timestamp < {start} || timestamp >= {end})"),
        }
    }

    /// Began at this time or later.
    pub fn since(start: Utc) -> Self {
        Self {
            rank: Rank::Time,
            kfl: format!("timestamp >= {}", literal(start)),
        }
    }

    /// Began before this time.
    pub fn until(end: Utc) -> Self {
        Self {
            rank: Rank::Time,
            kfl: format!("timestamp < {}", literal(end)),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kfl)
    }
}

fn rank_of(field: FieldId) -> Rank {
    if field.name().ends_with("namespace") {
        Rank::Namespace
    } else {
        Rank::Name
    }
}

/// Whole µs, at most what an int holds.
pub(super) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// `timestamp("…Z")`. Entries carry whole µs, so a bound between two of them is moved up to the next: that
/// changes neither what is at or after it nor what is before it. Years go from 1 to 9999.
fn literal(at: Utc) -> String {
    const FIRST_US: i64 = -62_135_596_800_000_000;
    const LAST_US: i64 = 253_402_300_799_000_000;
    let up = at.duration_round_up(TimeDelta::microseconds(1)).unwrap_or(at);
    let micros = up.timestamp_micros().clamp(FIRST_US, LAST_US);
    let at = Utc::from_timestamp_micros(micros).unwrap_or(up);
    format!(
        "timestamp(\"{}\")",
        at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
    )
}

/// A value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    Bool(bool),
    Int(i64),
    Text(String),
}

impl From<bool> for Literal {
    fn from(value: bool) -> Self {
        Literal::Bool(value)
    }
}

impl From<i64> for Literal {
    fn from(value: i64) -> Self {
        Literal::Int(value)
    }
}

impl From<&str> for Literal {
    fn from(value: &str) -> Self {
        Literal::Text(value.to_owned())
    }
}

impl From<String> for Literal {
    fn from(value: String) -> Self {
        Literal::Text(value)
    }
}

/// A value that its field cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` is {}, so it never equals {}", field::info(*field).kind.with_article(), shown(literal))]
pub struct LiteralMismatch {
    pub field: FieldId,
    pub literal: Literal,
}

fn shown(literal: &Literal) -> String {
    match literal {
        Literal::Bool(value) => value.to_string(),
        Literal::Int(value) => value.to_string(),
        Literal::Text(value) => quoted(value),
    }
}
