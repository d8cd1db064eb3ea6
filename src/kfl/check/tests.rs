mod wrong;

use super::*;
use crate::kfl::diagnostic::Code;
use wrong::WRONG;

/// The filters that the network analysis skill gives, and what the table's notes show.
const SKILL: &[&str] = &[
    "http && status_code == 500",
    r#"dst.service.name == "payment-service""#,
    "dns && status_code != 0",
    r#"src.pod.namespace == "prod" && dst.pod.namespace == "staging""#,
    "http && elapsed_time > 5000000",
    "http && status_code >= 500",
    r#"http && dst.pod.namespace == "production""#,
    r#"http && dst.pod.namespace == "production" && status_code >= 500"#,
    r#"http && dst.pod.namespace == "production" && status_code >= 500 && dst.service.name == "payment-service""#,
    r#"http && dst.pod.namespace == "production" && status_code >= 500 && dst.service.name == "payment-service" && path.contains("/charge")"#,
    "dns && dns_response && status_code != 0              // Failed DNS lookups",
    "src.service.namespace != dst.service.namespace        // Cross-namespace traffic",
    "http && elapsed_time > 5000000                        // Slow transactions (> 5s)",
    r#"conn && conn_state == "open" && conn_local_bytes > 1000000  // High-volume connections"#,
    r#"map_get(local_labels, "app", "") == "checkout""#,
    r#""app" in local_annotations"#,
    r#""tier" in remote_labels && remote_labels["tier"] == "db""#,
    r#"timestamp >= timestamp("2026-03-14T16:12:34Z")"#,
    "grpc_status != -1 && grpc_status != 0",
    r#"postgresql && postgresql_error_code == "23505""#,
    r#"tlsx && tlsx_sni.endsWith(".example.com")"#,
    "dns && status_code == 0",
];

/// The rest of the language.
const CLEAN: &[&str] = &[
    "",
    "  // nothing but a comment\n ",
    "http",
    "!http",
    "!(src.namespace == \"kube-system\")",
    "http || dns",
    "(http && status_code >= 500) || (dns && status_code != 0)",
    "status_code in [500, 502, 503]",
    "method in ['GET', 'HEAD']",
    "\"api.shop.example\" in dns_questions",
    "src.service.name in services",
    "src.name in [dst.name, \"gateway\"]",
    "size(dns_questions) > 1 || dns_answers.size() == 0",
    "size(path) > 200 && size(request.headers) < 3 && size(tcp_payload) == 0",
    "http ? status_code >= 500 : dns && status_code != 0",
    "(http ? elapsed_time : 0) > 100000",
    "elapsed_time / 1000 > 250 && elapsed_time % 2 == 0 && -elapsed_time < -70000",
    "src.name + \"/\" + dst.name == \"a/b\"",
    "timestamp > now() - duration(\"5m\")",
    "timestamp - timestamp(\"2026-03-14T16:12:34Z\") < duration(\"1h30m\")",
    "timestamp + duration(\"1s\") - duration(\"500ms\") >= timestamp(\"2026-03-14T18:12:34+02:00\")",
    "duration(\"1m\") + duration(\"1s\") < now() - timestamp",
    "url.matches(\"^/api/v[0-9]+/users\")",
    "path.startsWith(\"/api\") && path.endsWith(\".json\") && !path.contains(\"/health\")",
    "request.headers[\"x-id\"] == \"7\" && \"x-id\" in request.headers",
    "has(request.headers.host) && request.headers.host == \"shop\"",
    "!(\"x\" in query_string) || query_string[\"x\"] != \"1\"",
    "\"x\" in query_string ? query_string.x == \"1\" : false",
    "http == true && dns_request == false",
    "http != dns_response",
    "tcp_payload == b\"\\x00\\xff\" || udp_payload != b''",
    "dns_answers == [\"10.0.0.1\"] || dns_answers != []",
    "path == r\"\\d\" || path == '''it's''' || path == \"\\u00e9\\n\"",
    "id > 0x10 && src.port != 65535",
    "((((((http))))))",
    "dst.port >= 8000 && dst.port <= 9000",
    "mysql_error_code == -1 || id == -9223372036854775808",
    "path > \"/a\" && path <= \"/b\"",
    "http\n  && // the server's side\n  dst.port == 8080",
];

