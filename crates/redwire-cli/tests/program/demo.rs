use std::collections::HashMap;
use std::io::Read;

use flate2::read::GzDecoder;
use redwire_test::{Client, Program};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::REDWIRE;

async fn demo() -> Program {
    Program::start_with(REDWIRE, &["demo", "--vehicles", "500"], None).await
}

#[tokio::test]
async fn the_demo_shows_a_page_and_moves_vehicles_without_a_redis() {
    let demo = demo().await;
    let (status, page) = demo.http("/").await;
    assert_eq!(status, 200);
    assert!(page.contains("<html") && page.contains("/demo/main.js"), "{page}");
    assert_eq!(demo.http("/readyz").await.0, 200);

    let mut client = Client::open(&demo.websocket("/")).await;
    client.send("SUB trains").await;
    let (mut first, mut moved) = (HashMap::new(), 0);
    // Where everybody is now, and then two turns; some stand at a stop.
    for _ in 0..1_500 {
        let train = client.next().await["content"].clone();
        assert_eq!(train["type"], "Feature", "{train}");
        let position = train["geometry"]["coordinates"].clone();
        let before = first.entry(train["id"].to_string()).or_insert_with(|| position.clone());
        moved += usize::from(*before != position);
    }
    assert_eq!(first.len(), 500);
    assert!(moved > 250, "{moved} of 500 moved");
}

#[tokio::test]
async fn it_says_how_much_is_published() {
    let demo = demo().await;
    let mut client = Client::open(&demo.websocket("/")).await;
    client.subscribe("demo.stats").await;
    let stats = client.next().await["content"].clone();
    assert_eq!(stats["vehicles"], 500);
    let rate = |name: &str| stats[name].as_f64().expect("a number");
    assert!(rate("bytes_per_second") > 300.0 * rate("messages_per_second"), "{stats}");
}

#[tokio::test]
async fn a_viewer_with_a_box_and_a_projection_gets_the_lines_of_it() {
    let demo = demo().await;
    let mut client = Client::open(&demo.websocket("/")).await;
    for line in ["PROJECTION epsg:2056", "BBOX 2590000 1190000 2610000 1210000", "GET lines.rail"] {
        client.send(line).await;
    }
    let line = client.next().await["content"].clone();
    assert_eq!(line["geometry"]["type"], "LineString");
    let positions = line["geometry"]["coordinates"].as_array().expect("positions");
    assert!(positions.iter().all(|position| position[0].as_f64() > Some(1e6)), "{line}");
}

#[tokio::test]
async fn its_files_are_compressed_for_who_takes_that_and_fetched_once() {
    let demo = demo().await;
    let plain = fetch(&demo, "/demo/europe.json", "").await;
    let zipped = fetch(&demo, "/demo/europe.json", "accept-encoding: gzip, br\r\n").await;
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(zipped.header("content-encoding"), Some("gzip"));
    for answer in [&plain, &zipped] {
        assert_eq!((answer.status, answer.header("vary")), (200, Some("accept-encoding")));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    assert!(zipped.body.len() < plain.body.len() / 2);
    let mut unzipped = Vec::new();
    GzDecoder::new(zipped.body.as_slice()).read_to_end(&mut unzipped).expect("gzip");
    assert_eq!(unzipped, plain.body);

    let tag = zipped.header("etag").expect("a tag");
    assert_ne!(Some(tag), plain.header("etag"));
    let known = format!("accept-encoding: gzip\r\nif-none-match: {tag}\r\n");
    let again = fetch(&demo, "/demo/europe.json", &known).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[tokio::test]
async fn no_file_takes_a_path_away_from_websocket() {
    let demo = demo().await;
    for path in ["/", "/demo/main.js", "/demo/", "/any/path"] {
        Client::open(&demo.websocket(path)).await.expect_silence().await;
    }
    assert_eq!(demo.http("/demo/unknown.js").await.0, 426);
    let page = fetch(&demo, "/", "").await;
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let of_name = |line: &&str| line.starts_with(&format!("{name}: "));
        self.head.lines().find(of_name)?.split_once(": ").map(|(_, value)| value)
    }
}

/// A plain `GET` with more headers.
async fn fetch(demo: &Program, path: &str, headers: &str) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", demo.port())).await.expect("connected");
    let request = format!("GET {path} HTTP/1.0\r\nhost: localhost\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(answer.iter().copied().take(end).collect()).expect("text");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head, body: answer.split_off(end + 4) }
}
