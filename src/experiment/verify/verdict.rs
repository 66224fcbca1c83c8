//! What the simulated values say about the exact ones, one by one and all together.

use serde::Serialize;
use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, StudentsT};

use super::reading::Pair;
use super::system::Quantity;
use crate::stats::student_t;

/// Confidence of each interval.
pub const CONFIDENCE: f64 = 0.99;

/// How likely a right simulator is to be called wrong, over the whole catalogue.
pub const FALSE_ALARM: f64 = 1e-3;

/// What is found of one quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The exact value lies in the interval, or as near as the rule for it asks.
    Agrees,
    /// It does not, as happens to one in a hundred.
    Outside,
    /// It is further away than chance explains over the whole catalogue.
    Disagrees,
}

/// One quantity of one system: exact and simulated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Family and case of the system.
    pub system: String,
    /// What is compared.
    pub quantity: String,
    /// Its exact value.
    pub exact: f64,
    /// Its simulated value; `None` if the runs do not have it.
    pub simulated: Option<f64>,
    /// Lower end of the 99 % interval; `None` where nothing is random.
    pub low: Option<f64>,
    /// Upper end of it.
    pub high: Option<f64>,
    /// Simulated less exact, in standard errors of the simulated.
    pub z: Option<f64>,
    /// How likely a right simulator is to be that far off or further, by Student's t; `None` where nothing is random.
    pub p: Option<f64>,
    /// Most it may be off, where nothing is random.
    pub within: Option<f64>,
    /// Runs it rests on.
    pub replications: u32,
    /// What is found.
    pub verdict: Verdict,
    /// Whether it is the quantity of its system that is counted when missed intervals are.
    pub counted: bool,
}

impl Row {
    /// The row of one quantity from one pair a replication: total over total, with the interval of the classical ratio
    /// estimator (see [`crate::stats::Estimate::of_ratio`]).
    pub(super) fn new(system: String, quantity: &Quantity, pairs: &[Option<Pair>], counted: bool) -> Row {
        let mut row = Row {
            system,
            quantity: quantity.name.clone(),
            exact: quantity.exact,
            simulated: None,
            low: None,
            high: None,
            z: None,
            p: None,
            within: quantity.within,
            replications: pairs.len() as u32,
            verdict: Verdict::Disagrees,
            counted: counted && quantity.within.is_none(),
        };
        let Some(pairs) = pairs.iter().copied().collect::<Option<Vec<Pair>>>() else { return row };
        let (over, under) = pairs.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
        let ratio = over / under;
        if !ratio.is_finite() {
            return row;
        }
        row.simulated = Some(ratio);
        let off = ratio - quantity.exact;
        if let Some(most) = quantity.within {
            row.verdict = if off.abs() <= most { Verdict::Agrees } else { Verdict::Disagrees };
            return row;
        }
        let count = pairs.len() as f64;
        let squares: f64 = pairs.iter().map(|(over, under)| (over - ratio * under).powi(2)).sum();
        let error = (squares / (count - 1.0) / count).sqrt() / (under / count);
        let Some(t) = student_t(CONFIDENCE, row.replications.saturating_sub(1)) else { return row };
        row.low = Some(ratio - t * error);
        row.high = Some(ratio + t * error);
        // Rounding alone may tell two values apart that were never random.
        let z = if off.abs() <= 1e-9 * quantity.exact.abs() { 0.0 } else { off / error };
        row.z = Some(z);
        // What may lie below is held against the upper tail alone.
        let (far, tails) = if quantity.bound { (z, 1.0) } else { (z.abs(), 2.0) };
        row.p = StudentsT::new(0.0, 1.0, count - 1.0).ok().map(|law| tails * law.cdf(-far));
        row.verdict = if far <= t { Verdict::Agrees } else { Verdict::Outside };
        row
    }
}

