//! A fit as tables of a scenario.

use std::fmt::Write as _;

use super::arrivals::{Around, ArrivalModel};
use super::laws::RequestLaw;
use super::{Goodness, TrafficFit};
use crate::time::Span;
use crate::units::format_span;

/// A number with so many significant digits, and none that say nothing.
fn digits(value: f64, significant: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".into();
    }
    let places = (significant - 1 - value.abs().log10().floor() as i32).clamp(0, 15) as usize;
    let text = format!("{value:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn span(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{}s", digits(s, 6)),
        s if s >= 1e-3 => format!("{}ms", digits(s * 1e3, 6)),
        s => format!("{}us", digits(s * 1e6, 6)),
    }
}

impl ArrivalModel {
    /// The table `[arrivals]`.
    pub fn table(&self) -> String {
        let mut text = String::from("[arrivals]\n");
        let rate = digits(self.rate, 6);
        let _ = match self.around {
            Around::Poisson => writeln!(text, "kind = \"poisson\"\nrate = {rate}"),
            Around::Gamma { cv } => {
                writeln!(text, "kind = \"renewal\"\nrate = {rate}\ncv = {}", digits(cv, 5))
            }
            Around::Weibull { cv } => writeln!(
                text,
                "kind = \"renewal\"\ninterarrival = {{ dist = \"weibull\", mean = \"{}\", cv = {} }}",
                span(1.0 / self.rate),
                digits(cv, 5)
            ),
            Around::Mmpp { rates, durations_s } => {
                let state = |at: usize| {
                    format!(
                        "  {{ rate = {}, duration = \"{}\" }},\n",
                        digits(rates[at], 6),
                        span(durations_s[at])
                    )
                };
                writeln!(text, "kind = \"mmpp\"\nstates = [\n{}{}]", state(0), state(1))
            }
        };
        if let Some(rates) = &self.rates {
            let factors: Vec<String> = rates.factors.iter().map(|factor| digits(*factor, 5)).collect();
            let every = format_span(Span::from_secs_f64(rates.every_s));
            let lines: Vec<String> = factors.chunks(12).map(|chunk| chunk.join(", ")).collect();
            // A table within one line may break only inside its list.
            let _ = writeln!(
                text,
                "profile = {{ every = \"{every}\", factors = [\n  {},\n] }}",
                lines.join(",\n  ")
            );
        }
        text
    }

    /// The model in words.
    pub fn words(&self) -> String {
        let around = match self.around {
            Around::Poisson => "Poisson arrivals".to_owned(),
            Around::Gamma { cv } => format!("gamma times between requests, CV {}", digits(cv, 4)),
            Around::Weibull { cv } => format!("Weibull times between requests, CV {}", digits(cv, 4)),
            Around::Mmpp { rates, durations_s } => format!(
                "a rate that jumps between {}/s for {} s and {}/s for {} s on average (MMPP)",
                digits(rates[0], 4),
                digits(durations_s[0], 4),
                digits(rates[1], 4),
                digits(durations_s[1], 4)
            ),
        };
        match &self.rates {
            None => around,
            Some(rates) => format!(
                "{around}, at a rate in {} parts of {} s",
                rates.factors.len(),
                digits(rates.every_s, 6)
            ),
        }
    }
}

impl RequestLaw {
    /// As a scenario writes it: times in milliseconds or seconds, or numbers.
    fn written(&self, is_time: bool) -> String {
        let mean = |value: f64| if is_time { format!("\"{}\"", span(value)) } else { digits(value, 6) };
        match self.dist {
            "constant" => mean(self.mean),
            "exponential" => format!("{{ dist = \"exponential\", mean = {} }}", mean(self.mean)),
            dist => {
                format!("{{ dist = \"{dist}\", mean = {}, cv = {} }}", mean(self.mean), digits(self.cv, 5))
            }
        }
    }
}

impl TrafficFit {
    /// The tables `[arrivals]` and, where the file has durations or tokens, `[service]`; `replay` are lines that replay the file.
    pub fn tables(&self, replay: &str) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "# Fitted to {} requests: {}.", digits(self.requests, 12), self.model.words());
        if let Some(why) = &self.replay {
            let _ = writeln!(
                text,
                "# {why}\n{}",
                replay.lines().map(|line| format!("#   {line}\n")).collect::<String>().trim_end()
            );
        }
        text.push_str(&self.model.table());
        if let Some(service) = self.service() {
            text.push('\n');
            text.push_str(&service);
        }
        text
    }

    /// The table `[service]`, as far as the file tells it.
    pub fn service(&self) -> Option<String> {
        let tokens = || {
            let line = |key: &str, law: &RequestLaw| format!("{key} = {}\n", law.written(false));
            let prompt = self.prompt_tokens.as_ref().map(|law| line("prompt_tokens", law));
            let output = self.output_tokens.as_ref().map(|law| line("output_tokens", law));
            let both = prompt.into_iter().chain(output).collect::<String>();
            (!both.is_empty()).then_some(both)
        };
        if let Some(law) = &self.duration_s {
            let mut text = format!(
                "# The durations of the file include waiting: this is the service time only where nothing waited.\n\
                 [service]\ntime = {}\n",
                law.written(true)
            );
            if let Some(tokens) = tokens() {
                text.push_str("# For the model \"llm\", instead of `time`:\n");
                tokens.lines().for_each(|line| {
                    let _ = writeln!(text, "# {line}");
                });
            }
            return Some(text);
        }
        let tokens = tokens()?;
        Some(format!(
            "# The times of its iterations are not in the file: add those that `kneepoint service fit` writes.\n\
             [service]\nmodel = \"llm\"\n{tokens}"
        ))
    }

    /// Seconds that a request keeps an instance busy, if durations tell.
    pub fn busy_s(&self) -> Option<f64> {
        self.duration_s.as_ref().map(|law| law.mean)
    }
}

impl Goodness {
    /// The comparison in words.
    pub fn words(&self) -> String {
        let verdict = if self.fits() { "fits" } else { "does not fit" };
        format!(
            "index of dispersion {} recorded, {} to {} by the model ({} windows): {verdict}",
            digits(self.recorded, 4),
            digits(self.low, 4),
            digits(self.high, 4),
            self.windows
        )
    }
}
