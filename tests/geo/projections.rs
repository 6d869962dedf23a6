//! `PROJECTION`: S083 to S096, S102, S105, S107 to S111.

use redwire_geo::{Geo, Projections};
use serde_json::{Value, json};

use crate::world::{World, collection, feature, point};

#[tokio::test]
async fn s083_to_s085_every_kind_of_geometry_is_projected() {
    let corner = json!([779236.435552915, 5942074.072431109]);
    let ring = json!([[0, 0], corner, [0, 0]]);
    for mut world in World::both(Geo::default(), false).await {
        world.tell(&["PROJECTION epsg:3857"]).await;
        for (kind, coordinates, expected) in [
            ("Point", json!([7.5, 47.5]), json!([834896.1809495518, 6024072.119373784])), // S083
            ("LineString", json!([[0, 0], [7, 47]]), json!([[0, 0], corner])),            // S084
            ("Polygon", json!([[[0, 0], [7, 47], [0, 0]]]), json!([ring])),               // S085
            ("MultiPolygon", json!([[[[0, 0], [7, 47], [0, 0]]]]), json!([[ring]])),      // S085
            (
                "Point", // S102
                json!([7.5, 47.5, 100]),
                json!([834896.1809495518, 6024072.119373784, 100]),
            ),
        ] {
            world.reads(&feature(kind, coordinates), &expected, 1e-6).await;
        }
    }
}

#[tokio::test]
async fn s086_s105_members_of_collections_are_projected_and_aliens_stay() {
    for mut world in World::both(Geo::default(), false).await {
        world.tell(&["PROJECTION epsg:3857"]).await;
        let read = world.read(&collection(&[point(1.0, 1.0), json!({"a": 1})])).await;
        assert_eq!(read["features"][1], json!({"a": 1}));
        let first = read["features"][0]["geometry"]["coordinates"].to_string();
        assert!(
            first.starts_with("[111319.4907932") && first.contains("111325.14286638"),
            "{first}"
        );

        let odd = feature("Point", json!(["a", "b"]));
        let read = world.read(&collection(&[odd.clone(), point(7.5, 47.5)])).await;
        assert_eq!(read["features"][0], odd);
        assert_ne!(read["features"][1], point(7.5, 47.5));
    }
}

#[tokio::test]
async fn s087_s103_s104_s106_what_is_no_feature_is_left_as_it_is() {
    for mut world in World::both(Geo::default(), false).await {
        world.tell(&["PROJECTION epsg:3857"]).await;
        for content in [
            feature("Unknown", json!([1])),
            json!({"type": "Point", "coordinates": [1, 1]}),
            json!({"type": "Feature", "properties": {}, "geometry": null}),
            json!({"type": "Feature"}),
            feature("Point", json!(["a", "b"])),
        ] {
            assert_eq!(world.read(&content).await, content);
        }
    }
}

#[tokio::test]
async fn s088_an_unknown_projection_leaves_the_one_before() {
    let projected = json!([834896.1809495518, 6024072.119373784]);
    for (compat, geo) in [(false, Geo::default()), (true, Geo::default().compat())] {
        for mut world in World::both(geo, compat).await {
            world.tell(&["PROJECTION epsg:3857"]).await;
            for name in ["nonsense", "epsg:99999", "epsg:4326x", "+proj"] {
                world.client.send(format!("PROJECTION {name}")).await;
                if !compat {
                    let message = format!("argument `projection` cannot be `{name}`");
                    world.client.expect_error(&message).await;
                }
            }
            world.reads(&point(7.5, 47.5), &projected, 1e-6).await;
        }
    }
}

#[tokio::test]
async fn s089_s090_wrong_arguments() {
    for mut world in World::both(Geo::default().compat(), true).await {
        world.tell(&["PROJECTION", "PROJECTION a b"]).await; // S089
        world.client.send("PROJECTION epsg:3857 x=y").await; // S090
        world.client.expect_close(1011).await;
    }
    for mut world in World::both(Geo::default(), false).await {
        for (line, message) in [
            ("PROJECTION", "PROJECTION takes one code, not 0"),
            ("PROJECTION a b", "PROJECTION takes one code, not 2"),
            ("PROJECTION epsg:3857 x=y", "no argument is named `x`"),
        ] {
            world.client.send(line).await;
            world.client.expect_error(message).await;
        }
    }
}

#[tokio::test]
async fn s091_to_s096_other_projections_and_back() {
    for mut world in World::both(Geo::default(), false).await {
        let pin = point(7.5, 47.5);
        for (line, expected, tolerance) in [
            ("PROJECTION EPSG:3857", json!([834896.1809495518, 6024072.119373784]), 1e-6), // S092
            ("PROJECTION epsg:4326", json!([7.5, 47.5]), 0.0),                             // S091
            ("PROJECTION 3857", json!([834896.1809495518, 6024072.119373784]), 1e-6),
            ("PROJECTION EPSG:4326", json!([7.5, 47.5]), 0.0), // S092
            ("PROJECTION epsg:2056", json!([2604624.6423716913, 1261029.1579064205]), 1e-3), // S093
            ("PROJECTION epsg:25832", json!([387030.96316225466, 5261820.109840259]), 1e-3), // S094
            ("PROJECTION epsg:3035", json!([4132552.8932514447, 2712780.675397696]), 1e-3), // S095
            ("PROJECTION epsg:2056", json!([2604624.6423716913, 1261029.1579064205]), 1e-3), // S096
        ] {
            world.tell(&[line]).await;
            world.reads(&pin, &expected, tolerance).await;
        }
    }
}

