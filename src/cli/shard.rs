//! `kneepoint shard FILE --of N --for SYSTEM`.

use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

use super::{Answer, Failure, Global, session, sweep};
use crate::report::file_name;

/// Write the job that runs a sweep in shards on a cluster: a Slurm job array, an indexed job of Kubernetes, or a program for Ray.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  kneepoint shard scenarios/quickstart.toml --of 50 --for slurm > sweep.sh && sbatch sweep.sh"
)]
pub(super) struct Arguments {
    /// The scenario file, as it is named on the cluster.
    file: PathBuf,
    /// Number of shards.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    of: u32,
    /// The system that runs them.
    #[arg(long = "for", value_enum, value_name = "SYSTEM")]
    system: System,
    /// Processors of each shard.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1024))]
    cpus: u16,
    /// Image of the container, for Kubernetes.
    #[arg(long, default_value = concat!("kneepoint:", env!("CARGO_PKG_VERSION")))]
    image: String,
    /// The claim of the volume that holds the scenario and the files it names, and takes the shards; for Kubernetes.
    #[arg(long, value_name = "NAME", default_value = "kneepoint")]
    claim: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum System {
    /// A script for sbatch.
    Slurm,
    /// A manifest for kubectl apply.
    Kubernetes,
    /// A Python program for ray job submit.
    Ray,
}

pub(super) fn execute(arguments: &Arguments, global: &Global) -> Result<Answer, Failure> {
    let plan = sweep::read(&arguments.file, &[], global)?;
    let runs: u64 = plan.points.iter().map(|point| u64::from(point.scenario.run.replications)).sum();
    if u64::from(arguments.of) > runs {
        return Err(Failure::bad_input(format!(
            "error: the sweep has {runs} runs, fewer than {} shards\n  expected at most {runs}",
            arguments.of
        )));
    }
    if arguments.system == System::Kubernetes && !within_claim(&arguments.file) {
        return Err(Failure::bad_input(format!(
            "error: `{}` is not in the volume, which pods have at {CLAIM_FOLDER}\n  expected a path below the folder that the claim \
             holds, as in `scenarios/chat.toml`",
            arguments.file.display()
        )));
    }
    let name = file_name(&plan.scenario.name);
    let folder = global.out.clone().unwrap_or_else(|| PathBuf::from(format!("shards-{name}")));
    let job = Job {
        name: label(&name),
        file: arguments.file.display().to_string(),
        folder: folder.display().to_string(),
        output: session::out(&plan, &Global { out: None, ..global.clone() }).display().to_string(),
        options: options(global),
        arguments,
    };
    let stdout = match arguments.system {
        System::Slurm => job.slurm(),
        System::Kubernetes => job.kubernetes(),
        System::Ray => job.ray(global),
    };
    Ok(Answer { stdout, ..Answer::default() })
}

/// Where the pods of Kubernetes have the volume of the claim, and work.
const CLAIM_FOLDER: &str = "/work";

/// Whether a pod finds `file`: below the folder of the claim, by a path from there or by the pod's own.
fn within_claim(file: &Path) -> bool {
    let climbs = file.components().any(|part| part == Component::ParentDir);
    !climbs && (file.is_relative() || file.starts_with(CLAIM_FOLDER))
}

/// Options of this command line that every shard and the merge need too.
fn options(global: &Global) -> Vec<String> {
    let seed = global.seed.map(|seed| vec!["--seed".to_owned(), seed.to_string()]);
    let sets = global.set.iter().flat_map(|set| ["--set".to_owned(), set.clone()]);
    seed.into_iter().flatten().chain(sets).collect()
}

/// A name as labels of Kubernetes and Slurm's names of jobs may be: lower-case letters, digits and dashes.
fn label(name: &str) -> String {
    let plain = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    let plain: String = plain.take(40).collect();
    let plain = plain.trim_matches('-');
    if plain.is_empty() { "sweep".to_owned() } else { plain.to_owned() }
}

struct Job<'a> {
    name: String,
    file: String,
    folder: String,
    output: String,
    options: Vec<String>,
    arguments: &'a Arguments,
}

