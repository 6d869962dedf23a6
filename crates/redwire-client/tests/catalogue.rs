//! The built-in list of commands against the servers' own words.

use std::collections::{BTreeMap, BTreeSet};

use redwire_test::{Generation, RedisServer, Reply};

/// Those that the list has: the server's others do not matter here.
const FLAGS: [&str; 3] = ["blocking", "fast", "readonly"];

type Catalogue = BTreeMap<String, BTreeSet<String>>;

fn listed() -> Catalogue {
    let lines = include_str!("../src/catalogue/commands.txt").lines();
    let parse = |line: &str| {
        let mut words = line.split(' ').map(str::to_owned);
        let name = words.next().expect("a name");
        (name, words.filter(|word| FLAGS.contains(&&**word)).collect())
    };
    lines.map(parse).collect()
}

async fn of(generation: Generation) -> Catalogue {
    let server = RedisServer::start_on(generation).await;
    let Reply::Array(Some(commands)) = server.command(&["COMMAND"]).await else { panic!() };
    let parse = |entry: Reply| {
        let Reply::Array(Some(entry)) = entry else { panic!("{entry:?}") };
        let [Reply::Bulk(Some(name)), _, Reply::Array(Some(flags)), ..] = &entry[..] else {
            panic!("{entry:?}")
        };
        let name = String::from_utf8_lossy(name).to_ascii_uppercase();
        let flags = flags.iter().map(|flag| match flag {
            Reply::Simple(flag) => flag.clone(),
            flag => panic!("{flag:?}"),
        });
        (name, flags.filter(|flag| FLAGS.contains(&&**flag)).collect())
    };
    commands.into_iter().map(parse).collect()
}

/// What the list says otherwise than the server.
async fn differences(generation: Generation) -> Vec<String> {
    let (listed, commands) = (listed(), of(generation).await);
    let mut differences = Vec::new();
    for (name, flags) in &commands {
        if listed.get(name) != Some(flags) {
            let ours = listed.get(name);
            differences.push(format!("{name}: {flags:?}, and the list has {ours:?}"));
        }
    }
    differences
}

// Redis 7.0 forgot that WAIT blocks; Valkey says so.
#[tokio::test]
async fn the_list_says_what_redis_says() {
    let forgotten = [r#"WAIT: {}, and the list has Some({"blocking"})"#];
    assert_eq!(differences(Generation::Redis).await, forgotten);
}

#[tokio::test]
async fn the_list_says_what_valkey_says() {
    assert_eq!(differences(Generation::Valkey).await, [""; 0]);
}

#[tokio::test]
async fn the_list_has_no_names_that_neither_server_knows() {
    let (redis, valkey) = (of(Generation::Redis).await, of(Generation::Valkey).await);
    let unknown = |name: &String| !redis.contains_key(name) && !valkey.contains_key(name);
    let invented: Vec<_> = listed().into_keys().filter(unknown).collect();
    assert_eq!(invented, [""; 0]);
}
