//! A shop of three services on two nodes, in packets made by hand.
//!
//! All within ten seconds from [`START_US`]: healthy calls from `web` to `cart` on the same node and to `pay` on
//! the other, one lookup that finds and one that does not, a charge that fails with 503, and a connection that
//! `cart` refuses.

use etherparse::{PacketBuilder, PacketBuilderStep, TcpHeader};
use rca_agent::hub::packet::{LinkType, RawPacket, write_pcap};

/// 2026-03-14T16:12:30Z
pub(crate) const START_US: i64 = 1_773_504_750_000_000;
pub(crate) const START_MS: i64 = START_US / 1000;

pub(crate) const WORKLOADS: &str = r#"{
  "format": "rca-agent/capture/1", "cluster": "lab",
  "nodes": [{"name": "node-a", "capture": "node-a.pcap"}, {"name": "node-b"}],
  "workloads": [
    {"kind": "pod", "name": "web-7d9-abcde", "namespace": "shop", "node": "node-a", "ips": ["10.0.1.1"],
     "labels": {"app": "web"}, "services": ["web"], "owner": "deployment/web"},
    {"kind": "pod", "name": "cart-5c4-fghij", "namespace": "shop", "node": "node-a", "ips": ["10.0.1.2"],
     "labels": {"app": "cart", "version": "v1"}, "services": ["cart"], "owner": "deployment/cart"},
    {"kind": "pod", "name": "pay-6b8-klmno", "namespace": "bank", "node": "node-b", "ips": ["10.0.2.1"],
     "labels": {"app": "pay"}, "services": ["pay"], "owner": "deployment/pay"},
    {"kind": "pod", "name": "coredns-1", "namespace": "kube-system", "node": "node-b", "ips": ["10.0.2.53"],
     "services": ["kube-dns"]},
    {"kind": "service", "name": "pay", "namespace": "bank", "ips": ["10.96.0.9"], "ports": [8080]}
  ]}"#;

const WEB: [u8; 4] = [10, 0, 1, 1];
const CART: [u8; 4] = [10, 0, 1, 2];
const PAY: [u8; 4] = [10, 0, 2, 1];
const DNS: [u8; 4] = [10, 0, 2, 53];

/// The packets of one node.
#[derive(Default)]
pub(crate) struct Node(Vec<(i64, Vec<u8>)>);

