//! Counts in windows of one length.

use std::borrow::Cow;

use super::{Dispersion, Peak, at, moments};
use crate::traffic::Packed;

/// Counts in windows of one length from the first row, NaN where a part of one is not known.
#[derive(Debug)]
pub(super) struct Bins<'a> {
    pub window_s: f64,
    pub counts: Cow<'a, [f64]>,
    /// Whether the last window is only begun.
    pub partial: bool,
}

impl Bins<'_> {
    pub(super) fn of_instants(instants: &Packed, window_s: f64) -> Bins<'static> {
        let window = ((window_s * 1e9).round() as u64).max(1);
        let last = instants.last().unwrap_or(0);
        let mut counts = vec![0.0; (last / window + 1) as usize];
        for instant in instants.iter() {
            counts[(instant / window) as usize] += 1.0;
        }
        Bins { window_s, counts: Cow::Owned(counts), partial: true }
    }

    /// Of counts of intervals; `None` if the window is no whole number of them.
    pub(super) fn of_counts(counts: &[f64], interval_s: f64, window_s: f64) -> Option<Bins<'_>> {
        let merged = (window_s / interval_s).round();
        if merged < 1.0 || (merged * interval_s - window_s).abs() > 1e-6 * window_s {
            return None;
        }
        let merged = merged as usize;
        let partial = !counts.len().is_multiple_of(merged);
        let counts = match merged {
            1 => Cow::Borrowed(counts),
            // A sum with a NaN is NaN.
            _ => counts.chunks(merged).map(|chunk| chunk.iter().sum()).collect::<Vec<f64>>().into(),
        };
        Some(Bins { window_s, counts, partial })
    }

    /// The windows that are whole and known.
    fn whole(&self) -> impl Iterator<Item = f64> {
        let end = self.counts.len() - usize::from(self.partial && self.counts.len() > 1);
        self.counts[..end].iter().copied().filter(|count| !count.is_nan())
    }
}

/// The busiest window.
pub(super) fn peak(bins: &Bins<'_>, origin: Option<i64>) -> Option<Peak> {
    let known = bins.counts.iter().enumerate().filter(|(_, count)| !count.is_nan());
    // The first of several.
    let (row, count) = known.fold(None, |best: Option<(usize, f64)>, (row, count)| match best {
        Some((_, most)) if most >= *count => best,
        _ => Some((row, *count)),
    })?;
    let start = (row as f64 * bins.window_s * 1e9).round() as u64;
    Some(Peak { window_s: bins.window_s, rate: count / bins.window_s, at: at(origin, start) })
}

/// The busiest window of requests, however far they are apart: windows without one are not gone through.
pub(super) fn peak_of_instants(instants: &Packed, window_s: f64, origin: Option<i64>) -> Option<Peak> {
    let window = ((window_s * 1e9).round() as u64).max(1);
    let (mut best, mut open) = ((0_u64, 0_u64), (0, 0_u64));
    for instant in instants.iter() {
        let at = instant / window;
        open = (at, if at == open.0 { open.1 + 1 } else { 1 });
        // The first of several.
        if open.1 > best.1 {
            best = open;
        }
    }
    let (row, count) = best;
    let at = at(origin, row.saturating_mul(window));
    (count > 0).then(|| Peak { window_s, rate: count as f64 / window_s, at })
}

/// The index of dispersion, if there are so many windows.
pub(super) fn dispersion(bins: &Bins<'_>, least: usize) -> Option<Dispersion> {
    let windows = bins.whole().count();
    let (mean, variance) = moments(bins.whole());
    (windows >= least && mean > 0.0).then(|| Dispersion {
        window_s: bins.window_s,
        index: variance / mean,
        windows,
    })
}
