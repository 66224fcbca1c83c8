//! What a request requires of an instance: the keys of `[service]` that say it.

use crate::distribution::{Durations, Numbers};
use crate::schema::Key;

/// Token counts of the requests, as distributions.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenLaws {
    /// Tokens of the prompt.
    pub prompt: Numbers,
    /// Tokens of the answer.
    pub output: Numbers,
}

pub(super) const TIME: Key<Option<Durations>> = Key::optional(
    "time",
    "Service time of a request on an instance that serves it at full speed. Drawn when it arrives. May be left out only if `arrivals` is a trace with a `service_time`: then it is that of the request's row.",
);
pub(super) const EXTRA_TIME: Key<Durations> = Key::or(
    "time",
    "\"0s\"",
    "Time that a request adds to its batch, drawn when it arrives; of the requests in a batch only the longest counts.",
);
pub(super) const PROMPT: Key<Option<Numbers>> = Key::optional(
    "prompt_tokens",
    "Tokens of a prompt: a number or a distribution, rounded to whole tokens, at least 1. Drawn when the request arrives. May be left out only if `arrivals` is a trace with such a column: then they are those of the request's row.",
)
.above(0.0);
pub(super) const OUTPUT: Key<Option<Numbers>> = Key::optional(
    "output_tokens",
    "Tokens of an answer: a number or a distribution, rounded to whole tokens, at least 1. Drawn when the request arrives. May be left out only if `arrivals` is a trace with such a column: then they are those of the request's row.",
)
.above(0.0);
pub(super) const FIT_ERROR: Key<Option<f64>> = Key::optional(
    "fit_error",
    "How far off the levels of its own load test the service is, as a share: what `kneepoint service fit` writes. It changes no figure; every result says that latencies are uncertain by it.",
)
.at_least(0.0);
