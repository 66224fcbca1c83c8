//! What a metric of a manifest is of the simulated pool, as far as its name or its query settles that.

use super::metric_names::{Known, Meaning, Row, Scope, Suffix, find, meant};
use crate::autoscaler::Signal;

/// A metric that is a signal, in a unit that may be another.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measure {
    /// What it is.
    pub signal: Signal,
    /// A value times this is in the signal's unit.
    pub factor: Factor,
    /// What the value is of.
    pub scope: Of,
    /// Which quantile of a time it is, 0 to 1.
    pub quantile: Option<f64>,
    /// The time over which the query itself averages, in seconds; 0 for a value as it is scraped.
    pub window_s: f64,
    /// What a user must know, a phrase each.
    pub warnings: Vec<String>,
}

/// What a value is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// The pool.
    Total,
    /// The mean of its instances.
    Mean,
    /// One instance: a series each.
    One,
}

/// A fraction by which values are converted, kept apart so that 70 percent are 0.7 to the last digit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Factor {
    /// Multiplied by this,
    pub num: f64,
    /// then divided by this.
    pub den: f64,
}

impl Factor {
    /// No conversion.
    pub const ONE: Factor = Factor { num: 1.0, den: 1.0 };

    /// Whether values stay as they are.
    pub fn is_one(self) -> bool {
        self.num == self.den
    }

    /// A value in the signal's unit.
    pub fn apply(self, value: f64) -> f64 {
        value * self.num / self.den
    }

    /// The value as the file has it.
    pub fn undo(self, value: f64) -> f64 {
        value * self.den / self.num
    }
}

/// What the metric called `name` is, read as it is, without a query around it.
///
/// # Errors
/// Why that is not settled: a phrase that begins with the metric.
pub(crate) fn of_name(name: &str) -> Result<Measure, String> {
    let known = find(name).ok_or_else(|| unknown(name))?;
    let Row { meaning, scope, note, .. } = *known.row;
    let (signal, completions) = match (meaning, known.suffix) {
        (Meaning::Is(signal), Suffix::None) => (signal, false),
        (Meaning::RateIs(signal), Suffix::Rate) => (signal, false),
        (Meaning::Completions, Suffix::Rate) => (Signal::RequestRate, true),
        _ => return Err(why_not(name, &known)),
    };
    if scope == Scope::Everything {
        return Err(format!("`{name}` counts for every host of its controller"));
    }
    let mut warnings: Vec<String> = Vec::new();
    warnings.extend((!note.is_empty()).then(|| note.to_owned()));
    warnings.extend((completions && note.is_empty()).then(|| COMPLETIONS.to_owned()));
    let scope = match scope {
        Scope::Pod | Scope::Gpu => Of::One,
        Scope::Mean => Of::Mean,
        Scope::Total | Scope::Parts | Scope::Everything => Of::Total,
    };
    Ok(Measure {
        signal,
        factor: Factor { num: 1.0, den: known.row.divisor() },
        scope,
        quantile: None,
        window_s: 0.0,
        warnings,
    })
}

/// Why a metric of an unknown name is not settled.
pub(super) fn unknown(name: &str) -> String {
    format!("`{name}` is no metric that is known by its name{}", meant(name))
}

/// What the metric called `name` is where it is the sum of a period of so many seconds; `None` if it is no such sum.
pub(crate) fn of_sum(name: &str, seconds: f64) -> Option<Measure> {
    let Row { meaning: Meaning::CountOf(signal), scope, .. } = *find(name)?.row else { return None };
    let scope = if matches!(scope, Scope::Pod | Scope::Gpu) { Of::One } else { Of::Total };
    let factor = Factor { num: 1.0, den: seconds };
    Some(Measure { signal, factor, scope, quantile: None, window_s: seconds, warnings: Vec::new() })
}

/// What the metric called `name` has to do with, even where it is no signal as it is.
pub(crate) fn likely(name: &str) -> Option<Signal> {
    match find(name)?.row.meaning {
        Meaning::Is(signal)
        | Meaning::RateIs(signal)
        | Meaning::CountOf(signal)
        | Meaning::QuantileIs(signal) => Some(signal),
        Meaning::Completions => Some(Signal::RequestRate),
        Meaning::Replicas | Meaning::Cores | Meaning::Other(_) => None,
    }
}

/// What has to be said of requests that are counted when they end.
pub(super) const COMPLETIONS: &str =
    "it counts requests that end, not those that arrive: under overload it stops rising";

/// Why a metric is not a signal as it is.
pub(super) fn why_not(name: &str, known: &Known) -> String {
    match (known.row.meaning, known.suffix) {
        (Meaning::Other(what), _) => {
            format!("`{name}` ({}) is {what}, which is no signal of the simulator", known.system)
        }
        (Meaning::QuantileIs(signal), Suffix::None) => {
            let what = match signal {
                Signal::Ttft => "the time to the first token",
                Signal::Tpot => "the time per output token",
                _ => "the latency",
            };
            format!("`{name}` ({}) is a histogram of {what}: what is meant is a quantile of it", known.system)
        }
        (_, Suffix::Bucket | Suffix::Sum | Suffix::Count) => format!("`{name}` is a part of a histogram"),
        (Meaning::RateIs(_) | Meaning::Completions, _) => {
            format!("`{name}` is a counter, which grows for ever: what is meant is its rate")
        }
        (Meaning::CountOf(_), _) => format!("`{name}` is the sum of a period, and the period is not said"),
        (Meaning::Replicas, _) => {
            format!("`{name}` is a number of instances, which another autoscaler decides: simulate that one")
        }
        (Meaning::Cores, _) => format!("`{name}` is processor time: a pod's request makes it a utilization"),
        (Meaning::Is(_) | Meaning::QuantileIs(_), _) => format!("`{name}` is no counter"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_become_shares_and_minutes_seconds() {
        let gpu = of_name("DCGM_FI_DEV_GPU_UTIL").unwrap();
        assert_eq!((gpu.signal, gpu.scope, gpu.factor.apply(70.0)), (Signal::Utilization, Of::One, 0.7));
        let invocations = of_name("SageMakerVariantInvocationsPerInstance").unwrap();
        assert_eq!(invocations.factor.apply(600.0), 10.0);
        assert_eq!(invocations.factor.undo(10.0), 600.0);
        assert!(of_name("vllm:kv_cache_usage_perc").unwrap().factor.is_one(), "perc, but 1 is full");
    }

    #[test]
    fn the_sum_of_a_period_is_a_rate_once_the_period_is_known() {
        let sum = of_sum("RequestCount", 60.0).unwrap();
        assert_eq!((sum.signal, sum.factor.apply(600.0), sum.window_s), (Signal::RequestRate, 10.0, 60.0));
        assert!(of_sum("TargetResponseTime", 60.0).is_none());
    }

    #[test]
    fn what_is_no_signal_is_named() {
        for (name, why) in [
            ("http_requests_total", "grows for ever"),
            ("wva_desired_replicas", "another autoscaler"),
            ("vllm:time_to_first_token_seconds", "time to the first token"),
            ("requests_in_my_queue", "no metric that is known"),
            ("nginx_ingress_controller_nginx_process_requests_per_second", "every host"),
        ] {
            let refused = of_name(name).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }
}
