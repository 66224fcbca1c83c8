//! Runs the sets of causes on the same random numbers, and draws up the account.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use rand::seq::SliceRandom as _;
use serde::Serialize;

use super::cause::{Applied, Cause, applied, oracle, together};
use super::episode::{Course, Episodes};
use super::shares::{self, MOST_IN_FULL, Mask, Values};
use super::two_pools::of_two_pools;
use crate::experiment::{
    COST, Case, Evaluator, Observer, PromiseKept, Record, Replications, Retain, RunError, Unit,
};
use crate::random::{Purpose, Streams};
use crate::scenario::{Change, Scenario, ScenarioError, ScenarioFile};
use crate::sim::{DecisionRecord, Outcome, Promise};
use crate::stats::{CONFIDENCE, Estimate, Linearised};
use crate::time::Span;

/// Antithetic pairs of orders that each replication draws where the causes are too many for all sets.
const PAIRS_OF_ORDERS: usize = 2;

/// Maximum number of windows of the run that is told moment by moment.
const FINEST: u64 = 20_000;

/// What is accounted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Requests that missed the SLO, of several promises the one explained; without one, those lost.
    MissedRequests,
    /// Time in windows that missed the SLO.
    MissedTime,
    /// The cost.
    Cost,
}

impl Measure {
    /// All, in the order reported.
    pub const ALL: [Measure; 3] = [Measure::MissedRequests, Measure::MissedTime, Measure::Cost];

    /// Name for readers.
    pub fn name(self) -> &'static str {
        match self {
            Measure::MissedRequests => "missed requests",
            Measure::MissedTime => "missed time",
            Measure::Cost => "cost",
        }
    }

    /// Unit of the amounts.
    pub fn unit(self) -> Unit {
        match self {
            Measure::MissedRequests => Unit::Requests,
            Measure::MissedTime => Unit::Seconds,
            Measure::Cost => Unit::Currency,
        }
    }

    /// It in one replication; `promise` is the place of the promise explained.
    fn of(self, record: &Record, promise: usize) -> Option<f64> {
        let value = |name: &str| record.sample(name).value();
        match self {
            Measure::MissedRequests => match record.missed_of(promise) {
                Some((missed, _)) => Some(missed),
                None => Some(value("rejected")? + value("timed_out")? + value("failed")?),
            },
            Measure::MissedTime => value("below_slo_s"),
            Measure::Cost => value(COST),
        }
    }
}

/// What goes with a cause, as shares of the total of the measure.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Effect {
    /// Taken away alone.
    pub alone: Estimate,
    /// Taken away after all others.
    pub last: Estimate,
    /// Its Shapley share; none of what is told by itself.
    pub share: Estimate,
}

/// The account of one cause.
#[derive(Debug, Clone)]
pub struct CauseAccount {
    /// The cause.
    pub cause: &'static Cause,
    /// What takes it away.
    pub changes: Vec<Change>,
    /// By measure.
    pub effects: BTreeMap<Measure, Effect>,
}

/// What one key alone would take away.
#[derive(Debug, Clone)]
pub struct KeyEffect {
    /// The cause it belongs to.
    pub cause: &'static Cause,
    /// The key with its other value.
    pub change: Change,
    /// What goes along with it, so that the autoscaler changes no more often than before.
    pub along: Vec<Change>,
    /// What the file writes there, as JSON; `None` for a default.
    pub was: Option<String>,
    /// Share of the total taken away, by measure.
    pub effects: BTreeMap<Measure, Estimate>,
}

impl KeyEffect {
    /// The other value in words, with what goes along.
    pub fn instead(&self) -> String {
        let value = self.change.value.as_deref().unwrap_or("left out");
        let of = |change: &Change| {
            let key = change.path.strip_prefix("autoscaler.").unwrap_or(&change.path);
            format!("{key} = {}", change.value.as_deref().unwrap_or("left out"))
        };
        let along: Vec<String> = self.along.iter().map(of).collect();
        if along.is_empty() { value.to_owned() } else { format!("{value} with {}", along.join(", ")) }
    }
}

/// An account of one measure as a whole.
#[derive(Debug, Clone, Copy, Default)]
pub struct Total {
    /// Amount of one replication.
    pub amount: Estimate,
    /// Share that all causes together take away.
    pub all: Estimate,
    /// What the policy that knows the future takes away, alone and after all causes.
    pub oracle: Option<Effect>,
    /// Share that remains after all causes.
    pub remainder: Estimate,
    /// Whether the causes overlap, so that what one takes away alone is no share.
    pub overlap: bool,
}

