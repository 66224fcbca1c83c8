//! The exact results of `theory` against independently computed reference values.
use std::collections::BTreeMap;

use kneepoint::internals::theory::single::Interarrival;
use kneepoint::internals::theory::{
    autoscaled, balanced, batching, impatient, markovian, periodic, setup, sharing, single, unreliable,
};
use serde_json::Value;

const CLOSED: f64 = 1e-9;
const CHAIN: f64 = 1e-6;

/// Compares our named values with the reference's and counts them; a name the reference lacks fails.
struct Case<'a> {
    family: &'a str,
    params: &'a Value,
    values: &'a Value,
    compared: usize,
}

impl Case<'_> {
    fn p(&self, name: &str) -> f64 {
        self.params[name].as_f64().unwrap_or_else(|| panic!("{}: no parameter {name}", self.family))
    }
    fn n(&self, name: &str) -> usize {
        self.p(name) as usize
    }
    fn list(&self, name: &str) -> Vec<usize> {
        self.params[name].as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
    }
    fn holds(&mut self, tolerance: f64, ours: &[(&str, f64)]) {
        for (name, value) in ours {
            let exact = self.values[*name].as_f64().unwrap_or_else(|| panic!("{}: no {name}", self.family));
            let error = (value - exact).abs() / exact.abs().max(1e-3);
            assert!(error <= tolerance, "{} {} {name}: {value} for {exact}", self.family, self.params);
            self.compared += 1;
        }
    }
}

