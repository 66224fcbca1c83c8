//! What a command does in a hostile place: little memory, a full disk, names that nobody would choose, files of other kinds.

use std::process::{Output, Stdio};

use crate::fixtures::cli::{PROGRAM, Work};

const QUEUE: &str = "[arrivals]\nkind = \"poisson\"\nrate = 2\n[service]\ntime = \"100ms\"\n\
                     [autoscaler]\nkind = \"fixed\"\ninstances = 2\n[run]\nduration = \"5m\"\nreplications = 2\n";

const POLICY: &str = "[autoscaler]\nkind = \"threshold\"\nmetric = \"request_rate\"\nmax = 10\n\
                      up = { above = 100 }\ndown = { below = 20 }\n";

fn reads_trace(file: &str) -> String {
    format!(
        "[arrivals]\nkind = \"trace\"\nformat = \"csv\"\nfile = \"{file}\"\n[service]\ntime = \"1s\"\n\
         [autoscaler]\nkind = \"fixed\"\ninstances = 2\n"
    )
}

fn reads_manifest(file: &str) -> String {
    format!(
        "[arrivals]\nkind = \"poisson\"\nrate = 1\n[service]\ntime = \"1s\"\n[autoscaler]\nfrom = \"{file}\"\n"
    )
}

/// Runs a line of the shell in which `$K` is the program; a status, and what was printed.
fn shell(work: &Work, line: &str) -> (Option<i32>, String, String) {
    let mut command = std::process::Command::new("sh");
    command.current_dir(work.path()).args(["-c", line]).env("K", PROGRAM).stdin(Stdio::null());
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code(), text(stdout), text(stderr))
}

/// Neither a panic nor an abort, and a message.
fn is_clean(stderr: &str) -> bool {
    stderr.starts_with("error: ")
        && !["panicked", "backtrace", "Aborted"].iter().any(|bad| stderr.contains(bad))
}

#[cfg(target_os = "linux")]
#[test]
fn a_queue_that_outgrows_the_address_space_ends_in_a_message() {
    let work = Work::with(
        "[arrivals]\nkind = \"poisson\"\nrate = 200000\n[service]\ntime = \"100ms\"\n\
         [autoscaler]\nkind = \"threshold\"\nmetric = \"utilization\"\nmax = 30000\n\
         up = { above = 0.999999 }\ndown = { below = 0.01 }\n[run]\nduration = \"10m\"\nreplications = 1\n",
    );
    for threads in 1..=2 {
        let run = format!("ulimit -v 250000; exec \"$K\" run scenario.toml --threads {threads}");
        let (status, _, stderr) = shell(&work, &run);
        assert!(status == Some(1) && is_clean(&stderr), "{status:?} {stderr}");
        assert!(stderr.contains("requests wait at") && stderr.contains("memory holds"), "{stderr}");
        assert!(work.files("output").keys().all(|name| !name.contains("summary")), "nothing half written");
    }
    // What cannot fit is refused before it starts.
    let all_at_once = "ulimit -v 250000; exec \"$K\" run scenario.toml --set autoscaler.max=1";
    let (status, _, stderr) = shell(&work, all_at_once);
    assert!(status == Some(2) && stderr.contains("there is room for"), "{status:?} {stderr}");
}

#[test]
fn a_reader_that_goes_away_is_no_error_and_a_full_device_is_one() {
    let work = Work::with(QUEUE);
    let (status, stdout, stderr) =
        shell(&work, "\"$K\" run scenario.toml --json 2> errors | head -1; cat errors >&2");
    assert_eq!((status, stdout.as_str(), stderr.as_str()), (Some(0), "{\n", ""));
    let (status, ..) = shell(&work, "\"$K\" run scenario.toml >&- 2>&-");
    assert!(status == Some(0) || status == Some(1), "{status:?}");
    if cfg!(target_os = "linux") {
        for command in ["run scenario.toml", "schema", "--help > /dev/null; \"$K\" check scenario.toml"] {
            let (status, _, stderr) = shell(&work, &format!("\"$K\" {command} > /dev/full"));
            assert!(status == Some(1) && stderr.contains("No space left"), "{command}: {status:?} {stderr}");
        }
        let (status, _, stderr) = shell(&work, "\"$K\" run scenario.toml --out /proc/kneepoint");
        assert!(status == Some(1) && is_clean(&stderr), "{status:?} {stderr}");
    }
    work.write("file", "");
    let stderr = work.fails(1, &["run", "scenario.toml", "--out", "file"]);
    assert!(is_clean(&stderr) && stderr.contains("`file`"), "{stderr}");
}

