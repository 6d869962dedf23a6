mod contender;
mod contenders;
mod data;
mod spent;
mod traffic;
mod workloads;

use std::sync::Arc;
use std::time::Duration;

use redwire_test::RedisServer;
use tokio::runtime::Builder;

use crate::Result;
use crate::table::{Table, figure};
use contenders::CONTENDERS;
use data::Entry;
use spent::Spent;
use workloads::Workload;

/// How long a run is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// How often each contender has its turn at each workload.
    rounds: usize,
    /// How long a turn is.
    turn: Duration,
}

impl Extent {
    pub(crate) const FULL: Self = Self { rounds: 11, turn: Duration::from_millis(250) };
    /// Shows that everything runs; its figures mean nothing.
    pub(crate) const QUICK: Self = Self { rounds: 1, turn: Duration::from_millis(10) };
}

/// What a command and a message cost the process that sends and receives them, with redwire-client
/// and with others.
pub(crate) fn run(extent: Extent) -> Result<Table> {
    Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(compare(extent))
}

async fn compare(extent: Extent) -> Result<Table> {
    let redis = Arc::new(RedisServer::start().await);
    for entry in Entry::all() {
        redis.command(&[b"SET", entry.key.as_bytes(), &entry.value]).await;
    }
    let mut table = Table::new(&[
        "workload",
        "client",
        "a second",
        "CPU s a million",
        "rate / raw",
        "CPU / raw",
    ]);
    for workload in Workload::ALL {
        let mut turns = CONTENDERS.map(|_| Vec::with_capacity(extent.rounds));
        for _ in 0..extent.rounds {
            for (contender, turns) in CONTENDERS.iter().zip(&mut turns) {
                turns.push(contender.turn(workload, redis.clone(), extent.turn).await?);
            }
        }
        for (contender, turns_of) in CONTENDERS.iter().zip(&turns) {
            table.row([workload.to_string(), contender.name.into()].into_iter().chain([
                figure(median(turns_of.iter().map(Spent::rate))),
                figure(median(turns_of.iter().map(Spent::cpu_microseconds))),
                figure(median(ratios(turns_of, raw(&turns), Spent::rate))),
                figure(median(ratios(turns_of, raw(&turns), Spent::cpu_microseconds))),
            ]));
        }
    }
    Ok(table)
}

/// The turns of the one whom all are compared with.
fn raw(turns: &[Vec<Spent>]) -> &[Spent] {
    let place = CONTENDERS.iter().position(|contender| contender.is_the_measure);
    place.and_then(|place| turns.get(place)).map_or(&[], Vec::as_slice)
}

/// Round by round, so that what else the machine did in a round is in both figures.
fn ratios(turns: &[Spent], raw: &[Spent], figure: fn(&Spent) -> f64) -> impl Iterator<Item = f64> {
    turns.iter().zip(raw).map(move |(turn, raw)| figure(turn) / figure(raw))
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<_> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workload fails if any reply, element or message is another than it should be.
    #[test]
    fn every_client_does_every_workload_and_reads_the_right_values() {
        let table = run(Extent::QUICK).unwrap().to_string();
        for contender in CONTENDERS {
            let rows = table.lines().filter(|row| row.contains(&format!("| {} |", contender.name)));
            assert_eq!(rows.count(), Workload::ALL.len(), "{table}");
        }
        assert!(!table.contains("NaN") && !table.contains("inf"), "{table}");
    }
}
