//! What a user sees who gets something wrong: every case with its whole message.
//!
//! After a deliberate change: `INSTA_UPDATE=always cargo test --test suite bad_input`, then read every message as its harshest
//! reader would.

use std::path::Path;

use kneepoint::internals::scenario::{ScenarioError, ScenarioFile};
use proptest::prelude::*;

/// A scenario with nothing wrong; most cases change one thing in it.
const GOOD: &str = r#"[arrivals]
kind = "poisson"
rate = 20

[service]
time = { dist = "lognormal", mean = "200ms", cv = 0.6 }
concurrency = 2

[instances]
initial = 2
cold_start = "90s"

[metrics]
scrape_interval = "15s"
window = "60s"

[autoscaler]
kind = "threshold"
metric = "utilization"
min = 1
max = 10

[autoscaler.up]
above = 0.8
step = 1

[autoscaler.down]
below = 0.3

[slo]
latency = "2s"

[run]
duration = "1h"
"#;

/// 4 GB: what the machine of the tests has.
const MEMORY: u64 = 4_000_000_000;

/// Everything `check` does with a file.
fn check(file: &ScenarioFile) -> Result<(), ScenarioError> {
    for point in file.points()? {
        file.check_fits(&point.scenario, MEMORY, 2)?;
    }
    file.variants().map(drop)
}

fn read(text: &str) -> Result<(), ScenarioError> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad_input");
    ScenarioFile::parse("scenario.toml", text, base).and_then(|file| check(&file))
}

/// `GOOD` with `old` replaced by `new`.
fn changed(old: &str, new: &str) -> String {
    assert_eq!(GOOD.matches(old).count(), 1, "{old}");
    GOOD.replace(old, new)
}

/// `GOOD` with `more` at its end.
fn with(more: &str) -> String {
    format!("{GOOD}\n{more}\n")
}

/// `GOOD` with other arrivals.
fn arriving(arrivals: &str) -> String {
    changed("kind = \"poisson\"\nrate = 20", arrivals)
}

/// Two instances a node.
const NODES: &str = "[instances.node]\ninstances_per_node = 2\nstart = \"1m\"";

/// `GOOD` with instances that share their speed among requests, and more said of them.
fn shared(more: &str) -> String {
    let text = changed("initial = 2", &format!("initial = 2\n{more}"));
    text.replace("concurrency = 2", "model = \"shared\"\nconcurrency = 2")
}

/// The scenario with this model and its keys in place of the service.
fn serving(model: &str, keys: &str) -> String {
    let old = "time = { dist = \"lognormal\", mean = \"200ms\", cv = 0.6 }\nconcurrency = 2";
    changed(old, &format!("model = \"{model}\"\ntime = \"200ms\"\n{keys}"))
}

/// The scenario with batches timed by a file.
fn batching(file: &str) -> String {
    serving("batch", &format!("max_batch = 8\ntable = {{ file = \"{file}\" }}"))
}

/// The scenario with a language model fitted to a file.
fn fitting(file: &str, keys: &str) -> String {
    let llm = format!("prompt_tokens = 100\noutput_tokens = 10\nfit = {{ file = \"{file}\", {keys} }}");
    serving("llm", &llm).replace("time = \"200ms\"\nprompt", "prompt")
}

