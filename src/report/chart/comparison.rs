//! Policies side by side: one labelled point each, with intervals, and the least cost possible.
//!
//! Up goes the latency; where no alternative has one, the requests that it answers.

use serde::Serialize;

use super::axis::Axis;
use super::label::{Placer, between};
use super::legend::{Entry, Legend};
use super::marker::{Marker, Shape};
use super::of_scenario::{cost_axis, estimate, latency_axis, leading_slo};
use super::palette::{INK, SERIES, SOFT_INK, VERMILLION};
use super::panel::{MARGIN, Panel, along_bars, headline, nothing};
use super::sheet::{Area, Drawn, Pen, Point, Sheet, Target, fit, wrap};
use super::{AnyChart, Chart, Estimate, InReport, Of, Size, Slo};
use crate::experiment::{
    self, COST, CompareResult, Figures, RunResult, SLO_ATTAINMENT, SLO_LATENCY, comparable,
};
use crate::report::format::counted;
use crate::report::results::Results;
use crate::report::sentences;
use crate::scenario::Scenario;

/// Cost against latency of a few alternatives under the same traffic.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The headline.
    pub title: String,
    /// What the horizontal axis shows, with its unit: "Cost, USD/h".
    pub cost: String,
    /// What the vertical axis shows, without a unit: "p99 latency".
    pub measure: String,
    /// What kind of figure that is.
    pub upwards: Measure,
    /// The latency promised, drawn across.
    pub slo: Option<Slo>,
    /// The alternatives.
    pub contenders: Vec<Contender>,
    /// The least cost any policy could reach.
    pub bound: Option<Bound>,
}

/// What goes up in a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// A latency, in seconds; less is better.
    Latency,
    /// An amount in the unit that its name tells; more is better.
    Amount,
}

/// One alternative.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contender {
    /// The name of the policy or variant.
    pub name: String,
    /// In the unit of the axis.
    pub cost: Estimate,
    /// In seconds, or the amount that the comparison tells of.
    pub value: Estimate,
}

/// The bound: the cost and latency of a policy that knows the future.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bound {
    /// What it is, as the legend says it: "Clairvoyant: least cost at the same SLO attainment".
    pub name: String,
    /// Cost and latency in seconds, by rising cost; one point, or a curve.
    pub points: Vec<(f64, f64)>,
}

impl Bound {
    fn drawable(&self) -> Vec<(f64, f64)> {
        self.points.iter().copied().filter(|(c, l)| c.is_finite() && l.is_finite()).collect()
    }
}

impl Chart for Comparison {
    fn title(&self) -> &str {
        &self.title
    }

    fn draw<DB: Target>(&self, sheet: &Sheet<'_, DB>) -> Drawn {
        let top = headline(sheet, &self.title)?;
        let whole = sheet.whole();
        let rough =
            self.panel(Area { left: MARGIN - 8.0, top, right: whole.right, bottom: whole.bottom - 60.0 });
        let legend = Legend::new(self.legend(&rough.y), whole.width() - 2.0 * MARGIN);
        let bottom = whole.bottom - 14.0 - legend.height();
        legend.draw(sheet, (MARGIN, bottom))?;
        let panel = self.panel(Area { left: MARGIN - 8.0, top, right: whole.right, bottom: bottom - 6.0 });
        panel.draw(sheet)?;
        if self.drawn().next().is_none() {
            return nothing(sheet, panel.area, "No alternative has a cost");
        }
        if let Some(slo) = self.slo.as_ref().filter(|s| panel.y.holds(s.seconds)) {
            let y = panel.at(0.0, slo.seconds).1;
            let ends = [(panel.area.left, y), (panel.area.right, y)];
            sheet.line(&ends, Pen::dashed(VERMILLION, 2.0, 9.0, 5.0))?;
        }
        self.draw_bound(sheet, &panel)?;
        self.draw_contenders(sheet, &panel)
    }
}

impl Comparison {
    /// The contenders that can be drawn, each with its number in the list: colours do not shift where one cannot.
    fn drawn(&self) -> impl Iterator<Item = (usize, &Contender)> {
        self.contenders.iter().enumerate().filter(|(_, c)| c.cost.mean.is_finite())
    }

    /// Whether there are more alternatives than there is room for names beside their marks: the legend names them.
    fn crowded(&self) -> bool {
        self.drawn().count() > MOST_NAMED
    }

    fn panel(&self, outer: Area) -> Panel {
        let bound = self.bound.as_ref().map(Bound::drawable).unwrap_or_default();
        let costs = self.drawn().flat_map(|(_, c)| c.cost.extent()).chain(bound.iter().map(|b| b.0));
        let values = self.drawn().flat_map(|(_, c)| c.value.extent()).chain(bound.iter().map(|b| b.1));
        let x = Axis::linear(&self.cost, costs, (outer.width() / 110.0) as usize);
        let ticks = (outer.height() / 70.0) as usize;
        let y = match self.upwards {
            Measure::Latency => {
                Axis::latency_with(&self.measure, values, self.slo.as_ref().map(|slo| slo.seconds), ticks)
            }
            Measure::Amount => Axis::linear(&self.measure, values, ticks),
        };
        Panel::new(outer, x, y)
    }

