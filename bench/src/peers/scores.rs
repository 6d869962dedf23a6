use std::collections::HashMap;

use super::bout::{Axis, Figure, Kind};
use crate::table::{Table, count, figure};

/// The figures of all contenders in all rounds.
#[derive(Debug, Default)]
pub(crate) struct Scores {
    /// In the order in which they first came.
    measures: Vec<(String, Kind)>,
    /// By measure and contender, a number for each round.
    figures: HashMap<(String, &'static str), HashMap<usize, f64>>,
}

impl Scores {
    pub(crate) fn add(&mut self, contender: &'static str, round: usize, figures: Vec<Figure>) {
        for Figure { measure, kind, value } in figures {
            if !self.measures.iter().any(|(known, _)| *known == measure) {
                self.measures.push((measure.clone(), kind));
            }
            let rounds = self.figures.entry((measure, contender)).or_default();
            let old = rounds.entry(round).or_default();
            *old = if kind == Kind::Fault { *old + value } else { value };
        }
    }

    /// What a delivery costs this contender, by what grows along the axis.
    pub(crate) fn curve(&self, contender: &'static str, axis: Axis) -> Vec<(f64, f64)> {
        let points = self.measures.iter().filter_map(|(measure, kind)| {
            let Kind::Point(of, at) = *kind else { return None };
            let rounds = self.figures.get(&(measure.clone(), contender))?;
            (of == axis).then(|| (at as f64, median(rounds.values().copied())))
        });
        points.collect()
    }

    /// A row for each measure and a column for each contender; in parentheses the ratio to `floor`.
    pub(crate) fn table(&self, contenders: &[&'static str], floor: &str) -> Table {
        let mut table = Table::new(&[&["measure"], contenders].concat());
        let (faults, others): (Vec<_>, Vec<_>) =
            self.measures.iter().partition(|(_, kind)| *kind == Kind::Fault);
        for (measure, kind) in others.into_iter().chain(faults) {
            let cells = contenders.iter().map(|contender| {
                let Some(rounds) = self.figures.get(&(measure.clone(), contender)) else {
                    return "–".to_owned();
                };
                if *kind == Kind::Fault {
                    return count(rounds.values().sum::<f64>() as u64);
                }
                let value = figure(median(rounds.values().copied()));
                let floor =
                    self.figures.iter().find(|((of, who), _)| of == measure && *who == floor);
                let Some((_, floor)) = floor.filter(|_| *kind != Kind::Plain) else { return value };
                // Round by round, so that what else the machine did in a round is in both figures.
                let ratios = rounds.iter().filter_map(|(round, it)| Some(it / floor.get(round)?));
                format!("{value} ({:.2})", median(ratios))
            });
            table.row([measure.clone()].into_iter().chain(cells));
        }
        table
    }
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<_> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
