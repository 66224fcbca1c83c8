//! Puts labels beside their points, off the data and off each other.

use super::palette::{PAPER, SOFT_INK};
use super::sheet::{Area, Drawn, Pen, Point, Sheet, Target, Type, fit};
use crate::report::canvas::font;
use plotters::style::Color;

const SIZE: f64 = 15.0;
const LINE: f64 = 19.0;

/// Greedy placement: each label takes the least bad of some places around its point, and then stands in the way itself.
#[derive(Debug)]
pub struct Placer {
    within: Area,
    taken: Vec<Area>,
    avoided: Vec<Point>,
    labels: Vec<Label>,
}

/// A label in its place.
#[derive(Debug)]
struct Label {
    area: Area,
    lines: Vec<String>,
    /// From the point to the label, where that is not plain.
    leader: Option<(Point, Point)>,
}

impl Placer {
    /// Labels go inside `within`; they may cover none of `taken`, and as few of the points `avoided` as can be.
    pub fn new(within: Area, taken: Vec<Area>, avoided: Vec<Point>) -> Self {
        Placer { within, taken, avoided, labels: Vec::new() }
    }

    /// Places a label of some lines beside its point, a gap away at least; shortens it where there is no room.
    pub fn add(&mut self, at: Point, mut lines: Vec<String>, gap: f64) {
        let mut area = self.place(at, &lines, gap);
        if self.labels.iter().any(|l| l.area.overlap(area) > 0.0) {
            lines = vec![fit(&lines.join(" "), SIZE, 130.0)];
            area = self.place(at, &lines, gap);
        }
        let leader = leader(at, area, gap);
        self.taken.push(area);
        self.avoided.extend(leader.into_iter().flat_map(|(a, b)| between(a, b)));
        self.labels.push(Label { area, lines, leader });
    }

    /// Draws the labels, their leaders below.
    pub fn draw<DB: Target>(&self, sheet: &Sheet<'_, DB>) -> Drawn {
        for (from, to) in self.labels.iter().filter_map(|l| l.leader) {
            sheet.line(&[from, to], Pen::solid(SOFT_INK, 1.0))?;
        }
        for Label { area, lines, .. } in &self.labels {
            sheet.fill(*area, PAPER.mix(0.82))?;
            for (i, line) in lines.iter().enumerate() {
                let y = area.top + 1.0 + (i as f64 + 0.5) * LINE;
                sheet.text(line, (area.left + 4.0, y), Type::sized(SIZE))?;
            }
        }
        Ok(())
    }

    fn place(&self, at: Point, lines: &[String], gap: f64) -> Area {
        let width = lines.iter().map(|l| font::width(l, SIZE)).fold(0.0, f64::max) + 8.0;
        let size = (width, lines.len() as f64 * LINE + 2.0);
        let mut best: Option<(f64, Area)> = None;
        for ring in 0..12 {
            let distance = gap + f64::from(ring * ring) * 3.0;
            for direction in 0..16 {
                let angle = f64::from(direction) * std::f64::consts::TAU / 16.0;
                let area = self.inside(beside(at, size, distance, angle));
                let sideways = f64::from(direction.min(16 - direction)) * 0.2;
                let cost = self.cost(area, leader(at, area, gap)) + f64::from(ring) * 6.0 + sideways;
                if best.is_none_or(|(least, _)| cost < least) {
                    best = Some((cost, area));
                }
            }
        }
        best.map_or(Area::around(at, 0.0), |(_, area)| area)
    }

    /// The area moved inside: a label half outside could not be read.
    fn inside(&self, area: Area) -> Area {
        let dx = (self.within.left - area.left).max(0.0) - (area.right - self.within.right).max(0.0);
        let dy = (self.within.top - area.top).max(0.0) - (area.bottom - self.within.bottom).max(0.0);
        Area { left: area.left + dx, right: area.right + dx, top: area.top + dy, bottom: area.bottom + dy }
    }

    fn cost(&self, area: Area, leader: Option<(Point, Point)>) -> f64 {
        let outside = area.width() * area.height() - area.overlap(self.within);
        let covered: f64 = self.taken.iter().map(|t| t.overlap(area)).sum();
        let wide = area.grown(3.0);
        let hidden = self.avoided.iter().filter(|p| wide.holds(**p)).count();
        let led = leader.into_iter().flat_map(|(a, b)| between(a, b));
        let struck = led.filter(|p| self.labels.iter().any(|l| l.area.holds(*p))).count();
        outside * 10.0 + covered * 8.0 + hidden.min(50) as f64 * 14.0 + struck as f64 * 20.0
    }
}

