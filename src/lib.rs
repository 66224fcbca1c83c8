//! Kneepoint: a discrete-event capacity-planning simulator for auto-scaled inference endpoints. What latency users see, what
//! it costs, and which settings to choose.
//!
//! The command `kneepoint` is the usual way in; see the README. This is the library below it, for programs. It does five
//! things, each with one function.
//!
//! # Reading
//!
//! A [`Scenario`] is one TOML text: traffic, service, instances, autoscaler, price. Its keys are described in `docs/scenario.md`.
//! It is loaded from disk, or from [`Memory`] where there is none; [`check`] validates it, and every [`Error`]
//! has the place of the error and what was expected there.
//!
//! ```
//! use kneepoint::{Scenario, check};
//!
//! let mut scenario = Scenario::load("scenarios/quickstart.toml")?;
//! scenario.set("run.replications", "3")?;
//! let checked = check(&scenario)?;
//! println!("{} points of {} replications", checked.points, checked.replications);
//!
//! let error = Scenario::parse("[arrivals\nkind = \"poisson\"").unwrap_err();
//! assert_eq!(error.location().unwrap().line, 1);
//! # Ok::<(), kneepoint::Error>(())
//! ```
//!
//! # Running
//!
//! [`run`] simulates a scenario, replication by replication. Every figure is an [`Estimate`]: a mean with its
//! 95 % confidence interval.
//!
//! ```
//! use kneepoint::{Options, Scenario, run};
//!
//! let scenario = Scenario::parse(r#"
//!     [arrivals]
//!     kind = "poisson"
//!     rate = 8
//!     [service]
//!     time = { dist = "exponential", mean = "1s" }
//!     [autoscaler]
//!     kind = "fixed"
//!     instances = 10
//!     [run]
//!     duration = "10m"
//! "#)?;
//! let result = run(&scenario, &Options::default())?;
//! let latency = result.figures().get("latency.mean");
//! // A queue with 10 servers, each busy 80 % of the time: 1.2 s by theory.
//! assert!((1.0..1.5).contains(&latency.mean.unwrap()) && latency.low.unwrap() < latency.high.unwrap());
//! # Ok::<(), kneepoint::Error>(())
//! ```
//!
//! # Sweeping
//!
//! [`sweep`] simulates every setting of the parameters that the scenario sweeps. It finds the frontier of cost versus latency
//! with its knee, and the cheapest setting that keeps the promise. A [`Report`] shows it in sentences, tables and charts.
//!
//! ```
//! # use kneepoint::Scenario;
//! use kneepoint::{Options, sweep};
//!
//! # let mut scenario = Scenario::parse("[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\n\
//! #     kind = \"fixed\"\ninstances = 10\n[cost]\nper_instance_hour = 2\n[slo]\nlatency = \"3s\"\n[run]\nduration = \"1m\"")?;
//! scenario.set("sweep.parameters", "{ 'autoscaler.instances' = [9, 12, 15] }")?;
//! let result = sweep(&scenario, &Options::default())?;
//! for point in result.points() {
//!     let figures = point.figures;
//!     println!("{}: {:?}, {:?} s", point.setting, figures.get("cost").mean, figures.get("latency.p99").mean);
//! }
//! let page = result.report().html()?;
//! # assert!(page.contains("</html>") && result.points().len() == 3);
//! # Ok::<(), kneepoint::Error>(())
//! ```
//!
//! # Comparing
//!
//! [`compare`] compares settings, with confidence intervals. All use the same random numbers, so the interval of a
//! difference is much narrower than those of the two figures.
//!
//! ```
//! # use kneepoint::Scenario;
//! use kneepoint::{Options, compare};
//!
//! # let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
//! #     instances = 10\n[cost]\nper_instance_hour = 2\n[run]\nduration = \"1m\"";
//! # let (today, mut tomorrow) = (Scenario::parse(text)?, Scenario::parse(text)?);
//! tomorrow.set("autoscaler.instances", "12")?;
//! let result = compare(&[&today, &tomorrow], &Options::default())?;
//! for difference in result.differences() {
//!     println!("{}: {:?}", difference.figure.name, difference.b_minus_a.mean);
//! }
//! # assert!(!result.differences().is_empty());
//! # Ok::<(), kneepoint::Error>(())
//! ```
//!
//! # Replaying
//!
//! [`replay`] gives recorded observations to a policy, which may be that of a deployed manifest, and returns its decisions and
//! their reasons.
//!
//! ```
//! use kneepoint::{Observations, Scenario, replay};
//!
//! # let policy = Scenario::parse("[autoscaler]\nkind = \"threshold\"\nmetric = \"concurrency\"\nmax = 9\n\
//! #     up = { above = 8 }\ndown = { below = 2 }")?;
//! let incident = Observations::csv("incident.csv", "time,ready,metric\n15,2,5\n30,2,9\n")?;
//! for decision in replay(&policy, &incident)? {
//!     println!("{:?}: {:?}", decision.desired(), decision.reason());
//! }
//! # Ok::<(), kneepoint::Error>(())
//! ```
//!
//! # Watching and stopping
//!
//! Work runs on the threads of the current [rayon](https://docs.rs/rayon) pool. [`Options`] takes a [`Progress`] that counts
//! what has been done, a [`CancelToken`] that stops it, and the memory that it may use. Results depend on none of them.
//!
//! # Features
//!
//! | feature | default | contents | cost |
//! |---|---|---|---|
//! | `cli` | yes | the command `kneepoint`: arguments, terminal tables, progress bar, Ctrl-C, output folders | 21 crates more: clap, clap_complete, anstream, indicatif, comfy-table, ctrlc, sysinfo, tempfile and what they need |
//! | `serve` | yes | `kneepoint serve`, the live page; turns on `cli` and `live` | 1 crate more: httparse |
//! | `live` | with `serve` | the engine of the live page, for the playground in a browser; unstable | none |
//! | `internals` | no | opens everything below this page to the crate's own tests and benches. **Unstable**: any of it may change in any release | nothing |
//!
//! Without `cli` the library opens no file but through [`Files`](io::Files), starts no thread but rayon's, and builds for
//! `wasm32-unknown-unknown`.
//!
//! # Where things live
//!
//! A floor uses those below it, never those above.
//!
//! | floor | contents |
//! |---|---|
//! | `cli` | one file per command; progress and terminal tables |
//! | `serve` | the live page: a local server and its guard |
//! | `live` | what a live page asks for: stages of an estimate, values to move; also for the playground |
//! | `api`, `internals` | the names of this page; everything below it, for the crate's own tests and benches |
//! | `report` | verdict, sentences, tables and charts as data; one renderer per form |
//! | `recommend` | the cheapest settings that keep every promise: search, race, verification, margins |
//! | `fit` | a fitted service against its own load test, each level driven again |
//! | `backtest` | simulated against measured, over time and in sum |
//! | `explain` | counterfactuals on the same random numbers: causes, shares, episodes |
//! | `experiment` | cases, records, replications; run, sweep, compare; intervals, frontier and knee |
//! | `lint` | traps in settings, found before a run |
//! | `scenario` | the file that a user writes, assembled and checked |
//! | `sim` | one run: engine, pool, dispatch, observation, accounting |
//! | `traffic_fit` | models of arrivals and laws of requests, fitted to recorded traffic |
//! | `arrivals`, `service`, `autoscaler` | what a run is made of, one file each; they know nothing of the engine |
//! | `traffic`, `distribution`, `stats`, `theory` | readers of traces, distributions, statistics, exact results |
//! | `schema` | statements of keys |
//! | `document`, `files` | TOML, YAML and JSON with places; how files are read |
//! | `random`, `time`, `units`, `dyn_eq`, `cancel`, `parallel`, `sorting` | the ground: random streams, instants, quantities, cancellation, threads, sorting |
//!
//! `docs/architecture.md` has the seams and how to add to each.

