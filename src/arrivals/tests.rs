use super::*;
use crate::random::Streams;
use crate::schema::{Context, Place, Problem, Tree};
use crate::time::{Instant, Span};

const SECOND: u64 = 1_000_000_000;

fn at(folder: &std::path::Path, text: &str) -> Result<Arrivals, Problem> {
    let tree = Tree::parse(text).unwrap();
    Arrivals::read(tree.root(), "arrivals", &Context::new(folder))
}

fn read(text: &str) -> Arrivals {
    at(std::path::Path::new(""), text).unwrap_or_else(|problem| panic!("{text}: {problem:?}"))
}

fn problem(text: &str) -> String {
    let problem = at(std::path::Path::new(""), text).expect_err(text);
    format!("{}: {} {}", problem.message, problem.label, problem.help.join(" "))
}

fn draw(arrivals: &Arrivals, replication: u64, count: usize) -> Vec<u64> {
    let mut out = Vec::new();
    arrivals.stream(Streams::new(5, replication)).fill(&mut out, count);
    out
}

/// Requests of one replication before `end` seconds.
fn before(arrivals: &Arrivals, replication: u64, end: u64) -> Vec<u64> {
    let mut stream = arrivals.stream(Streams::new(5, replication));
    let mut out = Vec::new();
    while out.last().is_none_or(|last| *last < end * SECOND) {
        let had = out.len();
        stream.fill(&mut out, 1000);
        if out.len() < had + 1000 {
            break;
        }
    }
    out.retain(|instant| *instant < end * SECOND);
    out
}

/// Student t of the counts in a window over 60 replications against their expected mean; |t| < 3.46 is 99.9 %.
fn t_of_counts(arrivals: &Arrivals, from: u64, to: u64) -> f64 {
    let expected = arrivals.mean_rate(Span::from_secs(to)) * to as f64
        - if from > 0 { arrivals.mean_rate(Span::from_secs(from)) * from as f64 } else { 0.0 };
    let counts: Vec<f64> = (0..60)
        .map(|r| before(arrivals, r, to).iter().filter(|t| **t >= from * SECOND).count() as f64)
        .collect();
    let n = counts.len() as f64;
    let mean = counts.iter().sum::<f64>() / n;
    let variance = counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean - expected) / (variance / n).sqrt()
}