/// What `explain` comes to.
#[derive(Debug, Clone)]
pub struct Explained {
    /// What was explained.
    pub scenario: Scenario,
    /// The variant; `None` for the base scenario.
    pub variant: Option<String>,
    /// The promise explained, where there are several: that of the whole run which uses most of its error budget.
    pub promise: Option<Promise>,
    /// By measure; measures that are nothing in every replication are left out.
    pub totals: BTreeMap<Measure, Total>,
    /// Causes with an effect, in the order of [`CAUSES`](super::CAUSES).
    pub accounts: Vec<CauseAccount>,
    /// Causes that the scenario has and that take nothing away from anything.
    pub without_effect: Vec<&'static Cause>,
    /// Each key of the causes alone.
    pub keys: Vec<KeyEffect>,
    /// Orders that each replication drew; `None` if every set of causes was run.
    pub orders: Option<usize>,
    /// Replications of each set.
    pub replications: u32,
    /// The episodes of one replication.
    pub episodes: Episodes,
    /// That replication, in the windows of the scenario.
    pub run: Outcome,
    /// The moment asked for.
    pub at: Option<Moment>,
}

/// A moment of the run, in seconds from its start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment(pub f64);

/// Why there is no explanation.
#[derive(Debug)]
pub enum ExplainError {
    /// The scenario, or a change of it, is refused.
    Scenario(ScenarioError),
    /// A run came to nothing.
    Run(RunError),
    /// The work was stopped.
    Stopped,
}

impl fmt::Display for ExplainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExplainError::Scenario(error) => write!(f, "{}", error.render(false)),
            ExplainError::Run(error) => error.fmt(f),
            ExplainError::Stopped => f.write_str("stopped before every counterfactual had been run"),
        }
    }
}

impl std::error::Error for ExplainError {}

impl From<ScenarioError> for ExplainError {
    fn from(error: ScenarioError) -> ExplainError {
        ExplainError::Scenario(error)
    }
}

impl From<RunError> for ExplainError {
    fn from(error: RunError) -> ExplainError {
        ExplainError::Run(error)
    }
}

/// Explains the base scenario of `file`, or its variant called `variant`.
///
/// # Errors
/// The scenario is refused, a run came to nothing, or the work was stopped.
pub fn explain(
    file: &ScenarioFile,
    variant: Option<&str>,
    at: Option<Moment>,
    evaluator: &Evaluator<'_>,
) -> Result<Explained, ExplainError> {
    let (scenario, found) = applied(file, variant)?;
    let (protecting, found): (Vec<Applied>, Vec<Applied>) =
        found.into_iter().partition(|applied| applied.cause.protects);
    let count = found.len();
    let all: Mask = (1 << count) - 1;
    let worst = worst_promise(&scenario, evaluator)?;
    let place = worst.as_ref().map_or(0, |(place, _)| *place);
    let mut game = Game::new(file, variant, (&scenario, place), evaluator);
    let (mut found, mut protecting) = (found, protecting);
    if !game.needs_pace(&found)? {
        found.iter_mut().chain(&mut protecting).for_each(|applied| applied.along.clear());
    }
    // First each alone and each last: a cause that does nothing in either has no effect, and its sets need not be run.
    let ends = (0..count).flat_map(|cause| [1 << cause, all & !(1 << cause)]);
    game.run(&found, ends.chain([0, all]).map(|mask| (mask, game.everything())).collect())?;
    let idle = |cause: usize| {
        game.values.values().all(|by_replication| {
            by_replication.iter().all(|values| {
                shares::alone(values, cause) == Some(0.0) && shares::last(values, count, cause) == Some(0.0)
            })
        })
    };
    let (idle, active): (Vec<usize>, Vec<usize>) = (0..count).partition(|cause| idle(*cause));
    let without_effect = idle.iter().map(|cause| found[*cause].cause).collect();
    let active: Vec<Applied> = active.into_iter().map(|cause| found[cause].clone()).collect();
    let mut game = Game::new(file, variant, (&scenario, place), evaluator);
    let orders = game.run_sets(&active)?;
    let totals_by_measure = game.totals();
    let oracle = game.run_oracle(&active)?;
    let protecting: Vec<(Applied, Apart)> = protecting
        .into_iter()
        .map(|applied| {
            let after = together(active.iter().chain([&applied]));
            let runs = game.run_apart([applied.all(), after])?;
            Ok(runs.map(|runs| (applied, runs)))
        })
        .filter_map(Result::transpose)
        .collect::<Result<_, ExplainError>>()?;
    let shared = active.iter().enumerate().map(|(cause, applied)| CauseAccount {
        cause: applied.cause,
        changes: applied.all(),
        effects: game.effects(active.len(), cause, orders.as_deref()),
    });
    let apart = protecting.iter().map(|(applied, runs)| CauseAccount {
        cause: applied.cause,
        changes: applied.all(),
        effects: game.effects_apart(active.len(), runs),
    });
    let accounts: Vec<CauseAccount> = shared.chain(apart).collect();
    let totals = totals_by_measure
        .into_iter()
        .map(|(measure, amount)| {
            (measure, game.total(measure, amount, active.len(), &accounts, oracle.as_ref()))
        })
        .collect();
    let told: Vec<&Applied> = active.iter().chain(protecting.iter().map(|(applied, _)| applied)).collect();
    let keys = game.keys(&told)?;
    let replication = game.most_telling();
    let (run, episodes) = course(&scenario, replication, evaluator)?;
    let replications = scenario.run.replications;
    Ok(Explained {
        variant: variant.map(str::to_owned),
        promise: worst.map(|(_, kept)| kept.promise),
        totals,
        accounts,
        without_effect,
        keys,
        orders: orders.map(|_| 2 * PAIRS_OF_ORDERS),
        replications,
        episodes,
        run,
        at,
        scenario,
    })
}

