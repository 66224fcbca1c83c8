//! Kneepoint in a browser: the live page, and the engine that it runs in a worker. No server, no thread, no file.
//!
//! [`page`] is the page. [`answer`] is what the engine says to a question of it: the same lines that `kneepoint serve` sends, and,
//! as a test shows, the same bytes on every machine. For `wasm32-unknown-unknown` the module [`exports`] hands both to the
//! worker, by C functions of numbers alone: no tool is needed that writes code between the two languages.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use kneepoint::live::{self, Engine, OpenFile};
use kneepoint::{CancelToken, Memory};
use serde::Deserialize;

#[cfg(target_arch = "wasm32")]
mod exports;

/// States the shipped scenarios that the playground opens.
macro_rules! scenarios {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../scenarios/", $name, ".toml")))),*]
    };
}

/// The shipped scenarios that name no other file, the quickstart first.
const SCENARIOS: [(&str, &str); 11] = scenarios![
    "quickstart",
    "autoscaler-shootout",
    "bursty-api",
    "dynamic-batching",
    "gpu-cold-start",
    "llm-chat",
    "retry-storm",
    "scale-to-zero",
    "spot",
    "two-classes",
    "walkthrough",
];

/// The scenarios, open.
fn files() -> &'static [OpenFile] {
    static FILES: OnceLock<Vec<OpenFile>> = OnceLock::new();
    FILES.get_or_init(|| {
        let open = |(name, text): &(&str, &str)| {
            let path = PathBuf::from(format!("{name}.toml"));
            OpenFile::new(Arc::new(Memory::default()), path, (*text).to_owned())
        };
        SCENARIOS.iter().map(open).collect()
    })
}

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(Engine::of_a_page)
}

/// The page, which loads the engine from the address `module`.
pub fn page(module: &str) -> String {
    live::playground(files(), module)
}

/// What a page asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Results, stage by stage.
    Run,
    /// The page of a whole report.
    Report,
    /// The manifest of the autoscaler.
    Manifest,
}

/// A question of the page.
#[derive(Debug, Deserialize)]
struct Question {
    scenario: usize,
    text: String,
    #[serde(default)]
    moves: Vec<(String, f64)>,
}

/// Answers a question, JSON as the page sends it, by lines; `elapsed` tells how many milliseconds it has taken so far.
pub fn answer(
    what: What,
    question: &[u8],
    elapsed: &(dyn Fn() -> f64 + Sync),
    tell: &mut (dyn FnMut(&str) + Send),
) {
    let asked = serde_json::from_slice::<Question>(question);
    let known = asked.ok().and_then(|asked| files().get(asked.scenario).map(|file| (asked, file)));
    let Some((asked, file)) = known else {
        return tell(r#"{"kind":"error","message":"this is no question of the page","at":null}"#);
    };
    let mut send = |line: &str| -> io::Result<()> {
        tell(line);
        Ok(())
    };
    let (engine, cancel) = (engine(), CancelToken::default());
    let made = match what {
        What::Run => {
            if let Ok(Some(text)) = live::begun(&asked.text, &asked.moves, &mut send) {
                live::run(engine, file, &text, &cancel, elapsed, &mut send);
            }
            return;
        }
        What::Report => live::report(engine, file, &asked.text, &cancel).map(Option::unwrap_or_default),
        What::Manifest => live::manifest(engine, file, &asked.text),
    };
    tell(&match made {
        Ok(text) => serde_json::json!({ "text": text }).to_string(),
        Err(fault) => serde_json::json!({ "fault": fault }).to_string(),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(what: What, question: &str) -> Vec<serde_json::Value> {
        let mut lines = Vec::new();
        answer(what, question.as_bytes(), &|| 0.0, &mut |line| {
            lines.push(serde_json::from_str(line).unwrap())
        });
        lines
    }

    fn question(text: &str) -> String {
        serde_json::json!({ "page": "p", "scenario": 0, "text": text, "moves": [] }).to_string()
    }

    #[test]
    fn every_scenario_of_the_page_can_be_read() {
        for (place, (name, text)) in SCENARIOS.iter().enumerate() {
            let fault = live::check(engine(), &files()[place], text);
            assert_eq!(fault, Ok(()), "{name}");
        }
    }

    #[test]
    fn a_question_is_answered_by_lines_and_a_wrong_one_by_a_fault() {
        let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
                    instances = 12\n[run]\nduration = \"5m\"\nreplications = 2\n";
        let told = lines(What::Run, &question(text));
        assert_eq!(told[0]["kind"], "text");
        assert_eq!(told.last().unwrap()["kind"], "done");
        assert!(told.iter().any(|line| line["kind"] == "result" && line["replications"] == 2), "{told:?}");
        assert!(lines(What::Report, &question(text))[0]["text"].as_str().unwrap().contains("kneepoint-data"));
        let wrong = lines(What::Run, &question(&text.replace("= 8", "= x")));
        assert_eq!((&wrong[1]["kind"], &wrong[1]["at"][0]), (&"error".into(), &3.into()), "{wrong:?}");
        assert_eq!(lines(What::Run, "nonsense")[0]["kind"], "error");
    }
}
