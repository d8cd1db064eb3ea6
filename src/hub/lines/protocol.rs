//! Protocols by the names that lines give them.

use crate::kfl::FieldId;
use crate::kfl::field::{FieldInfo, info, lookup, table};

/// A protocol that KFL has a flag for.
///
/// gRPC is a protocol of its own and not also `http`: the field table lists `grpc` among the protocol flags
/// beside `http` and gives it its own `grpc_status`, and a filter on `http` that meant both could not tell them
/// apart. A line that wants both says so with `{"fields": {"http": true}}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineProtocol(FieldId);

/// Other spellings in use.
const ALIASES: &[(&str, FieldId)] = &[
    ("http2", FieldId::HTTP),
    ("http/2", FieldId::HTTP),
    ("postgres", FieldId::POSTGRESQL),
    ("mongo", FieldId::MONGODB),
    ("websocket", FieldId::WS),
    ("graphql", FieldId::GQL),
];

const TCP: &[FieldId] = &[
    FieldId::TCP,
    FieldId::TCP_FLOW,
    FieldId::TCP_CONN,
    FieldId::FLOW,
    FieldId::CONN,
];
const UDP: &[FieldId] = &[
    FieldId::UDP,
    FieldId::UDP_FLOW,
    FieldId::UDP_CONN,
    FieldId::FLOW,
    FieldId::CONN,
];

impl LineProtocol {
    /// The protocol of that name, in any case; `None` where KFL has no flag of that name.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
        let flag = alias.map(|(_, flag)| *flag).or_else(|| lookup(&name))?;
        // That something is a flow or a connection does not say of what.
        (info(flag).is_protocol_flag() && !matches!(flag, FieldId::FLOW | FieldId::CONN))
            .then_some(Self(flag))
    }

    /// All names there are, for messages.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let flags = table().fields().iter().filter(|field| field.is_protocol_flag());
        flags
            .map(|field: &FieldInfo| field.name)
            .filter(|name| !matches!(*name, "flow" | "conn"))
    }

    /// As calls show it: connections as those dissected from packets do.
    pub fn name(self) -> &'static str {
        match self.0 {
            FieldId::TCP | FieldId::TCP_FLOW | FieldId::TCP_CONN => "tcp",
            FieldId::UDP | FieldId::UDP_FLOW | FieldId::UDP_CONN => "udp",
            flag => flag.name(),
        }
    }

    /// Whether `flag` is one that its entries carry.
    pub fn has(self, flag: FieldId) -> bool {
        match self.0 {
            FieldId::GQLV1 | FieldId::GQLV2 => flag == self.0 || flag == FieldId::GQL,
            _ if self.is_tcp() => TCP.contains(&flag),
            _ if self.is_udp() => UDP.contains(&flag),
            own => flag == own,
        }
    }

    /// Whether its entries are TCP connections.
    pub fn is_tcp(self) -> bool {
        self.name() == "tcp"
    }

    /// Whether its entries are UDP conversations.
    pub fn is_udp(self) -> bool {
        self.name() == "udp"
    }

    /// Whether the status of its calls is an HTTP status.
    pub fn has_http_status(self) -> bool {
        matches!(
            self.0,
            FieldId::HTTP | FieldId::GRPC | FieldId::GQL | FieldId::GQLV1 | FieldId::GQLV2
        )
    }

    /// Whether the status of its calls is a DNS response code.
    pub fn is_dns(self) -> bool {
        self.0 == FieldId::DNS
    }

    /// Whether every request of it is answered, so that a missing answer is a failure.
    pub fn answers(self) -> bool {
        self.has_http_status()
            || matches!(
                self.0,
                FieldId::DNS
                    | FieldId::MYSQL
                    | FieldId::POSTGRESQL
                    | FieldId::MONGODB
                    | FieldId::REDIS
                    | FieldId::LDAP
                    | FieldId::RADIUS
                    | FieldId::DIAMETER
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocol_of_the_table_has_a_name_and_sets_its_flag() {
        for name in LineProtocol::names() {
            let protocol = LineProtocol::named(name).unwrap();
            assert!(protocol.has(lookup(name).unwrap()), "{name}");
        }
        assert!(LineProtocol::names().count() > 20);
        for none in ["", "flow", "conn", "path", "mqtt", "tcp_error_type"] {
            assert_eq!(LineProtocol::named(none), None, "{none}");
        }
    }

    #[test]
    fn spellings_differ() {
        assert_eq!(
            LineProtocol::named("Postgres").map(LineProtocol::name),
            Some("postgresql")
        );
        assert_eq!(LineProtocol::named("tcp_flow"), LineProtocol::named("TCP_FLOW"));
        assert_eq!(
            LineProtocol::named("tcp_conn").map(LineProtocol::name),
            Some("tcp")
        );
    }

    #[test]
    fn a_grpc_call_is_no_http_call() {
        let grpc = LineProtocol::named("grpc").unwrap();
        assert!(grpc.has(FieldId::GRPC) && !grpc.has(FieldId::HTTP) && grpc.has_http_status());
    }
}