impl Node {
    /// As a pcap file.
    pub(crate) fn pcap(&self) -> Vec<u8> {
        let mut packets: Vec<RawPacket<'_>> = self
            .0
            .iter()
            .map(|(ts_us, data)| RawPacket {
                ts_us: *ts_us,
                link: LinkType::ETHERNET,
                data,
                original_len: u32::try_from(data.len()).unwrap(),
            })
            .collect();
        packets.sort_by_key(|packet| packet.ts_us);
        write_pcap(&packets).unwrap()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Both nodes.
#[derive(Default)]
pub(crate) struct Shop {
    pub a: Node,
    pub b: Node,
}

fn ip(from: [u8; 4], to: [u8; 4]) -> PacketBuilderStep<etherparse::IpHeaders> {
    PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4(from, to, 64)
}

/// One TCP connection, told packet by packet.
struct Conversation<'n> {
    nodes: Vec<(&'n mut Node, i64)>,
    client: ([u8; 4], u16),
    server: ([u8; 4], u16),
    at: i64,
    /// Next sequence number of client and server.
    seq: (u32, u32),
}

impl Conversation<'_> {
    fn send(&mut self, from_client: bool, after_us: i64, flags: fn(&mut TcpHeader), payload: &[u8]) {
        self.at += after_us;
        let (from, to) = if from_client {
            (self.client, self.server)
        } else {
            (self.server, self.client)
        };
        let (seq, ack) = if from_client {
            self.seq
        } else {
            (self.seq.1, self.seq.0)
        };
        let mut header = TcpHeader::new(from.1, to.1, seq, 64_000);
        header.acknowledgment_number = ack;
        flags(&mut header);
        let mut frame = Vec::new();
        let advance = u32::try_from(payload.len()).unwrap() + u32::from(header.syn) + u32::from(header.fin);
        ip(from.0, to.0)
            .tcp_header(header)
            .write(&mut frame, payload)
            .unwrap();
        for (node, later) in &mut self.nodes {
            node.0.push((self.at + *later, frame.clone()));
        }
        if from_client {
            self.seq.0 += advance;
        } else {
            self.seq.1 += advance;
        }
    }

    fn open(&mut self) {
        self.send(true, 0, |tcp| tcp.syn = true, &[]);
        self.send(false, 200, |tcp| (tcp.syn, tcp.ack) = (true, true), &[]);
        self.send(true, 100, |tcp| tcp.ack = true, &[]);
    }

    fn exchange(&mut self, request: &str, after_us: i64, response: &str) {
        self.send(true, 50, |tcp| tcp.ack = true, request.as_bytes());
        self.send(false, after_us, |tcp| tcp.ack = true, response.as_bytes());
        self.send(true, 20, |tcp| tcp.ack = true, &[]);
    }

    fn close(&mut self) {
        self.send(true, 30, |tcp| (tcp.fin, tcp.ack) = (true, true), &[]);
        self.send(false, 30, |tcp| (tcp.fin, tcp.ack) = (true, true), &[]);
        self.send(true, 30, |tcp| tcp.ack = true, &[]);
    }
}

impl Shop {
    /// The shop as the module says.
    pub(crate) fn open() -> Self {
        let mut shop = Self::default();
        for n in 0..5 {
            let mut to_cart = shop.local(40_000 + n, CART, 8080, i64::from(n) * 2_000_000);
            to_cart.open();
            to_cart.exchange(
                "GET /cart?user=7&note=a+b HTTP/1.1\r\nHost: cart:8080\r\nUser-Agent: web\r\n\r\n",
                2_000,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"items\":[1]}",
            );
            to_cart.close();
            let mut to_pay = shop.across(41_000 + n, PAY, 8080, 500_000 + i64::from(n) * 2_000_000);
            to_pay.open();
            to_pay.exchange(
                "GET /health HTTP/1.1\r\nHost: pay:8080\r\n\r\n",
                1_500,
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            );
            if n == 3 {
                to_pay.exchange(
                    "POST /charge HTTP/1.1\r\nHost: pay:8080\r\nContent-Length: 14\r\n\r\n{\"amount\": 10}",
                    40_000,
                    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 17\r\n\r\npool is exhausted",
                );
            }
            to_pay.close();
        }
        let mut refused = shop.local(42_000, CART, 9999, 7_100_000);
        refused.send(true, 0, |tcp| tcp.syn = true, &[]);
        refused.seq.1 = 0;
        refused.send(false, 80, |tcp| (tcp.rst, tcp.ack) = (true, true), &[]);
        shop.lookup(
            50_000,
            "pay.bank.svc.cluster.local",
            Some([10, 96, 0, 9]),
            100_000,
        );
        shop.lookup(50_001, "payments.bank.svc.cluster.local", None, 8_200_000);
        shop
    }

    fn local(&mut self, port: u16, to: [u8; 4], to_port: u16, at: i64) -> Conversation<'_> {
        Conversation {
            nodes: vec![(&mut self.a, 0)],
            client: (WEB, port),
            server: (to, to_port),
            at: START_US + at,
            seq: (1_000 * u32::from(port), 7_000),
        }
    }

    /// Seen by both nodes, by the second 300 µs later.
    fn across(&mut self, port: u16, to: [u8; 4], to_port: u16, at: i64) -> Conversation<'_> {
        Conversation {
            nodes: vec![(&mut self.a, 0), (&mut self.b, 300)],
            client: (WEB, port),
            server: (to, to_port),
            at: START_US + at,
            seq: (1_000 * u32::from(port), 9_000),
        }
    }

    fn lookup(&mut self, port: u16, name: &str, answer: Option<[u8; 4]>, at: i64) {
        let mut question = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.') {
            question.push(u8::try_from(label.len()).unwrap());
            question.extend_from_slice(label.as_bytes());
        }
        question.extend_from_slice(&[0, 0, 1, 0, 1]);
        let mut reply = question.clone();
        reply[2] = 0x81;
        reply[3] = if answer.is_some() { 0x80 } else { 0x83 };
        if let Some(address) = answer {
            reply[7] = 1;
            reply.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4]);
            reply.extend_from_slice(&address);
        }
        for (from, to, ports, payload, later) in [
            (WEB, DNS, (port, 53), &question, 0),
            (DNS, WEB, (53, port), &reply, 900),
        ] {
            let mut frame = Vec::new();
            ip(from, to)
                .udp(ports.0, ports.1)
                .write(&mut frame, payload)
                .unwrap();
            self.a.0.push((START_US + at + later, frame.clone()));
            self.b.0.push((START_US + at + later + 300, frame));
        }
    }
}
