//! Reads of which Redis says when they are no longer true.

mod reader;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use reader::Reader;
use redwire_client::{Connections, Error, Invalidated, Link, Outcome, Standing, Tracking};
use redwire_test::{RedisServer, Reply, eventually};

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

fn text(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

#[tokio::test]
async fn what_is_read_once_armed_is_tracked_and_its_changes_are_heard() {
    let scene = Scene::start().await;
    let mut reader = scene.reader().await;
    scene.redis.hset("hash", "field", "1").await;
    assert_eq!(scene.tracking.hget("hash", "field").await.unwrap(), (Some(text("1")), false));
    scene.redis.hset("hash", "field", "2").await;
    assert!(scene.heard(&mut reader).await.is_empty(), "it was not armed");

    scene.arm().await;
    assert_eq!(scene.tracking.hget("hash", "field").await.unwrap(), (Some(text("2")), true));
    assert_eq!(scene.tracking.hget("no", "field").await.unwrap(), (None, true));
    assert_eq!(scene.tracking.hvals("all").await.unwrap(), (vec![], true));
    assert!(scene.heard(&mut reader).await.is_empty());
    scene.redis.hset("hash", "another", "3").await;
    scene.redis.hset("no", "field", "4").await;
    scene.redis.hset("untracked", "field", "5").await;
    scene.redis.hset("all", "field", "6").await;
    assert_eq!(scene.heard(&mut reader).await, ["hash", "no", "all"]);
    scene.redis.hset("hash", "field", "7").await;
    assert!(scene.heard(&mut reader).await.is_empty(), "once for each time that it was read");
    assert_eq!(scene.tracking.hvals("all").await.unwrap(), (vec![text("6")], true));
    scene.redis.command(&["FLUSHALL"]).await;
    assert_eq!(scene.heard(&mut reader).await, ["*"]);
}

#[tokio::test]
async fn a_key_of_another_type_is_an_error() {
    let scene = Scene::start().await;
    scene.arm().await;
    scene.redis.command(&["SET", "string", "x"]).await;
    let error = scene.tracking.hvals("string").await.unwrap_err();
    assert!(matches!(error, Error::WrongType { .. }), "{error:?}");
}

#[tokio::test]
async fn each_tracking_on_the_same_links_hears_until_it_is_dropped() {
    let scene = Scene::start().await;
    let mut reader = scene.reader().await;
    let others = Heard::default();
    let mut other = Some(tracking(&scene.reads, &scene.hears, &others));
    scene.arm().await;
    for expected in [vec!["hash"], vec![]] {
        scene.tracking.hvals("hash").await.unwrap();
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
        if kind == "normal" {
            assert!(!scene.tracking.hget("hash", "field").await.unwrap().1);
        }
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
        ("-client|id", "CLIENT ID"),
        ("-info", "INFO"),
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
        assert_eq!(tracking.hget("hash", "field").await.unwrap(), (None, false), "{rule}");
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
