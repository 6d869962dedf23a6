//! Which web pages may connect: 403 before the upgrade for the others.

use redwire::prelude::{Keys, Limits, Ping, Protocol, Subscriptions};
use redwire_suites::{Gateway, Store};
use redwire_test::Client;
use redwire_test::tungstenite::client::IntoClientRequest;
use redwire_test::tungstenite::handshake::client::Request;
use redwire_test::tungstenite::http::HeaderName;

/// A handshake with these headers.
fn request(gateway: &Gateway, headers: &[(&'static str, &str)]) -> Request {
    let mut request = gateway.url().into_client_request().expect("a URL");
    for (name, value) in headers {
        let value = value.parse().expect("a header's value");
        request.headers_mut().append(HeaderName::from_static(name), value);
    }
    request
}

async fn expect_accepted(gateway: &Gateway, headers: &[(&'static str, &str)]) {
    match Client::connect_with(request(gateway, headers)).await {
        Ok(mut client) => {
            client.expect("websocket", serde_json::json!({"status": "open"})).await;
        }
        Err(error) => panic!("{headers:?} should be accepted: {error}"),
    }
}

async fn expect_forbidden(gateway: &Gateway, headers: &[(&'static str, &str)]) {
    let status = Client::refused(request(gateway, headers)).await;
    assert_eq!(status, 403, "{headers:?}");
}

async fn gateway_with_list(origins: &'static [&'static str]) -> Gateway {
    let protocol = Protocol::new().with(Keys).with(Subscriptions).with(Ping);
    let (store, limits) = (Store::memory(), Limits::default());
    Gateway::serving(protocol, &store, limits, |api| api.origins(origins)).await
}

#[tokio::test]
async fn pages_on_the_list_connect() {
    let gateway = gateway_with_list(&["https://map.example", "http://localhost:3000/"]).await;
    for origin in ["https://map.example", "https://MAP.example", "http://localhost:3000"] {
        expect_accepted(&gateway, &[("origin", origin)]).await;
        expect_accepted(&gateway, &[("origin", origin), ("cookie", "session=1")]).await;
    }
}

#[tokio::test]
async fn all_other_pages_get_403_and_nobody_notices() {
    let gateway = gateway_with_list(&["https://map.example", "http://localhost:3000"]).await;
    let mut beside = gateway.client().await;
    let foreign = [
        "http://map.example",
        "wss://map.example",
        "https://map.example:8443",
        "https://map.example.evil.example",
        "https://evil-map.example",
        "https://evil.example/https://map.example",
        "https://evil.example#https://map.example",
        "https://map.example@evil.example",
        "https://map.example/",
        "https://map.example https://evil.example",
        "http://localhost",
        "http://localhost:30000",
        "http://localhost:300",
        "map.example",
        "null",
        "*",
        "",
    ];
    for origin in foreign {
        expect_forbidden(&gateway, &[("origin", origin)]).await;
    }
    let twice = [("origin", "https://map.example"), ("origin", "https://evil.example")];
    expect_forbidden(&gateway, &twice).await;
    assert_eq!(gateway.metric("redwire_connections_turned_away_total"), foreign.len() as u64 + 1);
    assert_eq!(gateway.metric("redwire_connections_opened_total"), 1);
    beside.expect_silence().await;
}

#[tokio::test]
async fn programs_without_an_origin_pass_the_list() {
    let gateway = gateway_with_list(&["https://map.example"]).await;
    expect_accepted(&gateway, &[]).await;
    expect_accepted(&gateway, &[("cookie", "session=1")]).await;
}

#[tokio::test]
async fn an_empty_list_refuses_all_pages_and_a_star_none() {
    let gateway = gateway_with_list(&[]).await;
    expect_forbidden(&gateway, &[("origin", "https://map.example")]).await;
    expect_accepted(&gateway, &[]).await;
    let gateway = gateway_with_list(&["*"]).await;
    expect_accepted(&gateway, &[("origin", "https://map.example"), ("cookie", "a=b")]).await;
    expect_accepted(&gateway, &[("origin", "null")]).await;
}

#[tokio::test]
async fn without_a_list_cookies_are_taken_from_pages_of_the_own_host_only() {
    let gateway = Gateway::on(&Store::memory()).await;
    let own = format!("http://{}", gateway.address());
    let own_behind_tls = format!("https://{}", gateway.address());
    let (longer, other_port) = (format!("{own}0"), "http://127.0.0.1".to_owned());
    let cookie = ("cookie", "session=1");
    expect_accepted(&gateway, &[("origin", &own), cookie]).await;
    expect_accepted(&gateway, &[("origin", &own_behind_tls), cookie]).await;
    expect_accepted(&gateway, &[cookie]).await;
    for foreign in ["https://evil.example", "null", "", &longer, &other_port] {
        expect_forbidden(&gateway, &[("origin", foreign), cookie]).await;
        expect_accepted(&gateway, &[("origin", foreign)]).await;
    }
}