fn compare(case: &mut Case) -> bool {
    let opt = |name: &str| case.params[name].as_f64();
    match case.family {
        "M/M/1" | "M/M/c" => {
            let single = case.family == "M/M/1";
            let q = markovian::Mmc::new(case.p("lam"), 1.0, if single { 1 } else { case.n("c") }).unwrap();
            let (wait, sojourn) = (|p| q.wait_quantile(p).unwrap(), |p| q.sojourn_quantile(p).unwrap());
            case.holds(CLOSED, &[("L", q.mean_jobs()), ("Lq", q.mean_queue()), ("W", q.mean_sojourn())]);
            case.holds(CLOSED, &[("Wq", q.mean_wait()), ("wait_p95", wait(0.95)), ("wait_p99", wait(0.99))]);
            case.holds(
                CLOSED,
                &[("soj_p50", sojourn(0.5)), ("soj_p95", sojourn(0.95)), ("soj_p99", sojourn(0.99))],
            );
            if single {
                case.holds(CLOSED, &[("p0", q.empty()), ("var_soj", q.sojourn_variance())]);
            } else {
                case.holds(CLOSED, &[("erlangC", q.wait_probability), ("rho", q.utilisation())]);
                case.holds(
                    CLOSED,
                    &[("wait_p50", wait(0.5)), ("wait_p90", wait(0.9)), ("wait_p999", wait(0.999))],
                );
            }
        }
        "Erlang-B (M/G/c/c)" => {
            let b = markovian::erlang_b(case.p("a"), case.n("c")).unwrap();
            case.holds(CLOSED, &[("blocking", b), ("carried", case.p("a") * (1.0 - b))]);
            case.holds(CLOSED, &[("util", case.p("a") * (1.0 - b) / case.p("c"))]);
        }
        "M/M/c/K" => {
            let q = markovian::Mmck::new(case.p("lam"), 1.0, case.n("c"), case.n("K")).unwrap();
            case.holds(CLOSED, &[("p_block", q.blocking()), ("L", q.mean_jobs()), ("Lq", q.mean_queue())]);
            case.holds(CLOSED, &[("W_acc", q.mean_sojourn()), ("Wq_acc", q.mean_wait())]);
            case.holds(CLOSED, &[("throughput", q.throughput()), ("p_delay_acc", q.wait_probability())]);
            case.holds(CLOSED, &[("wait_p95_acc", q.wait_quantile(0.95).unwrap())]);
            case.holds(CLOSED, &[("wait_p99_acc", q.wait_quantile(0.99).unwrap())]);
        }
        "M/G/inf" => {
            let quantile =
                |p| markovian::infinite_server_quantile(case.p("lam"), case.p("ES"), p).unwrap() as f64;
            let ours = [("p99_quantile", quantile(0.99)), ("p999_quantile", quantile(0.999))];
            case.holds(CLOSED, &ours);
            let mean = case.p("lam") * case.p("ES");
            case.holds(CLOSED, &[("L", mean), ("var", mean), ("p0", (-mean).exp())]);
        }
        "M/G/1 (Pollaczek-Khinchine)" => {
            let q = single::Mg1::new(case.p("lam"), [case.p("m1"), case.p("m2"), case.p("m3")]).unwrap();
            case.holds(
                CLOSED,
                &[("Wq", q.mean_wait()), ("W", q.mean_sojourn()), ("var_wait", q.wait_variance())],
            );
            case.holds(CLOSED, &[("P_wait", q.utilisation()), ("rho", q.utilisation())]);
            case.holds(CLOSED, &[("Lq", q.mean_queue()), ("L", q.mean_jobs())]);
        }
        "M/D/1" => {
            let q = markovian::Mdc::new(case.p("lam"), case.p("D"), 1).unwrap();
            let (wait, sojourn) = (q.mean_wait(), q.mean_sojourn());
            case.holds(CLOSED, &[("Wq", wait), ("W", sojourn), ("L", case.p("lam") * sojourn)]);
            for p in ["0.5", "0.9", "0.95", "0.99", "0.999"] {
                let ours = q.wait_quantile(p.parse().unwrap()).unwrap();
                case.holds(CLOSED, &[(&format!("wait_p{p}"), ours)]);
            }
        }
        "M/D/c" => {
            let q = markovian::Mdc::new(case.p("lam"), case.p("D"), case.n("c")).unwrap();
            case.holds(
                CHAIN,
                &[("Lq", q.mean_queue()), ("Wq", q.mean_wait()), ("P_delay", q.wait_probability())],
            );
            case.holds(CHAIN, &[("W", q.mean_sojourn())]);
        }
        "M/H2/c" | "M/E2/c" => {
            let (lam, c) = (case.p("lam"), case.n("c"));
            let q = if case.family == "M/H2/c" {
                markovian::mh2c(lam, 1.0, case.p("cv2"), c)
            } else {
                markovian::me2c(lam, 1.0, c)
            };
            let q = q.unwrap();
            case.holds(CHAIN, &[("Lq", q.mean_queue), ("Wq", q.mean_wait), ("W", q.mean_sojourn)]);
            case.holds(CHAIN, &[("P_delay", q.wait_probability)]);
        }
        "GI/M/1" => {
            let law = match (opt("cv"), opt("k")) {
                (Some(cv), _) => Interarrival::Gamma(1.0 / (cv * cv)),
                (_, Some(k)) => Interarrival::Gamma(k),
                _ => Interarrival::Deterministic,
            };
            let q = single::GiM1::new(case.p("lam"), 1.0, law).unwrap();
            case.holds(CLOSED, &[("sigma", q.sigma), ("W", q.mean_sojourn()), ("Wq", q.mean_wait())]);
            case.holds(CLOSED, &[("wait_p99", q.wait_quantile(0.99).unwrap())]);
            case.holds(CLOSED, &[("soj_p99", q.sojourn_quantile(0.99).unwrap())]);
        }
        "Power-of-d (N->inf mean field)" => {
            for d in [1, 2, 3, 5] {
                let ours = balanced::mean_field_sojourn(case.p("lam"), d).unwrap();
                case.holds(CLOSED, &[(&format!("W_d{d}"), ours)]);
            }
            let longer = |length| balanced::mean_field_tail(case.p("lam"), 2, length).unwrap();
            let (two, three) = (longer(2), longer(3));
            case.holds(CLOSED, &[("frac_servers_ge2_d2", two), ("frac_servers_ge3_d2", three)]);
        }
        "JSQ (join shortest queue, exponential)" | "Power-of-2 finite N" => {
            let k = case.n("k");
            let jsq = opt("d").is_none();
            let lam = if jsq { case.p("lam") } else { case.p("rho") * k as f64 };
            let jobs = balanced::shortest_of(lam, 1.0, k, if jsq { k } else { case.n("d") }).unwrap();
            case.holds(CHAIN, &[("L", jobs), ("W", jobs / lam)]);
            if jsq {
                let sojourn = |lam, c| markovian::Mmc::new(lam, 1.0, c).unwrap().mean_sojourn();
                let (bound, random) = (sojourn(lam, k), sojourn(lam / k as f64, 1));
                case.holds(CLOSED, &[("W_MMk_lower_bound", bound), ("W_random", random)]);
            }
        }
        "MMPP(2)/M/c" => {
            let (lam, leave) = ([case.p("lam1"), case.p("lam2")], [case.p("r12"), case.p("r21")]);
            let (q, waits) = markovian::mmpp2(lam, leave, case.p("mu"), case.n("c")).unwrap();
            case.holds(CHAIN, &[("L", q.mean_jobs), ("Lq", q.mean_queue), ("W", q.mean_sojourn)]);
            case.holds(CHAIN, &[("Wq", q.mean_wait), ("P_delay", q.wait_probability)]);
            case.holds(CHAIN, &[("wait_p95", waits[0].unwrap()), ("wait_p99", waits[1].unwrap())]);
        }
        "M/M/k/setup" | "M/M/k/setup/delayedoff" => {
            let q = setup::mmk_setup(case.p("lam"), 1.0, case.n("k"), case.p("alpha"), opt("beta")).unwrap();
            case.holds(CHAIN, &[("L", q.mean_jobs), ("W", q.mean_sojourn), ("busy", q.busy)]);
            case.holds(CHAIN, &[("setup", q.starting), ("idle", q.idle), ("P_all_off", q.all_off)]);
            case.holds(CHAIN, &[("Wq", q.mean_sojourn - 1.0), ("P_wait_arrival", q.wait_probability)]);
            case.holds(CHAIN, &[("on_total", q.busy + q.starting + q.idle)]);
        }
        "M/M/inf/setup" => {
            let q = setup::infinite_setup(case.p("lam"), case.p("mu"), case.p("alpha")).unwrap();
            case.holds(CLOSED, &[("busy", q.busy), ("setup", q.starting), ("W", q.mean_sojourn)]);
            case.holds(CLOSED, &[("L", q.mean_jobs), ("Wq", q.mean_sojourn - 1.0 / case.p("mu"))]);
        }
        "M/G/1/setup (Welch 1964)" => {
            let (lam, d) = (case.p("lam"), case.p("D"));
            let exp = single::Mg1::new(lam, [1.0, 2.0, 6.0]).unwrap().mean_sojourn();
            let det = single::Mg1::new(lam, [1.0; 3]).unwrap().mean_sojourn();
            let fixed = setup::welch_delay(lam, d, d * d).unwrap();
            let random = setup::welch_delay(lam, d, 2.0 * d * d).unwrap();
            case.holds(CLOSED, &[("W_MM1_detsetup", exp + fixed), ("W_MD1_detsetup", det + fixed)]);
            case.holds(CLOSED, &[("W_MM1_expsetup", exp + random)]);
            let [off, starting] = setup::single_setup_shares(lam, 1.0, d).unwrap();
            case.holds(CLOSED, &[("frac_time_off", off), ("frac_time_setup", starting)]);
            case.holds(CLOSED, &[("frac_time_busy", 1.0 - off - starting)]);
        }
        family if family.starts_with("Scale-to-zero") => {
            let cold = setup::cold_probability(case.p("lam"), case.p("ES"), case.p("tau")).unwrap();
            case.holds(CLOSED, &[("p_cold", cold), ("frac_alive", 1.0 - cold)]);
            let rate = case.p("lam") * cold;
            case.holds(CLOSED, &[("cold_rate", rate), ("mean_alive_period", (1.0 - cold) / rate)]);
        }
        family if family.starts_with("Hysteresis") => {
            let (up, down) = (case.list("F"), case.list("R"));
            let q = autoscaled::hysteresis(case.p("lam"), 1.0, &up, &down, opt("alpha")).unwrap();
            let delayed = opt("alpha").is_some();
            case.holds(CHAIN, &[("L", q.mean_jobs), ("W", q.mean_sojourn), ("Wq", q.mean_sojourn - 1.0)]);
            if delayed {
                case.holds(CHAIN, &[("mean_billed", q.ready + q.pending)]);
                case.holds(CHAIN, &[("mean_ready", q.ready), ("mean_pending", q.pending)]);
            } else {
                case.holds(CHAIN, &[("mean_servers", q.ready), ("scaleups_per_time", q.scale_ups)]);
            }
        }
        "M/M/c+M (Erlang-A, exponential patience)" => {
            let lam = case.p("lam");
            let q = impatient::erlang_a(lam, 1.0, case.n("c"), case.p("theta")).unwrap();
            case.holds(CLOSED, &[("P_abandon", q.abandoned), ("P_delay", q.wait_probability)]);
            case.holds(CLOSED, &[("mean_wait_all", q.mean_wait), ("Lq", lam * q.mean_wait)]);
            case.holds(CLOSED, &[("throughput", q.busy), ("util", q.busy / case.p("c"))]);
        }
        "M/M/c+D (deterministic queue timeout)" => {
            let q = impatient::timeout(case.p("lam"), 1.0, case.n("c"), case.p("tau")).unwrap();
            case.holds(CLOSED, &[("P_timeout", q.abandoned), ("P_delay", q.wait_probability)]);
            let served = q.mean_wait_served(case.p("tau"));
            case.holds(CLOSED, &[("mean_wait_all", q.mean_wait), ("mean_wait_served", served)]);
            case.holds(CLOSED, &[("throughput", q.busy), ("util", q.busy / case.p("c"))]);
        }
        "Mt/M/inf (sinusoidal arrivals)" => {
            let period = case.p("period");
            let q = single::SineLoad::new(case.p("lbar"), case.p("beta"), period, case.p("ES")).unwrap();
            case.holds(CLOSED, &[("peak_mean_N", q.peak()), ("trough_mean_N", q.trough())]);
            case.holds(CLOSED, &[("lag_of_peak_s", q.lag()), ("m_quarter_period", q.mean_at(period / 4.0))]);
            case.holds(CLOSED, &[("m_half_period", q.mean_at(period / 2.0))]);
        }
        "Fluid step response" => {
            let mu = case.p("mu");
            let q = single::fluid_step(case.p("lam1"), case.p("c0") * mu, case.p("c1") * mu, case.p("cold"));
            let q = q.unwrap();
            case.holds(CLOSED, &[("peak_backlog", q.peak_backlog), ("peak_delay_s", q.peak_delay)]);
            case.holds(CLOSED, &[("drain_time_s", q.drain_time), ("requests_delayed", q.delayed)]);
            case.holds(CLOSED, &[("total_delay_request_seconds", q.total_delay)]);
            case.holds(CLOSED, &[("mean_delay_of_delayed", q.total_delay / q.delayed)]);
        }
        "M/M/1 non-preemptive priority" => {
            let waits = single::priority_waits(&[case.p("lam1"), case.p("lam2")], 1.0).unwrap();
            case.holds(CLOSED, &[("Wq_high", waits[0]), ("Wq_low", waits[1])]);
            let together = markovian::Mmc::new(case.p("lam1") + case.p("lam2"), 1.0, 1).unwrap();
            case.holds(CLOSED, &[("Wq_conservation", together.mean_wait())]);
        }
        family if family.starts_with("Periodic proportional") => {
            let (lam, mu) = (case.p("lam"), case.p("mu"));
            let slow_start = case.params["startup_is_one_period"].as_bool().unwrap();
            let (target, period) = (case.p("target"), case.p("T"));
            let (min, max) = (case.n("min"), case.n("max"));
            let pool = periodic::Proportional { lam, mu, target, period, min, max, slow_start };
            let q = pool.averages().unwrap();
            case.holds(CHAIN, &[("L", q.mean_jobs), ("W", q.mean_sojourn), ("busy", q.busy)]);
            case.holds(CHAIN, &[("mean_active", q.active), ("mean_pending", q.pending)]);
            case.holds(CHAIN, &[("mean_billed", q.active + q.pending), ("util", q.busy / q.active)]);
            case.holds(CHAIN, &[("P_wait", q.wait_probability), ("Wq", q.mean_sojourn - 1.0 / mu)]);
        }
        "M/G/1-PS" => {
            let q = sharing::Mg1Ps::new(case.p("lam"), case.p("ES")).unwrap();
            case.holds(CLOSED, &[("W", q.mean_sojourn()), ("L", q.mean_jobs()), ("slowdown", q.slowdown())]);
            case.holds(
                CLOSED,
                &[("W_given_x2", 2.0 * q.slowdown()), ("var_soj_MM1PS", q.sojourn_variance())],
            );
        }
        "M/G/c-PS (egalitarian, rate min(1,c/n))" => {
            let q = markovian::Mmc::new(case.p("lam"), 1.0, case.n("c")).unwrap();
            case.holds(CLOSED, &[("L", q.mean_jobs()), ("W", q.mean_sojourn())]);
            // The same by its birth-death chain, cut off where it is never reached.
            let rates: Vec<f64> = (1..=2000).map(|n| f64::from(n).min(case.p("c"))).collect();
            let q = sharing::LoadDependent::new(case.p("lam"), &rates).unwrap();
            case.holds(CLOSED, &[("L", q.mean_jobs), ("W", q.mean_sojourn)]);
        }
        "State-dependent PS (continuous-batching idealisation)" => {
            let seconds = |n: f64| (case.p("W_ms") + case.p("H_ms") * n) * case.p("mean_tokens") / 1e3;
            let rates: Vec<f64> = (1..=case.n("cap")).map(|n| n as f64 / seconds(n as f64)).collect();
            let last = rates[rates.len() - 1];
            let q = sharing::LoadDependent::new(case.p("lam"), &rates).unwrap();
            case.holds(CLOSED, &[("L", q.mean_jobs), ("W", q.mean_sojourn), ("mean_active", q.mean_active)]);
            case.holds(CLOSED, &[("p_wait", q.wait_probability), ("Wq", q.mean_wait), ("p0", q.empty)]);
            case.holds(CLOSED, &[("saturation_rate", last), ("rho_at_cap", case.p("lam") / last)]);
        }
        "Dynamic batching M/D[b]/1, unlimited batch (Inoue 2021)"
        | "Dynamic batching with max batch size" => {
            let (lam, slope, constant) = (case.p("lam"), case.p("alpha"), case.p("tau0"));
            let most = opt("bmax").map(|most| most as usize);
            let q = batching::Batching::new(lam, slope, constant, most).unwrap();
            case.holds(CHAIN, &[("W", q.mean_sojourn), ("L", q.mean_jobs), ("mean_batch", q.mean_batch)]);
            case.holds(CHAIN, &[("util", q.utilisation)]);
            if most.is_none() {
                let [phi0, phi1] = batching::sojourn_bounds(lam, slope, constant).unwrap();
                let bound = phi0.min(phi1);
                case.holds(CLOSED, &[("phi0", phi0), ("phi1", phi1), ("upper_bound", bound)]);
                assert!(q.mean_sojourn <= bound * (1.0 + 1e-9), "{q:?} above {bound}");
            }
        }
        "M/M/c with instance failures (spot)" => {
            let (lam, c) = (case.p("lam"), case.n("c"));
            let q = unreliable::failing(lam, case.p("mu"), c, case.p("xi"), case.p("eta")).unwrap();
            case.holds(CHAIN, &[("L", q.mean_jobs), ("W", q.mean_sojourn), ("mean_up", q.mean_up)]);
            case.holds(CHAIN, &[("restarts_per_request", q.restarts_per_request)]);
        }
        "M/M/c/c with retries (retrial queue)" => {
            let q = unreliable::retrial(case.p("lam"), 1.0, case.n("c"), case.p("gamma")).unwrap();
            case.holds(CHAIN, &[("orbit", q.orbit), ("mean_wait", q.mean_wait), ("busy", q.busy)]);
            case.holds(CHAIN, &[("P_block_first", q.blocked)]);
        }
        _ => return false,
    }
    true
}