/// Each broken text with the name of its snapshot.
fn cases() -> Vec<(&'static str, String)> {
    let set = |old, new| changed(old, new);
    vec![
        // Keys and tables.
        ("unknown_key", set("scrape_interval =", "scrape_intervall =")),
        ("unknown_key_far_from_any", set("window =", "flux_capacitor =")),
        ("unknown_table", set("[instances]", "[instance]")),
        ("key_of_another_kind", set("min = 1", "instances = 4")),
        ("key_at_the_top_level", format!("rate = 20\n{GOOD}")),
        (
            "missing_table",
            set(
                "[service]\ntime = { dist = \"lognormal\", mean = \"200ms\", cv = 0.6 }\nconcurrency = 2\n",
                "",
            ),
        ),
        ("missing_key", set("above = 0.8\n", "")),
        ("missing_tag", set("kind = \"threshold\"\n", "")),
        ("missing_duration", set("duration = \"1h\"\n", "")),
        ("missing_run", set("[run]\nduration = \"1h\"\n", "")),
        (
            "price_as_a_table",
            set(
                "[run]\nduration = \"1h\"",
                "[run]\nduration = \"1h\"\n[cost]\nper_instance_hour = { eur = 2 }",
            ),
        ),
        ("slo_without_latency", set("latency = \"2s\"", "percentile = 95")),
        // TOML itself.
        ("empty_file", String::new()),
        ("only_a_comment", "# soon\n".into()),
        ("toml_syntax", set("rate = 20", "rate = = 20")),
        ("text_without_its_end", set("\"utilization\"", "\"utilization")),
        ("duplicate_key", set("rate = 20", "rate = 20\nrate = 30")),
        ("duplicate_table", with("[slo]\nlatency = \"3s\"")),
        ("not_toml_at_all", "{\"arrivals\": {\"kind\": \"poisson\"}}".into()),
        ("deep_nesting", format!("a = {}{}", "[".repeat(10_000), "]".repeat(10_000))),
        // Durations.
        ("number_without_unit", set("\"90s\"", "90")),
        ("text_without_unit", set("\"90s\"", "\"90\"")),
        ("wrong_unit", set("\"90s\"", "\"90 parsecs\"")),
        ("negative_duration", set("\"90s\"", "\"-90s\"")),
        ("empty_duration", set("\"90s\"", "\"\"")),
        ("endless_duration", set("\"1h\"", "\"500 years\"")),
        ("zero_duration", set("\"1h\"", "\"0s\"")),
        ("zero_scrape_interval", set("\"15s\"", "\"0s\"")),
        // Numbers.
        ("negative_rate", set("rate = 20", "rate = -20")),
        ("nan", set("rate = 20", "rate = nan")),
        ("infinity", set("above = 0.8", "above = inf")),
        ("rate_as_text", set("rate = 20", "rate = \"20/s\"")),
        ("absurd_rate", set("rate = 20", "rate = 1e300")),
        ("fraction_of_an_instance", set("initial = 2", "initial = 2.5")),
        ("negative_instances", set("min = 1", "min = -1")),
        ("giant_integer", set("max = 10", "max = 99999999999999999999999999")),
        ("more_instances_than_counted", set("initial = 2", "initial = 4294967296")),
        ("percentile_of_a_hundred", set("latency = \"2s\"", "latency = \"2s\"\npercentile = 100")),
        ("number_for_true_or_false", arriving("kind = \"trace\"\nfile = \"good.csv\"\nsort = 1")),
        // Names.
        ("name_nearly_right", set("\"utilization\"", "\"utilisation\"")),
        ("name_unknown", set("\"utilization\"", "\"happiness\"")),
        ("kind_nearly_right", set("\"poisson\"", "\"poison\"")),
        ("kind_as_number", set("\"poisson\"", "1")),
        ("scenario_name_with_a_slash", format!("name = \"../elsewhere\"\n{GOOD}")),
        ("scenario_name_empty", format!("name = \"\"\n{GOOD}")),
        // Distributions and arrivals.
        ("p99_below_p50", set("mean = \"200ms\", cv = 0.6", "p50 = \"1s\", p99 = \"300ms\"")),
        ("mean_without_cv", set("mean = \"200ms\", cv = 0.6", "mean = \"200ms\"")),
        ("unknown_distribution", set("\"lognormal\"", "\"log-normal\"")),
        ("negative_cv", set("cv = 0.6", "cv = -1")),
        ("empty_steps", arriving("kind = \"steps\"\nloads = []\nstep = \"1m\"")),
        (
            "six_days_a_week",
            arriving("kind = \"diurnal\"\nrate = 5\namplitude = 0.5\nweek = [1, 1, 1, 1, 1, 1]"),
        ),
        (
            "points_out_of_order",
            arriving(
                "kind = \"piecewise\"\npoints = [{ at = \"0s\", rate = 1 }, { at = \"2m\", rate = 2 }, { at = \"1m\", rate = 3 }]",
            ),
        ),
        ("trough_above_peak", arriving("kind = \"diurnal\"\npeak = 5\ntrough = 8")),
        // Files.
        ("trace_missing", arriving("kind = \"trace\"\nfile = \"goood.csv\"")),
        ("trace_empty", arriving("kind = \"trace\"\nfile = \"empty.csv\"")),
        ("trace_out_of_order", arriving("kind = \"trace\"\nfile = \"unordered.csv\"\nformat = \"csv\"")),
        ("trace_cut_short", arriving("kind = \"trace\"\nfile = \"ragged.csv\"\nformat = \"csv\"")),
        ("trace_with_a_word", arriving("kind = \"trace\"\nfile = \"word.csv\"\nformat = \"csv\"")),
        (
            "trace_without_the_column",
            arriving("kind = \"trace\"\nfile = \"good.csv\"\ncolumn = \"timestmp\""),
        ),
        (
            "trace_without_tokens",
            arriving("kind = \"trace\"\nfile = \"good.csv\"").replace(
                "time = { dist = \"lognormal\", mean = \"200ms\", cv = 0.6 }\nconcurrency = 2",
                "model = \"llm\"\npreset = \"llama-3.1-8b-h100\"",
            ),
        ),
        ("trace_of_another_format", arriving("kind = \"trace\"\nfile = \"good.csv\"\nformat = \"mooncake\"")),
        (
            "trace_with_tokens_that_are_none",
            arriving("kind = \"trace\"\nfile = \"tokens.csv\"\nprompt_tokens = \"prompt\""),
        ),
        // Load tests.
        (
            "curve_with_a_word",
            serving("shared", "curve = { file = \"load_word.csv\", throughput = \"throughput\" }"),
        ),
        (
            "curve_with_a_zero",
            serving("shared", "curve = { file = \"load_zero.csv\", throughput = \"throughput\" }"),
        ),
        (
            "curve_with_a_level_twice",
            serving("shared", "curve = { file = \"load_twice.csv\", throughput = \"throughput\" }"),
        ),
        (
            "curve_without_the_column",
            serving("shared", "curve = { file = \"load_word.csv\", throughput = \"throughputs\" }"),
        ),
        ("curve_without_a_column_named", serving("shared", "curve = { file = \"load_word.csv\" }")),
        (
            "curve_file_missing",
            serving("shared", "curve = { file = \"laod_word.csv\", throughput = \"throughput\" }"),
        ),
        (
            "curve_file_empty",
            serving("shared", "curve = { file = \"empty.csv\", throughput = \"throughput\" }"),
        ),
        ("batch_table_with_a_fraction", batching("sizes_fraction.csv")),
        ("batch_table_with_a_size_twice", batching("sizes_twice.csv")),
        ("batch_table_without_rows", batching("sizes_none.csv")),
        ("batch_table_cut_short", batching("ragged.csv")),
        ("fit_with_a_word", fitting("load_word.csv", "tpot = \"throughput\"")),
        ("fit_with_a_negative_time", fitting("load_zero.csv", "concurrency = \"throughput\"")),
        ("fit_to_one_level", fitting("load_once.csv", "unit = \"s\"")),
        ("fit_without_the_column", fitting("load_once.csv", "tpot = \"itl\"")),
        ("fit_of_ttft_without_tokens", fitting("load_twice.csv", "ttft = \"tpot\"")),
        ("trace_is_a_folder", arriving("kind = \"trace\"\nfile = \"../bad_input\"")),
        ("trace_cut_to_nothing", arriving("kind = \"trace\"\nfile = \"good.csv\"\ncut = { from = \"1h\" }")),
        ("counts_negative", arriving("kind = \"counts\"\nfile = \"negative.csv\"\ninterval = \"1m\"")),
        // What does not go together.
        ("resume_of_a_share", shared("lost = \"resume\"")),
        ("hand_back_of_a_share", shared("leaving = \"hand_back\"")),
        ("first_request_of_a_share", shared("first_request = \"2s\"")),
        ("warm_pool_beside_nodes", with(&format!("{NODES}\n[instances.warm_pool]\nmin_size = 1"))),
        ("interruptions_of_places", with(&format!("{NODES}\n[instances.interruptions]\nafter = \"1h\""))),
        ("warm_pool_without_a_size", with("[instances.warm_pool]\nreuse_on_scale_in = true")),
        // Runs that would not end.
        ("instances_that_fail_at_once", with("[instances.failures]\nafter = \"0s\"")),
        ("nodes_that_fail_at_once", with(&format!("{NODES}\nfailure_after = \"0s\""))),
        ("minimum_above_maximum", set("min = 1", "min = 11")),
        ("initial_below_minimum", set("min = 1", "min = 3")),
        ("initial_above_maximum", set("initial = 2", "initial = 20")),
        (
            "initial_other_than_the_fixed_pool",
            with("[[variant]]\nname = \"a\"\nautoscaler = { kind = \"fixed\", instances = 4 }"),
        ),
        ("thresholds_crossed", set("below = 0.3", "below = 0.9")),
        ("step_of_nothing", set("step = 1", "step = 0")),
        ("step_with_a_word", set("step = 1", "step = \"half\"")),
        ("warmup_as_long_as_the_run", set("duration = \"1h\"", "duration = \"1h\"\nwarmup = \"1h\"")),
        ("window_shorter_than_a_scrape", set("window = \"60s\"", "window = \"5s\"")),
        ("quantile_of_a_rate", set("metric = \"utilization\"", "metric = \"request_rate\"\nquantile = 0.9")),
        ("scrapes_without_end", set("window = \"60s\"", "window = \"10 days\"\ndelay = \"300 days\"")),
        (
            "latency_of_too_many_scrapes",
            changed("metric = \"utilization\"", "metric = \"latency\"").replace(
                "scrape_interval = \"15s\"\nwindow = \"60s\"",
                "scrape_interval = \"10ms\"\nwindow = \"15m\"",
            ),
        ),
        (
            "more_slots_than_counted",
            changed("max = 10", "max = 100000").replace("concurrency = 2", "concurrency = 200"),
        ),
        ("no_replication", set("duration = \"1h\"", "duration = \"1h\"\nreplications = 0")),
        (
            "precision_of_an_unknown_figure",
            set(
                "duration = \"1h\"",
                "duration = \"1h\"\nprecision = { metric = \"latency.p98\", relative = 0.02 }",
            ),
        ),
        (
            "precision_below_the_replications",
            set(
                "duration = \"1h\"",
                "duration = \"1h\"\nreplications = 20\nprecision = { metric = \"cost\", relative = 0.02, most = 9 }",
            ),
        ),
        (
            "precision_of_a_promise_nobody_made",
            changed("[slo]\nlatency = \"2s\"\n\n", "").replace(
                "duration = \"1h\"",
                "duration = \"1h\"\nprecision = { metric = \"slo_attainment\", relative = 0.02 }",
            ),
        ),
        ("warmup_automatical", set("duration = \"1h\"", "duration = \"1h\"\nwarmup = \"automatic\"")),
        (
            "timeline_of_a_billion_windows",
            set("duration = \"1h\"", "duration = \"1h\"\ntimeline_interval = \"1us\""),
        ),
        (
            "evaluations_without_end",
            changed("duration = \"1h\"", "duration = \"50 weeks\"")
                .replace("min = 1", "min = 1\ninterval = \"1ms\""),
        ),
        // More than a machine, or a life, has.
        (
            "more_requests_than_anyone_waits_for",
            changed("rate = 20", "rate = 1e7").replace("\"1h\"", "\"52 weeks\""),
        ),
        ("more_memory_than_the_machine_has", set("rate = 20", "rate = 500000")),
        // Sweeps.
        ("sweep_path_unknown", with("[sweep.parameters]\n\"autoscaler.up.abov\" = [0.5, 0.6]")),
        ("sweep_path_in_the_wrong_table", with("[sweep.parameters]\n\"metrics.above\" = [0.5, 0.6]")),
        ("sweep_path_without_quotes", with("[sweep.parameters]\nautoscaler.up.above = [0.5, 0.6]")),
        ("sweep_empty", with("[sweep]\nparameters = {}")),
        ("sweep_empty_list", with("[sweep.parameters]\n\"autoscaler.up.above\" = []")),
        ("sweep_single_value", with("[sweep.parameters]\n\"autoscaler.up.above\" = 0.5")),
        ("sweep_of_a_text", with("[sweep.parameters]\n\"cost.currency\" = [\"USD\", \"EUR\"]")),
        ("sweep_of_a_table", with("[sweep.parameters]\n\"autoscaler.up\" = [1, 2]")),
        ("sweep_of_the_slo", with("[sweep.parameters]\n\"slo.latency\" = [\"1s\", \"2s\"]")),
        ("sweep_of_the_duration", with("[sweep.parameters]\n\"run.duration\" = [\"1h\", \"2h\"]")),
        ("sweep_of_the_seed", with("[sweep.parameters]\n\"run.seed\" = [1, 2, 3]")),
        ("sweep_of_the_traffic", with("[sweep.parameters]\n\"arrivals.rate\" = [10, 20]")),
        ("sweep_of_the_cold_start", with("[sweep.parameters]\n\"instances.cold_start\" = [\"10s\", \"1m\"]")),
        (
            "sweep_of_failures",
            with(
                "[sweep.parameters]\n\"instances.start_failures.probability\" = { from = 0, to = 0.1, steps = 3 }",
            ),
        ),
        (
            "sweep_of_a_setting_that_is_a_condition_too",
            with(
                "[sweep.parameters]\n\"autoscaler.max\" = [5, 9]\n[sweep.conditions]\n\"autoscaler.max\" = [5, 9]",
            ),
        ),
        ("condition_of_no_factor", with("[sweep.conditions]\n\"traffic\" = [\"1s\", 1]")),
        ("condition_of_no_key", with("[sweep.conditions]\n\"arrivals.rat\" = [1, 2]")),
        ("sweep_without_anything", with("[sweep]")),
        (
            "sweep_value_of_the_wrong_kind",
            with("[sweep.parameters]\n\"autoscaler.interval\" = [\"30s\", 60]"),
        ),
        (
            "sweep_value_out_of_bounds",
            with("[sweep.parameters]\n\"service.concurrency\" = { from = 0, to = 4, steps = 5 }"),
        ),
        ("sweep_value_that_contradicts", with("[sweep.parameters]\n\"autoscaler.max\" = [5, 1]")),
        (
            "sweep_range_without_steps",
            with("[sweep.parameters]\n\"autoscaler.up.above\" = { from = 0.5, to = 0.9 }"),
        ),
        (
            "sweep_range_without_unit",
            with("[sweep.parameters]\n\"autoscaler.interval\" = { from = 10, to = 90, steps = 3 }"),
        ),
        (
            "sweep_log_range_from_zero",
            with(
                "[sweep.parameters]\n\"autoscaler.up.cooldown\" = { from = \"0s\", to = \"90s\", steps = 3, scale = \"log\" }",
            ),
        ),
        (
            "sweep_range_with_a_slip",
            with("[sweep.parameters]\n\"autoscaler.up.above\" = { form = 0.5, to = 0.9, steps = 3 }"),
        ),
        (
            "sweep_range_of_names",
            with("[sweep.parameters]\n\"instances.scale_down\" = { from = 1, to = 2, steps = 2 }"),
        ),
        (
            "sweep_too_large",
            with(
                "[sweep.parameters]\n\"autoscaler.up.above\" = { from = 0.5, to = 0.9, steps = 1000 }\n\"autoscaler.down.below\" = { from = 0.1, to = 0.3, steps = 1000 }",
            ),
        ),
        (
            "sweep_sample_without_points",
            with(
                "[sweep]\ndesign = \"sample\"\n[sweep.parameters]\n\"autoscaler.up.above\" = { from = 0.5, to = 0.9 }",
            ),
        ),
        (
            "sweep_grid_with_points",
            with("[sweep]\npoints = 9\n[sweep.parameters]\n\"autoscaler.up.above\" = [0.5, 0.9]"),
        ),
        // Variants.
        ("variant_without_name", with("[[variant]]\nset = { \"autoscaler.min\" = 2 }")),
        ("variant_name_twice", with("[[variant]]\nname = \"a\"\n[[variant]]\nname = \"a\"")),
        ("variant_path_unknown", with("[[variant]]\nname = \"a\"\nset = { \"autoscaler.up.treshold\" = 2 }")),
        ("variant_path_without_quotes", with("[[variant]]\nname = \"a\"\nset.autoscaler.up.above = 0.9")),
        ("variant_value_wrong", with("[[variant]]\nname = \"a\"\nset = { \"instances.cold_start\" = 30 }")),
        ("variant_that_contradicts", with("[[variant]]\nname = \"a\"\nset = { \"autoscaler.max\" = 1 }")),
        (
            "variant_table_incomplete",
            with("[[variant]]\nname = \"a\"\n[variant.autoscaler]\nkind = \"fixed\""),
        ),
        ("variant_as_a_table", with("[variant]\nname = \"a\"")),
    ]
}

