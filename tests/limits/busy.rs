//! A channel with much to say.

use std::ops::Range;

use redwire_suites::Store;
use redwire_test::Client;

/// Publishes messages of 1 KB that carry their numbers.
pub(crate) async fn publish(store: &Store, numbers: Range<usize>) {
    let filler = "x".repeat(1_000);
    match store {
        Store::Memory(memory) => {
            for n in numbers {
                memory.publish("busy", format!(r#"{{"n":{n},"filler":"{filler}"}}"#));
            }
        }
        Store::Redis(redis) => {
            let script = r#"
                for n = ARGV[1], ARGV[2] - 1 do
                    local message = string.format('{"n":%d,"filler":"%s"}', n, ARGV[3])
                    redis.call('PUBLISH', 'busy', message)
                end
                return 'done'"#;
            let (from, to) = (numbers.start.to_string(), numbers.end.to_string());
            let done = redis.command(&["EVAL", script, "0", &from, &to, &filler]).await;
            assert_eq!(done, redwire_test::Reply::bulk("done"));
        }
    }
}

pub(crate) fn assert_number(n: usize, frame: &str) {
    let start = format!(r#"{{"source":"busy","content":{{"n":{n},"filler":"xxx"#);
    assert!(frame.starts_with(&start), "expected number {n}, got {frame}");
}

pub(crate) async fn read(client: &mut Client, numbers: Range<usize>) {
    for n in numbers {
        assert_number(n, &client.next_text().await);
    }
}
