//! One finished replication, as it is kept and stored.

use serde::{Deserialize, Serialize};

use super::figures::{ended, samples, slo_times};
use super::types::{self, TypeSample};
use super::{COST, FIGURES, Figure, SLO_ATTAINMENT, Sample};
use crate::sim::{Outcome, Slo};
use crate::stats::{Digest, Kept, Tally};

/// What one replication came to: every figure, and the times its requests took.
///
/// A record is plain data. It can be written to bytes and read back bit for bit, and what a setting comes to is a function
/// of its records in the order of their numbers alone: see [`Replications::new`](super::Replications::new).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Number of the replication, from 0; what its random streams are derived from.
    pub number: u32,
    /// In the order of [`FIGURES`].
    pub(super) samples: Vec<Sample>,
    /// The figures of each type of instance; none where all are alike.
    pub(super) types: Vec<TypeSample>,
    /// The times that the SLO is about; `None` where there are none, and once they are pooled.
    pub(super) promised: Option<Tally>,
    /// Requests that such a time is asked of: those that have ended or have missed the SLO without, but for answers of one
    /// token where the time per further token is promised.
    pub(super) asked: u64,
    /// How each promise beside the first is kept: what missed it, and what counts.
    more: Vec<(u64, u64)>,
}

impl Record {
    /// The record of `outcome`, that of replication `number`, judged by `slo`.
    pub fn of(number: u32, outcome: &Outcome, slo: Option<Slo>) -> Record {
        let times = slo_times(slo).of(outcome);
        Record {
            number,
            samples: samples(outcome, slo),
            types: types::samples(outcome),
            promised: times.map(Tally::of),
            asked: ended(outcome) + times.map_or(0, Digest::count) - outcome.counts.served,
            more: outcome.more.clone(),
        }
    }

    /// The figures of each type of instance; none where all are alike.
    pub fn types(&self) -> &[TypeSample] {
        &self.types
    }

    /// The figures with their values.
    pub fn values(&self) -> impl Iterator<Item = (&'static Figure, Option<f64>)> {
        FIGURES.iter().zip(self.samples.iter().map(|sample| sample.value()))
    }

    /// The figure called `name`; missing if there is none of that name.
    pub fn sample(&self, name: &str) -> Sample {
        let index = FIGURES.iter().position(|figure| figure.name == name);
        index.map_or(Sample::Missing, |index| self.samples[index])
    }

    /// What missed the promise at `index`, the first at 0, and what counts: windows of a promise of windows, else requests.
    pub fn missed_of(&self, index: usize) -> Option<(f64, f64)> {
        match index.checked_sub(1) {
            None => self.missed(),
            Some(index) => self.more.get(index).map(|(missed, counted)| (*missed as f64, *counted as f64)),
        }
    }

    /// Requests that missed the first promise, and those that count; `None` where nothing is promised or none has ended.
    fn missed(&self) -> Option<(f64, f64)> {
        match self.sample(SLO_ATTAINMENT) {
            Sample::Ratio { of, to } => Some((to - of, to)),
            _ => None,
        }
    }

    /// The record without the times that its requests took: what many of them are kept as.
    #[must_use]
    pub fn without_times(mut self) -> Record {
        self.promised = None;
        self
    }

    /// How it keeps each promise, and its cost; `None` where nothing is promised or no request has ended.
    pub fn kept(&self) -> Option<(Vec<Kept>, f64)> {
        let (missed, counted) = self.missed()?;
        let more = self
            .more
            .iter()
            .map(|(missed, counted)| Kept { missed: *missed as f64, counted: *counted as f64 });
        let all = std::iter::once(Kept { missed, counted }).chain(more);
        Some((all.collect(), self.sample(COST).value()?))
    }

    /// The record as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Nothing in a record refuses to be written, and memory is all that is written to.
        postcard::to_allocvec(self).unwrap_or_default()
    }

    /// The record written by [`Record::to_bytes`]; `None` if these bytes are not a record of this version.
    pub fn from_bytes(bytes: &[u8]) -> Option<Record> {
        let (record, rest) = postcard::take_from_bytes::<Record>(bytes).ok()?;
        (record.samples.len() == FIGURES.len() && rest.is_empty()).then_some(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Streams;
    use crate::scenario::ScenarioFile;
    use crate::sim::{Options, simulate};

    fn record(text: &str) -> Record {
        let scenario = ScenarioFile::parse("test.toml", text, ".").unwrap().scenario().unwrap();
        let interval = scenario.run.timeline_interval;
        let options = Options { mark_interval: interval, timeline: false, decisions: false };
        let (outcome, ()) = simulate(&scenario.model, Streams::new(1, 3), &options, ());
        Record::of(3, &outcome, scenario.model.slo)
    }

    const PLAIN: &str = "[arrivals]\nkind = \"poisson\"\nrate = 20\n[service]\n\
        time = { dist = \"exponential\", mean = \"300ms\" }\n[autoscaler]\nkind = \"fixed\"\ninstances = 8\n\
        [slo]\nlatency = \"1s\"\n[run]\nduration = \"10m\"";

    #[test]
    fn a_record_survives_its_bytes_bit_for_bit() {
        let mut record = record(PLAIN);
        record.samples[0] = Sample::Value(f64::INFINITY);
        record.samples[1] = Sample::Value(0.1 + 0.2);
        record.types =
            vec![TypeSample { name: "spot – größer".into(), values: [1.0, -0.0, 3.5, 1e-300, 5.0] }];
        let bytes = record.to_bytes();
        let back = Record::from_bytes(&bytes).unwrap();
        assert_eq!(back, record);
        assert_eq!(back.to_bytes(), bytes);
        assert!(back.types[0].values[1].is_sign_negative());
    }

    #[test]
    fn what_is_cut_or_of_other_figures_is_no_record() {
        let mut record = record(PLAIN);
        let bytes = record.to_bytes();
        assert!((0..bytes.len()).all(|length| Record::from_bytes(&bytes[..length]).is_none()));
        assert!(Record::from_bytes(&[&bytes[..], &[0]].concat()).is_none());
        record.samples.pop();
        assert!(Record::from_bytes(&record.to_bytes()).is_none());
    }
}
