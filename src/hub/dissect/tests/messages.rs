//! HTTP messages of every shape, in streams without a fault.

use std::fmt::Write;

use super::support::{CLIENT, SERVER, START, Script, lines};
use crate::hub::dissect::Limits;
use crate::hub::entry::Payload;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: shop\r\n\r\n")
}

#[test]
fn a_call_has_its_times_and_places() {
    let mut script = Script::connected();
    script
        .send(CLIENT, "GET /a HTTP/1.1\r\nHo")
        .send(CLIENT, "st: shop\r\n\r\n")
        .wait(5_000);
    script
        .send(SERVER, "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nno")
        .send(SERVER, "pe")
        .close();
    let calls = script.calls();
    let (entry, call) = &calls[0];
    // both requests' packets, the wait, both responses' packets
    assert_eq!(
        (entry.ts_us, entry.elapsed_us),
        (START + 3_000, Some(1_000 + 1_000 + 5_000 + 1_000))
    );
    assert_eq!((entry.stream, entry.index, entry.request_seq), (0, 0, 1_001));
    assert_eq!(
        (call.status, call.reason.as_str(), call.complete),
        (503, "Busy", true)
    );
    assert_eq!(call.request_headers, [("Host".to_owned(), "shop".to_owned())]);
    assert_eq!(
        (call.response_body.kept.as_slice(), call.response_body.size),
        (&b"nope"[..], 4)
    );
}

#[test]
fn pipelined_requests_get_their_responses_in_order() {
    let mut script = Script::connected();
    script.send(CLIENT, [get("/1"), get("/2"), get("/3")].concat());
    script
        .send(
            SERVER,
            ["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", OK].concat(),
        )
        .send(SERVER, OK);
    let calls = script.calls();
    assert_eq!(lines(&calls), ["GET /1 404", "GET /2 200", "GET /3 200"]);
    assert_eq!(calls[1].0.request_seq, 1_001 + 31);
}

#[test]
fn chunked_bodies_may_be_cut_anywhere() {
    let response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n\
                    4;name=\"v\"\r\nwiki\r\n6 \r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nX-Sum: 1\r\n\r\n";
    for cut in 1..response.len() {
        let (one, other) = response.split_at(cut);
        let mut script = Script::connected();
        script
            .send(CLIENT, get("/"))
            .send(SERVER, one)
            .send(SERVER, other);
        script.send(CLIENT, get("/next")).send(SERVER, OK);
        let calls = script.calls();
        assert_eq!(lines(&calls), ["GET / 200", "GET /next 200"], "cut at {cut}");
        assert_eq!(calls[0].1.response_body.kept, b"wikipedia in \r\n\r\nchunks.");
        assert_eq!(calls[0].1.response_body.size, 24);
    }
}

#[test]
fn heads_may_be_cut_anywhere() {
    let request = "POST /p HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\n\r\nabc";
    for cut in 1..request.len() {
        let (one, other) = request.split_at(cut);
        let mut script = Script::connected();
        script.send(CLIENT, one).send(CLIENT, other).send(SERVER, OK);
        let calls = script.calls();
        assert_eq!(lines(&calls), ["POST /p 200"], "cut at {cut}");
        assert_eq!(calls[0].1.request_body.kept, b"abc");
    }
}

#[test]
fn single_bytes_make_the_same_calls() {
    let mut script = Script::connected();
    for byte in get("/slow").bytes() {
        script.send(CLIENT, [byte]);
    }
    for byte in OK.bytes() {
        script.send(SERVER, [byte]);
    }
    assert_eq!(lines(&script.calls()), ["GET /slow 200"]);
}

#[test]
fn answers_without_a_body() {
    let long = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n";
    let mut script = Script::connected();
    script.send(CLIENT, "HEAD /h HTTP/1.1\r\n\r\n").send(SERVER, long);
    for status in ["204 No Content", "304 Not Modified"] {
        script.send(CLIENT, get(&status[..3]));
        script.send(SERVER, format!("HTTP/1.1 {status}\r\nContent-Length: 7\r\n\r\n"));
    }
    script.send(CLIENT, get("/last")).send(SERVER, OK);
    assert_eq!(
        lines(&script.calls()),
        ["HEAD /h 200", "GET 204 204", "GET 304 304", "GET /last 200"]
    );
}

#[test]
fn interim_responses_are_no_answer() {
    let mut script = Script::connected();
    script.send(
        CLIENT,
        "PUT /f HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
    );
    script
        .send(SERVER, "HTTP/1.1 100 Continue\r\n\r\n")
        .send(CLIENT, "abc");
    script.send(
        SERVER,
        ["HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", OK].concat(),
    );
    let calls = script.calls();
    assert_eq!(lines(&calls), ["PUT /f 200"]);
    assert_eq!(calls[0].1.request_body.size, 3);
}

#[test]
fn a_body_until_close() {
    let mut script = Script::connected();
    script
        .send(CLIENT, get("/old"))
        .send(SERVER, "HTTP/1.0 200 OK\r\n\r\nsome")
        .send(SERVER, "thing");
    let mut aborted = script.clone();
    script.fin(SERVER).fin(CLIENT);
    let calls = script.calls();
    assert_eq!(
        (lines(&calls), calls[0].0.elapsed_us),
        (vec!["GET /old 200".to_owned()], Some(2_000))
    );
    assert_eq!(calls[0].1.response_body.kept, b"something");
    aborted.rst(SERVER);
    assert_eq!(lines(&aborted.calls()), ["GET /old 200 partial"]);
}

