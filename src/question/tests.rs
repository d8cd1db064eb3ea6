use super::*;
use crate::kfl;

fn known() -> Known {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Known {
        services: names(&[
            "gateway",
            "checkout",
            "cart",
            "payment-service",
            "postgres",
            "inventory",
        ]),
        pods: names(&["postgres-0", "checkout-8zxk-bbppq"]),
        namespaces: names(&["shop", "prod", "staging", "kube-system"]),
    }
}

fn times(text: &str) -> bool {
    [
        "3pm",
        "20 minutes",
        "3pm and 4pm",
        "yesterday 14:05",
        "last 20 minutes",
        "last 2 hours",
    ]
    .contains(&text)
}

fn filter(text: &str) -> String {
    let asked = parse(text, times).unwrap_or_else(|_| panic!("{text}: not understood"));
    let proposed = asked
        .filter(&known())
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    for filter in &proposed.filters {
        assert!(
            kfl::check(filter).is_ok(),
            "{text}: {filter}: {:?}",
            kfl::check(filter)
        );
    }
    assert!(
        proposed.ignored.is_empty(),
        "{text}: ignored {:?}",
        proposed.ignored
    );
    proposed.filters[0].clone()
}

/// The examples of the skill, word for word, with the filters that it gives.
#[test]
fn the_examples_of_the_skill_become_its_filters() {
    for (question, expected) in [
        ("Show me all 500 errors", "http && status_code == 500"),
        (
            "What's hitting the payment service?",
            "dst.service.name == \"payment-service\"",
        ),
        ("Any DNS failures?", "dns && status_code != 0"),
        (
            "Show traffic from namespace prod to staging",
            "src.pod.namespace == \"prod\" && dst.pod.namespace == \"staging\"",
        ),
        (
            "What are the slowest API calls?",
            "http && elapsed_time > 5000000",
        ),
    ] {
        assert_eq!(filter(question), expected, "{question}");
        // Also where the names could not be looked up.
        let asked = parse(question, times).unwrap();
        assert_eq!(
            asked.filter(&Known::default()).unwrap().filters[0],
            expected,
            "{question}"
        );
    }
}

