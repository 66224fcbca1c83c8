//! The bound is one: over scenarios drawn at random, no policy that keeps the promise as often costs less than the pool that
//! knows the future, beyond the interval of the difference. Constant pools are among the policies, and promises of tokens among
//! the promises.

use kneepoint::internals::experiment::{COST, Evaluator, SLO_ATTAINMENT, Standing, compare};
use kneepoint::internals::random::{Purpose, Streams};
use kneepoint::internals::scenario::{Scenario, ScenarioFile};
use rand::RngExt as _;

const CLAIRVOYANT: &str = "kind = \"clairvoyant\"\nmin = 1\nmax = 30";

fn scenario(model: &str, autoscaler: &str) -> Scenario {
    let text = format!("{model}\n[autoscaler]\n{autoscaler}\n");
    let file = ScenarioFile::parse("bound.toml", &text, ".")
        .unwrap_or_else(|error| panic!("{}", error.render(false)));
    file.scenario().unwrap_or_else(|error| panic!("{text}: {}", error.render(false)))
}

/// Checks every policy against the bound; returns those that are judged by it.
fn check(model: &str, policies: &[(&str, String)]) -> usize {
    let mut contenders = vec![("bound".to_owned(), scenario(model, CLAIRVOYANT))];
    contenders.extend(policies.iter().map(|(name, text)| ((*name).to_owned(), scenario(model, text))));
    let result = compare(contenders, &[COST, SLO_ATTAINMENT], &Evaluator::default()).unwrap();
    let bound = result.bound.as_ref().unwrap();
    let mut judged = 0;
    for (contender, standing) in result.contenders.iter().zip(&bound.standings).skip(1) {
        // Only of those that keep the promise it is claimed: a pool that answers fewer may be smaller than any that knows
        // the rates.
        let promised = contender.scenario.model.slo.unwrap().quantile();
        if contender.figures.get(SLO_ATTAINMENT).mean.is_none_or(|kept| kept < promised) {
            continue;
        }
        let cost = contender.figures.get(COST);
        match standing {
            Standing::Judged { extra_cost, .. } => {
                judged += 1;
                let high = extra_cost.high.or(extra_cost.mean).unwrap();
                assert!(high >= -1e-9, "{}: {extra_cost:?} less than the bound in\n{model}", contender.name);
            }
            Standing::BetterThanBound => {
                let dearest = bound.points.last().unwrap().get(COST);
                assert!(cost.high >= dearest.low, "{}: {cost:?} of {dearest:?} in\n{model}", contender.name);
            }
            Standing::WorseThanBound | Standing::NotComparable => {}
        }
    }
    judged
}

#[test]
fn no_policy_that_keeps_a_latency_costs_less_than_the_bound() {
    let mut rng = Streams::new(14, 0).stream(Purpose::Design);
    let mut judged = 0;
    for _ in 0..3 {
        let (low, high) = (rng.random_range(1.0..6.0), rng.random_range(6.0..16.0));
        let (service, start) = (rng.random_range(0.2..0.9), rng.random_range(0..150));
        let (promised, percentile) = (rng.random_range(2.0..6.0), [90, 95, 99][rng.random_range(0..3)]);
        let model = format!(
            "[arrivals]\nkind = \"diurnal\"\ntrough = {low:.2}\npeak = {high:.2}\nperiod = \"30m\"\npeak_at = \"15m\"\n\
             [service]\ntime = {{ dist = \"exponential\", mean = \"{service:.3}s\" }}\n[instances]\ncold_start = \"{start}s\"\n\
             [slo]\nlatency = \"{promised:.2}s\"\npercentile = {percentile}\n[run]\nduration = \"30m\"\nreplications = 5"
        );
        let needed = f64::ceil(high * service) as u32;
        let mut policies: Vec<(&str, String)> = Vec::new();
        for more in 0..4 {
            policies.push(("fixed", format!("kind = \"fixed\"\ninstances = {}", needed + more)));
        }
        for target in [0.5, 0.7] {
            policies.push((
                "target",
                format!("kind = \"target\"\nmetric = \"utilization\"\ntarget = {target}\nmin = 2\nmax = 30"),
            ));
        }
        policies.push((
            "threshold",
            "kind = \"threshold\"\nmetric = \"utilization\"\nmin = 2\nmax = 30\n\
            up = { above = 0.7, step = 2 }\ndown = { below = 0.3, cooldown = \"2m\" }"
                .to_owned(),
        ));
        judged += check(&model, &policies);
    }
    assert!(judged >= 4, "the bound judges {judged} policies only");
}

#[test]
fn no_constant_pool_that_keeps_a_time_to_the_first_token_costs_less_than_the_bound() {
    let mut judged = 0;
    for (slo, rate) in
        [("ttft = \"500ms\"", 12), ("ttft = \"1s\"\ntpot = \"30ms\"", 20), ("tpot = \"25ms\"", 16)]
    {
        let model = format!(
            "[arrivals]\nkind = \"poisson\"\nrate = {rate}\n[service]\nmodel = \"llm\"\npreset = \"llama-3.1-8b-h100\"\n\
             prompt_tokens = 1500\noutput_tokens = {{ dist = \"uniform\", min = 20, max = 400 }}\n[instances]\ncold_start = \"60s\"\n\
             [slo]\n{slo}\npercentile = 95\n[run]\nduration = \"6m\"\nwarmup = \"1m\"\nreplications = 5"
        );
        let fixed = |size: &u32| ("fixed", format!("kind = \"fixed\"\ninstances = {size}"));
        let policies: Vec<(&str, String)> = [1, 2, 4].iter().map(fixed).collect();
        judged += check(&model, &policies);
    }
    assert!(judged >= 3, "the bound judges {judged} pools only");
}
