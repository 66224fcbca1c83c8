//! Each lint: a case in which it warns, and which flaps or fails in simulation; and the same, fixed, without either.

use kneepoint::internals::experiment::{Case, Evaluator};
use kneepoint::internals::lint::lint;
use kneepoint::internals::scenario::{LINT_NAMES, ScenarioFile};

use crate::fixtures::cli::Work;

/// A trap: the scenario, what is set to fix it, and the figure that shows it with the most it may be when fixed and the least
/// it is in the trap.
struct Trap {
    lint: &'static str,
    text: &'static str,
    fix: &'static [(&'static str, &'static str)],
    figure: &'static str,
    fixed: std::ops::RangeInclusive<f64>,
    trapped: std::ops::RangeInclusive<f64>,
}

const TRAPS: &[Trap] = &[
    Trap {
        lint: "pool-total-as-value",
        text: "[arrivals]\nkind = \"poisson\"\nrate = 10\n[service]\ntime = \"1s\"\nconcurrency = 8\n[instances]\n\
               initial = 2\ncold_start = \"30s\"\n[autoscaler]\nkind = \"hpa\"\nmin = 2\nmax = 64\n\
               metrics = [{ type = \"object\", name = \"in_flight\", value = 8 }]\n[run]\nduration = \"1h\"",
        fix: &[("autoscaler.metrics", "[{ type = \"object\", name = \"in_flight\", average_value = 5 }]")],
        figure: "mean_ready",
        fixed: 0.0..=5.0,
        trapped: 30.0..=64.0,
    },
    Trap {
        lint: "percentile-as-average-value",
        text: "[arrivals]\nkind = \"poisson\"\nrate = 20\n[service]\ntime = { dist = \"exponential\", mean = \"500ms\" }\n\
               [instances]\ninitial = 8\ncold_start = \"30s\"\n[autoscaler]\nkind = \"hpa\"\nmin = 2\nmax = 40\n\
               metrics = [{ type = \"external\", name = \"latency\", average_value = 2 }]\n[slo]\nlatency = \"4s\"\n\
               percentile = 95\n[run]\nduration = \"1h\"",
        fix: &[("autoscaler.metrics", "[{ type = \"external\", name = \"latency\", value = 2 }]")],
        figure: "slo_attainment",
        fixed: 0.97..=1.0,
        trapped: 0.0..=0.9,
    },
    Trap {
        lint: "thresholds-too-close",
        text: "[arrivals]\nkind = \"poisson\"\nrate = 6\n[service]\ntime = \"1s\"\nconcurrency = 10\n[autoscaler]\n\
               kind = \"threshold\"\nmetric = \"utilization\"\nmax = 8\nup = { above = 0.55 }\ndown = { below = 0.4 }\n\
               [run]\nduration = \"2h\"",
        fix: &[("autoscaler.down.below", "0.2")],
        figure: "flaps",
        fixed: 0.0..=2.0,
        trapped: 10.0..=1e6,
    },
    Trap {
        lint: "cooldown-shorter-than-start",
        text: "[arrivals]\nkind = \"piecewise\"\nshape = \"constant\"\n\
               points = [{ at = \"0s\", rate = 4 }, { at = \"5m\", rate = 16 }]\n[service]\n\
               time = { dist = \"exponential\", mean = \"1s\" }\nconcurrency = 8\n[instances]\ninitial = 2\n\
               cold_start = \"3m\"\n[autoscaler]\nkind = \"threshold\"\nmetric = \"in_flight\"\nper = \"instance\"\n\
               min = 2\nmax = 64\nup = { above = 4, step = \"100%\" }\n\
               down = { below = 1, breaches = 4, cooldown = \"5m\" }\n[run]\nduration = \"1h\"",
        fix: &[("autoscaler.up.cooldown", "4m")],
        figure: "peak_ready",
        fixed: 2.0..=16.0,
        trapped: 60.0..=64.0,
    },
    Trap {
        lint: "tolerance-of-instances",
        text: "[arrivals]\nkind = \"poisson\"\nrate = 36\n[service]\ntime = { dist = \"exponential\", mean = \"1s\" }\n\
               [instances]\ninitial = 34\n[autoscaler]\nkind = \"hpa\"\nmin = 2\nmax = 60\n\
               metrics = [{ type = \"resource\", name = \"cpu\", average_utilization = 95 }]\ntolerance = 0.1\n\
               [slo]\nlatency = \"8s\"\npercentile = 95\n[run]\nduration = \"1h\"",
        fix: &[("autoscaler.tolerance", "0.01")],
        figure: "slo_attainment",
        fixed: 0.9..=1.0,
        trapped: 0.0..=0.5,
    },
    Trap {
        lint: "target-never-exceeded",
        text: "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"400ms\"\nconcurrency = 2\n\
               [autoscaler]\nkind = \"hpa\"\nmin = 1\nmax = 6\n\
               metrics = [{ type = \"resource\", name = \"cpu\", average_utilization = 92 }]\n\
               [slo]\nlatency = \"2s\"\npercentile = 95\n[run]\nduration = \"1h\"",
        fix: &[("autoscaler.metrics.0.average_utilization", "70")],
        figure: "slo_attainment",
        fixed: 0.9..=1.0,
        trapped: 0.0..=0.1,
    },
    Trap {
        lint: "cpu-of-the-start",
        text: "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"200ms\"\n[instances]\ninitial = 2\n\
               cold_start = \"10s\"\nfirst_request = \"90s\"\n[autoscaler]\nkind = \"threshold\"\n\
               metric = \"utilization\"\nmin = 2\nmax = 30\nup = { above = 0.7, cooldown = \"15s\" }\n\
               down = { below = 0.3, cooldown = \"1m\" }\n[run]\nduration = \"2h\"",
        fix: &[
            ("instances.first_request", "200ms"),
            ("instances.cold_start", "100s"),
            ("autoscaler.up.cooldown", "2m"),
        ],
        figure: "scale_ups",
        fixed: 0.0..=4.0,
        trapped: 10.0..=1e6,
    },
    Trap {
        lint: "zero-with-small-buffer",
        text: "[arrivals]\nkind = \"piecewise\"\nshape = \"constant\"\n\
               points = [{ at = \"0s\", rate = 0 }, { at = \"10m\", rate = 5 }, { at = \"12m\", rate = 0 }]\n\
               [service]\ntime = \"500ms\"\n[instances]\ninitial = 0\ncold_start = \"60s\"\n[dispatch]\n\
               queue_capacity = 100\n[autoscaler]\nkind = \"in_flight_target\"\nmin = 0\nmax = 10\n[run]\n\
               duration = \"30m\"",
        fix: &[("dispatch.queue_capacity", "10000")],
        figure: "rejected",
        fixed: 0.0..=0.0,
        trapped: 50.0..=1e6,
    },
    Trap {
        lint: "zero-without-way-back",
        text: "[arrivals]\nkind = \"piecewise\"\nshape = \"constant\"\n\
               points = [{ at = \"0s\", rate = 0 }, { at = \"20m\", rate = 1 }]\n\
               [service]\ntime = \"500ms\"\n[instances]\ninitial = 1\ncold_start = \"10s\"\n[autoscaler]\n\
               kind = \"hpa\"\nmin = 0\nmax = 10\nmetrics = [{ average_utilization = 50 }]\n[slo]\n\
               latency = \"10s\"\n[run]\nduration = \"1h\"",
        fix: &[("autoscaler.min", "1")],
        figure: "slo_attainment",
        fixed: 0.95..=1.0,
        trapped: 0.0..=0.1,
    },
    Trap {
        lint: "activation-above-threshold",
        text: "[arrivals]\nkind = \"poisson\"\nrate = 6\n[service]\ntime = \"1s\"\n[instances]\ninitial = 8\n\
               cold_start = \"20s\"\n[autoscaler]\nkind = \"keda\"\nmin = 0\nmax = 20\ncooldown_period = \"1m\"\n\
               triggers = [{ type = \"external\", name = \"request_rate\", threshold = 1, activation_threshold = 20 }]\n\
               [slo]\nlatency = \"10s\"\n[run]\nduration = \"1h\"",
        fix: &[(
            "autoscaler.triggers",
            "[{ type = \"external\", name = \"request_rate\", threshold = 0.7, activation_threshold = 0.5 }]",
        )],
        figure: "slo_attainment",
        fixed: 0.95..=1.0,
        trapped: 0.0..=0.7,
    },
    Trap {
        lint: "deadline-shorter-than-start",
        text: "[arrivals]\nkind = \"piecewise\"\nshape = \"constant\"\n\
               points = [{ at = \"0s\", rate = 0 }, { at = \"10m\", rate = 2 }, { at = \"11m\", rate = 0 }]\n\
               [service]\ntime = \"200ms\"\n[instances]\ninitial = 0\ncold_start = \"45s\"\n[client]\n\
               timeout = \"20s\"\n[autoscaler]\nkind = \"in_flight_target\"\nmin = 0\nmax = 10\n[run]\n\
               duration = \"30m\"",
        fix: &[("client.timeout", "2m")],
        figure: "timed_out",
        fixed: 0.0..=0.0,
        trapped: 20.0..=1e6,
    },
    Trap {
        lint: "maximum-below-peak",
        text: "[arrivals]\nkind = \"piecewise\"\nshape = \"constant\"\n\
               points = [{ at = \"0s\", rate = 2 }, { at = \"10m\", rate = 20 }, { at = \"20m\", rate = 2 }]\n\
               [service]\ntime = \"500ms\"\n[autoscaler]\nkind = \"target\"\nmetric = \"in_flight\"\ntarget = 0.6\n\
               max = 8\n[slo]\nlatency = \"5s\"\n[run]\nduration = \"40m\"",
        fix: &[("autoscaler.max", "30")],
        figure: "slo_attainment",
        fixed: 0.9..=1.0,
        trapped: 0.0..=0.5,
    },
    Trap {
        lint: "policies-that-fight",
        text: "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\nconcurrency = 4\n[autoscaler]\n\
               kind = \"aws\"\nmax = 10\nmin = 1\n[[autoscaler.policies]]\ntype = \"step_scaling\"\nmetric = \"concurrent_requests_per_instance\"\n\
               comparison = \"greater_than\"\nthreshold = 5\nsteps = [{ lower = 0, adjustment = 1 }]\ncooldown = \"1m\"\n\
               [[autoscaler.policies]]\ntype = \"step_scaling\"\nmetric = \"concurrent_requests_per_instance\"\n\
               comparison = \"less_than\"\nthreshold = 20\nsteps = [{ upper = 0, adjustment = -1 }]\ncooldown = \"1m\"\n\
               [run]\nduration = \"2h\"",
        fix: &[("autoscaler.policies.1.threshold", "2")],
        figure: "flaps",
        fixed: 0.0..=5.0,
        trapped: 20.0..=1e6,
    },
];

