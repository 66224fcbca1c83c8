//! The charts. Each is a struct of plain data that knows how to draw itself, and [`AnyChart`] is one of them. A new kind
//! of chart is one file, which also says how it is made of results, and one line in the list of kinds: reports show it and
//! folders hold it without more.
//!
//! - [`CostLatency`]: every point of a sweep, the frontier, the knee, the SLO
//! - [`Comparison`]: one labelled point a policy, with intervals, and the least cost possible
//! - [`Timeline`]: arrival rate, instances, queue and latency over time
//! - [`Distribution`]: latency by percentile, with the tail drawn out
//! - [`HeatMap`]: one figure over two swept parameters
//!
//! All share [`Sheet`] (drawing in pixels on a plotters area), axes with their ticks, legends beside the data and one
//! colour-blind-safe palette in which every kind also differs by shape or dash, so that nothing is lost in grey.
mod axis;
mod comparison;
mod cost_latency;
mod distribution;
mod heat_map;
mod label;
mod legend;
mod marker;
mod number;
mod of_scenario;
mod palette;
mod panel;
mod sheet;
mod timeline;

pub use comparison::{Bound, Contender, Measure};
pub use cost_latency::SweptPoint;
pub use distribution::LatencySeries;
pub use heat_map::{Cell, Parameter, Slice};
pub use of_scenario::{cost_axis, latency_axis, leading_slo};
pub use sheet::{Drawn, Sheet, Target};
pub use timeline::{
    LineSpec, MEASURED_PANELS, PANELS, PANELS_OF_POOLS, PanelSpec, Sample, Samples, TimelineLine,
    TimelinePanel,
};

use std::fmt;

use plotters::drawing::IntoDrawingArea;
use serde::Serialize;

use super::canvas::PngError;
use super::results::Results;
use crate::scenario::Scenario;
use crate::sim::Outcome;

/// Something that can be drawn: the charts of this module.
pub trait Chart {
    /// The headline; also what a screen reader announces.
    fn title(&self) -> &str;

    /// Draws everything, headline included, over the whole sheet.
    ///
    /// # Errors
    /// Only what plotters reports; neither canvas fails while drawing.
    fn draw<DB: Target>(&self, sheet: &Sheet<'_, DB>) -> Drawn;
}

/// One run that is shown.
#[derive(Debug, Clone, Copy)]
pub struct ShownRun<'a> {
    /// What was simulated.
    pub scenario: &'a Scenario,
    /// What it is called in headlines.
    pub title: &'a str,
    /// What happened.
    pub outcome: &'a Outcome,
}

/// A place of a chart in reports: of which results it is made, and how it is shown there.
#[derive(Debug, Clone, Copy)]
pub struct InReport {
    /// Name of its files, without an extension.
    pub name: &'static str,
    /// How to read it, below it; may be empty.
    pub caption: &'static str,
    /// Its size as a picture.
    pub size: Size,
    /// Whether it shows what happened over a run, and not settings side by side.
    pub is_of_a_run: bool,
    /// What it is made of.
    pub of: Of,
}

