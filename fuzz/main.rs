//! Gives damaged texts to everything that reads, and counts what comes of them. None may panic, every message must be short
//! and without control characters, and nothing may take long.
//!
//! ```text
//! cargo test --test fuzz                                         200 inputs of the slowest target, more of the faster: CI
//! cargo test --release --test fuzz -- --inputs 100000           as many as one has time for
//! cargo test --release --test fuzz -- cron --inputs 1e6 --seed 7
//! cargo test --release --test fuzz -- cron --seed 7 --only 1234  one input again, shown before it is read
//! ```
//!
//! An input is known by seed, target and number. What was tried stands in `fuzz/LOG.md`.

mod mutate;
mod targets;
mod traffic;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use mutate::{Draw, mutated, words};
use targets::{Outcome, Target};

/// Inputs of the slowest target where no number is given.
const INPUTS: u64 = 200;

/// Longer than any message has to be.
const LONGEST_MESSAGE: usize = 4_000;

/// What an input may take, on a machine that does much else: far more than it does.
const SLOW: Duration = Duration::from_secs(10);

struct Arguments {
    only_target: Option<String>,
    inputs: u64,
    seed: u64,
    only: Option<u64>,
}

/// The arguments, of which those of the test harness of others are let pass.
fn arguments() -> Arguments {
    let mut read = Arguments { only_target: None, inputs: INPUTS, seed: 1, only: None };
    let mut all = std::env::args().skip(1);
    while let Some(argument) = all.next() {
        let mut number = || all.next().and_then(|text| text.parse::<f64>().ok()).map(|number| number as u64);
        match argument.as_str() {
            "--inputs" => read.inputs = number().unwrap_or(INPUTS),
            "--seed" => read.seed = number().unwrap_or(1),
            "--only" => read.only = number(),
            name if !name.starts_with('-') => read.only_target = Some(name.to_owned()),
            _ => {}
        }
    }
    read
}

fn main() -> ExitCode {
    let arguments = arguments();
    let mut failed = 0;
    let mut total = 0;
    // Panics are told with their input.
    std::panic::set_hook(Box::new(|_| {}));
    println!("{:<32} {:>12} {:>12} {:>12} {:>10}", "target", "inputs", "read", "refused", "slowest");
    for (index, target) in targets::all().iter().enumerate() {
        let is_asked = |name: &String| target.name.contains(name.as_str());
        if arguments.only_target.as_ref().is_some_and(|name| !is_asked(name)) {
            continue;
        }
        match run(target, index as u64, &arguments) {
            Ok(tried) => total += tried,
            Err(why) => {
                eprintln!("{}: {why}", target.name);
                failed += 1;
            }
        }
    }
    println!("{total} inputs, seed {}: {failed} targets failed", arguments.seed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Tries the inputs of a target; how many there were.
fn run(target: &Target, index: u64, arguments: &Arguments) -> Result<u64, String> {
    let words = words(&target.seeds);
    let says = |seed: &Vec<u8>| match (target.read)(seed) {
        Outcome::Read => None,
        Outcome::Refused(message) => Some(message),
        Outcome::NoValue => Some("no value".to_owned()),
    };
    // An example that is right shows that the target is asked right.
    let refusals: Vec<Option<String>> = target.seeds.iter().map(says).collect();
    if refusals.iter().all(Option::is_some) {
        return Err(format!("refuses every example: {refusals:?}"));
    }
    let numbers = match arguments.only {
        Some(number) => number..number + 1,
        None => 0..arguments.inputs * target.share,
    };
    let (mut read, mut refused, mut slowest) = (0_u64, 0_u64, Duration::ZERO);
    for number in numbers.clone() {
        let input =
            mutated(&target.seeds, &words, target.longest, &mut Draw::of(arguments.seed, index, number));
        if arguments.only.is_some() {
            println!("{}", input.escape_ascii());
        }
        let wrong = |why: String| {
            Err(format!("seed {}, input {number}: {why}\n{}", arguments.seed, input.escape_ascii()))
        };
        let began = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| (target.read)(&input)));
        let took = began.elapsed();
        slowest = slowest.max(took);
        match outcome {
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
                return wrong(format!("panicked: {text}"));
            }
            Ok(Outcome::Read) => read += 1,
            Ok(Outcome::NoValue) => refused += 1,
            Ok(Outcome::Refused(message)) => {
                refused += 1;
                let bad = message.chars().find(|c| c.is_control() && *c != '\n' || *c == '\u{202e}');
                if !message.starts_with("error: ") || message.len() > LONGEST_MESSAGE || bad.is_some() {
                    return wrong(format!("a message of {} bytes: {message:?}", message.len()));
                }
            }
        }
        if took > SLOW {
            return wrong(format!("took {took:?}"));
        }
    }
    let tried = numbers.end - numbers.start;
    println!("{:<32} {tried:>12} {read:>12} {refused:>12} {slowest:>10.1?}", target.name);
    Ok(tried)
}
