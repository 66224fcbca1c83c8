//! The CSV files.

use std::io::{self, Write};

use crate::experiment::{
    CompareResult, FIGURES, Figures, PointResult, Replication, Replications, RunResult, SweepResult,
    TYPE_FIGURES,
};
use crate::scenario::Scenario;
use crate::sim::{DecisionRecord, Window};

/// `timeline.csv`: a row per window of replication 0.
pub fn timeline(windows: &[Window], out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record([
        "time_s",
        "length_s",
        "arrived",
        "served",
        "lost",
        "good",
        "latency_mean_s",
        "latency_p50_s",
        "latency_p99_s",
        "waiting",
        "in_flight",
        "utilization",
        "desired",
        "ready",
        "starting",
        "draining",
        "desired_least",
        "desired_most",
        "ready_least",
        "ready_most",
    ])?;
    for window in windows {
        csv.write_record([
            number(window.end_s),
            number(window.length_s),
            window.arrived.to_string(),
            window.served.to_string(),
            window.lost.to_string(),
            window.good.to_string(),
            maybe(window.latency_mean_s),
            maybe(window.latency_p50_s),
            maybe(window.latency_p99_s),
            number(window.waiting),
            number(window.in_flight),
            maybe(window.utilization),
            window.desired.to_string(),
            window.ready.to_string(),
            window.starting.to_string(),
            window.draining.to_string(),
            window.desired_range.0.to_string(),
            window.desired_range.1.to_string(),
            window.ready_range.0.to_string(),
            window.ready_range.1.to_string(),
        ])?;
    }
    csv.flush()
}

/// The header of `decisions.csv`, which has a row per evaluation of the autoscaler in replication 0.
pub fn decisions_header(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "time_s,metric,observed,desired_before,desired_after,ready,action,reason")
}

/// Rows of `decisions.csv`.
pub fn decisions(decisions: &[DecisionRecord], out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    for record in decisions {
        csv.write_record([
            number(record.at.as_secs_f64()),
            record.explanation.metric.to_owned(),
            maybe(record.explanation.observed),
            record.before.to_string(),
            record.desired.to_string(),
            record.ready.to_string(),
            action(record),
            record.explanation.reason.clone(),
        ])?;
    }
    csv.flush()
}

/// What a decision did: `stay`, `add 2`, `remove 1`.
pub fn action(record: &DecisionRecord) -> String {
    let (before, after) = (record.before, record.desired);
    match after.cmp(&before) {
        std::cmp::Ordering::Equal => "stay".to_owned(),
        std::cmp::Ordering::Greater => format!("add {}", after - before),
        std::cmp::Ordering::Less => format!("remove {}", before - after),
    }
}

/// `replications.csv` of a run: a row per alternative and replication.
pub fn run_replications(result: &RunResult, out: &mut dyn Write) -> io::Result<()> {
    let named = result.alternatives.iter().map(|each| {
        let name = each.variant.as_deref().unwrap_or_default();
        (name, &each.replications)
    });
    let columns = Columns::of(result.alternatives.iter().map(|each| &each.scenario));
    named_replications("variant", named, &columns, out)
}

/// `sweep.csv`: a row per point.
pub fn sweep(result: &SweepResult, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    let parameters = Parameters::of(result);
    let columns = Columns::of(result.points.iter().map(|point| &point.point.scenario));
    let mut header = parameters.header();
    for name in columns.names() {
        header.extend([name.clone(), format!("{name}_low"), format!("{name}_high")]);
    }
    header.extend(["replications", "frontier", "frontier_uncertain", "knee", "meets_slo"].map(str::to_owned));
    csv.write_record(&header)?;
    for (index, point) in result.points.iter().enumerate() {
        let mut row = parameters.row(point);
        row.extend(columns.estimates(&point.figures));
        row.extend([
            point.replications.len().to_string(),
            point.frontier.on.to_string(),
            point.frontier.uncertain.map_or(String::new(), |uncertain| uncertain.to_string()),
            (result.knee == Some(index)).to_string(),
            point.meets_slo.map_or(String::new(), |meets| meets.name().to_owned()),
        ]);
        csv.write_record(&row)?;
    }
    csv.flush()
}

/// `replications.csv` of a sweep: a row per point and replication.
pub fn sweep_replications(result: &SweepResult, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    let parameters = Parameters::of(result);
    let columns = Columns::of(result.points.iter().map(|point| &point.point.scenario));
    let mut header = parameters.header();
    header.push("replication".to_owned());
    header.extend(columns.names());
    csv.write_record(&header)?;
    for point in &result.points {
        for replication in &point.replications {
            let mut row = parameters.row(point);
            row.push(replication.number.to_string());
            row.extend(columns.values(replication));
            csv.write_record(&row)?;
        }
    }
    csv.flush()
}

