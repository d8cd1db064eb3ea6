//! Secrets of twenty kinds in a capture, in headers, paths, bodies and names; none of them in anything that is written.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    cooperative,
    runner::Rca,
    server::{Act, Server},
};

/// What is planted: the kind, the header or the text it stands in, and the secret.
#[expect(clippy::too_many_lines, reason = "a line or two for each kind")]
fn secrets() -> Vec<(&'static str, String, String)> {
    let secret = |kind: &'static str, around: &str, secret: &str| {
        (kind, around.replace("{}", secret), secret.to_owned())
    };
    vec![
        secret(
            "bearer token",
            "header authorization: Bearer {}",
            "tok-8fJ2kQ9xLmN3pR7s",
        ),
        secret(
            "basic credentials",
            "header proxy-authorization: Basic {}",
            "YWRtaW46aHVudGVyMg==",
        ),
        secret("cookie", "header cookie: sid={}; theme=dark", "s%3AqWe8rTy7uIo6"),
        secret(
            "set-cookie",
            "header set-cookie: session={}; HttpOnly",
            "9f8e7d6c5b4a3210",
        ),
        secret("header with a key", "header x-api-key: {}", "plain-looking-key"),
        secret(
            "key of one's own pattern",
            "body the tenant {} is gone",
            "TENANT-7731-XK",
        ),
        secret(
            "header of one's own name",
            "header x-shop-pass: {}",
            "open-sesame-now",
        ),
        secret(
            "JSON web token",
            "body token was {} here",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJlLWhlcmU",
        ),
        secret("AWS key id", "body key {} refused", "AKIAIOSFODNN7EXAMPLE"),
        secret(
            "AWS secret key",
            "body aws_secret_access_key={}",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ),
        secret(
            "GitHub token",
            "body pushed with {}",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        ),
        secret(
            "Slack token",
            "body posted with {}",
            "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy",
        ),
        secret(
            "Stripe key",
            "body charged with {}",
            "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        ),
        secret(
            "Google key",
            "body asked with {}",
            "AIzaSyA-1234567890abcdefghijklmnopqrstu",
        ),
        secret(
            "private key",
            "body -----BEGIN PRIVATE KEY-----{}-----END PRIVATE KEY-----",
            "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
        ),
        secret(
            "password in a URL",
            "body postgres://app:{}@db:5432/shop",
            "Tr0ub4dor3",
        ),
        secret(
            "password in JSON",
            "body {\"password\":\"{}\"}",
            "correct-horse-battery",
        ),
        secret(
            "password in a form",
            "body user=ann&password={}&next=/",
            "staple12345",
        ),
        secret("token in a path", "path /reset?token={}&x=1", "deadbeefcafe0123"),
        secret("card number", "body card {} declined", "4111 1111 1111 1111"),
        secret(
            "e-mail address",
            "body mail to {} bounced",
            "ann.smith@customers.example",
        ),
        secret(
            "bank account",
            "body account {} closed",
            "GB82 WEST 1234 5698 7654 32",
        ),
        secret(
            "signature in a URL",
            "path /file?X-Amz-Signature={}&a=b",
            "fe5f80f77d5fa3beca038a248ff027d0445342fe",
        ),
        secret("password in XML", "body <password>{}</password>", "xmlPass99"),
    ]
}

/// Calls as JSON lines: a good minute, then a minute of failures that carry the secrets.
fn capture(dir: &Path) {
    let mut lines = Vec::new();
    // 2026-11-23T01:34:00Z
    let start = 1_795_397_640_000_i64;
    let planted = secrets();
    for second in 0..120_i64 {
        for n in 0..2_i64 {
            let failing = second >= 60;
            let (_, place, _) = &planted[usize::try_from(second * 2 + n).unwrap() % planted.len()];
            let (mut path, mut headers, mut body) = (
                "/pay".to_owned(),
                json!({"accept": "application/json"}),
                "{\"ok\":true}".to_owned(),
            );
            if failing {
                if let Some(header) = place.strip_prefix("header ") {
                    let (name, value) = header.split_once(": ").unwrap();
                    headers[name] = json!(value);
                    body = format!(
                        "{{\"error\":\"refused, header was {}\"}}",
                        header.replace('"', "'")
                    );
                } else if let Some(text) = place.strip_prefix("body ") {
                    body = format!("{{\"error\":{}}}", json!(text));
                } else if let Some(text) = place.strip_prefix("path ") {
                    text.clone_into(&mut path);
                    body = format!("{{\"error\":\"no route to {text}\"}}");
                }
            }
            lines.push(json!({
                "ts_us": (start + second * 1000 + n * 300) * 1000, "protocol": "http", "method": "POST", "path": path,
                "status": if failing { 500 } else { 200 }, "latency_us": 12_000, "namespace": "shop",
                "src": "web", "dst": "payments",
                "request_headers": headers, "request_body": body, "response_body": body,
            }));
        }
    }
    let text: String = lines
        .iter()
        .fold(String::new(), |text, line| format!("{text}{line}\n"));
    fs::write(dir.join("calls.jsonl"), text).unwrap();
}