/// Index of dispersion of counts in windows of `width` seconds, its 99.9 % interval from 40 replications.
fn dispersion(arrivals: &Arrivals, width: u64, windows: usize) -> (f64, f64) {
    let indices: Vec<f64> = (0..40)
        .map(|replication| {
            let mut counts = vec![0.0; windows];
            for instant in before(arrivals, replication, width * windows as u64) {
                counts[(instant / (width * SECOND)) as usize] += 1.0;
            }
            let mean = counts.iter().sum::<f64>() / windows as f64;
            counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / (windows - 1) as f64 / mean
        })
        .collect();
    let n = indices.len() as f64;
    let mean = indices.iter().sum::<f64>() / n;
    let variance = indices.iter().map(|i| (i - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let half = 3.56 * (variance / n).sqrt();
    (mean - half, mean + half)
}

fn assert_dispersion(arrivals: &Arrivals, width: u64, expected: f64) {
    let (low, high) = dispersion(arrivals, width, 300);
    assert!(low <= expected && expected <= high, "{expected} not within {low} to {high}");
    assert!(high - low < 0.2 * expected, "too wide to tell: {low} to {high}");
}

const SPIKES: &str = "[[spikes]]\nat = \"10s\"\nduration = \"20s\"\nrate = 30\n\
                      [[spikes]]\nat = \"5s\"\nduration = \"10s\"\nrate = 20\nshape = \"triangle\"\nevery = \"40s\"";
const RANDOM: [&str; 9] = [
    "kind = \"poisson\"\nrate = 9",
    "kind = \"renewal\"\nrate = 9\ncv = 2",
    "kind = \"renewal\"\ninterarrival = { dist = \"lognormal\", mean = \"100ms\", cv = 0.5 }",
    "kind = \"piecewise\"\npoints = [{ at = \"0s\", rate = 0 }, { at = \"30s\", rate = 20 }, { at = \"40s\", rate = 5 }]",
    "kind = \"piecewise\"\nafter = \"repeat\"\npoints = [{ at = \"0s\", rate = 2 }, { at = \"13s\", rate = 20 }]",
    "kind = \"piecewise\"\nshape = \"constant\"\npoints = [{ at = \"0s\", rate = 2 }, { at = \"30s\", rate = 20 }]",
    "kind = \"diurnal\"\nrate = 9\namplitude = 0.8\nperiod = \"70s\"\npeak_at = \"20s\"",
    "kind = \"mmpp\"\nstates = [{ rate = 30, duration = \"2s\" }, { rate = 0, duration = \"3s\" }]",
    "kind = \"mmpp\"\nstates = [{ rate = 30, duration = \"2s\" }, { rate = 0, duration = \"3s\" }, { rate = 5, duration = \"1s\" }]\n\
     transitions = [[0, 0.5, 0.5], [0.25, 0, 0.75], [1, 0, 0]]",
];

#[test]
fn a_step_holds_exactly_its_load_and_nothing_on_an_edge() {
    let steps = read("kind = \"steps\"\nloads = [10, 50, 120, 0, 80, 30, 5]\nstep = \"60s\"");
    let all = draw(&steps, 0, 100_000);
    for (index, load) in [10u64, 50, 120, 0, 80, 30, 5].into_iter().enumerate() {
        let (start, end) = (index as u64 * 60 * SECOND, (index as u64 + 1) * 60 * SECOND);
        let inside = all.iter().filter(|t| **t > start && **t < end).count() as u64;
        assert_eq!(inside, load * 60, "step {index}");
        assert_eq!(steps.rate_at(Instant::from_nanos(start)), Some(load as f64));
    }
    assert_eq!(all.len(), 295 * 60);
    assert_eq!(all[0], SECOND / 20);
    assert_eq!(steps.natural_duration(), Some(Span::from_secs(420)));
    assert!((steps.mean_rate(Span::from_secs(90)) - (600.0 + 1500.0) / 90.0).abs() < 1e-12);
    assert_eq!(steps.peak_rate(), 120.0);
}

#[test]
fn loads_that_do_not_fill_a_step_carry_over() {
    let steps = read("kind = \"steps\"\nloads = [0.25, 0.25, 0.25, 0.25]\nstep = \"3s\"");
    // The load adds up to ½, 1½ and 2½ after 2, 6 and 10 s.
    assert_eq!(draw(&steps, 0, 10), [2 * SECOND, 6 * SECOND, 10 * SECOND]);
}

#[test]
fn counts_have_the_mean_that_the_rate_promises() {
    for text in RANDOM.iter().filter(|text| !text.contains("renewal")) {
        let arrivals = read(text);
        for (from, to) in [(0, 35), (35, 200)] {
            let t = t_of_counts(&arrivals, from, to);
            assert!(t.abs() < 3.46, "{text}\nfrom {from} to {to}: t {t}");
        }
        let spiked = read(&format!("{text}\n{SPIKES}"));
        for (from, to) in [(0, 12), (12, 50), (50, 100)] {
            let t = t_of_counts(&spiked, from, to);
            assert!(t.abs() < 3.46, "spikes on {text}\nfrom {from} to {to}: t {t}");
        }
    }
}

/// Asymptotic index of dispersion of a renewal process is cv² (Cox and Lewis, 1966), of MMPP(2)
/// 1 + 2 (λ₁ − λ₂)² r₁ r₂ / ((r₁ + r₂)² (λ₁ r₂ + λ₂ r₁)) · (1 − (1 − e^(−(r₁+r₂)t))/((r₁+r₂)t))
/// (Fischer and Meier-Hellstern, 1993).
#[test]
fn counts_scatter_as_much_as_theory_says() {
    assert_dispersion(&Arrivals::poisson(9.0), 10, 1.0);
    // The window holds hundreds of requests, so that the finite-window term, of order 1/100, is within the interval.
    assert_dispersion(&read("kind = \"renewal\"\nrate = 9\ncv = 0.5"), 100, 0.25);
    assert_dispersion(&read("kind = \"renewal\"\nrate = 9\ncv = 2"), 100, 4.0);
    let (l1, l2, r1, r2, t) = (30.0, 5.0, 0.5, 1.0 / 3.0, 10.0);
    let r: f64 = r1 + r2;
    let limit = 2.0 * (l1 - l2) * (l1 - l2) * r1 * r2 / (r * r * (l1 * r2 + l2 * r1));
    let expected = 1.0 + limit * (1.0 - (1.0 - (-r * t).exp()) / (r * t));
    let mmpp =
        read("kind = \"mmpp\"\nstates = [{ rate = 30, duration = \"2s\" }, { rate = 5, duration = \"3s\" }]");
    assert_dispersion(&mmpp, 10, expected);
}

#[test]
fn renewal_gaps_have_their_mean() {
    for text in &RANDOM[1..3] {
        let arrivals = read(text);
        let all = draw(&arrivals, 0, 200_000);
        let mean = all[all.len() - 1] as f64 / all.len() as f64 / 1e9;
        let cv = if text.contains("cv = 2") { 2.0 } else { 0.5 };
        let z = (mean * arrivals.peak_rate() - 1.0) / (cv / (all.len() as f64).sqrt());
        assert!(z.abs() < 3.29, "{text}: z {z}");
    }
}

#[test]
fn a_week_has_its_quiet_days_where_it_starts_says() {
    let text = "kind = \"diurnal\"\npeak = 0.3\ntrough = 0.1\npeak_at = \"15h\"\nweek = [1, 1, 1, 1, 1, 0.5, 0]\nstarts_on = \"friday\"";
    let arrivals = read(text);
    let day = 86_400 * SECOND;
    let noon = |index: u64| arrivals.rate_at(Instant::from_nanos(index * day + 15 * 3600 * SECOND)).unwrap();
    for (index, expected) in [(0, 0.3), (1, 0.15), (2, 0.0), (3, 0.3), (7, 0.3)] {
        assert!((noon(index) - expected).abs() < 1e-12, "day {index}: {}", noon(index));
    }
    assert!((arrivals.peak_rate() - 0.3).abs() < 1e-12);
    // Whole days: 1, ½, 0, and four more of 1, each 86,400 s at 0.2 on average.
    assert!((arrivals.mean_rate(Span::from_secs(7 * 86_400)) - 0.2 * 5.5 / 7.0).abs() < 1e-9);
    let all = before(&arrivals, 0, 3 * 86_400);
    assert!(all.iter().all(|instant| *instant < 2 * day));
    for (from, to, expected) in [(0, day, 0.2 * 86_400.0), (day, 2 * day, 0.1 * 86_400.0)] {
        let count = all.iter().filter(|t| (from..to).contains(*t)).count() as f64;
        assert!((count - expected).abs() < 3.29 * f64::sqrt(expected), "{count} against {expected}");
    }
}

#[test]
fn instants_ascend_repeat_and_do_not_depend_on_blocks() {
    for text in RANDOM {
        for arrivals in [read(text), read(&format!("{text}\n{SPIKES}"))] {
            let all = draw(&arrivals, 0, 3000);
            assert_eq!(all.len(), 3000, "{text}");
            assert!(all.is_sorted(), "{text}");
            assert_eq!(all, draw(&arrivals, 0, 3000), "{text}");
            assert_ne!(all, draw(&arrivals, 1, 3000), "{text}");
            let mut stream = arrivals.stream(Streams::new(5, 0));
            let mut single = Vec::new();
            (0..3000).for_each(|_| stream.fill(&mut single, 1));
            assert_eq!(all, single, "{text}");
        }
    }
}

#[test]
fn spikes_leave_the_requests_of_the_process_as_they_were() {
    let plain = before(&read(RANDOM[0]), 0, 100);
    let mut spiked = before(&read(&format!("{}\n{SPIKES}", RANDOM[0])), 0, 100);
    let all = spiked.len();
    spiked.retain(|instant| plain.binary_search(instant).is_err());
    assert_eq!(spiked.len() + plain.len(), all);
    let allowed = |t: &u64| {
        (5..30).contains(&(t / SECOND))
            || (45..55).contains(&(t / SECOND))
            || (85..95).contains(&(t / SECOND))
    };
    assert!(spiked.iter().all(allowed));
}

#[test]
fn filling_a_reserved_buffer_allocates_nothing_more() {
    for text in RANDOM {
        let mut out = Vec::with_capacity(5000);
        let place = out.as_ptr();
        read(&format!("{text}\n{SPIKES}")).stream(Streams::new(1, 0)).fill(&mut out, 5000);
        assert_eq!((out.as_ptr(), out.capacity(), out.len()), (place, 5000, 5000));
    }
}

#[test]
fn equal_settings_are_equal_and_others_are_not() {
    let all: Vec<Arrivals> = RANDOM.iter().map(|text| read(text)).collect();
    for (i, text) in RANDOM.iter().enumerate() {
        for (j, other) in all.iter().enumerate() {
            assert_eq!(read(text) == *other, i == j, "{text} and number {j}");
        }
    }
    assert_ne!(read(&format!("{}\n{SPIKES}", RANDOM[0])), all[0]);
    assert_eq!(all[0].clone(), Arrivals::poisson(9.0));
}

#[test]
fn a_silent_process_ends_at_once_and_the_end_of_time_is_never() {
    for text in [
        "kind = \"poisson\"\nrate = 0",
        "kind = \"mmpp\"\nstates = [{ rate = 0, duration = \"1s\" }, { rate = 0, duration = \"1s\" }]",
        "kind = \"piecewise\"\npoints = [{ at = \"0s\", rate = 0 }]",
        "kind = \"diurnal\"\nrate = 1\namplitude = 0\nweek = [0, 0, 0, 0, 0, 0, 0]",
    ] {
        assert!(draw(&read(text), 0, 10).is_empty(), "{text}");
    }
    for text in [
        "kind = \"poisson\"\nrate = 1e-200",
        "kind = \"diurnal\"\nrate = 1e-200\namplitude = 0.5\nperiod = \"1ms\"",
        "kind = \"mmpp\"\nstates = [{ rate = 1e-200, duration = \"36000d\" }, { rate = 0, duration = \"36000d\" }]",
    ] {
        assert_eq!(draw(&read(text), 0, 2), [u64::MAX; 2], "{text}");
    }
    assert_eq!(
        draw(&read("kind = \"piecewise\"\npoints = [{ at = \"0s\", rate = 1e-200 }]"), 0, 2),
        [u64::MAX; 2]
    );
}

fn folder_with(name: &str, text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), text).unwrap();
    folder
}

