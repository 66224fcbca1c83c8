//! The documentation: its links lead somewhere, its contents name every page, and the commands of the tutorial and of the how-to
//! guides run as they are written.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fixtures::cli::Work;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page below `docs/`, in order.
fn pages() -> Vec<PathBuf> {
    fn below(folder: &Path, found: &mut Vec<PathBuf>) {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        for path in entries {
            if path.is_dir() && path.file_name().is_some_and(|name| name != "book") {
                below(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    below(&root().join("docs"), &mut found);
    found.sort();
    found
}

/// The text without its code, so that brackets in code are not taken for links.
fn prose(text: &str) -> String {
    let mut code = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
        } else if !code {
            let parts = line.split('`').enumerate();
            // A link's own text may be code; what stands in the other spans of code is none.
            prose.extend(parts.map(|(i, part)| if i % 2 == 1 { "code" } else { part }));
            prose.push('\n');
        }
    }
    prose
}

/// Targets of the links of a text.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let ends = prose.match_indices("](").map(|(at, _)| &prose[at + 2..]);
    ends.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.trim().to_owned()).collect()
}

/// The anchors of a page's headings, as code hosts and the site make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut code = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        if line.starts_with("```") {
            code = !code;
        }
        let Some(title) = line.strip_prefix('#').filter(|_| !code) else { continue };
        let title = title.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let numbered = (0..).map(|n| if n == 0 { anchor.clone() } else { format!("{anchor}-{n}") });
        let free = numbered.into_iter().find(|name| !found.contains(name)).unwrap();
        found.insert(free);
    }
    found
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut files = pages();
    files.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root().join(name)));
    let mut dead = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for link in links(&text) {
            if link.starts_with("http://") || link.starts_with("https://") {
                continue;
            }
            let (path, anchor) =
                link.split_once('#').map_or((link.as_str(), None), |(path, anchor)| (path, Some(anchor)));
            let target = if path.is_empty() { file.clone() } else { file.parent().unwrap().join(path) };
            let page = || fs::read_to_string(&target).unwrap_or_default();
            if !target.exists() || anchor.is_some_and(|anchor| !anchors(&page()).contains(anchor)) {
                dead.push(format!("{}: {link}", file.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
}

#[test]
fn the_contents_name_every_page_once() {
    let folder = root().join("docs");
    let summary = fs::read_to_string(folder.join("SUMMARY.md")).unwrap();
    let mut named = links(&summary);
    named.sort();
    let relative = |page: &PathBuf| page.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
    let mut there: Vec<String> = pages().iter().map(relative).filter(|name| name != "SUMMARY.md").collect();
    there.sort();
    assert_eq!(named, there);
}

/// A page's blocks of code: the info string and the text of each.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        match (line.strip_prefix("```"), open) {
            (Some(info), false) => {
                found.push((info.trim().to_owned(), String::new()));
                open = true;
            }
            (Some(_), true) => open = false,
            (None, true) => {
                let (_, block) = found.last_mut().unwrap();
                block.push_str(line);
                block.push('\n');
            }
            (None, false) => {}
        }
    }
    found
}

