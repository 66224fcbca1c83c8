//! The planner in a simulation: one pool whose engines compute prompts and answers.

use std::cmp::Ordering;

use super::load::{LEAST_OBSERVATIONS, Line, changed, verdict};
use super::throughput::{Demand, EngineProfile, EngineRate, best_decode, engines, whole};
use super::{Dynamo, Scaling};
use crate::autoscaler::{Explanation, Limits, Observation, Policy, Rounded, Scrape, TokenContext};
use crate::service::{EngineRole, SteadyIterations};
use crate::time::{Instant, Span};
use crate::units::show_span;

/// Share of the cache in use from which on an engine counts as full.
const FULL_CACHE: f64 = 0.99;

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct DynamoPolicy {
    settings: Dynamo,
    tokens: Option<TokenContext>,
    /// What has been counted since the last evaluation by throughput.
    counted: Counted,
    /// Requests in flight at the scrape before.
    in_flight: u64,
    /// When the next evaluation by throughput is due.
    due: Instant,
    /// What each engine has to do, as it reported last: its requests waiting and decoding, and whether its cache is full.
    engines: Vec<EngineLoad>,
    observations: u32,
    /// Engines by throughput, once there was a load to size for.
    floor: Option<u32>,
    found: Found,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    arrived: u64,
    ended: u64,
    tokens: [u64; 2],
    over: Span,
}

#[derive(Debug, Clone, Copy)]
struct EngineLoad {
    waiting: f64,
    in_service: f64,
    is_full: bool,
}

/// What an evaluation found.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    demand: Option<Demand>,
    engine: EngineRate,
    /// Whether the engines were counted by throughput at this evaluation.
    sized: bool,
    load: Option<LoadFound>,
    before: u32,
    wanted: u32,
}

/// What the load of the engines says.
#[derive(Debug, Clone, Copy)]
struct LoadFound {
    /// Prompt tokens and decoding sequences at which an engine just keeps each promise.
    targets: [Option<f64>; 2],
    /// The least and the most of each that engines have.
    ranges: [(f64, f64); 2],
    verdict: LoadVerdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LoadVerdict {
    /// Not as many engines report as were asked for.
    UnderWay,
    TooFewObservations,
    FullCache,
    Go(Ordering),
}

impl DynamoPolicy {
    pub fn new(settings: Dynamo, tokens: Option<TokenContext>) -> DynamoPolicy {
        DynamoPolicy {
            settings,
            tokens,
            counted: Counted::default(),
            in_flight: 0,
            due: Instant::ZERO + settings.interval + settings.phase,
            engines: Vec::new(),
            observations: 0,
            floor: None,
            found: Found::default(),
        }
    }

    /// Times of an engine with requests of these mean tokens.
    fn iterations(tokens: &TokenContext, prompt: f64, output: f64) -> SteadyIterations {
        let SteadyIterations { fixed_s, prefill_s, decode_s, .. } = tokens.iterations;
        SteadyIterations {
            fixed_s,
            prefill_s: prefill_s * prompt / tokens.prompt,
            decode_s: decode_s * output / tokens.output,
            prompt_iterations: (prompt * (1.0 - tokens.prefix_hit) / tokens.token_budget).ceil().max(1.0),
        }
    }

    /// Engines for what has been counted; `None` without a request that has been answered.
    fn size(&mut self, tokens: &TokenContext) -> Option<u32> {
        let Counted { arrived, ended, tokens: [prompt, output], over } = std::mem::take(&mut self.counted);
        if arrived == 0 || ended == 0 || prompt == 0 || output == 0 || over.is_zero() {
            return None;
        }
        let mean = |sum: u64| sum as f64 / ended as f64;
        let demand = Demand {
            requests: arrived as f64,
            prompt: mean(prompt),
            output: mean(output),
            seconds: over.as_secs_f64(),
        };
        if tokens.role != EngineRole::Whole {
            let (engine, needed) = self.size_of_part(tokens, &demand);
            (self.found.demand, self.found.engine) = (Some(demand), engine);
            return Some(needed);
        }
        let profile = EngineProfile {
            iterations: Self::iterations(tokens, demand.prompt, demand.output),
            output: demand.output,
            sequences: tokens.max_sequences.min(tokens.cache / (demand.prompt + demand.output / 2.0)),
        };
        let engine = profile.rate(self.settings.ttft.as_secs_f64(), self.settings.tpot.as_secs_f64());
        (self.found.demand, self.found.engine) = (Some(demand), engine);
        let needed = (demand.requests / demand.seconds / engine.rate).max(engine.engines_for_ttft);
        Some(whole(needed.ceil()).max(1))
    }

