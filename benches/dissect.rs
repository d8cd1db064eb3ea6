//! How fast packets become entries, beside `tshark -T fields` on the same file.
//!
//!     cargo bench --bench dissect
//!
//! The capture is made here, the same every time: keep-alive HTTP connections with bodies of many sizes,
//! every segment acknowledged, and a DNS lookup now and then.
#![expect(
    clippy::expect_used,
    reason = "a test or benchmark that finds its premise broken ends"
)]
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::fs;
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::time::Instant;

use etherparse::PacketBuilder;
use rca_agent::hub::dissect::{Dissector, Limits};
use rca_agent::hub::entry::Entry;
use rca_agent::hub::packet::{CaptureFile, LinkType, RawPacket, write_pcap};

/// Size of the capture, bytes.
const SIZE: usize = 60_000_000;
/// Connections open at a time.
const OPEN: usize = 200;
const MSS: usize = 1448;
const RUNS: usize = 5;

/// A linear congruential generator (Knuth's MMIX): all that is wanted is variety that repeats.
struct Variety(u64);

impl Variety {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }
}

struct Connection {
    client: [u8; 4],
    server: [u8; 4],
    port: u16,
    /// Next sequence numbers of client and server.
    seq: [u32; 2],
    calls: usize,
}

#[derive(Default)]
struct Capture {
    frames: Vec<u8>,
    /// Time and end of each frame.
    packets: Vec<(i64, usize)>,
    ts_us: i64,
}

impl Capture {
    fn add(&mut self, frame: impl FnOnce(&mut Vec<u8>)) {
        self.ts_us += 37;
        frame(&mut self.frames);
        self.packets.push((self.ts_us, self.frames.len()));
    }

    fn tcp(&mut self, connection: &mut Connection, side: usize, flags: &str, payload: &[u8]) {
        let (from, to) = (connection.client, connection.server);
        let (from, to, ports) = if side == 0 {
            (from, to, (connection.port, 8080))
        } else {
            (to, from, (8080, connection.port))
        };
        let (seq, ack) = (connection.seq[side], connection.seq[1 - side]);
        let mut step = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
            .ipv4(from, to, 64)
            .tcp(ports.0, ports.1, seq, 65_000);
        if flags.contains('S') {
            step = step.syn();
        }
        if flags.contains('F') {
            step = step.fin();
        }
        if flags.contains('A') {
            step = step.ack(ack);
        }
        self.add(|frames| step.write_to_vec(frames, payload).expect("a packet"));
        let used = payload.len() + usize::from(flags.contains('S')) + usize::from(flags.contains('F'));
        connection.seq[side] = seq.wrapping_add(u32::try_from(used).expect("a segment"));
    }

    fn message(&mut self, connection: &mut Connection, side: usize, message: &[u8]) {
        for part in message.chunks(MSS) {
            self.tcp(connection, side, "A", part);
        }
        self.tcp(connection, 1 - side, "A", b"");
    }

    fn open(&mut self, number: usize) -> Connection {
        let [.., high, low] = u32::try_from(number / 60_000 + number % 250)
            .expect("small")
            .to_be_bytes();
        let mut connection = Connection {
            client: [10, 1, high, low],
            server: [10, 2, 0, u8::try_from(number % 8 + 1).expect("small")],
            port: u16::try_from(1024 + number % 60_000).expect("a port"),
            seq: [
                u32::try_from(number).expect("small").wrapping_mul(2_654_435_761),
                77,
            ],
            calls: 0,
        };
        self.tcp(&mut connection, 0, "S", b"");
        self.tcp(&mut connection, 1, "SA", b"");
        self.tcp(&mut connection, 0, "A", b"");
        connection
    }

    fn close(&mut self, mut connection: Connection) {
        self.tcp(&mut connection, 0, "FA", b"");
        self.tcp(&mut connection, 1, "FA", b"");
        self.tcp(&mut connection, 0, "A", b"");
    }

