//! Layer 4 flows: answers of `list_l4_flows`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    DecodeError,
    call::{Peer, peer},
    field::Fields,
};

/// A list of flows. A sample where it is truncated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlowList {
    pub flows: Vec<Flow>,
    pub total: Option<u64>,
    pub truncated: bool,
}

/// Traffic between two peers, as seen from both sides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// `tcp`, `udp`, in lower case.
    pub protocol: Option<String>,
    pub client: Peer,
    pub server: Peer,
    pub client_side: FlowSide,
    pub server_side: FlowSide,
    pub totals: FlowTotals,
}

/// What one side of a flow measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlowSide {
    pub tx_packets: Option<u64>,
    pub rx_packets: Option<u64>,
    pub tx_bytes: Option<u64>,
    pub rx_bytes: Option<u64>,
    /// Percentiles of the TCP handshake, µs.
    pub handshake_p50_us: Option<u64>,
    pub handshake_p90_us: Option<u64>,
    pub handshake_p99_us: Option<u64>,
}

/// Both directions together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlowTotals {
    pub packets: Option<u64>,
    pub bytes: Option<u64>,
    pub packets_per_second: Option<f64>,
    /// Bits or bytes: the contract says `bps` and no more.
    pub bps: Option<f64>,
}

/// Reads `{flows: […], total, truncated}` or the list alone. What is no flow is left out.
pub fn flows(answer: &Value) -> Result<FlowList, DecodeError> {
    let fields = Fields::of(answer);
    let items = match (answer, fields) {
        (Value::Array(items), _) => items.as_slice(),
        (_, Some(fields)) if fields.has(&["flows", "total"]) => fields.list(&["flows"]),
        _ => return Err(DecodeError::field("the list of flows", "flows", "a list", answer)),
    };
    let total = fields.and_then(|f| f.count(&["total"]));
    let listed = u64::try_from(items.len()).unwrap_or(u64::MAX);
    Ok(FlowList {
        flows: items.iter().filter_map(flow).collect(),
        truncated: fields.and_then(|f| f.flag(&["truncated"])).unwrap_or(false)
            || total.is_some_and(|total| total > listed),
        total,
    })
}

/// Reads one flow; `None` where it names neither end.
pub(super) fn flow(value: &Value) -> Option<Flow> {
    let fields = Fields::of(value)?;
    let (client, server) = (fields.get(&["client", "src"]), fields.get(&["server", "dst"]));
    if client.is_none() && server.is_none() {
        return None;
    }
    let totals = fields.object(&["totals", "total"]);
    Some(Flow {
        protocol: fields
            .text(&["proto", "protocol", "l4proto"])
            .map(|p| p.to_lowercase()),
        client: peer(client),
        server: peer(server),
        client_side: side(fields.object(&["client_stats"])),
        server_side: side(fields.object(&["server_stats"])),
        totals: FlowTotals {
            packets: totals.and_then(|t| t.count(&["pkts", "packets"])),
            bytes: totals.and_then(|t| t.count(&["bytes"])),
            packets_per_second: totals.and_then(|t| t.number(&["pps"])),
            bps: totals.and_then(|t| t.number(&["bps"])),
        },
    })
}

fn side(fields: Option<Fields<'_>>) -> FlowSide {
    let count = |names: &[&str]| fields.and_then(|f| f.count(names));
    FlowSide {
        tx_packets: count(&["tx_pkts", "tx_packets"]),
        rx_packets: count(&["rx_pkts", "rx_packets"]),
        tx_bytes: count(&["tx_bytes"]),
        rx_bytes: count(&["rx_bytes"]),
        handshake_p50_us: count(&["tcp_handshake_p50_us"]),
        handshake_p90_us: count(&["tcp_handshake_p90_us"]),
        handshake_p99_us: count(&["tcp_handshake_p99_us"]),
    }
}
