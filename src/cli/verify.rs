//! `kneepoint verify`.

use std::fmt::Write as _;

use super::{Answer, COULD_NOT, DONE, Failure, Global, progress};
use crate::experiment::verify::{self, Effort, Prepared, Row, System, Verdict, Verification};
use crate::report::render::terminal;
use crate::report::table::Table;
use crate::scenario::Scenario;
use crate::schema::nearest;

/// Simulate systems with a known exact answer, and compare.
///
/// Prints a row per quantity: exact value, simulated mean with its 99 % interval, and the difference in standard errors.
/// Exit status 1 if the whole catalogue is implausible; one interval in a hundred misses by chance.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  kneepoint verify\n  kneepoint verify setup\n  kneepoint verify --quick --json"
)]
pub(super) struct Arguments {
    /// Only systems whose name contains this text, in any case.
    name: Option<String>,
    /// Fewer and shorter runs: a tenth of the work.
    #[arg(long)]
    quick: bool,
}

/// The seed if none is given.
const SEED: u64 = 1;

pub(super) fn execute(arguments: &Arguments, global: &Global) -> Result<Answer, Failure> {
    let effort = if arguments.quick { Effort::Quick } else { Effort::Full };
    let defect = |error: &dyn std::fmt::Display| {
        Failure::could_not(format!("internal error in the catalogue: {error}"))
    };
    let all = verify::catalogue().map_err(|error| defect(&error))?;
    let systems = select(all, arguments.name.as_deref())?;
    let systems: Vec<Prepared> = systems
        .into_iter()
        .map(|system| Prepared::new(system, effort).map_err(|error| defect(&error.render(false))))
        .collect::<Result<_, _>>()?;
    let scenarios: Vec<&Scenario> = systems.iter().map(|prepared| &prepared.scenario).collect();
    let seed = global.seed.unwrap_or(SEED);
    let found =
        progress::watched(global, &scenarios, None, |evaluator| verify::verify(&systems, seed, evaluator))?
            .map_err(|error| Failure::of_run(&error, Some(&systems[error.case].system.name())))?;
    let status = if found.plausible && found.complete { DONE } else { COULD_NOT };
    let stdout = match (global.json, global.quiet) {
        (true, _) => serde_json::to_string_pretty(&found).map_err(Failure::could_not)? + "\n",
        (false, true) => String::new(),
        (false, false) => text(&found),
    };
    let stderr = if found.complete { "" } else { "stopped: only what had finished by then is compared" };
    Ok(Answer { stdout, stderr: stderr.to_owned(), status })
}

fn select(all: Vec<System>, name: Option<&str>) -> Result<Vec<System>, Failure> {
    let Some(name) = name else { return Ok(all) };
    let wanted = name.to_lowercase();
    let mut families: Vec<&str> = all.iter().map(|system| system.family).collect();
    families.dedup();
    let help = match nearest(name, families.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("there are: {}", families.join("; ")),
    };
    let found: Vec<System> =
        all.into_iter().filter(|system| system.name().to_lowercase().contains(&wanted)).collect();
    if found.is_empty() {
        return Err(Failure::bad_input(format!("error: no system is called \"{name}\"\n  help: {help}")));
    }
    Ok(found)
}

fn text(found: &Verification) -> String {
    let columns = ["system", "quantity", "exact", "simulated", "99 % interval", "z", "verdict"];
    let rows = found.rows.iter().map(cells).collect();
    let mut text = terminal::table(&Table::of_text("systems", &columns, rows), None);
    let Verification { systems, rows, counted, missed, missed_p, limit, least_p, seed, .. } = found;
    let _ = write!(
        text,
        "\n\n{systems} systems, {} quantities, seed {seed}. Of the {counted} intervals that are independent, {missed} \
         missed (chance of as many or more: {missed_p:.2}).\nThe smallest p-value is {least_p:.2e}; below {limit:.1e} \
         (0.05 % over all quantities) one would disagree.\n",
        rows.len(),
    );
    text += match found.plausible {
        true => "The simulator agrees with theory.\n",
        false => "The simulator does NOT agree with theory.\n",
    };
    text
}

fn cells(row: &Row) -> Vec<String> {
    let interval = match (row.low, row.high, row.within) {
        (Some(low), Some(high), _) => format!("{} to {}", digits(low), digits(high)),
        (_, _, Some(within)) => format!("within {}", digits(within)),
        _ => "–".to_owned(),
    };
    let verdict = match row.verdict {
        Verdict::Agrees => "agrees",
        Verdict::Outside => "outside",
        Verdict::Disagrees => "DISAGREES",
    };
    vec![
        row.system.clone(),
        row.quantity.clone(),
        digits(row.exact),
        row.simulated.map_or_else(|| "–".to_owned(), digits),
        interval,
        row.z.map_or_else(|| "–".to_owned(), |z| format!("{z:.2}")),
        verdict.to_owned(),
    ]
}

/// Five significant digits.
fn digits(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let places = (4.0 - value.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    format!("{value:.places$}")
}
