//! A run over time: panels one above the other on one time axis.

use plotters::style::{Color, RGBColor};
use serde::Serialize;

use super::axis::Axis;
use super::legend::{Entry, Legend};
use super::of_scenario::leading_slo;
use super::palette::{BLUE, GREEN, INK, PURPLE, SKY, VERMILLION};
use super::panel::{MARGIN, Panel, headline, left_room, nothing};
use super::sheet::{Area, Drawn, Pen, Point, Sheet, Target, Type};
use super::{Chart, InReport, Of, ShownRun, Size, Slo};
use crate::backtest::{Backtest, Field, RowCompared};
use crate::report::canvas::font;
use crate::report::data::window_column;
use crate::report::results::Results;
use crate::report::{backtested, sentences};
use crate::scenario::Scenario;
use crate::sim::{PoolName, Promised, Window};

/// A value at a time in seconds from the start of the run; NaN where there is none.
pub type Sample = (f64, f64);

/// One run. Panels without a sample are left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Timeline {
    /// The headline.
    pub title: String,
    /// The end of the run, in seconds.
    pub end_s: f64,
    /// The panels, from top to bottom.
    pub panels: Vec<TimelinePanel>,
    /// The latency promised, drawn across.
    pub slo: Option<Slo>,
}

/// One panel of a timeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimelinePanel {
    /// What it shows, and how.
    #[serde(flatten)]
    pub spec: &'static PanelSpec,
    /// Its lines, in the order of the specification.
    pub lines: Vec<TimelineLine>,
}

/// One line of a panel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimelineLine {
    /// What it shows, and how.
    #[serde(flatten)]
    pub spec: &'static LineSpec,
    /// Its samples, by rising time.
    pub samples: Vec<Sample>,
}

/// What a panel shows, and how.
#[derive(Debug, PartialEq, Serialize)]
pub struct PanelSpec {
    /// What it shows, with its unit; latencies without, which fits their values.
    pub title: &'static str,
    /// How its axis is chosen.
    pub scale: Scale,
    /// Its share of the height, relative to the other panels.
    #[serde(skip)]
    weight: f64,
    /// Its lines, the last on top.
    #[serde(skip)]
    lines: &'static [LineSpec],
}

/// How the vertical axis of a panel is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// From zero.
    FromZero,
    /// From zero, whole numbers only.
    Counts,
    /// Times, in the unit that fits them.
    Latency,
}

/// What a line shows, and how.
#[derive(Debug, PartialEq, Serialize)]
pub struct LineSpec {
    /// Its name in the legend; empty if the panel has no other.
    pub name: &'static str,
    /// The columns of the timeline that it is drawn from.
    pub of: Samples,
    #[serde(skip)]
    color: RGBColor,
    #[serde(skip)]
    width: f64,
    #[serde(skip)]
    dash: Option<(f64, f64)>,
    /// Whether each value holds until the next.
    pub stepped: bool,
    /// Whether the area below is shaded.
    pub shaded: bool,
}

