//! A sweep in shards: joined, they are the sweep on one machine to the byte; mixtures and missing shards are refused.
#![cfg(unix)]

use std::process::Command;

use crate::fixtures::cli::{PROGRAM, SMALL_SWEEP, Work};

/// 20 settings, so that there are two groups of them that are fed together.
fn sweep() -> Work {
    Work::with(&SMALL_SWEEP.replace("[0.6, 0.7, 0.8]", "{ from = 0.55, to = 0.9, steps = 10 }"))
}

fn shard(work: &Work, which: &str, more: &[&str]) {
    let fixed = ["sweep", "scenario.toml", "--shard", which, "--out", "shards"];
    work.done(&[&fixed[..], more].concat());
}

fn merge(work: &Work, of: u32, more: &[&str]) -> Command {
    let files: Vec<String> = (1..=of).map(|index| format!("shards/shard-{index}-of-{of}.records")).collect();
    let mut command = work.kneepoint(&["merge", "scenario.toml"]);
    command.args(files).args(more);
    command
}

#[test]
fn joined_shards_are_the_sweep_to_the_byte() {
    let work = sweep();
    let whole = work.done(&["sweep", "scenario.toml", "--out", "whole"]);
    for (of, threads) in [(3, "1"), (7, "2")] {
        for index in 1..=of {
            shard(&work, &format!("{index}/{of}"), &["--threads", threads]);
        }
        let out = format!("merged-{of}");
        let output = merge(&work, of, &["--out", &out]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8(output.stdout).unwrap().replace(&out, "whole"), whole);
        assert_eq!(work.files(&out), work.files("whole"));
    }
}

#[test]
fn a_shard_counted_from_zero_resumes_and_is_told() {
    let work = sweep();
    shard(&work, "1:2", &[]);
    let file = work.path().join("shards/shard-2-of-2.records");
    let bytes = std::fs::read(&file).unwrap();
    // As a process that was killed leaves it.
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let message = work.run(1, &["merge", "scenario.toml", "shards/shard-2-of-2.records"], "").stderr;
    assert!(
        message.contains("shard 1/2 is missing") && message.contains("shard 2/2 is not finished: "),
        "{message}"
    );
    assert!(!work.path().join("output/small/summary.json").exists());
    shard(&work, "2/2", &["--resume"]);
    assert_eq!(std::fs::read(&file).unwrap().len(), bytes.len());
}

#[test]
fn mixtures_are_refused() {
    let work = sweep();
    shard(&work, "1/2", &[]);
    shard(&work, "2/2", &["--seed", "7"]);
    let refused = |command: &mut Command, part: &str| {
        let output = command.output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && message.contains(part), "{message}");
    };
    refused(&mut merge(&work, 2, &[]), "is a shard of another scenario: 0 of its 20 settings");
    shard(&work, "1/3", &[]);
    let two = ["merge", "scenario.toml", "shards/shard-1-of-2.records", "shards/shard-1-of-3.records"];
    refused(&mut work.kneepoint(&two), "the shards are of two divisions");
    refused(&mut work.kneepoint(&["merge", "scenario.toml", "scenario.toml"]), "is no shard of a sweep");
    refused(&mut work.kneepoint(&["merge", "scenario.toml", "nothing"]), "cannot read `nothing`");
    work.fails(2, &["sweep", "scenario.toml", "--shard", "3/2"]);
}

#[test]
fn jobs_of_clusters_are_written() {
    let work = sweep();
    let script = work.done(&[
        "shard",
        "scenario.toml",
        "--of",
        "8",
        "--for",
        "slurm",
        "--set",
        "arrivals.rate=12",
        "--cpus",
        "1",
    ]);
    assert!(script.contains("#SBATCH --array=1-8\n"), "{script}");
    work.write("job.sh", &script);
    let task = Command::new("bash")
        .current_dir(work.path())
        .args(["-c", &format!("kneepoint() {{ {PROGRAM:?} \"$@\"; }}; exec() {{ \"$@\"; }}; . ./job.sh")])
        .env("SLURM_ARRAY_TASK_ID", "8")
        .output()
        .unwrap();
    assert!(task.status.success(), "{}", String::from_utf8_lossy(&task.stderr));
    assert!(work.path().join("shards-small/shard-8-of-8.records").exists());

    let manifest = work.done(&["shard", "scenario.toml", "--of", "8", "--for", "kubernetes", "--out", "a$b"]);
    for line in ["completionMode: Indexed", "completions: 8", "- \"$(JOB_COMPLETION_INDEX):8\"", "- \"a$$b\""]
    {
        assert!(manifest.contains(line), "{line}: {manifest}");
    }
    work.fails(2, &["shard", "scenario.toml", "--of", "101", "--for", "slurm"]);
    // Beyond the folder of the claim a pod finds nothing; a cluster with a shared disk does.
    let beyond = work.path().join("scenario.toml").display().to_string();
    let refused = work.fails(2, &["shard", &beyond, "--of", "8", "--for", "kubernetes"]);
    assert!(refused.contains("is not in the volume"), "{refused}");
    work.done(&["shard", &beyond, "--of", "8", "--for", "slurm"]);
}

#[test]
fn processes_that_recommend_together_come_to_the_answer_of_one_and_a_lost_one_is_made_up_for() {
    let work = sweep();
    let fixed = ["recommend", "scenario.toml", "--budget", "2M"];
    let alone = work.done(&[&fixed[..], &["--out", "alone"]].concat());
    let share = |which: &str, more: &[&str]| {
        let mut command =
            work.kneepoint(&[&fixed[..], &["--shard", which, "--out", "together"], more].concat());
        command.stdout(std::process::Stdio::piped()).spawn().unwrap()
    };
    let (one, mut other) = (share("1/2", &["--threads", "1"]), share("2/2", &["--threads", "2"]));
    let output = one.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap().replace("together", "alone"), alone);
    assert!(other.wait().unwrap().success());
    let outputs = |folder: &str| {
        let mut files = work.files(folder);
        files.retain(|name, _| !name.contains("shards"));
        files
    };
    assert_eq!(outputs("together"), outputs("alone"));
    // Number 1 is lost with all its outputs, and goes on: the other has what it needs.
    std::fs::remove_file(work.path().join("together/summary.json")).unwrap();
    let file = work.path().join("together/shards/shard-1-of-2.records");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 3]).unwrap();
    assert!(share("1/2", &["--resume"]).wait().unwrap().success());
    assert_eq!(outputs("together"), outputs("alone"));
}

#[test]
fn a_budget_of_time_cannot_be_shared() {
    let message =
        sweep().run(2, &["recommend", "scenario.toml", "--shard", "1/2", "--budget", "5s"], "").stderr;
    assert!(message.contains("expected a budget of requests"), "{message}");
}

#[test]
fn the_program_for_ray_is_python_and_has_all_settings() {
    let work = sweep();
    let fixed = ["shard", "scenario.toml", "--of", "8", "--for", "ray", "--seed", "7"];
    let program = work.done(&[&fixed[..], &["--set", "label=a \"b\""]].concat());
    for line in ["\"run.seed\": \"7\"", "\"label\": \"a \\\"b\\\"\"", "chunks=8, threads=4"] {
        assert!(program.contains(line), "{line}: {program}");
    }
    work.write("sweep.py", &program);
    let compiled =
        Command::new("python3").current_dir(work.path()).args(["-m", "py_compile", "sweep.py"]).output();
    match compiled {
        Err(_) => eprintln!("skipped: python3 is not installed"),
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
    }
}
