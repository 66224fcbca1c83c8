//! Request logs of Google Cloud Logging: `gcloud logging read --format json`, or JSON lines.

use super::super::Recorded;
use super::super::objects::{self, each_row};
use super::super::reading::Reading;
use super::super::requests::{Gathered, Row};
use super::super::values;
use super::{Form, Likeness, Recording};
use crate::traffic::moment::{self, TimeForm};

const NAME: &str = "cloud_logging";
const DOC: &str = "request logs of Google Cloud Logging in JSON";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| match (head.has_key("httpRequest"), head.has_key("timestamp")) {
        (true, true) => Likeness::Yes,
        (true, false) => Likeness::Close("has no `timestamp`".into()),
        _ => Likeness::No,
    },
    read: |file, head, wanted| {
        let mut reading = Reading::of(file.shown, NAME, DOC);
        reading.time = "key `timestamp`, taken as when the request came".into();
        let mut gathered = Gathered::new();
        let mut balancer = false;
        each_row(file, head, (&mut reading, wanted.strict), |reading, object, line| {
            let stamp = objects::cell(object.get("timestamp"));
            let Some(arrival) = moment::date(&stamp).and_then(|(nanos, _)| i64::try_from(nanos).ok()) else {
                reading.skip(|| line, "its `timestamp` is no date", wanted.strict)?;
                return Ok(());
            };
            if !object.contains_key("httpRequest") {
                reading.skip(|| line, "it has no `httpRequest`", wanted.strict)?;
                return Ok(());
            }
            balancer |= objects::cell(objects::at(object, "resource.type")).contains("load_balancer");
            let latency = objects::cell(objects::at(object, "httpRequest.latency"));
            let duration = values::duration(&latency, None, false);
            gathered.push(Row { arrival, duration, ..Row::default() }, || line);
            Ok(())
        })?;
        reading.note("httpRequest.latency includes waiting at the server");
        if balancer {
            reading.note("entries of a load balancer may be stamped when they are written, after the answer");
        }
        let (reading, requests) = gathered.finish(reading, wanted, TimeForm::Zoned, true)?;
        Ok(Recording { reading, content: Recorded::Requests(requests) })
    },
};
