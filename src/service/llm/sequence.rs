//! A request inside the engine.

use crate::service::request::Active;

/// A request in service, with what is computed of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sequence {
    pub active: Active,
    /// Order of admission, the first admitted being 1.
    pub number: u64,
    /// Prompt and output tokens, cut to the cache.
    pub prompt: u64,
    pub output: u64,
    /// Output tokens computed, and tokens in the cache; while it decodes, as of iteration `since`.
    pub generated: u64,
    pub computed: u64,
    pub since: u64,
    /// Its phase while it decodes; see [`super::decoding::Decoding`].
    pub phase: u32,
    /// Blocks of the prefix cache that it holds, the first of its content.
    pub held: u32,
    pub state: State,
    /// Whether it has been cancelled: it leaves with the iteration in progress.
    pub cancelled: bool,
    /// Instant of its first output token.
    pub first_token: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum State {
    /// The place is free.
    #[default]
    Vacant,
    Prefill,
    Decode,
    Preempted,
}

impl Sequence {
    /// Tokens that are still to be computed before it decodes: of its prompt, and after a preemption of its answer so far.
    #[inline]
    pub fn prefill_left(&self) -> u64 {
        self.prompt + self.generated - self.computed
    }

    /// Whether it is in service.
    pub fn is_present(&self) -> bool {
        self.state != State::Vacant && !self.cancelled
    }
}
