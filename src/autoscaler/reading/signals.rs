//! What a metric measures, by its name.

/// What a metric of this name most likely measures.
pub(crate) fn likely_signal(name: &str) -> &'static str {
    const SIGNS: [(&[&str], &str); 5] = [
        (&["cache"], "kv_cache"),
        (&["waiting", "queue", "backlog", "pending"], "queue_length"),
        (&["running", "concurren", "active"], "concurrency"),
        (&["per_second", "persecond", "rps", "qps", "rate", "requests_total"], "request_rate"),
        (&["util"], "utilization"),
    ];
    let name = name.to_lowercase();
    let found = SIGNS.iter().find(|(signs, _)| signs.iter().any(|sign| name.contains(sign)));
    found.map_or("in_flight", |(_, signal)| signal)
}
