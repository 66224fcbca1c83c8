//! A metric of an HPA or a trigger of KEDA: which signal it is, in which unit its target stands, and what it is of.

use super::codec::rounded;
use super::measure::{Factor, Measure, Of};
use super::translation::{Question, Translation};
use super::{Codec, Field, Fields, quantity_of};
use crate::autoscaler::Signal;
use crate::schema::{Data, Place, Problem};

/// Signals that such a metric can be.
const SIGNALS: &str = "request_rate, in_flight, concurrency, queue_length, utilization, kv_cache, latency, ttft, tpot, \
                       prompt_token_rate or output_token_rate";

/// Signals that a resource of the pods can be.
const SHARES: &str = "utilization or kv_cache";

/// What the values of a metric are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TargetKind {
    /// The metric of each pod with the target.
    EachPod,
    /// The metric divided by the replicas.
    AverageValue,
    /// The metric as it is, which scales the ready pods.
    Value,
}

/// A target as the file has it.
#[derive(Debug)]
pub(crate) struct Target<'a, 'n> {
    /// How it is compared.
    pub kind: TargetKind,
    /// The object that holds it.
    pub fields: &'a Fields<'n>,
    /// Its field.
    pub name: &'static str,
    /// Keys of the scenario for the target under each kind: average value, value.
    pub keys: [&'static str; 2],
    /// Where the kind of the target is a key of its own, its name and its values.
    pub type_key: Option<(&'static str, [&'static str; 2])>,
    /// Field and key of the value from which on a trigger is active.
    pub activation: Option<(&'static str, &'static str)>,
}

/// A metric on the way into the settings.
#[derive(Debug)]
pub(crate) struct Watch<'p> {
    /// Its key beneath `[autoscaler]`: `metrics.0`.
    pub key: String,
    /// The path of the field that says what it is.
    pub path: String,
    /// Where that field stands.
    pub place: &'p Place,
    /// The signal of the line that a user is shown; without one, the most common.
    pub example: Option<Signal>,
}

/// Says of a target of 1 or less that is compared with a percentage that it may be meant as a share.
pub(crate) fn doubt_share(fields: &Fields<'_>, name: &str, into: &mut Translation) {
    let Some(node) = fields.get(name) else { return };
    if let Some(written) = quantity_of(node).filter(|written| *written > 0.0 && *written <= 1.0) {
        let path = fields.shown(&fields.path_of(name));
        let share = rounded(written * 100.0);
        let text = format!(
            "{path} is compared with a percentage, so that it is {written} %: if a share is meant, write {share}"
        );
        into.note(text, &node.place);
    }
}

