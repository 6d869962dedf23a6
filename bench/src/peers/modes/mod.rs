mod compression;
mod get;
mod growth;
mod herd;
mod idle;
mod landscape;
mod one_at_a_time;
mod oracle;
mod saturation;
mod slow;
mod viewers;

use tokio::runtime::Runtime;

use super::bout::{Bout, Extent, Figure};
use super::contenders::{CACHE, Contender, FLOOR, LAYERS, Load};
use super::dialect::Dialect;
use super::load::payload::Payload;
use crate::Result;

/// Bytes of a message, if nothing else is said.
const SIZE: usize = 200;
const USUAL: Payload = Payload::Padded(SIZE);

/// As many rounds as there are.
const ALL: usize = usize::MAX;

/// Whose growth is measured: the ends of the scale, and the closest peer.
const COMPARED: [&str; 3] = [FLOOR, "redwire", "uWebSockets.js"];

/// Who compresses messages, and who shows what they cost as they are.
const COMPRESSING: [&str; 4] = [FLOOR, "redwire", "uWebSockets.js", "ws"];

/// Where a client that does not read is seen beside others.
const SLOW: &str = "slow";

/// Where much is read.
const GET: &str = "get";
const HERD: &str = "herd";

/// Something that is measured of every contender.
#[derive(Debug)]
pub(crate) struct Mode {
    pub(crate) name: &'static str,
    load: Load,
    /// At most.
    pub(crate) rounds: usize,
    suits: fn(&Contender) -> bool,
    measure: fn(&Bout<'_>, Extent) -> Result<Vec<Figure>>,
}

pub(crate) const MODES: [Mode; 11] = [
    Mode {
        name: "one-at-a-time",
        load: Load::OneAtATime,
        rounds: ALL,
        suits: |_| true,
        measure: one_at_a_time::measure,
    },
    Mode {
        name: "saturation",
        load: Load::Saturated,
        rounds: ALL,
        suits: |_| true,
        measure: |bout, extent| saturation::measure(bout, extent, 1_000),
    },
    Mode {
        name: "saturation-5000",
        load: Load::Saturated,
        rounds: ALL,
        suits: |_| true,
        measure: |bout, extent| saturation::measure(bout, extent, 5_000),
    },
    Mode {
        name: "channels",
        load: Load::Saturated,
        rounds: ALL,
        suits: |contender| contender.dialect.has_channels(),
        measure: saturation::channels,
    },
    Mode {
        name: GET,
        load: Load::OneAtATime,
        rounds: ALL,
        suits: |contender| contender.dialect.get("", 0).is_some(),
        measure: get::measure,
    },
    Mode {
        name: "idle",
        load: Load::OneAtATime,
        rounds: ALL,
        suits: |_| true,
        measure: idle::measure,
    },
    Mode {
        name: "viewers",
        load: Load::OneAtATime,
        rounds: 1,
        suits: |contender| contender.dialect == Dialect::Redwire,
        measure: viewers::measure,
    },
    Mode {
        name: SLOW,
        load: Load::OneAtATime,
        rounds: 1,
        suits: |contender| contender.dialect.has_channels(),
        measure: slow::measure,
    },
    Mode {
        name: HERD,
        load: Load::OneAtATime,
        rounds: ALL,
        suits: |contender| contender.dialect.come_back(0, 0).is_some(),
        measure: herd::measure,
    },
    Mode {
        name: "compression",
        load: Load::Compressed,
        rounds: ALL,
        suits: |contender| COMPRESSING.contains(&contender.name),
        measure: compression::measure,
    },
    Mode {
        name: "growth",
        load: Load::OneAtATime,
        rounds: 1,
        suits: |contender| COMPARED.contains(&contender.name),
        measure: growth::measure,
    },
];

impl Mode {
    pub(crate) fn suits(&self, contender: &Contender) -> bool {
        // Elsewhere they are the same as redwire.
        let differs = match contender.name {
            LAYERS => self.name == SLOW,
            CACHE => [GET, HERD].contains(&self.name),
            _ => true,
        };
        differs && (self.suits)(contender)
    }

    /// One turn of one contender.
    pub(crate) fn turn(
        &self,
        runtime: &Runtime,
        contender: &Contender,
        extent: Extent,
    ) -> Result<Vec<Figure>> {
        (self.measure)(&Bout::start(runtime, contender, self.load)?, extent)
    }
}
