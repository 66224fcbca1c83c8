//! The tables with a column a figure: points of a sweep, and replications of anything.

use super::dataset::{Column, ColumnKind, Dataset, Value};
use crate::experiment::{
    CompareResult, FIGURES, Figure, Figures, PointResult, Record, Replications, RunResult, SweepResult,
    TYPE_FIGURES, Unit,
};
use crate::scenario::Scenario;

/// `replications.csv` of a run: a row an alternative and replication.
pub fn run_replications(result: &RunResult) -> Dataset<'_> {
    let named = result.alternatives.iter().map(|each| {
        let name = each.variant.as_deref().unwrap_or_default();
        (name, &each.replications)
    });
    let columns = FigureColumns::of(result.alternatives.iter().map(|each| &each.scenario));
    named_replications("variant", named, columns)
}

/// `replications.csv` of a comparison: a row a contender and replication.
pub fn compare_replications(result: &CompareResult) -> Dataset<'_> {
    let columns = FigureColumns::of(result.contenders.iter().map(|each| &each.scenario));
    let named = result.contenders.iter().map(|each| (each.name.as_str(), &each.replications));
    named_replications("contender", named, columns)
}

fn named_replications<'a>(
    what: &'static str,
    all: impl Iterator<Item = (&'a str, &'a Replications)> + 'a,
    figures: FigureColumns,
) -> Dataset<'a> {
    let mut columns =
        vec![Column::plain(what, ColumnKind::Text), Column::plain("replication", ColumnKind::Count)];
    columns.extend(figures.columns());
    let rows = all.flat_map(|(name, replications)| replications.iter().map(move |each| (name, each)));
    let rows = rows.map(move |(name, replication)| {
        let mut row = vec![Value::text(name), Value::Count(replication.number.into())];
        row.extend(figures.values(replication));
        row
    });
    Dataset { name: "replications".to_owned(), columns, rows: Box::new(rows) }
}

/// `sweep.csv`: a row a point.
pub fn points(result: &SweepResult) -> Dataset<'_> {
    let parameters = Parameters::of(result);
    let figures = FigureColumns::of(result.points.iter().map(|point| &point.point.scenario));
    let mut columns = parameters.columns();
    columns.extend(figures.columns().flat_map(Column::with_interval));
    columns.extend([
        Column::plain("replications", ColumnKind::Count),
        Column::plain("frontier", ColumnKind::Flag),
        Column::plain("frontier_uncertain", ColumnKind::Flag),
        Column::plain("knee", ColumnKind::Flag),
        Column::plain("meets_slo", ColumnKind::Text),
    ]);
    let rows = result.points.iter().enumerate().map(move |(index, point)| {
        let mut row = parameters.values(point);
        row.extend(figures.estimates(&point.figures));
        row.extend([
            Value::Count(point.replications.len() as u64),
            Value::Flag(point.frontier.on),
            point.frontier.uncertain.map_or(Value::Missing, Value::Flag),
            Value::Flag(result.knee == Some(index)),
            point.meets_slo.map_or(Value::Missing, |meets| Value::text(meets.name())),
        ]);
        row
    });
    Dataset { name: "sweep".to_owned(), columns, rows: Box::new(rows) }
}

/// `replications.csv` of a sweep: a row a point and replication.
pub fn sweep_replications(result: &SweepResult) -> Dataset<'_> {
    let parameters = Parameters::of(result);
    let figures = FigureColumns::of(result.points.iter().map(|point| &point.point.scenario));
    let mut columns = parameters.columns();
    columns.push(Column::plain("replication", ColumnKind::Count));
    columns.extend(figures.columns());
    let rows =
        result.points.iter().flat_map(|point| point.replications.iter().map(move |each| (point, each)));
    let rows = rows.map(move |(point, replication)| {
        let mut row = parameters.values(point);
        row.push(Value::Count(replication.number.into()));
        row.extend(figures.values(replication));
        row
    });
    Dataset { name: "replications".to_owned(), columns, rows: Box::new(rows) }
}

