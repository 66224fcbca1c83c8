//! A run over time: panels one above the other on one time axis.

use plotters::style::Color;

use super::axis::Axis;
use super::legend::{Entry, Legend};
use super::palette::{BLUE, GREEN, INK, PURPLE, SKY, VERMILLION};
use super::panel::{MARGIN, Panel, headline, left_room, nothing};
use super::sheet::{Area, Drawn, Pen, Point, Sheet, Target, Type};
use super::{Chart, Slo};

/// A value at a time in seconds from the start of the run; NaN where there is none.
pub type Sample = (f64, f64);

/// One run. Panels without a sample are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// The headline.
    pub title: String,
    /// The end of the run, in seconds.
    pub end_s: f64,
    /// Requests per second arriving, a sample per window at its start.
    pub arrival_rate: Vec<Sample>,
    /// Instances wanted, from each time on.
    pub desired: Vec<Sample>,
    /// Instances ready, from each time on.
    pub ready: Vec<Sample>,
    /// Requests waiting, a sample per window at its start.
    pub queue: Vec<Sample>,
    /// Median latency in seconds of the requests of each window.
    pub latency_p50: Vec<Sample>,
    /// 99th percentile of latency in seconds of the requests of each window.
    pub latency_p99: Vec<Sample>,
    /// The latency promised, drawn across.
    pub slo: Option<Slo>,
}

/// A line of a panel.
struct Trace<'a> {
    name: &'a str,
    samples: &'a [Sample],
    pen: Pen,
    /// Each value holds until the next.
    stepped: bool,
    /// Shaded down to zero.
    shaded: bool,
}

/// One panel: a title with its unit and its lines.
struct Strip<'a> {
    title: &'a str,
    latency: bool,
    /// Whole numbers only.
    counts: bool,
    /// Its share of the height.
    weight: f64,
    traces: Vec<Trace<'a>>,
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
        let strips: Vec<Strip<'_>> = self.strips().into_iter().filter(|s| !s.traces.is_empty()).collect();
        if strips.is_empty() {
            return nothing(sheet, Area { top, ..whole }, "Nothing happened in this run");
        }
        let weights: f64 = strips.iter().map(|s| s.weight).sum();
        let room = whole.bottom - 66.0 - top - strips.len() as f64 * (HEADING + GAP);
        let axes: Vec<Axis> = strips.iter().map(|s| self.vertical(s, room * s.weight / weights)).collect();
        let left = MARGIN - 30.0 + axes.iter().map(left_room).fold(0.0, f64::max);
        let right = whole.right - 28.0;
        let mut y = top;
        for (i, (strip, axis)) in strips.iter().zip(axes).enumerate() {
            let area =
                Area { left, top: y + HEADING, right, bottom: y + HEADING + room * strip.weight / weights };
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
    fn strips(&self) -> Vec<Strip<'_>> {
        let line = |name, samples, pen| Trace { name, samples, pen, stepped: false, shaded: false };
        let steps = |name, samples, pen| Trace { name, samples, pen, stepped: true, shaded: false };
        let shaded = |name, samples, pen| Trace { name, samples, pen, stepped: true, shaded: true };
        let arrivals = shaded("", &self.arrival_rate[..], Pen::solid(BLUE, 1.6));
        let desired = steps("desired", &self.desired[..], Pen::dashed(INK, 1.5, 4.0, 3.0));
        let ready = shaded("ready", &self.ready[..], Pen::solid(GREEN, 2.4));
        let queue = shaded("", &self.queue[..], Pen::solid(PURPLE, 1.6));
        let p50 = line("p50", &self.latency_p50[..], Pen::solid(SKY, 1.8));
        let p99 = line("p99", &self.latency_p99[..], Pen::solid(INK, 1.8));
        vec![
            Strip::new("Arrival rate, requests/s", false, 1.0, vec![arrivals]),
            Strip { counts: true, ..Strip::new("Instances", false, 1.1, vec![ready, desired]) },
            Strip::new("Queue length, requests", false, 0.9, vec![queue]),
            Strip::new("Latency", true, 1.3, vec![p99, p50]),
        ]
    }

    fn vertical(&self, strip: &Strip<'_>, height: f64) -> Axis {
        let ticks = ((height / 38.0) as usize).max(2);
        let values = strip.traces.iter().flat_map(|t| t.samples).map(|s| s.1);
        if strip.latency {
            Axis::latency("", values.chain(self.slo.as_ref().map(|s| s.seconds)), ticks)
        } else {
            match strip.counts {
                true => Axis::counts("", values, ticks),
                false => Axis::from_zero("", values, ticks),
            }
        }
    }

    fn draw_strip<DB: Target>(&self, sheet: &Sheet<'_, DB>, panel: &Panel, strip: &Strip<'_>) -> Drawn {
        panel.draw_y(sheet)?;
        panel.draw_x(sheet)?;
        let heading = panel.area.top - HEADING / 2.0 + 1.0;
        let unit = &panel.y.title;
        let title = if strip.latency { format!("{}, {unit}", strip.title) } else { strip.title.to_owned() };
        sheet.text(&title, (panel.area.left, heading), Type::sized(16.0))?;
        let named = strip.traces.iter().filter(|t| !t.name.is_empty());
        let mut entries: Vec<Entry> = named.map(|t| Entry::line(t.name, t.pen)).collect();
        for trace in &strip.traces {
            trace.draw(sheet, panel)?;
        }
        if let Some(slo) = self.slo.as_ref().filter(|s| strip.latency && panel.y.holds(s.seconds)) {
            let pen = Pen::dashed(VERMILLION, 2.0, 9.0, 5.0);
            let y = panel.at(0.0, slo.seconds).1;
            sheet.line(&[(panel.area.left, y), (panel.area.right, y)], pen)?;
            entries.push(Entry::line(slo.label.as_str(), pen));
        }
        Legend::new(entries, panel.area.width() * 0.6).draw_ending_at(sheet, (panel.area.right, heading))
    }
}

impl<'a> Strip<'a> {
    /// A panel of those lines that have a sample.
    fn new(title: &'a str, latency: bool, weight: f64, traces: Vec<Trace<'a>>) -> Self {
        let has = |t: &Trace<'_>| t.samples.iter().any(|s| s.0.is_finite() && s.1.is_finite());
        Strip { title, latency, counts: false, weight, traces: traces.into_iter().filter(has).collect() }
    }
}

impl Trace<'_> {
    fn draw<DB: Target>(&self, sheet: &Sheet<'_, DB>, panel: &Panel) -> Drawn {
        for run in self.runs() {
            let mut points: Vec<Point> = Vec::new();
            for &(time, value) in run {
                let at = panel.at(time, value);
                if let (true, Some(&(_, before))) = (self.stepped, points.last()) {
                    points.push((at.0, before));
                }
                points.push(at);
            }
            if let (true, Some(&(_, last))) = (self.stepped, points.last()) {
                points.push((panel.area.right, last));
            }
            let points = thinned(&points);
            if self.shaded {
                let (bottom, first, last) = (panel.area.bottom, points[0].0, points[points.len() - 1].0);
                let mut below = points.clone();
                below.extend([(last, bottom), (first, bottom)]);
                sheet.polygon(&below, self.pen.color.mix(0.16))?;
            }
            if points.len() == 1 {
                sheet.disc(points[0], self.pen.width + 1.6, self.pen.color)?;
            }
            sheet.line(&points, self.pen)?;
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

#[cfg(test)]
mod tests {
    use super::*;

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
