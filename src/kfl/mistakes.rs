//! What people write instead of a field's name: names of other tools, of older pages, of the answers'
//! JSON, and slips of the finger.

use super::field::{self, FieldId};

/// What was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    Field(FieldId),
    Advice(String),
}

/// Why a name is wrong, where that is not plain.
const OLD_DIALECT: &str = "that is the older filter language, which KFL2 refuses";
const ELAPSED: &str = "the time a call took is `elapsed_time`, in microseconds";
const RCODE: &str = "on DNS entries `status_code` holds the response code: 0 is NOERROR, 3 is NXDOMAIN";

/// Wrong names, the field that was meant, and why.
const FIELDS: &[(&[&str], FieldId, Option<&str>)] = &[
    (
        &[
            "response.status",
            "response.statuscode",
            "response.status_code",
            "response.code",
        ],
        FieldId::STATUS_CODE,
        Some(OLD_DIALECT),
    ),
    (
        &[
            "status",
            "code",
            "http.status",
            "http.status_code",
            "http.response.status_code",
            "http_status",
            "http_status_code",
            "response_code",
            "response_status",
            "http.code",
            "statuscode",
        ],
        FieldId::STATUS_CODE,
        None,
    ),
    (
        &[
            "rcode",
            "dns.rcode",
            "dns_rcode",
            "dns.status",
            "dns_status",
            "dns_response_code",
            "dns_status_code",
        ],
        FieldId::STATUS_CODE,
        Some(RCODE),
    ),
    (&["request.method"], FieldId::METHOD, Some(OLD_DIALECT)),
    (
        &["http.method", "http.request.method", "http_method", "verb"],
        FieldId::METHOD,
        None,
    ),
    (&["request.path"], FieldId::PATH, Some(OLD_DIALECT)),
    (
        &[
            "http.path",
            "http_path",
            "endpoint",
            "url.path",
            "uri.path",
            "route",
        ],
        FieldId::PATH,
        None,
    ),
    (&["request.url", "request.uri"], FieldId::URL, Some(OLD_DIALECT)),
    (&["uri", "http.url", "http.target", "target"], FieldId::URL, None),
    (
        &[
            "latency",
            "latency_ms",
            "latency_us",
            "response_time",
            "responsetime",
            "duration",
            "duration_ms",
            "elapsed",
            "elapsed_ms",
            "elapsed_us",
            "elapsedtime",
            "took",
            "time_ms",
        ],
        FieldId::ELAPSED_TIME,
        Some(ELAPSED),
    ),
    (
        &["ts", "time", "date", "datetime", "@timestamp", "start_time"],
        FieldId::TIMESTAMP,
        None,
    ),
    (&["graphql"], FieldId::GQL, None),
    (&["websocket"], FieldId::WS, None),
    (&["postgres", "pgsql", "psql"], FieldId::POSTGRESQL, None),
    (&["mongo"], FieldId::MONGODB, None),
    (&["rabbitmq"], FieldId::AMQP, None),
    (
        &["https", "ssl"],
        FieldId::TLS,
        Some("encrypted traffic has the flag `tls`; decrypted calls have `http`"),
    ),
    (
        &["http1", "http2", "h2"],
        FieldId::HTTP,
        Some("the version is the field `http_version`"),
    ),
    (&["sni", "tls.sni", "tls_sni"], FieldId::TLSX_SNI, None),
    (
        &[
            "dns.question",
            "dns_question",
            "dns.questions",
            "dns.query",
            "dns_query",
            "dns.qname",
            "dns_name",
            "dns.name",
            "qname",
        ],
        FieldId::DNS_QUESTIONS,
        Some("the names that were asked for are a list: \"name\" in dns_questions"),
    ),
    (
        &["dns.answers", "dns_answer", "dns.answer"],
        FieldId::DNS_ANSWERS,
        None,
    ),
    (
        &["dns_type", "dns.type", "qtype", "dns_question_type"],
        FieldId::DNS_QUESTION_TYPES,
        None,
    ),
    (
        &[
            "query",
            "query_params",
            "queryparams",
            "params",
            "request.query",
            "request.querystring",
        ],
        FieldId::QUERY_STRING,
        None,
    ),
    (
        &["request.size", "request_size", "req_size"],
        FieldId::REQUEST_BODY_SIZE,
        None,
    ),
    (
        &["response.size", "response_size", "resp_size", "bytes"],
        FieldId::RESPONSE_BODY_SIZE,
        None,
    ),
    (
        &["req_headers", "request_headers"],
        FieldId::REQUEST_HEADERS,
        None,
    ),
    (
        &["resp_headers", "response_headers"],
        FieldId::RESPONSE_HEADERS,
        None,
    ),
    (&["node.name"], FieldId::NODE_NAME, None),
    (&["node.ip"], FieldId::NODE_IP, None),
    (&["proto"], FieldId::PROTOCOL, None),
    (
        &["port"],
        FieldId::DST_PORT,
        Some("each side has its own port: `src.port` and `dst.port`"),
    ),
];

