//! `compare`: a few settings against each other, replication by replication.

use serde::Serialize;

use super::observer::FirstRuns;
use super::run_plan::run_cases;
use super::{Bound, COST, Contender, Evaluator, FIGURES, Figure, RunError, RunPlan, SLO_LATENCY_OF_RUN};
use crate::scenario::{Precision, Scenario};
use crate::sim::RequestSource;
use crate::stats::{CONFIDENCE, Estimate, Linearised};

/// What can be said of a difference.
///
/// ```
/// use kneepoint::{Options, Scenario, Verdict, compare};
///
/// # let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
/// #     instances = 10\n[cost]\nper_instance_hour = 2\n[slo]\nlatency = \"3s\"\n[run]\nduration = \"1m\"";
/// let (today, mut larger) = (Scenario::parse(text)?, Scenario::parse(text)?);
/// larger.set("autoscaler.instances", "12")?;
/// let result = compare(&[&today, &larger], &Options::default())?;
/// let cost = result.differences().into_iter().find(|difference| difference.figure.name == "cost");
/// assert_eq!(cost.map(|cost| cost.verdict), Some(Verdict::Higher));
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The second has less, beyond noise.
    Lower,
    /// The second has more, beyond noise.
    Higher,
    /// Not different in any replication.
    Same,
    /// The interval holds zero.
    WithinNoise,
    /// There is no interval to tell by: too few replications, or a figure that is missing or infinite in one.
    Unknown,
}

/// Two figures that differ by no more than this share are sums of the same parts in another order: the cost of one pool and of
/// two with as many instances.
const ROUNDING: f64 = 1e-13;

/// One figure of two contenders: the second less the first.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The figure.
    pub figure: &'static Figure,
    /// The difference, paired, with its own interval at [`CONFIDENCE`].
    pub alone: Estimate,
    /// The same difference with the wider interval that holds together with those of all others at [`CONFIDENCE`].
    pub joint: Estimate,
    /// The difference as a share of the first contender's figure, with its joint interval.
    pub relative: Estimate,
    /// The difference with the joint interval it would have without pairing (Welch).
    pub unpaired: Estimate,
    /// What it comes to, by the joint interval.
    pub verdict: Verdict,
}

impl Difference {
    fn of(figure: &'static Figure, a: &Contender, b: &Contender, confidence: f64) -> Difference {
        let (of_a, of_b) = a.replications.paired(&b.replications, figure.name);
        let least = figure.least_replications_of_difference();
        let estimate = |of: &Linearised, confidence| of.estimate(confidence).from_replications(least);
        let mut difference = of_b.minus(&of_a);
        let mut joint = estimate(&difference, confidence);
        let rounding = of_a.mean().unwrap_or(0.0).abs() * ROUNDING;
        let ends = [joint.mean, joint.low, joint.high];
        let mut quotient = of_b.over(&of_a);
        if ends.into_iter().flatten().all(|end| end.abs() <= rounding) {
            (difference, quotient) = (difference.mapped(|_| 0.0, |_| 0.0), quotient.mapped(|_| 1.0, |_| 0.0));
            joint = estimate(&difference, confidence);
        }
        let less_one = |end: Option<f64>| end.map(|end| end - 1.0);
        let quotient =
            if of_a.mean() == Some(0.0) { Estimate::default() } else { estimate(&quotient, confidence) };
        Difference {
            figure,
            alone: estimate(&difference, CONFIDENCE),
            relative: Estimate {
                mean: less_one(quotient.mean),
                low: less_one(quotient.low),
                high: less_one(quotient.high),
                ..quotient
            },
            unpaired: of_b.minus_unpaired(&of_a, confidence).from_replications(least),
            verdict: Verdict::of(&joint, &difference),
            joint,
        }
    }

    /// Width of Student's paired interval as a share of the unpaired one; `None` without intervals, or if nothing differs.
    pub fn narrowing(&self) -> Option<f64> {
        if self.verdict == Verdict::Same {
            return None;
        }
        // Of the two sides, the one that the skewness does not widen is Student's, as both are without pairing.
        let (below, above) = self.joint.widths()?;
        let (paired, unpaired) = (below.min(above), self.unpaired.widths()?.1);
        (unpaired > 0.0).then(|| paired / unpaired)
    }
}

