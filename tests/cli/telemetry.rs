//! Spans and log lines of a run, as a collector and a log shipper get them.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;

use super::runner::Rca;

/// Requests that came: the first line and the body of each.
type Got = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A collector that takes OTLP over HTTP and keeps what it got.
struct Collector {
    address: String,
    got: Got,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let got = Got::default();
        let kept = Arc::clone(&got);
        // Ends with the test process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                thread::spawn(move || take(stream, &kept));
            }
        });
        Self { address, got }
    }

    /// Everything that came, in one piece.
    fn bytes(&self) -> Vec<u8> {
        let got = self.got.lock().unwrap();
        got.iter().flat_map(|(_, body)| body.iter()).copied().collect()
    }
}

/// Answers requests of one connection until it ends.
fn take(stream: TcpStream, kept: &Mutex<Vec<(String, Vec<u8>)>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut path = String::new();
        if reader.read_line(&mut path).unwrap_or(0) == 0 {
            return;
        }
        let mut length = 0;
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header).unwrap_or(0) <= 2 {
                break;
            }
            if let Some((name, value)) = header.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        kept.lock().unwrap().push((path, body));
        let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

#[test]
fn a_collector_gets_the_run_and_every_tool_by_the_names_of_opentelemetry() {
    let collector = Collector::start();
    let rca = Rca::new();
    let output = rca.finish(
        rca.command(&["demo", "--quiet", "--format", "json"])
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.address),
    );
    assert_eq!((output.status, output.stderr.as_str()), (0, ""));
    let paths: Vec<String> = {
        let got = collector.got.lock().unwrap();
        got.iter().map(|(path, _)| path.clone()).collect()
    };
    assert!(!paths.is_empty(), "nothing was exported");
    assert!(
        paths.iter().all(|path| path.starts_with("POST /v1/traces ")),
        "{paths:?}"
    );
    let bytes = collector.bytes();
    for wanted in [
        "rca-agent",
        "invoke_agent rca-agent",
        "gen_ai.operation.name",
        "invoke_agent",
        "execute_tool get_data_boundaries",
        "execute_tool list_api_calls",
        "gen_ai.tool.name",
        "gen_ai.conversation.id",
        &rca.case_id(),
    ] {
        assert!(holds(&bytes, wanted), "no `{wanted}` in the spans");
    }
    // What was in the traffic stays out of them.
    for private in ["could not connect to server", "/checkout", "postgres"] {
        assert!(!holds(&bytes, private), "`{private}` is in the spans");
    }
}

#[test]
fn a_collector_that_is_away_or_switched_off_changes_nothing() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let rca = Rca::new();
    let output = rca.finish(
        rca.command(&["demo", "healthy", "--quiet", "--format", "json"])
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", closed),
    );
    assert_eq!(output.status, 0, "{}", output.stderr);
    assert_eq!(output.json()["verdict"], "no_anomaly");

    let collector = Collector::start();
    let rca = Rca::new();
    let output = rca.finish(
        rca.command(&["demo", "healthy", "--quiet", "--format", "json"])
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.address)
            .env("OTEL_SDK_DISABLED", "true"),
    );
    assert_eq!(output.status, 0, "{}", output.stderr);
    assert!(collector.bytes().is_empty());
}

#[test]
fn a_log_line_can_be_json() {
    let rca = Rca::new();
    let output = rca.finish(
        rca.command(&["demo", "healthy", "--quiet", "--format", "json"])
            .env("RCA_LOG", "rca_agent=debug,kubeshark=debug")
            .env("RCA_LOG_FORMAT", "json"),
    );
    assert_eq!(output.status, 0, "{}", output.stderr);
    let lines: Vec<Value> = output
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert!(!lines.is_empty(), "nothing was logged");
    for line in lines {
        assert!(
            line["timestamp"].is_string() && line["level"].is_string() && line["target"].is_string(),
            "{line}"
        );
    }
}