#[test]
fn the_scenario_that_the_cases_change_is_right() {
    read(GOOD).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn every_broken_scenario_is_refused_with_a_message_that_helps() {
    let cases = cases();
    assert!(cases.len() >= 45);
    for (name, text) in cases {
        let error = read(&text).expect_err(name);
        insta::assert_snapshot!(name, error.render(false));
    }
}

#[test]
fn files_that_are_no_scenarios_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let load = |name: &str| {
        let error = ScenarioFile::load(&folder.path().join(name)).expect_err(name);
        let shown = error.render(false).replace('\\', "/");
        shown.replace(&folder.path().display().to_string().replace('\\', "/"), "[folder]")
    };
    std::fs::write(folder.path().join("quickstart.toml"), GOOD).unwrap();
    std::fs::write(folder.path().join("latin1.toml"), b"# caf\xe9\n").unwrap();
    std::fs::write(folder.path().join("trace.csv"), vec![b'1'; 5 << 20]).unwrap();
    insta::assert_snapshot!("file_missing", load("quickstar.toml"));
    insta::assert_snapshot!("file_in_a_missing_folder", load("nowhere/quickstart.toml"));
    insta::assert_snapshot!("file_is_a_folder", load("."));
    insta::assert_snapshot!("file_not_utf8", load("latin1.toml"));
    insta::assert_snapshot!("file_too_large", load("trace.csv"));
}

