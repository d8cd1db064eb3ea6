//! `pcap`: the packets of workloads as a file, without any dissection; also those of a case.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

mod case;

pub(super) use case::of_case_to;

use super::{
    args::{AskArgs, PcapArgs},
    capture_file::{Local, local},
    handoff::{self, Frame},
    investigate,
    order::{self, Asked, Order, Parts},
    output, snapshots,
};
use crate::{
    bpf::PacketFilter,
    config::Config,
    error::AppError,
    investigation::{
        Outcome, State, Task,
        outcome::Exported,
        settings::{PacketsOrder, WorkloadPattern},
        words,
    },
    progress::Show,
    report::{
        self,
        document::{Block, Document},
    },
    time::Clock,
    wire::decode,
};

/// What a case adds to its packets.
struct OfCase {
    id: String,
    names: String,
    frames: Vec<Frame>,
    reproducer: Option<String>,
}

pub(super) async fn pcap(config: &Config, args: &PcapArgs, show: Show) -> Result<u8, AppError> {
    let wanted = wanted(args)?;
    let (order, case) = match &args.case {
        Some(name) => case::of_case(config, args, wanted, name).await?,
        None => (of_window(config, args, wanted)?, None),
    };
    carry_out(args, order, case, show).await
}

async fn carry_out(args: &PcapArgs, order: Order, case: Option<OfCase>, show: Show) -> Result<u8, AppError> {
    let clock = order.settings.clock();
    let machine = order::run(order, None, show).await?;
    let State::Finished(outcome) = machine.state() else {
        return Err(order::unexpected(machine.state()));
    };
    let Outcome::Packets(exported) = &**outcome else {
        return Err(order::unexpected(machine.state()));
    };
    let local = local(Path::new(&exported.path))?;
    let not_seen = machine.case().coverage.not_seen.clone();
    let empty = local.as_ref().is_some_and(|local| local.packets == Some(0));
    if args.json {
        let value = in_json(exported, local.as_ref(), case.as_ref(), &not_seen, &clock);
        output::stdout(&output::pretty(&value))?;
    } else {
        let document = document(exported, local.as_ref(), case.as_ref(), &not_seen, &clock);
        output::stdout(&output::terminal(&document))?;
        if local.is_some() && !empty {
            let beside = Path::new(&exported.path).with_extension("md");
            std::fs::write(&beside, report::markdown(&document)).map_err(|error| {
                AppError::environment(format!("could not write `{}`", beside.display())).because(&error)
            })?;
        }
    }
    Ok(if empty { 3 } else { 0 })
}

/// A question that asks for packets: the same route, with the workloads that it names.
pub(super) async fn of_question(
    config: &Config,
    args: &AskArgs,
    since: Option<&str>,
    wanted: PacketsOrder,
    show: Show,
) -> Result<u8, AppError> {
    let pcap = PcapArgs {
        case: None,
        workload: Vec::new(),
        label: Vec::new(),
        namespace: None,
        ip: Vec::new(),
        bpf: None,
        node: Vec::new(),
        since: since.map(str::to_owned),
        until: args.until.clone(),
        out: None,
        json: args.json,
        no_input: args.no_input,
        cases: None,
        snapshot: args.snapshot.clone(),
        source: args.source.clone(),
        time: args.time.clone(),
    };
    let order = of_window(config, &pcap, wanted)?;
    carry_out(&pcap, order, None, show).await
}

/// What the flags name, checked before anything is started.
fn wanted(args: &PcapArgs) -> Result<PacketsOrder, AppError> {
    let mut workloads = Vec::new();
    for text in &args.workload {
        let (namespace, name) = match text.split_once('/') {
            Some((namespace, name)) => (Some(namespace.to_owned()), name),
            None => (args.namespace.clone(), text.as_str()),
        };
        if name.is_empty() || namespace.as_deref() == Some("") {
            return Err(AppError::usage(format!("`{text}` does not name a workload"))
                .hint("write NAMESPACE/NAME, as in --workload 'prod/payment-.*'"));
        }
        regex::Regex::new(name).map_err(|error| {
            AppError::usage(format!("`{name}` is no regular expression"))
                .because(&error)
                .hint("`.*` stands for anything: --workload 'prod/payment-.*'")
        })?;
        workloads.push(WorkloadPattern {
            namespace,
            name: name.to_owned(),
        });
    }
    let mut labels = Vec::new();
    for text in &args.label {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => labels.push((key.to_owned(), value.to_owned())),
            _ => {
                return Err(
                    AppError::usage(format!("`{text}` is no label")).hint("for example --label app=payment")
                );
            }
        }
    }
    if workloads.is_empty()
        && let Some(namespace) = args.namespace.clone().filter(|_| args.case.is_none())
    {
        workloads.push(WorkloadPattern {
            namespace: Some(namespace),
            name: ".*".to_owned(),
        });
    }
    if let Some(filter) = &args.bpf {
        PacketFilter::compile(filter).map_err(|why| {
            AppError::usage(format!("the packet filter `{filter}` cannot be used"))
                .reason(why)
                .hint("it is written as for tcpdump: `port 8080`, `host 10.0.53.101 and tcp`, `net 10.0.0.0/16`; workloads go by --workload")
        })?;
    }
    Ok(PacketsOrder {
        workloads,
        labels,
        addresses: args.ip.clone(),
        bpf: args.bpf.clone().filter(|filter| !filter.trim().is_empty()),
        nodes: args.node.clone(),
        file: String::new(),
    })
}

