//! How often the intervals hold the truth, over named traffics: the table of `docs/statistics.md`.
//!
//! For each traffic many replications of two settings are simulated: they are the population, so that the truth is known.
//! An experiment draws some of them, with replacement, and makes the intervals of the figures and of the differences of the
//! two settings. By default it is done on a small scale; in full, which checks the table or writes it, by
//!
//! ```text
//! KNEEPOINT_COVERAGE=full [KNEEPOINT_BLESS=1] cargo test --test statistics coverage_table
//! ```

use std::fmt::Write as _;
use std::path::Path;

use kneepoint::internals::experiment::{Case, Evaluator, Record, Replications, Sample};
use kneepoint::internals::scenario::Scenario;
use kneepoint::internals::stats::{CONFIDENCE, Linearised, student_t};
use kneepoint::internals::time::Span;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::fixtures::scenario::scenario;

const SERVICE: &str = "[service]\ntime = { dist = \"lognormal\", mean = \"500ms\", cv = 1 }\n\
    [cost]\nper_instance_hour = 1\n[slo]\nlatency = \"3s\"\npercentile = 95\n";

const THRESHOLD: &str = "[instances]\ninitial = 6\ncold_start = \"45s\"\n[metrics]\nscrape_interval = \"15s\"\n\
    window = \"30s\"\n[autoscaler]\nkind = \"threshold\"\nmetric = \"utilization\"\ninterval = \"15s\"\nmin = 2\n\
    max = 24\ndown = { below = 0.4, cooldown = \"60s\" }\n";

