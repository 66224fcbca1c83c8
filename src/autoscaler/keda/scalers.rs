//! Every scaler of KEDA: what it calls its target and the value from which on it is active, with their defaults, and what its
//! value is of an endpoint.
//!
//! Read in kedacore/keda at 8b4f083 (August 2026), `pkg/scalers`; read, not run.

use crate::autoscaler::Signal;

/// A scaler.
#[derive(Debug)]
pub(super) struct Scaler {
    /// The names that `type` has for it.
    pub types: &'static [&'static str],
    /// Keys of its target, with their defaults.
    pub targets: &'static [(&'static str, Option<&'static str>)],
    /// Keys of the value above which it is active, with their defaults.
    pub activations: &'static [(&'static str, &'static str)],
    /// What its value is.
    pub value: ScalerValue,
}

/// What the value of a scaler is of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScalerValue {
    /// A signal of the pool.
    Is(Signal),
    /// What a PromQL query says.
    PromQl,
    /// A metric whose name stands under this key.
    Named(&'static str),
    /// Told by other keys of the trigger.
    Mode,
    /// No signal for certain: what it is.
    Other(&'static str),
}

use ScalerValue::{Is, Mode, Named, Other, PromQl};
use Signal::{InFlight, QueueLength};

/// The scaler called `name`.
pub(super) fn find(name: &str) -> Option<&'static Scaler> {
    SCALERS.iter().find(|scaler| scaler.types.contains(&name))
}

/// Names of all scalers.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SCALERS.iter().flat_map(|scaler| scaler.types).copied()
}

const fn scaler(
    types: &'static [&'static str],
    targets: &'static [(&'static str, Option<&'static str>)],
    activations: &'static [(&'static str, &'static str)],
    value: ScalerValue,
) -> Scaler {
    Scaler { types, targets, activations, value }
}

