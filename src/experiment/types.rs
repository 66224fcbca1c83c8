//! The figures told of each type of instance apart.

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::Unit;
use crate::sim::{Outcome, TypeShare};
use crate::stats::{CONFIDENCE, Estimate, Linearised};

/// A figure of one type of instance.
#[derive(Debug)]
pub struct TypeFigure {
    /// Name within the type's table: `by_type.<type>.<name>` in files.
    pub name: &'static str,
    /// Unit.
    pub unit: Unit,
    of: fn(&TypeShare, measured_s: f64) -> f64,
}

/// What is told of each type, in the order it is reported.
pub static TYPE_FIGURES: [TypeFigure; 5] = [
    TypeFigure { name: "instance_hours", unit: Unit::InstanceHours, of: |share, _| share.billed_hours },
    TypeFigure { name: "warm_hours", unit: Unit::InstanceHours, of: |share, _| share.warm_hours },
    TypeFigure { name: "node_hours", unit: Unit::InstanceHours, of: |share, _| share.node_hours },
    TypeFigure { name: "cost", unit: Unit::Currency, of: |share, _| share.cost },
    TypeFigure {
        name: "mean_ready",
        unit: Unit::Instances,
        of: |share, measured_s| share.ready / measured_s,
    },
];

/// The figures of one type in one replication, in the order of [`TYPE_FIGURES`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TypeSample {
    /// Name of the type.
    pub name: String,
    /// Its figures.
    pub values: [f64; TYPE_FIGURES.len()],
}

/// The figures of one type over the replications, in the order of [`TYPE_FIGURES`].
#[derive(Debug, Clone, PartialEq)]
pub struct OfType {
    /// Name of the type.
    pub name: String,
    /// Its figures.
    pub estimates: [Estimate; TYPE_FIGURES.len()],
}

/// The figures of each type of a run; none where all instances are alike.
pub(super) fn samples(run: &Outcome) -> Vec<TypeSample> {
    let named = run.by_type.iter().filter(|share| !share.name.is_empty());
    let sample = |share: &TypeShare| TypeSample {
        name: share.name.clone(),
        values: TYPE_FIGURES.each_ref().map(|figure| (figure.of)(share, run.measured_s)),
    };
    named.map(sample).collect()
}

/// The figures of each type over replications of one setting, which all have the same types.
pub(super) fn estimates(each: &[&[TypeSample]]) -> Vec<OfType> {
    let types = each.first().copied().unwrap_or_default().iter().enumerate();
    let of_type = |(index, first): (usize, &TypeSample)| OfType {
        name: first.name.clone(),
        estimates: std::array::from_fn(|figure| {
            let values: Vec<f64> = each.iter().map(|types| types[index].values[figure]).collect();
            Linearised::of_values(&values).estimate(CONFIDENCE).within(0.0, f64::INFINITY)
        }),
    };
    types.map(of_type).collect()
}

/// As a table of its figures.
impl Serialize for OfType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(TYPE_FIGURES.iter().map(|figure| figure.name).zip(&self.estimates))
    }
}

/// Types as a table by their names, in their order.
pub(super) struct ByName<'a>(pub &'a [OfType]);

impl Serialize for ByName<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.0.iter().try_for_each(|each| map.serialize_entry(&each.name, each))?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_the_mean_and_the_interval_of_its_own_replications() {
        let sample =
            |name: &str, cost: f64| TypeSample { name: name.to_owned(), values: [1.0, 0.0, 0.0, cost, 2.0] };
        let each = [1.0, 2.0, 3.0].map(|cost| [sample("spot", cost), sample("base", 5.0)]);
        let found = estimates(&[&each[0], &each[1], &each[2]]);
        assert_eq!(found.iter().map(|each| each.name.as_str()).collect::<Vec<_>>(), ["spot", "base"]);
        let [spot, base] = [found[0].estimates[3], found[1].estimates[3]];
        assert_eq!(
            (spot.mean, spot.low, spot.replications),
            (Some(2.0), Some(0.0), 3),
            "no cost is below nothing"
        );
        assert_eq!((base.mean, base.low, base.high), (Some(5.0), Some(5.0), Some(5.0)));
        let json = serde_json::to_value(ByName(&found)).unwrap();
        assert_eq!(json.pointer("/spot/cost/mean"), Some(&serde_json::json!(2.0)));
    }
}
