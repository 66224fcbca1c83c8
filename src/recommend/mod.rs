//! `recommend`: the cheapest settings that keep every promise under every condition, and what one has to know to act on it.
//!
//! - [`candidates`]: settings with their scenarios, and what has been seen of them
//! - [`search`]: which settings are tried, where the space is too large for all of them, and beyond its edges
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

pub use answer::{
    Alternative, BindingMaximum, ChangedSetting, Ending, Margin, MarginOf, Recommendation, Standing, Tried,
    Undecided, UnderCondition, WorstWindow,
};
pub use candidates::shown;
pub use decide::{Budget, recommend};
