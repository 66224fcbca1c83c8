//! From tokens that are lacking or spare to replicas: the cost-aware optimizer, the limiter of GPUs, and the enforcer of zero.

use std::collections::BTreeMap;

/// A variant as the optimizer takes it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::autoscaler::llmd) struct SizedVariant {
    pub cost: f64,
    pub current: u32,
    /// Tokens a replica can hold.
    pub capacity: i64,
}

/// The replicas of each variant: more of the one that costs least per token, or fewer, the dearest first.
pub(in crate::autoscaler::llmd) fn optimize(options: &[SizedVariant], required: f64, spare: f64) -> Vec<u32> {
    let mut targets: Vec<u32> = options.iter().map(|option| option.current).collect();
    if required > 0.0 {
        let per_token = |index: &usize| options[*index].cost / options[*index].capacity as f64;
        let sized = (0..options.len()).filter(|index| options[*index].capacity > 0);
        if let Some(index) = sized.min_by(|a, b| per_token(a).total_cmp(&per_token(b))) {
            let more = (required / options[index].capacity as f64).ceil();
            targets[index] = targets[index].saturating_add(more as u32);
        }
        return targets;
    }
    let mut spare = spare;
    let mut dearest: Vec<usize> = (0..options.len()).collect();
    dearest.sort_by(|a, b| options[*b].cost.total_cmp(&options[*a].cost));
    let cheapest = dearest.last().copied();
    for index in dearest {
        let option = &options[index];
        if option.capacity <= 0 || spare <= 0.0 {
            continue;
        }
        let others: u32 =
            (0..targets.len()).filter(|other| *other != index).map(|other| targets[other]).sum();
        let stays = u32::from(Some(index) == cheapest && others == 0);
        let fewer = (spare / option.capacity as f64).floor() as u32;
        let fewer = fewer.min(option.current.saturating_sub(stays));
        targets[index] -= fewer;
        spare -= f64::from(fewer) * option.capacity as f64;
    }
    targets
}

/// A change of a variant as the limiter takes it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::autoscaler::llmd) struct Change<'a> {
    /// The type of its GPUs.
    pub accelerator: &'a str,
    pub current: u32,
    pub target: u32,
    pub gpus_per_replica: u32,
    /// Its spare capacity, 0 to 1: the smallest come first.
    pub spare: f64,
    pub cost: f64,
}

/// What the limiter leaves.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::autoscaler::llmd) struct Limited {
    pub targets: Vec<u32>,
    /// GPUs given to each change.
    pub gpus: Vec<u32>,
    /// GPUs still free, by type.
    pub free: BTreeMap<String, u32>,
    /// The changes in the order in which they were served.
    pub order: Vec<usize>,
}

/// Gives the free GPUs to what grows: the most saturated first, then the cheapest, in whole replicas.
pub(in crate::autoscaler::llmd) fn limit(changes: &[Change<'_>], free: &BTreeMap<String, u32>) -> Limited {
    let mut limited = Limited {
        targets: changes.iter().map(|change| change.target).collect(),
        gpus: vec![0; changes.len()],
        free: free.clone(),
        order: (0..changes.len()).filter(|index| changes[*index].target > changes[*index].current).collect(),
    };
    let urgent = |index: &usize| (changes[*index].spare, changes[*index].cost);
    limited.order.sort_by(|a, b| {
        let (a, b) = (urgent(a), urgent(b));
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
    for index in limited.order.clone() {
        let change = &changes[index];
        let each = change.gpus_per_replica.max(1);
        let free = limited.free.entry(change.accelerator.to_owned()).or_default();
        let more = (change.target - change.current).min(*free / each);
        *free -= more * each;
        limited.targets[index] = change.current + more;
        limited.gpus[index] = more * each;
    }
    limited
}

/// The GPUs in use, by type.
pub(in crate::autoscaler::llmd) fn used(changes: &[Change<'_>]) -> BTreeMap<String, u32> {
    let mut used = BTreeMap::new();
    for change in changes {
        let gpus = change.current.saturating_mul(change.gpus_per_replica.max(1));
        let known: &mut u32 = used.entry(change.accelerator.to_owned()).or_default();
        *known = known.saturating_add(gpus);
    }
    used
}

/// The least that any of several sources says is available, by type.
pub(in crate::autoscaler::llmd) fn least(sources: &[BTreeMap<String, u32>]) -> BTreeMap<String, u32> {
    let mut least: BTreeMap<String, u32> = BTreeMap::new();
    for (name, available) in sources.iter().flatten() {
        let known = least.entry(name.clone()).or_insert(*available);
        *known = (*known).min(*available);
    }
    least
}

/// Price of a variant that has none.
const COST: f64 = 10.0;

/// Takes all to zero where that is allowed and no request came, and keeps one of the cheapest where it is not. Returns
/// whether it changed anything. `requests` of the retention period; `None`: they could not be counted.
pub(in crate::autoscaler::llmd) fn enforce(
    variants: &[(&str, Option<f64>)],
    targets: &mut [u32],
    scale_to_zero: bool,
    requests: Option<u64>,
) -> bool {
    if scale_to_zero {
        let idle = requests == Some(0);
        if idle {
            targets.fill(0);
        }
        return idle;
    }
    if targets.iter().any(|target| *target > 0) {
        return false;
    }
    let price = |index: &usize| variants[*index].1.unwrap_or(COST);
    let cheapest = (0..targets.len().min(variants.len()))
        .min_by(|a, b| price(a).total_cmp(&price(b)).then_with(|| variants[*a].0.cmp(variants[*b].0)));
    if let Some(index) = cheapest {
        targets[index] = 1;
    }
    cheapest.is_some()
}