#[test]
fn a_body_shorter_than_announced_is_partial() {
    let mut script = Script::connected();
    script
        .send(CLIENT, get("/"))
        .send(SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        .close();
    let calls = script.calls();
    assert_eq!(
        (lines(&calls), calls[0].1.response_body.size),
        (vec!["GET / 200 partial".to_owned()], 3)
    );
}

#[test]
fn an_early_answer_belongs_to_the_request_that_is_still_sent() {
    let mut script = Script::connected();
    script.send(CLIENT, "POST /up HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc");
    script
        .send(SERVER, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        .send(CLIENT, "def");
    script.send(CLIENT, get("/then")).send(SERVER, OK);
    assert_eq!(lines(&script.calls()), ["POST /up 413", "GET /then 200"]);
}

#[test]
fn a_body_that_was_refused_may_never_be_sent() {
    let mut script = Script::connected();
    script.send(
        CLIENT,
        "PUT /f HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 300\r\n\r\n",
    );
    script.send(SERVER, "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n");
    script.send(CLIENT, get("/login")).send(SERVER, OK);
    assert_eq!(lines(&script.calls()), ["PUT /f 401 partial", "GET /login 200"]);
}

#[test]
fn other_protocols_may_take_over() {
    let mut script = Script::connected();
    script.send(
        CLIENT,
        "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    );
    script.send(
        SERVER,
        [
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
            OK,
        ]
        .concat(),
    );
    script.send(CLIENT, get("/not-http"));
    assert_eq!(lines(&script.calls()), ["GET /ws 101"]);

    let mut script = Script::connected();
    script
        .send(CLIENT, "CONNECT shop:80 HTTP/1.1\r\n\r\n")
        .send(SERVER, "HTTP/1.1 200 Connected\r\n\r\n");
    script.send(CLIENT, get("/inside")).send(SERVER, OK);
    assert_eq!(lines(&script.calls()), ["CONNECT shop:80 200", "GET /inside 200"]);
}

#[test]
fn sloppy_messages_are_read_as_their_receivers_read_them() {
    let mut script = Script::connected();
    script.send(CLIENT, "\r\nGET /lf HTTP/1.0\nHost: a\nX: 1\nX: 2\n\n");
    script.send(SERVER, "HTTP/1.1 200\nContent-Length : 2\nA: b\n  c\n\nok\r\n");
    script.send(
        CLIENT,
        "GET /with space HTTP/1.1\r\nno colon here\r\nHost: a\r\n folded\r\n\r\n",
    );
    script.send(SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok");
    let calls = script.calls();
    assert_eq!(lines(&calls), ["GET /lf 200", "GET /with space 200"]);
    assert_eq!(calls[0].1.request_headers.len(), 3);
    assert_eq!(calls[0].1.response_headers[1].0, "A");
    assert_eq!(
        calls[1].1.request_headers,
        [("Host".to_owned(), "a folded".to_owned())]
    );
    assert_eq!(
        (
            calls[0].1.version.as_str(),
            calls[1].1.response_body.kept.as_slice()
        ),
        ("HTTP/1.0", &b"ok"[..])
    );
}

#[test]
fn more_headers_than_are_kept() {
    let mut request = "GET /many HTTP/1.1\r\n".to_owned();
    for number in 0..300 {
        write!(request, "X-{number}: {number}\r\n").unwrap();
    }
    request.push_str("Content-Length: 3\r\n\r\nabc");
    let mut script = Script::connected();
    script.send(CLIENT, request).send(SERVER, OK);
    let calls = script.calls();
    assert_eq!(
        (lines(&calls), calls[0].1.request_headers.len()),
        (vec!["GET /many 200".to_owned()], 128)
    );
    assert_eq!(calls[0].1.request_body.kept, b"abc");
}

#[test]
fn bodies_are_kept_up_to_the_limit() {
    let mut script = Script::connected();
    script
        .send(CLIENT, get("/"))
        .send(SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n");
    for _ in 0..50 {
        script.send(SERVER, [b'x'; 1000]);
    }
    let (entries, _) = script.run_with(Limits {
        body_kept: 1500,
        ..Limits::default()
    });
    let Payload::Http(call) = &entries[0].payload else {
        panic!("{entries:#?}")
    };
    assert_eq!(
        (
            call.response_body.kept.len(),
            call.response_body.size,
            call.complete
        ),
        (1500, 50_000, true)
    );
}

#[test]
fn a_proxy_line_comes_before_the_request() {
    let mut script = Script::connected();
    script
        .send(
            CLIENT,
            ["PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n".to_owned(), get("/p")].concat(),
        )
        .send(SERVER, OK);
    assert_eq!(lines(&script.calls()), ["GET /p 200"]);
}

#[test]
fn what_is_no_http_makes_no_calls() {
    let mut script = Script::connected();
    script
        .send(CLIENT, [22, 3, 1, 2, 0])
        .send(SERVER, "HTTP/2 is not for us\r\n")
        .send(CLIENT, "GET me that\r\n");
    script
        .send(CLIENT, "*2\r\n$3\r\nGET\r\n$1\r\nx\r\n")
        .send(SERVER, "-ERR\r\n");
    script.send(CLIENT, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").close();
    assert!(script.calls().is_empty());
    assert_eq!(script.flow().l7, None);
}
