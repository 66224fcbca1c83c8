//! Everything one run is made of.

use crate::arrivals::Arrivals;
use crate::autoscaler::{Autoscaler, PolicyContext, SessionPace, TokenContext, TokenPromise};
use crate::random::Streams;
use crate::service::{self, Llm, Service};
use crate::sim::accounting::{Cost, PoolName, Promise, Slo};
use crate::sim::clients::{Client, Session};
use crate::sim::instances::{DrainPolicy, InstanceType, Instances, LostRequests};
use crate::sim::observation::Metrics;
use crate::sim::queueing::{Dispatch, DispatchPolicy, Idle, Transfer};
use crate::time::Span;

/// Everything one run is made of, validated.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// When requests arrive.
    pub arrivals: Arrivals,
    /// What they need and how an instance gives it.
    pub service: Service,
    /// How instances come and go.
    pub instances: Instances,
    /// How requests are assigned to instances.
    pub dispatch: Dispatch,
    /// What clients do without an answer: time-outs, retries, hedges.
    pub client: Client,
    /// What the autoscaler gets to see.
    pub metrics: Metrics,
    /// The autoscaler.
    pub autoscaler: Autoscaler,
    /// What instance-time costs.
    pub cost: Cost,
    /// What the service promises, if it promises anything.
    pub slo: Option<Slo>,
    /// Length of the run.
    pub duration: Span,
    /// Part of the run, from its start, that is simulated but not measured; shorter than `duration`.
    pub warmup: Span,
    /// The pool that decodes, where another computes the prompts: then service, instances, dispatch, metrics, autoscaler and
    /// cost above are those of the pool that computes them.
    pub decode: Option<Box<Decode>>,
}

/// The pool that decodes what another has begun, and the way of the KV caches to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decode {
    /// How an instance decodes; its role is [`crate::service::EngineRole::Decode`].
    pub engine: Llm,
    /// How instances come and go.
    pub instances: Instances,
    /// How requests are assigned to instances.
    pub dispatch: Dispatch,
    /// What the autoscaler gets to see.
    pub metrics: Metrics,
    /// The autoscaler.
    pub autoscaler: Autoscaler,
    /// What instance-time costs.
    pub cost: Cost,
    /// How caches are transferred.
    pub transfer: Transfer,
}

/// Maximum number of windows of a promise in one run: it keeps a slip of the hand from exhausting memory.
const MOST_WINDOWS: f64 = 1e6;

/// Two keys of a scenario that do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    /// Path of the one to change.
    pub key: &'static str,
    /// Path of the other.
    pub other: &'static str,
    /// Why.
    pub reason: &'static str,
}

impl Model {
    /// Whether the run needs every completion at its instant; else the central queue is drained lazily.
    pub fn is_event_driven(&self) -> bool {
        self.dispatch.patience.is_some()
            || self.dispatch.high_priority.is_some()
            || self.dispatch.idle != Idle::Longest
            || matches!(self.dispatch.policy, DispatchPolicy::Connections(_) | DispatchPolicy::Gateway(_))
            || self.instances.leaving != DrainPolicy::Finish
            || self.instances.lost != LostRequests::Fail
            || self.instances.first_request.is_some()
            || self.instances.differ_in_speed()
            || self.client.is_active()
            || self.decode.is_some()
            || matches!(&self.service.model, service::Model::Llm(llm) if llm.prefix_cache.is_some())
            || self.autoscaler.is_reactive()
    }

