//! Who an address was at a moment.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;

use super::lines::Party;
use super::workloads::{Kind, Workload};

/// All workloads, found by address and time.
#[derive(Clone, Debug, Default)]
pub struct Names {
    workloads: Vec<Workload>,
    /// Positions in `workloads`, the preferred ones first.
    by_ip: HashMap<IpAddr, Vec<u32>>,
}

/// One end of a call as it is shown and filtered by. Empty strings stand for "not known".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub ip: String,
    pub kind: Option<Kind>,
    pub pod: String,
    /// The service's name; the DNS name of an external host.
    pub service: String,
    pub namespace: String,
    pub node: String,
    /// What people call it: pod, else service or host name, else the address.
    pub name: String,
    /// The DNS name of an external host, from the inventory or from an answer seen in the capture.
    pub dns: String,
    pub labels: Vec<(String, String)>,
    pub services: Vec<String>,
    pub owner: String,
}

impl Names {
    /// Indexes the workloads of an inventory.
    pub fn new(workloads: Vec<Workload>) -> Self {
        let mut by_ip: HashMap<IpAddr, Vec<u32>> = HashMap::new();
        for (at, workload) in (0u32..).zip(&workloads) {
            for ip in &workload.ips {
                by_ip.entry(*ip).or_default().push(at);
            }
        }
        for positions in by_ip.values_mut() {
            // Several workloads may claim an address at the same moment. A pod says more than the
            // service before it; of equals the shortest interval is the best informed, then the latest.
            positions.sort_by_key(|at| {
                usize::try_from(*at)
                    .ok()
                    .and_then(|at| workloads.get(at))
                    .map(|workload| {
                        let length = workload.until_us().saturating_sub(workload.from_us());
                        (workload.kind, length, Reverse(workload.from_us()))
                    })
            });
        }
        Self { workloads, by_ip }
    }

    /// All workloads in the order of the inventory.
    pub fn workloads(&self) -> &[Workload] {
        &self.workloads
    }

    /// The workload that had `ip` at `ts_us` (Unix µs), with its position.
    pub fn at(&self, ip: IpAddr, ts_us: i64) -> Option<(u32, &Workload)> {
        self.by_ip.get(&ip)?.iter().find_map(|at| {
            let workload = self.workloads.get(usize::try_from(*at).ok()?)?;
            workload.holds_at(ts_us).then_some((*at, workload))
        })
    }

    /// Every workload that ever had `ip`, the preferred first.
    pub fn history(&self, ip: IpAddr) -> impl Iterator<Item = &Workload> {
        let positions = self.by_ip.get(&ip).map_or(&[][..], Vec::as_slice);
        positions
            .iter()
            .filter_map(|at| self.workloads.get(usize::try_from(*at).ok()?))
    }

    /// All known addresses, sorted.
    pub fn ips(&self) -> Vec<IpAddr> {
        let mut ips: Vec<IpAddr> = self.by_ip.keys().copied().collect();
        ips.sort_unstable();
        ips
    }

    /// Which of a pod's services a connection to `port` was for: the one that lists the port, else the first.
    pub fn service_of<'a>(&self, pod: &'a Workload, port: Option<u16>) -> Option<&'a str> {
        let listed = port.filter(|_| pod.services.len() > 1).and_then(|port| {
            pod.services.iter().find(|name| {
                self.workloads.iter().any(|service| {
                    service.kind == Kind::Service
                        && service.namespace == pod.namespace
                        && service.name == **name
                        && service.ports.contains(&port)
                })
            })
        });
        listed.or(pod.services.first()).map(String::as_str)
    }

    /// The identity of `ip` as `workload` (or as nobody known), where a DNS answer seen in the
    /// capture named it `learned`.
    pub fn identity(
        &self,
        ip: IpAddr,
        workload: Option<&Workload>,
        port: Option<u16>,
        learned: Option<&str>,
    ) -> Identity {
        let ip = ip.to_string();
        let Some(workload) = workload else {
            let dns = learned.unwrap_or_default().to_owned();
            let name = if dns.is_empty() { ip.clone() } else { dns.clone() };
            let kind = learned.map(|_| Kind::External);
            return Identity {
                ip,
                kind,
                service: dns.clone(),
                dns,
                name,
                ..Identity::unknown()
            };
        };
        let (pod, service, dns) = match workload.kind {
            Kind::Pod => (
                &*workload.name,
                self.service_of(workload, port).unwrap_or_default(),
                "",
            ),
            Kind::Service => ("", &*workload.name, ""),
            Kind::External => ("", &*workload.name, &*workload.name),
            Kind::Node => ("", "", ""),
        };
        let node = match workload.kind {
            Kind::Node => workload.name.clone(),
            _ => workload.node.clone().unwrap_or_default(),
        };
        let services = match workload.kind {
            Kind::Pod => workload.services.clone(),
            _ if service.is_empty() => Vec::new(),
            _ => vec![service.to_owned()],
        };
        Identity {
            ip,
            kind: Some(workload.kind),
            pod: pod.to_owned(),
            service: service.to_owned(),
            namespace: workload.namespace.clone(),
            node,
            name: workload.name.clone(),
            dns: dns.to_owned(),
            labels: workload
                .labels
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            services,
            owner: workload.owner.clone().unwrap_or_default(),
        }
    }
}