/// The lines of a label that names settings, `a = 1, b = 2` behind a lead: broken between settings alone, and each with its
/// value. A name that is too long is shortened from the left: its end says most.
pub fn setting_lines(lead: &str, settings: &str, width: f64) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in settings.split_inclusive([',', ';']) {
        match parts.last_mut() {
            // A comma within a value.
            Some(last) if !part.contains(" = ") => last.push_str(part),
            _ => parts.push(part.trim().to_owned()),
        }
    }
    let mut lines = vec![lead.to_owned()];
    for part in parts.into_iter().map(|part| with_value(&part, width)) {
        let last = lines.last_mut().map(|line| (format!("{line} {part}"), line));
        match last {
            Some((longer, line)) if font::width(&longer, SIZE) <= width => *line = longer,
            _ => lines.push(part),
        }
    }
    lines
}

/// `name = value` within a width: characters are left out at the left of the name, and of the value only after all of it.
fn with_value(part: &str, width: f64) -> String {
    if font::width(part, SIZE) <= width {
        return part.to_owned();
    }
    let Some((name, value)) = part.split_once(" = ") else { return fit(part, SIZE, width) };
    // More characters than that have no room on any chart.
    let starts: Vec<usize> = name.char_indices().map(|(at, _)| at).rev().take(100).collect();
    let mut shorter = starts.into_iter().rev().map(|at| format!("…{} = {value}", &name[at..]));
    shorter.find(|text| font::width(text, SIZE) <= width).unwrap_or_else(|| fit(value, SIZE, width))
}

/// The line from a point to its label, if the label is not right beside it.
fn leader(at: Point, label: Area, gap: f64) -> Option<(Point, Point)> {
    let near = (at.0.clamp(label.left, label.right), at.1.clamp(label.top, label.bottom));
    let distance = (near.0 - at.0).hypot(near.1 - at.1);
    let share = (gap - 1.0) / distance;
    let from = (at.0 + (near.0 - at.0) * share, at.1 + (near.1 - at.1) * share);
    (distance > gap + 6.0).then_some((from, near))
}

/// Points along a line, close enough together that no label slips between.
pub fn between(a: Point, b: Point) -> impl Iterator<Item = Point> {
    let steps = ((b.0 - a.0).hypot(b.1 - a.1) / 8.0).ceil().min(1000.0) as usize;
    (1..steps).map(move |i| {
        let share = i as f64 / steps as f64;
        (a.0 + (b.0 - a.0) * share, a.1 + (b.1 - a.1) * share)
    })
}

/// A box whose nearest side is a distance from a point, in a direction (0 is to the right, then upwards).
fn beside((x, y): Point, (width, height): (f64, f64), distance: f64, angle: f64) -> Area {
    let (cos, sin) = (angle.cos(), -angle.sin());
    let (cx, cy) = (x + cos * (distance + width / 2.0), y + sin * (distance + height / 2.0));
    Area {
        left: cx - width / 2.0,
        right: cx + width / 2.0,
        top: cy - height / 2.0,
        bottom: cy + height / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_of_many_settings_keeps_every_value() {
        let settings = "with a name, autoscaler.behavior.scale_up.stabilization_window_of_the_policy = 5m, \
                        autoscaler.up.above = 0.7, autoscaler.down.below = 0.3, service.dist = { a = 1, b = 2 }";
        let lines = setting_lines("Knee:", settings, 340.0);
        let text = lines.join(" ");
        for value in ["with a name", "policy = 5m", "above = 0.7", "below = 0.3", "b = 2 }"] {
            assert!(text.contains(value), "{value}: {lines:?}");
        }
        assert!(lines.iter().all(|line| font::width(line, SIZE) <= 340.0), "{lines:?}");
        let long = setting_lines("", &format!("key = {}", "x".repeat(400)), 200.0);
        assert!(long.iter().all(|line| font::width(line, SIZE) <= 200.0), "{long:?}");
    }

    #[test]
    fn labels_of_neighbours_stay_apart_and_inside() {
        let within = Area { left: 0.0, top: 0.0, right: 800.0, bottom: 500.0 };
        let mut placer = Placer::new(within, vec![], vec![]);
        let points =
            [(400.0, 250.0), (404.0, 252.0), (399.0, 247.0), (790.0, 10.0), (795.0, 12.0), (5.0, 495.0)];
        points.iter().for_each(|&p| placer.add(p, vec!["a policy's name".into()], 8.0));
        let places: Vec<Area> = placer.labels.iter().map(|l| l.area).collect();
        for (i, a) in places.iter().enumerate() {
            assert!(a.left >= 0.0 && a.top >= 0.0 && a.right <= 800.0 && a.bottom <= 500.0, "{a:?}");
            assert!(places[..i].iter().all(|b| a.overlap(*b) == 0.0), "{a:?} {places:?}");
        }
    }
}
