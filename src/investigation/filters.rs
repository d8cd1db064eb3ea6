//! The filters that the phases send, from typed parts.
//!
//! Each knows the one it was narrowed from, which is its positive control.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    analysis::{EdgeKey, Layer, Naming, Party},
    kfl::{FieldId, Filter, FilterTerm, Protocol},
};

/// All calls of a layer: the cheap term that every filter begins with.
pub(super) fn layer(layer: Layer) -> Filter {
    Filter::new(protocol(layer))
}

fn protocol(layer: Layer) -> Protocol {
    match layer {
        Layer::Http => Protocol::Http,
        Layer::Grpc => Protocol::Grpc,
        Layer::Graphql => Protocol::Gql,
        Layer::WebSocket => Protocol::Ws,
        Layer::Mysql => Protocol::Mysql,
        Layer::Postgresql => Protocol::Postgresql,
        Layer::Mongodb => Protocol::Mongodb,
        Layer::Redis => Protocol::Redis,
        Layer::Kafka => Protocol::Kafka,
        Layer::Amqp => Protocol::Amqp,
        Layer::Ldap => Protocol::Ldap,
        Layer::Dns => Protocol::Dns,
        Layer::Tcp => Protocol::TcpFlow,
    }
}

/// What makes a call of this layer a failing one; `None` where no field says so.
fn failing_term(layer: Layer) -> Option<FilterTerm> {
    match layer {
        Layer::Http | Layer::Graphql => {
            let no_answer = FilterTerm::equals(FieldId::STATUS_CODE, 0).ok()?;
            FilterTerm::any(&[FilterTerm::status_at_least(400), no_answer])
        }
        Layer::Grpc => {
            // -1 stands on entries that have none.
            let codes = [0, -1].map(|code| FilterTerm::differs(FieldId::GRPC_STATUS, code).ok());
            FilterTerm::all(&codes.into_iter().collect::<Option<Vec<_>>>()?)
        }
        Layer::Mysql => FilterTerm::differs(FieldId::MYSQL_ERROR_CODE, 0).ok(),
        Layer::Postgresql => FilterTerm::differs(FieldId::POSTGRESQL_ERROR_CODE, "").ok(),
        Layer::Mongodb => FilterTerm::differs(FieldId::MONGODB_ERROR_CODE, 0).ok(),
        Layer::WebSocket | Layer::Redis | Layer::Kafka | Layer::Amqp | Layer::Ldap => None,
        // Search domains end most lookups in NXDOMAIN (3) before they succeed.
        Layer::Dns => {
            let codes = [0, 3].map(|code| FilterTerm::differs(FieldId::STATUS_CODE, code).ok());
            let failed = FilterTerm::all(&codes.into_iter().collect::<Option<Vec<_>>>()?)?;
            FilterTerm::any(&[failed, FilterTerm::equals(FieldId::DNS_RESPONSE, false).ok()?])
        }
        Layer::Tcp => FilterTerm::differs(FieldId::TCP_ERROR_TYPE, "").ok(),
    }
}

/// All calls of any of these layers, inside one namespace where the user named one.
pub(super) fn any_of(layers: &[Layer], namespace: Option<&str>) -> Filter {
    let [only] = layers else {
        let flags: Vec<FilterTerm> = layers
            .iter()
            .map(|layer| FilterTerm::protocol(protocol(*layer)))
            .collect();
        return inside(narrowed(Filter::everything(), FilterTerm::any(&flags)), namespace);
    };
    all(*only, namespace)
}

/// Failing calls of any of these layers; `None` where no field tells of any of them.
pub(super) fn failing_of_any(layers: &[Layer], namespace: Option<&str>) -> Option<Filter> {
    let telling: Vec<Layer> = layers
        .iter()
        .copied()
        .filter(|layer| failing_term(*layer).is_some())
        .collect();
    let [only] = telling.as_slice() else {
        let terms: Vec<FilterTerm> = telling
            .iter()
            .filter_map(|layer| {
                FilterTerm::all(&[FilterTerm::protocol(protocol(*layer)), failing_term(*layer)?])
            })
            .collect();
        let term = FilterTerm::any(&terms)?;
        return Some(inside(Filter::everything().and(term), namespace));
    };
    Some(failing(all(*only, namespace), *only))
}

/// A filter's failing calls.
pub(super) fn failing(of: Filter, layer: Layer) -> Filter {
    narrowed(of, failing_term(layer))
}

/// The same, where a field tells failing calls of this layer from others.
pub(super) fn failing_only(of: Filter, layer: Layer) -> Option<Filter> {
    Some(of.and(failing_term(layer)?))
}

/// A filter's calls that did not fail, where a field tells.
pub(super) fn good(of: Filter, layer: Layer) -> Filter {
    narrowed(of, failing_term(layer).map(|term| term.negated()))
}

/// HTTP calls that succeeded by their status with an answer as short as an error message, along an edge or anywhere.
pub(super) fn short_answers(of: Filter) -> Filter {
    /// Longer answers carry what was asked for, bytes.
    const SHORT: u16 = 600;
    let terms = [
        Some(FilterTerm::status_at_least(400).negated()),
        FilterTerm::below(FieldId::RESPONSE_BODY_SIZE, SHORT),
        FilterTerm::differs(FieldId::RESPONSE_BODY_SIZE, 0).ok(),
    ];
    narrowed(of, terms.into_iter().flatten())
}

