//! KEDA's ScaledObject (keda.sh/v1alpha1): an executor between zero and one, and an HPA from there on.
//!
//! Two loops: the executor polls the triggers every `polling_interval` and moves the pool between zero (or idle) and the
//! minimum ([`executor`]); the HPA that KEDA generates does the rest ([`super::hpa`]), on external metrics that KEDA answers
//! from the triggers, or from the fallback while a trigger fails ([`fallback`]).
//!
//! Source: kedacore/keda at 8b4f083 (2026): `pkg/scaling/executor/scale_scaledobjects.go`, `pkg/fallback/fallback.go`,
//! `controllers/keda/hpa.go`.

mod cron;
mod cron_settings;
pub(super) mod executor;
mod expression;
pub(super) mod fallback;
mod formula;
pub(super) mod manifest;
mod manifest_trigger;
pub(super) mod policy;
mod recorded_formula;
pub(super) mod release;
pub(super) mod replay;
mod scalers;
pub(super) mod settings;

use super::hpa::Hpa;
use crate::autoscaler::{Signal, Timed};
use crate::time::Span;
use cron::{CronTrigger, WallClock};
use cron_settings::NamedCron;
use expression::Expression;
use fallback::Fallback;
use release::Release;

/// Settings of a scaled object, and of the HPA it generates.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Keda {
    pub min: i32,
    pub idle: Option<i32>,
    pub polling_interval: Span,
    /// Shift of the polls.
    pub polling_phase: Span,
    pub cooldown_period: Span,
    pub initial_cooldown_period: Span,
    /// By trigger, in the order of the HPA's metrics.
    pub activations: Vec<Activation>,
    /// What each trigger's value is in a simulation, in the same order.
    pub values: Vec<TriggerValue>,
    /// Whether the HPA is given the value of the last poll (`useCachedMetrics`), in the same order.
    pub cached: Vec<bool>,
    /// When the run starts, for triggers that go by the clock.
    pub clock: WallClock,
    pub fallback: Option<Fallback>,
    pub pause: Pause,
    pub force_activation: bool,
    pub hpa: Hpa,
    pub release: Release,
}

/// What the value of a trigger is in a simulation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TriggerValue {
    /// The signal of its metric.
    Signal,
    /// Replicas by the clock.
    Cron(CronTrigger),
    /// A formula over signals.
    Formula(Formula),
}

/// A formula over signals and schedules.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Formula {
    expression: Expression,
    crons: Vec<NamedCron>,
}

impl Formula {
    /// The times of requests that it uses.
    pub fn times(&self) -> impl Iterator<Item = Timed> {
        let signals = self.expression.names().filter_map(Signal::named);
        signals.filter_map(Signal::timed)
    }

    /// Whether it uses any.
    pub fn uses_times(&self) -> bool {
        self.times().next().is_some()
    }
}

/// When a trigger is active.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Activation {
    /// While its value is above this.
    Above(f64),
    /// The CPU and memory triggers say nothing about zero; alone they keep the pool active.
    Resource,
}

/// What the annotations `autoscaling.keda.sh/paused…` stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Pause {
    /// All scaling.
    pub all: bool,
    /// All scaling, at so many replicas.
    pub at: Option<i32>,
    pub scale_in: bool,
    pub scale_out: bool,
}

impl Pause {
    /// Whether the HPA is gone.
    pub fn is_whole(&self) -> bool {
        self.all || self.at.is_some()
    }
}
