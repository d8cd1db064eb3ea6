//! What is counted on an edge: requests by protocol, lookups, connections.

use serde::{Deserialize, Serialize};

use crate::wire::decode::Call;

/// A kind of traffic. Each is tallied apart: an edge is who calls whom by which of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    Http,
    Grpc,
    Graphql,
    WebSocket,
    Mysql,
    Postgresql,
    Mongodb,
    Redis,
    Kafka,
    Amqp,
    Ldap,
    Dns,
    /// TCP connections, whatever they carry.
    Tcp,
}

impl std::fmt::Display for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Http => "HTTP",
            Self::Grpc => "gRPC",
            Self::Graphql => "GraphQL",
            Self::WebSocket => "WebSocket",
            Self::Mysql => "MySQL",
            Self::Postgresql => "PostgreSQL",
            Self::Mongodb => "MongoDB",
            Self::Redis => "Redis",
            Self::Kafka => "Kafka",
            Self::Amqp => "AMQP",
            Self::Ldap => "LDAP",
            Self::Dns => "DNS",
            Self::Tcp => "TCP connections",
        })
    }
}

impl Layer {
    /// Layers of requests that somebody waits for.
    pub const REQUESTS: [Self; 11] = [
        Self::Http,
        Self::Grpc,
        Self::Graphql,
        Self::WebSocket,
        Self::Mysql,
        Self::Postgresql,
        Self::Mongodb,
        Self::Redis,
        Self::Kafka,
        Self::Amqp,
        Self::Ldap,
    ];

    /// The layer that a protocol of this name belongs to, by Kubeshark's names; `None` for what is not understood.
    pub fn of_protocol(name: &str) -> Option<Self> {
        Some(match name {
            "http" | "http2" | "https" => Self::Http,
            "grpc" => Self::Grpc,
            "gql" | "gqlv1" | "gqlv2" | "graphql" => Self::Graphql,
            "ws" | "websocket" => Self::WebSocket,
            "mysql" => Self::Mysql,
            "postgresql" | "postgres" => Self::Postgresql,
            "mongodb" | "mongo" => Self::Mongodb,
            "redis" => Self::Redis,
            "kafka" => Self::Kafka,
            "amqp" => Self::Amqp,
            "ldap" => Self::Ldap,
            "dns" => Self::Dns,
            "tcp" | "tcp_flow" | "tcp_conn" => Self::Tcp,
            _ => return None,
        })
    }

    /// The layer of a call, by its protocol.
    pub fn of(call: &Call) -> Option<Self> {
        Self::of_protocol(&call.protocol)
    }

    /// Whether its entries are requests, rather than lookups or connections.
    pub fn is_request(self) -> bool {
        !matches!(self, Self::Dns | Self::Tcp)
    }

    /// The noun for so many: "lookup" for one.
    pub fn counted(self, count: u64) -> &'static str {
        match (self, count) {
            (Self::Tcp, 1) => "connection",
            (Self::Dns, 1) => "lookup",
            (_, 1) => "call",
            _ => self.noun(),
        }
    }

    /// "connections", "lookups", "calls".
    pub fn noun(self) -> &'static str {
        match self {
            Self::Tcp => "connections",
            Self::Dns => "lookups",
            _ => "calls",
        }
    }
}
