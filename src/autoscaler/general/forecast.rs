//! Forecasts of a rate, a number of steps ahead.

/// Double exponential smoothing (Holt 1957, reprinted in International Journal of Forecasting 20(1), 2004; Hyndman and
/// Athanasopoulos, *Forecasting: Principles and Practice*, 3rd ed., §8.2): a level and a trend, each a running mean that
/// forgets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::autoscaler) struct Holt {
    /// Weight of the newest value in the level, more than 0 and at most 1.
    alpha: f64,
    /// Weight of the newest change in the trend, 0 to 1.
    beta: f64,
    state: Option<State>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct State {
    level: f64,
    /// Change of the level a step.
    trend: f64,
}

impl Holt {
    pub fn new(alpha: f64, beta: f64) -> Holt {
        Holt { alpha, beta, state: None }
    }

    /// Takes in the value of one step. The first one is the level, and there is no trend yet.
    pub fn record(&mut self, value: f64) {
        self.state = Some(match self.state {
            None => State { level: value, trend: 0.0 },
            Some(before) => {
                let level = self.alpha * value + (1.0 - self.alpha) * (before.level + before.trend);
                let trend = self.beta * (level - before.level) + (1.0 - self.beta) * before.trend;
                State { level, trend }
            }
        });
    }

    /// The smoothed value of now; `None` before the first one.
    pub fn level(&self) -> Option<f64> {
        self.state.map(|state| state.level)
    }

    /// The change a step.
    pub fn trend(&self) -> Option<f64> {
        self.state.map(|state| state.trend)
    }

    /// The value expected `steps` from now; never negative.
    pub fn ahead(&self, steps: f64) -> Option<f64> {
        self.state.map(|state| (state.level + steps * state.trend).max(0.0))
    }
}

/// Seasonal naive forecasts (Hyndman and Athanasopoulos, §5.2): what will be is what was a season earlier.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::autoscaler) struct Season {
    /// The values of the last season, in a ring.
    values: Vec<f64>,
    next: usize,
    length: usize,
}

impl Season {
    /// Remembers a season of `length` steps; at least 1.
    pub fn new(length: usize) -> Season {
        Season { values: Vec::with_capacity(length), next: 0, length: length.max(1) }
    }

    /// Takes in the value of one step.
    pub fn record(&mut self, value: f64) {
        match self.values.get_mut(self.next) {
            Some(oldest) => *oldest = value,
            None => self.values.push(value),
        }
        self.next = (self.next + 1) % self.length;
    }

    /// The value a season before `steps` from now; `None` before a season has been seen, or for more steps than one has.
    pub fn ahead(&self, steps: usize) -> Option<f64> {
        // The newest value, 0 steps from now, is at `next - 1`; the one of a season ago has been overwritten by it.
        let steps = steps.checked_sub(1).filter(|_| self.values.len() == self.length)?;
        (steps < self.length).then(|| self.values[(self.next + steps) % self.length])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_is_forecast_exactly_once_the_trend_is_known() {
        let mut holt = Holt::new(0.5, 0.4);
        assert_eq!(holt.ahead(1.0), None);
        (0..200).for_each(|step| holt.record(3.0 + 2.0 * f64::from(step)));
        assert!((holt.ahead(10.0).unwrap() - (3.0 + 2.0 * 209.0)).abs() < 1e-6);
    }

    #[test]
    fn smoothing_follows_the_textbook_recursion() {
        let mut holt = Holt::new(0.5, 0.25);
        [10.0, 14.0, 12.0].into_iter().for_each(|value| holt.record(value));
        // Levels 10, 12, 12.25; trends 0, 0.5, 0.4375.
        assert_eq!((holt.level(), holt.trend()), (Some(12.25), Some(0.4375)));
        assert_eq!(holt.ahead(4.0), Some(14.0));
    }

    #[test]
    fn a_falling_rate_is_never_forecast_below_nothing() {
        let mut holt = Holt::new(1.0, 1.0);
        [9.0, 4.0].into_iter().for_each(|value| holt.record(value));
        assert_eq!(holt.ahead(10.0), Some(0.0));
    }

    #[test]
    fn a_season_gives_what_was_a_season_before() {
        let mut season = Season::new(4);
        [1.0, 2.0, 3.0].into_iter().for_each(|value| season.record(value));
        assert_eq!(season.ahead(1), None, "a season has not been seen yet");
        season.record(4.0);
        assert_eq!([1, 2, 4, 5].map(|steps| season.ahead(steps)), [Some(1.0), Some(2.0), Some(4.0), None]);
        season.record(5.0);
        assert_eq!([1, 4].map(|steps| season.ahead(steps)), [Some(2.0), Some(5.0)]);
    }
}