/// Every file below a directory with its text.
fn files(dir: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            found.push((path.display().to_string(), text));
        }
    }
}

/// The forms in which a secret may show: as it is, inside JSON, in part.
fn forms(secret: &str) -> Vec<String> {
    let inside = json!(secret).to_string().trim_matches('"').to_owned();
    vec![
        secret.to_owned(),
        inside,
        secret.chars().take(secret.chars().count() * 3 / 4).collect(),
    ]
}

#[test]
fn no_secret_of_any_kind_is_written_anywhere() {
    let server = Server::start(|asked| {
        let mut answer = cooperative::answer(asked);
        // A model that looks at calls with everything in them, so that everything is asked for and written.
        if asked.role == "narrow" && asked.before < 2 {
            answer = json!({"action": "list", "filter": format!("http && status_code >= {}", 500 - asked.before), "window": "during", "why": "It shows them."});
        }
        Act::Answer(answer)
    });
    let rca = Rca::new();
    capture(rca.dir());
    fs::write(
        rca.dir().join("rca-agent.toml"),
        "[redact]\npatterns = ['TENANT-\\d+-[A-Z]+']\nnames = [\"X-Shop-Pass\"]\n[model.headers]\nx-gateway-key = \"gw-0123456789\"\n",
    )
    .unwrap();
    let args = [
        "investigate",
        "why did tok-8fJ2kQ9xLmN3pR7s fail, password=staple12345?",
        "--capture",
        "calls.jsonl",
        "--since",
        "2026-11-23T01:35:00Z",
        "--until",
        "2026-11-23T01:36:00Z",
        "--now",
        "2026-11-23T02:30:00Z",
        "--no-input",
        "--format",
        "json",
        "-vvv",
        "--show-prompts",
        "--model",
        "scripted",
        "--model-url",
        &server.url,
    ];
    let mut command = rca.command(&args);
    command.env("RCA_MODEL_KEY", "sk-live-endpoint-key-0123456789");
    let output = rca.finish(&mut command);
    assert_eq!(output.status, 0, "{output}");
    let mut written = Vec::new();
    files(&rca.dir().join("cases"), &mut written);
    let cases = written.len();
    assert!(cases > 10, "{cases} files");
    written.push(("stdout".to_owned(), output.stdout.clone()));
    written.push(("stderr".to_owned(), output.stderr.clone()));
    for (index, asked) in server.seen().iter().enumerate() {
        written.push((format!("prompt {index}"), asked.body.to_string()));
    }
    let planted = secrets();
    assert!(planted.len() >= 20);
    let mut own: Vec<(&str, String, String)> = planted.clone();
    for (kind, secret) in [
        ("key of the endpoint", "sk-live-endpoint-key-0123456789"),
        ("header of the endpoint", "gw-0123456789"),
    ] {
        own.push((kind, String::new(), secret.to_owned()));
    }
    let mut leaks = Vec::new();
    for (kind, _, secret) in &own {
        for (place, text) in &written {
            // A bare word of the question is no secret by its look: only the name beside it makes it one.
            if *kind == "bearer token" && text.contains("why did tok-") {
                let text = text.replace("why did tok-8fJ2kQ9xLmN3pR7s", "");
                if forms(secret).iter().any(|form| text.contains(form)) {
                    leaks.push(format!("{kind} in {place}"));
                }
            } else if let Some(form) = forms(secret).iter().find(|form| text.contains(form.as_str())) {
                let at = text.find(form.as_str()).unwrap();
                let from = text[..at].char_indices().rev().nth(60).map_or(0, |(at, _)| at);
                leaks.push(format!("{kind} in {place}: …{}", &text[from..at]));
            }
        }
    }
    assert_eq!(leaks, Vec::<String>::new());
    // They were there to be found: what hides them is, and equal values share a token.
    let report: Value = output.json();
    assert_eq!(report["root_causes"][0]["service"], "payments");
    let hidden = written
        .iter()
        .filter(|(_, text)| text.contains("‹hidden-"))
        .count();
    assert!(hidden > 5, "{hidden}");
    assert!(
        server
            .seen()
            .iter()
            .any(|asked| asked.prompt.contains("‹hidden-"))
    );
}