#[test]
fn a_trace_is_replayed_to_the_nanosecond_cut_shifted_sped_up_and_looped() {
    let folder = folder_with("t.csv", "when,tokens\r\n10.5,7\r\n11.0000001,8\r\n\r\n14.5,9");
    let trace =
        |keys: &str| at(folder.path(), &format!("kind = \"trace\"\nfile = \"t.csv\"\n{keys}")).unwrap();
    let plain = trace("");
    assert_eq!(draw(&plain, 0, 9), [0, 500_000_100, 4 * SECOND]);
    // Two gaps over 4 s: the trace ends 2 s after its last request, and holds half a request per second.
    assert_eq!(plain.natural_duration(), Some(Span::from_secs(6)));
    assert!((plain.mean_rate(Span::from_secs(6)) - 0.5).abs() < 1e-12);
    assert_eq!(plain, trace("column = 1"));
    assert_ne!(plain, trace("shift = \"1s\""));
    assert_eq!(draw(&trace("shift = \"1s\"\nspeed = 2"), 0, 9), [SECOND, 1_250_000_050, 3 * SECOND]);
    assert_eq!(draw(&trace("cut = { from = \"500ms\", to = \"5s\" }"), 0, 9), [100, 3_500_000_000]);
    let looped = trace("loop = true");
    assert_eq!(draw(&looped, 0, 4), [0, 500_000_100, 4 * SECOND, 6 * SECOND]);
    assert_eq!(looped.natural_duration(), None);
    assert!((looped.mean_rate(Span::from_secs(60)) - 0.5).abs() < 1e-12);
    assert_eq!(draw(&trace("scale = 2"), 0, 99).len(), 6);
}

