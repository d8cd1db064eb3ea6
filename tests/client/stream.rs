//! What happens to calls over a stream.

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use insta::assert_snapshot;
use proptest::prelude::*;
use rca_agent::kubeshark::{CallError, Catalogue, Client, FailureKind, Limits};
use serde_json::json;

use super::fake::{Asked, Reply, ask, client_of, fake, handshake, raw_fake};

/// An error and what to do about it.
fn told(error: &CallError) -> String {
    format!("{error}\nhint: {}", error.hint())
}

#[tokio::test(start_paused = true)]
async fn the_handshake_asks_for_a_version_with_a_handshake_and_takes_the_servers() {
    let asked = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&asked);
    let (endpoint, _) = raw_fake(move |request| {
        *seen.lock().unwrap() = Some(request.params.clone());
        Reply::Result(handshake())
    });
    let client = Client::connect(endpoint, Limits::default()).await.unwrap();
    let params = asked.lock().unwrap().clone().unwrap();
    assert_eq!(params["protocolVersion"], "2025-11-25");
    assert_eq!(params["clientInfo"]["name"], "rca-agent");
    let server = client.server();
    assert_eq!(
        (server.name.as_str(), server.version.as_str()),
        ("kubeshark-mcp", "1.0.0")
    );
    assert_eq!(
        (server.protocol.as_str(), server.instructions.as_str()),
        ("2024-11-05", "Use the tools.")
    );
}

