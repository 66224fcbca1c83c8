//! How many requests wait, in both pools and between them.

/// The requests that wait, in both pools and between them.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// How many have since `since`, and the most that have for any time.
    pub count: u64,
    pub since: u64,
    pub peak: u64,
}

impl Waiting {
    /// As many have waited up to `now`.
    pub fn pass(&mut self, now: u64) {
        if now > self.since {
            self.peak = self.peak.max(self.count);
        }
        self.since = now;
    }
}