/// How the samples of a line follow from columns of the timeline, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Samples {
    /// The column itself, at the start of each window.
    Mean(&'static str),
    /// The column divided by the length of the window, at its start.
    Rate(&'static str),
    /// A number of instances at the end of each window, and its extremes within the window.
    Level {
        /// At the end.
        end: &'static str,
        /// The minimum within the window.
        min: &'static str,
        /// The maximum within the window.
        max: &'static str,
    },
}

const ARRIVALS: PanelSpec = PanelSpec {
    title: "Arrival rate, requests/s",
    scale: Scale::FromZero,
    weight: 1.0,
    lines: &[LineSpec::shaded("", Samples::Rate("arrived"), BLUE, 1.6)],
};

const LATENCY: PanelSpec = PanelSpec {
    title: "Latency",
    scale: Scale::Latency,
    weight: 1.3,
    lines: &[
        LineSpec::line("p99", Samples::Mean("latency_p99_s"), INK, 1.8),
        LineSpec::line("promised", Samples::Mean("promised_s"), INK, 1.8),
        LineSpec::line("p50", Samples::Mean("latency_p50_s"), SKY, 1.8),
    ],
};

const BURN_RATE: PanelSpec = PanelSpec {
    title: "Burn rate: error budgets used, 1 is as given",
    scale: Scale::FromZero,
    weight: 0.8,
    lines: &[LineSpec::shaded("", Samples::Mean("burn_rate"), VERMILLION, 1.6)],
};

/// The panels of a timeline, each stated once.
pub static PANELS: &[PanelSpec] = &[
    ARRIVALS,
    PanelSpec {
        title: "Instances",
        scale: Scale::Counts,
        weight: 1.1,
        lines: &[
            LineSpec::ready(Samples::Level { end: "ready", min: "ready_least", max: "ready_most" }),
            LineSpec::desired(Samples::Level { end: "desired", min: "desired_least", max: "desired_most" }),
        ],
    },
    PanelSpec {
        title: "Queue length, requests",
        scale: Scale::FromZero,
        weight: 0.9,
        lines: &[LineSpec::shaded("", Samples::Mean("waiting"), PURPLE, 1.6)],
    },
    LATENCY,
    BURN_RATE,
];

/// The panels of a timeline of two pools.
pub static PANELS_OF_POOLS: &[PanelSpec] = &[
    ARRIVALS,
    PanelSpec {
        title: "Instances of the prefill pool",
        scale: Scale::Counts,
        weight: 1.0,
        lines: &[
            LineSpec::ready(Samples::Level {
                end: "prefill_ready",
                min: "prefill_ready_least",
                max: "prefill_ready_most",
            }),
            LineSpec::desired(Samples::Level {
                end: "prefill_desired",
                min: "prefill_desired_least",
                max: "prefill_desired_most",
            }),
        ],
    },
    PanelSpec {
        title: "Instances of the decode pool",
        scale: Scale::Counts,
        weight: 1.0,
        lines: &[
            LineSpec::ready(Samples::Level {
                end: "decode_ready",
                min: "decode_ready_least",
                max: "decode_ready_most",
            }),
            LineSpec::desired(Samples::Level {
                end: "decode_desired",
                min: "decode_desired_least",
                max: "decode_desired_most",
            }),
        ],
    },
    PanelSpec {
        title: "Waiting, requests",
        scale: Scale::FromZero,
        weight: 1.0,
        lines: &[
            LineSpec::stepped("for prefill", Samples::Mean("prefill_waiting"), BLUE),
            LineSpec::stepped("for the transfer of the cache", Samples::Mean("transfer_waiting"), PURPLE),
            LineSpec::stepped("for decode", Samples::Mean("decode_waiting"), GREEN),
        ],
    },
    PanelSpec {
        title: "In flight, requests",
        scale: Scale::FromZero,
        weight: 1.0,
        lines: &[
            LineSpec::stepped("prefill pool", Samples::Mean("prefill_in_flight"), BLUE),
            LineSpec::stepped("caches under transfer", Samples::Mean("transfer_under_way"), PURPLE),
            LineSpec::stepped("decode pool", Samples::Mean("decode_in_flight"), GREEN),
        ],
    },
    LATENCY,
    BURN_RATE,
];

/// The panels of a backtest: measured beside simulated.
pub static MEASURED_PANELS: &[PanelSpec] = &[
    PanelSpec {
        title: "Ready instances",
        scale: Scale::Counts,
        weight: 1.3,
        lines: &[
            LineSpec::measured(Samples::Mean("ready_measured")),
            LineSpec::simulated(Samples::Mean("ready_simulated")),
        ],
    },
    PanelSpec {
        title: "Latency, p99",
        scale: Scale::Latency,
        weight: 1.2,
        lines: &[
            LineSpec::measured(Samples::Mean("latency_p99_s_measured")),
            LineSpec::simulated(Samples::Mean("latency_p99_s_simulated")),
        ],
    },
    PanelSpec {
        title: "Latency, median",
        scale: Scale::Latency,
        weight: 1.0,
        lines: &[
            LineSpec::measured(Samples::Mean("latency_p50_s_measured")),
            LineSpec::simulated(Samples::Mean("latency_p50_s_simulated")),
        ],
    },
    PanelSpec {
        title: "Latency, mean",
        scale: Scale::Latency,
        weight: 1.0,
        lines: &[
            LineSpec::measured(Samples::Mean("latency_mean_s_measured")),
            LineSpec::simulated(Samples::Mean("latency_mean_s_simulated")),
        ],
    },
    PanelSpec {
        title: "Time promised, at its percentile",
        scale: Scale::Latency,
        weight: 1.0,
        lines: &[
            LineSpec::measured(Samples::Mean("promised_s_measured")),
            LineSpec::simulated(Samples::Mean("promised_s_simulated")),
        ],
    },
    PanelSpec {
        title: "Time to the first token, mean",
        scale: Scale::Latency,
        weight: 1.0,
        lines: &[
            LineSpec::measured(Samples::Mean("ttft_mean_s_measured")),
            LineSpec::simulated(Samples::Mean("ttft_mean_s_simulated")),
        ],
    },
    PanelSpec {
        title: "Time of a further token, mean",
        scale: Scale::Latency,
        weight: 1.0,
        lines: &[
            LineSpec::measured(Samples::Mean("tpot_mean_s_measured")),
            LineSpec::simulated(Samples::Mean("tpot_mean_s_simulated")),
        ],
    },
    PanelSpec {
        title: "Requests lost",
        scale: Scale::FromZero,
        weight: 0.9,
        lines: &[
            LineSpec::measured(Samples::Mean("lost_measured")),
            LineSpec::simulated(Samples::Mean("lost_simulated")),
        ],
    },
];

impl LineSpec {
    const fn measured(of: Samples) -> LineSpec {
        LineSpec::stepped("measured", of, INK)
    }

    const fn simulated(of: Samples) -> LineSpec {
        LineSpec::stepped("simulated", of, BLUE)
    }

    const fn ready(of: Samples) -> LineSpec {
        LineSpec::shaded("ready", of, GREEN, 2.4)
    }

    const fn desired(of: Samples) -> LineSpec {
        let line = LineSpec::shaded("desired", of, INK, 1.5);
        LineSpec { dash: Some((4.0, 3.0)), shaded: false, ..line }
    }

    /// Values that hold until the next.
    const fn stepped(name: &'static str, of: Samples, color: RGBColor) -> LineSpec {
        LineSpec { stepped: true, ..LineSpec::line(name, of, color, 1.8) }
    }

    const fn line(name: &'static str, of: Samples, color: RGBColor, width: f64) -> LineSpec {
        LineSpec { name, of, color, width, dash: None, stepped: false, shaded: false }
    }

    /// Values that hold until the next, shaded down to zero.
    const fn shaded(name: &'static str, of: Samples, color: RGBColor, width: f64) -> LineSpec {
        LineSpec { name, of, color, width, dash: None, stepped: true, shaded: true }
    }

    fn pen(&self) -> Pen {
        Pen { color: self.color.to_rgba(), width: self.width, dash: self.dash }
    }
}

impl Timeline {
    /// All of [`PANELS`], each line with the samples that `samples` gives it.
    pub fn new(
        title: String,
        end_s: f64,
        slo: Option<Slo>,
        samples: impl Fn(&LineSpec) -> Vec<Sample>,
    ) -> Timeline {
        Timeline::of(PANELS, title, (end_s, slo), samples)
    }

    /// All of `panels` of a run that ends at the first of `ends`, with a line across at the second.
    pub fn of(
        panels: &'static [PanelSpec],
        title: String,
        (end_s, slo): (f64, Option<Slo>),
        samples: impl Fn(&LineSpec) -> Vec<Sample>,
    ) -> Timeline {
        let line = |spec: &'static LineSpec| TimelineLine { spec, samples: samples(spec) };
        let panel =
            |spec: &'static PanelSpec| TimelinePanel { spec, lines: spec.lines.iter().map(line).collect() };
        Timeline { title, end_s, panels: panels.iter().map(panel).collect(), slo }
    }
}

/// A panel of those lines that have a sample.
struct Strip<'a> {
    spec: &'static PanelSpec,
    lines: Vec<&'a TimelineLine>,
}