#[test]
fn people_ask_in_many_ways() {
    let questions = [
        "show me the 503s",
        "any 5xx?",
        "which requests returned 404?",
        "4xx from gateway",
        "server errors in checkout",
        "client errors since 3pm",
        "were there any errors in the shop namespace",
        "what failed between gateway and checkout?",
        "failed requests to inventory",
        "is checkout failing?",
        "who calls postgres?",
        "who is calling the inventory service",
        "what does gateway call?",
        "callers of cart",
        "traffic to the postgres-0 pod",
        "calls from checkout to inventory slower than 200ms",
        "requests over 2 s",
        "anything taking longer than 500 ms in checkout?",
        "what was slow?",
        "top 5 slowest requests to cart",
        "POST requests to /orders",
        "GET /products that failed",
        "errors on /checkout",
        "unauthorized requests",
        "who got 403 from gateway",
        "rate limited calls",
        "gateway timeouts in the last 20 minutes",
        "bad gateway errors",
        "requests that got no response",
        "timeouts to inventory",
        "dns lookups",
        "did name resolution fail?",
        "failed lookups from checkout",
        "tcp connection errors to postgres",
        "refused connections",
        "connections from inventory",
        "cross-namespace traffic",
        "postgres errors",
        "redis commands",
        "kafka traffic",
        "grpc failures",
        "traffic of 10.1.3.16",
        "all http traffic in kube-system",
        "show errors from yesterday 14:05",
        "successful calls to cart",
        "how many requests hit the gateway",
        "status 502",
        "redirects",
        "calls under 5ms to cart",
        "what's wrong with checkout",
    ];
    assert!(questions.len() >= 40);
    let wrong: Vec<_> = questions
        .iter()
        .filter_map(|question| {
            let asked = parse(question, times).ok()?;
            let proposed = asked.filter(&known());
            let fine = proposed
                .as_ref()
                .is_ok_and(|proposed| proposed.ignored.is_empty());
            (!fine).then(|| format!("{question}: {proposed:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let shown: Vec<String> = questions
        .iter()
        .map(|question| format!("{question}\n    {}", filter(question)))
        .collect();
    insta::assert_snapshot!("questions", shown.join("\n"));
}

/// Leaving such a word out gives the answer to another question, often the opposite one.
#[test]
fn words_that_turn_the_rest_round_are_not_left_out() {
    for (question, turned) in [
        ("errors not in checkout", vec!["not"]),
        ("errors except 404", vec!["except"]),
        ("errors in shop excluding checkout", vec!["excluding"]),
        ("calls to checkout that weren't answered", vec!["weren't"]),
        (
            "calls to payments that took longer than half a second",
            vec!["longer", "half"],
        ),
        ("which requests were not found?", vec![]),
        ("requests to checkout without an answer", vec![]),
        ("anything taking longer than 500 ms in checkout?", vec![]),
        ("connection resets", vec![]),
    ] {
        assert_eq!(parse(question, times).unwrap().turned, turned, "{question}");
    }
    assert_eq!(
        filter("errors from gateway to checkout"),
        filter("failed calls from gateway to checkout")
    );
    for question in ["are there any resets?", "connection resets"] {
        assert_eq!(filter(question), "tcp_flow && tcp_error_type == \"reset\"");
    }
    assert_eq!(
        filter("did anyone refuse connections?"),
        filter("refused connections")
    );
}

#[test]
fn the_window_is_taken_out_of_the_question() {
    for (question, window) in [
        ("errors since 3pm", Some("3pm")),
        ("errors between 3pm and 4pm", Some("3pm and 4pm")),
        ("errors in the last 20 minutes", Some("last 20 minutes")),
        ("errors in checkout", None),
        ("errors since 3pm in checkout", Some("3pm")),
        (
            "between 3pm and 4pm, which calls to checkout failed?",
            Some("3pm and 4pm"),
        ),
    ] {
        assert_eq!(
            parse(question, times).unwrap().window.as_deref(),
            window,
            "{question}"
        );
    }
}

#[test]
fn a_name_that_nothing_has_is_told_with_what_is_near() {
    let asked = parse("errors in the chekout service", times).unwrap();
    let Unresolved::NoSuchName(error) = asked.filter(&known()).unwrap_err() else {
        panic!("another error")
    };
    assert_eq!(error.known[0], "checkout", "{error:?}");
    let asked = parse("flurbs of http", times).unwrap();
    assert_eq!(asked.filter(&known()).unwrap().ignored, ["flurbs"]);
    for nothing in ["", "?", "please", "what happened to us"] {
        assert_eq!(parse(nothing, times), Err(Unclear), "{nothing}");
    }
}

#[test]
fn whatever_is_asked_becomes_a_checked_filter_or_none() {
    use proptest::prelude::*;
    proptest!(|(text in "\\PC{0,80}", words in proptest::collection::vec("[a-z/0-9\"'-]{1,9}|errors|from|to|slower than|5xx|the|\"a\\\\\"b\"", 0..9))| {
        for text in [text.clone(), words.join(" ")] {
            if let Ok(asked) = parse(&text, |_| false) {
                for known in [Known::default(), known()] {
                    if let Ok(proposed) = asked.filter(&known) {
                        for filter in &proposed.filters {
                            prop_assert!(kfl::check(filter).is_ok(), "{}: {}: {:?}", text, filter, kfl::check(filter));
                        }
                    }
                }
            }
        }
    });
}

#[test]
fn packets_are_a_route_only_where_they_are_asked_for_outright() {
    for text in [
        "give me a PCAP of payments",
        "export the packets of checkout to a file",
        "open the orders traffic in Wireshark",
        "raw packets between gateway and cart",
    ] {
        assert_eq!(wanted(text), Wanted::Packets, "{text}");
    }
    for text in [
        "why did checkout fail?",
        "are packets lost between gateway and cart?",
        "errors in the \"pcap\" service",
        "what's hitting the payment service?",
        "",
    ] {
        assert_eq!(wanted(text), Wanted::Calls, "{text}");
    }
}
