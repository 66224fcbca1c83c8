//! Every chart renders every input, to both kinds of file.

use super::*;
use crate::report::render::{png, svg};

const ODD: [f64; 12] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    0.0,
    -1.0,
    1e-300,
    1e300,
    f64::MAX,
    f64::MIN_POSITIVE,
    1.0,
    1.0 + f64::EPSILON,
    1e9,
];

const NAMES: [&str; 4] =
    ["", "plain", "漢字 🎉 <b>&\"'\n\u{0}", "a name so long that it cannot possibly fit"];

fn rendered<C: Chart + Clone + Into<AnyChart>>(chart: &C) -> String {
    let text = svg::draw(chart, Size::WIDE).unwrap();
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    assert!(!text.contains("<b>"));
    assert!(png::draw(&chart.clone().into(), Size::new(1, 1)).unwrap().starts_with(b"\x89PNG"));
    text
}

fn estimate(mean: f64, spread: f64) -> Estimate {
    Estimate::between(mean - spread, mean, mean + spread)
}

fn point(cost: f64, latency: f64, i: usize) -> SweptPoint {
    SweptPoint {
        settings: NAMES[i % 4].repeat(1 + i % 9),
        cost: estimate(cost, ODD[i % 12]),
        latency: estimate(latency, ODD[(i + 5) % 12]),
        meets_slo: i.is_multiple_of(2),
        series: i % 3,
        frontier: i.is_multiple_of(3),
        uncertain: i.is_multiple_of(5),
        knee: i.is_multiple_of(7),
        name: None,
    }
}

/// Samples by the number of the line, from 0, for [`Timeline::new`].
fn numbered(samples: impl Fn(usize) -> Vec<Sample>) -> impl Fn(&LineSpec) -> Vec<Sample> {
    let next = std::cell::Cell::new(0);
    move |_| samples(next.replace(next.get() + 1))
}

fn slo(seconds: f64) -> Option<Slo> {
    Some(Slo { label: "SLO: p99 ≤ 2 s".into(), seconds })
}

fn cost_latency(points: Vec<SweptPoint>, seconds: f64) -> CostLatency {
    let (cost, latency) = ("Cost, USD/h".into(), "p99 latency".into());
    CostLatency { title: NAMES[2].repeat(20), cost, latency, slo: slo(seconds), points, series: Vec::new() }
}

/// The same points as three series.
fn of_series(chart: CostLatency) -> CostLatency {
    CostLatency { series: NAMES[1..].iter().map(|&name| name.to_owned()).collect(), ..chart }
}

#[test]
fn cost_versus_latency_takes_any_points() {
    rendered(&cost_latency(vec![], 2.0));
    for (i, &a) in ODD.iter().enumerate() {
        rendered(&cost_latency(vec![point(a, a, i)], a));
        for (j, &b) in ODD.iter().enumerate().skip(i % 3).step_by(3) {
            let points = vec![point(a, b, i), point(b, a, j), point(a, a, i + j)];
            let chart = cost_latency(points, b);
            rendered(&chart);
            rendered(&of_series(chart));
        }
    }
}

#[test]
fn ten_thousand_points_make_a_file_of_a_size_that_pages_can_hold() {
    let points = (0..10_000).map(|i| {
        let (a, b) = (f64::from(i * 7919 % 10_007), f64::from(i * 104_729 % 10_009));
        SweptPoint { frontier: false, knee: false, ..point(1.0 + a, 0.1 + b, i as usize) }
    });
    let chart = cost_latency(points.collect(), 2.0);
    let text = rendered(&chart);
    assert!(text.len() < 1_500_000, "{}", text.len());
    // The shapes that tell series apart take more characters than circles.
    let text = rendered(&of_series(chart));
    assert!(text.len() < 2_200_000, "{}", text.len());
}

#[test]
fn a_comparison_takes_any_contenders() {
    for (i, &a) in ODD.iter().enumerate() {
        for (j, &b) in ODD.iter().enumerate().skip(i % 3).step_by(3) {
            let contender = |n: usize, cost, latency| Contender {
                name: NAMES[n % 4].repeat(n),
                cost: estimate(cost, ODD[n % 12]),
                value: estimate(latency, b),
            };
            let chart = Comparison {
                title: NAMES[j % 4].into(),
                cost: "Cost, USD/h".into(),
                measure: "p99 latency".into(),
                upwards: if i.is_multiple_of(2) { Measure::Latency } else { Measure::Amount },
                slo: slo(a),
                contenders: (0..i).map(|n| contender(n, a, ODD[n % 12])).collect(),
                bound: Some(Bound { name: NAMES[i % 4].into(), points: vec![(a, b), (b, a)] }),
            };
            rendered(&chart);
        }
    }
}

