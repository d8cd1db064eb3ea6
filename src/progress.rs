//! What a person sees while an investigation runs: a view of the journal, on stderr.
//!
//! On a terminal one live line says what is waited for, and a line is kept for every phase; in a log
//! there are only the kept lines.

use std::{
    io::{IsTerminal, Write},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    driver::Watch,
    investigation::{
        Action, Case, Machine, Observation, Phase, Role, State, steps::window::retention, words,
    },
    journal::Entry,
};

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    Nothing,
    /// Kept lines only.
    Lines,
    /// Kept lines and a live one.
    Live,
}

impl Show {
    /// What suits stderr as it is. Log lines and a live line would write over each other.
    pub fn fitting(quiet: bool, logging: bool) -> Self {
        if quiet {
            Self::Nothing
        } else if std::io::stderr().is_terminal() && !logging {
            Self::Live
        } else {
            Self::Lines
        }
    }
}

/// Shows a run on stderr.
pub struct Progress {
    show: Show,
    bar: Option<ProgressBar>,
    retention_told: bool,
    /// What is sent to the model is shown, and what it answers.
    prompts: bool,
    /// What the model was asked last.
    asked: Option<Role>,
}

impl Progress {
    pub fn new(show: Show) -> Self {
        let bar = (show == Show::Live).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self {
            show,
            bar,
            retention_told: false,
            prompts: false,
            asked: None,
        }
    }

    /// The same, and what is sent to the model and answered is shown, however quiet the rest is.
    #[must_use]
    pub fn with_prompts(mut self, prompts: bool) -> Self {
        self.prompts = prompts;
        self
    }

