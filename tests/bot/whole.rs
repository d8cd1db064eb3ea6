//! The whole bot as a process of its own, against a fake Slack and an embedded Kubeshark that is another process.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use crate::fake::FakeSlack;

/// A process that ends with its test.
pub(crate) struct Process {
    child: Child,
    /// The address in the first line that holds one.
    pub(crate) address: Option<String>,
}

impl Process {
    /// Starts the program, and waits for the line on stderr that holds `says`.
    pub(crate) fn start(command: &mut Command, says: &str) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let (said, heard) = mpsc::channel();
        let wanted = says.to_owned();
        thread::spawn(move || {
            let (mut all, mut address) = (String::new(), None);
            let mut line = String::new();
            while lines.read_line(&mut line).unwrap_or(0) > 0 {
                address = address.or_else(|| {
                    let at = line.find("http://")?;
                    line[at..].split_whitespace().next().map(str::to_owned)
                });
                all.push_str(&line);
                if line.contains(&wanted) {
                    let _ = said.send(Ok(address.clone()));
                    break;
                }
                line.clear();
            }
            let _ = said.send(Err(all));
            // A full pipe would stop the process.
            let _ = lines.read_to_end(&mut Vec::new());
        });
        let address = match heard.recv_timeout(Duration::from_mins(1)) {
            Ok(Ok(address)) => address,
            other => panic!("it did not start: {other:?}"),
        };
        Self { child, address }
    }

    /// As `kill -9`.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// As Kubernetes ends a pod; gives the exit status.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap().code()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rca-agent"));
    command.env_clear().env("TZ", "UTC").env("LANG", "C.UTF-8");
    command
}

/// The embedded Kubeshark over the minute around the onset.
pub(crate) fn hub() -> Process {
    hub_with(&[])
}

fn hub_with(flags: &[&str]) -> Process {
    let capture = format!("{}/tests/captures/short", env!("CARGO_MANIFEST_DIR"));
    let mut command = program();
    command
        .args(["hub", &capture, "--listen", "127.0.0.1:0"])
        .args(flags);
    Process::start(&mut command, "serving")
}

/// The bot's command with everything that it needs.
pub(crate) fn bot(fake: &FakeSlack, hub: &Process, dir: &std::path::Path, command: &str) -> Command {
    let mut bot = program();
    bot.args([command, "--mcp-url", hub.address.as_deref().unwrap()])
        .current_dir(dir)
        .env("HOME", dir)
        .env("RCA_CASES", dir.join("cases"))
        .env("RCA_LOG", "rca_agent=warn")
        .env("SLACK_API_URL", &fake.url)
        .env("SLACK_BOT_TOKEN", &fake.bot_token)
        .env("SLACK_APP_TOKEN", &fake.app_token)
        .env("SLACK_SIGNING_SECRET", &fake.signing_secret);
    bot
}

/// What is asked; the window is that of the fault in the capture, as somebody in Jerusalem writes it.
pub(crate) const QUESTION: &str = "what broke checkout on 2026-11-23 from 03:34:05 to 03:34:40?";

/// A thread without what differs from run to run.
fn shown(fake: &FakeSlack, channel: &str, thread: &str) -> String {
    let text = fake.thread(channel, thread);
    let case = regex::Regex::new(r"20\d\d-\d\d-\d\d-\d{4}-[a-z2-9]{6}").unwrap();
    let text = case.replace_all(&text, "CASE");
    let took = regex::Regex::new(r"(\d+ calls), \d+ s\b").unwrap();
    took.replace_all(&text, "$1, N s").into_owned()
}