#[test]
fn scaling_a_trace_keeps_its_order_and_changes_its_rate_as_asked() {
    let rows: String = (0..20_000).map(|i| format!("{}\n", i * i % 7 + i * 7)).collect();
    let folder = folder_with("t.csv", &rows);
    for scale in [0.3, 1.0, 2.5] {
        let text = format!("kind = \"trace\"\nfile = \"t.csv\"\nunit = \"ms\"\nsort = true\nscale = {scale}");
        let arrivals = at(folder.path(), &text).unwrap();
        let all = draw(&arrivals, 0, 1_000_000);
        assert!(all.is_sorted());
        // A fraction of a copy is a coin flip for each of the 20,000 requests.
        let fraction = f64::fract(scale);
        let deviation = (20_000.0 * fraction * (1.0 - fraction)).sqrt();
        assert!((all.len() as f64 - 20_000.0 * scale).abs() <= 3.29 * deviation, "{scale}: {}", all.len());
        let mut single = Vec::new();
        let mut stream = arrivals.stream(Streams::new(5, 0));
        (0..1000).for_each(|_| stream.fill(&mut single, 1));
        assert_eq!(single, all[..1000]);
    }
}

#[test]
fn counts_give_each_interval_its_requests() {
    let folder = folder_with("c.csv", "minute,requests\n0,3\n1,0\n2,2\n");
    let counts = |keys: &str| {
        let text =
            format!("kind = \"counts\"\nfile = \"c.csv\"\ncolumn = \"requests\"\ninterval = \"60s\"\n{keys}");
        at(folder.path(), &text).unwrap()
    };
    let even = counts("within = \"even\"");
    assert_eq!(draw(&even, 0, 99), [10, 30, 50, 135, 165].map(|s| s * SECOND));
    assert_eq!(even.natural_duration(), Some(Span::from_secs(180)));
    assert_eq!(draw(&counts("within = \"even\"\nloop = true\nshift = \"5s\""), 0, 6)[5], 195 * SECOND);
    assert_eq!(draw(&counts("within = \"even\"\nscale = 0.5"), 0, 99).len(), 3);
    assert_eq!(
        draw(&counts("within = \"even\"\ncut = { from = \"2m\" }"), 0, 99),
        [15 * SECOND, 45 * SECOND]
    );
    assert_eq!(even.rate_at(Instant::from_nanos(61 * SECOND)), Some(0.0));
    let uniform = draw(&counts("within = \"uniform\""), 0, 99);
    let minutes: Vec<u64> = uniform.iter().map(|t| t / (60 * SECOND)).collect();
    assert_eq!(minutes, [0, 0, 0, 2, 2]);
    assert!(uniform.is_sorted());
    for within in ["uniform", "poisson"] {
        let many = counts(&format!("loop = true\nscale = 20.3\nwithin = \"{within}\""));
        let t = t_of_counts(&many, 30, 150);
        assert!(t.abs() < 3.46, "{within}: t {t}");
        assert_eq!(draw(&many, 0, 2000), {
            let mut stream = many.stream(Streams::new(5, 0));
            let mut single = Vec::new();
            (0..2000).for_each(|_| stream.fill(&mut single, 1));
            single
        });
    }
}