    /// Engines of a pool that computes prompts, or that decodes, for a demand; and what one of them does.
    fn size_of_part(&self, tokens: &TokenContext, demand: &Demand) -> (EngineRate, u32) {
        let Demand { requests, prompt, output, seconds } = *demand;
        let SteadyIterations { fixed_s, prefill_s, decode_s, prompt_iterations } =
            Self::iterations(tokens, prompt, output);
        // Its engine of one GPU each, and no correction: what is expected of them is what they do.
        let (each, per_request) = if tokens.role == EngineRole::Prefill {
            // Tokens of a prompt alone over its time to first token, as its profile of prefill engines has it.
            (prompt / (prompt_iterations * fixed_s + prefill_s), prompt)
        } else {
            let point = |sequences: u32| {
                let time_s = fixed_s + f64::from(sequences) * decode_s / output;
                (time_s, f64::from(sequences) / time_s)
            };
            let held = tokens.cache / (prompt + output / 2.0);
            let points: Vec<(f64, f64)> =
                (1..=whole(tokens.max_sequences.min(held)).max(1)).map(point).collect();
            (best_decode(&points, self.settings.tpot.as_secs_f64(), 1.0).unwrap_or(0.0), output)
        };
        let needed = engines(requests * per_request / seconds, 1.0, each, 1, 1);
        (EngineRate { rate: each / per_request, engines_for_ttft: 1.0 }, needed)
    }

    /// Which way what the engines have to do would change the pool.
    fn weigh(&mut self, observation: &Observation<'_>, tokens: &TokenContext) -> LoadFound {
        let [prompt, output] = match self.found.demand {
            Some(demand) => [demand.prompt, demand.output],
            None => [tokens.prompt, tokens.output],
        };
        let SteadyIterations { fixed_s, prefill_s, decode_s, .. } = Self::iterations(tokens, prompt, output);
        // What its regressions would find: the times of the engine's own law.
        let first = Line { slope: prefill_s / prompt, intercept: fixed_s };
        let further = Line { slope: decode_s / output, intercept: fixed_s };
        let (ttft_s, tpot_s) = (self.settings.ttft.as_secs_f64(), self.settings.tpot.as_secs_f64());
        let beside_own = first.inverse(ttft_s).map(|target| (target - prompt).max(0.0));
        let targets = [beside_own, further.inverse(tpot_s)];
        let queued: Vec<f64> = self.engines.iter().map(|engine| engine.waiting * prompt).collect();
        let decoding: Vec<f64> = self.engines.iter().map(|engine| engine.in_service).collect();
        let sensitivity = self.settings.sensitivity;
        let both = [verdict(&queued, targets[0], sensitivity), verdict(&decoding, targets[1], sensitivity)];
        // A pool that does one part of the work goes by its own promise.
        let each = match tokens.role {
            EngineRole::Whole => both,
            EngineRole::Prefill => [both[0]; 2],
            EngineRole::Decode => [both[1]; 2],
        };
        let Observation { desired, existing, ready, .. } = *observation;
        let is_settled = desired == existing && existing == ready && self.engines.len() == ready as usize;
        let verdict = if !is_settled {
            LoadVerdict::UnderWay
        } else if self.observations < LEAST_OBSERVATIONS {
            LoadVerdict::TooFewObservations
        } else if each.contains(&Ordering::Greater) {
            LoadVerdict::Go(Ordering::Greater)
        } else if each != [Ordering::Less; 2] {
            LoadVerdict::Go(Ordering::Equal)
        } else if self.engines.iter().any(|engine| engine.is_full) {
            LoadVerdict::FullCache
        } else {
            LoadVerdict::Go(Ordering::Less)
        };
        let range = |loads: &[f64]| {
            loads.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), load| (low.min(*load), high.max(*load)))
        };
        LoadFound { targets, ranges: [range(&queued), range(&decoding)], verdict }
    }
}

