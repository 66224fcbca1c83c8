//! Measured levels of load of language models on GPUs, foretold by the formula of `[service.hardware]`: closed loops of a fixed
//! number of requests, driven here as the tests that measured them were. Scored with the constants of the product, which are
//! fitted to all levels, and with each model and GPU left out of what they are fitted to.

mod levels;
mod refit;

use std::collections::BTreeMap;
use std::sync::Arc;

use kneepoint::internals::service::{FITTED, Fitted, Llm, LlmServer, Queue, Request, Server};
use levels::{Level, levels};
use refit::{COUNT, Row, Steps};

use crate::fixtures::data::folder_with;

/// A level and what served it.
struct Case {
    level: Level,
    llm: Llm,
}

/// Mean times of the requests of a level, seconds: to the first token, and of a further one.
#[derive(Debug, Clone, Copy)]
struct Times {
    first: f64,
    further: f64,
}

/// Mean times of the requests of a level, of which as many as were outstanding are sent at once, each of the others as one ends.
fn closed_loop(llm: &Llm, level: &Level) -> Times {
    let drive = level.drive();
    let mut server = LlmServer::new(&Arc::new(llm.clone()), 1.0);
    let mut queue = Queue::default();
    let mut sent = 0_u64;
    let next = |sent: &mut u64, queue: &mut Queue, now: u64| {
        if *sent < drive.requests {
            queue.push(Request { arrival: now, tokens: drive.tokens(level, *sent), ..Request::default() });
            *sent += 1;
        }
    };
    (0..level.outstanding.min(drive.requests)).for_each(|_| next(&mut sent, &mut queue, 0));
    server.admit(&mut queue, 0);
    let (mut ttft, mut tpot, mut ended, mut timed) = (0.0, 0.0, 0_u64, 0_u64);
    while server.next_change() < u64::MAX {
        let now = server.next_change();
        let mut done = 0;
        server.step(&mut |active, first_token| {
            let further = f64::from(active.request.tokens.output) - 1.0;
            ttft += (first_token - active.request.arrival) as f64;
            if further > 0.0 {
                tpot += (now - first_token) as f64 / further;
                timed += 1;
            }
            ended += 1;
            done += 1;
        });
        (0..done).for_each(|_| next(&mut sent, &mut queue, now));
        server.admit(&mut queue, now);
    }
    let further = tpot / timed.max(1) as f64 / 1e9;
    let prompt = level.prompt * (drive.prompts[0] + drive.prompts[1]) / 2.0;
    let outside = llm.overhead_per_prompt_token.as_secs_f64() * prompt
        + (llm.overhead_iterations + drive.held_iterations) * further;
    Times { first: ttft / ended as f64 / 1e9 + outside, further }
}

/// The times of each case with these constants.
fn foretold(cases: &[&Case], fitted: &Fitted) -> Vec<Times> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut times = vec![Times { first: 0.0, further: 0.0 }; cases.len()];
    let each = cases.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        for (cases, times) in cases.chunks(each).zip(times.chunks_mut(each)) {
            scope.spawn(move || {
                for (case, times) in cases.iter().zip(times) {
                    *times = closed_loop(&case.level.with(&case.llm, fitted), &case.level);
                }
            });
        }
    });
    times
}

fn has_experts(level: &Level) -> bool {
    !level.model.starts_with("llama")
}

fn quantile(mut values: Vec<f64>, q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((q * values.len() as f64) as usize).min(values.len() - 1)]
}

/// The relative errors of a group of levels.
struct Errors {
    bias: f64,
    median: f64,
    most: f64,
}

impl Errors {
    /// Of times foretold by measured ones.
    fn of(ratios: impl Iterator<Item = f64>) -> Errors {
        let signed: Vec<f64> = ratios.map(|ratio| ratio - 1.0).collect();
        let sizes: Vec<f64> = signed.iter().map(|error| error.abs()).collect();
        let (bias, median) = (quantile(signed, 0.5), quantile(sizes.clone(), 0.5));
        Errors { bias, median, most: quantile(sizes, 0.8) }
    }

