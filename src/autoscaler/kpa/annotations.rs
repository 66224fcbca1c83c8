//! What Knative's annotations and config map call the keys of the scenario.

use crate::autoscaler::reading::{Codec, Field};

/// How the windows are averaged; the annotation is written in either spelling.
const ALGORITHM: Codec = Codec::Names(&[
    ("linear", "linear"),
    ("weightedExponential", "weighted-exponential"),
    ("weighted-exponential", "weighted-exponential"),
]);

/// Annotations of a revision, without their prefix, in both spellings that Knative reads; the second overrides.
pub(super) const ANNOTATIONS: &[Field] = &[
    Field::new("metric", "metric", Codec::Text),
    Field::new("target", "target", Codec::NumberText),
    Field::new("target-utilization-percentage", "target_utilization_percentage", Codec::PercentText),
    Field::alias("targetUtilizationPercentage", "target_utilization_percentage", Codec::PercentText),
    Field::new("min-scale", "min_scale", Codec::NumberText),
    Field::alias("minScale", "min_scale", Codec::NumberText),
    Field::new("max-scale", "max_scale", Codec::NumberText),
    Field::alias("maxScale", "max_scale", Codec::NumberText),
    Field::new("initial-scale", "initial_scale", Codec::NumberText),
    Field::alias("initialScale", "initial_scale", Codec::NumberText),
    Field::new("activation-scale", "activation_scale", Codec::NumberText),
    Field::alias("activationScale", "activation_scale", Codec::NumberText),
    Field::new("window", "stable_window", Codec::Duration),
    Field::new("panic-window-percentage", "panic_window_percentage", Codec::NumberText),
    Field::alias("panicWindowPercentage", "panic_window_percentage", Codec::NumberText),
    Field::new("panic-threshold-percentage", "panic_threshold_percentage", Codec::NumberText),
    Field::alias("panicThresholdPercentage", "panic_threshold_percentage", Codec::NumberText),
    Field::new("target-burst-capacity", "target_burst_capacity", Codec::NumberText),
    Field::alias("targetBurstCapacity", "target_burst_capacity", Codec::NumberText),
    Field::new("scale-down-delay", "scale_down_delay", Codec::Duration),
    Field::alias("scaleDownDelay", "scale_down_delay", Codec::Duration),
    Field::new("scale-to-zero-pod-retention-period", "scale_to_zero_pod_retention_period", Codec::Duration),
    Field::alias("scaleToZeroPodRetentionPeriod", "scale_to_zero_pod_retention_period", Codec::Duration),
    Field::new("metric-aggregation-algorithm", "metric_aggregation_algorithm", ALGORITHM),
    Field::alias("metricAggregationAlgorithm", "metric_aggregation_algorithm", ALGORITHM),
];

/// Keys of `config-autoscaler`.
pub(super) const CONFIG: &[Field] = &[
    Field::new("container-concurrency-target-percentage", "target_utilization_percentage", Codec::NumberText),
    Field::new(
        "container-concurrency-target-default",
        "container_concurrency_target_default",
        Codec::NumberText,
    ),
    Field::new("requests-per-second-target-default", "requests_per_second_target_default", Codec::NumberText),
    Field::new("target-burst-capacity", "target_burst_capacity", Codec::NumberText),
    Field::new("stable-window", "stable_window", Codec::Duration),
    Field::new("panic-window-percentage", "panic_window_percentage", Codec::NumberText),
    Field::new("panic-threshold-percentage", "panic_threshold_percentage", Codec::NumberText),
    Field::new("max-scale-up-rate", "max_scale_up_rate", Codec::NumberText),
    Field::new("max-scale-down-rate", "max_scale_down_rate", Codec::NumberText),
    Field::new("enable-scale-to-zero", "enable_scale_to_zero", Codec::BoolText),
    Field::new("scale-to-zero-grace-period", "scale_to_zero_grace_period", Codec::Duration),
    Field::new("scale-to-zero-pod-retention-period", "scale_to_zero_pod_retention_period", Codec::Duration),
    Field::new("activator-capacity", "activator_capacity", Codec::NumberText),
    Field::new("initial-scale", "initial_scale", Codec::NumberText),
    Field::new("min-scale", "min_scale", Codec::NumberText),
    Field::new("max-scale", "max_scale", Codec::NumberText),
    Field::new("scale-down-delay", "scale_down_delay", Codec::Duration),
];

/// Keys of `config-autoscaler` that change nothing in a simulation, or nothing beyond what other keys say.
pub(super) const WITHOUT_EFFECT: [&str; 3] = ["_example", "allow-zero-initial-scale", "pod-autoscaler-class"];

/// Keys of the predictor of an InferenceService.
pub(super) const PREDICTOR: &[Field] = &[
    Field::new("minReplicas", "min_scale", Codec::NumberText),
    Field::new("maxReplicas", "max_scale", Codec::NumberText),
    Field::new("scaleTarget", "target", Codec::NumberText),
    Field::new("scaleMetric", "metric", Codec::Text),
];

/// Annotations of a revision on Cloud Run, without their prefix.
pub(super) const CLOUD_RUN: &[Field] = &[
    Field::alias("min-scale", "min_instances", Codec::NumberText),
    Field::new("minScale", "min_instances", Codec::NumberText),
    Field::alias("max-scale", "max_instances", Codec::NumberText),
    Field::new("maxScale", "max_instances", Codec::NumberText),
];

/// Annotations of a service on Cloud Run, without their prefix; they override those of the revision.
pub(super) const CLOUD_RUN_SERVICE: &[Field] = &[
    Field::alias("minScale", "min_instances", Codec::NumberText),
    Field::alias("maxScale", "max_instances", Codec::NumberText),
];
