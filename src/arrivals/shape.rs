//! A shape over time: factors on the rate of a process, in turn and again from the first.

use std::sync::Arc;

use super::process::{Process, Stream};
use crate::random::Rng;
use crate::schema::{Context, Key, Kind, Node, Problem, Reader, TableSpec, Value};
use crate::time::{Instant, Span};

const EVERY: Key<Span> = Key::required("every", "Time for which each factor holds.").above(0.0);
const FACTORS: Key<Vec<f64>> =
    Key::required("factors", "Factors on the rate, in turn; after the last, the first follows.")
        .at_least(0.0)
        .at_most(1e6);

const SPEC: TableSpec = TableSpec {
    name: "profile",
    doc: "Factors on the rate over time. The process runs in operational time, which passes as fast as the factor says \
          (time rescaling): gaps, and stays in a state, are shorter where the rate is higher.",
    keys: &[&EVERY, &FACTORS],
};

pub(super) const PROFILE: Key<Option<RateFactors>> = Key::optional(
    "profile",
    "Factors on the rate over time, repeated: `{ every = \"1h\", factors = [0.5, 1.5] }`. Without it, the rate is the same throughout.",
);

/// Factors on a rate, each for the same time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RateFactors {
    /// Nanoseconds for which each holds.
    every: u64,
    factors: Vec<f64>,
}

impl Value for RateFactors {
    fn kind() -> Kind {
        Kind::Table(const { &SPEC })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &SPEC, context)?;
        let (every, factors) = (reader.get(&EVERY)?, reader.get(&FACTORS)?);
        if !factors.iter().any(|factor| *factor > 0.0) {
            let message = format!("`{}` has no factor above 0", reader.path_of("factors"));
            return Err(reader.problem("factors", message, "expected a factor above 0"));
        }
        Ok(RateFactors { every: every.as_nanos(), factors })
    }
}

impl RateFactors {
    /// Operational nanoseconds of each part.
    fn parts(&self) -> impl Iterator<Item = u64> {
        self.factors.iter().map(|factor| (self.every as f64 * factor + 0.5) as u64)
    }

    /// Operational nanoseconds of a turn.
    fn turn(&self) -> u64 {
        self.parts().fold(0_u64, u64::saturating_add).max(1)
    }

    fn factor_at(&self, nanos: u64) -> f64 {
        self.factors[(nanos / self.every % self.factors.len() as u64) as usize]
    }

    /// Mean factor over the first `nanos`.
    fn mean(&self, nanos: u64) -> f64 {
        if nanos == 0 {
            return self.factors[0];
        }
        let turn = self.every as f64 * self.factors.len() as f64;
        let turns = (nanos as f64 / turn).floor();
        let whole: f64 = self.factors.iter().sum::<f64>() * self.every as f64 * turns;
        let mut left = nanos as f64 - turns * turn;
        let mut within = 0.0;
        for factor in &self.factors {
            let part = left.clamp(0.0, self.every as f64);
            within += factor * part;
            left -= part;
        }
        (whole + within) / nanos as f64
    }
}

/// A process with a shape over time.
#[derive(Debug)]
pub(super) struct Shaped {
    process: Arc<dyn Process>,
    shape: RateFactors,
}

impl PartialEq for Shaped {
    fn eq(&self, other: &Self) -> bool {
        let theirs: &dyn std::any::Any = other.process.as_ref();
        self.shape == other.shape && self.process.dyn_eq(theirs)
    }
}

/// The process, with the profile that the table names, if it names one.
pub(super) fn shaped(reader: &Reader, process: Arc<dyn Process>) -> Result<Arc<dyn Process>, Problem> {
    Ok(match reader.find(&PROFILE)? {
        Some(shape) => Arc::new(Shaped { process, shape }),
        None => process,
    })
}

impl Process for Shaped {
    fn stream(self: Arc<Self>, rng: Rng) -> Box<dyn Stream> {
        let parts: Vec<u64> = self.shape.parts().collect();
        let turn = self.shape.turn();
        let inner = Arc::clone(&self.process).stream(rng);
        Box::new(ShapedStream {
            inner,
            turn,
            parts,
            shape: self.shape.clone(),
            block: Vec::new(),
            part: 0,
            begun: 0,
            start: 0,
        })
    }
    fn mean_rate(&self, duration: Span) -> f64 {
        self.process.mean_rate(duration) * self.shape.mean(duration.as_nanos())
    }
    fn rate_at(&self, at: Instant) -> Option<f64> {
        self.process.rate_at(at).map(|rate| rate * self.shape.factor_at(at.as_nanos()))
    }
    fn rate_is_random(&self) -> bool {
        self.process.rate_is_random()
    }
    fn peak_rate(&self) -> f64 {
        self.process.peak_rate() * self.shape.factors.iter().copied().fold(0.0, f64::max)
    }
}

/// Instants of operational time as those of the run: the inverse of the integral of the factors (Brown et al., *The
/// time-rescaling theorem and its application to neural spike train data analysis*, Neural Computation 14, 2002).
#[derive(Debug)]
struct ShapedStream {
    inner: Box<dyn Stream>,
    shape: RateFactors,
    /// Operational nanoseconds of each part, and of a turn.
    parts: Vec<u64>,
    turn: u64,
    block: Vec<u64>,
    /// Index of the part, and its start in operational time and in that of the run.
    part: usize,
    begun: u64,
    start: u64,
}

impl ShapedStream {
    fn instant(&mut self, operational: u64) -> u64 {
        if operational == u64::MAX {
            return u64::MAX;
        }
        let every = self.shape.every;
        if self.part == 0 {
            let turns = (operational - self.begun) / self.turn;
            self.begun += turns * self.turn;
            let length = every.saturating_mul(self.parts.len() as u64);
            self.start = self.start.saturating_add(length.saturating_mul(turns));
        }
        while operational - self.begun >= self.parts[self.part] {
            self.begun += self.parts[self.part];
            self.start = self.start.saturating_add(every);
            self.part = (self.part + 1) % self.parts.len();
            if self.part == 0 && operational - self.begun >= self.turn {
                return self.instant(operational);
            }
        }
        let within = (operational - self.begun) as f64 / self.shape.factors[self.part];
        self.start.saturating_add((within as u64).min(every))
    }
}

impl Stream for ShapedStream {
    fn fill(&mut self, out: &mut Vec<u64>, count: usize) {
        let mut block = std::mem::take(&mut self.block);
        block.clear();
        self.inner.fill(&mut block, count);
        out.extend(block.iter().map(|operational| self.instant(*operational)));
        self.block = block;
    }
}
