//! `docs/scenario.md` and `docs/scenario/`: every key, from the same statements that read it.

use std::fmt::Write as _;

use super::assemble::SPEC;
use crate::schema::{AnyKey, Kind, TableSpec, UnionSpec};

const INTRODUCTION: &str = include_str!("reference_intro.md");

/// An example for each table; each must read.
const EXAMPLES: [(&str, &str); 13] = [
    (
        "arrivals",
        r#"[arrivals]
kind = "diurnal"
trough = 5
peak = 40
peak_at = "14h"

[[arrivals.spikes]]           # a batch job at nine, every day
at = "9h"
duration = "10m"
rate = 30
every = "24h""#,
    ),
    (
        "service",
        r#"[service]
time = { dist = "lognormal", mean = "350ms", cv = 0.6 }
concurrency = 4"#,
    ),
    (
        "instances",
        r#"[instances]
initial = 2
scale_down = "least_busy"
drain_deadline = "30s"

[[instances.cold_start]]
name = "node"
time = { dist = "lognormal", p50 = "40s", p99 = "2m" }

[[instances.cold_start]]
name = "model load"
time = "25s""#,
    ),
    (
        "dispatch",
        r#"[dispatch]
policy = "power_of_d"
choices = 2
queue_capacity = 100"#,
    ),
    (
        "metrics",
        r#"[metrics]
scrape_interval = "15s"
window = "2m"
delay = "30s""#,
    ),
    (
        "autoscaler",
        r#"[autoscaler]
kind = "threshold"
metric = "in_flight"
per = "instance"
interval = "15s"
min = 1
max = 30

[autoscaler.up]
above = 3
step = "50%"

[autoscaler.down]
below = 1
breaches = 4
cooldown = "5m""#,
    ),
    (
        "cost",
        r#"[cost]
per_instance_hour = 2.48
currency = "EUR"
billed_from = "ready"
granularity = "1m"
minimum = "10m""#,
    ),
    (
        "slo",
        r#"[slo]
latency = "2s"
percentile = 99"#,
    ),
    (
        "run",
        r#"[run]
duration = "24h"
warmup = "1h"
replications = 10
seed = 7"#,
    ),
    (
        "sweep",
        r#"[sweep.parameters]
"autoscaler.up.above" = [0.6, 0.7, 0.8]
"autoscaler.down.below" = { from = 0.1, to = 0.5, steps = 5 }
"autoscaler.interval" = { from = "10s", to = "3m", steps = 4, scale = "log" }

[sweep.conditions]            # each setting meets each of them; an answer holds for all
"traffic" = [0.8, 1, 1.3]
"instances.cold_start" = ["90s", "3m"]"#,
    ),
    (
        "sweep",
        r#"[sweep]
design = "sample"
points = 60

[sweep.parameters]
"autoscaler.up.above" = { from = 0.5, to = 0.95 }
"autoscaler.interval" = { from = "5s", to = "2m", scale = "log" }
"instances.scale_down" = ["newest", "oldest", "least_busy"]"#,
    ),
    (
        "variant",
        r#"[[variant]]
name = "half the cold start, and one instance more"
set = { "instances.cold_start" = "45s", "autoscaler.min" = 2 }

[[variant]]
name = "no autoscaler"
[variant.autoscaler]          # takes the place of the whole table
kind = "fixed"
instances = 8"#,
    ),
    (
        "distribution",
        r#"[service]
time = { dist = "gamma", p50 = "300ms", p99 = "1.2s" }

[instances]
cold_start = { dist = "empirical", values = ["71s", "80s", "84s", "132s"], interpolation = "linear" }"#,
    ),
];

/// A page of the reference of the scenario file.
pub struct ReferencePage {
    /// Its path below the folder of the documentation.
    pub path: String,
    /// In Markdown.
    pub text: String,
}

