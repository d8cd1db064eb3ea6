//! Preserve and restore: from one hub to a bucket of a real server that speaks S3, and from there to another hub.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails is to say so at once"
)]

#[path = "cli/runner.rs"]
#[expect(
    dead_code,
    clippy::unused_self,
    reason = "shared with the tests of the command line"
)]
mod runner;

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Stdio},
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;

use runner::{Rca, filters, short};

const KEY: &str = "AKIAEXAMPLEEXAMPLE00";
const SECRET: &str = "bucket-secret-0123456789";

/// A server that speaks S3 over a folder; it ends with the value.
struct S3 {
    url: String,
    _runtime: tokio::runtime::Runtime,
}

impl S3 {
    fn start(root: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let mut service = S3ServiceBuilder::new(FileSystem::new(root).unwrap());
        service.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let service = service.build();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let served = Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                    drop(served);
                });
            }
        });
        Self {
            url,
            _runtime: runtime,
        }
    }
}

/// A hub that goes on serving; it ends with the value.
struct Served {
    child: Child,
    url: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(rca: &Rca, capture: &str, cloud: &[&str], environment: &[(&str, &str)]) -> Served {
    let mut args = vec!["hub", capture, "--listen", "127.0.0.1:0"];
    args.extend(cloud);
    let mut command = rca.command(&args);
    command.envs(environment.iter().copied()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the hub starts");
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let url = line
        .split_whitespace()
        .find(|word| word.starts_with("http://"))
        .unwrap_or_else(|| panic!("{line}"))
        .to_owned();
    Served { child, url }
}

fn settings() -> insta::Settings {
    let mut settings = filters();
    settings.add_filter(r"127\.0\.0\.1:\d+", "[address]");
    settings.add_filter(r"\b[0-9a-f]{16}\b", "[hash]");
    settings.add_filter(r"[\d.]+ k?B\b", "[size]");
    settings.add_filter(r"(?m) +┆", " ┆");
    settings.add_filter(r"[─═]{4,}", "──");
    settings
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story from one hub to another")]
fn a_case_is_kept_in_a_bucket_and_restored_to_another_hub() {
    let bucket = tempfile::tempdir().unwrap();
    std::fs::create_dir(bucket.path().join("evidence")).unwrap();
    let s3 = S3::start(bucket.path());
    let environment = [
        ("AWS_ENDPOINT_URL", s3.url.as_str()),
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
    ];
    let cloud = ["--cloud", "s3://evidence/team-a"];
    let rca = Rca::new();
    let production = serve(&rca, &short(), &cloud, &environment);
    let investigated = rca.run(&[
        "investigate",
        "why?",
        "--mcp-url",
        &production.url,
        "--since",
        "2026-11-23T01:34:05Z",
        "--until",
        "2026-11-23T01:34:40Z",
        "--now",
        "2026-11-23T02:30:00Z",
        "--no-input",
        "--format",
        "json",
        "-q",
    ]);
    assert_eq!(investigated.status, 0, "{investigated}");
    let case = rca.case_id();
    let name = format!("rca-{case}");

    // What changes something outside needs a yes.
    let refused = rca.run(&["preserve", &case, "-q"]);
    assert_eq!(refused.status, 1, "{refused}");
    assert!(refused.stderr.contains("--yes"), "{refused}");
    let kept = rca.run(&["preserve", &case, "--out", "kept", "--yes", "-q"]);
    assert_eq!(kept.status, 0, "{kept}");
    let again = rca.run(&["preserve", &case, "--yes", "-q"]);
    let elsewhere = rca.run(&[
        "preserve",
        "--snapshot",
        "nobody",
        "--mcp-url",
        &production.url,
        "--yes",
        "-q",
    ]);

    // Another cluster's hub, which never saw any of it.
    let demo = "healthy";
    let staging = serve(&rca, demo, &cloud, &environment);
    let listed = rca.run(&["snapshots", "--mcp-url", &staging.url, "-q"]);
    let not_here = rca.run(&[
        "investigate",
        "--snapshot",
        &name,
        "--mcp-url",
        &staging.url,
        "--no-input",
        "-q",
    ]);
    let restored = rca.run(&[
        "restore",
        &name,
        "--mcp-url",
        &staging.url,
        "--yes",
        "-q",
        "--investigate",
        "why?",
        "--since",
        "2026-11-23T01:34:05Z",
        "--until",
        "2026-11-23T01:34:40Z",
        "--now",
        "2026-11-23T02:30:00Z",
    ]);
    assert_eq!(restored.status, 0, "{restored}");
    assert!(
        restored
            .stdout
            .starts_with("# Root cause: shop/postgres, refused"),
        "{restored}"
    );
    let twice = rca.run(&["restore", &name, "--mcp-url", &staging.url, "--yes", "-q"]);
    let missing = rca.run(&["restore", "rca-nobody", "--mcp-url", &staging.url, "--yes", "-q"]);
    let told = [
        ("preserve without a yes", &refused),
        ("preserve", &kept),
        ("preserve again", &again),
        ("preserve what is not there", &elsewhere),
        ("snapshots on the other hub", &listed),
        ("investigate before it is restored", &not_here),
        ("restore again", &twice),
        ("restore what is not there", &missing),
    ];
    let text = told.iter().fold(String::new(), |text, (what, output)| {
        format!("{text}=== {what}\n{output}\n")
    });
    settings().bind(|| insta::assert_snapshot!(text.replace(&name, "rca-[case]")));

    // What was kept is whole, and its list says so.
    let list: serde_json::Value =
        serde_json::from_slice(&std::fs::read(rca.dir().join("kept/preserved.json")).unwrap()).unwrap();
    assert_eq!(list["schema"], "rca-agent/preserved/1");
    assert_eq!(list["snapshot"]["provider"], "s3");
    for file in list["files"].as_array().unwrap() {
        let path = rca.dir().join("kept").join(file["file"].as_str().unwrap());
        assert_eq!(
            std::fs::metadata(&path).unwrap().len(),
            file["bytes"].as_u64().unwrap()
        );
    }
    let replayed = rca.run(&["replay", "kept/case", "--format", "json"]);
    assert_eq!(replayed.json()["root_causes"][0]["service"], "postgres");
    assert!(rca.dir().join("kept/packets.pcap").is_file());
}

#[test]
fn a_damaged_copy_is_not_restored_and_a_folder_will_do() {
    let rca = Rca::new();
    let cloud = ["--cloud", "store"];
    let first = serve(&rca, &short(), &cloud, &[]);
    let taken = rca.run(&[
        "snapshots",
        "take",
        "--name",
        "evidence",
        "--mcp-url",
        &first.url,
        "--since",
        "2026-11-23T01:34:05Z",
        "--until",
        "2026-11-23T01:34:40Z",
        "-q",
    ]);
    assert_eq!(taken.status, 0, "{taken}");
    let kept = rca.run(&[
        "preserve",
        "--snapshot",
        "evidence",
        "--mcp-url",
        &first.url,
        "--yes",
        "-q",
        "--json",
    ]);
    assert_eq!(kept.json()["snapshot"]["provider"], "folder", "{kept}");
    let packets = rca.dir().join("store/evidence/node-1.pcap");
    let mut bytes = std::fs::read(&packets).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&packets, bytes).unwrap();
    let second = serve(&rca, "healthy", &cloud, &[]);
    let damaged = rca.run(&["restore", "evidence", "--mcp-url", &second.url, "--yes", "-q"]);
    // And where nothing is configured, and where the credentials are wrong.
    let third = serve(&rca, "healthy", &[], &[]);
    let without = rca.run(&["restore", "evidence", "--mcp-url", &third.url, "--yes", "-q"]);
    let bucket = tempfile::tempdir().unwrap();
    let s3 = S3::start(bucket.path());
    let environment = [
        ("AWS_ENDPOINT_URL", s3.url.as_str()),
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", "wrong"),
    ];
    let fourth = serve(&rca, "healthy", &["--cloud", "s3://evidence"], &environment);
    let denied = rca.run(&["restore", "evidence", "--mcp-url", &fourth.url, "--yes", "-q"]);
    let bare = rca.run(&[
        "hub",
        "healthy",
        "--cloud",
        "s3://evidence",
        "--listen",
        "127.0.0.1:0",
    ]);
    let told = [
        ("damaged", &damaged),
        ("not configured", &without),
        ("wrong credentials", &denied),
        ("no credentials", &bare),
    ];
    let text = told.iter().fold(String::new(), |text, (what, output)| {
        format!("{text}=== {what}\n{output}\n")
    });
    settings().bind(|| insta::assert_snapshot!(text));
}
