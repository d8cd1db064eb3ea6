//! Every prefix of a journal can be finished, and ends the same.

use std::{fs, ops::Add};

use rca_agent::{
    driver::{self, Unwatched},
    effects::NoEffects,
    investigation::{Machine, State, Verdict},
    journal::{self, BODIES, CaseJournal, JOURNAL, JournalError, Recording},
    wire::Operation,
};

use crate::support::{CASE, Recorded, investigate, opening, settings};

#[tokio::test(flavor = "multi_thread")]
async fn every_prefix_of_a_journal_can_be_finished() {
    let whole = tempfile::tempdir().unwrap();
    let machine = investigate(whole.path()).await;
    let State::Concluded(finding) = machine.state() else {
        panic!("{:?}", machine.state())
    };
    assert_eq!(
        (finding.verdict, finding.causes[0].party.name.as_str()),
        (Verdict::RootCause, "postgres")
    );
    let text = fs::read_to_string(whole.path().join(JOURNAL)).unwrap();
    let entries = journal::read(whole.path()).unwrap().entries;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    assert_eq!(lines.len(), entries.len());
    let mut restored = 0;
    for cut in 0..=lines.len() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(JOURNAL), lines[..cut].concat()).unwrap();
        // Large results are written before the line that names them: those of the prefix are there.
        fs::create_dir(dir.path().join(BODIES)).unwrap();
        for body in fs::read_dir(whole.path().join(BODIES)).unwrap().flatten() {
            fs::hard_link(body.path(), dir.path().join(BODIES).join(body.file_name())).unwrap();
        }
        let recording = journal::read(dir.path()).unwrap();
        assert_eq!(recording.entries.len(), cut);
        let mut world = Recorded::of(&entries);
        let mut journal = CaseJournal::open(dir.path(), recording).unwrap();
        let mut machine = Machine::new(CASE, settings());
        driver::drive(&mut machine, opening(), &mut world, &mut journal, &mut Unwatched)
            .await
            .unwrap();
        assert_eq!(
            fs::read_to_string(dir.path().join(JOURNAL)).unwrap(),
            text,
            "cut after line {cut}"
        );
        restored += usize::from(
            world
                .restored
                .iter()
                .any(|made| matches!(made, Operation::CreateSnapshot { .. })),
        );
    }
    assert!(
        restored > 10,
        "only {restored} of the runs had a snapshot to restore"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_follows_the_whole_recording_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let live = investigate(dir.path()).await;
    let recording = journal::read(dir.path()).unwrap();
    let mut machine = Machine::new(CASE, settings());
    let mut replay = CaseJournal::replay(recording.clone());
    driver::drive(
        &mut machine,
        opening(),
        &mut NoEffects,
        &mut replay,
        &mut Unwatched,
    )
    .await
    .unwrap();
    let (State::Concluded(a), State::Concluded(b)) = (live.state(), machine.state()) else {
        panic!("no finding")
    };
    assert_eq!(a, b);

    let mut cut = recording.clone();
    cut.entries.truncate(recording.entries.len() / 2);
    let mut machine = Machine::new(CASE, settings());
    let error = driver::drive(
        &mut machine,
        opening(),
        &mut NoEffects,
        &mut CaseJournal::replay(cut),
        &mut Unwatched,
    )
    .await
    .unwrap_err();
    assert!(
        matches!(error, driver::RunError::Journal(JournalError::Exhausted(_))),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_cannot_write_one_case() {
    let dir = tempfile::tempdir().unwrap();
    let first = CaseJournal::open(dir.path(), Recording::nothing()).unwrap();
    let second = CaseJournal::open(dir.path(), Recording::nothing());
    assert!(matches!(second, Err(JournalError::Busy { .. })));
    drop(first);
    CaseJournal::open(dir.path(), Recording::nothing()).unwrap();
}

#[test]
fn journals_that_cannot_be_read_say_where() {
    let dir = tempfile::tempdir().unwrap();
    let said = |text: &str| {
        fs::write(dir.path().join(JOURNAL), text).unwrap();
        journal::read(dir.path())
            .unwrap_err()
            .to_string()
            .replace(&dir.path().display().to_string(), "DIR")
    };
    let line = journal::Line::after("", 1, &opening(), journal::FORMAT).unwrap();
    let link = line.link.clone().unwrap();
    let line = serde_json::to_string(&line).unwrap();
    let newer = line.replace("\"format\":2", "\"format\":9");
    let again = journal::Line::after(&link, 1, &opening(), journal::FORMAT).unwrap();
    let again = serde_json::to_string(&again).unwrap();
    let shown = [
        said("rubbish\n"),
        said(&format!("{line}\n{line}\n")),
        said(&format!("{line}\n{again}\n")),
        said(&format!("{newer}\n")),
        said(&line.replace("what broke?", "what else?").add("\n")),
    ];
    insta::assert_snapshot!("unreadable journals", shown.join("\n"));
    fs::write(dir.path().join(JOURNAL), &line).unwrap();
    assert!(
        journal::read(dir.path()).unwrap().torn,
        "a first line without its end was never finished"
    );
}

/// The journal of `dir` as the first version wrote it.
fn as_format_1(dir: &std::path::Path) {
    let path = dir.join(JOURNAL);
    let mut out = String::new();
    for line in fs::read_to_string(&path).unwrap().lines() {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        line.as_object_mut().unwrap().shift_remove("link");
        if let Some(format) = line.pointer_mut("/entry/format") {
            *format = 1.into();
        }
        // What playbooks and settings did not hold yet.
        if let Some(settings) = line.pointer_mut("/entry/settings") {
            let playbook = settings["playbook"].as_object_mut().unwrap();
            playbook.retain(|key, _| {
                ["name", "when", "window", "wait", "budget", "survey"].contains(&key.as_str())
            });
        }
        out.push_str(&line.to_string());
        out.push('\n');
    }
    fs::write(path, out).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_of_the_first_format_is_read_replayed_and_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    investigate(dir.path()).await;
    let entries = journal::read(dir.path()).unwrap().entries;
    as_format_1(dir.path());
    let old = journal::read(dir.path()).unwrap();
    assert_eq!((old.format, old.link.as_str()), (1, ""));
    assert_eq!(old.entries[1..], entries[1..]);
    let text = fs::read_to_string(dir.path().join(JOURNAL)).unwrap();
    let half: String = text.split_inclusive('\n').take(entries.len() / 2).collect();
    fs::write(dir.path().join(JOURNAL), half).unwrap();
    let recording = journal::read(dir.path()).unwrap();
    let (opening, mut world) = (recording.entries[0].clone(), Recorded::of(&entries));
    let mut journal = CaseJournal::open(dir.path(), recording).unwrap();
    let mut machine = Machine::new(CASE, settings());
    driver::drive(&mut machine, opening, &mut world, &mut journal, &mut Unwatched)
        .await
        .unwrap();
    assert_eq!(
        fs::read_to_string(dir.path().join(JOURNAL)).unwrap(),
        text,
        "in its own format"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_changed_line_is_found() {
    let whole = tempfile::tempdir().unwrap();
    investigate(whole.path()).await;
    let path = whole.path().join(JOURNAL);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let changed = |lines: Vec<String>| {
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        journal::read(whole.path())
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    let owned = || lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    for at in 0..lines.len() {
        let mut digits = owned();
        let place = digits[at].rfind(|c: char| c.is_ascii_digit()).unwrap();
        let other = if digits[at][place..].starts_with('7') {
            "8"
        } else {
            "7"
        };
        digits[at].replace_range(place..=place, other);
        let found = changed(digits);
        assert!(found.is_err(), "line {} was changed", at + 1);
        if at + 1 < lines.len() {
            let mut removed = owned();
            removed.remove(at);
            assert!(changed(removed).is_err(), "line {} was removed", at + 1);
            let mut swapped = owned();
            swapped.swap(at, at + 1);
            assert!(changed(swapped).is_err(), "line {} was moved", at + 1);
        }
    }
    assert_eq!(changed(owned()), Ok(()));
    let body = fs::read_dir(whole.path().join(BODIES))
        .unwrap()
        .flatten()
        .next()
        .unwrap()
        .path();
    let bytes = fs::read_to_string(&body).unwrap();
    fs::write(&body, bytes.replacen('1', "2", 1)).unwrap();
    let found = changed(owned()).unwrap_err();
    assert!(
        found.contains("was changed") && found.contains(".json"),
        "{found}"
    );
}
