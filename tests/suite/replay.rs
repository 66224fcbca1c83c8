//! What `kneepoint replay` prints of recorded observations.

use serde_json::Value;

use crate::fixtures::cli::Work;

#[test]
fn a_replay_prints_a_decision_a_row_from_json_lines_and_csv_alike() {
    let work = Work::with("");
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/walkthrough.toml");
    work.write("loads.csv", "time,request_rate\n60,120\n120,5\n");
    work.write("loads.jsonl", "{\"time\": 60, \"request_rate\": 120}\n\n{\"time\": 120, \"metric\": 5}\n");
    work.write("slip.csv", "time,request_rat\n60,120\n");
    let replayed = |observations: &str| {
        let printed = work.run(0, &["replay", scenario, observations], "");
        assert_eq!(printed.stderr, "");
        printed.stdout
    };
    let lines = replayed("loads.csv");
    let desired: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["desired"].clone())
        .collect();
    assert_eq!(desired, [2, 1]);
    assert_eq!(replayed("loads.jsonl"), lines);

    let said = work.fails(2, &["replay", scenario, "slip.csv"]);
    assert!(said.contains("did you mean `request_rate`?") && said.contains("slip.csv:1:6"), "{said}");
}

const HPA: &str = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: api}\nspec:\n  \
    scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}\n  minReplicas: 2\n  maxReplicas: 20\n  metrics:\n  \
    - type: Resource\n    resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}\n";

fn replayed_desired(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["desired"].clone()).collect()
}

#[test]
fn a_replay_of_an_incident_is_checked_against_what_really_happened() {
    let work = Work::with("");
    work.write("hpa.yaml", HPA);
    work.write(
        "incident.csv",
        "time,ready,utilization,expected\r\n2024-11-05T09:00:00Z,3,77%,3\r\n2024-11-05T09:00:15Z,3,NaN,\r\n\
         2024-11-05T09:00:30Z,3,95,4\r\n",
    );
    let seen = work.run(0, &["replay", "hpa.yaml", "incident.csv"], "");
    assert_eq!(replayed_desired(&seen.stdout), [3, 3, 5]);
    assert!(
        seen.stdout.contains("\"at\":\"2024-11-05T09:00:30Z\",\"desired\":5,\"expected\":4,\"differs\":true"),
        "{}",
        seen.stdout
    );
    let said = "1 of 2 decisions differ from what was expected; the first at line 4: decided 5, expected 4";
    assert!(seen.stderr.contains(said), "{}", seen.stderr);

    let quiet = work.run(1, &["replay", "hpa.yaml", "incident.csv", "--check", "--quiet"], "");
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let json =
        work.run(1, &["replay", "hpa.yaml", "incident.csv", "--check", "-q", "--json", "--out", "out"], "");
    let summary: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((summary["rows"].as_u64(), summary["differences"].as_u64()), (Some(3), Some(1)));
    let written = |name: &str| std::fs::read_to_string(work.path().join("out").join(name)).unwrap();
    assert_eq!(written("summary.json"), json.stdout);
    assert_eq!(written("decisions.jsonl"), seen.stdout);

    work.write("incident.csv", "time,ready,utilization,expected\n0,3,77,3\n");
    work.run(0, &["replay", "hpa.yaml", "incident.csv", "--check"], "");
    work.write("incident.csv", "time,ready,utilization\n0,3,77\n");
    assert!(
        work.fails(2, &["replay", "hpa.yaml", "incident.csv", "--check"]).contains("a column `expected`")
    );
}