#[test]
fn a_timeline_takes_any_run() {
    for &end in &ODD {
        for count in [0, 1, 2, 12] {
            let samples = |shift: usize| -> Vec<Sample> {
                (0..count).map(|i| (ODD[(i + shift) % 12], ODD[(i * 5 + shift) % 12])).collect()
            };
            let chart = Timeline::new(NAMES[count % 4].into(), end, slo(end), numbered(samples));
            rendered(&chart);
        }
    }
}

#[test]
fn a_distribution_takes_any_quantiles() {
    for (i, &a) in ODD.iter().enumerate() {
        for &b in ODD.iter().skip(i % 3).step_by(3) {
            let quantiles = [(0.0, a), (50.0, b), (50.0, a), (99.0, b), (99.99, a), (100.0, b), (a, b)];
            let series = (0..6)
                .map(|i| LatencySeries { name: NAMES[i % 4].into(), quantiles: quantiles[i..].to_vec() });
            rendered(&Distribution { title: String::new(), series: series.collect(), slo: slo(b) });
        }
    }
}

#[test]
fn a_heat_map_takes_any_cells() {
    for (columns, rows, cells) in [(0, 0, 0), (1, 1, 1), (3, 2, 6), (3, 2, 4), (2, 2, 9), (60, 200, 12_000)] {
        let values = |n: usize| (0..n).map(|i| NAMES[i % 4].repeat(1 + i % 3)).collect();
        let cell = |i: usize| Cell { value: ODD[i % 12], meets_slo: i.is_multiple_of(2), knee: i == 3 };
        let chart = HeatMap {
            title: "t".into(),
            x: Parameter { name: NAMES[3].repeat(9), values: values(columns) },
            y: Parameter { name: NAMES[2].repeat(9), values: values(rows) },
            value: "Cost, USD/h".into(),
            slices: slices(&["", "a"], (0..cells).map(cell).collect()),
            not_shown: 3,
        };
        rendered(&chart);
    }
}

/// The texts of an SVG document, their font size and the boxes of their capitals, read from what is written there.
fn texts(svg: &str) -> Vec<(String, f64, sheet::Area)> {
    let between = |text: &'_ str, from: &str, to: &str| -> String {
        let rest = text.split_once(from).map_or("", |(_, rest)| rest);
        rest.split_once(to).map_or(rest, |(found, _)| found).to_owned()
    };
    let pair = |text: String| -> (f64, f64) {
        let (x, y) = text.split_once(' ').unwrap();
        (x.parse().unwrap(), y.parse().unwrap())
    };
    let number =
        |text: &str, name: &str| -> f64 { between(text, &format!(" {name}=\""), "\"").parse().unwrap() };
    let elements = svg.split("<text ").skip(1);
    elements
        .map(|element| {
            let label = between(element, ">", "<").replace("&lt;", "<").replace("&gt;", ">");
            let label = label.replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&");
            let (x, y) = pair(between(element, "transform=\"translate(", ")"));
            let (dx, dy) = (number(element, "x"), number(element, "y"));
            let (size, width) = (number(element, "font-size"), number(element, "textLength"));
            let area = if element.contains("rotate(270)") {
                sheet::Area { left: x + dy - 0.73 * size, right: x + dy, top: y - dx - width, bottom: y - dx }
            } else {
                sheet::Area { left: x + dx, right: x + dx + width, top: y + dy - 0.73 * size, bottom: y + dy }
            };
            (label, size, area)
        })
        .collect()
}

fn slices(names: &[&str], cells: Vec<Cell>) -> Vec<Slice> {
    names.iter().map(|&name| Slice { name: name.to_owned(), cells: cells.clone() }).collect()
}

/// The words of a chart, as a search finds them.
fn words(chart: &impl Chart) -> Vec<String> {
    texts(&svg::draw(chart, Size::WIDE).unwrap()).into_iter().map(|(text, ..)| text).collect()
}

