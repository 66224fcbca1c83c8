//! Episodes in words.

use super::super::clock::RunClock;
use super::super::format;
use crate::explain::Episode;

/// What happened in an episode and before it, in one sentence or two.
pub fn episode(told: &Episode, clock: RunClock) -> String {
    let share = 100.0 * told.late as f64 / told.ended.max(1) as f64;
    let mut text = format!(
        "{} to {}, {} of {} requests late or lost ({share:.0} %): ",
        clock.show(told.from_s),
        clock.show(told.until_s),
        format::count(told.late as f64),
        format::count(told.ended as f64),
    );
    let causes = parts(told, clock);
    if let Some(pool) = told.pool {
        text += &format!("in the {} pool ", pool.shown());
    }
    text += &match causes.is_empty() {
        true => {
            format!("{} of the {} instances ready were needed at the peak", shown(told.needed), told.ready)
        }
        false => causes.join(", "),
    };
    text.push('.');
    if let Some((at, max)) = told.capped {
        let instances = instances(max);
        text += &format!(
            " The maximum of {instances} was asked for at {}; the arrivals took {} at their peak.",
            clock.show(at),
            shown(told.needed)
        );
    }
    text
}

/// The chain of events, in its order.
fn parts(told: &Episode, clock: RunClock) -> Vec<String> {
    let mut parts = Vec::new();
    let begun = told.crossed.as_ref().map(|(at, _)| *at).or(told.queued_s).unwrap_or(told.from_s);
    if let Some(dropped) = told.dropped.filter(|dropped| dropped.at_s <= begun.max(told.from_s)) {
        let went = if dropped.decided { "had gone by the autoscaler's own decision" } else { "were lost" };
        parts.push(format!("{} {went} by {}", instances(dropped.by), clock.show(dropped.at_s)));
    }
    match (&told.crossed, told.queued_s) {
        (Some((at, key)), _) => {
            parts.push(format!("the threshold ({key}) was crossed at {}", clock.show(*at)));
        }
        (None, Some(at)) => {
            let ready = instances(told.ready);
            parts.push(format!("requests waited from {} on, with {ready} ready", clock.show(at)));
        }
        (None, None) => {}
    }
    match &told.seen {
        Some(seen) => {
            let added = instances(seen.desired - seen.before);
            let took = |ready: f64| format!("{added} took {} to start", format::seconds(ready - seen.at_s));
            let started = seen.ready_s.map_or_else(|| format!("{added} did not start"), took);
            parts.push(format!("seen at {}", clock.show(seen.at_s)));
            parts.push(started);
        }
        None if !parts.is_empty() => parts.push("and no more instances were asked for".to_owned()),
        None => {}
    }
    parts
}

fn instances(number: u32) -> String {
    format::counted(number as usize, "instance")
}

fn shown(instances: f64) -> String {
    format!("{instances:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::episode::{Dropped, Seen};

    fn told() -> Episode {
        let seen =
            Seen { at_s: 50_640.0, before: 4, desired: 7, reason: String::new(), ready_s: Some(50_732.0) };
        Episode {
            from_s: 50_700.0,
            until_s: 50_940.0,
            late: 312,
            ended: 624,
            crossed: Some((50_610.0, "autoscaler.up.above".to_owned())),
            queued_s: Some(50_650.0),
            needed: 6.2,
            ready: 4,
            seen: Some(seen),
            dropped: None,
            capped: None,
            pool: None,
        }
    }

    #[test]
    fn an_episode_is_told_from_the_crossing_to_the_start_of_instances() {
        let expected = "14:05:00 to 14:09:00, 312 of 624 requests late or lost (50 %): the threshold \
                        (autoscaler.up.above) was crossed at 14:03:30, seen at 14:04:00, 3 instances took 92 s to start.";
        assert_eq!(
            episode(&told(), RunClock::default()),
            expected.replace("92 s", "92.0 s").replace("92.0 s", &format::seconds(92.0))
        );
    }

    #[test]
    fn a_maximum_and_a_loss_are_told() {
        let dropped = Some(Dropped { at_s: 50_600.0, by: 2, decided: false });
        let lost = Episode { crossed: None, seen: None, dropped, capped: Some((50_400.0, 4)), ..told() };
        let episode = episode(&lost, RunClock::default());
        assert!(
            episode.contains("2 instances were lost by 14:03:20, requests waited from 14:04:10 on"),
            "{episode}"
        );
        assert!(episode.contains("The maximum of 4 instances was asked for at 14:00:00"), "{episode}");
        assert!(episode.contains("and no more instances were asked for"), "{episode}");
    }
}
