//! Colours: the Okabe–Ito set, told apart with any colour vision, and cividis for the heat map.

use plotters::style::RGBColor;

/// Text and axes.
pub const INK: RGBColor = RGBColor(0x22, 0x26, 0x2b);
/// Secondary text.
pub const SOFT_INK: RGBColor = RGBColor(0x4d, 0x55, 0x5e);
/// Points that matter less.
pub const FAINT: RGBColor = RGBColor(0x7a, 0x83, 0x8c);
/// Grid lines.
pub const GRID: RGBColor = RGBColor(0xe3, 0xe6, 0xea);
/// Axis lines and the frame.
pub const AXIS: RGBColor = RGBColor(0x9a, 0xa2, 0xab);
/// Paper.
pub const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);

/// Okabe and Ito, "Color Universal Design" (2008), <https://jfly.uni-koeln.de/color/>.
pub const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xb2);
/// Okabe–Ito vermillion.
pub const VERMILLION: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
/// Okabe–Ito orange.
pub const ORANGE: RGBColor = RGBColor(0xe6, 0x9f, 0x00);
/// Okabe–Ito bluish green.
pub const GREEN: RGBColor = RGBColor(0x00, 0x9e, 0x73);
/// Okabe–Ito reddish purple.
pub const PURPLE: RGBColor = RGBColor(0xcc, 0x79, 0xa7);
/// Okabe–Ito sky blue.
pub const SKY: RGBColor = RGBColor(0x56, 0xb4, 0xe9);

/// The colours of series in their order: no yellow, too light on white, and no vermillion, which is the SLO's.
pub const SERIES: [RGBColor; 6] = [BLUE, ORANGE, GREEN, PURPLE, SKY, INK];

/// Nuñez, Anderton and Renslow, "Optimizing colormaps with consideration for color vision deficiency" (PLOS ONE 13(7),
/// 2018): cividis at seventeen even steps.
const CIVIDIS: [(u8, u8, u8); 17] = [
    (0, 34, 78),
    (0, 46, 106),
    (26, 56, 111),
    (50, 67, 109),
    (67, 78, 108),
    (83, 90, 109),
    (97, 101, 111),
    (111, 112, 115),
    (125, 124, 120),
    (140, 136, 120),
    (155, 148, 118),
    (171, 160, 114),
    (188, 174, 108),
    (205, 187, 99),
    (222, 201, 88),
    (240, 216, 70),
    (254, 232, 56),
];

/// The cividis colour of a fraction from 0 (dark) to 1 (light); what is no fraction is dark.
pub fn cividis(fraction: f64) -> RGBColor {
    let fraction = if fraction >= 0.0 { fraction.min(1.0) } else { 0.0 };
    let place = fraction * (CIVIDIS.len() - 1) as f64;
    let below = (place as usize).min(CIVIDIS.len() - 2);
    let share = place - below as f64;
    let (a, b) = (CIVIDIS[below], CIVIDIS[below + 1]);
    let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as u8;
    RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// Relative luminance from 0 to 1 (WCAG 2.2).
pub fn luminance(RGBColor(r, g, b): RGBColor) -> f64 {
    let linear = |v: u8| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

/// The ink that reads best on a colour.
pub fn ink_on(color: RGBColor) -> RGBColor {
    // Where black and white contrast alike: (L + 0.05)² = 1.05 × 0.05.
    if luminance(color) > 0.179 { INK } else { PAPER }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heat_map_grows_lighter_all_the_way() {
        let steps: Vec<f64> = (0..=100).map(|i| luminance(cividis(f64::from(i) / 100.0))).collect();
        assert!(steps.is_sorted() && steps[0] < 0.02 && steps[100] > 0.75);
    }

    #[test]
    fn a_fraction_that_is_none_has_a_colour_all_the_same() {
        assert_eq!(cividis(f64::NAN), cividis(0.0));
        assert_eq!(cividis(7.0), cividis(1.0));
    }
}
