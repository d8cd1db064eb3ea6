//! A dissected entry with everything that is asked of it: who called whom, and the parts of the call.

use std::sync::Arc;

use super::entry::{DnsCall, Entry, Headers, Payload, TcpFlow};
use super::names::Identity;

/// Parameters, cookies and the like beyond this many are dropped: a request is no database.
const MAX_PARTS: usize = 256;

/// Both ends of a call; shared by all calls between the same two.
#[derive(Debug, PartialEq, Eq)]
pub struct Ends {
    /// The client.
    pub src: Arc<Identity>,
    /// The server.
    pub dst: Arc<Identity>,
    /// Namespaces, pods and services of either end, the client's first, each once.
    pub namespaces: Vec<String>,
    pub pods: Vec<String>,
    pub services: Vec<String>,
}

impl Ends {
    /// Joins two identities.
    pub fn new(src: Arc<Identity>, dst: Arc<Identity>) -> Self {
        let either = |of: fn(&Identity) -> Vec<String>| {
            let mut all = of(&src);
            for value in of(&dst) {
                if !all.contains(&value) {
                    all.push(value);
                }
            }
            all.retain(|value| !value.is_empty());
            all
        };
        let namespaces = either(|end| vec![end.namespace.clone()]);
        let pods = either(|end| vec![end.pod.clone()]);
        let services = either(|end| end.services.clone());
        Self {
            src,
            dst,
            namespaces,
            pods,
            services,
        }
    }
}

/// The same call as another node's capture shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherView {
    pub node: Arc<str>,
    pub ts_us: i64,
    pub elapsed_us: Option<i64>,
    /// HTTP status or DNS response code as seen there.
    pub status: Option<u16>,
    /// Connection facts as seen there.
    pub tcp: Option<Box<TcpFlow>>,
}

/// A call, a lookup or a connection in a dissection.
#[derive(Debug)]
pub struct Call {
    /// `NODE/STREAM/INDEX`.
    pub id: Box<str>,
    /// Position in the dissection, from 0.
    pub ordinal: u32,
    /// The node whose capture this was taken from: the client's where that was captured.
    pub node: Arc<str>,
    pub entry: Entry,
    pub ends: Arc<Ends>,
    pub also_seen: Vec<OtherView>,
    /// How long the server took, as it was seen at the server, µs; `None` where nobody looked there.
    pub server_elapsed_us: Option<i64>,
    pub parts: Parts,
}

/// What is derived once from a payload so that filters can borrow it.
#[derive(Debug)]
pub enum Parts {
    Http(Box<HttpParts>),
    Dns(Box<DnsParts>),
    Tcp(Box<TcpParts>),
    Nothing,
}

/// Parts of an HTTP exchange.
#[derive(Debug, Default)]
pub struct HttpParts {
    /// The target without its query.
    pub path: String,
    /// Scheme, host and target.
    pub url: String,
    /// Decoded parameters.
    pub query: Vec<(String, String)>,
    pub request_cookies: Vec<(String, String)>,
    pub response_cookies: Vec<(String, String)>,
    /// Bytes of `name: value` lines.
    pub request_headers_size: u64,
    pub response_headers_size: u64,
}

/// Parts of a DNS exchange.
#[derive(Debug, Default)]
pub struct DnsParts {
    pub names: Vec<String>,
    pub types: Vec<String>,
}

/// Parts of a connection.
#[derive(Debug, Default)]
pub struct TcpParts {
    /// `refused`, `no_answer`, `reset`, or empty where nothing was wrong.
    pub error: &'static str,
    /// The same in words.
    pub message: String,
    /// `open` or `closed`.
    pub state: &'static str,
    /// Recognised application protocols.
    pub l7: Vec<String>,
}

impl Parts {
    /// Derives the parts; header names become lower case, as they compare without regard to case.
    pub fn of(payload: &mut Payload) -> Self {
        match payload {
            Payload::Http(http) => {
                // There may be a million of these: nothing is kept that was only there to grow.
                for headers in [&mut http.request_headers, &mut http.response_headers] {
                    lower_names(headers);
                    headers.shrink_to_fit();
                }
                http.request_body.kept.shrink_to_fit();
                http.response_body.kept.shrink_to_fit();
                let (target, request) = (&http.target, &http.request_headers);
                Self::Http(Box::new(HttpParts::of(target, request, &http.response_headers)))
            }
            Payload::Dns(dns) => Self::Dns(Box::new(DnsParts::of(dns))),
            Payload::TcpFlow(flow) => Self::Tcp(Box::new(TcpParts::of(flow))),
            Payload::Line(line) if line.protocol.is_tcp() => Self::Tcp(Box::new(line.connection())),
            Payload::Line(line) => line.parts().map_or(Self::Nothing, Self::Http),
        }
    }

