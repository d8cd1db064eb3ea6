//! `ask`: one question, one fresh query, an answer in local time.

use serde_json::{Value, json};

use super::{
    args::AskArgs,
    order::{self, Asked, Parts},
    output, pcap,
    propose::{self, Proposed},
    snapshots,
};
use crate::{
    analysis::{Outcome as Ended, ends, outcome},
    config::Config,
    error::AppError,
    investigation::{
        Case, Outcome, State, Task,
        outcome::QuestionAnswer,
        settings::{AskOrder, PacketsOrder, Source, WorkloadPattern},
        words,
    },
    kfl,
    progress::Show,
    question::{self, Kind, Wanted},
    report::document::{Block, Document},
    time::{Clock, parse_window},
    wire::decode::Call,
};

/// Rows shown where the question names no number.
const ROWS: u32 = 15;

/// Bars of the chart over time.
const BINS: u64 = 20;

/// Columns of its longest bar.
const BAR: u64 = 40;

/// What a run may take beyond the counting.
const AROUND: u32 = 120;

pub(super) async fn ask(config: &Config, args: &AskArgs, show: Show) -> Result<u8, AppError> {
    let question = args.question.join(" ");
    if let Some(filter) = &args.kfl
        && let Err(found) = kfl::check(filter)
    {
        for diagnostic in &found {
            output::stderr(&diagnostic.render(filter));
        }
        return Ok(1);
    }
    // The words for the window are read by the rules for times, wherever they stand in the question.
    let now = super::investigate::system_now();
    let moment = super::investigate::moment(config, &args.time, now)?;
    let is_time = |text: &str| parse_window(text, None, moment.now, &moment.zone).is_ok();
    let asked = question::parse(&question, is_time);
    let rows = args
        .rows
        .or(asked.as_ref().ok().and_then(|asked| asked.rows))
        .unwrap_or(ROWS);
    let words = asked.as_ref().ok().and_then(|asked| asked.window.clone());
    let since = args.since.clone().or(words);
    if question::wanted(&question) == Wanted::Packets && args.kfl.is_none() {
        let packets = packets(asked.ok().as_ref());
        return pcap::of_question(config, args, since.as_deref(), packets, show).await;
    }
    let turned = asked.as_ref().map_or(&[][..], |asked| asked.turned.as_slice());
    let vague = !turned.is_empty() || asked.as_ref().map_or(true, question::Asked::is_vague);
    let proposed = if args.kfl.is_none() && vague {
        propose::filter(config, &args.model, &question).await?
    } else {
        None
    };
    let filter = args
        .kfl
        .clone()
        .or_else(|| proposed.as_ref().map(|proposed| proposed.filter.clone()));
    if filter.is_none() && asked.is_err() {
        return Err(unclear(&question));
    }
    if filter.is_none() && !turned.is_empty() {
        return Err(turned_round(&question, turned));
    }
    let parts = Parts {
        source: &args.source,
        time: &args.time,
        asked: Asked::Window {
            since: since.as_deref(),
            until: args.until.as_deref(),
        },
        snapshot: args.snapshot.named(),
        task: Task::Ask(AskOrder::default()),
        no_input: args.no_input,
        yes: args.live.yes,
    };
    let mut order = order::order(config, "ask", parts)?;
    let redactor = crate::journal::redact::Redactor::new(&order.id);
    order.settings.question = redactor.text(&question);
    order.settings.task = Task::Ask(AskOrder {
        filter,
        live: args.live.choice(),
        bins: BINS,
        rows,
        budget_calls: args.budget_calls,
        budget_bytes: args.budget_bytes,
    });
    let bytes = args.budget_bytes.saturating_mul(4);
    order::at_least(
        &mut order.settings.playbook,
        args.budget_calls.saturating_add(AROUND),
        bytes,
    );
    let clock = order.settings.clock();
    let machine = order::run(order, None, show).await?;
    let State::Finished(outcome) = machine.state() else {
        return Err(order::unexpected(machine.state()));
    };
    let Outcome::Answer(answer) = &**outcome else {
        return Err(order::unexpected(machine.state()));
    };
    let asked = Told {
        question: &question,
        proposed: proposed.as_ref(),
        rows: rows as usize,
    };
    tell(args, &asked, answer, machine.case(), &clock)
}

/// An answer that left such a word out would be one to another question.
fn turned_round(question: &str, words: &[String]) -> AppError {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    AppError::usage(format!("`{question}` is not understood"))
        .reason(format!(
            "it says {}, which the rules do not read, and without that it is another question",
            words.join(" and ")
        ))
        .hint("say what is wanted instead, a latency as a number (\"slower than 500 ms\")")
        .hint("or give the filter yourself: --kfl 'http && status_code >= 400 && dst.service.name != \"checkout\"'")
        .hint("with a model any question is: --model NAME")
}