const HEADING: f64 = 30.0;
const GAP: f64 = 14.0;

impl Chart for Timeline {
    fn title(&self) -> &str {
        &self.title
    }

    fn draw<DB: Target>(&self, sheet: &Sheet<'_, DB>) -> Drawn {
        let top = headline(sheet, &self.title)?;
        let whole = sheet.whole();
        let strips: Vec<Strip<'_>> =
            self.panels.iter().map(Strip::of).filter(|s| !s.lines.is_empty()).collect();
        if strips.is_empty() {
            return nothing(sheet, Area { top, ..whole }, "Nothing happened in this run");
        }
        let weights: f64 = strips.iter().map(|s| s.spec.weight).sum();
        let room = whole.bottom - 66.0 - top - strips.len() as f64 * (HEADING + GAP);
        let axes: Vec<Axis> =
            strips.iter().map(|s| self.vertical(s, room * s.spec.weight / weights)).collect();
        let left = MARGIN - 30.0 + axes.iter().map(left_room).fold(0.0, f64::max);
        let right = whole.right - 28.0;
        let mut y = top;
        for (i, (strip, axis)) in strips.iter().zip(axes).enumerate() {
            let area = Area {
                left,
                top: y + HEADING,
                right,
                bottom: y + HEADING + room * strip.spec.weight / weights,
            };
            let mut time = Axis::time(self.end_s, ((right - left) / 75.0) as usize);
            let last = i + 1 == strips.len();
            if !last {
                time.ticks.iter_mut().for_each(|t| t.label = t.label.take().map(|_| String::new()));
            }
            let panel = Panel { area, x: time, y: axis };
            self.draw_strip(sheet, &panel, strip)?;
            if last {
                panel.draw_x_title(sheet)?;
            }
            y = area.bottom + GAP;
        }
        Ok(())
    }
}