/// Of several promises, the one of the whole run that uses most of its error budget, with its place; `None` where there is
/// one at most.
fn worst_promise(
    scenario: &Scenario,
    evaluator: &Evaluator<'_>,
) -> Result<Option<(usize, PromiseKept)>, ExplainError> {
    if scenario.model.slo.is_none_or(|slo| slo.more().next().is_none()) {
        return Ok(None);
    }
    let records = evaluator.evaluate(&[Case::whole(scenario)], &(), |_, records| records)?;
    let records = records.into_iter().next().unwrap_or_default();
    let promises = Replications::new(records, scenario.model.slo).promises();
    let whole = promises.into_iter().enumerate().filter(|(_, kept)| kept.promise.windows.is_none());
    let used = |kept: &PromiseKept| kept.budget_used().mean.unwrap_or(0.0);
    Ok(whole.reduce(|worst, next| if used(&next.1) > used(&worst.1) { next } else { worst }))
}

/// The sets of causes, with what each comes to.
struct Game<'a> {
    file: &'a ScenarioFile,
    variant: Option<&'a str>,
    base: &'a Scenario,
    /// The place of the promise explained.
    promise: usize,
    evaluator: &'a Evaluator<'a>,
    /// By measure, for each replication.
    values: BTreeMap<Measure, Vec<Values>>,
}

/// What the replications of a case come to, by their numbers and measure.
type Records = Vec<(u32, BTreeMap<Measure, f64>)>;

/// Two runs with a change of their own: alone, and after all causes; by measure, for each replication.
type Apart = [BTreeMap<Measure, Vec<f64>>; 2];