fn unclear(question: &str) -> AppError {
    AppError::usage(format!("`{question}` is not understood"))
        .reason("nothing in it says which calls it is about")
        .hint("name a protocol, a status, a latency, a path or who calls whom: \"errors in checkout\", \"calls from gateway to cart slower than 200 ms\", \"any DNS failures?\"")
        .hint("or give the filter yourself: --kfl 'http && status_code >= 500' (`rca-agent kfl fields` lists the fields)")
        .hint("with a model any question is: --model NAME")
        .hint("why something broke is a question for `rca-agent investigate`")
}

/// The workloads that a question for packets names.
fn packets(asked: Option<&question::Asked>) -> PacketsOrder {
    let mut order = PacketsOrder::default();
    for name in asked.into_iter().flat_map(question::Asked::names) {
        let escaped = |text: &str| regex::escape(text);
        match name.kind {
            Kind::Namespace => order.workloads.push(WorkloadPattern {
                namespace: Some(name.text.clone()),
                name: ".*".to_owned(),
            }),
            _ => {
                for one in name.each() {
                    let (namespace, bare) = match one.split_once('/') {
                        Some((namespace, bare)) => (Some(namespace.to_owned()), bare),
                        None => (None, one),
                    };
                    order.workloads.push(WorkloadPattern {
                        namespace,
                        // The workload, its service and its pods.
                        name: format!("{}(-.*)?", escaped(bare)),
                    });
                }
            }
        }
    }
    order
}

/// What was asked, and how it became a filter.
struct Told<'a> {
    question: &'a str,
    /// By a model, where the rules read nothing.
    proposed: Option<&'a Proposed>,
    /// Rows to show at most.
    rows: usize,
}

fn tell(
    args: &AskArgs,
    asked: &Told<'_>,
    answer: &QuestionAnswer,
    case: &Case,
    clock: &Clock,
) -> Result<u8, AppError> {
    let (question, most) = (asked.question, asked.rows);
    let counts = answer.counted.counts();
    let control = answer.counted.control();
    // That there are calls of other kinds does not say that these would have been seen; nor does a control without an
    // answer.
    let nothing_at_all = control
        .as_ref()
        .is_some_and(|(filter, counts)| filter.is_empty() || counts.total.is_none_or(|total| total == 0));
    let status = if counts.gaps.is_empty() && !nothing_at_all {
        0
    } else {
        3
    };
    let next = follow_up(args, answer, case, clock);
    let gaps: Vec<String> = counts
        .gaps
        .iter()
        .map(|gap| format!("{}: {gap}", clock.window(&gap.window)))
        .collect();
    if args.json {
        let value = json!({
            "question": question,
            "filter": answer.filter,
            "tried": answer.tried,
            "asked_of": match &case.snapshot {
                Some(secured) => json!({ "snapshot": secured.reference.name, "found": secured.reused }),
                None => json!({ "live": case.live.map(|live| snapshots::window_json(&live, clock)) }),
            },
            "window": case.window.map(|window| snapshots::window_json(&window, clock)),
            "total": counts.total,
            "exact": gaps.is_empty(),
            "rows": answer.rows.iter().take(most).map(|call| row_json(call, clock)).collect::<Vec<_>>(),
            "over_time": counts.bins.iter().enumerate().map(|(at, bin)| json!({
                "start": clock.rfc3339(bin.start), "calls": counts.sum(|cell| cell.bin == at),
            })).collect::<Vec<_>>(),
            "changed": case.changes,
            "missing": gaps,
            "not_seen": case.coverage.not_seen,
            "control": control.map(|(filter, counts)| json!({ "filter": filter, "calls": counts.total })),
            "not_understood": answer.ignored,
            "names": answer.resolved,
            "proposed_by": asked.proposed.map(|proposed| &proposed.model),
            "next": next,
            "cost": { "calls": case.spent.calls, "bytes": case.spent.bytes },
        });
        output::stdout(&output::pretty(&value))?;
        return Ok(status);
    }
    let title = match counts.total {
        Some(0) => "No such call".to_owned(),
        Some(total) => format!("{} {}", words::number(total), words::plural(total, "call")),
        None => format!("At least {} calls", words::number(counts.counted())),
    };
    let mut lines = head(question, answer, case, clock);
    lines.extend(asked.proposed.map(|proposed| {
        format!(
            "The filter was proposed by the model {} ({} tokens) and checked; the count is the server's",
            crate::report::plain(&proposed.model),
            words::number(proposed.tokens)
        )
    }));
    let mut blocks = vec![Block::List(lines)];
    if counts.total != Some(0) {
        rows(&mut blocks, most, answer, clock);
        chart(&mut blocks, &counts, clock);
    }
    if !gaps.is_empty() {
        blocks.push(Block::Heading("What is missing".to_owned()));
        blocks.push(Block::List(gaps));
    }
    blocks.push(Block::Heading("Next".to_owned()));
    blocks.push(Block::List(next.iter().map(|line| format!("`{line}`")).collect()));
    output::stdout(&output::terminal(&Document {
        title,
        card: None,
        blocks,
    }))?;
    Ok(status)
}

