//! Proxies, queues, accelerators, and names that many programs export.

use super::table::Group;
use super::table::Kind::{Counter, Gauge, Histogram};
use super::table::Meaning::*;
use super::table::Scope::*;
use super::table::row;
use crate::autoscaler::Signal::*;

// Read in: istio/istio.io content/en/docs/reference/config/metrics
const ISTIO: Group = Group {
    system: "istio",
    rows: &[
        row(
            "istio_requests_total",
            Counter,
            "requests",
            Total,
            RateIs(RequestRate),
            "reported twice (reporter source and destination): without a reporter filter the sum is doubled; gone while there is no pod if reporter is destination",
        ),
        row("istio_request_duration_milliseconds", Histogram, "ms", Total, QuantileIs(Latency), ""),
    ],
};

// Read in: Envoy statistics, from memory
const ENVOY: Group = Group {
    system: "envoy",
    rows: &[
        row(
            "envoy_cluster_upstream_rq_total",
            Counter,
            "requests",
            Total,
            RateIs(RequestRate),
            "retries count again",
        ),
        row("envoy_cluster_upstream_rq_active", Gauge, "requests", Total, Is(Concurrency), ""),
        row("envoy_cluster_upstream_rq_pending_active", Gauge, "requests", Total, Is(QueueLength), ""),
        row("envoy_cluster_upstream_rq_time", Histogram, "ms", Total, QuantileIs(Latency), ""),
        row("envoy_cluster_upstream_rq_xx", Counter, "requests", Total, Completions, ""),
        row("envoy_http_downstream_rq_total", Counter, "requests", Total, RateIs(RequestRate), ""),
        row("envoy_http_downstream_rq_active", Gauge, "requests", Total, Is(InFlight), ""),
    ],
};

// Read in: kubernetes/ingress-nginx docs/user-guide/monitoring.md
const INGRESS_NGINX: Group = Group {
    system: "ingress-nginx",
    rows: &[
        row(
            "nginx_ingress_controller_requests",
            Counter,
            "requests",
            Total,
            RateIs(RequestRate),
            "written when the response ends",
        ),
        row(
            "nginx_ingress_controller_nginx_process_requests_total",
            Counter,
            "requests",
            Everything,
            RateIs(RequestRate),
            "",
        ),
        row(
            "nginx_ingress_controller_nginx_process_connections",
            Gauge,
            "connections",
            Everything,
            Other("no signal for certain"),
            "",
        ),
        row(
            "nginx_ingress_controller_request_duration_seconds",
            Histogram,
            "s",
            Total,
            QuantileIs(Latency),
            "",
        ),
        row(
            "nginx_ingress_controller_response_duration_seconds",
            Histogram,
            "s",
            Total,
            QuantileIs(Latency),
            "",
        ),
    ],
};

// Read in: from memory
const KONG: Group = Group {
    system: "kong",
    rows: &[
        row("kong_http_requests_total", Counter, "requests", Total, RateIs(RequestRate), ""),
        row("kong_request_latency_ms", Histogram, "ms", Total, QuantileIs(Latency), ""),
        row("kong_upstream_latency_ms", Histogram, "ms", Total, Other("latency without the proxy"), ""),
    ],
};

// Read in: from memory
const TRAEFIK_HAPROXY_LITELLM: Group = Group {
    system: "traefik, haproxy, litellm",
    rows: &[
        row("traefik_service_requests_total", Counter, "requests", Total, RateIs(RequestRate), ""),
        row(
            "traefik_service_open_connections",
            Gauge,
            "connections",
            Total,
            Other("connections, which are requests in flight with HTTP/1 alone"),
            "",
        ),
        row("haproxy_backend_current_queue", Gauge, "requests", Total, Is(QueueLength), ""),
        row("haproxy_backend_current_sessions", Gauge, "sessions", Total, Is(InFlight), ""),
        row("litellm_proxy_total_requests_metric_total", Counter, "requests", Total, RateIs(RequestRate), ""),
    ],
};