    fn shown(&self) -> String {
        let Errors { bias, median, most } = self;
        format!("{:+.0}, {:.1}, {:.1}", 100.0 * bias, 100.0 * median, 100.0 * most)
    }
}

/// Times of a level foretold by measured ones: TPOT and TTFT.
type Ratios = [f64; 2];

/// The tables of a score, as in `docs/validation.md`; returns the errors of all levels.
fn table(cases: &[Case], ratios: &[Ratios]) -> [Errors; 2] {
    let mut groups: BTreeMap<String, Vec<Ratios>> = BTreeMap::new();
    for (case, ratios) in cases.iter().zip(ratios) {
        let level = &case.level;
        let load = match level.outstanding {
            ..=8 => "outstanding: 1 to 8",
            9..=64 => "outstanding: 9 to 64",
            _ => "outstanding: over 64",
        };
        let latent = level.model.starts_with("deepseek") || level.model.starts_with("kimi");
        let class = match (has_experts(level), latent) {
            (false, _) => "class: dense",
            (true, false) => "class: experts",
            (true, true) => "class: experts, latent attention",
        };
        let mut names = vec!["all".to_owned(), level.engine.to_owned(), level.gpu.clone()];
        names.extend([load.to_owned(), class.to_owned(), format!("model: {} on {}", level.model, level.gpu)]);
        names.into_iter().for_each(|name| groups.entry(name).or_default().push(*ratios));
    }
    println!("| group | levels | TPOT: bias, median, 80th | TTFT: bias, median, 80th |");
    let errors = |of: &[Ratios]| [0, 1].map(|index| Errors::of(of.iter().map(|ratios| ratios[index])));
    for (group, members) in &groups {
        let [tpot, ttft] = errors(members);
        println!("| {group} | {} | {} | {} |", members.len(), tpot.shown(), ttft.shown());
    }
    errors(ratios)
}

/// Share of the levels within the 80 % interval of measured by foretold times, of all groups but their own, and the interval of all.
fn interval(groups: &BTreeMap<String, Vec<f64>>) -> (f64, f64, f64) {
    let (mut inside, mut all) = (0, 0);
    let ends = |ratios: Vec<f64>| (quantile(ratios.clone(), 0.1), quantile(ratios, 0.9));
    for (name, ratios) in groups {
        let others = groups.iter().filter(|(other, _)| *other != name).flat_map(|(_, ratios)| ratios);
        let (low, high) = ends(others.copied().collect());
        inside += ratios.iter().filter(|ratio| (low..=high).contains(*ratio)).count();
        all += ratios.len();
    }
    let (low, high) = ends(groups.values().flatten().copied().collect());
    (inside as f64 / all as f64, low, high)
}

/// How far apart the same setting was measured twice, by versions of the engine or other ways to divide experts: the greater time by
/// the less, of TPOT and TTFT.
fn repeated(cases: &[Case]) -> Vec<Ratios> {
    let mut settings: BTreeMap<String, Vec<&Level>> = BTreeMap::new();
    cases.iter().for_each(|case| settings.entry(case.level.setting()).or_default().push(&case.level));
    let apart = |levels: &Vec<&Level>, of: fn(&Level) -> f64| {
        let times = || levels.iter().map(|level| of(level));
        times().fold(0.0, f64::max) / times().fold(f64::INFINITY, f64::min)
    };
    let pairs = settings.values().filter(|levels| levels.len() > 1);
    pairs.map(|levels| [apart(levels, |level| level.tpot_ms), apart(levels, |level| level.ttft_ms)]).collect()
}

