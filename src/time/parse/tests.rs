use super::*;
use crate::time::*;
#[test]
fn scratch() {
    let zone: Zone = "Asia/Jerusalem".parse().unwrap();
    let now: Utc = "2026-03-18T14:20:00Z".parse().unwrap();
    let clock = Clock {
        zone,
        now,
        hours: HourStyle::TwentyFour,
    };
    for text in std::fs::read_to_string("/tmp/time-phrases.txt").unwrap().lines() {
        let (since, until) = text
            .split_once(" || ")
            .map_or((text, None), |(a, b)| (a, Some(b)));
        println!("{text}");
        match parse_window(since, until, now, &zone) {
            Ok(r) => {
                println!("    {}", clock.window(&r.window));
                for a in r.assumptions {
                    println!("    - {a}");
                }
                for a in r.ambiguities {
                    println!("    ? {}", a.question);
                    for (i, c) in a.choices.iter().enumerate() {
                        println!("      {} {}", if i == a.chosen { "*" } else { " " }, c.label);
                    }
                }
            }
            Err(e) => println!("    ERROR {e}"),
        }
    }
}
