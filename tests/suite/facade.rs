//! What the crate offers to programs: few names, each with an example that runs.
//!
//! `cargo test --doc` runs the examples; this asks that there is one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Maximum number of names at the root of the crate: a program's author reads them all.
const ROOT_MAX: usize = 28;

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The names of the `pub use` lines of `text`, each with the module it is taken from: `api`, `files`.
fn exported(text: &str) -> Vec<(String, String)> {
    let uses = text.split("pub use ").skip(1).filter_map(|rest| rest.split_once(';')).map(|(path, _)| path);
    let names = uses.flat_map(|path| {
        let (from, names) = path.trim_start_matches("crate::").split_once("::").unwrap();
        let names = names.trim_matches(['{', '}']).split(',').map(str::trim).filter(|name| !name.is_empty());
        names.map(|name| (from.to_owned(), name.to_owned())).collect::<Vec<_>>()
    });
    names.collect()
}

/// The documentation above the definition of `name` in the sources of `module`.
fn documentation(module: &str, name: &str) -> String {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folder = src.join(module);
    let files = if folder.is_dir() { sources(&folder) } else { vec![src.join(format!("{module}.rs"))] };
    let mut found = BTreeMap::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let defines = |line: &str| {
            ["struct", "enum", "trait", "fn"].iter().any(|kind| {
                let rest = line.strip_prefix(&format!("pub {kind} {name}"));
                rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_'))
            })
        };
        for at in (0..lines.len()).filter(|at| defines(lines[*at])) {
            let above = lines[..at].iter().rev();
            let above: Vec<&str> = above
                .take_while(|line| line.starts_with("///") || line.starts_with('#') || line.starts_with("//"))
                .copied()
                .collect();
            found.insert(file.clone(), above.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
    }
    assert!(!found.is_empty(), "`{name}` is not defined in `{module}`");
    // Of two of one name, a result of `api` and what it is made of, the one with an example is meant.
    found.into_values().max_by_key(|text| text.contains("```")).unwrap()
}

#[test]
fn the_root_has_few_names_and_every_public_name_has_a_runnable_example() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let text = std::fs::read_to_string(path).unwrap();
    let (root, modules) = text.split_once("pub mod io {").unwrap();
    let names = exported(root);
    assert!((15..=ROOT_MAX).contains(&names.len()), "{} names at the root: {names:?}", names.len());
    let mut without = Vec::new();
    for (module, name) in names.into_iter().chain(exported(modules)) {
        let documentation = documentation(&module, &name);
        let example = documentation.split("/// ```").nth(1).unwrap_or_default();
        if !example.contains("kneepoint::") || example.starts_with("ignore") || example.starts_with("no_run")
        {
            without.push(name);
        }
    }
    assert!(without.is_empty(), "without an example: {without:?}");
}