/// What an instance does for itself, rather than its first request.
const WARM_UP: Trap = Trap {
    lint: "cpu-of-the-start",
    text: "[arrivals]\nkind = \"poisson\"\nrate = 3\n[service]\ntime = \"200ms\"\n[instances]\ninitial = 1\n\
           cold_start = \"10s\"\n[instances.warm_up]\ntime = \"3m\"\n[autoscaler]\nkind = \"hpa\"\nmax = 30\n\
           metrics = [{ average_utilization = 50 }]\n[run]\nduration = \"1h\"",
    fix: &[("instances.warm_up.time", "0s"), ("instances.cold_start", "190s")],
    figure: "peak_ready",
    fixed: 2.0..=3.0,
    trapped: 8.0..=30.0,
};

/// The same lint of Knative, whose fix is another.
const KNATIVE: Trap = Trap {
    lint: "cooldown-shorter-than-start",
    text: "[arrivals]\nkind = \"piecewise\"\nshape = \"constant\"\n\
           points = [{ at = \"0s\", rate = 4 }, { at = \"5m\", rate = 40 }]\n[service]\n\
           time = { dist = \"exponential\", mean = \"1s\" }\nconcurrency = 4\n[instances]\ninitial = 2\n\
           cold_start = \"90s\"\n[autoscaler]\nkind = \"knative\"\ncontainer_concurrency = 4\nmin_scale = 1\n\
           max_scale = 600\n[cost]\nper_instance_hour = 1\n[run]\nduration = \"1h\"",
    fix: &[("autoscaler.max_scale", "20")],
    figure: "cost",
    fixed: 0.0..=21.0,
    trapped: 30.0..=1e6,
};

