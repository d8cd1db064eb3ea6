//! One call with everything: answers of `get_api_call` and `get_api_call_details`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    DecodeError,
    call::{Call, call},
    field::{Fields, body},
    flow::{Flow, flow},
};

/// One call with headers, bodies and, where the server adds it, its flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallDetail {
    /// Bodies and headers are in here.
    pub call: Call,
    /// Whether a body was cut off.
    pub truncated: bool,
    /// The layer 4 flow the call belongs to.
    pub flow: Option<Flow>,
    /// The connection as the server sent it; its shape is not public.
    pub connection: Option<Value>,
}

/// Reads `{entry, req_body, resp_body, truncated, l4_flow, l4_conn}`, or the call itself as older
/// servers send it.
pub fn call_detail(answer: &Value) -> Result<CallDetail, DecodeError> {
    const WHAT: &str = "the answer about a call";
    let fields = Fields::of(answer).ok_or_else(|| DecodeError::shape(WHAT, "an object", answer))?;
    let entry = fields.get(&["entry", "call"]).filter(|e| e.is_object());
    let mut call = call(entry.unwrap_or(answer)).map_err(|e| DecodeError { what: WHAT, ..e })?;
    let outer = |names: &[&str]| fields.get(names).and_then(body);
    call.request_body = outer(&["req_body", "request_body"]).or(call.request_body);
    call.response_body = outer(&["resp_body", "response_body"]).or(call.response_body);
    Ok(CallDetail {
        call,
        truncated: fields.flag(&["truncated"]).unwrap_or(false),
        flow: fields.get(&["l4_flow"]).and_then(flow),
        connection: fields.get(&["l4_conn"]).cloned(),
    })
}
