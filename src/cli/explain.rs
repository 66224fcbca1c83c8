//! `kneepoint explain FILE`.

use std::path::PathBuf;

use super::outputs::{self, Printed};
use super::{Answer, Failure, Global, Show, progress, run, session};
use crate::explain::{self, ExplainError, Moment};
use crate::report::{Folder, compose, file_name};
use crate::time::Span;
use crate::traffic::{shown_instant, wall_clock};
use crate::units::parse_span;

/// Explain why a scenario was slow when it was slow, and why it costs what it costs.
///
/// Runs it again on the same random numbers with one cause taken away at a time, and several: cold starts, the delay of
/// metrics, the evaluation interval, limits of scale-up, delays of scale-down, the maximum, failures, retries, dispatch.
/// Reports what goes with each, the one key that would have helped most, and the worst times in words; writes summary.json,
/// causes.csv, timeline.csv, charts and report.html to output/<scenario name>-explain. See docs/explain.md.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kneepoint explain scenarios/quickstart.toml --at 0:12")]
pub(super) struct Arguments {
    /// The scenario file.
    file: PathBuf,
    /// Explain this variant instead of the base scenario.
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// The moment to explain: 14:05 (hours and minutes), 14:05:30, or a time from the start of the run such as 90m. Where the
    /// arrivals were recorded with dates, 14:05 is the time of day in UTC, and 2026-05-04T14:05:00Z is a moment too; else it
    /// counts from the start of the run.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    #[command(flatten)]
    printed: Printed,
}

pub(super) fn execute(
    arguments: &Arguments,
    global: &Global,
    show: &mut Show<'_>,
) -> Result<Answer, Failure> {
    let plan = session::read(&arguments.file, global)?;
    let warnings = session::warnings(&plan, global);
    let scenario = match &arguments.variant {
        Some(name) => run::pick(plan.alternatives.clone(), name)?.1,
        None => plan.scenario.clone(),
    };
    session::check_fits(&plan, std::iter::once(&scenario), global)?;
    let start = scenario.model.arrivals.starts_at();
    let at = arguments.at.as_deref().map(|text| moment(text, scenario.model.duration, start)).transpose()?;
    let mut out = session::out(&plan, global);
    if global.out.is_none() {
        out.set_file_name(file_name(&format!("{}-explain", plan.scenario.name)));
    }
    let folder = Folder::open(&out).map_err(Failure::could_not)?;
    let variant = arguments.variant.as_deref();
    let result = progress::watched(global, &[&scenario], None, |evaluator| {
        explain::explain(plan.file(), variant, at, evaluator)
    })?;
    let result = result.map_err(|error| match error {
        ExplainError::Scenario(error) => session::refused(error),
        ExplainError::Run(error) => Failure::of_run(&error, variant),
        ExplainError::Stopped => Failure::could_not(format!("{error}; nothing was written")),
    })?;
    let report = compose::explain(&result);
    outputs::deliver(&report, folder, (&arguments.printed, global), (warnings, "what had finished is"), show)
}

/// The instant that `text` names, within a run of this length that starts at `start`, nanoseconds since 1970, if it is known
/// by date. Then a time of day is that of the recording.
fn moment(text: &str, duration: Span, start: Option<i64>) -> Result<Moment, Failure> {
    let refuse = |why: String| Failure::bad_input(format!("error: `--at {text}` {why}"));
    const EXPECTED: &str = "is no moment\n  expected a time of day, as in 14:05 or 14:05:30, a date with one, as in \
                            2026-05-04T14:05:00Z, or a time from the start of the run, as in 90m";
    let none = || refuse(EXPECTED.to_owned());
    let parts: Vec<&str> = text.split(':').collect();
    let since = |start: i64, at: i64| (at - start) as f64 / 1e9;
    let seconds = if let Some(at) = wall_clock(text) {
        let unknown = "is a date, and the arrivals of the scenario are known by none\n  expected a time from the start of \
                       the run, as in 14:05 or 90m";
        since(start.ok_or_else(|| refuse(unknown.to_owned()))?, at)
    } else {
        let of_day = match parts[..] {
            [span] => {
                return within(parse_span(span).map_err(|_| none())?.as_secs_f64(), duration, start, &refuse);
            }
            [hours, minutes] => clock([hours, minutes, "0"]).ok_or_else(none)?,
            [hours, minutes, seconds] => clock([hours, minutes, seconds]).ok_or_else(none)?,
            _ => return Err(none()),
        };
        match start {
            // The first such time of the run.
            Some(start) => {
                let begun = start.rem_euclid(DAY) as f64 / 1e9;
                let at = of_day - begun;
                if at < 0.0 && of_day < 86_400.0 { at + 86_400.0 } else { at }
            }
            None => of_day,
        }
    };
    within(seconds, duration, start, &refuse)
}

/// Nanoseconds.
const DAY: i64 = 86_400_000_000_000;

fn within(
    seconds: f64,
    duration: Span,
    start: Option<i64>,
    refuse: &dyn Fn(String) -> Failure,
) -> Result<Moment, Failure> {
    if (0.0..=duration.as_secs_f64()).contains(&seconds) {
        return Ok(Moment(seconds));
    }
    Err(refuse(
        match start.and_then(|start| start.checked_add_unsigned(duration.as_nanos()).map(|end| (start, end)))
        {
            Some((start, end)) => format!(
                "is outside of the run\n  expected a time from {} to {}",
                shown_instant(start, true),
                shown_instant(end, true)
            ),
            None => format!("is after the end of the run\n  expected at most its duration, {duration}"),
        },
    ))
}

/// Seconds of hours, minutes and seconds; `None` if these are none.
fn clock(parts: [&str; 3]) -> Option<f64> {
    let [hours, minutes, seconds] = parts.map(|part| {
        let digits = !part.is_empty() && part.len() <= 6 && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<u32>().ok()).flatten()
    });
    let (minutes, seconds) = (minutes.filter(|m| *m < 60)?, seconds.filter(|s| *s < 60)?);
    Some(f64::from(hours?) * 3600.0 + f64::from(minutes) * 60.0 + f64::from(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_clock_from_the_start_or_a_span() {
        let day = Span::from_secs(86_400);
        let at = |text: &str| moment(text, day, None).ok().map(|moment| moment.0);
        assert_eq!(at("14:05"), Some(50_700.0));
        assert_eq!(at("14:05:30"), Some(50_730.0));
        assert_eq!(at("90m"), Some(5400.0));
        for wrong in ["", "14:", "14:65", "1:2:3:4", "noon", "25:00", "-1:00", "99999999999:00"] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
        assert_eq!(at("2026-05-04T14:05:00Z"), None);
        // From 14:00:00 on 2026-05-04 on.
        let known =
            |text: &str| moment(text, day, Some(1_777_903_200_000_000_000)).ok().map(|moment| moment.0);
        for at in ["14:05", "2026-05-04T14:05:00Z", "1777903500", "5m"] {
            assert_eq!(known(at), Some(300.0), "{at}");
        }
        assert_eq!(known("13:59"), Some(86_340.0), "of the next day");
        assert_eq!(known("2026-05-04T13:59:00Z"), None);
    }
}