#[test]
fn every_family_agrees_with_its_reference_values() {
    let reference: Value = serde_json::from_str(include_str!("../reference/theory.json")).unwrap();
    let mut failed = BTreeMap::new();
    let mut without = Vec::new();
    for (family, table) in reference["families"].as_object().unwrap() {
        let began = std::time::Instant::now();
        let mut compared = 0;
        for case in table["cases"].as_array().unwrap() {
            let result = std::panic::catch_unwind(|| {
                let mut case = Case { family, params: &case["params"], values: &case["values"], compared: 0 };
                compare(&mut case).then_some(case.compared)
            });
            match result {
                Ok(Some(count)) => compared += count,
                Ok(None) => without.push(family.as_str()),
                Err(_) => *failed.entry(family.as_str()).or_insert(0) += 1,
            }
        }
        println!("{family}: {compared} values compared in {:.2} s", began.elapsed().as_secs_f64());
    }
    without.dedup();
    println!("reference only, no code yet: {without:?}");
    assert!(failed.is_empty(), "cases that disagree: {failed:?}");
}

#[test]
fn heavy_traffic_and_large_pools_are_solved_within_their_laws() {
    // Work conservation: the mean number busy is the offered load, whatever the rest.
    for (lam, k, alpha, beta) in [(0.99, 1, 0.1, None), (19.8, 20, 0.2, None), (27.0, 30, 0.1, Some(0.5))] {
        let q = setup::mmk_setup(lam, 1.0, k, alpha, beta).unwrap();
        assert!((q.busy / lam - 1.0).abs() < 1e-8, "{lam} {k}: {q:?}");
    }
    // Closed forms in the hundreds of servers, against the bounds of Erlang B and C.
    let q = markovian::Mmc::new(396.0, 1.0, 400).unwrap();
    let blocking = markovian::erlang_b(396.0, 400).unwrap();
    assert!(blocking < q.wait_probability && q.wait_probability < 1.0);
    assert!((markovian::Mmc::new(0.99, 1.0, 1).unwrap().mean_jobs() - 99.0).abs() < 1e-9);
    assert!((markovian::Mdc::new(0.99, 1.0, 1).unwrap().mean_wait() / 49.5 - 1.0).abs() < 1e-9);
    // A queue cut off where it never reaches is no other than one without an end; and one that is flooded is full.
    let cut = markovian::Mmck::new(180.0, 1.0, 200, 2000).unwrap();
    let whole = markovian::Mmc::new(180.0, 1.0, 200).unwrap();
    assert!((cut.mean_jobs() / whole.mean_jobs() - 1.0).abs() < 1e-9);
    let flooded = markovian::Mmck::new(1e9, 1.0, 2, 500).unwrap();
    assert!((flooded.mean_jobs() - 500.0).abs() < 1e-6);
    // Join the shortest of two in heavy traffic: between one common queue and twice its server's queue alone.
    let jobs = balanced::shortest_of(1.98, 1.0, 2, 2).unwrap();
    assert!((markovian::Mmc::new(1.98, 1.0, 2).unwrap().mean_jobs()..110.0).contains(&jobs), "{jobs}");
    let served = markovian::Mdc::new(180.0, 1.0, 200).unwrap();
    assert!(served.mean_wait() < markovian::Mmc::new(180.0, 1.0, 200).unwrap().mean_wait());
}

