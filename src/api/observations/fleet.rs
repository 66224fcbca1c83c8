//! A closed loop: instances that follow the decisions of the policy after their cold start, and share the recorded load.

use serde_json::{Value, json};

use super::Fields;
use super::text::is_measured;
use crate::autoscaler::PoolFields;

/// The instances that the decisions have made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fleet {
    cold_start_s: f64,
    ready: u32,
    /// When those that start become ready, earliest first.
    starting: Vec<f64>,
}

impl Fleet {
    /// A fleet at rest: all of it is ready.
    pub fn of(ready: u32, cold_start_s: f64) -> Fleet {
        Fleet { cold_start_s, ready, starting: Vec::new() }
    }

    fn existing(&self) -> u32 {
        self.ready + self.starting.len() as u32
    }

    /// Lets time pass: what has started is ready.
    pub fn advance(&mut self, now_s: f64) {
        let done = self.starting.partition_point(|at| *at <= now_s);
        self.starting.drain(..done);
        self.ready += done as u32;
    }

    /// Follows a decision: instances start, or go, those that start first.
    pub fn follow(&mut self, desired: u32, now_s: f64) {
        let more = desired.saturating_sub(self.existing());
        self.starting.extend(std::iter::repeat_n(now_s + self.cold_start_s, more as usize));
        let mut fewer = self.existing().saturating_sub(desired);
        let cancelled = (fewer as usize).min(self.starting.len());
        self.starting.truncate(self.starting.len() - cancelled);
        fewer -= cancelled as u32;
        self.ready -= fewer;
        self.advance(now_s);
    }

    /// Sets in a row how many instances there are, and what of the recorded load each of them has. A recorded mean is of
    /// the recorded instances: their sum, shared by the ready ones of the fleet.
    pub fn set_in(&self, fields: &mut Fields, names: &PoolFields, is_first: bool) {
        if let Some(recorded) = names.ready.and_then(|name| fields.get(name)).and_then(Value::as_f64) {
            let ratio = (self.ready > 0).then(|| recorded / f64::from(self.ready));
            share(fields, &names.shared, ratio);
        }
        if let Some(name) = names.desired.filter(|_| !is_first) {
            fields.remove(name);
        }
        let counts = [
            (names.existing, self.existing()),
            (names.ready, self.ready),
            (names.starting, self.starting.len() as u32),
        ];
        for (name, count) in counts {
            if let Some(name) = name {
                fields.insert(name.to_owned(), json!(count));
            }
        }
    }
}

/// Multiplies each value that is a mean over the instances; without a ratio nobody is there to measure.
fn share(fields: &mut Fields, shared: &[bool], ratio: Option<f64>) {
    if shared.len() == 1 && shared[0] {
        scale_all(fields, ratio);
    }
    let Some(Value::Array(metrics)) = fields.get_mut("metrics") else { return };
    for (metric, _) in metrics.iter_mut().zip(shared).filter(|(_, shared)| **shared) {
        match metric {
            Value::Object(fields) => scale_all(fields, ratio),
            number => scale(number, ratio),
        }
    }
}

fn scale_all(fields: &mut Fields, ratio: Option<f64>) {
    fields.iter_mut().filter(|(name, _)| is_measured(name)).for_each(|(_, value)| scale(value, ratio));
}

fn scale(value: &mut Value, ratio: Option<f64>) {
    let scaled = |number: f64| ratio.map(|ratio| number * ratio);
    *value = match &*value {
        Value::Number(number) => {
            let whole = number.is_i64() || number.is_u64();
            let scaled = number.as_f64().and_then(scaled);
            // A whole number, such as thousandths, stays whole.
            if whole { json!(scaled.map(|scaled| scaled.round() as i64)) } else { json!(scaled) }
        }
        Value::String(text) => {
            let digits = text.trim_end_matches(|last: char| !last.is_ascii_digit());
            let unit = &text[digits.len()..];
            match digits.parse().ok().and_then(scaled) {
                Some(scaled) => json!(format!("{scaled}{unit}")),
                None => Value::Null,
            }
        }
        other => other.clone(),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_come_after_their_cold_start_and_those_that_start_go_first() {
        let mut fleet = Fleet::of(2, 30.0);
        fleet.follow(4, 0.0);
        fleet.advance(29.0);
        assert_eq!((fleet.ready, fleet.existing()), (2, 4));
        fleet.follow(3, 29.0);
        fleet.advance(30.0);
        assert_eq!((fleet.ready, fleet.existing()), (3, 3));
        fleet.follow(1, 31.0);
        assert_eq!((fleet.ready, fleet.existing()), (1, 1));
    }

    #[test]
    fn a_mean_over_the_recorded_instances_is_shared_by_those_of_the_fleet() {
        let names = PoolFields {
            desired: Some("desired"),
            existing: Some("existing"),
            ready: Some("ready"),
            starting: Some("unready"),
            shared: vec![true],
        };
        let mut fields: Fields = serde_json::from_str(r#"{"desired": 4, "ready": 4, "value": 900}"#).unwrap();
        Fleet::of(3, 0.0).set_in(&mut fields, &names, false);
        assert_eq!(json!(fields), json!({"ready": 3, "value": 1200, "existing": 3, "unready": 0}));
        let mut text: Fields = serde_json::from_str(r#"{"ready": 1, "value": "900m"}"#).unwrap();
        Fleet::of(2, 0.0).set_in(&mut text, &names, true);
        assert_eq!(text["value"], json!("450m"));
    }
}
