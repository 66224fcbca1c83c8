//! The table of results: a line a row, its limit, and whether it holds here.

/// Prints the head of the table.
pub fn head() {
    println!("{:<44} {:>16} {:>8} {:>9}", "", "", "ratio", "limit");
}

/// What a ratio has to be.
#[derive(Clone, Copy)]
pub enum Limit {
    AtMost(f64),
    AtLeast(f64),
    /// For information.
    None,
}

/// Prints one row: what was measured, the absolute figure, the ratio and its limit.
pub fn row(name: &str, figure: &str, ratio: f64, limit: Limit) {
    let (limit, verdict) = match limit {
        Limit::AtMost(most) => (format!("≤ {most:.2}"), verdict(ratio <= most)),
        Limit::AtLeast(least) => (format!("≥ {least:.2}"), verdict(ratio >= least)),
        Limit::None => (String::new(), ""),
    };
    println!("{name:<44} {figure:>16} {ratio:>8.2} {limit:>9}  {verdict}");
}

fn verdict(holds: bool) -> &'static str {
    if holds { "holds" } else { "MISSED" }
}

/// The middle one of some measurements.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
