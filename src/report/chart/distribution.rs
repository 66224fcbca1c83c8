//! Latency by percentile, each further nine of the tail as wide as the one before.

use plotters::style::Color;
use serde::Serialize;

use super::axis::Axis;
use super::label::{Placer, between};
use super::legend::{Entry, Legend};
use super::marker::{Marker, Shape};
use super::number::latency;
use super::of_scenario::{latency_slo, leading_slo};
use super::palette::{SERIES, VERMILLION};
use super::panel::{MARGIN, Panel, headline, nothing};
use super::sheet::{Area, Drawn, Pen, Point, Sheet, Target};
use super::{Chart, InReport, Of, ShownRun, Size, Slo};
use crate::report::sentences;
use crate::sim::Promised;
use crate::stats::Digest;

/// One or more latency distributions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Distribution {
    /// The headline.
    pub title: String,
    /// The distributions; the median and the 99th percentile of each are labelled.
    pub series: Vec<LatencySeries>,
    /// The latency promised, drawn upwards.
    pub slo: Option<Slo>,
}

/// One distribution.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LatencySeries {
    /// What it is of: "Latency", "Wait".
    pub name: String,
    /// Percentile from 0 to 100 and the value there in seconds, both rising.
    pub quantiles: Vec<(f64, f64)>,
}

const DASHES: [Option<(f64, f64)>; 4] = [None, Some((9.0, 4.0)), Some((3.0, 3.0)), Some((14.0, 4.0))];
const MARKED: [f64; 2] = [50.0, 99.0];

impl LatencySeries {
    fn drawable(&self) -> Vec<(f64, f64)> {
        let whole = |(p, v): &(f64, f64)| (0.0..=99.99).contains(p) && v.is_finite();
        self.quantiles.iter().copied().filter(whole).collect()
    }

    /// The value at a percentile, between the two given ones about it.
    fn at(&self, percentile: f64) -> Option<f64> {
        let known = self.drawable();
        let after = known.iter().position(|(p, _)| *p >= percentile)?;
        let (p1, v1) = known[after];
        if p1 == percentile || after == 0 {
            return (p1 == percentile).then_some(v1);
        }
        let (p0, v0) = known[after - 1];
        Some(v0 + (v1 - v0) * (percentile - p0) / (p1 - p0))
    }
}

impl Chart for Distribution {
    fn title(&self) -> &str {
        &self.title
    }

    fn draw<DB: Target>(&self, sheet: &Sheet<'_, DB>) -> Drawn {
        let top = headline(sheet, &self.title)?;
        let whole = sheet.whole();
        let values = self.series.iter().flat_map(LatencySeries::drawable).map(|(_, v)| v);
        let slo = self.slo.as_ref().map(|slo| slo.seconds);
        let x = Axis::latency_with("Latency", values, slo, (whole.width() / 90.0) as usize);
        let legend = Legend::new(self.legend(&x), whole.width() - 2.0 * MARGIN);
        let bottom = whole.bottom - 14.0 - legend.height();
        legend.draw(sheet, (MARGIN, bottom))?;
        let outer = Area { left: MARGIN - 8.0, top, right: whole.right, bottom: bottom - 6.0 };
        let panel = Panel::new(outer, x, Axis::nines("Percentile of requests"));
        panel.draw(sheet)?;
        if self.series.iter().all(|s| s.drawable().is_empty()) {
            return nothing(sheet, panel.area, "No request was served");
        }
        if let Some(slo) = self.slo.as_ref().filter(|s| panel.x.holds(s.seconds)) {
            let x = panel.at(slo.seconds, 0.0).0;
            sheet.line(&[(x, panel.area.top), (x, panel.area.bottom)], slo_pen())?;
        }
        self.draw_series(sheet, &panel)
    }
}

