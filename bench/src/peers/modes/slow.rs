use std::time::{Duration, Instant};

use crate::Result;
use crate::peers::bout::{Bout, Extent, Figure};
use crate::peers::load::clients::Clients;
use crate::peers::load::flow::Flow;
use crate::peers::load::ledger::Ledger;
use crate::peers::load::payload::Payload;

const CHANNELS: u32 = 10;
const SLOW: u32 = 10;
const OTHERS: u32 = 990;
/// Of each channel.
const FEATURES: usize = 10;
/// A feature has 20 kB then. That is 2 MB/s on all channels together, and 200 MB/s to those who read.
const VERTICES: usize = 850;
const INTERVAL: Duration = Duration::from_millis(10);
const SILENCE: Duration = Duration::from_secs(2);
/// How long it may take the slow ones to read what has been kept for them.
const PATIENCE: Duration = Duration::from_secs(15);

/// Ten of a thousand subscribe to everything and stop reading; in the end they read again.
pub(super) fn measure(bout: &Bout<'_>, extent: Extent) -> Result<Vec<Figure>> {
    let payload = Payload::trajectories([VERTICES; FEATURES]);
    bout.flow(OTHERS, CHANNELS, payload, |flow| {
        let usual = latency(flow, extent.turn)?;
        let mut slow = Clients::none()?;
        let dialect = bout.contender.dialect;
        let scripts = (0..SLOW).map(|_| dialect.subscribe(0..CHANNELS));
        slow.open(bout.server.address, scripts, SLOW as usize, |_, _| ())?;
        let first = flow.ledger.next(0);
        let mut kept = Ledger::new((0..SLOW).map(|_| 0..CHANNELS), first);
        // Of a layer they first get what there is.
        read_up(&mut slow, &mut kept)?;
        let before = bout.server.accounts.memory()?.rss;
        let others = latency(flow, extent.turn * 13)?;
        let growth = bout.server.accounts.memory()?.rss - before;
        read_up(&mut slow, &mut kept)?;
        let open = SLOW as usize - slow.lost();
        let is_current = |slow: u32| {
            (0..CHANNELS).all(|channel| kept.has_reached(slow, channel, flow.ledger.next(channel)))
        };
        let current = (0..SLOW).filter(|slow| is_current(*slow)).count();
        let published = (0..CHANNELS).map(|channel| flow.ledger.next(channel) - first).sum::<u32>();
        let share = kept.tally().arrived as f64 / f64::from(published * SLOW);
        let what = "10 of 1,000 stop reading while 2 MB/s flow";
        let mut figures = vec![
            Figure::plain(format!("{what}: RSS grows by, MB"), growth * 1024.0 / 1e6),
            Figure::plain(format!("{what}: still open when they read again, of 10"), open as f64),
            Figure::plain(format!("{what}: messages that they got in the end, %"), share * 100.0),
            Figure::plain(format!("{what}: who have the newest message, of 10"), current as f64),
            Figure::plain(format!("{what}: the others' p99, ms"), others),
            Figure::plain("the same without them: p99, ms", usual),
        ];
        figures.extend(Figure::faults(flow.ledger.tally()));
        Ok(figures)
    })
}

/// The 99th percentile in milliseconds, with messages for so long.
fn latency(flow: &mut Flow<'_>, time: Duration) -> Result<f64> {
    flow.ledger.watch_latency()?;
    flow.pace((time.as_millis() / INTERVAL.as_millis()) as u32, INTERVAL)?;
    let latency = flow.ledger.latency().ok_or("no latency")?;
    Ok(latency.value_at_quantile(0.99) as f64 / 1e6)
}

/// Reads until nothing more comes.
fn read_up(slow: &mut Clients, kept: &mut Ledger) -> Result<()> {
    let began = Instant::now();
    let (mut received, mut progress) = (0, began);
    while progress.elapsed() < SILENCE && began.elapsed() < PATIENCE {
        slow.turn(Duration::from_millis(10), |client, frame| kept.take(client, frame))?;
        if slow.received() > received {
            (received, progress) = (slow.received(), Instant::now());
        }
    }
    Ok(())
}