    /// What in the model cannot be combined: the path of a key, that of the other, and the reason. `None` if all can.
    pub fn conflict(&self) -> Option<Conflict> {
        let of = |key, other, reason| Some(Conflict { key, other, reason });
        if !matches!(self.service.model, service::Model::Slots(_)) {
            if self.instances.first_request.is_some() {
                let reason =
                    "only on slots does a request take a time of its own, which another can stand in for";
                return of("instances.first_request", "service.model", reason);
            }
            // What a request has had of a batch, or of the memory of a language model, stays where it is.
            const PLACE: &str = "only on slots is a request at a place in its service from which another instance can go on: \"restart\" goes with every model";
            if self.instances.lost == LostRequests::Resume {
                return of("instances.lost", "service.model", PLACE);
            }
            if self.instances.leaving != DrainPolicy::Finish {
                let reason = "only on slots is a request at a place in its service from which another instance can go on";
                return of("instances.leaving", "service.model", reason);
            }
        }
        if self.instances.node.is_some() {
            if self.instances.warm_pool.is_some() {
                return of(
                    "instances.warm_pool",
                    "instances.node",
                    "what is kept warm is a machine, not a place on one",
                );
            }
            if self.instances.kinds().iter().any(|kind| kind.hazards.interruptions.is_some()) {
                let key = if self.instances.types.is_empty() {
                    "instances.interruptions"
                } else {
                    "instances.type"
                };
                return of(
                    key,
                    "instances.node",
                    "what is taken back is a node with all its instances: give `failure_after`",
                );
            }
        }
        if let service::Model::Batch(batch) = &self.service.model
            && self.autoscaler.is_reactive()
            && !batch.max_delay.is_zero()
        {
            let reason = "this autoscaler starts an instance for each request that waits, and would do so for requests that are only delayed for a batch";
            return of("autoscaler.kind", "service.max_delay", reason);
        }
        let counts_tokens = matches!(self.service.model, service::Model::Llm(_));
        if !counts_tokens && self.promises(|promise| promise.ttft.is_some()) {
            return of("slo.ttft", "service.model", "only an llm answers token by token");
        }
        if !counts_tokens && self.promises(|promise| promise.tpot.is_some()) {
            return of("slo.tpot", "service.model", "only an llm answers token by token");
        }
        if !counts_tokens && matches!(self.dispatch.policy, DispatchPolicy::Gateway(_)) {
            let reason =
                "a gateway looks at the engines of a language model: their prompts waiting and KV caches";
            return of("dispatch.policy", "service.model", reason);
        }
        if !counts_tokens && self.client.first_token_timeout.is_some() {
            return of("client.first_token_timeout", "service.model", "only an llm answers token by token");
        }
        if !counts_tokens && self.client.session.is_some() {
            let reason = "a turn sends the tokens of all before it again, and only an llm has tokens";
            return of("client.session", "service.model", reason);
        }
        if self.client.session.is_some() && self.service.from_trace.is_any() {
            let reason = "the turns of a session draw their tokens: give `service.prompt_tokens` and `service.output_tokens`";
            return of("client.session", "arrivals.kind", reason);
        }
        if let Some(conflict) = self.decode.as_ref().and_then(|decode| self.conflict_of_pools(decode)) {
            return Some(conflict);
        }
        let duration = self.duration.as_secs_f64();
        if self.promises(|promise| {
            promise.windows.is_some_and(|windows| duration / windows.length.as_secs_f64() > MOST_WINDOWS)
        }) {
            return of("slo.window", "run.duration", "a run has at most a million windows");
        }
        if self.dispatch.policy == DispatchPolicy::CentralQueue {
            return None;
        }
        if self.autoscaler.is_reactive() {
            return of("autoscaler.kind", "dispatch.policy", "this autoscaler acts on a central queue only");
        }
        if self.instances.leaving == DrainPolicy::Requeue {
            let reason = "requests can be returned to a central queue only";
            return of("instances.leaving", "dispatch.policy", reason);
        }
        None
    }

    /// What does not go with a pool that decodes.
    fn conflict_of_pools(&self, decode: &Decode) -> Option<Conflict> {
        const CLASS: &str = "a request brings its class along: give `dispatch.high_priority`";
        const PATIENCE: &str = "a request gives up only before its prompt is begun: give `dispatch.timeout`";
        const FUTURE: &str = "this autoscaler is given the requests to come, and when they come to the decode pool depends on the other";
        const CONNECTIONS: &str = "clients keep connections to the pool that they send prompts to";
        let conflicts = [
            (
                !matches!(self.service.model, service::Model::Llm(_)),
                "decode",
                "service.model",
                "only an llm computes prompts and answers apart",
            ),
            (decode.dispatch.patience.is_some(), "decode.dispatch.timeout", "decode", PATIENCE),
            (decode.dispatch.high_priority.is_some(), "decode.dispatch.high_priority", "decode", CLASS),
            (
                matches!(decode.dispatch.policy, DispatchPolicy::Connections(_)),
                "decode.dispatch.policy",
                "decode",
                CONNECTIONS,
            ),
            (!decode.autoscaler.bound().is_empty(), "decode.autoscaler.kind", "decode", FUTURE),
        ];
        let conflict = conflicts.into_iter().find(|(is_one, ..)| *is_one);
        conflict.map(|(_, key, other, reason)| Conflict { key, other, reason })
    }

    /// The pool that decodes, as a model of its own whose arrivals are those of the whole; `None` where one pool does all.
    pub fn decode_pool(&self) -> Option<Model> {
        let decode = self.decode.as_deref()?;
        Some(Model {
            arrivals: self.arrivals.clone(),
            service: Service { model: service::Model::Llm(decode.engine.clone()), ..self.service.clone() },
            instances: decode.instances.clone(),
            dispatch: decode.dispatch.clone(),
            client: Client::default(),
            metrics: decode.metrics,
            autoscaler: decode.autoscaler.clone(),
            cost: decode.cost.clone(),
            slo: self.slo,
            duration: self.duration,
            warmup: self.warmup,
            decode: None,
        })
    }

    /// Whether some promise is such.
    fn promises(&self, such: impl Fn(&Promise) -> bool) -> bool {
        self.slo.iter().flat_map(Slo::promises).any(|promise| such(&promise))
    }

