mod against_cel;

use super::*;
use crate::kfl::check_as_server;
use crate::kfl::record::Value;

/// A record of pairs. Fields that are not named are absent.
#[derive(Default)]
pub(super) struct Pairs {
    values: Vec<(FieldId, Owned)>,
}

pub(super) enum Owned {
    Bool(bool),
    Int(i64),
    Str(String),
    Bytes(Vec<u8>),
    List(Vec<String>),
    Map(Vec<(String, String)>),
    Timestamp(i64),
}

impl Record for Pairs {
    fn field(&self, field: FieldId) -> Option<Value<'_>> {
        let (_, value) = self.values.iter().find(|(id, _)| *id == field)?;
        Some(match value {
            Owned::Bool(value) => Value::Bool(*value),
            Owned::Int(value) => Value::Int(*value),
            Owned::Str(value) => Value::Str(value),
            Owned::Bytes(value) => Value::Bytes(value),
            Owned::List(value) => Value::List(value),
            Owned::Map(value) => Value::Map(value),
            Owned::Timestamp(value) => Value::Timestamp(*value),
        })
    }
}

const NOW_US: i64 = 1_773_504_754_000_000;

/// A failed charge, 2026-03-14T16:12:34Z, one minute before now.
fn charge() -> Pairs {
    let strings = |items: &[&str]| items.iter().map(ToString::to_string).collect();
    let map = |items: &[(&str, &str)]| {
        items
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect()
    };
    Pairs {
        values: vec![
            (FieldId::HTTP, Owned::Bool(true)),
            (FieldId::METHOD, Owned::Str("POST".into())),
            (FieldId::PATH, Owned::Str("/api/v1/charge".into())),
            (FieldId::URL, Owned::Str("/api/v1/charge?id=é".into())),
            (FieldId::STATUS_CODE, Owned::Int(503)),
            (FieldId::ELAPSED_TIME, Owned::Int(12_340_000)),
            (FieldId::DST_PORT, Owned::Int(8080)),
            (FieldId::DST_SERVICE_NAME, Owned::Str("payments".into())),
            (FieldId::SRC_POD_NAMESPACE, Owned::Str("shop".into())),
            (FieldId::DST_POD_NAMESPACE, Owned::Str("shop".into())),
            (FieldId::NAMESPACES, Owned::List(strings(&["shop", "prod"]))),
            (
                FieldId::REQUEST_HEADERS,
                Owned::Map(map(&[("host", "payments.shop"), ("x-id", "7"), ("x-id", "8")])),
            ),
            (FieldId::TCP_PAYLOAD, Owned::Bytes(vec![0, 255])),
            (FieldId::TIMESTAMP, Owned::Timestamp(NOW_US - 60_000_000)),
        ],
    }
}

fn evaluate(filter: &str, record: &Pairs) -> Result<bool, EvalErrorKind> {
    let checked = check_as_server(filter).unwrap_or_else(|found| panic!("{filter}: {found:#?}"));
    let predicate = checked.compile(NOW_US);
    let result = predicate.matches(record).map_err(|error| error.kind);
    // Behind a pointer the answer is the same.
    let unsized_record: &dyn Record = record;
    assert_eq!(
        predicate.matches(unsized_record).map_err(|error| error.kind),
        result
    );
    result
}

fn all(expected: bool, filters: &[&str]) {
    for filter in filters {
        assert_eq!(evaluate(filter, &charge()), Ok(expected), "{filter}");
    }
}

