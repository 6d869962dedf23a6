//! What Redis says of keys that were read and have changed.

mod reader;

use std::sync::{Arc, Mutex};

use reader::Reader;
use redwire_client::{Connections, Error, Invalidated, Link, Outcome, Standing, Tracking, redis};
use redwire_test::{Generation, RedisServer, Reply, eventually};

/// What was heard: a key, or `*` for all.
type Heard = Arc<Mutex<Vec<String>>>;

struct Scene {
    redis: RedisServer,
    reads: Link,
    hears: Link,
    tracking: Tracking,
    heard: Heard,
}

impl Scene {
    async fn start() -> Self {
        let redis = RedisServer::start().await;
        let (reads, hears) = (link(&redis).await, link(&redis).await);
        let heard = Heard::default();
        let tracking = tracking(&reads, &hears, &heard);
        Self { redis, reads, hears, tracking, heard }
    }

    async fn arm(&self) -> Connections {
        let connections = self.tracking.connected().await;
        self.tracking.arm(connections).await.expect("to be armed");
        connections
    }

    /// What was heard up to now: what is published in the same stream comes behind it.
    async fn heard(&self, reader: &mut Reader) -> Vec<String> {
        self.redis.publish("barrier", "").await;
        reader.expect("barrier", "").await;
        taken(&self.heard)
    }

    async fn reader(&self) -> Reader {
        self.hears.subscribe("barrier");
        assert_eq!(self.hears.confirmed("barrier").await, Standing::Confirmed);
        Reader::new(&self.hears)
    }
}

async fn link(redis: &RedisServer) -> Link {
    Link::connect(&redis.url()).await.expect("a link")
}

fn tracking(reads: &Link, hears: &Link, heard: &Heard) -> Tracking {
    let heard = heard.clone();
    Tracking::new(reads.clone(), hears.clone(), move |what| {
        let name = match what {
            Invalidated::Key(key) => String::from_utf8(key.to_vec()).expect("text"),
            Invalidated::All => "*".to_owned(),
        };
        heard.lock().expect("no panic").push(name);
    })
}

fn taken(heard: &Heard) -> Vec<String> {
    std::mem::take(&mut *heard.lock().expect("no panic"))
}

#[tokio::test]
async fn a_key_that_is_tracked_is_heard_of_once() {
    let scene = Scene::start().await;
    let mut reader = scene.reader().await;
    let refused = scene.tracking.track("hash").await.unwrap_err();
    assert_eq!(refused.outcome(), Outcome::Answered, "it was not armed: {refused}");
    scene.redis.hset("hash", "field", "1").await;
    assert!(scene.heard(&mut reader).await.is_empty());

    scene.arm().await;
    for key in ["hash", "not there"] {
        scene.tracking.track(key).await.unwrap();
    }
    assert!(scene.heard(&mut reader).await.is_empty());
    for key in ["hash", "not there", "untracked", "hash"] {
        scene.redis.hset(key, "field", "2").await;
    }
    assert_eq!(scene.heard(&mut reader).await, ["hash", "not there"]);
    scene.tracking.track("hash").await.unwrap();
    scene.redis.command(&["FLUSHALL"]).await;
    assert_eq!(scene.heard(&mut reader).await, ["*"]);
}

/// Also if it is one step, and one that was sent over the link that reads.
#[tokio::test]
async fn a_change_is_heard_before_what_is_published_after_it() {
    let scene = Scene::start().await;
    let mut reader = scene.reader().await;
    scene.arm().await;
    let script =
        "redis.call('HSET', 'hash', 'field', '1') redis.call('PUBLISH', 'barrier', 'after')";
    let mut eval = redis::cmd("EVAL");
    eval.arg(script).arg(0);
    for _ in 0..100 {
        scene.tracking.track("hash").await.unwrap();
        scene.reads.command(&eval).await.unwrap();
        reader.expect("barrier", "after").await;
        assert_eq!(taken(&scene.heard), ["hash"]);
    }
}

/// A link that reads has no part in what is heard.
#[tokio::test]
async fn changes_are_heard_although_the_link_that_reads_is_gone() {
    let scene = Scene::start().await;
    let mut reader = scene.reader().await;
    scene.arm().await;
    scene.tracking.track("hash").await.unwrap();
    scene.reads.close();
    scene.redis.hset("hash", "field", "1").await;
    assert_eq!(scene.heard(&mut reader).await, ["hash"]);
    assert_eq!(scene.tracking.connections(), None);
}

