//! `[slo]`: what the service promises.

use crate::schema::{Key, Problem, Reader, TableSpec};
use crate::time::Span;

/// A promise: such a share of requests is answered within such a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slo {
    /// The latency promised; [`Span::MAX`] if it is not.
    pub latency: Span,
    /// The time to the first token promised.
    pub ttft: Option<Span>,
    /// The mean time of each further token promised.
    pub tpot: Option<Span>,
    /// The share of requests it is promised for, in percent: 99 for a p99.
    pub percentile: f64,
}

/// Which time of a request a promise is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promised {
    /// From arrival to the end of the answer.
    Latency,
    /// To the first token.
    Ttft,
    /// Of each further token.
    Tpot,
}

const LATENCY: Key<Option<Span>> = Key::optional(
    "latency",
    "The latency promised: from the arrival of a request to the end of its answer. May be left out with `ttft` or `tpot`.",
)
.above(0.0);
const TTFT: Key<Option<Span>> =
    Key::optional("ttft", "The time to the first token promised. For `service.model = \"llm\"`.").above(0.0);
const TPOT: Key<Option<Span>> = Key::optional(
    "tpot",
    "The mean time of each further token of an answer promised. For `service.model = \"llm\"`.",
)
.above(0.0);
const PERCENTILE: Key<f64> = Key::or(
    "percentile",
    "99",
    "The share of requests the promise is for, in percent; 0.5 to below 1 is read as a share (0.99 is 99). Requests rejected, timed out or failed miss it, and so do those that have not been answered in the time promised, or begun in that of the first token, when the run ends.",
)
.above(0.0)
.at_most(99.999);

impl Slo {
    /// A promise that every answer keeps.
    pub const NONE: Slo = Slo { latency: Span::MAX, ttft: None, tpot: None, percentile: 0.0 };

    /// A latency promised for such a share of the requests, in percent.
    pub const fn latency(latency: Span, percentile: f64) -> Slo {
        Slo { latency, ttft: None, tpot: None, percentile }
    }

    /// The `[slo]` table.
    pub const SPEC: TableSpec = TableSpec {
        name: "slo",
        doc: "The promises of the service: a share of the requests is answered within a time. A request keeps the promise if it keeps all times that are written. Tables and charts with room for one time show that to the first token if it is promised, else that per token, else the latency.",
        keys: &[&LATENCY, &TTFT, &TPOT, &PERCENTILE],
    };

    /// Reads the `[slo]` table.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn read(reader: &Reader<'_>) -> Result<Slo, Problem> {
        let (ttft, tpot) = (reader.find(&TTFT)?, reader.find(&TPOT)?);
        let latency = match reader.find(&LATENCY)? {
            Some(latency) => latency,
            None if ttft.is_some() || tpot.is_some() => Span::MAX,
            None => return Err(reader.missing("latency")),
        };
        let percentile = reader.get(&PERCENTILE)?;
        Ok(Slo { latency, ttft, tpot, percentile: in_percent(percentile, reader)? })
    }

    /// The latency promised, if one is.
    pub fn promised_latency(&self) -> Option<Span> {
        Some(self.latency).filter(|latency| *latency < Span::MAX)
    }

    /// The time that stands for the promise where there is room for one: that to the first token if it is promised, else
    /// that of each further token, else the latency.
    pub fn leading(&self) -> (Promised, Span) {
        match (self.ttft, self.tpot) {
            (Some(ttft), _) => (Promised::Ttft, ttft),
            (None, Some(tpot)) => (Promised::Tpot, tpot),
            (None, None) => (Promised::Latency, self.latency),
        }
    }

    /// The percentile as a fraction.
    pub fn quantile(&self) -> f64 {
        self.percentile / 100.0
    }
}

/// A percentile as it is written. From a half to below one it can only be a share: nobody promises that 0.99 % of the
/// requests are fast. Below, and at one, it may be either, and is asked for.
fn in_percent(written: f64, reader: &Reader<'_>) -> Result<f64, Problem> {
    match written {
        share if (0.5..1.0).contains(&share) => Ok(to_percent(share)),
        unclear if unclear <= 1.0 => {
            let message =
                format!("`{}` is {unclear}, which may be percent or a share", reader.path_of("percentile"));
            let label =
                format!("expected percent, such as 99; as a share it would be {}", to_percent(unclear));
            Err(reader.problem("percentile", message, label))
        }
        percent => Ok(percent),
    }
}

/// A share in percent, without the digits that a product of floats adds.
fn to_percent(share: f64) -> f64 {
    (share * 1e8).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Context, Tree};

    #[test]
    fn a_percentile_written_as_a_share_is_taken_where_it_is_sure_and_refused_where_not() {
        let read = |percentile: &str| {
            let tree = Tree::parse(&format!("latency = \"2s\"\npercentile = {percentile}")).unwrap();
            let context = Context::new(".");
            Slo::read(&Reader::open(tree.root(), "slo", &Slo::SPEC, &context).unwrap())
        };
        for (share, percent) in [("0.99", 99.0), ("0.999", 99.9), ("0.57", 57.0), ("0.5", 50.0)] {
            assert_eq!(read(share).unwrap().percentile, percent);
        }
        for unclear in ["1", "0.3", "0.01"] {
            let problem = read(unclear).unwrap_err();
            assert!(
                problem.message.contains(&format!("is {unclear}, which may be percent or a share")),
                "{problem:?}"
            );
        }
        assert_eq!(read("1.5").unwrap().percentile, 1.5);
        assert_eq!(read("99.9").unwrap().percentile, 99.9);
    }
}
