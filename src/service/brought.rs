//! What the requests of a trace bring, in place of what `[service]` draws for them.

use super::llm::{OUTPUT, PROMPT};
use super::{TIME, TokenLaws};
use crate::distribution::{Distribution, Durations, Numbers};
use crate::schema::{Key, Problem, Reader};

/// Means of what a trace tells of its requests; `None` for what it does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Brought {
    /// Service time, seconds.
    pub service_s: Option<f64>,
    /// Tokens of a prompt.
    pub prompt_tokens: Option<f64>,
    /// Tokens of an answer.
    pub output_tokens: Option<f64>,
}

/// What a request takes from its row of the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FromTrace {
    /// Service requirement.
    pub time: bool,
    /// Tokens of its prompt.
    pub prompt_tokens: bool,
    /// Tokens of its answer.
    pub output_tokens: bool,
}

impl FromTrace {
    /// Whether it takes anything.
    pub fn is_any(self) -> bool {
        self.time || self.prompt_tokens || self.output_tokens
    }
}

impl Brought {
    /// Everything; for a table that is checked by itself.
    pub const ALL: Brought =
        Brought { service_s: Some(1.0), prompt_tokens: Some(1.0), output_tokens: Some(1.0) };

    pub(super) fn time(self, reader: &Reader<'_>, from: &mut FromTrace) -> Result<Durations, Problem> {
        let mean = |mean| Durations(Distribution::constant(mean));
        written_or(reader, &TIME, self.service_s.map(mean), &mut from.time, "service_time")
    }

    pub(super) fn tokens(self, reader: &Reader<'_>, from: &mut FromTrace) -> Result<TokenLaws, Problem> {
        // A count of 0 stands for 1.
        let law = |mean: f64| Numbers(Distribution::constant(mean.max(1.0)));
        let (prompt, output) = (self.prompt_tokens.map(law), self.output_tokens.map(law));
        Ok(TokenLaws {
            prompt: written_or(reader, &PROMPT, prompt, &mut from.prompt_tokens, PROMPT.name())?,
            output: written_or(reader, &OUTPUT, output, &mut from.output_tokens, OUTPUT.name())?,
        })
    }
}

/// What is written under `key`, else what the trace tells, else the problem that neither is there; `column` is the key of
/// `[arrivals]` that would name it.
fn written_or<T: crate::schema::Value>(
    reader: &Reader<'_>,
    key: &Key<Option<T>>,
    told: Option<T>,
    from_trace: &mut bool,
    column: &str,
) -> Result<T, Problem> {
    let written = reader.find(key)?;
    *from_trace = written.is_none();
    written.or(told).ok_or_else(|| {
        let problem = reader.missing(key.name());
        problem.help(format!("or arrivals of a trace that tells it, with its column as `arrivals.{column}`"))
    })
}
