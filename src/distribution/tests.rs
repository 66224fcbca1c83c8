use super::*;
use crate::random::{Purpose, Streams};
use crate::schema::{Context, Tree, Value};

const DRAWS: usize = 400_000;

fn read(text: &str) -> Result<Distribution, crate::schema::Problem> {
    let node = Tree::parse_value(text, crate::schema::Place::Nowhere).unwrap();
    Durations::read(&node, "service.time", &Context::default()).map(|durations| durations.0)
}

fn message(text: &str) -> String {
    let problem = read(text).expect_err(text);
    let help: String = problem.help.iter().map(|line| format!(" ({line})")).collect();
    format!("{}: {}{help}", problem.message, problem.label)
}

/// Every kind, with its mean and variance worked out by hand or by the textbook's formula.
fn catalogue() -> Vec<(&'static str, Distribution, f64, f64)> {
    let values = vec![4.0, 1.0, 2.0, 1.0];
    vec![
        ("exponential", Distribution::exponential(2.0), 2.0, 4.0),
        ("lognormal", Distribution::lognormal(2.0, 0.6).unwrap(), 2.0, 1.44),
        ("gamma bursty", Distribution::gamma(2.0, 1.5).unwrap(), 2.0, 9.0),
        ("gamma regular", Distribution::gamma(2.0, 0.5).unwrap(), 2.0, 1.0),
        ("erlang", Distribution::erlang(2.0, 4).unwrap(), 2.0, 1.0),
        ("weibull", Distribution::weibull(2.0, 1.5).unwrap(), 2.0, 9.0),
        ("uniform", Distribution::uniform(1.0, 3.0).unwrap(), 2.0, 4.0 / 12.0),
        // α = 2, L = 1, H = 4: E = 2·(1 − 1/4)/(1 − 1/16) = 1.6, E² = 2·ln 4/(15/16).
        ("pareto", Distribution::pareto(2.0, 1.0, 4.0).unwrap(), 1.6, 2.0 * 4f64.ln() / 0.9375 - 2.56),
        ("hyperexponential", Distribution::hyperexponential(2.0, 1.5).unwrap(), 2.0, 9.0),
        // E = 0.25·4 + 0.75·1, E² = 2·(0.25·16 + 0.75·1).
        (
            "branches",
            Distribution::hyperexponential_branches(0.25, 4.0, 1.0).unwrap(),
            1.75,
            9.5 - 1.75 * 1.75,
        ),
        ("empirical", Distribution::empirical(values.clone(), Between::Nothing).unwrap(), 2.0, 1.5),
        // Segments 1–1, 1–2, 2–4: E = (1 + 1.5 + 3)/3, E² = (1 + 7/3 + 28/3)/3.
        (
            "empirical linear",
            Distribution::empirical(values, Between::Line).unwrap(),
            5.5 / 3.0,
            (1.0 + 7.0 / 3.0 + 28.0 / 3.0) / 3.0 - (5.5f64 / 3.0).powi(2),
        ),
    ]
}

#[test]
fn means_and_variances_are_the_textbooks() {
    for (name, law, mean, variance) in catalogue() {
        assert!((law.mean() - mean).abs() < 1e-9 * mean, "{name}: mean {} not {mean}", law.mean());
        assert!(
            (law.variance() - variance).abs() < 1e-8 * variance,
            "{name}: {} not {variance}",
            law.variance()
        );
        assert!((law.cv() - variance.sqrt() / mean).abs() < 1e-8, "{name}");
    }
}

/// 99.9 % intervals: with 12 laws and two moments each, a correct sampler fails for about one seed in 40, and
/// the seed is fixed. The interval of the variance uses the sample's own fourth moment.
#[test]
fn draws_have_the_mean_and_the_variance_of_their_law() {
    for (name, law, mean, variance) in catalogue() {
        let mut values = vec![0.0; DRAWS];
        law.fill(&mut Streams::new(20, 0).stream(Purpose::Service), &mut values);
        let n = DRAWS as f64;
        let moment = |power: i32| values.iter().map(|x| (x - mean).powi(power)).sum::<f64>() / n;
        let z_mean = moment(1) / (variance / n).sqrt();
        let z_variance = (moment(2) - variance) / ((moment(4) - moment(2).powi(2)) / n).sqrt();
        assert!(z_mean.abs() < 3.29, "{name}: z of the mean {z_mean}");
        assert!(z_variance.abs() < 3.29, "{name}: z of the variance {z_variance}");
    }
}

