//! Kneepoint: a discrete-event capacity-planning simulator for auto-scaled inference endpoints.
//!
//! The command `kneepoint` is the usual way in; see the README. As a library:
//!
//! ```
//! use std::path::Path;
//!
//! use kneepoint::random::Streams;
//! use kneepoint::scenario::ScenarioFile;
//! use kneepoint::sim::{Options, simulate};
//! use kneepoint::time::Span;
//!
//! let text = r#"
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
//! "#;
//! let scenario = ScenarioFile::parse("example.toml", text, Path::new(".")).unwrap().scenario().unwrap();
//! let options = Options { mark_interval: Span::from_secs(60), timeline: false, decisions: false };
//! let (outcome, ()) = simulate(&scenario.model, Streams::new(1, 0), &options, ());
//! assert!(outcome.counts.conserved());
//! assert!(outcome.latency.mean().unwrap() > 0.9);
//! ```
//!
//! # Where things live
//!
//! Each floor may use those below it, never those above.
//!
//! | floor | what |
//! |---|---|
//! | [`cli`] | one file a command; progress and terminal tables |
//! | [`report`] | charts, tables, `report.html`, files: functions of results |
//! | [`experiment`] | replications, sweeps, intervals, frontier and knee |
//! | [`scenario`] | the file a user writes, assembled and checked |
//! | [`sim`] | one run: engine, pool, dispatch, observation, accounting |
//! | [`service`], [`arrivals`], [`autoscaler`] | what a run is made of, one file a kind; they know nothing of the engine |
//! | [`theory`], [`stats`], [`traffic`], [`distribution`] | exact results, statistics, readers of traces, distributions |
//! | [`document`] | TOML, YAML and JSON with places |
//! | [`schema`], [`time`], [`random`], [`units`] | the ground: keys of tables, instants, named random streams, durations |

#![warn(clippy::unwrap_used)]

pub mod arrivals;
pub mod autoscaler;
pub mod cancel;
#[cfg(feature = "cli")]
pub mod cli;
pub mod distribution;
pub mod document;
pub mod experiment;
pub mod files;
pub mod random;
pub mod report;
mod same;
pub mod scenario;
pub mod schema;
pub mod service;
pub mod sim;
pub mod stats;
pub mod theory;
pub mod time;
pub mod traffic;
pub mod units;
