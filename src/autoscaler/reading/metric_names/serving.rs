//! Serving platforms and their gateways: Ray Serve, Knative, KServe, llm-d, AIBrix, Dynamo, kthena.

use super::table::Group;
use super::table::Kind::{Counter, Gauge, Histogram};
use super::table::Meaning::*;
use super::table::Scope::*;
use super::table::row;
use crate::autoscaler::Signal::*;

// Read in: ray-project/ray doc/source/serve/monitoring.md (old names); newer names from memory
const RAY_SERVE: Group = Group {
    system: "ray serve",
    rows: &[
        row("ray_serve_deployment_queued_queries", Gauge, "requests", Parts, Is(QueueLength), ""),
        row("ray_serve_replica_processing_queries", Gauge, "requests", Pod, Is(Concurrency), ""),
        row("ray_serve_replica_queued_queries", Gauge, "requests", Pod, Is(QueueLength), ""),
        row("ray_serve_deployment_request_counter", Counter, "requests", Pod, Completions, ""),
        row("ray_serve_num_http_requests", Counter, "requests", Total, RateIs(RequestRate), ""),
        row("ray_serve_num_router_requests", Counter, "requests", Total, RateIs(RequestRate), ""),
        row("ray_serve_deployment_processing_latency_ms", Histogram, "ms", Pod, Other("service time"), ""),
        row("ray_serve_http_request_latency_ms", Histogram, "ms", Total, QuantileIs(Latency), ""),
        row("ray_serve_num_ongoing_http_requests", Gauge, "requests", Total, Is(InFlight), ""),
        row("ray_serve_autoscaling_total_requests", Gauge, "requests", Total, Is(InFlight), ""),
    ],
};

// Read in: OpenCensus names before 1.20, from memory; knative/serving pkg/autoscaler/scaling/metrics.go,
// pkg/queue/request_metric.go, pkg/activator
const KNATIVE: Group = Group {
    system: "knative",
    rows: &[
        row("kn.revision.concurrency.stable", Gauge, "requests", Pod, Is(InFlight), ""),
        row("kn.revision.concurrency.panic", Gauge, "requests", Pod, Is(InFlight), ""),
        row("kn.revision.concurrency.target", Gauge, "requests", Pod, Other("no load of the endpoint"), ""),
        row("kn.revision.rps.stable", Gauge, "requests/s", Pod, Is(RequestRate), ""),
        row("kn.revision.pods.desired", Gauge, "instances", Total, Replicas, ""),
        row("kn.revision.capacity.excess", Gauge, "requests", Total, Other("no load of the endpoint"), ""),
        row("kn.revision.request.concurrency", Gauge, "requests", Pod, Other("what one activator holds"), ""),
        row("kn.serving.queue.depth", Gauge, "requests", Pod, Is(InFlight), ""),
        row("kn.serving.invocation.duration", Histogram, "s", Pod, QuantileIs(Latency), ""),
        row("revision_request_count", Counter, "requests", Pod, Completions, ""),
        row("revision_request_latencies", Histogram, "ms", Pod, QuantileIs(Latency), ""),
        row("revision_queue_depth", Gauge, "requests", Pod, Is(InFlight), ""),
        row("autoscaler_stable_request_concurrency", Gauge, "requests", Pod, Is(InFlight), ""),
        row("activator_request_concurrency", Gauge, "requests", Pod, Other("what one activator holds"), ""),
    ],
};

// Read in: SeldonIO/seldon-core 1.x documentation of its analytics, from memory
const SELDON_CORE: Group = Group {
    system: "seldon core",
    rows: &[
        row("seldon_api_executor_server_requests_seconds", Histogram, "s", Pod, QuantileIs(Latency), ""),
        row("seldon_api_executor_client_requests_seconds", Histogram, "s", Pod, QuantileIs(Latency), ""),
    ],
};

// Read in: kserve/kserve python/kserve/kserve/metrics.py
const KSERVE: Group = Group {
    system: "kserve",
    rows: &[
        row("request_predict_seconds", Histogram, "s", Pod, Other("service time"), ""),
        row("request_preprocess_seconds", Histogram, "s", Pod, Other("no load of the endpoint"), ""),
        row("request_postprocess_seconds", Histogram, "s", Pod, Other("no load of the endpoint"), ""),
    ],
};

