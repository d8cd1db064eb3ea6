//! Who is suspected, on traffic that is nested as handlers nest it.

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;

use super::super::*;
use crate::{
    time::{Utc, Window},
    wire::decode::{Call, Peer},
};

const WINDOW_S: i64 = 300;

pub(super) fn at(us: i64) -> Utc {
    DateTime::UNIX_EPOCH + TimeDelta::microseconds(1_600_000_000_000_000 + us)
}

pub(super) fn stretch(from_s: i64, to_s: i64) -> Window {
    Window {
        start: at(from_s * 1_000_000),
        end: at(to_s * 1_000_000),
    }
}

fn peer(name: &str) -> Peer {
    if name.is_empty() {
        return Peer {
            ip: Some("203.0.113.7".to_owned()),
            ..Peer::default()
        };
    }
    Peer {
        service: Some(name.to_owned()),
        pod: Some(format!("{name}-0")),
        namespace: Some("shop".to_owned()),
        ..Peer::default()
    }
}

/// A chain: outside calls the first service, each calls the next `fan` times, one after the other.
#[derive(Clone, Debug)]
struct Shop {
    names: Vec<String>,
    fan: usize,
    requests: i64,
    /// The service at this place takes this much longer in the window, µs.
    slow: Option<(usize, i64)>,
    /// Of the requests in the window this share fails at this place, in per cent, with this status.
    failing: Option<(usize, i64, i64)>,
    /// And at this place of all requests, before and during.
    chronic: Option<(usize, i64)>,
    calls: Vec<Call>,
}

impl Shop {
    fn new(names: &[&str]) -> Self {
        Self {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            fan: 1,
            requests: 120,
            slow: None,
            failing: None,
            chronic: None,
            calls: Vec::new(),
        }
    }

    fn traffic(mut self) -> Vec<Call> {
        for side in 0..2 {
            for request in 0..self.requests {
                let start = side * WINDOW_S * 1_000_000 + request * (WINDOW_S * 1_000_000 / self.requests);
                self.serve("", 0, start, side == 1, request);
            }
        }
        self.calls
    }

    /// One call to the service at `place`: when it ended, and how.
    fn serve(&mut self, from: &str, place: usize, start: i64, during: bool, request: i64) -> (i64, i64) {
        let name = self.names[place].clone();
        let id = self.calls.len();
        self.calls.push(call(id, from, &name, start));
        // Own time that differs from request to request, the same before and during.
        let mut now = start + 2_000 + (request * 7_919) % 1_700;
        let mut status = 200;
        if let Some((slow, us)) = self.slow
            && slow == place
            && during
        {
            now += us;
        }
        if place + 1 < self.names.len() {
            for _ in 0..self.fan {
                let (end, said) = self.serve(&name, place + 1, now, during, request);
                now = end + 300;
                if said >= 500 {
                    status = 502;
                    break;
                }
            }
        }
        if let Some((bad, share, code)) = self.failing
            && bad == place
            && during
            && (request * 37) % 100 < share
        {
            status = code;
        }
        if let Some((bad, share)) = self.chronic
            && bad == place
            && (request * 53) % 100 < share
        {
            status = 404;
        }
        now += 500;
        let call = &mut self.calls[id];
        call.status = Some(status);
        call.elapsed_us = Some(now - start);
        (now, status)
    }
}

pub(super) fn call(id: usize, from: &str, to: &str, start: i64) -> Call {
    Call {
        id: format!("c{id}"),
        ts: at(start),
        src: peer(from),
        dst: peer(to),
        protocol: "http".to_owned(),
        method: Some("GET".to_owned()),
        path: Some(format!("/{to}/4711")),
        status: None,
        elapsed_us: None,
        server_elapsed_us: None,
        grpc_status: None,
        node_id: None,
        conn_id: None,
        request_headers: Vec::new(),
        response_headers: Vec::new(),
        request_body: None,
        response_body: None,
        questions: Vec::new(),
        answers: Vec::new(),
        tcp: None,
        error: None,
    }
}

