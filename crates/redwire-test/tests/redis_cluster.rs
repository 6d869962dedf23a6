//! The cluster that tests of the client rely on.

use redwire_test::{Generation, RedisCluster, Reply};

/// The slot of `foo`, which node 2 of three owns.
const FOO: u16 = 12182;

fn is_error(reply: &Reply, code: &str) -> bool {
    matches!(reply, Reply::Error(text) if text.starts_with(code))
}

#[tokio::test]
async fn a_slot_moves_step_by_step_or_at_once() {
    let cluster = RedisCluster::start(3, 0).await;
    assert_eq!(cluster.masters().await.len(), 3);
    assert_eq!([cluster.owner_of(0).await, cluster.owner_of(16383).await], [0, 2]);
    assert_eq!(cluster.owner_of(FOO).await, 2);
    let (old, new) = (cluster.node(2), cluster.node(0));
    assert_eq!(old.command(&["SET", "foo", "bar"]).await, Reply::Simple("OK".into()));
    assert!(is_error(&new.command(&["GET", "foo"]).await, "MOVED 12182"));

    cluster.begin_move(FOO, 2, 0).await;
    assert_eq!(old.command(&["GET", "foo"]).await, Reply::bulk("bar"));
    cluster.move_keys(FOO, 2, 0).await;
    assert!(is_error(&old.command(&["GET", "foo"]).await, "ASK 12182"));
    assert_eq!([cluster.keys_in(FOO, 2).await, cluster.keys_in(FOO, 0).await], [0, 1]);
    cluster.finish_move(FOO, 2, 0).await;
    assert!(is_error(&old.command(&["GET", "foo"]).await, "MOVED 12182"));
    assert_eq!(new.command(&["GET", "foo"]).await, Reply::bulk("bar"));
    cluster.until_agreed().await;

    cluster.move_slot(FOO, 0, 1).await;
    assert_eq!(cluster.owner_of(FOO).await, 1);
    assert_eq!(cluster.node(1).command(&["GET", "foo"]).await, Reply::bulk("bar"));
}

#[tokio::test]
async fn replicas_take_over_on_request_and_after_a_death() {
    let mut cluster = RedisCluster::start(3, 1).await;
    assert_eq!(cluster.replicas_of(2).await, [5]);
    assert_eq!(cluster.urls().len(), 6);
    cluster.node(2).command(&["SET", "foo", "bar"]).await;

    cluster.failover(5).await;
    assert_eq!(cluster.owner_of(FOO).await, 5);
    assert_eq!(cluster.replicas_of(5).await, [2]);
    assert_eq!(cluster.node(5).command(&["GET", "foo"]).await, Reply::bulk("bar"));

    cluster.kill(5).await;
    cluster.until_agreed().await;
    assert_eq!(cluster.owner_of(FOO).await, 2);
    assert_eq!(cluster.node(2).command(&["GET", "foo"]).await, Reply::bulk("bar"));
    cluster.restart(5).await;
    cluster.until_agreed().await;
    assert_eq!(cluster.owner_of(FOO).await, 2);
}

#[tokio::test]
async fn a_frozen_master_is_followed_by_its_replica() {
    let cluster = RedisCluster::start(3, 1).await;
    cluster.freeze(0);
    cluster.until_agreed().await;
    assert_eq!(cluster.owner_of(0).await, 3);
    cluster.thaw(0);
    cluster.until_agreed().await;
    assert_eq!(cluster.owner_of(0).await, 3);
}

#[tokio::test]
async fn valkey_forms_a_cluster_too() {
    let cluster = RedisCluster::start_on(Generation::Valkey, 3, 1).await;
    cluster.failover(3).await;
    cluster.move_slot(0, 3, 1).await;
    assert_eq!([cluster.owner_of(0).await, cluster.owner_of(1).await], [1, 3]);
}
