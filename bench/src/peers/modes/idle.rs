use std::thread;
use std::time::Duration;

use super::USUAL;
use crate::Result;
use crate::peers::bout::{Bout, Extent, Figure, micros};
use crate::peers::load::flow::Flow;
use crate::peers::load::ledger::Ledger;

const CLIENTS: u32 = 10_000;
/// For what a server does afterwards.
const PAUSE: Duration = Duration::from_millis(500);

/// Ten thousand with one subscription each, who get nothing.
pub(super) fn measure(bout: &Bout<'_>, _: Extent) -> Result<Vec<Figure>> {
    // What a server needs for the first client is not the price of each.
    bout.flow(1, 1, USUAL, |_| Ok(()))?;
    thread::sleep(PAUSE);
    let (before, began) = (bout.server.accounts.memory()?, bout.cpu()?);
    let dialect = bout.contender.dialect;
    let mut clients = bout.open(CLIENTS, |_| dialect.subscribe([0]))?;
    thread::sleep(PAUSE);
    let (after, spent) = (bout.server.accounts.memory()?, bout.cpu()?.saturating_sub(began));
    let ledger = |from| Ledger::new((0..CLIENTS).map(|_| 0..1), from);
    let mut publisher = bout.publisher()?;
    let (clients, publisher) = (&mut clients, &mut publisher);
    Flow { clients, publisher, ledger: ledger(0), payload: USUAL }.warm_up(ledger)?;
    let each = f64::from(CLIENTS);
    let what = "idle connection with one subscription";
    Ok(vec![
        Figure::plain(format!("{what}: RSS, KiB"), (after.rss - before.rss) / each),
        Figure::plain(format!("{what}: PSS, KiB"), (after.pss - before.pss) / each),
        Figure::cost(format!("{what}: CPU µs to connect"), micros(spent, u64::from(CLIENTS))),
    ])
}
