//! GPUs that two pools share: proposals are brought within a floor and a ceiling (`planner/core/budget.py`).
//!
//! The ceiling is never exceeded. The floor may be missed by less than a replica of the wider pool, as whole replicas may not
//! reach it exactly.

/// Engines of the prefill and of the decode pool.
pub(super) type Engines = [u32; 2];

/// GPUs that both pools together take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Budget {
    /// GPUs of an engine of each pool; 0: unknown, and nothing is limited.
    pub per_engine: [u32; 2],
    /// At least so many; `None`: no floor.
    pub floor: Option<u32>,
    /// At most so many; `None`: no ceiling.
    pub ceiling: Option<u32>,
}

impl Budget {
    /// GPUs of so many engines.
    pub fn total(&self, engines: Engines) -> u64 {
        (0..2).map(|pool| u64::from(engines[pool]) * u64::from(self.per_engine[pool])).sum()
    }

    fn fits_ceiling(&self, engines: Engines) -> bool {
        self.ceiling.is_none_or(|ceiling| self.total(engines) <= u64::from(ceiling))
    }

    fn fits_floor(&self, engines: Engines) -> bool {
        let wider = u64::from(self.per_engine[0].max(self.per_engine[1]));
        self.floor.is_none_or(|floor| {
            let (total, floor) = (self.total(engines), u64::from(floor));
            total >= floor || total + wider > floor
        })
    }

    /// The engines scaled in proportion until they fit, each pool at least at its minimum; none where the minima do not fit.
    pub fn clamp(&self, proposed: Engines, min: Engines) -> Engines {
        if self.per_engine.contains(&0) {
            return proposed;
        }
        let mut engines = proposed;
        if !self.fits_floor(engines) {
            let (total, floor) = (self.total(engines), u64::from(self.floor.unwrap_or(0)));
            engines = engines.map(|count| grown(count, floor, total));
        }
        if self.fits_ceiling(engines) {
            return engines;
        }
        let (total, ceiling) = (self.total(engines), u64::from(self.ceiling.unwrap_or(0)));
        let Some(beside_decode) = ceiling.checked_sub(self.total([0, min[1]])) else { return [0, 0] };
        if self.total(min) > ceiling {
            return [0, 0];
        }
        let [per_prefill, per_decode] = self.per_engine.map(u64::from);
        let scaled = u64::from(engines[0]) * ceiling / total;
        let prefill = (beside_decode / per_prefill).min(scaled).max(u64::from(min[0]));
        let left = ceiling.saturating_sub(prefill * per_prefill);
        let decode = (left / per_decode).max(u64::from(min[1]));
        [prefill, decode].map(whole)
    }

    /// The part of a change of both pools that fits: each pool keeps its direction, and what one gives up the other may take.
    pub fn fit(&self, current: Engines, proposed: Engines) -> Engines {
        let rises: Engines = [0, 1].map(|pool| proposed[pool].saturating_sub(current[pool]));
        let falls: Engines = [0, 1].map(|pool| current[pool].saturating_sub(proposed[pool]));
        let mut engines = proposed;
        if !self.fits_ceiling(engines) {
            let lowered = [0, 1].map(|pool| current[pool] - falls[pool]);
            let room = u64::from(self.ceiling.unwrap_or(0)).saturating_sub(self.total(lowered));
            let asked = self.total(rises).max(1);
            let part = |rise: u32| whole(u64::from(rise) * room / asked);
            engines = [0, 1].map(|pool| lowered[pool] + part(rises[pool]));
        }
        if !self.fits_floor(engines) {
            let raised = [0, 1].map(|pool| engines[pool] + falls[pool]);
            let room = self.total(raised).saturating_sub(u64::from(self.floor.unwrap_or(0)));
            let asked = self.total(falls).max(1);
            let part = |fall: u32| whole(u64::from(fall) * room.min(asked) / asked);
            let kept = [0, 1].map(|pool| raised[pool] - part(falls[pool]));
            // Whole replicas may leave no way between the two.
            engines = if self.fits_ceiling(kept) { kept } else { current };
        }
        engines
    }

    /// The part of a change by single replicas that fits; of an opposing swap both legs or none.
    pub fn guard(&self, current: Engines, proposed: Engines) -> Engines {
        let fits = |engines: Engines| self.fits_ceiling(engines) && self.fits_floor(engines);
        if fits(proposed) {
            return proposed;
        }
        let signs = [0, 1].map(|pool| proposed[pool].cmp(&current[pool]));
        if signs[0] == signs[1].reverse() {
            return current;
        }
        let legs = [[proposed[0], current[1]], [current[0], proposed[1]]];
        legs.into_iter().find(|leg| *leg != current && fits(*leg)).unwrap_or(current)
    }
}

/// ⌈count × floor / total⌉.
fn grown(count: u32, floor: u64, total: u64) -> u32 {
    if total == 0 { count } else { whole((u64::from(count) * floor).div_ceil(total)) }
}

fn whole(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_proposed_the_ceiling_holds_and_no_pool_turns_round() {
        let budget = Budget { per_engine: [2, 3], floor: Some(20), ceiling: Some(30) };
        for prefill in 0..12 {
            for decode in 0..12 {
                let clamped = budget.clamp([prefill, decode], [1, 1]);
                assert!(budget.total(clamped) <= 30, "{prefill}, {decode}: {clamped:?}");
                let current = [4, 6];
                for found in
                    [budget.fit(current, [prefill, decode]), budget.guard(current, [prefill, decode])]
                {
                    assert!(budget.total(found) <= 30 && budget.fits_floor(found), "{found:?}");
                    for (pool, proposed) in [prefill, decode].into_iter().enumerate() {
                        let (low, high) = (proposed.min(current[pool]), proposed.max(current[pool]));
                        assert!((low..=high).contains(&found[pool]), "{prefill}, {decode}: {found:?}");
                    }
                }
            }
        }
    }
}
