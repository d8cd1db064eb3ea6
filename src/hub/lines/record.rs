//! The KFL fields of a call that came as a line.

use super::call::LineCall;
use crate::hub::call::{HttpParts, Parts};
use crate::hub::entry::{Body, Entry};
use crate::kfl::FieldId;
use crate::kfl::record::Value;

/// Status of a call that was answered with a status nobody recorded. The default of an absent `status_code` is 0,
/// which is how a request without a response is filtered for; so unknown is -1, as in `grpc_status`.
const UNKNOWN_STATUS: i64 = -1;

impl LineCall {
    /// The value of `field`, as far as the line itself tells.
    pub(in crate::hub) fn field<'c>(
        &'c self,
        entry: &Entry,
        parts: &'c Parts,
        field: FieldId,
    ) -> Option<Value<'c>> {
        let http = parts.http();
        let own = match field {
            FieldId::METHOD if !self.method.is_empty() => Some(Value::Str(&self.method)),
            FieldId::PATH if !self.path.is_empty() => {
                Some(Value::Str(http.map_or(&self.path, |parts| &parts.path)))
            }
            FieldId::STATUS_CODE => self.status_code(entry.elapsed_us),
            FieldId::HAS_PCAP => Some(Value::Bool(false)),
            flag if self.protocol.has(flag) => Some(Value::Bool(true)),
            _ => None,
        };
        own.or_else(|| self.given(field).map(super::FieldValue::as_record))
            .or_else(|| self.detail(http, field))
            .or_else(|| {
                let tcp = parts.tcp()?;
                match field {
                    FieldId::TCP_ERROR_TYPE => Some(Value::Str(tcp.error)),
                    FieldId::TCP_ERROR_MESSAGE => Some(Value::Str(&tcp.message)),
                    FieldId::CONN_STATE | FieldId::FLOW_STATE => Some(Value::Str(tcp.state)),
                    _ => None,
                }
            })
    }

    fn status_code(&self, elapsed_us: Option<i64>) -> Option<Value<'static>> {
        match self.status {
            Some(status) => Some(Value::Int(status.into())),
            None if self.protocol.has_http_status() && !self.unanswered(elapsed_us) => {
                Some(Value::Int(UNKNOWN_STATUS))
            }
            None => None,
        }
    }

    fn detail<'c>(&'c self, parts: Option<&'c HttpParts>, field: FieldId) -> Option<Value<'c>> {
        let size = |bytes: u64| Value::Int(i64::try_from(bytes).unwrap_or(i64::MAX));
        let body = |body: &Option<Body>| body.as_ref().map(|body| size(body.size));
        let details = self.details.as_deref();
        match field {
            FieldId::URL if self.protocol.has_http_status() => {
                Some(Value::Str(parts.map_or(&*self.path, |parts| &parts.url)))
            }
            FieldId::QUERY_STRING => Some(Value::Map(&parts?.query)),
            FieldId::REQUEST_COOKIES => Some(Value::Map(&parts?.request_cookies)),
            FieldId::RESPONSE_COOKIES => Some(Value::Map(&parts?.response_cookies)),
            FieldId::REQUEST_HEADERS_SIZE => Some(size(parts?.request_headers_size)),
            FieldId::RESPONSE_HEADERS_SIZE => Some(size(parts?.response_headers_size)),
            FieldId::REQUEST_HEADERS => Some(Value::Map(&details?.request_headers)),
            FieldId::RESPONSE_HEADERS => Some(Value::Map(&details?.response_headers)),
            FieldId::REQUEST_BODY_SIZE => body(&details?.request_body),
            FieldId::RESPONSE_BODY_SIZE => body(&details?.response_body),
            _ => None,
        }
    }

    /// What is derived once from the target and the headers, where they have anything to derive.
    pub(in crate::hub) fn parts(&self) -> Option<Box<HttpParts>> {
        let headers = self
            .details
            .as_deref()
            .map(|details| (&details.request_headers, &details.response_headers));
        let plain = headers.is_none_or(|(request, response)| request.is_empty() && response.is_empty());
        if !self.protocol.has_http_status() || (plain && !self.path.contains(['?', '#', ':'])) {
            return None;
        }
        let none = Vec::new();
        let (request, response) = headers.unwrap_or((&none, &none));
        Some(Box::new(HttpParts::of(&self.path, request, response)))
    }
}
