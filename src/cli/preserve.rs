//! `preserve` and `restore`: evidence that outlives the Hub's own storage.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Parser as _;
use serde_json::{Value, json};

use super::{
    args::{Cli, Command, PreserveArgs, RestoreArgs, SourceArgs, TimeArgs},
    capture_file, investigate,
    order::{self, Asked, Order, Parts},
    output, pcap, run, snapshots, verify,
};
use crate::{
    config::Config,
    error::AppError,
    investigation::{
        Outcome, State, Task,
        outcome::Transferred,
        settings::{Direction, Source, TransferOrder},
        words,
    },
    journal,
    progress::Show,
    report::document::{Block, Document},
    time::Clock,
};

/// The form of `preserved.json`.
const FORMAT: &str = "rca-agent/preserved/1";

/// What a case says of its snapshot.
struct OfCase {
    id: String,
    dir: PathBuf,
    snapshot: String,
    source: Source,
    zone: String,
}

pub(super) async fn preserve(config: &Config, args: &PreserveArgs, show: Show) -> Result<u8, AppError> {
    let case = match &args.case {
        Some(name) => Some(of_case(config, args, name)?),
        None => None,
    };
    if let Some(out) = &args.out
        && out.exists()
    {
        return Err(AppError::usage(format!("there is a `{}` already", out.display()))
            .hint("choose another --out; nothing is overwritten"));
    }
    let time = TimeArgs {
        tz: args
            .time
            .tz
            .clone()
            .or_else(|| case.as_ref().map(|case| case.zone.clone())),
        now: args.time.now.clone(),
    };
    let name = match (&case, &args.snapshot) {
        (Some(case), _) => case.snapshot.clone(),
        (None, Some(name)) => name.clone(),
        (None, None) => return Err(AppError::usage("name a case, or a snapshot with --snapshot")),
    };
    if case.is_none() && (args.out.is_some() || args.no_upload) {
        return Err(AppError::usage("--out and --no-upload keep the files of a case")
            .hint("name the case: `rca-agent preserve CASE --out DIR`; of a snapshot alone `rca-agent pcap --snapshot NAME` keeps the packets"));
    }
    let created = investigate::system_now();
    let (kept, clock) = if args.no_upload {
        let moment = investigate::moment(config, &time, created)?;
        let clock = Clock {
            zone: moment.zone,
            now: moment.now,
            hours: config.hours,
        };
        (None, clock)
    } else {
        let order = transfer(
            config,
            &args.source,
            &time,
            case.as_ref(),
            &name,
            Direction::Upload,
            args.yes,
        )?;
        let clock = order.settings.clock();
        let kept = carry_out(order, show).await;
        (
            Some(kept.map_err(|error| embedded(error, case.as_ref(), args))?),
            clock,
        )
    };
    let files = match (&case, &args.out) {
        (Some(case), Some(out)) => keep(config, args, &time, case, out, show).await?,
        _ => Vec::new(),
    };
    let value = json!({
        "schema": FORMAT,
        "case": case.as_ref().map(|case| &case.id),
        "created": clock.rfc3339(created),
        "snapshot": kept.as_ref().map(|kept| in_json(kept, &clock)),
        "files": files.iter().map(|file| json!({"file": file.name, "bytes": file.bytes, "sha256": file.sha256})).collect::<Vec<_>>(),
    });
    if let Some(out) = &args.out {
        let path = out.join("preserved.json");
        fs::write(&path, output::pretty(&value) + "\n").map_err(|error| unwritable(&path, &error))?;
    }
    if args.json {
        return output::stdout(&output::pretty(&value)).map(|()| 0);
    }
    let title = match &case {
        Some(case) => format!("The case {} is preserved", case.id),
        None => format!("The snapshot {name} is preserved"),
    };
    let document = document(title, kept.as_ref(), args.out.as_deref(), &files);
    output::stdout(&output::terminal(&document)).map(|()| 0)
}