    fn call(&mut self, connection: &mut Connection, variety: &mut Variety) {
        let order = variety.below(1_000_000);
        let status = if variety.below(50) == 0 {
            "500 Internal Server Error"
        } else {
            "200 OK"
        };
        let request = format!(
            "GET /api/v1/orders/{order}?expand=items HTTP/1.1\r\nHost: orders.shop.svc.cluster.local:8080\r\n\
             User-Agent: Go-http-client/1.1\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\n\
             X-Request-Id: {order:032x}\r\nTraceparent: 00-{order:032x}-{order:016x}-01\r\n\r\n"
        );
        let size = match variety.below(20) {
            0 => 20_000,
            1..5 => 2_000,
            _ => 100 + variety.below(500),
        };
        let body = "x".repeat(size);
        let response = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\
             Date: Mon, 23 Nov 2026 10:00:00 GMT\r\nServer: envoy\r\nX-Envoy-Upstream-Service-Time: 3\r\n\r\n\
             {body}"
        );
        self.message(connection, 0, request.as_bytes());
        self.message(connection, 1, response.as_bytes());
        connection.calls += 1;
    }

    fn lookup(&mut self, variety: &mut Variety) {
        let (id, port) = (
            variety.below(65_536),
            u16::try_from(20_000 + variety.below(40_000)).expect("a port"),
        );
        let [.., high, low] = id.to_be_bytes();
        let question = b"\x06orders\x04shop\x03svc\x07cluster\x05local\0\0\x01\0\x01";
        let mut query = vec![high, low, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        query.extend_from_slice(question);
        let mut answer = vec![high, low, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
        answer.extend_from_slice(question);
        answer.extend_from_slice(b"\xc0\x0c\0\x01\0\x01\0\0\0\x1e\0\x04\x0a\x60\0\x0c");
        let (client, server) = ([10, 1, 0, 9], [10, 96, 0, 10]);
        for (from, to, ports, payload) in [
            (client, server, (port, 53), &query),
            (server, client, (53, port), &answer),
        ] {
            let step = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
                .ipv4(from, to, 64)
                .udp(ports.0, ports.1);
            self.add(|frames| step.write_to_vec(frames, payload).expect("a packet"));
        }
    }
}

fn capture() -> Vec<u8> {
    let mut variety = Variety(42);
    let mut capture = Capture {
        ts_us: 1_700_000_000_000_000,
        ..Capture::default()
    };
    let mut open: Vec<Connection> = (0..OPEN).map(|number| capture.open(number)).collect();
    let mut opened = OPEN;
    while capture.frames.len() < SIZE {
        let at = variety.below(OPEN);
        if open[at].calls > 30 {
            let fresh = capture.open(opened);
            opened += 1;
            let old = std::mem::replace(&mut open[at], fresh);
            capture.close(old);
        }
        capture.call(&mut open[at], &mut variety);
        if variety.below(5) == 0 {
            capture.lookup(&mut variety);
        }
    }
    let mut start = 0;
    let packets: Vec<RawPacket<'_>> = capture
        .packets
        .iter()
        .map(|&(ts_us, end)| {
            let data = &capture.frames[start..end];
            start = end;
            let original_len = u32::try_from(data.len()).expect("a packet");
            RawPacket {
                ts_us,
                link: LinkType::ETHERNET,
                data,
                original_len,
            }
        })
        .collect();
    write_pcap(&packets).expect("one link type")
}

fn dissect(capture: &CaptureFile) -> Vec<Entry> {
    let mut dissector = Dissector::new(Limits::default());
    let mut entries = Vec::new();
    for packet in capture.packets() {
        dissector.packet(&packet);
        dissector.drain(&mut entries);
    }
    entries.extend(dissector.finish());
    entries
}

/// Seconds of the fastest of some runs: what disturbs a run only slows it.
fn fastest(runs: usize, mut run: impl FnMut()) -> f64 {
    (0..runs)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes of some megabytes are exact in a double"
)]
fn main() {
    let bytes = capture();
    let megabytes = bytes.len() as f64 / 1e6;
    let mut opened = None;
    let open_s = fastest(RUNS, || {
        opened = Some(CaptureFile::from_bytes("bench", bytes.clone()).expect("a capture"));
    });
    let file = opened.expect("opened");
    let mut entries = 0;
    let dissect_s = fastest(RUNS, || entries = black_box(dissect(&file)).len());
    println!(
        "capture              {megabytes:8.1} MB, {} packets",
        file.packet_count()
    );
    println!("entries              {entries:8}");
    println!(
        "open and check       {open_s:8.3} s  {:8.1} MB/s",
        megabytes / open_s
    );
    println!(
        "dissect, all kept    {dissect_s:8.3} s  {:8.1} MB/s",
        megabytes / dissect_s
    );

    let path = std::env::temp_dir().join(format!("rca-agent-bench-{}.pcap", std::process::id()));
    fs::write(&path, &bytes).expect("a temporary file");
    let mut ran = true;
    let tshark_s = fastest(2, || {
        let fields = [
            "frame.number",
            "frame.time_epoch",
            "ip.src",
            "ip.dst",
            "tcp.srcport",
            "tcp.dstport",
            "tcp.stream",
            "http.request.method",
            "http.request.uri",
            "http.response.code",
            "http.time",
            "dns.id",
            "dns.qry.name",
            "dns.flags.rcode",
            "dns.time",
        ];
        let mut command = Command::new("tshark");
        command.arg("-r").arg(&path).args(["-T", "fields"]);
        command.args(fields.iter().flat_map(|field| ["-e", field]));
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        ran &= status.is_ok_and(|status| status.success());
    });
    fs::remove_file(&path).expect("a temporary file");
    if ran {
        println!(
            "tshark -T fields     {tshark_s:8.3} s  {:8.1} MB/s",
            megabytes / tshark_s
        );
        println!("ratio                {:8.1}", tshark_s / dissect_s);
    } else {
        println!("tshark               not there, or it failed: nothing to compare with");
    }
}
