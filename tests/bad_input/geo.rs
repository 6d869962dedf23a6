//! What geo commands and GeoJSON get wrong: a connection stays, its neighbour sees what it always does,
//! and everything that is sent is JSON.

#![allow(clippy::indexing_slicing, reason = "indexing a JSON value does not panic")]

use std::fmt::Write as _;

use redwire::prelude::*;
use redwire_suites::{Gateway, Parity, Store};
use serde_json::{Value, json};

use crate::Scene;

impl Scene {
    /// With the geo commands; `beside` has a box and a projection in force and follows `a`, as does
    /// `client`.
    async fn on_a_map(store: &Store) -> Self {
        let limits = Limits { message_bytes: 1 << 20, ..Limits::default() };
        let protocol = Protocol::<Parity>::new()
            .with(Keys)
            .with(Subscriptions)
            .with(Ping)
            .with(Geo::default().projections(Projections::default().precision(3857, 0)));
        let gateway = Gateway::serving(protocol, store, limits, |api| api).await;
        let (client, beside) = (gateway.client().await, gateway.client().await);
        let mut scene = Self { gateway, client, beside };
        scene.client.subscribe("a").await;
        for line in ["BBOX 5 45 10 50", "PROJECTION epsg:3857"] {
            scene.beside.send(line).await;
        }
        scene.beside.subscribe("a").await;
        scene
    }

    /// A good feature still reaches the neighbour, in its projection.
    async fn serves_beside(&mut self, store: &Store) {
        store.publish("a", bern()).await;
        let frame = self.beside.next().await;
        let east = frame["content"]["geometry"]["coordinates"][0].as_f64();
        assert!(east.is_some_and(|east| (east - 828_061.0).abs() < 1.0), "{frame}");
    }
}

