use std::time::Duration;

use crate::Result;
use crate::peers::bout::{Axis, Bout, Extent, Figure, micros};
use crate::peers::load::payload::Payload;

/// Deliveries a second, unless that would be more bytes than this.
const RATE: u64 = 20_000;
const BYTES: u64 = 100_000_000;

struct Point {
    axis: Axis,
    clients: u32,
    channels: u32,
    size: usize,
}

/// How the cost of a delivery changes as one thing grows.
pub(super) fn measure(bout: &Bout<'_>, extent: Extent) -> Result<Vec<Figure>> {
    let clients = [100, 1_000, 10_000].map(|clients| (Axis::Clients, clients, 1, 200));
    let channels =
        [1, 10, 100, 1_000, 10_000].map(|channels| (Axis::Channels, 10_000, channels, 200));
    let sizes = [100, 1_000, 10_000, 100_000].map(|size| (Axis::Size, 1_000, 1, size));
    let mut figures = Vec::new();
    for (axis, clients, channels, size) in clients.into_iter().chain(channels).chain(sizes) {
        // Without subscriptions, everybody gets everything.
        if axis == Axis::Channels && !bout.contender.dialect.has_channels() {
            continue;
        }
        figures.push(point(bout, extent, &Point { axis, clients, channels, size })?);
    }
    Ok(figures)
}

fn point(bout: &Bout<'_>, extent: Extent, point: &Point) -> Result<Figure> {
    let Point { axis, clients, channels, size } = *point;
    let rate = RATE.min(BYTES / size as u64);
    let subscribers = u64::from(clients / channels);
    let interval = Duration::from_secs_f64(subscribers as f64 / rate as f64);
    let messages = |time: Duration| (time.as_secs_f64() / interval.as_secs_f64()).ceil() as u32;
    bout.flow(clients, channels, Payload::Padded(size), |flow| {
        flow.pace(messages(extent.warm_up), interval)?;
        let (before, arrived) = (bout.cpu()?, flow.ledger.tally().arrived);
        flow.pace(messages(extent.turn), interval)?;
        let spent = bout.cpu()?.saturating_sub(before);
        let at = match axis {
            Axis::Clients => u64::from(clients),
            Axis::Channels => u64::from(channels),
            Axis::Size => size as u64,
        };
        Ok(Figure::point(axis, at, micros(spent, flow.ledger.tally().arrived - arrived)))
    })
}
