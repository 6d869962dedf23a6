//! The server that does what no Redis can be made to do.

use redwire_test::{Answer, FakeServer, Reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn connect(fake: &FakeServer) -> TcpStream {
    TcpStream::connect(("127.0.0.1", fake.port())).await.expect("a connection")
}

async fn send(stream: &mut TcpStream, commands: &[&str]) {
    let bytes = commands.iter().flat_map(|command| {
        let args: Vec<_> = command.split(' ').collect();
        let args = args.iter().map(|arg| format!("${}\r\n{arg}\r\n", arg.len()));
        format!("*{}\r\n{}", args.len(), args.collect::<String>()).into_bytes()
    });
    stream.write_all(&bytes.collect::<Vec<_>>()).await.expect("a write");
}

async fn read(stream: &mut TcpStream, expected: &str) {
    let mut bytes = vec![0; expected.len()];
    stream.read_exact(&mut bytes).await.expect("enough bytes");
    assert_eq!(String::from_utf8_lossy(&bytes), expected);
}

async fn read_end(stream: &mut TcpStream) {
    assert_eq!(stream.read(&mut [0]).await.expect("an end without an error"), 0);
}

#[tokio::test]
async fn it_answers_by_its_script_and_handshakes_by_itself() {
    let fake = FakeServer::start(|command| Reply::bulk(&command[1]).into()).await;
    let mut client = connect(&fake).await;
    send(&mut client, &["HELLO 3", "CLIENT SETINFO LIB-NAME x", "SELECT 2", "PING"]).await;
    send(&mut client, &["ECHO hello", "PING x"]).await;
    read(&mut client, "%7\r\n").await;
    let mut rest = vec![0; 4096];
    let mut text = String::new();
    while !text.ends_with("$5\r\nhello\r\n$1\r\nx\r\n") {
        let count = client.read(&mut rest).await.expect("a read");
        text.push_str(&String::from_utf8_lossy(&rest[..count]));
    }
    assert!(text.contains("modules\r\n*0\r\n+OK\r\n+OK\r\n+PONG\r\n"), "{text}");
    assert_eq!(fake.commands(), ["ECHO hello"]);
    assert_eq!(fake.everything().len(), 6);
}

#[tokio::test]
async fn it_takes_handshakes_and_pings_from_the_script_if_told() {
    let fake = FakeServer::start(|command| match command[0].as_slice() {
        b"SELECT" => Answer::Usual,
        _ => Answer::error("LOADING please wait"),
    })
    .await;
    fake.script_handshakes();
    fake.script_pings();
    let mut client = connect(&fake).await;
    send(&mut client, &["AUTH x", "PING", "SELECT 1"]).await;
    read(&mut client, "-LOADING please wait\r\n-LOADING please wait\r\n+OK\r\n").await;
    assert_eq!(fake.commands(), ["AUTH x", "PING", "SELECT 1"]);
}

#[tokio::test]
async fn it_records_each_connection_and_what_came_together() {
    let fake = FakeServer::start(|_| Answer::ok()).await;
    let (mut one, mut two) = (connect(&fake).await, connect(&fake).await);
    send(&mut one, &["SET a 1", "SET b 2"]).await;
    read(&mut one, "+OK\r\n+OK\r\n").await;
    send(&mut one, &["set c 3"]).await;
    read(&mut one, "+OK\r\n").await;
    send(&mut two, &["DEL a"]).await;
    fake.until_received("DEL", 1).await;
    fake.until_received("SET", 3).await;
    assert_eq!(fake.commands_of(0), ["SET a 1", "SET b 2", "set c 3"]);
    assert_eq!(fake.commands_of(1), ["DEL a"]);
    assert_eq!(
        fake.commands_of(0).iter().map(|command| command.read).collect::<Vec<_>>(),
        [0, 0, 1]
    );
    assert_eq!(fake.attempts(), 2);
}

#[tokio::test]
async fn held_answers_wait_for_their_release_while_commands_arrive() {
    let fake = FakeServer::start(|command| match command[0].as_slice() {
        b"GET" => Answer::Hold(b"$-1\r\n".to_vec()),
        _ => Answer::ok(),
    })
    .await;
    let mut client = connect(&fake).await;
    send(&mut client, &["GET a", "SET a 1"]).await;
    send(&mut client, &["GET b"]).await;
    fake.until_received("GET", 2).await;
    assert!(client.try_read(&mut [0]).is_err());
    fake.release();
    read(&mut client, "$-1\r\n+OK\r\n$-1\r\n").await;
    send(&mut client, &["GET c"]).await;
    fake.until_received("GET", 3).await;
    assert!(client.try_read(&mut [0]).is_err());
}

#[tokio::test]
async fn it_closes_is_silent_and_speaks_in_single_bytes_or_garbage() {
    let fake = FakeServer::start(|command| match command[0].as_slice() {
        b"INCR" => Answer::Close,
        b"GET" => Answer::Silence,
        b"KEYS" => Answer::OneByteAtATime(b"*2\r\n$1\r\na\r\n*0\r\n".to_vec()),
        _ => Answer::bytes(b"\0garbage"),
    })
    .await;
    let mut client = connect(&fake).await;
    send(&mut client, &["GET a", "KEYS *", "NONSENSE", "INCR a"]).await;
    read(&mut client, "*2\r\n$1\r\na\r\n*0\r\n\0garbage").await;
    read_end(&mut client).await;
}

#[tokio::test]
async fn it_pushes_closes_all_and_changes_its_script() {
    let fake = FakeServer::start(|_| Answer::Usual).await;
    let (mut one, mut two) = (connect(&fake).await, connect(&fake).await);
    fake.until_attempted(2).await;
    fake.push(">0\r\n");
    read(&mut one, ">0\r\n").await;
    send(&mut two, &["NOSUCH a"]).await;
    read(&mut two, ">0\r\n-ERR unknown command 'NOSUCH'\r\n").await;
    fake.answer_with(|_| Answer::ok());
    send(&mut two, &["NOSUCH a"]).await;
    read(&mut two, "+OK\r\n").await;
    fake.close_all();
    read_end(&mut one).await;
    read_end(&mut two).await;
    assert!(TcpStream::connect(("127.0.0.1", fake.port())).await.is_ok());
}

#[tokio::test]
async fn a_dropped_one_closes_its_connections_and_refuses_new_ones() {
    let fake = FakeServer::start(|_| Answer::Usual).await;
    let (mut client, port) = (connect(&fake).await, fake.port());
    fake.until_attempted(1).await;
    drop(fake);
    read_end(&mut client).await;
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
}
