//! Cells and names as monitoring tools write them: numbers with prefixes and units, and what a column is by its name.

use std::borrow::Cow;

use super::wanted::Quantity;
use crate::traffic::{Unit, quick};

/// A number and the unit after it, as in `1.02 K req/s`; the unit may be empty.
pub(super) fn measure(cell: &str, decimal_comma: bool) -> Option<(f64, &str)> {
    let cell = cell.trim();
    let end = cell
        .char_indices()
        .find(|(at, c)| {
            let exponent_sign = matches!(c, '+' | '-') && cell[..*at].ends_with(['e', 'E']);
            let exponent = matches!(c, 'e' | 'E')
                && cell[at + 1..].starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c));
            !(c.is_ascii_digit()
                || *c == '.'
                || (*c == ',' && decimal_comma)
                || (*at == 0 && *c == '-')
                || exponent
                || exponent_sign)
        })
        .map_or(cell.len(), |(at, _)| at);
    let (end, grouped) = match grouped_end(cell, decimal_comma) {
        Some(whole) => (whole, true),
        None => (end, false),
    };
    let (number, rest) = cell.split_at(end);
    let separator = if decimal_comma { '.' } else { ',' };
    let number = if grouped { Cow::from(number.replace(separator, "")) } else { Cow::from(number) };
    let value: f64 = if decimal_comma { number.replace(',', ".").parse() } else { number.parse() }.ok()?;
    let rest = rest.trim_start();
    // A number that goes on in another way is none: `1,5` has no unit `,5`.
    if rest.starts_with(|c: char| c.is_ascii_digit() || ",.+-':".contains(c)) {
        return None;
    }
    let (factor, unit) = prefix(rest);
    Some((value * factor, unit))
}

/// Where a number with separated thousands ends, as in `1,234.5` or, with a decimal comma, `1.234,5`; none if it is not one.
fn grouped_end(cell: &str, decimal_comma: bool) -> Option<usize> {
    let (separator, point) = if decimal_comma { (b'.', b',') } else { (b',', b'.') };
    let bytes = cell.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let start = usize::from(bytes.first() == Some(&b'-'));
    let first = digits(start);
    let mut end = start + first;
    let mut groups = 0;
    while bytes.get(end) == Some(&separator) && digits(end + 1) == 3 {
        end += 4;
        groups += 1;
    }
    if !(1..=3).contains(&first) || groups == 0 {
        return None;
    }
    if bytes.get(end) == Some(&point) {
        end += 1 + digits(end + 1);
    }
    Some(end)
}

/// The factor of a prefix of thousands, and what follows it.
fn prefix(text: &str) -> (f64, &str) {
    const PREFIXES: [(&str, f64); 6] =
        [("K", 1e3), ("k", 1e3), ("Mil", 1e6), ("M", 1e6), ("Bil", 1e9), ("G", 1e9)];
    let found = PREFIXES.iter().find_map(|(name, factor)| {
        let rest = text.strip_prefix(name)?;
        (rest.is_empty() || rest.starts_with(' ') || is_rate_unit(rest)).then(|| (*factor, rest.trim_start()))
    });
    found.unwrap_or((1.0, text))
}

fn is_rate_unit(text: &str) -> bool {
    ["req/s", "reqps", "rps", "ops/s", "/s"].contains(&text.trim())
}

/// What a unit says of values, and the factor to requests, or requests per second.
pub(super) fn quantity_of_unit(unit: &str) -> Option<(Quantity, f64)> {
    let unit = unit.trim().to_lowercase();
    let per = |suffixes: &[&str]| suffixes.iter().any(|suffix| unit.ends_with(suffix));
    let is_of_requests = ["byte", "b/s", "bit", "ms", "%"].iter().all(|other| !unit.contains(other));
    match () {
        () if !is_of_requests => None,
        () if per(&["/s", "/sec", "/second", "rps", "qps", "reqps", "per second", "ops"]) => {
            Some((Quantity::Rates, 1.0))
        }
        () if per(&["/min", "/minute", "/m", "rpm", "per minute"]) => Some((Quantity::Rates, 1.0 / 60.0)),
        () if per(&["/h", "/hour", "per hour"]) => Some((Quantity::Rates, 1.0 / 3600.0)),
        () if ["req", "reqs", "request", "requests", "hits", "hit"].contains(&unit.as_str()) => {
            Some((Quantity::Counts, 1.0))
        }
        () => None,
    }
}