#[test]
fn operators_hold_where_they_should() {
    all(
        true,
        &[
            "",
            "http",
            "!dns",
            "http && status_code == 503",
            "dns || status_code != 200",
            "status_code > 502 && status_code >= 503 && status_code < 504 && status_code <= 503",
            "503 == status_code && 504 > status_code",
            "status_code in [500, 503]",
            "method in [\"PUT\", \"POST\"]",
            "method in [path, \"POST\"]",
            "\"prod\" in namespaces && !(\"dev\" in namespaces)",
            "\"host\" in request.headers && !(\"cookie\" in request.headers)",
            "has(request.headers.host) && !has(request.headers.cookie)",
            "path.contains(\"charge\") && path.startsWith(\"/api\") && path.endsWith(\"ge\")",
            "path.matches(\"^/api/v[0-9]+/\") && path.matches(\"v1\") && !path.matches(\"^v1\")",
            "size(method) == 4 && method.size() == 4 && size(url) == 19",
            "size(namespaces) == 2 && size(request.headers) == 3 && size(tcp_payload) == 2",
            "request.headers[\"host\"] == \"payments.shop\" && request.headers.host == \"payments.shop\"",
            "request.headers[\"x-id\"] == \"7\"",
            "map_get(request.headers, \"x-id\", \"\") == \"7\" && map_get(request.headers, \"no\", \"d\") == \"d\"",
            "src.pod.namespace == dst.pod.namespace",
            "src.pod.namespace + \"/\" + dst.service.name == \"shop/payments\"",
            "\"a\" + \"b\" + method == \"abPOST\"",
            "method < \"PUT\" && method >= \"POST\" && method <= \"POST\" && method > \"PA\"",
            "http ? status_code >= 500 : false",
            "!(dns ? status_code >= 500 : false)",
            "(http ? elapsed_time : 0) == 12340000",
            "(dns ? method : path) == path",
            "elapsed_time / 1000 == 12340 && elapsed_time % 7 == 12340000 % 7 && elapsed_time * 2 - 1 > elapsed_time + 1",
            "-status_code == -503 && - 503 + 503 == 0",
            "http == true && dns == false && http != dns && !(http == dns)",
            "tcp_payload == b\"\\x00\\xff\" && tcp_payload != b'x'",
            "namespaces == [\"shop\", \"prod\"] && namespaces != [\"prod\", \"shop\"] && namespaces != []",
            "namespaces == [\"shop\", \"pr\" + \"od\"] && [src.pod.namespace, \"prod\"] == namespaces",
            "timestamp == timestamp(\"2026-03-14T16:11:34Z\")",
            "timestamp >= timestamp(\"2026-03-14T18:11:34+02:00\") && timestamp < now()",
            "timestamp > now() - duration(\"5m\") && !(timestamp > now() - duration(\"30s\"))",
            "now() - timestamp == duration(\"1m\") && duration(\"30s\") + duration(\"30s\") == duration(\"1m\")",
            "timestamp + duration(\"1m\") == now() && duration(\"1m\") + timestamp == now()",
            "-duration(\"1m\") + duration(\"2m\") == duration(\"1m\") && timestamp - now() < duration(\"0\")",
            "(http ? now() : timestamp) == now() && (dns ? duration(\"1s\") : duration(\"2s\")) > duration(\"1s\")",
            "url.endsWith(\"\\u00e9\") && path.contains(r\"/api\")",
        ],
    );
    all(
        false,
        &[
            "!http",
            "dns",
            "status_code == 500 || dns",
            "method == \"post\"",
            "\"shop\" in services",
            "path.matches(\"^charge\")",
        ],
    );
}

#[test]
fn absent_fields_have_the_languages_defaults() {
    let empty = Pairs::default();
    for filter in [
        "!http",
        "status_code == 0",
        "grpc_status == -1",
        "path == \"\"",
        "size(namespaces) == 0 && namespaces == []",
        "size(request.headers) == 0",
        "size(tcp_payload) == 0 && tcp_payload == b\"\"",
        "!(\"x\" in namespaces) && !(\"x\" in request.headers)",
        "timestamp == timestamp(\"1970-01-01T00:00:00Z\")",
        "map_get(request.headers, \"x\", \"none\") == \"none\"",
    ] {
        assert_eq!(evaluate(filter, &empty), Ok(true), "{filter}");
    }
}

#[test]
fn what_depends_on_the_data_is_an_error() {
    let missing = EvalErrorKind::MissingKey(FieldId::REQUEST_HEADERS);
    for (filter, kind) in [
        ("request.headers[\"no\"] == \"x\"", missing),
        ("request.headers.no != \"x\"", missing),
        ("size(request.headers[\"no\"]) == 0", missing),
        ("!(request.headers[\"no\"] == \"x\")", missing),
        ("1000 / (status_code - 503) == 1", EvalErrorKind::DivisionByZero),
        ("1000 % (status_code - 503) == 1", EvalErrorKind::DivisionByZero),
        ("elapsed_time + 9223372036854775807 > 0", EvalErrorKind::Overflow),
        ("elapsed_time * 9223372036854775807 > 0", EvalErrorKind::Overflow),
    ] {
        assert_eq!(evaluate(filter, &charge()), Err(kind), "{filter}");
    }
}

#[test]
fn an_error_counts_only_where_nothing_else_decides() {
    let fails = "request.headers[\"no\"] == \"x\"";
    for (filter, expected) in [
        (format!("{fails} && dns"), Some(false)),
        (format!("dns && {fails}"), Some(false)),
        (format!("{fails} || http"), Some(true)),
        (format!("http || {fails}"), Some(true)),
        (format!("{fails} && http"), None),
        (format!("{fails} || dns"), None),
        (format!("http ? true : {fails}"), Some(true)),
        (format!("{fails} ? true : false"), None),
    ] {
        assert_eq!(evaluate(&filter, &charge()).ok(), expected, "{filter}");
    }
}

#[test]
fn errors_can_be_read_and_can_count_as_no_match() {
    let filter = "http && request.headers[\"no\"] == \"x\"";
    let checked = check_as_server(filter).unwrap();
    let predicate = checked.compile(NOW_US);
    let error = predicate.matches(&charge()).unwrap_err();
    assert_eq!(&filter[error.span()], "request.headers[\"no\"]");
    assert_eq!(
        error.describe(checked.source()),
        "no such key in `request.headers`: `request.headers[\"no\"]`"
    );
    assert_eq!(predicate.on_error(OnError::NoMatch).matches(&charge()), Ok(false));
}

#[test]
fn a_record_that_breaks_the_table_is_reported() {
    let record = Pairs {
        values: vec![(FieldId::STATUS_CODE, Owned::Str("500".into()))],
    };
    assert_eq!(
        evaluate("status_code == 500", &record),
        Err(EvalErrorKind::WrongType(FieldId::STATUS_CODE))
    );
}