#[test]
fn a_replay_refuses_units_that_are_unclear_times_that_fall_and_files_without_rows() {
    let work = Work::with("");
    work.write("hpa.yaml", HPA);
    let refused = |rows: &str| {
        work.write("rows.csv", rows);
        work.fails(2, &["replay", "hpa.yaml", "rows.csv"])
    };
    let said = refused("time,ready,value\n0,3,0\n15,3,77\n");
    assert!(said.contains("77 percent, or 77 thousandths") && said.contains("rows.csv:3"), "{said}");
    assert!(refused("time,ready,value\n0,3,77000\n").contains("7700 % of a cpu request"));
    let said = refused("time,ready,utilization\n0,3,2\n");
    assert!(said.contains("write \"2%\" or \"200%\""), "{said}");
    let said = refused("time,ready,value\n30,3,650\n15,3,650\n");
    assert!(said.contains("falls to 15 from 30") && said.contains("rows.csv:3"), "{said}");
    let said = refused("time,ready,value\r\n0,3,650\r\n\r\n15,three,650\r\n");
    assert!(said.contains("--> rows.csv:4:4") && said.contains("4 | 15,three,650"), "{said}");
    let said = refused("time;ready;triggers.0.val\n0;3;1,5\n");
    assert!(said.contains("unknown field `triggers") && said.contains("--> rows.csv:1:12"), "{said}");
    let said = refused("time\tready\tvalue\n0\tthree\t650\n");
    assert!(said.contains("`ready` is \"three\"") && said.contains("--> rows.csv:2:3"), "{said}");
    assert!(refused("").contains("the file is empty"));
    assert!(refused("time,ready,value\n").contains("there are no observations"));
    for rows in [
        "time,ready,value,unit\n0,3,77,percent\n15,3,95,percent\n",
        "time;ready;utilization\n0;3;77,4\n15;3;95\n",
    ] {
        work.write("rows.csv", rows);
        assert_eq!(replayed_desired(&work.done(&["replay", "hpa.yaml", "rows.csv"])), [3, 5]);
    }
    work.write("rows.tsv", "time\tready\tutilization\n0\t3\t77\n");
    assert_eq!(replayed_desired(&work.done(&["replay", "hpa.yaml", "rows.tsv"])), [3]);
    let said = refused("time,utilization\n0,77\n");
    assert!(
        said.contains("`desired` is missing, and so is `ready`") && said.contains("rows.csv:2"),
        "{said}"
    );
}

