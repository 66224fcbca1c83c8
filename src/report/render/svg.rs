//! Charts as SVG documents.

use crate::report::canvas::SvgCanvas;
use crate::report::chart::{Chart, ChartError, Size, draw_on};

/// Draws a chart as an SVG document.
///
/// # Errors
/// [`ChartError::Drawing`] if plotters fails.
pub fn draw(chart: &impl Chart, size: Size) -> Result<String, ChartError> {
    let mut canvas = SvgCanvas::new(size.width(), size.height(), chart.title());
    draw_on(chart, size, &mut canvas)?;
    Ok(canvas.finish())
}
