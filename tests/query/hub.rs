//! The generated hour in the embedded hub, asked through the client as an investigation does.

use std::net::{IpAddr, Ipv4Addr};

use rca_agent::driver::Effects;
use rca_agent::effects::{LiveEffects, Nobody};
use rca_agent::hub::entry::{Body, DnsCall, Endpoint as Socket, Entry, HttpCall, Payload};
use rca_agent::hub::workloads::Workload;
use rca_agent::hub::{self, Faults, Hub};
use rca_agent::investigation::{Action, Observation};
use rca_agent::journal::redact::Redactor;
use rca_agent::kubeshark::{Endpoint, Limits};
use rca_agent::query::{Plan, Reply};
use serde_json::json;

use super::shop::{Row, SERVICES};

fn address(service: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 1, u8::try_from(service).unwrap(), 5))
}

fn workloads() -> Vec<Workload> {
    let one = |(at, (name, namespace)): (usize, &(&str, &str))| {
        let pod = json!({"kind": "pod", "name": format!("{name}-6b8f9d4c7-x2k4p"), "namespace": namespace,
            "node": "node-1", "ips": [address(at)], "services": [name], "owner": format!("deployment/{name}"),
            "labels": {"app": name, "version": "v1"}});
        serde_json::from_value(pod).unwrap()
    };
    SERVICES.iter().enumerate().map(one).collect()
}

/// A lookup in a call's place.
fn lookup(row: &Row) -> Entry {
    let asked = (format!("api-{}.shop.example", row.number % 89), "A".to_owned());
    let payload = Payload::Dns(Box::new(DnsCall {
        questions: vec![asked],
        answers: vec!["10.1.0.5".to_owned()],
        rcode: Some(0),
        ..DnsCall::default()
    }));
    Entry {
        payload,
        ..entry(row)
    }
}

fn entry(row: &Row) -> Entry {
    let (name, namespace) = SERVICES[row.to];
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let body = |text: &str| Body {
        kept: text.as_bytes().to_vec(),
        size: text.len() as u64,
    };
    let call = HttpCall {
        version: "HTTP/1.1".to_owned(),
        method: "POST".to_owned(),
        target: format!("/api/v1/orders/{}", row.number % 10_000),
        status: row.status,
        reason: String::new(),
        request_headers: vec![
            header("Host", &format!("{name}.{namespace}.svc.cluster.local")),
            header("User-Agent", "Go-http-client/1.1"),
            header("X-Request-Id", &format!("{:016x}", row.number)),
        ],
        response_headers: vec![header("Content-Type", "application/json")],
        request_body: body("{\"item\":4711,\"count\":1}"),
        response_body: body("{\"ok\":true}"),
        complete: true,
    };
    Entry {
        stream: row.number,
        index: 0,
        ts_us: row.ts_ms * 1000,
        elapsed_us: (row.status != 0).then_some(row.elapsed_us),
        src: Socket {
            ip: address(row.from),
            port: 40_000,
        },
        dst: Socket {
            ip: address(row.to),
            port: 8080,
        },
        request_seq: row.number,
        payload: Payload::Http(Box::new(call)),
    }
}

/// A hub that holds these calls, dissected, with these faults.
pub(crate) fn hub_of(rows: &[Row], faults: &[&str]) -> Hub {
    hub_with(rows.iter().map(entry).collect(), faults)
}

/// A hub that holds these calls, but a lookup in the place of each one in five.
#[allow(dead_code, reason = "for the benchmark")]
pub(crate) fn hub_with_lookups(rows: &[Row]) -> Hub {
    let entries = rows.iter().map(|row| match row.number % 5 {
        0 => lookup(row),
        _ => entry(row),
    });
    hub_with(entries.collect(), &[])
}

fn hub_with(entries: Vec<Entry>, faults: &[&str]) -> Hub {
    let faults = faults.iter().map(|fault| fault.parse().unwrap());
    let options = hub::Options {
        faults: Faults::new(faults),
        ..hub::Options::default()
    };
    Hub::of_entries("node-1", entries, workloads(), options)
}

/// What performing a plan cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) calls: u32,
    pub(crate) bytes: u64,
    pub(crate) turns: u32,
}

/// Performs a plan to its end through a client of the hub.
pub(crate) async fn perform(plan: &mut impl Plan, hub: &Hub) -> Cost {
    let hub = hub.clone();
    let endpoint = Endpoint::in_process(move || hub::duplex(&hub));
    let mut effects = LiveEffects::new(
        endpoint,
        Limits::default(),
        Redactor::new("test"),
        Box::new(Nobody),
        std::env::temp_dir(),
    );
    let mut cost = Cost::default();
    loop {
        let calls = plan.asks();
        if calls.is_empty() {
            return cost;
        }
        let action = Action::Query {
            why: String::new(),
            calls: calls.clone(),
        };
        let Observation::Answers { answers } = effects.perform(&action).await else {
            panic!("the hub does not answer");
        };
        cost.turns += 1;
        let replies = calls.iter().zip(&answers).map(|(call, answer)| {
            cost.calls += 1;
            cost.bytes += answer.bytes;
            match answer.value() {
                Ok(value) => Reply::read(call, value, answer.bytes),
                Err(failure) => Reply::failed(failure.message.clone()),
            }
        });
        let replies = replies.collect();
        plan.take(replies);
    }
}