/// The bot over Socket Mode, with a configuration of its own.
fn started(fake: &FakeSlack, hub: &Process, dir: &std::path::Path, configuration: &str) -> Process {
    std::fs::write(dir.join("rca-agent.toml"), configuration).unwrap();
    Process::start(&mut bot(fake, hub, dir, "slack"), "rca-agent is @")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mention_ends_in_a_verdict_with_its_report_in_the_thread() {
    let fake = FakeSlack::start().await;
    let dir = tempfile::tempdir().unwrap();
    let hub = hub();
    let _bot = started(&fake, &hub, dir.path(), "");
    let thread = fake.mention("UDAN", "COPS", QUESTION);
    fake.wait_for_words("COPS", &thread, "Root cause").await;
    fake.wait_for("the files", |state| {
        let names: Vec<&str> = state.files.values().map(|file| file.name.as_str()).collect();
        ["report.png", "report.html", "report.md"]
            .iter()
            .all(|wanted| names.iter().any(|name| name.ends_with(wanted)))
            .then_some(())
    })
    .await;
    insta::assert_snapshot!("a_mention_to_its_verdict", shown(&fake, "COPS", &thread));

    // What somebody says of the cause becomes the truth of a test.
    let verdict = fake.wait_for_words("COPS", &thread, "Root cause").await;
    fake.press("UDAN", &verdict, "That was it");
    let case = std::fs::read_dir(dir.path().join("cases"))
        .unwrap()
        .find_map(|entry| entry.ok().filter(|entry| entry.path().is_dir()))
        .unwrap();
    let said = case.path().join("feedback.jsonl");
    fake.wait_for("thanks", |state| {
        let thanked = state.whispers.iter().any(|whisper| whisper.to == "UDAN");
        thanked.then_some(())
    })
    .await;
    assert!(std::fs::read_to_string(said).unwrap().contains("\"right\":true"));
    let mut adopt = program();
    adopt
        .current_dir(dir.path())
        .args(["eval", "adopt", "--name", "from-slack", "--cases", "cases"])
        .arg(case.file_name());
    let adopted = adopt.output().unwrap();
    assert!(
        adopted.status.success(),
        "{}",
        String::from_utf8_lossy(&adopted.stderr)
    );
    let file = std::fs::read_to_string(dir.path().join("evals/from-slack/case.yaml")).unwrap();
    assert!(file.contains("postgres") && file.contains("refused"), "{file}");

    // Questions in the thread are answered out of the case.
    fake.reply("UDAN", "COPS", &thread, "what was ruled out?");
    fake.wait_for_words("COPS", &thread, "cart").await;
    fake.press("UDAN", &verdict, "Widen by 30 min");
    fake.wait_for("a second case", |state| {
        let verdicts = state
            .thread("COPS", &thread)
            .into_iter()
            .filter(|message| message.text.contains("ause") && message.edits > 0)
            .count();
        (verdicts >= 2).then_some(())
    })
    .await;
    fake.home("UDAN");
    fake.wait_for("the home", |state| state.homes.contains_key("UDAN").then_some(()))
        .await;
    assert!(fake.home_text("UDAN").unwrap().contains("what broke checkout"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_over_http_is_the_same_and_one_that_is_sent_again_is_handled_once() {
    let fake = FakeSlack::start().await;
    let dir = tempfile::tempdir().unwrap();
    let hub = hub();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut command = bot(&fake, &hub, dir.path(), "serve");
    command.args(["--listen", "127.0.0.1:0"]);
    let bot = Process::start(&mut command, "rca-agent is @");
    fake.events_to(bot.address.as_deref().unwrap());
    let thread = fake.mention("UMARTA", "COPS", QUESTION);
    // Slack is not sure that it was heard.
    fake.resend();
    fake.wait_for_words("COPS", &thread, "What to do now").await;
    fake.resend();
    let said = fake.look(|state| {
        state
            .thread("COPS", &thread)
            .iter()
            .filter(|message| message.user == "UBOT" && message.files.is_empty())
            .count()
    });
    assert_eq!(said, 1, "one message, edited");
    // The same words mean another time in another zone, where the capture holds nothing.
    assert!(shown(&fake, "COPS", &thread).contains("CET"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_case_is_stopped_by_its_button() {
    let fake = FakeSlack::start().await;
    let dir = tempfile::tempdir().unwrap();
    // Never ends by itself, so that there is something to stop.
    let slow = hub_with(&["--fault", "dissection-stuck"]);
    let _bot = started(&fake, &slow, dir.path(), "[bot]\nlease_seconds = 3\n");
    let thread = fake.mention("UDAN", "COPS", QUESTION);
    let message = fake.wait_for_words("COPS", &thread, "Stop").await;
    fake.wait_for("progress", |state| {
        let edited = state
            .messages
            .iter()
            .any(|said| said.ts == message && said.edits > 0);
        edited.then_some(())
    })
    .await;
    fake.press("UMARTA", &message, "Stop");
    fake.wait_for_words("COPS", &thread, "Stopped").await;
    insta::assert_snapshot!("stopped", shown(&fake, "COPS", &thread));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_opens_one_thread_however_often_it_is_told() {
    let fake = FakeSlack::start().await;
    let dir = tempfile::tempdir().unwrap();
    let hub = hub();
    let _ = rustls::crypto::ring::default_provider().install_default();
    std::fs::write(
        dir.path().join("rca-agent.toml"),
        "[webhooks.receivers]\nshop = \"COPS\"\n",
    )
    .unwrap();
    let mut command = bot(&fake, &hub, dir.path(), "serve");
    command
        .args(["--listen", "127.0.0.1:0"])
        .env("RCA_WEBHOOK_TOKEN", "hook");
    let bot = Process::start(&mut command, "rca-agent is @");
    let base = bot.address.clone().unwrap();
    let client = reqwest::Client::new();
    let tell = async |status: &str, ends: &str| {
        let body = serde_json::json!({"version": "4", "receiver": "shop", "alerts": [{
            "status": status,
            "labels": {"alertname": "CheckoutErrors", "namespace": "shop", "service": "checkout"},
            "annotations": {"summary": "checkout answers with errors"},
            "startsAt": "2026-11-23T01:34:20Z",
            "endsAt": ends,
            "fingerprint": "c0ffee",
        }]});
        let sent = client
            .post(format!("{base}/webhooks/alertmanager"))
            .bearer_auth("hook")
            .json(&body)
            .send();
        assert_eq!(sent.await.unwrap().status(), 200);
    };
    tell("firing", "2026-11-23T01:34:40Z").await;
    tell("firing", "2026-11-23T01:34:40Z").await;
    let thread = fake
        .wait_for("the alert", |state| {
            let said = state.said();
            let first = said.iter().find(|message| message.thread.is_none())?;
            Some(first.ts.clone())
        })
        .await;
    fake.wait_for_words("COPS", &thread, "What to do now").await;
    tell("resolved", "2026-11-23T01:34:40Z").await;
    fake.wait_for_words("COPS", &thread, "over").await;
    let threads = fake.look(|state| {
        let said = state.said();
        said.iter().filter(|message| message.thread.is_none()).count()
    });
    assert_eq!(threads, 1);
    let metrics = client.get(format!("{base}/metrics")).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(metrics.contains("rca_agent_verdicts_total"), "{metrics}");
    let ready = client.get(format!("{base}/readyz")).send().await.unwrap();
    assert_eq!(ready.status(), 200);
}

/// Waits until a message of the thread that holds `words` was replaced.
async fn edited(fake: &FakeSlack, thread: &str, words: &str) {
    fake.wait_for(&format!("what came of {words:?}"), |state| {
        let said = state.thread("COPS", thread).into_iter();
        said.filter(|message| message.edits > 0)
            .any(|message| crate::fake::State::words(&message.blocks, &message.text).contains(words))
            .then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_a_case_comes_into_its_thread() {
    let fake = FakeSlack::start().await;
    let dir = tempfile::tempdir().unwrap();
    let cloud = tempfile::tempdir().unwrap();
    let hub = hub_with(&["--cloud", cloud.path().to_str().unwrap()]);
    let configuration = "[bot]\napprovers = [\"UMARTA\"]\n";
    let _bot = started(&fake, &hub, dir.path(), configuration);
    let thread = fake.mention("UDAN", "COPS", QUESTION);
    let verdict = fake.wait_for_words("COPS", &thread, "Root cause").await;

    fake.press("UDAN", &verdict, "Packets");
    fake.wait_for("the packets", |state| {
        let pcap = state.files.values().find(|file| file.name.ends_with(".pcap"))?;
        (pcap.bytes.len() == pcap.length && pcap.length > 1000).then_some(())
    })
    .await;

    fake.reply("UDAN", "COPS", &thread, "compare with yesterday");
    edited(&fake, &thread, "day before").await;
    fake.press("UDAN", &verdict, "Confirm the fix");
    edited(&fake, &thread, "after the fix").await;

    // What leaves the cluster is approved by somebody who may.
    fake.press("UDAN", &verdict, "Preserve the snapshot");
    let asked = fake.wait_for_words("COPS", &thread, "Approve").await;
    fake.press("UDAN", &asked, "Approve");
    fake.wait_for("a refusal", |state| {
        let refused = state.whispers.iter().any(|whisper| whisper.to == "UDAN");
        refused.then_some(())
    })
    .await;
    assert_eq!(std::fs::read_dir(cloud.path()).unwrap().count(), 0);
    fake.press("UMARTA", &asked, "Approve");
    edited(&fake, &thread, "Copying the snapshot").await;
    assert!(std::fs::read_dir(cloud.path()).unwrap().count() > 0);
    let said = shown(&fake, "COPS", &thread);
    assert!(said.contains("*Approved* by <@UMARTA>"), "{said}");
    assert!(said.contains("rca-agent restore rca-CASE --yes"), "{said}");
    assert!(said.contains("has been rotated out of the buffers"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_asked_to_end_hands_its_case_over() {
    let fake = FakeSlack::start().await;
    let dir = tempfile::tempdir().unwrap();
    let slow = hub_with(&["--fault", "dissection-stuck"]);
    // Nobody would take it over for ten minutes, were it not handed over.
    let configuration = "[bot]\nlease_seconds = 600\n";
    let mut first = started(&fake, &slow, dir.path(), configuration);
    let thread = fake.mention("UDAN", "COPS", QUESTION);
    let message = fake.wait_for_words("COPS", &thread, "Stop").await;
    fake.wait_for("progress", |state| {
        let edited = state
            .messages
            .iter()
            .any(|said| said.ts == message && said.edits > 0);
        edited.then_some(())
    })
    .await;
    assert_eq!(first.terminate(), Some(0));
    let hub = hub();
    let _second = started(&fake, &hub, dir.path(), configuration);
    fake.wait_for_words("COPS", &thread, "What to do now").await;
}
