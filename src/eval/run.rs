//! Runs a case: its recorded session through today's code, or the same question asked anew.

use std::{
    collections::HashMap,
    path::Path,
    time::{Duration, Instant},
};

use super::{
    case::Ending,
    follow::Followed,
    load::EvalCase,
    rehearsed::{self, Rehearsed},
    transcript::{self, Match},
};
use crate::{
    driver::{self, Effects, RunError, Watch},
    effects::{self, LiveEffects, NoEffects, Nobody},
    error::AppError,
    hub::{self, Capture, Hub},
    investigation::{
        Action, Consultation, Machine, ModelSettings, Observation, Settings, State, Task, Verdict,
        settings::Source,
    },
    journal::{self, Bodies, CaseJournal, Entry, FORMAT, Journal, Recording, redact::Redactor},
    kubeshark::{Endpoint, Limits},
    model::Model,
    report::{self, Detail, Report},
    time::Utc,
};

/// What came of a run.
pub struct Ran {
    pub ending: Ending,
    /// None where the run was stopped.
    pub report: Option<Report>,
    /// The whole report as Markdown, or the message of a run that was stopped.
    pub text: String,
    /// The session as a person reads it.
    pub transcript: Vec<String>,
    /// What a model is told, by today's templates.
    pub prompts: Vec<String>,
    pub took: Duration,
}

/// A recorded session run through today's code.
pub struct Replayed {
    /// None where the session has no answer to something that was asked, or the run broke off.
    pub ran: Option<Ran>,
    /// The requests that differ, as a unified diff.
    pub divergence: Option<String>,
    /// Why it did not come to its end.
    pub broke_off: Option<String>,
    pub results: Recorded,
}

/// The results of a session, by their hash: what evidence is held against.
pub struct Recorded {
    small: HashMap<String, String>,
    large: Bodies,
}

impl Recorded {
    /// The compact JSON of the result that has this hash.
    pub fn text(&self, sha256: &str) -> Option<String> {
        let small = self.small.get(sha256).cloned();
        small.or_else(|| self.large.text(sha256).ok())
    }
}

