//! The time of an iteration's products by its tokens: arithmetic, or reading weights, whichever takes longer.

/// Times of an iteration beside those that are proportional to its sequences and to what the cache holds, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Roofline {
    /// Arithmetic of the weights that every token uses, for each token.
    pub(super) compute: f64,
    /// Reading them once.
    pub(super) read: f64,
    /// What each token sends to the other GPUs.
    pub(super) exchange: f64,
    pub(super) experts: Option<ExpertRoofline>,
}

/// The part of it that experts take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ExpertRoofline {
    /// Arithmetic for each token.
    pub(super) compute: f64,
    /// Reading one expert of each layer.
    pub(super) read: f64,
    /// Experts of a layer.
    pub(super) count: f64,
    /// Share of them that a token does not use.
    pub(super) unused: f64,
    /// Tokens use as many experts as this power of their number would, if each chose by itself.
    pub(super) coverage: f64,
}

impl Roofline {
    /// Time for this number of tokens, nanoseconds.
    pub fn time(&self, tokens: u64) -> u64 {
        let tokens = tokens as f64;
        let dense = (self.compute * tokens).max(self.read) + self.exchange * tokens;
        let experts = self.experts.map_or(0.0, |experts| {
            let used = experts.count * (1.0 - experts.unused.powf(tokens.powf(experts.coverage)));
            (experts.compute * tokens).max(experts.read * used)
        });
        (dense + experts).round() as u64
    }
}