// Read in: kubernetes-sigs/gateway-api-inference-extension pkg/epp/metrics/metrics.go; llm-d-workload-variant-
// autoscaler; llm-d-benchmark
const LLM_D_INFERENCE_EXTENSION: Group = Group {
    system: "llm-d / inference extension",
    rows: &[
        row("inference_pool_average_kv_cache_utilization", Gauge, "share", Mean, Is(KvCache), ""),
        row("inference_pool_average_queue_size", Gauge, "requests", Mean, Is(QueueLength), ""),
        row("inference_pool_per_pod_queue_size", Gauge, "requests", Pod, Is(QueueLength), ""),
        row("inference_pool_ready_pods", Gauge, "instances", Total, Replicas, ""),
        row("inference_objective_running_requests", Gauge, "requests", Total, Is(InFlight), ""),
        row("inference_objective_request_total", Counter, "requests", Total, RateIs(RequestRate), ""),
        row("inference_objective_request_duration_seconds", Histogram, "s", Total, QuantileIs(Latency), ""),
        row(
            "inference_objective_normalized_time_per_output_token_seconds",
            Histogram,
            "s",
            Total,
            Other("latency per output token"),
            "",
        ),
        row("inference_extension_flow_control_queue_size", Gauge, "requests", Total, Is(QueueLength), ""),
        row(
            "inference_extension_flow_control_queue_bytes",
            Gauge,
            "bytes",
            Total,
            Other("no load of the endpoint"),
            "",
        ),
        row("llm_d_epp_request_running", Gauge, "requests", Total, Is(InFlight), ""),
        row("llm_d_epp_flow_control_queue_size", Gauge, "requests", Total, Is(QueueLength), ""),
        row(
            "llm_d_epp_flow_control_pool_saturation",
            Gauge,
            "share",
            Mean,
            Other("no signal for certain"),
            "saturation of the pool by its detector",
        ),
        row("igw_queue_depth", Gauge, "requests", Total, Is(QueueLength), ""),
        row("wva_desired_replicas", Gauge, "instances", Total, Replicas, ""),
        row("wva_desired_ratio", Gauge, "ratio", Total, Replicas, ""),
        row("wva_current_replicas", Gauge, "instances", Total, Replicas, ""),
    ],
};

// Read in: vllm-project/aibrix pkg/metrics/metrics.go, samples
const AIBRIX_PODAUTOSCALER_TARGETMETRIC: Group = Group {
    system: "aibrix PodAutoscaler targetMetric",
    rows: &[
        row("num_requests_running", Gauge, "requests", Pod, Is(Concurrency), ""),
        row("num_requests_waiting", Gauge, "requests", Pod, Is(QueueLength), ""),
        row("gpu_cache_usage_perc", Gauge, "share", Pod, Is(KvCache), ""),
        row("kv_cache_usage_perc", Gauge, "share", Pod, Is(KvCache), ""),
        row("gpu_busy_time_ratio", Gauge, "share", Pod, Is(Utilization), ""),
        row("engine_utilization", Gauge, "share", Pod, Is(Utilization), ""),
        row("avg_requests_per_min_pod", Gauge, "requests/min", Pod, Is(RequestRate), ""),
        row("avg_prompt_throughput_toks_per_s", Gauge, "tokens/s", Pod, Other("prompt tokens a second"), ""),
        row(
            "avg_generation_throughput_toks_per_s",
            Gauge,
            "tokens/s",
            Pod,
            Other("output tokens a second"),
            "",
        ),
        row(
            "avg_generation_throughput_toks_per_min_pod",
            Gauge,
            "tokens/min",
            Pod,
            Other("output tokens a second"),
            "",
        ),
        row("realtime_num_requests_running", Gauge, "requests", Pod, Is(InFlight), ""),
        row("vllm:deployment_replicas", Gauge, "instances", Total, Replicas, ""),
        row("trtllm_kv_cache_utilization", Gauge, "share", Pod, Is(KvCache), ""),
        row("trtllm_time_to_first_token_seconds", Histogram, "s", Pod, QuantileIs(Ttft), ""),
        row("trtllm_time_per_output_token_seconds", Histogram, "s", Pod, QuantileIs(Tpot), ""),
        row("trtllm_e2e_request_latency_seconds", Histogram, "s", Pod, QuantileIs(Latency), ""),
        row("trtllm_request_success_total", Counter, "requests", Pod, Completions, ""),
    ],
};

// Read in: ai-dynamo/dynamo docs/observability/metrics.md
const DYNAMO: Group = Group {
    system: "dynamo",
    rows: &[
        row("dynamo_frontend_inflight_requests", Gauge, "requests", Total, Is(InFlight), ""),
        row(
            "dynamo_frontend_queued_requests",
            Gauge,
            "requests",
            Total,
            Other("until the first token"),
            "not a pure queue",
        ),
        row("dynamo_frontend_requests_total", Counter, "requests", Total, RateIs(RequestRate), ""),
        row("dynamo_frontend_request_duration_seconds", Histogram, "s", Total, QuantileIs(Latency), ""),
        row("dynamo_frontend_time_to_first_token_seconds", Histogram, "s", Total, QuantileIs(Ttft), ""),
        row("dynamo_frontend_inter_token_latency_seconds", Histogram, "s", Total, QuantileIs(Tpot), ""),
        row("dynamo_component_inflight_requests", Gauge, "requests", Pod, Is(Concurrency), ""),
        row("dynamo_component_kvstats_gpu_cache_usage_percent", Gauge, "share", Pod, Is(KvCache), ""),
        row("dynamo_component_requests_total", Counter, "requests", Pod, Completions, ""),
    ],
};

// Read in: volcano-sh kthena, read in the fork xrwang8/kthena
const KTHENA: Group = Group {
    system: "kthena",
    rows: &[
        row("kthena:num_requests_waiting", Gauge, "requests", Pod, Is(QueueLength), ""),
        row("kthena_router_active_downstream_requests", Gauge, "requests", Total, Is(InFlight), ""),
        row("kthena_router_requests_total", Counter, "requests", Total, RateIs(RequestRate), ""),
    ],
};

/// See the file.
pub(super) const GROUPS: &[Group] = &[
    RAY_SERVE,
    KNATIVE,
    SELDON_CORE,
    KSERVE,
    LLM_D_INFERENCE_EXTENSION,
    AIBRIX_PODAUTOSCALER_TARGETMETRIC,
    DYNAMO,
    KTHENA,
];