    fn legend(&self, y: &Axis) -> Vec<Entry> {
        let mut entries = Vec::new();
        if self.crowded() {
            let entry = |(i, contender): (usize, &Contender)| {
                Entry::marker(fit(&contender.name, 15.0, NAME_IN_LEGEND), look(i))
            };
            entries.extend(self.drawn().map(entry));
            if self.drawn().any(|(_, contender)| !contender.value.mean.is_finite()) {
                let label = format!("At the top: no {}, too many requests lost", self.measure);
                entries.push(Entry::marker(label, Marker::new(Shape::Up, 6.5, SOFT_INK)));
            }
        }
        if self.drawn().any(|(_, c)| c.cost.interval.or(c.value.interval).is_some()) {
            let marker = Marker::new(Shape::Plus, 8.0, SOFT_INK);
            entries.push(Entry::marker("Bars: 95 % intervals", marker));
        }
        if let Some(bound) = self.bound.as_ref().filter(|b| !b.drawable().is_empty()) {
            entries.push(Entry::both(
                bound.name.as_str(),
                bound_pen(),
                Marker::new(Shape::Diamond, 5.0, INK),
            ));
        }
        if let Some(slo) = &self.slo {
            entries.push(Entry::line(slo.label_on(y), Pen::dashed(VERMILLION, 2.0, 9.0, 5.0)));
        }
        entries
    }

    /// Draws the bound: a curve through its points, or the cost of its one point all the way up.
    ///
    /// Nothing is drawn beyond its ends: at other latencies it says nothing.
    fn draw_bound<DB: Target>(&self, sheet: &Sheet<'_, DB>, panel: &Panel) -> Drawn {
        let points = self.bound_points(panel);
        match points[..] {
            [(x, _)] => sheet.line(&[(x, panel.area.top), (x, panel.area.bottom)], bound_pen())?,
            _ => sheet.line(&points, bound_pen())?,
        }
        // Many stand too close for whole marks.
        let marker = match points.len() {
            0..=8 => Marker::new(Shape::Diamond, 5.0, INK).rimmed(),
            _ => Marker::new(Shape::Diamond, 3.0, INK),
        };
        points.into_iter().try_for_each(|p| marker.draw(sheet, p))
    }

    fn bound_points(&self, panel: &Panel) -> Vec<Point> {
        let known = self.bound.as_ref().map(Bound::drawable).unwrap_or_default();
        known.into_iter().map(|(c, l)| panel.at(c, l)).collect()
    }

    fn draw_contenders<DB: Target>(&self, sheet: &Sheet<'_, DB>, panel: &Panel) -> Drawn {
        // What loses too many requests to have a latency stands at the upper edge: above everything.
        let place = |c: &Contender| match panel.at(c.cost.mean, c.value.mean) {
            (x, _) if !c.value.mean.is_finite() => (x, panel.area.top + 8.0),
            at => at,
        };
        let named = |c: &Contender| match c.value.mean.is_finite() {
            true => c.name.clone(),
            false => format!("{}: no {}, too many requests lost", c.name, self.measure),
        };
        for (i, contender) in self.drawn() {
            if !contender.value.mean.is_finite() {
                continue;
            }
            panel.bars(sheet, (contender.cost, contender.value), Pen::solid(look(i).color, 1.8))?;
        }
        for (i, contender) in self.drawn() {
            look(i).rimmed().draw(sheet, place(contender))?;
        }
        let mut taken: Vec<Area> = self.drawn().map(|(_, c)| Area::around(place(c), 9.0)).collect();
        let slo = self.slo.as_ref().filter(|slo| panel.y.holds(slo.seconds));
        let slo = slo.map(|slo| panel.at(0.0, slo.seconds).1);
        taken.extend(slo.map(|y| Area { top: y - 1.0, bottom: y + 1.0, ..panel.area }));
        let bound = self.bound_points(panel);
        taken.extend(bound.iter().map(|point| Area::around(*point, 6.0)));
        let bars = self.drawn().flat_map(|(_, c)| along_bars(panel, (c.cost, c.value)));
        let avoided = bars.chain(bound.windows(2).flat_map(|ends| between(ends[0], ends[1]))).collect();
        let mut placer = Placer::new(panel.area, taken, avoided);
        for (_, contender) in self.drawn().filter(|_| !self.crowded()) {
            placer.add(place(contender), wrap(&named(contender), 15.0, 260.0, 2), 11.0);
        }
        placer.draw(sheet)
    }
}

/// Alternatives whose names stand beside their marks, and the width of a name in the legend where there are more.
const MOST_NAMED: usize = 8;
const NAME_IN_LEGEND: f64 = 240.0;

/// The mark of an alternative: six colours and seven shapes, so 42 before two look alike.
fn look(i: usize) -> Marker {
    Marker::new(Shape::SERIES[i % Shape::SERIES.len()], 7.0, SERIES[i % SERIES.len()])
}

fn bound_pen() -> Pen {
    Pen::dashed(INK, 1.6, 3.0, 4.0)
}

