//! Damaged scenarios: every shipped one with lines and words deleted, doubled and replaced. Whatever comes of it, it is a
//! scenario that runs or a message; never a panic.

use kneepoint::internals::random::{Purpose, Streams};
use kneepoint::internals::scenario::{Scenario, ScenarioFile};
use kneepoint::internals::sim::{Options, simulate};
use kneepoint::internals::time::Span;
use rand::RngExt as _;

use crate::scenarios::shipped;

/// Damaged copies of each scenario.
const COPIES: u64 = 400;

/// What takes the place of a word.
const NASTY: [&str; 34] = [
    "0",
    "-1",
    "1e308",
    "-1e-308",
    "nan",
    "inf",
    "9223372036854775807",
    "0.1",
    "1.5",
    "true",
    "\"\"",
    "\"0s\"",
    "\"1ns\"",
    "\"36500d\"",
    "\"-5m\"",
    "\"5\"",
    "\"1h 30m\"",
    "[]",
    "{}",
    "[[]]",
    "\"kind\"",
    "=",
    ",",
    "[",
    "}",
    "#",
    "\"\\u0000\"",
    "\"漢\"",
    "\u{202E}",
    "2020-01-01",
    "\"fixed\"",
    "\"central_queue\"",
    "a.b",
    "\"../x\"",
];

/// A copy of `text` with one to three things done to it.
fn damaged(text: &str, draw: &mut impl FnMut(usize) -> usize) -> String {
    // Without comments: what is done to them changes nothing.
    let code = |line: &str| line.split_once(" #").map_or(line, |(code, _)| code).to_owned();
    let mut lines: Vec<String> =
        text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(code).collect();
    for _ in 0..1 + draw(3) {
        let at = draw(lines.len());
        match draw(5) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[draw(lines.len())].clone()),
            2 => lines[at] = lines[at].chars().take(draw(lines[at].len() + 1)).collect(),
            _ => {
                let words: Vec<&str> = lines[at].split(' ').collect();
                let chosen = draw(words.len());
                let nasty = NASTY[draw(NASTY.len())];
                let with = words.iter().enumerate().map(|(i, word)| if i == chosen { nasty } else { word });
                lines[at] = with.collect::<Vec<_>>().join(" ");
            }
        }
        if lines.is_empty() {
            break;
        }
    }
    lines.join("\n")
}

/// Runs a little of it, if that is little.
fn run_a_little(mut scenario: Scenario) {
    let model = &mut scenario.model;
    model.duration = model.duration.min(Span::from_secs(120));
    model.warmup = Span::ZERO;
    let requests = model.arrivals.mean_rate(model.duration) * model.duration.as_secs_f64();
    if requests > 2e4 || model.initial_instances() > 2_000 {
        return;
    }
    let mark_interval = scenario.run.timeline_interval.max(Span::from_nanos(100_000_000));
    let options = Options { mark_interval, timeline: true, decisions: true };
    let (outcome, ()) = simulate(&scenario.model, Streams::new(1, 0), &options, ());
    assert!(outcome.counts.conserved(), "{:?}", outcome.counts);
}

#[test]
fn a_damaged_scenario_is_run_or_refused_and_never_panics() {
    let (mut ran, mut refused) = (0, 0);
    for (number, path) in shipped().iter().enumerate() {
        let text = std::fs::read_to_string(path).unwrap();
        let mut rng = Streams::new(7, number as u64).stream(Purpose::Design);
        for _ in 0..COPIES {
            let copy = damaged(&text, &mut |below: usize| rng.random_range(0..below.max(1)));
            let run = std::panic::catch_unwind(|| {
                let file = ScenarioFile::parse("damaged.toml", &copy, path.parent().unwrap())?;
                let scenario = file.scenario()?;
                file.variants()?;
                if let Some(point) = file.points()?.first() {
                    file.check_fits(&point.scenario, 1 << 30, 2)?;
                }
                file.check_fits(&scenario, 1 << 30, 2)?;
                run_a_little(scenario);
                Ok(())
            });
            let result: Result<(), kneepoint::internals::scenario::ScenarioError> =
                run.unwrap_or_else(|_| panic!("{} damaged to:\n{copy}", path.display()));
            match result {
                Ok(()) => ran += 1,
                Err(error) => {
                    let message = error.render(false);
                    assert!(
                        message.starts_with("error: ") && message.lines().count() < 20,
                        "{message}\n{copy}"
                    );
                    refused += 1;
                }
            }
        }
    }
    // The damage is neither harmless nor always fatal.
    assert!(ran > 100 && refused > 500, "{ran} ran, {refused} were refused");
}
