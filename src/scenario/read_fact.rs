//! One line of what was read, and the numbers in it as people read them.

/// One line of the digest.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadFact {
    /// Which: `reading.arrivals`. The autoscaler's metrics share `reading.metric`.
    pub id: &'static str,
    /// The heading of the line: `arrivals`.
    pub topic: &'static str,
    /// What was read, as a phrase.
    pub text: String,
    /// Its numbers by name, in seconds, requests and requests per second.
    pub numbers: Vec<(&'static str, f64)>,
    /// Whether the short form, at the head of a run, has it too.
    pub is_essential: bool,
}

impl ReadFact {
    /// A line without numbers, not in the short form.
    pub(super) fn new(id: &'static str, topic: &'static str, text: String) -> ReadFact {
        ReadFact { id, topic, text, numbers: Vec::new(), is_essential: false }
    }

    /// The same with a number.
    pub(super) fn with(mut self, name: &'static str, number: f64) -> ReadFact {
        self.numbers.push((name, number));
        self
    }

    /// The same in the short form too.
    pub(super) fn essential(self) -> ReadFact {
        ReadFact { is_essential: true, ..self }
    }
}

/// A number of requests a second, for people.
pub(super) fn per_second(rate: f64) -> String {
    format!("{} requests/s", grouped(rate))
}

/// Three significant digits and no exponent.
pub(super) fn number(value: f64) -> String {
    let digits = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    let places = (2 - digits).clamp(0, 9) as usize;
    let text = format!("{value:.places$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// [`number`], whole thousands apart.
pub(super) fn grouped(value: f64) -> String {
    let text = number(value);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut spaced = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 && whole.len() > 4 {
            spaced.push(',');
        }
        spaced.push(digit);
    }
    if fraction.is_empty() { spaced } else { format!("{spaced}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_thousands_stand_apart() {
        assert_eq!(
            (number(0.0), number(2.0 / 3.0), number(99.9)),
            ("0".into(), "0.667".into(), "99.9".into())
        );
        assert_eq!((grouped(1_234_567.0), grouped(1200.5)), ("1,234,567".into(), "1200".into()));
    }
}