impl Identity {
    /// An identity of which nothing is known.
    fn unknown() -> Self {
        Self {
            ip: String::new(),
            kind: None,
            pod: String::new(),
            service: String::new(),
            namespace: String::new(),
            node: String::new(),
            name: String::new(),
            dns: String::new(),
            labels: Vec::new(),
            services: Vec::new(),
            owner: String::new(),
        }
    }

    /// Who a line says it is. Nothing is made up: without an address there is none.
    pub fn of_party(party: &Party) -> Self {
        let kind = match (party.pod.is_empty(), party.service.is_empty()) {
            (false, _) => Some(Kind::Pod),
            (true, false) => Some(Kind::Service),
            (true, true) => None,
        };
        let name = [&party.pod, &party.service]
            .into_iter()
            .find(|name| !name.is_empty());
        Self {
            ip: party.ip.map(|ip| ip.to_string()).unwrap_or_default(),
            kind,
            pod: party.pod.clone(),
            service: party.service.clone(),
            namespace: party.namespace.clone(),
            node: party.node.clone(),
            name: name.map_or("external", String::as_str).to_owned(),
            labels: party.labels.clone(),
            services: Some(party.service.clone())
                .filter(|name| !name.is_empty())
                .into_iter()
                .collect(),
            ..Self::unknown()
        }
    }

    /// The pod, or the service where the pod is not known.
    pub fn pod_or_service(&self) -> &str {
        if self.pod.is_empty() {
            &self.service
        } else {
            &self.pod
        }
    }

    /// What statistics are grouped by: the service, else the pod's owner without its kind, else the name.
    pub fn group(&self) -> &str {
        if !self.service.is_empty() {
            return &self.service;
        }
        match self.owner.rsplit_once('/') {
            Some((_, owner)) if !owner.is_empty() => owner,
            _ => &self.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::workloads::Inventory;
    use super::*;

    fn names() -> Names {
        let json = br#"{"format":"rca-agent/capture/1","workloads":[
            {"kind":"pod","name":"old-1","namespace":"shop","ips":["10.0.0.1"],"services":["old"],
             "until":"2026-03-14T10:00:00Z"},
            {"kind":"pod","name":"new-1","namespace":"shop","ips":["10.0.0.1"],"services":["web","admin"],
             "from":"2026-03-14T10:00:00Z"},
            {"kind":"service","name":"admin","namespace":"shop","ips":["10.96.0.2"],"ports":[9000]},
            {"kind":"node","name":"node-1","ips":["10.0.0.1"]},
            {"kind":"external","name":"api.bank.example","ips":["203.0.113.9"]}]}"#;
        Names::new(Inventory::parse(json).unwrap().workloads)
    }

    #[test]
    fn an_address_belongs_to_whoever_had_it_then() {
        let names = names();
        let ip = "10.0.0.1".parse().unwrap();
        let ten = 1_773_482_400_000_000; // 2026-03-14T10:00:00Z
        let name_at = |ts| names.at(ip, ts).map(|(_, workload)| workload.name.clone());
        assert_eq!(name_at(ten - 1), Some("old-1".to_owned()), "`until` is exclusive");
        assert_eq!(name_at(ten), Some("new-1".to_owned()), "`from` is inclusive");
        assert_eq!(names.history(ip).count(), 3);
    }

    #[test]
    fn a_pod_of_two_services_is_named_by_the_port_that_was_called() {
        let names = names();
        let (_, pod) = names.at("10.0.0.1".parse().unwrap(), i64::MAX - 1).unwrap();
        assert_eq!(names.service_of(pod, Some(9000)), Some("admin"));
        assert_eq!(names.service_of(pod, Some(80)), Some("web"));
        assert_eq!(names.service_of(pod, None), Some("web"));
    }

    #[test]
    fn hosts_outside_are_services_without_a_namespace_and_strangers_are_addresses() {
        let names = names();
        let ip = "203.0.113.9".parse().unwrap();
        let bank = names.identity(ip, names.at(ip, 0).map(|(_, workload)| workload), Some(443), None);
        assert_eq!(
            (&*bank.service, &*bank.namespace, &*bank.dns),
            ("api.bank.example", "", "api.bank.example")
        );
        let stranger = "198.51.100.7".parse().unwrap();
        assert_eq!(names.identity(stranger, None, None, None).name, "198.51.100.7");
        assert_eq!(
            names.identity(stranger, None, None, Some("cdn.example")).group(),
            "cdn.example"
        );
    }
}
