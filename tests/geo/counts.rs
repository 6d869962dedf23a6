//! What could not be located or projected is counted: once for a message, however many look on.

use redwire_geo::{Counts, Geo};
use serde_json::{Value, json};

use crate::world::{World, collection, feature, point};

fn counts(unlocatable: u64, unprojectable: u64) -> Counts {
    Counts { unlocatable, unprojectable }
}

#[tokio::test]
async fn messages_are_counted_once_for_all_viewers_and_once_for_each_crs() {
    let geo = Geo::default();
    for mut world in World::both(geo.clone(), false).await {
        let before = geo.counts();
        let mut others = vec![world.gateway.client().await, world.gateway.client().await];
        let both = ["PROJECTION epsg:3857", "BBOX -inf -inf inf inf"];
        for line in both.iter().chain(&["SUB pin", "PING"]) {
            world.client.send(*line).await;
            others[0].send(*line).await;
        }
        for line in ["BBOX -inf -inf inf inf", "PROJECTION epsg:2056", "SUB pin", "PING"] {
            others[1].send(line).await;
        }
        others.push(world.client);
        for viewer in &mut others {
            viewer.expect("websocket", json!("PONG")).await;
        }
        let (odd, lost) = (feature("Point", json!(["a", "b"])), point(5.0, 91.0));
        let null = json!({"type": "Feature", "geometry": null});
        let published = collection(&[odd, lost, null, point(1.0, 1.0), json!({"a": 1})]);
        world.store.publish("pin", published.to_string()).await;
        world.store.publish("pin", json!({"type": "Point"}).to_string()).await;
        for viewer in &mut others {
            let frame = viewer.next().await;
            assert_eq!(frame["content"]["features"][1]["geometry"], Value::Null);
            viewer.expect("pin", json!({"type": "Point"})).await;
        }
        let after = geo.counts();
        let Counts { unlocatable, unprojectable } = before;
        assert_eq!(after, counts(unlocatable + 1, unprojectable + 2));
    }
}

#[tokio::test]
async fn nothing_is_looked_at_while_nobody_has_a_box_or_a_projection() {
    let geo = Geo::default();
    for mut world in World::both(geo.clone(), false).await {
        assert_eq!(world.read(&point(5.0, 91.0)).await, point(5.0, 91.0));
        assert_eq!(world.read(&feature("Point", json!([1]))).await, feature("Point", json!([1])));
    }
    assert_eq!(geo.counts(), Counts::default());
}