#[tokio::test]
async fn s107_s108_what_has_no_image_is_sent_without_geometry() {
    for mut world in World::both(Geo::default(), false).await {
        world.tell(&["PROJECTION epsg:3857"]).await;
        for latitude in [91.0, -91.0, 1e300] {
            let read = world.read(&point(0.0, latitude)).await;
            assert_eq!(read["geometry"], Value::Null, "{latitude}");
            assert_eq!(read["type"], "Feature");
        }
        for latitude in [90.0, -90.0] {
            // S108: the frame is strict JSON whichever of the two it is.
            let read = world.read(&point(0.0, latitude)).await;
            let geometry = &read["geometry"];
            let north = geometry["coordinates"][1].as_f64();
            assert!(geometry.is_null() || north.is_some_and(|north| north.abs() > 2e8), "{read}");
        }
    }
}

#[tokio::test]
async fn s109_to_s111_strict_axis_order() {
    for mut world in World::both(Geo::default().strict_axis_order(), false).await {
        let sw = point(47.5, 7.5);
        for (line, expected) in [
            ("PROJECTION epsg:3857", json!([834896.1809495518, 6024072.119373784])), // S109
            ("PROJECTION epsg:3035", json!([2712780.675397696, 4132552.8932514447])), // S110
            ("PROJECTION EPSG:4326", json!([47.5, 7.5])),                            // S111
        ] {
            world.tell(&[line]).await;
            world.reads(&sw, &expected, 1e-3).await;
        }
    }
}

#[tokio::test]
async fn bbox_members_are_recomputed_at_every_level() {
    let place =
        |x: f64, y: f64, bbox: Value| json!({"type": "Point", "coordinates": [x, y], "bbox": bbox});
    let own = json!([1, 1, 1, 1]);
    let inner = json!({
        "type": "GeometryCollection",
        "bbox": [0, 0, 0, 1, 1, 0],
        "geometries": [place(1.0, 1.0, own.clone()), place(7.0, 47.0, own)],
    });
    let outer = json!({"type": "GeometryCollection", "geometries": [inner, place(0.0, 0.0, json!("no box"))]});
    let feature = json!({"type": "Feature", "bbox": [0, 0, 7, 47], "geometry": outer});
    let lost = json!({"type": "Feature", "bbox": [5, 91, 5, 91], "geometry": place(5.0, 91.0, json!([1]))});
    let collection = json!({
        "type": "FeatureCollection", "bbox": [0, 0, 7, 91], "features": [feature, lost],
    });
    let ([x, y], [east, north]) = ([111_319, 111_325], [779_236, 5_942_074]);
    for mut world in World::both(metres(), false).await {
        world.tell(&["PROJECTION epsg:3857"]).await;
        let read = world.read(&collection).await;
        assert_eq!(read["bbox"], json!([0, 0, east, north]));
        assert_eq!(read["features"][1]["bbox"], json!([5, 91, 5, 91]), "nothing to go by");
        let feature = &read["features"][0];
        assert_eq!(feature["bbox"], json!([0, 0, east, north]));
        let geometries = &feature["geometry"]["geometries"];
        assert_eq!(geometries[0]["bbox"], json!([x, y, 0, east, north, 0]));
        assert_eq!(geometries[0]["geometries"][0]["bbox"], json!([x, y, x, y]));
        assert_eq!(geometries[0]["geometries"][1]["bbox"], json!([east, north, east, north]));
        assert_eq!(geometries[1]["bbox"], "no box");
    }
}

/// EPSG:3857 in whole metres.
fn metres() -> Geo {
    Geo::default().projections(Projections::default().precision(3857, 0))
}

#[tokio::test]
async fn numbers_have_the_decimals_that_were_configured_and_stored_ones_stay() {
    let projections = Projections::default().precision(3857, 1).precision(2056, 3);
    let geo = Geo::default().projections(projections.precision(4326, 1));
    let place = feature("Point", json!([7.123456, 47.654321, 1.23456]));
    for mut world in World::both(geo, false).await {
        for (code, expected) in [
            (4326, json!([7.123456, 47.654321, 1.23456])),
            (3857, json!([792979.5, 6049537.6, 1.23456])),
            (2056, json!([2576322.218, 1278234.18, 1.23456])),
        ] {
            world.tell(&[&format!("PROJECTION epsg:{code}")]).await;
            assert_eq!(world.read(&place).await["geometry"]["coordinates"], expected, "{code}");
        }
    }
}

#[tokio::test]
async fn every_byte_outside_coordinates_and_bbox_stays() {
    let text = r#"{ "id":12345678901234567890, "bbox":[7.5,47.5,7.5,47.5], "geometry" : {"coordinates":[ 7.5 ,4.75e1, 1.10 ],"type":"Point"},"type":"Feature","properties":{"coordinates":[1.10,2.0],"n":"Z\u00fcrich"} }"#;
    for mut world in World::both(Geo::default(), false).await {
        world.store.hset("bytes", "a", text).await;
        world.tell(&["PROJECTION epsg:3857"]).await;
        world.client.send("GET bytes").await;
        let frame = world.client.next_text().await;
        let (x, y) = ("834896.1809495519", "6024072.119373");
        for kept in [
            r#"{ "id":12345678901234567890, "bbox":["#,
            r#"], "geometry" : {"coordinates":[ "#,
            r#", 1.10 ],"type":"Point"},"type":"Feature","#,
            r#""properties":{"coordinates":[1.10,2.0],"n":"Z\u00fcrich"} }"#,
        ] {
            assert!(frame.contains(kept), "{kept} is not in {frame}");
        }
        assert_eq!(frame.matches(&x[..12]).count(), 3, "{frame}");
        assert_eq!(frame.matches(y).count(), 3, "{frame}");
    }
}
