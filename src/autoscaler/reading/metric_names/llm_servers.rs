//! Servers of models: what vLLM, SGLang, TGI, Triton and TorchServe export.

use super::table::Group;
use super::table::Kind::{Counter, Gauge, Histogram};
use super::table::Meaning::*;
use super::table::Scope::*;
use super::table::row;
use crate::autoscaler::Signal::*;

/// What is simulated of tokens differs from what engines count.
const ENDED: &str =
    "simulated tokens are counted when their request ends; engines count them as they are computed";

// Read in: aibrix pkg/metrics/metrics.go and release notes of vLLM (from memory); vllm-project/vllm
// vllm/v1/metrics/loggers.py, docs/design/metrics.md
const VLLM: Group = Group {
    system: "vllm",
    rows: &[
        row("vllm:num_requests_running", Gauge, "requests", Pod, Is(Concurrency), ""),
        row("vllm:num_requests_waiting", Gauge, "requests", Pod, Is(QueueLength), ""),
        row("vllm:kv_cache_usage_perc", Gauge, "share", Pod, Is(KvCache), ""),
        row("vllm:gpu_cache_usage_perc", Gauge, "share", Pod, Is(KvCache), ""),
        row("vllm:prefix_cache_queries", Counter, "tokens", Pod, Other("no load of the endpoint"), ""),
        row("vllm:prefix_cache_hits", Counter, "tokens", Pod, Other("no load of the endpoint"), ""),
        row("vllm:num_preemptions", Counter, "requests", Pod, Other("no load of the endpoint"), ""),
        row("vllm:prompt_tokens", Counter, "tokens", Pod, RateIs(PromptTokenRate), ENDED),
        row("vllm:generation_tokens", Counter, "tokens", Pod, RateIs(OutputTokenRate), ENDED),
        row(
            "vllm:request_success",
            Counter,
            "requests",
            Pod,
            Completions,
            "completions, not arrivals: equal only in steady state; saturates under overload",
        ),
        row("vllm:request_prompt_tokens", Histogram, "tokens", Pod, Other("prompt length"), ""),
        row("vllm:request_generation_tokens", Histogram, "tokens", Pod, Other("answer length"), ""),
        row("vllm:time_to_first_token_seconds", Histogram, "s", Pod, QuantileIs(Ttft), ""),
        row("vllm:inter_token_latency_seconds", Histogram, "s", Pod, QuantileIs(Tpot), ""),
        row("vllm:request_time_per_output_token_seconds", Histogram, "s", Pod, QuantileIs(Tpot), ""),
        row("vllm:e2e_request_latency_seconds", Histogram, "s", Pod, QuantileIs(Latency), ""),
        row("vllm:request_queue_time_seconds", Histogram, "s", Pod, Other("queue wait"), ""),
        row("vllm:request_prefill_time_seconds", Histogram, "s", Pod, Other("prefill time"), ""),
        row("vllm:request_decode_time_seconds", Histogram, "s", Pod, Other("decode time"), ""),
        row("vllm:request_inference_time_seconds", Histogram, "s", Pod, Other("service time"), ""),
        row("vllm:num_requests_swapped", Gauge, "requests", Pod, Other("no load of the endpoint"), ""),
        row("vllm:cpu_cache_usage_perc", Gauge, "share", Pod, Other("no load of the endpoint"), ""),
        row("vllm:time_per_output_token_seconds", Histogram, "s", Pod, QuantileIs(Tpot), ""),
        row(
            "vllm:avg_generation_throughput_toks_per_s",
            Gauge,
            "tokens/s",
            Pod,
            Other("output tokens a second"),
            "",
        ),
        row("vllm:engine_sleep_state", Gauge, "none", Pod, Other("no load of the endpoint"), ""),
    ],
};

// Read in: vllm-project/production-stack
const VLLM_PRODUCTION_STACK_ROUTER: Group = Group {
    system: "vllm production-stack router",
    rows: &[row("vllm:num_incoming_requests_total", Counter, "requests", Total, RateIs(RequestRate), "")],
};