/// Where the file goes: an absolute path, since a server may run in another directory.
fn file(args: &PcapArgs, default: &str) -> Result<String, AppError> {
    let path = args.out.clone().unwrap_or_else(|| free(default));
    if path.exists() {
        return Err(
            AppError::usage(format!("there is a file `{}` already", path.display()))
                .hint("choose another --out; nothing is overwritten"),
        );
    }
    let dir = path
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let dir = dir.canonicalize().map_err(|error| {
        AppError::environment(format!("there is no directory `{}`", dir.display())).because(&error)
    })?;
    let name = path
        .file_name()
        .ok_or_else(|| AppError::usage(format!("`{}` names no file", path.display())))?;
    Ok(dir.join(name).to_string_lossy().into_owned())
}

/// The first name of a row that no file has.
fn free(default: &str) -> PathBuf {
    let mut path = PathBuf::from(format!("{default}.pcap"));
    let mut number = 1;
    while path.exists() {
        number += 1;
        path = PathBuf::from(format!("{default}-{number}.pcap"));
    }
    path
}

fn of_window(config: &Config, args: &PcapArgs, mut wanted: PacketsOrder) -> Result<Order, AppError> {
    let parts = Parts {
        source: &args.source,
        time: &args.time,
        asked: Asked::Window {
            since: args.since.as_deref(),
            until: args.until.as_deref(),
        },
        snapshot: args.snapshot.named(),
        task: Task::Packets(PacketsOrder::default()),
        no_input: args.no_input,
        yes: false,
    };
    let mut order = order::order(config, "pcap", parts)?;
    let clock = order.settings.clock();
    order.id = investigate::id_of(&clock, order.created);
    wanted.file = file(args, &format!("rca-{}", clock.stamp(order.created)))?;
    order.settings.task = Task::Packets(wanted);
    Ok(order)
}

/// Who had an address, in a line.
fn owners(exported: &Exported, ip: &IpAddr) -> String {
    let owners = exported
        .addresses
        .iter()
        .find(|(other, _)| other == ip)
        .map(|(_, owners)| owners);
    let named = |namespace: Option<&str>, name: &str| match namespace {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    };
    let mut names: Vec<String> = owners
        .into_iter()
        .flatten()
        .map(|owner| named(owner.namespace.as_deref(), &owner.name))
        .collect();
    let of_workloads = exported
        .workloads
        .iter()
        .filter(|workload| workload.ips.iter().any(|seen| seen.ip == ip.to_string()))
        .map(|workload| named(workload.namespace.as_deref(), &workload.name));
    names.extend(of_workloads);
    names.sort();
    names.dedup();
    if names.is_empty() {
        "not known".to_owned()
    } else {
        names.join(", ")
    }
}

fn addresses(exported: &Exported) -> Vec<IpAddr> {
    exported.addresses.iter().map(|(ip, _)| *ip).collect()
}