/// The reference of the scenario file: a page that introduces it and has its tables, and a page for each of these.
pub fn reference_pages() -> Vec<ReferencePage> {
    let mut first = Page::new(INTRODUCTION.to_owned(), "", "scenario/distributions.md");
    first.line("\n## Tables and keys of the file\n");
    first.line("Each table has a page. Every key of all of them is found by the search of the documentation site, and by that of an editor");
    first.line("that follows the JSON Schema.\n");
    first.linked = |kind| match kind {
        Kind::Table(_) | Kind::Union(_) => true,
        Kind::List(inner) => matches!(**inner, Kind::Table(_)),
        _ => false,
    };
    first.keys(SPEC.keys);
    first.line(
        "\n[Distributions](scenario/distributions.md), which many of their keys take, have a page too.",
    );
    let mut pages = vec![ReferencePage { path: "scenario.md".to_owned(), text: first.text }];
    let mut distribution = None;
    for key in SPEC.keys {
        let name = key.name();
        let mut page = Page::new(String::new(), "../", "distributions.md");
        match key.kind() {
            Kind::Table(spec) => page.top(&format!("[{name}]"), name, spec.doc, spec.keys),
            Kind::Union(spec) => page.union(&format!("[{name}]"), name, spec),
            Kind::List(inner) => match *inner {
                Kind::Table(spec) => page.top(&format!("[[{name}]]"), name, spec.doc, spec.keys),
                _ => continue,
            },
            _ => continue,
        }
        distribution = distribution.or(page.distribution);
        pages.push(ReferencePage { path: format!("scenario/{name}.md"), text: page.text });
    }
    if let Some(spec) = distribution {
        let mut page = Page::new(String::new(), "../", "distributions.md");
        page.union("Distributions", spec.name, spec);
        pages.push(ReferencePage { path: "scenario/distributions.md".to_owned(), text: page.text });
    }
    pages
}

struct Page {
    text: String,
    /// The distributions, once a key has been met that takes one: they have a page of their own.
    distribution: Option<&'static UnionSpec>,
    /// The folder of the documentation, seen from this page, and the page of the distributions.
    root: &'static str,
    distributions: &'static str,
    /// Which keys are links to pages of their own.
    linked: fn(&Kind) -> bool,
}

/// One of the kinds of arrivals, services and autoscalers, which each have a page of their own.
pub struct KindReference {
    /// The table: "autoscaler".
    pub table: &'static str,
    /// The name that chooses it: "hpa".
    pub name: &'static str,
    /// What it is and its keys, in Markdown, for a page two folders below that of the reference's.
    pub keys: String,
}

/// The kinds of the tables that have several, in the order of the reference page.
pub fn kind_references() -> Vec<KindReference> {
    let unions = SPEC.keys.iter().filter(|key| ["arrivals", "service", "autoscaler"].contains(&key.name()));
    let of_table = |key: &&'static dyn AnyKey| match key.kind() {
        Kind::Union(spec) => Some((key.name(), spec)),
        _ => None,
    };
    let of_kind = |(table, spec): (&'static str, &'static UnionSpec)| {
        spec.variants.iter().map(move |variant| {
            let mut page = Page::new(String::new(), "../", "../scenario/distributions.md");
            page.line(&format!("`{} = \"{}\"`: {}\n", spec.tag, variant.name, variant.doc));
            page.keys(variant.keys);
            page.nested(table, variant.keys);
            KindReference { table, name: variant.name, keys: page.text }
        })
    };
    unions.filter_map(of_table).flat_map(of_kind).collect()
}

