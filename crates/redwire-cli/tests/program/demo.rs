use redwire_test::{Client, Program};

use crate::REDWIRE;

#[tokio::test]
async fn the_demo_shows_a_page_and_moves_trains_without_a_redis() {
    let demo = Program::start_with(REDWIRE, &["demo"], None).await;
    let (status, page) = demo.http("/").await;
    assert_eq!(status, 200);
    assert!(page.contains("<html") && page.contains("WebSocket"), "{page}");
    assert_eq!(demo.http("/readyz").await.0, 200);

    let mut client = Client::open(&demo.websocket("/")).await;
    client.send("GET trains").await;
    assert_eq!(client.next().await["source"], "trains");

    let mut other = Client::open(&demo.websocket("/")).await;
    other.subscribe("trains").await;
    let (train, next) = (other.next().await, other.next().await);
    assert_eq!((&train["source"], &next["source"]), (&"trains".into(), &"trains".into()));
    assert!(train["content"].is_object(), "{train}");
    assert_ne!(train["content"], next["content"]);
}
