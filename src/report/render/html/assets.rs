//! The page's style and script, joined from the files of `web/`. Building needs no other tool than the compiler: each file
//! is an ES module of its own, which a browser or an editor takes as it is; here they become one script.

use std::fmt::Write as _;
use std::sync::OnceLock;

/// The style of the page.
pub const STYLE: &str = include_str!("../../../../web/style.css");

/// States a module of the page by its name.
macro_rules! modules {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../web/src/", $name, ".js")))),*]
    };
}

/// The modules in their order: each imports only from those before it.
const MODULES: &[(&str, &str)] = modules![
    "format",
    "svg",
    "scale",
    "data",
    "state",
    "model",
    "distribution",
    "frontier",
    "detail",
    "table",
    "timeline",
    "controls",
    "report",
    "source",
    "live",
    "main",
];

/// The script of the page.
pub fn script() -> &'static str {
    static SCRIPT: OnceLock<String> = OnceLock::new();
    SCRIPT.get_or_init(|| joined(MODULES))
}

/// Modules as one script: each in a function that returns what it exports, under a name that is not taken.
fn joined(modules: &[(&str, &str)]) -> String {
    let mut script = String::from("'use strict';\n");
    for (name, source) in modules {
        let mut exports: Vec<&str> = Vec::new();
        let mut body = String::new();
        for line in source.lines() {
            let line = match line.strip_prefix("export ") {
                Some(rest) => {
                    exports.push(name_of(rest));
                    rest.to_owned()
                }
                None => imported(line).unwrap_or_else(|| line.to_owned()),
            };
            let _ = writeln!(body, "{line}");
        }
        let _ = write!(
            script,
            "const m_{name} = (() => {{\n{body}return {{ {} }};\n}})();\n",
            exports.join(", ")
        );
    }
    script
}

/// What a declaration names.
fn name_of(declaration: &str) -> &str {
    let words = declaration.trim_start_matches("async ");
    let rest = words.strip_prefix("function ").or_else(|| words.strip_prefix("const ")).unwrap_or(words);
    rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or(rest)
}

/// An import of a module as a reading of what it returned; `None` for any other line.
fn imported(line: &str) -> Option<String> {
    let (names, from) = line.strip_prefix("import ")?.split_once(" from './")?;
    let module = from.strip_suffix(".js';")?;
    Some(format!("const {} = m_{module};", names.replace(" as ", ": ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_joined_in_order() {
        let one = "export const A = 1;\nconst hidden = 2;\nexport async function f(x) {\n}\n";
        let two = "import { A, f as g } from './one.js';\ng(A);\n";
        let expected = "'use strict';\n\
             const m_one = (() => {\nconst A = 1;\nconst hidden = 2;\nasync function f(x) {\n}\nreturn { A, f };\n})();\n\
             const m_two = (() => {\nconst { A, f: g } = m_one;\ng(A);\nreturn {  };\n})();\n";
        assert_eq!(joined(&[("one", one), ("two", two)]), expected);
    }

    #[test]
    fn every_module_imports_only_from_those_before_it_what_they_export() {
        for (place, (name, source)) in MODULES.iter().enumerate() {
            for line in source.lines().filter(|line| line.starts_with("import")) {
                let (names, from) = line
                    .strip_prefix("import { ")
                    .and_then(|rest| rest.strip_suffix(".js';"))
                    .and_then(|rest| rest.split_once(" } from './"))
                    .unwrap_or_else(|| panic!("{name}: an import has to stand on one line: {line}"));
                let source = MODULES[..place].iter().find(|(other, _)| *other == from);
                let (_, source) =
                    source.unwrap_or_else(|| panic!("{name} imports {from}, which is not before it"));
                for wanted in names.split(", ").map(|each| each.split(" as ").next().unwrap_or(each)) {
                    let mut exports = source.lines().filter_map(|line| line.strip_prefix("export "));
                    assert!(
                        exports.any(|export| name_of(export) == wanted),
                        "{name}: {from} exports no {wanted}"
                    );
                }
            }
            assert!(!source.contains("\nexport {") && !source.contains("export default"), "{name}");
        }
    }

    #[test]
    fn neither_style_nor_script_can_end_its_element_or_reaches_outside() {
        for text in [STYLE, script()] {
            let text =
                text.to_lowercase().replace("http://www.w3.org/2000/svg", "").replace("objecturl(", "");
            for part in ["</", "<!--", "http:", "https:", "@import", "url("] {
                assert!(!text.contains(part), "{part}");
            }
        }
    }
}