fn bern() -> String {
    feature(r#"{"type":"Point","coordinates":[7.4386,46.9511]}"#)
}

fn feature(geometry: &str) -> String {
    format!(r#"{{"type":"Feature","properties":{{"n":1}},"geometry":{geometry}}}"#)
}

fn geometry(kind: &str, coordinates: &str) -> String {
    feature(&format!(r#"{{"type":"{kind}","coordinates":{coordinates}}}"#))
}

/// Lines, and what their error frame says.
fn refused() -> Vec<(String, &'static str)> {
    let digits = "9".repeat(100_000);
    let mut lines: Vec<(String, &str)> = [
        ("BBOX nan 45 10 50", "argument `left` cannot be `nan`: not a number"),
        ("BBOX 5 -NaN 10 50", "argument `bottom` cannot be `nan`: not a number"),
        ("BBOX 5 50 10 45", "argument `top` cannot be `45`: less than bottom, which is 50"),
        ("BBOX inf 45 5 50", "argument `right` cannot be `5`: less than left, which is inf"),
        ("BBOX 5 1e400 10 50", "argument `top` cannot be `50`: less than bottom, which is inf"),
        ("BBOX five 45 10 50", "argument `left` cannot be `five`: not a number"),
        ("BBOX 5° 45 10 50", "argument `left` cannot be `5°`: not a number"),
        ("BBOX \"5\" 45 10 50", "argument `left` cannot be `\"5\"`: not a number"),
        ("BBOX [5,45,10,50]", "BBOX takes four numbers or none, not 1"),
        ("BBOX {\"left\":5} 45 10 50", "not a number"),
        ("BBOX 0x5 45 10 50", "argument `left` cannot be `0x5`: not a number"),
        ("BBOX ٥ 45 10 50", "argument `left` cannot be `٥`: not a number"),
        ("BBOX 1_0 45 10 50", "argument `left` cannot be `1_0`: not a number"),
        ("BBOX 5\0 45 10 50", "not a number"),
        ("PROJECTION epsg:99999", "argument `projection` cannot be `epsg:99999`"),
        ("PROJECTION epsg:4258", "argument `projection` cannot be `epsg:4258`"),
        ("PROJECTION epsg:-3857", "argument `projection` cannot be `epsg:-3857`"),
        ("PROJECTION epsg:3857.0", "argument `projection` cannot be `epsg:3857.0`"),
        ("PROJECTION epsg:18446744073709555473", "argument `projection` cannot be"),
        ("PROJECTION ESRI:54009", "argument `projection` cannot be `ESRI:54009`"),
        ("PROJECTION +proj=merc", "no argument is named `+proj`"),
        ("PROJECTION +proj", "argument `projection` cannot be `+proj`"),
        ("PROJECTION proj=pipeline step proj=merc", "no argument is named `proj`"),
        ("PROJECTION crs=epsg:3857", ""),
        ("PROJECTION /etc/passwd", "argument `projection` cannot be `/etc/passwd`"),
        ("PROJECTION ../proj.db", "argument `projection` cannot be `../proj.db`"),
        ("PROJECTION @/tmp/grid.gsb", "argument `projection` cannot be `@/tmp/grid.gsb`"),
        ("PROJECTION https://example.org/crs", "argument `projection` cannot be `https:"),
        ("PROJECTION PROJCS[\"x\",GEOGCS[]]", "argument `projection` cannot be `PROJCS["),
        ("PROJECTION {\"type\":\"GeographicCRS\"}", "argument `projection` cannot be `{"),
        ("PROJECTION epsg:3857\0", "argument `projection` cannot be `epsg:3857\0`"),
        ("PROJECTION init=epsg:3857", "no argument is named `init`"),
        ("PGET a projection=+proj=merc", "argument `projection` cannot be `+proj=merc`"),
        ("PGET a projection=epsg:99999", "argument `projection` cannot be `epsg:99999`"),
        ("PGET a b c +proj=pipeline", "no argument is named `+proj`"),
    ]
    .map(|(line, message)| (line.to_owned(), message))
    .into();
    lines.push((format!("BBOX 5 45 10 x{digits}"), "argument `top` cannot be `x999"));
    lines.push((format!("BBOX 5 {digits} 10 50"), "less than bottom, which is inf"));
    lines.push((format!("PROJECTION {digits}"), "argument `projection` cannot be `999"));
    lines.push((format!("PROJECTION epsg:{digits}"), "argument `projection` cannot be `epsg:999"));
    lines
}

#[tokio::test]
async fn bad_boxes_and_projections_get_an_error_frame_and_change_nothing() {
    for store in Store::both().await {
        let mut scene = Scene::on_a_map(&store).await;
        scene.client.send("BBOX 7 46 8 47").await;
        for (line, message) in refused() {
            println!("{}", line.chars().take(60).collect::<String>());
            scene.client.send(line).await;
            scene.client.expect_error(message).await;
            scene.serves_beside(&store).await;
            scene.client.expect("a", read(&bern())).await;
        }
        scene.expect_silence().await;
    }
}

#[tokio::test]
async fn odd_boxes_are_boxes() {
    let digits = "0".repeat(100_000);
    for store in Store::both().await {
        let mut scene = Scene::on_a_map(&store).await;
        for (line, shown) in [
            ("BBOX -inf -inf inf inf", true),
            ("BBOX -1e400 -1e400 1e400 1e400", true),
            ("BBOX -1e308 -1e308 1e308 1e308", true),
            ("BBOX 1e308 -90 -1e308 90", true),
            ("BBOX 10 45 5 50", false),
            ("BBOX 7.4386 46.9511 7.4386 46.9511", true),
            ("BBOX -9999 -9999 9999 9999", true),
            ("BBOX 0 91 10 99", false),
            ("BBOX 5e-324 45 10 50", true),
            (&format!("BBOX 5.{digits}1 45 10 50"), true),
            (&format!("BBOX 5 45 10 50 {digits} zoom={digits}"), true),
        ] {
            scene.client.send(line).await;
            scene.client.send("PING").await;
            scene.client.expect("websocket", json!("PONG")).await;
            scene.serves_beside(&store).await;
            if shown {
                scene.client.expect("a", read(&bern())).await;
            }
        }
        scene.expect_silence().await;
    }
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Features that cannot be located, which everybody gets as they are.
fn malformed() -> Vec<(&'static str, String)> {
    let big = format!("1{}", "0".repeat(100_000));
    vec![
        ("no coordinates", feature(r#"{"type":"Point"}"#)),
        ("no type", feature(r#"{"coordinates":[1,1]}"#)),
        ("an unknown type", geometry("Circle", "[1,1]")),
        ("a type that is no string", feature(r#"{"type":["Point"],"coordinates":[1,1]}"#)),
        ("a type in lower case", geometry("point", "[1,1]")),
        ("a geometry that is a list", feature("[1,1]")),
        ("a geometry that is a string", feature(r#""POINT(1 1)""#)),
        ("text", geometry("Point", r#"["1","1"]"#)),
        ("a text", geometry("Point", r#""1 1""#)),
        ("NaN as text", geometry("Point", r#"["NaN","Infinity"]"#)),
        ("nulls", geometry("Point", "[null,null]")),
        ("an object", geometry("Point", r#"{"x":1,"y":1}"#)),
        ("one number", geometry("Point", "[1]")),
        ("no number", geometry("Point", "[]")),
        ("a bare number", geometry("Point", "1")),
        ("text as height", geometry("Point", r#"[1,1,"high"]"#)),
        ("1e400", geometry("Point", "[1e400,1]")),
        ("-1e400", geometry("Point", "[1,-1e400]")),
        ("100,000 digits", geometry("Point", &format!("[{big},1]"))),
        ("too deep a point", geometry("Point", "[[1,1]]")),
        ("too flat a line", geometry("LineString", "[1,1]")),
        ("too deep a line", geometry("LineString", "[[[1,1],[2,2]]]")),
        ("too flat a polygon", geometry("Polygon", "[[1,1],[2,2],[1,1]]")),
        ("too deep a polygon", geometry("Polygon", "[[[[1,1],[2,2],[1,1]]]]")),
        ("120 deep", geometry("MultiPolygon", &format!("{}1{}", "[".repeat(120), "]".repeat(120)))),
        ("one bad position of many", geometry("LineString", "[[1,1],[2],[3,3]]")),
        (
            "one bad member of a collection",
            feature(
                r#"{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,1]},{}]}"#,
            ),
        ),
        ("no members", feature(r#"{"type":"GeometryCollection","coordinates":[1,1]}"#)),
    ]
}

#[tokio::test]
async fn what_cannot_be_located_is_sent_as_it_is() {
    for store in Store::both().await {
        let mut scene = Scene::on_a_map(&store).await;
        for (name, text) in malformed() {
            println!("{name}");
            store.publish("a", &text).await;
            for viewer in [&mut scene.client, &mut scene.beside] {
                let frame = viewer.next_text().await;
                assert!(frame.contains(&text), "{frame}");
            }
            scene.serves_beside(&store).await;
            scene.client.expect("a", read(&bern())).await;
        }
        scene.expect_silence().await;
    }
}

#[tokio::test]
async fn what_is_no_place_on_earth_is_sent_without_its_geometry() {
    let everything = "BBOX -inf -inf inf inf";
    for store in Store::both().await {
        let mut scene = Scene::on_a_map(&store).await;
        for line in [everything, "PROJECTION epsg:2056", "PING"] {
            scene.client.send(line).await;
        }
        scene.client.expect("websocket", json!("PONG")).await;
        for coordinates in ["[0,91]", "[7.4,-90.0000001]", "[0,1e300]", "[1e308,-1e308]"] {
            for text in [
                geometry("Point", coordinates),
                geometry("LineString", &format!("[[7.4,46.9],{coordinates}]")),
            ] {
                store.publish("a", &text).await;
                let mut expected = read(&text);
                expected["geometry"] = Value::Null;
                scene.client.expect("a", expected).await;
            }
        }
        // Far from where the grid is used: an image or none, but JSON.
        for coordinates in ["[-172.6,-46.9]", "[97.4,0]", "[7.4,90]", "[7.4,-90]", "[1e9,46.9]"] {
            store.publish("a", geometry("Point", coordinates)).await;
            let frame = scene.client.next().await;
            assert_eq!(frame["content"]["properties"]["n"], 1, "{frame}");
        }
        // The line from Bern has crossed the neighbour's box four times.
        for _ in 0..4 {
            let frame = scene.beside.next().await;
            assert_eq!(frame["content"]["geometry"], Value::Null);
        }
        scene.serves_beside(&store).await;
    }
}

#[tokio::test]
async fn empty_rings_and_names_that_stand_twice_are_read_as_json_reads_them() {
    let twice = r#"{"type":"Point","type":"Feature","geometry":null,"geometry":{"coordinates":[0,0],"type":"Point","coordinates":[7.4386,46.9511]}}"#;
    for store in Store::both().await {
        let mut scene = Scene::on_a_map(&store).await;
        for (kind, coordinates) in [
            ("Polygon", "[]"),
            ("Polygon", "[[]]"),
            ("Polygon", "[[],[]]"),
            ("MultiPolygon", "[[[]],[]]"),
            ("LineString", "[]"),
            ("MultiPoint", "[]"),
        ] {
            // In no box, and no error.
            store.publish("a", geometry(kind, coordinates)).await;
            scene.client.expect("a", read(&geometry(kind, coordinates))).await;
        }
        for ring in ["[[7,46],[7,46]]", "[[7,46]]", "[[7,46],[8,47],[7,46]]"] {
            store.publish("a", geometry("Polygon", &format!("[{ring},[]]"))).await;
            let frame = scene.beside.next().await;
            assert_eq!(frame["content"]["geometry"]["coordinates"][1], json!([]), "{frame}");
            scene.client.next().await;
        }
        store.publish("a", twice).await;
        assert!(scene.client.next_text().await.contains(twice));
        let frame = scene.beside.next_text().await;
        assert!(
            frame.contains(r#"{"coordinates":[0,0],"type":"Point","coordinates":[828"#),
            "{frame}"
        );
        scene.expect_silence().await;
    }
}

#[tokio::test]
async fn nesting_of_100_000_levels_is_dropped_and_counted_and_deep_geojson_is_read() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let collections = |depth: usize| {
        let open = r#"{"type":"GeometryCollection","geometries":["#;
        feature(&format!("{}{}", open.repeat(depth), "]}".repeat(depth)))
    };
    for store in Store::both().await {
        let mut scene = Scene::on_a_map(&store).await;
        for (count, text) in [
            geometry("Polygon", &deep(100_000)),
            geometry("Polygon", &"[".repeat(100_000)),
            collections(100_000),
            r#"{"type":"FeatureCollection","features":["#.repeat(100_000),
        ]
        .iter()
        .enumerate()
        {
            store.publish("a", text).await;
            scene.serves_beside(&store).await;
            scene.client.expect("a", read(&bern())).await;
            let dropped = scene.gateway.metric("redwire_messages_malformed_total");
            assert_eq!(dropped, count as u64 + 1);
        }
        let deepest = collections(60);
        store.publish("a", &deepest).await;
        scene.client.expect("a", read(&deepest)).await;
        scene.expect_silence().await;
    }
}

#[tokio::test]
async fn a_polygon_of_a_million_vertices_is_projected_and_holds_up_nobody() {
    let corners = 1_000_000;
    let mut ring = String::with_capacity(16 * corners);
    for corner in 0..corners {
        let angle = corner as f64 / corners as f64 * std::f64::consts::TAU;
        let _ = write!(ring, "[{:.3},{:.3}],", 7.5 + angle.cos(), 47.5 + angle.sin());
    }
    let polygon = geometry("Polygon", &format!("[[{}]]", ring.trim_end_matches(',')));
    for store in Store::both().await {
        let mut scene = Scene::on_a_map(&store).await;
        scene.client.send("BBOX 6 46 9 49").await;
        scene.client.expect_silence().await;
        store.publish("a", &polygon).await;
        for (viewer, first) in
            [(&mut scene.client, "[[[8.500,47.500],["), (&mut scene.beside, "[[[946216,6024072],[")]
        {
            let frame = viewer.next_text().await;
            assert!(frame.contains(first), "{}", frame.chars().take(200).collect::<String>());
            assert_eq!(frame.matches("],[").count() + 1, corners);
            assert!(serde_json::from_str::<serde::de::IgnoredAny>(&frame).is_ok());
        }
        scene.serves_beside(&store).await;
    }
}
