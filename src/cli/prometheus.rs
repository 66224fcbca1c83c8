//! A client of Prometheus: ranges of values, in pieces that the server allows, asked again where it was busy.
//!
//! The only part of the command that touches the network, and only for `traffic fetch`.

use std::time::Duration;

use serde_json::{Map, Value, json};

/// A server and how to be let in.
#[derive(Debug)]
pub(super) struct PrometheusServer {
    url: String,
    authorization: Option<String>,
}

/// A range of values: seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct AskedRange {
    pub start_s: f64,
    pub end_s: f64,
    pub step_s: f64,
}

/// Points of one series that a server gives in one answer (`query_range` refuses more than 11,000).
const MOST_POINTS: f64 = 11_000.0;

/// The largest answer that is read.
const MOST_BYTES: u64 = 256 << 20;

/// Attempts at one piece, and the pause before the second; it doubles.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(250);

/// What came of one request.
enum Answered {
    /// The series.
    Series(Vec<Value>),
    /// The piece is too large for the server.
    TooMuch(String),
}

impl PrometheusServer {
    /// A server at a URL, with the authorization that the environment names.
    ///
    /// # Errors
    /// The URL is none that can be asked, or the environment names half of a pair.
    pub(super) fn new(
        url: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<PrometheusServer, String> {
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        let Some(rest) = rest.filter(|rest| !rest.is_empty()) else {
            return Err(format!("`{url}` is no URL of a server: expected http://host:9090"));
        };
        if url.starts_with("https://") && !cfg!(feature = "fetch-tls") {
            return Err("this build has no TLS: use http://, or build with --features fetch-tls".into());
        }
        let host = rest.split('/').next().unwrap_or_default();
        if host.contains('@') {
            return Err(format!("the URL holds a user: set {USER} and {PASSWORD}, or {TOKEN}, instead"));
        }
        let authorization = match (variable(TOKEN), variable(USER), variable(PASSWORD)) {
            (Some(token), None, None) => Some(format!("Bearer {token}")),
            (None, Some(user), Some(password)) => {
                Some(format!("Basic {}", base64(format!("{user}:{password}").as_bytes())))
            }
            (None, None, None) => None,
            (Some(_), ..) => {
                return Err(format!(
                    "{TOKEN} is set beside {USER} or {PASSWORD}: expected one of the two ways"
                ));
            }
            _ => return Err(format!("one of {USER} and {PASSWORD} is set: expected both")),
        };
        Ok(PrometheusServer { url: url.trim_end_matches('/').to_owned(), authorization })
    }

    /// The values of a query over a range, as one answer of `query_range`.
    ///
    /// # Errors
    /// The server cannot be reached, refuses, or answers something else.
    pub(super) fn query_range(&self, query: &str, range: AskedRange) -> Result<Value, String> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(150)))
            .http_status_as_error(false)
            .user_agent(concat!("kneepoint/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        let mut joined: Vec<(Value, Vec<Value>)> = Vec::new();
        let mut most = MOST_POINTS;
        let mut left = pieces(range, most);
        left.reverse();
        while let Some(piece) = left.pop() {
            match self.piece(&agent, query, piece)? {
                Answered::Series(series) => series.into_iter().for_each(|one| join(&mut joined, one)),
                Answered::TooMuch(why) => {
                    let points = ((piece.end_s - piece.start_s) / piece.step_s).floor() + 1.0;
                    most = (points.min(most) / 2.0).floor();
                    if most < 1.0 {
                        return Err(format!("the server refuses even one point: {why}"));
                    }
                    left.extend(pieces(piece, most).into_iter().rev());
                }
            }
        }
        let result: Vec<Value> = joined
            .into_iter()
            .map(|(metric, values)| json!({ "metric": metric, "values": values }))
            .collect();
        Ok(json!({
            "status": "success",
            "query": query,
            "start": range.start_s,
            "end": range.end_s,
            "step": range.step_s,
            "data": { "resultType": "matrix", "result": result },
        }))
    }

    fn piece(&self, agent: &ureq::Agent, query: &str, piece: AskedRange) -> Result<Answered, String> {
        let mut pause = PAUSE;
        for attempt in 1.. {
            let failed = match self.ask(agent, query, piece) {
                Ok((status, body)) => match answer(status, &body) {
                    Ok(answered) => return Ok(answered),
                    Err((why, may_pass)) if !may_pass => return Err(format!("`{}` {why}", self.url)),
                    Err((why, _)) => why,
                },
                Err(why) => format!("cannot be reached: {why}"),
            };
            if attempt == ATTEMPTS {
                return Err(format!("`{}` {failed} ({ATTEMPTS} attempts)", self.url));
            }
            std::thread::sleep(pause);
            pause *= 2;
        }
        Err("no attempt".into())
    }

    fn ask(&self, agent: &ureq::Agent, query: &str, piece: AskedRange) -> Result<(u16, String), String> {
        let written = |seconds: f64| format!("{seconds:.3}");
        let form = [
            ("query", query.to_owned()),
            ("start", written(piece.start_s)),
            ("end", written(piece.end_s)),
            ("step", written(piece.step_s)),
        ];
        let mut request = agent.post(format!("{}/api/v1/query_range", self.url));
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let mut response = request.send_form(form).map_err(|error| error.to_string())?;
        let body = response.body_mut().with_config().limit(MOST_BYTES).read_to_string();
        Ok((response.status().as_u16(), body.map_err(|error| error.to_string())?))
    }
}