const SCALERS: &[Scaler] = &[
    scaler(
        &["activemq"],
        &[("targetQueueSize", Some("10"))],
        &[("activationTargetQueueSize", "0")],
        Is(InFlight),
    ),
    scaler(
        &["apache-kafka"],
        &[("lagThreshold", Some("10"))],
        &[("activationLagThreshold", "0")],
        Is(InFlight),
    ),
    scaler(&["kafka"], &[("lagThreshold", Some("10"))], &[("activationLagThreshold", "0")], Is(InFlight)),
    scaler(
        &["arangodb"],
        &[("queryValue", None)],
        &[("activationQueryValue", "0")],
        Other("a value of the query"),
    ),
    scaler(
        &["artemis-queue"],
        &[("queueLength", Some("10"))],
        &[("activationQueueLength", "10")],
        Is(InFlight),
    ),
    scaler(
        &["aws-cloudwatch"],
        &[("targetMetricValue", None)],
        &[("activationTargetMetricValue", "0")],
        Named("metricName"),
    ),
    scaler(
        &["aws-dynamodb"],
        &[("targetValue", None)],
        &[("activationTargetValue", "0")],
        Other("a number of items in a query"),
    ),
    scaler(
        &["aws-dynamodb-streams"],
        &[("shardCount", Some("2"))],
        &[("activationShardCount", "0")],
        Other("a number of shards"),
    ),
    scaler(
        &["aws-kinesis-stream"],
        &[("shardCount", Some("2"))],
        &[("activationShardCount", "0")],
        Other("a number of shards"),
    ),
    scaler(&["aws-sqs-queue"], &[("queueLength", Some("5"))], &[("activationQueueLength", "0")], Mode),
    scaler(
        &["azure-app-insights"],
        &[("targetValue", None)],
        &[("activationTargetValue", "0")],
        Named("metricId"),
    ),
    scaler(&["azure-blob"], &[("blobCount", Some("5"))], &[("activationBlobCount", "0")], Is(QueueLength)),
    scaler(
        &["azure-data-explorer"],
        &[("threshold", None)],
        &[("activationThreshold", "0")],
        Other("a value of the query"),
    ),
    scaler(
        &["azure-eventhub"],
        &[("unprocessedEventThreshold", Some("64"))],
        &[("activationUnprocessedEventThreshold", "0")],
        Is(InFlight),
    ),
    scaler(
        &["azure-log-analytics"],
        &[("threshold", None)],
        &[("activationThreshold", "0")],
        Other("a value of the query"),
    ),
    scaler(
        &["azure-monitor"],
        &[("targetValue", None)],
        &[("activationTargetValue", "0")],
        Named("metricName"),
    ),
    scaler(
        &["azure-pipelines"],
        &[("targetPipelinesQueueLength", Some("1"))],
        &[("activationTargetPipelinesQueueLength", "0")],
        Is(InFlight),
    ),
    scaler(&["azure-queue"], &[("queueLength", Some("5"))], &[("activationQueueLength", "0")], Mode),
    scaler(
        &["azure-servicebus"],
        &[("messageCount", Some("5"))],
        &[("activationMessageCount", "0")],
        Is(InFlight),
    ),
    scaler(&["beanstalkd"], &[("value", None)], &[("activationValue", "0")], Is(InFlight)),
    scaler(
        &["cassandra"],
        &[("targetQueryValue", None)],
        &[("activationTargetQueryValue", "0")],
        Other("a value of the query"),
    ),
    scaler(
        &["clickhouse"],
        &[("targetQueryValue", None)],
        &[("activationTargetQueryValue", "0")],
        Other("a value of the query"),
    ),
    scaler(
        &["couchdb"],
        &[("queryValue", None)],
        &[("activationQueryValue", "0")],
        Other("a number of documents in a query"),
    ),
    scaler(
        &["datadog"],
        // The second is the older name.
        &[("targetValue", None), ("queryValue", None)],
        &[("activationQueryValue", "0"), ("activationTargetValue", "0")],
        Other("a query of Datadog"),
    ),
    scaler(
        &["dynatrace"],
        &[("threshold", None)],
        &[("activationThreshold", "0")],
        Other("a value of the metric selector or DQL query"),
    ),
    scaler(
        &["elastic-forecast"],
        &[("targetValue", None)],
        &[("activationTargetValue", "0")],
        Other("a value of the ML job"),
    ),
    scaler(
        &["elasticsearch"],
        &[("targetValue", None)],
        &[("activationTargetValue", "0")],
        Other("a value of the query"),
    ),
    scaler(&["etcd"], &[("value", None)], &[("activationValue", "0")], Other("a value of the key")),
    scaler(&["external", "external-push"], &[], &[], Other("a value given by the gRPC service")),
    scaler(&["forgejo-runner"], &[("targetValue", Some("1"))], &[], Is(QueueLength)),
    scaler(&["gcp-cloudtasks"], &[("value", Some("100"))], &[("activationValue", "0")], Is(InFlight)),
    scaler(&["gcp-pubsub"], &[("value", Some("10"))], &[("activationValue", "0")], Mode),
    scaler(
        &["gcp-spanner"],
        &[("targetValue", Some("5"))],
        &[("activationValue", "0")],
        Other("a value of the query"),
    ),
    scaler(
        &["gcp-stackdriver"],
        &[("targetValue", Some("5"))],
        &[("activationTargetValue", "0")],
        Other("a filter of Cloud Monitoring"),
    ),
    scaler(
        &["gcp-storage"],
        &[("targetObjectCount", Some("100"))],
        &[("activationTargetObjectCount", "0")],
        Is(QueueLength),
    ),
    scaler(&["github-runner"], &[("targetWorkflowQueueLength", Some("1"))], &[], Is(InFlight)),
    scaler(
        &["graphite"],
        &[("threshold", Some("100"))],
        &[("activationThreshold", "0")],
        Other("a value of the query"),
    ),
    scaler(
        &["huawei-cloudeye"],
        &[("targetMetricValue", None)],
        &[("activationTargetMetricValue", "0")],
        Other("a value of the metric"),
    ),
    scaler(&["ibmmq"], &[("queueDepth", Some("20"))], &[("activationQueueDepth", "0")], Is(QueueLength)),
    scaler(
        &["influxdb"],
        &[("thresholdValue", None)],
        &[("activationThresholdValue", "0")],
        Other("a value of the query"),
    ),
    scaler(
        &["kubernetes-resource"],
        &[("targetValue", None)],
        &[("activationTargetValue", "0")],
        Other("a value of the field"),
    ),
    scaler(
        &["kubernetes-workload"],
        &[("value", None)],
        &[("activationValue", "0")],
        Other("the pods of another workload"),
    ),
    scaler(&["liiklus"], &[("lagThreshold", Some("10"))], &[("activationLagThreshold", "0")], Is(InFlight)),
    scaler(
        &["loki"],
        &[("threshold", None)],
        &[("activationThreshold", "0")],
        Other("a value of the LogQL query"),
    ),
    scaler(
        &["metrics-api"],
        &[("targetValue", None)],
        &[("activationTargetValue", "0")],
        Other("a value of the endpoint"),
    ),
    scaler(
        &["mongodb"],
        &[("queryValue", None)],
        &[("activationQueryValue", "0")],
        Other("a number of documents in a query"),
    ),
    scaler(
        &["mssql"],
        &[("targetValue", None)],
        &[("activationTargetValue", "0")],
        Other("a value of the query"),
    ),
    scaler(
        &["mysql"],
        &[("queryValue", None)],
        &[("activationQueryValue", "0")],
        Other("a value of the query"),
    ),
    scaler(
        &["nats-jetstream"],
        &[("lagThreshold", Some("10"))],
        &[("activationLagThreshold", "0")],
        Is(InFlight),
    ),
    scaler(
        &["new-relic"],
        &[("threshold", None)],
        &[("activationThreshold", "0")],
        Other("a value of the NRQL query"),
    ),
    scaler(
        &["nsq"],
        &[("depthThreshold", Some("10"))],
        &[("activationDepthThreshold", "0")],
        Is(QueueLength),
    ),
    scaler(
        &["opensearch"],
        &[("targetValue", None)],
        &[("activationTargetValue", "0")],
        Other("a value of the query"),
    ),
    scaler(
        &["openstack-metric"],
        &[("threshold", None)],
        &[("activationThreshold", "0")],
        Other("a value of the metric"),
    ),
    scaler(
        &["openstack-swift"],
        &[("objectCount", Some("2"))],
        &[("activationObjectCount", "0")],
        Is(QueueLength),
    ),
    scaler(
        &["postgresql"],
        &[("targetQueryValue", None)],
        &[("activationTargetQueryValue", "0")],
        Other("a value of the query"),
    ),
    scaler(&["predictkube"], &[("threshold", None)], &[("activationThreshold", "0")], Other("a forecast")),
    scaler(&["prometheus"], &[("threshold", None)], &[("activationThreshold", "0")], PromQl),
    scaler(
        &["pulsar"],
        &[("msgBacklogThreshold", Some("10"))],
        &[("activationMsgBacklogThreshold", "0")],
        Is(InFlight),
    ),
    scaler(&["rabbitmq"], &[("value", Some("20")), ("queueLength", None)], &[("activationValue", "0")], Mode),
    scaler(
        &["redis", "redis-cluster", "redis-sentinel"],
        &[("listLength", Some("5"))],
        &[("activationListLength", "0")],
        Is(QueueLength),
    ),
    scaler(
        &["redis-streams", "redis-cluster-streams", "redis-sentinel-streams"],
        &[("pendingEntriesCount", Some("5")), ("streamLength", Some("5")), ("lagCount", None)],
        &[("activationLagCount", "0")],
        Mode,
    ),
    scaler(
        &["selenium-grid"],
        &[("targetValue", Some("1"))],
        &[("activationThreshold", "0")],
        Other("browser sessions, not requests of an endpoint"),
    ),
    scaler(
        &["solace-event-queue"],
        &[
            ("messageCountTarget", None),
            ("messageSpoolUsageTarget", None),
            ("messageReceiveRateTarget", None),
        ],
        &[
            ("activationMessageCountTarget", "0"),
            ("activationMessageSpoolUsageTarget", "0"),
            ("activationMessageReceiveRateTarget", "0"),
        ],
        Mode,
    ),
    scaler(
        &["solace-direct-messaging"],
        &[
            ("aggregatedClientTxMsgRateTarget", None),
            ("aggregatedClientAverageTxMsgRateTarget", None),
            ("aggregatedClientTxByteRateTarget", None),
            ("aggregatedClientAverageTxByteRateTarget", None),
        ],
        &[
            ("activationAggregatedClientTxMsgRateTarget", "0"),
            ("activationAggregatedClientAverageTxMsgRateTarget", "0"),
            ("activationAggregatedClientTxByteRateTarget", "0"),
            ("activationAggregatedClientAverageTxByteRateTarget", "0"),
        ],
        Mode,
    ),
    scaler(
        &["solarwinds"],
        &[("targetValue", None)],
        &[("activationValue", "0")],
        Other("a value of the metric"),
    ),
    scaler(
        &["solr"],
        &[("targetQueryValue", None)],
        &[("activationTargetQueryValue", "0")],
        Other("a number of documents in a query"),
    ),
    scaler(
        &["splunk"],
        &[("targetValue", None)],
        &[("activationValue", "0")],
        Other("a value of the search"),
    ),
    scaler(
        &["splunk-observability"],
        &[("targetValue", None)],
        &[("activationTargetValue", "0")],
        Other("a value of the SignalFlow query"),
    ),
    scaler(
        &["sumologic"],
        &[("threshold", None)],
        &[("activationThreshold", "0")],
        Other("a value of the query"),
    ),
    scaler(
        &["temporal"],
        &[("targetQueueSize", Some("5"))],
        &[("activationTargetQueueSize", "0")],
        Is(QueueLength),
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_type_stands_once_and_has_a_target() {
        let all: HashSet<&str> = names().collect();
        assert_eq!((all.len(), names().count()), (75, 75), "the other three are cpu, memory and cron");
        for scaler in SCALERS {
            let is_external = scaler.types.contains(&"external");
            assert_eq!(scaler.targets.is_empty(), is_external, "{:?}", scaler.types);
        }
        assert_eq!(
            find("azure-eventhub").map(|scaler| scaler.targets),
            Some(&[("unprocessedEventThreshold", Some("64"))][..])
        );
        assert_eq!(
            find("artemis-queue").map(|scaler| scaler.activations),
            Some(&[("activationQueueLength", "10")][..])
        );
    }
}