#[test]
fn what_the_skill_and_the_notes_show_checks_clean() {
    for filter in SKILL.iter().chain(CLEAN) {
        match check(filter) {
            Ok(checked) => assert_eq!(checked.warnings(), [], "{filter}"),
            Err(found) => panic!("{filter}\n{}", rendered(filter, &found)),
        }
    }
}

fn rendered(filter: &str, found: &[Diagnostic]) -> String {
    found.iter().map(|diagnostic| diagnostic.render(filter)).collect()
}

#[test]
fn probable_slips_are_warnings() {
    for (filter, code, mended) in [
        (
            "http && elapsed_time > 500",
            Code::Unit,
            "http && elapsed_time > 500000",
        ),
        ("5000 <= elapsed_time", Code::Unit, "5000000 <= elapsed_time"),
        ("method == \"get\"", Code::Spelling, "method == \"GET\""),
    ] {
        let checked = check(filter).unwrap();
        let [warning] = checked.warnings() else {
            panic!("{filter}: {:?}", checked.warnings());
        };
        assert_eq!((warning.code, warning.severity), (code, Severity::Warning));
        assert_eq!(warning.mended(filter).as_deref(), Some(mended));
    }
    assert_eq!(check("elapsed_time > 100000").unwrap().warnings(), []);
}

#[test]
fn a_server_takes_what_only_misleads() {
    for filter in WRONG
        .iter()
        .filter(|(group, _)| *group == "misleading")
        .flat_map(|(_, filters)| *filters)
    {
        let checked = check_as_server(filter).unwrap();
        assert!(!checked.warnings().is_empty(), "{filter}");
    }
    assert!(check_as_server("response.status == 500").is_err());
}

#[test]
fn terms_are_those_joined_at_the_top() {
    let texts = |filter: &str| -> Vec<String> {
        check(filter)
            .unwrap()
            .terms()
            .iter()
            .map(|term| term.text.to_owned())
            .collect()
    };
    assert_eq!(
        texts("http && (status_code >= 500 || method == \"PUT\") && path.contains(\"a && b\")"),
        [
            "http",
            "(status_code >= 500 || method == \"PUT\")",
            "path.contains(\"a && b\")"
        ]
    );
    assert_eq!(texts("(http && dns_response)"), ["http", "dns_response"]);
    assert_eq!(texts("http || dns"), ["http || dns"]);
    assert_eq!(texts(""), [""; 0]);
}

#[test]
fn the_positive_control_is_the_filter_without_its_last_term() {
    let control = |filter: &str| check(filter).unwrap().without_last_term();
    assert_eq!(
        control("http // flag\n && status_code >= 500 && path == \"/x\" // end").as_deref(),
        Some("http && status_code >= 500")
    );
    assert_eq!(control("http").as_deref(), Some(""));
    assert_eq!(control(""), None);
    assert_eq!(
        control("(http || dns) && status_code == 3").as_deref(),
        Some("(http || dns)")
    );
    assert!(check("").unwrap().matches_all() && !check("http").unwrap().matches_all());
}

#[test]
fn the_fields_looked_at_are_known() {
    let checked = check("http && map_get(local_labels, \"app\", src.name) == \"x\"").unwrap();
    assert_eq!(
        checked.fields().iter().copied().collect::<Vec<_>>(),
        [FieldId::HTTP, FieldId::LOCAL_LABELS, FieldId::SRC_NAME]
    );
}

