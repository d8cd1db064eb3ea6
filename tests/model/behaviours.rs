//! One test a behaviour of the model: what it saw, and what the report says. Every one ends in a correct report.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};

use crate::{
    cooperative::{self, citable},
    runner::{Output, Rca, WINDOW, filters, short},
    server::{Act, Asked, Server},
};

/// Investigates the minute around the onset with a model that answers by a script.
fn investigate(server: &Server, more: &[&str]) -> (Rca, Output) {
    let rca = Rca::new();
    let capture = short();
    let mut args = vec![
        "investigate",
        "why do orders fail?",
        "--capture",
        &capture,
        "--format",
        "md",
        "-q",
    ];
    args.extend(WINDOW);
    args.extend(["--model", "scripted", "--model-url", &server.url]);
    args.extend(more);
    std::fs::write(
        rca.dir().join("rca-agent.toml"),
        "[model]\nseconds = 2\npause_ms = 1\nprice_in = 1.0\nprice_out = 4.0\n",
    )
    .unwrap();
    let output = rca.run(&args);
    (rca, output)
}

/// What the model saw after the facts, request by request, and what the report says of it.
fn story(server: &Server, output: &Output, whole: bool) -> String {
    let mut text = String::new();
    for (index, asked) in server.seen().iter().enumerate() {
        let form = if asked.body.get("tools").is_some() {
            "tool"
        } else {
            asked
                .body
                .pointer("/response_format/type")
                .and_then(Value::as_str)
                .unwrap_or("words")
        };
        let repaired = asked.body["messages"].as_array().unwrap().len() > 2;
        let shown = if repaired {
            asked.last.clone()
        } else if whole {
            after_facts(&asked.prompt)
        } else {
            shorter(&after_facts(&asked.prompt))
        };
        writeln!(text, "=== {}. {} ({form})\n{shown}", index + 1, asked.role).unwrap();
    }
    writeln!(text, "=== status {}", output.status).unwrap();
    text.push_str(&told(&output.stdout));
    text.push_str(&output.stderr);
    text
}

/// The task of a prompt, without the facts before it and the schema after it.
fn after_facts(prompt: &str) -> String {
    let rest = prompt.split_once(" ends\n\n").map_or(prompt, |(_, rest)| rest);
    let rest = rest.split("The schema of the answer:").next().unwrap();
    rest.lines()
        .filter(|line| {
            !line.starts_with("Filters are KFL")
                && !line.starts_with("Flags: ")
                && !line.starts_with("Example: ")
        })
        .collect::<Vec<_>>()
        .join("\n")
        .trim_end()
        .to_owned()
}

/// A task without what every story has: the words of its template, and the slots.
fn shorter(task: &str) -> String {
    let mut slots = 0;
    let mut kept = Vec::new();
    for line in task.lines() {
        if line
            .split_once(" = ")
            .is_some_and(|(name, _)| name.contains('.') && !name.contains(' '))
        {
            slots += 1;
        } else if let Some(words) = line.strip_prefix("Task: ") {
            kept.push(format!("Task: {}…", words.chars().take(40).collect::<String>()));
        } else if !(line.contains(" first abnormal ") || line.contains(": E"))
            || line.contains(" match ")
            || line.contains("asked before")
        {
            kept.push(line.to_owned());
        }
    }
    if slots > 0 {
        kept.push(format!("({slots} slots)"));
    }
    kept.join("\n")
}

