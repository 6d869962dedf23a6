//! What is refused: S015, S016, S026 to S034.

use redwire_suites::{Gateway, Store};

/// Scenario, line, and what the default's error frame says.
const MALFORMED: &[(&str, &str, &str)] = &[
    ("S026", "", "empty line"),
    ("S027", "   ", "empty line"),
    ("S028", "SUB", "argument `channel_name` is missing: SUB channel_name"),
    ("S028", "GET", "argument `channel_name` is missing: GET channel_name [ref] [client_ref]"),
    ("S028", "DEL", "argument `channel_name` is missing"),
    ("S029", "SUB a b", "no place for argument `b`: SUB channel_name"),
    ("S029", "DEL a b", "no place for argument `b`"),
    ("S029", "GET a b c d", "no place for argument `d`"),
    ("S030", "GET h1 foo=bar", "no argument is named `foo` (in `foo=bar`)"),
    ("S030", "GET h1 =v", "no argument is named `` (in `=v`)"),
    ("S030", "GET =", "no argument is named `` (in `=`)"),
    ("S031", "PING x=y", "no argument is named `x` (in `x=y`): PING [words...]"),
    ("S031", "SUB a=b", "no argument is named `a` (in `a=b`)"),
    ("S032", "GET h1 ref=a b", "argument `ref` is given twice, the second time as `a`"),
];

#[tokio::test]
async fn s034_malformed_commands_get_an_error_frame_and_the_connection_stays() {
    for store in Store::both().await {
        let mut client = Gateway::on(&store).await.client().await;
        for (id, line, message) in MALFORMED {
            println!("{id}");
            client.send(*line).await;
            client.expect_error(message).await;
            client.expect_silence().await;
        }
    }
}

#[tokio::test]
async fn s026_to_s033_malformed_commands_close_with_1011_under_compat_and_nobody_else_notices() {
    for store in Store::both().await {
        let gateway = Gateway::compat(&store).await;
        let mut other = gateway.client().await;
        for (id, line, _) in MALFORMED {
            println!("{id}");
            let mut client = gateway.client().await;
            client.send(*line).await;
            client.expect_close(1011).await;
            other.expect_silence().await; // S033
        }
    }
}

#[tokio::test]
async fn s015_s016_unknown_commands_get_an_error_frame() {
    for store in Store::both().await {
        let mut client = Gateway::on(&store).await.client().await;
        for (line, message) in [
            ("get h1", "unknown command `get`"),  // S015
            ("FOO bar", "unknown command `FOO`"), // S016
            ("a=b", "unknown command `a=b`"),
            ("BBOX 1 2 3 4", "unknown command `BBOX`"),
        ] {
            client.send(line).await;
            client.expect_error(message).await;
            client.expect_silence().await;
        }
    }
}

#[tokio::test]
async fn s015_s016_unknown_commands_are_met_with_silence_under_compat() {
    for store in Store::both().await {
        let mut client = Gateway::compat(&store).await.client().await;
        for line in ["get h1", "FOO bar", "a=b"] {
            client.send(line).await;
            client.expect_silence().await;
        }
    }
}