/// Wrong names for which no single field was meant.
const ADVICE: &[(&[&str], &str)] = &[
    (
        &["namespace", "ns"],
        "write `dst.namespace == \"…\"`, `src.namespace == \"…\"`, or `\"…\" in namespaces` for either side",
    ),
    (
        &["pod", "pod.name", "pod_name"],
        "write `dst.pod.name == \"…\"`, `src.pod.name == \"…\"`, or `\"…\" in pods` for either side",
    ),
    (
        &[
            "service",
            "svc",
            "service.name",
            "service_name",
            "app",
            "workload",
        ],
        "write `dst.service.name == \"…\"`, `src.service.name == \"…\"`, or `\"…\" in services` for either side",
    ),
    (&["ip"], "write `src.ip == \"…\"` or `dst.ip == \"…\"`"),
    (
        &["host", "http.host", "hostname", "request.host", "authority"],
        "write `map_get(request.headers, \"host\", \"\")`, or `dst.dns` for the name behind the address",
    ),
    (
        &[
            "labels",
            "src.labels",
            "dst.labels",
            "label",
            "pod.labels",
            "annotations",
        ],
        "labels are `local_labels` and `remote_labels`, asked with `map_get(local_labels, \"app\", \"\")`",
    ),
    (
        &["src.node", "dst.node", "src.node.name", "dst.node.name"],
        "nodes are `local_node_name` and `remote_node_name`, and `node_name` is where it was captured",
    ),
    (
        &["headers", "header"],
        "write `request.headers` or `response.headers`",
    ),
    (
        &["cookies", "cookie"],
        "write `request.cookies` or `response.cookies`",
    ),
    (
        &[
            "body",
            "request.body",
            "response.body",
            "req_body",
            "resp_body",
            "payload",
        ],
        "filters do not see bodies; get the details of single calls, or filter by `response_body_size`",
    ),
    (
        &["error", "errors", "failed", "is_error", "success"],
        "write `status_code >= 500` for HTTP, `dns && status_code != 0` for DNS",
    ),
    (
        &["null", "nil", "none", "undefined"],
        "nothing is null: an absent field is \"\", 0, false or empty, so compare with that",
    ),
    (
        &["request", "response", "http.request", "http.response"],
        "parts of a call are single fields: `method`, `path`, `status_code`, `request.headers`",
    ),
    (
        &["src", "source", "client"],
        "the client's fields are `src.ip`, `src.port`, `src.pod.name`, `src.namespace`, `src.service.name`",
    ),
    (
        &["dst", "dest", "destination", "server"],
        "the server's fields are `dst.ip`, `dst.port`, `dst.pod.name`, `dst.namespace`, `dst.service.name`",
    ),
    (
        &[
            "tcp_metrics",
            "tcp_metrics.retransmissions",
            "retransmissions",
            "rtt",
            "rst_count",
        ],
        "TCP metrics are listed with `tcp_flow` entries, but cannot be filtered by",
    ),
];

