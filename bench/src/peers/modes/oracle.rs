use redwire_protocol::Bounds;
use redwire_test::Client;
use serde_json::Value;

use super::landscape::Landscape;
use crate::Result;
use crate::peers::bout::Bout;
use crate::peers::load::stamp::Stamp;

/// Metres. Two libraries that project agree far better.
const TOLERANCE: f64 = 0.05;

/// Publishes each feature once and looks at all that viewers get, against arithmetic of the benchmark's own.
/// By feature, who has got it.
pub(super) async fn check(bout: &Bout<'_>, landscape: &Landscape) -> Result<Vec<Vec<u32>>> {
    let url = format!("ws://{}", bout.server.address);
    let mut viewers = Vec::new();
    for viewer in &landscape.viewers {
        let mut client = Client::connect(&url).await;
        for line in viewer.commands().into_iter().chain(["SUB c0".to_owned(), "PING".to_owned()]) {
            client.send(line).await;
        }
        while !client.next_text().await.contains("PONG") {}
        viewers.push(client);
    }
    for number in 0..landscape.features.len() as u32 {
        let stamp = Stamp { sent: 0, number, channel: 0 };
        bout.publish(b"c0", &landscape.payload(stamp)).await;
    }
    // No feature, so it passes all boxes.
    bout.publish(b"c0", b"{\"is\":\"the end\"}").await;
    let mut hits = vec![Vec::new(); landscape.features.len()];
    for (client, number) in viewers.iter_mut().zip(0..) {
        loop {
            let text = client.next_text().await;
            let Some(stamp) = Stamp::find(text.as_bytes()) else { break };
            let content = serde_json::from_str::<Value>(&text)?;
            let coordinates = content.pointer("/content/geometry/coordinates");
            let coordinates = coordinates.ok_or("a feature without coordinates")?;
            let got: Vec<[f64; 2]> = serde_json::from_value(coordinates.clone())?;
            let right = landscape.projected(number, stamp.number)?;
            let is_near = |(a, b): (&[f64; 2], &[f64; 2])| {
                a.iter().zip(b).all(|(a, b)| (a - b).abs() < TOLERANCE)
            };
            if got.len() != right.len() || !got.iter().zip(&right).all(is_near) {
                return Err(format!("viewer {number} got wrong coordinates: {text}").into());
            }
            hits.get_mut(stamp.number as usize).ok_or("an unknown feature")?.push(number);
        }
    }
    for (feature, hits) in (0..).zip(&hits) {
        for (viewer, number) in landscape.viewers.iter().zip(0..) {
            let line = landscape.projected(number, feature)?;
            let inside = grown(viewer.bounds, -TOLERANCE);
            let must = line.iter().any(|&[x, y]| {
                inside.left < x && x < inside.right && inside.bottom < y && y < inside.top
            });
            let may = grown(viewer.bounds, TOLERANCE).touch(&around(&line));
            let has = hits.contains(&number);
            if must && !has || has && !may {
                return Err(format!("feature {feature} for viewer {number}: has it: {has}").into());
            }
        }
    }
    Ok(hits)
}

fn grown(bounds: Bounds, by: f64) -> Bounds {
    let Bounds { left, bottom, right, top } = bounds;
    Bounds { left: left - by, bottom: bottom - by, right: right + by, top: top + by }
}

fn around(line: &[[f64; 2]]) -> Bounds {
    line.iter().fold(Bounds::NOTHING, |all, &[x, y]| {
        all.around(&Bounds { left: x, bottom: y, right: x, top: y })
    })
}
