use proptest::prelude::*;

use super::*;
use crate::time::abbreviation;

fn told(system: SystemZone<'_>) -> String {
    let (zone, source, notes) = Zone::from_system(system);
    let lines = [format!("{zone} from {source}")].into_iter().chain(notes);
    lines.collect::<Vec<_>>().join("\n    ") + "\n"
}

fn variable(value: &str) -> SystemZone<'_> {
    SystemZone {
        tz_env: Some(value),
        localtime_link: Some("/usr/share/zoneinfo/Asia/Kolkata"),
        ..SystemZone::default()
    }
}

#[test]
fn the_variable_as_the_c_library_reads_it() {
    let same = |values: &[&str], name: &str| {
        for value in values {
            let (zone, source, notes) = Zone::from_system(variable(value));
            assert_eq!(
                (zone.name(), source, notes.as_slice()),
                (name, ZoneSource::TzVariable, [].as_slice()),
                "{value}"
            );
        }
    };
    same(
        &[
            "Asia/Jerusalem",
            ":Asia/Jerusalem",
            "/usr/share/zoneinfo/Asia/Jerusalem",
            ":/usr/share/zoneinfo/Asia/Jerusalem",
            "/usr/share/zoneinfo/posix/Asia/Jerusalem",
            "right/Asia/Jerusalem",
            "asia/jerusalem",
        ],
        "Asia/Jerusalem",
    );
    same(&["", ":"], "UTC");
    same(&["EST5EDT"], "EST5EDT");
    same(&["UTC"], "UTC");
}

