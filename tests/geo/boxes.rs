//! `BBOX`: S060 to S082, S097 to S106, S112, S120.

use redwire_geo::Geo;
use serde_json::{Value, json};

use crate::world::{World, collection, feature, point};

const BOX: &str = "BBOX 5 45 10 50";

/// Scenario, feature, shown under `compat`, shown by default.
fn shapes() -> Vec<(&'static str, Value, bool, bool)> {
    let ring = |ring: Value| feature("Polygon", json!([ring]));
    let outside = json!([[0, 40], [20, 40], [20, 60], [0, 60], [0, 40]]);
    let bare = json!({"type": "Point", "coordinates": [1, 1]});
    vec![
        ("S060", point(7.5, 47.5), true, true),
        ("S061", point(5.0, 47.5), false, true),
        ("S061", point(10.0, 47.5), false, true),
        ("S061", point(7.5, 45.0), false, true),
        ("S061", point(7.5, 50.0), false, true),
        ("S062", point(1.0, 1.0), false, false),
        ("S064", feature("LineString", json!([[0, 0], [7, 47]])), true, true),
        ("S065", feature("LineString", json!([[0, 47.5], [20, 47.5]])), false, true),
        ("a line that passes by", feature("LineString", json!([[0, 47], [7, 60]])), false, false),
        ("S066", ring(json!([[0, 0], [7, 47], [0, 0]])), true, true),
        ("S067", ring(outside.clone()), false, true),
        (
            "S068",
            feature("Polygon", json!([outside, [[7, 47], [8, 47], [8, 48], [7, 47]]])),
            true,
            true,
        ),
        (
            "a box in a hole",
            feature("Polygon", json!([outside, [[4, 44], [11, 44], [11, 51], [4, 51], [4, 44]]])),
            false,
            false,
        ),
        ("S069", feature("MultiPoint", json!([[0, 0], [7, 47]])), true, true),
        ("S069", feature("MultiLineString", json!([[[0, 0], [7, 47]]])), true, true),
        ("S069", feature("MultiPolygon", json!([[[[0, 0], [7, 47], [0, 0]]]])), true, true),
        ("S070", feature("Unknown", json!([1])), true, true),
        ("S071", bare, true, true),
        ("S071", json!("hi"), true, true),
        ("S071", json!([1, 2]), true, true),
        ("S072", collection(&[point(1.0, 1.0), point(7.5, 47.5)]), true, true),
        ("S073", collection(&[point(1.0, 1.0)]), false, false),
        ("S074", collection(&[]), false, false),
        ("S075", collection(&[point(1.0, 1.0), json!({"a": 1})]), true, true),
        ("S076", collection(&[collection(&[point(7.5, 47.5)])]), true, true),
        ("S102", feature("Point", json!([7.5, 47.5, 100])), true, true),
        ("S102", feature("Point", json!([1, 1, 100])), false, false),
        ("S103", json!({"type": "Feature", "properties": {}, "geometry": null}), true, true),
        ("S104", json!({"type": "Feature"}), true, true),
        ("S106", feature("Point", json!(["a", "b"])), true, true),
        ("too deep", feature("Point", json!([[7.5, 47.5]])), true, true),
        ("too few", feature("Point", json!([7.5])), true, true),
        ("an empty line", feature("LineString", json!([])), false, false),
    ]
}

#[tokio::test]
async fn s060_to_s076_s102_to_s106_what_a_box_shows() {
    for (compat, geo) in [(false, Geo::default()), (true, Geo::default().compat())] {
        for mut world in World::both(geo, compat).await {
            world.tell(&[BOX]).await;
            for (id, shape, by_vertex, by_default) in shapes() {
                let expected =
                    if if compat { by_vertex } else { by_default } { &shape } else { &Value::Null };
                assert_eq!(&world.read(&shape).await, expected, "{id}, compat {compat}");
            }
            world.client.expect_silence().await;
        }
    }
}

#[tokio::test]
async fn s105_a_geometry_collection_is_shown_by_its_members() {
    let geometries = |x: f64| {
        let members = json!([{"type": "Point", "coordinates": [x, 47.5]}]);
        let geometry = json!({"type": "GeometryCollection", "geometries": members});
        json!({"type": "Feature", "properties": {}, "geometry": geometry})
    };
    for mut world in World::both(Geo::default(), false).await {
        world.tell(&[BOX]).await;
        assert_eq!(world.read(&geometries(7.5)).await, geometries(7.5));
        assert_eq!(world.read(&geometries(1.0)).await, Value::Null);
    }
}

