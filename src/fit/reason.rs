//! Why a fit is not usable, in words.

use super::drive::{Compared, LATENCY, TPOT, TTFT};
use super::{TOLERANCE, worst};

/// Gaps between measured and simulated that differ by less than this factor between the least and the most loaded level are
/// about constant.
const CONSTANT: f64 = 2.0;

/// Why the rows say that the fit is not usable; `None` if none is more than [`TOLERANCE`] off.
pub fn why_refused(rows: &[Compared]) -> Option<String> {
    if worst(rows) <= TOLERANCE {
        return None;
    }
    // Tokens first: what is wrong with them is wrong with the latency too.
    let off = |quantity: &str| {
        let of = rows.iter().filter(|row| row.quantity == quantity && row.error().abs() > TOLERANCE);
        of.max_by(|one, other| one.error().abs().total_cmp(&other.error().abs()))
    };
    let row = [TPOT, TTFT, LATENCY].into_iter().find_map(off)?;
    let head = format!(
        "level {}, driven again ({}), comes to a {} of {} ms where {} ms were measured ({:+.0} %)",
        row.level,
        row.driven,
        row.quantity,
        millis(row.simulated_s),
        millis(row.measured_s),
        row.error() * 100.0
    );
    Some(format!("{head}: {}", cause(row, rows)))
}

fn cause(row: &Compared, rows: &[Compared]) -> String {
    let alike: Vec<&Compared> = rows.iter().filter(|other| other.quantity == row.quantity).collect();
    let gap = |row: &Compared| row.measured_s - row.simulated_s;
    let (first, last) = (gap(alike[0]), gap(alike[alike.len() - 1]));
    if row.quantity == TTFT && gap(row) > 0.0 {
        return if first > 0.0 && last > 0.0 && last.max(first) < CONSTANT * last.min(first) {
            format!(
                "about {} ms before the first token do not depend on the load: the client, the network or a gateway, which is \
                 `overhead_before` and not the engine",
                millis(first)
            )
        } else {
            "requests queue before their first token where the fitted engine has room: it admits fewer at a time \
             (`max_sequences`, `token_budget`), or its KV cache is full (`kv_tokens`); --up-to leaves such levels out"
                .to_owned()
        };
    }
    if alike.len() == 1 && row.quantity == LATENCY {
        return "one level does not tell how many requests an instance serves at a time: it takes levels up to where no more are \
                answered"
            .to_owned();
    }
    if row.quantity == TTFT {
        return "no time of a prompt token is right at all levels: overhead of the client, or queueing at the more loaded ones, is \
                in the time to the first token"
            .to_owned();
    }
    if gap(row) > 0.0 && row.level == alike[alike.len() - 1].level {
        return "the engine is slower there than its lower levels let expect: its KV cache is full, or its times bend; --up-to \
                leaves such levels out"
            .to_owned();
    }
    "no service of this model has these times at all levels: fit a part of them with --up-to, or another --model".to_owned()
}

fn millis(seconds: f64) -> String {
    let ms = seconds * 1e3;
    if ms >= 100.0 { format!("{ms:.0}") } else { format!("{ms:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(level: &str, quantity: &'static str, measured_ms: f64, simulated_ms: f64) -> Compared {
        Compared {
            level: level.to_owned(),
            driven: format!("{level} users"),
            quantity,
            measured_s: measured_ms / 1e3,
            simulated_s: simulated_ms / 1e3,
        }
    }

    #[test]
    fn a_gap_before_the_first_token_is_overhead_or_a_queue() {
        let overhead = [row("1", TTFT, 80.0, 30.0), row("8", TTFT, 95.0, 40.0)];
        assert!(why_refused(&overhead).unwrap().contains("`overhead_before`"));
        let queue = [row("1", TTFT, 31.0, 30.0), row("64", TTFT, 950.0, 90.0)];
        let why = why_refused(&queue).unwrap();
        assert!(why.starts_with("level 64") && why.contains("`kv_tokens`"), "{why}");
    }

    #[test]
    fn what_is_within_15_percent_is_usable() {
        assert_eq!(why_refused(&[row("1", LATENCY, 100.0, 114.0), row("2", TPOT, 10.0, 8.6)]), None);
        assert!(why_refused(&[row("1", LATENCY, 100.0, 116.0)]).is_some());
    }
}
