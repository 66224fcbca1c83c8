//! Everything one run is made of.

use super::{Cost, Dispatch, Instances, Metrics, Slo};
use crate::arrivals::Arrivals;
use crate::autoscaler::Autoscaler;
use crate::service::Service;
use crate::time::Span;

/// Everything one run is made of, validated.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// When requests arrive.
    pub arrivals: Arrivals,
    /// What they need and how an instance gives it.
    pub service: Service,
    /// How instances come and go.
    pub instances: Instances,
    /// How requests meet instances.
    pub dispatch: Dispatch,
    /// What the autoscaler gets to see.
    pub metrics: Metrics,
    /// The autoscaler.
    pub autoscaler: Autoscaler,
    /// What instance-time costs.
    pub cost: Cost,
    /// What the service promises, if it promises anything.
    pub slo: Option<Slo>,
    /// Length of the run.
    pub duration: Span,
    /// Part of the run, from its start, that is simulated but not measured; shorter than `duration`.
    pub warmup: Span,
}

impl Model {
    /// Instances ready at the start of the run, within what the autoscaler allows.
    pub fn initial_instances(&self) -> u32 {
        let limits = self.autoscaler.limits();
        self.instances.initial.clamp(limits.min, limits.max)
    }
}