#[test]
fn a_rule_is_that_of_a_zone() {
    let values = [
        "IST-5:30",
        "IST-2IDT,M3.4.4/26,M10.5.0",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "EST5EDT,M3.2.0,M11.1.0",
        "CST5CDT,M3.2.0/0,M11.1.0/1",
        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
        "JST-9",
        "<+04>-4",
        "UTC0",
        "UTC+3",
        "XYZ-3",
        "XYZ-3:17",
        "EET-2EEST,M4.5.5/0,M10.5.4/24",
        "Foo/Bar",
        "UTC+99999999999",
    ];
    let lines: String = values
        .map(|value| format!("{value} => {}", told(variable(value))))
        .concat();
    insta::assert_snapshot!(lines, @r"
    IST-5:30 => Asia/Kolkata from the variable TZ
        TZ is the rule `IST-5:30`, which is that of Asia/Kolkata
    IST-2IDT,M3.4.4/26,M10.5.0 => Asia/Jerusalem from the variable TZ
        TZ is the rule `IST-2IDT,M3.4.4/26,M10.5.0`, which is that of Asia/Jerusalem
    CET-1CEST,M3.5.0,M10.5.0/3 => Europe/Berlin from the variable TZ
        TZ is the rule `CET-1CEST,M3.5.0,M10.5.0/3`, which is that of Europe/Berlin
    EST5EDT,M3.2.0,M11.1.0 => America/New_York from the variable TZ
        TZ is the rule `EST5EDT,M3.2.0,M11.1.0`, which is that of America/New_York
    CST5CDT,M3.2.0/0,M11.1.0/1 => America/Havana from the variable TZ
        TZ is the rule `CST5CDT,M3.2.0/0,M11.1.0/1`, which is that of America/Havana
    <+1030>-10:30<+11>-11,M10.1.0,M4.1.0 => Australia/LHI from the variable TZ
        TZ is the rule `<+1030>-10:30<+11>-11,M10.1.0,M4.1.0`, which is that of Australia/LHI
    JST-9 => Asia/Tokyo from the variable TZ
        TZ is the rule `JST-9`, which is that of Asia/Tokyo
    <+04>-4 => Asia/Dubai from the variable TZ
        TZ is the rule `<+04>-4`, which is that of Asia/Dubai
    UTC0 => UTC from the variable TZ
        TZ is the rule `UTC0`, which is that of UTC
    UTC+3 => Etc/GMT+3 from the variable TZ
        TZ is the rule `UTC+3`, which is that of Etc/GMT+3
    XYZ-3 => Etc/GMT-3 from the variable TZ
        TZ is the rule `XYZ-3`, which is that of Etc/GMT-3
    XYZ-3:17 => Asia/Kolkata from the link /etc/localtime
        TZ is the rule `XYZ-3:17`, which is that of no time zone known by name
        the time zone is Asia/Kolkata, from the link /etc/localtime
    EET-2EEST,M4.5.5/0,M10.5.4/24 => Africa/Cairo from the variable TZ
        TZ is the rule `EET-2EEST,M4.5.5/0,M10.5.4/24`, which is that of Africa/Cairo
    Foo/Bar => Asia/Kolkata from the link /etc/localtime
        TZ is `Foo/Bar`, which is no time zone
        the time zone is Asia/Kolkata, from the link /etc/localtime
    UTC+99999999999 => Asia/Kolkata from the link /etc/localtime
        TZ is `UTC+99999999999`, which is no time zone
        the time zone is Asia/Kolkata, from the link /etc/localtime
    ");
}

#[test]
fn the_sources_follow_each_other() {
    let nothing = SystemZone::default();
    let link = |target| SystemZone {
        localtime_link: Some(target),
        etc_timezone: Some("Europe/Berlin\n"),
        ..nothing
    };
    let file = b"TZif2\0...\nIST-2IDT,M3.4.4/26,M10.5.0\n";
    let lines = [
        told(link("../usr/share/zoneinfo/Asia/Tokyo")),
        told(link("/usr/share/zoneinfo/right/Asia/Tokyo")),
        told(link("/etc/my-zone")),
        told(SystemZone {
            tz_env: Some(":/etc/localtime"),
            ..link("/usr/share/zoneinfo/Asia/Tokyo")
        }),
        told(SystemZone {
            localtime_bytes: Some(file),
            etc_timezone: Some("Europe/Berlin"),
            ..nothing
        }),
        told(SystemZone {
            localtime_bytes: Some(b"TZif2\0...\nCET-1CEST,M3.5.0,M10.5.0/3\n"),
            etc_timezone: Some("Europe/Madrid"),
            ..nothing
        }),
        told(SystemZone {
            localtime_bytes: Some(b"TZif2 cut off"),
            etc_timezone: Some("Europe/Berlin"),
            ..nothing
        }),
        told(SystemZone {
            localtime_bytes: Some(b"no zone"),
            etc_timezone: Some("# a comment\n\nEurope/Berlin\n"),
            ..nothing
        }),
        told(SystemZone {
            etc_timezone: Some("\n"),
            fallback: Some("America/Lima"),
            ..nothing
        }),
        told(nothing),
    ];
    insta::assert_snapshot!(lines.concat(), @r"
    Asia/Tokyo from the link /etc/localtime
    Asia/Tokyo from the link /etc/localtime
    Europe/Berlin from the file /etc/timezone
        /etc/localtime points to `/etc/my-zone`, which is no time zone
        the time zone is Europe/Berlin, from the file /etc/timezone
    Asia/Tokyo from the link /etc/localtime
    Asia/Jerusalem from the file /etc/localtime
        /etc/localtime is a copy without its name; its rule `IST-2IDT,M3.4.4/26,M10.5.0` is that of Asia/Jerusalem
    Europe/Madrid from the file /etc/localtime
    Europe/Berlin from the file /etc/timezone
        /etc/localtime is a file that does not say its zone
        the time zone is Europe/Berlin, from the file /etc/timezone
    Europe/Berlin from the file /etc/timezone
    America/Lima from the operating system
    UTC from no source
        the system names no time zone, so times are in UTC; choose one with --tz
    ");
}

#[test]
fn names_are_read_in_any_case_and_nearly_right_ones_are_offered() {
    assert_eq!("asia/jerusalem".parse::<Zone>().unwrap().name(), "Asia/Jerusalem");
    for (text, name) in [
        ("utc", "UTC"),
        ("Z", "UTC"),
        ("+02:00", "Etc/GMT-2"),
        ("UTC+2", "Etc/GMT-2"),
        ("-0500", "Etc/GMT+5"),
        ("UTC-12", "Etc/GMT+12"),
        (" Japan ", "Japan"),
    ] {
        assert_eq!(text.parse::<Zone>().unwrap().name(), name, "{text}");
    }
    let wrong = [
        "Asia/Jeruslem",
        "jerusalem",
        "New York",
        "Berlin",
        "IST",
        "CEST",
        "UTC+5:30",
        "+25:00",
        "Mars/Olympus",
        "",
        "x\u{1b}[31m",
    ];
    let lines: String = wrong
        .map(|name| format!("{}\n", name.parse::<Zone>().unwrap_err()))
        .concat();
    insta::assert_snapshot!(lines, @r"
    `Asia/Jeruslem` is no time zone; did you mean `Asia/Jerusalem`?
    `jerusalem` is no time zone; did you mean `Asia/Jerusalem`?
    `New York` is no time zone; did you mean `America/New_York`?
    `Berlin` is no time zone; did you mean `Europe/Berlin`?
    `IST` is used in several time zones; write `Asia/Kolkata`, `Asia/Jerusalem` or `Europe/Dublin`
    `CEST` is the abbreviation of an offset, not a time zone; write `Europe/Berlin`
    `UTC+5:30` is no time zone; write one as Area/City, such as `Europe/Berlin`, or `UTC`
    `+25:00` is no time zone; write one as Area/City, such as `Europe/Berlin`, or `UTC`
    `Mars/Olympus` is no time zone; write one as Area/City, such as `Europe/Berlin`, or `UTC`
    no time zone was given; write one as Area/City, such as `Europe/Berlin`
    `x�[31m` is no time zone; write one as Area/City, such as `Europe/Berlin`, or `UTC`
    ");
}

#[test]
fn a_zone_is_its_name_in_json() {
    let zone: Zone = "Australia/Lord_Howe".parse().unwrap();
    let json = serde_json::to_string(&zone).unwrap();
    assert_eq!(json, r#""Australia/Lord_Howe""#);
    assert_eq!(serde_json::from_str::<Zone>(&json).unwrap(), zone);
    let error = serde_json::from_str::<Zone>(r#""Australia/Lord_How""#)
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "`Australia/Lord_How` is no time zone; did you mean `Australia/Lord_Howe`?"
    );
}

#[test]
fn numeric_abbreviations_are_offsets() {
    let at = "2026-03-18T14:20:00Z".parse().unwrap();
    for (name, expected) in [
        ("Asia/Dubai", "UTC+04"),
        ("Asia/Kathmandu", "UTC+05:45"),
        ("America/Sao_Paulo", "UTC-03"),
        ("Antarctica/Troll", "UTC"),
        ("Asia/Kolkata", "IST"),
        ("America/St_Johns", "NDT"),
        ("UTC", "UTC"),
    ] {
        assert_eq!(name.parse::<Zone>().unwrap().abbreviation(at), expected, "{name}");
    }
}

/// Every offset and place in the table of abbreviations is what the database has, at some time since 1990; the
/// few that the database does not have by these letters are not compared by them.
#[test]
fn the_table_of_abbreviations_agrees_with_the_database() {
    for letters in abbreviation::names() {
        for meaning in abbreviation::meanings(letters) {
            let zone = meaning.zone().unwrap_or_else(|| panic!("{letters}"));
            let Some(offset) = meaning.offset() else { continue };
            let months = (0..36 * 12)
                .map(|month| DateTime::from_timestamp(631_152_000 + month * 2_629_746, 0).unwrap());
            assert!(
                months.into_iter().any(|at| zone.offset(at) == offset),
                "{letters} {zone}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_the_system_says_panics(
        tz in prop_oneof![".{0,20}", "[A-Z<>+]{3,5}[-+0-9:]{0,9}[A-Z]{0,4}(,M[0-9.]{0,7}(/[-0-9:]{0,5})?){0,3}"],
        bytes in prop::collection::vec(any::<u8>(), 0..40),
        name in ".{0,30}",
    ) {
        let file = [b"TZif".as_slice(), &bytes, b"\n", tz.as_bytes(), b"\n"].concat();
        for system in [
            SystemZone { tz_env: Some(&tz), ..SystemZone::default() },
            SystemZone { localtime_bytes: Some(&file), localtime_link: Some(&name), etc_timezone: Some(&name), fallback: Some(&tz), ..SystemZone::default() },
        ] {
            let (zone, source, notes) = Zone::from_system(system);
            prop_assert!(!zone.name().is_empty());
            prop_assert!(source != ZoneSource::Assumed || !notes.is_empty());
        }
    }
}