/// What the whole catalogue says.
///
/// Two rules, each with half of [`FALSE_ALARM`]. First, no quantity may be further off than chance explains over so
/// many of them: Bonferroni on the p-values of Student's t, which holds whatever the quantities of one system have to do
/// with one another. Second, not too many of the 99 % intervals may miss: among the first quantities of the systems,
/// which are independent, as each system draws random numbers of its own, misses follow a binomial law. What is not
/// random must be as near as its rule asks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verification {
    /// Whether the simulator may be right.
    pub plausible: bool,
    /// Whether every system was run; else the work was stopped.
    pub complete: bool,
    /// Seed of the random numbers.
    pub seed: u64,
    /// Systems simulated.
    pub systems: usize,
    /// Intervals counted: of the first quantity of each system.
    pub counted: usize,
    /// Of those, how many missed the exact value.
    pub missed: usize,
    /// How likely that many misses or more are.
    pub missed_p: f64,
    /// The p-value below which a quantity disagrees.
    pub limit: f64,
    /// The least p-value there is.
    pub least_p: f64,
    /// Every quantity.
    pub rows: Vec<Row>,
}

impl Verification {
    pub(super) fn of(mut rows: Vec<Row>, systems: usize, seed: u64, complete: bool) -> Verification {
        let tests = rows.iter().filter(|row| row.within.is_none()).count();
        let limit = FALSE_ALARM / 2.0 / tests.max(1) as f64;
        for row in &mut rows {
            if row.p.is_some_and(|p| p < limit) {
                row.verdict = Verdict::Disagrees;
            }
        }
        let counted = rows.iter().filter(|row| row.counted).count();
        let missed = rows.iter().filter(|row| row.counted && row.verdict != Verdict::Agrees).count();
        let missed_p = match (missed.checked_sub(1), Binomial::new(1.0 - CONFIDENCE, counted as u64)) {
            (Some(fewer), Ok(law)) => law.sf(fewer as u64),
            _ => 1.0,
        };
        let disagree = rows.iter().any(|row| row.verdict == Verdict::Disagrees);
        Verification {
            plausible: !disagree && missed_p >= FALSE_ALARM / 2.0,
            complete,
            seed,
            systems,
            counted,
            missed,
            missed_p,
            limit,
            least_p: rows.iter().filter_map(|row| row.p).fold(1.0, f64::min),
            rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::reading::Reading;
    use super::*;

    fn row(exact: f64, values: &[f64]) -> Row {
        let quantity =
            Quantity { name: "w".into(), exact, reading: Reading::Wait, within: None, bound: false };
        let pairs: Vec<Option<Pair>> = values.iter().map(|value| Some((*value, 1.0))).collect();
        Row::new("s".into(), &quantity, &pairs, true)
    }

    #[test]
    fn the_interval_is_the_textbook_one_at_99_percent() {
        // 1, 2, 3: standard error 1/√3, and Student's t of 2 degrees of freedom is 9.924843.
        let row = row(2.5, &[1.0, 2.0, 3.0]);
        let error = 3.0f64.sqrt().recip();
        assert!((row.z.unwrap() - -0.5 / error).abs() < 1e-12);
        assert!((row.high.unwrap() - (2.0 + 9.924843200918 * error)).abs() < 1e-6, "{row:?}");
        assert_eq!(row.verdict, Verdict::Agrees);
    }

    #[test]
    fn one_miss_is_chance_and_many_are_not() {
        let good = || row(0.0, &[-1.0, 0.1, 1.0, 0.2, -0.3]);
        // About 8 standard errors off, with 4 degrees of freedom: p is about 0.001.
        let miss = || row(0.0, &[0.7, 1.0, 1.2, 0.8, 0.6]);
        assert_eq!(miss().verdict, Verdict::Outside);
        let with = |misses: usize| {
            let rows = (0..20).map(|i| if i < misses { miss() } else { good() }).collect();
            Verification::of(rows, 20, 1, true)
        };
        assert!(with(1).plausible && with(2).plausible);
        // P(4 or more of 20 at 1 %) is about 0.00004.
        assert!(!with(4).plausible);
    }

    #[test]
    fn one_value_far_off_is_enough() {
        let far = row(0.0, &[1.0, 1.001, 0.999, 1.0005, 0.9995, 1.0, 1.0]);
        let found = Verification::of(vec![far, row(0.0, &[-1.0, 1.0, 0.0])], 2, 1, true);
        assert_eq!(found.rows[0].verdict, Verdict::Disagrees);
        assert!(!found.plausible);
    }

    #[test]
    fn what_the_runs_do_not_have_disagrees() {
        let quantity =
            Quantity { name: "w".into(), exact: 1.0, reading: Reading::HighWait, within: None, bound: false };
        assert_eq!(Row::new("s".into(), &quantity, &[None], true).verdict, Verdict::Disagrees);
    }
}
