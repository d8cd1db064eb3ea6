//! The client against servers that are processes. This program is both: started with `serve CASE
//! FILE` it is a server that misbehaves as the case wants, otherwise it runs the tests whose names
//! contain the first argument that is no flag. The server needs stdout for itself, hence no harness.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::{
    io::{BufRead, Write},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use insta::assert_snapshot;
use rca_agent::kubeshark::{CallError, Client, ConnectError, Endpoint, FailureKind, Limits, ToolRequest};
use secrecy::SecretString;
use serde_json::{Value, json};

/// A test: its name, and what it does with a file of its own.
type Test = (&'static str, fn(&Path) -> futures::future::LocalBoxFuture<'_, ()>);

const TESTS: &[Test] = &[
    ("a_server_answers_and_ends_when_told_to", |f| {
        Box::pin(answers_and_ends(f))
    }),
    ("a_server_that_dies_is_started_again", |f| {
        Box::pin(started_again(f))
    }),
    ("a_server_that_dies_twice_leaves_its_last_words", |f| {
        Box::pin(last_words(f))
    }),
    ("a_server_that_hangs_is_killed", |f| Box::pin(hangs(f))),
    ("a_server_that_dies_in_the_handshake_says_why", |f| {
        Box::pin(dies_at_once(f))
    }),
    ("a_program_that_is_no_server_is_told_apart", |f| {
        Box::pin(no_server(f))
    }),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [serve, case, file] = arguments.as_slice()
        && serve == "serve"
    {
        return serve_case(case, Path::new(file));
    }
    let mut out = std::io::stdout();
    if arguments.iter().any(|a| a == "--list") {
        for (name, _) in TESTS {
            writeln!(out, "{name}: test").unwrap();
        }
        return ExitCode::SUCCESS;
    }
    let wanted = arguments.iter().find(|a| !a.starts_with('-'));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut ran = 0;
    for (name, test) in TESTS {
        if wanted.is_none_or(|wanted| name.contains(wanted.as_str())) {
            let directory = tempfile::tempdir().unwrap();
            // A failing test panics, which ends this program with a status that says so.
            runtime.block_on(test(&directory.path().join("log")));
            writeln!(out, "test {name} ... ok").unwrap();
            ran += 1;
        }
    }
    writeln!(out, "test result: ok. {ran} passed").unwrap();
    ExitCode::SUCCESS
}

/// Serves over stdin and stdout, noting each start and the orderly end in `file`.
fn serve_case(case: &str, file: &Path) -> ExitCode {
    let note = |line: &str| {
        let mut log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(file)
            .unwrap();
        writeln!(log, "{line}").unwrap();
    };
    let starts = std::fs::read_to_string(file)
        .unwrap_or_default()
        .matches("start")
        .count();
    note("start");
    let (mut out, mut log) = (std::io::stdout(), std::io::stderr());
    writeln!(log, "serving {case}\x1b[31m").unwrap();
    if case == "dies-at-once" {
        writeln!(log, "Error: unknown flag").unwrap();
        return ExitCode::from(3);
    }
    writeln!(out, "this line is for people").unwrap();
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let Some(id) = request.get("id") else { continue };
        let result = match request["method"].as_str().unwrap() {
            "initialize" => json!({"protocolVersion": "2024-11-05", "capabilities": {},
                "serverInfo": {"name": "kubeshark-mcp", "version": "1.0.0"}}),
            _ if case == "hangs" => continue,
            _ if case == "dies-always" || (case == "dies-once" && starts == 0) => {
                for n in 0..30 {
                    writeln!(log, "panic line {n}").unwrap();
                }
                // Half an answer is none.
                write!(out, "{{\"jsonrpc\":\"2.0\",\"id\":1,\"res").unwrap();
                out.flush().unwrap();
                return ExitCode::from(7);
            }
            _ => {
                let said = std::env::var("FAKE_TOKEN").unwrap_or_default();
                json!({"content": [{"type": "text", "text": json!({"token": said}).to_string()}]})
            }
        };
        writeln!(out, "{}", json!({"jsonrpc": "2.0", "id": id, "result": result})).unwrap();
    }
    note("end");
    ExitCode::SUCCESS
}

fn endpoint(case: &str, file: &Path) -> Endpoint {
    Endpoint::Command {
        program: std::env::current_exe().unwrap().to_str().unwrap().to_owned(),
        args: vec![
            "serve".to_owned(),
            case.to_owned(),
            file.to_str().unwrap().to_owned(),
        ],
        env: vec![("FAKE_TOKEN".to_owned(), SecretString::from("t0ken"))],
        without: &[],
    }
}