#[test]
fn a_replay_reads_range_queries_and_closes_the_loop() {
    let work = Work::with("");
    work.write("hpa.yaml", HPA);
    let matrix = |samples: &str| {
        format!(
            r#"{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{}},"values":[{samples}]}}]}}}}"#
        )
    };
    work.write("cpu.json", &matrix(r#"[1764170000,"1.4"],[1764170015,"1.4"],[1764170045,"1.4"]"#));
    work.write("ready.json", &matrix(r#"[1764169990,"3"]"#));
    let arguments = ["replay", "hpa.yaml", "value=cpu.json", "ready=ready.json"];
    let observed = |arguments: &[&str]| -> Vec<Value> {
        let text = work.done(arguments);
        assert_eq!(replayed_desired(&text), [6, 6, 6, 6]);
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["observed"].clone()).collect()
    };
    let seen = |each: f64| Value::from(each);
    assert_eq!(observed(&arguments), [seen(1.4), seen(1.4), Value::Null, seen(1.4)], "no sample at one step");
    let closed = [&arguments[..], &["--follow=40s"]].concat();
    assert_eq!(observed(&closed), [seen(1.4), seen(1.4), Value::Null, seen(0.7)], "six share what three had");
    assert!(work.fails(2, &[&arguments[..], &["--follow"]].concat()).contains("needs a cold start"));
}

/// A manifest, a row of what was recorded of its metric, and the instances it then asks for.
const RECORDED: [(&str, &str, u64); 5] = [
    // A minute's requests against 600 a minute: 1500 in all are three replicas' worth.
    (
        "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: a}\nspec:\n  scaleTargetRef: {name: a}\n  triggers:\n  \
         - {type: prometheus, metadata: {serverAddress: http://p, query: \"sum(increase(http_requests_total[1m]))\", threshold: \"600\"}}\n",
        r#"{"time": 0, "part": "hpa", "desired": 2, "value": 1500}"#,
        3,
    ),
    // 85 % on average, against 70 % divided by the replicas once more.
    (
        "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: a}\nspec:\n  scaleTargetRef: {name: a}\n  triggers:\n  \
         - {type: prometheus, metadata: {serverAddress: http://p, query: \"avg(DCGM_FI_DEV_GPU_UTIL)\", threshold: \"70\"}}\n",
        r#"{"time": 0, "part": "hpa", "desired": 1, "value": 85}"#,
        2,
    ),
    // Triggers by the names of the file, whether or not a simulation would know what they are.
    (
        "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: a}\nspec:\n  scaleTargetRef: {name: a}\n  advanced:\n    \
         scalingModifiers: {formula: \"one + two * 2\", target: \"2\"}\n  triggers:\n  \
         - {type: prometheus, name: one, metadata: {serverAddress: http://p, query: q1}}\n  \
         - {type: prometheus, name: two, metadata: {serverAddress: http://p, query: q2}}\n",
        r#"{"time": 0, "part": "hpa", "desired": 4, "values": {"one": 4, "two": 3}}"#,
        5,
    ),
    // A share of a GPU in percent, of three pods.
    (
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\nspec:\n  maxReplicas: 10\n  metrics:\n  \
         - {type: Pods, pods: {metric: {name: gpu_utilization_percent}, target: {type: AverageValue, averageValue: \"20\"}}}\n",
        r#"{"time": 0, "desired": 3, "ready": 3, "value": "35"}"#,
        6,
    ),
    // Millicores, whatever a pod requests.
    (
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\nspec:\n  maxReplicas: 10\n  metrics:\n  \
         - {type: Resource, resource: {name: cpu, target: {type: AverageValue, averageValue: 500m}}}\n",
        r#"{"time": 0, "desired": 3, "ready": 3, "value": 650}"#,
        4,
    ),
];

#[test]
fn a_replay_compares_recorded_values_with_the_targets_as_the_manifest_writes_them() {
    let work = Work::with("");
    for (manifest, row, desired) in RECORDED {
        work.write("deployed.yaml", manifest);
        work.write("rows.jsonl", row);
        assert_eq!(
            replayed_desired(&work.done(&["replay", "deployed.yaml", "rows.jsonl"])),
            [desired],
            "{manifest}"
        );
        // A scenario that reads the manifest is no other.
        work.write("policy.toml", "[autoscaler]\nfrom = \"deployed.yaml\"\n");
        assert_eq!(
            replayed_desired(&work.done(&["replay", "policy.toml", "rows.jsonl"])),
            [desired],
            "{manifest}"
        );
    }
    work.write("deployed.yaml", RECORDED[2].0);
    work.write("rows.csv", "time,part,desired,values.one,values.two\n0,hpa,4,4,\n15,hpa,4,4,3\n");
    let text = work.done(&["replay", "deployed.yaml", "rows.csv"]);
    assert_eq!(replayed_desired(&text), [4, 5], "a value is missing, then both are there");
    work.write("rows.csv", "time,part,desired,values.tow\n0,hpa,4,4\n");
    let said = work.fails(2, &["replay", "deployed.yaml", "rows.csv"]);
    assert!(said.contains("`values.tow` is no name in the formula; did you mean `two`?"), "{said}");
}

#[test]
fn a_utilization_without_counts_of_pods_is_of_those_that_are_asked_for() {
    let work = Work::with("");
    work.write("hpa.yaml", HPA);
    work.write("rows.csv", "time,desired,utilization\n0,3,105\n15,,NaN\n30,,105\n");
    let printed = work.run(0, &["replay", "hpa.yaml", "rows.csv"], "");
    assert_eq!(replayed_desired(&printed.stdout), [5, 5, 8]);
    assert!(printed.stderr.contains("`ready` is left out"), "{}", printed.stderr);
    assert!(printed.stdout.contains("cpu: the metric is not available: stay at 5"), "{}", printed.stdout);
    // Nor has a list of pods to be counted twice.
    work.write("pods.jsonl", "{\"time\": 0, \"pods\": [{\"request\": 1000, \"metric\": 1400}, {\"request\": 1000, \"metric\": 1400}]}\n");
    let printed = work.run(0, &["replay", "hpa.yaml", "pods.jsonl"], "");
    assert_eq!((replayed_desired(&printed.stdout), printed.stderr.as_str()), (vec![Value::from(4)], ""));
}

#[test]
fn pods_of_a_percentage_say_what_they_request_or_the_row_does() {
    let work = Work::with("");
    work.write("hpa.yaml", HPA);
    let pods = "[{\"metric\": 1400}, {\"metric\": \"1400m\"}]";
    work.write("bare.jsonl", &format!("{{\"time\": 0, \"desired\": 2, \"pods\": {pods}}}\n"));
    let said = work.fails(2, &["replay", "hpa.yaml", "bare.jsonl"]);
    assert!(said.contains("no pod says what it requests of cpu") && said.contains("bare.jsonl:1"), "{said}");
    work.write(
        "row.jsonl",
        &format!("{{\"time\": 0, \"desired\": 2, \"request\": \"2\", \"pods\": {pods}}}\n"),
    );
    let printed = work.run(0, &["replay", "hpa.yaml", "row.jsonl"], "");
    assert_eq!(replayed_desired(&printed.stdout), [2], "seven tenths of two cores each");
}
