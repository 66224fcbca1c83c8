//! The replications of one setting, and what they say together.

use super::figures::{Source, slo_quantile};
use super::types::{self, TypeSample};
use super::{FIGURES, Figure, Figures, PromiseKept, Record, Sample, SloVerdict, Unit};
use crate::sim::{Promise, Slo};
use crate::stats::{CONFIDENCE, Linearised, Misses, Pool, Quantile};

/// The replications of one setting, in their order, with the time promised over all their requests together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Replications {
    each: Vec<Record>,
    slo: Option<Slo>,
    /// The time promised at the SLO's percentile, of all requests; `None` without a replication.
    promised: Option<Quantile>,
}

impl Replications {
    /// Those in `each`, in the order of their numbers, judged by `slo`.
    pub fn new(each: Vec<Record>, slo: Option<Slo>) -> Replications {
        let promised = promised(&each, slo);
        Replications { each, slo, promised }
    }

    /// These and the records in `more`; both with the times of their requests.
    #[must_use]
    pub fn and(self, more: Vec<Record>) -> Replications {
        Replications::new(self.each.into_iter().chain(more).collect(), self.slo)
    }

    /// Forgets how long each request took: what they come to is known, and no more replications will come.
    #[must_use]
    pub fn without_times(mut self) -> Replications {
        self.each.iter_mut().for_each(|replication| replication.promised = None);
        self
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.each.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Record> {
        self.each.iter()
    }

    /// All figures.
    pub fn figures(&self) -> Figures {
        let estimate = |(index, figure): (usize, &Figure)| {
            let most = if figure.unit == Unit::Share { 1.0 } else { f64::INFINITY };
            let estimate = match (figure.source(), &self.promised) {
                (Source::SloLatency, Some(promised)) => promised.estimate,
                _ => self.samples(index).estimate(CONFIDENCE).within(0.0, most),
            };
            estimate.from_replications(figure.least_replications())
        };
        let types: Vec<&[TypeSample]> = self.each.iter().map(Record::types).collect();
        Figures::new(FIGURES.iter().enumerate().map(estimate).collect(), types::estimates(&types))
    }

    /// The figure called `name`, over all replications that have it.
    pub fn figure(&self, name: &str) -> Linearised {
        let Some(index) = FIGURES.iter().position(|figure| figure.name == name) else {
            return Linearised::default();
        };
        match (FIGURES[index].source(), &self.promised) {
            (Source::SloLatency, Some(promised)) => promised.linearised.clone(),
            _ => self.samples(index),
        }
    }

    /// The figure at `index` in [`FIGURES`], from the sample of each replication.
    fn samples(&self, index: usize) -> Linearised {
        linearised(self.each.iter().map(|replication| replication.samples[index]))
    }

    /// The share of requests that miss the first promise; `None` where nothing is promised or no request has ended.
    pub fn misses(&self) -> Option<Misses> {
        self.misses_of(0)
    }

    /// The same of the promise at `promise`.
    pub(super) fn misses_of(&self, promise: usize) -> Option<Misses> {
        Misses::of(self.each.iter().filter_map(|record| record.missed_of(promise)))
    }

    /// How each promise is kept, the first at the beginning; none where nothing is promised.
    pub fn promises(&self) -> Vec<PromiseKept> {
        let count = self.slo.iter().flat_map(Slo::promises).count();
        let of = |(index, promise): (usize, Promise)| {
            let misses = self.misses_of(index);
            let pairs: Vec<(f64, f64)> =
                self.each.iter().filter_map(|record| record.missed_of(index)).collect();
            PromiseKept {
                promise,
                kept: SloVerdict::among(misses.as_ref(), promise.allowed(), count),
                share: Linearised::of_ratio(&pairs).estimate(CONFIDENCE).within(0.0, 1.0),
                misses,
            }
        };
        self.slo.iter().flat_map(Slo::promises).enumerate().map(of).collect()
    }

    /// Whether the SLO is kept: the verdict on the promise that is kept worst. `None` if nothing is promised.
    pub fn keeps_slo(&self) -> Option<SloVerdict> {
        self.worst_promise().map(|worst| worst.kept)
    }

    /// The promise that is kept worst; of equal verdicts the one that uses most of its error budget. `None` if nothing is
    /// promised.
    pub fn worst_promise(&self) -> Option<PromiseKept> {
        let used = |it: &PromiseKept| it.budget_used().mean.unwrap_or(f64::INFINITY);
        self.promises().into_iter().reduce(|worst, next| {
            let worse = next.kept.rank().cmp(&worst.kept.rank()).then(used(&next).total_cmp(&used(&worst)));
            if worse.is_gt() { next } else { worst }
        })
    }

    /// Whether every promise is kept with all replications taken together; `true` if nothing is promised.
    pub fn keeps_slo_on_average(&self) -> bool {
        self.promises().iter().all(PromiseKept::on_average)
    }

    /// The figure called `name` here and in `other`, over the replications that both have it in: what can be subtracted
    /// one from the other.
    pub fn paired(&self, other: &Replications, name: &str) -> (Linearised, Linearised) {
        let Some(index) = FIGURES.iter().position(|figure| figure.name == name) else {
            return Default::default();
        };
        let (this, that) = (self.figure(name), other.figure(name));
        let numbers = |of: &Replications| of.iter().map(|replication| replication.number).collect::<Vec<_>>();
        let whole = |figure: &Linearised| figure.replications() == self.len();
        if numbers(self) == numbers(other) && whole(&this) && whole(&that) {
            return (this, that);
        }
        // Work that was stopped, or replications without a request: what is pooled cannot be taken apart, so it is then that
        // of each replication.
        let both: Vec<(Sample, Sample)> = self
            .iter()
            .filter_map(|a| Some((a, other.iter().find(|b| b.number == a.number)?)))
            .map(|(a, b)| (a.samples[index], b.samples[index]))
            .filter(|(a, b)| *a != Sample::Missing && *b != Sample::Missing)
            .collect();
        (linearised(both.iter().map(|pair| pair.0)), linearised(both.iter().map(|pair| pair.1)))
    }
}

impl<'a> IntoIterator for &'a Replications {
    type Item = &'a Record;
    type IntoIter = std::slice::Iter<'a, Record>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// One figure over replications, by the kind of its samples. Replications that miss it do not count.
fn linearised(samples: impl Iterator<Item = Sample>) -> Linearised {
    let (mut values, mut pairs) = (Vec::new(), Vec::new());
    for sample in samples {
        match sample {
            Sample::Missing => {}
            Sample::Value(value) => values.push(value),
            Sample::Ratio { of, to } => pairs.push((of, to)),
        }
    }
    if pairs.is_empty() { Linearised::of_values(&values) } else { Linearised::of_ratio(&pairs) }
}

/// The time promised at the SLO's percentile, of all requests of `each` together.
fn promised(each: &[Record], slo: Option<Slo>) -> Option<Quantile> {
    let pool = Pool::new(each.iter().filter_map(|record| Some((record.promised.as_ref()?, record.asked))));
    (!each.is_empty()).then(|| pool.quantile(slo_quantile(slo), CONFIDENCE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{SLO_LATENCY, SLO_LATENCY_OF_RUN};
    use crate::random::Streams;
    use crate::scenario::ScenarioFile;
    use crate::sim::{Options, simulate};
    use crate::time::Span;

    /// Six replications of a language model that loses no request, some of whose answers have one token.
    fn figures(slo: &str) -> Figures {
        let text = format!(
            "[arrivals]\nkind = \"poisson\"\nrate = 5\n[service]\nmodel = \"llm\"\npreset = \"llama-3.1-8b-h100\"\n\
             prompt_tokens = 800\noutput_tokens = {{ dist = \"uniform\", min = 0, max = 40 }}\n\
             [autoscaler]\nkind = \"fixed\"\ninstances = 2\n[slo]\n{slo}\n[run]\nduration = \"10m\""
        );
        let model = ScenarioFile::parse("test.toml", &text, ".").unwrap().scenario().unwrap().model;
        let options = Options { mark_interval: Span::from_secs(60), timeline: false, decisions: false };
        let run = |number: u32| {
            let (outcome, ()) = simulate(&model, Streams::new(1, number.into()), &options, ());
            Record::of(number, &outcome, model.slo)
        };
        Replications::new((0..6).map(run).collect(), model.slo).figures()
    }

    #[test]
    fn the_latency_of_the_slo_is_that_of_what_is_promised() {
        for (slo, name) in [
            ("ttft = \"1s\"\ntpot = \"1s\"\nlatency = \"30s\"", "ttft.p95"),
            ("tpot = \"1s\"\nlatency = \"30s\"", "tpot.p95"),
            ("latency = \"30s\"", "latency.p95"),
        ] {
            let figures = figures(&format!("{slo}\npercentile = 95"));
            let (promised, of_run) = (figures.get(SLO_LATENCY), figures.get(SLO_LATENCY_OF_RUN));
            let of = figures.get(name);
            // Of what is in flight at the end, the one counts nothing and the other the time until then.
            let apart = of_run.mean.unwrap() / of.mean.unwrap() - 1.0;
            assert!(apart.abs() < 0.02, "{name}: {of_run:?} and {of:?}");
            assert!(of.mean.is_some_and(|time| time > 0.0) && of.low <= of.high, "{name}: {of:?}");
            // Of all requests together it is nearly the same where runs are alike.
            let (pooled, mean) = (promised.mean.unwrap(), of.mean.unwrap());
            assert!((pooled / mean - 1.0).abs() < 0.05, "{name}: {pooled} and {mean}");
        }
    }

    #[test]
    fn percentiles_rise_to_the_maximum_and_have_intervals_from_five_replications_on() {
        let figures = figures("latency = \"30s\"");
        let means: Vec<f64> = ["p50", "p90", "p95", "p99", "p999", "max"]
            .map(|name| figures.get(&format!("latency.{name}")).mean.unwrap())
            .into();
        assert!(means.is_sorted(), "{means:?}");
        for figure in FIGURES {
            let least = figure.least_replications();
            let tail = ["p50", "p90", "p95", "p99", "p999", "max", "peak"]
                .iter()
                .any(|tail| figure.name.ends_with(tail));
            let tail = tail || figure.name.contains("peak_") || figure.name.starts_with(SLO_LATENCY);
            assert_eq!(least, if tail { 5 } else { 3 }, "{}", figure.name);
        }
    }
}
