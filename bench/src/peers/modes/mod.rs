mod get;
mod idle;
mod one_at_a_time;
mod saturation;

use tokio::runtime::Runtime;

use super::bout::{Bout, Extent, Figure};
use super::contenders::{Contender, Dialect, Load};
use crate::Result;

/// Bytes of a message, if nothing else is said.
const SIZE: usize = 200;

/// Something that is measured of every contender.
#[derive(Debug)]
pub(crate) struct Mode {
    pub(crate) name: &'static str,
    load: Load,
    suits: fn(&Contender) -> bool,
    measure: fn(&Bout<'_>, Extent) -> Result<Vec<Figure>>,
}

pub(crate) const MODES: [Mode; 6] = [
    Mode {
        name: "one-at-a-time",
        load: Load::OneAtATime,
        suits: |_| true,
        measure: one_at_a_time::measure,
    },
    Mode {
        name: "saturation",
        load: Load::Saturated,
        suits: |_| true,
        measure: |bout, extent| saturation::measure(bout, extent, 1_000),
    },
    Mode {
        name: "saturation-5000",
        load: Load::Saturated,
        suits: |_| true,
        measure: |bout, extent| saturation::measure(bout, extent, 5_000),
    },
    Mode {
        name: "channels",
        load: Load::Saturated,
        suits: |contender| contender.dialect != Dialect::Floor,
        measure: saturation::channels,
    },
    Mode { name: "get", load: Load::OneAtATime, suits: |_| true, measure: get::measure },
    Mode { name: "idle", load: Load::OneAtATime, suits: |_| true, measure: idle::measure },
];

impl Mode {
    pub(crate) fn suits(&self, contender: &Contender) -> bool {
        (self.suits)(contender)
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
