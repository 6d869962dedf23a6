//! What sets can do for live data: observe what is published, leave notes on it, replay what still
//! holds, screen viewers, and say what a frame is about.

mod support;

use std::sync::{Arc, Mutex};

use redwire_protocol::{
    Bounds, CommandSet, Commands, Content, Context, Figure, HandlerBase, Message, Observed,
    Outgoing, Ping, Plane, Protocol, Replay, Reply, Result, Screen, Subject, Take, Verdict,
};
use support::{Memory, Public};

/// `FROM price`: prices of at least so much; `AGAIN`: the last one once more.
#[derive(Clone, Debug, Default)]
struct Prices {
    from: Option<f64>,
    last: Arc<Mutex<Option<Message>>>,
    axis: Arc<Axis>,
}

#[derive(Debug, Default)]
struct Axis;

/// The note that the set leaves on what it has observed.
struct Number(u64);

impl Plane for Axis {
    fn extent(&self, message: &Message) -> Option<Bounds> {
        let price = message.content().json().as_f64()?;
        Some(Bounds { left: price, right: price, ..Bounds::EVERYTHING })
    }
}

impl<H: HandlerBase> CommandSet<H> for Prices {
    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("FROM price", Self::from).command("AGAIN", Self::again);
    }

    fn screen(&self) -> Option<Screen> {
        let bounds = Bounds { left: self.from?, ..Bounds::EVERYTHING };
        let plane: Arc<dyn Plane> = self.axis.clone();
        Some(Screen { plane, bounds })
    }

    fn observe(&self, observed: Observed<'_>) {
        let Observed::Message(message) = observed else { return };
        *self.last.lock().expect("no panic") = Some(message.clone());
        message.note(Number(7));
    }

    fn filter(&self, message: &mut Outgoing<'_>) -> Verdict {
        if message.note::<Number>().is_some_and(|number| number.0 == 7) {
            message.about(Subject::State(7));
        }
        if message.is_replayed() {
            message.redirect((), |content| ("again".into(), content.clone()));
        }
        match (self.from, message.json().as_f64()) {
            (Some(from), Some(price)) if price < from => Verdict::Drop,
            _ => Verdict::Pass,
        }
    }

    fn figures(&self) -> Vec<Figure> {
        vec![Figure::gauge("prices", "Prices that are known", 1)]
    }
}

impl Prices {
    async fn from<H>(&mut self, _: &mut Context<H>, (price,): (f64,)) -> Result<()> {
        self.from = Some(price);
        Ok(())
    }

    async fn again<H>(&mut self, _: &mut Context<H>, _: ()) -> Result<Reply> {
        let last = Arc::clone(&self.last);
        let replay = Replay::new(move |_| last.lock().expect("no panic").iter().cloned().collect());
        Ok(Reply::status("again").replaying(replay))
    }
}

/// A set that filters, and knows no screen.
#[derive(Clone)]
struct Blind;

impl<H: HandlerBase> CommandSet<H> for Blind {
    fn commands(_: &mut Commands<Self, H>) {}
}

fn message(text: &'static str) -> Message {
    Message::new("prices", Content::parse(text).expect("JSON"), 1)
}

#[tokio::test]
async fn a_screen_counts_for_the_first_set_that_filters() {
    let first = Protocol::new().with(Ping).with(Prices::default()).with(Blind);
    let mut session = first.session(Public, Memory::default());
    assert_eq!(session.filters().screen(), None, "nothing was asked for yet");
    session.receive("FROM 5").await.unwrap();
    assert_eq!(session.filters().screen().unwrap().bounds.left, 5.0);

    let second = Protocol::new().with(Blind).with(Prices::default());
    let mut session = second.session(Public, Memory::default());
    session.receive("FROM 5").await.unwrap();
    assert_eq!(session.filters().screen(), None);
}

#[tokio::test]
async fn connections_share_a_plane() {
    let protocol = Protocol::new().with(Prices::default());
    let mut sessions = [(); 2].map(|()| protocol.session(Public, Memory::default()));
    for session in &mut sessions {
        session.receive("FROM 5").await.unwrap();
    }
    let [first, second] = sessions.map(|session| session.filters().screen().unwrap());
    assert_eq!(first, second);
    let extent = first.plane.extent(&message("7")).unwrap();
    assert!(extent.touch(&first.bounds));
    assert!(!first.plane.extent(&message("4")).unwrap().touch(&first.bounds));
    assert_eq!(first.plane.extent(&message("[]")), None);
}

#[tokio::test]
async fn notes_reach_every_filter_and_no_earlier_handle() {
    let protocol = Protocol::<Public>::new().with(Prices::default());
    let mut noted = message("7");
    let earlier = noted.clone();
    protocol.filters().observe(Observed::Message(&mut noted));
    let subject = |message| protocol.filters().apply(message).unwrap().subject();
    assert_eq!(subject(&noted), Some(Subject::State(7)));
    assert_eq!(subject(&earlier), None);
    assert_eq!(noted.noted::<Number>().map(|number| number.0), Some(7));
    protocol.filters().observe(Observed::Gap { since: 1 });
}

#[tokio::test]
async fn a_replay_comes_after_the_reply_and_through_the_filters() {
    let protocol = Protocol::new().with(Prices::default());
    let mut session = protocol.session(Public, Memory::default());
    protocol.filters().observe(Observed::Message(&mut message("7")));
    let replies = session.receive("AGAIN").await.unwrap();
    let texts: Vec<_> = replies.iter().map(|e| (e.source(), e.content().text())).collect();
    assert_eq!(texts, [("websocket", "\"again\""), ("again", "7")]);

    session.receive("FROM 8").await.unwrap();
    assert_eq!(session.receive("AGAIN").await.unwrap().len(), 1, "the filter drops it");

    let response = session.respond("AGAIN").await.unwrap();
    assert_eq!(response.frames.len(), 1);
    assert_eq!(response.replay.unwrap().messages(Take::Performance).len(), 1);
}

#[test]
fn a_redirected_frame_has_its_own_source() {
    let message = message("7");
    let mut outgoing = Outgoing::new(&message);
    outgoing.redirect((), |_| ("gone".into(), Content::null()));
    assert_eq!(outgoing.source(), "gone");
    let frame = String::from_utf8(outgoing.frame().to_vec()).unwrap();
    assert!(frame.starts_with(r#"{"source":"gone","content":null,"#), "{frame}");
    assert_eq!(message.source(), "prices");
}

#[test]
fn figures_are_those_of_all_sets() {
    let protocol = Protocol::<Public>::new().with(Ping).with(Prices::default());
    assert_eq!(protocol.filters().figures().len(), 1);
}
