//! When each system's signals let it act, in a simulation: a load that steps up after half an hour and down after another.

use kneepoint::internals::random::Streams;

use crate::fixtures::scenario::scenario;
use crate::fixtures::simulation::simulate;

/// Two requests a second need one instance of four slots; twenty keep ten slots busy. Nothing is random.
const SYSTEM: &str = r#"
[arrivals]
kind = "steps"
loads = [2, 20, 2]
step = "30m"
[service]
time = "500ms"
concurrency = 4
[instances]
initial = 1
cold_start = "60s"
[run]
duration = "90m"
"#;

/// Second and new number of the changes the policy made.
fn changes(policy: &str) -> Vec<(f64, u32)> {
    let (outcome, ()) = simulate(&scenario(&format!("{SYSTEM}{policy}"), ".").model, Streams::new(1, 0), ());
    let changed = outcome.decisions.iter().filter(|decision| decision.before != decision.desired);
    changed.map(|decision| (decision.at.as_secs_f64(), decision.desired)).collect()
}

#[test]
fn ray_serve_acts_a_delay_after_its_averages_are_reported() {
    let changes = changes("[autoscaler]\nkind = \"ray_serve\"\nmax = 10");
    // The step is reported ten seconds after it, and must last for 30 s; then the queue asks for all there are.
    assert_eq!(changes[0], (1840.0, 10));
    // Twenty a second are ten requests in service: five replicas, a delay of 600 s after the queue is gone.
    assert_eq!(changes[1].1, 5);
    // Likewise after the step down, and what is wanted last counts.
    assert_eq!(changes[2..], [(4210.0, 1)]);
}

#[test]
fn sagemaker_acts_after_three_minutes_up_and_fifteen_down_and_one_for_the_datapoint() {
    let policy = "[autoscaler]\nkind = \"aws\"\nmax = 10\n[[autoscaler.policies]]\ntype = \"target_tracking\"\n\
                  metric = \"invocations_per_instance\"\ntarget = 300";
    // 1200 a minute are four instances at the target, neither above it nor below nine tenths.
    assert_eq!(changes(policy), [(1800.0 + 180.0 + 60.0, 4), (3600.0 + 900.0 + 60.0, 1)]);
}

#[test]
fn high_resolution_metrics_let_it_act_within_a_minute() {
    let policy = "[metrics]\ndelay = \"10s\"\n[autoscaler]\nkind = \"aws\"\nmax = 10\n[[autoscaler.policies]]\n\
                  type = \"target_tracking\"\nmetric = \"concurrent_requests_per_instance\"\nperiod = \"10s\"\ntarget = 4";
    assert_eq!(changes(policy)[0].0, 1840.0);
}

#[test]
fn azure_acts_once_the_duration_is_over_and_its_metric_published() {
    let policy = "[autoscaler]\nkind = \"azure_monitor\"\nmax = 10\n[[autoscaler.rules]]\nmetric = \"utilization\"\n\
                  operator = \"greater_than\"\nthreshold = 70\nduration = \"2m\"\ndirection = \"out\"\nvalue = 2";
    // 25 % and 100 % are below 70 % on average, twice 100 % is above; five minutes of cool-down follow.
    assert_eq!(changes(policy)[..2], [(1800.0 + 120.0 + 60.0, 3), (1800.0 + 180.0 + 300.0, 5)]);
}

#[test]
fn hugging_face_adds_one_a_minute() {
    let policy = "[autoscaler]\nkind = \"hugging_face\"\nmax = 4\nstrategy = \"pending_requests\"";
    assert_eq!(changes(policy)[..3], [(1860.0, 2), (1920.0, 3), (1980.0, 4)]);
}

/// A queue that is empty for half an hour, then not: an HPA that may go to zero, on an external metric.
fn changes_at_zero(more: &str) -> Vec<(f64, u32)> {
    let idle = "loads = [2, 0, 2]";
    let policy = format!(
        "[autoscaler]\nkind = \"hpa\"\nmin = 0\nmax = 4\ndownscale_stabilization = \"60s\"\n{more}\n\
         metrics = [{{ type = \"external\", signal = \"in_flight\", average_value = 4 }}]"
    );
    let text = format!("{SYSTEM}{policy}").replace("loads = [2, 20, 2]", idle);
    let (outcome, ()) = simulate(&scenario(&text, ".").model, Streams::new(1, 0), ());
    let changed = outcome.decisions.iter().filter(|decision| decision.before != decision.desired);
    changed.map(|decision| (decision.at.as_secs_f64(), decision.desired)).collect()
}

