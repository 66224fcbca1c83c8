//! `kneepoint traffic fetch`: values of a live Prometheus as a file that the other commands read.

use std::path::PathBuf;

use jiff::Timestamp;

use super::prometheus::{AskedRange, PrometheusServer};
use super::written::write_whole;
use super::{Answer, Failure, Global};
use crate::time::Span;
use crate::units::parse_span;

/// Fetch the traffic of an endpoint from a live Prometheus, to a file that the other commands read.
///
/// Asks `query_range` in pieces of at most 11,000 points, and again where the server is busy. Authorization comes from the
/// environment: KNEEPOINT_PROMETHEUS_TOKEN (bearer), or KNEEPOINT_PROMETHEUS_USER and KNEEPOINT_PROMETHEUS_PASSWORD (basic). No
/// other command touches the network.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  kneepoint traffic fetch --prometheus http://localhost:9090 --endpoint vllm --start now-7d --to week.json\n  \
                        kneepoint traffic fetch --prometheus http://localhost:9090 --query 'sum(rate(http_requests_total[1m]))' \\\n      \
                        --start 2026-11-01T00:00:00Z --end 2026-11-08T00:00:00Z --step 1m --to week.json"
)]
pub(super) struct Arguments {
    /// The server.
    #[arg(long, value_name = "URL")]
    prometheus: String,
    /// The query, in PromQL.
    #[arg(long, value_name = "PROMQL", required_unless_present = "endpoint")]
    query: Option<String>,
    /// The query of requests per second of an endpoint of this kind, instead.
    #[arg(long, value_name = "KIND", conflicts_with = "query", value_parser = kinds())]
    endpoint: Option<String>,
    /// Labels of that endpoint, as in 'namespace="prod",model_name="llama"'.
    #[arg(long, value_name = "LABELS", requires = "endpoint")]
    labels: Option<String>,
    /// The first instant: a date, seconds since 1970, or now-7d.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    start: f64,
    /// The last instant.
    #[arg(long, value_name = "TIME", default_value = "now", value_parser = instant)]
    end: f64,
    /// Time between two values.
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = parse_span)]
    step: Span,
    /// The file to write, instead of standard output.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

/// A kind of endpoint: its name, the counter of its requests, and labels that keep them from being counted twice.
const KINDS: [(&str, &str, &str); 5] = [
    ("vllm", "vllm:request_success_total", ""),
    // From 1.20 on `kn_serving_invocation_duration_seconds_count`; before, this.
    ("knative", "revision_request_count", ""),
    // Both proxies of a request count it.
    ("istio", "istio_requests_total", "reporter=\"destination\""),
    ("nginx", "nginx_ingress_controller_requests", ""),
    ("ray", "ray_serve_num_http_requests", ""),
];

fn kinds() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(KINDS.map(|(name, ..)| name))
}

fn instant(text: &str) -> Result<f64, String> {
    let now = || Timestamp::now().as_millisecond() as f64 / 1e3;
    let wrong = || "expected a date such as 2026-11-01T00:00:00Z, seconds since 1970, or now-7d".to_owned();
    if let Some(rest) = text.strip_prefix("now") {
        let back = match rest.strip_prefix('-') {
            Some(span) => parse_span(span).map_err(|_| wrong())?.as_secs_f64(),
            None if rest.is_empty() => 0.0,
            None => return Err(wrong()),
        };
        return Ok(now() - back);
    }
    if let Ok(seconds) = text.parse::<f64>() {
        return (0.0..1e11).contains(&seconds).then_some(seconds).ok_or_else(wrong);
    }
    let nanos = crate::traffic::parse_date(text).ok_or_else(wrong)?;
    Ok(nanos as f64 / 1e9)
}

/// The query of an endpoint: its rate over the step, or over a minute where the step is shorter than four scrapes.
fn query_of(kind: &str, labels: &str, step: Span) -> Option<String> {
    let (_, counter, own) = KINDS.iter().find(|(name, ..)| *name == kind)?;
    let window = step.as_secs_f64().ceil().max(60.0);
    let labels: Vec<&str> = [*own, labels.trim().trim_start_matches('{').trim_end_matches('}')]
        .into_iter()
        .filter(|labels| !labels.is_empty())
        .collect();
    Some(format!("sum(rate({counter}{{{}}}[{window}s]))", labels.join(",")))
}

pub(super) fn execute(arguments: &Arguments, global: &Global) -> Result<Answer, Failure> {
    let bad = |what: String| Failure::bad_input(format!("error: {what}"));
    let range =
        AskedRange { start_s: arguments.start, end_s: arguments.end, step_s: arguments.step.as_secs_f64() };
    if range.end_s < range.start_s {
        return Err(bad("`--end` lies before `--start`".into()));
    }
    if range.step_s < 0.001 || (range.end_s - range.start_s) / range.step_s > 1e8 {
        return Err(bad("`--step` is too short: expected at most 100 million points".into()));
    }
    let named = || {
        let labels = arguments.labels.as_deref().unwrap_or_default();
        arguments.endpoint.as_ref().and_then(|kind| query_of(kind, labels, arguments.step))
    };
    let Some(query) = arguments.query.clone().or_else(named) else {
        return Err(bad("nothing says what to ask for: expected --query or --endpoint".into()));
    };
    let server = PrometheusServer::new(&arguments.prometheus, |name| {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    })
    .map_err(bad)?;
    let answer = server.query_range(&query, range).map_err(Failure::could_not)?;
    let series = answer.pointer("/data/result").and_then(serde_json::Value::as_array).map_or(0, Vec::len);
    if series == 0 {
        let help = if arguments.endpoint.is_some() {
            ": is the endpoint of this kind, and are its labels right?"
        } else {
            ""
        };
        return Err(Failure::could_not(format!("the query `{query}` has no values in this range{help}")));
    }
    let mut text = serde_json::to_string(&answer).map_err(Failure::could_not)?;
    text.push('\n');
    let mut answer = Answer::default();
    match &arguments.to {
        Some(path) => {
            write_whole(path, |file| file.write_all(text.as_bytes()))?;
            if !global.quiet {
                let (shown, plural) = (path.display(), if series == 1 { "" } else { "s" });
                answer.stderr = format!(
                    "{query}\n{series} series{plural} in `{shown}`: kneepoint traffic inspect {shown}\n"
                );
            }
        }
        None => answer.stdout = text,
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_have_their_query_over_a_window_of_four_scrapes_at_least() {
        let minute = Span::from_secs(60);
        assert_eq!(
            query_of("vllm", "model_name=\"m\"", minute).unwrap(),
            "sum(rate(vllm:request_success_total{model_name=\"m\"}[60s]))"
        );
        assert_eq!(
            query_of("istio", "", Span::from_secs(300)).unwrap(),
            "sum(rate(istio_requests_total{reporter=\"destination\"}[300s]))"
        );
        assert_eq!(
            query_of("nginx", "", Span::from_secs(5)).unwrap(),
            "sum(rate(nginx_ingress_controller_requests{}[60s]))"
        );
        assert_eq!(query_of("other", "", minute), None);
    }

    #[test]
    fn instants_are_dates_seconds_or_before_now() {
        assert_eq!(instant("1767603600"), Ok(1_767_603_600.0));
        assert_eq!(instant("2026-01-05T09:00:00Z"), Ok(1_767_603_600.0));
        assert!(instant("now-7d").unwrap() < instant("now").unwrap() - 6.9 * 86_400.0);
        for text in ["yesterday", "now+1h", "-5", "nowhere"] {
            assert!(instant(text).is_err(), "{text}");
        }
    }
}
