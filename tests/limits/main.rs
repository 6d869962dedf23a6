//! Defaults and limits: each bound ends in its documented frame, status or close code, never in
//! memory growth, and whoever is connected beside it notices nothing.
//! What a slow reader costs in memory (S056) is in `slow_reader.rs`.

use std::time::Duration;

use redwire::prelude::Limits;

mod admission;
mod busy;
mod drain;
mod handshake;
mod messages;
mod origin;
mod outbox;
mod rate;
mod replies;
mod subscriptions;

/// The defaults, with more time for a closing handshake than the busiest machine needs.
fn unhurried() -> Limits {
    Limits { close: Duration::from_secs(600), ..Limits::default() }
}

#[test]
fn the_defaults_are_those_of_the_documentation() {
    let documented = Limits {
        message_bytes: 65_536,
        name_bytes: 255,
        reply_bytes: 16 * 1024 * 1024,
        subscriptions: 128,
        commands_per_second: 1_000,
        outbox_bytes: 1_048_576,
        outbox_messages: 8_192,
        outbox_subjects: 65_536,
        buffer_bytes: 262_144,
        replay_interval: Duration::from_millis(100),
        connections: 50_000,
        handshake: Duration::from_secs(10),
        ping: Duration::from_secs(25),
        pong: Duration::from_secs(8),
        max_age: None,
        close: Duration::from_secs(3),
    };
    assert_eq!(Limits::default(), documented);
}