impl Verdict {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Lower => "lower",
            Verdict::Higher => "higher",
            Verdict::Same => "the same",
            Verdict::WithinNoise => "within noise",
            Verdict::Unknown => "unknown",
        }
    }

    fn of(joint: &Estimate, difference: &Linearised) -> Verdict {
        match (joint.low, joint.high) {
            (Some(low), Some(high)) if low == 0.0 && high == 0.0 => Verdict::Same,
            (Some(low), _) if low > 0.0 => Verdict::Higher,
            (_, Some(high)) if high < 0.0 => Verdict::Lower,
            (Some(_), Some(_)) => Verdict::WithinNoise,
            _ if difference.replications() > 1 && difference.mean() == Some(0.0) => Verdict::Same,
            _ => Verdict::Unknown,
        }
    }
}

/// Two contenders, by their indices.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The one that is compared with.
    pub a: usize,
    /// The one that is compared.
    pub b: usize,
    /// Whether both met the very same requests in every replication; else they share random numbers only, and pairing
    /// them is right but gains less.
    pub same_requests: bool,
    /// The figures compared, in their order.
    pub differences: Vec<Difference>,
}

/// Contenders up to which every two of them are compared: of more, the pairs are too many to read, and their joint
/// intervals too wide to tell anything.
pub const MAX_FOR_ALL_PAIRS: usize = 6;

/// What `compare` comes to.
#[derive(Debug, Clone)]
pub struct CompareResult {
    /// What was compared, in the order given.
    pub contenders: Vec<Contender>,
    /// Every two of them; of more than [`MAX_FOR_ALL_PAIRS`], each of the others with the one that knows the future, or
    /// with the first.
    pub pairs: Vec<Pair>,
    /// What the SLO attainment of each would cost a pool that knows the future, if one of them does.
    pub bound: Option<Bound>,
    /// Intervals that hold together: pairs times figures.
    pub intervals: usize,
    /// Confidence of each of them alone, so that all hold together at [`CONFIDENCE`].
    pub each: f64,
    /// What the runs themselves found of warm-up and precision.
    pub procedure: RunPlan,
    /// Whether every replication finished.
    pub complete: bool,
}

/// A setting of the run that two scenarios must share to be paired and do not: its key, and both values.
pub fn pairing_conflict(a: &Scenario, b: &Scenario) -> Option<(&'static str, String, String)> {
    let precision = |scenario: &Scenario| match scenario.run.precision {
        Some(Precision { metric, relative, most }) => {
            format!("{metric} within {relative} or {most} replications")
        }
        None => "none".to_owned(),
    };
    let differ = |key, a: String, b: String| (a != b).then_some((key, a, b));
    differ("run.duration", a.model.duration.to_string(), b.model.duration.to_string())
        .or_else(|| differ("run.warmup", a.run.warmup.to_string(), b.run.warmup.to_string()))
        .or_else(|| {
            differ("run.replications", a.run.replications.to_string(), b.run.replications.to_string())
        })
        .or_else(|| differ("run.precision", precision(a), precision(b)))
        .or_else(|| differ("run.seed", a.run.seed.to_string(), b.run.seed.to_string()))
}

/// Names of the figures that can be compared between all of `scenarios`: cost in one currency, the latency promised
/// (p99 where nothing is promised, or not the same), mean latency, and how well the promise is kept.
pub fn comparable<'a>(scenarios: impl Iterator<Item = &'a Scenario> + Clone) -> Vec<&'static str> {
    let first = scenarios.clone().next();
    let all = |same: fn(&Scenario, &Scenario) -> bool| {
        first.is_some_and(|first| scenarios.clone().all(|other| same(first, other)))
    };
    let one_currency = all(|a, b| a.model.cost.currency == b.model.cost.currency);
    let one_promise = all(|a, b| a.model.slo == b.model.slo);
    let promised = one_promise && first.is_some_and(|first| first.model.slo.is_some());
    one_currency
        .then_some(COST)
        .into_iter()
        .chain([if one_promise { SLO_LATENCY_OF_RUN } else { "latency.p99" }, "latency.mean"])
        .chain(promised.then_some("slo_attainment"))
        .collect()
}