/// Words of a name: `Request Count` and `requestCount` are both `request_count`.
pub(super) fn plain(name: &str) -> String {
    let mut words = String::new();
    let mut after_small = false;
    for c in name.trim().chars() {
        match c.is_alphanumeric() {
            true => {
                if c.is_uppercase() && after_small {
                    words.push('_');
                }
                words.extend(c.to_lowercase());
            }
            false if !words.ends_with('_') && !words.is_empty() => words.push('_'),
            false => {}
        }
        after_small = c.is_lowercase() || c.is_ascii_digit();
    }
    words.trim_end_matches('_').to_owned()
}

/// What the name of a column says of values per interval, and the factor to requests, or requests per second.
pub(super) fn quantity_of_name(name: &str) -> Option<(Quantity, f64)> {
    const COUNTS: [&str; 24] = [
        "requests",
        "request",
        "count",
        "counts",
        "hits",
        "invocations",
        "calls",
        "queries",
        "num_requests",
        "n_requests",
        "number_of_requests",
        "request_count",
        "requests_count",
        "sum",
        "sample_count",
        "events",
        "arrivals",
        "visits",
        "total_requests",
        "requests_total",
        "invocation_count",
        "hit_count",
        "doc_count",
        "event_count",
    ];
    const RATES: [&str; 16] = [
        "rps",
        "qps",
        "rate",
        "req_s",
        "reqs_s",
        "requests_s",
        "req_sec",
        "requests_sec",
        "requests_per_second",
        "requests_per_sec",
        "req_per_s",
        "request_rate",
        "arrival_rate",
        "rate_rps",
        "queries_per_second",
        "hits_s",
    ];
    const PER_MINUTE: [&str; 5] = ["rpm", "requests_per_minute", "requests_min", "req_min", "req_per_minute"];
    if let Some(quantity) = quantity_of_expression(name) {
        return Some((quantity, 1.0));
    }
    let words = plain(name);
    match words.as_str() {
        words if COUNTS.contains(&words) => Some((Quantity::Counts, 1.0)),
        words if RATES.contains(&words) => Some((Quantity::Rates, 1.0)),
        words if PER_MINUTE.contains(&words) => Some((Quantity::Rates, 1.0 / 60.0)),
        _ => None,
    }
}

/// What a query in PromQL or in Datadog's language gives, if it is plainly requests: a rate of something else, or part of a larger
/// expression, is not.
pub(super) fn quantity_of_expression(text: &str) -> Option<Quantity> {
    const OTHERS: [&str; 6] = ["_sum[", "_bucket[", "_bytes", "_seconds_total", "_tokens", "cpu"];
    let mut in_braces = false;
    let outside = |c: &char| {
        in_braces = (in_braces || *c == '{') && *c != '}';
        !in_braces && !c.is_whitespace() && *c != '}'
    };
    let plain: String = text.to_lowercase().chars().filter(outside).collect();
    let is_rate = ["rate(", "irate(", "sum(rate(", "sum(irate("].iter().any(|begin| plain.starts_with(begin))
        || (plain.starts_with("sumby(") && plain.contains(")(rate("));
    let is_alone = !plain.contains(['*', '/', '+']) && !plain.contains(")-");
    let is_other = OTHERS.iter().any(|other| plain.contains(other));
    match () {
        () if is_other || !is_alone => None,
        () if is_rate || plain.contains("per_second(") || plain.contains(".as_rate()") => {
            Some(Quantity::Rates)
        }
        () if plain.contains(".as_count()") => Some(Quantity::Counts),
        () => None,
    }
}

/// What a column of requests holds by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    PromptTokens,
    OutputTokens,
    /// How long a request took.
    Duration,
    /// When it ended.
    End,
    /// When it came; the higher, the surer.
    Arrival(u8),
    Unknown,
}