#[tokio::test]
async fn s063_a_field_that_was_asked_for_is_sent_whatever_the_box() {
    for mut world in World::both(Geo::default(), false).await {
        world.tell(&[BOX]).await;
        world.client.send("GET pout a cref").await;
        world.client.expect_referenced("pout a", point(1.0, 1.0), "cref").await;
    }
}

#[tokio::test]
async fn s077_s079_odd_counts_leave_the_box_and_none_removes_it() {
    for mut world in World::both(Geo::default().compat(), true).await {
        world.tell(&[BOX, "BBOX 1 2 3", "BBOX 1,2,3,4", "BBOX 7 46 8 47 9"]).await;
        assert_eq!(world.get("GET pin").await, point(7.5, 47.5));
        assert_eq!(world.get("GET pout").await, Value::Null);
        world.tell(&["BBOX"]).await; // S079
        assert_eq!(world.get("GET pout").await, point(1.0, 1.0));
    }
}

#[tokio::test]
async fn s077_s078_by_default_odd_boxes_get_an_error_frame_and_zoom_and_parameters_are_welcome() {
    for mut world in World::both(Geo::default(), false).await {
        world.tell(&[BOX]).await;
        for (line, message) in [
            ("BBOX 1 2 3", "BBOX takes four numbers or none, not 3"),
            ("BBOX 1,2,3,4", "BBOX takes four numbers or none, not 1"),
            ("BBOX a b c d", "argument `left` cannot be `a`: not a number"), // S078
            ("BBOX 1 2 nan 4", "argument `right` cannot be `nan`: not a number"),
            ("BBOX 5 50 10 45", "argument `top` cannot be `45`: less than bottom, which is 50"),
        ] {
            world.client.send(line).await;
            world.client.expect_error(message).await;
            assert_eq!(world.get("GET pin").await, point(7.5, 47.5), "{line}");
            assert_eq!(world.get("GET pout").await, Value::Null, "{line}");
        }
        world.tell(&["BBOX 0 0 2 2 12 mots=rail,bus gen=5"]).await;
        assert_eq!(world.get("GET pout").await, point(1.0, 1.0));
        assert_eq!(world.get("GET pin").await, Value::Null);
    }
}

#[tokio::test]
async fn s078_numbers_that_are_none_close_under_compat() {
    for mut world in World::both(Geo::default().compat(), true).await {
        world.client.send("BBOX a b c d").await;
        world.client.expect_close(1011).await;
        world.reconnect().await;
        world.client.send("BBOX 1 2 3 4 mots=rail").await;
        world.client.expect_close(1011).await;
    }
}

#[tokio::test]
async fn s080_a_box_with_its_sides_swapped_shows_nothing_under_compat() {
    for mut world in World::both(Geo::default().compat(), true).await {
        world.tell(&["BBOX 10 50 5 45"]).await;
        assert_eq!(world.get("GET pin").await, Value::Null);
    }
}

#[tokio::test]
async fn by_default_a_left_side_beyond_the_right_one_crosses_the_antimeridian() {
    for mut world in World::both(Geo::default(), false).await {
        world.tell(&["BBOX 170 -20 -170 -10"]).await;
        for (longitude, shown) in [(175.0, true), (-175.0, true), (0.0, false)] {
            let place = point(longitude, -15.0);
            let expected = if shown { place.clone() } else { Value::Null };
            assert_eq!(world.read(&place).await, expected);
        }
        world.tell(&["BBOX 365 45 370 50"]).await; // a copy of the world
        assert_eq!(world.get("GET pin").await, point(7.5, 47.5));
        world.tell(&["PROJECTION 3857", "BBOX", "BBOX 40900000 6000000 40920000 6100000"]).await;
        world.reads(&point(7.5, 47.5), &json!([834896.1809495518, 6024072.119373784]), 1e-6).await;
    }
}

