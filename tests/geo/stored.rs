//! Positions that are published in EPSG:3857, as `mobility-toolbox-js` reads them: it never sends
//! `PROJECTION`, and its boxes are in metres.

use redwire_geo::Geo;
use serde_json::{Value, json};

use crate::world::{World, feature, point};

/// (7.5, 47.5) in EPSG:3857.
const PLACE: [f64; 2] = [834_896.180_949_551_8, 6_024_072.119_373_784];
const WORLD: f64 = 40_075_016.685_578_49;

fn place() -> Value {
    feature("Point", PLACE.to_vec())
}

#[tokio::test]
async fn a_box_is_in_metres_and_the_world_repeats_after_40_075_km() {
    for mut world in World::both(Geo::default().stored_in(3857), false).await {
        for (bbox, shown) in [
            ("BBOX 800000 6000000 900000 6100000 12 mots=rail", true),
            ("BBOX 700000 6000000 800000 6100000", false),
            // In degrees this would be a copy of the world, and shown.
            ("BBOX 5 45 10 50", false),
            ("BBOX -39300000 6000000 -39200000 6100000", true),
            ("BBOX 40875016 6000000 40975016 6100000", true),
            ("BBOX 19000000 6000000 -39200000 6100000", true),
            ("BBOX 19000000 6000000 -19000000 6100000", false),
        ] {
            world.tell(&[bbox]).await;
            let expected = if shown { place() } else { Value::Null };
            assert_eq!(world.read(&place()).await, expected, "{bbox}");
        }
        // Positions may be on a copy of the world, too, and are sent as they are.
        let copy = feature("Point", vec![19_500_000.0 - WORLD, 0.0]);
        world.tell(&["BBOX 19000000 -1 21000000 1"]).await;
        assert_eq!(world.read(&copy).await, copy);
    }
}

#[tokio::test]
async fn other_projections_go_through_longitude_and_latitude() {
    for mut world in World::both(Geo::default().stored_in(3857), false).await {
        for (code, expected, tolerance) in [
            ("epsg:4326", json!([7.5, 47.5]), 1e-12),
            ("epsg:2056", json!([2604624.6423716913, 1261029.1579064205]), 1e-6),
            ("epsg:3035", json!([4132552.8932514447, 2712780.675397696]), 1e-6),
            ("epsg:3857", json!(PLACE), 0.0),
        ] {
            world.tell(&[&format!("PROJECTION {code}")]).await;
            world.reads(&place(), &expected, tolerance).await;
        }
    }
}

#[tokio::test]
async fn the_order_of_box_and_projection_counts_as_ever_and_pget_reads_as_stored() {
    for mut world in World::both(Geo::default().stored_in(3857), false).await {
        world.store.hset("metres", "a", place().to_string()).await;
        world.tell(&["PROJECTION epsg:4326", "BBOX 5 45 10 50"]).await;
        world.reads(&place(), &json!([7.5, 47.5]), 1e-12).await;
        assert_eq!(world.get("PGET metres a").await, place());

        // Back to what is stored ends the projection, so the next one comes after the box.
        world
            .tell(&["PROJECTION 3857", "BBOX 800000 6000000 900000 6100000", "PROJECTION 4326"])
            .await;
        world.reads(&place(), &json!([7.5, 47.5]), 1e-12).await;
    }
}

#[tokio::test]
async fn in_strict_order_longitude_comes_second_in_epsg_4326_and_metres_stay_east_first() {
    for mut world in World::both(Geo::default().stored_in(3857).strict_axis_order(), false).await {
        world.tell(&["PROJECTION epsg:4326"]).await;
        world.reads(&place(), &json!([47.5, 7.5]), 1e-12).await;
        world.tell(&["PROJECTION epsg:3857"]).await;
        world.reads(&place(), &json!(PLACE), 0.0).await;
    }
}

#[tokio::test]
async fn the_stored_crs_can_be_asked_for_even_if_it_is_not_on_the_list() {
    let only = redwire_geo::Projections::default().only(&[2056]);
    for mut world in World::both(Geo::default().projections(only), false).await {
        world.tell(&["PROJECTION epsg:2056", "PROJECTION epsg:4326"]).await;
        assert_eq!(world.get("GET pin").await, point(7.5, 47.5));
        world.client.send("PROJECTION epsg:3857").await;
        world.client.expect_error("argument `projection` cannot be `epsg:3857`").await;
    }
}

#[test]
#[should_panic(expected = "EPSG:4326 or EPSG:3857, not EPSG:2056")]
fn no_other_crs_can_be_stored() {
    let _ = Geo::default().stored_in(2056);
}

#[tokio::test]
async fn positions_far_from_any_world_have_no_image() {
    for mut world in World::both(Geo::default().stored_in(3857), false).await {
        world.tell(&["PROJECTION epsg:2056"]).await;
        for far in [vec![1e308, -1e308], vec![1e12, 0.0], vec![0.0, 1e9]] {
            let feature = feature("Point", far);
            assert_eq!(world.read(&feature).await["geometry"], Value::Null, "{feature}");
        }
        assert!(world.gateway.metric("redwire_geo_unprojectable_total") >= 3);
    }
}