    /// Those of an HTTP exchange.
    pub fn http(&self) -> Option<&HttpParts> {
        match self {
            Self::Http(parts) => Some(parts),
            _ => None,
        }
    }

    /// Those of a connection.
    pub fn tcp(&self) -> Option<&TcpParts> {
        match self {
            Self::Tcp(parts) => Some(parts),
            _ => None,
        }
    }
}

fn lower_names(headers: &mut Headers) {
    for (name, _) in headers {
        name.make_ascii_lowercase();
    }
}

/// The first header of that name; names in lower case.
pub fn header<'h>(headers: &'h Headers, name: &str) -> Option<&'h str> {
    headers
        .iter()
        .find(|(own, _)| own == name)
        .map(|(_, value)| &**value)
}

impl HttpParts {
    /// From the request target as sent and the headers, names in lower case.
    pub(super) fn of(target: &str, request_headers: &Headers, response_headers: &Headers) -> Self {
        let host = header(request_headers, "host").unwrap_or_default();
        // A proxy's request names scheme and host in its target.
        let absolute = target
            .split_once("://")
            .filter(|(scheme, _)| scheme.bytes().all(|b| b.is_ascii_alphabetic()));
        let local = match absolute {
            Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
            None => target,
        };
        let (path, query) = local.split_once('?').unwrap_or((local, ""));
        let url = if absolute.is_some() || host.is_empty() {
            target.to_owned()
        } else {
            format!("http://{host}{target}")
        };
        let cookies = header(request_headers, "cookie").unwrap_or_default();
        Self {
            path: path.split('#').next().unwrap_or_default().to_owned(),
            url,
            query: pairs(query.split('&'))
                .map(|(k, v)| (decoded(k), decoded(v)))
                .collect(),
            request_cookies: owned(pairs(cookies.split(';'))),
            response_cookies: owned(pairs(
                response_headers
                    .iter()
                    .filter(|(name, _)| name == "set-cookie")
                    .filter_map(|(_, value)| value.split(';').next()),
            )),
            request_headers_size: header_bytes(request_headers),
            response_headers_size: header_bytes(response_headers),
        }
    }
}

fn pairs<'p>(parts: impl Iterator<Item = &'p str>) -> impl Iterator<Item = (&'p str, &'p str)> {
    parts
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .take(MAX_PARTS)
}