#[test]
fn an_hpa_that_scaled_to_zero_itself_comes_back_by_an_external_metric() {
    // The recommendation of the last sync with a request counts for a minute, its end included; what piled up at zero asks for
    // all there may be.
    let changes = changes_at_zero("");
    assert_eq!(changes.iter().map(|change| change.1).collect::<Vec<_>>(), [0, 4, 1], "{changes:?}");
    assert!(
        (1860.0..=1890.0).contains(&changes[0].0) && (3600.0..=3630.0).contains(&changes[1].0),
        "{changes:?}"
    );
}

#[test]
fn with_the_feature_gate_off_the_replicas_stay_at_zero() {
    let changes = changes_at_zero("scale_to_zero = false");
    assert_eq!(changes.iter().map(|change| change.1).collect::<Vec<_>>(), [0], "{changes:?}");
}

#[test]
fn an_hpa_and_keda_follow_a_quantile_of_the_latency() {
    let hpa = |value: &str| {
        changes(&format!(
            "[autoscaler]\nkind = \"hpa\"\nmax = 10\n[[autoscaler.metrics]]\ntype = \"external\"\nsignal = \"latency\"\nquantile = 0.9\n\
             value = \"{value}\""
        ))
    };
    // Alone a request takes half a second; behind a queue that grows by twelve a second, a minute after half of one.
    assert_eq!(hpa("10k"), []);
    let (at, desired) = hpa("1")[0];
    assert!((1800.0..1860.0).contains(&at) && desired > 1, "{at} {desired}");
    let keda = changes(
        "[autoscaler]\nkind = \"keda\"\nmin = 1\nmax = 10\n[[autoscaler.triggers]]\nsignal = \"latency\"\nquantile = 0.9\n\
         metric_type = \"value\"\nthreshold = 1",
    );
    assert!((1800.0..1860.0).contains(&keda[0].0), "{keda:?}");
}

/// Instants and new numbers in a pool whose instances keep themselves busy for a minute after they are ready.
fn changes_of_a_start(warm_up: &str) -> Vec<(f64, u32)> {
    let text = format!(
        "[arrivals]\nkind = \"renewal\"\ninterarrival = \"1s\"\n[service]\ntime = \"600ms\"\n[instances]\n\
         cold_start = \"20s\"\n{warm_up}[autoscaler]\nkind = \"hpa\"\nmax = 20\nsync_delay = \"0s\"\n\
         downscale_stabilization = \"90s\"\nmetrics = [{{ average_utilization = 50 }}]\n[run]\nduration = \"10m\""
    );
    let (outcome, ()) = simulate(&scenario(&text, ".").model, Streams::new(1, 0), ());
    assert!(outcome.counts.conserved());
    let changed = outcome.decisions.iter().filter(|decision| decision.before != decision.desired);
    changed.map(|decision| (decision.at.as_secs_f64(), decision.desired)).collect()
}

#[test]
fn growth_feeds_on_the_cpu_of_the_start() {
    // 0.6 requests in service against half an instance: two are enough, at the first sync.
    assert_eq!(changes_of_a_start(""), [(15.0, 2)]);
    // The second is ready at 35 s and counts from 60 s on, when a whole sample lies after that: 1.6 busy instances ask for four,
    // whose two new ones count at 105 s, with a third of a sample of the second: 2.93 ask for six. At 150 s two thirds of the
    // third and fourth and all of the last two are 3.27, within the tolerance of six; from 165 s on six are enough, at 195 s
    // three, at 210 s 0.6 busy ones want two again, once the six of 180 s are 90 s old.
    let warm_up = "[instances.warm_up]\ntime = \"60s\"\nutilization = 1\n";
    assert_eq!(changes_of_a_start(warm_up), [(15.0, 2), (60.0, 4), (105.0, 6), (285.0, 3), (300.0, 2)]);
}
