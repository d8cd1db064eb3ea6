//! One dissected call or connection, before names of workloads are known.

use std::net::IpAddr;
use std::sync::Arc;

use super::lines::LineCall;

/// One end of a connection. Where no address is known, it is the unspecified one; where no port is, it is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    pub ip: IpAddr,
    pub port: u16,
}

/// A dissected entry. `src` is the client, `dst` the server.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Number of the connection (or UDP conversation) on its node, from 0.
    pub stream: u32,
    /// Number of the entry within its stream, from 0.
    pub index: u32,
    /// When the request began, Unix µs. For a connection: its first packet.
    pub ts_us: i64,
    /// From the first byte of the request to the last byte of the response, µs; `None` without a response.
    pub elapsed_us: Option<i64>,
    pub src: Endpoint,
    pub dst: Endpoint,
    /// TCP sequence number of the first byte of the request (UDP: 0). With the endpoints it tells
    /// that captures of two nodes show the same call.
    pub request_seq: u32,
    pub payload: Payload,
}

/// What was dissected.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    Http(Box<HttpCall>),
    Dns(Box<DnsCall>),
    TcpFlow(Box<TcpFlow>),
    /// A call of any protocol that came as a line, without packets.
    Line(Arc<LineCall>),
}

/// Header fields in order, names as sent, values as text (bytes that are not UTF-8 replaced).
pub type Headers = Vec<(String, String)>;

/// An HTTP/1.x exchange.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpCall {
    /// "HTTP/1.1".
    pub version: String,
    pub method: String,
    /// The request target as sent.
    pub target: String,
    /// 0 where no response was seen.
    pub status: u16,
    pub reason: String,
    pub request_headers: Headers,
    pub response_headers: Headers,
    pub request_body: Body,
    pub response_body: Body,
    /// Whether the request and the response were seen whole.
    pub complete: bool,
}

/// A body as far as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// The first bytes, transfer coding removed, at most the dissector's limit.
    pub kept: Vec<u8>,
    /// Length on the wire without transfer coding, bytes.
    pub size: u64,
}

/// A DNS question with its answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DnsCall {
    pub id: u16,
    pub tcp: bool,
    /// (name without the final dot, the root being ".", and type such as "A").
    pub questions: Vec<(String, String)>,
    /// Text of each answer: an address or a name.
    pub answers: Vec<String>,
    /// `None` where no response was seen; 0 = NOERROR, 3 = NXDOMAIN.
    pub rcode: Option<u8>,
    pub request_bytes: u32,
    pub response_bytes: u32,
}

/// Facts about one TCP connection as one capture point saw it. Names and bits are those of the
/// contract's TCP expert metrics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TcpFlow {
    /// Bits: 1 SYN, 2 SYN-ACK, 4 ACK, 8 DATA, 16 FIN, 32 RST.
    pub completeness: u8,
    /// SYN to the ACK that ends the handshake, µs.
    pub handshake_us: Option<i64>,
    /// SYN to SYN-ACK, µs.
    pub initial_rtt_us: Option<i64>,
    /// First to last packet, µs.
    pub duration_us: i64,
    /// First client data to first server data, µs.
    pub first_byte_us: Option<i64>,
    pub client_packets: u64,
    pub server_packets: u64,
    /// Payload bytes without retransmissions.
    pub client_bytes: u64,
    pub server_bytes: u64,
    /// Segments whose bytes were sent before, SYN and FIN included.
    pub retransmissions: u64,
    /// Those of them that duplicate acknowledgments had asked for.
    pub fast_retransmissions: u64,
    pub out_of_order: u64,
    pub dup_acks: u64,
    /// Holes in the capture that nothing filled.
    pub missing_segments: u64,
    pub zero_windows: u64,
    pub keepalives: u64,
    pub fins: u64,
    pub resets: u64,
    /// Whether the reset came from the server's side.
    pub reset_by_server: bool,
    /// SYNs sent, more than one where the first got no answer.
    pub syns: u64,
    /// Application protocol recognised inside, such as "http".
    pub l7: Option<&'static str>,
}
