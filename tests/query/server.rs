//! A server of generated rows: lists, counts and statistics, with the habits that servers may have.

use std::collections::BTreeMap;

use rca_agent::kfl::{Predicate, check};
use rca_agent::query::{Plan, Reply};
use rca_agent::wire::{CallForm, Operation, Scope};
use serde_json::{Value, json};

use super::shop::{Row, SERVICES};

/// What `total` of a list says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Totals {
    EveryMatch,
    ReturnedLength,
}

/// Which of the matches a cut list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    OldestFirst,
    /// Any, in no order.
    Any,
}

#[derive(Clone)]
pub(crate) struct Server<'r> {
    rows: &'r [Row],
    /// Rows of the base filter: every filter of a plan narrows it, so no other row has to be looked at.
    base: (String, Vec<Row>),
    pub(crate) totals: Totals,
    pub(crate) order: Order,
    /// Calls answered so far, and bytes of the answers.
    pub(crate) calls: u32,
    pub(crate) bytes: u64,
    /// Every filter that was sent.
    pub(crate) filters: Vec<String>,
    /// The call with this number fails.
    pub(crate) fails_at: Option<u32>,
}

impl<'r> Server<'r> {
    pub(crate) fn new(rows: &'r [Row], base: &str) -> Self {
        let predicate = check(base).unwrap().compile(0);
        let matching = rows.iter().filter(|row| predicate.matches(*row).unwrap());
        Self {
            rows,
            base: (base.to_owned(), matching.copied().collect()),
            totals: Totals::EveryMatch,
            order: Order::OldestFirst,
            calls: 0,
            bytes: 0,
            filters: Vec::new(),
            fails_at: None,
        }
    }

    fn matches(&self, scope: &Scope) -> Vec<Row> {
        let predicate: Predicate = check(&scope.filter)
            .unwrap_or_else(|found| panic!("{}: {found:?}", scope.filter))
            .compile(0);
        let own: Vec<&str> = scope.filter.split(" && ").collect();
        let narrows = self.base.0.split(" && ").all(|term| own.contains(&term));
        let rows = if narrows { &self.base.1 } else { self.rows };
        let window = scope.window.unwrap();
        let inside = window.start.timestamp_millis()..window.end.timestamp_millis();
        let (first, end) = (
            rows.partition_point(|row| row.ts_ms < inside.start),
            rows.partition_point(|row| row.ts_ms < inside.end),
        );
        rows[first..end]
            .iter()
            .filter(|row| predicate.matches(*row).unwrap())
            .copied()
            .collect()
    }

    pub(crate) fn answer(&mut self, operation: &Operation) -> Reply {
        self.calls += 1;
        if self.fails_at == Some(self.calls) {
            return Reply::failed("the Hub went away");
        }
        let scope = operation.scope().unwrap();
        self.filters.push(scope.filter.clone());
        let rows = self.matches(scope);
        let value = match operation {
            Operation::CountCalls { .. } => self.list(rows, 1),
            Operation::ListCalls { limit, form, .. } => {
                assert!((1..=1000).contains(limit) && *form == CallForm::Compact);
                self.list(rows, *limit as usize)
            }
            Operation::ApiStats { .. } => statistics(&rows),
            other => panic!("a plan asked `{}`", other.name()),
        };
        let bytes = serde_json::to_string_pretty(&value).unwrap().len() as u64;
        self.bytes += bytes;
        Reply::read(operation, &value, bytes)
    }

    fn list(&self, mut rows: Vec<Row>, limit: usize) -> Value {
        let all = rows.len();
        if self.order == Order::Any {
            rows.sort_by_key(|row| row.number.wrapping_mul(2_654_435_761));
        }
        rows.truncate(limit);
        let total = match self.totals {
            Totals::EveryMatch => all,
            Totals::ReturnedLength => rows.len(),
        };
        let calls: Vec<Value> = rows.iter().map(shown).collect();
        json!({"calls": calls, "total": total, "truncated": all > limit})
    }
}

/// A row as the embedded hub shows it in compact form.
fn shown(row: &Row) -> Value {
    let end = |at: usize, port: u16| {
        let (name, namespace) = SERVICES[at];
        json!({"ip": format!("10.1.{at}.5"), "pod": format!("{name}-6b8f9d4c7-x2k4p"), "ns": namespace,
            "svc": name, "node": "node-1", "name": format!("{name}-6b8f9d4c7-x2k4p"), "port": port})
    };
    let latency_us = u32::try_from(row.elapsed_us).unwrap();
    json!({"id": format!("node-1/{}/0", row.number), "ts": row.ts_ms, "src": end(row.from, 40_000),
        "dst": end(row.to, 8080), "proto": "http", "method": "POST", "path": "/api/v1/orders/1234",
        "status": row.status, "latency_ms": f64::from(latency_us) / 1000.0})
}

/// Statistics with the parts that the embedded hub has.
fn statistics(rows: &[Row]) -> Value {
    let mut services: BTreeMap<usize, u64> = BTreeMap::new();
    let mut edges: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    for row in rows {
        *services.entry(row.to).or_default() += 1;
        *edges.entry((row.from, row.to)).or_default() += 1;
    }
    let group = |calls: u64| {
        json!({"protocol": "http", "calls": calls, "errors": calls, "error_rate": 1.0, "client_errors": 0,
            "server_errors": calls, "unanswered": 0, "first_ts": 1_773_504_000_000_i64, "last_ts": 1_773_504_000_000_i64,
            "latency_ms": {"p50": 12.345, "p90": 23.456, "p99": 34.567, "max": 45.678}})
    };
    let named = |at: usize| json!({"service": SERVICES[at].0, "namespace": SERVICES[at].1});
    let merged = |mut head: Value, tail: Value| {
        head.as_object_mut()
            .unwrap()
            .extend(tail.as_object().unwrap().clone());
        head
    };
    let services: Vec<Value> = services
        .iter()
        .map(|(at, calls)| merged(named(*at), group(*calls)))
        .collect();
    let edges: Vec<Value> = edges
        .iter()
        .map(|((from, to), calls)| merged(json!({"src": named(*from), "dst": named(*to)}), group(*calls)))
        .collect();
    json!({"total_calls": rows.len(), "errors": rows.len(), "error_rate": 1.0, "total_connections": 0,
        "failed_connections": 0, "services": services, "edges": edges})
}

/// Performs a plan to its end; gives the number of turns.
pub(crate) fn perform(plan: &mut impl Plan, server: &mut Server<'_>) -> u32 {
    for turn in 0..500 {
        let asks = plan.asks();
        if asks.is_empty() {
            return turn;
        }
        assert_eq!(asks, plan.asks(), "a plan asked twice answers the same");
        let replies = asks.iter().map(|ask| server.answer(ask)).collect();
        plan.take(replies);
    }
    panic!("the plan does not end");
}
