//! The code keeps to the floors of `docs/architecture.md`: a room uses rooms below it, and files do not use each other in
//! circles.
//!
//! The tables of the page are read here, so page and code cannot differ: floors from top to bottom, what rooms of one floor
//! use of each other, and the rooms of the simulation. What the page lists and the code does not use fails, too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

type Edges = BTreeMap<String, BTreeSet<String>>;

/// Circles of files that are accepted, each with its reason. One that no longer exists fails.
const CIRCLES: &[(&[&str], &str)] = &[
    (
        &["autoscaler/keda/policy.rs", "autoscaler/keda/replay.rs"],
        "a policy makes its replay, which drives the policy",
    ),
    (
        &["autoscaler/kpa/parts.rs", "autoscaler/kpa/replay.rs"],
        "the replay has parts, which answer by its lines",
    ),
    (&["autoscaler/policy.rs", "autoscaler/replay.rs"], "a policy makes its replay, which drives the policy"),
    (
        &["autoscaler/reading/manifest_fields.rs", "autoscaler/reading/translation.rs"],
        "a translation reads fields, and fields report to the translation",
    ),
    (
        &[
            "scenario/assemble.rs",
            "scenario/checks.rs",
            "scenario/fits.rs",
            "scenario/identity.rs",
            "scenario/paths.rs",
            "scenario/sweep.rs",
            "scenario/variant.rs",
        ],
        "the statement of the whole file is in `assemble`, and paths of keys are looked up in it",
    ),
    (
        &["schema/key.rs", "schema/reader.rs", "schema/value.rs"],
        "a key reads a value by a reader, and a value that is a table reads its keys",
    ),
];

#[test]
fn rooms_use_only_rooms_below_them_and_what_the_architecture_page_lists() {
    let floors = floors(&read("docs/architecture.md"));
    let floor = |room: &str| {
        let place = floors.iter().position(|floor| floor.iter().any(|other| other == room));
        place.unwrap_or_else(|| panic!("`{room}` stands on no floor in docs/architecture.md"))
    };
    let mut within_floors = Edges::new();
    for (room, used) in by_room(&Source::read().edges(), room_of_crate) {
        for other in used {
            assert!(floor(&room) <= floor(&other), "`{room}` uses `{other}`, which is above it");
            if floor(&room) == floor(&other) {
                within_floors.entry(room.clone()).or_default().insert(other);
            }
        }
    }
    assert_eq!(within_floors, listed("| room | uses of its floor |"), "code (left) and page differ");
}

#[test]
fn rooms_of_the_simulation_use_what_the_architecture_page_lists() {
    let used = by_room(&Source::read().edges(), room_of_simulation);
    assert_eq!(used, listed("| room of `sim` | uses |"), "code (left) and page differ");
}

#[test]
fn files_use_each_other_in_no_circle_but_those_listed() {
    let mut edges = Source::read().edges();
    // A file may use what the `mod.rs` of its own folder declares, such as the trait that it implements; the `mod.rs` of a
    // folder within it, what the one around declares.
    for (file, targets) in &mut edges {
        let own = file.strip_suffix("/mod.rs").unwrap_or(file);
        let parent = own.rsplit_once('/').map(|(folder, _)| format!("{folder}/mod.rs"));
        targets.retain(|target| Some(target) != parent.as_ref());
    }
    let found: BTreeSet<Vec<String>> = circles(&edges).into_iter().collect();
    let listed: BTreeSet<Vec<String>> =
        CIRCLES.iter().map(|(files, _)| files.iter().map(|file| (*file).to_owned()).collect()).collect();
    let new: Vec<_> = found.difference(&listed).collect();
    assert!(new.is_empty(), "files that use each other in a circle: {new:#?}");
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(gone.is_empty(), "circles that are listed and exist no longer: {gone:#?}");
}

#[test]
fn the_front_page_of_the_documentation_has_the_same_floors() {
    let named = |page: String| floors(&page).concat();
    assert_eq!(named(read("src/lib.rs")), named(read("docs/architecture.md")));
}

