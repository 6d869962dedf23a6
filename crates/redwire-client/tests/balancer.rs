//! Loads in sorted sets, and who is chosen by them.

use redwire_client::ring::WeightedRing;
use redwire_client::{Balancer, Redis};
use redwire_test::RedisServer;

/// The cookbook's rows.
async fn rows() -> (RedisServer, Balancer) {
    let redis = RedisServer::start().await;
    for (row, servers) in [
        ("odd", ["10", "server1", "20", "server3", "1", "server5", "5", "server7"]),
        ("even", ["5", "server2", "10", "server4", "1", "server6", "20", "server8"]),
    ] {
        redis.command(&[&["ZADD", row], &servers[..]].concat()).await;
    }
    let handle = Redis::connect(&redis.url()).await.expect("a handle");
    (redis, Balancer::new(handle, ["odd", "even"]))
}

async fn candidates(balancer: &Balancer, load: f64) -> Vec<String> {
    balancer.candidates(load).await.expect("the servers").concat()
}

#[tokio::test]
async fn s387_candidates_are_the_servers_of_exactly_that_load() {
    let (redis, balancer) = rows().await;
    let union = redis.command(&["ZUNIONSTORE", "all", "2", "odd", "even"]).await;
    assert_eq!(union.as_integer(), Some(8));
    for (load, servers) in [
        (1.0, &["server5", "server6"][..]),
        (3.0, &[]),
        (5.0, &["server7", "server2"]),
        (10.0, &["server1", "server4"]),
        (20.0, &["server3", "server8"]),
    ] {
        assert_eq!(candidates(&balancer, load).await, servers, "{load}");
    }
}

#[tokio::test]
async fn s388_the_least_load_that_all_rows_have_is_picked() {
    let (redis, balancer) = rows().await;
    assert_eq!(balancer.pick().await.unwrap().unwrap(), ["server5", "server6"]);
    redis.command(&["ZADD", "even", "2", "server6"]).await;
    assert_eq!(balancer.pick().await.unwrap().unwrap(), ["server7", "server2"]);
}

#[tokio::test]
async fn s389_a_pair_is_complete_only_with_a_server_of_each_row() {
    let (redis, balancer) = rows().await;
    redis.command(&["ZADD", "even", "50", "server2"]).await;
    assert_eq!(candidates(&balancer, 5.0).await, ["server7"]);
    redis.command(&["ZREM", "odd", "server5"]).await;
    assert_eq!(balancer.pick().await.unwrap().unwrap(), ["server1", "server4"]);
}

#[tokio::test]
async fn without_a_load_in_common_each_row_gives_its_least_and_an_empty_row_nothing() {
    let (redis, balancer) = rows().await;
    redis.command(&["DEL", "even"]).await;
    assert_eq!(balancer.reserve(1.0).await.unwrap(), None);
    assert_eq!(candidates(&balancer, 1.0).await, ["server5"], "nothing was reserved");
    redis.command(&["ZADD", "even", "1.5", "server2", "7", "server4"]).await;
    assert_eq!(balancer.pick().await.unwrap().unwrap(), ["server5", "server2"]);
}

#[tokio::test]
async fn s390_parallel_reservations_spread_over_equals() {
    let redis = RedisServer::start().await;
    let servers = ["a", "b", "c", "d", "e"];
    for server in servers {
        redis.command(&["ZADD", "row", "0", server]).await;
    }
    let handle = Redis::connect(&redis.url()).await.expect("a handle");
    let balancer = Balancer::new(handle, ["row"]);
    let reservations: Vec<_> = (0..100)
        .map(|_| {
            let balancer = balancer.clone();
            tokio::spawn(async move { balancer.reserve(1.0).await.unwrap().unwrap() })
        })
        .collect();
    let mut chosen = Vec::new();
    for reservation in reservations {
        chosen.push(reservation.await.unwrap());
    }
    assert_eq!(candidates(&balancer, 20.0).await, servers, "each has a fifth of the load");
    for servers in &chosen {
        balancer.release(servers, 1.0).await.unwrap();
    }
    assert_eq!(candidates(&balancer, 0.0).await, servers);
}

#[tokio::test]
async fn a_ring_says_among_whom_the_least_loaded_is_chosen() {
    let (redis, _) = rows().await;
    let handle = Redis::connect(&redis.url()).await.expect("a handle");
    let balancer = Balancer::new(handle, ["odd"]);
    let ring = WeightedRing::new(["server1", "server3", "server5", "server7"].map(|s| (s, 1.0)));
    let preferred: Vec<_> = ring.preference("user:7").take(2).collect();
    let chosen = balancer.reserve_among(100.0, preferred.clone()).await.unwrap().unwrap();
    assert!(preferred.contains(&&*chosen[0]));
    let then = balancer.reserve_among(100.0, preferred.clone()).await.unwrap().unwrap();
    assert!(preferred.contains(&&*then[0]) && then != chosen, "the first one is full");
    assert_eq!(balancer.reserve_among(1.0, ["nobody"]).await.unwrap(), None);
    assert_eq!(balancer.reserve_among(1.0, []).await.unwrap(), None);
}
