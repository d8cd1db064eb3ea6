//! A filter in plain words, with units spelled out.

#[cfg(test)]
mod tests;

use super::ast::{Arithmetic, Comparison};
use super::build::quoted;
use super::check::Checked;
use super::field::{self, FieldId};
use super::instant;
use super::typed::{BoolExpr, BytesExpr, DurationExpr, IntExpr, ListExpr, StrExpr, TextTest, TimeExpr};

/// What the filter asks for, one line a term, without a line feed at the end.
pub fn explain(checked: &Checked) -> String {
    let (head, terms) = match checked.root() {
        None => return "Every entry.".to_owned(),
        Some(BoolExpr::All(terms)) => ("Entries for which all of this holds:", terms.as_slice()),
        Some(BoolExpr::Any(terms)) => ("Entries for which any of this holds:", terms.as_slice()),
        Some(one) => ("Entries for which this holds:", std::slice::from_ref(one)),
    };
    let mut out = head.to_owned();
    for term in terms {
        out.push_str("\n  - ");
        out.push_str(&clause(term, true));
    }
    out
}

/// A condition as a clause, or (without `truth`) its opposite.
fn clause(condition: &BoolExpr, truth: bool) -> String {
    let is = if truth { "is" } else { "is not" };
    match condition {
        BoolExpr::Const(value) => if *value == truth { "always" } else { "never" }.to_owned(),
        BoolExpr::Field(id) => flag(*id, truth),
        BoolExpr::Not(inner) => clause(inner, !truth),
        BoolExpr::All(terms) => joined(terms, truth, truth),
        BoolExpr::Any(terms) => joined(terms, truth, !truth),
        BoolExpr::If(condition, yes, no) => format!(
            "(where {}, {}; otherwise {})",
            clause(condition, true),
            clause(yes, truth),
            clause(no, truth)
        ),
        BoolExpr::Same(a, b) => {
            let both = if truth {
                "both or neither holds"
            } else {
                "exactly one holds"
            };
            format!("of ({}) and ({}) {both}", clause(a, true), clause(b, true))
        }
        BoolExpr::Int(operator, a, b) => int_clause(if truth { *operator } else { operator.negated() }, a, b),
        BoolExpr::Str(operator, a, b) => {
            let operator = if truth { *operator } else { operator.negated() };
            let relation = match operator {
                Comparison::Eq => "is",
                Comparison::Ne => "is not",
                Comparison::Lt => "sorts before",
                Comparison::Le => "sorts before or is",
                Comparison::Gt => "sorts after",
                Comparison::Ge => "sorts after or is",
            };
            format!("{} {relation} {}", text(a), text(b))
        }
        BoolExpr::Time(operator, a, b) => {
            time_clause(if truth { *operator } else { operator.negated() }, a, b)
        }
        BoolExpr::Duration(operator, a, b) => {
            let operator = if truth { *operator } else { operator.negated() };
            format!("{} {} {}", duration(a), is_than(operator), duration(b))
        }
        BoolExpr::Bytes(a, b) => format!("{} {is} {}", bytes(a), bytes(b)),
        BoolExpr::List(a, b) => format!("{} {is} {}", list(a), list(b)),
        BoolExpr::IntIn(value, items) => {
            let items: Vec<_> = items.iter().map(ToString::to_string).collect();
            let one = if truth { "one" } else { "none" };
            format!("{} is {one} of {}", int(value), items.join(", "))
        }
        BoolExpr::StrIn(value, ListExpr::Field(id)) => {
            let has = if truth { "contains" } else { "does not contain" };
            format!("`{id}` {has} {}", text(value))
        }
        BoolExpr::StrIn(value, items) => {
            let one = if truth { "one" } else { "none" };
            format!("{} is {one} of {}", text(value), list(items))
        }
        BoolExpr::KeyIn(key, map) => {
            let has = if truth { "has" } else { "does not have" };
            format!("`{map}` {has} the key {}", text(key))
        }
        BoolExpr::Text(test, whole, part) => {
            let relation = match (test, truth) {
                (TextTest::Contains, true) => "contains",
                (TextTest::Contains, false) => "does not contain",
                (TextTest::StartsWith, true) => "begins with",
                (TextTest::StartsWith, false) => "does not begin with",
                (TextTest::EndsWith, true) => "ends with",
                (TextTest::EndsWith, false) => "does not end with",
            };
            format!("{} {relation} {}", text(whole), text(part))
        }
        BoolExpr::Matches(whole, pattern) => {
            let matches = if truth { "matches" } else { "does not match" };
            format!(
                "{} {matches} the regular expression {}",
                text(whole),
                quoted(&pattern.source)
            )
        }
    }
}

/// Clauses in parentheses, joined by "and" or by "or".
fn joined(terms: &[BoolExpr], truth: bool, and: bool) -> String {
    let clauses: Vec<_> = terms.iter().map(|term| clause(term, truth)).collect();
    format!("({})", clauses.join(if and { ", and " } else { ", or " }))
}

