//! Whether live traffic can answer a question: a server that dissects traffic as it comes says from when to when it
//! holds calls. Where that covers the window, no snapshot is needed; where it does not, only a snapshot can tell.
//!
//! Live dissection works forward only. Switching it on changes the cluster, so that is planned only where the user
//! asked for live traffic and approved, and the guard `allowed-tools` holds it.

use chrono::TimeDelta;

use super::{answer, ask::Ask, one, read, stopped};
use crate::{
    investigation::{
        action::{Answer, Failure, FailureKind},
        case::Case,
        machine::{Phase, Plan, Seen, State, Step},
        settings::{AskOrder, LiveChoice, Task},
    },
    time::{Clock, Window},
    wire::{
        Operation,
        decode::{self, Boundaries},
    },
};

/// Decides where a question is asked.
#[derive(Clone, Debug)]
pub struct Live {
    order: AskOrder,
    asked: Window,
    /// Where the run goes on without live traffic: to a snapshot, or to the reason why there is none.
    otherwise: Box<State>,
    switching: bool,
}

/// Why live traffic does not do.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Uncovered {
    /// The server has no tool that says what it has dissected.
    Untold,
    Off,
    /// Nothing, or not all of the window.
    Partly(String),
}

/// A node's newest call may be a while ago where little goes on; and what came last may not be dissected yet.
const LATE: TimeDelta = TimeDelta::seconds(30);

const WHAT: &str = "live traffic cannot answer the question";

impl Live {
    /// Through this phase where the question may be asked of live traffic; otherwise straight on.
    pub(super) fn before(
        case: &mut Case,
        asked: Window,
        boundaries: Option<&Answer>,
        otherwise: State,
    ) -> State {
        let order = match &case.settings.task {
            Task::Ask(order) if order.live != LiveChoice::Never => order.clone(),
            _ => return otherwise,
        };
        if !case.settings.playbook.has(Phase::Live) {
            return otherwise;
        }
        case.live_boundaries = boundaries.and_then(|answer| read(answer, decode::boundaries).ok());
        State::Live(Self {
            order,
            asked,
            otherwise: Box::new(otherwise),
            switching: false,
        })
    }

    /// What of the window can be dissected at all: what is recorded.
    fn within(&self, case: &Case) -> Window {
        let recorded = case.boundaries.as_ref().and_then(|boundaries| boundaries.cluster);
        recorded
            .and_then(|recorded| self.asked.overlap(&recorded))
            .unwrap_or(self.asked)
    }

    fn ask(&self, case: &mut Case, live: Window) -> State {
        let window = self.within(case).overlap(&live).unwrap_or(self.asked);
        // What was noted so far is of the packets, which nobody asks.
        case.coverage.not_seen = case
            .live_boundaries
            .iter()
            .flat_map(|boundaries| boundaries.problems.clone())
            .collect();
        if self.asked.length() - window.length() > TimeDelta::seconds(2) {
            let clock = case.settings.clock();
            case.coverage.not_seen.push(format!(
                "of the window {} only {} is dissected",
                clock.window(&self.asked),
                clock.window(&window)
            ));
        }
        case.asked_window = Some(window);
        case.window = Some(window);
        case.live = Some(live);
        State::Ask(Ask::new(case, self.order.clone()))
    }
}

/// The live traffic that covers the window, as far as the server says: on every node that records packets.
fn covered(
    asked: &Window,
    live: Option<&Boundaries>,
    recorded: Option<&Boundaries>,
    clock: &Clock,
) -> Result<Window, Uncovered> {
    let live = live.ok_or(Uncovered::Untold)?;
    let Some(held) = live.cluster else {
        return Err(if live.dissection_enabled == Some(false) {
            Uncovered::Off
        } else {
            Uncovered::Partly("nothing is dissected yet".to_owned())
        });
    };
    let lacks = |who: &str, held: &Window| {
        let covers = held.start <= asked.start && held.end + LATE >= asked.end;
        if covers {
            Ok(())
        } else {
            let window = clock.window(held);
            Err(Uncovered::Partly(format!("{who} has dissected only {window}")))
        }
    };
    lacks("the server", &held)?;
    for node in &live.nodes {
        match &node.window {
            Some(held) => lacks(&node.name, held)?,
            None => {
                return Err(Uncovered::Partly(format!("{} has dissected nothing", node.name)));
            }
        }
    }
    let named = |name: &str| live.nodes.iter().any(|node| node.name == name);
    let recording = recorded.iter().flat_map(|recorded| &recorded.nodes);
    for node in recording.filter(|node| node.window.is_some()) {
        if !live.nodes.is_empty() && !named(&node.name) {
            return Err(Uncovered::Partly(format!("{} dissects nothing", node.name)));
        }
    }
    Ok(held)
}

fn failure(uncovered: Uncovered, can_switch: bool) -> Failure {
    let snapshot =
        "leave --live out: a snapshot of the window is taken and dissected, which works for the past too";
    let mut hints = vec![snapshot.to_owned()];
    let message = match uncovered {
        Uncovered::Untold => "the server does not say what it has dissected as it came".to_owned(),
        Uncovered::Off => {
            if can_switch {
                hints.push(
                    "--live --yes switches live dissection on; it works forward only: calls from then on can be asked for, none from before, and it costs the nodes CPU".to_owned(),
                );
            }
            "live dissection is off: packets are recorded, and nothing is dissected as it comes".to_owned()
        }
        Uncovered::Partly(what) => format!("not all of the window is dissected: {what}"),
    };
    Failure {
        kind: FailureKind::NotFound,
        message,
        hints,
    }
}

