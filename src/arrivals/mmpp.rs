//! Markov-modulated Poisson arrivals: a rate that jumps between a few states.

use std::sync::Arc;

use rand::RngExt as _;
use rand_distr::{Distribution as _, Exp1};

use super::poisson::MAX_RATE;
use super::process::{Process, Stream};
use super::shape::PROFILE;
use crate::random::Rng;
use crate::schema::{Context, Key, Kind, Node, Problem, Reader, TableSpec, Value};
use crate::time::{Instant, Span};

const RATE: Key<f64> =
    Key::required("rate", "Requests per second in the state.").at_least(0.0).at_most(MAX_RATE);
const DURATION: Key<Span> =
    Key::required("duration", "Mean time in the state; each stay is exponential.").above(0.0);
const STATE: TableSpec =
    TableSpec { name: "state", doc: "A state of the arrivals.", keys: &[&RATE, &DURATION] };

const STATES: Key<Vec<State>> = Key::required("states", "The states: a rate and a mean duration each.");
const TRANSITIONS: Key<Option<Vec<Vec<f64>>>> = Key::optional(
    "transitions",
    "Row i holds the probabilities of each state to follow state i; left out, the states follow in turn.",
)
.at_least(0.0)
.at_most(1.0);

pub(super) const SPEC: TableSpec = TableSpec {
    name: "mmpp",
    doc: "Markov-modulated Poisson arrivals: Poisson at a rate that jumps between states, starting in steady state.",
    keys: &[&STATES, &TRANSITIONS, &PROFILE],
};

#[derive(Debug, Clone, Copy, PartialEq)]
struct State {
    rate: f64,
    duration: Span,
}

