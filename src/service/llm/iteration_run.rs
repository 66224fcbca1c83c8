//! A run of iterations in which no sequence begins or ends.

/// Consecutive iterations simulated as one event. Every decoding sequence gains a token in each, so each lasts longer than
/// the one before by the same time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct IterationRun {
    /// Number of iterations; 0 between two runs.
    pub iterations: u64,
    /// Time of the first iteration, nanoseconds.
    pub first: u64,
    /// Time that each iteration takes longer than the one before, nanoseconds.
    pub growth: u64,
    /// Whether it ends with the iteration that was in progress when something else was to begin or end.
    pub is_cut: bool,
}

impl IterationRun {
    /// Time of the first `count` iterations, nanoseconds: count × first + growth × (0 + 1 + … + (count − 1)).
    #[inline]
    pub fn time(&self, count: u64) -> u64 {
        let growths = (count * count.saturating_sub(1) / 2).saturating_mul(self.growth);
        count.saturating_mul(self.first).saturating_add(growths)
    }

    /// Iterations completed after `passed` nanoseconds, to within rounding: the caller corrects it by [`Self::time`].
    #[inline]
    pub fn completed(&self, passed: u64) -> u64 {
        if self.growth == 0 {
            return passed.checked_div(self.first).unwrap_or(0);
        }
        // The positive root of growth/2 n² + (first − growth/2) n = passed, in the form that does not cancel.
        let (time, growth) = (passed as f64, self.growth as f64);
        let linear = self.first as f64 - growth / 2.0;
        (2.0 * time / (linear + (linear * linear + 2.0 * growth * time).sqrt())) as u64
    }
}