/// The title, and every part of a report in which a model shows.
fn told(report: &str) -> String {
    let mut text = String::new();
    let mut shown = true;
    for line in report.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            shown = matches!(
                heading,
                "In a model's words" | "A second opinion, by a model" | "Cost"
            );
        }
        let counts = line.starts_with("# ") || line.starts_with("- Doubt") || line.starts_with("- Refused");
        if (shown && !line.is_empty()) || counts {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn snapshot(name: &str, text: &str) {
    let mut settings = filters();
    settings.add_filter(r"data-[0-9a-f]{8}", "[fence]");
    settings.add_filter(r"rca-[0-9a-f]{8}", "[canary]");
    settings.add_filter(r"127\.0\.0\.1:\d+", "[endpoint]");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Correct: the cause that the analysis finds, whatever the model says.
fn correct(output: &Output) {
    assert_eq!(output.status, 0, "{output}");
    let title = output.stdout.lines().next().unwrap();
    assert!(
        title.starts_with("# Root cause: shop/postgres, refused"),
        "{title}"
    );
}

fn run(name: &str, script: impl Fn(&Asked) -> Act + Send + Sync + 'static) -> (Rca, Output, Server) {
    let server = Server::start(script);
    let (rca, output) = investigate(&server, &[]);
    correct(&output);
    snapshot(name, &story(&server, &output, name == "cooperative"));
    (rca, output, server)
}

/// The cooperative answer, changed.
fn changed(asked: &Asked, role: &str, change: impl Fn(&mut Value)) -> Act {
    let mut answer = cooperative::answer(asked);
    if asked.role == role {
        change(&mut answer);
    }
    Act::Answer(answer)
}

#[test]
fn cooperative() {
    let (_, output, server) = run("cooperative", |asked| Act::Answer(cooperative::answer(asked)));
    assert!(output.stdout.contains("## In a model's words"));
    // The prompts of a case begin alike, so that an endpoint can cache them.
    let beginnings: Vec<String> = server
        .seen()
        .iter()
        .map(|asked| asked.prompt.split(" ends").next().unwrap().to_owned())
        .collect();
    assert!(beginnings.iter().all(|beginning| beginning == &beginnings[0]));
    snapshot("facts", &beginnings[0]);
}

#[test]
fn malformed_json() {
    let _ = run("malformed_json", |asked| match asked.role.as_str() {
        // Mended when asked again.
        "hypothesise" if asked.before == 0 => Act::Text("{\"hypotheses\": [{\"party\": \"P1\"".to_owned()),
        // Never mended.
        "read" => Act::Text("I'd rather tell you in words: the database refused.".to_owned()),
        _ => Act::Answer(cooperative::answer(asked)),
    });
}

#[test]
fn wrong_schema() {
    let _ = run("wrong_schema", |asked| match asked.role.as_str() {
        "hypothesise" if asked.before == 0 => {
            Act::Answer(json!({"hypotheses": [{"party": 1, "kind": "gremlins"}]}))
        }
        "weigh" => Act::Answer(json!({"objection": "none"})),
        _ => Act::Answer(cooperative::answer(asked)),
    });
}

#[test]
fn invented_evidence() {
    let _ = run("invented_evidence", |asked| {
        let mut answer = cooperative::answer(asked);
        match asked.role.as_str() {
            "hypothesise" => answer["hypotheses"][0]["evidence"] = json!(["E999"]),
            "read" => answer["readings"][0]["quote"] = json!("out of memory: killed process"),
            "narrow" => answer["evidence"] = json!(["E4711"]),
            "write" => answer["sentences"][0]["evidence"] = json!(["E777"]),
            _ => {}
        }
        Act::Answer(answer)
    });
}

#[test]
fn invented_numbers_names_and_times() {
    let (_, output, _) = run("invented_numbers", |asked| {
        changed(asked, "write", |answer| {
            let cite = citable(&asked.prompt, "cause");
            let impact = citable(&asked.prompt, "impact");
            let texts = [
                "{{cause.service}} refused 4,711 connections.",
                "About ninety percent of what {{cause.service}} was asked failed.",
                "{{cause.service}} went down at noon.",
                "{{cause.service}} was overloaded by Stripe.",
                "Mastercard took {{cause.service}} down.",
                "{{cause.service}} was starved by the billing service.",
                "{{cause.service}} was hit by inventory.",
                "{{cause.service}} fell over after {{cause.deployed}}.",
                "{{cause.service}} was healthy.",
                "{{impact1.service}} is the cause, and {{cause.service}} suffers.",
            ];
            let mut sentences: Vec<Value> = texts
                .iter()
                .map(|text| json!({"about": "cause", "text": text, "evidence": cite}))
                .collect();
            sentences.push(
                json!({"about": "impact", "text": "{{impact1.service}} is to blame.", "evidence": impact}),
            );
            sentences.push(json!({"about": "cause", "text": "{{cause.service}} refused its callers.", "evidence": citable(&asked.prompt, "cause")}));
            answer["sentences"] = json!(sentences);
        })
    });
    for invented in [
        "4,711",
        "ninety",
        "noon",
        "Stripe",
        "Mastercard",
        "billing",
        "is to blame",
    ] {
        assert!(
            !section(&output.stdout, "In a model's words").contains(invented),
            "{invented}"
        );
    }
}

/// One part of a report.
fn section<'a>(report: &'a str, heading: &str) -> &'a str {
    let start = report
        .find(&format!("## {heading}\n"))
        .map_or(report.len(), |at| at + heading.len() + 4);
    let rest = &report[start..];
    rest.split("\n## ").next().unwrap()
}

