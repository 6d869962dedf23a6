//! A command set of a user's own: typed arguments, its own state, its own filter.

mod support;

use std::panic::{AssertUnwindSafe, Location, catch_unwind, set_hook, take_hook};
use std::sync::{Arc, Mutex, PoisonError};

use redwire_protocol::{
    Argument, CommandSet, Commands, Content, Context, HandlerBase, Keys, Message, Outgoing, Ping,
    Protocol, Reply, Result, Session, Subscriptions, Verdict,
};
use support::{Memory, Public};

/// Hides features farther than `radius` degrees from a point, until `FAR`.
#[derive(Clone, Debug, Default, PartialEq)]
struct Near {
    circle: Option<(f64, f64, f64)>,
}

impl<H: HandlerBase> CommandSet<H> for Near {
    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("NEAR lon lat [radius]", Self::near).command("FAR", Self::far);
    }
    fn filter(&self, message: &mut Outgoing<'_>) -> Verdict {
        let Some((lon, lat, radius)) = self.circle else { return Verdict::Pass };
        let degree = |pointer| message.json().pointer(pointer)?.as_f64();
        match (degree("/coordinates/0"), degree("/coordinates/1")) {
            (Some(x), Some(y)) if (x - lon).hypot(y - lat) > radius => Verdict::Drop,
            _ => Verdict::Pass,
        }
    }
}

type Circle = (f64, f64, Option<f64>);

impl Near {
    async fn near<H>(&mut self, _: &mut Context<H>, (lon, lat, radius): Circle) -> Result<()> {
        self.circle = Some((lon, lat, radius.unwrap_or(1.0)));
        Ok(())
    }
    async fn far<H>(&mut self, _: &mut Context<H>, _: ()) -> Result<()> {
        self.circle = None;
        Ok(())
    }
}

fn session() -> Session<Public> {
    Protocol::new().with(Subscriptions).with(Near::default()).session(Public, Memory::default())
}

fn train_at(lon: f64, lat: f64) -> Message {
    let point = serde_json::json!({"type": "Point", "coordinates": [lon, lat]});
    Message::new("trains", Content::from(point), 1)
}

#[tokio::test]
async fn near_hides_what_is_far_until_far() {
    let mut session = session();
    session.receive("SUB trains").await.unwrap();
    let (bern, zurich) = (train_at(7.4, 46.9), train_at(8.5, 47.4));
    let seen =
        |session: &Session<Public>| [&bern, &zurich].map(|train| session.deliver(train).is_some());
    assert_eq!(seen(&session), [true, true]);
    session.receive("NEAR 7.44 46.95").await.unwrap();
    assert_eq!(seen(&session), [true, false]);
    session.receive("NEAR 7.44 46.95 2").await.unwrap();
    assert_eq!(seen(&session), [true, true]);
    session.receive("NEAR radius=0.1 lat=47.4 lon=8.5").await.unwrap();
    assert_eq!(seen(&session), [false, true]);
    session.receive("FAR").await.unwrap();
    assert_eq!(seen(&session), [true, true]);
}

#[tokio::test]
async fn every_connection_has_a_circle_of_its_own() {
    let protocol = Protocol::new().with(Near::default());
    let mut one = protocol.session(Public, Memory::default());
    let two = protocol.session(Public, Memory::default());
    one.receive("NEAR 7 46").await.unwrap();
    assert_eq!(one.set::<Near>(), Some(&Near { circle: Some((7.0, 46.0, 1.0)) }));
    assert_eq!(two.set::<Near>(), Some(&Near { circle: None }));
}

#[tokio::test]
async fn wrong_arguments_are_named_and_change_nothing() {
    let mut session = session();
    session.receive("NEAR 7 46").await.unwrap();
    for (line, message) in [
        ("NEAR", "argument `lon` is missing: NEAR lon lat [radius]"),
        ("NEAR 7", "argument `lat` is missing: NEAR lon lat [radius]"),
        ("NEAR 7 north", "argument `lat` cannot be `north`: invalid float literal"),
        ("NEAR 7 46 ½", "argument `radius` cannot be `½`: invalid float literal"),
        (
            "NEAR 7 46 radius=",
            "argument `radius` cannot be ``: cannot parse float from empty string",
        ),
        ("NEAR 7 46 1 km", "no place for argument `km`: NEAR lon lat [radius]"),
        ("NEAR 7 46 r=1", "no argument is named `r` (in `r=1`): NEAR lon lat [radius]"),
        ("NEAR 7 46 lon=8", "argument `lon` is given twice, the second time as `8`"),
        ("NEAR nan 46", "argument `lon` cannot be `nan`: not a finite number"),
        ("NEAR 7 -inf", "argument `lat` cannot be `-inf`: not a finite number"),
        ("NEAR 7 46 infinity", "argument `radius` cannot be `infinity`: not a finite number"),
        ("NEAR 7 46 1e400", "argument `radius` cannot be `1e400`: not a finite number"),
        ("FAR away", "no place for argument `away`: FAR"),
        ("near 7 46", "unknown command `near`"),
    ] {
        let refused = session.receive(line).await.unwrap_err();
        assert_eq!(refused.to_string(), message, "{line}");
        assert_eq!(session.set::<Near>(), Some(&Near { circle: Some((7.0, 46.0, 1.0)) }), "{line}");
    }
}

#[derive(Clone, Copy, Debug)]
enum Direction {
    Up,
    Down,
}

