//! What neither the order of calls nor names may change: the incident's time, common factors, the place of losses.

use proptest::prelude::*;

use super::{
    super::{Dimension, Picture, Place, Side, common_factors, incident_in, lossy},
    ranking::{at, call, stretch},
};
use crate::wire::decode::{Call, TcpMetrics};

/// One call a second for ten minutes; from `from` to `to` (s) four of five fail.
fn minutes(from: i64, to: i64) -> Vec<Call> {
    (0..600)
        .map(|second| {
            let bad = (from..to).contains(&second) && second % 5 != 0;
            let mut call = call(
                usize::try_from(second).unwrap(),
                "gateway",
                "orders",
                second * 1_000_000,
            );
            call.status = Some(if bad { 500 } else { 200 });
            call.elapsed_us = Some(2_000);
            call
        })
        .collect()
}

fn connection(id: usize, from: &str, to: &str, again: i64) -> Call {
    let mut one = call(id, from, to, 0);
    one.protocol = "tcp_flow".to_owned();
    one.tcp = Some(TcpMetrics {
        retransmissions: Some(again),
        ..TcpMetrics::default()
    });
    one
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_incident_is_where_it_was_put(from in 310_i64..400, length in 60_i64..180, rotate in 0_usize..600) {
        let mut calls = minutes(from, from + length);
        calls.rotate_left(rotate);
        let picture = Picture { calls, ..Picture::default() };
        let found = incident_in(&picture, &[stretch(0, 300)], &stretch(300, 600)).unwrap();
        let off = (found.onset - at(from * 1_000_000)).num_seconds();
        prop_assert!((0..=2).contains(&off), "{off}");
    }

    #[test]
    fn the_place_of_losses_has_no_favourite_name(name in "[a-z]{3,9}", again in 2_i64..9, rotate in 0_usize..40) {
        prop_assume!(!["gateway", "orders", "stock"].contains(&name.as_str()));
        let mut calls: Vec<(Side, Call)> = Vec::new();
        for id in 0..20 {
            for (number, side) in [(0, Side::Before), (1, Side::During)] {
                let id = 10 * (2 * id + number);
                let lost = if side == Side::During { again } else { 0 };
                calls.push((side, connection(id, "gateway", &name, lost)));
                calls.push((side, connection(id + 1, "orders", &name, lost)));
                calls.push((side, connection(id + 2, "gateway", "stock", 0)));
            }
        }
        calls.rotate_left(rotate);
        let listed: Vec<(Side, &Call)> = calls.iter().map(|(side, call)| (*side, call)).collect();
        let found = lossy(&listed).unwrap();
        let named = matches!(&found.place, Place::Pod { party, .. } if party.name == name);
        prop_assert!(named, "{found:?}");
    }

    #[test]
    fn a_common_value_is_found_whatever_it_is(value in "[a-z0-9]{4,12}", rotate in 0_usize..30) {
        let make = |id: usize, who: &str| {
            let mut one = call(id, "gateway", "orders", 0);
            one.path = Some(format!("/orders?customer={who}"));
            one
        };
        let mut bad: Vec<Call> = (0..30).map(|id| make(id, &value)).collect();
        let good: Vec<Call> = (0..30).map(|id| make(100 + id, &format!("other-{id}"))).collect();
        bad.rotate_left(rotate);
        let factors = common_factors(&bad.iter().collect::<Vec<_>>(), &good.iter().collect::<Vec<_>>());
        prop_assert_eq!(&factors[0].dimension, &Dimension::Query("customer".to_owned()));
        prop_assert_eq!(&factors[0].value, &value);
        prop_assert_eq!((factors[0].failing, factors[0].good), ((30, 30), (0, 30)));
    }
}
