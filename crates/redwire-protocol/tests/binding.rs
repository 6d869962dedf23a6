//! How words become arguments: the rules of Python's function calls, which clients of the original
//! protocol know.

mod support;

use redwire_protocol::{
    CommandSet, Commands, Context, HandlerBase, Parameters, Protocol, Reply, Result, Session,
};
use serde_json::{Value, json};
use support::{Memory, Public};

/// Answers the arguments that a command got.
#[derive(Clone, Debug)]
struct Probe;

impl<H: HandlerBase> CommandSet<H> for Probe {
    fn commands(commands: &mut Commands<Self, H>) {
        commands
            .command("NONE", Self::none)
            .command("TWO a b", Self::two)
            .command("SOME a [b] [c]", Self::some)
            .command("ALL [a] [b]", Self::all)
            .command("MANY a b...", Self::many)
            .command("ANY [a...]", Self::any)
            .command("OPEN a [name=value...]", Self::open)
            .command("NUMBERS u8 i64 f32", Self::numbers);
    }
}

type Words = Option<String>;

impl Probe {
    async fn none<H>(&mut self, _: &mut Context<H>, _: ()) -> Result<Reply> {
        Ok(Reply::status(json!([])))
    }
    async fn two<H>(&mut self, _: &mut Context<H>, a: (String, String)) -> Result<Reply> {
        Ok(Reply::status(json!(a)))
    }
    async fn some<H>(&mut self, _: &mut Context<H>, a: (String, Words, Words)) -> Result<Reply> {
        Ok(Reply::status(json!(a)))
    }
    async fn all<H>(&mut self, _: &mut Context<H>, a: (Words, Words)) -> Result<Reply> {
        Ok(Reply::status(json!(a)))
    }
    async fn many<H>(&mut self, _: &mut Context<H>, a: (String, Vec<u8>)) -> Result<Reply> {
        Ok(Reply::status(json!(a)))
    }
    async fn any<H>(&mut self, _: &mut Context<H>, (a,): (Vec<String>,)) -> Result<Reply> {
        Ok(Reply::status(json!(a)))
    }
    async fn open<H>(
        &mut self,
        _: &mut Context<H>,
        (a, Parameters(pairs)): (String, Parameters),
    ) -> Result<Reply> {
        Ok(Reply::status(json!([a, pairs])))
    }
    async fn numbers<H>(&mut self, _: &mut Context<H>, a: (u8, i64, f32)) -> Result<Reply> {
        Ok(Reply::status(json!(a)))
    }
}

fn session() -> Session<Public> {
    Protocol::new().with(Probe).session(Public, Memory::default())
}

#[tokio::test]
async fn words_are_bound_in_order_and_by_name() {
    let bound: &[(&str, Value)] = &[
        ("NONE", json!([])),
        ("TWO 1 2", json!(["1", "2"])),
        ("TWO a=1 b=2", json!(["1", "2"])),
        ("TWO b=2 a=1", json!(["1", "2"])),
        // By name and in order, in any order: words take their places first.
        ("TWO b=2 1", json!(["1", "2"])),
        ("TWO 1 b=2", json!(["1", "2"])),
        // The first `=` ends the name.
        ("TWO 1 b=2=3", json!(["1", "2=3"])),
        ("TWO 1 b==", json!(["1", "="])),
        // Nothing is a value, too.
        ("TWO 1 b=", json!(["1", ""])),
        ("SOME 1", json!(["1", null, null])),
        ("SOME 1 2", json!(["1", "2", null])),
        ("SOME 1 c=3", json!(["1", null, "3"])),
        ("SOME c=3 1 2", json!(["1", "2", "3"])),
        ("SOME c=3 b=2 a=1", json!(["1", "2", "3"])),
        ("ALL", json!([null, null])),
        ("ALL b=2", json!([null, "2"])),
        ("MANY a 1", json!(["a", [1]])),
        ("MANY a 1 2 3", json!(["a", [1, 2, 3]])),
        ("ANY", json!([])),
        ("ANY a b a", json!(["a", "b", "a"])),
        // What has a place of its own is none of the others.
        ("OPEN 1", json!(["1", []])),
        ("OPEN x=2 1 y==3 =z", json!(["1", [["x", "2"], ["y", "=3"], ["", "z"]]])),
        ("OPEN x=1 x=2 a=3", json!(["3", [["x", "1"], ["x", "2"]]])),
        ("NUMBERS 255 -9223372036854775808 1.5", json!([255, i64::MIN, 1.5])),
        ("NUMBERS +1 +1 +1e1", json!([1, 1, 10.0])),
        ("NUMBERS 0 0 .5", json!([0, 0, 0.5])),
        // Separators: all Unicode white space, and what Python adds to it.
        (" \t TWO\u{a0}1\u{2003}2\r\n", json!(["1", "2"])),
        ("TWO\u{1c}1\u{1d}\u{1e}2\u{1f}", json!(["1", "2"])),
        ("TWO 1\u{200b} 2", json!(["1\u{200b}", "2"])),
    ];
    let mut session = session();
    for (line, arguments) in bound {
        let replies = session.receive(line).await.unwrap();
        assert_eq!(replies[0].content().json(), arguments, "{line}");
    }
}

