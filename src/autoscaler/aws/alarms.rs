//! CloudWatch: a datapoint a period, and alarms over M of the last N of them.
//!
//! Source: Amazon CloudWatch User Guide, "Using Amazon CloudWatch alarms" and "Configuring how CloudWatch alarms treat
//! missing data". An alarm over N periods looks at a few more than N, so that a late or missing datapoint does not decide.
//! How many more is not published in general; the guide's examples show two.

use std::collections::VecDeque;

use crate::autoscaler::Rounded;
use crate::schema::{Choice, Context, Kind, Node, Problem, Value, read_choice};

/// Periods an alarm looks at beyond those it evaluates.
const EXTRA_PERIODS: usize = 2;

/// The datapoints of one metric, one a period.
#[derive(Debug, Clone)]
pub(super) struct Series {
    /// Periods published since the start.
    published: u64,
    /// Oldest first.
    datapoints: VecDeque<Option<f64>>,
    kept: usize,
}

impl Series {
    /// No datapoints yet; keeps as many as alarms over `periods` of them look at.
    pub fn new(periods: usize) -> Series {
        let kept = periods + EXTRA_PERIODS;
        Series { published: 0, datapoints: VecDeque::with_capacity(kept), kept }
    }

    /// The datapoint of the next period; `None`: there was nothing to measure.
    pub fn push(&mut self, datapoint: Option<f64>) {
        if self.datapoints.len() == self.kept {
            self.datapoints.pop_front();
        }
        self.datapoints.push_back(datapoint);
        self.published += 1;
    }

    /// The newest datapoint there is.
    pub fn newest(&self) -> Option<f64> {
        self.datapoints.iter().rev().copied().flatten().next()
    }
}

/// How a datapoint is compared with the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Above,
    AtLeast,
    Below,
    AtMost,
}

impl Choice for Comparison {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("greater_than", Comparison::Above, "above the threshold"),
        ("greater_than_or_equal", Comparison::AtLeast, "above the threshold or equal to it"),
        ("less_than", Comparison::Below, "below the threshold"),
        ("less_than_or_equal", Comparison::AtMost, "below the threshold or equal to it"),
    ];
}

impl Value for Comparison {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

impl Comparison {
    /// Whether the alarm watches for values that are too high, else too low.
    pub fn is_upward(self) -> bool {
        matches!(self, Comparison::Above | Comparison::AtLeast)
    }

    pub fn breaches(self, datapoint: f64, threshold: f64) -> bool {
        match self {
            Comparison::Above => datapoint > threshold,
            Comparison::AtLeast => datapoint >= threshold,
            Comparison::Below => datapoint < threshold,
            Comparison::AtMost => datapoint <= threshold,
        }
    }
}

/// What a period without a datapoint counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    LeftOut,
    Ignored,
    Breaching,
    NotBreaching,
}

impl Choice for Missing {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("missing", Missing::LeftOut, "left out; without any datapoint the alarm does not know"),
        ("ignore", Missing::Ignored, "the alarm stays as it is"),
        ("breaching", Missing::Breaching, "past the threshold"),
        ("not_breaching", Missing::NotBreaching, "within the threshold"),
    ];
}

impl Value for Missing {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

/// An alarm's settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Alarm {
    pub comparison: Comparison,
    pub threshold: f64,
    /// Periods evaluated, N.
    pub periods: u32,
    /// Datapoints past the threshold among them that raise it, M.
    pub datapoints: u32,
    pub missing: Missing,
}

/// The state of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum State {
    /// Too little is known. The state at the start.
    #[default]
    InsufficientData,
    /// Within the threshold.
    Ok,
    /// Past the threshold.
    Alarm,
}

impl State {
    /// As CloudWatch writes it.
    pub fn name(self) -> &'static str {
        match self {
            State::InsufficientData => "INSUFFICIENT_DATA",
            State::Ok => "OK",
            State::Alarm => "ALARM",
        }
    }
}

/// How far an alarm is from being raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Breaches {
    /// Datapoints past the threshold among those that count.
    pub past: u32,
    /// Datapoints there are among the periods evaluated.
    pub found: u32,
}

impl Alarm {
    /// The datapoints past the threshold among the newest that count.
    pub fn breaches(&self, series: &Series) -> Breaches {
        let periods = self.periods as usize;
        let range = series.datapoints.iter().rev().take(periods + EXTRA_PERIODS).copied();
        range.flatten().take(periods).fold(Breaches::default(), |counted, datapoint| Breaches {
            past: counted.past + u32::from(self.comparison.breaches(datapoint, self.threshold)),
            found: counted.found + 1,
        })
    }

