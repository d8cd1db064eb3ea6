use super::*;
use crate::kfl::record::{Record, Value};
use crate::kfl::{Code, check_as_server};
use proptest::prelude::*;

fn at(text: &str) -> Utc {
    text.parse().unwrap()
}

fn incident() -> Window {
    Window {
        start: at("2026-03-14T16:00:00Z"),
        end: at("2026-03-14T16:30:00.5Z"),
    }
}

#[test]
fn filters_read_as_an_expert_writes_them() {
    let filter = Filter::new(Protocol::Http)
        .dst_service("payments")
        .dst_namespace("shop")
        .path_contains("/charge")
        .latency_at_least(Duration::from_millis(1500))
        .status_at_least(500);
    assert_eq!(
        filter.to_string(),
        "http && dst.pod.namespace == \"shop\" && elapsed_time >= 1500000 && status_code >= 500 \
         && dst.service.name == \"payments\" && path.contains(\"/charge\")"
    );
    assert_eq!(
        Filter::everything().dns_failed().between(&incident()).to_string(),
        "dns && dns_response && status_code != 0 && timestamp >= timestamp(\"2026-03-14T16:00:00Z\") \
         && timestamp < timestamp(\"2026-03-14T16:30:00.500Z\")"
    );
    assert_eq!(
        Filter::new(Protocol::Http)
            .not_between(&incident())
            .and(Term::status_class(4).negated())
            .to_string(),
        "http && !(status_code >= 400 && status_code < 500) \
         && (timestamp < timestamp(\"2026-03-14T16:00:00Z\") || timestamp >= timestamp(\"2026-03-14T16:30:00.500Z\"))"
    );
}

#[test]
fn every_kind_of_term_checks_clean() {
    let text = FieldId::SRC_NAME;
    let terms = [
        Term::equals(FieldId::DNS_REQUEST, true).unwrap(),
        Term::equals(FieldId::DNS_REQUEST, false).unwrap(),
        Term::equals(FieldId::KAFKA_SIZE, 7).unwrap(),
        Term::equals(FieldId::NAMESPACES, "shop").unwrap(),
        Term::one_of(text, &["a", "b\""]).unwrap(),
        Term::one_of(text, &["a"]).unwrap(),
        Term::entry(FieldId::LOCAL_LABELS, "app", "x").unwrap(),
        Term::entry(FieldId::REQUEST_HEADERS, "x\"", "").unwrap(),
        Term::ends_with(text, "z").unwrap(),
        Term::starts_with(text, "a").unwrap().negated(),
        Term::protocol(Protocol::Tls).negated(),
        Term::any(&[
            Term::status_class(5),
            Term::protocol(Protocol::Dns),
            Term::since(at("2026-03-14T16:00:00Z")),
        ])
        .unwrap(),
        Term::until(at("2026-03-14T16:00:00.123456Z")),
    ];
    for term in terms {
        let filter = Filter::everything().and(term);
        let checked = filter
            .check()
            .unwrap_or_else(|found| panic!("{filter}: {found:#?}"));
        assert_eq!(checked.warnings(), [], "{filter}");
    }
    assert_eq!(Term::one_of(text, &[]), None);
    assert_eq!(Term::entry(text, "app", "x"), None);
    assert_eq!(Term::contains(text, ""), None);
    assert_eq!(Term::any(&[]), None);
}

#[test]
fn every_protocol_has_a_flag_of_the_table() {
    use Protocol::{
        Amqp, Conn, Diameter, Dns, Flow, Gql, Grpc, Http, Icmp, Kafka, Ldap, Mongodb, Mysql, Postgresql,
        Radius, Redis, Sctp, Tcp, TcpConn, TcpFlow, Tls, Udp, UdpConn, UdpFlow, Ws,
    };
    let all = [
        Http, Dns, Tls, Grpc, Ws, Gql, Redis, Kafka, Amqp, Mysql, Postgresql, Mongodb, Ldap, Radius,
        Diameter, Icmp, Tcp, Udp, Sctp, Conn, TcpConn, UdpConn, Flow, TcpFlow, UdpFlow,
    ];
    for protocol in all {
        assert!(crate::kfl::field::info(protocol.flag()).is_protocol_flag());
        assert!(Filter::new(protocol).check().is_ok());
    }
}

