//! Connections at a time: 503 before the upgrade.

use redwire::prelude::Limits;
use redwire_suites::{Gateway, Store};
use redwire_test::{Client, eventually};

async fn gateway_for(connections: usize) -> Gateway {
    Gateway::within(&Store::memory(), Limits { connections, ..Limits::default() }).await
}

/// Whether there is a place; takes it for a moment if so.
async fn has_place(gateway: &Gateway) -> bool {
    match Client::connect_with(gateway.url().as_str()).await {
        Ok(client) => {
            client.close().await;
            true
        }
        Err(_) => false,
    }
}

#[tokio::test]
async fn one_connection_too_many_gets_503_and_the_others_stay() {
    let gateway = gateway_for(2).await;
    let (mut one, mut two) = (gateway.client().await, gateway.client().await);
    for refused in 1..=3 {
        assert_eq!(Client::refused(gateway.url().as_str()).await, 503);
        assert_eq!(gateway.metric("redwire_connections_turned_away_total"), refused);
    }
    one.expect_silence().await;
    two.expect_silence().await;
    assert_eq!(gateway.metric("redwire_connections"), 2);
}

#[tokio::test]
async fn a_place_is_free_again_however_its_client_left() {
    for (leave, how) in [(drop as fn(Client), "without a word"), (Client::reset, "with a reset")] {
        let gateway = gateway_for(1).await;
        leave(gateway.client().await);
        eventually(&format!("the place of who left {how}"), async || has_place(&gateway).await)
            .await;
    }
    let gateway = gateway_for(1).await;
    gateway.client().await.close().await;
    eventually("the place of who left politely", async || has_place(&gateway).await).await;
}

#[tokio::test]
async fn no_place_is_taken_by_who_was_not_upgraded() {
    let gateway = gateway_for(1).await;
    for request in ["GET /ws HTTP/1.1\r\nhost: x\r\n\r\n", "POST /ws HTTP/1.1\r\nhost: x\r\n\r\n"] {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = tokio::net::TcpStream::connect(gateway.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 10];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, *b"HTTP/1.1 4", "{request}");
    }
    gateway.client().await.expect_silence().await;
}