impl Job<'_> {
    fn slurm(&self) -> String {
        let Arguments { of, cpus, .. } = self.arguments;
        let Job { name, .. } = self;
        let (file, folder, output) = (quoted(&self.file), quoted(&self.folder), quoted(&self.output));
        let options: String = self.options.iter().map(|option| format!(" {}", quoted(option))).collect();
        format!(
            "#!/usr/bin/env bash\n\
             # A sweep in {of} shards, each a task of a job array. When all have ended:\n\
             #\n\
             #   kneepoint merge {file} {folder}/*.records --out {output}{options}\n\
             #\n\
             # A task that is killed or requeued goes on from its finished runs.\n\
             #SBATCH --job-name=kneepoint-{name}\n\
             #SBATCH --array=1-{of}\n\
             #SBATCH --ntasks=1\n\
             #SBATCH --cpus-per-task={cpus}\n\
             #SBATCH --mem-per-cpu=1G\n\
             #SBATCH --time=04:00:00\n\
             #SBATCH --requeue\n\
             set -euo pipefail\n\
             exec kneepoint sweep {file} --shard \"$SLURM_ARRAY_TASK_ID/{of}\" --resume --quiet --threads {cpus} --out {folder}{options}\n"
        )
    }

    fn ray(&self, global: &Global) -> String {
        let Arguments { of, cpus, .. } = self.arguments;
        let seed = global.seed.map(|seed| ("run.seed", seed.to_string()));
        let sets = global.set.iter().filter_map(|set| set.split_once('='));
        let sets = sets.map(|(path, value)| (path.trim(), value.trim().to_owned()));
        let settings: Vec<String> = seed
            .into_iter()
            .chain(sets)
            .map(|(path, value)| format!("    {}: {},\n", literal(path), literal(&value)))
            .collect();
        let settings =
            if settings.is_empty() { "{}".to_owned() } else { format!("{{\n{}}}", settings.concat()) };
        format!(
            "#!/usr/bin/env python3\n\
             # A sweep in {of} chunks, which the workers of a Ray cluster take one after the other; chunks of a worker that is lost are\n\
             # simulated by another. Where the scenario is and the package kneepoint is installed, as on the workers:\n\
             #\n\
             #   ray job submit --working-dir . -- python3 THIS_FILE\n\
             import kneepoint.ray\n\
             \n\
             SETTINGS = {settings}\n\
             \n\
             if __name__ == \"__main__\":\n    \
             result = kneepoint.ray.sweep({}, SETTINGS, chunks={of}, threads={cpus}, progress=True)\n    \
             print(*result.answer, sep=\"\\n\")\n    \
             result.save({})\n",
            literal(&self.file),
            literal(&self.output),
        )
    }

    fn kubernetes(&self) -> String {
        let Arguments { of, cpus, image, claim, .. } = self.arguments;
        let name = &self.name;
        let index = format!("$(JOB_COMPLETION_INDEX):{of}");
        let threads = cpus.to_string();
        let fixed = [
            "sweep",
            &self.file,
            "--shard",
            &index,
            "--resume",
            "--quiet",
            "--threads",
            &threads,
            "--out",
            &self.folder,
        ];
        let words = fixed.into_iter().chain(self.options.iter().map(String::as_str));
        let mut lines = String::new();
        for word in words {
            // `$$` is a plain dollar sign there; only the index is to be put in. Writing to a text cannot fail.
            let word = if word == index { word.to_owned() } else { word.replace('$', "$$") };
            _ = writeln!(lines, "            - {}", serde_json::Value::from(word));
        }
        format!(
            "# A sweep in {of} shards, each a pod of an indexed job. The claim holds the scenario and the files it names. When the job\n\
             # is complete, where the claim is mounted:\n\
             #\n\
             #   kneepoint merge {} {}/*.records\n\
             #\n\
             # A pod that is evicted goes on from its finished runs.\n\
             apiVersion: batch/v1\n\
             kind: Job\n\
             metadata:\n  name: kneepoint-{name}\n\
             spec:\n  completionMode: Indexed\n  completions: {of}\n  parallelism: {of}\n  backoffLimitPerIndex: 3\n  template:\n    \
             metadata:\n      labels:\n        app.kubernetes.io/name: kneepoint\n    \
             spec:\n      restartPolicy: Never\n      securityContext:\n        runAsNonRoot: true\n        runAsUser: 65532\n        \
             fsGroup: 65532\n      containers:\n        - name: kneepoint\n          image: {}\n          workingDir: /work\n          \
             args:\n{lines}          resources:\n            requests:\n              cpu: \"{cpus}\"\n              memory: {cpus}Gi\n            \
             limits:\n              memory: {cpus}Gi\n          volumeMounts:\n            - name: work\n              mountPath: /work\n      \
             volumes:\n        - name: work\n          persistentVolumeClaim:\n            claimName: {}\n",
            self.file,
            self.folder,
            serde_json::Value::from(image.as_str()),
            serde_json::Value::from(claim.as_str()),
        )
    }
}

/// A text of Python.
fn literal(text: &str) -> String {
    // JSON's quotes and escapes are Python's too.
    serde_json::Value::from(text).to_string()
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("a/b.toml"), "a/b.toml");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }

    #[test]
    fn texts_are_quoted_for_python() {
        assert_eq!(literal("a \"b\" \\ ü\n"), "\"a \\\"b\\\" \\\\ ü\\n\"");
    }

    #[test]
    fn names_of_jobs_are_plain() {
        assert_eq!((label("Chat (EU)_2"), label("***")), ("chat--eu--2".to_owned(), "sweep".to_owned()));
    }
}
