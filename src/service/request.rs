//! A request as an instance sees it.

/// A request and its requirements; instants and times in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Request {
    /// Arrival instant.
    pub arrival: u64,
    /// Service requirement: its service time at full speed.
    pub service: u64,
    /// Identifier that the pool gave it; handed back unchanged.
    pub mark: u32,
    /// Its tokens, where the service model counts them.
    pub tokens: Tokens,
}

/// Tokens of a request to a language model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tokens {
    /// Tokens of the prompt.
    pub prompt: u32,
    /// Tokens of the answer.
    pub output: u32,
}

/// A request in service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Active {
    /// The request.
    pub request: Request,
    /// Instant at which its service began, nanoseconds.
    pub start: u64,
}
