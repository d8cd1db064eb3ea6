//! Checks a playbook against the machine: what is wrong, on which line, and what was probably meant.

use std::fmt;

use super::file::{AlwaysFile, At, File, PhaseFile};
use crate::{
    investigation::{
        Phase, Playbook, TaskKind,
        guard::{GUARDS, Guard},
        route::{self, Route, guards_of, tools_of},
        settings::{AlwaysAsked, Export, Input, PhaseRules, WindowRules},
    },
    kfl,
    wire::Operation,
};

/// Something wrong with a playbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// From 1; 0 where it is about the whole file.
    pub line: u64,
    pub column: u64,
    pub message: String,
    /// What to do about it; a playbook's finding always has one.
    pub suggestion: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "{}:{}: ", self.line, self.column)?;
        }
        f.write_str(&self.message)
    }
}

/// Largest file that is read, bytes: what people write is a page or two.
const MAX_BYTES: usize = 256 * 1024;

const FORM: &str = "`rca-agent playbooks schema` prints the form of a playbook, and `rca-agent playbooks show network-rca --yaml` one as it stands";

pub(super) struct Checker {
    pub(super) found: Vec<Finding>,
}

pub(super) fn playbook(text: &str) -> Result<Playbook, Vec<Finding>> {
    let file: File = parsed(text, "a playbook", FORM)?;
    // Only the one that is compiled in stands on nothing.
    let base = super::shipped(super::DEFAULT)
        .filter(|shipped| shipped.text != text)
        .and_then(|shipped| playbook(shipped.text).ok());
    let mut checker = Checker { found: Vec::new() };
    let playbook = checker.file(&file, base.as_ref());
    if checker.found.is_empty() {
        Ok(playbook)
    } else {
        checker
            .found
            .sort_by_key(|finding| (finding.line, finding.column));
        Err(checker.found)
    }
}

/// Reads a file of this shape; `what` it is, for the message about its length, and where its `form` is told.
pub fn parsed<T: serde::de::DeserializeOwned>(text: &str, what: &str, form: &str) -> Result<T, Vec<Finding>> {
    if text.len() > MAX_BYTES {
        return Err(vec![Finding {
            line: 0,
            column: 0,
            message: format!(
                "the file has {} bytes, and {what} has {MAX_BYTES} at most",
                text.len()
            ),
            suggestion: Some(form.to_owned()),
        }]);
    }
    serde_saphyr::from_str(text).map_err(|error| {
        let message = error.without_snippet().to_string();
        // The place comes first, where it is known.
        let first = message.lines().next().unwrap_or_default();
        let message = match first.strip_prefix("error: ") {
            Some(rest) => rest,
            None => first,
        };
        let place = error.location();
        vec![Finding {
            line: place.as_ref().map_or(0, serde_saphyr::Location::line),
            column: place.as_ref().map_or(0, serde_saphyr::Location::column),
            suggestion: meant(message).or_else(|| Some(form.to_owned())),
            message: without_place(message).to_owned(),
        }]
    })
}

/// The parser says the place at the end of its sentence; a finding says it in front. Some of its advice is for those
/// who program it.
fn without_place(message: &str) -> &str {
    let mut said = message;
    for end in [" at line ", " (line ", ", set DuplicateKeyPolicy"] {
        said = said.rsplit_once(end).map_or(said, |(before, _)| before);
    }
    said.trim_end_matches([',', ':'])
}

/// "unknown field `budgets`, expected one of name, when, …": the nearest of what was expected.
fn meant(message: &str) -> Option<String> {
    let (unknown, expected) = message.split_once("unknown field `")?.1.split_once('`')?;
    let (_, expected) = expected.split_once("expected")?;
    let words = expected.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    near(unknown, words.filter(|word| !word.is_empty()))
}

/// The nearest of the names, as a suggestion.
pub fn near<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let likeness = |known: &&str| strsim::jaro_winkler(name, known);
    names
        .into_iter()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
        .filter(|known| likeness(known) > 0.75)
        .map(|known| format!("did you mean `{known}`?"))
}

fn names_of<'a>(phases: impl IntoIterator<Item = &'a Phase>) -> String {
    let names: Vec<&str> = phases.into_iter().map(|phase| phase.name()).collect();
    names.join(", ")
}

/// Guards that a playbook may add.
pub(super) fn choosable() -> impl Iterator<Item = &'static Guard> {
    // These two are consulted where a playbook leaves phases or tools out.
    let implied = |guard: &&Guard| !guard.name.starts_with("playbook-");
    GUARDS.iter().filter(|guard| guard.optional).filter(implied)
}