impl Watch<'_> {
    /// Sets signal and target of a metric that is settled, asks where it is not, and says what must be known.
    ///
    /// # Errors
    /// The target is not written as it has to be.
    pub fn put(
        &self,
        measure: Result<Measure, String>,
        target: &Target<'_, '_>,
        into: &mut Translation,
    ) -> Result<(), Problem> {
        if into.is_as_written() {
            return self.put_as_written(measure, target, into);
        }
        let settled = measure.and_then(|measure| self.fit(measure, target, into));
        let (factor, kind) = match settled {
            Ok(settled) => settled,
            Err(why) => {
                self.ask(&why, into);
                (None, target.kind)
            }
        };
        let codec = factor.filter(|factor| !factor.is_one()).map_or(Codec::Quantity, Codec::Converted);
        let index = usize::from(kind == TargetKind::Value);
        target.fields.read(&[Field::new(target.name, target.keys[index], codec)], &self.key, into)?;
        self.doubt_percent(factor, target, into);
        self.doubt_seconds(factor, target, into);
        if let Some((key, values)) = target.type_key.filter(|_| kind != target.kind) {
            into.set(format!("{}.{key}", self.key), Data::Text(values[index].into()), self.place);
        }
        if let Some((name, key)) = target.activation {
            let codec = factor.filter(|factor| !factor.is_one()).map_or(Codec::NumberText, Codec::Converted);
            target.fields.read(&[Field::new(name, key, codec)], &self.key, into)?;
        }
        Ok(())
    }

    /// The target as it is written, to be compared with recorded values.
    fn put_as_written(
        &self,
        measure: Result<Measure, String>,
        target: &Target<'_, '_>,
        into: &mut Translation,
    ) -> Result<(), Problem> {
        if let Ok(Measure { signal, .. }) = measure {
            into.set(format!("{}.signal", self.key), Data::Text(signal.name().into()), self.place);
        }
        let index = usize::from(target.kind == TargetKind::Value);
        target.fields.read(
            &[Field::new(target.name, target.keys[index], Codec::Quantity)],
            &self.key,
            into,
        )?;
        if let Some((name, key)) = target.activation {
            target.fields.read(&[Field::new(name, key, Codec::NumberText)], &self.key, into)?;
        }
        Ok(())
    }

    /// Says of a target of 1 or less against a percentage that it may be meant as a share.
    fn doubt_percent(&self, factor: Option<Factor>, target: &Target<'_, '_>, into: &mut Translation) {
        if factor.is_some_and(|factor| factor.num * 100.0 == factor.den) {
            doubt_share(target.fields, target.name, into);
        }
    }

    /// Says of a target of minutes for a time that it may be meant in milliseconds.
    fn doubt_seconds(&self, factor: Option<Factor>, target: &Target<'_, '_>, into: &mut Translation) {
        const LONG_S: f64 = 100.0;
        let is_time = into.value(&format!("{}.signal", self.key)).is_some_and(|signal| {
            matches!(signal, Data::Text(name) if Signal::named(name).is_some_and(|signal| signal.timed().is_some()))
        });
        let Some(node) = target.fields.get(target.name).filter(|_| is_time) else { return };
        let seconds = quantity_of(node).filter(|_| factor.is_some_and(Factor::is_one));
        if let Some(written) = seconds.filter(|written| *written >= LONG_S) {
            let path = target.fields.shown(&target.fields.path_of(target.name));
            let meant = rounded(written / 1000.0);
            into.note(
                format!("{path} is compared with seconds: if milliseconds are meant, write {meant}"),
                &node.place,
            );
        }
    }

    /// The unit of the target and how it is compared, of a metric that is a signal.
    fn fit(
        &self,
        measure: Measure,
        target: &Target<'_, '_>,
        into: &mut Translation,
    ) -> Result<(Option<Factor>, TargetKind), String> {
        let Measure { signal, factor, scope, quantile, window_s, warnings } = measure;
        let Watch { key, path, place, .. } = self;
        let is_sum = signal.quantity().is_additive();
        let mut kind = target.kind;
        match (target.kind, scope) {
            (TargetKind::EachPod, _) => {}
            // The mean times the ready pods is the total: the same as a target for each.
            (TargetKind::Value, Of::Mean | Of::One) if is_sum => kind = TargetKind::AverageValue,
            (TargetKind::AverageValue, Of::Mean | Of::One) => {
                if is_sum {
                    into.set(format!("{key}.per"), Data::Text("instance".into()), place);
                }
                let what = if quantile.is_some() { "quantile" } else { "mean" };
                into.note(format!("{path} is a {what}, which AverageValue divides by the replicas once more: the pool stops growing at a few instances; metricType Value follows the {what}"), place);
                if scope == Of::One {
                    into.note(format!("{path} is a series for each instance: KEDA takes more than one for an error, so it works with one instance alone"), place);
                }
            }
            // A sum of shares divided by the replicas is the mean share.
            (TargetKind::AverageValue, Of::Total) if !is_sum => kind = TargetKind::Value,
            (TargetKind::Value, Of::Total) if !is_sum => {
                return Err("a sum of shares over the instances is compared with one target for all".into());
            }
            _ => {}
        }
        into.set(format!("{key}.signal"), Data::Text(signal.name().into()), place);
        if let Some(quantile) = quantile {
            into.set(format!("{key}.quantile"), Data::Float(quantile), place);
        }
        for warning in warnings {
            into.note(format!("{path}: {warning}"), place);
        }
        into.averages(path.clone(), window_s, place);
        Ok((Some(factor), kind))
    }

    /// Leaves the signal to the user.
    pub fn ask(&self, why: &str, into: &mut Translation) {
        self.ask_among(SIGNALS, self.example.unwrap_or(Signal::QueueLength), why, into);
    }

    /// The same of a resource of the pods, which can only be a share.
    pub fn ask_share(&self, why: &str, into: &mut Translation) {
        self.ask_among(SHARES, Signal::Utilization, why, into);
    }

    fn ask_among(&self, signals: &str, example: Signal, why: &str, into: &mut Translation) {
        into.ask(Question {
            key: format!("{}.signal", self.key),
            why: format!("{}: {why}", self.path),
            label: format!(
                "expected a signal of the simulator for it: {signals}, with the target in its unit"
            ),
            line: format!("{}.signal = \"{}\"", self.key, example.name()),
            place: self.place.clone(),
        });
    }
}