impl Value for State {
    fn kind() -> Kind {
        Kind::Table(const { &STATE })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &STATE, context)?;
        Ok(State { rate: reader.get(&RATE)?, duration: reader.get(&DURATION)? })
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mmpp {
    states: Vec<State>,
    /// Probabilities of the next state, one row per state.
    transitions: Vec<Vec<f64>>,
    /// Long-run share of time in each state.
    stationary: Vec<f64>,
}

pub(super) fn read(reader: &Reader) -> Result<Mmpp, Problem> {
    let states = reader.get(&STATES)?;
    if states.len() < 2 {
        let message = format!("`{}` has {}", reader.path_of("states"), states.len());
        let problem = reader.problem("states", message, "expected at least two states");
        return Err(problem.help("for one state use kind = \"poisson\""));
    }
    let transitions = match reader.find(&TRANSITIONS)? {
        Some(rows) => checked(reader, rows, states.len())?,
        None => in_turn(states.len()),
    };
    let visits = stationary(&transitions).ok_or_else(|| {
        let message = format!("`{}` leaves some state and never returns", reader.path_of("transitions"));
        reader.problem("transitions", message, "expected every state to lead to every other, in some steps")
    })?;
    let time: Vec<f64> =
        visits.iter().zip(&states).map(|(v, state)| v * state.duration.as_secs_f64()).collect();
    let total: f64 = time.iter().sum();
    Ok(Mmpp { states, transitions, stationary: time.iter().map(|share| share / total).collect() })
}

fn in_turn(count: usize) -> Vec<Vec<f64>> {
    let row = |from: usize| (0..count).map(|to| if to == (from + 1) % count { 1.0 } else { 0.0 }).collect();
    (0..count).map(row).collect()
}

fn checked(reader: &Reader, rows: Vec<Vec<f64>>, count: usize) -> Result<Vec<Vec<f64>>, Problem> {
    let path = reader.path_of("transitions");
    if rows.len() != count || rows.iter().any(|row| row.len() != count) {
        let message = format!("`{path}` is not a square of the {count} states");
        return Err(reader.problem("transitions", message, format!("expected {count} rows of {count}")));
    }
    for (index, row) in rows.iter().enumerate() {
        let sum: f64 = row.iter().sum();
        if (sum - 1.0).abs() > 1e-9 {
            let message = format!("`{path}.{index}` adds up to {sum}");
            return Err(reader.problem("transitions", message, "expected each row to add up to 1"));
        }
        if row[index] != 0.0 {
            let message = format!("`{path}.{index}` lets the state follow itself");
            let problem = reader.problem("transitions", message, "expected 0 on the diagonal");
            return Err(problem.help("give the state a longer `duration` instead"));
        }
    }
    Ok(rows)
}

/// Stationary law of a transition matrix by the elimination of Grassmann, Taksar and Heyman (*Regenerative
/// analysis and steady state distributions for Markov chains*, Operations Research 33(5), 1985), without
/// subtractions; `None` if not every state leads to every other.
fn stationary(transitions: &[Vec<f64>]) -> Option<Vec<f64>> {
    let mut p = transitions.to_vec();
    let n = p.len();
    for k in (1..n).rev() {
        let out: f64 = p[k][..k].iter().sum();
        if out <= 0.0 || p[..k].iter().all(|row| row[k] <= 0.0) {
            return None;
        }
        let last = p[k].clone();
        for row in &mut p[..k] {
            row[k] /= out;
            for j in 0..k {
                row[j] += row[k] * last[j];
            }
        }
    }
    let mut law = vec![1.0];
    while law.len() < n {
        let next = law.iter().zip(&p).map(|(share, row)| share * row[law.len()]).sum();
        law.push(next);
    }
    let total: f64 = law.iter().sum();
    Some(law.iter().map(|share| share / total).collect())
}

impl Mmpp {
    fn long_run_rate(&self) -> f64 {
        self.states.iter().zip(&self.stationary).map(|(state, share)| state.rate * share).sum()
    }
}

impl Process for Mmpp {
    fn stream(self: Arc<Self>, mut rng: Rng) -> Box<dyn Stream> {
        let state = pick(&self.stationary, &mut rng);
        let silent = self.peak_rate() <= 0.0;
        let mut stream = MmppStream { config: self, state, until: 0, now: 0, silent, rng };
        stream.until = stream.stay();
        Box::new(stream)
    }
    fn mean_rate(&self, _: Span) -> f64 {
        self.long_run_rate()
    }
    /// The mean over the random state, which is in steady state from the start.
    fn rate_at(&self, _: Instant) -> Option<f64> {
        Some(self.long_run_rate())
    }
    fn rate_is_random(&self) -> bool {
        true
    }
    fn peak_rate(&self) -> f64 {
        self.states.iter().map(|state| state.rate).fold(0.0, f64::max)
    }
}

fn pick(law: &[f64], rng: &mut Rng) -> usize {
    let mut left: f64 = rng.random();
    for (index, share) in law.iter().enumerate() {
        if left < *share {
            return index;
        }
        left -= share;
    }
    // The shares add up to 1 except for rounding; the remainder belongs to the last possible state.
    law.iter().rposition(|share| *share > 0.0).unwrap_or(0)
}

/// Exact: within a stay the arrivals are Poisson, and a gap that ends after the stay is drawn again, as both stays and
/// gaps are memoryless (Fischer and Meier-Hellstern, *The Markov-modulated Poisson process (MMPP)
/// cookbook*, Performance Evaluation 18, 1993).
#[derive(Debug)]
struct MmppStream {
    config: Arc<Mmpp>,
    state: usize,
    /// Instant at which the stay in the state ends.
    until: u64,
    now: u64,
    /// Whether the rate of every state is 0.
    silent: bool,
    rng: Rng,
}

impl MmppStream {
    /// Draws the end of a stay that starts now.
    fn stay(&mut self) -> u64 {
        let e: f64 = Exp1.sample(&mut self.rng);
        let mean = self.config.states[self.state].duration.as_nanos() as f64;
        self.now.saturating_add((e * mean + 0.5) as u64)
    }

    fn next(&mut self) -> Option<u64> {
        if self.silent {
            return None;
        }
        loop {
            let rate = self.config.states[self.state].rate;
            if rate > 0.0 {
                let e: f64 = Exp1.sample(&mut self.rng);
                let next = self.now.saturating_add((e * 1e9 / rate + 0.5) as u64);
                if next < self.until || next == u64::MAX {
                    self.now = next;
                    return Some(next);
                }
            }
            self.now = self.until;
            if self.now == u64::MAX {
                return Some(u64::MAX);
            }
            self.state = pick(&self.config.transitions[self.state], &mut self.rng);
            self.until = self.stay();
        }
    }
}

impl Stream for MmppStream {
    fn fill(&mut self, out: &mut Vec<u64>, count: usize) {
        out.extend(std::iter::from_fn(|| self.next()).take(count));
    }
}
