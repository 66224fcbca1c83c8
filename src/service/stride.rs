//! Iterations of a language model that are taken at once.

/// See the module.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stride {
    /// How many; none at a boundary between two strides.
    pub iterations: u64,
    /// Time of the first, and what each takes longer than the one before, nanoseconds.
    pub first: u64,
    pub growth: u64,
}

impl Stride {
    /// Time of the first `count` iterations.
    #[inline]
    pub fn time(&self, count: u64) -> u64 {
        let growths = (count * count.saturating_sub(1) / 2).saturating_mul(self.growth);
        count.saturating_mul(self.first).saturating_add(growths)
    }

    /// How many iterations are over after so many nanoseconds, to the nearest few.
    #[inline]
    pub fn over(&self, passed: u64) -> u64 {
        if self.growth == 0 {
            return passed.checked_div(self.first).unwrap_or(0);
        }
        // The time is a square in the count.
        let (time, growth) = (passed as f64, self.growth as f64);
        let linear = self.first as f64 - growth / 2.0;
        (2.0 * time / (linear + (linear * linear + 2.0 * growth * time).sqrt())) as u64
    }
}