impl Distribution {
    fn legend(&self, x: &Axis) -> Vec<Entry> {
        let lines = self.series.iter().enumerate().map(|(i, s)| Entry::line(s.name.as_str(), pen(i)));
        lines.chain(self.slo.as_ref().map(|slo| Entry::line(slo.label_on(x), slo_pen()))).collect()
    }

    fn draw_series<DB: Target>(&self, sheet: &Sheet<'_, DB>, panel: &Panel) -> Drawn {
        let mut lines: Vec<Vec<Point>> = Vec::new();
        for (i, series) in self.series.iter().enumerate() {
            let line: Vec<Point> = series.drawable().into_iter().map(|(p, v)| panel.at(v, p)).collect();
            sheet.line(&line, pen(i))?;
            if let [only] = line[..] {
                sheet.disc(only, 4.0, pen(i).color)?;
            }
            lines.push(line);
        }
        let mut avoided: Vec<Point> = lines.concat();
        avoided.extend(lines.iter().flat_map(|l| l.windows(2)).flat_map(|ends| between(ends[0], ends[1])));
        let slo = self.slo.as_ref().filter(|s| panel.x.holds(s.seconds)).map(|s| panel.at(s.seconds, 0.0).0);
        let taken = slo.map(|x| Area { left: x - 2.0, right: x + 2.0, ..panel.area }).into_iter().collect();
        let mut placer = Placer::new(panel.area, taken, avoided);
        for (i, series) in self.series.iter().enumerate() {
            for percentile in MARKED {
                let Some(value) = series.at(percentile) else { continue };
                let at = panel.at(value, percentile);
                Marker::new(Shape::SERIES[i % Shape::SERIES.len()], 5.5, pen(i).color)
                    .rimmed()
                    .draw(sheet, at)?;
                placer.add(at, vec![format!("p{percentile} {}", latency(value))], 9.0);
            }
        }
        placer.draw(sheet)
    }
}

fn pen(i: usize) -> Pen {
    Pen { color: SERIES[i % SERIES.len()].to_rgba(), width: 2.6, dash: DASHES[i % DASHES.len()] }
}

fn slo_pen() -> Pen {
    Pen::dashed(VERMILLION, 2.0, 9.0, 5.0)
}

/// Its place in reports.
pub(super) const IN_REPORTS: &[InReport] = &[InReport {
    name: "latency_distribution",
    caption: sentences::RUN_CAPTION,
    size: Size::WIDE,
    is_of_a_run: true,
    of: Of::Run(|run| Some(Distribution::of_run(run).into())),
}];

/// Percentiles drawn besides those of every whole percent: the tail, up to p99.99.
const TAIL: [f64; 12] = [99.2, 99.4, 99.5, 99.6, 99.7, 99.8, 99.9, 99.92, 99.95, 99.97, 99.98, 99.99];

impl Distribution {
    /// The latency and the wait of one run; before them the time to the first token, where tokens are counted.
    pub fn of_run(run: ShownRun<'_>) -> Distribution {
        let ShownRun { scenario, title, outcome } = run;
        let ttft = outcome.tokens.as_ref().map(|tokens| ("Time to the first token", &tokens.ttft));
        let series = ttft.into_iter().chain([("Latency", &outcome.latency), ("Wait", &outcome.wait)]);
        let to_the_first = sentences::promised(scenario) == Promised::Ttft;
        let slo = if to_the_first { leading_slo(scenario) } else { latency_slo(scenario) };
        Distribution {
            title: format!("{title}: distribution of the latency"),
            series: series.map(|(name, digest)| series_of(name, digest)).collect(),
            slo,
        }
    }
}

fn series_of(name: &str, digest: &Digest) -> LatencySeries {
    let percentiles: Vec<f64> = (1..=99).map(f64::from).chain(TAIL).collect();
    let shares: Vec<f64> = percentiles.iter().map(|p| p / 100.0).collect();
    let quantiles = percentiles.into_iter().zip(digest.quantiles(&shares).unwrap_or_default()).collect();
    LatencySeries { name: name.to_owned(), quantiles }
}
