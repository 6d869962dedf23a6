use std::time::Duration;

use crate::Result;
use crate::peers::bout::{Bout, Extent, Figure, micros};
use crate::peers::contenders::FLOOR;
use crate::peers::load::payload::Payload;

const CLIENTS: u32 = 1_000;
/// 20,000 deliveries a second.
const INTERVAL: Duration = Duration::from_millis(50);
/// A divisor of all numbers of messages, so that all have the same mean size.
const FEATURES: usize = 10;

/// The same messages to clients who offer no compression, and to clients who do.
pub(super) fn measure(bout: &Bout<'_>, extent: Extent) -> Result<Vec<Figure>> {
    let mut figures = half(bout, extent, false)?;
    // Which knows of no offers.
    if bout.contender.name != FLOOR {
        figures.extend(half(bout, extent, true)?);
    }
    Ok(figures)
}

fn half(bout: &Bout<'_>, extent: Extent, deflated: bool) -> Result<Vec<Figure>> {
    let subscribe = bout.contender.dialect.subscribe([0]);
    let script = if deflated { subscribe.offer_deflate() } else { subscribe };
    let mut clients = bout.open(CLIENTS, |_| script.clone())?;
    // 1 to 2 KB.
    let payload = Payload::trajectories((0..FEATURES).map(|number| 16 + 4 * number));
    bout.flow_to(&mut clients, 1, payload, |flow| {
        let messages = |time: Duration| (time.as_millis() / INTERVAL.as_millis()) as u32;
        flow.pace(messages(extent.warm_up), INTERVAL)?;
        let (before, arrived) = (bout.cpu()?, flow.ledger.tally().arrived);
        let received = flow.clients.received();
        flow.pace(messages(extent.turn), INTERVAL)?;
        let spent = bout.cpu()?.saturating_sub(before);
        let deliveries = flow.ledger.tally().arrived - arrived;
        let bytes = (flow.clients.received() - received) as f64 / deliveries as f64;
        let what = "1,000 clients, messages of 1 to 2 KB";
        let how = if deflated { "compressed" } else { "plain" };
        let mut figures = vec![
            Figure::plain(format!("{what}, {how}: bytes on the wire a delivery"), bytes),
            Figure::cost(format!("{what}, {how}: CPU µs a delivery"), micros(spent, deliveries)),
        ];
        figures.extend(Figure::faults(flow.ledger.tally()));
        Ok(figures)
    })
}