#[test]
fn wrong_filters() {
    let _ = run("wrong_filters", |asked| {
        match (asked.role.as_str(), asked.before) {
            ("narrow", 0) => Act::Answer(
                json!({"action": "count", "filter": "response.status >= 500", "why": "It tells who fails."}),
            ),
            ("narrow", 1) => Act::Answer(
                json!({"action": "list", "filter": "http && status_code == \"500\"", "why": "It tells who fails."}),
            ),
            ("narrow", 2) => Act::Answer(
                json!({"action": "count", "filter": "http && status_code >= 500", "window": "2020-01-01T00:00:00Z..2020-01-02T00:00:00Z", "why": "It tells who fails."}),
            ),
            _ => Act::Answer(cooperative::answer(asked)),
        }
    });
}

#[test]
fn forbidden_tools() {
    let (_, output, _) = run("forbidden_tools", |asked| {
        match (asked.role.as_str(), asked.before) {
            ("hypothesise", _) => changed(asked, "hypothesise", |answer| {
                answer["hypotheses"][0]["next"] = json!({"action": "enable_dissection"});
            }),
            ("narrow", 0) => Act::Answer(json!({"action": "delete_snapshot", "why": "It takes space."})),
            ("narrow", 1) => {
                Act::Answer(json!({"action": "detail", "call": "node-9/1/1", "why": "It may show more."}))
            }
            _ => Act::Answer(cooperative::answer(asked)),
        }
    });
    assert!(
        output
            .stdout
            .contains("`delete_snapshot` is nothing that you may ask for")
    );
}

#[test]
fn looping() {
    let (_, _, server) = run("looping", |asked| {
        changed(asked, "narrow", |answer| {
            *answer = json!({"action": "count", "filter": "status_code >= 500 && http", "window": "during", "why": "It tells who fails."});
        })
    });
    let asked = server
        .seen()
        .iter()
        .filter(|asked| asked.role == "narrow")
        .count();
    assert!(asked <= 4, "{asked}");
}

#[test]
fn contradicting_the_data() {
    let (_, output, _) = run("contradicting", |asked| {
        let parties = cooperative::parties(&asked.prompt);
        let innocent = parties
            .iter()
            .find(|(_, name)| name == "cart")
            .map_or("P3", |(handle, _)| handle);
        let cited = cooperative::evidence(&asked.prompt, &cooperative::suspect(&asked.prompt));
        match asked.role.as_str() {
            "hypothesise" => Act::Answer(json!({"hypotheses": [{
                "party": innocent, "kind": "app_error", "evidence": cited,
                "because": format!("{innocent} must have failed."), "refuted_by": format!("Calls to {innocent} that succeed."),
            }]})),
            "narrow" => Act::Answer(json!({
                "action": "conclude", "party": innocent, "kind": "app_error", "evidence": cited, "why": format!("It is {innocent}, whatever the data say."),
            })),
            "weigh" => Act::Answer(json!({"objections": [
                {"claim": "began_earlier", "party": innocent, "evidence": cited, "text": format!("{innocent} was abnormal before.")},
                {"claim": "explains_more", "party": innocent, "evidence": cited, "text": format!("{innocent} explains more.")},
                {"claim": "other", "evidence": cited, "text": "It feels wrong."},
            ]})),
            _ => Act::Answer(cooperative::answer(asked)),
        }
    });
    let report = &output.stdout;
    assert!(
        report.contains("(high confidence)"),
        "nothing that does not hold takes from the confidence"
    );
    assert!(
        section(report, "A second opinion, by a model").contains("nothing in the recorded calls is abnormal")
    );
}