#[test]
fn what_the_command_line_sets_is_named_in_the_message() {
    let set = |path, value| {
        let mut file = ScenarioFile::parse("scenario.toml", GOOD, ".").unwrap();
        file.override_path(path, value).and_then(|()| check(&file)).expect_err(path).render(false)
    };
    insta::assert_snapshot!("set_unknown_path", set("autoscaler.up.abov", "0.9"));
    insta::assert_snapshot!("set_wrong_kind", set("instances.cold_start", "30"));
    insta::assert_snapshot!("set_that_contradicts", set("autoscaler.max", "1"));
    insta::assert_snapshot!("set_through_a_number", set("arrivals.rate.peak", "1"));
    insta::assert_snapshot!("set_empty_path", set("", "1"));
}

#[test]
fn what_is_set_and_swept_is_refused_for_the_sweep_alone() {
    let text = with("[sweep.parameters]\n\"autoscaler.up.above\" = [0.5, 0.6]");
    let mut file = ScenarioFile::parse("scenario.toml", &text, ".").unwrap();
    file.override_path("autoscaler.max", "9").unwrap();
    file.check_overrides_of_sweep().unwrap();
    file.override_path("autoscaler.up.above", "0.7").unwrap();
    check(&file).unwrap();
    let error = file.check_overrides_of_sweep().unwrap_err();
    insta::assert_snapshot!("set_of_what_is_swept", error.render(false));
}