impl Timeline {
    fn vertical(&self, strip: &Strip<'_>, height: f64) -> Axis {
        let ticks = ((height / 38.0) as usize).max(2);
        let values = strip.lines.iter().flat_map(|line| &line.samples).map(|s| s.1);
        match strip.spec.scale {
            Scale::FromZero => Axis::from_zero("", values, ticks),
            Scale::Counts => Axis::counts("", values, ticks),
            Scale::Latency => Axis::latency_with("", values, self.slo.as_ref().map(|slo| slo.seconds), ticks),
        }
    }

    fn draw_strip<DB: Target>(&self, sheet: &Sheet<'_, DB>, panel: &Panel, strip: &Strip<'_>) -> Drawn {
        panel.draw_y(sheet)?;
        panel.draw_x(sheet)?;
        let heading = panel.area.top - HEADING / 2.0 + 1.0;
        let unit = &panel.y.title;
        let latency = strip.spec.scale == Scale::Latency;
        let title =
            if latency { format!("{}, {unit}", strip.spec.title) } else { strip.spec.title.to_owned() };
        sheet.text(&title, (panel.area.left, heading), Type::sized(16.0))?;
        let named = strip.lines.iter().map(|line| line.spec).filter(|line| !line.name.is_empty());
        let mut entries: Vec<Entry> = named.map(|line| Entry::line(line.name, line.pen())).collect();
        for line in &strip.lines {
            line.draw(sheet, panel)?;
        }
        if let Some(slo) = self.slo.as_ref().filter(|_| latency) {
            let pen = Pen::dashed(VERMILLION, 2.0, 9.0, 5.0);
            if panel.y.holds(slo.seconds) {
                let y = panel.at(0.0, slo.seconds).1;
                sheet.line(&[(panel.area.left, y), (panel.area.right, y)], pen)?;
            }
            entries.push(Entry::line(slo.label_on(&panel.y), pen));
        }
        // Whatever the title leaves, and a gap.
        let room = panel.area.width() - font::width(&title, 16.0) - 24.0;
        Legend::in_one_row(entries, room).draw_ending_at(sheet, (panel.area.right, heading))
    }
}

