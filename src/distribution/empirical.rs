//! Empirical: drawn from measured values.

use std::sync::Arc;

use rand::RngExt as _;

use crate::random::Rng;

/// How draws fall between two measured values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// Not at all: every draw is one of the values, with equal probability (the law of the bootstrap; Efron, 1979).
    Nothing,
    /// By a distribution function that is linear between the sorted values: draws fall between them, never outside (Law, *Simulation Modeling and Analysis*, 5th ed., §6.2.4).
    Line,
}

#[derive(Debug, Clone)]
pub(super) struct Empirical {
    sorted: Arc<Vec<f64>>,
    between: Between,
}

/// The points of a sweep share the file in memory, so they are compared by address first.
impl PartialEq for Empirical {
    fn eq(&self, other: &Self) -> bool {
        let same = Arc::ptr_eq(&self.sorted, &other.sorted) || self.sorted == other.sorted;
        self.between == other.between && same
    }
}

impl Empirical {
    /// `sorted` must be in ascending order.
    pub(super) fn new(sorted: Arc<Vec<f64>>, between: Between) -> Result<Self, String> {
        match sorted.as_slice() {
            [] => Err("there are no values to draw from".into()),
            [first, ..] if *first < 0.0 => Err(format!("the value {first} is negative")),
            _ => Ok(Empirical { sorted, between }),
        }
    }

    #[inline]
    pub(super) fn draw(&self, rng: &mut Rng) -> f64 {
        self.quantile(rng.random())
    }

    /// Average of `segment(a, b)` over neighbours, or of `segment(a, a)` over values.
    fn average(&self, segment: impl Fn(f64, f64) -> f64) -> f64 {
        let values = &self.sorted;
        let total: f64 = match self.between {
            Between::Line if values.len() > 1 => values.windows(2).map(|w| segment(w[0], w[1])).sum(),
            _ => return values.iter().map(|v| segment(*v, *v)).sum::<f64>() / values.len() as f64,
        };
        total / (values.len() - 1) as f64
    }

    pub(super) fn mean(&self) -> f64 {
        self.average(|a, b| 0.5 * (a + b))
    }

    pub(super) fn variance(&self) -> f64 {
        let mean = self.mean();
        // The second moment of a uniform between a and b, both taken from the mean, is (a² + ab + b²)/3.
        self.average(|a, b| {
            let (a, b) = (a - mean, b - mean);
            (a * a + a * b + b * b) / 3.0
        })
    }

    #[inline]
    pub(super) fn quantile(&self, p: f64) -> f64 {
        let last = self.sorted.len() - 1;
        match self.between {
            Between::Nothing => self.sorted[((p * (last + 1) as f64) as usize).min(last)],
            Between::Line => {
                let at = p * last as f64;
                let index = (at as usize).min(last.saturating_sub(1));
                let (low, high) = (self.sorted[index], self.sorted[(index + 1).min(last)]);
                low + (high - low) * (at - index as f64)
            }
        }
    }
}
