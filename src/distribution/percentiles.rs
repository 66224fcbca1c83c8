//! Two percentiles, which determine a distribution of two parameters.

/// Two percentiles: a probability and the value below which that share lies, ascending in both.
pub type Percentiles = [(f64, f64); 2];

/// ln y − ln x of two percentiles.
pub(super) fn spread(x: f64, y: f64) -> f64 {
    (y / x).ln()
}

/// Refuses parameters that are not finite and above 0, by name.
pub(super) fn positive(parameters: &[(&str, f64)]) -> Result<(), String> {
    match parameters.iter().find(|(_, value)| !(value.is_finite() && *value > 0.0)) {
        Some((name, value)) => Err(format!("`{name}` is {value}, and must be a positive number")),
        None => Ok(()),
    }
}

pub(super) fn ascending([(p, x), (q, y)]: &Percentiles) -> Result<(), String> {
    positive(&[("percentile", *x), ("percentile", *y)])?;
    if p < q && x < y { Ok(()) } else { Err("the percentiles do not ascend".into()) }
}
