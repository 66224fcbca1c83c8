//! What a manifest comes to: settings with their places, and what of it is not used.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::codec::Codec;
use super::manifest_fields::manifest_place;
use super::terraform_names;
use crate::document::edit::{Edit, Slot, replace};
#[cfg(test)]
use crate::schema::Problem;
use crate::schema::{Data, Node, Place, Table};

/// The settings of an autoscaler that a manifest makes.
#[derive(Debug, Clone, PartialEq)]
pub struct Translation {
    /// The kind of autoscaler it configures.
    pub kind: &'static str,
    /// What form of which system it is, with the name of the object that was taken.
    form: Option<String>,
    /// By key.
    settings: BTreeMap<String, Setting>,
    openings: Vec<Opening>,
    /// Keys whose field is written without a value, with the field's path and place.
    empty: Vec<(String, String, Place)>,
    remarks: Vec<Remark>,
    /// Names of the fields of each object that was read, by its path.
    known: Vec<(String, Vec<String>)>,
    /// Fields that their objects do not have.
    strays: Vec<Stray>,
    questions: Vec<Question>,
    /// Over how many seconds each metric that is settled is averaged, with its path and place.
    windows: Vec<(String, f64, Place)>,
    /// Whether targets stay as they are written, to be compared with recorded values.
    as_written: bool,
    /// Whether the file has Terraform's names for the fields.
    is_terraform: bool,
}

/// One key of `[autoscaler]` that a manifest sets: its path beneath that, such as `metrics.0.average_utilization`, is
/// the key of the map of settings.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Setting {
    /// Its value, at the place of the field.
    pub value: Node,
    /// The field of the manifest, and how it is written; `None` for what is derived from other fields.
    pub field: Option<(Node, Codec)>,
}

/// A field that the manifest leaves out and could have.
#[derive(Debug, Clone, PartialEq)]
struct Opening {
    key: String,
    slot: Arc<Slot>,
    /// Names of tables that are left out too, then that of the field.
    names: Vec<String>,
    codec: Codec,
}

/// A field that its object does not have, and another may.
#[derive(Debug, Clone, PartialEq)]
struct Stray {
    /// Its full path.
    path: String,
    name: String,
    place: Place,
    /// The number of the remark on it, if there is one.
    remark: Option<usize>,
}

/// Whether two paths are the same but for places in lists.
fn is_alike(one: &str, other: &str) -> bool {
    let plain = |path: &str| path.replace(|c: char| c.is_ascii_digit(), "");
    plain(one) == plain(other)
}

/// Something of a manifest that a user must know.
#[derive(Debug, Clone, PartialEq)]
pub struct Remark {
    /// Whether a field is not used at all, rather than used in a way that has to be said.
    pub unused: bool,
    /// Whether it is expected, so that it is listed and not warned of.
    pub is_quiet: bool,
    /// One phrase, with the path of the field.
    pub text: String,
    /// Where it stands.
    pub place: Place,
}

impl Remark {
    /// The field that it is about: the path its text begins with.
    pub fn name(&self) -> &str {
        let name = self.text.split_whitespace().next().unwrap_or(&self.text);
        name.trim_matches('`')
    }
}

/// A key that the manifest does not settle, so that a user has to.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Its path beneath `[autoscaler]`.
    pub key: String,
    /// Why it is not settled, as one phrase.
    pub why: String,
    /// What is expected, and what the line to add is like.
    pub label: String,
    /// The line to add to `[autoscaler]`.
    pub line: String,
    /// Where the field stands that leaves it open.
    pub place: Place,
}

/// A change of one setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Path of the key beneath `[autoscaler]`.
    pub key: String,
    /// The new value, as the scenario writes it.
    pub value: Data,
}

impl Translation {
    pub(crate) fn new(kind: &'static str) -> Translation {
        Translation {
            kind,
            form: None,
            settings: BTreeMap::new(),
            openings: Vec::new(),
            empty: Vec::new(),
            remarks: Vec::new(),
            known: Vec::new(),
            strays: Vec::new(),
            questions: Vec::new(),
            windows: Vec::new(),
            as_written: false,
            is_terraform: false,
        }
    }

