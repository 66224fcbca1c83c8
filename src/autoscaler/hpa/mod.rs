//! The Kubernetes HorizontalPodAutoscaler (autoscaling/v2), to the last replica.
//!
//! What each part does and where it comes from stands in its file: which pods count ([`pods`]), what a metric asks for
//! ([`replica_calculator`]), what is remembered ([`history`]), how fast the replicas may change ([`behavior`]), and one
//! reconcile in order ([`controller`]). [`signals`] is the metrics pipeline of the simulator, [`policy`] the HPA at work
//! in it, [`replay`] the HPA over recorded observations, [`manifest`] the reader of its YAML.
//!
//! Defaults: flags of kube-controller-manager (`pkg/controller/podautoscaler/config/v1alpha1/defaults.go`) and of the API
//! (`pkg/apis/autoscaling/v2/defaults.go`).

pub(super) mod behavior;
pub(super) mod controller;
pub(super) mod explain;
pub(super) mod history;
pub(super) mod manifest;
pub(super) mod manifest_metric;
pub(super) mod metric;
pub(super) mod pods;
pub(super) mod policy;
pub(super) mod recorded;
pub(super) mod recorded_units;
pub(super) mod replay;
pub(super) mod replica_calculator;
pub(super) mod settings;
pub(super) mod signals;

use behavior::{Behavior, Bounds};
use metric::MetricSpec;
use replica_calculator::Tolerance;

use crate::time::Span;

/// Settings of an HPA: its spec and the flags of its controller.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hpa {
    pub bounds: Bounds,
    pub metrics: Vec<MetricSpec>,
    pub behavior: Option<Behavior>,
    pub tolerance: Tolerance,
    pub sync_period: Span,
    /// What a sync takes, after which the next period begins.
    pub sync_delay: Span,
    /// Shift of the syncs.
    pub phase: Span,
    pub downscale_stabilization: Span,
    pub cpu_initialization_period: Span,
    pub initial_readiness_delay: Span,
    /// The feature gate `HPAScaleToZero`.
    pub scale_to_zero: bool,
    pub release: Release,
}

/// Which release of Kubernetes the controller is of, where they differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Release {
    /// Main of 2026.
    Newest,
    /// 1.32 and older, back to 1.22.
    V1_32,
}