#[test]
fn what_cannot_be_solved_is_refused() {
    use kneepoint::internals::theory::Error::{OutOfRange, TooLarge, Unstable};
    assert_eq!(markovian::erlang_b(1.0, usize::MAX).unwrap_err(), OutOfRange);
    assert_eq!(markovian::Mmc::new(1.0, 1.0, 0).unwrap_err(), OutOfRange);
    assert_eq!(markovian::Mmc::new(2.0, 1.0, 2).unwrap_err(), Unstable);
    assert_eq!(markovian::Mdc::new(9e5, 1.0, 1_000_000).unwrap_err(), TooLarge);
    assert_eq!(markovian::infinite_server_quantile(1e15, 1.0, 0.5).unwrap_err(), TooLarge);
    assert_eq!(markovian::mh2c(0.5, 1.0, 1.0, 1).unwrap_err(), OutOfRange);
    assert_eq!(setup::mmk_setup(1.0, 1.0, usize::MAX, 1.0, None).unwrap_err(), OutOfRange);
    assert_eq!(setup::mmk_setup(f64::INFINITY, 1.0, 2, 1.0, None).unwrap_err(), OutOfRange);
    assert_eq!(setup::infinite_setup(1.0, 1.0, 1e-300).unwrap_err(), TooLarge);
    assert_eq!(balanced::shortest_of(1.0, 1.0, 5, 5).unwrap_err(), OutOfRange);
    assert_eq!(autoscaled::hysteresis(1.0, 1.0, &[usize::MAX], &[0], None).unwrap_err(), TooLarge);
    assert_eq!(single::Mg1::new(1.0, [1.0; 3]).unwrap_err(), Unstable);
    assert_eq!(markovian::Mmc::new(0.5, 1.0, 1).unwrap().wait_quantile(1.0), None);
}
