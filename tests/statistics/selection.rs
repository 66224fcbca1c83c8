//! What a selection promises, measured on problems whose truth is known: grids of settings with many replications each, from
//! which experiments draw with replacement.
//!
//! The data are three grids of a threshold autoscaler with a cold start of 45 s before lognormal service of 500 ms (cv 1),
//! promised within 3 s: `grid30` and `grid300` under traffic in two states for an hour, `gridday` under six hours with spikes.
//! A line holds the requests of each replication; then a line for each setting holds its share of misses (1e-5) and its cost
//! (1e-3), three characters each, on common random numbers. Promises of other shares make other problems of the same grid.

use kneepoint::internals::stats::{Kept, Observation, Plan, Selection, Step};

const GRIDS: [(&str, &str); 3] = [
    ("grid30", include_str!("selection/grid30.txt")),
    ("gridday", include_str!("selection/gridday.txt")),
    ("grid300", include_str!("selection/grid300.txt")),
];

/// The problems: a grid and the share promised.
const PROBLEMS: [(&str, f64); 8] = [
    ("grid30", 0.985),
    ("grid30", 0.97),
    ("grid30", 0.95),
    ("gridday", 0.97),
    ("gridday", 0.98),
    ("gridday", 0.96),
    ("grid300", 0.985),
    ("grid300", 0.95),
];

const REPEATS: u64 = 100;

/// Up to so many replications of a candidate the best setting is decidable: a setting within 3 % of its cost can be told.
const DECIDABLE: f64 = 100.0;

struct Grid {
    served: Vec<f64>,
    missed: Vec<Vec<f64>>,
    cost: Vec<Vec<f64>>,
}

impl Grid {
    fn of(name: &str) -> Grid {
        let text = GRIDS.iter().find(|(known, _)| *known == name).unwrap().1;
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

    fn share(&self, setting: usize) -> f64 {
        self.missed[setting].iter().sum::<f64>() / self.served.iter().sum::<f64>()
    }

    fn mean_cost(&self, setting: usize) -> f64 {
        self.cost[setting].iter().sum::<f64>() / self.served.len() as f64
    }

    /// The cost of the cheapest that truly keeps the promise, and the replications that it takes to tell one within 3 % of it.
    fn truth(&self, promised: f64) -> (f64, f64) {
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

    fn observation(&self, setting: usize, replication: usize) -> Observation {
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
fn drawn(repeat: u64, stream: u64, number: u32, of: usize) -> usize {
    let mut z = (repeat << 40 ^ stream << 32 ^ u64::from(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    for shift in [30, 27, 31] {
        z = (z ^ (z >> shift)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    }
    (z >> 11) as usize % of
}

#[derive(Default, Debug)]
struct Outcome {
    confirmed: u64,
    wrong: u64,
    near: u64,
    /// Not near, but the cheaper settings that were not decided are named.
    named: u64,
    simulated: u64,
    /// What a grid takes whose settings are all as precise as the one confirmed.
    grid: u64,
}

fn experiment(grid: &Grid, promised: f64, repeat: u64, outcome: &mut Outcome) {
    let (best, _) = grid.truth(promised);
    let plan = Plan {
        allowed: vec![1.0 - promised],
        error: 0.05,
        race: (5, 160),
        looks: Plan::LOOKS.to_vec(),
        fresh: u32::MAX,
    };
    let settings = grid.missed.len();
    let mut selection = Selection::new(settings, plan);
    loop {
        match selection.next_step() {
            Step::Simulate(batches) => {
                for batch in batches {
                    outcome.simulated += batch.replications.len() as u64;
                    let stream = batch.proposal.map_or(0, |proposal| u64::from(proposal) + 1);
                    let each = batch.replications.clone().map(|number| {
                        grid.observation(batch.setting, drawn(repeat, stream, number, grid.served.len()))
                    });
                    selection.tell(&batch, each.collect::<Vec<_>>());
                }
            }
            Step::Confirmed { setting, replications, .. } => {
                let near = grid.mean_cost(setting) <= 1.03 * best;
                outcome.confirmed += 1;
                outcome.wrong += u64::from(grid.share(setting) > 1.0 - promised);
                outcome.near += u64::from(near);
                let cheaper =
                    selection.open().any(|(other, _)| grid.mean_cost(other) < grid.mean_cost(setting));
                outcome.named += u64::from(!near && (cheaper || !selection.undecided().is_empty()));
                outcome.grid += u64::from(replications) * settings as u64;
                return;
            }
            Step::Unconfirmed => {
                outcome.grid += 640 * settings as u64;
                return;
            }
        }
    }
}

/// Fails where a setting is confirmed by the replications that chose it (of these 43 to 5 % are wrong), where limits do not
/// hold their level or the error is not divided over looks and proposals, where good settings are lost in the race, and where
/// it takes much more than that.
#[test]
fn a_recommendation_keeps_its_promise_and_is_the_cheapest_where_that_can_be_told() {
    let (mut simulated, mut full, mut decidable) = (0, 0, 0);
    let mut failed = Vec::new();
    for (name, promised) in PROBLEMS {
        let grid = Grid::of(name);
        let (_, need) = grid.truth(promised);
        let mut outcome = Outcome::default();
        (0..REPEATS).for_each(|repeat| experiment(&grid, promised, repeat, &mut outcome));
        println!("{name} at {promised}: need {need:.0}, {outcome:?}");
        // Elsewhere what is cheaper and could not be decided is named.
        let near = if need <= DECIDABLE { outcome.near } else { outcome.near + outcome.named };
        decidable += u32::from(need <= DECIDABLE);
        if outcome.confirmed < 95 || outcome.wrong > 5 || near < 95 {
            failed.push(format!("{name} at {promised}, need {need:.0}: {outcome:?}"));
        }
        simulated += outcome.simulated;
        full += outcome.grid;
    }
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(decidable >= 5, "{decidable}");
    // A fifth of the runs of grids whose settings are all as precise as the ones confirmed.
    assert!(5 * simulated <= full, "{simulated} of {full}");
}