fn flag(id: FieldId, truth: bool) -> String {
    let not = if truth { "" } else { "not " };
    let kind = match id {
        FieldId::TCP_CONN => "a TCP connection",
        FieldId::UDP_CONN => "a UDP connection",
        FieldId::TCP_FLOW => "a TCP flow",
        FieldId::UDP_FLOW => "a UDP flow",
        FieldId::CONN => "a connection",
        FieldId::FLOW => "a flow",
        FieldId::TLSX => "a TLS handshake",
        FieldId::HTTP => "an HTTP call",
        FieldId::DNS => "a DNS lookup",
        FieldId::GQL => "a GraphQL call",
        FieldId::GQLV1 => "a GraphQL call of version 1",
        FieldId::GQLV2 => "a GraphQL call of version 2",
        FieldId::GRPC => "a gRPC call",
        FieldId::WS => "WebSocket traffic",
        id if field::info(id).is_protocol_flag() => {
            let name = match id {
                FieldId::REDIS => "Redis",
                FieldId::KAFKA => "Kafka",
                FieldId::MYSQL => "MySQL",
                FieldId::POSTGRESQL => "PostgreSQL",
                FieldId::MONGODB => "MongoDB",
                FieldId::DIAMETER => "Diameter",
                _ => &id.name().to_uppercase(),
            };
            return format!("it is {not}{name} traffic");
        }
        id => return format!("`{id}` is {not}set"),
    };
    format!("it is {not}{kind}")
}

fn than(operator: Comparison) -> &'static str {
    match operator {
        Comparison::Eq => "exactly",
        Comparison::Ne => "not exactly",
        Comparison::Lt => "less than",
        Comparison::Le => "at most",
        Comparison::Gt => "more than",
        Comparison::Ge => "at least",
    }
}

fn is_than(operator: Comparison) -> String {
    match operator {
        Comparison::Eq => "is".to_owned(),
        Comparison::Ne => "is not".to_owned(),
        other => format!("is {}", than(other)),
    }
}

fn int_clause(operator: Comparison, left: &IntExpr, right: &IntExpr) -> String {
    let (IntExpr::Field(id), IntExpr::Const(bound)) = (left, right) else {
        return format!("{} {} {}", int(left), is_than(operator), int(right));
    };
    if *id == FieldId::ELAPSED_TIME {
        let than = if operator == Comparison::Gt {
            "longer than"
        } else {
            than(operator)
        };
        return format!("it took {than} {}", with_micros(*bound));
    }
    format!("{} {} {}", noun(*id), is_than(operator), quantity(*id, *bound))
}

/// `5 s (5,000,000 µs)`.
fn with_micros(micros: i64) -> String {
    if (-999..1_000).contains(&micros) {
        return format!("{micros} µs");
    }
    format!("{} ({} µs)", instant::spoken(micros), instant::grouped(micros))
}

/// A number with the unit of its field.
fn quantity(id: FieldId, number: i64) -> String {
    match field::info(id).unit.as_deref() {
        Some("bytes") => with_size(number),
        Some("microseconds") => with_micros(number),
        Some(unit) => format!("{} {unit}", instant::grouped(number)),
        // Codes and ports are not grouped.
        None => number.to_string(),
    }
}

/// `2,500,000 bytes (2.5 MB)`; units are powers of 1000, the first decimal is cut, not rounded.
fn with_size(bytes: i64) -> String {
    let text = format!("{} bytes", instant::grouped(bytes));
    let scales = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let Some((scale, unit)) = scales.into_iter().find(|(scale, _)| bytes >= *scale) else {
        return text;
    };
    let (whole, tenth) = (bytes / scale, bytes % scale * 10 / scale);
    let about = if bytes % (scale / 10) == 0 { "" } else { "about " };
    let decimal = if tenth == 0 {
        String::new()
    } else {
        format!(".{tenth}")
    };
    format!("{text} ({about}{}{decimal} {unit})", instant::grouped(whole))
}

fn time_clause(operator: Comparison, left: &TimeExpr, right: &TimeExpr) -> String {
    let (operator, left, right) = match (left, right) {
        (TimeExpr::Field(_), _) | (_, TimeExpr::Const(_)) => (operator, left, right),
        (_, TimeExpr::Field(_)) => (operator.mirrored(), right, left),
        _ => (operator, left, right),
    };
    if let (TimeExpr::Field(FieldId::TIMESTAMP), TimeExpr::Shift(at, by, true, _)) = (left, right)
        && **at == TimeExpr::Now
        && !operator.is_equality()
    {
        // Later is less long ago.
        return format!(
            "it began {} {} before now",
            than(operator.mirrored()),
            duration(by)
        );
    }
    let relation = match operator {
        Comparison::Eq => "at",
        Comparison::Ne => "at another time than",
        Comparison::Lt => "before",
        Comparison::Le => "at or before",
        Comparison::Gt => "after",
        Comparison::Ge => "at or after",
    };
    match left {
        TimeExpr::Field(FieldId::TIMESTAMP) => format!("it began {relation} {}", time(right)),
        _ => format!("{} is {relation} {}", time(left), time(right)),
    }
}

