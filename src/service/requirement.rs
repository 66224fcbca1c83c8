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
    "Service requirement of a request: how long it takes on an instance that serves it at full speed. Drawn as it arrives. Only where `arrivals` is a trace that tells it (`service_time`) may it be left out: then it is that of the request's row.",
);
pub(super) const EXTRA_TIME: Key<Durations> = Key::or(
    "time",
    "\"0s\"",
    "What a request adds to the time of its batch, drawn as it arrives; of the requests in a batch only the longest counts.",
);
pub(super) const PROMPT: Key<Option<Numbers>> = Key::optional(
    "prompt_tokens",
    "Tokens of a prompt: a number or a distribution, rounded to whole tokens, at least 1. Drawn as the request arrives. Only where `arrivals` is a trace that tells them may it be left out: then they are those of the request's row.",
)
.above(0.0);
pub(super) const OUTPUT: Key<Option<Numbers>> = Key::optional(
    "output_tokens",
    "Tokens of an answer: a number or a distribution, rounded to whole tokens, at least 1. Drawn as the request arrives. Only where `arrivals` is a trace that tells them may it be left out: then they are those of the request's row.",
)
.above(0.0);