#![warn(clippy::unwrap_used)]
// What tests alone use goes with `internals`, names they reach it by as well; without the command line more is idle.
#![cfg_attr(not(feature = "internals"), allow(unused_imports))]
#![cfg_attr(not(any(feature = "internals", feature = "cli")), allow(dead_code))]

mod api;
mod arrivals;
mod autoscaler;
mod backtest;
mod cancel;
#[cfg(feature = "cli")]
#[doc(hidden)]
// Its comments are the texts of `--help`.
#[allow(rustdoc::invalid_html_tags)]
pub mod cli;
mod distribution;
mod document;
mod dyn_eq;
mod experiment;
mod explain;
mod files;
mod fit;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
mod lint;
#[cfg(feature = "live")]
#[doc(hidden)]
pub mod live;
mod parallel;
mod random;
mod recommend;
mod report;
mod scenario;
mod schema;
#[cfg(feature = "serve")]
mod serve;
mod service;
mod sim;
mod sorting;
mod stats;
mod theory;
mod time;
mod traffic;
mod traffic_fit;
mod units;

pub use api::{
    CompareResult, Error, Observations, Options, Report, RunResult, Scenario, Setting, SweepResult, check,
    compare, replay, run, sweep,
};
/// What a decision rests on: what [`recommend`] and [`explain`] come to.
pub mod decision {
    pub use crate::api::{Explanation, Recommendation};
}
pub use api::{explain, recommend};
pub use cancel::CancelToken;
pub use experiment::{Figure, Figures, Progress, SloVerdict, Unit, Verdict};
pub use files::Memory;
pub use stats::Estimate;

/// Where files are read from, for programs that bring their own; [`Memory`] is at the root.
pub mod io {
    pub use crate::files::{Disk, FileKind, Files};
}

/// Work that is divided among processes, of one machine or of many.
pub mod shards {
    pub use crate::api::{merge_shards, recommend_shared, shards_max, simulate_shard};
    pub use crate::experiment::Board;
}

/// What an [`Error`] says of itself.
pub mod error {
    pub use crate::api::{ErrorKind, Location};
}

/// The parts of results: what a call returns and no program has to name.
pub mod results {
    pub use crate::api::{Alternative, Checked, Decision, Difference, Point};
}
