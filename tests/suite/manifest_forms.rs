//! Every form of manifest, read or refused as it should be: the table of `tests/manifests/forms.txt`, and the examples of
//! `docs/manifests.md`.

use std::path::Path;

use kneepoint::internals::scenario::ScenarioFile;
use kneepoint::{Memory, Scenario, check};

/// A service with more places than any target.
const SYSTEM: &str = "[arrivals]\nkind = \"poisson\"\nrate = 20\n[service]\ntime = \"200ms\"\nconcurrency = 64\n\
                      [run]\nduration = \"10m\"\nreplications = 1\n";

/// One that has a KV cache, for what counts its tokens.
const LLM_SYSTEM: &str = "[arrivals]\nkind = \"poisson\"\nrate = 2\n[service]\nmodel = \"llm\"\n\
                          preset = \"llama-3.1-8b-h100\"\nprompt_tokens = 500\noutput_tokens = 100\n\
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

/// The scenario around a manifest with these keys beside it.
fn system(with: &[&str]) -> &'static str {
    if with.iter().any(|line| line.starts_with("gpus")) { LLM_SYSTEM } else { SYSTEM }
}

/// What a manifest comes to: the digest and the warnings as one text, or the message.
fn read(file: &str, manifest: &str, with: &[&str]) -> Result<String, String> {
    let mut files = Memory::default();
    files.insert(file, manifest);
    let system = system(with);
    let scenario = format!("{system}[autoscaler]\nfrom = \"{file}\"\n{}\n", with.join("\n"));
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
    assert!(count >= 185, "{count}");
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

/// The scenario of a manifest in a folder.
fn scenario_in(folder: &Path, file: &str, with: &[&str]) -> ScenarioFile {
    let text = format!(
        "{}[cost]\nper_instance_hour = 1\n[slo]\nlatency = \"2s\"\n[autoscaler]\nfrom = \"{file}\"\n{}\n",
        system(with),
        with.join("\n")
    );
    ScenarioFile::parse("scenario.toml", &text, folder).unwrap()
}

/// What of a text is no longer there in another: all between the beginning and the end that both have.
fn replaced<'a>(old: &'a str, new: &str) -> &'a str {
    let same = |pairs: &mut dyn Iterator<Item = (u8, u8)>| pairs.take_while(|(a, b)| a == b).count();
    let before = same(&mut old.bytes().zip(new.bytes()));
    let most = old.len().min(new.len()) - before;
    let after = same(&mut old.bytes().rev().zip(new.bytes().rev())).min(most);
    old.get(before..old.len() - after).unwrap_or(old)
}

/// Writes every natural setting of a manifest in every value that is tried of it back into the manifest, and reads that again: how
/// many came to the same model, and why others were refused.
fn written_back(file: &str, manifest: &str, with: &[&str]) -> (usize, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(file), manifest).unwrap();
    let scenario = scenario_in(folder.path(), file, with);
    let (mut written, mut refused) = (0, Vec::new());
    let Ok(space) = scenario.space() else { return (0, refused) };
    for axis in &space.axes {
        for level in &axis.levels {
            let settings = [(axis.path.clone(), level.clone())];
            let new = match scenario.manifest_with(&settings, ("test", "Computed.")) {
                Ok(new) => new,
                Err(why) => {
                    refused.push(why);
                    continue;
                }
            };
            let gone = replaced(manifest, &new.text);
            assert!(!gone.contains('\n'), "{file}, {settings:?}: {gone:?} is gone\n{}", new.text);
            let is_mixed = manifest.contains("\r\n") && new.text.replace("\r\n", "").contains('\n');
            assert!(!is_mixed, "{file}, {settings:?}: ends of lines are mixed\n{}", new.text);
            let other = format!("new-{file}");
            std::fs::write(folder.path().join(&other), &new.text).unwrap();
            let again = scenario_in(folder.path(), &other, with);
            let again = match again.scenario() {
                Ok(again) => again,
                Err(error) => panic!("{file}, {settings:?}: {}\n{}", error.render(false), new.text),
            };
            let asked = scenario.with(&settings, &[]).unwrap();
            // The same model and seed: the same bytes of every output.
            assert_eq!(again.model, asked.model, "{file}, {settings:?}\n{}", new.text);
            written += 1;
        }
    }
    (written, refused)
}

#[test]
fn every_form_that_is_read_is_written_back_with_its_own_fields_or_refused_in_words() {
    let table = include_str!("../manifests/forms.txt");
    let page = include_str!("../../docs/manifests.md");
    let of_table = table.split("\n=== ").skip(1).map(Case::of).filter(|case| case.kind.is_some());
    let mut all: Vec<(String, String, Vec<&str>)> =
        of_table.map(|case| (case.file.to_owned(), case.manifest, case.with)).collect();
    for (number, block) in page.split("\n```").skip(1).step_by(2).enumerate() {
        let Some((language, manifest)) = block.split_once('\n') else { continue };
        let end = match language {
            "yaml" => "yaml",
            "json" => "json",
            "hcl" => "tf",
            _ => continue,
        };
        all.push((format!("example-{number}.{end}"), format!("{manifest}\n"), Vec::new()));
    }
    let (mut forms, mut total) = (0, 0);
    for (file, manifest, with) in &all {
        let (written, refused) = written_back(file, manifest, with);
        if file.starts_with("written-") {
            let (other, _) = written_back(file, &manifest.replace('\n', "\r\n"), with);
            assert_eq!(other, written, "{file}, with the ends of lines of Windows");
        }
        println!("{file}: {written} written back, {} refused {:?}", refused.len(), refused.first());
        forms += usize::from(written > 0);
        total += written;
        assert!(
            refused.iter().all(|why| ["cannot", "no ", "another than"].iter().any(|word| why.contains(word))),
            "{file}: {refused:?}"
        );
    }
    assert!(forms * 10 >= all.len() * 7, "{forms} of {}", all.len());
    assert!(total >= 500, "{total}");
}
