//! The constants of the formula fitted anew, to all levels but those of a group.
//!
//! As they were for the product: times of a further token, logarithms, Gauss and Newton with weights that fall with the error (by
//! Cauchy, so that a few levels measured otherwise than they say count little), and a pull to what would be guessed.

use kneepoint::internals::service::Fitted;

pub const COUNT: usize = 14;

/// Each constant.
pub const EACH: [fn(&mut Fitted) -> &mut f64; COUNT] = [
    |fitted| &mut fitted.base,
    |fitted| &mut fitted.layer,
    |fitted| &mut fitted.narrow_layer,
    |fitted| &mut fitted.latent_layer,
    |fitted| &mut fitted.experts_layer,
    |fitted| &mut fitted.sequence,
    |fitted| &mut fitted.prompt_layer,
    |fitted| &mut fitted.tensorrt_llm,
    |fitted| &mut fitted.sglang,
    |fitted| &mut fitted.vllm_2023,
    |fitted| &mut fitted.vllm_2023_gpu,
    |fitted| &mut fitted.all_reduce,
    |fitted| &mut fitted.exchange,
    |fitted| &mut fitted.coverage,
];

/// What would be guessed: the overheads that were published for this formula, in round figures.
pub const GUESSED: Fitted = Fitted {
    base: 0.6e-3,
    layer: 33e-6,
    narrow_layer: 6e-6,
    latent_layer: 6e-6,
    experts_layer: 10e-6,
    sequence: 15e-6,
    prompt_layer: 100e-6,
    tensorrt_llm: 0.75,
    sglang: 1.7,
    vllm_2023: 6.2,
    vllm_2023_gpu: 1e-3,
    all_reduce: 6e-6,
    exchange: 1.7,
    coverage: 0.9,
};

pub type Steps = [f64; COUNT];

/// `fitted` with each constant multiplied by the exponential of its step.
pub fn moved(fitted: &Fitted, steps: &Steps) -> Fitted {
    let mut moved = *fitted;
    EACH.iter().zip(steps).for_each(|(constant, step)| *constant(&mut moved) *= step.exp());
    moved
}

/// The steps from `fitted` that are best for levels with these logarithms of measured by foretold times, derivatives of the
/// foretold ones, and weights.
pub fn best(fitted: &Fitted, levels: &[(f64, Steps, f64)]) -> Steps {
    const TYPICAL: f64 = 0.12;
    const PULL: f64 = (TYPICAL / 0.4) * (TYPICAL / 0.4) / 240.0;
    let (mut current, mut guessed) = (*fitted, GUESSED);
    let from_guess: Vec<f64> =
        EACH.iter().map(|constant| (*constant(&mut current) / *constant(&mut guessed)).ln()).collect();
    let all: f64 = levels.iter().map(|(.., weight)| weight).sum();
    let mut steps = [0.0; COUNT];
    for _ in 0..12 {
        let mut matrix = [[0.0; COUNT + 1]; COUNT];
        for (error, slopes, weight) in levels {
            let left = error - slopes.iter().zip(&steps).map(|(slope, step)| slope * step).sum::<f64>();
            let weight = weight * levels.len() as f64 / all / (1.0 + (left / TYPICAL).powi(2));
            for (row, slope) in matrix.iter_mut().zip(slopes) {
                row.iter_mut().zip(slopes).for_each(|(cell, other)| *cell += weight * slope * other);
                row[COUNT] += weight * slope * error;
            }
        }
        let pull = PULL * levels.len() as f64;
        for (index, row) in matrix.iter_mut().enumerate() {
            row[index] += pull;
            row[COUNT] -= pull * from_guess[index];
        }
        steps = solved(matrix);
    }
    steps.map(|step| step.clamp(-0.5, 0.5))
}

/// The solution of linear equations, by elimination; the matrix is positive definite.
fn solved(mut matrix: [[f64; COUNT + 1]; COUNT]) -> Steps {
    for pivot in 0..COUNT {
        for row in 0..COUNT {
            if row != pivot {
                let factor = matrix[row][pivot] / matrix[pivot][pivot];
                let above = matrix[pivot];
                matrix[row].iter_mut().zip(above).for_each(|(cell, other)| *cell -= factor * other);
            }
        }
    }
    std::array::from_fn(|row| matrix[row][COUNT] / matrix[row][row])
}
