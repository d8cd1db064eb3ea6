use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;

use super::super::*;
use crate::{
    time::{Utc, Window},
    wire::decode::{Call, Peer},
};

fn at(second: i64) -> Utc {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_000_000 + second)
}

fn call(id: usize, second: i64, to: &str, pod: &str, status: i64) -> Call {
    let peer = |name: &str, pod: &str| Peer {
        service: Some(name.to_owned()),
        pod: Some(pod.to_owned()),
        namespace: Some("shop".to_owned()),
        ..Peer::default()
    };
    Call {
        id: id.to_string(),
        ts: at(second),
        src: peer("caller", "caller-0"),
        dst: peer(to, pod),
        protocol: "http".to_owned(),
        method: Some("GET".to_owned()),
        path: Some("/orders/4711".to_owned()),
        status: Some(status),
        elapsed_us: Some(1000),
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

fn tally(calls: u64, failing: u64) -> Tally {
    Tally {
        calls,
        failing,
        exact: true,
        latencies_us: Vec::new(),
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

#[test]
fn a_chronic_error_rate_is_no_change() {
    assert_eq!(
        compare(&tally(1000, 100), &tally(500, 55), &thresholds()),
        Change::None
    );
    assert!(compare(&tally(1000, 100), &tally(500, 250), &thresholds()).is_failing());
    assert_eq!(
        compare(&tally(1000, 0), &tally(500, 2), &thresholds()),
        Change::None,
        "two are too few"
    );
    assert!(matches!(
        compare(&tally(0, 0), &tally(50, 25), &thresholds()),
        Change::FailingWithoutBaseline { .. }
    ));
}

#[test]
fn latency_is_compared_where_there_are_calls_enough() {
    let slow = |base: i64, count: usize| Tally {
        latencies_us: vec![base; count],
        ..tally(count as u64, 0)
    };
    assert!(matches!(
        compare(&slow(10_000, 10), &slow(300_000, 10), &thresholds()),
        Change::Slower {
            percent: 50,
            before_us: 10_000,
            during_us: 300_000
        }
    ));
    assert_eq!(
        compare(&slow(10_000, 10), &slow(300_000, 5), &thresholds()),
        Change::None
    );
    assert_eq!(
        compare(&slow(800_000, 10), &slow(810_000, 10), &thresholds()),
        Change::None
    );
}

#[test]
fn the_onset_is_where_the_rate_rises_and_not_the_first_error() {
    // One error a minute for ten minutes, then one a second.
    let mut events: Vec<Utc> = (0..10).map(|minute| at(minute * 60)).collect();
    events.extend((0..60).map(|second| at(600 + second)));
    let index = onset_of_events(&events, at(0)).unwrap();
    assert_eq!(events[index], at(600));
    assert_eq!(onset_of_events(&[], at(0)), None);

    let window = |from: i64, to: i64| Window {
        start: at(from),
        end: at(to),
    };
    let inside = window(630, 650);
    assert_eq!(
        onset_apart(&events, at(0), &inside, true),
        Some(at(600)),
        "it began before the window"
    );
    let around = window(590, 650);
    assert_eq!(
        onset_apart(&events, at(0), &around, true),
        None,
        "the time before the window will do"
    );
    assert_eq!(
        onset_apart(&events, at(0), &around, false),
        Some(at(600)),
        "unless there is none"
    );
    let after = window(700, 800);
    assert_eq!(
        onset_apart(&events, at(0), &after, true),
        None,
        "what was over is not its story"
    );
    let chronic: Vec<Utc> = (0..20).map(|minute| at(minute * 60)).collect();
    assert_eq!(onset_apart(&chronic, at(0), &window(900, 1200), true), None);
}

#[test]
fn errors_that_were_always_there_do_not_count_as_the_first() {
    let window = Window {
        start: at(100),
        end: at(200),
    };
    let mut calls: Vec<Call> = (0_u16..20)
        .map(|n| call(n.into(), i64::from(n) * 10, "a", "a-0", 404))
        .collect();
    calls.extend((0_u16..10).map(|n| call(100 + usize::from(n), 150 + i64::from(n), "a", "a-0", 503)));
    let rose = risen(calls, at(0), &window);
    assert!(rose.iter().all(|call| call.status == Some(503)), "{rose:?}");
    assert_eq!(rose.len(), 10);
}

#[test]
fn identifiers_are_taken_out_of_paths() {
    for (path, template) in [
        ("/orders/4711?x=1", "/orders/{id}"),
        (
            "/api/v1/users/8f14e45f-ceea-467f-a8b0-3f2504e04f89/cart",
            "/api/v1/users/{id}/cart",
        ),
        ("/healthz", "/healthz"),
        ("/", "/"),
        ("", ""),
    ] {
        assert_eq!(path_template(path), template, "{path}");
    }
    let calls = [call(1, 1, "a", "a-0", 500), call(2, 1, "a", "a-0", 500)];
    assert_eq!(common_endpoint(&calls), Some("GET /orders/{id}".to_owned()));
}

/// Against Fisher's test computed with whole numbers: 0.0005, 0.0042, 0.0163, 0.0016, 0.05, 0.0079, 0.0004, 0.0003.
#[test]
fn few_calls_are_told_apart_exactly() {
    for (before, after, told) in [
        ((0, 11), (9, 13), true),
        ((1, 11), (9, 13), false),
        ((0, 10), (5, 10), false),
        ((0, 20), (8, 20), false),
        ((0, 3), (3, 3), false),
        ((10, 1_000), (25, 1_000), false),
        ((10, 1_000), (32, 1_000), true),
        ((0, 7), (7, 7), true),
        // So many that the intervals are asked.
        ((10, 10_000), (90, 10_000), true),
        ((0, 0), (0, 0), false),
        ((5, 3), (9, 3), false),
    ] {
        assert_eq!(higher(before, after), told, "{before:?} {after:?}");
    }
    assert!(
        !rose((0, 11), (9, 13)),
        "intervals overlap where the exact test does not doubt"
    );
}

proptest! {
    #[test]
    fn an_interval_holds_its_share(calls in 1_u32..100_000, failing in 0_u32..100_000) {
        let failing = failing.min(calls);
        let (low, high) = wilson(failing.into(), calls.into());
        let share = f64::from(failing) / f64::from(calls);
        prop_assert!(0.0 <= low && low <= share + 1e-9 && share <= high + 1e-9 && high <= 1.0);
    }

    #[test]
    fn a_percentile_is_one_of_the_values(mut values in prop::collection::vec(any::<i64>(), 0..50), percent in 0_usize..150) {
        values.sort_unstable();
        match percentile(&values, percent) {
            Some(value) => prop_assert!(values.contains(&value)),
            None => prop_assert!(values.is_empty()),
        }
    }

    #[test]
    fn no_events_break_the_search_for_an_onset(seconds in prop::collection::vec(0_i64..2000, 0..60), from in 0_i64..1000, length in 1_i64..1000) {
        let mut events: Vec<Utc> = seconds.into_iter().map(at).collect();
        events.sort();
        let window = Window { start: at(from), end: at(from + length) };
        for baseline in [true, false] {
            if let Some(onset) = onset_apart(&events, at(0), &window, baseline) {
                prop_assert!(events.contains(&onset));
            }
        }
    }
}

#[test]
fn an_answer_without_a_status_is_no_missing_answer() {
    for protocol in ["http", "grpc", "dns"] {
        let with = |status, elapsed_us| Call {
            protocol: protocol.to_owned(),
            status,
            elapsed_us,
            ..call(1, 0, "cart", "cart-0", 200)
        };
        let lost = if protocol == "dns" {
            Outcome::DnsFailure
        } else {
            Outcome::NoAnswer
        };
        assert_eq!(outcome(&with(None, Some(900))), Outcome::Good, "{protocol}");
        assert_eq!(outcome(&with(None, None)), lost, "{protocol}");
    }
    let none_seen = call(1, 0, "cart", "cart-0", 0);
    assert_eq!(
        outcome(&none_seen),
        Outcome::NoAnswer,
        "0 says so whatever the latency"
    );
}