#[test]
fn each_step_knows_the_one_before() {
    let broad = Filter::new(Protocol::Http).dst_service("payments");
    let narrow = broad.clone().status_at_least(500);
    // The status is written first, but was added last.
    assert_eq!(
        narrow.to_string(),
        "http && status_code >= 500 && dst.service.name == \"payments\""
    );
    assert_eq!(narrow.previous(), Some(broad));
    let steps: Vec<_> = std::iter::successors(Some(narrow), Filter::previous)
        .map(|filter| filter.to_string())
        .collect();
    assert_eq!(steps.len(), 4);
    assert_eq!(steps.last().map(String::as_str), Some(""));
    let twice = Filter::new(Protocol::Http).and(Term::protocol(Protocol::Http));
    assert_eq!(twice.terms().len(), 1);
}

#[test]
fn what_somebody_wrote_is_narrowed_term_by_term() {
    let written = |text: &str| Filter::from(&super::super::check::check(text).unwrap());
    let filter =
        written("path.contains(\"/a && b\") && (status_code >= 500 || status_code == 0) && http // failing");
    assert_eq!(
        filter.to_string(),
        "http && path.contains(\"/a && b\") && (status_code >= 500 || status_code == 0)"
    );
    // The last term written, wherever it stands now.
    let before = filter.previous().unwrap();
    assert_eq!(
        before.to_string(),
        "path.contains(\"/a && b\") && (status_code >= 500 || status_code == 0)"
    );
    // What binds less than `&&` stays together.
    for (text, narrowed) in [
        ("http || dns", "dst.service.name == \"x\" && (http || dns)"),
        (
            "http ? status_code >= 500 : dns",
            "dst.service.name == \"x\" && (http ? status_code >= 500 : dns)",
        ),
        ("!http", "dst.service.name == \"x\" && !http"),
        ("", "dst.service.name == \"x\""),
    ] {
        let both = written(text).dst_service("x");
        assert_eq!(both.to_string(), narrowed);
        assert!(both.check().is_ok(), "{both}");
    }
}

#[test]
fn a_value_of_another_type_is_refused() {
    let error = Filter::everything()
        .eq(FieldId::POSTGRESQL_ERROR_CODE, 23505)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "`postgresql_error_code` is a string, so it never equals 23505"
    );
    let filter = Filter::everything()
        .eq(FieldId::POSTGRESQL_ERROR_CODE, "23505")
        .unwrap();
    assert_eq!(filter.to_string(), "postgresql_error_code == \"23505\"");
}

#[test]
fn extreme_bounds_are_still_filters() {
    let window = Window {
        start: Utc::MIN_UTC,
        end: Utc::MAX_UTC,
    };
    let filter = Filter::new(Protocol::Http)
        .between(&window)
        .status_at_least(u16::MAX)
        .latency_at_least(Duration::MAX);
    assert_eq!(
        filter.to_string(),
        "http && status_code >= 999 && elapsed_time >= 9223372036854775807 \
         && timestamp >= timestamp(\"0001-01-01T00:00:00Z\") && timestamp < timestamp(\"9999-12-31T23:59:59Z\")"
    );
    assert!(filter.check().is_ok());
    assert_eq!(
        Filter::everything()
            .latency_at_least(Duration::ZERO)
            .status_at_least(0),
        Filter::everything()
    );
    assert!(Filter::everything().latency_below(Duration::ZERO).check().is_ok());
}

#[test]
fn bounds_between_two_microseconds_move_up() {
    assert_eq!(
        Term::since(at("2026-03-14T16:00:00.000000001Z")).kfl(),
        "timestamp >= timestamp(\"2026-03-14T16:00:00.000001Z\")"
    );
    assert_eq!(
        Filter::everything()
            .latency_below(Duration::from_nanos(1_500))
            .to_string(),
        "elapsed_time < 2"
    );
}