/// Runs all contenders on common random numbers and compares every two of them by the figures named.
///
/// The intervals of all differences hold together at [`CONFIDENCE`], by Bonferroni's inequality: with m of them, each is
/// made at 1 − (1 − [`CONFIDENCE`]) / m (Law, *Simulation Modeling and Analysis*, 5th ed., §9.7 and §10.3). Bonferroni
/// and not Holm, since Holm's steps decide between hypotheses but give no intervals to read.
///
/// # Errors
/// A run lost or made up requests, or outgrew its bound.
pub fn compare(
    mut contenders: Vec<(String, Scenario)>,
    figures: &[&str],
    evaluator: &Evaluator<'_>,
) -> Result<CompareResult, RunError> {
    let mut cases: Vec<&mut Scenario> = contenders.iter_mut().map(|(_, scenario)| scenario).collect();
    let first_runs = FirstRuns::new(cases.len(), &|_, _| {});
    let (results, procedure) = run_cases(&mut cases, &first_runs, evaluator)?;
    let contenders: Vec<Contender> = contenders
        .into_iter()
        .zip(results.into_iter().zip(first_runs.into_seen()))
        .map(|((name, scenario), (replications, first))| Contender {
            name,
            scenario,
            figures: replications.figures(),
            replications,
            seen: first.map_or_else(Vec::new, |first| first.metrics),
        })
        .collect();
    let named = |name: &&str| FIGURES.iter().find(|figure| figure.name == *name);
    let figures: Vec<&'static Figure> = figures.iter().filter_map(named).collect();
    let bound = Bound::of(&contenders, evaluator)?;
    let pairs_of = pairs_of(contenders.len(), bound.as_ref().map_or(0, |bound| bound.of));
    let intervals = pairs_of.len() * figures.len();
    let each = 1.0 - (1.0 - CONFIDENCE) / intervals.max(1) as f64;
    let pair = |(a, b): (usize, usize)| {
        let (of_a, of_b) = (&contenders[a], &contenders[b]);
        Pair {
            a,
            b,
            same_requests: RequestSource::same(&of_a.scenario.model, &of_b.scenario.model),
            differences: figures.iter().map(|figure| Difference::of(figure, of_a, of_b, each)).collect(),
        }
    };
    let pairs = pairs_of.into_iter().map(pair).collect();
    let complete = procedure.ended()
        && bound.is_some() == Bound::base(&contenders).is_some()
        && contenders
            .iter()
            .all(|contender| contender.replications.len() == contender.scenario.run.replications as usize);
    Ok(CompareResult { contenders, pairs, bound, intervals, each, procedure, complete })
}

