//! Metrics of AWS, Azure and Google.

use super::table::Group;
use super::table::Kind::{Counter, Gauge, Histogram};
use super::table::Meaning::*;
use super::table::Scope::*;
use super::table::row;
use crate::autoscaler::Signal::*;

// Read in: AWS documentation as in shared/autoscalers/reference.md; predefined types; awsdocs/amazon-sagemaker-
// developer-guide doc_source/monitoring-cloudwatch.md
const CLOUDWATCH_AWS_SAGEMAKER: Group = Group {
    system: "cloudwatch AWS/SageMaker",
    rows: &[
        row("Invocations", Gauge, "requests", Total, CountOf(RequestRate), ""),
        row("InvocationsPerInstance", Gauge, "requests", Pod, CountOf(RequestRate), ""),
        row("ModelLatency", Gauge, "us", Total, Other("latency (in the container)"), ""),
        row("OverheadLatency", Gauge, "us", Total, Other("no load of the endpoint"), ""),
        row("ModelSetupTime", Gauge, "us", Total, Other("cold start (serverless)"), ""),
        row(
            "CPUUtilization",
            Gauge,
            "percent",
            Pod,
            Is(Utilization),
            "/aws/sagemaker/Endpoints: summed over cores (0..400 for four): divide by cores",
        ),
        row("GPUUtilization", Gauge, "percent", Pod, Is(Utilization), "summed over GPUs"),
        row("MemoryUtilization", Gauge, "percent", Pod, Other("no load of the endpoint"), ""),
        row("GPUMemoryUtilization", Gauge, "percent", Pod, Other("no load of the endpoint"), ""),
        row("SageMakerVariantInvocationsPerInstance", Gauge, "requests/min", Pod, Is(RequestRate), ""),
        row("SageMakerInferenceComponentInvocationsPerCopy", Gauge, "requests/min", Pod, Is(RequestRate), ""),
        row(
            "SageMakerVariantConcurrentRequestsPerModelHighResolution",
            Gauge,
            "requests",
            Pod,
            Is(InFlight),
            "",
        ),
        row(
            "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution",
            Gauge,
            "requests",
            Pod,
            Is(InFlight),
            "",
        ),
        row("ConcurrentRequestsPerModel", Gauge, "requests", Pod, Is(InFlight), ""),
        row("ApproximateBacklogSizePerInstance", Gauge, "requests", Pod, Is(QueueLength), ""),
        row("HasBacklogWithoutCapacity", Gauge, "0 or 1", Total, Is(QueueLength), ""),
    ],
};

// Read in: AWS documentation, from memory
const CLOUDWATCH_AWS_APPLICATIONELB_ECS_EC2_SQS: Group = Group {
    system: "cloudwatch AWS/ApplicationELB, ECS, EC2, SQS",
    rows: &[
        row("RequestCount", Gauge, "requests", Total, CountOf(RequestRate), ""),
        row("RequestCountPerTarget", Gauge, "requests", Pod, CountOf(RequestRate), ""),
        row("ALBRequestCountPerTarget", Gauge, "requests/min", Pod, Is(RequestRate), ""),
        row("TargetResponseTime", Gauge, "s", Total, Other("latency"), ""),
        row("ActiveConnectionCount", Gauge, "connections", Total, Other("no signal for certain"), ""),
        row("ECSServiceAverageCPUUtilization", Gauge, "percent", Mean, Is(Utilization), ""),
        row(
            "ECSServiceAverageMemoryUtilization",
            Gauge,
            "percent",
            Mean,
            Other("no load of the endpoint"),
            "",
        ),
        row("ASGAverageCPUUtilization", Gauge, "percent", Mean, Is(Utilization), ""),
        row("ApproximateNumberOfMessagesVisible", Gauge, "messages", Total, Is(QueueLength), ""),
        row("ApproximateNumberOfMessagesNotVisible", Gauge, "messages", Total, Is(Concurrency), ""),
        row("ApproximateAgeOfOldestMessage", Gauge, "s", Total, Other("queue wait (maximum)"), ""),
        row("NumberOfMessagesSent", Gauge, "messages", Total, CountOf(RequestRate), ""),
    ],
};