    /// The same, with targets that stay as they are written or do not.
    pub(super) fn of_recording(self, as_written: bool) -> Translation {
        Translation { as_written, ..self }
    }

    /// Whether targets stay as they are written.
    pub(crate) fn is_as_written(&self) -> bool {
        self.as_written
    }

    /// Notes over how many seconds a metric is averaged by its own query; 0 for a value as it is scraped.
    pub(super) fn averages(&mut self, path: String, window_s: f64, place: &Place) {
        self.windows.push((path, window_s, manifest_place(place)));
    }

    /// The window that every metric of the manifest is averaged over, in seconds; `None` where they differ, or where one is
    /// not averaged.
    pub fn window_s(&self) -> Option<f64> {
        let is_metric = |key: &&String| {
            (key.starts_with("metrics.") || key.starts_with("triggers.")) && key.ends_with(".type")
        };
        let (_, first, _) = self.windows.first()?;
        let alike = self.windows.iter().all(|(_, window_s, _)| window_s == first);
        let all = self.settings.keys().filter(is_metric).count();
        (alike && *first > 0.0 && self.windows.len() == all).then_some(*first)
    }

    /// Says what becomes of the windows of queries.
    pub(crate) fn tell_windows(mut self) -> Translation {
        let is_taken = self.window_s().is_some();
        for (path, window_s, place) in
            self.windows.clone().into_iter().filter(|(_, window_s, _)| *window_s > 0.0)
        {
            let what = if is_taken {
                "which `metrics.window` has from there"
            } else {
                "and others do not: set `metrics.window`"
            };
            self.note(format!("{path} averages over {window_s} s, {what}"), &place);
        }
        self
    }

    /// What form of which system it is, with the name of the object that was taken: `HorizontalPodAutoscaler "chat"`.
    pub fn form(&self) -> Option<&str> {
        self.form.as_deref()
    }

    /// The same of a file of Terraform, whose own names for the fields remarks then have.
    #[must_use]
    pub(crate) fn of_terraform(mut self) -> Translation {
        self.is_terraform = true;
        for text in self.remarks.iter_mut().map(|remark| &mut remark.text) {
            *text = terraform_names::own_names(text);
        }
        self
    }

    /// The same translation of a form called so.
    #[must_use]
    pub(crate) fn of_form(self, form: String) -> Translation {
        Translation { form: Some(form), ..self }
    }

    /// What `check` warns of, in the order it was met.
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// What is said of a field whose name is like one that is left out, or that stands in the wrong place: a slip of the pen. One
    /// that may have been meant as `field`, where that is known to be what is missing.
    pub fn slip(&self, field: Option<&str>) -> Option<&Remark> {
        let mut slips = self.remarks.iter().filter(|remark| remark.text.contains("did you mean"));
        slips.find(|Remark { text, .. }| {
            field.is_none_or(|field| {
                text.ends_with(&format!("`{field}`?")) || text.ends_with(&format!(".{field}`?"))
            })
        })
    }

    /// The field that would set a key and is written without a value: its name, and where it stands.
    pub fn empty_field(&self, key: &str) -> Option<(&str, &Place)> {
        self.empty.iter().find(|(known, ..)| known == key).map(|(_, name, place)| (name.as_str(), place))
    }

    /// Notes that a field which would set `key` is written without a value.
    pub(super) fn leave_empty(&mut self, key: String, name: String, place: &Place) {
        self.empty.push((key, name, manifest_place(place)));
    }

    /// Name of the field that would set a key and is left out.
    pub fn field_of(&self, key: &str) -> Option<String> {
        let opening = self.openings.iter().rev().find(|opening| opening.key == key)?;
        let name = opening.names.last()?;
        Some(if self.is_terraform { terraform_names::own_name(name) } else { name.clone() })
    }

    /// Where that field would stand.
    pub fn place_of(&self, key: &str) -> Option<Place> {
        let opening = self.openings.iter().rev().find(|opening| opening.key == key)?;
        Some(Place::Manifest(opening.slot.span()))
    }