/// What a column of requests holds by its name, unit left out.
pub(super) fn holds(name: &str) -> Holds {
    const PROMPT: [&str; 12] = [
        "prompt_tokens",
        "input_tokens",
        "context_tokens",
        "request_tokens",
        "input_length",
        "prompt_len",
        "input_len",
        "num_prompt_tokens",
        "num_input_tokens",
        "tokens_in",
        "prompt_length",
        "input_sequence_length",
    ];
    const OUTPUT: [&str; 13] = [
        "output_tokens",
        "completion_tokens",
        "generated_tokens",
        "response_tokens",
        "output_length",
        "output_len",
        "generation_tokens",
        "num_output_tokens",
        "num_generated_tokens",
        "answer_tokens",
        "tokens_out",
        "completion_length",
        "output_sequence_length",
    ];
    const DURATION: [&str; 25] = [
        "latency",
        "lat",
        "duration",
        "elapsed",
        "elapsed_time",
        "response_time",
        "request_time",
        "service_time",
        "took",
        "processing_time",
        "exec_time",
        "execution_time",
        "rt",
        "time_taken",
        "request_latency",
        "total_latency",
        "dur",
        "total_time",
        "e_2_e_latency",
        "e2e_latency",
        "request_duration",
        "run_time",
        "runtime",
        "latency_total",
        "upstream_response_time",
    ];
    const START: [&str; 19] = [
        "arrival",
        "arrival_time",
        "arrived_at",
        "arrival_timestamp",
        "start",
        "start_time",
        "started_at",
        "begin",
        "launch_time",
        "sent_at",
        "send_time",
        "request_start",
        "request_start_time",
        "start_timestamp",
        "start_utc",
        "start_time_utc",
        "start_time_unix",
        "request_start_ns",
        "received_at",
    ];
    const TIME: [&str; 17] = [
        "timestamp",
        "time",
        "datetime",
        "date",
        "ts",
        "created_at",
        "gmt_create",
        "event_time",
        "time_local",
        "time_iso_8601",
        "time_iso8601",
        "msec",
        "epoch",
        "date_time",
        "when",
        "time_utc",
        "time_stamp",
    ];
    const END: [&str; 13] = [
        "end",
        "end_time",
        "ended_at",
        "finish",
        "finish_time",
        "finished_at",
        "completed_at",
        "completion_time",
        "end_timestamp",
        "updated_at",
        "receive_timestamp",
        "response_timestamp",
        "finish_timestamp",
    ];
    let words = plain(name);
    let words = without_unit(&words);
    // A key within another is called by its last part.
    let last = plain(name.rsplit('.').next().unwrap_or_default());
    let is = |names: &[&str]| names.contains(&words) || names.contains(&without_unit(&last));
    match () {
        () if is(&PROMPT) => Holds::PromptTokens,
        () if is(&OUTPUT) => Holds::OutputTokens,
        () if is(&DURATION) => Holds::Duration,
        () if is(&START) => Holds::Arrival(3),
        () if is(&END) => Holds::End,
        () if is(&TIME) => Holds::Arrival(2),
        () if words.contains("timestamp") || words.contains("time") || words.contains("date") => {
            Holds::Arrival(1)
        }
        () => Holds::Unknown,
    }
}

fn without_unit(words: &str) -> &str {
    const UNITS: [&str; 18] = [
        "s",
        "sec",
        "secs",
        "second",
        "seconds",
        "ms",
        "msec",
        "millis",
        "milliseconds",
        "us",
        "usec",
        "micros",
        "microseconds",
        "ns",
        "nsec",
        "nanos",
        "nanoseconds",
        "nano",
    ];
    match words.rsplit_once('_') {
        Some((rest, unit)) if UNITS.contains(&unit) => rest,
        _ => words,
    }
}

/// Nanoseconds of a duration: a number in `unit`, or a number with its own unit, as in `0.24s` or `230 ms`.
pub(super) fn duration(cell: &str, unit: Option<Unit>, decimal_comma: bool) -> Option<u64> {
    let (value, own) = measure(cell, decimal_comma)?;
    let unit = match own.trim() {
        "" => unit?,
        "s" | "sec" | "seconds" => Unit::Seconds,
        "ms" => Unit::Milliseconds,
        "us" | "µs" | "μs" => Unit::Microseconds,
        "ns" => Unit::Nanoseconds,
        _ => return None,
    };
    let nanos = (value * unit.nanos() as f64).round();
    (0.0..1e18).contains(&nanos).then_some(nanos as u64)
}