fn document(
    exported: &Exported,
    local: Option<&Local>,
    case: Option<&OfCase>,
    not_seen: &[String],
    clock: &Clock,
) -> Document {
    let nodes = if exported.nodes.is_empty() {
        "all nodes".to_owned()
    } else {
        exported.nodes.join(", ")
    };
    let mut lines = vec![format!("File: `{}`", exported.path)];
    if let Some(local) = local {
        let packets = local.packets.map_or_else(
            || "it cannot be read as a capture".to_owned(),
            |packets| format!("{} {}", words::number(packets), words::plural(packets, "packet")),
        );
        let span = local.span.map_or_else(String::new, |(first, last)| {
            format!(", from {} to {}", clock.at_millis(first), clock.at_millis(last))
        });
        lines.push(format!("Content: {packets}{span}"));
        lines.push(format!(
            "Size: {}, SHA-256 {}",
            words::bytes(local.size),
            local.sha256
        ));
    } else {
        let size = exported
            .size_bytes
            .map_or_else(|| "of unknown size".to_owned(), words::bytes);
        let url = exported
            .url
            .as_ref()
            .map_or_else(String::new, |url| format!(", also at {url}"));
        lines.push(format!("Size: {size}, on the machine of the MCP server{url}"));
    }
    lines.push(format!(
        "Of: snapshot {}, {}, {nodes}",
        exported.snapshot,
        clock.window(&exported.window)
    ));
    lines.extend(not_seen.iter().map(|line| format!("Not seen: {line}")));
    lines.push("It holds the packets as they were, secrets included: handle it as such".to_owned());
    let mut blocks = vec![Block::List(lines)];
    if local.is_some_and(|local| local.packets == Some(0)) {
        empty(&mut blocks, exported);
    }
    let ips = addresses(exported);
    if !ips.is_empty() {
        blocks.push(Block::Heading("Addresses".to_owned()));
        blocks.push(Block::Table {
            head: ["Address", "Whose it was"].map(str::to_owned).to_vec(),
            rows: ips
                .iter()
                .map(|ip| vec![ip.to_string(), owners(exported, ip)])
                .collect(),
        });
    }
    blocks.push(Block::Heading("Filters".to_owned()));
    let bpf = exported
        .bpf
        .clone()
        .unwrap_or_else(|| "none: all packets".to_owned());
    blocks.push(Block::Paragraph(
        "BPF, as it was exported (`tcpdump -nn -r FILE` reads the file):".to_owned(),
    ));
    blocks.push(Block::Code(bpf));
    let shown = handoff::display_filter(
        &ips,
        local.and_then(|local| local.span).filter(|_| case.is_some()),
    );
    if !shown.is_empty() {
        blocks.push(Block::Paragraph("Wireshark display filter:".to_owned()));
        blocks.push(Block::Code(shown));
    }
    if let Some(case) = case {
        of_case_blocks(&mut blocks, case, clock);
    }
    let whose = match case {
        Some(case) if !case.names.is_empty() => format!("Packets of {} (case {})", case.names, case.id),
        _ if ips.is_empty() => "Packets of the window".to_owned(),
        _ => format!(
            "Packets of {} {}",
            ips.len(),
            words::plural(ips.len() as u64, "host")
        ),
    };
    Document {
        title: whose,
        card: None,
        blocks,
    }
}

/// What may be the reason that a file holds no packet.
fn empty(blocks: &mut Vec<Block>, exported: &Exported) {
    blocks.push(Block::Paragraph(
        "No packet of the snapshot matches. Check the workloads, the filter and the window; without --bpf the file holds all packets of the workloads."
            .to_owned(),
    ));
    let service = |workload: &decode::Workload| workload.kind.as_deref() == Some("service");
    if let Some(first) = exported
        .workloads
        .first()
        .filter(|_| exported.workloads.iter().all(service))
    {
        let namespace = first
            .namespace
            .as_ref()
            .map_or_else(String::new, |name| format!("{name}/"));
        blocks.push(Block::Paragraph(format!(
            "The addresses are those of services, and packets mostly carry those of pods: --workload '{namespace}{}-.*' takes its pods.",
            first.name
        )));
    }
}

fn of_case_blocks(blocks: &mut Vec<Block>, case: &OfCase, clock: &Clock) {
    if !case.frames.is_empty() {
        blocks.push(Block::Heading(
            "Where to look: the first abnormal call of each hop".to_owned(),
        ));
        blocks.push(Block::Table {
            head: ["When", "Frame time", "What"].map(str::to_owned).to_vec(),
            rows: case
                .frames
                .iter()
                .map(|frame| {
                    vec![
                        clock.at_millis(frame.at),
                        format!("frame.time_epoch >= {}", handoff::epoch(frame.at)),
                        frame.what.clone(),
                    ]
                })
                .collect(),
        });
    }
    if let Some(curl) = &case.reproducer {
        blocks.push(Block::Heading(
            "The first failing request again, without its secrets".to_owned(),
        ));
        blocks.push(Block::Code(curl.clone()));
    }
}

fn in_json(
    exported: &Exported,
    local: Option<&Local>,
    case: Option<&OfCase>,
    not_seen: &[String],
    clock: &Clock,
) -> Value {
    let ips = addresses(exported);
    json!({
        "file": exported.path,
        "size_bytes": local.map(|local| local.size).or(exported.size_bytes),
        "sha256": local.map(|local| local.sha256.clone()),
        "packets": local.and_then(|local| local.packets),
        "snapshot": exported.snapshot,
        "window": snapshots::window_json(&exported.window, clock),
        "nodes": exported.nodes,
        "bpf": exported.bpf,
        "display_filter": handoff::display_filter(&ips, None),
        "addresses": ips.iter().map(|ip| json!({ "ip": ip, "owners": owners(exported, ip) })).collect::<Vec<_>>(),
        "not_seen": not_seen,
        "case": case.map(|case| case.id.clone()),
        "frames": case.map(|case| {
            case.frames
                .iter()
                .map(|frame| json!({ "at": clock.rfc3339(frame.at), "epoch": handoff::epoch(frame.at), "what": frame.what }))
                .collect::<Vec<_>>()
        }),
        "reproducer": case.and_then(|case| case.reproducer.clone()),
    })
}
