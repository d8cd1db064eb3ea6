//! Packet filters, the expressions of `tcpdump`: parsed, compiled, and held against packets. Pure.

use pktbaffle::ast::Expr;
use pktbaffle::bpf::Program;
use pktbaffle::codegen;
use regex::{Captures, Regex};

/// Longest filter accepted, bytes: about 800 hosts.
const MAX_LENGTH: usize = 16 * 1024;
/// More negations than this are refused: the parser descends once for each.
const MAX_NEGATIONS: usize = 256;

/// A compiled filter.
///
/// The terms are compiled one by one and joined here, since one program for the whole expression cannot
/// jump further than 255 instructions, which is a filter of some 60 hosts.
#[derive(Debug)]
pub struct PacketFilter(Node);

#[derive(Debug)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Leaf(Program),
}

impl PacketFilter {
    /// Compiles `text`; empty matches every packet. The error says what is wrong.
    pub fn compile(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self(Node::All(Vec::new())));
        }
        if text.len() > MAX_LENGTH {
            return Err(format!(
                "the filter has {} bytes; at most {MAX_LENGTH} are accepted",
                text.len()
            ));
        }
        let negations = text.matches('!').count() + text.matches("not").count();
        if negations > MAX_NEGATIONS {
            return Err(format!(
                "the filter negates {negations} times; at most {MAX_NEGATIONS} are accepted"
            ));
        }
        let expression = pktbaffle::parse(&fold_flags(text)).map_err(|error| in_words(&error))?;
        node(&expression).map(Self).map_err(|error| in_words(&error))
    }

    /// Whether a packet matches, given as an Ethernet frame.
    pub fn matches(&self, frame: &[u8]) -> bool {
        self.0.matches(frame)
    }
}

impl Node {
    fn matches(&self, frame: &[u8]) -> bool {
        match self {
            Self::All(terms) => terms.iter().all(|term| term.matches(frame)),
            Self::Any(terms) => terms.iter().any(|term| term.matches(frame)),
            Self::Not(term) => !term.matches(frame),
            Self::Leaf(program) => program.matches(frame),
        }
    }
}

fn node(expression: &Expr) -> pktbaffle::Result<Node> {
    Ok(match expression {
        Expr::And(..) => Node::All(terms(expression, |e| match e {
            Expr::And(left, right) => Some((left, right)),
            _ => None,
        })?),
        Expr::Or(..) => Node::Any(terms(expression, |e| match e {
            Expr::Or(left, right) => Some((left, right)),
            _ => None,
        })?),
        Expr::Not(inner) => Node::Not(Box::new(node(inner)?)),
        // A primitive, or whatever the crate adds: it knows how to compile its own.
        _ => Node::Leaf(codegen::compile(expression, pktbaffle::LinkType::Ethernet)?),
    })
}

/// The terms of a chain of one operator, in order; a loop, as chains are as long as a filter has hosts.
fn terms<'e>(
    expression: &'e Expr,
    split: impl Fn(&'e Expr) -> Option<(&'e Expr, &'e Expr)>,
) -> pktbaffle::Result<Vec<Node>> {
    let mut pending = vec![expression];
    let mut terms = Vec::new();
    while let Some(next) = pending.pop() {
        if let Some((left, right)) = split(next) {
            pending.push(right);
            pending.push(left);
        } else {
            terms.push(node(next)?);
        }
    }
    Ok(terms)
}

/// The crate's message without its names for tokens.
fn in_words(error: &pktbaffle::Error) -> String {
    let message = error.to_string();
    let message = message
        .strip_prefix("parse error: ")
        .or(message.strip_prefix("codegen error: "))
        .unwrap_or(&message);
    let message = message
        .replace("got None", "got nothing")
        .replace("token None", "end");
    let Ok(token) = Regex::new(r#"Some\((?:\w+\("?([^")]*)"?\)|(\w+))\)"#) else {
        return message;
    };
    token.replace_all(&message, "`$1$2`").into_owned()
}

