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
    /// What its prompt holds, by the contents of the run; 0: unknown.
    pub content: u32,
}

/// Tokens of a request to a language model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tokens {
    /// Tokens of the prompt.
    pub prompt: u32,
    /// Tokens of the answer.
    pub output: u32,
}

impl Tokens {
    /// The nearest whole number of tokens, at least 1. Half added and cut off is the nearest one for all but the number just
    /// below a half, which comes to 1 either way; rounding proper would be a call.
    #[inline]
    pub fn whole(count: f64) -> u32 {
        ((count + 0.5) as u32).max(1)
    }
}

/// A request in service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Active {
    /// The request.
    pub request: Request,
    /// Instant at which its service began, nanoseconds.
    pub start: u64,
}

/// Tokens of a request of sessions, on average over all their turns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanTokens {
    /// Of its prompt: all that was said before, and what is new.
    pub prompt: f64,
    /// Of these, what was said before.
    pub said_before: f64,
    /// Of its answer.
    pub output: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_the_nearest_whole_number_and_at_least_1() {
        for count in
            [0.0, -3.0, f64::NAN, 0.5_f64.next_down(), 0.5, 1.5_f64.next_down(), 1.5, 4e9, 5e9, 1e300]
        {
            assert_eq!(Tokens::whole(count), (count.round() as u32).max(1), "{count}");
        }
        let quarters = (0..100_000).map(|quarter| f64::from(quarter) / 4.0);
        for count in quarters.flat_map(|count| [count.next_down(), count, count.next_up()]) {
            assert_eq!(Tokens::whole(count), (count.round() as u32).max(1), "{count}");
        }
    }
}
