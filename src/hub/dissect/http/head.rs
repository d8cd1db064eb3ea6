//! Heads of HTTP messages: start line and header fields.

use httparse::{ParserConfig, Status};

use super::body::Framing;
use crate::hub::entry::Headers;

/// The longest method recognised; registered ones have at most 17 letters.
const MAX_METHOD: usize = 24;
/// Header fields parsed without a second look.
const FIELDS: usize = 64;

/// What the beginning of some bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// No HTTP message.
    Nothing,
    /// Too short to tell.
    Unsure,
    Request,
    Response,
    /// A line of the PROXY protocol (version 1) of this length, in front of the first request.
    Proxy(usize),
}

/// Tells whether an HTTP message begins here. `scanned` bytes are known to hold no line end.
pub(super) fn look(data: &[u8], scanned: usize) -> Look {
    let marker = b"HTTP/1.";
    if let Some(rest) = data.strip_prefix(marker) {
        return match rest {
            [] | [_] => Look::Unsure,
            [version, b' ' | b'\t', ..] if version.is_ascii_digit() => Look::Response,
            _ => Look::Nothing,
        };
    }
    if marker.starts_with(data) {
        return Look::Unsure;
    }
    let is_method = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_' | b'0'..=b'9');
    let Some(length) = data.iter().take(MAX_METHOD + 1).position(|byte| !is_method(byte)) else {
        return if data.len() <= MAX_METHOD {
            Look::Unsure
        } else {
            Look::Nothing
        };
    };
    if length == 0 || data.get(length) != Some(&b' ') {
        return Look::Nothing;
    }
    let from = scanned.min(data.len());
    let Some(end) = line_end(data, from) else {
        // binary data shows itself in the first bytes of the target
        let target = data.get(length + 1..).unwrap_or_default();
        let text = target.iter().take(16).all(|byte| *byte >= b' ' || *byte == b'\r');
        return if text { Look::Unsure } else { Look::Nothing };
    };
    let line = data.get(..end).unwrap_or_default().trim_ascii_end();
    if line.starts_with(b"PROXY ") && !line.ends_with(b"HTTP/1.1") {
        return Look::Proxy(end + 1);
    }
    // requests with spaces in their target exist; the version is what comes last
    let version = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    let known = version
        .strip_prefix(marker)
        .is_some_and(|rest| matches!(rest, [b'0'..=b'9']));
    if known && line.len() > length + version.len() + 1 {
        Look::Request
    } else {
        Look::Nothing
    }
}

fn line_end(data: &[u8], from: usize) -> Option<usize> {
    data.get(from..)?
        .iter()
        .position(|byte| *byte == b'\n')
        .map(|at| from + at)
}

/// Length of the head that begins `data`, its empty line included. `scanned` bytes are known not to
/// hold its end.
pub(super) fn head_end(data: &[u8], scanned: usize) -> Option<usize> {
    // the end may straddle what was scanned
    let mut from = scanned.saturating_sub(3);
    while let Some(end) = line_end(data, from) {
        match data.get(end + 1..) {
            Some([b'\n', ..]) => return Some(end + 2),
            Some([b'\r', b'\n', ..]) => return Some(end + 3),
            _ => from = end + 1,
        }
    }
    None
}

/// What header fields say about the message they belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Fields {
    content_length: Option<u64>,
    chunked: bool,
}

impl Fields {
    fn note(&mut self, name: &str, value: &[u8]) {
        if name.eq_ignore_ascii_case("content-length") {
            // "5, 5" is how a list of two equal fields looks
            let first = value
                .split(|byte| *byte == b',')
                .next()
                .unwrap_or_default()
                .trim_ascii();
            let digits = !first.is_empty() && first.iter().all(u8::is_ascii_digit);
            let number = std::str::from_utf8(first)
                .ok()
                .filter(|_| digits)
                .and_then(|text| text.parse().ok());
            self.content_length = self.content_length.or(number);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            let last = value
                .rsplit(|byte| *byte == b',')
                .next()
                .unwrap_or_default()
                .trim_ascii();
            self.chunked = last.eq_ignore_ascii_case(b"chunked");
        }
    }
}

/// The head of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RequestHead {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) version: String,
    pub(super) headers: Headers,
    pub(super) framing: Framing,
}

/// The head of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ResponseHead {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) headers: Headers,
    fields: Fields,
}

impl ResponseHead {
    /// How long the body is, which depends on what was asked (RFC 9112, 6.3).
    pub(super) fn framing(&self, method: Option<&str>) -> Framing {
        let none = method == Some("HEAD") || matches!(self.status, 100..=199 | 204 | 304);
        let tunnel = method == Some("CONNECT") && (200..300).contains(&self.status);
        match self.fields {
            _ if none || tunnel => Framing::Length(0),
            Fields { chunked: true, .. } => Framing::chunked(),
            Fields {
                content_length: Some(length),
                ..
            } => Framing::Length(length),
            Fields { .. } => Framing::UntilClose,
        }
    }
}

/// Whether a head was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Parsed<T> {
    /// A head and its length, bytes.
    Head(T, usize),
    /// Its end has not come yet.
    Partial,
    Nothing,
}