/// `comparison.csv`: a row per pair and figure. `joint_` intervals hold together, the others alone; the relative
/// difference and the one without pairing have joint intervals too.
pub fn comparison(result: &CompareResult, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record([
        "a",
        "b",
        "same_requests",
        "figure",
        "difference",
        "low",
        "high",
        "joint_low",
        "joint_high",
        "relative",
        "relative_low",
        "relative_high",
        "unpaired_low",
        "unpaired_high",
        "replications",
        "verdict",
    ])?;
    for pair in &result.pairs {
        for each in &pair.differences {
            csv.write_record([
                result.contenders[pair.a].name.clone(),
                result.contenders[pair.b].name.clone(),
                pair.same_requests.to_string(),
                each.figure.name.to_owned(),
                maybe(each.alone.mean),
                maybe(each.alone.low),
                maybe(each.alone.high),
                maybe(each.joint.low),
                maybe(each.joint.high),
                maybe(each.relative.mean),
                maybe(each.relative.low),
                maybe(each.relative.high),
                maybe(each.unpaired.low),
                maybe(each.unpaired.high),
                each.joint.replications.to_string(),
                each.verdict.name().to_owned(),
            ])?;
        }
    }
    csv.flush()
}

/// `replications.csv` of a comparison: a row per contender and replication.
pub fn compare_replications(result: &CompareResult, out: &mut dyn Write) -> io::Result<()> {
    let columns = Columns::of(result.contenders.iter().map(|each| &each.scenario));
    let named = result.contenders.iter().map(|each| (each.name.as_str(), &each.replications));
    named_replications("contender", named, &columns, out)
}

fn named_replications<'a>(
    what: &'static str,
    all: impl Iterator<Item = (&'a str, &'a Replications)>,
    columns: &Columns<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record([what, "replication"].map(str::to_owned).into_iter().chain(columns.names()))?;
    for (name, replications) in all {
        for replication in replications {
            let row = [name.to_owned(), replication.number.to_string()]
                .into_iter()
                .chain(columns.values(replication));
            csv.write_record(row)?;
        }
    }
    csv.flush()
}

/// The columns that say which point a row is about.
struct Parameters {
    variants: bool,
    paths: Vec<String>,
}

impl Parameters {
    fn of(result: &SweepResult) -> Parameters {
        let variants = result.points.iter().any(|point| point.point.variant.is_some());
        Parameters { variants, paths: result.paths() }
    }

    fn header(&self) -> Vec<String> {
        let variant = self.variants.then(|| "variant".to_owned());
        std::iter::once("point".to_owned()).chain(variant).chain(self.paths.iter().cloned()).collect()
    }

    fn row(&self, point: &PointResult) -> Vec<String> {
        let variant = self.variants.then(|| point.point.variant.clone().unwrap_or_default());
        let settings = self.paths.iter().map(|path| point.setting(path));
        std::iter::once(point.number.to_string()).chain(variant).chain(settings).collect()
    }
}

/// The columns of figures.
struct Columns<'a> {
    /// Whether those of priority classes are among them.
    classes: bool,
    /// Types of instance, of all scenarios together.
    types: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(scenarios: impl Iterator<Item = &'a Scenario>) -> Columns<'a> {
        let mut columns = Columns { classes: false, types: Vec::new() };
        for scenario in scenarios {
            columns.classes |= scenario.model.dispatch.high_priority.is_some();
            for kind in &scenario.model.instances.types {
                if !columns.types.contains(&kind.name.as_str()) {
                    columns.types.push(&kind.name);
                }
            }
        }
        columns
    }

    fn names(&self) -> impl Iterator<Item = String> {
        let told = FIGURES.iter().filter(|figure| self.classes || !figure.is_of_a_class());
        let of_type =
            |kind: &&str| TYPE_FIGURES.each_ref().map(|figure| format!("by_type.{kind}.{}", figure.name));
        told.map(|figure| figure.name.to_owned()).chain(self.types.iter().flat_map(of_type))
    }

    fn values(&self, replication: &Replication) -> impl Iterator<Item = String> {
        let told = replication.values().filter(|(figure, _)| self.classes || !figure.is_of_a_class());
        let of_type = |kind: &&str| {
            let found = replication.types().iter().find(|each| each.name == *kind);
            std::array::from_fn::<_, { TYPE_FIGURES.len() }, _>(|figure| {
                found.map(|each| each.values[figure])
            })
        };
        told.map(|(_, value)| value).chain(self.types.iter().flat_map(of_type)).map(maybe)
    }

    fn estimates(&self, figures: &Figures) -> impl Iterator<Item = String> {
        let told = figures.iter().filter(|(figure, _)| self.classes || !figure.is_of_a_class());
        let of_type = |kind: &&str| {
            let found = figures.types().iter().find(|each| each.name == *kind);
            found.map(|each| each.estimates).unwrap_or_default()
        };
        let all = told.map(|(_, estimate)| estimate).chain(self.types.iter().flat_map(of_type));
        all.flat_map(|estimate| [estimate.mean, estimate.low, estimate.high]).map(maybe)
    }
}

fn maybe(value: Option<f64>) -> String {
    value.map(number).unwrap_or_default()
}

/// The shortest text that reads back as the same number.
fn number(value: f64) -> String {
    value.to_string()
}