/// What is known to be meant by a name that is no field, with the reason where it needs one.
pub(super) fn known(name: &str) -> Option<(Meant, Option<&'static str>)> {
    let lower = name.to_ascii_lowercase();
    for (wrong, id, reason) in FIELDS {
        if wrong.contains(&lower.as_str()) {
            return Some((Meant::Field(*id), *reason));
        }
    }
    for (wrong, advice) in ADVICE {
        if wrong.contains(&lower.as_str()) {
            return Some((Meant::Advice((*advice).to_owned()), None));
        }
    }
    side(&lower).map(|id| (Meant::Field(id), None))
}

/// `source.pod`, `dst.ns`, `client_ip` and the like: a side of the connection with something of it.
fn side(name: &str) -> Option<FieldId> {
    let (side, rest) = name.split_once(['.', '_'])?;
    let side = match side {
        "src" | "source" | "client" | "from" => "src",
        "dst" | "dest" | "destination" | "server" | "to" => "dst",
        _ => return None,
    };
    let rest = match rest.replace('_', ".").as_str() {
        "ns" | "namespace" => "namespace".to_owned(),
        "pod" | "podname" => "pod.name".to_owned(),
        "pod.ns" => "pod.namespace".to_owned(),
        "service" | "svc" | "svc.name" => "service.name".to_owned(),
        "service.ns" | "svc.ns" | "svc.namespace" => "service.namespace".to_owned(),
        "address" | "addr" | "ip.address" => "ip".to_owned(),
        "host" | "hostname" | "domain" => "dns".to_owned(),
        other => other.to_owned(),
    };
    field::lookup(&format!("{side}.{rest}"))
}

/// The fields whose names are nearest, the best first, three at most.
pub(super) fn nearest(name: &str) -> Vec<FieldId> {
    const LONGEST: usize = 64;
    if name.len() > LONGEST {
        return Vec::new();
    }
    let plain = plain(name);
    // A third of the letters may be wrong, in short names one.
    let limit = (plain.len() / 3).clamp(1, 4);
    let mut near: Vec<(usize, FieldId)> = FieldId::all()
        .filter_map(|id| {
            let distance = strsim::damerau_levenshtein(&plain, &self::plain(id.name()));
            (distance <= limit).then_some((distance, id))
        })
        .collect();
    near.sort();
    let best = near.first().map_or(0, |(distance, _)| *distance);
    near.into_iter()
        .filter(|(distance, _)| *distance <= best + usize::from(best > 1))
        .map(|(_, id)| id)
        .take(3)
        .collect()
}

/// Lower case without the joints between words, which are what people mix up most.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '.' | '_' | '-'))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_wrong_name_is_a_field() {
        let wrong = FIELDS
            .iter()
            .flat_map(|(names, ..)| names.iter())
            .chain(ADVICE.iter().flat_map(|(names, _)| names.iter()));
        let mut seen = std::collections::BTreeSet::new();
        for name in wrong {
            assert_eq!(field::lookup(name), None, "{name}");
            assert_eq!(
                *name,
                name.to_ascii_lowercase(),
                "names are looked up in lower case"
            );
            assert!(seen.insert(name), "{name} is listed twice");
        }
    }

    #[test]
    fn sides_have_their_short_names() {
        assert_eq!(side("src.ns"), Some(FieldId::SRC_NAMESPACE));
        assert_eq!(side("destination.pod"), Some(FieldId::DST_POD_NAME));
        assert_eq!(side("client_ip"), Some(FieldId::SRC_IP));
        assert_eq!(side("dst.svc"), Some(FieldId::DST_SERVICE_NAME));
        assert_eq!(side("node.pod"), None);
    }

    #[test]
    fn slips_find_their_field() {
        for (slip, id) in [
            ("dst.pod.namespce", FieldId::DST_POD_NAMESPACE),
            ("statusCode", FieldId::STATUS_CODE),
            ("htpp", FieldId::HTTP),
            ("dst_pod_name", FieldId::DST_POD_NAME),
            ("elpased_time", FieldId::ELAPSED_TIME),
            ("HTTP", FieldId::HTTP),
        ] {
            assert_eq!(nearest(slip).first(), Some(&id), "{slip}");
        }
        assert_eq!(nearest("completely_different"), []);
        assert_eq!(nearest(&"x".repeat(5000)), []);
    }
}