#[test]
fn limits_hold() {
    let code = |filter: &str| check(filter).unwrap_err()[0].code;
    let nested = |n: usize| format!("{}http{}", "(".repeat(n), ")".repeat(n));
    assert!(check(&nested(50)).is_ok());
    assert_eq!(code(&nested(2000)), Code::TooLarge);
    assert_eq!(code(&format!("{}http", "!".repeat(2000))), Code::TooLarge);
    assert_eq!(code(&format!("id == 1{}", " + 1".repeat(100))), Code::TooLarge);
    assert_eq!(code(&format!("path{}", ".x".repeat(500))), Code::TooLarge);
    assert_eq!(
        code(&format!("path == \"{}\"", "x".repeat(20_000))),
        Code::TooLarge
    );
    // Terms that stand side by side nest nothing.
    let ports: Vec<_> = (0..900).map(|port| format!("src.port == {port}")).collect();
    assert_eq!(check(&ports[..600].join(" || ")).unwrap().terms().len(), 1);
    let list = vec!["1"; 2000].join(",");
    assert_eq!(code(&format!("id in [{list}]")), Code::TooLarge);
}

#[test]
fn a_long_or_strange_line_is_shown_around_the_place() {
    let filter = format!("path == \"{}\" && statuscode == 1", "é".repeat(300));
    let found = check(&filter).unwrap_err();
    insta::assert_snapshot!(found[0].render(&filter));
    let filter = "http &&\n\tstatuscode == 1\n&& path == \"\u{202e}\"";
    let found = check(filter).unwrap_err();
    insta::assert_snapshot!(found[0].render(filter));
}

#[test]
fn diagnostics_are_json_for_programs() {
    let found = check("status == 500").unwrap_err();
    insta::assert_json_snapshot!(found);
}

mod arbitrary {
    use super::*;
    use proptest::prelude::*;

    /// Pieces of filters, so that random texts get past the first token.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "http",
            "dns",
            "status_code",
            "path",
            "request.headers",
            "namespaces",
            "timestamp",
            "elapsed_time",
            "&&",
            "||",
            "!",
            "==",
            "!=",
            "<",
            ">=",
            "in",
            "(",
            ")",
            "[",
            "]",
            ",",
            ".",
            "?",
            ":",
            "+",
            "-",
            "*",
            "/",
            "%",
            "1",
            "0",
            "-1",
            "9223372036854775807",
            "500",
            "\"x\"",
            "\"\"",
            "'",
            "\"",
            "r\"\\d\"",
            "b'x'",
            "\\",
            "size(",
            "map_get(",
            "timestamp(\"2026-03-14T16:12:34Z\")",
            "duration(\"5m\")",
            "now()",
            "has(",
            ".contains(\"x\")",
            ".matches(\"[a-z]+\")",
            ".host",
            "[\"k\"]",
            "and",
            "not",
            "contains",
            "5s",
            "1.5",
            "true",
            "false",
            " ",
            "\n",
            "//",
            "é",
            "\u{202e}",
            "{",
            "=~",
            "between",
            "nope",
        ]);
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.join(" "))
    }

    fn sound(text: &str) -> Result<(), TestCaseError> {
        match check(text) {
            Ok(checked) => {
                prop_assert!(check_as_server(text).is_ok());
                // The positive control is a filter too.
                if let Some(control) = checked.without_last_term() {
                    prop_assert!(check_as_server(&control).is_ok(), "{}", control);
                }
                prop_assert!(!crate::kfl::explain(&checked).is_empty());
            }
            Err(found) => {
                prop_assert!(found.iter().any(|d| d.severity == Severity::Error));
                for diagnostic in &found {
                    prop_assert!(text.get(diagnostic.span.clone()).is_some(), "{:?}", diagnostic);
                    prop_assert!(diagnostic.render(text).lines().count() >= 5);
                    if diagnostic.fix.is_some() {
                        prop_assert!(diagnostic.mended(text).is_some());
                    }
                }
            }
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn texts_never_break_the_checker(text in any::<String>()) {
            sound(&text)?;
        }

        #[test]
        fn nor_do_pieces_of_filters(text in pieces()) {
            sound(&text)?;
        }

        #[test]
        fn nor_do_regular_expressions(pattern in "[a-c\\\\\\[\\](){}|*+?^$.:<>=!PQEdwsb0-9,&~-]{0,24}") {
            sound(&format!("path.matches({})", crate::kfl::quoted(&pattern)))?;
        }
    }
}
