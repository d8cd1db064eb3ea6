//! What happens to calls over HTTP.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use insta::assert_snapshot;
use rca_agent::kubeshark::{Client, ConnectError, Endpoint, FailureKind, Limits};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::fake::{ask, handshake, text_result};

type Answer = fn(&HeaderMap, &Value) -> Response;

async fn endpoint(State(answer): State<Answer>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&headers, &serde_json::from_slice(&body).unwrap())
}

/// A server on the loopback that answers POSTs to `/mcp`.
async fn listen(answer: Answer) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Router::new().route("/mcp", post(endpoint)).with_state(answer);
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    format!("http://{address}/mcp")
}

async fn connect(url: &str, token: Option<&str>) -> Result<Client, ConnectError> {
    let endpoint = Endpoint::Url {
        url: url.to_owned(),
        token: token.map(SecretString::from),
    };
    Client::connect(endpoint, Limits::default()).await
}

/// The error's text with the port, which differs each time, taken out.
fn told(error: &ConnectError, url: &str) -> String {
    format!("{error}\nhint: {}", error.hint()).replace(url, "http://127.0.0.1:8898/mcp")
}

fn result(request: &Value, result: &Value) -> Response {
    let body = json!({"jsonrpc": "2.0", "id": request["id"], "result": result});
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// Plain JSON answers without a session, as a server of 2024 gives them, for the token `right`.
fn plain(headers: &HeaderMap, request: &Value) -> Response {
    if headers
        .get(header::AUTHORIZATION)
        .is_none_or(|value| value != "Bearer right")
    {
        return (StatusCode::UNAUTHORIZED, "token please").into_response();
    }
    match request["method"].as_str().unwrap_or_default() {
        "initialize" => result(request, &handshake()),
        "tools/list" => result(
            request,
            &json!({"tools": [{"name": "list_snapshots", "inputSchema": {}}]}),
        ),
        "tools/call" => match request["params"]["name"].as_str().unwrap_or_default() {
            "forbidden" => (StatusCode::FORBIDDEN, "viewer").into_response(),
            "gateway" => StatusCode::BAD_GATEWAY.into_response(),
            "large" => result(request, &text_result(&"x".repeat(12_000_000))),
            _ => result(request, &text_result("{\"snapshots\": []}")),
        },
        _ => StatusCode::ACCEPTED.into_response(),
    }
}

#[tokio::test]
async fn plain_json_with_the_right_token() {
    let client = connect(&listen(plain).await, Some("right")).await.unwrap();
    assert_eq!(client.server().protocol, "2024-11-05");
    assert_eq!(client.tools().await.unwrap()[0].name, "list_snapshots");
    assert_eq!(
        client.call(&ask("list_snapshots")).await.unwrap().body,
        json!({"snapshots": []})
    );

    let forbidden = client.call(&ask("forbidden")).await.unwrap_err();
    assert_snapshot!(forbidden, @"`forbidden` failed: HTTP 403, Forbidden: viewer");
    assert_eq!(forbidden.kind(), FailureKind::Forbidden);
    let gateway = client.call(&ask("gateway")).await.unwrap_err();
    assert_snapshot!(gateway, @"`gateway` failed: HTTP 502, Bad Gateway");
    assert_eq!(gateway.kind(), FailureKind::HubUnreachable);
    assert_snapshot!(client.call(&ask("large")).await.unwrap_err(),
        @"the answer of `large` has 11.4 MiB, at most 8.0 MiB are read");
    assert_eq!(
        client.call(&ask("list_snapshots")).await.unwrap().body,
        json!({"snapshots": []})
    );
    client.close().await;
}

#[tokio::test]
async fn an_answer_beyond_all_measure() {
    let limits = Limits {
        message_bytes: 1 << 20,
        ..Limits::default()
    };
    let url = listen(plain).await;
    let endpoint = Endpoint::Url {
        url,
        token: Some(SecretString::from("right")),
    };
    let client = Client::connect(endpoint, limits).await.unwrap();
    assert_snapshot!(client.call(&ask("large")).await.unwrap_err(),
        @"the answer of `large` has more than 1.0 MiB, at most 8.0 MiB are read");
}

#[tokio::test]
async fn no_token_and_a_wrong_one() {
    let url = listen(plain).await;
    assert_snapshot!(told(&connect(&url, None).await.err().unwrap(), &url), @r"
    could not connect to the MCP server at `http://127.0.0.1:8898/mcp`: HTTP 401, Unauthorized: token please
    hint: give the Hub's token: set KUBESHARK_HUB_TOKEN, or `--token` in the MCP command; where single sign-on stands before the Hub, use a token or an address that it lets through
    ");
    let wrong = connect(&url, Some("wrong-secret")).await.err().unwrap();
    assert_eq!(wrong.kind(), FailureKind::Unauthorized);
    assert!(!format!("{wrong} {wrong:?}").contains("wrong-secret"));
}

#[tokio::test]
async fn a_challenge_a_login_page_and_a_viewer() {
    let challenge = listen(|_, _| {
        (
            StatusCode::UNAUTHORIZED,
            [(header::WWW_AUTHENTICATE, "Bearer realm=\"hub\"")],
        )
            .into_response()
    })
    .await;
    assert_eq!(
        connect(&challenge, None).await.err().unwrap().kind(),
        FailureKind::Unauthorized
    );
    for status in [StatusCode::FOUND, StatusCode::SEE_OTHER] {
        let page: Answer = match status {
            StatusCode::FOUND => |_, _| (StatusCode::FOUND, [(header::LOCATION, "/login")]).into_response(),
            _ => |_, _| (StatusCode::SEE_OTHER, [(header::LOCATION, "/login")]).into_response(),
        };
        let url = listen(page).await;
        let error = connect(&url, Some("t")).await.err().unwrap();
        assert_eq!(error.kind(), FailureKind::Unauthorized);
        assert!(
            error
                .to_string()
                .ends_with("a redirect, as to a login page (single sign-on)"),
            "{error}"
        );
    }
    let viewer = listen(|_, _| StatusCode::FORBIDDEN.into_response()).await;
    assert_snapshot!(told(&connect(&viewer, Some("t")).await.err().unwrap(), &viewer), @r"
    could not connect to the MCP server at `http://127.0.0.1:8898/mcp`: HTTP 403, Forbidden
    hint: the Hub knows the roles admin, realtime (live traffic), snapshot (recordings) and viewer: use a token whose role allows it, and whose namespaces hold what is asked for
    ");
}

#[tokio::test]
async fn what_is_no_mcp_server() {
    let page =
        listen(|_, _| ([(header::CONTENT_TYPE, "text/html")], "<html>hello</html>").into_response()).await;
    assert_snapshot!(told(&connect(&page, None).await.err().unwrap(), &page), @r"
    could not connect to the MCP server at `http://127.0.0.1:8898/mcp`: it answers with `text/html` where JSON or an event stream is expected
    hint: check that this is a Kubeshark MCP server and of which version; its log says more
    ");
    let odd =
        listen(|_, _| ([(header::CONTENT_TYPE, "application/json")], "{\"hello\":").into_response()).await;
    assert_snapshot!(told(&connect(&odd, None).await.err().unwrap(), &odd), @r#"
    could not connect to the MCP server at `http://127.0.0.1:8898/mcp`: its answer cannot be read: EOF while parsing a value at line 1 column 9: {"hello":
    hint: check that this is a Kubeshark MCP server and of which version; its log says more
    "#);
    let elsewhere = listen(plain).await.replace("/mcp", "/other");
    assert_eq!(
        connect(&elsewhere, Some("right")).await.err().unwrap().kind(),
        FailureKind::NotFound
    );
}

#[tokio::test]
async fn nobody_there() {
    // A listener that is dropped leaves a port that nobody listens on.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    drop(listener);
    let error = connect(&url, None).await.err().unwrap();
    assert_eq!(error.kind(), FailureKind::HubUnreachable);
    assert!(
        error.to_string().to_lowercase().contains("connection refused"),
        "{error}"
    );
    let no_scheme = connect("kubeshark.example:8898", None).await.err().unwrap();
    assert_snapshot!(told(&no_scheme, "-"), @r"
    could not connect to the MCP server at `kubeshark.example:8898`: the address starts with `kubeshark.example:`, not with http: or https:
    hint: check the address: Kubeshark's MCP endpoint ends in `/mcp`, for example http://127.0.0.1:8898/mcp
    ");
    let no_address = connect("http://user:secret@[::/mcp?token=x", None)
        .await
        .err()
        .unwrap();
    assert_snapshot!(no_address, @"could not connect to the MCP server at `[::/mcp`: the address is no URL: invalid IPv6 address");
}
