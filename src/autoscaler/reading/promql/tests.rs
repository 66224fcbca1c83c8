//! Sixty queries as they are used for scaling, and what each is. Shapes are those of public manifests; names are replaced.

use super::*;
use crate::autoscaler::Signal::*;

/// What a query is: signal, scope, window in seconds, threshold as the file has it and in the signal's unit; or that a user
/// has to be asked.
type Case = (&'static str, Option<(Signal, Of, f64, f64, f64)>);

const CASES: &[Case] = &[
    (
        "sum(rate(http_requests_total{deployment=\"d\"}[2m]))",
        Some((RequestRate, Of::Total, 120.0, 100.0, 100.0)),
    ),
    ("sum(rate(http_requests_total[1m]))", Some((RequestRate, Of::Total, 60.0, 10.0, 10.0))),
    ("sum(irate(http_requests_total{pod=~\"p-.*\"}[2m]))", Some((RequestRate, Of::Total, 0.0, 20.0, 20.0))),
    ("sum(increase(http_requests_total[1m]))", Some((RequestRate, Of::Total, 60.0, 600.0, 10.0))),
    ("sum(rate(http_requests_total[5m])) * 60", Some((RequestRate, Of::Total, 300.0, 600.0, 10.0))),
    ("http_requests_total", None),
    ("sum(rate(vllm:num_incoming_requests_total[1m]))", Some((RequestRate, Of::Total, 60.0, 5.0, 5.0))),
    ("sum(rate(vllm:num_incoming_requests_total[1m]) > bool 0)", None),
    ("sum(rate(vllm:request_success_total[1m]))", Some((RequestRate, Of::Total, 60.0, 4.0, 4.0))),
    (
        "sum(rate(vllm:e2e_request_latency_seconds_sum[1m])) / sum(rate(vllm:e2e_request_latency_seconds_count[1m]))",
        None,
    ),
    ("sum(vllm:num_requests_waiting{model_name=\"m\"})", Some((QueueLength, Of::Total, 0.0, 5.0, 5.0))),
    ("sum(vllm:num_requests_waiting) or vector(0)", Some((QueueLength, Of::Total, 0.0, 25.0, 25.0))),
    ("avg(vllm:num_requests_waiting)", Some((QueueLength, Of::Mean, 0.0, 5.0, 5.0))),
    ("vllm:num_requests_waiting", Some((QueueLength, Of::One, 0.0, 5.0, 5.0))),
    ("vllm:num_requests_running", Some((Concurrency, Of::One, 0.0, 2.0, 2.0))),
    (
        "avg_over_time(vllm_num_requests_waiting{namespace=\"n\"}[2m])",
        Some((QueueLength, Of::One, 120.0, 10.0, 10.0)),
    ),
    ("sum(avg_over_time(vllm:num_requests_waiting[1m]))", Some((QueueLength, Of::Total, 60.0, 10.0, 10.0))),
    (
        "sum(vllm:num_requests_running) + sum(vllm:num_requests_waiting)",
        Some((InFlight, Of::Total, 0.0, 20.0, 20.0)),
    ),
    (
        "sum(vllm:num_requests_running) / count(vllm:num_requests_running)",
        Some((Concurrency, Of::Mean, 0.0, 16.0, 16.0)),
    ),
    (
        "sum(vllm:num_requests_waiting) / sum(kube_deployment_status_replicas_available{deployment=\"d\"})",
        Some((QueueLength, Of::Mean, 0.0, 4.0, 4.0)),
    ),
    ("avg(vllm:gpu_cache_usage_perc{deployment=~\"d.*\"})", Some((KvCache, Of::Mean, 0.0, 0.7, 0.7))),
    ("avg(vllm:kv_cache_usage_perc{model=\"m\"})", Some((KvCache, Of::Mean, 0.0, 80.0, 80.0))),
    ("avg(vllm:gpu_cache_usage_perc{model_name=\"m\"}) * 100", Some((KvCache, Of::Mean, 0.0, 80.0, 0.8))),
    ("sum(vllm:gpu_cache_usage_perc{service=\"decode\"})", Some((KvCache, Of::Total, 0.0, 0.75, 0.75))),
    ("max(vllm:kv_cache_usage_perc)", None),
    ("1 - avg(vllm:kv_cache_usage_perc)", None),
    (
        "max(inference_pool_average_kv_cache_utilization{namespace=\"n\"})",
        Some((KvCache, Of::Mean, 0.0, 0.6, 0.6)),
    ),
    ("avg(DCGM_FI_DEV_GPU_UTIL{pod=~\"p.*\"})", Some((Utilization, Of::Mean, 0.0, 70.0, 0.7))),
    ("avg(DCGM_FI_DEV_GPU_UTIL{deployment=\"w\"})", Some((Utilization, Of::Mean, 0.0, 5.0, 0.05))),
    ("avg(DCGM_FI_DEV_GPU_UTIL{pod=~\"p.*\"}[30s])", None),
    (
        "histogram_quantile(0.95, sum(rate(vllm:e2e_request_latency_seconds_bucket[1m])) by (le)) or vector(0)",
        Some((Latency, Of::Mean, 60.0, 10.0, 10.0)),
    ),
    ("histogram_quantile(0.95, rate(inference_latency_bucket[5m]))", None),
    (
        "histogram_quantile(0.95, sum by (le) (rate(vllm:time_to_first_token_seconds_bucket[5m])))",
        Some((Ttft, Of::Mean, 300.0, 2.0, 2.0)),
    ),
    (
        "sum(rate(istio_requests_total{destination_service_name=\"s\"}[1m]))",
        Some((RequestRate, Of::Total, 60.0, 50.0, 50.0)),
    ),
    (
        "sum(rate(istio_requests_total{reporter=\"destination\",destination_workload=\"w\",destination_workload_namespace=\"n\"}[1m]))",
        Some((RequestRate, Of::Total, 60.0, 100.0, 100.0)),
    ),
    (
        "sum(rate(nginx_ingress_controller_requests{namespace=\"n\", ingress=\"i\"}[1m])) or vector(0)",
        Some((RequestRate, Of::Total, 60.0, 0.01, 0.01)),
    ),
    (
        "sum(rate(nginx_ingress_controller_requests[1m])) / count(kube_pod_info{pod=~\"p.*\"})",
        Some((RequestRate, Of::Mean, 60.0, 10.0, 10.0)),
    ),
    ("sum(rate(nginx_ingress_controller_nginx_process_requests_total[1m])) or vector(0)", None),
    (
        "sum(rate(envoy_cluster_upstream_rq_total{envoy_cluster_name=\"c\"}[1m]))",
        Some((RequestRate, Of::Total, 60.0, 30.0, 30.0)),
    ),
    ("sum(rate(vllm:generation_tokens_total[1m]))", Some((OutputTokenRate, Of::Total, 60.0, 500.0, 500.0))),
    (
        "sum(rate(nv_inference_queue_duration_us[1m])) / sum(rate(nv_inference_request_success[1m])) / 1000",
        None,
    ),
    (
        "sum(rate(nv_inference_queue_duration_us{model=\"m\"}[2m])) / sum(rate(nv_inference_compute_infer_duration_us{model=\"m\"}[2m]))",
        None,
    ),
    ("sum(rabbitmq_queue_messages_ready{queue=\"q\"})", Some((QueueLength, Of::Total, 0.0, 30.0, 30.0))),
    ("sum(rabbitmq_queue_messages{queue=\"q\"})", Some((InFlight, Of::Total, 0.0, 100.0, 100.0))),
    (
        "sum(kafka_consumergroup_lag{consumergroup=\"g\"}) > 0 or vector(0)",
        Some((InFlight, Of::Total, 0.0, 1000.0, 1000.0)),
    ),
    ("predict_linear(rabbitmq_queue_messages{queue=\"q\"}[10m], 300)", None),
    ("sum(rate(container_cpu_usage_seconds_total{pod=~\"w.*\"}[30s]))*100", None),
    (
        "(sum(channel_utilization{namespace=\"n\"})+(5*34))/(count(channel_utilization{namespace=\"n\"})*34)*100",
        None,
    ),
    ("rate(ho11y_total[30s])", None),
    ("vector(100)", None),
    ("wva_desired_replicas{variant_name=\"v\",exported_namespace=\"n\"}", None),
    ("sum by (job) (avg_over_time(trino_execution_QueryManager_QueuedQueries{job=\"j\"}[1m]))", None),
    ("sum(llm_d_epp_request_running{model_name=\"m\"})", Some((InFlight, Of::Total, 0.0, 8.0, 8.0))),
    ("max(llm_d_epp_flow_control_pool_saturation{inference_pool=\"p\"})", None),
    (
        "sum(kthena_router_active_downstream_requests{model=\"m\"})",
        Some((InFlight, Of::Total, 0.0, 16.0, 16.0)),
    ),
    ("ceil(sum(vllm:num_requests_waiting) / 4)", Some((QueueLength, Of::Total, 0.0, 1.0, 4.0))),
    ("sum(sglang:num_queue_reqs) / sum(sglang:num_running_reqs)", None),
    ("clamp_max(sum(rate(http_requests_total[1m])), 500)", None),
    (
        "sum(ray_serve_deployment_queued_queries{deployment=\"d\"}) + sum(ray_serve_replica_processing_queries{deployment=\"d\"})",
        Some((InFlight, Of::Total, 0.0, 10.0, 10.0)),
    ),
    ("count(up{job=\"j\"} == 1)", None),
];

#[test]
fn queries_are_read_as_prometheus_evaluates_them_or_a_user_is_asked() {
    for (query, expected) in CASES {
        let read = read(query);
        match (expected, read) {
            (None, Err(_)) => {}
            (Some((signal, scope, window_s, written, target)), Ok(measure)) => {
                let found = (measure.signal, measure.scope, measure.window_s);
                assert_eq!(found, (*signal, *scope, *window_s), "{query}");
                let converted = measure.factor.apply(*written);
                assert!((converted - target).abs() < 1e-12, "{query}: {converted}");
            }
            (_, read) => panic!("{query}: {read:?}"),
        }
    }
    assert_eq!(CASES.len(), 60);
}

#[test]
fn what_must_be_known_of_a_query_is_said() {
    for (query, said) in [
        ("sum(rate(vllm:request_success_total[1m]))", "under overload"),
        ("sum(rate(istio_requests_total[1m]))", "twice the rate"),
        ("sum(rate(istio_requests_total{reporter=\"destination\"}[1m]))", "cannot wake"),
        ("sum(rate(envoy_cluster_upstream_rq_total[1m]))", "retries"),
    ] {
        let warnings = read(query).unwrap().warnings;
        assert!(warnings.iter().any(|warning| warning.contains(said)), "{query}: {warnings:?}");
    }
    assert!(read("sum(rate(istio_requests_total{reporter=\"source\"}[1m]))").unwrap().warnings.is_empty());
}

#[test]
fn a_question_says_what_the_query_is_instead() {
    for (query, said) in [
        (
            "histogram_quantile(0.95, sum by (le) (rate(vllm:request_queue_time_seconds_bucket[5m])))",
            "(queue wait) is no signal",
        ),
        (
            "sum(histogram_quantile(0.5, sum by (le, pod) (rate(tgi_request_duration_bucket[5m]))))",
            "added up are none",
        ),
        ("histogram_quantile(1.5, sum by (le) (rate(tgi_request_duration_bucket[5m])))", "a quantile of 1.5"),
        ("max(vllm:kv_cache_usage_perc)", "fullest instance"),
        ("1 - avg(vllm:kv_cache_usage_perc)", "falls while the load rises"),
        ("http_requests_total", "grows for ever"),
        ("sum(rate(vllm:num_requests_waiting[1m]))", "is no counter"),
        ("avg(DCGM_FI_DEV_GPU_UTIL[30s])", "not valid"),
        ("sum(foo", "missing at the end"),
        ("vector(100)", "a constant"),
        ("sum(a_metric_of_ours)", "`a_metric_of_ours` is no metric that is known"),
    ] {
        let why = read(query).unwrap_err();
        assert!(why.contains(said), "{query}: {why}");
    }
}

#[test]
fn no_text_is_too_odd_for_an_answer() {
    let deep = "(".repeat(100_000);
    for query in ["", "{", "sum by", "a[", "a[5m", "\"", "-", "sum()", "rate()", "é日", "a{b=", &deep] {
        assert!(read(query).is_err());
    }
}