#[test]
fn measured_levels_are_foretold_by_the_formula_each_group_by_the_others() {
    const FILE: &str = "llm/measured_points.json";
    let Some(folder) = folder_with(FILE) else { return };
    let (mut cases, mut left_out) = (Vec::new(), BTreeMap::new());
    for level in levels(&std::fs::read_to_string(folder.join(FILE)).unwrap()) {
        let Some(llm) = level.machine().filter(|_| level.is_modelled()) else {
            *left_out.entry(format!("{} on {} × {}", level.model, level.gpus, level.gpu)).or_insert(0) += 1;
            continue;
        };
        cases.push(Case { level, llm });
    }
    println!("left out: {left_out:?}");
    let all: Vec<&Case> = cases.iter().collect();
    let shipped = foretold(&all, &FITTED);
    let ratios = |level: &Level, times: Times| {
        [times.further * 1e3 / level.tpot_ms, times.first * 1e3 / level.ttft_ms]
    };
    let own: Vec<Ratios> =
        cases.iter().zip(&shipped).map(|(case, times)| ratios(&case.level, *times)).collect();
    println!("fitted to all levels:");
    let _ = table(&cases, &own);

    // With each group left out.
    const STEP: f64 = 0.05;
    let changed: Vec<Vec<Times>> = (0..COUNT)
        .map(|index| {
            let mut steps = [0.0; COUNT];
            steps[index] = STEP;
            foretold(&all, &refit::moved(&FITTED, &steps))
        })
        .collect();
    let slopes = |case: usize, time: fn(&Times) -> f64| -> Steps {
        std::array::from_fn(|index| (time(&changed[index][case]) / time(&shipped[case])).ln() / STEP)
    };
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, case) in cases.iter().enumerate() {
        groups.entry(case.level.group()).or_default().push(index);
    }
    let mut kinds: BTreeMap<String, f64> = BTreeMap::new();
    let kind = |case: &Case| format!("{} {}", case.level.group(), case.level.engine);
    cases.iter().for_each(|case| *kinds.entry(kind(case)).or_default() += 1.0);
    let row = |index: usize| Row {
        errors: own[index].map(|ratio| -ratio.ln()),
        slopes: [slopes(index, |times| times.further), slopes(index, |times| times.first)],
        weight: 1.0 / kinds[&kind(&cases[index])].sqrt(),
    };
    let rows: Vec<Row> = (0..cases.len()).map(row).collect();
    println!("steps to the best constants: {:.2?}", refit::best(&FITTED, &rows));
    let mut others_only = own.clone();
    let mut times_by_others: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (group, members) in &groups {
        let others = (0..cases.len()).filter(|index| !members.contains(index)).map(|index| rows[index]);
        let steps = refit::best(&FITTED, &others.collect::<Vec<_>>());
        let of_group: Vec<&Case> = members.iter().map(|index| &cases[*index]).collect();
        for (index, times) in members.iter().zip(foretold(&of_group, &refit::moved(&FITTED, &steps))) {
            others_only[*index] = ratios(&cases[*index].level, times);
            times_by_others.entry(group.clone()).or_default().push(1.0 / others_only[*index][0]);
        }
    }
    println!("each model and GPU left out:");
    let [tpot, ttft] = table(&cases, &others_only);
    let (covered, low, high) = interval(&times_by_others);
    println!(
        "measured by foretold TPOT, left out: 80 % within {low:.3} to {high:.3}; each group in that of the others, {covered:.3}"
    );
    let apart = repeated(&cases);
    let at = |index: usize, q: f64| quantile(apart.iter().map(|ratios| ratios[index]).collect(), q);
    println!(
        "{} settings measured more than once: TPOT {:.2} apart at the median, {:.2} at the 80th percentile; TTFT {:.2}, {:.2}",
        apart.len(),
        at(0, 0.5),
        at(0, 0.8),
        at(1, 0.5),
        at(1, 0.8)
    );
    assert!(tpot.median < 0.12 && tpot.most < 0.20, "TPOT {}", tpot.shown());
    assert!(ttft.median < 0.18, "TTFT {}", ttft.shown());
    let stated = cases[0].llm.uncertainty.as_ref().unwrap().between;
    assert!(
        (low - stated.0).abs() < 0.015 && (high - stated.1).abs() < 0.015,
        "{low} to {high}, stated {stated:?}"
    );
    assert!((0.75..=0.85).contains(&covered), "{covered}");
}