#[tokio::test]
async fn where_the_world_does_not_repeat_a_left_side_beyond_the_right_one_is_an_error() {
    let message = |value: &str, left: &str| {
        let reason = format!("less than left, which is {left}, where the world does not repeat");
        format!("argument `right` cannot be `{value}`: {reason}")
    };
    for mut world in World::both(Geo::default(), false).await {
        world.tell(&["PROJECTION epsg:2056"]).await;
        world.client.send("BBOX 2700000 1200000 2600000 1300000").await;
        world.client.expect_error(&message("2600000", "2700000")).await;
        world.tell(&["PROJECTION epsg:3857", "BBOX 20000000 0 -20000000 1"]).await;

        // A box that was there first is in degrees, and stays so.
        world.reconnect().await;
        world.tell(&[BOX, "PROJECTION epsg:2056", "BBOX 170 -20 -170 -10"]).await;
        world.client.send("BBOX inf -20 -170 -10").await;
        world.client.expect_error(&message("-170", "inf")).await;
        assert_ne!(world.read(&point(175.0, -15.0)).await, Value::Null);
    }
    for mut world in World::both(Geo::default().strict_axis_order(), false).await {
        world.client.send("BBOX 50 5 45 10").await;
        world.client.expect_error(&message("45", "50")).await;
    }
}

#[tokio::test]
async fn s081_pushes_go_through_the_box() {
    for (compat, geo) in [(false, Geo::default()), (true, Geo::default().compat())] {
        for mut world in World::both(geo, compat).await {
            world.tell(&[BOX]).await;
            world.client.subscribe("pin").await;
            let (edge, empty) = (point(5.0, 47.5), collection(&[]));
            for content in [point(1.0, 1.0), point(7.5, 47.5), edge.clone(), empty, json!({"x": 1})]
            {
                world.store.publish("pin", content.to_string()).await;
            }
            world.client.expect("pin", point(7.5, 47.5)).await;
            if !compat {
                world.client.expect("pin", edge).await;
            }
            world.client.expect("pin", json!({"x": 1})).await;
        }
    }
}

#[tokio::test]
async fn s082_each_connection_has_its_own_box() {
    for mut world in World::both(Geo::default(), false).await {
        let mut other = world.gateway.client().await;
        world.tell(&[BOX]).await;
        world.client.subscribe("pin").await;
        other.subscribe("pin").await;
        world.store.publish("pin", point(1.0, 1.0).to_string()).await;
        world.store.publish("pin", "2").await;
        other.expect("pin", point(1.0, 1.0)).await;
        world.client.expect("pin", json!(2)).await;
    }
}

#[tokio::test]
async fn s097_to_s101_the_order_of_box_and_projection_counts() {
    let projected = json!([834896.1809495518, 6024072.119373784]);
    for mut world in World::both(Geo::default(), false).await {
        world.tell(&[BOX, "PROJECTION epsg:3857"]).await; // S097
        world.reads(&point(7.5, 47.5), &projected, 1e-6).await;
        assert_eq!(world.get("GET pout").await, Value::Null);
        world.tell(&[BOX]).await; // S099: re-issued, keeps its place
        world.reads(&point(7.5, 47.5), &projected, 1e-6).await;
        world.client.send("GET pout a").await; // S101: the verdict is ignored, the projection is not
        let frame = world.client.next().await;
        assert_eq!(frame["source"], "pout a");
        let coordinates = frame["content"]["geometry"]["coordinates"].to_string();
        assert!(coordinates.starts_with("[111319.49079327"), "{coordinates}");
        world.tell(&["BBOX", BOX]).await; // S100: removed, goes last
        assert_eq!(world.get("GET pin").await, Value::Null);

        world.reconnect().await;
        world.tell(&["PROJECTION epsg:3857", BOX]).await; // S098
        assert_eq!(world.get("GET pin").await, Value::Null);
        world.tell(&["BBOX 800000 6000000 900000 6100000"]).await;
        world.reads(&point(7.5, 47.5), &projected, 1e-6).await;
    }
}

#[tokio::test]
async fn s112_in_strict_order_a_box_compares_what_is_stored() {
    for mut world in World::both(Geo::default().strict_axis_order(), false).await {
        world.tell(&["BBOX 45 5 50 10"]).await;
        assert_eq!(world.get("GET sw").await, point(47.5, 7.5));
    }
}

#[tokio::test]
async fn s120_the_demo_of_the_original() {
    let place = point(7.8486934304237375, 47.9914151679489);
    for mut world in World::both(Geo::default(), false).await {
        world.tell(&["PROJECTION epsg:3857", "BBOX 0 0 1500000 7000000"]).await;
        world.reads(&place, &json!([873712.556067282, 6105426.743535525]), 1e-6).await;
    }
}