/// Does what a page says, in an empty folder: writes the files that it shows and runs its commands, each for a shorter time. Gives
/// the number of commands.
fn follow(page: &Path) -> usize {
    let work = Work::with("");
    let source = root().join("scenarios");
    copy(&source, &work.path().join("scenarios"));
    let mut commands = 0;
    for (info, text) in blocks(&fs::read_to_string(page).unwrap()) {
        if let Some((_, name)) = info.split_once("file=") {
            work.write(name, &text);
        }
        if info != "console" {
            continue;
        }
        for line in text.lines() {
            let mut words: Vec<&str> = line.split('#').next().unwrap().split_whitespace().collect();
            assert!(!words.is_empty(), "{}: an empty command", page.display());
            match words.remove(0) {
                "kneepoint" => {}
                "diff" => continue,
                other => panic!("{}: the test does not know the command {other}", page.display()),
            }
            if matches!(words[0], "run" | "sweep" | "merge" | "shard" | "compare" | "recommend" | "explain") {
                words.extend(["--set", "run.duration=10m", "--set", "run.replications=3"]);
            }
            let output = work.kneepoint(&words).output().unwrap();
            let status = output.status.code();
            let verdict = words.contains(&"--gate") && matches!(status, Some(3 | 4));
            assert!(
                status == Some(0) || verdict,
                "{}: {line}: {status:?}\n{}",
                page.display(),
                String::from_utf8_lossy(&output.stderr)
            );
            commands += 1;
        }
    }
    commands
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn the_tutorial_runs_from_an_empty_folder() {
    assert!(follow(&root().join("docs/tutorial.md")) >= 6);
}

/// The links and pictures of a page of the site.
fn targets(page: &str) -> Vec<String> {
    let of = |attribute: &str| -> Vec<String> {
        let found = page.match_indices(attribute).map(|(at, _)| &page[at + attribute.len()..]);
        found
            .filter_map(|rest| rest.split_once('"'))
            .map(|(target, _)| target.replace("&amp;", "&"))
            .collect()
    };
    [of(" href=\""), of(" src=\"")].concat()
}

#[test]
fn the_site_is_built_with_its_pictures_and_every_link_of_it_leads_somewhere() {
    let is_there = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join("mdbook").is_file());
    if !is_there || !cfg!(unix) {
        eprintln!("skipped: mdbook is not installed");
        return;
    }
    let work = Work::with("");
    let site = work.path().join("site");
    let built = Command::new(root().join("docs/build.sh")).arg(&site).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let (mut dead, mut followed) = (Vec::new(), 0);
    for page in pages() {
        let path = page.strip_prefix(root().join("docs")).unwrap().with_extension("html");
        if path.ends_with("SUMMARY.html") {
            continue;
        }
        let file = site.join(&path);
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for target in targets(&text) {
            let (name, anchor) =
                target.split_once('#').map_or((target.as_str(), None), |(name, anchor)| (name, Some(anchor)));
            if name.contains(':') || name.starts_with('/') {
                continue;
            }
            let found = if name.is_empty() { file.clone() } else { file.parent().unwrap().join(name) };
            let found = if found.is_dir() { found.join("index.html") } else { found };
            let has = |anchor: &str| {
                anchor.is_empty()
                    || fs::read_to_string(&found).is_ok_and(|text| text.contains(&format!("id=\"{anchor}\"")))
            };
            if !found.is_file() || anchor.is_some_and(|anchor| !has(anchor)) {
                dead.push(format!("{}: {target}", path.display()));
            }
            followed += 1;
        }
    }
    dead.sort();
    dead.dedup();
    assert!(dead.is_empty(), "{dead:#?}");
    assert!(followed > 1000, "{followed}");
    let gallery = fs::read_to_string(site.join("gallery.html")).unwrap();
    assert!(gallery.matches("src=\"gallery/").count() > 30);
}

#[test]
fn the_how_to_guides_run() {
    let guides: Vec<PathBuf> =
        pages().into_iter().filter(|page| page.parent().unwrap().ends_with("howto")).collect();
    assert!(guides.len() >= 6);
    for guide in guides {
        follow(&guide);
    }
}

/// The words of a line of a shell.
fn shell_words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote): (Vec<String>, Option<String>, Option<char>) =
        (Vec::new(), None, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[test]
fn every_command_that_a_page_shows_is_one_that_there_is() {
    let work = Work::with("");
    let mut commands = 0;
    let mut files = pages();
    files.push(root().join("README.md"));
    for page in files {
        let text = fs::read_to_string(&page).unwrap();
        let shown =
            blocks(&text).into_iter().filter(|(info, _)| matches!(info.as_str(), "console" | "sh" | "bash"));
        for line in shown.flat_map(|(_, text)| text.lines().map(str::to_owned).collect::<Vec<_>>()) {
            let line = line.trim_start_matches("$ ");
            let words = shell_words(line);
            // Behind what it reads from, before what it writes to.
            let Some(at) = words.iter().position(|word| word == "kneepoint") else { continue };
            if at > 0 && words[at - 1] != "|" {
                continue;
            }
            let end = words[at..]
                .iter()
                .position(|word| word.starts_with(['>', '|', '#', '&', '<']))
                .map_or(words.len(), |end| at + end);
            let mut words: Vec<&str> = words[at + 1..end].iter().map(String::as_str).collect();
            // Help comes where everything before it is understood.
            words.push("--help");
            let output = work.kneepoint(&words).output().unwrap();
            assert!(
                output.status.success(),
                "{}: {line}\n{}",
                page.display(),
                String::from_utf8_lossy(&output.stderr)
            );
            commands += 1;
        }
    }
    assert!(commands > 40, "{commands}");
}
