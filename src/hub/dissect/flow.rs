//! Tables keyed by the two endpoints of a conversation, whoever of them sends.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::hub::entry::Endpoint;

/// A map from endpoint pairs. IPv4 pairs, by far the most, are a single integer; the hash is the
/// standard library's keyed one, since addresses and ports are chosen by whoever is captured.
#[derive(Debug)]
pub(super) struct FlowMap<V> {
    v4: HashMap<u128, V>,
    v6: HashMap<(u128, u128, u32), V>,
}

enum Key {
    V4(u128),
    V6((u128, u128, u32)),
}

impl Key {
    fn new(one: Endpoint, other: Endpoint) -> Self {
        let (low, high) = if one <= other { (one, other) } else { (other, one) };
        let ports = (u32::from(low.port) << 16) | u32::from(high.port);
        match (low.ip, high.ip) {
            (IpAddr::V4(low), IpAddr::V4(high)) => Self::V4(
                (u128::from(low.to_bits()) << 64) | (u128::from(high.to_bits()) << 32) | u128::from(ports),
            ),
            (low, high) => Self::V6((bits(low), bits(high), ports)),
        }
    }
}

fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

impl<V> Default for FlowMap<V> {
    fn default() -> Self {
        Self {
            v4: HashMap::new(),
            v6: HashMap::new(),
        }
    }
}

impl<V> FlowMap<V> {
    pub(super) fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// The value of a pair, made where there is none.
    pub(super) fn get_or_insert_with(
        &mut self,
        one: Endpoint,
        other: Endpoint,
        make: impl FnOnce() -> V,
    ) -> &mut V {
        match Key::new(one, other) {
            Key::V4(key) => self.v4.entry(key).or_insert_with(make),
            Key::V6(key) => self.v6.entry(key).or_insert_with(make),
        }
    }

    /// The value of a pair.
    pub(super) fn get_mut(&mut self, one: Endpoint, other: Endpoint) -> Option<&mut V> {
        match Key::new(one, other) {
            Key::V4(key) => self.v4.get_mut(&key),
            Key::V6(key) => self.v6.get_mut(&key),
        }
    }

    /// Takes out what `leaves` says, in no particular order.
    pub(super) fn extract(&mut self, mut leaves: impl FnMut(&mut V) -> bool) -> Vec<V> {
        let mut gone: Vec<V> = self
            .v4
            .extract_if(|_, value| leaves(value))
            .map(|(_, value)| value)
            .collect();
        gone.extend(
            self.v6
                .extract_if(|_, value| leaves(value))
                .map(|(_, value)| value),
        );
        gone
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.v4.values().chain(self.v6.values())
    }
}
