//! One line as a call, or the reason why it is none.

use std::collections::HashSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use serde_json::{Map, Value};

use super::call::{Details, LineCall, Party};
use super::fields::{self, FieldValue};
use super::protocol::LineProtocol;
use crate::hub::entry::{Body, Endpoint, Entry, Headers, Payload};
use crate::kfl::FieldId;

/// Longest line that is read, bytes.
pub const MAX_LINE_BYTES: usize = 1 << 20;
/// Longest name of a service, pod, namespace or node, as Kubernetes has it, bytes.
const MAX_NAME: usize = 253;
/// Longest path, as of a request line dissected from packets, bytes.
const MAX_PATH: usize = 64 << 10;
/// Longest method and error text, bytes.
const MAX_METHOD: usize = 256;
const MAX_ERROR: usize = 4 << 10;
/// Headers and labels kept of one line, as of one message dissected from packets.
const MAX_PAIRS: usize = 128;
/// Bytes kept of a body; the rest is counted.
const MAX_BODY: usize = 64 << 10;
/// 1990 and 2100, Unix µs: a time outside is a unit mistaken.
const TIMES_US: std::ops::Range<i64> = 631_152_000_000_000..4_102_444_800_000_000;
/// A week, µs: no call takes longer.
const MAX_LATENCY_US: i64 = 7 * 86_400_000_000;
/// Where a workload is that no namespace is told of: every workload has one, and this is the one that Kubernetes
/// takes. Without, its calls could not be told from those of callers outside the cluster.
const DEFAULT_NAMESPACE: &str = "default";
/// What an end is called that is not in the cluster.
const OUTSIDE: &str = "external";

/// Why a line is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Sort of reason, by which refusals are counted.
    pub what: &'static str,
    /// The reason in full; what the line says is quoted and cut.
    pub detail: String,
}

impl Refusal {
    pub(super) fn new(what: &'static str, detail: String) -> Self {
        Self { what, detail }
    }
}

/// Text of a line as a message may show it.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 40;
    if text.chars().nth(SHOWN).is_none() {
        return format!("{text:?}");
    }
    format!("{:?}…", text.chars().take(SHOWN).collect::<String>())
}

/// A line that is a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The node that saw it; `None` where the line names none.
    pub node: Option<Arc<str>>,
    /// Its number on the node is not known yet: `stream` is 0.
    pub entry: Entry,
}

/// Reads lines. What repeats is kept once.
#[derive(Debug, Default)]
pub struct Reader {
    parties: HashSet<Arc<Party>>,
    texts: HashSet<Arc<str>>,
}

/// A line as it is written. Everything else in it is skipped unread.
#[derive(Deserialize)]
struct Line {
    ts_us: Whole,
    src: End,
    dst: End,
    protocol: String,
    method: Option<String>,
    path: Option<String>,
    status: Option<Whole>,
    latency_us: Option<Whole>,
    server_latency_us: Option<Whole>,
    error: Option<String>,
    namespace: Option<String>,
    node: Option<String>,
    request_headers: Option<Map<String, Value>>,
    response_headers: Option<Map<String, Value>>,
    request_body: Option<String>,
    response_body: Option<String>,
    fields: Option<Map<String, Value>>,
    tcp_metrics: Option<Map<String, Value>>,
}

/// One end: a service's name, or an object.
#[derive(Default, Deserialize)]
struct Parts {
    service: Option<String>,
    pod: Option<String>,
    namespace: Option<String>,
    node: Option<String>,
    ip: Option<IpAddr>,
    port: Option<u16>,
    labels: Option<Map<String, Value>>,
}

enum End {
    Name(String),
    Parts(Box<Parts>),
}

impl Default for End {
    fn default() -> Self {
        Self::Name(String::new())
    }
}

