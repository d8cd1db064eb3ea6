//! Texts with several meanings, and answers to the questions they raise.

use super::*;

#[test]
fn an_abbreviation_of_several_zones_is_a_question() {
    let (now, berlin) = (utc("2026-03-18T14:20:00Z"), zone("Europe/Berlin"));
    insta::assert_snapshot!(all(&["14:00-14:30 IST", "2026-03-14 18:12 CST", "14:00 IST-14:30 IST"], now, berlin), @r"
    14:00-14:30 IST => 09:30:00–10:00:00 CET (08:30:00–09:00:00 UTC)
        IST was taken as the one of India (UTC+05:30), not of Israel or Ireland
      ? whose IST is meant?
      * India (UTC+05:30): 09:30:00–10:00:00 CET (08:30:00–09:00:00 UTC)
        Israel (UTC+02:00): 13:00:00–13:30:00 CET (12:00:00–12:30:00 UTC)
        Ireland (UTC+01:00): 14:00:00–14:30:00 CET (13:00:00–13:30:00 UTC)
    2026-03-14 18:12 CST => 2026-03-15 01:12:00–02:12:00 CET (00:12:00–01:12:00 UTC)
        CST was taken as the one of US Central (UTC-06:00), not of China or Cuba
        CST was read as UTC-06:00, although America/Chicago has CDT (UTC-05:00) then
        no end was given: the window ends an hour after its start, at 2026-03-15 02:12:00 CET (01:12:00 UTC)
      ? whose CST is meant?
      * US Central (UTC-06:00): 2026-03-15 01:12:00–02:12:00 CET (00:12:00–01:12:00 UTC)
        China (UTC+08:00): 2026-03-14 11:12:00–12:12:00 CET (10:12:00–11:12:00 UTC)
        Cuba (UTC-05:00): 2026-03-15 00:12:00–01:12:00 CET (2026-03-14 23:12:00–2026-03-15 00:12:00 UTC)
    14:00 IST-14:30 IST => 09:30:00–10:00:00 CET (08:30:00–09:00:00 UTC)
        IST was taken as the one of India (UTC+05:30), not of Israel or Ireland
      ? whose IST is meant?
      * India (UTC+05:30): 09:30:00–10:00:00 CET (08:30:00–09:00:00 UTC)
        Israel (UTC+02:00): 13:00:00–13:30:00 CET (12:00:00–12:30:00 UTC)
        Ireland (UTC+01:00): 14:00:00–14:30:00 CET (13:00:00–13:30:00 UTC)
    ");
}

#[test]
fn the_readers_own_zone_needs_no_question() {
    let now = utc("2026-03-18T14:20:00Z");
    for (own, expected) in [
        ("Asia/Kolkata", "2026-03-18T08:30:00Z"),
        ("Asia/Jerusalem", "2026-03-18T12:00:00Z"),
        ("Asia/Shanghai", "2026-03-18T06:00:00Z"),
    ] {
        let text = if own == "Asia/Shanghai" {
            "2pm CST"
        } else {
            "2pm IST"
        };
        let reading = parse_window(text, None, now, &zone(own)).unwrap();
        assert_eq!(reading.window.start, utc(expected), "{own}");
        assert_eq!(reading.ambiguities, [], "{own}");
        assert!(
            reading
                .assumptions
                .iter()
                .any(|said| said.contains("your own zone's")),
            "{own}: {:?}",
            reading.assumptions
        );
    }
    // Ireland has its IST in summer only.
    let summer = parse_window(
        "2pm IST",
        None,
        utc("2026-07-18T14:20:00Z"),
        &zone("Europe/Dublin"),
    )
    .unwrap();
    assert_eq!(
        (summer.window.start, summer.ambiguities.len()),
        (utc("2026-07-18T13:00:00Z"), 0)
    );
    let winter = parse_window("2pm IST", None, now, &zone("Europe/Dublin")).unwrap();
    assert_eq!(
        (winter.window.start, winter.ambiguities.len()),
        (utc("2026-03-18T08:30:00Z"), 1)
    );
}

#[test]
fn an_abbreviation_of_the_readers_zone_that_the_table_lacks() {
    // Lord Howe has no letters, but Apia-like numeric names; Guam has ChST.
    let point = parse_point("14:00 ChST", utc("2026-03-18T14:20:00Z"), &zone("Pacific/Guam")).unwrap();
    assert_eq!(point.at, utc("2026-03-18T04:00:00Z"));
}

#[test]
fn an_answer_moves_the_window_and_is_no_assumption() {
    let (now, berlin) = (utc("2026-03-18T14:20:00Z"), zone("Europe/Berlin"));
    let default = parse_window("14:00-14:30 IST", None, now, &berlin).unwrap();
    let question = &default.ambiguities[0];
    for (index, choice) in question.choices.iter().enumerate() {
        let answered = parse_window_with("14:00-14:30 IST", None, now, &berlin, &[index]).unwrap();
        assert_eq!(answered.window, choice.window);
        assert_eq!(answered.ambiguities[0].chosen, index);
        assert!(
            !answered
                .assumptions
                .iter()
                .any(|said| said.contains("IST was taken")),
            "{:?}",
            answered.assumptions
        );
    }
    // Beyond the choices: the default.
    assert_eq!(
        parse_window_with("14:00-14:30 IST", None, now, &berlin, &[7])
            .unwrap()
            .window,
        default.window
    );
}

#[test]
fn a_meaning_that_cannot_be_is_not_offered() {
    let (now, zone) = wednesday();
    // With the US meaning of CST the start would follow the end; Cuba's would make it the same.
    let reading = parse_window("2026-03-14 14:00 CST to 2026-03-14 19:00 UTC", None, now, &zone).unwrap();
    assert_eq!(reading.window.start, utc("2026-03-14T06:00:00Z"));
    assert_eq!(reading.ambiguities, []);
    assert_eq!(
        reading.assumptions,
        ["CST was taken as the one of China (UTC+08:00), not of US Central or Cuba"]
    );
}

#[test]
fn our_own_rendering_reads_back_without_a_question() {
    let (now, berlin) = (utc("2026-03-18T14:20:00Z"), zone("Europe/Berlin"));
    for (written, start) in [
        ("15:03:22 IST (13:03:22 UTC)", "2026-03-18T13:03:22Z"),
        ("15:03:22 IST (09:33:22 UTC)", "2026-03-18T09:33:22Z"),
        (
            "2026-03-14 01:03:22 IST (2026-03-13 23:03:22 UTC)",
            "2026-03-13T23:03:22Z",
        ),
        (
            "2026-03-14 01:03:22 NZDT (2026-03-13 12:03:22 UTC)",
            "2026-03-13T12:03:22Z",
        ),
        ("2026-03-14 01:03:22 HST (11:03:22 UTC)", "2026-03-14T11:03:22Z"),
        (
            "2026-03-14 01:00:00–01:30:00 IST (2026-03-13 23:00:00–23:30:00 UTC)",
            "2026-03-13T23:00:00Z",
        ),
    ] {
        let reading =
            parse_window(written, None, now, &berlin).unwrap_or_else(|error| panic!("{written}: {error}"));
        assert_eq!(
            (reading.window.start, reading.ambiguities.len()),
            (utc(start), 0),
            "{written}"
        );
    }
}