/// Why a case could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    #[error("there is no recorded session: {0}")]
    Session(journal::JournalError),
    #[error("the recorded session in `{}` is empty", .0.display())]
    Empty(std::path::PathBuf),
    #[error("there is no capture: the recorded session is all that this case has")]
    NoCapture,
    #[error("could not open the capture")]
    Capture(#[source] hub::OpenError),
    #[error("the investigation broke off")]
    Run(#[from] RunError),
    #[error("the investigation ended in the phase {0}")]
    Unfinished(&'static str),
}

/// Collects a session while it happens.
struct Collected {
    how: Option<Match>,
    redactor: Redactor,
    decided: Vec<String>,
    transcript: Vec<String>,
    prompts: Vec<String>,
    small: HashMap<String, String>,
}

impl Collected {
    fn of(id: &str, how: Option<Match>) -> Self {
        Self {
            how,
            redactor: Redactor::new(id),
            decided: Vec::new(),
            transcript: Vec::new(),
            prompts: Vec::new(),
            small: HashMap::new(),
        }
    }

    /// What a model is told in the words of today's templates.
    fn told(&self, consultation: &Consultation) -> Vec<String> {
        match effects::request(&self.redactor, consultation) {
            Ok(request) => transcript::messages(&serde_json::to_value(&request.messages).unwrap_or_default()),
            Err(error) => vec![format!("no prompt: {error}")],
        }
    }
}

impl Watch for Collected {
    fn entry(&mut self, _: &Machine, entry: &Entry, _: bool) {
        self.transcript.extend(transcript::told(entry));
        if let Some(how) = self.how {
            self.decided.extend(transcript::decided(entry, how));
        }
        if let Entry::Requested {
            action: Action::Consult { consultation },
            rulings,
        } = entry
            && rulings.iter().all(|ruling| ruling.refused.is_none())
        {
            let lines = self.told(consultation);
            if self.how == Some(Match::Exact) {
                self.decided.extend(lines.iter().cloned());
            }
            self.prompts.extend(lines);
        }
        let Entry::Observed {
            observation: Observation::Answers { answers },
        } = entry
        else {
            return;
        };
        for answer in answers {
            if let Ok(body) = &answer.result
                && answer.bytes <= SMALL_BYTES
            {
                self.small.insert(body.sha256.clone(), body.value.to_string());
            }
        }
    }
}

/// Answers up to this size are kept here, since they may have no file; more than the limit of a journal's line.
const SMALL_BYTES: u64 = 1 << 16;

/// What today's code makes of the words of a case, where nobody can be asked.
fn settings(case: &EvalCase, source: Source) -> Settings {
    Settings {
        source,
        question: case.question.clone(),
        since: case.since.clone(),
        until: case.until.clone(),
        reading: case.reading.clone(),
        baseline: case.baseline,
        dashboard: None,
        snapshot: None,
        model: None,
        unread: None,
        zone: case.zone,
        hours: case.hours,
        now: case.now,
        namespace: case.namespace.clone(),
        service: case.service.clone(),
        no_input: true,
        yes: false,
        pcap: false,
        task: Task::Investigate,
        playbook: case.playbook.clone(),
        notes: Vec::new(),
    }
}

/// Runs the recorded session of a case through today's code. What it asks is read anew from the words of the case; only
/// the answers are recorded.
pub async fn replay(case: &EvalCase, how: Match) -> Result<Replayed, EvalError> {
    let began = Instant::now();
    let (recording, large) = journal::read_with_bodies(&case.dir).map_err(EvalError::Session)?;
    let Some(Entry::Opened {
        case: id,
        created,
        settings: recorded,
        ..
    }) = recording.entries.first()
    else {
        return Err(EvalError::Empty(case.dir.clone()));
    };
    let (id, created) = (id.clone(), *created);
    // Who could be asked, and what was allowed, is part of the session.
    let settings = Settings {
        no_input: recorded.no_input,
        yes: recorded.yes,
        pcap: recorded.pcap,
        snapshot: recorded.snapshot.clone(),
        model: recorded.model.clone(),
        dashboard: recorded.dashboard.clone(),
        notes: recorded.notes.clone(),
        ..settings(case, recorded.source.clone())
    };
    let mut before = Vec::new();
    for entry in &recording.entries {
        before.extend(transcript::decided(entry, how));
        // The words that were sent lie beside the answer to them.
        if let Entry::Observed {
            observation: Observation::Replied { reply },
        } = entry
            && how == Match::Exact
        {
            before.extend(transcript::messages(&reply.prompt.value));
        }
    }
    let mut watch = Collected::of(&id, Some(how));
    let mut followed = Followed::new(recording.entries);
    let driven = drive(&id, created, settings, &mut NoEffects, &mut followed, &mut watch).await;
    let results = Recorded {
        small: watch.small,
        large,
    };
    let divergence = transcript::difference(&before, &watch.decided);
    match driven {
        Ok(machine) => {
            let ran = ended(&machine, created, watch.transcript, watch.prompts, began)?;
            Ok(Replayed {
                ran: Some(ran),
                divergence,
                broke_off: None,
                results,
            })
        }
        Err(error) => {
            let why = match followed.missing() {
                Some(asked) => format!("the session has no answer to: {asked}"),
                None => error.to_string(),
            };
            Ok(Replayed {
                ran: None,
                divergence,
                broke_off: Some(why),
                results,
            })
        }
    }
}

/// The embedded hub over the capture of a case, with the faults it rehearses.
pub fn hub_of(case: &EvalCase) -> Result<Endpoint, EvalError> {
    let path = case.capture.as_ref().ok_or(EvalError::NoCapture)?;
    let capture = Capture::open(path).map_err(EvalError::Capture)?;
    let options = hub::Options {
        faults: hub::Faults::new(case.faults.iter().cloned()),
        ..hub::Options::default()
    };
    let hub = Hub::new(capture, options);
    Ok(Endpoint::in_process(move || hub::duplex(&hub)))
}

/// A language model, and what a case says of it.
pub type Asked = (ModelSettings, Box<dyn Model>);

/// The rehearsed model of a case, where it has one.
pub fn model_of(case: &EvalCase) -> Option<Asked> {
    let script = case.script.clone()?;
    Some((rehearsed::settings(), Box::new(Rehearsed::new(script))))
}

/// Asks the question of a case anew of this server and this model, and leaves the journal in `dir`.
pub async fn fresh(
    case: &EvalCase,
    endpoint: Endpoint,
    model: Option<Asked>,
    dir: &Path,
) -> Result<(Ran, Recorded), EvalError> {
    let began = Instant::now();
    let source = Source::Capture {
        path: case.capture_as_written.clone().unwrap_or_default(),
    };
    let (model_settings, model) = model.unzip();
    let settings = Settings {
        model: model_settings,
        ..settings(case, source)
    };
    let id = format!("eval-{}", case.name);
    let mut journal = CaseJournal::open(dir, Recording::nothing()).map_err(EvalError::Session)?;
    let limits = Limits::within(Duration::from_secs(settings.playbook.budget.seconds.max(1)));
    let downloads = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let redactor = Redactor::new(&id);
    let mut effects =
        LiveEffects::new(endpoint, limits, redactor, Box::new(Nobody), downloads).with_model(model);
    let mut watch = Collected::of(&id, None);
    let machine = drive(&id, case.now, settings, &mut effects, &mut journal, &mut watch).await?;
    let ran = ended(&machine, case.now, watch.transcript, watch.prompts, began)?;
    let results = Recorded {
        small: watch.small,
        large: Bodies::open(dir).map_err(EvalError::Session)?,
    };
    Ok((ran, results))
}

async fn drive(
    id: &str,
    created: Utc,
    settings: Settings,
    effects: &mut dyn Effects,
    journal: &mut dyn Journal,
    watch: &mut dyn Watch,
) -> Result<Machine, RunError> {
    let opening = Entry::Opened {
        format: FORMAT,
        agent: env!("CARGO_PKG_VERSION").to_owned(),
        case: id.to_owned(),
        created,
        settings: Box::new(settings.clone()),
    };
    let mut machine = Machine::new(id, settings);
    driver::drive(&mut machine, opening, effects, journal, watch).await?;
    Ok(machine)
}

fn ended(
    machine: &Machine,
    created: Utc,
    transcript: Vec<String>,
    prompts: Vec<String>,
    began: Instant,
) -> Result<Ran, EvalError> {
    let case = machine.case();
    match machine.state() {
        State::Concluded(finding) => {
            let report = report::report(case, finding, created);
            let document = report::document(&report, &case.settings.clock(), Detail::Full);
            Ok(Ran {
                ending: match finding.verdict {
                    Verdict::RootCause => Ending::RootCause,
                    Verdict::NoAnomaly => Ending::NoAnomaly,
                    Verdict::Inconclusive => Ending::Inconclusive,
                    Verdict::NoData => Ending::NoData,
                },
                report: Some(report),
                text: report::markdown(&document),
                transcript,
                prompts,
                took: began.elapsed(),
            })
        }
        State::Stopped(problem) => {
            let mut error = AppError::environment(problem.what.clone());
            error.because.clone_from(&problem.because);
            error.hints.clone_from(&problem.hints);
            Ok(Ran {
                ending: Ending::Stopped,
                report: None,
                text: error.to_string(),
                transcript,
                prompts,
                took: began.elapsed(),
            })
        }
        other => Err(EvalError::Unfinished(other.phase().name())),
    }
}