/// A small file system of its own, where this may be had; says so where not.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_up_leaves_no_half_file() {
    let work = Work::with(QUEUE);
    let mount = |then: &str| {
        let line = format!("unshare -rm sh -c 'mount -t tmpfs -o size=64k none out && {{ {then}; }}'");
        shell(&work, &format!("mkdir -p out; {line}"))
    };
    if mount("true").0 != Some(0) {
        return eprintln!("skipped: no file system can be mounted here");
    }
    let (status, stdout, stderr) = mount("\"$K\" run scenario.toml --out out -q; s=$?; ls -A out; exit $s");
    assert!(status == Some(1) && is_clean(&stderr), "{status:?} {stderr}");
    assert!(stderr.to_lowercase().contains("space"), "{stderr}");
    assert!(!stdout.contains("summary.json") && !stdout.contains(".kneepoint-"), "{stdout}");
    let (status, _, stderr) = mount("mount -o remount,ro out; \"$K\" run scenario.toml --out out -q");
    assert!(status == Some(1) && stderr.to_lowercase().contains("read-only"), "{status:?} {stderr}");
}

#[test]
fn nothing_is_needed_of_the_environment() {
    let work = Work::with(QUEUE);
    let mut command = work.kneepoint(&["run", "scenario.toml"]);
    let output = command.env_clear().output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[cfg(unix)]
#[test]
fn names_of_files_may_be_strange_and_are_shown_on_one_line() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let long = format!("{}.toml", "n".repeat(250));
    let names: [&[u8]; 8] = [
        b"with space.toml",
        b"-leading.toml",
        b"line\nend.toml",
        b"not utf8 \xff\xfe.toml",
        b"\x1b[31mred.toml",
        "rtl\u{202e}lmot.toml".as_bytes(),
        b"=1+1.toml",
        long.as_bytes(),
    ];
    for bytes in names {
        let work = Work::with("");
        let name = OsStr::from_bytes(bytes);
        std::fs::write(work.path().join(name), QUEUE).unwrap();
        let output = work.kneepoint(&["run", "--"]).arg(name).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        // The scenario is called as its file is, and its folder as it is: names that no folder should have are refused.
        let refused =
            output.status.code() == Some(2) && stderr.contains("give the scenario a name of its own");
        assert!(output.status.success() || refused, "{name:?}: {stderr}");
        assert!(!stderr.contains(['\u{1b}', '\u{202e}']) && stderr.len() < 1_500, "{name:?}: {stderr:?}");
        let written = if refused { Default::default() } else { work.files("output") };
        for (file, content) in written {
            if file.ends_with(".png") {
                continue;
            }
            let content = text(&content);
            let bad = content.chars().find(|c| (c.is_control() && !"\n\r".contains(*c)) || *c == '\u{202e}');
            assert_eq!(bad, None, "{name:?}: {file}");
        }
        assert!(!stdout.contains(['\u{1b}', '\u{202e}']), "{name:?}: {stdout:?}");
        // What is wrong with it is said on the lines that it takes, whatever its name.
        std::fs::write(work.path().join(name), QUEUE.replace("rate", "rat")).unwrap();
        let output = work.kneepoint(&["check", "--"]).arg(name).output().unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(
            (output.status.code(), stderr.lines().count()),
            (Some(2), if refused { 4 } else { 7 }),
            "{name:?}: {stderr}"
        );
        assert!(stderr.len() < 1_500 && !stderr.contains(['\u{1b}', '\u{202e}']), "{name:?}: {stderr:?}");
    }
    let work = Work::with("");
    let stderr = work.fails(2, &["check", &"x/".repeat(3_000)]);
    assert!(is_clean(&stderr) && stderr.len() < 1_500, "{stderr}");
}