#[test]
fn contradictions_are_left_to_the_checker() {
    let found = Filter::new(Protocol::Http)
        .status(200)
        .status_at_least(500)
        .check()
        .unwrap_err();
    assert_eq!(found[0].code, Code::AlwaysFalse);
}

/// A call as plain values, filtered by plain code.
#[derive(Clone, Debug)]
struct Call {
    http: bool,
    service: String,
    namespace: String,
    path: String,
    status: u16,
    elapsed_us: i64,
    ts_us: i64,
    label: Option<String>,
    labels: Vec<(String, String)>,
}

impl Record for Call {
    fn field(&self, field: FieldId) -> Option<Value<'_>> {
        Some(match field {
            FieldId::HTTP => Value::Bool(self.http),
            FieldId::DNS => Value::Bool(!self.http),
            FieldId::DST_SERVICE_NAME => Value::Str(&self.service),
            FieldId::DST_POD_NAMESPACE => Value::Str(&self.namespace),
            FieldId::PATH => Value::Str(&self.path),
            FieldId::STATUS_CODE => Value::Int(i64::from(self.status)),
            FieldId::ELAPSED_TIME => Value::Int(self.elapsed_us),
            FieldId::TIMESTAMP => Value::Timestamp(self.ts_us),
            FieldId::LOCAL_LABELS => Value::Map(&self.labels),
            _ => return None,
        })
    }
}

/// What a filter asks for; each at most once, so that nothing contradicts.
#[derive(Clone, Debug, Default)]
struct Wanted {
    protocol: Option<bool>,
    service: Option<String>,
    namespace: Option<String>,
    path_start: Option<String>,
    status_class: Option<u8>,
    at_least_us: Option<u64>,
    window: Option<(i64, i64)>,
    outside: bool,
    label: Option<String>,
}

const START_US: i64 = 1_773_504_000_000_000;

impl Wanted {
    fn window(&self) -> Option<Window> {
        let (start, length) = self.window?;
        Some(Window {
            start: Utc::from_timestamp_micros(START_US + start)?,
            end: Utc::from_timestamp_micros(START_US + start + length)?,
        })
    }

    fn filter(&self) -> Filter {
        let mut filter = Filter::everything();
        if let Some(http) = self.protocol {
            filter = filter.and(Term::protocol(if http { Protocol::Http } else { Protocol::Dns }));
        }
        if let Some(label) = &self.label {
            filter = filter.and(Term::entry(FieldId::LOCAL_LABELS, "app", label).unwrap());
        }
        if let Some(prefix) = &self.path_start {
            filter = filter.path_starts_with(prefix);
        }
        if let Some(name) = &self.service {
            filter = filter.dst_service(name);
        }
        if let Some(name) = &self.namespace {
            filter = filter.dst_namespace(name);
        }
        if let Some(class) = self.status_class {
            filter = filter.status_class(class);
        }
        if let Some(micros) = self.at_least_us {
            filter = filter.latency_at_least(Duration::from_micros(micros));
        }
        match (self.window(), self.outside) {
            (Some(window), false) => filter.between(&window),
            (Some(window), true) => filter.not_between(&window),
            (None, _) => filter,
        }
    }

    fn matches(&self, call: &Call) -> bool {
        let within = self.window.is_none_or(|(start, length)| {
            let offset = call.ts_us - START_US;
            (start <= offset && offset < start + length) != self.outside
        });
        self.protocol.is_none_or(|http| http == call.http)
            && self.service.as_ref().is_none_or(|name| *name == call.service)
            && self.namespace.as_ref().is_none_or(|name| *name == call.namespace)
            && self
                .path_start
                .as_ref()
                .is_none_or(|prefix| call.path.starts_with(prefix.as_str()))
            && self
                .status_class
                .is_none_or(|class| call.status / 100 == u16::from(class))
            && self
                .at_least_us
                .is_none_or(|bound| call.elapsed_us >= i64::try_from(bound).unwrap())
            && within
            && self
                .label
                .as_ref()
                .is_none_or(|label| call.label.as_ref() == Some(label))
    }
}

