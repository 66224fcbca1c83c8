//! Alone, last and Shapley shares of several causes whose effects overlap.
//!
//! For a set T of causes taken away, V(T) is a figure of one replication, on the same random numbers. Alone is
//! V(∅) − V({i}); last is V(all others) − V(all); the Shapley share (Shapley, *A value for n-person games*, 1953) is the
//! mean, over all orders in which the causes are taken away, of what each takes away in its turn. Only the last adds up:
//! Σ φ = V(∅) − V(all), in every replication.

use std::collections::BTreeMap;

/// A set of causes, a bit each.
pub type Mask = u32;

/// Causes up to which every set of them is run.
pub const MOST_IN_FULL: usize = 5;

/// The value of every set that was run, in one replication.
pub type Values = BTreeMap<Mask, f64>;

/// All sets of `count` causes, by size.
pub fn all_sets(count: usize) -> impl Iterator<Item = Mask> {
    0..(1 << count)
}

/// The sets on the way from none to all in one order.
pub fn sets_on_the_way(order: &[usize]) -> impl Iterator<Item = Mask> {
    let step = |taken: &mut Mask, cause: &usize| {
        *taken |= 1 << cause;
        Some(*taken)
    };
    std::iter::once(0).chain(order.iter().scan(0, step))
}

/// What `cause` takes away alone; `None` where a set was not run.
pub fn alone(values: &Values, cause: usize) -> Option<f64> {
    Some(values.get(&0)? - values.get(&(1 << cause))?)
}

/// What `cause` takes away after all others of `count`; `None` where a set was not run.
pub fn last(values: &Values, count: usize, cause: usize) -> Option<f64> {
    let all: Mask = (1 << count) - 1;
    Some(values.get(&(all & !(1 << cause)))? - values.get(&all)?)
}

/// The Shapley share of `cause` among `count`, from every set; `None` where a set was not run.
pub fn shapley(values: &Values, count: usize, cause: usize) -> Option<f64> {
    let without = |set: &Mask| set & (1 << cause) == 0;
    let weighed = |set: Mask| {
        let size = set.count_ones() as usize;
        let taken = values.get(&set)? - values.get(&(set | 1 << cause))?;
        Some(taken * factorial(size) * factorial(count - size - 1) / factorial(count))
    };
    all_sets(count).filter(without).map(weighed).sum()
}

/// The mean over `orders` of what `cause` takes away in its turn; `None` where a set was not run.
pub fn in_orders(values: &Values, orders: &[Vec<usize>], cause: usize) -> Option<f64> {
    let turn = |order: &Vec<usize>| {
        let before: Mask = order.iter().take_while(|each| **each != cause).map(|each| 1 << each).sum();
        Some(values.get(&before)? - values.get(&(before | 1 << cause))?)
    };
    let total: Option<f64> = orders.iter().map(turn).sum();
    Some(total? / orders.len() as f64)
}

fn factorial(n: usize) -> f64 {
    (1..=n).map(|each| each as f64).product()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean missed requests of a published example: a cold start (bit 0), delayed metrics (1), the interval of evaluations
    /// (2) and a limit of each step (3), on bursty traffic over twenty replications.
    fn example() -> Values {
        const C: Mask = 1;
        const M: Mask = 2;
        const E: Mask = 4;
        const L: Mask = 8;
        let sets = [
            (0, 1890.4),
            (L, 1108.7),
            (E, 1141.0),
            (M, 866.2),
            (C, 1238.0),
            (E | L, 1108.7),
            (M | L, 265.7),
            (M | E, 163.9),
            (C | L, 351.3),
            (C | E, 393.5),
            (C | M, 211.0),
            (M | E | L, 157.7),
            (C | E | L, 351.3),
            (C | M | L, 152.7),
            (C | M | E, 151.4),
            (C | M | E | L, 151.4),
        ];
        sets.into_iter().collect()
    }

    #[test]
    fn the_worked_example_comes_out() {
        let values = example();
        let percent = |value: Option<f64>| (1000.0 * value.unwrap() / 1890.4).round() / 10.0;
        let causes =
            [(1, 54.2, 10.6, 34.9), (0, 34.5, 0.3, 22.1), (2, 39.6, 0.1, 17.5), (3, 41.4, 0.0, 17.5)];
        for (cause, first, after, share) in causes {
            assert_eq!(percent(alone(&values, cause)), first, "{cause}");
            assert_eq!(percent(last(&values, 4, cause)), after, "{cause}");
            assert_eq!(percent(shapley(&values, 4, cause)), share, "{cause}");
        }
    }

    #[test]
    fn shares_add_up_to_what_all_take_away_together() {
        let values = example();
        let total: f64 = (0..4).map(|cause| shapley(&values, 4, cause).unwrap()).sum();
        assert!((total - (1890.4 - 151.4)).abs() < 1e-9);
    }

    #[test]
    fn the_mean_over_all_orders_is_the_shapley_share() {
        let values = example();
        let mut orders = Vec::new();
        for a in 0..4 {
            for b in (0..4).filter(|b| *b != a) {
                for c in (0..4).filter(|c| ![a, b].contains(c)) {
                    orders.push(vec![a, b, c, 6 - a - b - c]);
                }
            }
        }
        assert_eq!(orders.len(), 24);
        for cause in 0..4 {
            let exact = shapley(&values, 4, cause).unwrap();
            assert!((in_orders(&values, &orders, cause).unwrap() - exact).abs() < 1e-9);
        }
        let few = &orders[..1];
        let total: f64 = (0..4).map(|cause| in_orders(&values, few, cause).unwrap()).sum();
        assert!((total - (1890.4 - 151.4)).abs() < 1e-9, "any orders add up");
    }

    #[test]
    fn a_set_that_was_not_run_leaves_no_share() {
        let mut values = example();
        values.remove(&3);
        assert_eq!(shapley(&values, 4, 0), None);
        assert!(alone(&values, 0).is_some());
    }
}
