//! The same investigation over every way to a server.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::runner::{Rca, WINDOW, against_hub, refs, short};

/// What must not depend on the way.
fn essence(report: &Value) -> Value {
    let cause = &report["root_causes"][0];
    serde_json::json!({
        "verdict": report["verdict"],
        "service": cause["service"],
        "namespace": cause["namespace"],
        "kind": cause["kind"],
        "onset": cause["onset"],
        "path": report["path"],
        "impact": report["impact"],
        "calls": report["cost"]["tool_calls"],
    })
}

fn in_process() -> Value {
    let capture = short();
    let mut args = vec!["investigate", "--format", "json", "-q", "--capture", &capture];
    args.extend(WINDOW);
    let output = Rca::new().run(&args);
    assert_eq!(output.status, 0, "{output}");
    output.json()
}

#[test]
fn a_child_process_gives_the_same_verdict() {
    let mut args = against_hub("");
    args.extend(["--format".to_owned(), "json".to_owned()]);
    let output = Rca::new().run(&refs(&args));
    assert_eq!(output.status, 0, "{output}");
    let report = output.json();
    assert_eq!(report["verdict"], "root_cause", "{output}");
    assert_eq!(report["root_causes"][0]["service"], "postgres");
    assert_eq!(essence(&report), essence(&in_process()));
}

/// A number that is no count would make 224 failing connections of 1.
#[test]
fn a_server_whose_total_is_no_count_gives_the_same_verdict() {
    let mut args = against_hub("--fault total-is-returned-length");
    args.extend(["--format".to_owned(), "json".to_owned()]);
    let output = Rca::new().run(&refs(&args));
    assert_eq!(output.status, 0, "{output}");
    let (report, truthful) = (output.json(), in_process());
    assert_eq!(report["verdict"], "root_cause", "{output}");
    let what = |report: &Value| -> Vec<String> {
        let hops = report["path"].as_array().unwrap();
        hops.iter().map(|hop| hop["what"].to_string()).collect()
    };
    assert_eq!(what(&report), what(&truthful));
    assert_eq!(
        report["root_causes"][0]["service"],
        truthful["root_causes"][0]["service"]
    );
}

#[test]
fn a_server_of_the_older_dialect_gives_the_same_verdict() {
    let mut args = against_hub("--fault older-dialect");
    args.extend(["--format".to_owned(), "json".to_owned()]);
    let output = Rca::new().run(&refs(&args));
    assert_eq!(output.status, 0, "{output}");
    let report = output.json();
    assert_eq!(report["verdict"], "root_cause", "{output}");
    assert_eq!(report["root_causes"][0]["service"], "postgres");
    assert_eq!(
        report["root_causes"][0]["onset"],
        in_process()["root_causes"][0]["onset"]
    );
}

/// A hub on a free port, ended with the test.
pub(crate) struct HttpHub {
    child: Child,
    pub(crate) url: String,
}

impl HttpHub {
    pub(crate) fn start(rca: &Rca, token: Option<&str>) -> Self {
        Self::of(rca, &short(), &[], token)
    }

    /// Of this capture, with these flags.
    pub(crate) fn of(rca: &Rca, capture: &str, flags: &[&str], token: Option<&str>) -> Self {
        let mut args = vec!["hub", capture, "--listen", "127.0.0.1:0"];
        args.extend(flags);
        let mut command = rca.command(&args);
        command.stderr(Stdio::piped()).stdout(Stdio::null());
        if let Some(token) = token {
            command.env("KUBESHARK_HUB_TOKEN", token);
        }
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
            .expect("an address")
            .to_owned();
        Self { child, url }
    }
}

impl Drop for HttpHub {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn streamable_http_gives_the_same_verdict() {
    let rca = Rca::new();
    let hub = HttpHub::start(&rca, Some("open sesame"));
    let mut args = vec!["investigate", "--format", "json", "--mcp-url", &hub.url];
    args.extend(WINDOW);
    let mut command = rca.command(&args);
    command.env("KUBESHARK_HUB_TOKEN", "open sesame");
    let output = rca.finish(&mut command);
    assert_eq!(output.status, 0, "{output}");
    assert_eq!(essence(&output.json()), essence(&in_process()));
}
