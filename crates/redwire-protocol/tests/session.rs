//! A session without a socket: lines in, envelopes out.

mod support;

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as Task, Waker};

use redwire_protocol::{
    CommandSet, Commands, Content, Context, Envelope, Error, HandlerBase, Keys, Message, Outgoing,
    Ping, Protocol, Refused, Result, Session, Subscriptions, Verdict,
};
use support::{Memory, Public};

fn protocol<H: HandlerBase>() -> Protocol<H> {
    Protocol::new().with(Keys).with(Subscriptions).with(Ping)
}

fn message(source: &str, text: &'static str) -> Message {
    Message::new(source, Content::parse(text).expect("JSON"), 1)
}

/// Source and content of each envelope.
fn texts(envelopes: &[Envelope]) -> Vec<(&str, &str)> {
    envelopes.iter().map(|envelope| (envelope.source(), envelope.content().text())).collect()
}

/// Polls the line's future once and drops it.
fn drop_half_way<H: HandlerBase>(session: &mut Session<H>, line: &str) {
    let future = pin!(session.receive(line));
    assert!(future.poll(&mut Task::from_waker(Waker::noop())).is_pending(), "{line} did not wait");
}

#[tokio::test]
async fn get_answers_with_the_values_of_a_hash() {
    let backend = Memory::default().with("trains", "41", "[1.10]").with("trains", "42", "{ }");
    let mut session = protocol().session(Public, backend);
    let replies = session.receive("GET trains").await.unwrap();
    assert_eq!(texts(&replies), [("trains", "[1.10]"), ("trains", "{ }")]);
    let replies = session.receive("GET trains 42 mine").await.unwrap();
    assert_eq!(texts(&replies), [("trains 42", "{ }")]);
    assert_eq!(replies[0].client_reference(), Some("mine"));
    let replies = session.receive("GET nothing").await.unwrap();
    assert_eq!(texts(&replies), [("nothing", "null")]);
}

#[tokio::test]
async fn sub_and_del_are_not_answered_and_count_one_subscription() {
    let backend = Memory::default();
    let mut session = protocol().session(Public, backend.clone());
    for line in ["SUB trains", "SUB trains", "SUB trams"] {
        assert_eq!(session.receive(line).await.unwrap().len(), 0);
    }
    assert_eq!(backend.subscriptions(), [("trains".into(), 1), ("trams".into(), 1)]);
    for line in ["DEL trains", "DEL trains", "DEL nothing"] {
        assert_eq!(session.receive(line).await.unwrap().len(), 0);
    }
    assert_eq!(backend.subscriptions(), [("trams".into(), 1)]);
    assert_eq!(session.context().subscriptions().collect::<Vec<_>>(), ["trams"]);
}

#[tokio::test]
async fn ping_is_answered_with_pong() {
    let mut session = protocol().session(Public, Memory::default());
    let replies = session.receive("PING a b").await.unwrap();
    assert_eq!(texts(&replies), [("websocket", "\"PONG\"")]);
    assert_eq!(
        replies[0].encode(1795225523212),
        r#"{"source":"websocket","content":"PONG","timestamp":1795225523212,"client_reference":null}"#,
    );
}

#[tokio::test]
async fn a_message_is_delivered_while_its_channel_is_subscribed() {
    let mut session = protocol().session(Public, Memory::default());
    let train = message("trains", "42");
    assert!(session.deliver(&train).is_none());
    session.receive("SUB trains").await.unwrap();
    assert_eq!(texts(&[session.deliver(&train).unwrap()]), [("trains", "42")]);
    assert!(session.deliver(&message("trams", "42")).is_none());
    session.receive("DEL trains").await.unwrap();
    assert!(session.deliver(&train).is_none());
}

/// Hides everything while it is switched on.
#[derive(Clone, Debug, Default, PartialEq)]
struct Hide {
    on: bool,
}

impl<H: HandlerBase> CommandSet<H> for Hide {
    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("HIDE", Self::hide).command("FAIL", Self::fail);
    }
    fn filter(&self, _: &mut Outgoing<'_>) -> Verdict {
        if self.on { Verdict::Drop } else { Verdict::Pass }
    }
}

impl Hide {
    async fn hide<H>(&mut self, _: &mut Context<H>, _: ()) -> Result<()> {
        self.on = true;
        Ok(())
    }
    async fn fail<H>(&mut self, _: &mut Context<H>, _: ()) -> Result<()> {
        self.on = false;
        Err(Error::refused("not today"))
    }
}

