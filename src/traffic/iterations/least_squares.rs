//! Least squares with no negative part.

/// Rounds over all parts at most; coordinate descent ends long before for the few parts there are.
const ROUNDS: u32 = 20_000;

/// The parts `x ≥ 0` that minimise Σ (row · x − target)² + `ridge` × Σ (norm of the column × part)².
///
/// The problem is convex, so coordinate descent with each part cut at 0 ends in its minimum (Lawson and Hanson's problem NNLS; Franc,
/// Hlaváč and Navara, "Sequential coordinate-wise algorithm for the non-negative least squares problem", 2005). The ridge shares what
/// several parts explain equally well evenly between them, and changes what the rows tell apart by about its own size.
pub(super) fn non_negative(rows: &[Vec<f64>], targets: &[f64], ridge: f64) -> Vec<f64> {
    let count = rows.first().map_or(0, Vec::len);
    let norms: Vec<f64> =
        (0..count).map(|part| rows.iter().map(|row| row[part] * row[part]).sum::<f64>().sqrt()).collect();
    let scaled = |row: &[f64], part: usize| if norms[part] > 0.0 { row[part] / norms[part] } else { 0.0 };
    let dot = |one: usize, other: usize| -> f64 {
        rows.iter().map(|row| scaled(row, one) * scaled(row, other)).sum()
    };
    let gram: Vec<Vec<f64>> =
        (0..count).map(|one| (0..count).map(|other| dot(one, other)).collect()).collect();
    let aims: Vec<f64> = (0..count)
        .map(|part| rows.iter().zip(targets).map(|(row, target)| scaled(row, part) * target).sum())
        .collect();
    let mut parts = vec![0.0_f64; count];
    for _ in 0..ROUNDS {
        let mut moved = 0.0_f64;
        for part in (0..count).filter(|part| norms[*part] > 0.0) {
            let others: f64 =
                (0..count).filter(|other| *other != part).map(|other| gram[part][other] * parts[other]).sum();
            let best = ((aims[part] - others) / (gram[part][part] + ridge)).max(0.0);
            moved = moved.max((best - parts[part]).abs());
            parts[part] = best;
        }
        if moved < 1e-12 {
            break;
        }
    }
    (0..count).map(|part| if norms[part] > 0.0 { parts[part] / norms[part] } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_and_one_that_would_be_negative_is_left_out() {
        let rows: Vec<Vec<f64>> = [1.0, 2.0, 5.0, 9.0].iter().map(|x| vec![1.0, *x]).collect();
        let line = non_negative(&rows, &[5.0, 7.0, 13.0, 21.0], 0.0);
        assert!((line[0] - 3.0).abs() < 1e-6 && (line[1] - 2.0).abs() < 1e-6, "{line:?}");
        // Falling: the best of all rising lines is level, at the mean.
        let falling = non_negative(&rows, &[9.0, 7.0, 5.0, 3.0], 0.0);
        assert!((falling[0] - 6.0).abs() < 1e-6 && falling[1] == 0.0, "{falling:?}");
    }

    #[test]
    fn what_two_parts_explain_alike_is_shared_evenly() {
        let rows: Vec<Vec<f64>> = [1.0, 2.0, 5.0].iter().map(|x| vec![*x, *x * 1e-3]).collect();
        let parts = non_negative(&rows, &[2.0, 4.0, 10.0], 1e-3);
        assert!((parts[0] - 1.0).abs() < 2e-3 && (parts[1] - 1000.0).abs() < 2.0, "{parts:?}");
    }
}
