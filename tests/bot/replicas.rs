//! Processes that share the work, and one that is killed in the middle of it.
//!
//! `RCA_TEST_CASES` says how many investigations are in flight; few by default, since every change runs this.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    fake::{FakeSlack, State},
    stores::{left_out, postgres},
    whole::{Process, QUESTION, bot, hub},
};

fn cases() -> usize {
    let said = std::env::var("RCA_TEST_CASES").ok();
    said.and_then(|count| count.parse().ok()).unwrap_or(6)
}

const CONFIGURATION: &str =
    "[bot]\ninvestigations = 4\nper_team = 1000\nper_channel = 1000\nlease_seconds = 3\n";

fn replica(fake: &FakeSlack, hub: &Process, dir: &Path, database: &str, name: &str) -> Process {
    std::fs::create_dir_all(dir).unwrap();
    std::fs::write(dir.join("rca-agent.toml"), CONFIGURATION).unwrap();
    let mut command = bot(fake, hub, dir, "slack");
    command.env("RCA_DATABASE", database).env("RCA_OWNER", name);
    Process::start(&mut command, "rca-agent is @")
}

/// The most memory that a process had, MB.
fn memory(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|line| line.split_whitespace().next())
        .and_then(|kilobytes| kilobytes.parse::<u64>().ok())
        .map_or(0, |kilobytes| kilobytes / 1024)
}

/// Threads that have their verdict.
fn verdicts(state: &State) -> usize {
    state
        .said()
        .iter()
        .filter(|message| message.text.contains("Root cause"))
        .count()
}

/// Waits for so many verdicts, for as long as there is progress.
async fn ended(fake: &FakeSlack, count: usize) {
    let mut seen = fake.look(verdicts);
    while seen < count {
        seen = fake
            .wait_for(&format!("more than {seen} verdicts"), |state| {
                Some(verdicts(state)).filter(|now| *now > seen)
            })
            .await;
    }
}

/// Every case ended once, and nothing was said twice.
fn whole(fake: &FakeSlack, threads: &[String]) {
    fake.look(|state| {
        for thread in threads {
            let said: Vec<_> = state
                .thread("COPS", thread)
                .into_iter()
                .filter(|message| message.user == crate::fake::BOT_USER)
                .collect();
            let verdicts = said.iter().filter(|message| message.text.contains("Root cause"));
            assert_eq!(verdicts.count(), 1, "{thread}");
            let words = said.iter().filter(|message| message.files.is_empty());
            assert_eq!(words.count(), 1, "{thread} has one message, edited");
            let mut files: BTreeMap<&str, usize> = BTreeMap::new();
            for file in said.iter().flat_map(|message| &message.files) {
                *files.entry(state.files[file].name.as_str()).or_default() += 1;
            }
            assert_eq!(files.len(), 3, "{thread}: {files:?}");
            assert!(files.values().all(|count| *count == 1), "{thread}: {files:?}");
        }
    });
}

/// Waits until each thread has its files.
async fn handed_over(fake: &FakeSlack, threads: usize) {
    let mut seen = 0;
    while seen < threads * 3 {
        seen = fake
            .wait_for(&format!("more than {seen} files of {}", threads * 3), |state| {
                let files = state
                    .messages
                    .iter()
                    .map(|message| message.files.len())
                    .sum::<usize>();
                Some(files).filter(|files| *files > seen)
            })
            .await;
    }
}

async fn killed_half_way(database: &str, two: bool) {
    let fake = FakeSlack::start().await;
    let hub = hub();
    let dir = tempfile::tempdir().unwrap();
    let mut first = replica(&fake, &hub, &dir.path().join("first"), database, "first");
    let second = two.then(|| replica(&fake, &hub, &dir.path().join("second"), database, "second"));
    let count = cases();
    let began = Instant::now();
    let threads: Vec<String> = (0..count)
        .map(|_| fake.mention("UDAN", "COPS", QUESTION))
        .collect();
    ended(&fake, count / 2).await;
    let half = began.elapsed();
    let used = memory(&first);
    first.kill();
    let survivor = second.unwrap_or_else(|| {
        let dir = dir.path().join("first");
        replica(&fake, &hub, &dir, database, "first, once more")
    });
    ended(&fake, count).await;
    handed_over(&fake, count).await;
    let took = began.elapsed();
    whole(&fake, &threads);
    eprintln!(
        "{count} investigations: half of them after {:.1} s, all after {:.1} s, {:.2} a second; memory at most {used} MB and {} MB",
        half.as_secs_f64(),
        took.as_secs_f64(),
        count as f64 / took.as_secs_f64().max(Duration::from_millis(1).as_secs_f64()),
        memory(&survivor),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_replicas_on_postgresql_is_killed_and_every_case_ends_once() {
    let Ok(server) = std::env::var("RCA_TEST_POSTGRES") else {
        left_out();
        return;
    };
    let database = postgres(&server).await;
    killed_half_way(&database.url, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_on_sqlite_is_killed_and_started_again_and_every_case_ends_once() {
    let dir = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", dir.path().join("bot.db").display());
    killed_half_way(&database, false).await;
}