/// Name, arrivals and run; the settings a and b; and replications, in full and on a small scale.
struct Traffic {
    name: &'static str,
    text: &'static str,
    settings: [&'static str; 2],
    replications: [u32; 2],
}

const FIXED: [&str; 2] =
    ["[autoscaler]\nkind = \"fixed\"\ninstances = 6\n", "[autoscaler]\nkind = \"fixed\"\ninstances = 7\n"];
const ABOVE: [&str; 2] = ["up = { above = 0.7, step = 3 }\n", "up = { above = 0.8, step = 3 }\n"];

const TRAFFICS: [Traffic; 3] = [
    Traffic {
        name: "poisson",
        text: "[arrivals]\nkind = \"poisson\"\nrate = 10\n[run]\nduration = \"1h\"\nwarmup = \"5m\"\n",
        settings: FIXED,
        replications: [3000, 300],
    },
    Traffic {
        name: "mmpp",
        text: "[arrivals]\nkind = \"mmpp\"\nstates = [{ rate = 6, duration = \"5m\" }, { rate = 18, duration = \"2m\" }]\n\
               [run]\nduration = \"1h\"\nwarmup = \"5m\"\n",
        settings: ABOVE,
        replications: [3000, 300],
    },
    Traffic {
        name: "day",
        text: "[arrivals]\nkind = \"diurnal\"\ntrough = 2\npeak = 10\nperiod = \"6h\"\npeak_at = \"3h\"\n\
               [[arrivals.spikes]]\nat = \"50m\"\nduration = \"4m\"\nrate = 12\nevery = \"100m\"\n\
               [run]\nduration = \"6h\"\n",
        settings: ABOVE,
        replications: [1500, 150],
    },
];

const FIGURES: [&str; 7] =
    ["latency.mean", "latency.p95", "latency.p99", "latency.p999", "latency.max", "slo_attainment", "cost"];

const SIZES: [usize; 3] = [5, 10, 20];

/// What the table may hold, in percent.
const BETWEEN: std::ops::RangeInclusive<f64> = 93.0..=98.5;

fn population(traffic: &Traffic, replications: u32) -> [Vec<Record>; 2] {
    let of = |setting: &str| -> Scenario {
        let autoscaler =
            if setting.starts_with('[') { setting.to_owned() } else { format!("{THRESHOLD}{setting}") };
        scenario(
            &format!("{}replications = {replications}\nseed = 77\n{SERVICE}{autoscaler}", traffic.text),
            ".",
        )
    };
    let scenarios = traffic.settings.map(of);
    let batch: Vec<Case<'_>> = scenarios.iter().map(Case::whole).collect();
    let mut found = Evaluator::default().evaluate(&batch, &(), |_, records| records).unwrap().into_iter();
    [found.next().unwrap(), found.next().unwrap()]
}

fn figure(samples: &[Sample]) -> Linearised {
    let ratios: Vec<(f64, f64)> = samples
        .iter()
        .filter_map(|sample| match sample {
            Sample::Ratio { of, to } => Some((*of, *to)),
            _ => None,
        })
        .collect();
    if ratios.len() == samples.len() {
        return Linearised::of_ratio(&ratios);
    }
    Linearised::of_values(&samples.iter().filter_map(|sample| sample.value()).collect::<Vec<_>>())
}

/// Coverage in percent: of the hull, and of Student's t in its place.
#[derive(Clone, Copy)]
struct Covered {
    hull: f64,
    student: f64,
}

/// One row of the table: a figure, or the difference of the two settings in it.
struct Row {
    name: String,
    /// By traffic and size; `None` where the figure never varies.
    cells: Vec<Option<Covered>>,
}

/// How often, of so many `experiments`, the interval of a `sample` of the population holds that of all of it.
fn covered(
    all: &[usize],
    n: usize,
    experiments: usize,
    seed: u64,
    of: impl Fn(&[usize]) -> Linearised,
) -> Option<Covered> {
    let whole = of(all);
    let truth = whole.mean().unwrap();
    // Rounding aside, costs of a fixed pool are the same in every replication.
    if whole.variance_of_mean().sqrt() < 1e-9 * truth.abs() {
        return None;
    }
    let t = student_t(CONFIDENCE, n as u32 - 1).unwrap();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let (mut hull, mut student) = (0, 0);
    for _ in 0..experiments {
        let drawn: Vec<usize> = (0..n).map(|_| rng.random_range(0..all.len())).collect();
        let found = of(&drawn);
        let estimate = found.estimate(CONFIDENCE);
        hull += usize::from(estimate.low.unwrap() <= truth && truth <= estimate.high.unwrap());
        let half = t * found.variance_of_mean().sqrt();
        student += usize::from((found.mean().unwrap() - truth).abs() <= half);
    }
    let percent = |covers: usize| 100.0 * covers as f64 / experiments as f64;
    Some(Covered { hull: percent(hull), student: percent(student) })
}

fn rows(populations: &[[Vec<Record>; 2]], experiments: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for (number, name) in FIGURES.iter().enumerate() {
        for difference in [false, true] {
            let mut cells = Vec::new();
            for population in populations {
                let samples: Vec<Vec<Sample>> = population
                    .iter()
                    .map(|records| records.iter().map(|record| record.sample(name)).collect())
                    .collect();
                let all: Vec<usize> = (0..samples[0].len()).collect();
                let of = |drawn: &[usize]| {
                    let drawn = |setting: usize| -> Linearised {
                        figure(&drawn.iter().map(|index| samples[setting][*index]).collect::<Vec<_>>())
                    };
                    if difference { drawn(1).minus(&drawn(0)) } else { drawn(0) }
                };
                let seed = |n: usize| (number * 1000 + n) as u64;
                cells.extend(SIZES.iter().map(|n| covered(&all, *n, experiments, seed(*n), of)));
            }
            let name = if difference { format!("difference of `{name}`") } else { format!("`{name}`") };
            rows.push(Row { name, cells });
        }
    }
    rows
}

/// The pooled time at the SLO's percentile: it takes the times of all requests, so fewer experiments.
fn promised(populations: &[[Vec<Record>; 2]], experiments: usize) -> Row {
    let mut cells = Vec::new();
    for [records, _] in populations {
        let slo = Some(kneepoint::internals::sim::Slo::latency(Span::from_secs(3), 95.0));
        let estimate = |records: Vec<Record>| Replications::new(records, slo).figures().get("slo_latency");
        let truth = estimate(records.clone()).mean.unwrap();
        for n in SIZES {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(n as u64);
            let mut holds = 0;
            for _ in 0..experiments {
                let drawn = (0..n).map(|_| records[rng.random_range(0..records.len())].clone()).collect();
                let found = estimate(drawn);
                holds += usize::from(found.low.unwrap() <= truth && truth <= found.high.unwrap());
            }
            let hull = 100.0 * holds as f64 / experiments as f64;
            cells.push(Some(Covered { hull, student: hull }));
        }
    }
    Row { name: "`slo_latency` (p95 of all requests)".to_owned(), cells }
}

fn table(rows: &[Row]) -> String {
    let mut text = String::from("| figure |");
    for traffic in &TRAFFICS {
        for n in SIZES {
            let _ = write!(text, " {} {n} |", traffic.name);
        }
    }
    let _ = write!(text, "\n|---|{}\n", "---:|".repeat(TRAFFICS.len() * SIZES.len()));
    for row in rows {
        let cell = |cell: &Option<Covered>| match cell {
            None => "–".to_owned(),
            Some(covered) if BETWEEN.contains(&covered.hull) => format!("{:.1}", covered.hull),
            Some(covered) => format!("**{:.1}**", covered.hull),
        };
        let cells: Vec<String> = row.cells.iter().map(cell).collect();
        let _ = writeln!(text, "| {} | {} |", row.name, cells.join(" | "));
    }
    text
}

const BEGIN: &str = "<!-- coverage -->\n";
const END: &str = "<!-- /coverage -->\n";

#[test]
fn intervals_hold_the_truth_as_often_as_the_documentation_says() {
    let full = std::env::var("KNEEPOINT_COVERAGE").is_ok_and(|value| value == "full");
    let (scale, experiments, pooled) = if full { (0, 4000, 500) } else { (1, 600, 60) };
    let populations: Vec<[Vec<Record>; 2]> =
        TRAFFICS.iter().map(|traffic| population(traffic, traffic.replications[scale])).collect();
    let mut rows = rows(&populations, experiments);
    rows.push(promised(&populations, pooled));
    let written = table(&rows);
    println!("{written}");
    // Small populations and few experiments add some points of their own.
    let (least, most) = if full { (92.0, 99.5) } else { (86.0, 100.0) };
    for row in &rows {
        for cell in row.cells.iter().flatten() {
            let least = if row.name.contains("difference of `latency.max`") { least - 6.0 } else { least };
            assert!((least..=most).contains(&cell.hull), "{}: {} %", row.name, cell.hull);
            assert!(cell.hull >= cell.student, "{}: the hull holds Student's", row.name);
        }
    }
    // The test can tell: Student's t alone would fail.
    let student = rows.iter().flat_map(|row| row.cells.iter().flatten()).map(|cell| cell.student);
    let lowest = student.fold(f64::INFINITY, f64::min);
    assert!(lowest < 88.0, "{lowest}");
    if !full {
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/statistics.md");
    let page = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    if std::env::var_os("KNEEPOINT_BLESS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{written}{END}{after}")).unwrap();
    } else {
        assert_eq!(found, written, "docs/statistics.md is out of date: run this with KNEEPOINT_BLESS=1");
    }
}