    /// What it waits for after so many breaches, in words: "above 10 in 1 of 3 periods, and it takes 3".
    pub fn words(&self, breaches: Breaches) -> String {
        let Breaches { past, found } = breaches;
        let side = match self.comparison {
            Comparison::Above => "above",
            Comparison::AtLeast => "at or above",
            Comparison::Below => "below",
            Comparison::AtMost => "at or below",
        };
        let lacking = match self.periods.saturating_sub(found) {
            0 => String::new(),
            lacking => format!(", {lacking} without a datapoint"),
        };
        format!(
            "{side} {} in {past} of {} periods{lacking}, and the alarm takes {}",
            Rounded(self.threshold),
            self.periods,
            self.datapoints
        )
    }

    /// The state after `before`. Until as many periods have been published as the alarm evaluates it does not know: a
    /// run starts in the middle of things, not with an empty past.
    pub fn evaluate(&self, series: &Series, before: State) -> State {
        let (periods, needed) = (self.periods as usize, self.datapoints as usize);
        if series.published < u64::from(self.periods) {
            return State::InsufficientData;
        }
        let range = || series.datapoints.iter().rev().take(periods + EXTRA_PERIODS).copied();
        let breaches = |datapoint: f64| self.comparison.breaches(datapoint, self.threshold);
        // The newest N datapoints there are in the range, fewer if more are missing than the range has to spare.
        let found = || range().flatten().take(periods);
        let (found_count, past) = (found().count(), found().filter(|datapoint| breaches(*datapoint)).count());
        let lacking = periods - found_count;
        let raised = |past: usize| if past >= needed { State::Alarm } else { State::Ok };
        match self.missing {
            Missing::LeftOut if found_count == 0 => State::InsufficientData,
            // All there is breaches: the alarm is raised however little that is.
            Missing::LeftOut if past == found_count => State::Alarm,
            Missing::LeftOut | Missing::NotBreaching => raised(past),
            Missing::Ignored if past < needed && past + lacking >= needed => before,
            Missing::Ignored => raised(past),
            Missing::Breaching => raised(past + lacking),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(periods: u32, datapoints: u32, missing: Missing) -> Alarm {
        Alarm { comparison: Comparison::Above, threshold: 10.0, periods, datapoints, missing }
    }

    /// The state after a history, one letter a minute: `X` past the threshold, `0` within it, `-` missing.
    fn state(alarm: Alarm, history: &str) -> State {
        let mut series = Series::new(alarm.periods as usize);
        for letter in history.chars() {
            series.push(match letter {
                'X' => Some(11.0),
                '0' => Some(10.0),
                _ => None,
            });
        }
        alarm.evaluate(&series, State::Ok)
    }

    #[test]
    fn all_of_n_datapoints_raise_an_alarm() {
        let three = alarm(3, 3, Missing::LeftOut);
        assert_eq!(state(three, "0XXX"), State::Alarm);
        assert_eq!(state(three, "XX0X"), State::Ok);
        assert_eq!(state(three, "XX"), State::InsufficientData, "two minutes are not three");
    }

    #[test]
    fn what_an_alarm_waits_for_is_counted() {
        let three = alarm(3, 2, Missing::LeftOut);
        let mut series = Series::new(3);
        [Some(11.0), None, Some(9.0)].into_iter().for_each(|datapoint| series.push(datapoint));
        let said = "above 10 in 1 of 3 periods, 1 without a datapoint, and the alarm takes 2";
        assert_eq!(three.words(three.breaches(&series)), said);
    }

    #[test]
    fn m_of_n_datapoints_may_be_apart() {
        let two_of_three = alarm(3, 2, Missing::LeftOut);
        assert_eq!(state(two_of_three, "00X0X"), State::Alarm);
        assert_eq!(state(two_of_three, "0X00X"), State::Ok);
    }

    #[test]
    fn missing_datapoints_count_as_the_alarm_says() {
        // The rows of the table in the guide, three of three over a range of five.
        use State::{Alarm as A, InsufficientData as I, Ok as O};
        let ways = [Missing::LeftOut, Missing::Ignored, Missing::Breaching, Missing::NotBreaching];
        for (history, states) in [
            ("0-X-X", [O, O, O, O]),
            ("0----", [O, O, O, O]),
            ("-----", [I, O, A, O]),
            ("0XX-X", [A, A, A, A]),
            ("--X--", [A, O, A, O]),
        ] {
            assert_eq!(ways.map(|way| state(alarm(3, 3, way), history)), states, "{history}");
        }
    }
}
