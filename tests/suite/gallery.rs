//! The gallery: a picture and a paragraph of every shipped scenario, every kind of chart among them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kneepoint::internals::experiment::{Case, Evaluator, allowed};
use kneepoint::internals::report::chart;
use kneepoint::internals::scenario::ScenarioFile;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn names(folder: &str, extension: &str) -> BTreeSet<String> {
    let files = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let of_kind = files.filter(|path: &PathBuf| path.extension().is_some_and(|found| found == extension));
    of_kind.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

/// The sections of the page: the command, and the scenario and the chart of the picture below it.
fn sections() -> Vec<(String, String, String)> {
    let page = std::fs::read_to_string(root().join("docs/gallery.md")).unwrap();
    let mut found = Vec::new();
    let mut command = String::new();
    for line in page.lines() {
        if line.starts_with("kneepoint ") {
            line.clone_into(&mut command);
        }
        let Some((_, picture)) = line.split_once("](../output/gallery/") else { continue };
        let (scenario, chart) = picture.trim_end_matches(".svg)").rsplit_once('-').unwrap();
        found.push((std::mem::take(&mut command), scenario.to_owned(), chart.to_owned()));
    }
    found
}

#[test]
fn every_shipped_scenario_has_a_picture_that_its_command_draws() {
    let sections = sections();
    let shown: BTreeSet<String> = sections.iter().map(|(_, scenario, _)| scenario.clone()).collect();
    assert_eq!(shown, names("scenarios", "toml"));
    for (command, scenario, _) in &sections {
        assert!(command.ends_with(&format!(" scenarios/{scenario}.toml")), "{scenario}: {command}");
    }
    let pictures: BTreeSet<String> =
        sections.iter().map(|(_, scenario, chart)| format!("{scenario}-{chart}")).collect();
    assert_eq!(pictures, names("output/gallery", "svg"), ".ci/gallery draws them anew");
}

#[test]
fn every_kind_of_chart_is_shown_in_its_present_form() {
    let shown: BTreeSet<String> = sections().into_iter().map(|(.., chart)| chart).collect();
    // A backtest needs what was measured, and is a timeline.
    let kinds = chart::in_reports().map(|place| place.name.to_owned()).filter(|name| name != "backtest");
    assert_eq!(shown, kinds.collect());
    for picture in names("output/gallery", "svg") {
        let path = root().join("output/gallery").join(format!("{picture}.svg"));
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.len() < 150_000, "{picture}: {} bytes", text.len());
        assert!(text.contains("<text ") && !text.contains("<use"), "{picture}: .ci/gallery draws it anew");
        let scaled = text.contains("(log scale)") || text.contains("(linear scale)");
        assert!(scaled || picture.ends_with("heat_map"), "{picture}: .ci/gallery draws it anew");
    }
}

/// The settings at which a section says that the scenario keeps its SLO; `None` if it says nothing of it.
fn promise_of(scenario: &str) -> Option<Vec<String>> {
    let page = std::fs::read_to_string(root().join("docs/gallery.md")).unwrap();
    let command = format!(" scenarios/{scenario}.toml\n");
    let end = page.find(&command).unwrap();
    let section = page[..end].rsplit("\n## ").next().unwrap();
    let (_, rest) = section.split_once("*Keeps its SLO* ")?;
    let line = rest.lines().next().unwrap();
    Some(line.split('`').skip(1).step_by(2).map(str::to_owned).collect())
}

#[test]
fn every_shipped_scenario_keeps_its_slo_where_the_gallery_says_so() {
    let mut kept = 0;
    for scenario in names("scenarios", "toml") {
        let mut file = ScenarioFile::load(&root().join(format!("scenarios/{scenario}.toml"))).unwrap();
        let promise = promise_of(&scenario);
        if file.scenario().unwrap().model.slo.is_none() {
            assert!(promise.is_none(), "{scenario} promises nothing");
            continue;
        }
        let settings =
            promise.unwrap_or_else(|| panic!("docs/gallery.md does not say where {scenario} keeps its SLO"));
        let mut variant = None;
        for setting in settings {
            match setting.split_once(" = ") {
                Some((path, value)) => file.override_path(path, value).unwrap(),
                None => variant = Some(setting),
            }
        }
        let chosen = match &variant {
            None => file.scenario().unwrap(),
            Some(name) => file.variants().unwrap().into_iter().find(|(each, _)| each == name).unwrap().1,
        };
        let runs =
            Evaluator::default().evaluate(&[Case::some(&chosen, 0..1)], &(), |_, records| records).unwrap();
        let (promises, _) = runs[0][0].kept().unwrap_or_else(|| panic!("{scenario}: no request has ended"));
        for (promise, allowed) in promises.iter().zip(allowed(&[&chosen]).unwrap()) {
            let share = promise.missed / promise.counted.max(1.0);
            assert!(
                share <= allowed,
                "{scenario} {variant:?}: {share} of the promised miss it, {allowed} may"
            );
        }
        kept += 1;
    }
    assert!(kept >= 38, "{kept} keep their SLO");
}
