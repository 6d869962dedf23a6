//! Random command lines and random documents against a whole session: nothing panics, and whatever is
//! sent is JSON with finite numbers.

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;
use redwire::prelude::*;
use redwire::protocol::Message;
use serde::de::IgnoredAny;

use crate::documents::document;
use crate::oracles::Everything;

const BUDGET_MS: u64 = 3_000;
/// Bytes of randomness: some lines and a document.
const SIZE_MAX: u32 = 4_096;

#[test]
fn any_line_is_answered_and_any_document_goes_out_as_json() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    arbtest(|u| {
        let geo = configured(u)?;
        let memory = MemoryBackend::new();
        let protocol = Protocol::new().with(Keys).with(Subscriptions).with(Ping).with(geo);
        let mut session = protocol.session(Everything, memory.clone());
        for _ in 0..u.int_in_range(1..=6)? {
            let line = line(u)?;
            memory.hset("a", "b", document(u)?);
            match runtime.block_on(session.receive(&line)) {
                Ok(envelopes) => envelopes.iter().for_each(|one| check(one.content().text())),
                Err(refused) => check(refused.envelope().content().text()),
            }
            let Ok(content) = Content::parse(document(u)?) else { panic!("documents are JSON") };
            let message = Message::new("a", content, 0);
            if let Some(outgoing) = session.filters().apply(&message) {
                check(std::str::from_utf8(&outgoing.frame()).expect("UTF-8"));
                check(outgoing.content().text());
            }
        }
        Ok(())
    })
    .size_max(SIZE_MAX)
    .budget_ms(BUDGET_MS);
}

fn configured(u: &mut Unstructured<'_>) -> Result<Geo> {
    let mut geo = Geo::default();
    if u.ratio(1, 4)? {
        geo = geo.compat();
    }
    if u.ratio(1, 4)? {
        geo = geo.strict_axis_order();
    }
    if u.ratio(1, 2)? {
        geo = geo.stored_in(3857);
    }
    if u.ratio(1, 2)? {
        geo = geo.projections(Projections::default().precision(3857, u.arbitrary()?));
    }
    Ok(geo)
}

fn line(u: &mut Unstructured<'_>) -> Result<String> {
    const COMMANDS: &[&str] = &[
        "BBOX",
        "BBOX",
        "PROJECTION",
        "PROJECTION",
        "PGET",
        "GET",
        "SUB",
        "DEL",
        "PING",
        "bbox",
        "",
    ];
    const WORDS: &[&str] = &[
        "0",
        "5",
        "45",
        "10",
        "50",
        "-180",
        "180",
        "365",
        "-0",
        "1e400",
        "-1e308",
        "1e308",
        "5e-324",
        "nan",
        "-NaN",
        "inf",
        "-infinity",
        "0x10",
        "1_0",
        "1,2,3,4",
        "٣",
        "+5",
        ".5",
        "5.",
        "",
        "epsg:3857",
        "EPSG:2056",
        "3035",
        "epsg:4326",
        "4326",
        "3857",
        "epsg:99999",
        "epsg:-1",
        "+proj=merc",
        "proj=pipeline",
        "/etc/passwd",
        "urn:ogc:def:crs:EPSG::3857",
        "a",
        "b",
        "a b",
        "mots=rail",
        "=",
        "left=1",
        "projection=epsg:2056",
        "ref=b",
        "client_ref=x",
        "\0",
        "🚂",
        "\u{a0}",
        "\"",
        "{}",
    ];
    if u.ratio(1, 10)? {
        return u.arbitrary();
    }
    let mut words = vec![(*u.choose(COMMANDS)?).to_owned()];
    for _ in 0..u.int_in_range(0..=6)? {
        let word = *u.choose(WORDS)?;
        words.push(if u.ratio(1, 8)? {
            word.repeat(u.int_in_range(0..=300)?)
        } else {
            word.into()
        });
    }
    Ok(words.join(u.choose(&[" ", " ", "  ", "\t", "\n"])?))
}

/// JSON has no word for a number that is not finite.
fn check(text: &str) {
    assert!(serde_json::from_str::<IgnoredAny>(text).is_ok(), "{text}");
}