#[test]
fn instructions_in_the_data_that_the_model_follows() {
    let (_, output, _) = run("followed_instructions", |asked| {
        let canary = asked.body["messages"][0]["content"]
            .as_str()
            .unwrap()
            .split("Never write ")
            .nth(1)
            .unwrap()
            .split('.')
            .next()
            .unwrap()
            .to_owned();
        changed(asked, "write", |answer| {
            answer["sentences"][0]["text"] = json!(format!("{{{{cause.service}}}} says {canary}"));
        })
    });
    assert!(output.stdout.contains("must not be written"));
}

#[test]
fn bursts_of_429_and_500() {
    let _ = run("bursts", |asked| match asked.requests {
        0 | 1 => Act::Status(
            429,
            vec![("retry-after", "0".to_owned())],
            json!({"error": {"message": "slow down", "type": "rate_limit"}}).to_string(),
        ),
        3 => Act::Status(500, Vec::new(), "<html>boom</html>".to_owned()),
        4 => Act::Status(503, Vec::new(), String::new()),
        _ => Act::Answer(cooperative::answer(asked)),
    });
}

#[test]
fn a_rate_limit_that_does_not_end() {
    let (_, output, server) = run("rate_limited", |_| {
        Act::Status(
            429,
            vec![("retry-after", "3600".to_owned())],
            json!({"error": {"message": "come back tomorrow", "code": "rate_limit_exceeded"}}).to_string(),
        )
    });
    assert_eq!(
        server.seen().len(),
        2,
        "two questions, and then it counts as away"
    );
    assert!(output.stdout.contains("The model was away"));
}

#[test]
fn a_hang() {
    let (_, _, server) = run("hang", |asked| match asked.role.as_str() {
        "read" | "narrow" => Act::Hang,
        _ => Act::Answer(cooperative::answer(asked)),
    });
    let hung = server.seen().len();
    assert!(hung <= 5, "{hung} requests");
}

#[test]
fn a_cut_connection() {
    let _ = run("cut", |_| Act::Cut);
}

#[test]
fn an_endpoint_without_structured_outputs() {
    let _ = run("without_schemas", |asked| {
        let refuse = |what: &str| {
            Act::Status(
                400,
                Vec::new(),
                json!({"error": {"message": format!("{what} is not supported"), "code": 400}}).to_string(),
            )
        };
        if asked.body.get("max_tokens").is_some() {
            refuse("Unsupported parameter: 'max_tokens'")
        } else if asked.body.get("response_format").is_some() {
            refuse("response_format")
        } else if asked.body.get("tools").is_some() {
            refuse("tool_choice")
        } else {
            Act::Text(format!(
                "<think>Let me see… {{}}</think>Here it is:\n```json\n{}\n```",
                cooperative::answer(asked)
            ))
        }
    });
}

#[test]
fn a_budget_of_three_calls() {
    let server = Server::start(|asked| Act::Answer(cooperative::answer(asked)));
    let (_, output) = investigate(&server, &["--budget-model-calls", "3"]);
    correct(&output);
    assert_eq!(server.seen().len(), 3);
    snapshot("budget", &told(&output.stdout));
}