#[tokio::test]
async fn the_state_of_a_set_is_one_connections_own_and_filters_replies_and_messages() {
    let backend = Memory::default().with("trains", "42", "{}");
    let protocol = protocol().with(Hide::default());
    let mut session = protocol.session(Public, backend.clone());
    let mut other = protocol.session(Public, backend);
    for session in [&mut session, &mut other] {
        session.receive("SUB trains").await.unwrap();
    }
    let published_before = session.filters().clone();
    session.receive("HIDE").await.unwrap();
    assert_eq!(session.set::<Hide>(), Some(&Hide { on: true }));
    assert_eq!(other.set::<Hide>(), Some(&Hide { on: false }));
    assert!(session.set::<String>().is_none());

    let train = message("trains", "{}");
    assert!(session.deliver(&train).is_none());
    assert!(other.deliver(&train).is_some());
    assert!(published_before.apply(&train).is_some(), "published state never changes");

    let replies = session.receive("GET trains").await.unwrap();
    assert_eq!(texts(&replies), [("trains", "null")]);
    let replies = session.receive("GET trains 42").await.unwrap();
    assert_eq!(texts(&replies), [("trains 42", "{}")], "what is asked for by name is not dropped");
    let replies = session.receive("PING").await.unwrap();
    assert_eq!(texts(&replies), [("websocket", "\"PONG\"")], "no filter sees a status");
}

#[tokio::test]
async fn what_a_refused_command_did_to_its_set_counts() {
    let mut session = protocol().with(Hide { on: true }).session(Public, Memory::default());
    session.receive("SUB trains").await.unwrap();
    assert_eq!(session.receive("FAIL").await.unwrap_err().to_string(), "not today");
    assert!(session.deliver(&message("trains", "1")).is_some());
}

/// Writes down which of its hooks were called.
#[derive(Clone, Debug, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn write(&self, entry: impl Into<String>) {
        self.0.lock().expect("no panic while writing").push(entry.into());
    }
    fn read(&self) -> Vec<String> {
        self.0.lock().expect("no panic while writing").clone()
    }
}

impl HandlerBase for Diary {
    fn channel_is_allowed(&self, channel: &str) -> bool {
        self.write(format!("channel {channel}"));
        channel != "secret"
    }
    fn key_is_allowed(&self, key: &str) -> bool {
        self.write(format!("key {key}"));
        key != "secret"
    }
    fn on_open(&mut self) {
        self.write("open");
    }
    fn on_error(&mut self, refused: &Refused) {
        self.write(format!(
            "error {:?}: {refused}",
            refused.command.as_deref().unwrap_or_default()
        ));
    }
    fn on_close(&mut self) {
        self.write("close");
    }
}

#[tokio::test]
async fn the_handlers_hooks_are_called_as_documented() {
    let diary = Diary::default();
    let mut session = protocol().session(diary.clone(), Memory::default());
    for line in ["SUB trains", "DEL trains", "GET trains", "PING"] {
        session.receive(line).await.unwrap();
    }
    for line in ["", "HELLO", "SUB secret", "GET secret"] {
        session.receive(line).await.unwrap_err();
    }
    drop(session);
    assert_eq!(
        diary.read(),
        [
            "open",
            "channel trains",
            "key trains",
            r#"error "": empty line: expected a command"#,
            r#"error "HELLO": unknown command `HELLO`"#,
            "channel secret",
            r#"error "SUB": `secret` is not allowed"#,
            "key secret",
            r#"error "GET": `secret` is not allowed"#,
            "close",
        ],
    );
}

#[tokio::test]
async fn a_dropped_session_holds_no_subscription() {
    let backend = Memory::default();
    let mut session = protocol().session(Public, backend.clone());
    session.receive("SUB trains").await.unwrap();
    session.receive("SUB trams").await.unwrap();
    drop(session);
    assert_eq!(backend.subscriptions(), []);
}

#[tokio::test]
async fn a_command_dropped_half_way_neither_loses_nor_leaks_a_subscription() {
    let backend = Memory::default();
    let mut session = protocol().session(Public, backend.clone());
    backend.stall();
    drop_half_way(&mut session, "SUB trains");
    assert_eq!(backend.subscriptions(), [("trains".into(), 1)]);
    drop_half_way(&mut session, "SUB trains");
    drop_half_way(&mut session, "GET trains");
    assert_eq!(backend.subscriptions(), [("trains".into(), 1)]);
    session.receive("DEL trains").await.unwrap();
    assert_eq!(backend.subscriptions(), []);
    drop_half_way(&mut session, "SUB trams");
    drop(session);
    assert_eq!(backend.subscriptions(), []);
}
