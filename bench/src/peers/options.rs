use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use super::bout::Extent;
use super::contenders::{CONTENDERS, Contender};
use super::modes::{MODES, Mode};

/// redwire beside its peers
#[derive(Debug, Parser)]
#[command(name = "redwire-bench peers")]
pub(crate) struct Options {
    /// Shorter turns
    #[arg(long)]
    quick: bool,
    /// Rounds, in each of which everybody has a turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Contenders [default: all]
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = contenders())]
    only: Vec<String>,
    /// What is measured [default: all]
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = modes())]
    modes: Vec<String>,
    /// Draw what `growth` measured into this directory
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) plots: Option<PathBuf>,
}

fn contenders() -> Vec<&'static str> {
    CONTENDERS.iter().map(|contender| contender.name).collect()
}

fn modes() -> Vec<&'static str> {
    MODES.iter().map(|mode| mode.name).collect()
}

impl Options {
    pub(crate) fn extent(&self) -> Extent {
        let (warm_up, turn) = if self.quick { (300, 1_000) } else { (400, 1_500) };
        let [warm_up, turn] = [warm_up, turn].map(Duration::from_millis);
        Extent { rounds: self.rounds, warm_up, turn }
    }

    pub(crate) fn contenders(&self) -> Vec<&'static Contender> {
        const { &CONTENDERS }.iter().filter(|one| is_chosen(&self.only, one.name)).collect()
    }

    pub(crate) fn modes(&self) -> Vec<&'static Mode> {
        const { &MODES }.iter().filter(|one| is_chosen(&self.modes, one.name)).collect()
    }
}

fn is_chosen(chosen: &[String], name: &str) -> bool {
    chosen.is_empty() || chosen.iter().any(|one| one == name)
}