impl Argument for Direction {
    fn from_word(word: &str) -> Result<Self, String> {
        match word {
            "up" => Ok(Self::Up),
            "down" => Ok(Self::Down),
            _ => Err("expected `up` or `down`".into()),
        }
    }
}

/// Follows directions.
#[derive(Clone, Debug, Default)]
struct Stairs {
    floor: i32,
}

impl<H: HandlerBase> CommandSet<H> for Stairs {
    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("WALK direction [then...]", Self::walk);
    }
}

impl Stairs {
    async fn walk<H>(
        &mut self,
        _: &mut Context<H>,
        (direction, then): (Direction, Vec<Direction>),
    ) -> Result<Reply> {
        for direction in [direction].into_iter().chain(then) {
            self.floor += match direction {
                Direction::Up => 1,
                Direction::Down => -1,
            };
        }
        Ok(Reply::status(self.floor))
    }
}

#[tokio::test]
async fn an_argument_type_of_ones_own_says_what_it_expects() {
    let mut session = Protocol::new().with(Stairs::default()).session(Public, Memory::default());
    let replies = session.receive("WALK up up down up").await.unwrap();
    assert_eq!(replies[0].content().json(), 2);
    for (line, message) in [
        ("WALK left", "argument `direction` cannot be `left`: expected `up` or `down`"),
        ("WALK up down right", "argument `then` cannot be `right`: expected `up` or `down`"),
    ] {
        assert_eq!(session.receive(line).await.unwrap_err().to_string(), message);
    }
}

/// What a panic says, and the file and line that it blames.
fn panic_of(start_up: impl FnOnce()) -> (String, String, u32) {
    static ONE_HOOK: Mutex<()> = Mutex::new(());
    let _one = ONE_HOOK.lock().unwrap_or_else(PoisonError::into_inner);
    let said = Arc::new(Mutex::new(None));
    let (old, heard) = (take_hook(), Arc::clone(&said));
    set_hook(Box::new(move |panic| {
        let place = panic.location().map(|place| (place.file().to_owned(), place.line()));
        let message = panic.payload_as_str().unwrap_or_default().to_owned();
        *heard.lock().unwrap_or_else(PoisonError::into_inner) =
            place.map(|(file, line)| (message, file, line));
    }));
    let result = catch_unwind(AssertUnwindSafe(start_up));
    set_hook(old);
    assert!(result.is_err(), "no panic");
    said.lock().unwrap_or_else(PoisonError::into_inner).take().expect("a message and a place")
}

#[test]
fn a_command_stacked_twice_is_found_at_start_up_and_names_the_caller() {
    let here = Location::caller();
    let said = panic_of(|| drop(Protocol::<Public>::new().with(Ping).with(Keys).with(Ping)));
    let message = "command `PING` is stacked twice".to_owned();
    assert_eq!(said, (message, here.file().to_owned(), here.line() + 1));
}

macro_rules! set_that_declares {
    ($name:ident, $usage:literal, $arguments:ty) => {
        #[derive(Clone, Debug)]
        struct $name;

        impl<H: HandlerBase> CommandSet<H> for $name {
            fn commands(commands: &mut Commands<Self, H>) {
                commands.command($usage, Self::run);
            }
        }

        impl $name {
            async fn run<H>(&mut self, _: &mut Context<H>, _: $arguments) -> Result<()> {
                Ok(())
            }
        }
    };
}

set_that_declares!(TooFew, "GO a b", (String,));
set_that_declares!(TooMany, "GO a", (String, String));
set_that_declares!(NotOptional, "GO a [b]", (String, String));
set_that_declares!(NotRequired, "GO a b", (String, Option<String>));
set_that_declares!(NotMany, "GO a...", (String,));
set_that_declares!(NotOne, "GO a", (Vec<String>,));
set_that_declares!(Nameless, "", ());
set_that_declares!(Comma, "GO a, b", (String, String));
set_that_declares!(Backwards, "GO [a] b", (Option<String>, String));
set_that_declares!(Twins, "GO a a", (String, String));

#[test]
fn a_usage_line_that_does_not_fit_its_arguments_is_found_at_start_up() {
    fn stacked<C: CommandSet<Public>>(set: C) -> String {
        let (message, file, _) = panic_of(|| drop(Protocol::new().with(set)));
        assert_eq!(file, file!(), "the place is the user's: {message}");
        message
            .replace("alloc::string::", "")
            .replace("core::option::", "")
            .replace("alloc::vec::", "")
    }
    let unfit = |line, types| format!("usage line `{line}` does not fit the arguments `{types}`");
    assert_eq!(stacked(TooFew), unfit("GO a b", "(String,)"));
    assert_eq!(stacked(TooMany), unfit("GO a", "(String, String)"));
    assert_eq!(stacked(NotOptional), unfit("GO a [b]", "(String, String)"));
    assert_eq!(stacked(NotRequired), unfit("GO a b", "(String, Option<String>)"));
    assert_eq!(stacked(NotMany), unfit("GO a...", "(String,)"));
    assert_eq!(stacked(NotOne), unfit("GO a", "(Vec<String>,)"));
    assert_eq!(stacked(Nameless), "usage line `` has no command");
    let comma = stacked(Comma);
    assert!(comma.starts_with("usage line `GO a, b`: expected `name`, `[name]`, "), "{comma}");
    let backwards = "usage line `GO [a] b`: a required argument follows an optional one";
    assert_eq!(stacked(Backwards), backwards);
    assert_eq!(stacked(Twins), "usage line `GO a a`: `a` is named twice");
}
