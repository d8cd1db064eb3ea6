//! What a network team gets of a case: addresses, display filter, frame times, a request to send again.

use std::{collections::BTreeSet, net::IpAddr};

use crate::{
    analysis::{Naming, Party, ends},
    investigation::{Action, Case, Finding, Observation},
    journal::{Entry, Recording, redact::HIDDEN},
    time::Utc,
    wire::{
        Operation,
        decode::{self, Call, Peer},
    },
};

/// A moment that a reader of the packets should look at.
pub(super) struct Frame {
    pub(super) what: String,
    pub(super) at: Utc,
}

/// The parties of a finding's path that are inside the cluster.
fn parties(finding: &Finding) -> BTreeSet<Party> {
    let ends = finding.path.iter().flat_map(|hop| [&hop.from, &hop.to]);
    let causes = finding.causes.iter().map(|cause| &cause.party);
    ends.chain(causes)
        .filter(|party| !matches!(party.naming, Naming::Outside | Naming::Node))
        .cloned()
        .collect()
}

/// The addresses that the parties of the path had in the recorded calls.
pub(super) fn addresses(case: &Case, finding: &Finding) -> Vec<IpAddr> {
    let parties = parties(finding);
    let calls = case.picture.calls.iter().chain(
        case.picture
            .edges
            .values()
            .flat_map(|edge| edge.failing.iter().chain(&edge.good)),
    );
    let mut found: BTreeSet<IpAddr> = BTreeSet::new();
    for call in calls {
        let (from, to) = ends(call);
        let mut add = |party: &Party, peer: &Peer| {
            let ip: Option<IpAddr> = peer.ip.as_ref().and_then(|ip| ip.parse().ok());
            found.extend(ip.filter(|_| parties.contains(party)));
        };
        add(&from, &call.src);
        add(&to, &call.dst);
    }
    found.into_iter().collect()
}

/// The names of the parties, for a title.
pub(super) fn names(finding: &Finding) -> String {
    let names: Vec<String> = parties(finding).iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// The first abnormal call of every hop.
pub(super) fn frames(finding: &Finding) -> Vec<Frame> {
    let hops = finding.path.iter().map(|hop| Frame {
        what: format!("{} → {}: {}", hop.from, hop.to, hop.what),
        at: hop.first_abnormal,
    });
    hops.collect()
}

/// What Wireshark shows these addresses by, and these moments.
pub(super) fn display_filter(addresses: &[IpAddr], window: Option<(Utc, Utc)>) -> String {
    let address = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => format!("ip.addr == {ip}"),
        IpAddr::V6(ip) => format!("ipv6.addr == {ip}"),
    };
    let hosts: Vec<String> = addresses.iter().map(address).collect();
    let hosts = if hosts.len() > 1 {
        format!("({})", hosts.join(" || "))
    } else {
        hosts.join("")
    };
    let times = window.map(|(start, end)| {
        format!(
            "frame.time_epoch >= {} && frame.time_epoch <= {}",
            epoch(start),
            epoch(end)
        )
    });
    match (hosts.is_empty(), times) {
        (true, times) => times.unwrap_or_default(),
        (false, Some(times)) => format!("{hosts} && {times}"),
        (false, None) => hosts,
    }
}

/// Seconds since 1970 as Wireshark writes them.
pub(super) fn epoch(at: Utc) -> String {
    format!("{}.{:06}", at.timestamp(), at.timestamp_subsec_micros())
}

/// The first abnormal call that was read in full, as a `curl` command without secrets.
pub(super) fn reproducer(recording: &Recording) -> Option<String> {
    let mut asked: Option<&Action> = None;
    let mut best: Option<Call> = None;
    for entry in &recording.entries {
        match entry {
            Entry::Requested { action, .. } => asked = Some(action),
            Entry::Observed {
                observation: Observation::Answers { answers },
            } => {
                let calls = asked.take().map_or(&[][..], Action::calls);
                for (call, answer) in calls.iter().zip(answers) {
                    if !matches!(call, Operation::CallDetail { .. }) {
                        continue;
                    }
                    let Some(read) = answer
                        .value()
                        .ok()
                        .and_then(|value| decode::call_detail(value).ok())
                    else {
                        continue;
                    };
                    let failed = |call: &Call| call.status.is_some_and(|status| status == 0 || status >= 400);
                    if read.call.method.is_some()
                        && failed(&read.call)
                        && best.as_ref().is_none_or(|best| read.call.ts < best.ts)
                    {
                        best = Some(read.call);
                    }
                }
            }
            _ => {}
        }
    }
    best.map(|call| curl(&call))
}

