//! `doctor`: what an investigation would need, checked part by part, and how to mend each.

use super::{
    args::{DoctorArgs, ModelArgs},
    investigate, output, source,
};
use crate::{
    config::Config,
    driver::Effects,
    effects::{LiveEffects, Nobody},
    error::AppError,
    investigation::{Action, Failure, Observation},
    kubeshark::Limits,
    model::Ability,
    time::Clock,
    wire::{Operation, decode},
};

/// How a part is.
enum State {
    Ok,
    /// An investigation works, but somebody should know.
    Note,
    Bad,
}

struct Examination {
    bad: bool,
}

impl Examination {
    fn tell(&mut self, state: &State, part: &str, what: &str, hints: &[String]) -> Result<(), AppError> {
        let mark = match state {
            State::Ok => "ok  ",
            State::Note => "note",
            State::Bad => "BAD ",
        };
        self.bad |= matches!(state, State::Bad);
        output::stdout(&format!("{mark}  {part:<13} {}", crate::report::plain(what)))?;
        for hint in hints.iter().flat_map(|hint| hint.lines()) {
            output::stdout(&format!("      {:<13} {hint}", ""))?;
        }
        Ok(())
    }

    fn failure(&mut self, part: &str, failure: &Failure) -> Result<(), AppError> {
        self.tell(&State::Bad, part, &failure.message, &failure.hints)
    }
}

pub(super) async fn doctor(config: &Config, args: &DoctorArgs) -> Result<u8, AppError> {
    let mut exam = Examination { bad: false };
    let moment = investigate::moment(config, &args.time, investigate::system_now())?;
    let clock = Clock {
        zone: moment.zone,
        now: moment.now,
        hours: config.hours,
    };
    let zone = if moment.notes.is_empty() {
        State::Ok
    } else {
        State::Note
    };
    exam.tell(
        &zone,
        "time zone",
        &format!("{}; now {}", clock.zone_line(moment.now), clock.at(moment.now)),
        &moment.notes,
    )?;
    let chosen = source::chosen(config, &args.source)?;
    let endpoint = source::endpoint(config, &chosen)?;
    let mut effects = LiveEffects::new(
        endpoint,
        Limits::default(),
        super::run::redactor(config, "doctor")?,
        Box::new(Nobody),
        std::env::temp_dir(),
    );
    let supported = match effects.perform(&Action::Connect).await {
        Observation::Connected {
            server,
            protocol,
            tools,
            supported,
            ..
        } => {
            exam.tell(
                &State::Ok,
                "server",
                &format!("{server} at {chosen}, MCP {protocol}, {} tools", tools.len()),
                &[],
            )?;
            supported
        }
        Observation::Unavailable { failure } => {
            exam.failure("server", &failure)?;
            return Ok(1);
        }
        Observation::Answers { .. } | Observation::Chosen { .. } | Observation::Replied { .. } => Vec::new(),
    };
    let missing: Vec<&str> = Operation::examples()
        .iter()
        .filter(|op| !supported.iter().any(|name| name == op.name()))
        .map(Operation::name)
        .collect();
    let needed = [
        "data_boundaries",
        "create_snapshot",
        "get_snapshot",
        "start_dissection",
        "dissection_status",
        "list_calls",
    ];
    if needed.iter().any(|name| missing.contains(name)) {
        let hints = vec![
            "tools of the Hub are missing: the MCP server does not reach it. Check that Kubeshark runs, and the --url or kubeconfig of the server".to_owned(),
        ];
        exam.tell(
            &State::Bad,
            "tools",
            &format!("no tool for {}", missing.join(", ")),
            &hints,
        )?;
        return Ok(1);
    }
    let state = if missing.is_empty() {
        State::Ok
    } else {
        State::Note
    };
    let what = if missing.is_empty() {
        "one for every operation".to_owned()
    } else {
        format!("none for {}", missing.join(", "))
    };
    exam.tell(&state, "tools", &what, &[])?;
    capture(&mut exam, &mut effects, &clock).await?;
    permissions(&mut exam, &mut effects).await?;
    live(&mut exam, &mut effects, &clock, &missing).await?;
    model(&mut exam, config, &args.model).await?;
    for found in super::bot::examine(config).await {
        let state = if found.well { State::Ok } else { State::Bad };
        exam.tell(&state, found.part, &found.what, &found.hints)?;
    }
    Ok(u8::from(exam.bad))
}