#[test]
fn uses_and_circles_are_found_in_a_small_source() {
    let files = [
        ("lib.rs", "pub mod a; pub mod b;"),
        ("a/mod.rs", "mod one; mod two; pub use one::{One, deep::Deep as Renamed};"),
        (
            "a/one.rs",
            "use super::two::Two; /* use crate::b::Thing; */ const X: &str = \"use crate::b::Thing;\";",
        ),
        ("a/two.rs", "use crate::a::{One}; #[cfg(test)]\nmod tests { use crate::b::Thing; }"),
        ("b.rs", "use crate::a::{self, Renamed}; fn f() { a::One::new(); crate::a::two::g(); }"),
    ];
    let source = Source::of(files.map(|(path, text)| (path.to_owned(), text.to_owned())));
    let edges = source.edges();
    let names = |file: &str| edges[file].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(names("a/mod.rs"), ["a/one.rs"]);
    assert_eq!(names("a/one.rs"), ["a/two.rs"]);
    assert_eq!(names("a/two.rs"), ["a/one.rs"], "through the re-export, and without the tests");
    assert_eq!(names("b.rs"), ["a/mod.rs", "a/one.rs", "a/two.rs"]);
    assert_eq!(circles(&edges), [["a/one.rs", "a/two.rs"]]);
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The room of a file in the crate: its folder under `src`, or its name; none for the root, which declares the rooms.
fn room_of_crate(file: &str) -> Option<&str> {
    let room = file.split('/').next()?.trim_end_matches(".rs");
    (room != "lib").then_some(room)
}

/// The room of a file in the simulation: its folder under `src/sim`.
fn room_of_simulation(file: &str) -> Option<&str> {
    let inner = file.strip_prefix("sim/")?;
    inner.split_once('/').map(|(room, _)| room)
}

/// Which rooms each room uses, itself excepted.
fn by_room(edges: &Edges, room: fn(&str) -> Option<&str>) -> Edges {
    let mut rooms = Edges::new();
    for (file, targets) in edges {
        let Some(from) = room(file) else { continue };
        let used = targets.iter().filter_map(|target| room(target)).filter(|to| *to != from);
        rooms.entry(from.to_owned()).or_default().extend(used.map(str::to_owned));
    }
    rooms
}

/// The rows of the table of a page that begins with `header`, as the names in backticks of each cell.
fn table(page: &str, header: &str) -> Vec<Vec<Vec<String>>> {
    let lines = page.lines().map(|line| line.trim_start_matches("//! "));
    let rows = lines.skip_while(|line| !line.starts_with(header)).skip(2);
    let names = |cell: &str| {
        let quoted = cell.split('`').skip(1).step_by(2);
        quoted.map(|name| name.trim_end_matches('/').to_owned()).collect()
    };
    let rows = rows.take_while(|line| line.starts_with('|'));
    let rows: Vec<Vec<Vec<String>>> =
        rows.map(|line| line.trim_matches('|').split('|').map(names).collect()).collect();
    assert!(!rows.is_empty(), "there is no table `{header}`");
    rows
}

/// The floors of a page, from top to bottom: the rooms of each.
fn floors(page: &str) -> Vec<Vec<String>> {
    table(page, "| floor |").into_iter().map(|mut cells| cells.remove(0)).collect()
}

/// A table of the architecture page: each room and those that it uses.
fn listed(header: &str) -> Edges {
    let rows = table(&read("docs/architecture.md"), header).into_iter();
    rows.map(|cells| (cells[0].concat(), cells[1].iter().cloned().collect())).collect()
}

/// The modules of a crate, with the paths that each uses.
struct Source {
    modules: BTreeMap<Vec<String>, Module>,
}

struct Module {
    file: String,
    /// Names that `use` brings in, with their paths.
    names: BTreeMap<String, Vec<String>>,
    /// All paths.
    paths: Vec<Vec<String>>,
}

impl Source {
    fn read() -> Source {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let (mut folders, mut files) = (vec![root.clone()], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let shown = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
                if path.is_dir() {
                    folders.push(path);
                } else if shown.ends_with(".rs") && shown != "main.rs" && !shown.ends_with("tests.rs") {
                    files.push((shown, std::fs::read_to_string(&path).unwrap()));
                }
            }
        }
        Source::of(files)
    }

    fn of(files: impl IntoIterator<Item = (String, String)>) -> Source {
        let mut texts = BTreeMap::new();
        for (file, text) in files {
            let mut module: Vec<String> =
                file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            if module.last().is_some_and(|last| last == "mod" || file == "lib.rs") {
                module.pop();
            }
            texts.insert(module, (file, code(&text)));
        }
        let known: BTreeSet<Vec<String>> = texts.keys().cloned().collect();
        let modules = texts.into_iter().map(|(module, (file, text))| {
            let parsed = Module::parse(file, &text, |name| known.contains(&child(&module, name)));
            (module.clone(), parsed)
        });
        Source { modules: modules.collect() }
    }

    /// Which files each file uses, itself excepted.
    fn edges(&self) -> Edges {
        let of = |(name, module): (&Vec<String>, &Module)| {
            let targets = module.paths.iter().filter_map(|path| self.resolve(name, path, 0));
            let files = targets.map(|target| self.modules[&target].file.clone());
            (module.file.clone(), files.filter(|file| *file != module.file).collect())
        };
        self.modules.iter().map(of).collect()
    }

    /// The module in which `path`, used in `module`, ends, re-exports followed; `None` outside the crate.
    fn resolve(&self, module: &[String], path: &[String], depth: u32) -> Option<Vec<String>> {
        let mut at = module.to_vec();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => {}
            first if self.modules.contains_key(&child(module, first)) => {}
            _ => return None,
        }
        while let Some(first) = rest.first() {
            match first.as_str() {
                "crate" | "self" => {}
                "super" => at.truncate(at.len().saturating_sub(1)),
                name if self.modules.contains_key(&child(&at, name)) => at.push(name.to_owned()),
                name => {
                    let re_exported = self.modules.get(&at).and_then(|module| module.names.get(name));
                    let Some(target) = re_exported.filter(|_| depth < 10) else { return Some(at) };
                    let onward: Vec<String> = target.iter().chain(&rest[1..]).cloned().collect();
                    return self.resolve(&at, &onward, depth + 1).or(Some(at));
                }
            }
            rest = &rest[1..];
        }
        Some(at)
    }
}