/// Names as nobody should give them, drawn from few letters so that they meet.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab\"\\\\\n'é]{0,2}",
        Just("a".to_owned()),
        Just("\" || true || \"".to_owned()),
        "\\PC{0,12}",
        any::<String>().prop_map(|text| text.chars().take(40).collect()),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    (
        any::<bool>(),
        name(),
        name(),
        name(),
        prop::sample::select(vec![0_u16, 200, 404, 500, 599]),
        0_i64..4,
        0_i64..6,
        prop::option::of(name()),
    )
        .prop_map(
            |(http, service, namespace, path, status, elapsed_us, offset, label)| Call {
                http,
                service,
                namespace,
                path,
                status,
                elapsed_us,
                ts_us: START_US + offset,
                labels: label
                    .iter()
                    .map(|label| ("app".to_owned(), label.clone()))
                    .collect(),
                label,
            },
        )
}

fn wanted() -> impl Strategy<Value = Wanted> {
    (
        prop::option::of(any::<bool>()),
        prop::option::of(name()),
        prop::option::of(name()),
        prop::option::of(name()),
        prop::option::of(1_u8..6),
        prop::option::of(0_u64..4),
        prop::option::of((0_i64..4, 1_i64..4)),
        any::<bool>(),
        prop::option::of(name()),
    )
        .prop_map(
            |(
                protocol,
                service,
                namespace,
                path_start,
                status_class,
                at_least_us,
                window,
                outside,
                label,
            )| Wanted {
                protocol,
                service,
                namespace,
                path_start,
                status_class,
                at_least_us,
                window,
                outside,
                label,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_built_checks_clean_and_matches_as_plain_code_does(
        mut wanted in wanted(),
        call in call(),
        copy in any::<[bool; 4]>(),
    ) {
        // Random names never meet, so some are taken from the call.
        if copy[0] && wanted.service.is_some() { wanted.service = Some(call.service.clone()); }
        if copy[1] && wanted.namespace.is_some() { wanted.namespace = Some(call.namespace.clone()); }
        if copy[2] && wanted.path_start.is_some() { wanted.path_start = Some(call.path.clone()); }
        if copy[3] && wanted.label.is_some() && call.label.is_some() { wanted.label = call.label.clone(); }
        let filter = wanted.filter();
        let text = filter.to_string();
        let checked = filter.check();
        prop_assert!(checked.is_ok(), "{}: {:#?}", text, checked);
        let predicate = checked.unwrap().compile(0);
        prop_assert_eq!(predicate.matches(&call), Ok(wanted.matches(&call)), "{}", text);
        // Every step on the way is a filter, and matches at least as much.
        if let Some(previous) = filter.previous() {
            let wider = previous.check().unwrap().compile(0);
            prop_assert!(!wanted.matches(&call) || wider.matches(&call) == Ok(true));
        }
    }

    #[test]
    fn no_value_leaves_its_quotes(text in any::<String>()) {
        let quoted = quoted(&text);
        prop_assert!(!quoted.contains('\n'));
        let filter = format!("path == {quoted}");
        let checked = check_as_server(&filter).unwrap();
        prop_assert_eq!(checked.terms().len(), 1);
        let call = Call {
            http: true,
            service: String::new(),
            namespace: String::new(),
            path: text,
            status: 0,
            elapsed_us: 0,
            ts_us: 0,
            label: None,
            labels: Vec::new(),
        };
        prop_assert_eq!(checked.compile(0).matches(&call), Ok(true));
    }

    #[test]
    fn another_cel_reads_the_same_text(text in any::<String>()) {
        let program = cel::Program::compile(&quoted(&text));
        prop_assert!(program.is_ok(), "{:?}", quoted(&text));
        let value = program.unwrap().execute(&cel::Context::default());
        prop_assert_eq!(value.unwrap(), cel::Value::from(text.as_str()));
    }
}