fn thresholds() -> Thresholds {
    Thresholds {
        share_rise: 0.02,
        failing_calls: 3,
        latency_factor: 2.0,
        latency_rise_us: 20_000,
        latency_calls: 8,
    }
}

fn picture(calls: Vec<Call>) -> Picture {
    let mut picture = Picture {
        has_baseline: true,
        whole: true,
        ..Picture::default()
    };
    let during = stretch(WINDOW_S, 2 * WINDOW_S);
    let mut edges: std::collections::BTreeMap<EdgeKey, [Vec<&Call>; 2]> = std::collections::BTreeMap::new();
    for call in &calls {
        let (from, to) = ends(call);
        let layer = Layer::of(call).unwrap();
        let side = usize::from(during.contains(call.ts));
        edges.entry(EdgeKey { from, to, layer }).or_default()[side].push(call);
    }
    for (key, [before, during]) in edges {
        let edge = picture.edge(key);
        edge.before = Tally::of(before, true);
        edge.during = Tally::of(during, true);
    }
    picture.calls = calls;
    picture
}

fn diagnosed(calls: Vec<Call>) -> Vec<Suspect> {
    let before = [stretch(0, WINDOW_S)];
    let during = stretch(WINDOW_S, 2 * WINDOW_S);
    diagnose(&picture(calls), &before, &during, &thresholds(), false).suspects
}

fn names(suspects: &[Suspect]) -> Vec<String> {
    suspects
        .iter()
        .map(|suspect| suspect.party.name.clone())
        .collect()
}

const CHAIN: [&str; 4] = ["gateway", "orders", "stock", "prices"];

#[test]
fn the_last_that_fails_is_the_suspect_and_not_the_loudest() {
    for (place, name) in CHAIN.into_iter().enumerate() {
        let calls = Shop {
            failing: Some((place, 40, 500)),
            chronic: Some((0, 12)),
            ..Shop::new(&CHAIN)
        };
        let suspects = diagnosed(calls.traffic());
        assert_eq!(
            names(&suspects).first().map(String::as_str),
            Some(name),
            "{suspects:#?}"
        );
        assert_eq!(suspects[0].path.len(), place + 1);
        assert!(suspects[0].share > 0.95, "{}", suspects[0].share);
    }
}

#[test]
fn whose_own_time_grew_is_the_suspect_and_not_those_who_wait_for_it() {
    for (place, name) in CHAIN.into_iter().enumerate() {
        for fan in [1, 3] {
            let calls = Shop {
                slow: Some((place, 80_000)),
                fan,
                ..Shop::new(&CHAIN)
            };
            let suspects = diagnosed(calls.traffic());
            assert_eq!(
                names(&suspects).first().map(String::as_str),
                Some(name),
                "{suspects:#?}"
            );
        }
    }
}

#[test]
fn nothing_new_makes_nobody_suspect() {
    for chronic in [None, Some((1, 15))] {
        let calls = Shop {
            chronic,
            ..Shop::new(&CHAIN)
        };
        assert_eq!(diagnosed(calls.traffic()), []);
    }
}

#[test]
fn a_caller_that_asks_wrongly_is_told_from_a_callee_that_fails() {
    let wrong = Shop {
        failing: Some((2, 60, 400)),
        ..Shop::new(&CHAIN)
    };
    let suspects = diagnosed(wrong.traffic());
    assert_eq!(suspects[0].party.name, "orders");
    assert!(
        matches!(suspects[0].mechanism, Mechanism::AsksWrongly(_)),
        "{:?}",
        suspects[0]
    );
}

#[test]
fn calls_that_stopped_point_at_who_made_them() {
    let mut calls = Shop::new(&CHAIN).traffic();
    let window = stretch(WINDOW_S, 2 * WINDOW_S);
    calls.retain(|call| call.dst.service.as_deref() != Some("prices") || !window.contains(call.ts));
    let suspects = diagnosed(calls);
    assert_eq!(names(&suspects), ["stock"]);
    assert!(matches!(suspects[0].mechanism, Mechanism::Stopped { .. }));
}

