//! Every form of manifest, read or refused as it should be: the table of `tests/manifests/forms.txt`, and the examples of
//! `docs/manifests.md`.

use std::path::Path;

use kneepoint::{Memory, Scenario, check};

/// A service with more places than any target.
const SYSTEM: &str = "[arrivals]\nkind = \"poisson\"\nrate = 20\n[service]\ntime = \"200ms\"\nconcurrency = 64\n\
                      [run]\nduration = \"10m\"\nreplications = 1\n";

/// One case of the table.
struct Case<'a> {
    file: &'a str,
    with: Vec<&'a str>,
    kind: Option<&'a str>,
    refused: Option<&'a str>,
    holds: Vec<&'a str>,
    manifest: String,
}

impl<'a> Case<'a> {
    fn of(block: &'a str) -> Case<'a> {
        let (head, manifest) = block.split_once("\n---\n").unwrap();
        let mut lines = head.lines();
        let mut case = Case {
            file: lines.next().unwrap().trim(),
            with: Vec::new(),
            kind: None,
            refused: None,
            holds: Vec::new(),
            manifest: manifest.trim_end().to_owned() + "\n",
        };
        for line in lines {
            match line.split_once(": ").unwrap() {
                ("with", line) => case.with.push(line),
                ("reads", kind) => case.kind = Some(kind),
                ("refused", why) => case.refused = Some(why),
                ("holds", text) => case.holds.push(text),
                other => panic!("{other:?}"),
            }
        }
        case
    }
}

/// What a manifest comes to: the digest and the warnings as one text, or the message.
fn read(file: &str, manifest: &str, with: &[&str]) -> Result<String, String> {
    let mut files = Memory::default();
    files.insert(file, manifest);
    let scenario = format!("{SYSTEM}[autoscaler]\nfrom = \"{file}\"\n{}\n", with.join("\n"));
    files.insert("scenario.toml", &*scenario);
    let checked = Scenario::load_from(files, "scenario.toml").and_then(|scenario| check(&scenario));
    checked
        .map(|checked| [checked.reading, checked.warnings].concat().join("\n"))
        .map_err(|error| error.to_string())
}

#[test]
fn every_form_is_read_as_it_is_meant_or_refused_with_what_to_do() {
    let table = include_str!("../manifests/forms.txt");
    let mut count = 0;
    let mut faults = Vec::new();
    for case in table.split("\n=== ").skip(1).map(Case::of) {
        count += 1;
        for manifest in [case.manifest.clone(), case.manifest.replace('\n', "\r\n")] {
            let read = read(case.file, &manifest, &case.with);
            let (text, is_right) = match (&read, case.kind, case.refused) {
                (Ok(text), Some(kind), None) => (text, text.contains(&format!("autoscaler: {kind}, from"))),
                (Err(text), None, Some(why)) => (text, text.contains(why)),
                (Ok(text) | Err(text), ..) => (text, false),
            };
            let missing: Vec<&&str> = case.holds.iter().filter(|part| !text.contains(**part)).collect();
            if !is_right || !missing.is_empty() {
                faults.push(format!("{}: {missing:?}\n{text}", case.file));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    assert!(count >= 90, "{count}");
}

#[test]
fn every_example_of_the_page_is_read_as_the_page_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/manifests.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut count = 0;
    for block in page.split("\n```").skip(1).step_by(2) {
        let (language, manifest) = block.split_once('\n').unwrap();
        let file = match language {
            "yaml" => "example.yaml",
            "json" => "example.json",
            "hcl" => "example.tf",
            _ => continue,
        };
        let after = page.split_once(block).unwrap().1;
        let said = after.lines().find_map(|line| line.strip_prefix("Read as: ")).unwrap();
        let read = read(file, manifest, &[]).unwrap_or_else(|error| panic!("{manifest}: {error}"));
        for part in said.trim_end_matches('.').split("; ") {
            assert!(read.contains(part.trim_matches('`')), "{manifest}: {part}\n{read}");
        }
        count += 1;
    }
    assert!(count >= 14, "{count}");
}