impl Policy for DynamoPolicy {
    fn scrape(&mut self, sample: &Scrape<'_>) {
        let Counted { arrived, ended, tokens, over } = &mut self.counted;
        *arrived += sample.arrived;
        *ended += (self.in_flight + sample.arrived).saturating_sub(sample.in_flight_now);
        tokens.iter_mut().zip(sample.tokens).for_each(|(sum, count)| *sum += count);
        *over += sample.at.since(sample.since);
        self.in_flight = sample.in_flight_now;
        // What waits before it has an engine counts as spread evenly over the engines.
        let own: u64 = sample.instances.iter().map(|instance| instance.waiting_now).sum();
        let share = sample.waiting_now.saturating_sub(own) as f64 / sample.instances.len().max(1) as f64;
        self.engines.clear();
        self.engines.extend(sample.instances.iter().map(|instance| EngineLoad {
            waiting: instance.waiting_now as f64 + share,
            in_service: instance.in_service_now as f64,
            is_full: instance.kv_cache >= FULL_CACHE,
        }));
        self.observations = self.observations.saturating_add(u32::from(sample.in_flight_now > 0));
    }

    fn decide(&mut self, now: Instant, observation: &Observation<'_>) -> u32 {
        let Limits { min, max } = self.settings.limits;
        let before = observation.desired;
        let demand = self.found.demand;
        self.found = Found { before, wanted: before, demand, engine: self.found.engine, ..Found::default() };
        let Some(tokens) = self.tokens else { return before.clamp(min, max) };
        let by_throughput = self.settings.scaling != Scaling::Load;
        if now >= self.due {
            self.due = now + self.settings.interval;
            let sized = self.size(&tokens);
            self.found.sized = sized.is_some() && by_throughput;
            self.floor = sized.or(self.floor).filter(|_| by_throughput);
        }
        let mut wanted = before;
        if self.settings.scaling == Scaling::Throughput {
            wanted = if self.found.sized { self.floor.unwrap_or(before) } else { before };
        } else {
            let load = self.weigh(observation, &tokens);
            if let LoadVerdict::Go(verdict) = load.verdict {
                wanted = changed(before, verdict);
            }
            self.found.load = Some(load);
            wanted = wanted.max(self.floor.unwrap_or(0));
        }
        self.found.wanted = wanted;
        wanted.clamp(min, max)
    }

    fn explain(&self) -> Explanation {
        let Found { demand, engine, sized, load, before, wanted } = self.found;
        let rate = demand.map(|demand| demand.requests / demand.seconds);
        let mut figures: Vec<(&'static str, serde_json::Value)> = Vec::new();
        let mut parts = Vec::new();
        if let Some(demand) = demand {
            figures.extend([
                ("rate", rate.into()),
                ("prompt_tokens", demand.prompt.into()),
                ("output_tokens", demand.output.into()),
                ("engine_rate", engine.rate.into()),
                ("by_throughput", self.floor.into()),
            ]);
        }
        if let (true, Some(demand), Some(rate)) = (sized, demand, rate) {
            parts.push(format!(
                "{}/s of {} and {} tokens, and an engine keeps the promises at {}/s: {}",
                Rounded(rate),
                Rounded(demand.prompt.round()),
                Rounded(demand.output.round()),
                Rounded(engine.rate),
                self.floor.unwrap_or(wanted)
            ));
        }
        if let Some(LoadFound { targets, ranges, verdict }) = load {
            figures.extend([
                ("prompt_target", targets[0].into()),
                ("decode_target", targets[1].into()),
                ("least_prompt_load", finite(ranges[0].0).into()),
                ("most_prompt_load", ranges[0].1.into()),
                ("least_decode_load", finite(ranges[1].0).into()),
                ("most_decode_load", ranges[1].1.into()),
            ]);
            parts.push(match verdict {
                LoadVerdict::UnderWay => "a change is on its way: the load decides nothing".to_owned(),
                LoadVerdict::TooFewObservations => {
                    format!("fewer than {LEAST_OBSERVATIONS} observations of a load")
                }
                LoadVerdict::FullCache => "a KV cache is full: none goes".to_owned(),
                LoadVerdict::Go(Ordering::Greater) => "all engines are beyond a promise: one more".to_owned(),
                LoadVerdict::Go(Ordering::Less) => "one fewer would keep both promises".to_owned(),
                LoadVerdict::Go(Ordering::Equal) => format!("the load calls for {before}"),
            });
            if self.floor.is_some_and(|floor| floor == wanted && wanted > before) {
                parts.push(format!("the throughput takes {wanted}"));
            }
        }
        if parts.is_empty() {
            let interval = show_span(self.settings.interval);
            parts.push(format!("no request answered in {interval}: stay at {before}"));
        }
        let reason = parts.join("; ") + &self.settings.limits.words(wanted);
        Explanation { metric: "request_rate", observed: rate, target: None, figures, reason }
    }
}

fn finite(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}
