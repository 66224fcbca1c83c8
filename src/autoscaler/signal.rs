//! What a pool shows of itself, once for all systems.
//!
//! Each system has names and units of its own for what it watches: they are views onto [`Signal`], beside the keys of the
//! system. A further signal is a variant here, its quantity and its name, and an observation of it.

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Requests arriving per second.
    RequestRate,
    /// Requests waiting or in service.
    InFlight,
    /// Requests in service on ready instances.
    Concurrency,
    /// Requests waiting, buffered or at the instances.
    QueueLength,
    /// Busy share of the capacity of the ready instances, 0 to 1.
    Utilization,
    /// A quantile of the latency of completed requests, in seconds.
    Latency,
    /// Share of the KV cache in use over the ready instances, 0 to 1.
    KvCache,
}

/// What a signal is a number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// A share, 0 to 1.
    Share,
    /// Requests.
    Requests,
    /// Requests per second.
    RequestsPerSecond,
    /// Seconds.
    Seconds,
}

impl Signal {
    /// Every signal.
    pub const ALL: [Signal; 7] = [
        Signal::RequestRate,
        Signal::InFlight,
        Signal::Concurrency,
        Signal::QueueLength,
        Signal::Utilization,
        Signal::Latency,
        Signal::KvCache,
    ];

    /// As a scenario writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Signal::RequestRate => "request_rate",
            Signal::InFlight => "in_flight",
            Signal::Concurrency => "concurrency",
            Signal::QueueLength => "queue_length",
            Signal::Utilization => "utilization",
            Signal::Latency => "latency",
            Signal::KvCache => "kv_cache",
        }
    }

    /// What it is a number of.
    pub const fn quantity(self) -> Quantity {
        match self {
            Signal::RequestRate => Quantity::RequestsPerSecond,
            Signal::InFlight | Signal::Concurrency | Signal::QueueLength => Quantity::Requests,
            Signal::Utilization | Signal::KvCache => Quantity::Share,
            Signal::Latency => Quantity::Seconds,
        }
    }
}

impl Quantity {
    /// The unit of a value, for people.
    pub const fn unit(self) -> &'static str {
        match self {
            Quantity::Share => "(a share, 0 to 1)",
            Quantity::Requests => "requests",
            Quantity::RequestsPerSecond => "requests/s",
            Quantity::Seconds => "s",
        }
    }

    /// Whether the pool's value is the sum of its instances', so that a value per instance is a part of it.
    pub const fn is_additive(self) -> bool {
        matches!(self, Quantity::Requests | Quantity::RequestsPerSecond)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_differ_and_what_is_shared_out_is_what_is_counted() {
        let names: HashSet<&str> = Signal::ALL.iter().map(|signal| signal.name()).collect();
        assert_eq!(names.len(), Signal::ALL.len());
        let additive: Vec<&str> = Signal::ALL
            .iter()
            .filter(|signal| signal.quantity().is_additive())
            .map(|signal| signal.name())
            .collect();
        assert_eq!(additive, ["request_rate", "in_flight", "concurrency", "queue_length"]);
    }
}
