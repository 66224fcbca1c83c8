//! The interval of a figure over independent replications.
//!
//! Student's t is too short where the replications are skewed, as those of percentiles, maxima and shares of missed
//! requests are, and then nearly always on the dangerous side. The skewness-adjusted t (Willink, Commun. Stat. Theory
//! Methods 34, 2005, 753–766, after Johnson, J. Am. Stat. Assoc. 73, 1978, and Hall, J. R. Stat. Soc. B 54, 1992) moves
//! both ends by the skewness found, of which few replications tell little. The interval reported is the hull of the two:
//! never shorter than Student's, and longer where the sample is skewed. `docs/statistics.md` has its measured coverage.

/// Minimum number of replications with an interval: two tell nothing of skewness.
pub const LEAST_REPLICATIONS: u32 = 3;

/// Sums over the influences of replications that an interval is made of.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    n: f64,
    squares: f64,
    cubes: f64,
}

impl Moments {
    /// Of influences, which add up to nothing.
    pub fn of(influences: impl Iterator<Item = f64>) -> Moments {
        influences.fold(Moments::default(), |sums, z| Moments {
            n: sums.n + 1.0,
            squares: sums.squares + z * z,
            cubes: sums.cubes + z * z * z,
        })
    }

    /// Square of the standard error; NaN below two replications.
    pub fn variance_of_mean(&self) -> f64 {
        self.squares / (self.n - 1.0) / self.n
    }

    /// How far the interval reaches below and above the figure for the quantile `t` of Student's distribution; `None` with
    /// fewer than [`LEAST_REPLICATIONS`], or where an influence is not known.
    pub fn widths(&self, t: f64) -> Option<(f64, f64)> {
        if self.n < f64::from(LEAST_REPLICATIONS) {
            return None;
        }
        let error = self.variance_of_mean().sqrt();
        let half = t * error;
        if half == 0.0 {
            return Some((0.0, 0.0));
        }
        let skew = self.skewness() / (6.0 * self.n.sqrt());
        let below = half.max(adjusted(t, skew) * error);
        let above = half.max(-adjusted(-t, skew) * error);
        Some((below, above)).filter(|_| half.is_finite())
    }

    /// The sample skewness, adjusted for the number of replications.
    fn skewness(&self) -> f64 {
        let deviation = (self.squares / (self.n - 1.0)).sqrt();
        self.n * self.cubes / ((self.n - 1.0) * (self.n - 2.0) * deviation.powi(3))
    }
}

/// The quantile `t` adjusted for a skewness of 6 √n × `skew`: the root of Hall's cubic in Willink's form.
fn adjusted(t: f64, skew: f64) -> f64 {
    if skew.abs() < 1e-6 { t } else { ((1.0 + 6.0 * skew * (t - skew)).cbrt() - 1.0) / (2.0 * skew) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T4: f64 = 2.7764451051977934;

    fn widths(influences: &[f64], t: f64) -> (f64, f64) {
        Moments::of(influences.iter().copied()).widths(t).unwrap()
    }

    #[test]
    fn without_skewness_it_is_students_interval() {
        let (below, above) = widths(&[-2.0, -1.0, 0.0, 1.0, 2.0], T4);
        let half = T4 * (2.5_f64 / 5.0).sqrt();
        assert!((below - half).abs() < 1e-12 && (above - half).abs() < 1e-12);
    }

    #[test]
    fn a_heavy_side_is_reached_further_and_the_other_no_less_than_by_students() {
        // 0, 0, 0, 0, 5: mean 1, variance 5, skewness √5, so a = 1/6. The adjusted quantiles are 3 (∛(1 + T − 1/6) − 1)
        // below and 3 (1 − ∛(1 − T − 1/6)) above.
        let (below, above) = widths(&[-1.0, -1.0, -1.0, -1.0, 4.0], T4);
        assert!((below - T4).abs() < 1e-12, "{below}");
        let exact = 3.0 * (1.0 - (1.0 - T4 - 1.0 / 6.0).cbrt());
        assert!((above - exact).abs() < 1e-9 && exact > 1.5 * T4, "{above} for {exact}");
        assert_eq!(widths(&[1.0, 1.0, 1.0, 1.0, -4.0], T4), (above, below));
    }

    #[test]
    fn replications_that_agree_leave_a_point_and_two_leave_nothing() {
        assert_eq!(widths(&[0.0, 0.0, 0.0], T4), (0.0, 0.0));
        assert_eq!(Moments::of([-1.0, 1.0].into_iter()).widths(T4), None);
        assert_eq!(Moments::of([-1.0, f64::NAN, 1.0].into_iter()).widths(T4), None);
    }
}