#[test]
fn a_surge_comes_from_where_it_comes_from() {
    let mut calls = Shop::new(&CHAIN).traffic();
    let more = Shop {
        requests: 600,
        ..Shop::new(&CHAIN)
    };
    let window = stretch(WINDOW_S, 2 * WINDOW_S);
    calls.retain(|call| !window.contains(call.ts));
    calls.extend(
        more.traffic()
            .into_iter()
            .filter(|call| window.contains(call.ts))
            .map(|mut call| {
                call.id = format!("m{}", call.id);
                call
            }),
    );
    let suspects = diagnosed(calls);
    assert_eq!(names(&suspects), ["outside"]);
    assert!(matches!(suspects[0].mechanism, Mechanism::Surge { .. }));
}

#[test]
fn calls_that_go_elsewhere_point_at_where_they_belong() {
    let mut calls = Shop::new(&CHAIN).traffic();
    let window = stretch(WINDOW_S, 2 * WINDOW_S);
    for call in &mut calls {
        if call.dst.service.as_deref() == Some("prices") && window.contains(call.ts) {
            call.dst = peer("adverts");
            call.status = Some(404);
        }
    }
    let suspects = diagnosed(calls);
    assert_eq!(suspects[0].party.name, "prices", "{suspects:#?}");
    assert!(matches!(suspects[0].mechanism, Mechanism::Misrouted { .. }));
}

#[test]
fn failing_calls_of_one_pod_are_told_from_good_ones() {
    let call = |id: usize, pod: &str| {
        let mut call = call(id, "gateway", "orders", 0);
        call.dst.pod = Some(pod.to_owned());
        call
    };
    let bad: Vec<Call> = (0..12).map(|id| call(id, "orders-1")).collect();
    let good: Vec<Call> = (0..40).map(|id| call(100 + id, "orders-0")).collect();
    let factors = common_factors(&bad.iter().collect::<Vec<_>>(), &good.iter().collect::<Vec<_>>());
    assert_eq!(factors[0].dimension, Dimension::CalleePod);
    assert_eq!((factors[0].failing, factors[0].good), ((12, 12), (0, 40)));
    let mixed: Vec<&Call> = bad.iter().chain(&good).collect();
    assert_eq!(
        common_factors(&mixed, &mixed),
        [],
        "nothing sets a list apart from itself"
    );
}

#[test]
fn errors_inside_a_success_are_errors() {
    for body in [
        r#"{"errors":[{"message":"no such field"}],"data":null}"#,
        r#"{"ok":false,"error":"down"}"#,
        r#"{"success":false}"#,
        r#"{"status":"error"}"#,
        r#" {"error":{"code":7}}"#,
    ] {
        assert!(says_error(body), "{body}");
    }
    for body in [
        r#"{"data":{"errors":3}}"#,
        r#"{"errors":[],"data":{}}"#,
        r#"{"ok":true,"error":null}"#,
        r#"{"status":"shipped"}"#,
        r#"[{"error":"x"}]"#,
        "error",
        "",
    ] {
        assert!(!says_error(body), "{body}");
    }
}