/// What the model's endpoint can do, a line each.
async fn model(exam: &mut Examination, config: &Config, args: &ModelArgs) -> Result<(), AppError> {
    let redactor = super::run::redactor(config, "doctor")?;
    let Some(settings) = super::model::settings(config, args, &redactor)? else {
        return exam.tell(
            &State::Note,
            "model",
            "none: everything in a report is computed; `--model NAME` names one",
            &[],
        );
    };
    let Some(url) = &settings.url else {
        return exam.tell(&State::Ok, "model", "manual: answers are read from stdin", &[]);
    };
    let client = super::model::endpoint(config, &settings, url)?;
    for found in crate::model::examine(&client).await {
        let state = match found.state {
            Ability::Yes => State::Ok,
            Ability::No => State::Note,
            Ability::Broken => State::Bad,
        };
        let text = redactor.text(&found.what);
        let (what, hint) = text.split_once('\n').unwrap_or((&text, ""));
        let hints: Vec<String> = Some(hint.to_owned())
            .filter(|hint| !hint.is_empty())
            .into_iter()
            .collect();
        exam.tell(&state, found.part, what, &hints)?;
    }
    Ok(())
}

async fn ask(effects: &mut LiveEffects, call: Operation) -> Result<serde_json::Value, Failure> {
    let action = Action::Query {
        why: "doctor".to_owned(),
        calls: vec![call],
    };
    match effects.perform(&action).await {
        Observation::Answers { mut answers } => match answers.pop() {
            Some(answer) => answer.result.map(|body| body.value),
            None => Ok(serde_json::Value::Null),
        },
        Observation::Unavailable { failure } => Err(failure),
        Observation::Connected { .. } | Observation::Chosen { .. } | Observation::Replied { .. } => {
            Ok(serde_json::Value::Null)
        }
    }
}

const RAW_CAPTURE: &str = "switch raw capture on in Kubeshark's Helm values:\n  tap.capture.raw.enabled: true\n  tap.capture.raw.storageSize: 10Gi";

async fn capture(exam: &mut Examination, effects: &mut LiveEffects, clock: &Clock) -> Result<(), AppError> {
    let value = match ask(effects, Operation::DataBoundaries).await {
        Ok(value) => value,
        Err(failure) => return exam.failure("raw capture", &failure),
    };
    match decode::boundaries(&value) {
        Ok(boundaries) => match boundaries.cluster {
            Some(held) => exam.tell(
                &State::Ok,
                "raw capture",
                &format!("{} nodes hold {}", boundaries.nodes.len(), clock.window(&held)),
                &[],
            ),
            None => exam.tell(
                &State::Bad,
                "raw capture",
                "nothing is recorded",
                &[RAW_CAPTURE.to_owned()],
            ),
        },
        Err(error) => exam.tell(
            &State::Bad,
            "raw capture",
            &error.to_string(),
            &[RAW_CAPTURE.to_owned()],
        ),
    }
}

/// Whether traffic is dissected as it comes, and what that means.
async fn live(
    exam: &mut Examination,
    effects: &mut LiveEffects,
    clock: &Clock,
    missing: &[&str],
) -> Result<(), AppError> {
    const PART: &str = "live";
    if missing.contains(&Operation::L7DataBoundaries.name()) {
        let what =
            "the server does not say what it has dissected as it came: questions are asked of snapshots";
        return exam.tell(&State::Note, PART, what, &[]);
    }
    let boundaries = match ask(effects, Operation::L7DataBoundaries).await {
        Ok(value) => decode::boundaries(&value),
        Err(failure) => return exam.tell(&State::Note, PART, &failure.message, &failure.hints),
    };
    match boundaries {
        Ok(boundaries) => match (boundaries.cluster, boundaries.dissection_enabled) {
            (Some(held), on) => {
                let off = if on == Some(false) { "; switched off since" } else { "" };
                let what = format!("live traffic is dissected of {}{off}", clock.window(&held));
                exam.tell(&State::Ok, PART, &what, &[])
            }
            (None, Some(true)) => exam.tell(&State::Ok, PART, "live dissection is on, and has nothing yet", &[]),
            (None, _) => exam.tell(
                &State::Note,
                PART,
                "live dissection is off: packets are recorded, and a snapshot is dissected for each investigation and question",
                &["nothing has to be done; it works forward only, so it does not help with the past. `ask --live --yes` switches it on, `tap.capture.dissection.enabled` for good".to_owned()],
            ),
        },
        Err(error) => exam.tell(&State::Note, PART, &error.to_string(), &[]),
    }
}

/// Only what reads is tried: whether a snapshot may be taken shows when one is.
async fn permissions(exam: &mut Examination, effects: &mut LiveEffects) -> Result<(), AppError> {
    match ask(effects, Operation::ListSnapshots).await {
        Ok(value) => match decode::snapshots(&value) {
            Ok(snapshots) => exam.tell(
                &State::Ok,
                "snapshots",
                &format!("{} listed", snapshots.len()),
                &[],
            ),
            Err(error) => exam.tell(&State::Bad, "snapshots", &error.to_string(), &[]),
        },
        Err(failure) => exam.failure("snapshots", &failure),
    }
}