fn owned<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>) -> Vec<(String, String)> {
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Bytes of the header lines: name, colon, space, value, CR, LF.
fn header_bytes(headers: &Headers) -> u64 {
    headers
        .iter()
        .map(|(name, value)| (name.len() + value.len() + 4) as u64)
        .sum()
}

/// Percent-decoding of `application/x-www-form-urlencoded`; what is no escape stays as it is.
fn decoded(text: &str) -> String {
    if !text.contains(['%', '+']) {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escape = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (first, escape.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = tail;
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl DnsParts {
    fn of(dns: &DnsCall) -> Self {
        let (names, types) = dns.questions.iter().take(MAX_PARTS).cloned().unzip();
        Self { names, types }
    }
}

/// Bits of `connection_completeness`.
const SYN: u8 = 1;
const SYN_ACK: u8 = 2;
const DATA: u8 = 8;
const FIN: u8 = 16;
const RST: u8 = 32;

impl TcpParts {
    /// From the facts of a connection.
    pub(super) fn of(flow: &TcpFlow) -> Self {
        let has = |bits: u8| flow.completeness & bits != 0;
        let side = if flow.reset_by_server {
            "the server"
        } else {
            "the client"
        };
        // A reset after a FIN is how many programs close with data unread: nobody notices.
        let (error, message) = if has(SYN) && !has(SYN_ACK) && has(RST) && flow.reset_by_server {
            (
                "refused",
                "connection refused: the SYN was answered by a RST".to_owned(),
            )
        } else if has(SYN) && !has(SYN_ACK) && !has(DATA) {
            let times = if flow.syns == 1 {
                "once".to_owned()
            } else {
                format!("{} times", flow.syns)
            };
            (
                "no_answer",
                format!("no answer: the SYN was sent {times} and never answered"),
            )
        } else if has(RST) && !has(FIN) && (has(DATA) || flow.reset_by_server) {
            let when = if has(DATA) {
                "after data"
            } else {
                "before any data"
            };
            ("reset", format!("connection reset by {side} {when}"))
        } else {
            ("", String::new())
        };
        Self {
            error,
            message,
            state: if has(FIN | RST) { "closed" } else { "open" },
            l7: flow.l7.map(str::to_owned).into_iter().collect(),
        }
    }
}

impl Call {
    /// `http`, `dns` or, for a connection, `tcp`; of a line, its protocol.
    pub fn protocol(&self) -> &'static str {
        match &self.entry.payload {
            Payload::Http(_) => "http",
            Payload::Dns(_) => "dns",
            Payload::TcpFlow(_) => "tcp",
            Payload::Line(line) => line.protocol.name(),
        }
    }

    /// HTTP status (0 without a response) or DNS response code (`None` without a response).
    pub fn status(&self) -> Option<u16> {
        match &self.entry.payload {
            Payload::Http(http) => Some(http.status),
            Payload::Dns(dns) => dns.rcode.map(u16::from),
            Payload::TcpFlow(_) => None,
            Payload::Line(line) => line.status,
        }
    }

    /// Whether it went wrong: HTTP 4xx, 5xx or no response; DNS any code but 0 or no response; a
    /// connection refused, unanswered or reset.
    pub fn failed(&self) -> bool {
        match (&self.entry.payload, &self.parts) {
            (Payload::Http(http), _) => http.status == 0 || http.status >= 400,
            (Payload::Dns(dns), _) => dns.rcode != Some(0),
            (Payload::TcpFlow(_), Parts::Tcp(tcp)) => !tcp.error.is_empty(),
            (Payload::TcpFlow(_), _) => false,
            (Payload::Line(line), _) => line.failed(self.entry.elapsed_us),
        }
    }

    /// `NODE/STREAM`.
    pub fn stream(&self) -> &str {
        self.id.rsplit_once('/').map_or(&self.id, |(stream, _)| stream)
    }

    /// Whether the local end, the one on the capturing node, is the client. Where both or neither
    /// run there, it is.
    pub fn client_is_local(&self) -> bool {
        *self.ends.src.node == *self.node || *self.ends.dst.node != *self.node
    }

    /// The local and the remote end.
    pub fn local_and_remote(&self) -> (&Identity, &Identity) {
        if self.client_is_local() {
            (&self.ends.src, &self.ends.dst)
        } else {
            (&self.ends.dst, &self.ends.src)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::HttpCall;
    use super::*;

    fn http(target: &str, headers: &[(&str, &str)]) -> HttpParts {
        let request_headers = headers
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let mut payload = Payload::Http(Box::new(HttpCall {
            target: target.to_owned(),
            request_headers,
            ..HttpCall::default()
        }));
        match Parts::of(&mut payload) {
            Parts::Http(parts) => *parts,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_target_is_taken_apart() {
        let parts = http(
            "/charge%20it?id=7&q=a+b%2Fc&flag&bad=%zz",
            &[("Host", "payments:8080"), ("Cookie", "sid=1; theme=dark")],
        );
        assert_eq!(parts.path, "/charge%20it");
        assert_eq!(
            parts.url,
            "http://payments:8080/charge%20it?id=7&q=a+b%2Fc&flag&bad=%zz"
        );
        let query: Vec<_> = parts.query.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(query, [("id", "7"), ("q", "a b/c"), ("flag", ""), ("bad", "%zz")]);
        assert_eq!(parts.request_cookies[1], ("theme".to_owned(), "dark".to_owned()));
    }

    #[test]
    fn a_proxy_request_has_a_path_too() {
        assert_eq!(http("http://api.example/v1/x?y=1", &[]).path, "/v1/x");
        assert_eq!(http("http://api.example", &[]).path, "/");
        assert_eq!(http("*", &[]).path, "*");
    }

    #[test]
    fn connections_fail_in_three_ways() {
        let tcp = |completeness, reset_by_server, syns| {
            TcpParts::of(&TcpFlow {
                completeness,
                reset_by_server,
                syns,
                ..TcpFlow::default()
            })
        };
        assert_eq!(tcp(33, true, 1).error, "refused");
        assert_eq!(
            tcp(1, false, 3).message,
            "no answer: the SYN was sent 3 times and never answered"
        );
        assert_eq!(
            tcp(47, true, 1).message,
            "connection reset by the server after data"
        );
        assert_eq!((tcp(31, false, 1).error, tcp(31, false, 1).state), ("", "closed"));
        assert_eq!(tcp(63, false, 1).error, "", "a reset after the FIN harms nobody");
        assert_eq!((tcp(15, false, 1).error, tcp(15, false, 1).state), ("", "open"));
    }
}
