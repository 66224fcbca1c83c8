//! Policies side by side: one labelled point each, with intervals, and the least cost possible.

use serde::Serialize;

use super::axis::Axis;
use super::label::{Placer, between};
use super::legend::{Entry, Legend};
use super::marker::{Marker, Shape};
use super::of_scenario::{cost_axis, estimate, latency_axis, leading_slo};
use super::palette::{INK, SERIES, SOFT_INK, VERMILLION};
use super::panel::{MARGIN, Panel, along_bars, headline, nothing};
use super::sheet::{Area, Drawn, Pen, Point, Sheet, Target, wrap};
use super::{AnyChart, Chart, Estimate, InReport, Of, Size, Slo};
use crate::experiment::{
    self, Alternative, COST, CompareResult, Figures, RunResult, SLO_LATENCY, comparable,
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
    pub latency: String,
    /// The latency promised, drawn across.
    pub slo: Option<Slo>,
    /// The alternatives.
    pub contenders: Vec<Contender>,
    /// The least cost any policy could reach.
    pub bound: Option<Bound>,
}

/// One alternative.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contender {
    /// The name of the policy or variant.
    pub name: String,
    /// In the unit of the axis.
    pub cost: Estimate,
    /// In seconds.
    pub latency: Estimate,
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
        let legend = Legend::new(self.legend(), whole.width() - 2.0 * MARGIN);
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

    fn panel(&self, outer: Area) -> Panel {
        let bound = self.bound.as_ref().map(Bound::drawable).unwrap_or_default();
        let costs = self.drawn().flat_map(|(_, c)| c.cost.extent()).chain(bound.iter().map(|b| b.0));
        let latencies = self.drawn().flat_map(|(_, c)| c.latency.extent()).chain(bound.iter().map(|b| b.1));
        let latencies = latencies.chain(self.slo.as_ref().map(|s| s.seconds));
        let x = Axis::linear(self.cost.as_str(), costs, (outer.width() / 110.0) as usize);
        let y = Axis::latency(&self.latency, latencies, (outer.height() / 70.0) as usize);
        Panel::new(outer, x, y)
    }

    fn legend(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        if self.drawn().any(|(_, c)| c.cost.interval.or(c.latency.interval).is_some()) {
            let marker = Marker::new(Shape::Plus, 8.0, SOFT_INK);
            entries.push(Entry::marker("Bars: 95 % intervals of cost and latency", marker));
        }
        if let Some(bound) = self.bound.as_ref().filter(|b| !b.drawable().is_empty()) {
            entries.push(Entry::both(
                bound.name.as_str(),
                bound_pen(),
                Marker::new(Shape::Diamond, 5.0, INK),
            ));
        }
        if let Some(slo) = &self.slo {
            entries.push(Entry::line(slo.label.as_str(), Pen::dashed(VERMILLION, 2.0, 9.0, 5.0)));
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
        let place = |c: &Contender| match panel.at(c.cost.mean, c.latency.mean) {
            (x, _) if !c.latency.mean.is_finite() => (x, panel.area.top + 8.0),
            at => at,
        };
        let named = |c: &Contender| match c.latency.mean.is_finite() {
            true => c.name.clone(),
            false => format!("{}: no {}, too many requests lost", c.name, self.latency),
        };
        // Six colours and seven shapes: 42 contenders before two look alike.
        let shape = |i: usize| Shape::SERIES[i % Shape::SERIES.len()];
        let look = |i: usize| Marker::new(shape(i), 7.0, SERIES[i % SERIES.len()]);
        for (i, contender) in self.drawn() {
            if !contender.latency.mean.is_finite() {
                continue;
            }
            panel.bars(sheet, (contender.cost, contender.latency), Pen::solid(look(i).color, 1.8))?;
        }
        for (i, contender) in self.drawn() {
            look(i).rimmed().draw(sheet, place(contender))?;
        }
        let mut taken: Vec<Area> = self.drawn().map(|(_, c)| Area::around(place(c), 9.0)).collect();
        let slo = self.slo.as_ref().map(|s| panel.at(0.0, s.seconds).1);
        taken.extend(slo.map(|y| Area { top: y - 1.0, bottom: y + 1.0, ..panel.area }));
        let bound = self.bound_points(panel);
        taken.extend(bound.iter().map(|point| Area::around(*point, 6.0)));
        let bars = self.drawn().flat_map(|(_, c)| along_bars(panel, (c.cost, c.latency)));
        let avoided = bars.chain(bound.windows(2).flat_map(|ends| between(ends[0], ends[1]))).collect();
        let mut placer = Placer::new(panel.area, taken, avoided);
        for (_, contender) in self.drawn() {
            placer.add(place(contender), wrap(&named(contender), 15.0, 260.0, 2), 11.0);
        }
        placer.draw(sheet)
    }
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

/// Cost against latency of the alternatives of a run; `None` if there is one only, or none with a latency to show.
fn variants(scenario: &Scenario, result: &RunResult) -> Option<Comparison> {
    if result.alternatives.len() < 2 {
        return None;
    }
    let named = |each: &Alternative| contender(each.name().to_owned(), &each.figures);
    let contenders = result.alternatives.iter().map(named).collect();
    side_by_side(scenario, format!("{}: cost and latency of its variants", scenario.name), contenders)
}

/// Cost against latency of what `compare` ran; axes and SLO are those of the first, `scenario`. `None` if none has a
/// latency to show, or costs are in several currencies.
fn compared(scenario: &Scenario, result: &CompareResult) -> Option<Comparison> {
    // Costs in several currencies have no common axis.
    if !comparable(result.contenders.iter().map(|contender| &contender.scenario)).contains(&COST) {
        return None;
    }
    let contenders: Vec<Contender> =
        result.contenders.iter().map(|each| contender(each.name.clone(), &each.figures)).collect();
    let bound = result.bound.as_ref().map(|bound| bound_within(bound, &contenders));
    let title = format!("Cost and latency of {}", counted(contenders.len(), "alternative"));
    Some(Comparison { bound, ..side_by_side(scenario, title, contenders)? })
}

/// The bound as far as it is no slower than the slowest alternative and no dearer than the dearest: beyond, it would only
/// take room.
fn bound_within(bound: &experiment::Bound, contenders: &[Contender]) -> Bound {
    let most = |of: fn(&Contender) -> f64| {
        contenders.iter().map(of).filter(|mean| mean.is_finite()).fold(0.0, f64::max)
    };
    let (dearest, slowest) = (most(|each| each.cost.mean), most(|each| each.latency.mean));
    let mean = |figures: &Figures, name| estimate(figures.get(name)).mean;
    let points = bound.points.iter().map(|figures| (mean(figures, COST), mean(figures, SLO_LATENCY)));
    let points = points.filter(|(cost, latency)| *cost <= dearest && *latency <= slowest).collect();
    Bound { name: "Bound: minimum cost of a pool that knows the future".to_owned(), points }
}

fn contender(name: String, figures: &Figures) -> Contender {
    Contender { name, cost: estimate(figures.get(COST)), latency: estimate(figures.get(SLO_LATENCY)) }
}

fn side_by_side(scenario: &Scenario, title: String, contenders: Vec<Contender>) -> Option<Comparison> {
    // Where all lose too many requests the chart would be a pile of names at its upper edge.
    let shows = contenders.iter().any(|contender| contender.latency.mean.is_finite());
    shows.then(|| Comparison {
        title,
        cost: cost_axis(scenario),
        latency: latency_axis(scenario),
        slo: leading_slo(scenario),
        contenders,
        bound: None,
    })
}
