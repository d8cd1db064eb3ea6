use super::*;
use crate::kfl::check_as_server;

fn explained(filter: &str) -> String {
    explain(&check_as_server(filter).unwrap())
}

#[test]
fn a_filter_is_said_in_plain_words() {
    insta::assert_snapshot!(explained("http && elapsed_time > 5000000"), @"
    Entries for which all of this holds:
      - it is an HTTP call
      - it took longer than 5 s (5,000,000 µs)
    ");
    insta::assert_snapshot!(explained("dns && dns_response && status_code != 0"), @"
    Entries for which all of this holds:
      - it is a DNS lookup
      - `dns_response` is set
      - the status code is not 0
    ");
    insta::assert_snapshot!(explained("dst.pod.namespace == \"shop\" || dst.service.name == \"pay\""), @r#"
    Entries for which any of this holds:
      - the destination's pod namespace is "shop"
      - the destination's service is "pay"
    "#);
    insta::assert_snapshot!(explained("!path.contains(\"/health\")"), @r#"
    Entries for which this holds:
      - the path does not contain "/health"
    "#);
    insta::assert_snapshot!(explained(""), @"Every entry.");
}

#[test]
fn units_are_spelled_out() {
    let filter = "conn && conn_local_bytes > 1000000 && response_body_size <= 1234567 && flow_local_pps > 1000 \
                  && dst.port == 8080 && elapsed_time <= 250 && elapsed_time >= 90000000 && request_body_size < 10";
    insta::assert_snapshot!(explained(filter), @"
    Entries for which all of this holds:
      - it is a connection
      - `conn_local_bytes` is more than 1,000,000 bytes (1 MB)
      - `response_body_size` is at most 1,234,567 bytes (about 1.2 MB)
      - `flow_local_pps` is more than 1,000 packets/second
      - the destination's port is 8080
      - it took at most 250 µs
      - it took at least 1 min 30 s (90,000,000 µs)
      - `request_body_size` is less than 10 bytes
    ");
}

#[test]
fn every_construct_has_its_words() {
    let filters = [
        "!http || !(dst.name == \"x\") || tcp_flow",
        "!(http && status_code in [500, 503])",
        "(http || dns) && !(path.startsWith(\"/a\") || path.endsWith(\"b\"))",
        "\"shop\" in namespaces && !(\"x\" in services)",
        "src.name in [\"a\", \"b\"] && !(src.name in [dst.name])",
        "\"x\" in request.headers && request.headers.x == \"1\"",
        "map_get(local_labels, \"app\", \"\") != \"shop\"",
        "path.matches(\"^/api\") && !path.contains(\"health\")",
        "timestamp > now() - duration(\"5m\") && timestamp < timestamp(\"2026-03-14T16:12:34Z\")",
        "now() >= timestamp && now() - timestamp < duration(\"1h30m\") + duration(\"1s\")",
        "http ? status_code >= 500 : dns",
        "(http ? elapsed_time : 0) / 1000 > size(path) + 2 * -status_code",
        "http == dns_response && src.name + \"/\" == dst.name",
        "size(dns_questions) > 1 && size(request.headers) == 0 && size(tcp_payload) > 3",
        "tcp_payload == b\"abc\" && dns_answers == [] && namespaces != [\"a\", src.name]",
        "path < \"b\" && src.port != dst.port && timestamp + duration(\"1s\") != timestamp(\"2026-03-14T16:12:34Z\")",
        "gql && src.ip == \"10.0.0.1\" && !redis && mysql_success",
    ];
    let mut all = String::new();
    for filter in filters {
        all.push_str(&explained(filter));
        all.push('\n');
    }
    insta::assert_snapshot!(all);
}