    /// What a user has to settle.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// Leaves a key to the user.
    pub(crate) fn ask(&mut self, question: Question) {
        let place = manifest_place(&question.place);
        self.questions.push(Question { place, ..question });
    }

    /// The settings by their keys.
    pub(crate) fn settings(&self) -> &BTreeMap<String, Setting> {
        &self.settings
    }

    /// Whether a key is set.
    pub(crate) fn sets(&self, key: &str) -> bool {
        self.settings.contains_key(key)
    }

    /// The value of a key.
    pub(crate) fn value(&self, key: &str) -> Option<&Data> {
        self.settings.get(key).map(|setting| &setting.value.data)
    }

    /// Sets a key by a field of the manifest; what was set before is overridden.
    pub(crate) fn set_field(&mut self, key: String, value: Data, field: &Node, codec: Codec) {
        let value = Node { data: value, place: manifest_place(&field.place) };
        self.settings.insert(key, Setting { value, field: Some((field.clone(), codec)) });
    }

    /// Sets a key to what follows from fields at `place`.
    pub(crate) fn set(&mut self, key: String, data: Data, place: &Place) {
        let value = Node { data, place: manifest_place(place) };
        self.settings.insert(key, Setting { value, field: None });
    }

    /// Takes a setting back.
    pub(crate) fn unset(&mut self, key: &str) {
        self.settings.remove(key);
    }

    /// Notes that a field which is left out would set `key`.
    pub(super) fn open(&mut self, key: String, slot: Arc<Slot>, names: Vec<String>, codec: Codec) {
        self.openings.push(Opening { key, slot, names, codec });
    }

    /// Notes a field that is not used.
    pub(crate) fn unused(&mut self, text: String, place: &Place) {
        self.remarks.push(Remark { unused: true, is_quiet: false, text, place: manifest_place(place) });
    }

    /// Notes which fields an object can have.
    pub(crate) fn knows(&mut self, path: &str, names: Vec<String>) {
        self.known.push((path.to_owned(), names));
    }

    /// Notes a field called `name` that its object does not have, by its full path, with what is said of it unless another object
    /// has it.
    pub(super) fn stray(&mut self, path: String, name: &str, said: String, place: &Place) {
        let remark = Some(self.remarks.len());
        self.unused(said, place);
        self.strays.push(Stray { path, name: name.to_owned(), place: manifest_place(place), remark });
    }

    /// The same of one that is named only if another object has it.
    pub(crate) fn quiet_stray(&mut self, path: String, name: &str, place: &Place) {
        self.strays.push(Stray { path, name: name.to_owned(), place: manifest_place(place), remark: None });
    }

    /// Says of the fields that their objects do not have where they belong, as far as few objects have them.
    pub(crate) fn tell_strays(mut self) -> Translation {
        const MOST_HOMES: usize = 2;
        for Stray { path, name, place, remark } in std::mem::take(&mut self.strays) {
            let mut homes: Vec<&str> = Vec::new();
            for (home, _) in self.known.iter().filter(|(_, names)| names.contains(&name)) {
                if !homes.iter().any(|known| is_alike(known, home)) {
                    homes.push(home);
                }
            }
            if homes.is_empty() || homes.len() > MOST_HOMES {
                continue;
            }
            let field = |home: &&str| match home.is_empty() {
                true => format!("`{name}`"),
                false => format!("`{home}.{name}`"),
            };
            let homes = homes.iter().map(field).collect::<Vec<_>>().join(" or ");
            let text = format!("{path} stands in the wrong place: did you mean {homes}?");
            match remark {
                Some(index) => self.remarks[index].text = text,
                None => self.remarks.push(Remark { unused: true, is_quiet: false, text, place }),
            }
        }
        self
    }

    /// Lists a field that is not used, as one expects: addresses, what the cluster reports, other objects.
    pub(crate) fn aside(&mut self, text: String, place: &Place) {
        self.remarks.push(Remark { unused: true, is_quiet: true, text, place: manifest_place(place) });
    }

    /// Notes how something is used.
    pub(crate) fn note(&mut self, text: String, place: &Place) {
        self.remarks.push(Remark { unused: false, is_quiet: false, text, place: manifest_place(place) });
    }