    /// Price of an instance-hour of each type, in order of preference.
    pub fn prices(&self) -> impl Iterator<Item = f64> {
        let kinds = self.instances.kinds().into_iter();
        kinds.map(|kind| kind.per_instance_hour.unwrap_or(self.cost.per_instance_hour))
    }

    /// Names of the types of instance, as the outcome of a run has them; none where all are alike.
    pub fn type_names(&self) -> Vec<String> {
        let own = |types: &[InstanceType]| types.iter().map(|kind| kind.name.clone()).collect::<Vec<_>>();
        let Some(decode) = &self.decode else { return own(&self.instances.types) };
        let of_pool = |pool: PoolName, instances: &Instances| {
            instances.kinds().iter().map(|kind| pool.with(&kind.name)).collect::<Vec<_>>()
        };
        let mut names = of_pool(PoolName::Prefill, &self.instances);
        names.extend(of_pool(PoolName::Decode, &decode.instances));
        names
    }

    /// Whether there are two pools, the instances of each being all alike.
    pub fn has_pools_of_one_type(&self) -> bool {
        let alike = |instances: &Instances| instances.types.is_empty();
        alike(&self.instances) && self.decode.as_ref().is_some_and(|decode| alike(&decode.instances))
    }

    /// Places of one instance that its utilization is measured in: under the model `slots`, the requests it serves at a
    /// time.
    pub fn slots(&self) -> u32 {
        self.service.model.places()
    }

    /// Requests to be expected up to `until`; where arrivals begin sessions, with all their turns.
    pub fn expected_requests(&self, until: Span) -> f64 {
        let turns = self.begun_by_arrivals().map_or(1.0, |session| session.turns.0.mean().max(1.0));
        self.arrivals.mean_rate(until) * until.as_secs_f64() * turns
    }

    /// The sessions that arrivals begin, if each begins one.
    fn begun_by_arrivals(&self) -> Option<&Session> {
        self.client.session.as_ref().filter(|_| self.client.users.is_none())
    }

    /// What a policy can know of the system before the run under `streams` begins.
    pub fn start(&self, streams: Streams) -> PolicyContext {
        PolicyContext {
            initial: self.initial_instances(),
            window: self.metrics.window,
            tokens: self.token_context(),
            slots: self.slots(),
            service_mean_s: match &self.service.model {
                service::Model::Slots(_) => self.service.time.0.mean(),
                // What a place would take to be as fast as it is at its best.
                _ => f64::from(self.slots()) / self.service.throughput(),
            },
            cold_start_mean_s: self.instances.cold_start.iter().map(|stage| stage.time.0.mean()).sum(),
            slo: self.slo.and_then(|slo| Some((slo.promised_latency()?.as_secs_f64(), slo.quantile()))),
            token_promise: self.token_promise(),
            arrivals: self.arrivals.clone(),
            session: self.begun_by_arrivals().map(|session| SessionPace {
                turns: session.turns.0.mean().max(1.0),
                think_s: session.think_time.0.mean(),
            }),
            streams,
            duration: self.duration,
        }
    }

    /// What a policy that counts tokens goes by; none where instances have no KV cache, or one without a limit.
    pub fn token_context(&self) -> Option<TokenContext> {
        let service::Model::Llm(llm) = &self.service.model else { return None };
        let mean = |law: fn(&service::TokenLaws) -> f64| self.service.tokens.as_ref().map_or(1.0, law);
        let in_sessions = self.service.in_sessions;
        let prefix_hit = in_sessions.map_or(llm.prefix_hit, |mean| llm.in_sessions(mean).prefix_hit);
        let iterations = self.service.steady_iterations()?;
        (llm.blocks < u64::MAX).then(|| TokenContext {
            cache: llm.blocks as f64 * f64::from(llm.block_tokens),
            token_budget: f64::from(llm.token_budget),
            max_sequences: f64::from(llm.max_sequences),
            prompt: in_sessions.map_or_else(|| mean(|laws| laws.prompt.0.mean()), |mean| mean.prompt),
            output: mean(|laws| laws.output.0.mean()),
            prefix_hit: f64::from(prefix_hit) / 1000.0,
            role: llm.role,
            iterations,
        })
    }

    /// What is promised of answers token by token, if anything is.
    fn token_promise(&self) -> Option<TokenPromise> {
        let slo = self.slo.filter(|slo| slo.ttft.is_some() || slo.tpot.is_some())?;
        Some(TokenPromise {
            ttft_s: slo.ttft.map(Span::as_secs_f64),
            tpot_s: slo.tpot.map(Span::as_secs_f64),
            quantile: slo.quantile(),
            iterations: self.service.steady_iterations()?,
        })
    }

    /// Instances ready at the start of the run, within what the autoscaler allows.
    pub fn initial_instances(&self) -> u32 {
        let limits = self.autoscaler.limits();
        self.instances.initial.clamp(limits.min, limits.max)
    }
}
