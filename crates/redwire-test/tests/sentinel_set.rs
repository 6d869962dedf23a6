//! The Sentinels that tests of the client rely on.

use redwire_test::{Reply, SentinelSet};

#[tokio::test]
async fn sentinels_name_another_master_when_it_is_killed_and_it_returns_as_a_replica() {
    let mut set = SentinelSet::start().await;
    let first = set.master().await;
    set.server(first).command(&["SET", "key", "value"]).await;
    set.server(first).command(&["WAIT", "2", "0"]).await;
    assert_eq!(set.kill_master().await, first);
    let second = set.until_master_is_not(first).await;
    assert_ne!(second, first);
    assert_eq!(set.server(second).command(&["GET", "key"]).await, Reply::bulk("value"));
    set.server_mut(first).restart().await;
    set.demote(first).await;
}

#[tokio::test]
async fn a_frozen_master_is_replaced_and_so_is_one_on_request() {
    let set = SentinelSet::start().await;
    assert_eq!((set.urls().len(), set.name()), (3, "mymaster"));
    let first = set.failover().await;
    assert_eq!(set.freeze_master().await, first);
    let second = set.until_master_is_not(first).await;
    assert_ne!(second, first);
    set.server(first).thaw();
    set.demote(first).await;
}

#[tokio::test]
async fn two_sentinels_suffice_and_the_third_comes_back() {
    let mut set = SentinelSet::start().await;
    set.sentinel_mut(0).kill().await;
    let old = set.kill_master().await;
    let new = set.until_master_is_not(old).await;
    set.sentinel_mut(0).restart().await;
    assert_eq!(set.until_master_is_not(old).await, new);
}