#[test]
fn counts_that_contradict_their_timestamps_or_have_fractions_are_refused() {
    let read = |rows: &str, keys: &str| {
        let folder = folder_with("c.csv", rows);
        let text = format!("kind = \"counts\"\nfile = \"c.csv\"\ncolumn = 2\n{keys}");
        at(folder.path(), &text).map(|_| ())
    };
    let dates = "timestamp,n\n2024-11-05T09:00:00Z,60\n2024-11-05T09:01:00Z,61\n2024-11-05T09:02:00Z,62\n";
    let refused = |rows: &str, keys: &str| read(rows, keys).unwrap_err().message;
    let error = refused(dates, "interval = \"1s\"");
    assert!(
        error.contains("interval` is 1s, but by column `timestamp` the rows of `c.csv` are 1m apart"),
        "{error}"
    );
    read(dates, "interval = \"1m\"").unwrap();
    let error = refused(&format!("{dates}2024-11-05T09:33:00Z,60\n"), "interval = \"1m\"");
    assert!(error.contains("31m lie between row 3 and the next"), "{error}");
    // Seconds since 1970 are told from the numbers of minutes.
    let epoch = "time,rate\n1763596800,3.5\n1763596860,3\n1763596920,2.25\n";
    assert!(refused(epoch, "interval = \"15s\"\nscale = 60").contains("are 1m apart"));
    let error = refused(epoch, "interval = \"1m\"");
    assert!(error.contains("2 of 3 counts have a fraction, such as 3.5"), "{error}");
    read(epoch, "interval = \"1m\"\nscale = 60").unwrap();
    read("time,n\n0,5\n1,6\n2,7\n", "interval = \"1m\"").unwrap();
}