// Read in: conventions seen in manifests
const GENERIC: Group = Group {
    system: "generic",
    rows: &[
        row("http_requests_total", Counter, "requests", Pod, RateIs(RequestRate), ""),
        row("http_requests_per_second", Gauge, "requests/s", Pod, Is(RequestRate), ""),
        row("requests-per-second", Gauge, "requests/s", Total, Is(RequestRate), ""),
        row("packets-per-second", Gauge, "packets/s", Pod, Other("no signal for certain"), ""),
        row("http_request_duration_seconds", Histogram, "s", Pod, QuantileIs(Latency), ""),
        row("http_server_requests_seconds", Histogram, "s", Pod, QuantileIs(Latency), ""),
        row("http_requests", Gauge, "ask", Pod, Other("no signal for certain"), ""),
        row("container_cpu_usage_seconds_total", Counter, "core-seconds", Pod, Cores, ""),
        row("kube_deployment_status_replicas_available", Gauge, "instances", Total, Replicas, ""),
    ],
};

// Read in: kubernetes/examples AI/vllm-deployment/hpa
const KUBERNETES_EXAMPLES_GPU_HPA: Group = Group {
    system: "kubernetes/examples GPU HPA",
    rows: &[
        row("gpu_utilization_percent", Gauge, "percent", Pod, Is(Utilization), ""),
        row("dcgm_fi_dev_gpu_util_relabelled", Gauge, "percent", Pod, Is(Utilization), ""),
    ],
};

// Read in: DCGM profiling fields, from memory; NVIDIA/dcgm-exporter etc/default-counters.csv
const DCGM_EXPORTER: Group = Group {
    system: "dcgm-exporter",
    rows: &[
        row(
            "DCGM_FI_DEV_GPU_UTIL",
            Gauge,
            "percent",
            Gpu,
            Is(Utilization),
            "share of time in which any kernel ran, not of capacity: near 100 at one request for LLM servers",
        ),
        row("DCGM_FI_DEV_MEM_COPY_UTIL", Gauge, "percent", Gpu, Other("no load of the endpoint"), ""),
        row(
            "DCGM_FI_DEV_FB_USED",
            Gauge,
            "MiB",
            Gpu,
            Other("no load of the endpoint"),
            "vLLM reserves its memory at start: constant",
        ),
        row("DCGM_FI_DEV_FB_FREE", Gauge, "MiB", Gpu, Other("no load of the endpoint"), ""),
        row("DCGM_FI_DEV_POWER_USAGE", Gauge, "W", Gpu, Other("no load of the endpoint"), ""),
        row("DCGM_FI_PROF_GR_ENGINE_ACTIVE", Gauge, "share", Gpu, Is(Utilization), ""),
        row("DCGM_FI_PROF_SM_ACTIVE", Gauge, "share", Gpu, Is(Utilization), ""),
        row("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", Gauge, "share", Gpu, Other("no load of the endpoint"), ""),
        row("DCGM_FI_PROF_DRAM_ACTIVE", Gauge, "share", Gpu, Other("no load of the endpoint"), ""),
    ],
};

// Read in: exporter documentation, from memory
const QUEUES: Group = Group {
    system: "queues",
    rows: &[
        row("rabbitmq_queue_messages", Gauge, "messages", Total, Is(InFlight), ""),
        row("rabbitmq_queue_messages_ready", Gauge, "messages", Total, Is(QueueLength), ""),
        row("rabbitmq_queue_messages_unacked", Gauge, "messages", Total, Is(Concurrency), ""),
        row("kafka_consumergroup_lag", Gauge, "messages", Parts, Is(InFlight), ""),
        row("kafka_consumergroup_lag_sum", Gauge, "messages", Total, Is(InFlight), ""),
        row("redis_key_size", Gauge, "items", Total, Is(QueueLength), ""),
        row(
            "aws_sqs_approximate_number_of_messages_visible_average",
            Gauge,
            "messages",
            Total,
            Is(QueueLength),
            "",
        ),
        row("celery_queue_length", Gauge, "tasks", Total, Is(QueueLength), ""),
        row("keda_scaler_metrics_value", Gauge, "of the trigger", Total, Other("no signal for certain"), ""),
    ],
};

/// See the file.
pub(super) const GROUPS: &[Group] = &[
    ISTIO,
    ENVOY,
    INGRESS_NGINX,
    KONG,
    TRAEFIK_HAPROXY_LITELLM,
    GENERIC,
    KUBERNETES_EXAMPLES_GPU_HPA,
    DCGM_EXPORTER,
    QUEUES,
];
