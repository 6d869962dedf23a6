//! Keys that hold no hash read as missing.

use redwire_suites::Store;
use redwire_test::Reply;
use serde_json::json;

use crate::Scene;

#[tokio::test]
async fn keys_of_every_other_type_read_as_missing() {
    let store = Store::redis().await;
    let redis = store.as_redis();
    for command in [
        &["SET", "string", r#"{"a":1}"#] as &[&str],
        &["RPUSH", "list", "1"],
        &["SADD", "set", "1"],
        &["ZADD", "zset", "1", "1"],
        &["XADD", "stream", "*", "a", "1"],
        &["PFADD", "hyperloglog", "1"],
        &["SETBIT", "bits", "1", "1"],
        &["GEOADD", "geo", "1", "1", "1"],
    ] {
        let reply = redis.command(command).await;
        assert!(!matches!(reply, Reply::Error(_)), "{command:?}: {reply:?}");
    }
    let mut scene = Scene::on(&store).await;
    for key in ["string", "list", "set", "zset", "stream", "hyperloglog", "bits", "geo"] {
        scene.client.send(format!("GET {key}")).await;
        scene.client.expect(key, json!(null)).await;
        scene.client.send(format!("GET {key} a")).await;
        scene.client.expect(&format!("{key} a"), json!(null)).await;
        scene.client.subscribe(key).await;
        store.publish(key, "1").await;
        scene.client.expect(key, json!(1)).await;
    }
    scene.expect_silence().await;
}
