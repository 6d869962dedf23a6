//! How Redis is reached: sockets, logins, names, fallbacks.

use redwire_client::redis::{FromRedisValue, Value, cmd};
use redwire_client::{Config, Endpoint, Error, Link};
use redwire_test::RedisServer;

fn at(redis: &RedisServer, login: &str) -> String {
    redis.url().replace("redis://", &format!("redis://{login}"))
}

fn said(value: Value) -> String {
    String::from_redis_value(value).expect("a text")
}

// S251
#[tokio::test]
async fn a_unix_socket_is_a_way_to_redis() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.unix_url()).await.unwrap();
    assert_eq!(said(link.command(&cmd("PING")).await.unwrap()), "PONG");
}

// S247
#[tokio::test]
async fn the_password_is_needed_and_must_be_right() {
    let redis = RedisServer::start().await;
    redis.command(&["CONFIG", "SET", "requirepass", "blah"]).await;
    for right in ["blah@", ":blah@", "default:blah@"] {
        let link = Link::connect(&at(&redis, right)).await.unwrap();
        assert_eq!(said(link.command(&cmd("PING")).await.unwrap()), "PONG");
    }
    for (wrong, code) in [("hunter2@", "WRONGPASS"), (":hunter2@", "WRONGPASS"), ("", "NOAUTH")] {
        let error = Link::connect(&at(&redis, wrong)).await.unwrap_err();
        let Error::Refused { endpoint, source, .. } = &error else { panic!("{error:?}") };
        assert_eq!(**endpoint, format!("127.0.0.1:{}", redis.port()));
        assert!(format!("{error} {source}").contains(code), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

// S248
#[tokio::test]
async fn a_user_of_the_access_lists_logs_in() {
    let redis = RedisServer::start().await;
    redis.command(&["ACL", "SETUSER", "u:1", "on", ">p@/?#%", "~*", "+@all"]).await;
    redis.command(&["ACL", "SETUSER", "open", "on", "nopass", "~*", "+@all"]).await;
    for (login, user) in [("u%3A1:p%40%2F%3F%23%25@", "u:1"), ("open:@", "open")] {
        let link = Link::connect(&at(&redis, login)).await.unwrap();
        assert_eq!(said(link.command(cmd("ACL").arg("WHOAMI")).await.unwrap()), user);
    }
    let error = Link::connect(&at(&redis, "nobody:p@")).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
}

// S249, S250
#[tokio::test]
async fn of_several_addresses_the_first_that_answers_is_used() {
    let (dead, live) = (RedisServer::reserved().await, RedisServer::start().await);
    let dead = Endpoint::tcp("127.0.0.1", dead.port());
    let live = Endpoint::tcp("127.0.0.1", live.port());
    let link = Link::open(Config::default().endpoints([dead, live.clone()])).await.unwrap();
    assert_eq!(said(link.command(&cmd("PING")).await.unwrap()), "PONG");
    assert_eq!(*link.endpoint(), live.to_string());
}

#[tokio::test]
async fn a_connection_has_the_name_and_the_database_of_its_url() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&format!("{}/3?client_name=shop", redis.url())).await.unwrap();
    assert_eq!(said(link.command(cmd("CLIENT").arg("GETNAME")).await.unwrap()), "shop");
    let info = said(link.command(cmd("CLIENT").arg("INFO")).await.unwrap());
    assert!(info.contains(" db=3 "), "{info}");
}

#[tokio::test]
async fn a_configuration_that_cannot_work_is_refused_before_anything_is_connected() {
    let error = Link::open(Config::default().pool_size(0)).await.unwrap_err();
    let expected = "bad redis configuration: pool_size is 0, and must be at least 1";
    assert_eq!(error.to_string(), expected);
}