/// A number of tokens.
pub(super) fn tokens(cell: &str) -> Option<u32> {
    // As most are written.
    if let Some(count) = quick::number(cell, 1).and_then(|count| u32::try_from(count).ok()) {
        return is_count(count).then_some(count);
    }
    let count: f64 = cell.trim().parse().ok()?;
    (0.0..f64::from(u32::MAX - 1)).contains(&count).then(|| count.round() as u32)
}

/// Whether there can be so many tokens; what is beyond means that a row says none.
pub(super) fn is_count(tokens: u32) -> bool {
    tokens < u32::MAX - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_query_that_is_plainly_of_requests_tells_what_its_values_are() {
        for rate in [
            "sum(rate(http_requests_total{path=~\"/v1/.*\"}[1m]))",
            "sum by (pod) (rate(vllm:request_success_total[5m]))",
            "per_second(sum:trace.http.request.hits{env:prod})",
            "sum:nginx.requests{*}.as_rate()",
        ] {
            assert_eq!(quantity_of_expression(rate), Some(Quantity::Rates), "{rate}");
        }
        assert_eq!(
            quantity_of_expression("sum:trace.http.request.hits{*}.as_count()"),
            Some(Quantity::Counts)
        );
        for other in [
            "histogram_quantile(0.95, sum(rate(http_request_duration_seconds_bucket[5m])) by (le))",
            "sum(rate(http_request_duration_seconds_sum[5m]))",
            "sum(rate(errors_total[5m])) / sum(rate(http_requests_total[5m]))",
            "sum(rate(http_requests_total[5m])) * 60",
            "rate(container_cpu_usage_seconds_total[5m])",
            "sum(rate(vllm:generation_tokens_total[1m]))",
            "requests",
        ] {
            assert_eq!(quantity_of_expression(other), None, "{other}");
        }
    }

    #[test]
    fn numbers_keep_their_prefix_and_give_their_unit() {
        for (cell, value, unit) in [
            ("12.5 req/s", 12.5, "req/s"),
            ("1.02 K req/s", 1020.0, "req/s"),
            ("1.02K", 1020.0, ""),
            ("3 Mil", 3e6, ""),
            ("230 ms", 230.0, "ms"),
            ("0.240s", 0.24, "s"),
            ("5", 5.0, ""),
            ("1.5e3", 1500.0, ""),
            ("-1", -1.0, ""),
            ("1,234", 1234.0, ""),
            ("1,234,567.5 req/s", 1_234_567.5, "req/s"),
        ] {
            assert_eq!(measure(cell, false), Some((value, unit)), "{cell}");
        }
        assert_eq!(measure("1,5", true), Some((1.5, "")));
        assert_eq!(measure("1.234,5", true), Some((1234.5, "")));
        assert_eq!(measure("1.234", true), Some((1234.0, "")));
        for cell in ["", "abc", "ms", "-", "NaN", "1,5", "1,23", "1,2345", "1.2.3", "12:30", "1'000"] {
            assert_eq!(measure(cell, false), None, "{cell}");
        }
    }

    #[test]
    fn names_say_what_they_hold_however_they_are_spelt() {
        for (name, expected) in [
            ("latency_ms", Holds::Duration),
            ("Latency (ms)", Holds::Duration),
            ("responseTime", Holds::Duration),
            ("ContextTokens", Holds::PromptTokens),
            ("Response tokens", Holds::OutputTokens),
            ("start_time", Holds::Arrival(3)),
            ("timestamp_ms", Holds::Arrival(2)),
            ("@timestamp", Holds::Arrival(2)),
            ("end_timestamp", Holds::End),
            ("usage.prompt_tokens", Holds::PromptTokens),
            ("path", Holds::Unknown),
        ] {
            assert_eq!(holds(name), expected, "{name}");
        }
        assert_eq!(quantity_of_name("RequestCount"), Some((Quantity::Counts, 1.0)));
        assert_eq!(quantity_of_name("sum(rate(http_requests_total[1m]))"), Some((Quantity::Rates, 1.0)));
        assert_eq!(quantity_of_name("value"), None);
        assert_eq!(quantity_of_unit("req/s"), Some((Quantity::Rates, 1.0)));
        assert_eq!(quantity_of_unit("MB/s"), None);
    }
}