#[tokio::test]
async fn each_tracking_on_the_same_links_hears_until_it_is_dropped() {
    let scene = Scene::start().await;
    let mut reader = scene.reader().await;
    let others = Heard::default();
    let mut other = Some(tracking(&scene.reads, &scene.hears, &others));
    scene.arm().await;
    for expected in [vec!["hash"], vec![]] {
        scene.tracking.track("hash").await.unwrap();
        scene.redis.hset("hash", "field", "1").await;
        assert_eq!(scene.heard(&mut reader).await, ["hash"]);
        assert_eq!(taken(&others), expected);
        other.take();
    }
}

#[tokio::test]
async fn another_connection_is_not_armed_and_the_old_ones_never_come_again() {
    let scene = Scene::start().await;
    scene.reader().await;
    let first = scene.arm().await;
    for kind in ["normal", "pubsub"] {
        let before = scene.arm().await;
        assert_eq!(scene.tracking.connections(), Some(before));
        scene.redis.command(&["CLIENT", "KILL", "TYPE", kind]).await;
        scene.tracking.parted(before).await;
        assert_ne!(scene.tracking.connections(), Some(before));
        let after = scene.tracking.connected().await;
        assert!(after != before && after != first);
        let is_armed = scene.tracking.track("hash").await.is_ok();
        assert_eq!(is_armed, kind == "normal", "the one that hears was kept");
    }
}

#[tokio::test]
async fn arming_on_connections_that_are_gone_is_an_error() {
    let scene = Scene::start().await;
    let before = scene.arm().await;
    scene.redis.command(&["CLIENT", "KILL", "TYPE", "normal"]).await;
    scene.tracking.parted(before).await;
    scene.tracking.connected().await;
    let error = scene.tracking.arm(before).await.unwrap_err();
    assert_ne!(error.outcome(), Outcome::Answered, "{error:?}");
}

#[tokio::test]
async fn links_to_different_servers_are_not_armed() {
    let (one, other) = (RedisServer::start().await, RedisServer::start().await);
    let tracking = tracking(&link(&one).await, &link(&other).await, &Heard::default());
    let error = tracking.arm(tracking.connected().await).await.unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    assert!(error.to_string().contains("different servers"), "{error}");
}

#[tokio::test]
async fn a_user_who_may_not_is_told_which_command() {
    let redis = RedisServer::start().await;
    for (rule, name) in [
        ("-info", "INFO"),
        ("-exists", "EXISTS"),
        ("-client|tracking", "CLIENT TRACKING"),
        ("-client|caching", "CLIENT CACHING"),
    ] {
        redis
            .command(&["ACL", "SETUSER", "ann", "reset", "on", ">pw", "~*", "&*", "+@all", rule])
            .await;
        let url = format!("redis://ann:pw@127.0.0.1:{}", redis.port());
        let links = [Link::connect(&url).await.unwrap(), Link::connect(&url).await.unwrap()];
        let [reads, hears] = &links;
        let tracking = tracking(reads, hears, &Heard::default());
        let error = tracking.arm(tracking.connected().await).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Answered);
        assert!(error.to_string().contains(&format!("refused {name}: NOPERM")), "{error}");
    }
}

#[tokio::test]
async fn a_user_who_may_use_only_some_keys_has_those_tracked() {
    for generation in [Generation::Redis, Generation::Valkey] {
        let redis = RedisServer::start_on(generation).await;
        redis.command(&["ACL", "SETUSER", "ann", "on", ">pw", "~public.*", "&*", "+@all"]).await;
        let url = format!("redis://ann:pw@127.0.0.1:{}", redis.port());
        let links = [Link::connect(&url).await.unwrap(), Link::connect(&url).await.unwrap()];
        let [reads, hears] = &links;
        let tracking = tracking(reads, hears, &Heard::default());
        tracking.arm(tracking.connected().await).await.unwrap();
        tracking.track("public.hash").await.unwrap();
        assert!(tracking.track("hash").await.is_err());
    }
}

#[tokio::test]
async fn links_end_although_a_tracking_was_made() {
    let scene = Scene::start().await;
    let before = scene.redis.command(&["CLIENT", "LIST"]).await;
    assert!(matches!(before, Reply::Bulk(Some(_))));
    let Scene { redis, reads, hears, tracking, .. } = scene;
    drop((reads, hears, tracking));
    eventually("both connections to end", async || {
        let clients = redis.command(&["CLIENT", "LIST"]).await;
        clients.as_bytes().unwrap().iter().filter(|&&byte| byte == b'\n').count() == 1
    })
    .await;
}
