use super::*;
use crate::investigation::{Phase, guard::GUARDS, route};

/// What is said of a text that is wrong, a line each.
fn found(text: &str) -> String {
    let found = read(text).expect_err("it is wrong");
    let lines = found.iter().map(|finding| {
        format!(
            "{finding}\n  help: {}",
            finding.suggestion.as_deref().expect("a suggestion")
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

const HEAD: &str = "name: ours\nwhen: Ours.\ntask: investigate\n";

#[test]
fn what_is_shipped_is_in_order_and_explained() {
    for shipped in SHIPPED {
        let playbook = read(shipped.text).unwrap_or_else(|found| panic!("{}: {found:?}", shipped.name));
        assert_eq!(playbook.name, shipped.name);
        assert!(!explain(&playbook).blocks.is_empty());
        let again: Playbook = serde_json::from_value(serde_json::to_value(&playbook).unwrap()).unwrap();
        assert_eq!(again, playbook, "it comes back from a journal as it was");
    }
}

#[test]
fn a_playbook_says_what_differs() {
    let ours = read(&format!(
        "{HEAD}budget:\n  calls: 40\nphases:\n  - phase: preflight\n  - phase: window\n  - phase: secure\n    add_guards: [read-only]\n    tools: [list_snapshots]\n  - phase: index\n  - phase: survey\n  - phase: weigh\n  - phase: conclude\nalways:\n  - why: are lookups refused?\n    filter: dns && status_code == 5\n"
    ))
    .unwrap();
    let theirs = read(SHIPPED[0].text).unwrap();
    assert_eq!(ours.budget.calls, 40);
    assert_eq!(ours.survey, theirs.survey);
    assert!(!ours.has(Phase::Handoff) && theirs.has(Phase::Handoff));
    assert!(ours.asks_for("read-only", Phase::Secure) && !ours.asks_for("read-only", Phase::Index));
    assert!(
        ours.asks_for("playbook-tools", Phase::Secure) && ours.asks_for("playbook-phases", Phase::Survey)
    );
}

#[test]
fn mistakes_are_told_with_their_line_and_what_was_meant() {
    insta::assert_snapshot!(found(&format!(
        "{HEAD}needs: [sinc]
phases:
  - phase: preflight
    guards: [health-first, allowed-tools, known-tools]
  - phase: windw
  - phase: secure
    add_guards: [read-olny, positive-control]
    tools: [list_snapshot, enable_live_dissection, upload_snapshot]
  - phase: index
  - phase: index
  - phase: inspect
  - phase: count
  - phase: weigh
  - phase: conclude
budget:
  calls: 0
always:
  - why: broken lookups
    filter: dns && status_cod != 0
export: [cap]
"
    )), @r#"
    3:7: the task `investigate` needs the phase `window`
      help: add `- phase: window`
    3:7: the task `investigate` needs the phase `survey`
      help: add `- phase: survey`
    4:9: there is no input `sinc`
      help: did you mean `since`?
    7:13: the guard `budget` is required in `preflight`: calls, bytes and time stay inside the budget
      help: add `budget`, or leave `guards` out; a playbook can add guards with `add_guards`, never take one away
    8:12: there is no phase `windw`
      help: did you mean `window`?
    9:12: `secure` cannot be reached: no phase that is listed leads to it
      help: add `- phase: window`
    10:18: there is no guard `read-olny`
      help: did you mean `read-only`?
    10:29: the guard `positive-control` has nothing to look at in `secure`
      help: it belongs to conclude
    11:13: there is no tool `list_snapshot`
      help: did you mean `list_snapshots`?
    11:28: `secure` has no use for the tool `enable_live_dissection`
      help: it uses list_snapshots, create_snapshot, get_snapshot
    11:52: `secure` has no use for the tool `upload_snapshot`
      help: did you mean `create_snapshot`?
    12:12: `index` cannot be reached: no phase that is listed leads to it
      help: add `- phase: window`
    13:12: `index` is listed twice
      help: put its guards and tools into one of the two, and take the other out
    14:12: `inspect` cannot be reached: no phase that is listed leads to it
      help: add `- phase: window`, `- phase: survey`, `- phase: narrow`
    15:12: `count` is no phase of the task `investigate`
      help: its phases are preflight, window, secure, index, survey, weigh, conclude, intake, hypothesise, narrow, inspect, read, probe, challenge, handoff, write
    16:12: `weigh` cannot be reached: no phase that is listed leads to it
      help: add `- phase: window`, `- phase: survey`
    17:12: `conclude` cannot be reached: no phase that is listed leads to it
      help: add `- phase: window`
    19:10: `budget.calls` is 0, and may be from 1 to 100000
      help: leave it out for the usual 250
    22:13: the filter `dns && status_cod != 0`: no field is named `status_cod` (a server answers an unknown name with an empty list)
      help: write `status_code`
    23:10: there is no export `cap`
      help: did you mean `pcap`?
    "#);
}

#[test]
fn what_is_no_playbook_is_told_apart() {
    for (text, name) in [
        ("", "empty"),
        ("name: [", "no YAML"),
        (
            "name: a\nwhen: b\ntask: investigate\nbudgets:\n  calls: 3\n",
            "unknown key",
        ),
        (
            "name: a\nwhen: b\ntask: investigate\nbudget:\n  calls: many\n",
            "no number",
        ),
        ("name: a b\nwhen: ' '\ntask: investigating\n", "rubbish in fields"),
        ("name: a\nname: b\nwhen: c\ntask: investigate\n", "twice"),
    ] {
        insta::assert_snapshot!(name, found(text));
    }
}

#[test]
fn every_phase_of_a_route_can_be_reached_and_knows_its_guards() {
    for route in route::ROUTES {
        let all: Vec<Phase> = route.needed.iter().chain(route.optional).copied().collect();
        for phase in &all {
            assert!(route::reaches(&all, *phase), "{phase:?} of {:?}", route.task);
            assert!(route::guards_of(*phase).count() > 0, "{phase:?} has no guard");
        }
        assert!(route::reaches(route.needed, *route.needed.last().unwrap()));
    }
    for guard in GUARDS {
        assert!(!guard.phases.is_empty(), "{} belongs to no phase", guard.name);
    }
}

#[test]
fn anything_else_is_an_error_and_no_panic() {
    use proptest::prelude::*;
    let shipped = SHIPPED[0].text;
    proptest!(|(cut in 0..shipped.len(), junk in "\\PC{0,40}", at in 0..shipped.len())| {
        let start: String = shipped.chars().take(cut).collect();
        let _ = read(&start);
        let at = (0..=at).rev().find(|at| shipped.is_char_boundary(*at)).unwrap_or(0);
        let (a, b) = shipped.split_at(at);
        let _ = read(&format!("{a}{junk}{b}"));
    });
}