impl<'a> Game<'a> {
    fn new(
        file: &'a ScenarioFile,
        variant: Option<&'a str>,
        (base, promise): (&'a Scenario, usize),
        evaluator: &'a Evaluator<'a>,
    ) -> Self {
        Game { file, variant, base, promise, evaluator, values: BTreeMap::new() }
    }

    fn everything(&self) -> Vec<u32> {
        (0..self.base.run.replications).collect()
    }

    /// Runs sets of `causes` in the replications given.
    fn run(&mut self, causes: &[Applied], sets: BTreeMap<Mask, Vec<u32>>) -> Result<(), ExplainError> {
        let scenario = |mask: &Mask| {
            let of_set = causes.iter().enumerate().filter(|(cause, _)| mask & (1 << cause) != 0);
            self.file.changed(self.variant, &together(of_set.map(|(_, applied)| applied)))
        };
        let scenarios: Vec<Scenario> = sets.keys().map(scenario).collect::<Result<_, _>>()?;
        let mut cases = Vec::new();
        let mut masks = Vec::new();
        for ((mask, replications), scenario) in sets.iter().zip(&scenarios) {
            // Numbers in a row are one case.
            for run in replications.chunk_by(|a, b| a + 1 == *b) {
                cases.push(Case::some(scenario, run[0]..run[run.len() - 1] + 1));
                masks.push(*mask);
            }
        }
        for (mask, records) in masks.into_iter().zip(self.records(&cases)?) {
            for (number, by_measure) in records {
                for (measure, value) in by_measure {
                    let every = vec![Values::new(); self.base.run.replications as usize];
                    let of_measure = self.values.entry(measure).or_insert(every);
                    of_measure[number as usize].insert(mask, value);
                }
            }
        }
        Ok(())
    }

    /// What every replication of every case comes to, by measure.
    fn records(&self, cases: &[Case<'_>]) -> Result<Vec<Records>, ExplainError> {
        let of_record = |record: &Record| {
            let value = |measure: Measure| Some((measure, measure.of(record, self.promise)?));
            let values = Measure::ALL.into_iter().filter_map(value);
            (record.number, values.collect())
        };
        let found = self.evaluator.evaluate(cases, &(), |_, records| records.iter().map(of_record).collect());
        let found: Vec<Vec<_>> = found?;
        let whole = cases.iter().zip(&found).all(|(case, records)| records.len() == case.replications.len());
        if whole { Ok(found) } else { Err(ExplainError::Stopped) }
    }

    /// Whether a cause takes more with it together with what keeps its pace: where a step at each look of every second
    /// overshoots, and falls again, it says nothing of what looking seldom costs.
    fn needs_pace(&self, causes: &[Applied]) -> Result<bool, ExplainError> {
        let paced = causes.iter().find(|applied| applied.cause.keeps_pace() && !applied.along.is_empty());
        let Some(paced) = paced else { return Ok(false) };
        let ways = [
            self.file.changed(self.variant, &paced.changes)?,
            self.file.changed(self.variant, &paced.all())?,
        ];
        let found = self.records(&ways.each_ref().map(Case::whole))?;
        let missed = |records: &Records| -> f64 {
            records.iter().filter_map(|(_, by_measure)| by_measure.get(&Measure::MissedRequests)).sum()
        };
        Ok(missed(&found[1]) < missed(&found[0]))
    }

    /// Runs what the shares of `causes` take: every set, or those on the way of random orders, which are returned by
    /// replication.
    fn run_sets(&mut self, causes: &[Applied]) -> Result<Option<Vec<Vec<Vec<usize>>>>, ExplainError> {
        let count = causes.len();
        let all: Mask = (1 << count) - 1;
        let everything = self.everything();
        if count <= MOST_IN_FULL {
            let sets = shares::all_sets(count).map(|mask| (mask, everything.clone())).collect();
            self.run(causes, sets)?;
            return Ok(None);
        }
        let orders: Vec<Vec<Vec<usize>>> =
            everything.iter().map(|number| self.orders(*number, count)).collect();
        let ends = (0..count).flat_map(|cause| [1 << cause, all & !(1 << cause)]);
        let mut sets: BTreeMap<Mask, Vec<u32>> = ends.map(|mask| (mask, everything.clone())).collect();
        for (number, orders) in (0..).zip(&orders) {
            for mask in orders.iter().flat_map(|order| shares::sets_on_the_way(order)) {
                let replications = sets.entry(mask).or_default();
                if let Err(place) = replications.binary_search(&number) {
                    replications.insert(place, number);
                }
            }
        }
        self.run(causes, sets)?;
        Ok(Some(orders))
    }

    /// The orders of one replication: each with its reverse.
    fn orders(&self, replication: u32, count: usize) -> Vec<Vec<usize>> {
        let streams = Streams::new(self.base.run.seed, u64::from(replication));
        let mut rng = streams.stream(Purpose::Orders);
        let pair = |_| {
            let mut order: Vec<usize> = (0..count).collect();
            order.shuffle(&mut rng);
            let reverse = order.iter().rev().copied().collect();
            [order, reverse]
        };
        (0..PAIRS_OF_ORDERS).flat_map(pair).collect()
    }

    /// Runs the policy that knows the future, alone and after all causes; `None` where no policy could do otherwise.
    fn run_oracle(&self, causes: &[Applied]) -> Result<Option<Apart>, ExplainError> {
        let limits = self.base.model.autoscaler.limits();
        // What comes to the decode pool depends on the other: it cannot be known before.
        if limits.min == limits.max || self.base.model.decode.is_some() {
            return Ok(None);
        }
        let all = self.file.changed(self.variant, &together(causes))?;
        let outside = |change: &Change| !change.path.starts_with("autoscaler.");
        let mut after: Vec<Change> = together(causes).into_iter().filter(outside).collect();
        after.push(oracle(&all));
        self.run_apart([vec![oracle(self.base)], after])
    }

    /// Runs changes that have no share, alone and after all causes; `None` where the scenario does not take them.
    fn run_apart(&self, changes: [Vec<Change>; 2]) -> Result<Option<Apart>, ExplainError> {
        let built = changes.map(|changes| self.file.changed(self.variant, &changes));
        let [Ok(alone), Ok(after)] = built else { return Ok(None) };
        let found = self.records(&[Case::whole(&alone), Case::whole(&after)])?;
        let by_measure = |records: &Records| {
            let mut values: BTreeMap<Measure, Vec<f64>> = BTreeMap::new();
            for (measure, value) in records.iter().flat_map(|(_, by_measure)| by_measure) {
                values.entry(*measure).or_default().push(*value);
            }
            values
        };
        Ok(Some([by_measure(&found[0]), by_measure(&found[1])]))
    }

    /// Measures that are not nothing in every replication, with their amount in one.
    fn totals(&self) -> BTreeMap<Measure, Estimate> {
        let total = |(measure, values): (&Measure, &Vec<Values>)| {
            let base: Vec<f64> = values.iter().filter_map(|values| values.get(&0).copied()).collect();
            let some = base.iter().any(|value| *value != 0.0);
            some.then(|| {
                (*measure, Linearised::of_values(&base).estimate(CONFIDENCE).within(0.0, f64::INFINITY))
            })
        };
        self.values.iter().filter_map(total).collect()
    }

    /// What `of` each replication's values is, as a share of the total of the measure.
    fn share(&self, measure: Measure, of: impl Fn(usize, &Values) -> Option<f64>) -> Estimate {
        let Some(values) = self.values.get(&measure) else { return Estimate::default() };
        let pair = |(number, values): (usize, &Values)| Some((of(number, values)?, *values.get(&0)?));
        let pairs: Vec<(f64, f64)> = values.iter().enumerate().filter_map(pair).collect();
        Linearised::of_ratio(&pairs).estimate(CONFIDENCE)
    }

    fn effects(
        &self,
        count: usize,
        cause: usize,
        orders: Option<&[Vec<Vec<usize>>]>,
    ) -> BTreeMap<Measure, Effect> {
        let effect = |measure: &Measure| Effect {
            alone: self.share(*measure, |_, values| shares::alone(values, cause)),
            last: self.share(*measure, |_, values| shares::last(values, count, cause)),
            share: self.share(*measure, |number, values| match orders {
                None => shares::shapley(values, count, cause),
                Some(orders) => shares::in_orders(values, orders.get(number)?, cause),
            }),
        };
        self.totals().keys().map(|measure| (*measure, effect(measure))).collect()
    }

    /// What a change takes away alone and after all causes; no share.
    fn effect_apart(&self, measure: Measure, count: usize, runs: &Apart) -> Effect {
        let all: Mask = (1 << count) - 1;
        let with = |index: usize, number: usize| runs[index].get(&measure)?.get(number).copied();
        Effect {
            alone: self.share(measure, |number, values| Some(values.get(&0)? - with(0, number)?)),
            last: self.share(measure, |number, values| Some(values.get(&all)? - with(1, number)?)),
            share: Estimate::default(),
        }
    }

    fn effects_apart(&self, count: usize, runs: &Apart) -> BTreeMap<Measure, Effect> {
        let effect = |measure: &Measure| (*measure, self.effect_apart(*measure, count, runs));
        self.totals().keys().map(effect).collect()
    }

    fn total(
        &self,
        measure: Measure,
        amount: Estimate,
        count: usize,
        accounts: &[CauseAccount],
        oracle: Option<&Apart>,
    ) -> Total {
        let all: Mask = (1 << count) - 1;
        let mean = |estimate: Estimate| estimate.mean.unwrap_or(0.0);
        let sharing = || accounts.iter().filter(|account| !account.cause.protects);
        let effects = || sharing().filter_map(|account| account.effects.get(&measure));
        let beyond =
            |effect: &Effect| mean(effect.alone) > 0.01 && mean(effect.alone) > 1.5 * mean(effect.share);
        Total {
            amount,
            all: self.share(measure, |_, values| Some(values.get(&0)? - values.get(&all)?)),
            oracle: oracle.map(|runs| self.effect_apart(measure, count, runs)),
            remainder: self.share(measure, |_, values| values.get(&all).copied()),
            overlap: effects().any(beyond) || effects().map(|effect| mean(effect.alone)).sum::<f64>() > 1.1,
        }
    }

    /// Every key of the causes alone.
    fn keys(&self, causes: &[&Applied]) -> Result<Vec<KeyEffect>, ExplainError> {
        let of = |applied: &&'_ Applied| -> Vec<(&'static Cause, Vec<Change>)> {
            // What another cause brings along is nothing to take away alone.
            let along = if applied.cause.keeps_pace() { &applied.along[..] } else { &[] };
            let with = |change: &Change| (applied.cause, [std::slice::from_ref(change), along].concat());
            applied.changes.iter().map(with).collect()
        };
        let all: Vec<(&'static Cause, Vec<Change>)> = causes.iter().flat_map(of).collect();
        let scenario =
            |(_, changes): &(&'static Cause, Vec<Change>)| self.file.changed(self.variant, changes);
        let scenarios: Vec<Scenario> = all.iter().map(scenario).collect::<Result<_, _>>()?;
        let cases: Vec<Case<'_>> = scenarios.iter().map(Case::whole).collect();
        let found = self.records(&cases)?;
        let effect = |((cause, mut changes), records): ((&'static Cause, Vec<Change>), Records)| {
            let along = changes.split_off(1);
            let change = changes.remove(0);
            let with = |measure: Measure, number: usize| records.get(number)?.1.get(&measure).copied();
            let share = |measure: &Measure| {
                let taken = |number: usize, values: &Values| Some(values.get(&0)? - with(*measure, number)?);
                (*measure, self.share(*measure, taken))
            };
            let was = self.file.written(self.variant, &change.path)?.map(|value| value.to_string());
            let effects = self.totals().keys().map(share).collect();
            Ok(KeyEffect { cause, change, along, was, effects })
        };
        all.into_iter().zip(found).map(effect).collect()
    }

    /// The replication to be told moment by moment: the first, unless it missed nothing and another did.
    fn most_telling(&self) -> u32 {
        let Some(values) = self.values.get(&Measure::MissedRequests) else { return 0 };
        let missed = |values: &Values| values.get(&0).copied().unwrap_or(0.0);
        if values.first().is_some_and(|first| missed(first) > 0.0) {
            return 0;
        }
        let worst = (0..).zip(values).max_by(|(_, a), (_, b)| missed(a).total_cmp(&missed(b)));
        worst.filter(|(_, values)| missed(values) > 0.0).map_or(0, |(number, _)| number)
    }
}

/// One replication in the windows of the scenario, and its episodes, told in finer ones.
fn course(
    scenario: &Scenario,
    replication: u32,
    evaluator: &Evaluator<'_>,
) -> Result<(Outcome, Episodes), ExplainError> {
    let mut fine = scenario.clone();
    let finest = Span::from_nanos(scenario.model.duration.as_nanos() / FINEST).max(Span::from_secs(1));
    fine.run.timeline_interval = finest.min(scenario.run.timeline_interval);
    let cases = [scenario, &fine].map(|scenario| Case::some(scenario, replication..replication + 1));
    let watch = Watch::default();
    evaluator.evaluate(&cases, &watch, |_, _| ())?;
    let [coarse, told] = watch.outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (Some(run), Some(told)) = (coarse, told) else { return Err(ExplainError::Stopped) };
    let decisions = watch.decisions.into_inner().unwrap_or_else(PoisonError::into_inner);
    let all = match scenario.model.decode_pool() {
        None => Course { scenario, windows: &told.timeline, decisions: &decisions }.episodes(),
        Some(decode) => of_two_pools(scenario, decode, &told.timeline, &decisions),
    };
    Ok((run, Episodes { replication, all }))
}

/// Keeps two runs in full, and the decisions of the second.
#[derive(Default)]
struct Watch {
    decisions: Mutex<Vec<DecisionRecord>>,
    outcomes: Mutex<[Option<Outcome>; 2]>,
}

impl Observer for Watch {
    fn retain(&self, case: usize, _: u32) -> Retain {
        if case == 0 { Retain::Timeline } else { Retain::Decisions }
    }

    fn decisions(&self, case: usize, decisions: &[DecisionRecord]) {
        if case == 1 {
            self.decisions.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(decisions);
        }
    }

    fn outcome(&self, case: usize, _: u32, outcome: Outcome) {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)[case] = Some(outcome);
    }
}