impl Page {
    fn new(text: String, root: &'static str, distributions: &'static str) -> Page {
        Page { text, distribution: None, root, distributions, linked: |_| false }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn top(&mut self, title: &str, name: &str, doc: &str, keys: &[&dyn AnyKey]) {
        self.heading(title, name, doc);
        self.keys(keys);
        self.nested(name, keys);
    }

    fn union(&mut self, title: &str, name: &str, spec: &'static UnionSpec) {
        self.heading(title, name, spec.doc);
        match spec.default {
            Some(default) => self.line(&format!(
                "`{}` says which of the following it is; left out, `\"{default}\"`.",
                spec.tag
            )),
            None => self.line(&format!("`{}` says which of the following it is.", spec.tag)),
        }
        let links = spec
            .variants
            .iter()
            .map(|variant| format!("[`{}`](#{}--{})", variant.name, spec.tag, variant.name.to_lowercase()));
        self.line(&format!("\nOn this page: {}.\n", links.collect::<Vec<_>>().join(", ")));
        if !spec.common.is_empty() {
            self.line(if spec.variants.len() == 1 { "Besides:\n" } else { "Common to all of them:\n" });
            self.keys(spec.common);
            self.nested(name, spec.common);
        }
        for variant in spec.variants {
            self.line(&format!("\n## `{} = \"{}\"`\n\n{}", spec.tag, variant.name, variant.doc));
            if !variant.keys.is_empty() {
                self.line("");
                self.keys(variant.keys);
                self.nested(name, variant.keys);
            }
        }
    }

    fn heading(&mut self, title: &str, name: &str, doc: &str) {
        let title = if title.starts_with('[') { format!("`{title}`") } else { title.to_owned() };
        self.line(&format!("# {title}\n\n{doc} Part of [the scenario file](../scenario.md).\n"));
        for (_, example) in EXAMPLES.iter().filter(|(table, _)| *table == name) {
            self.line(&format!("```toml\n{example}\n```\n"));
        }
    }

    /// The tables within a table, and within those.
    fn nested(&mut self, path: &str, keys: &[&dyn AnyKey]) {
        for key in keys {
            if let Some((table, page)) = of_first_pool(path, *key) {
                let name = key.name();
                self.line(&format!("\n`[{path}.{name}]` takes the keys of [`[{table}]`]({page}.md)."));
                continue;
            }
            for (title, spec) in tables_within(&format!("{path}.{}", key.name()), &key.kind()) {
                self.line(&format!("\n### `{title}`\n\n{}\n", spec.doc));
                self.keys(spec.keys);
                self.nested(&format!("{path}.{}", key.name()), spec.keys);
            }
            if let Kind::List(inner) = key.kind()
                && let Kind::Union(spec) = *inner
                && spec.name != "distribution"
            {
                self.list_of(&format!("{path}.{}", key.name()), spec);
            }
        }
    }

    /// A list of tables of several kinds.
    fn list_of(&mut self, path: &str, spec: &'static UnionSpec) {
        for variant in spec.variants {
            let (tag, name) = (spec.tag, variant.name);
            self.line(&format!("\n### `[[{path}]]` with `{tag} = \"{name}\"`\n\n{}\n", variant.doc));
            self.keys(variant.keys);
            self.nested(path, variant.keys);
        }
    }

    fn keys(&mut self, keys: &[&dyn AnyKey]) {
        self.line("| Key | Takes | Default | Meaning |\n|---|---|---|---|");
        let alike = |a: &&dyn AnyKey, b: &&dyn AnyKey| a.doc() == b.doc() && a.bounds() == b.bounds();
        for group in keys.chunk_by(alike) {
            let name = |key: &&dyn AnyKey| match (self.linked)(&key.kind()) {
                true => format!("[`{0}`](scenario/{0}.md)", key.name()),
                false => format!("`{}`", key.name()),
            };
            let names: Vec<String> = group.iter().map(name).collect();
            let key = group[0];
            let takes = self.takes(&key.kind());
            let bounds = key.bounds().describe(is_duration(&key.kind()));
            let bounds = if bounds.is_empty() { bounds } else { format!(", {bounds}") };
            let default = match key.default() {
                Some("{}") => "its keys' defaults".to_owned(),
                Some("[]") => "none".to_owned(),
                Some(default) => format!("`{default}`"),
                None if key.is_required() => "**required**".to_owned(),
                None => "–".to_owned(),
            };
            let doc = key.doc().replace("](", &format!("]({}", self.root));
            let meaning = format!("{doc}{}", options(&key.kind()));
            self.line(&format!("| {} | {takes}{bounds} | {default} | {meaning} |", names.join(", ")));
        }
    }

    fn takes(&mut self, kind: &Kind) -> String {
        match kind {
            Kind::Duration => "duration".into(),
            Kind::Number => "number".into(),
            Kind::Integer => "whole number".into(),
            Kind::Bool => "`true` or `false`".into(),
            Kind::Text | Kind::File => "text".into(),
            Kind::Choice(_) => "name".into(),
            Kind::List(inner) => match self.takes(inner) {
                inner if inner.contains(' ') => format!("list of ({inner})"),
                inner => format!("list of {inner}s"),
            },
            Kind::Table(_) => "table".into(),
            Kind::Union(spec) if spec.name == "distribution" => {
                self.distribution.get_or_insert(spec);
                format!("[distribution]({})", self.distributions)
            }
            Kind::Union(_) => "table".into(),
            Kind::Either(kinds) => kinds.iter().map(|kind| self.takes(kind)).collect::<Vec<_>>().join(" or "),
            Kind::Map(inner) => format!("table from names to ({})", self.takes(inner)),
            Kind::Any => "value".into(),
        }
    }
}

/// The names a choice has, with their meaning.
fn options(kind: &Kind) -> String {
    let mut text = String::new();
    if let Kind::Choice(options) = kind {
        for (name, doc) in options {
            // Writing to a text cannot fail.
            let _ = write!(text, "<br>`\"{name}\"`: {}", doc.trim_end_matches('.'));
        }
    }
    text
}

fn is_duration(kind: &Kind) -> bool {
    match kind {
        Kind::Duration => true,
        Kind::List(inner) => is_duration(inner),
        Kind::Either(kinds) => kinds.iter().any(is_duration),
        _ => false,
    }
}

/// Of a key of a second pool that takes the same table as one of the first: that one, and its page.
fn of_first_pool(path: &str, key: &dyn AnyKey) -> Option<(String, &'static str)> {
    let name = key.name();
    if path == "decode.service" {
        let is_table = !tables_within(path, &key.kind()).is_empty();
        return is_table.then(|| (format!("service.{name}"), "service"));
    }
    let first = SPEC.keys.iter().find(|first| path == "decode" && first.name() == name)?;
    let is_same = match (first.kind(), key.kind()) {
        (Kind::Table(one), Kind::Table(other)) => one.doc == other.doc,
        (Kind::Union(one), Kind::Union(other)) => one.doc == other.doc,
        _ => false,
    };
    is_same.then(|| (name.to_owned(), first.name()))
}

/// The tables that a key of this kind can hold, with their titles.
fn tables_within(path: &str, kind: &Kind) -> Vec<(String, &'static TableSpec)> {
    match kind {
        Kind::Table(spec) => vec![(format!("[{path}]"), spec)],
        Kind::List(inner) => match inner.as_ref() {
            Kind::Table(spec) => vec![(format!("[[{path}]]"), spec)],
            _ => Vec::new(),
        },
        Kind::Map(inner) => tables_within(&format!("{path}.\"…\""), inner),
        Kind::Either(kinds) => kinds.iter().flat_map(|kind| tables_within(path, kind)).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every key below these, with the path to it.
    fn collect(path: &str, keys: &[&dyn AnyKey], found: &mut Vec<(String, &'static str)>) {
        for key in keys {
            let path = format!("{path}.{}", key.name());
            found.push((path.clone(), key.doc()));
            within(&path, &key.kind(), found);
        }
    }

    fn within(path: &str, kind: &Kind, found: &mut Vec<(String, &'static str)>) {
        match kind {
            Kind::Table(spec) => collect(path, spec.keys, found),
            Kind::Union(spec) => {
                collect(path, spec.common, found);
                spec.variants.iter().for_each(|variant| collect(path, variant.keys, found));
            }
            Kind::List(inner) | Kind::Map(inner) => within(path, inner, found),
            Kind::Either(kinds) => kinds.iter().for_each(|kind| within(path, kind, found)),
            _ => {}
        }
    }

    #[test]
    fn no_key_of_the_schema_is_missing_on_the_page() {
        let mut keys = Vec::new();
        collect("", SPEC.keys, &mut keys);
        let pages: Vec<String> = reference_pages().into_iter().map(|page| page.text).collect();
        let page = pages.concat().replace("](../", "](");
        let missing: Vec<&String> =
            keys.iter().filter(|(_, doc)| !page.contains(doc)).map(|(path, _)| path).collect();
        assert!(keys.len() > 300, "{} keys", keys.len());
        assert!(missing.is_empty(), "{missing:?}");
    }
}
