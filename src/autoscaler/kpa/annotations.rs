//! What Knative's annotations and config map call the keys of the scenario.

/// Annotations of a revision, without their prefix, in both spellings that Knative reads, and the key each sets.
pub(super) const ANNOTATIONS: &[(&str, &str, &str, Form)] = &[
    ("metric", "metric", "metric", Form::Text),
    ("target", "target", "target", Form::Number),
    (
        "target-utilization-percentage",
        "targetUtilizationPercentage",
        "target_utilization_percentage",
        Form::Percentage,
    ),
    ("min-scale", "minScale", "min_scale", Form::Number),
    ("max-scale", "maxScale", "max_scale", Form::Number),
    ("initial-scale", "initialScale", "initial_scale", Form::Number),
    ("activation-scale", "activationScale", "activation_scale", Form::Number),
    ("window", "window", "stable_window", Form::Duration),
    ("panic-window-percentage", "panicWindowPercentage", "panic_window_percentage", Form::Number),
    ("panic-threshold-percentage", "panicThresholdPercentage", "panic_threshold_percentage", Form::Number),
    ("target-burst-capacity", "targetBurstCapacity", "target_burst_capacity", Form::Number),
    ("scale-down-delay", "scaleDownDelay", "scale_down_delay", Form::Duration),
    (
        "scale-to-zero-pod-retention-period",
        "scaleToZeroPodRetentionPeriod",
        "scale_to_zero_pod_retention_period",
        Form::Duration,
    ),
    (
        "metric-aggregation-algorithm",
        "metricAggregationAlgorithm",
        "metric_aggregation_algorithm",
        Form::Text,
    ),
];

/// Keys of `config-autoscaler`, and the key each sets.
pub(super) const CONFIG: &[(&str, &str, Form)] = &[
    ("container-concurrency-target-percentage", "target_utilization_percentage", Form::Number),
    ("container-concurrency-target-default", "container_concurrency_target_default", Form::Number),
    ("requests-per-second-target-default", "requests_per_second_target_default", Form::Number),
    ("target-burst-capacity", "target_burst_capacity", Form::Number),
    ("stable-window", "stable_window", Form::Duration),
    ("panic-window-percentage", "panic_window_percentage", Form::Number),
    ("panic-threshold-percentage", "panic_threshold_percentage", Form::Number),
    ("max-scale-up-rate", "max_scale_up_rate", Form::Number),
    ("max-scale-down-rate", "max_scale_down_rate", Form::Number),
    ("enable-scale-to-zero", "enable_scale_to_zero", Form::Bool),
    ("scale-to-zero-grace-period", "scale_to_zero_grace_period", Form::Duration),
    ("scale-to-zero-pod-retention-period", "scale_to_zero_pod_retention_period", Form::Duration),
    ("activator-capacity", "activator_capacity", Form::Number),
    ("initial-scale", "initial_scale", Form::Number),
    ("min-scale", "min_scale", Form::Number),
    ("max-scale", "max_scale", Form::Number),
    ("scale-down-delay", "scale_down_delay", Form::Duration),
];

/// Keys of `config-autoscaler` that change nothing in a simulation, or nothing beyond what other keys say.
pub(super) const WITHOUT_EFFECT: [&str; 3] = ["_example", "allow-zero-initial-scale", "pod-autoscaler-class"];

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A number.
    Number,
    /// Always a percentage, where the key of the scenario reads up to 1 as a fraction.
    Percentage,
    /// A duration as Go writes it.
    Duration,
    /// A name.
    Text,
    /// True or false.
    Bool,
}