#[test]
fn a_case_with_a_model_is_replayed_and_resumed_without_it() {
    let server = Server::start(|asked| Act::Answer(cooperative::answer(asked)));
    let (rca, output) = investigate(&server, &[]);
    let asked = server.seen().len();
    let replayed = rca.run(&["replay", &rca.case_id(), "--format", "md"]);
    assert_eq!(replayed.stdout, output.stdout);
    // Cut in the middle of a question: what is recorded is not asked again.
    let journal = rca.case().join("journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    let at = text
        .lines()
        .position(|line| line.contains("\"role\":\"weigh\""))
        .expect("the second opinion was asked for");
    let kept: String = text.lines().take(at + 1).fold(String::new(), |mut kept, line| {
        kept.push_str(line);
        kept.push('\n');
        kept
    });
    std::fs::write(&journal, kept).unwrap();
    let resumed = rca.run(&["resume", &rca.case_id(), "--no-input", "--format", "md", "-q"]);
    assert_eq!(resumed.status, 0, "{resumed}");
    assert_eq!(server.seen().len(), asked + 2, "the second opinion and the prose");
    assert!(resumed.stdout.contains("## In a model's words"), "{resumed}");
}

#[test]
fn the_demo_costs_little() {
    let server = Server::start(|asked| Act::Answer(cooperative::answer(asked)));
    let rca = Rca::new();
    let output = rca.run(&[
        "demo",
        "--model",
        "scripted",
        "--model-url",
        &server.url,
        "--format",
        "json",
        "-q",
    ]);
    let report = output.json();
    let cost = &report["cost"];
    assert!(cost["model_calls"].as_u64().unwrap() <= 12, "{cost}");
    assert!(cost["tokens_in"].as_u64().unwrap() <= 25_000, "{cost}");
    assert_eq!(report["root_causes"][0]["service"], "postgres");
}

#[test]
fn words_that_our_own_parser_cannot_read() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let server = Server::start(|asked| {
        if asked.role == "intake" {
            let first = ASKED.fetch_add(1, Ordering::SeqCst) == 0;
            let since = if first {
                "whenever the cart broke"
            } else {
                "2026-11-23 03:34:05"
            };
            return Act::Answer(
                json!({"since": since, "until": "2026-11-23 03:34:40", "service": "payments", "namespace": null}),
            );
        }
        Act::Answer(cooperative::answer(asked))
    });
    let rca = Rca::new();
    let capture = short();
    let question = "orders failed on the 23rd from a bit past half past three at night";
    let output = rca.run(&[
        "investigate",
        question,
        "--capture",
        &capture,
        "--format",
        "md",
        "-q",
        "--now",
        "2026-11-23T02:30:00Z",
        "--no-input",
        "--model",
        "scripted",
        "--model-url",
        &server.url,
    ]);
    correct(&output);
    let head: String = output
        .stdout
        .lines()
        .filter(|line| line.starts_with("- Assumed") || line.starts_with("- Window"))
        .collect::<Vec<_>>()
        .join("\n");
    let first = after_facts(&server.seen()[0].prompt);
    let second = server.seen()[1].last.clone();
    snapshot("intake", &format!("{first}\n---\n{second}\n---\n{head}"));
    // Without a model the same words are a mistake of usage.
    let refused = rca.run(&["investigate", question, "--capture", &capture]);
    filters().bind(|| insta::assert_snapshot!("intake_without_a_model", refused.to_string()));
    let refused = rca.run(&[
        "investigate",
        question,
        "--since",
        "a bit past half past three",
        "--capture",
        &capture,
    ]);
    filters().bind(|| insta::assert_snapshot!("intake_of_odd_words_without_a_model", refused.to_string()));
}

#[test]
fn answers_by_hand_come_from_stdin() {
    let rca = Rca::new();
    let capture = short();
    let mut args = vec![
        "investigate",
        "--capture",
        &capture,
        "--format",
        "json",
        "-q",
        "--model",
        "manual",
    ];
    args.extend(WINDOW);
    let mut command = rca.command(&args);
    let answers = concat!(
        "{\"hypotheses\": []}\n",
        "{\"readings\": [\n  {\"evidence\": \"E1\", \"quote\": \"nothing of the kind\", \"meaning\": \"It is a guess.\"}\n]}\n",
        "{\"readings\": []}\n",
        "{\"action\": \"count\", \"filter\": \"http\", \"window\": \"during\", \"why\": \"It tells how much there is.\"}\n",
        "\n\n",
    );
    std::fs::write(rca.dir().join("answers"), answers).unwrap();
    command.stdin(std::fs::File::open(rca.dir().join("answers")).unwrap());
    let output = rca.finish(&mut command);
    assert_eq!(output.status, 0, "{output}");
    let report = output.json();
    assert_eq!(report["root_causes"][0]["service"], "postgres");
    let roles: Vec<String> = report["cost"]["roles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|role| {
            format!(
                "{} {} {} {}",
                role["role"], role["calls"], role["failed"], role["rejected"]
            )
        })
        .collect();
    insta::assert_snapshot!(roles.join("\n"), @r#"
    "hypothesise" 1 0 0
    "read" 2 0 1
    "narrow" 2 1 0
    "weigh" 1 1 0
    "#);
    let questions = std::fs::read_dir(rca.case().join("questions")).unwrap().count();
    assert_eq!(questions, 6);
}
