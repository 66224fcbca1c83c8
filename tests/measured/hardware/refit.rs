//! The constants of the formula fitted anew, to all levels but those of a group.
//!
//! As they were for the product: times of a further token and to the first, logarithms, each error by what is typical of its kind, Gauss
//! and Newton with weights that fall with the error (by Cauchy, so that a few levels measured otherwise than they say count little),
//! and a pull to what would be guessed.

use kneepoint::internals::service::Fitted;

pub const COUNT: usize = 18;

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
    |fitted| &mut fitted.outside_prompt_token,
    |fitted| &mut fitted.outside_iterations,
    |fitted| &mut fitted.outside_iterations_experts,
    |fitted| &mut fitted.outside_iterations_sglang,
];

/// What would be guessed: the overheads that were published for this formula, in round figures, and for every model and engine as
/// many iterations outside it as four other load tests of vLLM show (`docs/validation.md`).
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
    outside_prompt_token: 5e-6,
    outside_iterations: 2.5,
    outside_iterations_experts: 2.5,
    outside_iterations_sglang: 2.5,
};

pub type Steps = [f64; COUNT];

/// `fitted` with each constant multiplied by the exponential of its step.
pub fn moved(fitted: &Fitted, steps: &Steps) -> Fitted {
    let mut moved = *fitted;
    EACH.iter().zip(steps).for_each(|(constant, step)| *constant(&mut moved) *= step.exp());
    moved
}

/// A level, as a fit sees it: of its time of a further token and of that to the first.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Logarithms of the measured times by those foretold.
    pub errors: [f64; 2],
    /// Derivatives of the logarithms of those foretold by each step.
    pub slopes: [Steps; 2],
    pub weight: f64,
}

/// The steps from `fitted` that are best for these levels.
pub fn best(fitted: &Fitted, levels: &[Row]) -> Steps {
    // Errors of the two times.
    const TYPICAL: [f64; 2] = [0.12, 0.25];
    const PULL: f64 = (TYPICAL[0] / 0.4) * (TYPICAL[0] / 0.4) / 240.0;
    let (mut current, mut guessed) = (*fitted, GUESSED);
    let from_guess: Vec<f64> =
        EACH.iter().map(|constant| (*constant(&mut current) / *constant(&mut guessed)).ln()).collect();
    let all: f64 = levels.iter().map(|level| level.weight).sum();
    let mut steps = [0.0; COUNT];
    for _ in 0..12 {
        let mut matrix = [[0.0; COUNT + 1]; COUNT];
        for (level, kind) in levels.iter().flat_map(|level| [(level, 0), (level, 1)]) {
            let (error, slopes, typical) = (level.errors[kind], &level.slopes[kind], TYPICAL[kind]);
            let left = error - slopes.iter().zip(&steps).map(|(slope, step)| slope * step).sum::<f64>();
            let certainty = (TYPICAL[0] / typical).powi(2) / (1.0 + (left / typical).powi(2));
            let weight = level.weight * levels.len() as f64 / all * certainty;
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
    steps
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
