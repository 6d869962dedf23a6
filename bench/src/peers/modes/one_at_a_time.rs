use std::time::Duration;

use super::USUAL;
use crate::Result;
use crate::peers::bout::{Bout, Extent, Figure, micros};

const CLIENTS: u32 = 1_000;
/// 20,000 deliveries a second.
const INTERVAL: Duration = Duration::from_millis(50);

/// Nothing waits behind anything else, so each delivery is a write of its own.
pub(super) fn measure(bout: &Bout<'_>, extent: Extent) -> Result<Vec<Figure>> {
    bout.flow(CLIENTS, 1, USUAL, |flow| {
        let messages = |time: Duration| (time.as_millis() / INTERVAL.as_millis()) as u32;
        flow.pace(messages(extent.warm_up), INTERVAL)?;
        flow.ledger.watch_latency()?;
        let (before, arrived) = (bout.cpu()?, flow.ledger.tally().arrived);
        flow.pace(messages(extent.turn), INTERVAL)?;
        let spent = bout.cpu()?.saturating_sub(before);
        let tally = flow.ledger.tally();
        let latency = flow.ledger.latency().ok_or("no latency")?;
        let at = |quantile| latency.value_at_quantile(quantile) as f64 / 1e6;
        let what = "1,000 clients, 20,000 deliveries/s";
        let mut figures = vec![
            Figure::cost(
                format!("{what}: CPU µs a delivery"),
                micros(spent, tally.arrived - arrived),
            ),
            Figure::cost(format!("{what}: latency p50, ms"), at(0.5)),
            Figure::cost(format!("{what}: latency p99, ms"), at(0.99)),
            Figure::cost(format!("{what}: latency p99.9, ms"), at(0.999)),
        ];
        figures.extend(Figure::faults(tally));
        Ok(figures)
    })
}
