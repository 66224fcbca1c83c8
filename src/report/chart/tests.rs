//! Every chart renders every input, to both kinds of file.

use super::*;

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

fn rendered(chart: &impl Chart) -> String {
    let text = svg(chart, Size::WIDE).unwrap();
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    assert!(!text.contains("<b>"));
    assert!(png(chart, Size::new(1, 1)).unwrap().starts_with(b"\x89PNG"));
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
        frontier: i.is_multiple_of(3),
        uncertain: i.is_multiple_of(5),
        knee: i.is_multiple_of(7),
    }
}

fn slo(seconds: f64) -> Option<Slo> {
    Some(Slo { label: "SLO: p99 ≤ 2 s".into(), seconds })
}

fn cost_latency(points: Vec<SweptPoint>, seconds: f64) -> CostLatency {
    let (cost, latency) = ("Cost, USD/h".into(), "p99 latency".into());
    CostLatency { title: NAMES[2].repeat(20), cost, latency, slo: slo(seconds), points }
}

#[test]
fn cost_versus_latency_takes_any_points() {
    rendered(&cost_latency(vec![], 2.0));
    for (i, &a) in ODD.iter().enumerate() {
        rendered(&cost_latency(vec![point(a, a, i)], a));
        for (j, &b) in ODD.iter().enumerate() {
            let points = vec![point(a, b, i), point(b, a, j), point(a, a, i + j)];
            rendered(&cost_latency(points, b));
        }
    }
}

#[test]
fn ten_thousand_points_make_a_file_of_a_few_hundred_kilobytes() {
    let points = (0..10_000).map(|i| {
        let (a, b) = (f64::from(i * 7919 % 10_007), f64::from(i * 104_729 % 10_009));
        SweptPoint { frontier: false, knee: false, ..point(1.0 + a, 0.1 + b, i as usize) }
    });
    let text = rendered(&cost_latency(points.collect(), 2.0));
    assert!(text.len() < 1_500_000, "{}", text.len());
}

#[test]
fn a_comparison_takes_any_contenders() {
    for (i, &a) in ODD.iter().enumerate() {
        for (j, &b) in ODD.iter().enumerate() {
            let contender = |n: usize, cost, latency| Contender {
                name: NAMES[n % 4].repeat(n),
                cost: estimate(cost, ODD[n % 12]),
                latency: estimate(latency, b),
            };
            let chart = Comparison {
                title: NAMES[j % 4].into(),
                cost: "Cost, USD/h".into(),
                latency: "p99 latency".into(),
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
            let chart = Timeline {
                title: NAMES[count % 4].into(),
                end_s: end,
                arrival_rate: samples(0),
                desired: samples(1),
                ready: samples(2),
                queue: samples(3),
                latency_p50: samples(4),
                latency_p99: samples(5),
                slo: slo(end),
            };
            rendered(&chart);
        }
    }
}

#[test]
fn a_distribution_takes_any_quantiles() {
    for &a in &ODD {
        for &b in &ODD {
            let quantiles = vec![(0.0, a), (50.0, b), (50.0, a), (99.0, b), (99.99, a), (100.0, b), (a, b)];
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
            cells: (0..cells).map(cell).collect(),
        };
        rendered(&chart);
    }
}