#[test]
fn every_protocol_says_in_its_own_way_that_it_failed() {
    let mut call = call(1, "gateway", "orders", 0);
    let mut said = |protocol: &str,
                    status: Option<i64>,
                    grpc: Option<i64>,
                    error: Option<&str>,
                    elapsed: Option<i64>| {
        call.protocol = protocol.to_owned();
        call.status = status;
        call.grpc_status = grpc;
        call.error = error.map(str::to_owned);
        call.elapsed_us = elapsed;
        outcome(&call)
    };
    assert_eq!(said("http", Some(200), None, None, Some(5)), Outcome::Good);
    assert_eq!(
        said("http", None, None, None, Some(5)),
        Outcome::Good,
        "answered, with a status nobody recorded"
    );
    assert_eq!(said("http", None, None, None, None), Outcome::NoAnswer);
    assert_eq!(said("grpc", Some(200), Some(0), None, Some(5)), Outcome::Good);
    assert_eq!(
        said("grpc", Some(200), Some(14), None, Some(5)),
        Outcome::ServerError
    );
    assert_eq!(said("grpc", Some(16), None, None, Some(5)), Outcome::Denied);
    assert_eq!(said("grpc", None, Some(8), None, Some(5)), Outcome::RateLimited);
    assert_eq!(
        said("postgresql", None, None, Some("40P01"), Some(5)),
        Outcome::ServerError
    );
    assert_eq!(said("redis", None, None, None, Some(5)), Outcome::Good);
    assert_eq!(said("kafka", None, None, None, None), Outcome::NoAnswer);
    assert_eq!(said("dns", Some(2), None, None, Some(5)), Outcome::DnsFailure);
    assert_eq!(said("smoke-signals", None, None, None, None), Outcome::Good);
}

fn fault() -> impl Strategy<Value = Shop> {
    (0_usize..4, prop::bool::ANY, 1_usize..3).prop_map(|(place, slow, fan)| Shop {
        slow: slow.then_some((place, 90_000)),
        failing: (!slow).then_some((place, 50, 503)),
        fan,
        ..Shop::new(&CHAIN)
    })
}

fn places(suspects: &[Suspect], names: &[String]) -> Vec<Option<usize>> {
    suspects
        .iter()
        .map(|suspect| names.iter().position(|name| *name == suspect.party.name))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn other_names_do_not_change_the_ranking(shop in fault(), other in prop::sample::select(vec!["zz", "a", "service"])) {
        let renamed = Shop {
            names: shop.names.iter().enumerate().map(|(n, _)| format!("{other}-{}", 9 - n)).collect(),
            ..shop.clone()
        };
        let (names, other_names) = (shop.names.clone(), renamed.names.clone());
        prop_assert_eq!(
            places(&diagnosed(shop.traffic()), &names),
            places(&diagnosed(renamed.traffic()), &other_names)
        );
    }

    #[test]
    fn the_order_of_calls_does_not_change_the_ranking(shop in fault(), seed in any::<u64>()) {
        let names = shop.names.clone();
        let calls = shop.traffic();
        let mut shuffled = calls.clone();
        let length = shuffled.len();
        let mut state = seed | 1;
        for place in (1..length).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(place, usize::try_from(state >> 33).unwrap() % (place + 1));
        }
        prop_assert_eq!(places(&diagnosed(calls), &names), places(&diagnosed(shuffled), &names));
    }

    #[test]
    fn more_of_the_same_does_not_change_the_first(shop in fault(), factor in 2_i64..4) {
        let more = Shop { requests: shop.requests * factor, ..shop.clone() };
        let (few, many) = (diagnosed(shop.traffic()), diagnosed(more.traffic()));
        prop_assert_eq!(few.first().map(|one| &one.party), many.first().map(|one| &one.party));
    }

    /// Whatever the calls are, there is an answer.
    #[test]
    fn any_calls_are_survived(rows in prop::collection::vec((0_i64..600_000_000, 0_usize..5, 0_usize..5, prop::option::of(0_i64..90_000_000), prop::option::of(0_i64..700)), 0..200)) {
        let parties = ["", "a", "b", "c", "d"];
        let calls = rows.into_iter().enumerate().map(|(id, (start, from, to, elapsed, status))| {
            let mut call = call(id, parties[from], parties[to], start);
            call.elapsed_us = elapsed;
            call.status = status;
            call
        });
        for suspect in diagnosed(calls.collect()) {
            prop_assert!(suspect.score.is_finite() && (0.0..=1.0 + 1e-9).contains(&suspect.share));
        }
    }
}