/// Writes names of TCP flags, sums of them such as `(tcp-syn|tcp-fin)`, and `==` as the parser reads them.
fn fold_flags(text: &str) -> String {
    let text = text.replace("==", "=");
    // The patterns are constant; without them the text stays as it is and the parser says what it cannot read.
    let (Ok(name), Ok(sum)) = (
        Regex::new(r"\btcp-[a-z]+\b"),
        Regex::new(r"\(\s*(\d+(?:\s*\|\s*\d+)*)\s*\)"),
    ) else {
        return text;
    };
    let text = name.replace_all(&text, |found: &Captures<'_>| {
        flag(&found[0]).map_or_else(|| found[0].to_owned(), |bit| bit.to_string())
    });
    let text = sum.replace_all(&text, |found: &Captures<'_>| {
        let terms = found[1].split('|').map(|term| term.trim().parse::<u32>());
        let sum = terms.reduce(|sum, term| Ok(sum? | term?));
        sum.and_then(Result::ok)
            .map_or_else(|| found[0].to_owned(), |sum| sum.to_string())
    });
    text.into_owned()
}

/// The bits of `pcap-filter(7)`.
fn flag(name: &str) -> Option<u32> {
    Some(match name {
        "tcp-fin" => 1,
        "tcp-syn" => 2,
        "tcp-rst" => 4,
        "tcp-push" => 8,
        "tcp-ack" => 16,
        "tcp-urg" => 32,
        "tcp-ece" => 64,
        "tcp-cwr" => 128,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;

    use super::*;

    fn syn() -> Vec<u8> {
        let mut frame = Vec::new();
        PacketBuilder::ethernet2([2; 6], [4; 6])
            .ipv4([10, 1, 1, 5], [10, 1, 2, 6], 64)
            .tcp(4000, 8080, 1, 1000)
            .syn()
            .write(&mut frame, &[])
            .unwrap();
        frame
    }

    #[test]
    fn filters_of_the_manual_page_select_as_tcpdump_does() {
        for (filter, expected) in [
            ("", true),
            ("host 10.1.1.5", true),
            ("host 10.1.1.6", false),
            ("host 10.1.1.6 or host 10.1.1.5", true),
            ("host 10.1.1.5 and port 8080", true),
            ("not host 10.1.1.5", false),
            ("! (host 10.9.9.9 or port 80)", true),
            ("net 10.1.0.0/16 and tcp", true),
            ("tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", true),
            ("tcp[tcpflags] & (tcp-rst | tcp-fin) != 0", false),
            ("tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn", true),
            ("tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-ack", false),
            ("tcp[13] & 2 != 0 and portrange 8000-9000", true),
            ("ip6", false),
            ("udp", false),
        ] {
            let compiled = PacketFilter::compile(filter).unwrap();
            assert_eq!(compiled.matches(&syn()), expected, "{filter}");
        }
    }

    #[test]
    fn a_filter_of_hundreds_of_hosts_still_works() {
        let mut filter: Vec<String> = (0..700)
            .map(|n| format!("host 10.2.{}.{}", n / 250, n % 250))
            .collect();
        assert!(
            !PacketFilter::compile(&filter.join(" or "))
                .unwrap()
                .matches(&syn())
        );
        filter.push("host 10.1.1.5".to_owned());
        assert!(
            PacketFilter::compile(&filter.join(" or "))
                .unwrap()
                .matches(&syn())
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        let refused = |filter: &str| PacketFilter::compile(filter).unwrap_err();
        insta::assert_snapshot!(refused("hots 10.1.1.5"), @"unexpected token `hots` — expected a filter primitive");
        insta::assert_snapshot!(refused("host 10.0.0.1 and"), @"unexpected end — expected a filter primitive");
        insta::assert_snapshot!(refused("port (80 or 81)"), @"expected integer literal, got `LParen`");
        insta::assert_snapshot!(refused("host payments"), @"expected IP address, got `payments`");
        insta::assert_snapshot!(refused(&"!".repeat(3000)), @"the filter negates 3000 times; at most 256 are accepted");
        insta::assert_snapshot!(refused(&"tcp ".repeat(5000)), @"the filter has 20000 bytes; at most 16384 are accepted");
    }
}
