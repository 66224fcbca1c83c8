//! The documents of a file, and which object of them is meant.

use std::cell::RefCell;

use super::Translation;
use crate::schema::{Data, Node, Problem};

/// What the scenario says beside the name of the file: which object is meant, and what the file leaves out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    /// Name of the object, where a file has several.
    pub name: Option<String>,
    /// The part of the object, where it has several that take turns: what follows the last slash of the name.
    pub profile: Option<String>,
    /// The kind of autoscaler, where the scenario says it and the file does not settle it.
    pub kind: Option<String>,
    /// Cores that a pod requests, where the file does not say it.
    pub cpu: Option<f64>,
    /// Bytes of memory that a pod requests.
    pub memory: Option<f64>,
    /// Whether metrics are recorded ones, so that targets stay as they are written, in the units of their metrics.
    pub as_written: bool,
}

impl Selection {
    /// A quantity as the scenario writes it.
    pub fn quantity(node: &Node) -> Option<f64> {
        quantity(node)
    }
}

/// A form of manifest: how its objects are found, and how one is read.
#[derive(Debug)]
pub(crate) struct Form {
    /// What it is called, with its article.
    pub name: &'static str,
    /// Objects of this form among the documents of a file.
    pub find: fn(&[Node]) -> Vec<Candidate<'_>>,
    /// Reads one of them.
    pub read: fn(&Candidate<'_>, &Manifest<'_>) -> Result<Translation, Problem>,
}

/// An object that can be read.
#[derive(Debug, Clone)]
pub(crate) struct Candidate<'a> {
    /// What the form calls it: the kind of a Kubernetes object.
    pub kind: &'a str,
    /// Its name; empty where it has none.
    pub name: String,
    /// The object.
    pub node: &'a Node,
}

/// The file around an object.
#[derive(Debug)]
pub(crate) struct Manifest<'a> {
    /// All documents of the file, lists taken apart.
    pub documents: &'a [Node],
    /// What the scenario says.
    pub selection: &'a Selection,
    /// Documents beside the object that something was taken from.
    pub used: RefCell<Vec<&'a Node>>,
}

impl<'a> Manifest<'a> {
    /// The file around an object, nothing of it used yet.
    pub fn new(documents: &'a [Node], selection: &'a Selection) -> Manifest<'a> {
        Manifest { documents, selection, used: RefCell::default() }
    }

    /// Notes that something is taken from a document beside the object.
    pub fn takes_from(&self, document: &'a Node) {
        self.used.borrow_mut().push(document);
    }

    /// An empty translation to an autoscaler of a kind.
    pub fn translation(&self, kind: &'static str) -> Translation {
        Translation::new(kind).of_recording(self.selection.as_written)
    }
}

/// The objects of a kind of Kubernetes whose API group starts with `group`.
pub(crate) fn of_kind<'a>(documents: &'a [Node], group: &str, kind: &str) -> Vec<Candidate<'a>> {
    let is_of = |document: &&Node| {
        super::text_of(document, "kind") == Some(kind)
            && super::text_of(document, "apiVersion").is_some_and(|version| version.starts_with(group))
    };
    let candidate = |node: &'a Node| Candidate {
        kind: super::text_of(node, "kind").unwrap_or_default(),
        name: metadata_name(node).unwrap_or_default().to_owned(),
        node,
    };
    documents.iter().filter(is_of).map(candidate).collect()
}

/// The name in the metadata of an object.
pub(crate) fn metadata_name(document: &Node) -> Option<&str> {
    super::text_of(super::field_of(document, "metadata")?, "name")
}

impl Manifest<'_> {
    /// Cores that a pod of the workload `target` requests: of all its containers, or of `container` alone. Said by the
    /// scenario, else by the workload in the same file.
    pub fn cpu_request(&self, target: Option<&str>, container: Option<&str>) -> Option<f64> {
        self.selection.cpu.or_else(|| self.request("cpu", target, container))
    }

    /// The same of bytes of memory.
    pub fn memory_request(&self, target: Option<&str>, container: Option<&str>) -> Option<f64> {
        self.selection.memory.or_else(|| self.request("memory", target, container))
    }

    fn request(&self, resource: &str, target: Option<&str>, container: Option<&str>) -> Option<f64> {
        let is_target = |document: &&Node| {
            let kind = super::text_of(document, "kind").unwrap_or_default();
            ["Deployment", "StatefulSet", "ReplicaSet", "Rollout", "LeaderWorkerSet"].contains(&kind)
                && (target.is_none() || metadata_name(document) == target)
        };
        let path = ["spec", "template", "spec", "containers"];
        let workload = self.documents.iter().find(is_target)?;
        let containers = path.iter().try_fold(workload, |node, step| super::field_of(node, step))?;
        let Data::Array(containers) = &containers.data else { return None };
        let of_container = |node: &Node| -> Option<f64> {
            let resources = super::field_of(node, "resources")?;
            // What is limited and not requested is requested.
            let requests =
                super::field_of(resources, "requests").and_then(|all| super::field_of(all, resource));
            let limits =
                || super::field_of(resources, "limits").and_then(|all| super::field_of(all, resource));
            quantity(requests.or_else(limits)?)
        };
        self.takes_from(workload);
        let meant = |node: &&Node| container.is_none_or(|name| super::text_of(node, "name") == Some(name));
        containers.iter().filter(meant).map(of_container).sum()
    }
}

/// A quantity of Kubernetes as a number.
pub(crate) fn quantity(node: &Node) -> Option<f64> {
    match &node.data {
        Data::Integer(integer) => Some(*integer as f64),
        Data::Float(float) => Some(*float),
        Data::Text(text) => {
            super::quantity::parse_quantity(text).map(|thousandths| thousandths as f64 / 1000.0)
        }
        _ => None,
    }
}