impl Checker {
    pub(super) fn say<T>(&mut self, at: &At<T>, message: impl Into<String>, suggestion: impl Into<String>) {
        self.found.push(Finding {
            line: at.line,
            column: at.column,
            message: message.into(),
            suggestion: Some(suggestion.into()),
        });
    }

    fn file(&mut self, file: &File, base: Option<&Playbook>) -> Playbook {
        let name = &file.name;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if name.value.is_empty() || name.value.len() > 60 || !name.value.chars().all(plain) {
            self.say(
                name,
                "a name has 1 to 60 letters, digits and hyphens",
                "for example `payments-rca`",
            );
        }
        if file.when.value.trim().is_empty() {
            let hint = "one sentence for people who choose between playbooks";
            self.say(&file.when, "`when` is empty", hint);
        }
        let task = self.named("task", &file.task, &TaskKind::ALL, TaskKind::name);
        let needs = self.all_named("input", &file.needs, &Input::ALL, Input::name);
        let export = self.all_named("export", &file.export, &Export::ALL, Export::name);
        let phases = match (&file.phases, task.and_then(TaskKind::route)) {
            (Some(phases), Some(route)) => self.phases(file, phases, route),
            _ => Vec::new(),
        };
        let left_out = !phases.is_empty() && phases.iter().all(|rules| rules.phase != Phase::Handoff);
        for at in file
            .export
            .iter()
            .filter(|at| at.value == Export::Pcap.name() && left_out)
        {
            let hint = "add `- phase: handoff`";
            self.say(
                at,
                "packets are exported in the phase `handoff`, which is left out",
                hint,
            );
        }
        let always = file
            .always
            .iter()
            .filter_map(|asked| self.always(asked))
            .collect();
        Playbook {
            name: name.value.clone(),
            when: file.when.value.trim().to_owned(),
            task: task.unwrap_or_default(),
            needs,
            phases,
            window: WindowRules {
                buffer_minutes: self.number(
                    file.window.buffer_minutes.as_ref(),
                    base.map(|base| base.window.buffer_minutes),
                    "window.buffer_minutes",
                    (0, 24 * 60),
                ),
            },
            wait: self.wait(file, base),
            budget: self.budget(file, base),
            survey: self.survey(file, base),
            always,
            export,
        }
    }

    /// One of a list of things, by its name.
    fn named<T: Copy>(
        &mut self,
        what: &str,
        name: &At<String>,
        all: &[T],
        name_of: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let found = all.iter().copied().find(|one| name_of(*one) == name.value);
        if found.is_none() {
            let suggestion = near(&name.value, all.iter().map(|one| name_of(*one)));
            let known: Vec<&str> = all.iter().map(|one| name_of(*one)).collect();
            let suggestion = suggestion.unwrap_or_else(|| format!("there are {}", known.join(", ")));
            self.say(name, format!("there is no {what} `{}`", name.value), suggestion);
        }
        found
    }

    fn all_named<T: Copy + PartialEq>(
        &mut self,
        what: &str,
        names: &[At<String>],
        all: &[T],
        name_of: impl Fn(T) -> &'static str + Copy,
    ) -> Vec<T> {
        let mut found = Vec::new();
        for name in names {
            found.extend(
                self.named(what, name, all, name_of)
                    .filter(|one| !found.contains(one)),
            );
        }
        found
    }

    fn phases(&mut self, file: &File, files: &[PhaseFile], route: &Route) -> Vec<PhaseRules> {
        let all: Vec<Phase> = Phase::ALL.into_iter().filter(|phase| !phase.is_end()).collect();
        let mut known: Vec<(&At<String>, Phase)> = Vec::new();
        let mut rules = Vec::new();
        for one in files {
            let Some(phase) = self.named("phase", &one.phase, &all, Phase::name) else {
                continue;
            };
            if !route.needed.contains(&phase) && !route.optional.contains(&phase) {
                self.say(
                    &one.phase,
                    format!(
                        "`{}` is no phase of the task `{}`",
                        phase.name(),
                        route.task.name()
                    ),
                    format!(
                        "its phases are {}",
                        names_of(route.needed.iter().chain(route.optional))
                    ),
                );
                continue;
            }
            if known.iter().any(|(_, other)| *other == phase) {
                let hint = "put its guards and tools into one of the two, and take the other out";
                self.say(&one.phase, format!("`{}` is listed twice", phase.name()), hint);
                continue;
            }
            known.push((&one.phase, phase));
            rules.push(PhaseRules {
                phase,
                guards: self.guards(one, phase),
                tools: one
                    .tools
                    .as_ref()
                    .map(|tools| self.tools(tools, phase))
                    // All of them is no limit.
                    .filter(|tools| tools.len() < tools_of(phase).len()),
            });
        }
        let phases: Vec<Phase> = known.iter().map(|(_, phase)| *phase).collect();
        for (at, phase) in &known {
            if !route::reaches(&phases, *phase) {
                let way = route::missing_on_the_way(route, &phases, *phase);
                let way: Vec<String> = way
                    .iter()
                    .map(|phase| format!("`- phase: {}`", phase.name()))
                    .collect();
                let hint = if way.is_empty() {
                    format!("take `{}` out", phase.name())
                } else {
                    format!("add {}", way.join(", "))
                };
                self.say(
                    at,
                    format!(
                        "`{}` cannot be reached: no phase that is listed leads to it",
                        phase.name()
                    ),
                    hint,
                );
            }
        }
        for phase in route.needed.iter().filter(|phase| !phases.contains(phase)) {
            self.say(
                &file.task,
                format!(
                    "the task `{}` needs the phase `{}`",
                    route.task.name(),
                    phase.name()
                ),
                format!("add `- phase: {}`", phase.name()),
            );
        }
        // A route as it is needs no rules.
        let whole = route.needed.len() + route.optional.len() == rules.len();
        if whole
            && rules
                .iter()
                .all(|one| one.guards.is_empty() && one.tools.is_none())
        {
            rules.clear();
        }
        rules
    }