/// The folder of public traces, if it is there: `KNEEPOINT_DATA`, else `../shared` beside the crate.
fn traces() -> Option<std::path::PathBuf> {
    let data = std::env::var("KNEEPOINT_DATA").unwrap_or_else(|_| "../shared".into());
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(data).join("traces");
    if !folder.is_dir() {
        eprintln!("skipped: no {}", folder.display());
    }
    folder.is_dir().then_some(folder)
}

#[test]
fn the_azure_conversation_trace_is_read_whole() {
    let Some(folder) = traces() else { return };
    let text =
        "kind = \"trace\"\nfile = \"azure-llm-2023/AzureLLMInferenceTrace_conv.csv\"\ncolumn = \"TIMESTAMP\"";
    let all = draw(&at(&folder, text).unwrap(), 0, 1_000_000);
    assert_eq!(all.len(), 19_366);
    // The first two rows: 18:15:46.6805900 and 18:15:50.9951690.
    assert_eq!(all[..2], [0, 4_314_579_000]);
    assert!(all.windows(2).all(|pair| pair[0] < pair[1] && pair[1] - pair[0] < 4_400_000_000));
}

/// Row counts, means and maxima as the folder's README gives them.
#[test]
fn other_public_traces_are_read_whole() {
    let Some(folder) = traces() else { return };
    let text = "kind = \"trace\"\nfile = \"alibaba-gentd26/lora_request_trace.csv\"\ncolumn = \"gmt_create\"";
    assert_eq!(draw(&at(&folder, text).unwrap(), 0, 1_000_000).len(), 26_392 + 398 + 30 + 3);
    let text = "kind = \"counts\"\nfile = \"autothrottle/diurnal.txt\"\ninterval = \"1s\"";
    let counts = at(&folder, text).unwrap();
    assert_eq!(counts.natural_duration(), Some(Span::from_secs(3600)));
    assert!((counts.mean_rate(Span::from_secs(3600)) - 262.6).abs() < 0.05);
    assert_eq!(counts.peak_rate(), 387.0);
}