#[test]
fn a_file_of_another_kind_is_refused_without_an_echo_of_what_it_holds() {
    let work = Work::with(QUEUE);
    let secret = "c2VjcmV0IG9mIG1pbmUgdGhhdCBpcyBub2JvZHkgZWxzZSdzIGJ1c2luZXNz";
    let key = format!(
        "-----BEGIN OPENSSH PRIVATE KEY-----\n{secret}\n{secret}\n-----END OPENSSH PRIVATE KEY-----\n"
    );
    let files: [(&str, Vec<u8>); 6] = [
        ("key", key.clone().into_bytes()),
        ("env", format!("API_TOKEN={secret}\nPASSWORD={secret}\n").into_bytes()),
        ("token", format!("{secret}\n").into_bytes()),
        ("binary", [b"\x7fELF\x02\x01\x01\0\0\0".as_slice(), secret.as_bytes(), &[0xff; 4_000]].concat()),
        ("line", format!("{}{secret}", "x".repeat(3_000_000)).into_bytes()),
        ("yaml.yaml", format!("password: {secret}\nother: [\n").into_bytes()),
    ];
    for (name, content) in files {
        std::fs::write(work.path().join(name), content).unwrap();
        work.write("trace.toml", &reads_trace(name));
        work.write("manifest.toml", &reads_manifest(name));
        work.write("policy.toml", POLICY);
        let commands: [&[&str]; 6] = [
            &["check", name],
            &["check", "trace.toml"],
            &["check", "manifest.toml"],
            &["replay", "policy.toml", name],
            &["replay", name, "scenario.toml"],
            &["compare", name, "scenario.toml"],
        ];
        for command in commands {
            let stderr = work.fails(2, command);
            assert!(is_clean(&stderr) && stderr.len() < 2_000, "{command:?}: {} bytes", stderr.len());
            assert!(!stderr.contains(&secret[..26]), "{command:?}: {stderr}");
        }
    }
}

#[test]
fn what_is_set_on_the_command_line_is_not_echoed_at_length() {
    let work = Work::with(QUEUE);
    for set in
        [format!("{}b=1", "a.".repeat(16_000)), format!("name={}", "x".repeat(60_000)), "y".repeat(90_000)]
    {
        let printed = work.kneepoint(&["check", "scenario.toml", "--set", &set]).output().unwrap();
        assert!(printed.stderr.len() < 3_000, "{}", printed.stderr.len());
        assert!(printed.stdout.len() < 3_000, "{}", printed.stdout.len());
    }
}

#[test]
fn rows_without_an_end_are_refused_before_they_fill_memory() {
    let work = Work::with(&reads_trace("open.csv"));
    let endless = format!("t,n\n1,\"{}", "x\n".repeat(9 << 20));
    work.write("open.csv", &endless);
    let stderr = work.fails(2, &["check", "scenario.toml"]);
    assert!(stderr.contains("line 2 begins a row of more than 16 MiB"), "{stderr}");
    work.write("policy.toml", POLICY);
    let stderr = work.fails(2, &["replay", "policy.toml", "open.csv"]);
    assert!(stderr.contains("a row of more than 16 MiB") && stderr.contains("open.csv:2"), "{stderr}");
    work.write("open.jsonl", &format!("{{\"time\": 1, \"x\": \"{}\"}}", "x".repeat(17 << 20)));
    let stderr = work.fails(2, &["replay", "policy.toml", "open.jsonl"]);
    assert!(stderr.contains("a row of more than 16 MiB") && stderr.contains("open.jsonl:1"), "{stderr}");
    if cfg!(target_os = "linux") {
        let (status, _, stderr) = shell(&work, "ulimit -v 2000000; \"$K\" replay policy.toml /dev/zero");
        assert!(status == Some(2) && stderr.contains("more than 512 MiB"), "{status:?} {stderr}");
    }
    work.write("nested.jsonl", &format!("{{\"time\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000)));
    assert!(work.fails(2, &["replay", "policy.toml", "nested.jsonl"]).contains("nested.jsonl:1"));
    work.write("cells.csv", "t\n1\n\"x\ny\u{1b}[31m\u{202e}\"\n");
    work.write("scenario.toml", &reads_trace("cells.csv"));
    let stderr = work.fails(2, &["check", "scenario.toml"]);
    assert!(stderr.contains("column `t` is `x\\ny\\u{1b}[31m\\u{202e}`"), "{stderr}");
}

#[test]
fn two_runs_into_one_folder_at_once_leave_files_of_one_of_them() {
    let work = Work::with(QUEUE);
    let start = |seed: &str| {
        let mut command = work.kneepoint(&["run", "scenario.toml", "--seed", seed, "--out", "out", "-q"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    for folder in ["one", "two"] {
        let seed = if folder == "one" { "1" } else { "2" };
        work.done(&["run", "scenario.toml", "--seed", seed, "--out", folder, "-q"]);
    }
    let (one, two) = (work.files("one"), work.files("two"));
    assert_ne!(one["summary.json"], two["summary.json"]);
    for round in 0..8 {
        let both = [start("1"), start("2")].map(|child| child.wait_with_output().unwrap());
        let done = both.iter().filter(|output| output.status.success()).count();
        assert!(done >= 1, "round {round}");
        let left = work.files("out");
        assert!(left == one || left == two, "round {round}: a mixture");
        for output in both.iter().filter(|output| !output.status.success()) {
            assert!(is_clean(&String::from_utf8_lossy(&output.stderr)), "round {round}");
        }
    }
}
