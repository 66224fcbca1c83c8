//! Charts as PNG pictures.

use super::form::PictureFormat;
use crate::report::canvas::PngCanvas;
use crate::report::chart::{AnyChart, ChartError, Size, draw_on};

/// Pictures of pixels.
pub const FORMAT: PictureFormat = PictureFormat { extension: "png", draw };

/// Draws a chart as the bytes of a PNG file.
///
/// # Errors
/// [`ChartError::Drawing`] if plotters fails, [`ChartError::Png`] if the picture cannot be made.
pub fn draw(chart: &AnyChart, size: Size) -> Result<Vec<u8>, ChartError> {
    let mut canvas = PngCanvas::new(size.width(), size.height()).map_err(ChartError::Png)?;
    draw_on(chart, size, &mut canvas)?;
    canvas.finish().map_err(ChartError::Png)
}
