use std::time::Instant;

use super::SIZE;
use crate::Result;
use crate::peers::bout::{Bout, Extent, Figure, micros};
use crate::peers::load::clients::Clients;
use crate::peers::load::flow::name;
use crate::peers::load::stamp::Stamp;

const CLIENTS: u32 = 10_000;

/// Ten thousand come back together, and each wants the same: a field, and what is published from now on.
pub(super) fn measure(bout: &Bout<'_>, _: Extent) -> Result<Vec<Figure>> {
    let value = Stamp { sent: 0, number: 0, channel: 0 }.payload(SIZE);
    bout.redis(&[b"HSET", name(0).as_bytes(), b"0", &value]);
    let script = bout.contender.dialect.come_back(0, 0).ok_or("it has no GET")?;
    let (cpu, reads) = (bout.cpu()?, bout.reads());
    let (mut clients, began) = (Clients::none()?, Instant::now());
    let scripts = (0..CLIENTS).map(|_| script.clone());
    clients.open(bout.server.address, scripts, CLIENTS as usize, |_, _| ())?;
    let taken = began.elapsed();
    let (cpu, reads) = (bout.cpu()?.saturating_sub(cpu), bout.reads() - reads);
    let what = "10,000 at once, each SUB and GET of one key";
    Ok(vec![
        Figure::plain(format!("{what}: until all are live, s"), taken.as_secs_f64()),
        Figure::plain(format!("{what}: reads from Redis"), reads as f64),
        Figure::plain(format!("{what}: CPU µs each"), micros(cpu, u64::from(CLIENTS))),
    ])
}
