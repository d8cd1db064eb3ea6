//! What the user means, where our own parser of times cannot read it: a model puts it into words that it can.
//!
//! The model calculates nothing: it answers in the words of the parser, which reads them with the user's zone and clock.

use serde_json::json;

use super::window::SettleWindow;
use crate::{
    investigation::{
        action::{Action, Observation},
        case::Case,
        consult::{Asking, Heard, Role, answers},
        finding::Problem,
        machine::{Plan, Seen, State, Step},
        settings::ServiceName,
    },
    time::{Reading, parse_window},
};

#[derive(Clone, Debug)]
pub struct Intake {
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    /// The model is asked.
    Words(Box<Asking>),
    /// The user is asked whether that is what was meant.
    Confirm(Box<Read>),
}

/// What the model made of the user's words.
#[derive(Clone, Debug)]
struct Read {
    since: String,
    until: Option<String>,
    reading: Reading,
    service: Option<ServiceName>,
}

impl Intake {
    /// The first state after the health check.
    pub fn next(case: &Case) -> State {
        let Some(unread) = &case.settings.unread else {
            return State::Window(SettleWindow::new(case));
        };
        let settings = &case.settings;
        let task = json!({
            "question": settings.question,
            "since": settings.since,
            "until": settings.until,
            "unread": unread,
        });
        State::Intake(Self {
            stage: Stage::Words(Box::new(Asking::new(case, Role::Intake, json!({}), task))),
        })
    }
}

fn read(case: &Case, said: &answers::Intake) -> Result<Read, String> {
    let settings = &case.settings;
    let until = said.until.clone().filter(|until| !until.trim().is_empty());
    let reading = parse_window(&said.since, until.as_deref(), settings.now, &settings.zone)
        .map_err(|error| format!("the time cannot be read: {error}"))?;
    // A name is the user's, or it is nobody's.
    let words = format!("{} {}", settings.question, settings.since).to_lowercase();
    let named = |name: &Option<String>| {
        name.clone()
            .map(|name| name.trim().to_owned())
            .filter(|name| name.len() > 1 && words.contains(&name.to_lowercase()))
    };
    let service = named(&said.service).map(|name| ServiceName {
        namespace: named(&said.namespace),
        name,
    });
    Ok(Read {
        since: said.since.clone(),
        until,
        reading,
        service,
    })
}

/// Goes on with what was read.
fn settled(case: &mut Case, read: Read) -> State {
    let until = read
        .until
        .as_ref()
        .map(|until| format!(" until `{until}`"))
        .unwrap_or_default();
    case.settings.notes.push(format!(
        "a model read the time out of your words as `{}`{until}",
        read.since
    ));
    case.settings.since = read.since;
    case.settings.until = read.until;
    if case.settings.service.is_none() && read.service.is_some() {
        case.settings.notes.push(format!(
            "a model read that you ask about {}",
            read.service.as_ref().map(ToString::to_string).unwrap_or_default()
        ));
        case.settings.service = read.service;
    }
    case.when = read.reading;
    case.assumptions = case
        .settings
        .notes
        .iter()
        .chain(&case.when.assumptions)
        .cloned()
        .collect();
    State::Window(SettleWindow::new(case))
}

fn unread(case: &Case, why: Option<&str>) -> State {
    let mut because: Vec<String> = case.settings.unread.iter().cloned().collect();
    because.push(match (why, case.consulted.failure.as_ref()) {
        (Some(why), _) => why.to_owned(),
        (None, Some(failure)) => format!("the model was no help: {failure}"),
        (None, None) => "the model's answer was not accepted".to_owned(),
    });
    State::Stopped(Problem {
        what: "could not learn which time you mean".to_owned(),
        because,
        hints: vec!["say when it began: --since \"3pm\", \"yesterday 14:05\", \"20 minutes ago\"".to_owned()],
    })
}

impl Step for Intake {
    fn plan(&self, case: &Case) -> Plan {
        Plan::Act(match &self.stage {
            Stage::Words(asking) => asking.action(),
            Stage::Confirm(read) => Action::AskUser {
                question: format!(
                    "Is this the time you mean: {}?",
                    case.settings.clock().window(&read.reading.window)
                ),
                choices: vec!["yes".to_owned(), "no, end here".to_owned()],
                default: 0,
            },
        })
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        match &self.stage {
            Stage::Words(asking) => {
                match asking.hear::<answers::Intake>(case, seen, |case, said| read(case, said).map(|_| ())) {
                    Heard::Answer(said) => match read(case, &said) {
                        Ok(read) if case.settings.no_input => settled(case, read),
                        Ok(read) => State::Intake(Self {
                            stage: Stage::Confirm(Box::new(read)),
                        }),
                        Err(why) => unread(case, Some(&why)),
                    },
                    Heard::Again(asking) => State::Intake(Self {
                        stage: Stage::Words(asking),
                    }),
                    Heard::Nothing => unread(case, None),
                }
            }
            Stage::Confirm(read) => match seen {
                Seen::Observed(Observation::Chosen { choice: 0 }) => settled(case, (**read).clone()),
                _ => unread(case, Some("it was read otherwise than you meant it")),
            },
        }
    }

    fn refused(&self, case: &mut Case, why: &str) -> State {
        unread(case, Some(why))
    }
}