fn document(title: String, kept: Option<&Transferred>, out: Option<&Path>, files: &[Kept]) -> Document {
    let mut lines = Vec::new();
    if let Some(kept) = kept {
        lines.push(format!(
            "Snapshot {} in cloud storage ({}), job {}",
            kept.snapshot.reference.name,
            kept.provider.as_deref().unwrap_or("provider not told"),
            kept.job
        ));
        lines.push(format!(
            "`rca-agent restore {} --yes` brings it to any Hub that has this storage",
            kept.snapshot.reference.name
        ));
    }
    let mut blocks = vec![Block::List(lines)];
    if let Some(out) = out {
        // Results lie in the case under their hashes: a line for all of them.
        let (bodies, named): (Vec<&Kept>, Vec<&Kept>) = files
            .iter()
            .partition(|file| file.name.starts_with("case/bodies/"));
        let mut rows: Vec<Vec<String>> = named
            .iter()
            .map(|file| {
                vec![
                    file.name.clone(),
                    words::bytes(file.bytes),
                    file.sha256.chars().take(16).collect(),
                ]
            })
            .collect();
        if !bodies.is_empty() {
            rows.push(vec![
                "case/bodies/".to_owned(),
                words::bytes(bodies.iter().map(|file| file.bytes).sum()),
                format!("{} files, named by their hashes", bodies.len()),
            ]);
        }
        blocks.push(Block::Heading(format!("Files in {}", out.display())));
        blocks.push(Block::Table {
            head: ["File", "Size", "SHA-256"].map(str::to_owned).to_vec(),
            rows,
        });
        blocks.push(Block::List(vec![
            "The packets are as they were, secrets included: handle them as such".to_owned(),
            format!("All hashes are in {}", out.join("preserved.json").display()),
        ]));
    }
    Document {
        card: None,
        title,
        blocks,
    }
}

/// What an embedded server had is gone with it.
fn embedded(error: AppError, case: Option<&OfCase>, args: &PreserveArgs) -> AppError {
    let was = case.is_some_and(|case| matches!(case.source, Source::Capture { .. } | Source::Demo { .. }));
    if was && !super::source::is_named(&args.source) {
        return error.hint("the case was investigated on an embedded server, whose snapshots end with it: --no-upload --out DIR keeps its files");
    }
    error
}

fn of_case(config: &Config, args: &PreserveArgs, name: &str) -> Result<OfCase, AppError> {
    let cases = args.cases.clone().unwrap_or_else(|| config.cases.clone());
    let dir = output::case_dir(&cases, name)?;
    let recording = journal::read(&dir).map_err(|error| run::journal_error(&error, &dir))?;
    let (id, _, settings) = run::opening(&recording, &dir)?;
    let Some((reference, _)) = verify::snapshot(&recording) else {
        return Err(AppError::environment(format!("the case `{id}` has no snapshot"))
            .hint("it ended before one was taken"));
    };
    Ok(OfCase {
        id,
        dir,
        snapshot: reference.name,
        source: settings.source,
        zone: settings.zone.name().to_owned(),
    })
}

fn transfer(
    config: &Config,
    source: &SourceArgs,
    time: &TimeArgs,
    case: Option<&OfCase>,
    name: &str,
    direction: Direction,
    yes: bool,
) -> Result<Order, AppError> {
    let parts = Parts {
        source,
        time,
        asked: Asked::Anything,
        snapshot: None,
        task: Task::Transfer(TransferOrder {
            snapshot: name.to_owned(),
            direction,
        }),
        no_input: true,
        yes,
    };
    let what = match direction {
        Direction::Upload => "preserve",
        Direction::Download => "restore",
    };
    match case {
        Some(case) if !super::source::is_named(source) => {
            order::order_at(config, what, case.source.clone(), parts)
        }
        _ => order::order(config, what, parts),
    }
}

async fn carry_out(order: Order, show: Show) -> Result<Transferred, AppError> {
    let machine = order::run(order, None, show).await?;
    match machine.state() {
        State::Finished(outcome) => match &**outcome {
            Outcome::Transferred(transferred) => Ok((**transferred).clone()),
            _ => Err(order::unexpected(machine.state())),
        },
        other => Err(order::unexpected(other)),
    }
}

