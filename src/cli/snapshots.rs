//! `snapshots`: what there is, and taking one.

use serde_json::{Value, json};

use super::{
    args::{SnapshotsAction, SnapshotsArgs, SnapshotsListArgs, SnapshotsTakeArgs},
    investigate,
    order::{self, Asked, Parts},
    output,
};
use crate::{
    config::Config,
    error::AppError,
    investigation::{Outcome, State, Task, outcome::Shelf, words},
    progress::Show,
    report::document::{Block, Document},
    time::{Clock, Window},
    wire::decode::{Snapshot, SnapshotStatus},
};

pub(super) async fn run(config: &Config, args: &SnapshotsArgs, show: Show) -> Result<u8, AppError> {
    match &args.action {
        None => list(config, &args.list, show).await,
        Some(SnapshotsAction::Take(args)) => take(config, args, show).await,
    }
}

async fn list(config: &Config, args: &SnapshotsListArgs, show: Show) -> Result<u8, AppError> {
    let parts = Parts {
        source: &args.source,
        time: &args.time,
        asked: Asked::Anything,
        snapshot: None,
        task: Task::Inventory,
        no_input: true,
        yes: false,
    };
    let order = order::order(config, "snapshots", parts)?;
    let clock = order.settings.clock();
    let machine = order::run(order, None, show).await?;
    let State::Finished(outcome) = machine.state() else {
        return Err(order::unexpected(machine.state()));
    };
    let Outcome::Inventory(shelf) = &**outcome else {
        return Err(order::unexpected(machine.state()));
    };
    if args.json {
        let snapshots: Vec<Value> = shelf.snapshots.iter().map(|one| in_json(one, &clock)).collect();
        let cloud = shelf
            .cloud
            .as_ref()
            .map(|cloud| json!({ "enabled": cloud.enabled, "provider": cloud.provider, "connected": cloud.connected }));
        return output::stdout(&output::pretty(
            &json!({ "snapshots": snapshots, "cloud": cloud }),
        ))
        .map(|()| 0);
    }
    output::stdout(&output::terminal(&document(shelf, &clock))).map(|()| 0)
}

fn document(shelf: &Shelf, clock: &Clock) -> Document {
    let count = shelf.snapshots.len() as u64;
    let mut blocks = Vec::new();
    if !shelf.snapshots.is_empty() {
        blocks.push(Block::Table {
            head: ["Snapshot", "Holds", "Size", "Nodes", "Taken", "Where"]
                .map(str::to_owned)
                .to_vec(),
            rows: shelf.snapshots.iter().map(|one| row(one, clock)).collect(),
        });
    }
    let mut notes = Vec::new();
    match &shelf.cloud {
        Some(cloud) if cloud.enabled => {
            let provider = cloud.provider.as_deref().unwrap_or("configured");
            let connected = if cloud.connected == Some(false) { ", not connected" } else { "" };
            notes.push(format!(
                "Cloud storage: {provider}{connected}; `rca-agent preserve` uploads, `rca-agent restore` downloads"
            ));
        }
        Some(_) => notes.push(
            "Cloud storage: not configured (`tap.snapshots.cloud.provider` in Kubeshark's Helm values); snapshots live as long as the Hub's own storage"
                .to_owned(),
        ),
        None => {}
    }
    if shelf.snapshots.is_empty() {
        notes.push("`rca-agent snapshots take --since TIME` takes one".to_owned());
    } else {
        notes.push("`--snapshot NAME` works on one; nothing here deletes any".to_owned());
    }
    blocks.push(Block::List(notes));
    Document {
        card: None,
        title: format!("{} {}", words::number(count), words::plural(count, "snapshot")),
        blocks,
    }
}

fn place(snapshot: &Snapshot) -> String {
    match &snapshot.status {
        SnapshotStatus::Completed => "here".to_owned(),
        SnapshotStatus::CloudOnly => "cloud only".to_owned(),
        SnapshotStatus::InProgress => match snapshot.progress {
            Some(progress) => format!("in progress, {progress:.0} %"),
            None => "in progress".to_owned(),
        },
        SnapshotStatus::Failed => match &snapshot.error {
            Some(error) => format!("failed: {error}"),
            None => "failed".to_owned(),
        },
        SnapshotStatus::Other(word) => word.clone(),
    }
}

fn row(snapshot: &Snapshot, clock: &Clock) -> Vec<String> {
    let unknown = || "unknown".to_owned();
    vec![
        snapshot.reference.name.clone(),
        snapshot
            .window
            .map_or_else(unknown, |window| clock.window(&window)),
        snapshot.size_bytes.map_or_else(unknown, words::bytes),
        snapshot
            .node_count
            .map_or_else(unknown, |nodes| nodes.to_string()),
        snapshot.created.map_or_else(unknown, |at| clock.at(at)),
        place(snapshot),
    ]
}

fn in_json(snapshot: &Snapshot, clock: &Clock) -> Value {
    json!({
        "name": snapshot.reference.name,
        "id": snapshot.reference.id,
        "status": snapshot.status,
        "window": snapshot.window.map(|window| window_json(&window, clock)),
        "size_bytes": snapshot.size_bytes,
        "nodes": snapshot.node_count,
        "created": snapshot.created.map(|at| clock.rfc3339(at)),
    })
}

pub(super) fn window_json(window: &Window, clock: &Clock) -> Value {
    json!({ "start": clock.rfc3339(window.start), "end": clock.rfc3339(window.end) })
}

async fn take(config: &Config, args: &SnapshotsTakeArgs, show: Show) -> Result<u8, AppError> {
    let parts = Parts {
        source: &args.source,
        time: &args.time,
        asked: Asked::Window {
            since: args.since.as_deref(),
            until: args.until.as_deref(),
        },
        snapshot: None,
        task: Task::Keep {
            name: args.name.clone(),
        },
        no_input: args.no_input,
        yes: false,
    };
    let mut order = order::order(config, "snapshots", parts)?;
    let clock = order.settings.clock();
    let rules = &mut order.settings.playbook.window;
    rules.buffer_minutes = args.buffer.unwrap_or(rules.buffer_minutes);
    // By rule: what took it, and when.
    order.id = investigate::id_of(&clock, order.created);
    let machine = order::run(order, None, show).await?;
    let State::Finished(outcome) = machine.state() else {
        return Err(order::unexpected(machine.state()));
    };
    let Outcome::Kept {
        snapshot,
        window,
        reused,
    } = &**outcome
    else {
        return Err(order::unexpected(machine.state()));
    };
    if args.json {
        let mut value = in_json(snapshot, &clock);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("reused".to_owned(), json!(reused));
            fields.insert("window".to_owned(), window_json(window, &clock));
        }
        return output::stdout(&output::pretty(&value)).map(|()| 0);
    }
    let how = if *reused {
        "is there already and covers the window"
    } else {
        "is taken"
    };
    let size = snapshot
        .size_bytes
        .map_or_else(String::new, |size| format!(", {}", words::bytes(size)));
    let not_seen = machine
        .case()
        .coverage
        .not_seen
        .iter()
        .map(|line| format!("Not seen: {line}"));
    let mut lines = vec![format!("Holds: {}{size}", clock.window(window))];
    lines.extend(not_seen);
    lines.push(format!(
        "Next: `rca-agent investigate --snapshot {}`",
        snapshot.reference.name
    ));
    let document = Document {
        card: None,
        title: format!("The snapshot {} {how}", snapshot.reference.name),
        blocks: vec![Block::List(lines)],
    };
    output::stdout(&output::terminal(&document)).map(|()| 0)
}
