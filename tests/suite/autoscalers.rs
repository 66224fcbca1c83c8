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

/// A rolling update at 62 s of a pool of so many instances that start in 10 s.
fn rolled(
    initial: u32,
    interarrival: &str,
    rollout: &str,
    policy: &str,
) -> kneepoint::internals::sim::Outcome {
    let text = format!(
        "[arrivals]\nkind = \"renewal\"\ninterarrival = \"{interarrival}\"\n[service]\ntime = \"1s\"\n[instances]\n\
         initial = {initial}\ncold_start = \"10s\"\n[[instances.rollout]]\nat = \"62s\"\n{rollout}\n[autoscaler]\n\
         {policy}\n[cost]\nper_instance_hour = 3600\n[run]\nduration = \"10m\""
    );
    let (outcome, ()) = simulate(&scenario(&text, ".").model, Streams::new(1, 0), ());
    assert!(outcome.counts.conserved());
    outcome
}

#[test]
fn a_rolling_update_starts_what_the_surge_allows_and_drains_what_is_not_missed() {
    // Requests come an hour apart: every instance is idle. At a dollar a second the cost is instance-seconds.
    let rolled = |rollout: &str| rolled(4, "1h", rollout, "kind = \"fixed\"\ninstances = 4");
    // One more than asked for, four times one after the other, each for the 10 s of its start.
    let surge = rolled("max_surge = 1\nmax_unavailable = 0");
    assert_eq!((surge.started, surge.peak_ready, surge.cost), (8, 5, 4.0 * 600.0 + 4.0 * 10.0));
    // One is missing, four times one after the other: one that starts costs as much as the one that is gone did.
    let missing = rolled("max_surge = 0\nmax_unavailable = 1");
    assert_eq!((missing.started, missing.peak_ready, missing.cost), (8, 4, 4.0 * 600.0));
    assert_eq!(missing.integrals.ready, 4.0 * 600.0 - 4.0 * 10.0);
    // All at once, beside the four that there are.
    let all = rolled("max_surge = \"100%\"\nmax_unavailable = 0");
    assert_eq!((all.started, all.peak_ready, all.cost), (8, 5, 4.0 * 600.0 + 4.0 * 10.0));
    // A quarter up is one more, a quarter down one that may be missing: two start at once, twice.
    let default = rolled("");
    assert_eq!((default.started, default.cost), (8, 4.0 * 600.0 + 2.0 * 10.0));
    assert_eq!(default.integrals.ready, 4.0 * 600.0 - 2.0 * 10.0);
}

#[test]
fn an_hpa_writes_the_surge_of_a_rolling_update_back() {
    // Ten requests in service on twenty instances are right. At 75 s there are 21 and at 90 s 22, within the tolerance, whose number
    // is written back, and the surge is one more again; 23 ask for 20, but 22 have been wanted, and are within the tolerance after.
    let policy = "kind = \"hpa\"\nmax = 30\nsync_delay = \"0s\"\n\
                  metrics = [{ type = \"external\", signal = \"in_flight\", average_value = 0.5 }]";
    let outcome = rolled(20, "100ms", "max_surge = 1\nmax_unavailable = 0", policy);
    let changed = outcome.decisions.iter().filter(|decision| decision.before != decision.desired);
    let changes: Vec<_> = changed.map(|decision| (decision.at.as_secs_f64(), decision.desired)).collect();
    assert_eq!(changes, [(75.0, 21), (90.0, 22)]);
    let reason = &outcome.decisions[4].explanation.reason;
    assert!(reason.contains("status.replicas (21) is written back"), "{reason}");
}

#[test]
fn the_digest_says_what_an_instance_does_after_its_start() {
    let mut files = kneepoint::Memory::default();
    files.insert(
        "a.toml",
        "[arrivals]\nkind = \"poisson\"\nrate = 1\n[service]\ntime = \"1s\"\n[instances]\ncold_start = \"10s\"\n\
         [instances.warm_up]\ntime = \"45s\"\nutilization = 1.5\n[[instances.rollout]]\nat = \"62s\"\n\
         [autoscaler]\nkind = \"fixed\"\ninstances = 2\n[run]\nduration = \"5m\"",
    );
    let scenario = kneepoint::Scenario::load_from(files, "a.toml").unwrap();
    let reading = kneepoint::check(&scenario).unwrap().reading.join("\n");
    let said = "cold start: 10s on average; then busy with itself to 150 % for 45s; rolled out at 1m 2s";
    assert!(reading.contains(said), "{reading}");
}