#[tokio::test(start_paused = true)]
async fn handshakes_that_fail_say_how() {
    let failed = async |reply: fn(&Asked) -> Reply| {
        let (endpoint, _) = raw_fake(reply);
        Client::connect(endpoint, Limits::default())
            .await
            .err()
            .unwrap()
            .to_string()
    };
    assert_snapshot!(
        failed(|_| {
            let mut answer = handshake();
            answer["protocolVersion"] = json!("1999-01-01");
            Reply::Result(answer)
        }).await,
        @"the embedded MCP server does not speak MCP as expected: it speaks the unknown protocol version `1999-01-01`"
    );
    assert_snapshot!(failed(|_| Reply::Silence).await,
        @"the embedded MCP server did not answer the handshake within 20 s");
    assert_snapshot!(failed(|_| Reply::HangUp).await,
        @"the embedded MCP server does not speak MCP as expected: it closed the connection during the handshake");
    assert_snapshot!(failed(|_| Reply::Error(-32600, "go\x1b[2J away")).await,
        @"the embedded MCP server does not speak MCP as expected: it refuses the handshake: go�[2J away (-32600)");
    assert_snapshot!(failed(|_| Reply::Raw(b"{\"jsonrpc\": \"2.0\", \"id\": 0, \"result\"".to_vec())).await,
        @r#"the embedded MCP server does not speak MCP as expected: it is no JSON-RPC answer to the request: {"jsonrpc": "2.0", "id": 0, "result""#);
}

#[tokio::test(start_paused = true)]
async fn json_and_prose_come_back_with_their_size() {
    let (client, opened) = client_of(|asked| match asked.tool() {
        "list_snapshots" => Reply::Text("{\n  \"snapshots\": null\n}".to_owned()),
        _ => Reply::Text("Kubeshark is running.".to_owned()),
    })
    .await;
    let answer = client.call(&ask("list_snapshots")).await.unwrap();
    assert_eq!((answer.body, answer.bytes), (json!({"snapshots": null}), 23));
    let prose = client.call(&ask("check_kubeshark_status")).await.unwrap();
    assert_eq!(prose.body, json!("Kubeshark is running."));
    assert_eq!(opened.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_dies_is_connected_to_again_and_the_call_repeated() {
    let (client, opened) = client_of(|asked| match asked.connection {
        0 => Reply::HangUp,
        _ => Reply::Text("[1]".to_owned()),
    })
    .await;
    assert_eq!(
        client.call(&ask("list_snapshots")).await.unwrap().body,
        json!([1])
    );
    assert_eq!(opened.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_dies_twice_is_an_error() {
    let (client, opened) = client_of(|_| Reply::HangUp).await;
    let error = client.call(&ask("list_snapshots")).await.unwrap_err();
    assert_snapshot!(error, @"the MCP server went away in the middle of `list_snapshots`, also after a restart");
    assert_eq!(
        (error.kind(), opened.load(Ordering::SeqCst)),
        (FailureKind::Died, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn what_must_not_happen_twice_is_not_repeated() {
    let (client, opened) = client_of(|_| Reply::HangUp).await;
    let create = rca_agent::kubeshark::ToolRequest {
        repeatable: false,
        ..ask("create_snapshot")
    };
    let error = client.call(&create).await.unwrap_err();
    assert_snapshot!(error, @"the MCP server went away in the middle of `create_snapshot`; whether it took effect is not known, so it was not repeated");
    assert_eq!(opened.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ended_while_idle_costs_no_attempt() {
    let (endpoint, opened) = raw_fake(|asked| match (asked.method.as_str(), asked.connection) {
        ("initialize", _) => Reply::Result(handshake()),
        ("tools/list", 0) => Reply::HangUp,
        _ => Reply::Text("[]".to_owned()),
    });
    let client = Client::connect(endpoint, Limits::default()).await.unwrap();
    // The list of tools ends connection 0 and is repeated on connection 1, whose answer is no list.
    let error = client.tools().await.unwrap_err();
    assert_snapshot!(error, @"the answer of `tools/list` cannot be read: it has no list `tools`");
    let create = rca_agent::kubeshark::ToolRequest {
        repeatable: false,
        ..ask("create_snapshot")
    };
    assert!(client.call(&create).await.is_ok());
    assert_eq!(opened.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_is_given_up_and_the_call_repeated() {
    let (client, opened) = client_of(|asked| match (asked.connection, asked.tool()) {
        (0, _) | (_, "hangs") => Reply::Silence,
        _ => Reply::Text("[1]".to_owned()),
    })
    .await;
    let answer = client.call(&ask("list_snapshots")).await.unwrap();
    assert_eq!(answer.body, json!([1]));
    assert!(answer.took >= Duration::from_mins(1), "{:?}", answer.took);
    assert_eq!(opened.load(Ordering::SeqCst), 2);
    let error = client.call(&ask("hangs")).await.unwrap_err();
    assert_snapshot!(told(&error), @r"
    `hangs` did not answer within 60 s, also after a restart
    hint: the Hub gives up after 30 s: ask for less at once, and check its pods' load and memory
    ");
}

#[tokio::test(start_paused = true)]
async fn noise_between_the_messages_is_passed_over() {
    let noise = b"Listening on :8898\n\n\xff\xfe\n{\"level\": \"info\"}\n[1, 2]\n{\"jsonrpc\":\"2.0\",\"method\":\"notifications/odd\",\"params\":{\"x\":[]}}";
    let (client, opened) = client_of(move |_| Reply::Noise(noise.to_vec(), "[1]".to_owned())).await;
    assert_eq!(
        client.call(&ask("list_snapshots")).await.unwrap().body,
        json!([1])
    );
    assert_eq!(opened.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_broken_answer_fails_the_call_at_once_and_not_the_next() {
    let (client, _) = client_of(|asked| match asked.tool() {
        "broken_message" => Reply::Raw(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{".to_vec()),
        "broken_text" => Reply::Text("{\"calls\": [{\"id\":".to_owned()),
        "odd_result" => Reply::Result(json!({"answer": 42})),
        "unread" => Reply::Raw(
            br#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}"#.to_vec(),
        ),
        "rejected" => Reply::Error(-32602, "Unknown tool: rejected"),
        _ => Reply::Text("[1]".to_owned()),
    })
    .await;
    let start = tokio::time::Instant::now();
    assert_snapshot!(told(&client.call(&ask("broken_message")).await.unwrap_err()), @r#"
    the answer of `broken_message` cannot be read: it is no JSON-RPC answer to the request: {"jsonrpc":"2.0","id":1,"result":{"content":[{
    hint: check that this is a Kubeshark MCP server and of which version; its log says more
    "#);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_snapshot!(client.call(&ask("unread")).await.unwrap_err(),
        @r#"the answer of `unread` cannot be read: it is no JSON-RPC answer to the request: {"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}"#);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_snapshot!(client.call(&ask("broken_text")).await.unwrap_err(),
        @"the answer of `broken_text` cannot be read: its JSON is broken (EOF while parsing a value at line 1 column 17)");
    assert_snapshot!(client.call(&ask("rejected")).await.unwrap_err(),
        @"the server does not take the call of `rejected`: Unknown tool: rejected (-32602)");
    assert_eq!(client.call(&ask("odd_result")).await.unwrap().body, json!(null));
    assert_eq!(
        client.call(&ask("list_snapshots")).await.unwrap().body,
        json!([1])
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_12_mb_is_refused_with_its_size() {
    let (client, opened) = client_of(|asked| match asked.tool() {
        "list_api_calls" => Reply::Text(format!("{{\"calls\": \"{}\"}}", "x".repeat(12_000_000))),
        _ => Reply::Text("[1]".to_owned()),
    })
    .await;
    let error = client.call(&ask("list_api_calls")).await.unwrap_err();
    assert_snapshot!(told(&error), @r"
    the answer of `list_api_calls` has 11.4 MiB, at most 8.0 MiB are read
    hint: narrow the query: a shorter window, a more selective filter, a smaller limit or the compact format
    ");
    assert_eq!(
        client.call(&ask("list_snapshots")).await.unwrap().body,
        json!([1])
    );
    assert_eq!(opened.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_beyond_all_measure_ends_the_connection_and_not_the_session() {
    let (endpoint, opened) = fake(|asked| match asked.tool() {
        "list_api_calls" => Reply::Text("x".repeat(300_000)),
        _ => Reply::Text("[1]".to_owned()),
    });
    let limits = Limits {
        message_bytes: 1 << 18,
        answer_bytes: 1 << 17,
        ..Limits::default()
    };
    let client = Client::connect(endpoint, limits).await.unwrap();
    assert_snapshot!(client.call(&ask("list_api_calls")).await.unwrap_err(),
        @"the answer of `list_api_calls` has more than 262144 bytes, at most 131072 bytes are read");
    assert_eq!(
        client.call(&ask("list_snapshots")).await.unwrap().body,
        json!([1])
    );
    assert_eq!(opened.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_no_server_reads_is_not_sent() {
    let (client, _) = client_of(|asked| panic!("{}", asked.method)).await;
    let mut request = ask("list_api_calls");
    request
        .arguments
        .insert("kfl".to_owned(), json!("x".repeat(1_100_000)));
    assert_snapshot!(client.call(&request).await.unwrap_err(),
        @"the request to `list_api_calls` has 1100010 bytes, a server reads at most 1000000");
}

#[tokio::test(start_paused = true)]
async fn what_a_tool_says_is_told_with_what_to_do() {
    let (client, _) = client_of(|asked| {
        Reply::Failure(
            match asked.tool() {
                "create_snapshot" => "Hub API error (403): role viewer may not create snapshots.",
                "list_snapshots" => "Hub requires authentication (401/SSO redirect), pass --token",
                "get_data_boundaries" => "Hub API error (500): raw capture is disabled",
                _ => "Error calling Hub API: dial tcp 10.0.0.1:80: connect: connection refused",
            }
            .to_owned(),
        )
    })
    .await;
    assert_snapshot!(told(&client.call(&ask("create_snapshot")).await.unwrap_err()), @r"
    `create_snapshot` failed: Hub API error (403): role viewer may not create snapshots
    hint: `create_snapshot` needs the role snapshot or admin, a viewer may only look; the Hub knows the roles admin, realtime (live traffic), snapshot (recordings) and viewer: use a token with one of them
    ");
    assert_snapshot!(told(&client.call(&ask("list_snapshots")).await.unwrap_err()), @r"
    `list_snapshots` failed: Hub requires authentication (401/SSO redirect), pass --token
    hint: give the Hub's token: set KUBESHARK_HUB_TOKEN, or `--token` in the MCP command; where single sign-on stands before the Hub, use a token or an address that it lets through
    ");
    assert_snapshot!(told(&client.call(&ask("get_data_boundaries")).await.unwrap_err()), @r"
    `get_data_boundaries` failed: Hub API error (500): raw capture is disabled
    hint: switch raw capture on in Kubeshark's values; traffic is kept from then on:
      tap:
        capture:
          raw:
            enabled: true
            storageSize: 10Gi
    ");
    let failure = client.call(&ask("list_api_calls")).await.unwrap_err().failure();
    assert_eq!(
        (failure.tool.as_str(), failure.kind),
        ("list_api_calls", FailureKind::HubUnreachable)
    );
    assert!(failure.hint.contains("kubectl port-forward"), "{}", failure.hint);
}

#[tokio::test(start_paused = true)]
async fn without_the_hub_only_local_tools_are_listed() {
    let (client, _) = client_of(|_| {
        Reply::Result(json!({"tools": [
            {"name": "check_kubeshark_status", "inputSchema": {"type": "object"}},
            {"name": "no_schema"}, {"description": "no name"},
        ]}))
    })
    .await;
    let catalogue = Catalogue::from_tools(client.tools().await.unwrap());
    assert!(catalogue.has("check_kubeshark_status") && catalogue.has("no_schema"));
    assert_eq!(catalogue.missing_essentials().len(), 8);
}

#[tokio::test(start_paused = true)]
async fn lists_of_tools_end() {
    let (endless, _) = client_of(|_| Reply::Result(json!({"tools": [], "nextCursor": "more"}))).await;
    assert_snapshot!(endless.tools().await.unwrap_err(), @"the answer of `tools/list` cannot be read: it has more than 64 pages");
    let tools: Vec<_> = (0..600)
        .map(|n| json!({"name": format!("t{n}"), "inputSchema": {}}))
        .collect();
    let (long, _) = client_of(move |_| Reply::Result(json!({"tools": tools}))).await;
    assert_snapshot!(long.tools().await.unwrap_err(), @"the answer of `tools/list` cannot be read: it lists more than 512 tools");
    let (paged, _) = client_of(|asked| match asked.params["cursor"].as_str() {
        None => Reply::Result(json!({"tools": [{"name": "a", "inputSchema": {}}], "nextCursor": "2"})),
        Some(_) => Reply::Result(json!({"tools": [{"name": "b", "inputSchema": {}}]})),
    })
    .await;
    assert_eq!(paged.tools().await.unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn independent_calls_run_on_several_connections_at_once() {
    let (client, opened) =
        client_of(|asked| Reply::Text(format!("[{}, \"{}\"]", asked.connection, asked.tool()))).await;
    let requests: Vec<_> = (0..10).map(|n| ask(&format!("t{n}"))).collect();
    let answers = client.call_all(&requests).await;
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.unwrap().body[1], format!("t{n}"));
    }
    // Each of the first three had to open its own, the rest found them idle.
    assert_eq!(opened.load(Ordering::SeqCst), 3);
    client.close().await;
    assert!(client.call(&ask("t")).await.is_ok());
    assert_eq!(opened.load(Ordering::SeqCst), 4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_bytes_come_the_call_ends(noise in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..80) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let outcome = runtime.block_on(async move {
            let (client, _) = client_of(move |_| {
                let mut bytes = noise.clone();
                bytes.extend(br#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"[1]"}]}}"#.iter().take(cut));
                Reply::Raw(bytes)
            })
            .await;
            client.call(&ask("list_snapshots")).await
        });
        match outcome {
            Ok(answer) => prop_assert_eq!(answer.body, json!([1])),
            Err(error) => prop_assert!(
                matches!(error.kind(), FailureKind::Timeout | FailureKind::Malformed | FailureKind::Died),
                "{}", error
            ),
        }
    }
}
