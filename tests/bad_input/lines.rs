//! Text that is no command: an error frame, and the connection stays.

use redwire_suites::Store;
use serde_json::json;

use crate::Scene;

/// Line, and what its error frame says.
const REFUSED: &[(&str, &str)] = &[
    // Nothing in it
    ("", "empty line: expected a command"),
    (" ", "empty line"),
    ("\n\r\n\t", "empty line"),
    ("\u{a0}\u{2003}\u{3000}\u{1c}\u{1f}\u{85}", "empty line"),
    // Unknown names
    ("PINGPONG", "unknown command `PINGPONG`"),
    ("ping", "unknown command `ping`"),
    ("=", "unknown command `=`"),
    ("=PING", "unknown command `=PING`"),
    ("PING=", "unknown command `PING=`"),
    ("command=PING", "unknown command `command=PING`"),
    ("\0PING", "unknown command `\0PING`"),
    ("PING\0", "unknown command `PING\0`"),
    ("\u{200b}PING", "unknown command `\u{200b}PING`"),
    ("\u{feff}PING", "unknown command `\u{feff}PING`"),
    ("🚂", "unknown command `🚂`"),
    ("{\"command\":\"PING\"}", "unknown command `{\"command\":\"PING\"}`"),
    ("\"GET\" h1", "unknown command `\"GET\"`"),
    ("FLUSHALL", "unknown command `FLUSHALL`"),
    ("../../etc/passwd", "unknown command `../../etc/passwd`"),
    // Wrong counts
    ("SUB", "argument `channel_name` is missing: SUB channel_name"),
    ("DEL", "argument `channel_name` is missing: DEL channel_name"),
    ("GET", "argument `channel_name` is missing: GET channel_name [ref] [client_ref]"),
    ("GET ref=a", "argument `channel_name` is missing"),
    ("SUB a b", "no place for argument `b`: SUB channel_name"),
    ("DEL a b", "no place for argument `b`: DEL channel_name"),
    ("GET a b c d e", "no place for argument `d`"),
    ("GET a b c 🚂", "no place for argument `🚂`"),
    // `name=value`
    ("GET =", "no argument is named `` (in `=`)"),
    ("GET ==", "no argument is named `` (in `==`)"),
    ("GET h1 =b", "no argument is named `` (in `=b`)"),
    ("GET h1 a=", "no argument is named `a` (in `a=`)"),
    ("GET h1 Ref=a", "no argument is named `Ref` (in `Ref=a`)"),
    ("GET h1 ref\0=a", "no argument is named `ref\0` (in `ref\0=a`)"),
    ("GET h1 🚂=🚃", "no argument is named `🚂` (in `🚂=🚃`)"),
    ("GET h1 words=a", "no argument is named `words`"),
    ("SUB ref=a", "no argument is named `ref`"),
    ("PING words=a", "no argument is named `words`"),
    ("PING [words...]=a", "no argument is named `[words...]`"),
    ("PING =", "no argument is named `` (in `=`)"),
    ("GET h1 channel_name=h2", "argument `channel_name` is given twice, the second time as `h2`"),
    ("GET h1 a ref=b", "argument `ref` is given twice, the second time as `b`"),
    ("GET h1 ref=a ref=", "argument `ref` is given twice, the second time as ``"),
    ("GET h1 client_ref=a client_ref=a", "argument `client_ref` is given twice"),
    // Denied: the policy wants a lower-case letter first
    ("SUB *", "`*` is not allowed"),
    ("SUB [a-z]*", "`[a-z]*` is not allowed"),
    ("SUB channel_name=", "`` is not allowed"),
    ("GET channel_name= ref=", "`` is not allowed"),
    ("GET secret", "`secret` is not allowed"),
    ("SUB \u{202e}a", "`\u{202e}a` is not allowed"),
];

#[tokio::test]
async fn lines_that_are_no_commands_are_answered_with_an_error_frame() {
    for store in Store::both().await {
        let mut scene = Scene::on(&store).await;
        for (line, message) in REFUSED {
            println!("{line:?}");
            scene.client.send(*line).await;
            scene.client.expect_error(message).await;
            scene.expect_silence().await;
        }
    }
}

#[tokio::test]
async fn odd_values_are_values() {
    for store in Store::both().await {
        store.hset("h1", "", "1").await;
        store.hset("h1", "=", "2").await;
        store.hset("h1", "a\0b", "3").await;
        store.hset("h🚂", "🚃", "4").await;
        let mut scene = Scene::on(&store).await;
        for (line, source, value, reference) in [
            ("GET h1 ref=", "h1 ", 1, None),
            ("GET h1 ref==", "h1 =", 2, None),
            ("GET h1 ref=a\0b", "h1 a\0b", 3, None),
            ("GET h🚂 🚃", "h🚂 🚃", 4, None),
            ("GET h🚂 🚃 🚄", "h🚂 🚃", 4, Some("🚄")),
            ("GET h1 ref= client_ref=", "h1 ", 1, Some("")),
            ("GET h1 ref= client_ref==a=", "h1 ", 1, Some("=a=")),
            ("GET h1 ref= client_ref=\"\\\0\u{7}", "h1 ", 1, Some("\"\\\0\u{7}")),
        ] {
            println!("{line:?}");
            scene.client.send(line).await;
            match reference {
                None => scene.client.expect(source, json!(value)).await,
                Some(reference) => {
                    scene.client.expect_referenced(source, json!(value), reference).await;
                }
            }
            scene.expect_silence().await;
        }
    }
}

#[tokio::test]
async fn an_error_frame_shortens_what_it_repeats() {
    for store in Store::both().await {
        let mut scene = Scene::on(&store).await;
        for unit in ["x", "é", "🚂", "\0"] {
            let long = unit.repeat(60_000 / unit.len());
            for line in [
                long.clone(),
                format!("{long} a"),
                format!("SUB a {long}"),
                format!("SUB {long}"),
                format!("SUB a={long}"),
                format!("SUB {long}=a"),
                format!("GET a ref=b ref={long}"),
                format!("GET a b c {long}"),
            ] {
                scene.client.send(line).await;
                let text = scene.client.next_text().await;
                assert!(text.contains(r#""status":"error""#) && text.contains('…'), "{text}");
                // Two shortened values of 80 characters, each escaped as `\u0000` at worst.
                assert!(text.len() < 1_500, "not shortened: {text}");
            }
        }
        scene.expect_silence().await;
    }
}

#[tokio::test]
async fn ten_thousand_words_and_as_many_pairs_are_one_refused_line() {
    let mut scene = Scene::on(&Store::memory()).await;
    for word in ["a", "a=b", "=", "ref=a"] {
        scene.client.send(format!("GET h1 {}", format!("{word} ").repeat(10_000))).await;
        scene.client.expect_error("").await;
        scene.expect_silence().await;
    }
}