impl<'a> Strip<'a> {
    fn of(panel: &'a TimelinePanel) -> Strip<'a> {
        let has = |line: &&TimelineLine| line.samples.iter().any(|s| s.0.is_finite() && s.1.is_finite());
        Strip { spec: panel.spec, lines: panel.lines.iter().filter(has).collect() }
    }
}

impl TimelineLine {
    fn draw<DB: Target>(&self, sheet: &Sheet<'_, DB>, panel: &Panel) -> Drawn {
        let pen = self.spec.pen();
        for run in self.runs() {
            let mut points: Vec<Point> = Vec::new();
            for &(time, value) in run {
                let at = panel.at(time, value);
                if let (true, Some(&(_, before))) = (self.spec.stepped, points.last()) {
                    points.push((at.0, before));
                }
                points.push(at);
            }
            if let (true, Some(&(_, last))) = (self.spec.stepped, points.last()) {
                points.push((panel.area.right, last));
            }
            let points = thinned(&points);
            if self.spec.shaded {
                let (bottom, first, last) = (panel.area.bottom, points[0].0, points[points.len() - 1].0);
                let mut below = points.clone();
                below.extend([(last, bottom), (first, bottom)]);
                sheet.polygon(&below, pen.color.mix(0.16))?;
            }
            if points.len() == 1 {
                sheet.disc(points[0], pen.width + 1.6, pen.color)?;
            }
            sheet.line(&points, pen)?;
        }
        Ok(())
    }

    /// Stretches of samples that have a value: a window without a request leaves a gap.
    fn runs(&self) -> impl Iterator<Item = &[Sample]> {
        let missing = |s: &Sample| !s.0.is_finite() || !s.1.is_finite();
        self.samples.split(missing).filter(|run| !run.is_empty())
    }
}

/// At most four points a pixel column (first, lowest, highest, last), so that a long run looks as it is and stays small.
fn thinned(points: &[Point]) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::with_capacity(points.len().min(8000));
    for column in points.chunk_by(|a, b| a.0.floor() == b.0.floor()) {
        if column.len() <= 4 {
            kept.extend(column);
            continue;
        }
        let by_height = |a: &usize, b: &usize| column[*a].1.total_cmp(&column[*b].1);
        let lowest = (0..column.len()).max_by(by_height).unwrap_or(0);
        let highest = (0..column.len()).min_by(by_height).unwrap_or(0);
        let mut chosen = vec![0, lowest, highest, column.len() - 1];
        chosen.sort_unstable();
        chosen.dedup();
        kept.extend(chosen.into_iter().map(|i| column[i]));
    }
    kept
}

/// Its places in reports: each run that is shown, and measured beside simulated.
pub(super) const IN_REPORTS: &[InReport] = &[
    InReport {
        name: "backtest",
        caption: backtested::CAPTION,
        size: Size::TALL,
        is_of_a_run: true,
        of: Of::Result(|results| match results {
            Results::Backtest(result) => Some(measured(result).into()),
            _ => None,
        }),
    },
    InReport {
        name: "timeline",
        caption: sentences::RUN_CAPTION,
        size: Size::TALL,
        is_of_a_run: true,
        of: Of::Run(|run| run.scenario.model.decode.is_none().then(|| of_run(PANELS, run).into())),
    },
    InReport {
        name: "timeline",
        caption: sentences::RUN_CAPTION,
        size: Size::TALLEST,
        is_of_a_run: true,
        of: Of::Run(|run| run.scenario.model.decode.is_some().then(|| of_run(PANELS_OF_POOLS, run).into())),
    },
];

/// One run over time.
fn of_run(panels: &'static [PanelSpec], run: ShownRun<'_>) -> Timeline {
    let ShownRun { scenario, title, outcome } = run;
    let decode = scenario.model.decode_pool().map_or(0, |pool| pool.initial_instances());
    let initial = |column: &str| {
        let of_decode = column.starts_with(PoolName::Decode.shown());
        f64::from(if of_decode { decode } else { scenario.model.initial_instances() })
    };
    Timeline::of(
        panels,
        format!("{title}: one run over time"),
        (scenario.model.duration.as_secs_f64(), leading_slo(scenario)),
        |line| match line.of {
            // The figure that is promised stands in the place of the p99, against its own line.
            Samples::Mean("latency_p99_s") if !promises_p99(scenario) => Vec::new(),
            Samples::Mean("promised_s") if promises_p99(scenario) => Vec::new(),
            // A single promise of a time is seen by that time.
            Samples::Mean("burn_rate") if !has_budgets(scenario) => Vec::new(),
            of => samples(of, &outcome.timeline, &initial),
        },
    )
}