impl Step for Live {
    fn plan(&self, _: &Case) -> Plan {
        if self.switching {
            Plan::Act(one(
                "live dissection is off, and may be switched on",
                Operation::EnableLiveDissection,
            ))
        } else {
            Plan::Decide
        }
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        if self.switching {
            return match answer(seen).and_then(|answer| read(&answer, decode::live_dissection)) {
                Ok(now) if now.enabled => {
                    case.changes.push(
                        "live dissection was off, and is switched on. It covers what comes from now on: this question is asked of a snapshot".to_owned(),
                    );
                    State::clone(&self.otherwise)
                }
                Ok(_) => stopped(
                    "could not switch live dissection on",
                    failure(Uncovered::Off, false),
                ),
                Err(failure) => stopped("could not switch live dissection on", failure),
            };
        }
        let clock = case.settings.clock();
        let held = covered(
            &self.within(case),
            case.live_boundaries.as_ref(),
            case.boundaries.as_ref(),
            &clock,
        );
        match held {
            Ok(live) => self.ask(case, live),
            Err(_) if self.order.live != LiveChoice::Only => State::clone(&self.otherwise),
            Err(Uncovered::Off) if case.settings.yes && case.supports(&Operation::EnableLiveDissection) => {
                State::Live(Self {
                    switching: true,
                    ..self.clone()
                })
            }
            Err(uncovered) => {
                let can_switch = case.supports(&Operation::EnableLiveDissection);
                stopped(WHAT, failure(uncovered, can_switch))
            }
        }
    }

    fn refused(&self, _: &mut Case, why: &str) -> State {
        stopped("could not switch live dissection on", super::malformed(why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        time::{HourStyle, Zone},
        wire::decode::NodeBoundaries,
    };

    fn window(from: i64, to: i64) -> Window {
        let at = |seconds| chrono::DateTime::from_timestamp(1_780_000_000 + seconds, 0).unwrap();
        Window {
            start: at(from),
            end: at(to),
        }
    }

    fn boundaries(enabled: Option<bool>, nodes: &[(&str, Option<(i64, i64)>)]) -> Boundaries {
        let nodes: Vec<NodeBoundaries> = nodes
            .iter()
            .map(|(name, held)| NodeBoundaries {
                name: (*name).to_owned(),
                window: held.map(|(from, to)| window(from, to)),
            })
            .collect();
        let windows = || nodes.iter().filter_map(|node| node.window);
        let start = windows().map(|window| window.start).min();
        let end = windows().map(|window| window.end).max();
        Boundaries {
            cluster: start.zip(end).map(|(start, end)| Window { start, end }),
            nodes,
            dissection_enabled: enabled,
            problems: Vec::new(),
        }
    }

    fn says(live: Option<&Boundaries>) -> Result<Window, Uncovered> {
        let clock = Clock {
            zone: "Etc/UTC".parse::<Zone>().unwrap(),
            now: window(0, 0).start,
            hours: HourStyle::default(),
        };
        let recorded = boundaries(None, &[("a", Some((-900, 600))), ("b", Some((-900, 600)))]);
        covered(&window(0, 600), live, Some(&recorded), &clock)
    }

    #[test]
    fn live_traffic_covers_a_window_on_every_node_or_not_at_all() {
        let on = Some(true);
        let whole = boundaries(on, &[("a", Some((-60, 598))), ("b", Some((-5, 575)))]);
        assert_eq!(says(Some(&whole)), Ok(window(-60, 598)));
        for (live, why) in [
            (
                boundaries(on, &[("a", Some((-60, 598))), ("b", Some((5, 598)))]),
                "b has dissected only",
            ),
            (
                boundaries(on, &[("a", Some((-60, 598))), ("b", Some((-60, 500)))]),
                "b has dissected only",
            ),
            (
                boundaries(on, &[("a", Some((-60, 598))), ("b", None)]),
                "b has dissected nothing",
            ),
            (boundaries(on, &[("a", Some((-60, 598)))]), "b dissects nothing"),
            (
                boundaries(on, &[("a", Some((30, 598))), ("b", Some((30, 598)))]),
                "the server has dissected only",
            ),
            (
                boundaries(on, &[("a", None), ("b", None)]),
                "nothing is dissected yet",
            ),
        ] {
            match says(Some(&live)) {
                Err(Uncovered::Partly(said)) => assert!(said.starts_with(why), "{said}"),
                other => panic!("{why}: {other:?}"),
            }
        }
        assert_eq!(says(None), Err(Uncovered::Untold));
        assert_eq!(says(Some(&boundaries(Some(false), &[]))), Err(Uncovered::Off));
        // Switched off since, what it holds still counts.
        let before = boundaries(Some(false), &[("a", Some((-60, 598))), ("b", Some((-60, 598)))]);
        assert_eq!(says(Some(&before)), Ok(window(-60, 598)));
    }
}