impl Module {
    fn parse(file: String, text: &str, is_child: impl Fn(&str) -> bool) -> Module {
        let mut module = Module { file, names: BTreeMap::new(), paths: Vec::new() };
        let words = words(text);
        let mut index = 0;
        while index < words.len() {
            if words[index] == "use" {
                let length = words[index..].iter().position(|word| word == ";").unwrap_or(0);
                module.add_tree(&words[index + 1..index + length], &[]);
                index += length;
            }
            index += 1;
        }
        // Paths outside of `use`: from the crate, from a child, or through a name that `use` brought in.
        let mut index = 0;
        while index < words.len() {
            if words[index] == "use" {
                index += words[index..].iter().position(|word| word == ";").unwrap_or(1);
                continue;
            }
            let mut path = vec![words[index].clone()];
            // `pub(in crate::a)` says who sees an item, and uses nothing.
            let is_visibility = index > 1 && words[index - 1] == "in" && words[index - 2] == "(";
            while words.get(index + 1).is_some_and(|word| word == "::")
                && words.get(index + 2).is_some_and(|word| is_name(word))
            {
                path.push(words[index + 2].clone());
                index += 2;
            }
            index += 1;
            if path.len() > 1 && !is_visibility {
                match module.names.get(&path[0]) {
                    Some(target) => {
                        let onward = target.iter().chain(&path[1..]).cloned().collect();
                        module.paths.push(onward);
                    }
                    None if ["crate", "super", "self"].contains(&path[0].as_str()) || is_child(&path[0]) => {
                        module.paths.push(path);
                    }
                    None => {}
                }
            }
        }
        module
    }

