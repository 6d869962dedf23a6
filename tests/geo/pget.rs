//! `PGET`: S113 to S119.

use redwire_geo::Geo;
use serde_json::{Value, json};

use crate::world::{World, point};

#[tokio::test]
async fn s113_to_s116_pget_projects_one_reply_and_leaves_the_session() {
    let mercator = "[834896.180949551";
    let read = async |world: &mut World, line: &str| {
        world.get(line).await["geometry"]["coordinates"].to_string()
    };
    for mut world in World::both(Geo::default(), false).await {
        assert_eq!(read(&mut world, "PGET pin").await, "[7.5,47.5]"); // S113
        let line = "PGET pin projection=epsg:3857"; // S114
        assert!(read(&mut world, line).await.starts_with(mercator));
        assert_eq!(read(&mut world, "GET pin").await, "[7.5,47.5]");

        world.tell(&["PROJECTION epsg:3857"]).await; // S115
        assert_eq!(read(&mut world, "PGET pin").await, "[7.5,47.5]");
        let line = "PGET pin projection=epsg:2056";
        assert!(read(&mut world, line).await.starts_with("[2604624.64"));
        assert!(read(&mut world, "GET pin").await.starts_with(mercator));

        for line in ["PGET pin a cref", "PGET pin a client_ref=cref"] {
            world.client.send(line).await; // S116
            world.client.expect_referenced("pin a", point(7.5, 47.5), "cref").await;
        }
    }
}

#[tokio::test]
async fn s117_s118_missing_denied_and_malformed() {
    for mut world in World::both(Geo::default(), false).await {
        assert_eq!(world.get("PGET nokey").await, Value::Null);
        for (line, message) in [
            ("PGET secret1", "`secret1` is not allowed"),
            ("PGET", "argument `channel_name` is missing"),
            ("PGET pin projection=nonsense", "argument `projection` cannot be `nonsense`"),
        ] {
            world.client.send(line).await;
            world.client.expect_error(message).await;
        }
    }
    for mut world in World::both(Geo::default().compat(), true).await {
        assert_eq!(world.get("PGET nokey").await, Value::Null);
        world.tell(&["PGET secret1"]).await;
        for line in ["PGET", "PGET pin projection=nonsense"] {
            world.client.send(line).await;
            world.client.expect_close(1011).await;
            world.reconnect().await;
        }
    }
}

#[tokio::test]
async fn s119_pget_honours_the_box() {
    for mut world in World::both(Geo::default(), false).await {
        world.tell(&["BBOX 5 45 10 50"]).await;
        assert_eq!(world.get("PGET pout").await, Value::Null);
        assert_eq!(world.get("PGET pout a").await, point(1.0, 1.0));
        assert_eq!(world.get("PGET pin").await, json!(point(7.5, 47.5)));
    }
}

#[tokio::test]
async fn pget_compares_a_box_in_its_own_units_whatever_those_of_the_reply() {
    for mut world in World::both(Geo::default(), false).await {
        world.tell(&["PROJECTION epsg:3857", "BBOX 800000 6000000 900000 6100000"]).await;
        for line in ["PGET pin", "PGET pin projection=epsg:4326"] {
            assert_eq!(world.get(line).await, point(7.5, 47.5), "{line}");
        }
        assert_ne!(world.get("PGET pin projection=epsg:2056").await, Value::Null);
        assert_eq!(world.get("PGET pout").await, Value::Null);
        world.tell(&["BBOX 0 0 10 50"]).await;
        assert_eq!(world.get("PGET pin").await, Value::Null);
    }
}
