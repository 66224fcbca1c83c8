//! `recommend`: the cheapest settings that keep every promise under every condition, and what one has to know to act on it.
//!
//! - [`candidates`]: settings with their scenarios, and what has been seen of them
//! - [`walk`]: which combinations are tried where the space is too large for all of them
//! - [`search`]: the settings that are tried, and values beyond the edges of the space
//! - [`decide`]: race and verification, within a budget
//! - [`found`]: what is made of that: standings, alternatives, what could not be decided
//! - [`margin`]: how much more traffic, or slower a cold start, the choice stands
//! - [`answer`]: what it comes to, as data

mod answer;
mod candidates;
mod decide;
mod found;
mod margin;
mod search;
mod walk;

pub use answer::{
    Alternative, BindingMaximum, ChangedSetting, Ending, MISSES_PAST, Margin, MarginOf, PastError,
    Recommendation, Standing, Tried, Undecided, UnderCondition, WorstWindow,
};
pub use candidates::shown;
pub use decide::{Budget, recommend};
pub use walk::{EXHAUSTIVE, Levels, MOST, around, first_replications, points};