// Read in: sgl-project/sglang docs/references/production_metrics.md
const SGLANG: Group = Group {
    system: "sglang",
    rows: &[
        row("sglang:num_running_reqs", Gauge, "requests", Pod, Is(Concurrency), ""),
        row("sglang:num_queue_reqs", Gauge, "requests", Pod, Is(QueueLength), ""),
        row("sglang:token_usage", Gauge, "share", Pod, Is(KvCache), ""),
        row("sglang:num_used_tokens", Gauge, "tokens", Pod, Other("kv tokens"), ""),
        row("sglang:cache_hit_rate", Gauge, "share", Pod, Other("no load of the endpoint"), ""),
        row("sglang:gen_throughput", Gauge, "tokens/s", Pod, Is(OutputTokenRate), ENDED),
        row("sglang:prompt_tokens_total", Counter, "tokens", Pod, RateIs(PromptTokenRate), ENDED),
        row("sglang:generation_tokens_total", Counter, "tokens", Pod, RateIs(OutputTokenRate), ENDED),
        row("sglang:time_to_first_token_seconds", Histogram, "s", Pod, QuantileIs(Ttft), ""),
        row("sglang:time_per_output_token_seconds", Histogram, "s", Pod, QuantileIs(Tpot), ""),
        row("sglang:inter_token_latency_seconds", Histogram, "s", Pod, QuantileIs(Tpot), ""),
        row("sglang:e2e_request_latency_seconds", Histogram, "s", Pod, QuantileIs(Latency), ""),
        row("sglang:num_requests_total", Counter, "requests", Pod, RateIs(RequestRate), ""),
    ],
};

// Read in: huggingface/text-generation-inference docs/source/reference/metrics.md
const TGI: Group = Group {
    system: "tgi",
    rows: &[
        row("tgi_queue_size", Gauge, "requests", Pod, Is(QueueLength), ""),
        row("tgi_batch_current_size", Gauge, "requests", Pod, Is(Concurrency), ""),
        row("tgi_batch_current_max_tokens", Gauge, "tokens", Pod, Other("kv tokens"), ""),
        row("tgi_request_count", Counter, "requests", Pod, RateIs(RequestRate), ""),
        row("tgi_request_success", Counter, "requests", Pod, Completions, ""),
        row("tgi_request_duration", Histogram, "s", Pod, QuantileIs(Latency), ""),
        row("tgi_request_queue_duration", Histogram, "s", Pod, Other("queue wait"), ""),
        row("tgi_request_inference_duration", Histogram, "s", Pod, Other("service time"), ""),
        row("tgi_request_mean_time_per_token_duration", Histogram, "s", Pod, QuantileIs(Tpot), ""),
        row("tgi_request_input_length", Histogram, "tokens", Pod, Other("prompt length"), ""),
        row("tgi_request_generated_tokens", Histogram, "tokens", Pod, Other("answer length"), ""),
    ],
};

// Read in: from memory (24.x releases); triton-inference-server/server docs/user_guide/metrics.md
const TRITON: Group = Group {
    system: "triton",
    rows: &[
        row("nv_inference_request_success", Counter, "requests", Pod, Completions, ""),
        row("nv_inference_request_failure", Counter, "requests", Pod, Other("no load of the endpoint"), ""),
        row("nv_inference_count", Counter, "inferences", Pod, Other("no signal for certain"), ""),
        row("nv_inference_exec_count", Counter, "batches", Pod, Other("no load of the endpoint"), ""),
        row("nv_inference_request_duration_us", Counter, "us (cumulative)", Pod, Other("latency"), ""),
        row("nv_inference_queue_duration_us", Counter, "us (cumulative)", Pod, Other("queue wait"), ""),
        row(
            "nv_inference_compute_infer_duration_us",
            Counter,
            "us (cumulative)",
            Pod,
            Other("service time"),
            "",
        ),
        row("nv_gpu_utilization", Gauge, "share", Gpu, Is(Utilization), ""),
        row("nv_gpu_memory_used_bytes", Gauge, "bytes", Gpu, Other("no load of the endpoint"), ""),
        row("nv_cpu_utilization", Gauge, "share", Pod, Is(Utilization), ""),
        row("nv_inference_pending_request_count", Gauge, "requests", Pod, Is(QueueLength), ""),
    ],
};

// Read in: pytorch/serve docs/metrics.md; ts_ names from memory
const TORCHSERVE: Group = Group {
    system: "torchserve",
    rows: &[
        row("ts_inference_requests_total", Counter, "requests", Pod, RateIs(RequestRate), ""),
        row("ts_inference_latency_microseconds", Counter, "us (cumulative)", Pod, Other("service time"), ""),
        row("Requests2XX", Counter, "requests", Pod, Completions, ""),
        row("QueueTime", Gauge, "ms", Pod, Other("queue wait"), ""),
        row("PredictionTime", Gauge, "ms", Pod, Other("service time"), ""),
        row("GPUUtilization", Gauge, "percent", Gpu, Is(Utilization), ""),
    ],
};

/// See the file.
pub(super) const GROUPS: &[Group] = &[VLLM, VLLM_PRODUCTION_STACK_ROUTER, SGLANG, TGI, TRITON, TORCHSERVE];