    /// Adds the paths of a tree such as `a::{self, b::C as D}` after `before`.
    fn add_tree(&mut self, words: &[String], before: &[String]) {
        let mut path = before.to_vec();
        let mut index = 0;
        while index < words.len() {
            match words[index].as_str() {
                "{" => {
                    for part in split(&words[index + 1..words.len() - 1]) {
                        self.add_tree(part, &path);
                    }
                    return;
                }
                "as" => break,
                "self" if !path.is_empty() => {}
                "::" | "*" => {}
                word => path.push(word.to_owned()),
            }
            index += 1;
        }
        let name = if index < words.len() { words.last() } else { path.last() };
        if let Some(name) = name {
            self.names.insert(name.clone(), path.clone());
        }
        self.paths.push(path);
    }
}

/// The parts of a list between its commas.
fn split(words: &[String]) -> Vec<&[String]> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (index, word) in words.iter().enumerate() {
        match word.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," if depth == 0 => {
                parts.push(&words[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&words[start..]);
    parts.into_iter().filter(|part| !part.is_empty()).collect()
}

fn child(module: &[String], name: &str) -> Vec<String> {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Names, `::` and single marks.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if is_name(rest) {
            rest.find(|mark: char| !mark.is_alphanumeric() && mark != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        words.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    words
}

/// The text without comments, texts and unit tests.
fn code(text: &str) -> String {
    let tests = [
        "#[cfg(test)]\nmod tests {",
        "#[cfg(test)]\npub(super) mod tests {",
        "#[cfg(test)]\npub(crate) mod tests {",
    ];
    let end = tests.iter().filter_map(|tests| text.find(tests)).min();
    let text = &text[..end.unwrap_or(text.len())];
    let mut code = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            'r' if rest.starts_with("r#\"") => rest[3..].find("\"#").map_or(rest.len(), |end| end + 5),
            '"' => end_of_text(rest),
            '\'' if rest.starts_with("'\"'") => 3,
            _ => 0,
        };
        if skipped == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.push(' ');
            rest = &rest[skipped..];
        }
    }
    code
}

/// Length of a text in quotes, with what is escaped in it.
fn end_of_text(rest: &str) -> usize {
    let mut escaped = false;
    let end = rest.char_indices().skip(1).find(|(_, mark)| {
        let ends = *mark == '"' && !escaped;
        escaped = *mark == '\\' && !escaped;
        ends
    });
    end.map_or(rest.len(), |(index, _)| index + 1)
}

/// Files that can all be reached from one another, by Kosaraju's two passes; sorted.
fn circles(edges: &Edges) -> Vec<Vec<String>> {
    fn visit<'a>(
        file: &'a String,
        edges: &'a Edges,
        seen: &mut BTreeSet<&'a String>,
        order: &mut Vec<&'a String>,
    ) {
        if seen.insert(file) {
            edges.get(file).into_iter().flatten().for_each(|next| visit(next, edges, seen, order));
            order.push(file);
        }
    }
    let mut reversed: Edges = BTreeMap::new();
    for (file, target) in edges.iter().flat_map(|(file, all)| all.iter().map(move |target| (file, target))) {
        reversed.entry(target.clone()).or_default().insert(file.clone());
    }
    let (mut seen, mut order) = (BTreeSet::new(), Vec::new());
    edges.keys().for_each(|file| visit(file, edges, &mut seen, &mut order));
    let mut assigned = BTreeSet::new();
    let mut circles = Vec::new();
    for file in order.into_iter().rev() {
        let mut circle = Vec::new();
        visit(file, &reversed, &mut assigned, &mut circle);
        if circle.len() > 1 {
            let mut circle: Vec<String> = circle.into_iter().cloned().collect();
            circle.sort();
            circles.push(circle);
        }
    }
    circles.sort();
    circles
}
