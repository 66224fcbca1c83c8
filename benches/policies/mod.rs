//! What each policy costs a run, against `threshold` at the same evaluation interval and the same scrapes.
//!
//! Every pool has the same fixed size, so that all runs serve the same requests in the same way and differ in nothing but
//! what is observed and decided.

use kneepoint::internals::autoscaler::{Autoscaler, MetricsDefaults};
use kneepoint::internals::schema::{Context, Tree};
use kneepoint::internals::sim::{Metrics, Model, Slo};
use kneepoint::internals::time::Span;

/// How often a calendar is looked at that has an entry every minute.
const EACH_MINUTE: Span = Span::from_secs(60);

/// Every policy that is evaluated by the clock, at its system's own interval.
pub const POLICIES: &[(&str, &str)] = &[
    ("target", "kind = \"target\"\nmetric = \"in_flight\"\ntarget = 1\nmin = 16\nmax = 16"),
    ("hpa", "kind = \"hpa\"\nmin = 16\nmax = 16\nmetrics = [{ average_utilization = 80 }]"),
    (
        "keda",
        "kind = \"keda\"\nmin = 16\nmax = 16\ntriggers = [{ name = \"queue\", signal = \"in_flight\", threshold = 1 }]",
    ),
    ("knative", "kind = \"knative\"\ncontainer_concurrency = 1\nmin_scale = 16\nmax_scale = 16"),
    ("cloud_run", "kind = \"cloud_run\"\nmax_concurrency = 1\nmin_instances = 16\nmax_instances = 16"),
    ("vertex", "kind = \"vertex\"\nmin_replica_count = 16\nmax_replica_count = 16"),
    ("ray_serve", "kind = \"ray_serve\"\ntarget_ongoing_requests = 1\nmin = 16\nmax = 16"),
    (
        "aws target tracking",
        "kind = \"aws\"\nmin = 16\nmax = 16\npolicies = [{ type = \"target_tracking\", metric = \"utilization\", target = 80 }]",
    ),
    (
        "azure_monitor",
        "kind = \"azure_monitor\"\nmin = 16\nmax = 16\nrules = [{ metric = \"utilization\", operator = \"greater_than\", threshold = 70, direction = \"out\" }]",
    ),
    ("hugging_face", "kind = \"hugging_face\"\nmin = 16\nmax = 16"),
    ("llm_d", "kind = \"llm_d\"\nrelease = \"0.8\"\nmin = 16\nmax = 16"),
    ("in_flight_target", "kind = \"in_flight_target\"\nmin = 16\nmax = 16"),
    (
        "scheduled",
        "kind = \"scheduled\"\nstarts_at = \"2026-03-02T00:00\"\nentries = [{ at = \"* * * * *\", instances = 16 }]",
    ),
    ("predictive", "kind = \"predictive\"\nmin = 16\nmax = 16"),
    ("clairvoyant", "kind = \"clairvoyant\"\nmin = 16\nmax = 16"),
];

/// `base` under the policy, and under `threshold` at its interval and with its scrapes.
pub fn pair(base: &Model, policy: &str) -> (Model, Model) {
    let context = Context::default();
    let read = |text: &str| {
        let tree = Tree::parse(text).expect("valid TOML");
        Autoscaler::read(tree.root(), "autoscaler", &context).unwrap_or_else(|problem| panic!("{problem:?}"))
    };
    let autoscaler = read(policy);
    let interval = autoscaler.schedule().expect("it is evaluated by the clock").interval;
    let interval = if interval == Span::MAX { EACH_MINUTE } else { interval }.as_secs_f64();
    let threshold = read(&format!(
        "kind = \"threshold\"\nmetric = \"utilization\"\ninterval = \"{interval}s\"\nmin = 16\nmax = 16\n\
         up = {{ above = 0.95 }}\ndown = {{ below = 0.1 }}"
    ));
    let defaults = autoscaler.metrics_defaults();
    let with = |autoscaler: Autoscaler, defaults: MetricsDefaults| {
        let absent = kneepoint::internals::schema::Reader::absent("metrics", &context);
        let metrics = Metrics::read(&absent, defaults).expect("metrics");
        let slo = Some(Slo::latency(Span::from_secs(8), 99.0));
        Model { autoscaler, metrics, slo, ..base.clone() }
    };
    let scrapes = MetricsDefaults { scrape_interval: defaults.scrape_interval, ..MetricsDefaults::DEFAULT };
    (with(autoscaler, defaults), with(threshold, scrapes))
}
