use super::USUAL;
use crate::Result;
use crate::peers::bout::{Bout, Extent, Figure, micros};
use crate::peers::load::ledger::MOST_OUTSTANDING;
use crate::table::figure;

/// One channel with so many clients, of whom the slowest is up to 64 messages behind.
pub(super) fn measure(bout: &Bout<'_>, extent: Extent, clients: u32) -> Result<Vec<Figure>> {
    let what = format!("{} clients, saturated", figure(f64::from(clients)));
    flood(bout, extent, clients, 1, &what)
}

/// As many channels as clients, with 20,000 messages on their way, as is usual for one channel.
pub(super) fn channels(bout: &Bout<'_>, extent: Extent) -> Result<Vec<Figure>> {
    flood(bout, extent, 1_000, 1_000, "1,000 clients on 1,000 channels, saturated")
}

fn flood(
    bout: &Bout<'_>,
    extent: Extent,
    clients: u32,
    channels: u32,
    what: &str,
) -> Result<Vec<Figure>> {
    let outstanding = if channels == 1 { MOST_OUTSTANDING } else { 20 };
    bout.flow(clients, channels, USUAL, |flow| {
        let mut marks = Vec::new();
        let mark = || {
            marks.push(bout.cpu()?);
            Ok(())
        };
        let stretch = flow.saturate(outstanding, extent.warm_up, extent.turn, mark)?;
        let [before, after] = *marks else { return Err("no marks".into()) };
        let rate = stretch.deliveries as f64 / stretch.taken.as_secs_f64();
        let mut figures = vec![
            Figure::cost(
                format!("{what}: CPU µs a delivery"),
                micros(after.saturating_sub(before), stretch.deliveries),
            ),
            Figure::rate(format!("{what}: deliveries/s"), rate),
        ];
        figures.extend(Figure::faults(flow.ledger.tally()));
        Ok(figures)
    })
}