/// Measured beside simulated over time.
fn measured(result: &Backtest) -> Timeline {
    let samples = |of: Samples| -> Vec<(f64, f64)> {
        let Samples::Mean(column) = of else { return Vec::new() };
        let side = |field: Field| {
            let (name, side) = column.rsplit_once('_')?;
            (name == field.name()).then_some((field, side == "measured"))
        };
        let Some((field, measured)) = Field::ALL.into_iter().find_map(side) else { return Vec::new() };
        let value = |row: &RowCompared| {
            let compared = row.fields.get(&field)?;
            let value = if measured { compared.measured } else { compared.simulated };
            Some((row.time_s - row.length_s, value.unwrap_or(f64::NAN)))
        };
        result.rows.iter().filter_map(value).collect()
    };
    let end_s = result.rows.last().map_or(0.0, |row| row.time_s);
    let title = format!("{}: measured and simulated", result.scenario.name);
    Timeline::of(MEASURED_PANELS, title, (end_s, None), |line| samples(line.of))
}

/// Whether what is promised is the p99 of the latency, which is shown where nothing is, too.
fn promises_p99(scenario: &Scenario) -> bool {
    scenario.model.slo.is_none_or(|slo| slo.leading().0 == Promised::Latency && slo.percentile == 99.0)
}

/// Whether there are several promises, or one that no time shows: then their error budgets are told.
fn has_budgets(scenario: &Scenario) -> bool {
    scenario.model.slo.is_some_and(|slo| slo.promises().count() > 1 || slo.leading().1.is_none())
}

/// The samples of a line; `initial` is the number of instances that a run begins with, of the pool that a column is of.
fn samples(of: Samples, windows: &[Window], initial: &dyn Fn(&str) -> f64) -> Vec<(f64, f64)> {
    let values = |name: &'static str| {
        let column = window_column(name);
        windows.iter().map(move |window| column.map_or(f64::NAN, |column| column.of(window).number()))
    };
    let starts = windows.iter().map(|window| window.end_s - window.length_s);
    match of {
        Samples::Mean(column) => starts.zip(values(column)).collect(),
        Samples::Rate(column) => {
            let rates = values(column).zip(windows).map(|(value, window)| value / window.length_s);
            starts.zip(rates).collect()
        }
        Samples::Level { end, min, max } => {
            let initial = initial(end);
            let before = std::iter::once(initial).chain(values(end));
            let extremes = values(min).zip(values(max));
            let within = windows.iter().zip(before).zip(values(end)).zip(extremes);
            let within = within.flat_map(|(((window, before), after), (min, max))| {
                // What came and went between two marks is drawn between them.
                let max =
                    (max > before.max(after)).then_some((window.end_s - window.length_s * 2.0 / 3.0, max));
                let min = (min < before.min(after)).then_some((window.end_s - window.length_s / 3.0, min));
                max.into_iter().chain(min).chain([(window.end_s, after)])
            });
            std::iter::once((0.0, initial)).chain(within).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_drawn_from_columns_there_are() {
        for line in PANELS.iter().chain(PANELS_OF_POOLS).flat_map(|panel| panel.lines) {
            let columns = match line.of {
                Samples::Mean(column) | Samples::Rate(column) => vec![column],
                Samples::Level { end, min, max } => vec![end, min, max],
            };
            for column in columns {
                assert!(window_column(column).is_some(), "{column}");
            }
        }
    }

    #[test]
    fn thinning_keeps_the_extremes_of_each_column() {
        let points: Vec<Point> =
            (0..100_000).map(|i| (f64::from(i) / 1000.0, f64::from(i * 7919 % 1009))).collect();
        let kept = thinned(&points);
        assert!(kept.len() <= 400, "{}", kept.len());
        for column in 0..100 {
            let range = |points: &[Point]| {
                let of = points.iter().filter(|p| p.0.floor() == f64::from(column)).map(|p| p.1);
                of.fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)))
            };
            assert_eq!(range(&kept), range(&points), "column {column}");
        }
        assert_eq!((kept[0], kept[kept.len() - 1]), (points[0], points[points.len() - 1]));
    }
}