/// A field as a noun.
fn noun(id: FieldId) -> String {
    let known = match id {
        FieldId::STATUS_CODE => "the status code",
        FieldId::METHOD => "the method",
        FieldId::PATH => "the path",
        FieldId::URL => "the URL",
        FieldId::ELAPSED_TIME => "the time it took",
        FieldId::TIMESTAMP => "its beginning",
        FieldId::SRC_IP => "the source's address",
        FieldId::DST_IP => "the destination's address",
        FieldId::SRC_DNS => "the source's DNS name",
        FieldId::DST_DNS => "the destination's DNS name",
        FieldId::SRC_SERVICE_NAME => "the source's service",
        FieldId::DST_SERVICE_NAME => "the destination's service",
        FieldId::SRC_POD_NAME => "the source's pod",
        FieldId::DST_POD_NAME => "the destination's pod",
        FieldId::GRPC_STATUS => "the gRPC status",
        _ => return generic_noun(id),
    };
    known.to_owned()
}

fn generic_noun(id: FieldId) -> String {
    let sides = [("src.", "the source's "), ("dst.", "the destination's ")];
    for (prefix, side) in sides {
        if let Some(rest) = id.name().strip_prefix(prefix) {
            return format!("{side}{}", rest.replace('.', " "));
        }
    }
    format!("`{id}`")
}

fn int(value: &IntExpr) -> String {
    match value {
        IntExpr::Const(value) => instant::grouped(*value),
        IntExpr::Field(id) => match field::info(*id).unit.as_deref() {
            Some(unit) => format!("{} (in {unit})", noun(*id)),
            None => noun(*id),
        },
        IntExpr::Negate(operand, _) => format!("-({})", int(operand)),
        IntExpr::Arithmetic(operator, a, b, _) => {
            let sign = match operator {
                Arithmetic::Multiply => "×",
                other => other.symbol(),
            };
            format!("({} {sign} {})", int(a), int(b))
        }
        IntExpr::StrSize(of) => format!("the length of {}", text(of)),
        IntExpr::BytesSize(of) => format!("the number of bytes of {}", bytes(of)),
        IntExpr::ListSize(of) => format!("the number of elements of {}", list(of)),
        IntExpr::MapSize(id) => format!("the number of keys of `{id}`"),
        IntExpr::If(condition, yes, no) => {
            format!(
                "({} where {}, otherwise {})",
                int(yes),
                clause(condition, true),
                int(no)
            )
        }
    }
}

fn text(value: &StrExpr) -> String {
    match value {
        StrExpr::Const(value) => quoted(value),
        StrExpr::Field(id) => noun(*id),
        StrExpr::Index(map, key, _) => format!("the value of {} in `{map}`", text(key)),
        StrExpr::MapGet(map, key, default) => {
            format!(
                "the value of {} in `{map}` ({} without one)",
                text(key),
                text(default)
            )
        }
        StrExpr::Concat(a, b) => format!("{} followed by {}", text(a), text(b)),
        StrExpr::If(condition, yes, no) => {
            format!(
                "({} where {}, otherwise {})",
                text(yes),
                clause(condition, true),
                text(no)
            )
        }
    }
}

fn bytes(value: &BytesExpr) -> String {
    match value {
        BytesExpr::Const(bytes) => format!("{} given bytes", bytes.len()),
        BytesExpr::Field(id) => format!("`{id}`"),
    }
}

fn list(value: &ListExpr) -> String {
    let many = |items: Vec<String>| {
        if items.is_empty() {
            "the empty list".to_owned()
        } else {
            items.join(", ")
        }
    };
    match value {
        ListExpr::Const(items) => many(items.iter().map(|item| quoted(item)).collect()),
        ListExpr::Field(id) => format!("`{id}`"),
        ListExpr::Items(items) => many(items.iter().map(text).collect()),
    }
}

fn time(value: &TimeExpr) -> String {
    match value {
        TimeExpr::Const(micros) => instant::rfc3339(*micros),
        TimeExpr::Field(id) => noun(*id),
        TimeExpr::Now => "now".to_owned(),
        TimeExpr::Shift(at, by, back, _) => {
            let relation = if *back { "before" } else { "after" };
            format!("{} {relation} {}", duration(by), time(at))
        }
        TimeExpr::If(condition, yes, no) => {
            format!(
                "({} where {}, otherwise {})",
                time(yes),
                clause(condition, true),
                time(no)
            )
        }
    }
}

fn duration(value: &DurationExpr) -> String {
    match value {
        DurationExpr::Const(micros) => instant::spoken(*micros),
        DurationExpr::Between(later, earlier, _) => {
            format!("the time from {} to {}", time(earlier), time(later))
        }
        DurationExpr::Sum(a, b, minus, _) => {
            format!(
                "({} {} {})",
                duration(a),
                if *minus { "-" } else { "+" },
                duration(b)
            )
        }
        DurationExpr::If(condition, yes, no) => format!(
            "({} where {}, otherwise {})",
            duration(yes),
            clause(condition, true),
            duration(no)
        ),
    }
}