/// Its places in reports: the variants of a run, and what `compare` ran.
pub(super) const IN_REPORTS: &[InReport] = &[
    InReport {
        name: "comparison",
        caption: "",
        size: Size::WIDE,
        is_of_a_run: false,
        of: Of::Result(|results| match results {
            Results::Run(scenario, result) => variants(scenario, result).map(AnyChart::from),
            _ => None,
        }),
    },
    InReport {
        name: "comparison",
        caption: sentences::COMPARISON_CAPTION,
        size: Size::WIDE,
        is_of_a_run: false,
        of: Of::Result(|results| match results {
            Results::Compare(scenario, result) => compared(scenario, result).map(AnyChart::from),
            _ => None,
        }),
    },
];

/// What stands for the cost where currencies differ, and for the latency where none is known.
const INSTANCE_HOURS: &str = "instance_hours";
const SERVED: &str = "served";

/// Cost against latency of the alternatives of a run; `None` if there is one only, or none with a figure to show.
fn variants(scenario: &Scenario, result: &RunResult) -> Option<Comparison> {
    if result.alternatives.len() < 2 {
        return None;
    }
    let all: Vec<(String, &Figures)> =
        result.alternatives.iter().map(|each| (each.name().to_owned(), &each.figures)).collect();
    side_by_side(scenario, &all, COST, |what| format!("{}: {what} of its variants", scenario.name))
}

/// Cost against latency of what `compare` ran; axes and SLO are those of the first, `scenario`. Where costs are in several
/// currencies, instance-hours stand for them. `None` if none has a figure to show.
fn compared(scenario: &Scenario, result: &CompareResult) -> Option<Comparison> {
    let all: Vec<_> = result.contenders.iter().map(|each| (each.name.clone(), &each.figures)).collect();
    let priced = comparable(result.contenders.iter().map(|each| &each.scenario)).contains(&COST);
    let across = if priced { COST } else { INSTANCE_HOURS };
    let several = counted(all.len(), "alternative");
    let chart = side_by_side(scenario, &all, across, |what| {
        let (first, rest) = what.split_at(1);
        format!("{}{rest} of {several}", first.to_uppercase())
    })?;
    let bound = result.bound.as_ref().filter(|_| priced && chart.upwards == Measure::Latency);
    Some(Comparison { bound: bound.map(|bound| bound_within(bound, &chart.contenders)), ..chart })
}

/// The bound as far as it is no slower than the slowest alternative and no dearer than the dearest: beyond, it would only
/// take room.
fn bound_within(bound: &experiment::Bound, contenders: &[Contender]) -> Bound {
    let most = |of: fn(&Contender) -> f64| {
        contenders.iter().map(of).filter(|mean| mean.is_finite()).fold(0.0, f64::max)
    };
    let (dearest, slowest) = (most(|each| each.cost.mean), most(|each| each.value.mean));
    let mean = |figures: &Figures, name| estimate(figures.get(name)).mean;
    let points = bound.points.iter().map(|figures| (mean(figures, COST), mean(figures, SLO_LATENCY)));
    let points = points.filter(|(cost, latency)| *cost <= dearest && *latency <= slowest).collect();
    Bound { name: "Bound: minimum cost of a pool that knows the future".to_owned(), points }
}

/// Alternatives by the figure `across` and, upwards, the first figure that one of them has: the latency, requests within the
/// SLO, requests answered. `title` is given what is shown.
fn side_by_side(
    scenario: &Scenario,
    all: &[(String, &Figures)],
    across: &str,
    title: impl Fn(&str) -> String,
) -> Option<Comparison> {
    let choices = [
        (SLO_LATENCY, Measure::Latency, latency_axis(scenario), "latency"),
        (SLO_ATTAINMENT, Measure::Amount, "Requests within the SLO, %".to_owned(), "requests within the SLO"),
        (SERVED, Measure::Amount, "Requests answered".to_owned(), "requests answered"),
    ];
    let has = |name: &str| all.iter().any(|(_, figures)| figures.get(name).mean.is_some_and(f64::is_finite));
    let (name, kind, measure, what) = choices.into_iter().find(|(name, ..)| has(name))?;
    let times = if name == SLO_ATTAINMENT { 100.0 } else { 1.0 };
    let contender = |(label, figures): &(String, &Figures)| Contender {
        name: label.clone(),
        cost: estimate(figures.get(across)),
        value: scaled(estimate(figures.get(name)), times),
    };
    let (cost, priced) = match across {
        COST => (cost_axis(scenario), "cost"),
        _ => ("Instance-hours".to_owned(), "instance-hours"),
    };
    Some(Comparison {
        title: title(&format!("{priced} and {what}")),
        cost,
        measure,
        upwards: kind,
        slo: leading_slo(scenario).filter(|_| kind == Measure::Latency),
        contenders: all.iter().map(contender).collect(),
        bound: None,
    })
}

fn scaled(estimate: Estimate, times: f64) -> Estimate {
    let interval = estimate.interval.map(|(low, high)| (low * times, high * times));
    Estimate { mean: estimate.mean * times, interval }
}
