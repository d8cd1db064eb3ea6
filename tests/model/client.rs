//! The client against a server process of its own: forms, limits, waits, doctor.

use rca_agent::model::{Message, Model, ModelEndpoint, ModelLimits, OpenAi, Request, Trouble};
use secrecy::SecretString;
use serde_json::json;
use std::time::Duration;

use crate::{
    runner::{Rca, filters, short},
    server::{Act, Server},
};

fn endpoint(url: &str) -> ModelEndpoint {
    ModelEndpoint {
        url: url.to_owned(),
        model: "scripted".to_owned(),
        key: Some(SecretString::from("sk-test-0123456789abcdef".to_owned())),
        temperature: Some(0.2),
        effort: Some("low".to_owned()),
        headers: vec![("x-team".to_owned(), SecretString::from("sre".to_owned()))],
        limits: ModelLimits {
            attempt: Duration::from_secs(5),
            whole: Duration::from_secs(10),
            first_pause: Duration::from_millis(1),
            answer_bytes: 20_000,
            ..ModelLimits::default()
        },
    }
}

fn request() -> Request {
    let message = |role: &str, content: &str| Message {
        role: role.to_owned(),
        content: content.to_owned(),
    };
    Request {
        name: "sample".to_owned(),
        messages: vec![message("system", "s"), message("user", "u")],
        schema: json!({"type": "object", "properties": {"a": {"type": "integer", "format": "uint32"}, "b": {"type": "string"}}, "required": ["a"]}),
        schema_in_words: "The schema: a".to_owned(),
    }
}

fn ask(server: &Server) -> rca_agent::model::Asked {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let model = OpenAi::new(endpoint(&server.url)).unwrap();
    runtime.block_on(async { model.ask(&request()).await })
}

#[test]
fn a_request_says_what_is_wanted_and_an_answer_is_read() {
    let server = Server::start(|_| Act::Answer(json!({"a": 1, "b": null, "unknown": true})));
    let asked = ask(&server);
    assert_eq!(asked.result.unwrap().answer, json!({"a": 1, "unknown": true}));
    let seen = server.seen().remove(0);
    assert_eq!(
        seen.authorization.as_deref(),
        Some("Bearer sk-test-0123456789abcdef")
    );
    insta::assert_json_snapshot!(seen.body, @r#"
    {
      "model": "scripted",
      "messages": [
        {
          "role": "system",
          "content": "s"
        },
        {
          "role": "user",
          "content": "u"
        }
      ],
      "stream": false,
      "temperature": 0.2,
      "reasoning_effort": "low",
      "max_tokens": 4000,
      "response_format": {
        "type": "json_schema",
        "json_schema": {
          "name": "sample",
          "strict": true,
          "schema": {
            "type": "object",
            "properties": {
              "a": {
                "type": "integer"
              },
              "b": {
                "type": [
                  "string",
                  "null"
                ]
              }
            },
            "required": [
              "a",
              "b"
            ],
            "additionalProperties": false
          }
        }
      }
    }
    "#);
}

#[test]
fn what_an_endpoint_does_not_know_is_left_out() {
    let server = Server::start(|asked| {
        let refuse =
            |text: &str| Act::Status(400, Vec::new(), json!({"error": {"message": text}}).to_string());
        if asked.body.get("temperature").is_some() {
            refuse("Unsupported value: 'temperature' does not support 0.2")
        } else if asked.body.get("reasoning_effort").is_some() {
            refuse("Unrecognized request argument supplied: reasoning_effort")
        } else if asked.body.get("max_tokens").is_some() {
            refuse("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        } else {
            Act::Answer(json!({"a": 2}))
        }
    });
    let asked = ask(&server);
    assert_eq!(
        (asked.result.unwrap().answer, asked.requests),
        (json!({"a": 2}), 4)
    );
}

#[test]
fn troubles_are_told_apart() {
    let cases: Vec<(Act, Trouble, u32)> = vec![
        (
            Act::Status(401, Vec::new(), "no key".to_owned()),
            Trouble::Unauthorized,
            1,
        ),
        (
            Act::Status(404, Vec::new(), "404 page not found".to_owned()),
            Trouble::NotFound,
            1,
        ),
        (
            Act::Status(
                429,
                Vec::new(),
                json!({"error": {"message": "quota", "code": "insufficient_quota"}}).to_string(),
            ),
            Trouble::RateLimited,
            1,
        ),
        (
            Act::Status(502, Vec::new(), "bad gateway".to_owned()),
            Trouble::Server,
            4,
        ),
        (
            Act::Raw(json!({"error": {"message": "the model is loading"}})),
            Trouble::Server,
            4,
        ),
        (Act::Raw(json!({"hello": "world"})), Trouble::Malformed, 1),
        (Act::Raw(json!({"choices": []})), Trouble::Malformed, 1),
        (Act::Text("x".repeat(30_000)), Trouble::TooLarge, 1),
        (Act::Cut, Trouble::Unreachable, 4),
    ];
    for (act, trouble, requests) in cases {
        let shown = format!("{act:?}").chars().take(80).collect::<String>();
        let server = Server::start(move |_| act.clone());
        let asked = ask(&server);
        let error = asked.result.unwrap_err();
        assert_eq!(
            (error.trouble, asked.requests),
            (trouble, requests),
            "{shown}: {error}"
        );
        assert!(!error.hint().is_empty());
    }
}

#[test]
fn nobody_at_the_address() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let model = OpenAi::new(endpoint(&format!("http://127.0.0.1:{port}/v1"))).unwrap();
    let asked = runtime.block_on(async { model.ask(&request()).await });
    assert_eq!(asked.result.unwrap_err().trouble, Trouble::Unreachable);
}

fn doctor(server: &Server, model: &str) -> String {
    let rca = Rca::new();
    let capture = short();
    let output = rca.run(&[
        "doctor",
        "--capture",
        &capture,
        "--model",
        model,
        "--model-url",
        &server.url,
        "--now",
        "2026-11-23T02:30:00Z",
    ]);
    let text = output.to_string();
    text.lines()
        .skip_while(|line| line.split_whitespace().nth(1) != Some("model"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn doctor_says_what_the_endpoint_can_do() {
    let able = Server::start(|_| Act::Answer(json!({"ready": true})));
    let plain = Server::start(|asked| {
        if asked.body.get("response_format").is_some() || asked.body.get("tools").is_some() {
            Act::Status(
                400,
                Vec::new(),
                json!({"detail": "extra fields not permitted"}).to_string(),
            )
        } else {
            Act::Text("Ready: {\"ready\": true}".to_owned())
        }
    });
    let shut = Server::start(|_| {
        Act::Status(
            401,
            Vec::new(),
            json!({"error": {"message": "Incorrect API key provided"}}).to_string(),
        )
    });
    let text = [
        doctor(&able, "scripted"),
        doctor(&plain, "unheard-of"),
        doctor(&shut, "scripted"),
    ]
    .join("\n\n");
    let mut settings = filters();
    settings.add_filter(r"127\.0\.0\.1:\d+", "[endpoint]");
    settings.bind(|| insta::assert_snapshot!(text));
}
