//! Names of the lints, which `allow` takes.

use crate::schema::{Problem, Reader, nearest};

/// The names of all lints, in their order.
pub const LINT_NAMES: [&str; 13] = [
    "pool-total-as-value",
    "percentile-as-average-value",
    "thresholds-too-close",
    "cooldown-shorter-than-start",
    "tolerance-of-instances",
    "target-never-exceeded",
    "cpu-of-the-start",
    "zero-with-small-buffer",
    "zero-without-way-back",
    "activation-above-threshold",
    "deadline-shorter-than-start",
    "maximum-below-peak",
    "policies-that-fight",
];

/// Refuses a name that no lint has.
pub(super) fn known(reader: &Reader<'_>, allow: &[String]) -> Result<(), Problem> {
    match allow.iter().find(|name| !LINT_NAMES.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let label = match nearest(name, LINT_NAMES) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("there are: {}", LINT_NAMES.join(", ")),
            };
            Err(reader.problem("allow", format!("no lint is called \"{name}\""), label))
        }
    }
}
