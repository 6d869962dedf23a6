use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use redwire_test::Reply;
use serde_json::{Value, json};

use crate::stage::{Stage, bundle, npm};

#[tokio::test(flavor = "multi_thread")]
async fn the_client_of_today_has_all_it_asks_for() {
    let rows = play("today").await;
    assert!(rows > 20, "{rows} rows");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_before_show_their_vehicles_too() {
    let rows = play("before").await;
    assert!(rows > 3, "{rows} rows");
}

/// Runs a script of `client/`, and does for it what a client cannot: a line `? {…}` of its output asks
/// for a command to Redis or for the gateway's end. Returns how many rows have passed; if one fails,
/// panics with the output.
#[expect(clippy::print_stdout, reason = "the rows, for whoever asks with --nocapture")]
async fn play(script: &str) -> usize {
    let mut stage = Stage::set().await;
    let bundled = tempfile::tempdir().expect("a temporary directory");
    let before = |name: &str, version: &str, file: &str| {
        format!(
            "--alias:{name}-{version}={}",
            npm().join("before").join(version).join(file).display()
        )
    };
    let aliases = [
        before("tralis", "1.3.10", "api/tralis/TralisAPI.js"),
        before("tralis", "1.7.6", "api/tralis/TralisAPI.js"),
        before("realtime", "2.4.4", "api/RealtimeAPI.js"),
    ];
    let [first, second, third] = &aliases;
    let entry = format!("tests/mobility/client/{script}.js");
    bundle(&[&entry], bundled.path(), &["--platform=node", first, second, third]);

    let mut node = Command::new("node")
        .arg(bundled.path().join(script).with_extension("js"))
        .arg(stage.gateway.websocket("/tracker-ws/v1/?key=none"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node on the PATH (Debian: apt-get install nodejs)");
    let mut answers = node.stdin.take().expect("a pipe");
    let lines = BufReader::new(node.stdout.take().expect("a pipe")).lines();
    let mut output = Vec::new();
    for line in lines.map_while(Result::ok) {
        match line.strip_prefix("? ") {
            Some(request) => {
                let request = serde_json::from_str(request).expect("JSON");
                let answer = lend_a_hand(&mut stage, &request).await;
                writeln!(answers, "{answer}").expect("the script to listen");
            }
            None => output.push(line),
        }
    }
    let status = node.wait().expect("a child");
    let shown = output.join("\n");
    assert!(status.success(), "{script}.js: {status}\n{shown}");
    println!("{shown}");
    output.iter().filter(|line| line.starts_with("ok ")).count()
}

async fn lend_a_hand(stage: &mut Stage, request: &Value) -> Value {
    if let Some(words) = request["redis"].as_array() {
        let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
        let reply = stage.redis.command(&words).await;
        assert!(!matches!(reply, Reply::Error(_)), "{words:?}: {reply:?}");
        return json!("done");
    }
    match request["gateway"].as_str() {
        Some("kill") => stage.gateway.kill(),
        Some("start") => stage.gateway.restart().await,
        _ => panic!("nobody knows how to {request}"),
    }
    json!("done")
}
