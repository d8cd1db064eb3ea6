//! The packets of a case: of the workloads on the path that it found.

use std::path::Path;

use super::{OfCase, file};
use crate::{
    cli::{
        args::{PcapArgs, SnapshotArgs, SourceArgs, TimeArgs},
        handoff,
        order::{self, Asked, Order, Parts},
        output, run, source, verify,
    },
    config::Config,
    driver::Unwatched,
    error::AppError,
    investigation::{
        Outcome, State, Task,
        outcome::Exported,
        settings::{NamedSnapshot, PacketsOrder, Source},
    },
    journal,
    progress::Show,
};

/// The packets of a case in this file.
pub(in crate::cli) async fn of_case_to(
    config: &Config,
    case: &str,
    dir: &Path,
    source: &SourceArgs,
    time: &TimeArgs,
    file: &Path,
    show: Show,
) -> Result<Exported, AppError> {
    let args = PcapArgs {
        case: Some(case.to_owned()),
        workload: Vec::new(),
        label: Vec::new(),
        namespace: None,
        ip: Vec::new(),
        bpf: None,
        node: Vec::new(),
        since: None,
        until: None,
        out: Some(file.to_owned()),
        json: false,
        no_input: true,
        cases: None,
        snapshot: SnapshotArgs::default(),
        source: source.clone(),
        time: time.clone(),
    };
    let name = dir.to_string_lossy();
    let (order, _) = of_case(config, &args, PacketsOrder::default(), &name).await?;
    let machine = order::run(order, None, show).await?;
    match machine.state() {
        State::Finished(outcome) => match &**outcome {
            Outcome::Packets(exported) => Ok((**exported).clone()),
            _ => Err(order::unexpected(machine.state())),
        },
        other => Err(order::unexpected(other)),
    }
}

/// The packets of the workloads on the path of a case's finding.
pub(super) async fn of_case(
    config: &Config,
    args: &PcapArgs,
    mut wanted: PacketsOrder,
    name: &str,
) -> Result<(Order, Option<OfCase>), AppError> {
    let cases = args.cases.clone().unwrap_or_else(|| config.cases.clone());
    let dir = output::case_dir(&cases, name)?;
    let recording = journal::read(&dir).map_err(|error| run::journal_error(&error, &dir))?;
    let (machine, _, _) = run::replayed(&dir, &mut Unwatched).await?;
    let (case, id) = (machine.case(), machine.case().id.clone());
    let State::Concluded(finding) = machine.state() else {
        return Err(AppError::environment(format!(
            "the case `{id}` has no finding to hand over"
        )));
    };
    let named = !wanted.workloads.is_empty() || !wanted.labels.is_empty() || !wanted.addresses.is_empty();
    if !named {
        wanted.addresses = handoff::addresses(case, finding);
        if wanted.addresses.is_empty() {
            return Err(
                AppError::environment(format!("the case `{id}` names no workloads"))
                    .reason("its finding has no path, or the addresses on it are not known")
                    .hint("name them: `rca-agent pcap CASE --workload NAMESPACE/NAME`"),
            );
        }
    }
    let Some((reference, taken)) = verify::snapshot(&recording) else {
        return Err(AppError::environment(format!("the case `{id}` has no snapshot")));
    };
    let embedded = matches!(case.settings.source, Source::Capture { .. } | Source::Demo { .. });
    let window = case.asked_window.or(case.window);
    let time = TimeArgs {
        tz: args
            .time
            .tz
            .clone()
            .or_else(|| Some(case.settings.zone.name().to_owned())),
        now: args.time.now.clone(),
    };
    let (since, until) = (
        args.since
            .clone()
            .or_else(|| window.map(|window| window.start.to_rfc3339())),
        args.until.clone().or_else(|| {
            let end = window.map(|window| window.end.to_rfc3339());
            end.filter(|_| args.since.is_none())
        }),
    );
    wanted.file = file(args, &id)?;
    let parts = Parts {
        source: &args.source,
        time: &time,
        asked: Asked::Window {
            since: since.as_deref(),
            until: until.as_deref(),
        },
        snapshot: Some(NamedSnapshot {
            name: reference.name,
            retake: taken.filter(|_| embedded),
        }),
        task: Task::Packets(wanted),
        no_input: args.no_input,
        yes: false,
    };
    let order = if source::is_named(&args.source) {
        order::order(config, "pcap", parts)?
    } else {
        order::order_at(config, "pcap", case.settings.source.clone(), parts)?
    };
    let of_case = OfCase {
        names: handoff::names(finding),
        frames: handoff::frames(finding),
        reproducer: handoff::reproducer(&recording),
        id,
    };
    Ok((order, Some(of_case)))
}