#[test]
fn a_promise_far_from_the_points_is_told_and_does_not_squeeze_them() {
    let points = (0..20).map(|i| SweptPoint {
        settings: format!("up = {i}"),
        cost: Estimate::exactly(10.0 + f64::from(i)),
        latency: Estimate::exactly(1.0 - 0.02 * f64::from(i)),
        ..point(1.0, 1.0, 7 * i as usize)
    });
    let chart = CostLatency { title: "t".into(), ..cost_latency(points.collect(), 60.0) };
    let told = words(&chart);
    assert!(told.iter().any(|text| text.contains("SLO: p99 ≤ 2 s, beyond this axis (larger)")), "{told:?}");
    // Half of the height is the points' own.
    let drawn = svg::draw(&chart, Size::WIDE).unwrap();
    let at =
        |text: &str| texts(&drawn).into_iter().find(|(each, ..)| each == text).map(|(.., area)| area.top);
    let (high, low) = (at("1000").or(at("1.0")), at("700").or(at("0.7")));
    assert!(low.unwrap() - high.unwrap() > 150.0, "{high:?} {low:?} {told:?}");
}

#[test]
fn a_comparison_of_many_is_named_in_its_legend_and_one_without_latency_shows_requests() {
    let contender = |i: i32| Contender {
        name: format!("variant number {i} with a name"),
        cost: Estimate::exactly(0.8 + f64::from(i / 12)),
        value: Estimate::exactly(30.0),
    };
    let chart = |count: i32| Comparison {
        title: "t".into(),
        cost: "Cost, USD".into(),
        measure: "Requests within the SLO, %".into(),
        upwards: Measure::Amount,
        slo: None,
        contenders: (0..count).map(contender).collect(),
        bound: None,
    };
    for count in [2, 16] {
        assert_legible(&chart(count), Size::WIDE);
        let told = words(&chart(count));
        for name in (0..count).map(|i| format!("variant number {i} with a name")) {
            assert!(told.contains(&name), "{name}: {told:?}");
        }
        assert!(told.iter().any(|text| text == "Requests within the SLO, % (linear scale)"), "{told:?}");
    }
}

#[test]
fn each_variant_has_its_own_colour_shape_and_frontier() {
    let points = (0..30).map(|i| SweptPoint {
        settings: String::new(),
        cost: Estimate::exactly(10.0 + f64::from(i)),
        latency: Estimate::exactly(3.0 - 0.05 * f64::from(i) + f64::from(i % 3)),
        series: i as usize % 3,
        meets_slo: true,
        ..point(1.0, 1.0, 1)
    });
    let chart = CostLatency {
        series: vec!["spot".into(), "reserved".into(), "on demand".into()],
        ..cost_latency(points.collect(), 9.0)
    };
    let told = words(&chart);
    for name in
        ["spot", "reserved", "on demand", "p99 latency, s (linear scale)", "Cost, USD/h (linear scale)"]
    {
        assert!(told.iter().any(|text| text == name), "{name}: {told:?}");
    }
    // A line through ten points each, in three colours.
    let drawn = svg::draw(&chart, Size::WIDE).unwrap();
    for color in ["#0072b2", "#e69f00", "#009e73"] {
        let long = |line: &str| {
            line.contains(color) && line.starts_with("<polyline") && line.matches(' ').count() > 18
        };
        assert_eq!(drawn.lines().filter(|line| long(line)).count(), 1, "{color}");
    }
}

#[test]
fn a_heat_map_tells_what_each_of_its_maps_is_of() {
    let cell = |i: i32| Cell { value: f64::from(i), meets_slo: true, knee: false };
    let parameter = |name: &str| Parameter { name: name.into(), values: vec!["1".into(), "2".into()] };
    let names = ["spot, third = 1", "spot, third = 2", "on demand, third = 1"];
    let chart = HeatMap {
        title: "t".into(),
        x: parameter("a"),
        y: parameter("b"),
        value: "Cost, USD".into(),
        slices: slices(&names, (0..4).map(cell).collect()),
        not_shown: 5,
    };
    let told = words(&chart);
    for name in names.into_iter().chain(["5 more maps not shown: sweep.csv has all"]) {
        assert!(told.iter().any(|text| text == name), "{name}: {told:?}");
    }
}

