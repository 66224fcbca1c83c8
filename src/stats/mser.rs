//! How much of the start of a series to leave out, so that the rest is about its steady state.

/// Observations that are averaged into one before the rule is applied: the 5 of MSER-5.
pub const BATCH: usize = 5;

/// Where to cut a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truncation {
    /// Batches of [`BATCH`] observations to leave out.
    pub batches: usize,
    /// The marginal standard error squared of what is kept, which this cut makes least.
    pub statistic: f64,
    /// Whether the cut is short of the furthest allowed, half of the series; at it, the series has not settled.
    pub settled: bool,
}

/// MSER-5: leaves out as many batches from the start as make the standard error of the mean of the rest least, at most
/// half of them (White, Simulation 69(6), 1997; White, Cobb and Spratt, Proc. Winter Simulation Conf. 2000, for the
/// batches of five, after Spratt's thesis of 1998). `None` for a series of fewer than four batches.
///
/// The statistic of leaving out d of n batches is Σ (Yᵢ − Ȳ)² / (n − d)², both over the n − d kept; the first d that
/// makes it least is taken.
pub fn mser5(series: &[f64]) -> Option<Truncation> {
    let batches: Vec<f64> =
        series.chunks_exact(BATCH).map(|batch| batch.iter().sum::<f64>() / BATCH as f64).collect();
    let furthest = batches.len().div_ceil(2);
    if furthest < 2 {
        return None;
    }
    let (cut, statistic) = (0..furthest)
        .map(|cut| (cut, statistic(&batches[cut..])))
        .min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)))?;
    Some(Truncation { batches: cut, statistic, settled: cut + 1 < furthest })
}

fn statistic(kept: &[f64]) -> f64 {
    let n = kept.len() as f64;
    let mean = kept.iter().sum::<f64>() / n;
    kept.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n * n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_is_cut_where_it_should_be() {
        let text = include_str!("mser_example.txt");
        let series: Vec<f64> = text.split_whitespace().map(|value| value.parse().unwrap()).collect();
        let mean = |series: &[f64]| series.iter().sum::<f64>() / series.len() as f64;
        let cut = mser5(&series).unwrap();
        assert_eq!((cut.batches, cut.settled), (19, true));
        assert!((cut.statistic - 0.003_651_074_6).abs() < 1e-10, "{}", cut.statistic);
        assert!((mean(&series) - 6.255_027_3).abs() < 1e-7);
        assert!((mean(&series[cut.batches * BATCH..]) - 5.014_424_3).abs() < 1e-7);
    }

    #[test]
    fn a_series_that_starts_settled_keeps_everything() {
        let series: Vec<f64> = (0..200).map(|i| f64::from(i % 2)).collect();
        let cut = mser5(&series).unwrap();
        assert_eq!((cut.batches, cut.settled), (0, true));
    }

    #[test]
    fn a_series_that_only_grows_never_settles() {
        let series: Vec<f64> = (0..200).map(f64::from).collect();
        let cut = mser5(&series).unwrap();
        assert_eq!((cut.batches, cut.settled), (19, false));
        assert_eq!(mser5(&series[..9]), None);
    }
}
