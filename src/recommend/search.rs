//! Which settings are tried: all of a small space, a [walk] through a large one, and values beyond the end of a range where the
//! best lies there.

use super::candidates::{Candidates, shown};
use super::walk::{self, EXHAUSTIVE, Levels, MOST};
use crate::experiment::{Evaluator, RunError};
use crate::scenario::Axis;
use crate::stats::{Plan, Selection};

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
        let selection = seen(candidates, plan, first);
        let ranking = selection.ranking();
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
            let place = |index: usize| candidates.all[index].place.clone();
            let ranked: Vec<Vec<usize>> = ranking.iter().filter_map(|(index, _)| place(*index)).collect();
            let bargains: Vec<Vec<usize>> = selection.bargains().into_iter().filter_map(place).collect();
            for place in walk::around(&levels(candidates), &ranked, &bargains) {
                candidates.at(&place);
            }
        }
        if candidates.all.len() == before {
            return Ok(true);
        }
    }
}

/// A selection that has been told what was seen of the settings.
fn seen(candidates: &Candidates<'_>, plan: &Plan, first: u32) -> Selection {
    let mut selection = Selection::new(candidates.all.len(), plan.clone());
    for (index, candidate) in candidates.all.iter().enumerate() {
        if candidate.overgrown {
            selection.reject(index);
        }
        selection.tell_of(index, candidate.observations(0..first));
    }
    selection
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
        return candidates.space.filling(walk::points(sizes.len()));
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

fn levels(candidates: &Candidates<'_>) -> Vec<Levels> {
    let of = |axis: &Axis| Levels {
        count: axis.levels.len(),
        ordered: axis.levels.iter().all(|level| level.value().is_some()),
    };
    candidates.space.axes.iter().map(of).collect()
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
            let of_axis = place[axis];
            let around = walk::around(&levels(candidates), std::slice::from_ref(&place), &[]);
            for place in around.into_iter().filter(|place| place[axis] == of_axis) {
                candidates.at(&place);
            }
        }
    }
}