/// What a chart is made of.
#[derive(Debug, Clone, Copy)]
pub enum Of {
    /// The whole result; `None` where it has nothing to show of it.
    Result(fn(Results<'_>) -> Option<AnyChart>),
    /// Each run that a report shows; `None` where it has nothing to show of one.
    Run(fn(ShownRun<'_>) -> Option<AnyChart>),
}

/// States the kinds of chart: an enum of them that is itself a chart, and data; and their places in reports.
macro_rules! kinds {
    ($($module:ident::$kind:ident: $doc:literal,)*) => {
        $(pub use $module::$kind;)*

        /// The places of all charts in reports, in the order in which a report shows them.
        static IN_REPORTS: &[&[InReport]] = &[$($module::IN_REPORTS),*];

        /// A chart of any kind.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        pub enum AnyChart {
            $(#[doc = $doc] $kind($kind),)*
        }

        impl Chart for AnyChart {
            fn title(&self) -> &str {
                match self { $(AnyChart::$kind(chart) => chart.title(),)* }
            }

            fn draw<DB: Target>(&self, sheet: &Sheet<'_, DB>) -> Drawn {
                match self { $(AnyChart::$kind(chart) => chart.draw(sheet),)* }
            }
        }

        $(impl From<$kind> for AnyChart {
            fn from(chart: $kind) -> AnyChart {
                AnyChart::$kind(chart)
            }
        })*
    };
}

kinds! {
    cost_latency::CostLatency: "Cost against latency of the points of a sweep.",
    comparison::Comparison: "Cost against latency of a few alternatives.",
    heat_map::HeatMap: "One figure over two swept parameters.",
    timeline::Timeline: "One run over time.",
    distribution::Distribution: "Latency by percentile.",
}

/// The places of all charts in reports, in the order in which a report shows them.
pub fn in_reports() -> impl Iterator<Item = &'static InReport> {
    IN_REPORTS.iter().copied().flatten()
}

/// Width and height of a chart in pixels, each kept between 480 and 8000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Size {
    width: u32,
    height: u32,
}

impl Size {
    /// 1200 × 720 pixels: fits a README and a slide.
    pub const WIDE: Size = Size { width: 1200, height: 720 };
    /// 1200 × 1100 pixels: for a timeline of several panels.
    pub const TALL: Size = Size { width: 1200, height: 1100 };
    /// 1200 × 1500 pixels: for a timeline of two pools.
    pub const TALLEST: Size = Size { width: 1200, height: 1500 };

    /// A size in pixels; too small or too large a side is brought to the nearest that can be drawn.
    #[cfg(feature = "internals")]
    pub fn new(width: u32, height: u32) -> Self {
        Size { width: width.clamp(480, 8000), height: height.clamp(480, 8000) }
    }

    /// Its width in pixels.
    pub fn width(self) -> u32 {
        self.width
    }

    /// Its height in pixels.
    pub fn height(self) -> u32 {
        self.height
    }
}

/// A figure with its confidence interval, in the unit of its axis; latencies in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean over replications; NaN if there is none, and then it is not drawn.
    pub mean: f64,
    /// Lower and upper end of the interval; `None` with a single replication.
    pub interval: Option<(f64, f64)>,
}

impl Estimate {
    /// A figure without an interval.
    #[cfg(feature = "internals")]
    pub fn exactly(mean: f64) -> Self {
        Estimate { mean, interval: None }
    }

    /// A figure with its interval.
    #[cfg(feature = "internals")]
    pub fn between(low: f64, mean: f64, high: f64) -> Self {
        Estimate { mean, interval: Some((low, high)) }
    }

    /// Lower and upper end, or the mean twice; only finite numbers.
    fn extent(self) -> impl Iterator<Item = f64> {
        let (low, high) = self.interval.unwrap_or((self.mean, self.mean));
        [low, self.mean, high].into_iter().filter(|v| v.is_finite())
    }
}

/// The latency promised to users.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Slo {
    /// How it is called on the chart: "SLO: p99 ≤ 2 s".
    pub label: String,
    /// The limit in seconds.
    pub seconds: f64,
}

impl Slo {
    /// Its label for an axis, which says so where it lies beyond.
    fn label_on(&self, axis: &axis::Axis) -> String {
        match axis.holds(self.seconds) {
            true => self.label.clone(),
            false if axis.fraction(self.seconds) > 0.5 => {
                format!("{}, beyond this axis (larger)", self.label)
            }
            false => format!("{}, beyond this axis (smaller)", self.label),
        }
    }
}

/// Why a chart could not be rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChartError {
    /// plotters could not draw; in its words.
    Drawing(String),
    /// The picture could not be made.
    Png(PngError),
}

impl fmt::Display for ChartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChartError::Drawing(reason) => write!(f, "the chart could not be drawn: {reason}"),
            ChartError::Png(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ChartError {}

/// Draws a chart over the whole of a canvas.
///
/// # Errors
/// [`ChartError::Drawing`] if plotters fails.
pub(super) fn draw_on<DB: Target>(chart: &impl Chart, size: Size, canvas: DB) -> Result<(), ChartError> {
    let area = canvas.into_drawing_area();
    let sheet = Sheet::new(&area, size);
    sheet.background().and_then(|()| chart.draw(&sheet)).map_err(|e| ChartError::Drawing(e.to_string()))
}

#[cfg(test)]
mod tests;
