//! Whether a count is more than chance.

/// Probability below which a count is not taken for chance.
const LEVEL: f64 = 0.05;

/// Whether more of `all` miss than chance would have it if each did with probability `allowed`: `missed` or more would with a
/// probability of at most 5 % (one-sided binomial test). A window with few requests says little: one of ten that misses a
/// promise of 99 % is no evidence, two are.
///
/// The tail is summed exactly; where more than 200 are expected to miss it is that of a normal distribution.
pub fn more_than_chance(missed: u64, all: u64, allowed: f64) -> bool {
    let (all_f, missed_f) = (all as f64, missed as f64);
    let expected = all_f * allowed;
    if missed == 0 || missed_f <= expected {
        return false;
    }
    if allowed <= 0.0 {
        return true;
    }
    if expected > 200.0 {
        // The quantile of a normal distribution at 95 %, with half a request for continuity.
        return missed_f - 0.5 - expected > 1.644_853_626_951_472_7 * (expected * (1.0 - allowed)).sqrt();
    }
    // P(X < missed), term by term: each is the one before times a ratio.
    let mut term = ((-allowed).ln_1p() * all_f).exp();
    let mut below = term;
    for k in 1..missed {
        let k = k as f64;
        term *= (all_f - k + 1.0) / k * (allowed / (1.0 - allowed));
        below += term;
        if 1.0 - below <= LEVEL {
            return true;
        }
    }
    1.0 - below <= LEVEL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_window_needs_more_than_one_miss_and_a_large_one_little_more_than_is_allowed() {
        // P(X >= 1) of 10 at 1 % is 9.6 %, P(X >= 2) 0.4 %; of 5 at 1 % P(X >= 1) is 4.9 %.
        assert!(!more_than_chance(1, 10, 0.01) && more_than_chance(2, 10, 0.01));
        assert!(more_than_chance(1, 5, 0.01) && !more_than_chance(0, 5, 0.01));
        // 100 of 10,000 are allowed: 117 or more have a probability of 5 %.
        assert!(!more_than_chance(110, 10_000, 0.01) && more_than_chance(120, 10_000, 0.01));
        // The same on either side of the approximation.
        assert!(!more_than_chance(223, 20_000, 0.01) && more_than_chance(226, 20_000, 0.01));
        assert!(!more_than_chance(224, 20_100, 0.01) && more_than_chance(228, 20_100, 0.01));
        assert!(more_than_chance(3, 3, 0.01) && more_than_chance(1, 1_000_000, 0.0));
    }
}