fn config() -> ParserConfig {
    let mut config = ParserConfig::default();
    config
        .allow_spaces_after_header_name_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_multiple_spaces_in_request_line_delimiters(true)
        .allow_multiple_spaces_in_response_status_delimiters(true);
    config
}

fn collect(parsed: &[httparse::Header<'_>], limit: usize) -> (Headers, Fields) {
    let mut fields = Fields::default();
    let mut headers = Vec::with_capacity(parsed.len().min(limit));
    for header in parsed {
        fields.note(header.name, header.value);
        if headers.len() < limit {
            headers.push((
                header.name.to_owned(),
                String::from_utf8_lossy(header.value).into_owned(),
            ));
        }
    }
    (headers, fields)
}

/// Reads the head of a request, keeping at most `limit` header fields.
pub(super) fn parse_request(data: &[u8], limit: usize) -> Parsed<RequestHead> {
    let mut slots = [httparse::EMPTY_HEADER; FIELDS];
    let mut request = httparse::Request::new(&mut slots);
    match config().parse_request(&mut request, data) {
        Ok(Status::Complete(length)) => {
            let (headers, fields) = collect(request.headers, limit);
            Parsed::Head(
                RequestHead {
                    method: request.method.unwrap_or_default().to_owned(),
                    target: request.path.unwrap_or_default().to_owned(),
                    version: format_version(request.version),
                    headers,
                    framing: request_framing(&fields),
                },
                length,
            )
        }
        Ok(Status::Partial) if head_end(data, 0).is_none() => Parsed::Partial,
        _ => lenient(data, limit, |line, headers, fields| {
            let (method, rest) = split_once(line, b' ')?;
            let at = rest.iter().rposition(|byte| *byte == b' ')?;
            let (target, version) = rest.split_at_checked(at)?;
            Some(RequestHead {
                method: text(method),
                target: text(target.trim_ascii()),
                version: text(version.trim_ascii()),
                headers,
                framing: request_framing(&fields),
            })
        }),
    }
}

/// Reads the head of a response, keeping at most `limit` header fields.
pub(super) fn parse_response(data: &[u8], limit: usize) -> Parsed<ResponseHead> {
    let mut slots = [httparse::EMPTY_HEADER; FIELDS];
    let mut response = httparse::Response::new(&mut slots);
    match config().parse_response(&mut response, data) {
        Ok(Status::Complete(length)) => {
            let (headers, fields) = collect(response.headers, limit);
            // 0 is how a call without a response is told
            let Some(status @ 100..1000) = response.code else {
                return Parsed::Nothing;
            };
            let reason = response.reason.unwrap_or_default().to_owned();
            Parsed::Head(
                ResponseHead {
                    status,
                    reason,
                    headers,
                    fields,
                },
                length,
            )
        }
        Ok(Status::Partial) if head_end(data, 0).is_none() => Parsed::Partial,
        _ => lenient(data, limit, |line, headers, fields| {
            let (_, rest) = split_once(line, b' ')?;
            let rest = rest.trim_ascii();
            let (code, reason) = split_once(rest, b' ').unwrap_or((rest, b""));
            let status = std::str::from_utf8(code)
                .ok()?
                .parse()
                .ok()
                .filter(|code| (100..1000).contains(code))?;
            Some(ResponseHead {
                status,
                reason: text(reason.trim_ascii()),
                headers,
                fields,
            })
        }),
    }
}

fn format_version(minor: Option<u8>) -> String {
    match minor {
        Some(0) => "HTTP/1.0".to_owned(),
        _ => "HTTP/1.1".to_owned(),
    }
}

fn request_framing(fields: &Fields) -> Framing {
    if fields.chunked {
        Framing::chunked()
    } else {
        Framing::Length(fields.content_length.unwrap_or(0))
    }
}

/// Reads a head that breaks the grammar: spaces in the target, folded or nameless header lines, more
/// fields than anybody needs. Whoever received it may have understood it all the same.
fn lenient<T>(
    data: &[u8],
    limit: usize,
    start: impl FnOnce(&[u8], Headers, Fields) -> Option<T>,
) -> Parsed<T> {
    let Some(length) = head_end(data, 0) else {
        return Parsed::Partial;
    };
    let head = data.get(..length).unwrap_or_default();
    let mut lines = head
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = lines.next().unwrap_or_default();
    let (mut headers, mut fields): (Headers, Fields) = Default::default();
    for line in lines {
        if line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
            // obsolete folding: the line goes on with the value before it
            if let Some((_, value)) = headers.last_mut() {
                value.push(' ');
                value.push_str(&text(line.trim_ascii()));
            }
            continue;
        }
        let Some((name, value)) = split_once(line, b':') else {
            continue;
        };
        let (name, value) = (text(name.trim_ascii()), value.trim_ascii());
        fields.note(&name, value);
        if headers.len() < limit {
            headers.push((name, text(value)));
        }
    }
    start(first, headers, fields).map_or(Parsed::Nothing, |head| Parsed::Head(head, length))
}

fn split_once(data: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = data.iter().position(|byte| *byte == separator)?;
    Some((data.get(..at)?, data.get(at + 1..)?))
}

fn text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).into_owned()
}