// Read in: Azure Monitor supported metrics for
// Microsoft.MachineLearningServices/workspaces/onlineEndpoints(/deployments)
const AZURE_ML: Group = Group {
    system: "azure ml",
    rows: &[
        row("CpuUtilizationPercentage", Gauge, "percent", Pod, Is(Utilization), ""),
        row("GpuUtilizationPercentage", Gauge, "percent", Pod, Is(Utilization), ""),
        row("CpuMemoryUtilizationPercentage", Gauge, "percent", Pod, Other("no load of the endpoint"), ""),
        row("GpuMemoryUtilizationPercentage", Gauge, "percent", Pod, Other("no load of the endpoint"), ""),
        row("DeploymentCapacity", Gauge, "instances", Total, Replicas, ""),
        row(
            "RequestsPerMinute",
            Gauge,
            "requests/min",
            Total,
            Is(RequestRate),
            "divide by 60; of the whole endpoint, all deployments",
        ),
        row("RequestLatency", Gauge, "ms", Total, Other("latency"), ""),
        row("RequestLatency_P95", Gauge, "ms", Total, Other("latency"), ""),
        row(
            "ConnectionsActive",
            Gauge,
            "connections",
            Total,
            Other("connections, which are requests in flight with HTTP/1 alone"),
            "",
        ),
    ],
};

// Read in: Vertex AI API reference AutoscalingMetricSpec (v1); Cloud Monitoring metric list from memory
const GOOGLE_CLOUD: Group = Group {
    system: "google cloud",
    rows: &[
        row(
            "aiplatform.googleapis.com/prediction/online/cpu/utilization",
            Gauge,
            "percent in the spec (share in Cloud Monitoring)",
            Mean,
            Is(Utilization),
            "",
        ),
        row(
            "aiplatform.googleapis.com/prediction/online/accelerator/duty_cycle",
            Gauge,
            "percent in the spec (share in Cloud Monitoring)",
            Mean,
            Is(Utilization),
            "target default 60; not capacity for LLM servers",
        ),
        row(
            "aiplatform.googleapis.com/prediction/online/request_count",
            Gauge,
            "requests/min (documentation)",
            Pod,
            Is(RequestRate),
            "",
        ),
        row(
            "pubsub.googleapis.com/subscription/num_undelivered_messages",
            Gauge,
            "messages",
            Total,
            Is(InFlight),
            "",
        ),
        row(
            "prometheus.googleapis.com/vertex_dcgm_fi_dev_gpu_util",
            Gauge,
            "percent",
            Mean,
            Is(Utilization),
            "",
        ),
        row(
            "prometheus.googleapis.com/vertex_vllm_gpu_cache_usage_perc",
            Gauge,
            "percent in the spec",
            Mean,
            Other("the use of the KV cache in a unit that is not documented"),
            "",
        ),
        row(
            "prometheus.googleapis.com/vertex_vllm_num_requests_waiting",
            Gauge,
            "requests",
            Mean,
            Is(QueueLength),
            "",
        ),
        row("kubernetes.io/container/accelerator/duty_cycle", Gauge, "percent", Gpu, Is(Utilization), ""),
        row("kubernetes.io/container/cpu/request_utilization", Gauge, "share", Pod, Is(Utilization), ""),
        row("run.googleapis.com/request_count", Gauge, "requests", Total, CountOf(RequestRate), ""),
        row(
            "run.googleapis.com/container/max_request_concurrencies",
            Histogram,
            "requests",
            Pod,
            Is(Concurrency),
            "",
        ),
        row("run.googleapis.com/request_latencies", Histogram, "ms", Total, QuantileIs(Latency), ""),
        row(
            "loadbalancing.googleapis.com/https/request_count",
            Gauge,
            "requests",
            Total,
            CountOf(RequestRate),
            "",
        ),
        row(
            "loadbalancing.googleapis.com/https/total_latencies",
            Histogram,
            "ms",
            Total,
            QuantileIs(Latency),
            "",
        ),
        row("ts_queue_latency_microseconds", Counter, "us (cumulative)", Pod, Other("queue wait"), ""),
    ],
};

/// See the file.
pub(super) const GROUPS: &[Group] =
    &[CLOUDWATCH_AWS_SAGEMAKER, CLOUDWATCH_AWS_APPLICATIONELB_ECS_EC2_SQS, AZURE_ML, GOOGLE_CLOUD];
