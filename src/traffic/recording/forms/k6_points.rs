//! k6, `--out json=…`: a JSON object a line, a point for each sample of each metric, stamped with its end.

use super::super::Recorded;
use super::super::objects::{self, each_row};
use super::super::reading::Reading;
use super::super::requests::{Gathered, Row};
use super::{Form, Likeness, Recording};
use crate::traffic::moment::{self, TimeForm};

const NAME: &str = "k6_points";
const DOC: &str = "points of k6 in JSON lines";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| {
        let is_one =
            head.has_key_at(1, "metric") && head.has_key_at(1, "type") && head.has_key_at(2, "contains");
        Likeness::of(is_one && !head.is_json_document())
    },
    read: |file, head, wanted| {
        let mut reading = Reading::of(file.shown, NAME, DOC);
        reading.time = "key `data.time`, the end of a request, less its duration".into();
        let mut gathered = Gathered::new();
        each_row(file, head, (&mut reading, wanted.strict), |reading, object, line| {
            let text = |path: &str| objects::cell(objects::at(object, path));
            if text("type") != "Point" || text("metric") != "http_req_duration" {
                return Ok(());
            }
            let end = moment::date(&text("data.time")).and_then(|(nanos, _)| i64::try_from(nanos).ok());
            let Some(end) = end else {
                reading.skip(|| line, "its `data.time` is no date", wanted.strict)?;
                return Ok(());
            };
            let millis = objects::at(object, "data.value").and_then(serde_json::Value::as_f64);
            let Some(millis) = millis.filter(|millis| (0.0..1e12).contains(millis)) else {
                reading.skip(|| line, "its `data.value` is no duration", wanted.strict)?;
                return Ok(());
            };
            let duration = (millis * 1e6).round() as u64;
            let arrival = end.saturating_sub(i64::try_from(duration).unwrap_or(i64::MAX));
            gathered.push(Row { arrival, duration: Some(duration), ..Row::default() }, || line);
            Ok(())
        })?;
        reading.note("http_req_duration, in milliseconds, includes waiting at the server; points of other metrics are left out");
        let (reading, requests) = gathered.finish(reading, wanted, TimeForm::Zoned, true)?;
        Ok(Recording { reading, content: Recorded::Requests(requests) })
    },
};
