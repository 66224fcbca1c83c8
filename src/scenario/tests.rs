//! What a scenario file comes to.

use super::{Point, ScenarioFile, Setting};
use crate::time::Span;

const BASE: &str = r#"
[arrivals]
kind = "poisson"
rate = 20
[service]
time = "200ms"
[autoscaler]
kind = "threshold"
metric = "utilization"
max = 10
up = { above = 0.8 }
down = { below = 0.2 }
[run]
duration = "1h"
"#;

fn file(more: &str) -> ScenarioFile {
    ScenarioFile::parse("base.toml", &format!("{BASE}\n{more}"), ".").unwrap()
}

fn points(more: &str) -> Vec<Point> {
    file(more).points().unwrap_or_else(|error| panic!("{error}"))
}

/// The settings of each point, as a user would read them.
fn shown(points: &[Point]) -> Vec<String> {
    let one = |point: &Point| {
        point.settings.iter().map(|(_, setting)| setting.to_string()).collect::<Vec<_>>().join(" ")
    };
    points.iter().map(one).collect()
}

#[test]
fn what_is_left_out_has_its_default() {
    let scenario = file("").scenario().unwrap();
    assert_eq!(scenario.name, "base");
    assert_eq!(scenario.description, "");
    assert_eq!((scenario.run.replications, scenario.run.seed), (20, 1));
    assert_eq!(scenario.run.timeline_interval, Span::from_secs(10));
    assert_eq!(scenario.model.metrics.scrape_interval, Span::from_secs(15));
    assert_eq!(scenario.model.dispatch.queue_capacity, None);
    assert_eq!(scenario.model.slo, None);
}

#[test]
fn a_pool_starts_at_one_or_at_its_minimum() {
    let initial = |set: &str| {
        let mut file = file("");
        file.override_path("autoscaler.min", set).unwrap();
        file.scenario().unwrap().model.initial_instances()
    };
    assert_eq!([initial("0"), initial("1"), initial("4")], [1, 1, 4]);
}

#[test]
fn arrivals_that_end_give_the_run_its_length() {
    let text =
        BASE.replace("kind = \"poisson\"\nrate = 20", "kind = \"steps\"\nloads = [1, 2]\nstep = \"3m\"");
    let text = text.replace("duration = \"1h\"", "");
    let scenario = ScenarioFile::parse("a.toml", &text, ".").unwrap().scenario().unwrap();
    assert_eq!(scenario.run.duration, Span::from_secs(360));
}

#[test]
fn a_grid_has_every_combination_in_the_order_of_the_file() {
    let points =
        points("[sweep.parameters]\n\"instances.initial\" = [3, 2]\n\"autoscaler.up.above\" = [0.5, 0.6]");
    assert_eq!(shown(&points), ["3 0.5", "3 0.6", "2 0.5", "2 0.6"]);
    assert_eq!(points[1].settings[0].0, "instances.initial");
    assert_eq!(points[1].scenario.model.instances.initial, 3);
    let mut file = ScenarioFile::parse("a.toml", BASE, ".").unwrap();
    file.override_path("autoscaler.up.above", "0.6").unwrap();
    assert_eq!(points[1].scenario.model.autoscaler, file.scenario().unwrap().model.autoscaler);
    assert_ne!(points[0].scenario.model.autoscaler, points[1].scenario.model.autoscaler);
}

#[test]
fn ranges_hold_both_ends_and_read_well() {
    let linear = points("[sweep.parameters]\n\"autoscaler.up.above\" = { from = 0.3, to = 0.9, steps = 7 }");
    assert_eq!(shown(&linear), ["0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"]);
    let log = points(
        "[sweep.parameters]\n\"autoscaler.max\" = { from = 1, to = 1000, steps = 4, scale = \"log\" }",
    );
    assert_eq!(shown(&log), ["1", "10", "100", "1000"]);
    let spans =
        points("[sweep.parameters]\n\"autoscaler.interval\" = { from = \"2m\", to = \"10s\", steps = 3 }");
    assert_eq!(shown(&spans), ["2m", "1m 5s", "10s"]);
    assert_eq!(spans[1].settings[0].1, Setting::Duration(Span::from_secs(65)));
    assert_eq!(spans[1].settings[0].1.value(), Some(65.0));
}

#[test]
fn every_setting_meets_every_condition_and_a_factor_on_the_traffic_is_one() {
    let points = points(
        "[sweep.parameters]\n\"autoscaler.up.above\" = [0.5, 0.6]\n[sweep.conditions]\n\"traffic\" = [1, 2]\n\
         \"instances.cold_start\" = [\"10s\", \"1m\"]",
    );
    let shown: Vec<String> = points
        .iter()
        .map(|point| {
            let all = point.settings.iter().chain(&point.condition);
            all.map(|(_, value)| value.to_string()).collect::<Vec<_>>().join(" ")
        })
        .collect();
    assert_eq!(shown[..4], ["0.5 1 10s", "0.5 1 1m", "0.5 2 10s", "0.5 2 1m"]);
    assert_eq!(shown.len(), 8);
    let rate = |index: usize| {
        let model = &points[index].scenario.model;
        model.arrivals.mean_rate(model.duration)
    };
    assert!((rate(2) / rate(0) - 2.0).abs() < 1e-9);
    assert_eq!(points[1].scenario.model.instances.cold_start[0].time.0.mean(), 60.0);
}

