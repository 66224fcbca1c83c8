//! From the analysis of a model to a number of replicas for each of its variants.
//!
//! llm-d workload-variant-autoscaler at b08b1c7, `internal/saturation/analyzer.go`, `CalculateSaturationTargets`.

/// A variant of a model: the same weights on other hardware or with other settings, at another price.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Variant<'a> {
    pub name: &'a str,
    /// Price of a replica; only the order counts.
    pub cost: f64,
    /// Replicas that report metrics; `None`: the variant takes no part in the analysis, as none of its replicas does.
    pub reporting: Option<u32>,
    /// Replicas that exist.
    pub current: u32,
    /// Replicas asked for before; 0 if none were.
    pub desired: u32,
    /// Replicas that exist and are not ready.
    pub pending: u32,
}

impl Variant<'_> {
    /// Whether replicas have been asked for that are not there yet, or are there and should not be.
    pub fn resizing(&self) -> bool {
        self.desired != 0 && self.desired != self.current
    }

    /// Whether a change is still on its way.
    pub fn in_transition(&self) -> bool {
        self.reporting.is_some_and(|reporting| self.resizing() || reporting != self.current)
    }
}

/// What is to become of a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No variant reports: all stay as they are.
    #[default]
    NoMetrics,
    /// The variant of this index is in transition, so all wait.
    Transition(usize),
    /// The variant of this index gets one more.
    Up(usize),
    /// One more is needed, but every variant still has replicas that are not ready.
    AllPending,
    /// The variant of this index gives one up.
    Down(usize),
    /// One could go, but no variant has more than one.
    AtOne,
    /// Neither is called for.
    Stay,
}

impl Verdict {
    /// Decides for the variants of one model. Of equally cheap ones the first by name grows, of equally expensive ones
    /// the last by name shrinks.
    pub fn of(variants: &[Variant<'_>], scale_up: bool, scale_down_safe: bool) -> Verdict {
        if variants.iter().all(|variant| variant.reporting.is_none()) {
            return Verdict::NoMetrics;
        }
        if let Some(index) = variants.iter().position(Variant::in_transition) {
            return Verdict::Transition(index);
        }
        let by_cost_and_name = |a: usize, b: usize| {
            let (a, b) = (&variants[a], &variants[b]);
            a.cost.total_cmp(&b.cost).then_with(|| a.name.cmp(b.name))
        };
        let among = |eligible: fn(&Variant<'_>) -> bool| {
            let taking_part = move |variant: &Variant<'_>| variant.reporting.is_some() && eligible(variant);
            (0..variants.len()).filter(move |index| taking_part(&variants[*index]))
        };
        if scale_up {
            let cheapest = among(|variant| variant.pending == 0).min_by(|a, b| by_cost_and_name(*a, *b));
            cheapest.map_or(Verdict::AllPending, Verdict::Up)
        } else if scale_down_safe {
            let dearest =
                among(|variant| variant.reporting > Some(1)).max_by(|a, b| by_cost_and_name(*a, *b));
            dearest.map_or(Verdict::AtOne, Verdict::Down)
        } else {
            Verdict::Stay
        }
    }

    /// The replicas that the variant of this index is to have.
    pub fn target(self, index: usize, variant: &Variant<'_>) -> u32 {
        let Some(reporting) = variant.reporting else { return variant.current };
        match self {
            Verdict::Transition(_) if variant.resizing() => variant.desired,
            Verdict::Transition(_) | Verdict::NoMetrics => variant.current,
            Verdict::Up(chosen) if chosen == index => reporting.saturating_add(1),
            Verdict::Down(chosen) if chosen == index => reporting.saturating_sub(1),
            _ => reporting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant(name: &str, cost: f64, current: u32) -> Variant<'_> {
        Variant { name, cost, reporting: Some(current), current, desired: 0, pending: 0 }
    }

    fn targets(variants: &[Variant<'_>], scale_up: bool, scale_down_safe: bool) -> Vec<u32> {
        let verdict = Verdict::of(variants, scale_up, scale_down_safe);
        variants.iter().enumerate().map(|(index, variant)| verdict.target(index, variant)).collect()
    }

    #[test]
    fn the_cheapest_grows_and_the_dearest_shrinks() {
        let three = [variant("a", 20.0, 2), variant("b", 5.0, 2), variant("c", 15.0, 2)];
        assert_eq!(targets(&three, true, false), [2, 3, 2]);
        assert_eq!(targets(&three, false, true), [1, 2, 2]);
        assert_eq!(targets(&three, true, true), [2, 3, 2], "growing comes first");
        assert_eq!(targets(&three, false, false), [2, 2, 2]);
    }

    #[test]
    fn of_equal_prices_the_first_name_grows_and_the_last_one_shrinks() {
        let same = [variant("b", 5.0, 2), variant("a", 5.0, 2), variant("c", 5.0, 2)];
        assert_eq!(targets(&same, true, false), [2, 3, 2]);
        assert_eq!(targets(&same, false, true), [2, 2, 1]);
    }

    #[test]
    fn the_last_replica_of_a_variant_stays() {
        let dear = [variant("a", 20.0, 1), variant("b", 5.0, 3)];
        assert_eq!(targets(&dear, false, true), [1, 2]);
        assert_eq!(Verdict::of(&dear[..1], false, true), Verdict::AtOne);
    }

    #[test]
    fn a_variant_in_transition_makes_all_wait() {
        let asked = [Variant { desired: 4, ..variant("a", 20.0, 2) }, variant("b", 5.0, 2)];
        assert_eq!(targets(&asked, true, false), [4, 2]);
        let silent = [Variant { reporting: Some(2), ..variant("a", 20.0, 3) }, variant("b", 5.0, 2)];
        assert_eq!(targets(&silent, true, false), [3, 2]);
    }

    #[test]
    fn a_variant_that_is_starting_one_does_not_grow() {
        let pending = [Variant { pending: 1, ..variant("a", 1.0, 2) }, variant("b", 5.0, 2)];
        assert_eq!(targets(&pending, true, false), [2, 3]);
        assert_eq!(Verdict::of(&pending[..1], true, false), Verdict::AllPending);
    }

    #[test]
    fn without_metrics_all_stay_as_they_are() {
        let silent = [Variant { reporting: None, ..variant("a", 1.0, 2) }, variant("b", 5.0, 2)];
        assert_eq!(targets(&silent[..1], true, false), [2]);
        assert_eq!(targets(&silent, true, false), [2, 3], "others go by what they report");
    }
}