    /// The keys as a table, each at its place in the manifest.
    pub fn table(&self) -> Table {
        let mut root = Node { data: Data::Table(Table::EMPTY), place: Place::Nowhere };
        for (key, setting) in &self.settings {
            put_at(&mut root, key, setting.value.clone());
        }
        match root.data {
            Data::Table(table) => table,
            _ => Table::EMPTY,
        }
    }

    /// Keys that fields which are left out would set.
    #[cfg(test)]
    pub(crate) fn open_keys(&self) -> impl Iterator<Item = (&str, Codec)> {
        let openings = self.openings.iter().filter(|opening| !self.sets(&opening.key));
        openings.map(|opening| (opening.key.as_str(), opening.codec))
    }

    /// The keys as JSON.
    #[cfg(test)]
    pub(crate) fn json(&self) -> serde_json::Value {
        Node { data: Data::Table(self.table()), place: Place::Nowhere }.to_json()
    }

    /// What `check` warns of.
    #[cfg(test)]
    pub(crate) fn warnings(&self) -> Vec<&str> {
        self.remarks.iter().filter(|remark| !remark.is_quiet).map(|remark| remark.text.as_str()).collect()
    }

    /// The autoscaler that a scenario makes of the settings.
    #[cfg(test)]
    pub(crate) fn autoscaler(&self) -> Result<crate::autoscaler::Autoscaler, Problem> {
        let mut table = self.table();
        table.insert("kind", Node { data: Data::Text(self.kind.into()), place: Place::Nowhere });
        let node = Node { data: Data::Table(table), place: Place::Nowhere };
        crate::autoscaler::Autoscaler::read(&node, "autoscaler", &crate::schema::Context::default())
    }

    /// The change of the manifest's text that sets one key.
    ///
    /// # Errors
    /// Why the manifest cannot express it, as one sentence.
    pub(crate) fn edit(&self, change: &Change) -> Result<Edit, String> {
        let refuse = |why: String| format!("`autoscaler.{}` cannot be written: {why}", change.key);
        if let Some(setting) = self.settings.get(&change.key) {
            let no_field = || refuse("it follows from other fields of the manifest".into());
            let (field, codec) = setting.field.as_ref().ok_or_else(no_field)?;
            return codec.write(&change.value).and_then(|scalar| replace(field, &scalar)).map_err(refuse);
        }
        // The newest name of a field stands last in its table.
        let opening = self.openings.iter().rev().find(|opening| opening.key == change.key);
        let opening = opening.ok_or_else(|| refuse("the manifest has no field for it".into()))?;
        let scalar = opening.codec.write(&change.value).map_err(refuse)?;
        let names: Vec<&str> = opening.names.iter().map(String::as_str).collect();
        Ok(opening.slot.insert(&names, &scalar))
    }
}

/// Puts a value at a path of names and, where a step is a number, places of a list.
fn put_at(node: &mut Node, path: &str, value: Node) {
    let (step, rest) = path.split_once('.').map_or((path, None), |(step, rest)| (step, Some(rest)));
    let place = value.place.clone();
    let next = || match rest.and_then(|rest| rest.split('.').next()).map(str::parse::<usize>) {
        Some(Ok(_)) => Data::Array(Vec::new()),
        _ => Data::Table(Table::EMPTY),
    };
    let inner = match (&mut node.data, step.parse::<usize>()) {
        (Data::Array(items), Ok(index)) => {
            while items.len() <= index {
                items.push(Node { data: next(), place: place.clone() });
            }
            &mut items[index]
        }
        (Data::Table(table), _) => {
            if table.get(step).is_none() {
                table.insert(step, Node { data: next(), place: place.clone() });
            }
            table.entry(step, &place)
        }
        _ => return,
    };
    match rest {
        Some(rest) => put_at(inner, rest, value),
        // An object or a list may be set before what is in it, or after.
        None if matches!(&value.data, Data::Table(new) if new.is_empty())
            && matches!(inner.data, Data::Table(_)) =>
        {
            inner.place = place;
        }
        None => *inner = value,
    }
}