/// The pairs of `count` contenders that are compared.
fn pairs_of(count: usize, reference: usize) -> Vec<(usize, usize)> {
    match count {
        0..=MAX_FOR_ALL_PAIRS => (0..count).flat_map(|a| (a + 1..count).map(move |b| (a, b))).collect(),
        _ => (0..count).filter(|other| *other != reference).map(|other| (reference, other)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Standing;
    use crate::scenario::ScenarioFile;

    fn scenario(instances: u32, more: &str) -> Scenario {
        let text = format!(
            "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = {{ dist = \"exponential\", mean = \"300ms\" }}\n\
             [autoscaler]\nkind = \"fixed\"\ninstances = {instances}\n[run]\nduration = \"20m\"\n{more}"
        );
        ScenarioFile::parse("test.toml", &text, ".").unwrap().scenario().unwrap()
    }

    fn compared(contenders: &[(&str, Scenario)], figures: &[&str]) -> CompareResult {
        let owned =
            contenders.iter().map(|(name, scenario)| ((*name).to_owned(), scenario.clone())).collect();
        compare(owned, figures, &Evaluator::default()).unwrap()
    }

    #[test]
    fn a_faster_pool_is_told_from_a_slower_one_and_the_same_from_itself() {
        let found = compared(
            &[("three", scenario(3, "")), ("again", scenario(3, "")), ("four", scenario(4, ""))],
            &["latency.mean", "cost"],
        );
        assert_eq!((found.pairs.len(), found.intervals), (3, 6));
        let verdicts = |pair: usize| -> Vec<(&str, Verdict)> {
            found.pairs[pair].differences.iter().map(|each| (each.figure.name, each.verdict)).collect()
        };
        assert_eq!(verdicts(0), [("latency.mean", Verdict::Same), ("cost", Verdict::Same)]);
        assert_eq!(verdicts(1), [("latency.mean", Verdict::Lower), ("cost", Verdict::Higher)]);
        let cost = &found.pairs[1].differences[1];
        // Four instances for three, at one price: a third more, and nothing random about it.
        assert!((cost.relative.mean.unwrap() - 1.0 / 3.0).abs() < 1e-12);
        assert!(found.pairs.iter().all(|pair| pair.same_requests));
        let narrowing = found.pairs[1].differences[0].narrowing().unwrap();
        assert!(narrowing < 1.0, "{narrowing}");
    }

    #[test]
    fn all_intervals_together_are_wider_than_one_alone_by_bonferroni() {
        let found =
            compared(&[("a", scenario(3, "")), ("b", scenario(4, ""))], &["latency.mean", "latency.p99"]);
        assert!((found.each - 0.975).abs() < 1e-12);
        let difference = &found.pairs[0].differences[0];
        // Twenty replications: t(19) at 0.9875 is 2.4334, at 0.975 2.0930; the skewness widens both alike or the wider more.
        let wider = difference.joint.widths().unwrap().1 / difference.alone.widths().unwrap().1;
        assert!((2.433440 / 2.093024 - 1e-5..1.4).contains(&wider), "{wider}");
    }

    #[test]
    fn many_are_compared_with_one_of_them_only() {
        let all: Vec<(usize, usize)> = pairs_of(MAX_FOR_ALL_PAIRS, 2);
        assert_eq!(all.len(), MAX_FOR_ALL_PAIRS * (MAX_FOR_ALL_PAIRS - 1) / 2);
        assert_eq!(pairs_of(7, 2), [(2, 0), (2, 1), (2, 3), (2, 4), (2, 5), (2, 6)]);
    }

    #[test]
    fn a_pool_for_the_peak_costs_more_than_the_bound_at_its_attainment() {
        let day = "[slo]\nlatency = \"2s\"\n[arrivals]\nkind = \"diurnal\"\npeak = 20\ntrough = 2\nperiod = \"20m\"";
        let alike = |autoscaler: &str| {
            let text = format!(
                "[service]\ntime = {{ dist = \"exponential\", mean = \"300ms\" }}\n[autoscaler]\n{autoscaler}\n\
                 [instances]\ncold_start = \"20s\"\n[run]\nduration = \"40m\"\n{day}"
            );
            ScenarioFile::parse("test.toml", &text, ".").unwrap().scenario().unwrap()
        };
        let found = compared(
            &[
                ("peak", alike("kind = \"fixed\"\ninstances = 7")),
                ("future", alike("kind = \"clairvoyant\"\nmin = 1\nmax = 12")),
                ("other", scenario(3, "replications = 20")),
            ],
            &["cost"],
        );
        let bound = found.bound.unwrap();
        assert_eq!(bound.of, 1);
        let costs: Vec<f64> = bound.points.iter().map(|figures| figures.get(COST).mean.unwrap()).collect();
        assert!(costs.len() > 3 && costs.is_sorted(), "{costs:?}");
        let extra = |standing: Standing| match standing {
            Standing::Judged { relative, .. } => relative,
            other => panic!("{other:?}"),
        };
        assert!(extra(bound.standings[0]).low.is_some_and(|low| low > 0.2), "{:?}", bound.standings);
        assert!(extra(bound.standings[1]).mean.is_some_and(|mean| (-1e-9..0.15).contains(&mean)));
        assert_eq!(bound.standings[2], Standing::NotComparable, "another service and no promise");
    }

    #[test]
    fn one_replication_decides_nothing() {
        let one = "replications = 1";
        let found = compared(&[("a", scenario(3, one)), ("b", scenario(4, one))], &["latency.mean"]);
        let difference = &found.pairs[0].differences[0];
        assert_eq!(difference.verdict, Verdict::Unknown);
        assert!(difference.joint.mean.is_some_and(|mean| mean < 0.0) && difference.joint.low.is_none());
    }

    #[test]
    fn runs_of_other_lengths_and_seeds_cannot_be_paired() {
        let plain = scenario(3, "");
        assert_eq!(pairing_conflict(&plain, &scenario(4, "")), None);
        let refused = |more: &str| pairing_conflict(&plain, &scenario(3, more)).map(|(key, ..)| key);
        assert_eq!(refused("seed = 2"), Some("run.seed"));
        assert_eq!(refused("replications = 6"), Some("run.replications"));
        assert_eq!(refused("warmup = \"1m\""), Some("run.warmup"));
    }

    #[test]
    fn only_what_is_measured_alike_is_compared() {
        let slo = |latency: &str| scenario(3, &format!("[slo]\nlatency = \"{latency}\""));
        let names = |scenarios: [&Scenario; 2]| comparable(scenarios.into_iter());
        let (one, two, none) = (slo("1s"), slo("2s"), scenario(3, ""));
        assert_eq!(names([&one, &one]), ["cost", "slo_latency_of_run", "latency.mean", "slo_attainment"]);
        assert_eq!(names([&one, &two]), ["cost", "latency.p99", "latency.mean"]);
        assert_eq!(names([&none, &none]), ["cost", "slo_latency_of_run", "latency.mean"]);
        let mut euro = none.clone();
        euro.model.cost.currency = "EUR".to_owned();
        assert_eq!(names([&none, &euro]), ["slo_latency_of_run", "latency.mean"]);
    }
}
