//! Filters that must be refused, and what is said to them.

use super::{check, rendered};

/// Filters that are refused, one a line. The snapshot shows what is said to each.
pub(super) const WRONG: &[(&str, &[&str])] = &[
    (
        "names",
        &[
            "response.status == 500",
            "http && dst.pod.namespce == \"shop\"",
            "src.ns == \"shop\"",
            "namespace == \"shop\"",
            "statusCode >= 500",
            "HTTP && status_code == 500",
            "https && path == \"/\"",
            "latency_ms > 500",
            "request.method == \"GET\"",
            "dst.pod == \"payments-1\"",
            "dst.labels[\"app\"] == \"x\"",
            "node.name == \"node-1\"",
            "http && host == \"shop\"",
            "completely_unknown == 1",
            "path.length > 3",
            "src.ip.port == 3",
            "request.body.contains(\"x\")",
            "status_code != null",
            "dns.rcode != 0",
            "method == GET",
            "dst.namespace == kube-system",
        ],
    ),
    (
        "operators",
        &[
            "http and status_code == 500",
            "http OR dns",
            "not http",
            "http & dns_response",
            "status_code = 500",
            "status_code === 500",
            "status_code <> 200",
            "path contains \"/charge\"",
            "path not contains \"/health\"",
            "path startswith \"/api\"",
            "path =~ \"^/api\"",
            "status_code between 500 and 599",
            "status_code not in [200, 204]",
            "path is \"/\"",
            "path like \"/x\" and not method = \"GET\"",
            "http dns",
            "http, dns_response",
            "status_code ≥ 500",
            "!method == \"GET\"",
        ],
    ),
    (
        "syntax",
        &[
            "http &&",
            "&& http",
            "(http || dns",
            "http)",
            "status_code in [500, 503",
            "path == \"/charge",
            "path == 'it's'",
            "path == “/charge”",
            "path == \"\\d+\"",
            "http; dns",
            "http # errors",
            "path.",
            "http ? status_code == 500",
            "{\"a\": \"b\"} == request.headers",
            "status_code == 5xx",
            "elapsed_time > 5s",
            "elapsed_time > 1.5",
            "status_code == 500u",
            "id == 99999999999999999999",
            "src.ip == 10.0.53.101",
            "request_body_size > 1_000_000",
            "http ORDER BY timestamp",
            "map_get(request.headers \"x\", \"\")",
        ],
    ),
    (
        "types",
        &[
            "status_code == \"500\"",
            "status_code == \"5xx\"",
            "status_code.startsWith(\"5\")",
            "elapsed_time > \"500ms\"",
            "elapsed_time > duration(\"5s\")",
            "postgresql_error_code == 23505",
            "http == \"true\"",
            "http == 0",
            "timestamp > \"2026-03-14T16:12:34Z\"",
            "timestamp > 1773504754",
            "timestamp > timestamp(\"2026-03-14 16:12\")",
            "timestamp > timestamp(1773504754000)",
            "timestamp > now() - 300",
            "timestamp > now() - \"5m\"",
            "timestamp > duration(\"5m\")",
            "timestamp > now() - duration(\"2 days\")",
            "namespaces.contains(\"shop\")",
            "namespaces == \"shop\"",
            "namespaces in [\"a\", \"b\"]",
            "dns_questions in \"example\"",
            "\"charge\" in path",
            "status_code in [\"500\", \"503\"]",
            "method in [1, 2]",
            "status_code in 500",
            "status_code == [500, 503]",
            "method in [\"GET\", 1]",
            "request.headers == \"x\"",
            "request.headers.contains(\"x-id\")",
            "path && http",
            "http && status_code",
            "dns && dns_answers",
            "path + 5 == \"x\"",
            "path == \"a\" ? 1 : \"b\"",
            "http < true",
            "request.headers == response.headers",
            "src.port / 0 == 1",
            "-http",
            "path[\"x\"] == \"y\"",
            "map_get(local_labels, \"app\", 0) == \"x\"",
        ],
    ),
    (
        "functions",
        &[
            "contains(path, \"/charge\")",
            "path.startswith(\"/api\")",
            "path.includes(\"/api\")",
            "path.contains(500)",
            "path.contains(\"a\", \"b\")",
            "len(dns_questions) > 1",
            "path.lower() == \"/api\"",
            "map_get(local_labels, \"app\") == \"x\"",
            "size() > 1",
            "string(status_code) == \"500\"",
            "dns_questions.exists(q, q == \"x\")",
            "has(path)",
            "has(request.headers[\"x\"])",
            "path.matches(\"(?=x)\")",
            "path.matches(\"(a)\\\\1\")",
            "path.matches(\"*.json\")",
            "path.matches(\"[a-\")",
            "path.matches(method)",
            "size(status_code) == 3",
        ],
    ),
    (
        "misleading",
        &[
            "local_labels[\"app\"] == \"checkout\"",
            "request.headers[\"x-id\"] == \"7\" || \"x-id\" in request.headers",
            "request.headers.host == \"shop\"",
            "request.headers[path] == \"shop\"",
            "true",
            "http && false",
            "status_code >= 0",
            "dst.port > 70000",
            "status_code == 1000",
            "size(path) < 0",
            "path.contains(\"\")",
            "path.matches(\".*\")",
            "path == path",
            "1 == 2",
            "http && !http",
            "http && dns",
            "method == \"GET\" && method == \"POST\"",
            "method != \"GET\" || method != \"POST\"",
            "status_code >= 500 && status_code < 400",
            "status_code == 500 && status_code in [400, 404]",
            "status_code < 500 || status_code >= 400",
            "path.startsWith(\"/a\") && path.startsWith(\"/b\")",
            "path.contains(\"/api/v1\") && !path.contains(\"/api\")",
            "timestamp > timestamp(\"2026-03-14T17:00:00Z\") && timestamp < timestamp(\"2026-03-14T16:00:00Z\")",
        ],
    ),
];

#[test]
fn wrong_filters_are_refused_with_a_place_and_a_suggestion() {
    let mut count = 0;
    for (group, filters) in WRONG {
        let mut all = String::new();
        for filter in *filters {
            let Err(found) = check(filter) else {
                panic!("{filter} was accepted");
            };
            for diagnostic in &found {
                assert!(diagnostic.suggestion.is_some(), "{filter}: {diagnostic:?}");
                assert!(diagnostic.span.end <= filter.len(), "{filter}: {diagnostic:?}");
            }
            all.push_str(&rendered(filter, &found));
            all.push('\n');
            count += 1;
        }
        insta::assert_snapshot!(*group, all);
    }
    assert!(count >= 60, "{count}");
}

/// What a fix proposes has to be right: with all fixes made, nothing of what they mend is found again.
#[test]
fn fixes_mend_what_they_are_for() {
    let mut mended = 0;
    for filter in WRONG.iter().flat_map(|(_, filters)| *filters) {
        let mut text = (*filter).to_owned();
        // Fixes move what stands behind them, so they are made one at a time.
        for _ in 0..8 {
            let Err(found) = check(&text) else {
                break;
            };
            let Some(next) = found.iter().find_map(|diagnostic| diagnostic.mended(&text)) else {
                break;
            };
            assert_ne!(next, text, "{filter}: a fix changes nothing");
            text = next;
            mended += 1;
        }
        if let Err(found) = check(&text) {
            assert!(
                found.iter().any(|diagnostic| diagnostic.fix.is_none()),
                "{filter} became {text}\n{}",
                rendered(&text, &found)
            );
        }
    }
    assert!(mended > 60, "{mended}");
}