fn ask() -> ToolRequest {
    ToolRequest {
        tool: "list_snapshots".to_owned(),
        arguments: serde_json::Map::new(),
        repeatable: true,
        patient: false,
    }
}

async fn fails(case: &str, file: &Path, limits: Limits) -> CallError {
    Client::connect(endpoint(case, file), limits)
        .await
        .unwrap()
        .call(&ask())
        .await
        .unwrap_err()
}

/// An error's text with the program's name, which differs between builds, taken out.
fn told(error: &ConnectError) -> String {
    let program = std::env::current_exe().unwrap();
    format!("{error}\nhint: {}", error.hint()).replace(program.to_str().unwrap(), "kubeshark")
}

async fn answers_and_ends(file: &Path) {
    let client = Client::connect(endpoint("answers", file), Limits::default())
        .await
        .unwrap();
    assert_eq!(client.call(&ask()).await.unwrap().body, json!({"token": "t0ken"}));
    client.close().await;
    assert_eq!(std::fs::read_to_string(file).unwrap(), "start\nend\n");
}

async fn started_again(file: &Path) {
    let client = Client::connect(endpoint("dies-once", file), Limits::default())
        .await
        .unwrap();
    assert_eq!(client.call(&ask()).await.unwrap().body, json!({"token": "t0ken"}));
    assert_eq!(std::fs::read_to_string(file).unwrap(), "start\nstart\n");
}

async fn last_words(file: &Path) {
    let error = fails("dies-always", file, Limits::default()).await;
    assert_snapshot!(error, @"the MCP server went away in the middle of `list_snapshots`, also after a restart (exit status: 7); its stderr ends with: panic line 27 | panic line 28 | panic line 29");
    let CallError::Died {
        last, attempts: 2, ..
    } = error
    else {
        unexpected(&error)
    };
    assert_eq!(
        (last.stderr.len(), last.stderr[0].as_str()),
        (20, "panic line 10")
    );
    assert_eq!(std::fs::read_to_string(file).unwrap(), "start\nstart\n");
}

async fn hangs(file: &Path) {
    let limits = Limits {
        call: Duration::from_millis(50),
        ..Limits::default()
    };
    let error = fails("hangs", file, limits).await;
    assert_snapshot!(error, @"`list_snapshots` did not answer within 50 ms, also after a restart; its stderr ends with: serving hangs�[31m");
    // Neither came to its orderly end.
    assert_eq!(std::fs::read_to_string(file).unwrap(), "start\nstart\n");
}

async fn dies_at_once(file: &Path) {
    let error = Client::connect(endpoint("dies-at-once", file), Limits::default())
        .await
        .err()
        .unwrap();
    assert_snapshot!(told(&error), @r"
    the MCP server `kubeshark` ended before it answered the handshake (exit status: 3); its stderr ends with: serving dies-at-once�[31m | Error: unknown flag
    hint: run the MCP command by hand to see why it ends; its last lines are above
    ");
}

async fn no_server(file: &Path) {
    let missing = Endpoint::Command {
        program: "no-such-kubeshark".to_owned(),
        args: vec!["mcp".to_owned(), "--token".to_owned(), "s3cret".to_owned()],
        env: Vec::new(),
        without: &[],
    };
    let error = Client::connect(missing.clone(), Limits::default())
        .await
        .err()
        .unwrap();
    assert_snapshot!(told(&error), @r"
    could not start the MCP server `no-such-kubeshark`: there is no such program
    hint: install the Kubeshark command line tool (https://docs.kubeshark.com/en/install) and check that it is in PATH, or give its full path in `--mcp-command`
    ");
    assert!(!format!("{error:?} {missing:?}").contains("s3cret"));
    std::fs::write(file, "not a program").unwrap();
    let text = Endpoint::Command {
        program: file.to_str().unwrap().to_owned(),
        args: Vec::new(),
        env: Vec::new(),
        without: &[],
    };
    let error = Client::connect(text, Limits::default()).await.err().unwrap();
    assert_eq!(error.kind(), FailureKind::NotStarted);
    assert!(error.to_string().ends_with("it may not be executed"), "{error}");
}

#[expect(clippy::panic, reason = "a test fails by panicking")]
fn unexpected(error: &CallError) -> ! {
    panic!("another error was expected: {error:?}")
}
