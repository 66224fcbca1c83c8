//! Requirements that requests take from their row of a trace, instead of the distributions of `[service]`.

use super::requirement::{OUTPUT, PROMPT, TIME, TokenLaws};
use crate::distribution::{Distribution, Durations, Numbers};
use crate::schema::{Key, Problem, Reader, Value};

/// Means of a trace's columns of requirements; `None` for a column that it does not have.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TraceColumnMeans {
    /// Service time, seconds.
    pub service_s: Option<f64>,
    /// Tokens of a prompt.
    pub prompt_tokens: Option<f64>,
    /// Tokens of an answer.
    pub output_tokens: Option<f64>,
}

/// The requirements that a request takes from its row of the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FromTrace {
    /// Service time.
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

impl TraceColumnMeans {
    /// All columns; for a table that is checked by itself.
    pub const ALL: TraceColumnMeans =
        TraceColumnMeans { service_s: Some(1.0), prompt_tokens: Some(1.0), output_tokens: Some(1.0) };

    pub(super) fn time(self, reader: &Reader<'_>, from: &mut FromTrace) -> Result<Durations, Problem> {
        let law = |mean| Durations(Distribution::constant(mean));
        written_or(reader, &TIME, self.service_s.map(law), &mut from.time, "service_time")
    }

    pub(super) fn tokens(self, reader: &Reader<'_>, from: &mut FromTrace) -> Result<TokenLaws, Problem> {
        // A count of 0 in a row is served as 1.
        let law = |mean: f64| Numbers(Distribution::constant(mean.max(1.0)));
        let (prompt, output) = (self.prompt_tokens.map(law), self.output_tokens.map(law));
        Ok(TokenLaws {
            prompt: written_or(reader, &PROMPT, prompt, &mut from.prompt_tokens, PROMPT.name())?,
            output: written_or(reader, &OUTPUT, output, &mut from.output_tokens, OUTPUT.name())?,
        })
    }
}

/// The value written under `key`, else the mean of the trace's column, else the problem that there is neither; `column`
/// is the key of `[arrivals]` that names the column.
fn written_or<T: Value>(
    reader: &Reader<'_>,
    key: &Key<Option<T>>,
    column_mean: Option<T>,
    from_trace: &mut bool,
    column: &str,
) -> Result<T, Problem> {
    let written = reader.find(key)?;
    *from_trace = written.is_none();
    written.or(column_mean).ok_or_else(|| {
        let problem = reader.missing(key.name());
        problem.help(format!("or a trace that has it, with its column as `arrivals.{column}`"))
    })
}