/// What was asked, how it was read, and how far the answer reaches.
fn head(question: &str, answer: &QuestionAnswer, case: &Case, clock: &Clock) -> Vec<String> {
    let counts = answer.counted.counts();
    let mut lines = vec![format!("Question: {question}")];
    lines.push(if answer.filter.is_empty() {
        "Filter: none".to_owned()
    } else {
        format!("Filter: `{}`", answer.filter)
    });
    for filter in &answer.tried {
        lines.push(format!("Nothing matched before: `{filter}`"));
    }
    for (said, meant) in &answer.resolved {
        lines.push(format!("Read: {said} as {meant}"));
    }
    if !answer.ignored.is_empty() {
        lines.push(format!(
            "Not understood, and left out: {}",
            answer.ignored.join(", ")
        ));
    }
    lines.extend(
        case.window
            .map(|window| format!("Window: {}", clock.window(&window))),
    );
    lines.extend(case.changes.iter().map(|line| format!("Changed: {line}")));
    lines.extend(case.assumptions.iter().map(|line| format!("Assumed: {line}")));
    lines.extend(
        case.coverage
            .not_seen
            .iter()
            .map(|line| format!("Not seen: {line}")),
    );
    if counts.gaps.is_empty() && counts.total != Some(0) {
        lines.push(format!("Exact: {}", answer.counted.counting().words()));
    }
    if let Some((filter, control)) = answer.counted.control() {
        let of = if filter.is_empty() {
            "of any kind".to_owned()
        } else {
            format!("of `{filter}`")
        };
        lines.push(match control.total {
            Some(0) => format!("Control: there are no calls {of} either, so this says nothing"),
            Some(calls) if filter.is_empty() => format!(
                "Control: there are no calls of `{}` at all, only {} of other kinds: whether such calls are captured is not known",
                answer.filter.split(" && ").next().unwrap_or_default(),
                words::number(calls)
            ),
            Some(calls) if parties(&answer.filter) > parties(&filter) => format!(
                "Control: there are {} calls {of}, but none of whom the question is about, however they ended",
                words::number(calls)
            ),
            Some(calls) => format!(
                "Control: there are {} calls {of}, so such calls would have been seen",
                words::number(calls)
            ),
            None => format!("Control: whether there are calls {of} is not known"),
        });
    }
    if let Some(snapshot) = &case.snapshot {
        let how = if snapshot.reused {
            "found"
        } else {
            "taken for this question"
        };
        lines.push(format!("Asked of: snapshot {}, {how}", snapshot.reference.name));
    }
    if let Some(live) = &case.live {
        lines.push(format!(
            "Asked of: live traffic, dissected as it came, of {}. It moves on: a snapshot keeps it",
            clock.window(live)
        ));
    }
    lines
}

/// How many ends of calls a filter names.
fn parties(filter: &str) -> usize {
    ["src.", "dst."]
        .iter()
        .filter(|end| filter.contains(**end))
        .count()
}

/// The calls, and who they are between.
fn rows(blocks: &mut Vec<Block>, most: usize, answer: &QuestionAnswer, clock: &Clock) {
    if let Some(why) = &answer.unlisted {
        blocks.push(Block::Paragraph(format!(
            "The calls themselves were not listed: {why}."
        )));
        return;
    }
    blocks.push(Block::Heading(if answer.slowest {
        "The slowest".to_owned()
    } else {
        "The first".to_owned()
    }));
    blocks.push(Block::Table {
        head: ["When", "Who", "Request", "Answer", "Took"]
            .map(str::to_owned)
            .to_vec(),
        rows: answer
            .rows
            .iter()
            .take(most)
            .map(|call| row(call, clock))
            .collect(),
    });
    let total = answer.counted.counts().total.unwrap_or(0);
    let left = total.saturating_sub(answer.rows.len().min(most) as u64);
    if answer.slowest && answer.cut {
        blocks.push(Block::Paragraph(
            "A list of the server does not hold all of them: there may be slower ones. A shorter window or a higher bound shows them."
                .to_owned(),
        ));
    } else if left > 0 {
        blocks.push(Block::Paragraph(format!(
            "{} more follow; `--rows` shows up to 999.",
            words::number(left)
        )));
    }
}

fn row(call: &Call, clock: &Clock) -> Vec<String> {
    let (from, to) = ends(call);
    vec![
        clock.at_millis(call.ts),
        format!("{from} → {to}"),
        request(call),
        answered(call),
        call.elapsed_us.map_or_else(String::new, words::latency),
    ]
}

