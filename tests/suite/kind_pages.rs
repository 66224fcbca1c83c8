//! A page for each kind of arrivals, service and autoscaler: its keys are those of this version, its example reads, and it says
//! when to use the kind and what is not modelled.

use std::fs;
use std::path::{Path, PathBuf};

use kneepoint::internals::scenario::{KindReference, ScenarioFile, kind_references};

fn path(kind: &KindReference) -> PathBuf {
    let name = format!("docs/kinds/{}-{}.md", kind.table, kind.name.replace('_', "-"));
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// What stands between the two marks of a page, with the text before and after.
fn parts<'a>(page: &'a str, kind: &KindReference) -> Option<(&'a str, &'a str, &'a str)> {
    let begin = format!("<!-- keys: {} {} -->\n", kind.table, kind.name);
    let end = "<!-- end of keys -->\n";
    let from = page.find(&begin)? + begin.len();
    let to = from + page[from..].find(end)?;
    Some((&page[..from], &page[from..to], &page[to..]))
}

#[test]
fn each_kind_has_a_page_with_the_keys_of_this_version() {
    let kinds = kind_references();
    for kind in &kinds {
        let path = path(kind);
        let page = fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
        let page = page.replace("\r\n", "\n");
        let (before, keys, after) =
            parts(&page, kind).unwrap_or_else(|| panic!("{} has no place for the keys", path.display()));
        if std::env::var_os("KNEEPOINT_BLESS").is_some() {
            fs::write(&path, format!("{before}{}{after}", kind.keys)).unwrap();
        } else {
            assert_eq!(
                keys,
                kind.keys,
                "{} is out of date: KNEEPOINT_BLESS=1 cargo test --test suite kind_pages",
                path.display()
            );
        }
        for section in ["## When to use it\n", "## Example\n", "## Not modelled\n"] {
            let told = page.split_once(section).map(|(_, rest)| rest.trim_start());
            assert!(
                told.is_some_and(|text| !text.is_empty() && !text.starts_with('#')),
                "{}",
                path.display()
            );
        }
    }
    let pages = fs::read_dir(path(&kinds[0]).parent().unwrap()).unwrap().count();
    assert_eq!(pages, kinds.len(), "a page of no kind");
}

#[test]
fn the_example_of_each_kind_reads_and_is_of_it() {
    for kind in kind_references() {
        let path = path(&kind);
        let page = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
        let folder = tempfile::tempdir().unwrap();
        let mut examples = Vec::new();
        let mut blocks = page.split("\n```").skip(1).step_by(2);
        blocks.by_ref().for_each(|block| {
            let (info, text) = block.split_once('\n').unwrap();
            match info.split_once("file=") {
                Some((_, name)) => fs::write(folder.path().join(name), text).unwrap(),
                None if info == "toml" => examples.push(text.to_owned()),
                None => panic!("{}: a block of {info:?}", path.display()),
            }
        });
        assert_eq!(examples.len(), 1, "{}", path.display());
        let file = ScenarioFile::parse("example.toml", &examples[0], folder.path());
        let file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        file.scenario().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let table = examples[0].split_once(&format!("[{}]\n", kind.table)).unwrap().1;
        let named = table.lines().take(3).any(|line| line.ends_with(&format!(" = \"{}\"", kind.name)));
        assert!(named || kind.name == "slots", "{} shows another kind", path.display());
    }
}
