//! `kneepoint explain FILE`.

use std::path::PathBuf;

use super::outputs::{self, Printed};
use super::{Answer, Failure, Global, Show, progress, run, session};
use crate::explain::{self, ExplainError, Moment};
use crate::report::{Folder, compose, file_name};
use crate::time::Span;
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
    /// The moment to explain, from the start of the run: 14:05 (hours and minutes), 14:05:30, or a time such as 90m.
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
    let at = arguments.at.as_deref().map(|text| moment(text, scenario.model.duration)).transpose()?;
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

/// The instant that `text` names, within a run of this length.
fn moment(text: &str, duration: Span) -> Result<Moment, Failure> {
    let refuse = |why: String| Failure::bad_input(format!("error: `--at {text}` {why}"));
    const EXPECTED: &str =
        "is no moment\n  expected a time from the start of the run, as in 14:05, 14:05:30 or 90m";
    let parts: Vec<&str> = text.split(':').collect();
    let seconds = match parts[..] {
        [span] => parse_span(span).map_err(|_| refuse(EXPECTED.to_owned()))?.as_secs_f64(),
        [hours, minutes] => clock([hours, minutes, "0"]).ok_or_else(|| refuse(EXPECTED.to_owned()))?,
        [hours, minutes, seconds] => {
            clock([hours, minutes, seconds]).ok_or_else(|| refuse(EXPECTED.to_owned()))?
        }
        _ => return Err(refuse(EXPECTED.to_owned())),
    };
    if seconds > duration.as_secs_f64() {
        return Err(refuse(format!(
            "is after the end of the run\n  expected at most its duration, {duration}"
        )));
    }
    Ok(Moment(seconds))
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
        let at = |text: &str| moment(text, day).ok().map(|moment| moment.0);
        assert_eq!(at("14:05"), Some(50_700.0));
        assert_eq!(at("14:05:30"), Some(50_730.0));
        assert_eq!(at("90m"), Some(5400.0));
        for wrong in ["", "14:", "14:65", "1:2:3:4", "noon", "25:00", "-1:00", "99999999999:00"] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }
}
