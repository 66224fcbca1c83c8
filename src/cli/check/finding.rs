//! What `check` has to say of its files, apart from how it is written.

use crate::api::Error as Failure;

/// The rule of a file that is refused.
pub(super) const INVALID: &str = "invalid-scenario";
/// The rule of warnings that are no lint's.
pub(super) const DOUBTFUL: &str = "doubtful-scenario";

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// The file is refused.
    Error,
    /// It is taken, and likely not what was meant.
    Warning,
}

/// One thing wrong with a file.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    /// Its stable name: that of a lint, or a general one.
    pub(super) rule: &'static str,
    /// How much it matters.
    pub(super) level: Level,
    /// What is wrong and what to do, as text.
    pub(super) message: String,
    /// The file it is in, which may be one that the scenario names.
    pub(super) file: String,
    /// Line and column, from 1, where they are known.
    pub(super) place: Option<(usize, usize)>,
}

impl Finding {
    /// A file that is refused.
    pub(super) fn refused(file: &str, failure: &Failure) -> Finding {
        let location = failure.location();
        Finding {
            rule: INVALID,
            level: Level::Error,
            message: failure.to_string().trim_end().to_owned(),
            file: location.map_or(file, |place| &place.file).to_owned(),
            place: location.map(|place| (place.line, place.column)),
        }
    }

    /// A warning about a whole file.
    pub(super) fn warning(rule: &'static str, file: &str, message: String) -> Finding {
        Finding { rule, level: Level::Warning, message, file: file.to_owned(), place: None }
    }
}