/// Kolmogorov–Smirnov on the inverse: the share of draws below the quantile of p is p, at five values of p, with
/// a 99.9 % binomial interval each.
#[test]
fn draws_fall_below_each_quantile_as_often_as_they_should() {
    for (name, law, ..) in catalogue().into_iter().filter(|(name, ..)| !name.starts_with("empirical")) {
        let mut values = vec![0.0; DRAWS];
        law.fill(&mut Streams::new(21, 0).stream(Purpose::Service), &mut values);
        for p in [0.01, 0.25, 0.5, 0.9, 0.99] {
            let limit = law.quantile(p);
            let below = values.iter().filter(|value| **value < limit).count() as f64;
            let z = (below - p * DRAWS as f64) / (p * (1.0 - p) * DRAWS as f64).sqrt();
            assert!(z.abs() < 3.89, "{name} at {p}: z {z}");
        }
    }
}

#[test]
fn filling_in_blocks_gives_the_same_draws_as_one_at_a_time() {
    for (name, law, ..) in catalogue() {
        let mut block = vec![0.0; 1000];
        law.fill(&mut Streams::new(3, 1).stream(Purpose::Service), &mut block);
        let mut rng = Streams::new(3, 1).stream(Purpose::Service);
        assert!(block.iter().all(|value| *value == law.sample(&mut rng)), "{name}");
    }
}

#[test]
fn percentiles_come_back_as_they_were_written() {
    for dist in ["lognormal", "gamma", "weibull"] {
        for (low, high, p, q) in
            [("p50", "p99", 0.5, 0.99), ("p5", "p999", 0.05, 0.999), ("p1", "p25", 0.01, 0.25)]
        {
            let text = format!("{{ dist = \"{dist}\", {low} = \"300ms\", {high} = \"1.2s\" }}");
            let law = read(&text).unwrap_or_else(|problem| panic!("{text}: {problem:?}"));
            assert!((law.quantile(p) - 0.3).abs() < 1e-9, "{text}: {}", law.quantile(p));
            assert!((law.quantile(q) - 1.2).abs() < 1e-9, "{text}: {}", law.quantile(q));
        }
    }
    let law = read("{ dist = \"uniform\", p25 = \"1s\", p75 = \"2s\" }").unwrap();
    assert_eq!((law.quantile(0.0), law.quantile(1.0)), (0.5, 2.5));
    let law = read("{ dist = \"exponential\", p95 = \"3s\" }").unwrap();
    assert!((law.mean() - 3.0 / 20f64.ln()).abs() < 1e-12);
}

#[test]
fn means_and_cvs_come_back_as_they_were_written() {
    for dist in ["lognormal", "gamma", "weibull", "hyperexponential"] {
        let law = read(&format!("{{ dist = \"{dist}\", mean = \"350ms\", cv = 1.6 }}")).unwrap();
        assert!((law.mean() - 0.35).abs() < 1e-12, "{dist}: {}", law.mean());
        assert!((law.cv() - 1.6).abs() < 1e-9, "{dist}: {}", law.cv());
    }
    let law = read("{ dist = \"uniform\", mean = \"2s\", cv = 0.5 }").unwrap();
    assert!((law.mean() - 2.0).abs() < 1e-12 && (law.cv() - 0.5).abs() < 1e-12);
    assert_eq!(read("\"350ms\"").unwrap(), Distribution::constant(0.35));
    assert_eq!(read("{ dist = \"constant\", value = \"2s\" }").unwrap().as_constant(), Some(2.0));
    assert!((read("{ dist = \"erlang\", mean = \"2s\", k = 4 }").unwrap().cv() - 0.5).abs() < 1e-12);
}

#[test]
fn a_paretos_missing_parameter_is_found_from_its_mean() {
    for text in [
        "{ dist = \"pareto\", min = \"1s\", max = \"4s\", mean = \"1.6s\" }",
        "{ dist = \"pareto\", alpha = 2, max = \"4s\", mean = \"1.6s\" }",
        "{ dist = \"pareto\", alpha = 2, min = \"1s\", mean = \"1.6s\" }",
    ] {
        let law = read(text).unwrap_or_else(|problem| panic!("{text}: {problem:?}"));
        assert!((law.mean() - 1.6).abs() < 1e-9, "{text}: {}", law.mean());
        assert!((law.quantile(0.0) - 1.0).abs() < 1e-6, "{text}: {}", law.quantile(0.0));
        assert!((law.quantile(1.0) - 4.0).abs() < 1e-5, "{text}: {}", law.quantile(1.0));
    }
}