#[test]
fn a_variant_with_other_traffic_is_nothing_to_choose_and_other_hardware_is() {
    let points = points(
        "[[variant]]\nname = \"twice\"\nset = { \"arrivals.rate\" = 2 }\n\
         [[variant]]\nname = \"fast\"\nset = { \"instances.cold_start\" = \"1s\" }",
    );
    assert_eq!(points.iter().map(|point| point.what_if).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn whole_numbers_take_the_nearest_each_once() {
    let points = points("[sweep.parameters]\n\"autoscaler.max\" = { from = 1, to = 4, steps = 9 }");
    assert_eq!(shown(&points), ["1", "2", "3", "4"]);
}

#[test]
fn names_and_truth_can_be_swept_as_lists() {
    let points = points("[sweep.parameters]\n\"instances.scale_down\" = [\"newest\", \"least_busy\"]");
    assert_eq!(shown(&points), ["newest", "least_busy"]);
    assert_eq!(points[0].settings[0].1.value(), None);
}

#[test]
fn a_step_can_be_a_number_or_a_percentage() {
    let points = points("[sweep.parameters]\n\"autoscaler.up.step\" = [1, \"50%\"]");
    assert_eq!(shown(&points), ["1", "50%"]);
}

#[test]
fn a_sample_takes_every_level_of_each_parameter_once_and_is_always_the_same() {
    let text = "[sweep]\ndesign = \"sample\"\npoints = 9\n[sweep.parameters]\n\
                \"autoscaler.up.above\" = { from = 0.5, to = 0.9 }\n\"autoscaler.max\" = [5, 6, 7]";
    let sample = points(text);
    assert_eq!(sample, points(text));
    let mut levels: Vec<f64> = sample.iter().filter_map(|point| point.settings[0].1.value()).collect();
    levels.sort_by(f64::total_cmp);
    assert_eq!(levels, [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9]);
    for max in [5.0, 6.0, 7.0] {
        let with = sample.iter().filter(|point| point.settings[1].1.value() == Some(max)).count();
        assert_eq!(with, 3);
    }
}

#[test]
fn variants_change_values_and_whole_tables_and_are_swept_over_what_they_have() {
    let text = "[sweep.parameters]\n\"autoscaler.up.above\" = [0.5, 0.6]\n\"service.concurrency\" = [1, 2]\n\
                [[variant]]\nname = \"slow\"\nset = { \"service.time\" = \"1s\", \"autoscaler.down.below\" = 0.1 }\n\
                [[variant]]\nname = \"fixed\"\n[variant.autoscaler]\nkind = \"fixed\"\ninstances = 3";
    let variants = file(text).variants().unwrap();
    let names: Vec<&str> = variants.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["slow", "fixed"]);
    assert_eq!(variants[0].1.model.service.time.0.mean(), 1.0);
    assert_eq!(variants[1].1.model.autoscaler.limits().max, 3);
    let points = points(text);
    let of = |name: Option<&str>| points.iter().filter(|point| point.variant.as_deref() == name).count();
    assert_eq!([of(None), of(Some("slow")), of(Some("fixed"))], [4, 4, 2]);
}

#[test]
fn without_a_sweep_the_scenario_and_its_variants_are_a_point_each() {
    let points = points("[[variant]]\nname = \"b\"\nset = { \"autoscaler.max\" = 9 }");
    assert_eq!(points.len(), 2);
    assert!(points.iter().all(|point| point.settings.is_empty()));
}

#[test]
fn the_memory_of_a_run_is_estimated_from_the_longest_queue() {
    let mut file = file("");
    file.override_path("arrivals.rate", "1050").unwrap();
    // Ten instances serve 50 per second, so 1,000 per second are left over for an hour: 3.6 million, of 32 bytes each.
    let scenario = file.scenario().unwrap();
    assert!(scenario.check_fits(116_000_000, 1).is_ok());
    assert!(scenario.check_fits(115_000_000, 1).unwrap_err().contains("3.6e6 requests"));
    assert!(scenario.check_fits(116_000_000, 2).is_err());
    file.override_path("dispatch.queue_capacity", "1000").unwrap();
    assert!(file.scenario().unwrap().check_fits(1_000_000, 2).is_ok());
}

#[test]
fn a_window_that_the_autoscaler_does_not_look_through_is_said_to_have_no_effect() {
    let warnings = |autoscaler: &str| {
        let metrics = "[metrics]\nwindow = \"30s\"";
        let base = BASE.split("[autoscaler]").next().unwrap_or_default();
        let text = format!("{base}{metrics}\n[autoscaler]\n{autoscaler}\n[run]\nduration = \"1h\"");
        ScenarioFile::parse("base.toml", &text, ".").unwrap().scenario().unwrap().warnings
    };
    let said = "`metrics.window` has no effect: the autoscaler averages over windows of its own";
    assert_eq!(warnings("kind = \"knative\""), [said]);
    assert!(warnings("kind = \"hpa\"\nmax = 4\nmetrics = [{ average_utilization = 50 }]").is_empty());
    assert!(warnings("kind = \"target\"\nmetric = \"in_flight\"\ntarget = 1\nmax = 4").is_empty());
}

#[test]
fn what_a_trace_tells_and_nobody_takes_is_said_to_have_no_effect() {
    let folder = std::env::temp_dir().join(format!("kneepoint-unused-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("trace.csv"), "at,took\n0,1\n9,2\n").unwrap();
    let warnings = |service: &str| {
        let text = format!(
            "[arrivals]\nkind = \"trace\"\nfile = \"trace.csv\"\nservice_time = \"took\"\nservice_unit = \"ms\"\n\
             [service]\n{service}\n[autoscaler]\nkind = \"fixed\"\ninstances = 1"
        );
        ScenarioFile::parse("base.toml", &text, &folder).unwrap().scenario().unwrap().warnings
    };
    let said = ["service_time", "service_unit"]
        .map(|key| format!("`arrivals.{key}` has no effect: requests take what `[service]` says"));
    assert_eq!(warnings("time = \"1s\""), said);
    assert!(warnings("concurrency = 2").is_empty());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_warm_pool_that_is_no_greater_for_what_is_prepared_is_told() {
    let warnings = |sizes: &str| {
        let text = format!("{BASE}\n[instances.warm_pool]\n{sizes}");
        ScenarioFile::parse("base.toml", &text, ".").unwrap().scenario().unwrap().warnings
    };
    assert!(warnings("min_size = 3\nmax_prepared = 3")[0].contains("max_prepared` has no effect"));
    assert!(warnings("min_size = 3\nmax_prepared = 4").is_empty());
    assert!(warnings("min_size = 0\nmax_prepared = 0").is_empty());
}

#[test]
fn a_threshold_or_target_above_the_range_of_its_signal_is_refused() {
    let read = |autoscaler: &str| {
        let text = format!(
            "[arrivals]\nkind = \"poisson\"\nrate = 1\n[service]\ntime = \"1s\"\nconcurrency = 4\n\
             [run]\nduration = \"10m\"\n[autoscaler]\n{autoscaler}"
        );
        ScenarioFile::parse("base.toml", &text, ".").unwrap().scenario()
    };
    let threshold = |metric: &str, above: f64| {
        read(&format!(
            "kind = \"threshold\"\nmetric = \"{metric}\"\nmax = 4\nup = {{ above = {above} }}\ndown = {{ below = 0.4 }}"
        ))
    };
    let target = |keys: &str| read(&format!("kind = \"target\"\nmax = 4\n{keys}"));
    let hpa =
        |keys: &str| read(&format!("kind = \"hpa\"\nmax = 4\nmetrics = [{{ type = \"pods\", {keys} }}]"));
    let keda = |keys: &str| read(&format!("kind = \"keda\"\nmax = 4\ntriggers = [{{ {keys} }}]"));
    for (read, key, write) in [
        (threshold("utilization", 70.0), "autoscaler.up.above` is 70,", "write 0.7 for"),
        (target("metric = \"utilization\"\ntarget = 60"), "autoscaler.target` is 60,", "write 0.6 for"),
        (
            hpa("signal = \"utilization\", average_value = 20"),
            "metrics.0.average_value` is 20,",
            "write 0.2 for",
        ),
        (keda("signal = \"utilization\", threshold = 70"), "triggers.0.threshold` is 70,", "write 0.7 for"),
        (
            keda("signal = \"utilization\", metric_type = \"value\", threshold = 70"),
            "threshold` is 70,",
            "write 0.7",
        ),
    ] {
        let error = read.unwrap_err().to_string();
        assert!(error.contains(key) && error.contains(write), "{error}");
    }
    for read in [
        threshold("utilization", 1.0),
        threshold("in_flight", 70.0),
        target("metric = \"utilization\"\ntarget = 0.6"),
        hpa("signal = \"concurrency\", average_value = 4"),
        keda("threshold = 70"),
    ] {
        assert!(read.unwrap().warnings.is_empty());
    }
    for (read, why) in [
        (hpa("signal = \"concurrency\", average_value = 5"), "at most 4 requests at a time"),
        (hpa("signal = \"kv_cache\", average_value = 0.5"), "no KV cache"),
    ] {
        let error = read.unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}