fn file(trap: &Trap) -> ScenarioFile {
    ScenarioFile::parse("trap.toml", trap.text, ".")
        .unwrap_or_else(|error| panic!("{}: {}", trap.lint, error.render(false)))
}

fn names(file: &ScenarioFile) -> Vec<&'static str> {
    lint(file, None).unwrap().into_iter().map(|finding| finding.lint).collect()
}

fn figure(file: &ScenarioFile, trap: &Trap) -> f64 {
    let scenario = file.scenario().unwrap_or_else(|error| panic!("{}: {}", trap.lint, error.render(false)));
    let found = Evaluator::default().replications(&[Case::some(&scenario, 0..3)], &()).unwrap();
    found[0].figures().get(trap.figure).mean.unwrap()
}

#[test]
fn every_lint_warns_of_a_case_that_fails_and_not_of_the_same_fixed() {
    assert_eq!(TRAPS.iter().map(|trap| trap.lint).collect::<Vec<_>>(), LINT_NAMES);
    let mut wrong = Vec::new();
    for trap in TRAPS.iter().chain([&KNATIVE, &WARM_UP]) {
        let mut file = file(trap);
        if !names(&file).contains(&trap.lint) {
            wrong.push(format!("{}: no warning, but {:?}", trap.lint, names(&file)));
        }
        let trapped = figure(&file, trap);
        for (path, value) in trap.fix {
            file.override_path(path, value).unwrap();
        }
        let fixed = figure(&file, trap);
        if names(&file).contains(&trap.lint) {
            wrong.push(format!("{}: still warned of when fixed", trap.lint));
        }
        if !trap.trapped.contains(&trapped) || !trap.fixed.contains(&fixed) {
            wrong.push(format!("{}: {} is {trapped} in the trap and {fixed} fixed", trap.lint, trap.figure));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_warning_says_why_and_what_to_do_and_can_be_silenced() {
    let trap = TRAPS.iter().find(|trap| trap.lint == "maximum-below-peak").unwrap();
    let work = Work::with(trap.text);
    let printed = work.run(0, &["check", "scenario.toml"], "");
    for part in [
        "keep 10.0 instances busy",
        "`autoscaler.max` allows 8",
        "allow at least 13",
        "lint: maximum-below-peak",
    ] {
        assert!(printed.stderr.contains(part), "{part}: {}", printed.stderr);
    }
    work.write("scenario.toml", &format!("allow = [\"maximum-below-peak\"]\n{}", trap.text));
    let silent = work.run(0, &["check", "scenario.toml"], "");
    assert!(!silent.stderr.contains("maximum-below-peak"), "{}", silent.stderr);
    work.write("scenario.toml", &format!("allow = [\"maximum-below-peek\"]\n{}", trap.text));
    let message = work.fails(2, &["check", "scenario.toml"]);
    assert!(message.contains("did you mean \"maximum-below-peak\"?"), "{message}");
}
