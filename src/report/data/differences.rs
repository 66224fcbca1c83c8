//! The differences of a comparison, a row a pair and figure.

use super::dataset::{Dataset, Value};
use super::field::{Field, columns};
use crate::experiment::Unit::Count;
use crate::experiment::{CompareResult, Difference};

/// One figure of two contenders.
#[derive(Debug, Clone)]
pub struct DifferenceRow {
    /// Name of the contender that is compared with.
    pub a: String,
    /// Name of the contender that is compared: the difference is `b` less `a`.
    pub b: String,
    /// Whether both had the same requests.
    pub same_requests: bool,
    /// The difference.
    pub difference: Difference,
}

/// The columns of `comparison.csv`. `joint_` intervals hold together, the others alone; the relative difference and the
/// one without pairing have joint intervals too.
pub const DIFFERENCE_COLUMNS: &[Field<DifferenceRow>] = &[
    Field::text("a", "the alternative that is compared with", |row| row.a.as_str().into()),
    Field::text("b", "the alternative that is compared: differences are `b` less `a`", |row| {
        row.b.as_str().into()
    }),
    Field::flag("same_requests", "whether both had the same requests in every replication", |row| {
        row.same_requests
    }),
    Field::text("figure", "name of the figure", |row| row.difference.figure.name.into()),
    Field::maybe("difference", None, "the difference, in the unit of the figure", |row| {
        row.difference.alone.mean
    }),
    Field::maybe("low", None, "lower end of its own 95 % interval", |row| row.difference.alone.low),
    Field::maybe("high", None, "upper end of its own 95 % interval", |row| row.difference.alone.high),
    Field::maybe("joint_low", None, "lower end of the interval that holds with all others at 95 %", |row| {
        row.difference.joint.low
    }),
    Field::maybe("joint_high", None, "upper end of the interval that holds with all others at 95 %", |row| {
        row.difference.joint.high
    }),
    Field::maybe("relative", None, "the difference as a share of the figure of `a`", |row| {
        row.difference.relative.mean
    }),
    Field::maybe("relative_low", None, "lower end of its joint interval", |row| row.difference.relative.low),
    Field::maybe("relative_high", None, "upper end of its joint interval", |row| {
        row.difference.relative.high
    }),
    Field::maybe("unpaired_low", None, "lower end of the joint interval without pairing", |row| {
        row.difference.unpaired.low
    }),
    Field::maybe("unpaired_high", None, "upper end of the joint interval without pairing", |row| {
        row.difference.unpaired.high
    }),
    Field::count("replications", Count, "replications in which both have the figure", |row| {
        row.difference.joint.replications.into()
    }),
    Field::text(
        "verdict",
        "`lower`, `higher`, `the same`, `within noise` or `unknown`, by the joint interval",
        |row| row.difference.verdict.name().into(),
    ),
];

/// `comparison.csv`.
pub fn differences(result: &CompareResult) -> Dataset<'_> {
    let name = |index: usize| result.contenders[index].name.clone();
    let rows = result.pairs.iter().flat_map(move |pair| {
        pair.differences.iter().map(move |difference| {
            let row = DifferenceRow {
                a: name(pair.a),
                b: name(pair.b),
                same_requests: pair.same_requests,
                difference: difference.clone(),
            };
            DIFFERENCE_COLUMNS.iter().map(|field| field.of(&row).into_owned()).collect::<Vec<Value<'_>>>()
        })
    });
    Dataset { name: "comparison".to_owned(), columns: columns(&[DIFFERENCE_COLUMNS]), rows: Box::new(rows) }
}
