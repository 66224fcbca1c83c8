//! `[cost]`: what instance-time costs.

use crate::schema::{Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice};
use crate::time::{Instant, Span};

/// What instance-time costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// Price of one instance for one hour, in [`Cost::currency`].
    pub per_instance_hour: f64,
    /// Name of the currency, for tables and charts.
    pub currency: String,
    /// When billing of an instance begins.
    pub billed_from: BilledFrom,
    /// Billed time is rounded up to a multiple of this; zero bills exactly.
    pub granularity: Span,
    /// Minimum billed time of an instance that is billed at all.
    pub minimum: Span,
}

/// When billing of an instance begins. It ends when the instance is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BilledFrom {
    /// At the scale-up decision: the cold start is paid for.
    Requested,
    /// When the instance is ready.
    Ready,
}

impl Choice for BilledFrom {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("requested", BilledFrom::Requested, "from the scale-up decision: the cold start is paid for"),
        ("ready", BilledFrom::Ready, "from when the instance is ready"),
    ];
}

impl Value for BilledFrom {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

const PER_INSTANCE_HOUR: Key<f64> =
    Key::or("per_instance_hour", "1", "Price of one instance for one hour.").at_least(0.0).at_most(1e9);
const CURRENCY: Key<String> = Key::or("currency", "\"USD\"", "Name of the currency, for tables and charts.");
const BILLED_FROM: Key<BilledFrom> = Key::or(
    "billed_from",
    "\"requested\"",
    "When billing of an instance begins; it ends when the instance is gone.",
);
const GRANULARITY: Key<Span> = Key::or(
    "granularity",
    "\"1s\"",
    "The billed time of each instance is rounded up to a multiple of this; \"0s\" bills exactly.",
);
const MINIMUM: Key<Span> =
    Key::or("minimum", "\"0s\"", "Minimum time billed for each instance that is billed.");

impl Cost {
    /// The `[cost]` table.
    pub const SPEC: TableSpec = TableSpec {
        name: "cost",
        doc: "What instance-time costs.",
        keys: &[&PER_INSTANCE_HOUR, &CURRENCY, &BILLED_FROM, &GRANULARITY, &MINIMUM],
    };

    /// The `[decode.cost]` table, of one of two pools that are paid in one currency.
    pub const SPEC_OF_POOL: TableSpec = TableSpec {
        name: "decode.cost",
        doc: "What instance-time of the pool that decodes costs.",
        keys: &[&PER_INSTANCE_HOUR, &BILLED_FROM, &GRANULARITY, &MINIMUM],
    };

    /// Reads the `[cost]` table.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn read(reader: &Reader<'_>) -> Result<Cost, Problem> {
        Ok(Cost {
            per_instance_hour: reader.get(&PER_INSTANCE_HOUR)?,
            currency: reader.shown("currency", reader.get(&CURRENCY)?)?,
            billed_from: reader.get(&BILLED_FROM)?,
            granularity: reader.get(&GRANULARITY)?,
            minimum: reader.get(&MINIMUM)?,
        })
    }

    /// Time billed, by `now`, for an instance whose billing began at `from` and which was gone at `until`, if it was:
    /// rounded up to the granularity and never less than the minimum, since a unit begun is owed.
    pub fn billed(&self, from: Instant, until: Option<Instant>, now: Instant) -> Span {
        // An instance that is gone the instant its billing began still owes the minimum.
        if from > now || (from == now && until.is_none_or(|until| until > now)) {
            return Span::ZERO;
        }
        let used = until.map_or(now, |until| until.min(now)).since(from).max(self.minimum);
        match self.granularity.as_nanos() {
            0 => used,
            unit => Span::from_nanos(used.as_nanos().div_ceil(unit).saturating_mul(unit)),
        }
    }
}

impl Default for Cost {
    /// One unit of money an hour, billed from the decision by the second begun.
    fn default() -> Self {
        Cost {
            per_instance_hour: 1.0,
            currency: "USD".into(),
            billed_from: BilledFrom::Requested,
            granularity: Span::from_secs(1),
            minimum: Span::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hourly() -> Cost {
        Cost {
            per_instance_hour: 2.0,
            currency: "EUR".into(),
            billed_from: BilledFrom::Requested,
            granularity: Span::from_secs(3600),
            minimum: Span::from_secs(60),
        }
    }

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Span::from_secs(seconds)
    }

    #[test]
    fn a_unit_begun_is_owed() {
        assert_eq!(hourly().billed(at(0), Some(at(3601)), at(9999)), Span::from_secs(7200));
        assert_eq!(hourly().billed(at(0), Some(at(3600)), at(9999)), Span::from_secs(3600));
        assert_eq!(hourly().billed(at(0), None, at(10)), Span::from_secs(3600));
    }

    #[test]
    fn exact_billing_still_has_its_minimum() {
        let cost = Cost { granularity: Span::ZERO, ..hourly() };
        assert_eq!(cost.billed(at(5), Some(at(6)), at(99)), Span::from_secs(60));
        assert_eq!(cost.billed(at(5), Some(at(95)), at(99)), Span::from_secs(90));
        assert_eq!(cost.billed(at(50), None, at(50)), Span::ZERO);
    }
}
