//! AWS: Application Auto Scaling, as SageMaker endpoints use it, and EC2 Auto Scaling groups as an option.
//!
//! CloudWatch metrics come a period at a time and late; alarms over them ask scaling policies for capacity; the largest
//! capacity asked for wins, and scale-in needs every target tracking policy to agree. Sources: Application Auto Scaling,
//! EC2 Auto Scaling and SageMaker guides (texts of 2023) and the API references; what AWS does not publish is a key.

mod alarms;
mod aws_policy;
mod explain;
pub(super) mod manifest;
mod manifest_metric;
mod metrics;
mod policy;
mod replay;
mod step_scaling;
mod target_tracking;

use self::aws_policy::AwsPolicy;
use self::policy::ScalingPolicy;
use super::{Limits, MetricsDefaults, PHASE, Policy, PolicyContext, Replay, Schedule, Settings, Watched};
use crate::schema::{Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice};
use crate::time::Span;

/// `kind = "aws"`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Aws {
    schedule: Schedule,
    limits: Limits,
    service: Service,
    instance_warmup: Span,
    policies: Vec<ScalingPolicy>,
}

/// Which service scales: they differ in how an action under way counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    Application,
    Ec2,
}

impl Choice for Service {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("application", Service::Application, "Application Auto Scaling (SageMaker, ECS): cooldowns"),
        ("ec2", Service::Ec2, "an EC2 Auto Scaling group: instance warm-up"),
    ];
}

impl Value for Service {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

impl Service {
    /// Share of its target below which a target tracking policy scales in, as seen on consoles.
    fn scale_in_below(self) -> f64 {
        match self {
            Service::Application => 0.9,
            Service::Ec2 => 0.7,
        }
    }
}

const MIN: Key<u32> = Key::or(
    "min",
    "1",
    "Minimum instances (`MinCapacity`). From 0 only a policy on `backlog_without_capacity` scales up.",
);
const MAX: Key<u32> = Key::required("max", "Maximum instances (`MaxCapacity`).").at_least(1.0);
const SERVICE: Key<Service> = Key::or("service", "\"application\"", "Which service scales.");
const POLICIES: Key<Vec<ScalingPolicy>> = Key::required(
    "policies",
    "The scaling policies. The largest capacity asked for wins; scale-in by target tracking needs all of these to agree.",
);
const INSTANCE_WARMUP: Key<Option<Span>> = Key::optional(
    "instance_warmup",
    "EC2: how long after it is ready an instance counts as one still being added; left out, 300 s.",
);
const INTERVAL: Key<Option<Span>> = Key::optional(
    "interval",
    "Time between two evaluations of the alarms; left out, the shortest period of the policies.",
)
.at_least(1.0);

/// The keys of `kind = "aws"`.
pub(super) const SPEC: TableSpec = TableSpec {
    name: "aws",
    doc: "AWS target tracking and step scaling on CloudWatch alarms, as SageMaker endpoints (Application Auto Scaling) and EC2 Auto Scaling groups use them.",
    keys: &[&POLICIES, &MIN, &MAX, &SERVICE, &INSTANCE_WARMUP, &INTERVAL, &PHASE],
};

pub(super) fn read(reader: &Reader<'_>) -> Result<Aws, Problem> {
    let policies = reader.get(&POLICIES)?;
    let Some(shortest) = policies.iter().map(|policy| policy.period).min() else {
        let message = format!("`{}` is empty", reader.path_of("policies"));
        return Err(reader.problem("policies", message, "expected one scaling policy or more"));
    };
    let service = reader.get(&SERVICE)?;
    let warmup = reader.find(&INSTANCE_WARMUP)?;
    match service {
        Service::Application if warmup.is_some() => {
            let message = format!("`{}` is of EC2 Auto Scaling groups", reader.path_of("instance_warmup"));
            let label = "expected with `service = \"ec2\"`: Application Auto Scaling has cooldowns instead";
            return Err(reader.problem("instance_warmup", message, label));
        }
        Service::Ec2 if policies.iter().any(ScalingPolicy::sets_cooldowns) => {
            let message =
                format!("`{}` has a cooldown, which EC2 policies do not", reader.path_of("policies"));
            return Err(reader.problem("policies", message, "expected none: set `instance_warmup` instead"));
        }
        _ => {}
    }
    Ok(Aws {
        schedule: Schedule {
            interval: reader.find(&INTERVAL)?.unwrap_or(shortest),
            phase: reader.get(&PHASE)?,
        },
        limits: Limits::read(reader, &MIN, &MAX)?,
        service,
        instance_warmup: warmup.unwrap_or(policy::COOLDOWN),
        policies,
    })
}

impl Settings for Aws {
    fn limits(&self) -> Limits {
        self.limits
    }
    fn schedule(&self) -> Option<Schedule> {
        Some(self.schedule)
    }
    fn metrics_defaults(&self) -> MetricsDefaults {
        let shortest = self.policies.iter().map(|policy| policy.period).min().unwrap_or(policy::PERIOD);
        let scrape_interval = shortest.min(Span::from_secs(10));
        // A datapoint is published within minutes of its period; AWS promises no figure, so a minute is assumed.
        MetricsDefaults { scrape_interval, window: shortest, delay: Span::from_secs(60) }
    }
    fn watched(&self) -> Vec<Watched> {
        self.policies.iter().enumerate().filter_map(|(at, policy)| policy.watched(at)).collect()
    }
    fn scrapes(&self) -> bool {
        true
    }
    fn watches_instances(&self) -> bool {
        self.service == Service::Ec2
    }
    fn policy(&self, _: &PolicyContext) -> Box<dyn Policy> {
        Box::new(AwsPolicy::new(self.clone()))
    }
    fn replay(&self) -> Box<dyn Replay> {
        Box::new(replay::Recorded::new(self.clone()))
    }
}
