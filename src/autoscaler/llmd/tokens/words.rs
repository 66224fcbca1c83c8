//! An analysis of tokens in figures and in words.

use serde_json::Value;

use super::analysis::{Rules, TokenAnalysis, Variant};
use crate::autoscaler::Rounded;

/// Every number of an analysis, in the order it is worked out.
pub(in crate::autoscaler::llmd) fn figures(found: &TokenAnalysis) -> Vec<(&'static str, Value)> {
    vec![
        ("per_replica_capacity", found.capacities.first().copied().into()),
        ("total_demand", found.demand.into()),
        ("supply", found.supply.into()),
        ("anticipated", found.anticipated.into()),
        ("required", found.required.into()),
        ("spare", found.spare.into()),
    ]
}

/// Why the variants get what they get.
pub(in crate::autoscaler::llmd) fn reason(
    rules: &Rules,
    found: &TokenAnalysis,
    variants: &[Variant],
    targets: &[u32],
) -> String {
    let tokens = |number: f64| Rounded(number.round());
    let demand = format!("{} tokens held and waiting", tokens(found.demand));
    let changed = || {
        let change = |(variant, target): (&Variant, &u32)| {
            (variant.current != *target).then(|| match variants.len() {
                1 => format!("{} to {target}", variant.current),
                _ => format!("{} {} to {target}", variant.name, variant.current),
            })
        };
        let changes: Vec<String> = variants.iter().zip(targets).filter_map(change).collect();
        if changes.is_empty() { "stay".to_owned() } else { changes.join(", ") }
    };
    if found.capacities.iter().all(|capacity| *capacity <= 0) {
        return "no capacity is known yet: stay".to_owned();
    }
    if found.required > 0.0 {
        return format!(
            "{demand} take {} at {} of the capacity, and what exists holds {}: {}",
            tokens(found.demand / rules.scale_up_threshold),
            rules.scale_up_threshold,
            tokens(found.anticipated),
            changed()
        );
    }
    let enough = found.demand / rules.scale_down_boundary;
    match found.spare > 0.0 {
        true if changed() == "stay" => format!(
            "{demand}: at {} of the capacity {} of the {} that are ready are spare, less than a replica: stay",
            rules.scale_down_boundary,
            tokens(found.spare),
            tokens(found.supply)
        ),
        true => format!(
            "{demand} take {} at {} of the capacity, and what is ready holds {}: {}",
            tokens(enough),
            rules.scale_down_boundary,
            tokens(found.supply),
            changed()
        ),
        false => format!(
            "{demand} are between {} and {} of the {} that exist: stay",
            rules.scale_down_boundary,
            rules.scale_up_threshold,
            tokens(found.anticipated)
        ),
    }
}