impl<'de> Deserialize<'de> for End {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = End;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a service's name or an object")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<End, E> {
                Ok(End::Name(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<End, A::Error> {
                Parts::deserialize(MapAccessDeserializer::new(map)).map(|parts| End::Parts(Box::new(parts)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A whole number, also written with a fraction, as tables with gaps write all their numbers.
#[derive(Clone, Copy)]
struct Whole(i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Whole;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Whole, E> {
                Ok(Whole(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Whole, E> {
                Ok(Whole(i64::try_from(number).unwrap_or(i64::MAX)))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Whole, E> {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "saturates, and every use has its bounds"
                )]
                let whole = number.round() as i64;
                Ok(Whole(whole))
            }
        }
        deserializer.deserialize_any(Number)
    }
}

impl Line {
    /// The checked fields. What has a key of its own may also stand among them.
    fn fields(&mut self, protocol: LineProtocol) -> Result<Vec<(FieldId, FieldValue)>, Refusal> {
        let mut fields = fields::fields(self.fields.take().unwrap_or_default())?;
        for (field, value) in &fields {
            match (*field, value) {
                (FieldId::ELAPSED_TIME, FieldValue::Int(us)) => {
                    self.latency_us.get_or_insert(Whole(*us));
                }
                (FieldId::STATUS_CODE, FieldValue::Int(status)) => {
                    self.status.get_or_insert(Whole(*status));
                }
                (FieldId::METHOD, FieldValue::Text(text)) => {
                    self.method.get_or_insert_with(|| text.to_string());
                }
                (FieldId::PATH, FieldValue::Text(text)) => {
                    self.path.get_or_insert_with(|| text.to_string());
                }
                _ => {}
            }
        }
        let asked = self
            .path
            .as_ref()
            .filter(|path| protocol.is_dns() && !path.is_empty());
        if let Some(path) = asked.filter(|_| fields.iter().all(|(field, _)| *field != FieldId::DNS_QUESTIONS))
        {
            fields.push((FieldId::DNS_QUESTIONS, FieldValue::List(vec![path.clone()])));
        }
        Ok(fields)
    }

    /// What few lines have; `None` of all the others.
    fn details(
        &mut self,
        protocol: LineProtocol,
        fields: Vec<(FieldId, FieldValue)>,
    ) -> Result<Option<Details>, Refusal> {
        let details = Details {
            request_headers: headers(self.request_headers.take())?,
            response_headers: headers(self.response_headers.take())?,
            request_body: self.request_body.take().map(body),
            response_body: self.response_body.take().map(body),
            fields,
            tcp_metrics: self.tcp_metrics.take().map(fields::tcp_metrics).transpose()?,
        };
        if details.tcp_metrics.is_some() && !protocol.is_tcp() {
            let detail = format!("`tcp_metrics` are of a `tcp_flow`, not of `{}`", protocol.name());
            return Err(Refusal::new("unknown field", detail));
        }
        Ok((details != Details::default()).then_some(details))
    }
}

impl Reader {
    /// Reads one line, without its end.
    pub fn line(&mut self, line: &[u8]) -> Result<Parsed, Refusal> {
        if line.len() > MAX_LINE_BYTES {
            let detail = format!("it is longer than {MAX_LINE_BYTES} bytes");
            return Err(Refusal::new("too long", detail));
        }
        let bytes = u32::try_from(line.len()).unwrap_or(u32::MAX);
        let read: Line = serde_json::from_slice(line)
            .map_err(|error| Refusal::new("not of this format", error.to_string()))?;
        self.call(read, bytes)
    }

    fn call(&mut self, mut line: Line, bytes: u32) -> Result<Parsed, Refusal> {
        let Some(protocol) = LineProtocol::named(&line.protocol) else {
            let detail = format!("KFL has no protocol {}", quoted(&line.protocol));
            return Err(Refusal::new("unknown protocol", detail));
        };
        let ts_us = line.ts_us.0;
        if !TIMES_US.contains(&ts_us) {
            let detail = format!("`ts_us` is {ts_us}, which as Unix µs is not between 1990 and 2100");
            return Err(Refusal::new("impossible time", detail));
        }
        let fields = line.fields(protocol)?;
        let elapsed_us = latency("latency_us", line.latency_us)?;
        let server_elapsed_us = latency("server_latency_us", line.server_latency_us)?;
        let namespace = line
            .namespace
            .take()
            .unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned());
        let src = std::mem::take(&mut line.src);
        let dst = std::mem::take(&mut line.dst);
        let (src, src_port) = self.end("src", src, &namespace)?;
        let (dst, dst_port) = self.end("dst", dst, &namespace)?;
        let named = |node: &str| (!node.is_empty()).then(|| node.to_owned());
        // A call is told from its client's node, as where packets of both are there.
        let node = (line.node.as_deref().and_then(named))
            .or_else(|| named(&src.node))
            .or_else(|| named(&dst.node));
        let node = node.map(|node| short("node", node, MAX_NAME)).transpose()?;
        let at = |party: &Party, port| Endpoint {
            ip: party.ip.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            port,
        };
        let (src_at, dst_at) = (at(&src, src_port), at(&dst, dst_port));
        let method = line.method.take().unwrap_or_default();
        let path = line.path.take().unwrap_or_default();
        let error = line.error.take().filter(|error| !error.is_empty());
        let call = LineCall {
            protocol,
            method: self.text(short("method", method, MAX_METHOD)?),
            path: self.text(short("path", path, MAX_PATH)?),
            status: line.status.map(status).transpose()?,
            error: error
                .map(|error| short("error", error, MAX_ERROR))
                .transpose()?
                .map(|error| self.text(error)),
            server_elapsed_us,
            src,
            dst,
            bytes,
            details: line.details(protocol, fields)?.map(Box::new),
        };
        Ok(Parsed {
            node: node.map(|node| self.text(node)),
            entry: Entry {
                stream: 0,
                index: 0,
                ts_us,
                elapsed_us,
                src: src_at,
                dst: dst_at,
                request_seq: 0,
                payload: Payload::Line(Arc::new(call)),
            },
        })
    }

    fn end(&mut self, which: &'static str, end: End, namespace: &str) -> Result<(Arc<Party>, u16), Refusal> {
        let parts = match end {
            End::Name(name) if name == OUTSIDE => return Ok((self.party(Party::default()), 0)),
            End::Name(name) if name.is_empty() => {
                return Err(Refusal::new("not of this format", format!("`{which}` is empty")));
            }
            End::Name(name) => Parts {
                service: Some(name),
                ..Parts::default()
            },
            End::Parts(parts) => *parts,
        };
        let name = |name: Option<String>| short(which, name.unwrap_or_default(), MAX_NAME);
        let (service, pod, node) = (name(parts.service)?, name(parts.pod)?, name(parts.node)?);
        // Somebody without a name is in no namespace unless the line says so of this end.
        let default = if service.is_empty() && pod.is_empty() {
            ""
        } else {
            namespace
        };
        let namespace = name(Some(parts.namespace.unwrap_or_else(|| default.to_owned())))?;
        let mut labels = pairs(parts.labels, "labels")?;
        labels.sort();
        let party = Party {
            service,
            pod,
            namespace,
            node,
            // 0.0.0.0 is how "no address" is written where there has to be one.
            ip: parts.ip.filter(|ip| !ip.is_unspecified()),
            labels,
        };
        Ok((self.party(party), parts.port.unwrap_or(0)))
    }

    fn party(&mut self, party: Party) -> Arc<Party> {
        if let Some(known) = self.parties.get(&party) {
            return Arc::clone(known);
        }
        let party = Arc::new(party);
        self.parties.insert(Arc::clone(&party));
        party
    }

    fn text(&mut self, text: String) -> Arc<str> {
        if let Some(known) = self.texts.get(text.as_str()) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&text));
        text
    }
}

fn latency(name: &str, given: Option<Whole>) -> Result<Option<i64>, Refusal> {
    match given {
        Some(Whole(us)) if !(0..=MAX_LATENCY_US).contains(&us) => {
            let detail = format!("`{name}` is {us}, which as µs is not between 0 and a week");
            Err(Refusal::new("impossible time", detail))
        }
        given => Ok(given.map(|Whole(us)| us)),
    }
}

fn status(Whole(status): Whole) -> Result<u16, Refusal> {
    let sound = u16::try_from(status).ok().filter(|status| *status <= 999);
    sound.ok_or_else(|| Refusal::new("wrong type", format!("`status` is {status}, which is no status")))
}

fn short(name: &str, text: String, limit: usize) -> Result<String, Refusal> {
    if text.len() <= limit {
        return Ok(text);
    }
    Err(Refusal::new(
        "too long",
        format!("`{name}` is longer than {limit} bytes"),
    ))
}

/// Header fields with their names in lower case, as they compare without regard to case. A list of values is one
/// field each.
fn headers(given: Option<Map<String, Value>>) -> Result<Headers, Refusal> {
    let mut all = pairs(given, "headers")?;
    for (name, _) in &mut all {
        name.make_ascii_lowercase();
    }
    Ok(all)
}

fn pairs(given: Option<Map<String, Value>>, what: &str) -> Result<Vec<(String, String)>, Refusal> {
    let mut all = Vec::new();
    for (name, value) in given.unwrap_or_default() {
        let values = match value {
            Value::Array(values) => values,
            one => vec![one],
        };
        for value in values {
            let text = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(yes) => yes.to_string(),
                Value::Null => continue,
                _ => {
                    return Err(Refusal::new(
                        "wrong type",
                        format!("{what} are texts, not objects or lists of lists"),
                    ));
                }
            };
            if all.len() < MAX_PAIRS {
                all.push((name.clone(), text));
            }
        }
    }
    Ok(all)
}

fn body(text: String) -> Body {
    let size = text.len() as u64;
    let mut kept = text.into_bytes();
    kept.truncate(MAX_BODY);
    kept.shrink_to_fit();
    Body { kept, size }
}
