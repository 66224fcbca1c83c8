//! Which settings are tried: all of a small space; of a large one points that fill it evenly, then the neighbours of the best
//! of them; and values beyond the end of a range where the best lies there.

use std::collections::BTreeSet;

use super::candidates::{Candidates, shown};
use crate::experiment::{Evaluator, RunError};
use crate::stats::{Plan, Selection};

/// Combinations up to which all of them are tried.
const EXHAUSTIVE: f64 = 200.0;

/// The most that are tried of more.
const MOST: usize = 200;

/// Settings whose neighbours are tried.
const LEADERS: usize = 3;

/// Values that are tried beyond one end of an axis.
const BEYOND: u32 = 6;

/// Tries settings with so many replications of the race each, until the best of them have no neighbour left to try; `false`
/// if the work was stopped. `enough` ends it when the budget for it is spent.
pub(super) fn explore(
    candidates: &mut Candidates<'_>,
    (first, plan): (u32, &Plan),
    enough: &dyn Fn(&Candidates<'_>) -> bool,
    evaluator: &Evaluator<'_>,
) -> Result<bool, RunError> {
    let small = candidates.combinations() <= EXHAUSTIVE;
    for place in start(candidates, small) {
        candidates.at(&place);
    }
    // By axis and end: values tried beyond it, or none any more.
    let mut beyond = vec![[0_u32; 2]; candidates.space.axes.len()];
    loop {
        let wanted: Vec<(usize, u32)> = (0..candidates.all.len()).map(|index| (index, first)).collect();
        if !candidates.race(&wanted, evaluator)? {
            return Ok(false);
        }
        let ranking = ranking(candidates, plan, first);
        say(candidates, &ranking, evaluator);
        if enough(candidates) || candidates.all.len() >= 2 * MOST {
            return Ok(true);
        }
        let before = candidates.all.len();
        // Where none keeps the promise yet, the nearest to it shows the way.
        if let Some(best) = ranking.first() {
            go_beyond(candidates, best.0, &mut beyond);
        }
        if !small && candidates.all.len() < MOST {
            for (index, _) in ranking.iter().take(LEADERS) {
                let Some(place) = candidates.all[*index].place.clone() else { continue };
                neighbours(candidates, &place, &[]);
            }
        }
        if candidates.all.len() == before {
            return Ok(true);
        }
    }
}

/// The settings by how likely they are to be recommended: those that can be expected to be confirmed by rising cost, then
/// the others by how far they are from it. With each, whether it is one of the first.
fn ranking(candidates: &Candidates<'_>, plan: &Plan, first: u32) -> Vec<(usize, bool)> {
    let mut selection = Selection::new(candidates.all.len(), plan.clone());
    for (index, candidate) in candidates.all.iter().enumerate() {
        if candidate.overgrown {
            selection.reject(index);
        }
        selection.tell_of(index, candidate.observations(0..first));
    }
    selection.ranking()
}

fn say(candidates: &Candidates<'_>, ranking: &[(usize, bool)], evaluator: &Evaluator<'_>) {
    let best = ranking.first().filter(|(_, hopeful)| *hopeful);
    let settings = best.map(|(index, _)| shown(&candidates.all[*index].settings));
    let best = settings
        .map_or_else(|| "none keeps the SLO so far".to_owned(), |best| format!("best so far: {best}"));
    evaluator.progress.set_note(format!("{} settings tried; {best}", candidates.all.len()));
}

/// The places to begin with.
fn start(candidates: &Candidates<'_>, small: bool) -> Vec<Vec<usize>> {
    let sizes: Vec<usize> = candidates.space.axes.iter().map(|axis| axis.levels.len()).collect();
    if !small {
        return candidates.space.filling((10 * sizes.len()).clamp(24, 80));
    }
    let mut places = vec![Vec::new()];
    for size in sizes {
        let longer = |place: &Vec<usize>| {
            let place = place.clone();
            (0..size).map(move |level| [&place[..], &[level]].concat())
        };
        places = places.iter().flat_map(longer).collect();
    }
    places
}

/// Makes the neighbours of a place: one level up or down on one axis. Those of `fixed` axes stay.
fn neighbours(candidates: &mut Candidates<'_>, place: &[usize], fixed: &[usize]) {
    for axis in (0..place.len()).filter(|axis| !fixed.contains(axis)) {
        let most = candidates.space.axes[axis].levels.len() - 1;
        let levels: BTreeSet<usize> =
            [place[axis].saturating_sub(1), (place[axis] + 1).min(most)].into_iter().collect();
        for level in levels {
            let mut other = place.to_vec();
            other[axis] = level;
            candidates.at(&other);
        }
    }
}

/// Tries a value beyond each end that the best setting lies at, with the neighbours of what that comes to.
fn go_beyond(candidates: &mut Candidates<'_>, best: usize, beyond: &mut [[u32; 2]]) {
    for axis in 0..beyond.len() {
        let Some(place) = candidates.all[best].place.clone() else { return };
        let most = candidates.space.axes[axis].levels.len() - 1;
        for greatest in [false, true] {
            let tried = &mut beyond[axis][usize::from(greatest)];
            let at = if greatest { place[axis] == most } else { place[axis] == 0 };
            if !at || *tried >= BEYOND {
                continue;
            }
            let Some(level) = candidates.space.axes[axis].beyond(greatest) else { continue };
            let mut settings = candidates.all[best].settings.clone();
            settings[axis].1 = level.clone();
            if !candidates.takes(&settings) {
                *tried = BEYOND;
                continue;
            }
            *tried += 1;
            candidates.widen(axis, greatest, level);
            let mut place = candidates.all[best].place.clone().unwrap_or_default();
            place[axis] = if greatest { most + 1 } else { 0 };
            candidates.at(&place);
            neighbours(candidates, &place, &[axis]);
        }
    }
}