/// Environment variables of the authorization.
pub(super) const USER: &str = "KNEEPOINT_PROMETHEUS_USER";
pub(super) const PASSWORD: &str = "KNEEPOINT_PROMETHEUS_PASSWORD";
pub(super) const TOKEN: &str = "KNEEPOINT_PROMETHEUS_TOKEN";

/// What an answer says; an error with whether another attempt may do better.
fn answer(status: u16, body: &str) -> Result<Answered, (String, bool)> {
    let parsed: Option<Value> = serde_json::from_str(body).ok();
    let said = parsed.as_ref().and_then(|value| value.get("error")?.as_str()).unwrap_or_default();
    let is_too_much = ["maximum resolution", "too many samples", "too many points"]
        .iter()
        .any(|words| said.contains(words));
    match status {
        200 => {
            let result = parsed.as_ref().and_then(|value| value.pointer("/data/result")?.as_array());
            match result {
                Some(series) => Ok(Answered::Series(series.clone())),
                None => Err(("answers something else than Prometheus".into(), false)),
            }
        }
        400 | 413 | 422 if is_too_much || status == 413 => Ok(Answered::TooMuch(said.to_owned())),
        401 | 403 => {
            Err((format!("refuses (status {status}): set {USER} and {PASSWORD}, or {TOKEN}"), false))
        }
        429 | 500..=599 => Err((format!("answers with status {status} {said}").trim_end().to_owned(), true)),
        _ if said.is_empty() => Err((format!("answers with status {status}"), false)),
        _ => Err((format!("answers with status {status}: {said}"), false)),
    }
}

/// A range in pieces of at most so many points, which share none.
fn pieces(range: AskedRange, most: f64) -> Vec<AskedRange> {
    let points = ((range.end_s - range.start_s) / range.step_s + 1e-9).floor() + 1.0;
    let mut pieces = Vec::new();
    let mut first = 0.0;
    while first < points {
        let last = (first + most - 1.0).min(points - 1.0);
        let at = |point: f64| range.start_s + point * range.step_s;
        pieces.push(AskedRange { start_s: at(first), end_s: at(last), step_s: range.step_s });
        first = last + 1.0;
    }
    pieces
}

/// Adds the values of a series to those it has from earlier pieces.
fn join(joined: &mut Vec<(Value, Vec<Value>)>, mut one: Value) {
    let metric = one.get("metric").cloned().unwrap_or(Value::Object(Map::new()));
    let Some(Value::Array(values)) = one.get_mut("values").map(Value::take) else { return };
    match joined.iter_mut().find(|(known, _)| *known == metric) {
        Some((_, all)) => all.extend(values),
        None => joined.push((metric, values)),
    }
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for letter in 0..4 {
            let index = ((group >> (18 - 6 * letter)) & 63) as usize;
            text.push(if letter <= chunk.len() { LETTERS[index] as char } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_into_pieces_that_share_no_point_and_miss_none() {
        let range = AskedRange { start_s: 1000.0, end_s: 1000.0 + 15.0 * 24_999.0, step_s: 15.0 };
        let cut = pieces(range, MOST_POINTS);
        assert_eq!(cut.len(), 3);
        let points = |piece: &AskedRange| (piece.end_s - piece.start_s) / piece.step_s + 1.0;
        assert_eq!(cut.iter().map(points).sum::<f64>(), 25_000.0);
        assert_eq!(points(&cut[0]), 11_000.0);
        assert_eq!(cut[1].start_s, cut[0].end_s + 15.0);
        assert_eq!(cut[2].end_s, range.end_s);
        let one = AskedRange { start_s: 5.0, end_s: 5.0, step_s: 60.0 };
        assert_eq!(pieces(one, 1.0), [one]);
    }

    #[test]
    fn letters_of_base64_are_those_of_the_standard() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn a_url_and_the_environment_say_how_to_ask() {
        let none = |_: &str| None;
        for (url, why) in [
            ("prometheus:9090", "is no URL"),
            ("http://", "is no URL"),
            ("http://me:secret@host:9090", "the URL holds a user"),
        ] {
            let error = PrometheusServer::new(url, none).unwrap_err();
            assert!(error.contains(why) && !error.contains("secret@"), "{error}");
        }
        let half = |name: &str| (name == USER).then(|| "me".to_owned());
        assert!(PrometheusServer::new("http://h:9090", half).unwrap_err().contains("expected both"));
        let token = |name: &str| (name == TOKEN).then(|| "t".to_owned());
        let server = PrometheusServer::new("http://h:9090/", token).unwrap();
        assert_eq!(
            (server.url.as_str(), server.authorization.as_deref()),
            ("http://h:9090", Some("Bearer t"))
        );
    }
}
