//! `ask` with a model: it proposes a filter where the rules read nothing; the checker and the server decide.

use serde_json::json;

use crate::{
    runner::{Rca, short},
    server::{Act, Server},
};

fn ask(server: &Server, question: &str, more: &[&str]) -> crate::runner::Output {
    let rca = Rca::new();
    let capture = short();
    let mut args = vec![
        "ask",
        question,
        "--capture",
        &capture,
        "--now",
        "2026-11-23T02:30:00Z",
        "--model",
        "scripted",
        "--model-url",
        &server.url,
        "--no-input",
        "-q",
    ];
    args.extend(more);
    rca.run(&args)
}

const VAGUE: &str = "please help, it is all so strange";

#[test]
fn a_model_turns_any_question_into_a_filter_that_is_counted() {
    let server = Server::start(|_| Act::Answer(json!({"filter": "http && status_code == 502"})));
    let told = ask(&server, VAGUE, &["--json"]).json();
    assert_eq!(told["filter"], "http && status_code == 502");
    assert_eq!(told["proposed_by"], "scripted-2026");
    assert!(told["total"].as_u64().unwrap() > 0, "{told}");
    let seen = server.seen().remove(0);
    assert_eq!(seen.role, "ask");
    assert!(seen.prompt.contains(VAGUE));
    let text = ask(&server, VAGUE, &[]);
    assert!(text.stdout.contains("proposed by the model scripted"), "{text}");
}

#[test]
fn a_filter_that_does_not_check_goes_back_with_what_is_wrong() {
    let server = Server::start(|asked| {
        Act::Answer(if asked.before == 0 {
            json!({"filter": "http && response.code >= 500"})
        } else {
            json!({"filter": "http && status_code >= 500"})
        })
    });
    let told = ask(&server, VAGUE, &["--json"]).json();
    assert_eq!(told["filter"], "http && status_code >= 500");
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen[1].last.contains("response.code"), "{}", seen[1].last);
}

#[test]
fn a_model_that_never_proposes_a_filter_is_told_of() {
    let server = Server::start(|_| Act::Answer(json!({"filter": "drop table calls"})));
    let told = ask(&server, VAGUE, &[]);
    assert_eq!((told.status, told.stdout.as_str()), (1, ""), "{told}");
    assert!(
        told.stderr.contains("the model proposed no filter that checks"),
        "{told}"
    );
    assert_eq!(server.seen().len(), 3);
    let server = Server::start(|_| Act::Answer(json!({"filter": ""})));
    let told = ask(&server, VAGUE, &[]);
    assert_eq!(told.status, 1, "{told}");
    assert!(
        told.stderr.contains("nothing in the question says which calls"),
        "{told}"
    );
}

#[test]
fn a_question_that_the_rules_read_is_not_put_to_a_model() {
    let server = Server::start(|_| Act::Answer(json!({"filter": "dns"})));
    let told = ask(&server, "any 502 responses?", &["--json"]).json();
    assert_eq!(told["filter"], "http && status_code == 502");
    assert_eq!(told["proposed_by"], serde_json::Value::Null);
    assert!(server.seen().is_empty());
}
