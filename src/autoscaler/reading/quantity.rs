//! Quantities as Kubernetes writes them: `"500m"`, `"2k"`, `"1.5"`, `"8Gi"`.

use crate::schema::{Context, Data, Kind, Node, Problem, Value};

/// A quantity in thousandths, rounded up as `Quantity.MilliValue` does; more than zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quantity(pub i64);

/// Reads a quantity; `None` if it is not one. Too large a one is the largest there is.
pub fn parse_quantity(text: &str) -> Option<i64> {
    const UNITS: [(&str, i32, i128); 15] = [
        ("Ki", 0, 1 << 10),
        ("Mi", 0, 1 << 20),
        ("Gi", 0, 1 << 30),
        ("Ti", 0, 1 << 40),
        ("Pi", 0, 1 << 50),
        ("Ei", 0, 1 << 60),
        ("n", -9, 1),
        ("u", -6, 1),
        ("m", -3, 1),
        ("k", 3, 1),
        ("M", 6, 1),
        ("G", 9, 1),
        ("T", 12, 1),
        ("P", 15, 1),
        ("E", 18, 1),
    ];
    let text = text.trim();
    let suffix = UNITS.iter().find_map(|(suffix, power, factor)| {
        text.strip_suffix(suffix).map(|number| (number, *power, *factor))
    });
    let (number, power, factor) = suffix.unwrap_or((text, 0, 1));
    let (number, power) = match number.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, power + exponent.parse::<i16>().ok().map(i32::from)?),
        None => (number, power),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let (negative, whole) = match whole.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, whole.strip_prefix('+').unwrap_or(whole)),
    };
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().count() == 0 || !digits().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // Digits × factor × 10^power, in thousandths; saturating, as the result does.
    let mut value = digits()
        .try_fold(0_i128, |value, digit| value.checked_mul(10)?.checked_add(i128::from(digit - b'0')))
        .and_then(|value| value.checked_mul(factor))
        .unwrap_or(i128::MAX);
    let mut power = power + 3 - i32::try_from(fraction.len()).ok()?;
    let mut inexact = false;
    while power < 0 && value != 0 {
        inexact |= value % 10 != 0;
        value /= 10;
        power += 1;
    }
    while power > 0 && value != 0 && value != i128::MAX {
        value = value.saturating_mul(10);
        power -= 1;
    }
    let value = match (negative, inexact) {
        (true, _) => -value,
        (false, true) => value.saturating_add(1),
        (false, false) => value,
    };
    Some(value.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
}

/// The quantity of a plain number, in thousandths: what `f64` adds behind the twelfth digit is left out.
pub(crate) fn thousandths(number: f64) -> i64 {
    // What is added to a number up to 2^51 and taken away again rounds it, and spares calls of library functions.
    const ROUNDS: f64 = 3.0 * (1_u64 << 51) as f64;
    let thousandths = number * 1000.0;
    let magnitude = thousandths.abs();
    if magnitude < 2e15 {
        let shifted = thousandths + ROUNDS;
        // Between 2^52 and 2^53 floating-point numbers are one apart, in value and in bits.
        let nearest = shifted.to_bits().wrapping_sub(ROUNDS.to_bits()) as i64;
        let above = thousandths - (shifted - ROUNDS);
        nearest + i64::from(above > 1e-9 * magnitude.max(1.0))
    } else {
        // Beyond, a number has no fraction to speak of.
        thousandths as i64
    }
}

impl Value for Quantity {
    fn kind() -> Kind {
        Kind::Either(vec![Kind::Number, Kind::Text])
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let expected = "expected a number more than 0, or a quantity such as \"500m\" or \"2k\"";
        let wrong = |found: &str| Err(Problem::new(&node.place, format!("`{path}` is {found}"), expected));
        match &node.data {
            Data::Text(text) => match parse_quantity(text) {
                Some(value) if value > 0 => Ok(Quantity(value)),
                _ => wrong(&format!("\"{text}\"")),
            },
            _ => match f64::read(node, path, context)? {
                number if number > 0.0 => Ok(Quantity(thousandths(number).max(1))),
                number => wrong(&number.to_string()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_scale_and_fractions_round_up() {
        let read = |text| parse_quantity(text).unwrap();
        assert_eq!((read("500m"), read("2"), read("1.5k"), read("2Ki")), (500, 2000, 1_500_000, 2_048_000));
        assert_eq!((read("1e3"), read("0.0001"), read("100u")), (1_000_000, 1, 1));
        assert_eq!((read("-1.5"), read("12E"), read("1e300")), (-1500, i64::MAX, i64::MAX));
        assert_eq!(read("9223372036854775807m"), i64::MAX);
        for text in ["", "m", "1.2.3", "five", "1 0", "--1"] {
            assert_eq!(parse_quantity(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_become_the_thousandths_they_are_written_as() {
        assert_eq!((thousandths(14.334), thousandths(0.1), thousandths(6.666)), (14_334, 100, 6666));
        assert_eq!(thousandths(0.0004), 1, "less than a thousandth rounds up");
        assert_eq!((thousandths(0.0025), thousandths(0.0035), thousandths(-0.0025)), (3, 4, -2));
        assert_eq!(
            (thousandths(1.999e12), thousandths(2.5e12)),
            (1_999_000_000_000_000, 2_500_000_000_000_000)
        );
        assert_eq!((thousandths(f64::NAN), thousandths(1e300)), (0, i64::MAX));
    }
}