fn in_json(transferred: &Transferred, clock: &Clock) -> Value {
    let snapshot = &transferred.snapshot;
    json!({
        "name": snapshot.reference.name,
        "id": snapshot.reference.id,
        "window": snapshot.window.map(|window| snapshots::window_json(&window, clock)),
        "size_bytes": snapshot.size_bytes,
        "provider": transferred.provider,
        "job": transferred.job,
    })
}

/// A file that is kept.
struct Kept {
    name: String,
    bytes: u64,
    sha256: String,
}

/// The case and its packets in a directory.
async fn keep(
    config: &Config,
    args: &PreserveArgs,
    time: &TimeArgs,
    case: &OfCase,
    out: &Path,
    show: Show,
) -> Result<Vec<Kept>, AppError> {
    output::copy_case(&case.dir, &out.join("case"))?;
    pcap::of_case_to(
        config,
        &case.id,
        &case.dir,
        &args.source,
        time,
        &out.join("packets.pcap"),
        show,
    )
    .await?;
    let mut files = Vec::new();
    list(out, out, &mut files)?;
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

fn list(root: &Path, dir: &Path, files: &mut Vec<Kept>) -> Result<(), AppError> {
    let entries = fs::read_dir(dir).map_err(|error| unwritable(dir, &error))?;
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            list(root, &path, files)?;
        } else if let Some((bytes, sha256)) = capture_file::hashed(&path)? {
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            files.push(Kept { name, bytes, sha256 });
        }
    }
    Ok(())
}

fn unwritable(path: &Path, error: &std::io::Error) -> AppError {
    AppError::environment(format!("could not use `{}`", path.display())).because(error)
}

pub(super) async fn restore(config: &Config, args: &RestoreArgs, show: Show) -> Result<u8, AppError> {
    let order = transfer(
        config,
        &args.source,
        &args.time,
        None,
        &args.snapshot,
        Direction::Download,
        args.yes,
    )?;
    let clock = order.settings.clock();
    let brought = carry_out(order, show).await?;
    if let Some(question) = &args.investigate {
        return investigated(config, args, question, &brought, show).await;
    }
    if args.json {
        return output::stdout(&output::pretty(&in_json(&brought, &clock))).map(|()| 0);
    }
    let snapshot = &brought.snapshot;
    let mut lines = Vec::new();
    if let Some(window) = &snapshot.window {
        lines.push(format!("Holds: {}", clock.window(window)));
    }
    lines.extend(
        snapshot
            .size_bytes
            .map(|size| format!("Size: {}", words::bytes(size))),
    );
    lines.push(format!(
        "Next: `rca-agent investigate --snapshot {}`",
        snapshot.reference.name
    ));
    let document = Document {
        card: None,
        title: format!("The snapshot {} is here", snapshot.reference.name),
        blocks: vec![Block::List(lines)],
    };
    output::stdout(&output::terminal(&document)).map(|()| 0)
}

/// The investigation of a snapshot that was brought here, as its own command would run it.
async fn investigated(
    config: &Config,
    args: &RestoreArgs,
    question: &str,
    brought: &Transferred,
    show: Show,
) -> Result<u8, AppError> {
    let mut words = vec![
        "rca-agent".to_owned(),
        "investigate".to_owned(),
        "--snapshot".to_owned(),
        brought.snapshot.reference.name.clone(),
    ];
    words.extend(args.source.words());
    let flags = [
        ("--tz", args.time.tz.clone()),
        ("--now", args.time.now.clone()),
        ("--since", args.since.clone()),
        ("--until", args.until.clone()),
    ];
    for (flag, value) in flags {
        words.extend(value.into_iter().map(|value| format!("{flag}={value}")));
    }
    words.extend(["--".to_owned(), question.to_owned()]);
    let parsed = Cli::try_parse_from(words).map_err(|error| {
        AppError::usage("the snapshot is here, and cannot be investigated").because(&error)
    })?;
    match parsed.command {
        Command::Investigate(parsed) => investigate::investigate(config, &parsed, show).await,
        _ => Err(AppError::usage(
            "the snapshot is here, and cannot be investigated",
        )),
    }
}