fn request(call: &Call) -> String {
    match (&call.method, &call.path) {
        (Some(method), Some(path)) => format!("{method} {path}"),
        (_, Some(path)) => path.clone(),
        _ if !call.questions.is_empty() => call.questions.join(", "),
        _ => call.protocol.clone(),
    }
}

fn answered(call: &Call) -> String {
    match (call.status, outcome(call)) {
        (_, Ended::NoAnswer) => "none".to_owned(),
        (Some(rcode), _) if call.protocol == "dns" && rcode != 0 => words::rcode(rcode),
        (Some(status), _) => status.to_string(),
        (None, _) => call.error.clone().unwrap_or_default(),
    }
}

fn row_json(call: &Call, clock: &Clock) -> Value {
    let (from, to) = ends(call);
    json!({
        "id": call.id, "at": clock.rfc3339(call.ts), "from": from.to_string(), "to": to.to_string(),
        "request": request(call), "status": call.status, "elapsed_us": call.elapsed_us,
    })
}

/// Calls over time, a bar a bin.
fn chart(blocks: &mut Vec<Block>, counts: &crate::query::Counts, clock: &Clock) {
    let calls: Vec<u64> = (0..counts.bins.len())
        .map(|at| counts.sum(|cell| cell.bin == at))
        .collect();
    // Bins before the first and after the last call say nothing.
    let (Some(first), Some(last)) = (
        calls.iter().position(|calls| *calls > 0),
        calls.iter().rposition(|calls| *calls > 0),
    ) else {
        return;
    };
    if first == last {
        return;
    }
    let most = calls.iter().copied().max().unwrap_or(1).max(1);
    let lines = counts.bins.iter().zip(&calls).skip(first).take(last - first + 1);
    let lines: Vec<String> = lines
        .map(|(bin, calls)| {
            let length = usize::try_from((calls * BAR).div_ceil(most)).unwrap_or(0);
            format!(
                "{}  {}{}{}",
                clock.bare(bin.start),
                "█".repeat(length),
                if length > 0 { " " } else { "" },
                words::number(*calls)
            )
        })
        .collect();
    blocks.push(Block::Heading("Over time".to_owned()));
    blocks.push(Block::Code(lines.join("\n")));
}

/// As the skill has it.
const EVERY_DNS_FAILURE: &str = "dns && status_code != 0";

/// What to ask after this.
fn follow_up(args: &AskArgs, answer: &QuestionAnswer, case: &Case, clock: &Clock) -> Vec<String> {
    let source = match (&args.source.capture, &args.source.mcp_url) {
        (Some(path), _) => format!(" --capture {}", path.display()),
        (None, Some(url)) => format!(" --mcp-url {url}"),
        _ => match &case.settings.source {
            // What was taken out of it as a secret has to be put in again.
            Source::Command { command } if args.source.mcp_command.is_some() => {
                format!(" --mcp-command '{command}'")
            }
            _ => String::new(),
        },
    };
    let place = case.window.map_or_else(String::new, |window| {
        format!(
            " --since {} --until {}",
            clock.rfc3339(window.start),
            clock.rfc3339(window.end)
        )
    });
    let mut next = Vec::new();
    let failing = answer
        .rows
        .iter()
        .filter(|call| outcome(call) != Ended::Good)
        .count();
    if answer.counted.counts().total == Some(0) {
        let control = answer
            .counted
            .control()
            .map(|(filter, _)| filter)
            .unwrap_or_default();
        next.push(format!(
            "rca-agent ask 'what is there' --kfl '{control}'{place}{source}"
        ));
        return next;
    }
    let mut parties: Vec<(String, usize)> = Vec::new();
    for call in &answer.rows {
        let to = ends(call).1.name;
        match parties.iter_mut().find(|(name, _)| *name == to) {
            Some((_, calls)) => *calls += 1,
            None => parties.push((to, 1)),
        }
    }
    // Search domains make such answers all day; `investigate` takes none of them for a failure.
    let no_such_name = |call: &Call| call.protocol == "dns" && call.status == Some(3);
    if answer.filter == EVERY_DNS_FAILURE && answer.rows.iter().any(no_such_name) {
        next.push(format!(
            "rca-agent ask 'without NXDOMAIN, which search domains make all day' --kfl '{EVERY_DNS_FAILURE} && status_code != 3'{place}{source}"
        ));
    }
    parties.sort_by_key(|(_, calls)| std::cmp::Reverse(*calls));
    if failing > 0 || answer.slowest {
        next.push(format!("rca-agent investigate 'why?'{place}{source}"));
    }
    if let Some((name, _)) = parties.first() {
        let what = if failing > 0 {
            "errors in"
        } else {
            "slowest calls to"
        };
        next.push(format!("rca-agent ask '{what} \"{name}\"'{place}{source}"));
    }
    next
}
