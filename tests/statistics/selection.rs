//! What a selection promises, measured on problems whose truth is known.
//!
//! The data are three grids of a threshold autoscaler with a cold start of 45 s before lognormal service of 500 ms (cv 1),
//! promised within 3 s: `grid30` and `grid300` under traffic in two states for an hour, `gridday` under six hours with spikes.

use kneepoint::internals::stats::Plan;

use crate::known_grid::{DECIDABLE, Grid, Outcome, plan, select, select_by};

const GRIDS: [(&str, &str); 3] = [
    ("grid30", include_str!("selection/grid30.txt")),
    ("gridday", include_str!("selection/gridday.txt")),
    ("grid300", include_str!("selection/grid300.txt")),
];

/// The problems: a grid and the share promised.
const PROBLEMS: [(&str, f64); 8] = [
    ("grid30", 0.985),
    ("grid30", 0.97),
    ("grid30", 0.95),
    ("gridday", 0.97),
    ("gridday", 0.98),
    ("gridday", 0.96),
    ("grid300", 0.985),
    ("grid300", 0.95),
];

const REPEATS: u64 = 100;

/// Fails where a setting is confirmed by the replications that chose it (of these 43 to 5 % are wrong), where limits do not
/// hold their level or the error is not divided over looks and proposals, where good settings are lost in the race, and where
/// it takes much more than that.
#[test]
fn a_recommendation_keeps_its_promise_and_is_the_cheapest_where_that_can_be_told() {
    let (mut simulated, mut full, mut decidable) = (0, 0, 0);
    let mut failed = Vec::new();
    for (name, promised) in PROBLEMS {
        let text = GRIDS.iter().find(|(known, _)| *known == name).unwrap().1;
        let grid = Grid::of(text);
        let (_, need) = grid.truth(promised);
        let mut outcome = Outcome::default();
        let all: Vec<usize> = (0..grid.missed.len()).collect();
        (0..REPEATS).for_each(|repeat| select(&grid, &all, (promised, repeat), &mut outcome));
        println!("{name} at {promised}: need {need:.0}, {outcome:?}");
        decidable += u32::from(need <= DECIDABLE);
        // At equal precision at most a fifth of the grid's replications.
        if !outcome.holds(REPEATS, need) || 5 * outcome.simulated > outcome.grid {
            failed.push(format!("{name} at {promised}, need {need:.0}: {outcome:?}"));
        }
        simulated += outcome.simulated;
        full += outcome.grid;
    }
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(decidable >= 5, "{decidable}");
    assert!(10 * simulated <= full, "{simulated} of {full}");
}

/// Replications of a setting in a sweep.
const SWEPT: [u32; 5] = [5, 10, 20, 40, 80];

/// What a sweep confirms, in which every setting has so many replications, and the fresh ones are as many as `docs/statistics.md`
/// says or without a limit. Fails where the error of a confirmation is above its 5 %, and where a sweep of 20 replications seldom
/// confirms anything.
#[test]
fn a_sweep_confirms_what_keeps_the_promise_and_mostly_something() {
    const PROMISES: [(&str, f64); 2] = [("grid30", 0.97), ("gridday", 0.97)];
    let (mut confirmed, mut wrong) = (0, 0);
    for (name, promised) in PROMISES {
        let grid = Grid::of(GRIDS.iter().find(|(known, _)| *known == name).unwrap().1);
        let all: Vec<usize> = (0..grid.missed.len()).collect();
        for replications in SWEPT {
            let least = Plan::LOOKS[0];
            let as_swept = (replications * all.len() as u32 / 2).max(least);
            for fresh in [as_swept, u32::MAX] {
                let plan = Plan { race: (replications, replications), fresh, ..plan(&grid, promised) };
                let mut outcome = Outcome::default();
                for repeat in 0..REPEATS {
                    select_by(plan.clone(), &grid, &all, (promised, repeat), &mut outcome);
                }
                let shown = if fresh == u32::MAX { "no limit".to_owned() } else { format!("{fresh} fresh") };
                println!(
                    "{name} at {promised}, {replications} replications, {shown}: {} of {REPEATS} confirmed, {} wrong",
                    outcome.confirmed, outcome.wrong
                );
                assert!(20 * outcome.wrong <= REPEATS, "{name}, {replications}: {outcome:?}");
                assert!(replications < 20 || 10 * outcome.confirmed >= 8 * REPEATS, "{outcome:?}");
                confirmed += outcome.confirmed;
                wrong += outcome.wrong;
            }
        }
    }
    println!("{wrong} of {confirmed} confirmations wrong");
    assert!(50 * wrong <= confirmed, "{wrong} of {confirmed}");
}