    fn exchange(&mut self, entry: &Entry) {
        match entry {
            Entry::Requested {
                action: Action::Consult { consultation },
                ..
            } => self.asked = Some(consultation.role),
            Entry::Observed {
                observation: Observation::Replied { reply },
            } => {
                if let Some(role) = self.asked.take() {
                    let text = crate::report::exchange(role, reply);
                    match &self.bar {
                        Some(bar) => bar.println(text),
                        None => {
                            let _ = writeln!(std::io::stderr(), "{text}");
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// A line that stays.
    pub fn line(&self, text: &str) {
        let text = crate::report::plain(text);
        match (&self.bar, self.show) {
            (_, Show::Nothing) => {}
            (Some(bar), _) => bar.println(text),
            (None, _) => {
                // Nobody to tell where stderr is closed.
                let _ = writeln!(std::io::stderr(), "{text}");
            }
        }
    }

    /// What is going on now, where there is a live line.
    pub fn live(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(crate::report::plain(text));
        }
    }

    /// Shows how many bytes of a file have arrived, where there is a live line.
    pub fn arriving(&self) -> Option<Box<dyn Fn(u64) + Send + Sync>> {
        let bar = self.bar.clone()?;
        Some(Box::new(move |so_far| {
            bar.set_message(format!("downloading: {} so far", words::bytes(so_far)));
        }))
    }

    /// Takes the live line out of the way of a question.
    fn hide(&self) {
        if let Some(bar) = &self.bar {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
    }

    fn unhide(&self) {
        if let Some(bar) = &self.bar
            && bar.is_hidden()
        {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    /// Takes the live line away, before a question or the report.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Watch for Progress {
    fn entry(&mut self, machine: &Machine, entry: &Entry, replayed: bool) {
        if self.prompts {
            self.exchange(entry);
        }
        if self.show == Show::Nothing {
            return;
        }
        let case = machine.case();
        match entry {
            Entry::Requested {
                action: Action::AskUser { .. },
                ..
            } => self.hide(),
            // A person answers in the model's place: the live line would write over the question.
            Entry::Requested {
                action: Action::Consult { .. },
                ..
            } if case
                .settings
                .model
                .as_ref()
                .is_some_and(|model| model.url.is_none()) =>
            {
                self.hide();
            }
            Entry::Observed { .. } => self.unhide(),
            Entry::Requested { action, rulings } => {
                let refused = rulings
                    .iter()
                    .find_map(|ruling| Some((&ruling.guard, ruling.refused.as_ref()?)));
                match refused {
                    Some((guard, why)) => self.line(&format!("  refused by {guard}: {why}")),
                    None => self.live(&format!(
                        "{}: {} {}",
                        machine.state().phase().name(),
                        doing(action),
                        spent(case)
                    )),
                }
            }
            Entry::Moved { moved } if moved.from != moved.to && !replayed => {
                self.line(&format!(
                    "✓ {:<10} {}  {}",
                    moved.from.name(),
                    outcome(case, moved.from),
                    spent(case)
                ));
                if moved.from == Phase::Window && !self.retention_told {
                    self.retention_told = true;
                    for line in retention(case) {
                        self.line(&format!("  {line}"));
                    }
                }
            }
            Entry::Opened { .. } | Entry::Moved { .. } | Entry::Closed { .. } => {}
        }
    }
}

fn doing(action: &Action) -> String {
    match action {
        Action::Connect => "connecting".to_owned(),
        Action::Query { why, calls } if calls.len() == 1 => why.clone(),
        Action::Query { why, calls } => format!("{why} ({} queries)", calls.len()),
        Action::Wait { why, .. } => format!("waiting: {why}"),
        Action::AskUser { question, .. } => question.clone(),
        Action::Consult { consultation } => match consultation.role {
            Role::Intake => "a model reads which time you mean",
            Role::Hypothesise => "a model says who may be at fault",
            Role::Read => "a model reads the error texts",
            Role::Narrow => "a model says what to ask next",
            Role::Weigh => "a model argues against the leading suspect",
            Role::Write => "a model writes the prose",
        }
        .to_owned(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a run lasts less than 2^52 ms")]
fn spent(case: &Case) -> String {
    let budget = &case.settings.playbook.budget;
    format!(
        "[{}/{} calls, {:.1} s]",
        case.spent.calls,
        budget.calls,
        case.spent.millis as f64 / 1e3
    )
}

/// What a phase led to, in a few words.
fn outcome(case: &Case, left: Phase) -> String {
    let clock = case.settings.clock();
    match left {
        Phase::Preflight => case.server.clone().unwrap_or_else(|| "no server".to_owned()),
        Phase::Window if case.settings.snapshot.is_some() && case.settings.since.is_empty() => {
            "all of the snapshot".to_owned()
        }
        Phase::Window => case
            .window
            .map(|window| clock.window(&window))
            .unwrap_or_default(),
        Phase::Secure => case.snapshot.as_ref().map_or_else(String::new, |secured| {
            let how = if secured.reused { "found" } else { "taken" };
            format!("snapshot {} {how}", secured.reference.name)
        }),
        Phase::Index => match case.coverage.entries {
            Some(entries) => format!("dissected, {entries} entries"),
            None => "dissected".to_owned(),
        },
        Phase::Live => match &case.live {
            Some(live) => format!("live traffic is dissected of {}", clock.window(live)),
            None => "a snapshot is asked".to_owned(),
        },
        Phase::Survey => format!("{} edges", case.picture.edges.len()),
        Phase::Narrow => {
            let known = case
                .picture
                .edges
                .values()
                .filter(|edge| edge.onset.is_some())
                .count();
            format!("{known} abnormal edges followed")
        }
        Phase::Inspect => format!("{} calls read", case.readings.len()),
        Phase::Hypothesise => format!("{} hypotheses", case.opinion.hypotheses.len()),
        Phase::Read => format!("{} texts read", case.opinion.readings.len()),
        Phase::Probe => match &case.opinion.conclusion {
            Some(conclusion) => format!("the model names {}", conclusion.party),
            None => "the model names nobody".to_owned(),
        },
        Phase::Challenge => format!("{} objections", case.opinion.objections.len()),
        Phase::Write => format!("{} sentences", case.opinion.prose.len()),
        Phase::Intake
        | Phase::Weigh
        | Phase::Handoff
        | Phase::Conclude
        | Phase::Count
        | Phase::Inventory
        | Phase::Transfer
        | Phase::Recheck
        | Phase::Packets
        | Phase::Ask
        | Phase::Finished
        | Phase::Concluded
        | Phase::Counted
        | Phase::Stopped => String::new(),
    }
}

/// The verdict in a word, for the last line.
pub fn verdict(state: &State) -> &'static str {
    use crate::investigation::Verdict;
    match state {
        State::Concluded(finding) => match finding.verdict {
            Verdict::RootCause => "root cause found",
            Verdict::NoAnomaly => "no anomaly",
            Verdict::Inconclusive => "inconclusive",
            Verdict::NoData => "no data",
        },
        _ => "stopped",
    }
}
