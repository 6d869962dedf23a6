//! What is refused, and what the client is told.

mod support;

use redwire_protocol::{
    BackendError, Envelope, Error, HandlerBase, Keys, Limits, Ping, Protocol, Refused,
    Subscriptions,
};
use support::{Memory, Public};

fn protocol<H: HandlerBase>() -> Protocol<H> {
    Protocol::new().with(Keys).with(Subscriptions).with(Ping)
}

/// Source and content of each envelope.
fn texts(envelopes: &[Envelope]) -> Vec<(&str, &str)> {
    envelopes.iter().map(|envelope| (envelope.source(), envelope.content().text())).collect()
}

#[tokio::test]
async fn limits_refuse_what_goes_beyond_them() {
    let limits = Limits { subscriptions: 2, name_bytes: 6, ..Limits::default() };
    let backend = Memory::default();
    let mut session = protocol().session_within(Public, backend.clone(), &limits);
    for line in ["SUB trains", "SUB trams", "SUB trams", "GET züge", "GET trains 123456"] {
        session.receive(line).await.unwrap();
    }
    for (line, message) in [
        ("SUB buses", "`buses` goes beyond the limit of 2 subscriptions"),
        ("SUB seventy", "`seventy` goes beyond the limit of 6 bytes in a name"),
        ("GET züüge", "`züüge` goes beyond the limit of 6 bytes in a name"),
        ("GET secretly", "`secretly` goes beyond the limit of 6 bytes in a name"),
        ("GET trains seventy", "`seventy` goes beyond the limit of 6 bytes in a name"),
    ] {
        assert_eq!(session.receive(line).await.unwrap_err().to_string(), message);
    }
    session.receive("DEL trams").await.unwrap();
    session.receive("SUB buses").await.unwrap();
    assert_eq!(backend.subscriptions(), [("buses".into(), 1), ("trains".into(), 1)]);
}

#[tokio::test]
async fn a_backend_that_fails_is_named_by_what_the_client_can_do() {
    for (error, message) in [
        (BackendError::Unavailable, "the data store is not connected, try again later"),
        (BackendError::Timeout, "the data store did not answer in time, try again later"),
        (BackendError::Failed, "the data store answered with an error"),
    ] {
        let backend = Memory::default();
        backend.fail(error);
        let mut session = protocol().session(Public, backend);
        for line in ["GET trains", "GET trains 42"] {
            let refused = session.receive(line).await.unwrap_err();
            assert_eq!(refused.error, Error::Backend(error));
            assert_eq!(refused.to_string(), message);
        }
    }
}

#[tokio::test]
async fn a_refused_line_becomes_a_frame_that_says_which_line_and_why() {
    let mut session = protocol().session(Public, Memory::default());
    for (line, reference, content) in [
        (
            "",
            None,
            r#"{"status":"error","command":null,"message":"empty line: expected a command"}"#,
        ),
        (
            "GET secret 42 mine",
            Some("mine"),
            r#"{"status":"error","command":"GET","message":"`secret` is not allowed"}"#,
        ),
        // A malformed line's reference counts, too.
        (
            "GET trains 42 mine more",
            Some("mine"),
            r#"{"status":"error","command":"GET","message":"no place for argument `more`: GET channel_name [ref] [client_ref]"}"#,
        ),
        (
            "GET x=y client_ref=mine",
            Some("mine"),
            r#"{"status":"error","command":"GET","message":"no argument is named `x` (in `x=y`): GET channel_name [ref] [client_ref]"}"#,
        ),
    ] {
        let envelope = session.receive(line).await.unwrap_err().envelope();
        assert_eq!(texts(&[envelope]), [("websocket", content)]);
        let refused = session.receive(line).await.unwrap_err();
        assert_eq!(refused.envelope().client_reference(), reference);
    }
}

#[tokio::test]
async fn a_long_text_is_repeated_only_in_part() {
    let mut session = protocol().session(Public, Memory::default());
    let refused = session.receive(&"é".repeat(100)).await.unwrap_err();
    assert_eq!(refused.to_string(), format!("unknown command `{}…`", "é".repeat(80)));
}

#[test]
fn errors_are_small_enough_for_every_result() {
    assert!(size_of::<Error>() <= 64, "{}", size_of::<Error>());
    assert!(size_of::<Refused>() <= 96, "{}", size_of::<Refused>());
}
