//! Envoy's and Istio's access log as JSON.

use serde_json::Value;

use super::super::Recorded;
use super::super::objects::{self, each_row};
use super::super::reading::Reading;
use super::super::requests::{Gathered, Row};
use super::{Form, Likeness, Recording};
use crate::traffic::moment::{self, TimeForm};

const NAME: &str = "istio";
const DOC: &str = "an Envoy or Istio access log in JSON";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| {
        let has = |key: &str| head.has_key_at(1, key);
        let of_envoy = ["response_flags", "response_code", "upstream_service_time", "upstream_host"];
        match (has("start_time"), has("duration"), of_envoy.iter().any(|key| has(key))) {
            (true, true, true) => Likeness::Yes,
            (true, false, true) => Likeness::Close("has no `duration`".into()),
            _ => Likeness::No,
        }
    },
    read: |file, head, wanted| {
        let mut reading = Reading::of(file.shown, NAME, DOC);
        reading.time = "key `start_time`, when the request came".into();
        let mut gathered = Gathered::new();
        each_row(file, head, (&mut reading, wanted.strict), |reading, object, line| {
            let start = objects::cell(object.get("start_time"));
            let Some(arrival) = moment::date(&start).and_then(|(nanos, _)| i64::try_from(nanos).ok()) else {
                reading.skip(|| line, "its `start_time` is no date", wanted.strict)?;
                return Ok(());
            };
            let millis = match object.get("duration") {
                Some(Value::Number(number)) => number.as_f64(),
                Some(Value::String(text)) => text.parse().ok(),
                _ => None,
            };
            let millis = millis.filter(|millis| (0.0..1e12).contains(millis));
            let duration = millis.map(|millis| (millis * 1e6).round() as u64);
            gathered.push(Row { arrival, duration, ..Row::default() }, || line);
            Ok(())
        })?;
        reading.note("duration, in milliseconds, is of the whole request: it includes waiting at the server");
        let (reading, requests) = gathered.finish(reading, wanted, TimeForm::Zoned, true)?;
        Ok(Recording { reading, content: Recorded::Requests(requests) })
    },
};