    /// The guards that are added; those that are required have to be in a list that is given.
    fn guards(&mut self, file: &PhaseFile, phase: Phase) -> Vec<String> {
        let listed = file.guards.iter().flat_map(|guards| &guards.value);
        let mut added: Vec<String> = Vec::new();
        for name in listed.chain(&file.add_guards) {
            let Some(guard) = GUARDS.iter().find(|guard| guard.name == name.value) else {
                let suggestion =
                    near(&name.value, GUARDS.iter().map(|guard| guard.name)).unwrap_or_else(|| {
                        let names: Vec<&str> = choosable().map(|guard| guard.name).collect();
                        format!("the guards that can be added are {}", names.join(", "))
                    });
                self.say(name, format!("there is no guard `{}`", name.value), suggestion);
                continue;
            };
            if !guard.phases.contains(&phase) {
                self.say(
                    name,
                    format!(
                        "the guard `{}` has nothing to look at in `{}`",
                        guard.name,
                        phase.name()
                    ),
                    format!("it belongs to {}", names_of(guard.phases)),
                );
            } else if guard.optional && choosable().all(|other| other.name != guard.name) {
                let hint = "list the phases, or the `tools` of a phase, and it is consulted";
                self.say(
                    name,
                    format!("the guard `{}` is not asked for by name", guard.name),
                    hint,
                );
            } else if guard.optional && !added.contains(&guard.name.to_owned()) {
                added.push(guard.name.to_owned());
            }
        }
        if let Some(listed) = &file.guards {
            for required in guards_of(phase) {
                if listed.value.iter().all(|name| name.value != required.name) {
                    self.say(
                        listed,
                        format!(
                            "the guard `{}` is required in `{}`: {}",
                            required.name,
                            phase.name(),
                            required.demands
                        ),
                        format!(
                            "add `{}`, or leave `guards` out; a playbook can add guards with `add_guards`, never take one away",
                            required.name
                        ),
                    );
                }
            }
        }
        added
    }

    fn tools(&mut self, names: &[At<String>], phase: Phase) -> Vec<String> {
        let usable = tools_of(phase);
        let mut tools = Vec::new();
        for name in names {
            if usable.contains(&name.value.as_str()) {
                tools.push(name.value.clone());
                continue;
            }
            let examples = Operation::examples();
            let known = examples.iter().any(|operation| operation.name() == name.value);
            let message = if known {
                format!("`{}` has no use for the tool `{}`", phase.name(), name.value)
            } else {
                format!("there is no tool `{}`", name.value)
            };
            let suggestion = near(&name.value, usable.iter().copied()).unwrap_or_else(|| {
                if usable.is_empty() {
                    "it asks the server for nothing: leave `tools` out".to_owned()
                } else {
                    format!("it uses {}", usable.join(", "))
                }
            });
            self.say(name, message, suggestion);
        }
        tools
    }

    fn always(&mut self, asked: &AlwaysFile) -> Option<AlwaysAsked> {
        let filter = &asked.filter;
        match kfl::check(&filter.value) {
            Ok(_) => Some(AlwaysAsked {
                why: asked.why.clone(),
                filter: filter.value.clone(),
            }),
            Err(found) => {
                for one in found {
                    let reason = format!("the filter `{}`: {} ({})", filter.value, one.message, one.reason);
                    let hint =
                        "`rca-agent kfl fields` lists the fields, and `rca-agent kfl check` tries a filter";
                    self.say(filter, reason, one.suggestion.unwrap_or_else(|| hint.to_owned()));
                }
                None
            }
        }
    }
}