/// Headers that a client makes itself.
const OWN: &[&str] = &[
    "host",
    "content-length",
    "connection",
    "accept-encoding",
    "transfer-encoding",
    "user-agent",
];

fn curl(call: &Call) -> String {
    let header = |name: &str| {
        let found = call
            .request_headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone())
    };
    let host = header("host").unwrap_or_else(|| {
        let name = call
            .dst
            .service
            .as_ref()
            .or(call.dst.pod.as_ref())
            .or(call.dst.ip.as_ref());
        let namespace = call
            .dst
            .namespace
            .as_ref()
            .map_or_else(String::new, |ns| format!(".{ns}"));
        let port = call.dst.port.map_or_else(String::new, |port| format!(":{port}"));
        format!("{}{namespace}{port}", name.map_or("HOST", String::as_str))
    });
    let url = format!("http://{host}{}", call.path.as_deref().unwrap_or("/"));
    let mut words = vec!["curl -i".to_owned()];
    if let Some(method) = call.method.as_deref().filter(|method| *method != "GET") {
        words.push(format!("-X {}", quoted(method)));
    }
    words.push(quoted(&url));
    for (name, value) in &call.request_headers {
        let own = OWN.iter().any(|own| name.eq_ignore_ascii_case(own)) || name.starts_with(':');
        if !own {
            words.push(format!("-H {}", quoted(&format!("{name}: {value}"))));
        }
    }
    if let Some(body) = call.request_body.as_deref().filter(|body| !body.is_empty()) {
        words.push(format!("--data-raw {}", quoted(body)));
    }
    words.join(" \\\n  ")
}

/// A word for a POSIX shell. What was a secret is a blank to fill in.
fn quoted(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(HIDDEN) {
        plain.push_str(before);
        plain.push_str("REMOVED");
        rest = after.split_once('›').map_or("", |(_, rest)| rest);
    }
    plain.push_str(rest);
    let plain: String = plain.chars().filter(|c| !c.is_control() || *c == '\n').collect();
    format!("'{}'", plain.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_quoted_and_holds_no_secret() {
        let mut call: Call = serde_json::from_value(serde_json::json!({
            "id": "a", "ts": "2026-11-23T01:34:12Z", "src": {}, "dst": {"service": "cart", "namespace": "shop", "port": 8080},
            "protocol": "http", "method": "POST", "path": "/add?who=o'brien", "status": 503, "elapsed_us": 5,
            "node_id": null, "conn_id": null, "response_headers": [],
            "request_headers": [["authorization", "Bearer ‹hidden-a1b2c3›"], ["x-note", "a\u{1b}[2Jb"], ["content-length", "3"]],
            "request_body": "{\"a\":'1'}", "response_body": null, "questions": [], "answers": [], "tcp": null, "error": null,
        }))
        .unwrap();
        insta::assert_snapshot!(curl(&call), @r#"
        curl -i \
          -X 'POST' \
          'http://cart.shop:8080/add?who=o'\''brien' \
          -H 'authorization: Bearer REMOVED' \
          -H 'x-note: a[2Jb' \
          --data-raw '{"a":'\''1'\''}'
        "#);
        call.method = Some("GET; rm -rf /".to_owned());
        assert!(curl(&call).contains("-X 'GET; rm -rf /'"));
    }

    #[test]
    fn addresses_and_times_are_what_wireshark_reads() {
        let at = |text: &str| text.parse::<Utc>().unwrap();
        let both: Vec<IpAddr> = ["10.1.1.5", "fd00::1"]
            .iter()
            .map(|ip| ip.parse().unwrap())
            .collect();
        let window = Some((at("2026-11-23T01:34:12.367Z"), at("2026-11-23T01:34:13Z")));
        insta::assert_snapshot!(display_filter(&both, window), @r#"(ip.addr == 10.1.1.5 || ipv6.addr == fd00::1) && frame.time_epoch >= 1795397652.367000 && frame.time_epoch <= 1795397653.000000"#);
        assert_eq!(display_filter(&both[..1], None), "ip.addr == 10.1.1.5");
        assert_eq!(display_filter(&[], None), "");
    }
}