/// No text leaves the sheet or runs into another, and none is smaller than 14 pixels.
fn assert_legible(chart: &impl Chart, size: Size) {
    let svg = svg::draw(chart, size).unwrap();
    let texts = texts(&svg);
    assert!(texts.len() > 5, "{svg}");
    for (i, (text, font_size, area)) in texts.iter().enumerate() {
        let inside = area.left >= 0.0 && area.top >= 0.0;
        let inside = inside && area.right <= f64::from(size.width) && area.bottom <= f64::from(size.height);
        assert!(inside, "{text}: {area:?}");
        assert!(*font_size >= 13.99, "{text}: {font_size}");
        for (other, _, there) in &texts[..i] {
            assert!(area.overlap(*there) == 0.0, "{text} {area:?} runs into {other} {there:?}");
        }
    }
}

#[test]
fn texts_neither_overlap_nor_leave_the_sheet() {
    for (stretch, slo_at) in [(1.0, 2.0), (1e-6, 1.5e-6), (1e5, 1.0), (1.0, 0.5)] {
        for long in [1, 12] {
            let name = |i: usize| format!("policy {i} ").repeat(long);
            let slo = Some(Slo { label: "SLO of the service ".repeat(long), seconds: slo_at });
            let around = |v: f64| Estimate::between(v * 0.93, v, v * 1.05);
            let title = "A headline ".repeat(long);
            let cost = format!("Cost, {}/h", "USD".repeat(long));
            let swept = |i: usize| SweptPoint {
                settings: name(i),
                cost: around(stretch * (10.0 + i as f64)),
                latency: around(stretch * 40.0 / (1.0 + i as f64)),
                meets_slo: i > 20,
                series: i % 3,
                frontier: i.is_multiple_of(2),
                uncertain: i == 8,
                knee: i == 18,
                name: None,
            };
            let points = (0..40).map(swept).collect();
            let (title, latency) = (title, "p99 latency ".repeat(long));
            let sweep = CostLatency { title, cost, latency, slo, points, series: Vec::new() };
            assert_legible(&sweep, Size::WIDE);
            let series = (0..3).map(name).collect();
            assert_legible(&CostLatency { series, ..sweep.clone() }, Size::WIDE);
            let contender =
                |p: &SweptPoint| Contender { name: p.settings.clone(), cost: p.cost, value: p.latency };
            let compared = Comparison {
                title: sweep.title.clone(),
                cost: sweep.cost.clone(),
                measure: sweep.latency.clone(),
                upwards: Measure::Latency,
                slo: sweep.slo.clone(),
                contenders: sweep.points.iter().step_by(3).map(contender).collect(),
                bound: Some(Bound { name: name(0), points: vec![(stretch * 9.0, stretch)] }),
            };
            assert_legible(&compared, Size::WIDE);
            let samples = |line: usize| {
                let value = |i: usize| stretch * (i * (3 + 2 * line) % 97) as f64;
                (0..500).map(|i| (i as f64 * 17.0, value(i))).collect()
            };
            let run = Timeline::new(sweep.title.clone(), 500.0 * 17.0, sweep.slo.clone(), numbered(samples));
            assert_legible(&run, Size::TALL);
            let quantile = |k: f64| move |i: i32| (100.0 - 100.0 / f64::from(i), stretch * k * f64::from(i));
            let series =
                |i, k| LatencySeries { name: name(i), quantiles: (1..2000).map(quantile(k)).collect() };
            let series = vec![series(1, 0.01), series(2, 0.012)];
            let (title, slo) = (sweep.title.clone(), sweep.slo.clone());
            assert_legible(&Distribution { title, series, slo }, Size::WIDE);
            let cell = |i: usize| Cell { value: stretch * (i * i) as f64, meets_slo: i > 9, knee: i == 7 };
            let parameter = |n: usize| Parameter { name: name(n), values: (0..n).map(name).collect() };
            let map = HeatMap {
                title: sweep.title.clone(),
                x: parameter(9),
                y: parameter(7),
                value: sweep.cost.clone(),
                slices: slices(&[""], (0..63).map(cell).collect()),
                not_shown: 0,
            };
            assert_legible(&map, Size::WIDE);
            for count in 2..=6 {
                let names: Vec<String> = (0..count).map(|i| format!("{}, third = {i}", name(i))).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let slices = slices(&names, map.slices[0].cells.clone());
                assert_legible(&HeatMap { slices, not_shown: 2, ..map.clone() }, Size::WIDE);
            }
        }
    }
}