impl Column {
    /// The column of a figure, and those of the ends of its interval.
    fn with_interval(self) -> [Column; 3] {
        let end = |end: &str| Column { name: format!("{}_{end}", self.name), ..self.clone() };
        let (low, high) = (end("low"), end("high"));
        [self, low, high]
    }
}

/// The columns that say which point a row is about.
struct Parameters {
    variants: bool,
    paths: Vec<String>,
}

impl Parameters {
    fn of(result: &SweepResult) -> Parameters {
        let variants = result.points.iter().any(|point| point.point.variant.is_some());
        Parameters { variants, paths: result.paths().into_iter().chain(result.condition_paths()).collect() }
    }

    fn columns(&self) -> Vec<Column> {
        let variant = self.variants.then(|| Column::plain("variant", ColumnKind::Text));
        let paths = self.paths.iter().map(|path| Column::plain(path, ColumnKind::Text));
        std::iter::once(Column::plain("point", ColumnKind::Count)).chain(variant).chain(paths).collect()
    }

    fn values<'a>(&self, point: &'a PointResult) -> Vec<Value<'a>> {
        let variant = self.variants.then(|| Value::text(point.point.variant.as_deref().unwrap_or_default()));
        let settings = self.paths.iter().map(|path| Value::text(point.setting(path)));
        std::iter::once(Value::Count(point.number as u64)).chain(variant).chain(settings).collect()
    }
}

/// The columns of figures.
struct FigureColumns {
    /// Whether those of priority classes are among them.
    classes: bool,
    /// Whether those of two pools are.
    pools: bool,
    /// Types of instance, of all scenarios together.
    types: Vec<String>,
}

impl FigureColumns {
    fn of<'a>(scenarios: impl Iterator<Item = &'a Scenario>) -> FigureColumns {
        let mut columns = FigureColumns { classes: false, pools: false, types: Vec::new() };
        for scenario in scenarios {
            columns.classes |= scenario.model.dispatch.high_priority.is_some();
            columns.pools |= scenario.model.decode.is_some();
            for name in scenario.model.type_names() {
                if !columns.types.contains(&name) {
                    columns.types.push(name);
                }
            }
        }
        columns
    }

    fn shows(&self, figure: &Figure) -> bool {
        (self.classes || !figure.is_of_a_class()) && (self.pools || !figure.is_of_pools())
    }

    fn columns(&self) -> impl Iterator<Item = Column> {
        let column = |name: String, unit: Unit| Column { name, kind: ColumnKind::Number, unit: Some(unit) };
        let shown = FIGURES.iter().filter(|figure| self.shows(figure));
        let of_type = move |kind: &String| {
            let kind = kind.clone();
            TYPE_FIGURES
                .iter()
                .map(move |figure| column(format!("by_type.{kind}.{}", figure.name), figure.unit))
        };
        shown
            .map(move |figure| column(figure.name.to_owned(), figure.unit))
            .chain(self.types.iter().flat_map(of_type))
    }

    fn values<'v>(&self, replication: &Record) -> impl Iterator<Item = Value<'v>> {
        let shown = replication.values().filter(|(figure, _)| self.shows(figure));
        let of_type = |kind: &String| {
            let found = replication.types().iter().find(|each| each.name == *kind);
            std::array::from_fn::<_, { TYPE_FIGURES.len() }, _>(|figure| {
                found.map(|each| each.values[figure])
            })
        };
        shown.map(|(_, value)| value).chain(self.types.iter().flat_map(of_type)).map(Value::from)
    }

    fn estimates<'v>(&self, figures: &Figures) -> impl Iterator<Item = Value<'v>> {
        let shown = figures.iter().filter(|(figure, _)| self.shows(figure));
        let of_type = |kind: &String| {
            let found = figures.types().iter().find(|each| each.name == *kind);
            found.map(|each| each.estimates).unwrap_or_default()
        };
        let all = shown.map(|(_, estimate)| estimate).chain(self.types.iter().flat_map(of_type));
        all.flat_map(|estimate| [estimate.mean, estimate.low, estimate.high]).map(Value::from)
    }
}
