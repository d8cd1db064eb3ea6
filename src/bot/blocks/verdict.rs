//! A verdict: who is in a hurry reads the first lines, who wants to know finds the evidence below.

use super::kit::{Blocks, Button, Mrkdwn};
use crate::{
    bot::slack::Message,
    investigation::finding::{Confidence, Verdict},
    report::{Report, RootCause, label},
    time::{Utc, Zone},
};

/// Hops, parties that were ruled out, and next steps that are shown.
const LINES: usize = 8;

fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low confidence",
        Confidence::Medium => "medium confidence",
        Confidence::High => "high confidence",
    }
}

fn party(cause: &RootCause) -> String {
    let name = match (&cause.namespace, &cause.service) {
        (Some(namespace), Some(service)) => format!("{namespace}/{service}"),
        (_, Some(service)) => service.clone(),
        _ => String::new(),
    };
    match (&cause.workload, name.as_str()) {
        (Some(workload), "") => workload.clone(),
        (Some(workload), name) => format!("{name} ({workload})"),
        (None, "") => "unknown".to_owned(),
        (None, name) => name.to_owned(),
    }
}

/// The verdict in a line: "shop/postgres, refused". Untrusted.
pub fn title(report: &Report) -> String {
    match (report.verdict, report.root_causes.as_slice()) {
        (Verdict::RootCause, [cause, rest @ ..]) => {
            let more = match rest.len() {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            format!("{}, {}{more}", party(cause), label(cause.kind))
        }
        (Verdict::RootCause, []) => "root cause".to_owned(),
        (Verdict::NoAnomaly, _) => "no anomaly".to_owned(),
        (Verdict::Inconclusive, _) => "inconclusive".to_owned(),
        (Verdict::NoData, _) => "no data".to_owned(),
    }
}

fn cited(text: Mrkdwn, evidence: &[String]) -> Mrkdwn {
    if evidence.is_empty() {
        return text;
    }
    let ids: Vec<&str> = evidence.iter().take(8).map(String::as_str).collect();
    text.say("  [").text(&ids.join(" ")).say("]")
}

fn heading(report: &Report) -> String {
    match report.verdict {
        Verdict::RootCause => format!(
            "Root cause: {} ({})",
            title(report),
            confidence(report.confidence)
        ),
        Verdict::NoAnomaly => format!("No anomaly ({})", confidence(report.confidence)),
        Verdict::Inconclusive => "Inconclusive: no cause can be named".to_owned(),
        Verdict::NoData => "No data of this window".to_owned(),
    }
}

/// A list under a heading, where there is one.
fn list(blocks: Blocks, heading: &'static str, lines: Vec<Mrkdwn>, all: usize) -> Blocks {
    if lines.is_empty() {
        return blocks;
    }
    let shown = lines.len();
    let mut text = Mrkdwn::new().say("*").say(heading).say("*");
    for line in lines {
        text = text.say("\n• ").join(line);
    }
    if all > shown {
        text = text
            .say("\n• and ")
            .text(&(all - shown).to_string())
            .say(" more in the report");
    }
    blocks.section(&text)
}

/// Sentences about how far it was seen.
fn coverage(report: &Report, zone: Zone) -> Mrkdwn {
    let coverage = &report.coverage;
    let mut text = Mrkdwn::new().say("Asked ");
    text = stretch(text, &coverage.asked.start, &coverage.asked.end, zone);
    match &coverage.captured {
        Some(captured) => text = stretch(text.say(", recorded "), &captured.start, &captured.end, zone),
        None => text = text.say(", nothing recorded"),
    }
    if let Some(entries) = coverage.entries {
        text = text
            .say(", ")
            .text(&entries.to_string())
            .say(" calls and connections");
    }
    let gaps = coverage.not_seen.iter().chain(&coverage.truncated).take(4);
    gaps.fold(text.say("."), |text, gap| text.say("\nNot seen: ").text(gap))
}

fn stretch(text: Mrkdwn, start: &str, end: &str, zone: Zone) -> Mrkdwn {
    text.at_text(start, zone).say(" – ").at_text(end, zone)
}

/// What came of a case. `zone` is that of whoever asked; `started` and `ended` tell how long it took.
pub fn verdict(report: &Report, zone: Zone, started: Utc, ended: Utc) -> Message {
    let heading = heading(report);
    let mut blocks = Blocks::new().header(&heading);
    if !report.summary.is_empty() {
        blocks = blocks.section(&Mrkdwn::new().text(&report.summary));
    }
    if let Some(about) = &report.about {
        blocks = blocks.section(&Mrkdwn::new().text(about));
    }
    blocks = blocks.fields(&facts(report, zone));
    let because = report.because.iter().take(LINES);
    let because: Vec<Mrkdwn> = because.map(|line| Mrkdwn::new().text(line)).collect();
    let why = match report.verdict {
        Verdict::RootCause | Verdict::NoAnomaly => "Why the confidence is not higher",
        Verdict::Inconclusive | Verdict::NoData => "Why",
    };
    blocks = list(blocks, why, because, report.because.len());
    let path = report.path.iter().take(LINES).map(|hop| {
        let line = Mrkdwn::new()
            .code(&hop.from)
            .say(" → ")
            .code(&hop.to)
            .say(": ")
            .text(&hop.what)
            .say(", first ")
            .at_text(&hop.first_abnormal, zone);
        cited(line, &hop.evidence)
    });
    blocks = list(blocks, "How it spread", path.collect(), report.path.len());
    let out = report.ruled_out.iter().take(LINES).map(|out| {
        let line = Mrkdwn::new().code(&out.service).say(": ").text(&out.reason);
        cited(line, &out.evidence)
    });
    blocks = list(blocks, "Ruled out", out.collect(), report.ruled_out.len());
    let next = report.next.iter().take(LINES);
    let next: Vec<Mrkdwn> = next.map(|line| Mrkdwn::new().text(line)).collect();
    blocks = list(blocks, "What to do now", next, report.next.len());
    let took = (ended - started).num_seconds().max(0);
    blocks =
        blocks
            .context(&coverage(report, zone))
            .context(&Mrkdwn::new().say("Case ").code(&report.case).text(&format!(
                ", {} pieces of evidence, {} calls, {took} s. The report is attached.",
                report.evidence.len(),
                report.cost.tool_calls
            )));
    blocks
        .last(&buttons(report))
        .message(&format!("{heading}. {}", report.summary))
}

/// Onset, end, impact.
fn facts(report: &Report, zone: Zone) -> Vec<Mrkdwn> {
    let mut fields = Vec::new();
    if let Some(cause) = report.root_causes.first() {
        let onset = Mrkdwn::new().say("*Onset*\n");
        fields.push(match &cause.onset {
            Some(onset_at) => onset.at_text(onset_at, zone),
            None => onset.say("before the recording"),
        });
        let ended = Mrkdwn::new().say("*Last seen*\n");
        fields.push(match &cause.ended {
            Some(at) => ended.at_text(at, zone),
            None => ended.say("not over at the end of the window"),
        });
        if let Some(endpoint) = &cause.endpoint {
            fields.push(Mrkdwn::new().say("*Endpoint*\n").code(endpoint));
        }
    }
    for impact in report.impact.iter().take(4) {
        let text = Mrkdwn::new()
            .say("*Impact*\n")
            .code(&impact.service)
            .say(" ")
            .text(&impact.what);
        fields.push(cited(text, &impact.evidence));
    }
    fields
}

fn buttons(report: &Report) -> Vec<Button> {
    let case = report.case.as_str();
    let widen = Button::new("widen", case, "Widen by 30 min");
    match report.verdict {
        Verdict::RootCause => vec![
            Button::new("right", case, "That was it").primary(),
            Button::new("wrong", case, "That was not it"),
            Button::new("compare", case, "Compare with yesterday"),
            Button::new("pcap", case, "Packets"),
            widen,
            Button::new("confirm", case, "Confirm the fix"),
            Button::new("preserve", case, "Preserve the snapshot"),
        ],
        Verdict::NoAnomaly => vec![
            widen,
            Button::new("compare", case, "Compare with yesterday"),
            Button::new("right", case, "True, all was well"),
            Button::new("wrong", case, "Something was wrong"),
        ],
        Verdict::Inconclusive => vec![
            widen,
            Button::new("compare", case, "Compare with yesterday"),
            Button::new("pcap", case, "Packets"),
            Button::new("preserve", case, "Preserve the snapshot"),
        ],
        Verdict::NoData => vec![widen],
    }
}