#[tokio::test]
async fn what_cannot_be_bound_is_named() {
    let refused: &[(&str, &str)] = &[
        ("NONE 1", "no place for argument `1`: NONE"),
        ("NONE a=1", "no argument is named `a` (in `a=1`): NONE"),
        ("TWO", "argument `a` is missing: TWO a b"),
        ("TWO 1", "argument `b` is missing: TWO a b"),
        ("TWO b=2", "argument `a` is missing: TWO a b"),
        ("TWO 1 2 3 4", "no place for argument `3`: TWO a b"),
        ("TWO 1 2 3 x=y", "no place for argument `3`: TWO a b"),
        ("TWO 1 2 x=y", "no argument is named `x` (in `x=y`): TWO a b"),
        ("TWO 1 2 =y", "no argument is named `` (in `=y`): TWO a b"),
        ("TWO 1 2 A=y", "no argument is named `A` (in `A=y`): TWO a b"),
        ("TWO é ü=", "no argument is named `ü` (in `ü=`): TWO a b"),
        ("TWO x=y", "no argument is named `x` (in `x=y`): TWO a b"),
        ("TWO 1 2 a=3", "argument `a` is given twice, the second time as `3`"),
        ("TWO 1 a=3", "argument `a` is given twice, the second time as `3`"),
        ("TWO b=1 b=2 a=0", "argument `b` is given twice, the second time as `2`"),
        ("TWO b= b=2 a=0", "argument `b` is given twice, the second time as `2`"),
        ("MANY", "argument `a` is missing: MANY a b..."),
        ("MANY a", "argument `b` is missing: MANY a b..."),
        // What takes many words has no name, as Python's `*args`.
        ("MANY a b=1", "no argument is named `b` (in `b=1`): MANY a b..."),
        ("MANY a 1 256 x", "argument `b` cannot be `256`: number too large to fit in target type"),
        ("ANY a=1", "no argument is named `a` (in `a=1`): ANY [a...]"),
        ("OPEN x=y", "argument `a` is missing: OPEN a [name=value...]"),
        ("OPEN 1 2", "no place for argument `2`: OPEN a [name=value...]"),
        ("OPEN 1 a=2", "argument `a` is given twice, the second time as `2`"),
        ("NUMBERS 1 1.5 1", "argument `i64` cannot be `1.5`: invalid digit found in string"),
        ("NUMBERS -1 1 1", "argument `u8` cannot be `-1`: invalid digit found in string"),
        ("NUMBERS 1 1 1e39", "argument `f32` cannot be `1e39`: not a finite number"),
        (
            "NUMBERS u8= i64=1 f32=1",
            "argument `u8` cannot be ``: cannot parse integer from empty string",
        ),
    ];
    let mut session = session();
    for (line, message) in refused {
        let refused = session.receive(line).await.unwrap_err();
        assert_eq!(refused.to_string(), *message, "{line}");
        assert!(refused.error.is_malformed(), "{line}");
        assert!(!refused.error.is_unavailable_to_visitor(), "{line}");
    }
}
