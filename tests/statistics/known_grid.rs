//! Grids of settings whose truth is known: many replications of each, from which experiments draw with replacement.
//!
//! A line holds the requests of each replication; then a line for each setting holds its share of misses (1e-5) and its cost
//! (1e-3), three characters each, on common random numbers. Promises of other shares make other problems of the same grid.

use kneepoint::internals::recommend::first_replications;
use kneepoint::internals::stats::{Kept, Observation, Plan, Selection, Step};

/// Up to so many replications of a candidate the best setting is decidable: a setting within 3 % of its cost can be told.
pub const DECIDABLE: f64 = 100.0;

pub struct Grid {
    pub served: Vec<f64>,
    pub missed: Vec<Vec<f64>>,
    pub cost: Vec<Vec<f64>>,
}

impl Grid {
    pub fn of(text: &str) -> Grid {
        let mut lines = text.lines();
        let served: Vec<f64> = lines.next().unwrap().split(' ').map(|n| n.parse().unwrap()).collect();
        let (mut missed, mut cost) = (Vec::new(), Vec::new());
        for line in lines {
            let (of_misses, of_cost) = line.split_once(' ').unwrap();
            let shares =
                decoded(of_misses).into_iter().zip(&served).map(|(share, served)| share * 1e-5 * served);
            missed.push(shares.collect());
            cost.push(decoded(of_cost).into_iter().map(|cost| cost * 1e-3).collect());
        }
        Grid { served, missed, cost }
    }

    pub fn share(&self, setting: usize) -> f64 {
        self.missed[setting].iter().sum::<f64>() / self.served.iter().sum::<f64>()
    }

    pub fn mean_cost(&self, setting: usize) -> f64 {
        self.cost[setting].iter().sum::<f64>() / self.served.len() as f64
    }

    /// The cost of the cheapest that truly keeps the promise, and the replications that it takes to tell one within 3 % of it.
    pub fn truth(&self, promised: f64) -> (f64, f64) {
        let keeps = |setting: &usize| self.share(*setting) <= 1.0 - promised;
        let kept: Vec<usize> = (0..self.missed.len()).filter(keeps).collect();
        let best = kept.iter().map(|setting| self.mean_cost(*setting)).fold(f64::INFINITY, f64::min);
        let need = |setting: &usize| {
            let shares =
                self.missed[*setting].iter().zip(&self.served).map(|(missed, served)| missed / served);
            let shares: Vec<f64> = shares.collect();
            let mean = shares.iter().sum::<f64>() / shares.len() as f64;
            let variance =
                shares.iter().map(|share| (share - mean).powi(2)).sum::<f64>() / (shares.len() - 1) as f64;
            6.25 * variance / (1.0 - promised - self.share(*setting)).powi(2)
        };
        let near = kept.iter().filter(|setting| self.mean_cost(**setting) <= 1.03 * best);
        (best, near.map(need).fold(f64::INFINITY, f64::min))
    }

    pub fn observation(&self, setting: usize, replication: usize) -> Observation {
        let kept = Kept { missed: self.missed[setting][replication], counted: self.served[replication] };
        Observation { promises: vec![kept], cost: self.cost[setting][replication] }
    }
}

fn decoded(text: &str) -> Vec<f64> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |byte: &u8| DIGITS.iter().position(|digit| digit == byte).unwrap();
    let number = |three: &[u8]| three.iter().fold(0, |number, byte| 64 * number + digit(byte)) as f64;
    text.as_bytes().chunks(3).map(number).collect()
}

/// The replication that is drawn: the same for all settings, and another one for each proposal.
pub fn drawn(repeat: u64, stream: u64, number: u32, of: usize) -> usize {
    let mut z = (repeat << 40 ^ stream << 32 ^ u64::from(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    for shift in [30, 27, 31] {
        z = (z ^ (z >> shift)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    }
    (z >> 11) as usize % of
}

/// What came of repeated experiments.
#[derive(Default, Debug)]
pub struct Outcome {
    pub confirmed: u64,
    pub wrong: u64,
    pub near: u64,
    /// Not near, but the cheaper settings that were not decided are named.
    pub named: u64,
    pub simulated: u64,
    /// What a grid takes whose settings are all as precise as the one confirmed.
    pub grid: u64,
}

impl Outcome {
    /// Whether what is promised of a recommendation holds in 95 of 100: confirmed, not wrong, and within 3 % of the cheapest
    /// where that can be told; elsewhere what is cheaper and could not be decided is named.
    pub fn holds(&self, repeats: u64, need: f64) -> bool {
        let near = if need <= DECIDABLE { self.near } else { self.near + self.named };
        let most = |count: u64| 100 * count >= 95 * repeats;
        most(self.confirmed) && most(repeats - self.wrong) && most(near)
    }
}

/// How much may be spent on one of these problems.
pub fn plan(grid: &Grid, promised: f64) -> Plan {
    Plan {
        allowed: vec![1.0 - promised],
        error: 0.05,
        race: (first_replications(grid.missed.len() as f64), 160),
        looks: Plan::LOOKS.to_vec(),
        fresh: u32::MAX,
    }
}

/// Selects among `settings` of a grid as `recommend` does, and adds what that comes to.
pub fn select(grid: &Grid, settings: &[usize], (promised, repeat): (f64, u64), outcome: &mut Outcome) {
    select_by(plan(grid, promised), grid, settings, (promised, repeat), outcome);
}

/// The same by another plan.
pub fn select_by(
    plan: Plan,
    grid: &Grid,
    settings: &[usize],
    (promised, repeat): (f64, u64),
    outcome: &mut Outcome,
) {
    let (best, _) = grid.truth(promised);
    let mut selection = Selection::new(settings.len(), plan);
    let all = grid.missed.len() as u64;
    loop {
        match selection.next_step() {
            Step::Simulate(batches) => {
                for batch in batches {
                    outcome.simulated += batch.replications.len() as u64;
                    let stream = batch.proposal.map_or(0, |proposal| u64::from(proposal) + 1);
                    let each = batch.replications.clone().map(|number| {
                        let replication = drawn(repeat, stream, number, grid.served.len());
                        grid.observation(settings[batch.setting], replication)
                    });
                    selection.tell(&batch, each.collect::<Vec<_>>());
                }
            }
            Step::Confirmed { setting, replications, .. } => {
                let cost = grid.mean_cost(settings[setting]);
                let near = cost <= 1.03 * best;
                outcome.confirmed += 1;
                outcome.wrong += u64::from(grid.share(settings[setting]) > 1.0 - promised);
                outcome.near += u64::from(near);
                let cheaper = selection.open().any(|other| grid.mean_cost(settings[other]) < cost);
                outcome.named += u64::from(!near && (cheaper || !selection.undecided().is_empty()));
                outcome.grid += u64::from(replications) * all;
                return;
            }
            Step::Unconfirmed => {
                outcome.grid += 640 * all;
                return;
            }
        }
    }
}
