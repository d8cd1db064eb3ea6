//! A playbook in words.

use crate::{
    investigation::{
        Phase, Playbook,
        route::{guards_of, tools_of},
        words::number,
    },
    report::document::{Block, Document},
};

/// What a run by this playbook does, phase by phase, with its guards, tools and limits.
pub fn explain(playbook: &Playbook) -> Document {
    let mut blocks = vec![Block::Paragraph(playbook.when.clone())];
    let mut head = Vec::new();
    if let Some(route) = playbook.task.route() {
        head.push(format!("Run by: `rca-agent {}`", route.command));
    }
    if !playbook.needs.is_empty() {
        let needs: Vec<String> = playbook
            .needs
            .iter()
            .map(|input| format!("`{}`", input.name()))
            .collect();
        head.push(format!("Has to be told: {}", needs.join(", ")));
    }
    if !playbook.export.is_empty() {
        let exports: Vec<&str> = playbook.export.iter().map(|export| export.name()).collect();
        head.push(format!("Leaves besides its report: {}", exports.join(", ")));
    }
    blocks.push(Block::List(head));
    blocks.push(Block::Heading("Phases".to_owned()));
    blocks.push(Block::Table {
        head: ["Phase", "What for", "Tools", "Guards"]
            .map(str::to_owned)
            .to_vec(),
        rows: phases(playbook)
            .into_iter()
            .map(|phase| row(playbook, phase))
            .collect(),
    });
    if let Some(route) = playbook.task.route() {
        let left_out: Vec<&str> = route
            .optional
            .iter()
            .filter(|phase| !playbook.has(**phase))
            .map(|phase| phase.name())
            .collect();
        if !left_out.is_empty() {
            blocks.push(Block::Paragraph(format!("Left out: {}.", left_out.join(", "))));
        }
    }
    if !playbook.always.is_empty() {
        blocks.push(Block::Heading("Always asked".to_owned()));
        let asked = playbook
            .always
            .iter()
            .map(|asked| format!("{}: `{}`", asked.why, asked.filter));
        blocks.push(Block::List(asked.collect()));
    }
    blocks.push(Block::Heading("Limits and thresholds".to_owned()));
    blocks.push(Block::List(numbers(playbook)));
    Document {
        card: None,
        title: format!("Playbook {}", playbook.name),
        blocks,
    }
}

/// The phases that a run passes, in the order of the route.
fn phases(playbook: &Playbook) -> Vec<Phase> {
    let Some(route) = playbook.task.route() else {
        return Vec::new();
    };
    let of_route = |phase: &Phase| route.needed.contains(phase) || route.optional.contains(phase);
    Phase::ALL
        .into_iter()
        .filter(|phase| of_route(phase) && playbook.has(*phase))
        .collect()
}

fn row(playbook: &Playbook, phase: Phase) -> Vec<String> {
    let rules = playbook.rules(phase);
    let tools = match rules.and_then(|rules| rules.tools.as_ref()) {
        Some(tools) if tools.is_empty() => "none".to_owned(),
        Some(tools) => format!("only {}", tools.join(", ")),
        None => tools_of(phase).join(", "),
    };
    let mut guards: Vec<String> = guards_of(phase).map(|guard| guard.name.to_owned()).collect();
    guards.extend(
        rules
            .iter()
            .flat_map(|rules| &rules.guards)
            .map(|name| format!("{name} (added)")),
    );
    vec![
        phase.name().to_owned(),
        phase.purpose().to_owned(),
        tools,
        guards.join(", "),
    ]
}

fn numbers(playbook: &Playbook) -> Vec<String> {
    let Playbook {
        window,
        wait,
        budget,
        survey,
        ..
    } = playbook;
    let abnormal = &survey.abnormal;
    vec![
        format!(
            "Budget: {} calls, {} bytes of answers, {} s",
            number(budget.calls.into()),
            number(budget.bytes),
            number(budget.seconds)
        ),
        format!(
            "Snapshot: {} min on both sides of the window",
            window.buffer_minutes
        ),
        format!(
            "Waiting: from {} to {} ms between two looks, {} s for a snapshot, {} s for a dissection",
            wait.first_ms, wait.longest_ms, wait.snapshot_seconds, wait.dissection_seconds
        ),
        format!(
            "Survey: {} lists of {} rows of each stretch, beyond that a sample of {} lists of {} rows",
            survey.lists, survey.rows, survey.sampled_lists, survey.sampled_rows
        ),
        format!(
            "Abnormal: {} % more failing calls and at least {} of them, or {} times the latency and at least {} ms more",
            abnormal.share_rise * 100.0,
            abnormal.failing_calls,
            abnormal.latency_factor,
            abnormal.latency_rise_us / 1000
        ),
    ]
}