#[test]
fn what_the_command_line_sets_right_is_taken() {
    let mut file = ScenarioFile::parse("scenario.toml", GOOD, ".").unwrap();
    file.override_path("instances.cold_start", "30s").unwrap();
    file.override_path("metrics.delay", "\"15s\"").unwrap();
    file.override_seed(7).unwrap();
    let scenario = file.scenario().unwrap();
    assert_eq!(scenario.model.instances.cold_start[0].time.0.mean(), 30.0);
    assert_eq!(scenario.model.metrics.delay.as_secs_f64(), 15.0);
    assert_eq!(scenario.run.seed, 7);
}

/// A scenario that uses much of the language, for mutations.
fn rich() -> String {
    with(
        "[dispatch]\npolicy = \"power_of_d\"\nqueue_capacity = 9\n[[arrivals.spikes]]\nat = \"1m\"\nduration = \"5m\"\nrate = 3\n\
         [sweep.parameters]\n\"autoscaler.up.above\" = { from = 0.5, to = 0.9, steps = 3, scale = \"log\" }\n\
         [sweep.conditions]\n\"instances.cold_start\" = [\"10s\", \"1m\"]\n[[variant]]\nname = \"b\"\nset = { \"autoscaler.min\" = 2 }",
    )
}

/// Words that a slip, or malice, might put anywhere.
const WORDS: [&str; 16] = [
    "nan",
    "-inf",
    "1e999",
    "-1",
    "0",
    "99999999999999999999",
    "\"\"",
    "\"-3s\"",
    "[]",
    "{}",
    "[[",
    "\u{1f980}",
    "\"1e30s\"",
    "0x_",
    "2026-01-01",
    "'''",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_cut_short_or_mixed_up_makes_it_panic(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, 0usize..WORDS.len()), 1..4)
    ) {
        let mut text: Vec<char> = rich().chars().collect();
        for (at, length, word) in cuts {
            let start = at.index(text.len() + 1);
            let end = (start + length).min(text.len());
            text.splice(start..end, WORDS[word].chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(error) = read(&text) {
            prop_assert!(!error.render(true).is_empty());
        }
    }

    #[test]
    fn no_value_in_the_place_of_another_makes_it_panic(line in any::<prop::sample::Index>(), word in 0usize..WORDS.len()) {
        let text = rich();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let line = line.index(lines.len());
        if let Some((key, _)) = lines[line].clone().split_once('=') {
            lines[line] = format!("{key}= {}", WORDS[word]);
        }
        if let Err(error) = read(&lines.join("\n")) {
            prop_assert!(!error.render(false).is_empty());
        }
    }
}