#[test]
fn impossible_arrivals_are_refused_with_their_reason() {
    for (text, expected) in [
        ("kind = \"poisson\"\nrate = -1", "expected at least 0"),
        ("kind = \"poisson\"\nrate = 1e12", "at most 1e7"),
        ("kind = \"poison\"\nrate = 1", "did you mean \"poisson\""),
        ("kind = \"renewal\"\nrate = 1", "kind = \"poisson\""),
        ("kind = \"renewal\"\ninterarrival = \"0s\"", "at least 100ns"),
        ("kind = \"steps\"\nloads = []\nstep = \"1s\"", "`arrivals.loads` is empty"),
        ("kind = \"piecewise\"\npoints = [{ at = \"1s\", rate = 1 }]", "first point at \"0s\""),
        (
            "kind = \"piecewise\"\npoints = [{ at = \"0s\", rate = 1 }, { at = \"0s\", rate = 2 }]",
            "ascending order",
        ),
        ("kind = \"diurnal\"\nrate = 1", "expected either `rate` and `amplitude`"),
        ("kind = \"diurnal\"\npeak = 1\ntrough = 2", "above `peak`"),
        ("kind = \"diurnal\"\nrate = 1\namplitude = 0\nweek = [1]", "expected seven"),
        ("kind = \"mmpp\"\nstates = [{ rate = 1, duration = \"1s\" }]", "at least two states"),
        (
            "kind = \"mmpp\"\nstates = [{ rate = 1, duration = \"1s\" }, { rate = 2, duration = \"1s\" }]\ntransitions = [[0, 0.9], [1, 0]]",
            "add up to 1",
        ),
        (
            "kind = \"mmpp\"\nstates = [{ rate = 1, duration = \"1s\" }, { rate = 2, duration = \"1s\" }]\ntransitions = [[0.5, 0.5], [1, 0]]",
            "follow itself",
        ),
        ("kind = \"trace\"\nfile = \"x.csv\"", "`x.csv` does not exist"),
        (
            "kind = \"poisson\"\nrate = 1\nspikes = [{ at = \"0s\", duration = \"9s\", rate = 1, every = \"5s\" }]",
            "no less than `duration`",
        ),
    ] {
        assert!(problem(text).contains(expected), "{text}\n  gave {}\n  not {expected}", problem(text));
    }
}

#[test]
fn every_default_of_the_schema_reads() {
    let context = Context::default();
    for variant in Arrivals::SPEC.variants {
        for key in variant.keys.iter().chain(Arrivals::SPEC.common) {
            if let Some(default) = key.default() {
                let node = Tree::parse_value(default, Place::Nowhere).unwrap();
                key.accepts(&node, key.name(), &context).unwrap_or_else(|p| panic!("{}: {p:?}", key.name()));
            }
        }
    }
}

/// Poisson arrivals with a profile are those of the same piecewise rate, and MMPP keeps its mean share in each part.
#[test]
fn a_profile_gives_each_part_its_share_of_the_requests() {
    for kind in [
        "kind = \"poisson\"\nrate = 6",
        "kind = \"renewal\"\nrate = 6\ncv = 2",
        "kind = \"mmpp\"\nstates = [{ rate = 10, duration = \"2s\" }, { rate = 2, duration = \"2s\" }]",
    ] {
        let arrivals = read(&format!("{kind}\nprofile = {{ every = \"20s\", factors = [0, 2, 1] }}"));
        assert_eq!(arrivals.mean_rate(Span::from_secs(60)), 6.0);
        assert_eq!(arrivals.mean_rate(Span::from_secs(90)), 16.0 / 3.0);
        assert_eq!(arrivals.rate_at(Instant::from_nanos(25 * SECOND)), Some(12.0));
        assert_eq!(before(&arrivals, 0, 60).iter().filter(|instant| **instant < 20 * SECOND).count(), 0);
        // The mean of a renewal process that starts with a whole gap is (cv² − 1)/2 off, which is small beside the spread.
        for (from, to) in [(20, 40), (40, 60), (60, 180)] {
            let t = t_of_counts(&arrivals, from, to);
            assert!(t.abs() < 3.46, "{kind}: {t} in {from} to {to}");
        }
        let long = draw(&arrivals, 1, 5000);
        assert!(long.is_sorted());
        let mut again = Vec::new();
        let mut stream = arrivals.stream(Streams::new(5, 1));
        for count in [1, 7, 992, 4000] {
            stream.fill(&mut again, count);
        }
        assert_eq!(long, again, "however they are divided into calls");
    }
    assert_dispersion(
        &read("kind = \"poisson\"\nrate = 9\nprofile = { every = \"5s\", factors = [0.5, 1.5] }"),
        10,
        1.0,
    );
    assert!(
        problem("kind = \"poisson\"\nrate = 9\nprofile = { every = \"5s\", factors = [0, 0] }")
            .contains("no factor above 0")
    );
    let silent = read("kind = \"poisson\"\nrate = 0\nprofile = { every = \"5s\", factors = [1] }");
    assert!(draw(&silent, 0, 3).iter().all(|instant| *instant == u64::MAX));
}
