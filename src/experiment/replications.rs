//! The replications of one setting, and what they say together.

use super::figures::{Source, Times, slo_quantile, slo_times};
use super::types::{self, TypeSample};
use super::{FIGURES, Figure, Figures, Record, Sample, Unit};
use crate::sim::Slo;
use crate::stats::{CONFIDENCE, Linearised, Pool, Quantile, Tally};

/// The replications of one setting, in their order, with the quantiles of all their requests together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Replications {
    each: Vec<Record>,
    slo: Option<Slo>,
    /// In the order of [`FIGURES`]; `None` for what is no quantile.
    quantiles: Vec<Option<Quantile>>,
}

impl Replications {
    /// Those in `each`, in the order of their numbers, judged by `slo`.
    pub fn new(each: Vec<Record>, slo: Option<Slo>) -> Replications {
        let quantiles = quantiles(&each, slo);
        Replications { each, slo, quantiles }
    }

    /// These and the records in `more`; both with the times of their requests.
    #[must_use]
    pub fn and(self, more: Vec<Record>) -> Replications {
        Replications::new(self.each.into_iter().chain(more).collect(), self.slo)
    }

    /// Forgets how long each request took: the quantiles are known, and no more replications will come.
    #[must_use]
    pub fn without_times(mut self) -> Replications {
        self.each.iter_mut().for_each(|replication| replication.tallies = Vec::new());
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
        let estimate = |(index, figure): (usize, &Figure)| match self.quantiles.get(index) {
            Some(Some(quantile)) => quantile.estimate,
            _ => {
                let most = if figure.unit == Unit::Share { 1.0 } else { f64::INFINITY };
                let samples = self.each.iter().map(|replication| replication.samples[index]);
                linearised(samples).estimate(CONFIDENCE).within(0.0, most)
            }
        };
        let types: Vec<&[TypeSample]> = self.each.iter().map(Record::types).collect();
        Figures::new(FIGURES.iter().enumerate().map(estimate).collect(), types::estimates(&types))
    }

    /// The figure called `name`, over all replications that have it.
    pub fn figure(&self, name: &str) -> Linearised {
        let Some(index) = FIGURES.iter().position(|figure| figure.name == name) else {
            return Linearised::default();
        };
        match self.quantiles.get(index) {
            Some(Some(quantile)) => quantile.linearised.clone(),
            _ => linearised(self.each.iter().map(|replication| replication.samples[index])),
        }
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
        // Work that was stopped, or replications without a request: quantiles too are then those of each replication, for
        // what is pooled cannot be taken apart.
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

/// The quantiles among [`FIGURES`], of all requests of `each` together.
fn quantiles(each: &[Record], slo: Option<Slo>) -> Vec<Option<Quantile>> {
    let pool = |index: usize, all: fn(&Record, &Tally) -> u64| {
        let tally = |of| tally(of, index).map(|tally| (tally, all(of, tally)));
        Pool::new(each.iter().filter_map(tally))
    };
    let answered: Vec<Pool> =
        (0..Times::ALL.len()).map(|index| pool(index, |_, tally| tally.count())).collect();
    // Answers that have no such time do not count: those of one token, per further token.
    let ended = |times| pool(place(times), |of, timed| of.ended + timed.count() - served(of));
    let quantile = |figure: &Figure| match figure.source() {
        Source::Run(_) | Source::Mean(_) | Source::Longest(_) => None,
        Source::Quantile(times, q) => {
            let kept = each.iter().any(|replication| tally(replication, place(times)).is_some());
            kept.then(|| answered[place(times)].quantile(q, CONFIDENCE))
        }
        Source::SloLatency => {
            (!each.is_empty()).then(|| ended(slo_times(slo)).quantile(slo_quantile(slo), CONFIDENCE))
        }
    };
    FIGURES.iter().map(quantile).collect()
}

/// Where `times` stand in [`Times::ALL`].
fn place(times: Times) -> usize {
    Times::ALL.iter().position(|each| *each == times).unwrap_or(0)
}

fn tally(of: &Record, index: usize) -> Option<&Tally> {
    of.tallies.get(index).and_then(Option::as_ref)
}

/// Requests answered.
fn served(of: &Record) -> u64 {
    tally(of, place(Times::Latency)).map_or(0, Tally::count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::SLO_LATENCY;
    use crate::random::Streams;
    use crate::scenario::ScenarioFile;
    use crate::sim::{Options, simulate};
    use crate::time::Span;

    /// Three replications of a language model that loses no request, some of whose answers have one token.
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
        Replications::new((0..3).map(run).collect(), model.slo).figures()
    }

    #[test]
    fn the_latency_of_the_slo_is_that_of_what_is_promised() {
        for (slo, name) in [
            ("ttft = \"1s\"\ntpot = \"1s\"\nlatency = \"30s\"", "ttft.p95"),
            ("tpot = \"1s\"\nlatency = \"30s\"", "tpot.p95"),
            ("latency = \"30s\"", "latency.p95"),
        ] {
            let figures = figures(&format!("{slo}\npercentile = 95"));
            let (promised, of) = (figures.get(SLO_LATENCY), figures.get(name));
            assert_eq!(promised, of, "{name}");
            assert!(of.mean.is_some_and(|time| time > 0.0) && of.low < of.high, "{name}: {of:?}");
        }
    }
}
