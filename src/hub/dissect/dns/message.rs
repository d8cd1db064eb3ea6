//! One DNS message.

use std::borrow::Cow;
use std::fmt::Write;

use simple_dns::Packet;
use simple_dns::rdata::RData;

/// Questions kept of one message; real ones have one.
const MAX_QUESTIONS: usize = 16;
/// Answers kept of one message.
const MAX_ANSWERS: usize = 128;
/// A name has at most 255 bytes, so at most 127 labels and pointers worth following.
const MAX_LABELS: usize = 128;
/// The shortest question and the shortest record, bytes.
const QUESTION: usize = 5;
const RECORD: usize = 11;

/// What is needed of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub id: u16,
    pub response: bool,
    /// The four bits of the header.
    pub rcode: u8,
    /// Name without the final dot (the root is "."), and type.
    pub questions: Vec<(String, String)>,
    /// Addresses and names; empty where the records could not be read.
    pub answers: Vec<String>,
}

impl Message {
    /// Reads a message; `None` where it is none. Of a message whose records cannot be read, the header
    /// and the questions are still good.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u16::from_be_bytes(data.get(at..at + 2)?.try_into().ok()?));
        let (id, flags, asked, answered) = (word(0)?, word(2)?, word(4)?, word(6)?);
        let (authority, additional) = (word(8)?, word(10)?);
        let records = [answered, authority, additional]
            .iter()
            .map(|count| usize::from(*count))
            .sum::<usize>();
        let plausible = usize::from(asked) * QUESTION + records * RECORD <= data.len() - 12;
        let response = flags & 0x8000 != 0;
        // an opcode beyond those assigned (0 to 6) is no DNS, nor is one with hardly a question in it
        if (flags >> 11) & 0xf > 6 || (!plausible && (asked == 0 || asked > 8)) {
            return None;
        }
        let rcode = u8::try_from(flags & 0xf).unwrap_or_default();
        let questions = questions(data, usize::from(asked));
        // counts are checked first: the parser reserves room for as many as they claim
        let answers = if response && answered > 0 && plausible {
            answers(data)
        } else {
            Vec::new()
        };
        Some(Self {
            id,
            response,
            rcode,
            questions,
            answers,
        })
    }

    /// Reads a message only where it is certainly a plain question, such as may be sent to any port.
    pub(super) fn parse_plain_question(data: &[u8]) -> Option<Self> {
        // a standard query: of the flags only "recursion desired", "authentic data" and "checking disabled"
        // may be set; one question, no answers, at most a few additional records
        let [_, _, flags, more_flags, 0, 1, 0, 0, 0, 0, 0, 0..=2, ..] = data else {
            return None;
        };
        if flags & !0x01 != 0 || more_flags & !0x30 != 0 {
            return None;
        }
        let (name, end) = name(data, 12)?;
        let readable = name.bytes().all(|byte| byte.is_ascii_graphic());
        let class = data.get(end + 2..end + 4)?;
        let message = Self::parse(data)?;
        let known = message
            .questions
            .first()
            .is_some_and(|(_, kind)| !kind.starts_with("TYPE"));
        (readable && known && matches!(class, [0, 1 | 3 | 255])).then_some(message)
    }
}

fn questions(data: &[u8], count: usize) -> Vec<(String, String)> {
    let mut questions = Vec::with_capacity(count.min(MAX_QUESTIONS));
    let mut at = 12;
    for _ in 0..count.min(MAX_QUESTIONS) {
        let Some((name, end)) = name(data, at) else { break };
        let Some(kind) = data
            .get(end..end + 2)
            .and_then(|kind| <[u8; 2]>::try_from(kind).ok())
        else {
            break;
        };
        questions.push((name, type_name(u16::from_be_bytes(kind)).into_owned()));
        at = end + 4;
    }
    questions
}

/// The name at `at`, and where what follows it begins.
fn name(data: &[u8], mut at: usize) -> Option<(String, usize)> {
    let (mut name, mut end) = (String::new(), None);
    for _ in 0..MAX_LABELS {
        let length = *data.get(at)?;
        match length {
            0 => {
                if name.is_empty() {
                    name.push('.');
                }
                return Some((name, end.unwrap_or(at + 1)));
            }
            1..=63 => {
                if !name.is_empty() {
                    name.push('.');
                }
                let label = data.get(at + 1..at + 1 + usize::from(length))?;
                name.push_str(&String::from_utf8_lossy(label));
                at += 1 + usize::from(length);
            }
            // a pointer to an earlier place
            192..=255 => {
                let low = *data.get(at + 1)?;
                end.get_or_insert(at + 2);
                at = usize::from(length & 0x3f) << 8 | usize::from(low);
            }
            _ => return None,
        }
    }
    None
}

fn answers(data: &[u8]) -> Vec<String> {
    let Ok(packet) = Packet::parse(data) else {
        return Vec::new();
    };
    packet
        .answers
        .iter()
        .take(MAX_ANSWERS)
        .map(|record| answer(&record.rdata))
        .collect()
}

fn answer(data: &RData<'_>) -> String {
    match data {
        RData::A(a) => std::net::Ipv4Addr::from(a.address).to_string(),
        RData::AAAA(aaaa) => std::net::Ipv6Addr::from(aaaa.address).to_string(),
        RData::CNAME(name) => name.0.to_string(),
        RData::NS(name) => name.0.to_string(),
        RData::PTR(name) => name.0.to_string(),
        RData::MX(mx) => format!("{} {}", mx.preference, mx.exchange),
        RData::SRV(srv) => format!("{} {} {} {}", srv.priority, srv.weight, srv.port, srv.target),
        RData::SOA(soa) => soa.mname.to_string(),
        RData::TXT(strings) => {
            let mut text = String::new();
            for (name, value) in strings.iter_raw() {
                let separator = if text.is_empty() { "" } else { " " };
                let name = String::from_utf8_lossy(name);
                // writing to a string cannot fail
                let _ = match value {
                    Some(value) => write!(text, "{separator}{name}={}", String::from_utf8_lossy(value)),
                    None => write!(text, "{separator}{name}"),
                };
            }
            text
        }
        other => type_name(other.type_code().into()).into_owned(),
    }
}

/// The mnemonic of a record type, or "TYPE64" and the like (RFC 3597).
pub fn type_name(kind: u16) -> Cow<'static, str> {
    Cow::Borrowed(match kind {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        10 => "NULL",
        12 => "PTR",
        13 => "HINFO",
        15 => "MX",
        16 => "TXT",
        24 => "SIG",
        25 => "KEY",
        28 => "AAAA",
        29 => "LOC",
        33 => "SRV",
        35 => "NAPTR",
        39 => "DNAME",
        41 => "OPT",
        43 => "DS",
        44 => "SSHFP",
        46 => "RRSIG",
        47 => "NSEC",
        48 => "DNSKEY",
        50 => "NSEC3",
        51 => "NSEC3PARAM",
        52 => "TLSA",
        59 => "CDS",
        60 => "CDNSKEY",
        64 => "SVCB",
        65 => "HTTPS",
        99 => "SPF",
        249 => "TKEY",
        250 => "TSIG",
        251 => "IXFR",
        252 => "AXFR",
        255 => "ANY",
        256 => "URI",
        257 => "CAA",
        other => return Cow::Owned(format!("TYPE{other}")),
    })
}
