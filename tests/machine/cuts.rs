//! Every prefix of a journal can be finished, and ends the same.

use std::fs;

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
    let line = serde_json::to_string(&journal::Line {
        seq: 1,
        entry: opening(),
    })
    .unwrap();
    let newer = line.replace("\"format\":1", "\"format\":9");
    let shown = [
        said("rubbish\n"),
        said(&format!("{line}\n{line}\n")),
        said(&format!("{newer}\n")),
    ];
    insta::assert_snapshot!("unreadable journals", shown.join("\n"));
    fs::write(dir.path().join(JOURNAL), &line).unwrap();
    assert!(
        journal::read(dir.path()).unwrap().torn,
        "a first line without its end was never finished"
    );
}