#[test]
fn plain_numbers_take_no_units() {
    let node = Tree::parse_value("{ dist = \"gamma\", p50 = 100, p95 = 800 }", crate::schema::Place::Nowhere);
    let Numbers(law) = Numbers::read(&node.unwrap(), "tokens", &Context::default()).unwrap();
    assert!((law.quantile(0.95) - 800.0).abs() < 1e-6);
    let node = Tree::parse_value("-3", crate::schema::Place::Nowhere).unwrap();
    assert!(Numbers::read(&node, "tokens", &Context::default()).unwrap_err().message.contains("-3"));
}

#[test]
fn measured_values_are_read_from_a_column_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("times.csv"), "id,ms\r\na,300\r\nb,100\r\nc,200").unwrap();
    let text = "{ dist = \"empirical\", file = \"times.csv\", column = \"ms\", unit = \"ms\", interpolation = \"linear\" }";
    let node = Tree::parse_value(text, crate::schema::Place::Nowhere).unwrap();
    let Durations(law) = Durations::read(&node, "service.time", &Context::new(folder.path())).unwrap();
    assert!((law.mean() - 0.2).abs() < 1e-12);
    assert!((law.quantile(0.25) - 0.15).abs() < 1e-12);
}

#[test]
fn what_determines_no_distribution_is_refused_with_its_reason() {
    for (text, expected) in [
        ("{ dist = \"lognormal\", mean = \"1s\" }", "`service.time.cv` is missing"),
        ("{ dist = \"lognormal\", cv = 1 }", "`service.time.mean` is missing"),
        ("{ dist = \"lognormal\" }", "nothing says how large"),
        ("{ dist = \"lognormal\", p50 = \"1s\" }", "one percentile does not determine"),
        ("{ dist = \"gamma\", p50 = \"1s\", p90 = \"2s\", p99 = \"3s\" }", "more than two percentiles"),
        ("{ dist = \"gamma\", mean = \"1s\", p90 = \"2s\" }", "both percentiles and a mean"),
        ("{ dist = \"weibull\", p50 = \"1s\", p99 = \"200ms\" }", "`service.time.p99` is below `p50`"),
        ("{ dist = \"weibull\", p50 = \"1s\", p99 = \"1s\" }", "the same as `p50`"),
        ("{ dist = \"hyperexponential\", mean = \"1s\", cv = 0.5 }", "expected a cv of at least 1"),
        ("{ dist = \"hyperexponential\", mean = \"1s\", p = 0.5 }", "do not determine a hyperexponential"),
        ("{ dist = \"exponential\", mean = \"0s\" }", "expected more than 0s"),
        ("{ dist = \"exponential\", mean = \"1s\", p50 = \"1s\" }", "more are given"),
        ("{ dist = \"uniform\", min = \"3s\", max = \"1s\" }", "not below the maximum"),
        ("{ dist = \"uniform\", min = \"3s\" }", "`service.time.max` is missing"),
        ("{ dist = \"uniform\", mean = \"1s\", cv = 0.9 }", "would be negative"),
        ("{ dist = \"pareto\", alpha = 2, min = \"1s\" }", "exactly three of"),
        ("{ dist = \"pareto\", alpha = 2, min = \"1s\", mean = \"9s\" }", "no `max` gives that mean"),
        ("{ dist = \"gamma\", p50 = \"1s\", p99 = \"1.00001s\" }", "too close together for a gamma"),
        ("{ dist = \"erlang\", mean = \"1s\", k = 0 }", "expected at least 1"),
        ("{ dist = \"empirical\", values = [] }", "no values to draw from"),
        ("{ dist = \"empirical\", file = \"nowhere.csv\" }", "`nowhere.csv` does not exist"),
        ("{ dist = \"lognormall\", mean = \"1s\", cv = 1 }", "did you mean \"lognormal\""),
        ("{ dist = \"lognormal\", mean = 3, cv = 1 }", "write the unit"),
        ("3", "write the unit"),
    ] {
        assert!(message(text).contains(expected), "{text}\n  gave {}\n  not {expected}", message(text));
    }
}

#[test]
fn every_kind_is_named_in_the_schema_with_keys_that_read_their_defaults() {
    let crate::schema::Kind::Either(forms) = Durations::kind() else { panic!("two forms") };
    let crate::schema::Kind::Union(union) = forms[1] else { panic!("a union") };
    let names: Vec<_> = union.variants.iter().map(|variant| variant.name).collect();
    assert_eq!(names.len(), 10);
    for key in union.variants.iter().flat_map(|variant| variant.keys) {
        if let Some(default) = key.default() {
            let node = Tree::parse_value(default, crate::schema::Place::Nowhere).unwrap();
            key.accepts(&node, key.name(), &Context::default()).unwrap();
        }
    }
}