/// A filter's calls that took this long or longer, µs.
pub(super) fn slow(of: Filter, micros: i64) -> Filter {
    of.latency_at_least(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
}

fn narrowed(filter: Filter, terms: impl IntoIterator<Item = FilterTerm>) -> Filter {
    terms.into_iter().fold(filter, Filter::and)
}

/// The fields that name one end of a call.
struct End {
    namespace: FieldId,
    service: FieldId,
    pod: FieldId,
    ip: FieldId,
}

const SRC: End = End {
    namespace: FieldId::SRC_NAMESPACE,
    service: FieldId::SRC_SERVICE_NAME,
    pod: FieldId::SRC_POD_NAME,
    ip: FieldId::SRC_IP,
};

const DST: End = End {
    namespace: FieldId::DST_NAMESPACE,
    service: FieldId::DST_SERVICE_NAME,
    pod: FieldId::DST_POD_NAME,
    ip: FieldId::DST_IP,
};

impl End {
    /// The terms of calls with this party at this end.
    fn is(&self, party: &Party) -> Vec<FilterTerm> {
        let text = |field: FieldId, value: &str| FilterTerm::equals(field, value).ok();
        let name = party.name.as_str();
        let named = match party.naming {
            Naming::Service => text(self.service, name),
            Naming::Pod => text(self.pod, name),
            Naming::Address => return text(self.ip, name).into_iter().collect(),
            Naming::Node => return Vec::new(),
            Naming::Outside => return text(self.namespace, "").into_iter().collect(),
            Naming::Word => text(self.service, name)
                .zip(text(self.pod, name))
                .and_then(|(service, pod)| FilterTerm::any(&[service, pod])),
        };
        let namespace = party
            .namespace
            .as_ref()
            .and_then(|namespace| text(self.namespace, namespace));
        namespace.into_iter().chain(named).collect()
    }
}

/// A filter's calls to services of these names, in any namespace.
pub(super) fn to_services(of: Filter, names: &BTreeSet<String>) -> Filter {
    narrowed(of, one_of(names))
}

fn one_of(names: &BTreeSet<String>) -> Option<FilterTerm> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    FilterTerm::one_of(FieldId::DST_SERVICE_NAME, &names)
}

/// Calls of a layer to a party.
pub(super) fn to(layer_of: Layer, party: &Party) -> Filter {
    narrowed(layer(layer_of), DST.is(party))
}

/// Whatever goes to a party, by any protocol.
pub(super) fn anything_to(party: &Party) -> Filter {
    narrowed(Filter::everything(), DST.is(party))
}

/// Whatever comes from a namespace or goes there.
pub(super) fn touching(namespace: &str) -> Option<Filter> {
    let ends = [FieldId::SRC_NAMESPACE, FieldId::DST_NAMESPACE];
    let terms: Vec<FilterTerm> = ends
        .into_iter()
        .filter_map(|field| FilterTerm::equals(field, namespace).ok())
        .collect();
    Some(Filter::everything().and(FilterTerm::any(&terms)?))
}

/// Calls along an edge.
pub(super) fn along(key: &EdgeKey) -> Filter {
    narrowed(to(key.layer, &key.to), SRC.is(&key.from))
}

/// The layer's calls, inside one namespace where the user named one.
pub(super) fn all(of: Layer, namespace: Option<&str>) -> Filter {
    inside(layer(of), namespace)
}

fn inside(of: Filter, namespace: Option<&str>) -> Filter {
    let inside = namespace.and_then(|namespace| FilterTerm::equals(FieldId::DST_NAMESPACE, namespace).ok());
    narrowed(of, inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(namespace: Option<&str>, name: &str, naming: Naming) -> Party {
        Party {
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
            naming,
        }
    }

    #[test]
    fn every_filter_checks_whatever_the_names() {
        let names = ["payments", "a\"b\\", "x && true", "", "\u{202e}"];
        for name in names {
            for naming in [
                Naming::Service,
                Naming::Pod,
                Naming::Address,
                Naming::Outside,
                Naming::Word,
            ] {
                for layer in [
                    Layer::Http,
                    Layer::Grpc,
                    Layer::Postgresql,
                    Layer::Dns,
                    Layer::Tcp,
                ] {
                    let key = EdgeKey {
                        from: party(Some(name), "from", naming),
                        to: party(Some("shop"), name, naming),
                        layer,
                    };
                    let filter = failing(along(&key), layer);
                    assert!(filter.check().is_ok(), "{filter}: {:?}", filter.check());
                    let control = filter.previous();
                    assert_eq!(control, Some(along(&key)), "its control is the edge's traffic");
                }
            }
        }
    }

    #[test]
    fn what_is_sent_reads_as_the_skill_writes_it() {
        let key = EdgeKey {
            from: Party::outside(),
            to: party(Some("shop"), "gateway", Naming::Service),
            layer: Layer::Http,
        };
        let sent = [
            failing(along(&key), Layer::Http),
            slow(along(&key), 25_000),
            failing(all(Layer::Dns, Some("shop")), Layer::Dns),
            failing(all(Layer::Tcp, None), Layer::Tcp),
            to(Layer::Http, &party(None, "cart", Naming::Word)),
        ];
        let sent: Vec<String> = sent.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(sent.join("\n"), @r#"
        http && dst.namespace == "shop" && src.namespace == "" && dst.service.name == "gateway" && (status_code >= 400 || status_code == 0)
        http && dst.namespace == "shop" && src.namespace == "" && elapsed_time >= 25000 && dst.service.name == "gateway"
        dns && dst.namespace == "shop" && (status_code != 0 && status_code != 3 || !dns_response)
        tcp_flow && tcp_error_type != ""
        http && (dst.service.name == "cart" || dst.pod.name == "cart")
        "#);
    }
}
