//! Many runs at once: cases times replications, in parallel, on common random numbers.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::{Control, Record, Replications};
use crate::random::Streams;
use crate::scenario::Scenario;
use crate::sim::{Block, Counts, DecisionRecord, Options, Outcome, RequestSource, Simulation, Slo, Window};
use crate::time::Instant;
use crate::units::show_span;

/// Simulations fed from one source at a time, at the most. Their histograms share the cache with the requests.
pub const MOST_TOGETHER: usize = 4;

/// Tasks a thread should find at least, so that none idles for long while another ends its last one.
const TASKS_A_THREAD: usize = 4;

/// Hears the decisions of a case as they are made, in their order, a batch at a time.
pub type DecisionSink<'a> = &'a (dyn Fn(usize, &[DecisionRecord]) + Sync);

/// What there is to keep of a run beside its figures.
#[derive(Clone, Copy)]
pub enum Keep<'a> {
    /// Nothing.
    Figures,
    /// Of replication 0: timeline and distributions. Its decisions are told to the sink, with the number of the case:
    /// there may be more of them than memory should hold.
    First(DecisionSink<'a>),
    /// The timeline of every replication.
    Timelines,
}

/// What came of the replications of one case.
#[derive(Debug, Clone, Default)]
pub struct Replicated {
    /// The replications that finished, in their order.
    pub replications: Replications,
    /// Replication 0 in full, if it was to be kept and finished.
    pub first: Option<Outcome>,
    /// The timelines of all replications, if they were to be kept.
    pub timelines: Vec<Vec<Window>>,
}

/// Why a run came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunError {
    /// The case.
    pub case: usize,
    /// The replication.
    pub replication: u32,
    /// What happened to it.
    pub what: Mishap,
}

/// What may happen to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// Requests went missing: a defect of the simulator, never of a scenario.
    NotConserved(Counts),
    /// More requests waited than memory has room for.
    Overgrown {
        /// When, from the start of the run.
        at: Instant,
        /// Requests that there was room for.
        most_waiting: u64,
    },
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let replication = self.replication;
        match self.what {
            Mishap::NotConserved(counts) => write!(
                f,
                "internal error: requests are not conserved in replication {replication}: {counts:?}; please report this \
                 with the scenario"
            ),
            Mishap::Overgrown { at, most_waiting } => write!(
                f,
                "more than {most_waiting} requests wait at {} of replication {replication}, which is what this machine's \
                 memory holds; nothing was written\n  help: the autoscaler lets the queue grow; limit it \
                 (dispatch.queue_capacity), let more instances start, or check the unit of the rate: per second",
                show_span(at.since(Instant::ZERO))
            ),
        }
    }
}

impl std::error::Error for RunError {}

/// Runs every case as often as it asks for and returns what came of each, in the order given; the same on any number
/// of threads. If `control` is cancelled meanwhile, the runs that had finished are returned.
///
/// # Errors
/// A run lost or made up requests, or outgrew its bound.
pub fn replicate(
    cases: &[&Scenario],
    keep: Keep<'_>,
    control: &Control,
) -> Result<Vec<Replicated>, RunError> {
    replicate_from(cases, 0, keep, control)
}

/// [`replicate`] without the first `from` replications of each case.
///
/// # Errors
/// A run lost or made up requests, or outgrew its bound.
pub fn replicate_from(
    cases: &[&Scenario],
    from: u32,
    keep: Keep<'_>,
    control: &Control,
) -> Result<Vec<Replicated>, RunError> {
    let gathered: Vec<Mutex<Gathered>> =
        cases.iter().map(|case| Mutex::new(Gathered::of(case, from))).collect();
    // One task at a time: halves handed out whole would leave a thread idle at the end.
    tasks(cases, from, rayon::current_num_threads()).into_par_iter().with_max_len(1).try_for_each(
        |task| {
            for finished in task.run(cases, keep, control)? {
                // Nothing panics while it holds the lock; if anything did, what was gathered is whole all the same.
                let mut case = gathered[finished.case].lock().unwrap_or_else(PoisonError::into_inner);
                case.add(finished);
            }
            Ok(())
        },
    )?;
    let result = |case: Mutex<Gathered>| case.into_inner().unwrap_or_else(PoisonError::into_inner).result();
    Ok(gathered.into_iter().map(result).collect())
}

/// What has come of one case so far.
struct Gathered {
    runs: Vec<Finished>,
    /// Runs to come.
    missing: usize,
    slo: Option<Slo>,
    /// Whether more replications may come later, so that the times of these are still needed.
    open: bool,
    done: Option<Replicated>,
}

impl Gathered {
    fn of(case: &Scenario, from: u32) -> Gathered {
        Gathered {
            runs: Vec::new(),
            missing: case.run.replications.saturating_sub(from) as usize,
            slo: case.model.slo,
            open: case.run.precision.is_some(),
            done: None,
        }
    }

    /// Takes a run. With the last, all are put together, so that a sweep need not hold the times of all its requests.
    fn add(&mut self, finished: Finished) {
        self.runs.push(finished);
        self.missing = self.missing.saturating_sub(1);
        if self.missing == 0 {
            self.done = Some(self.together());
        }
    }

    fn together(&mut self) -> Replicated {
        let mut runs = std::mem::take(&mut self.runs);
        runs.sort_by_key(|run| run.figures.number);
        let (mut each, mut first, mut timelines) = (Vec::new(), None, Vec::new());
        for run in runs {
            each.push(run.figures);
            first = first.or(run.kept);
            timelines.extend(run.timeline);
        }
        let replications = Replications::new(each, self.slo);
        let replications = if self.open { replications } else { replications.without_times() };
        Replicated { replications, first, timelines }
    }

    fn result(mut self) -> Replicated {
        self.done.take().unwrap_or_else(|| self.together())
    }
}

/// Cases that meet the same requests, in one replication.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Task {
    cases: Vec<usize>,
    replication: u32,
}

struct Finished {
    case: usize,
    figures: Record,
    kept: Option<Outcome>,
    timeline: Option<Vec<Window>>,
}

/// Divides the work: groups of cases that meet the same requests, small enough that every thread has enough tasks.
fn tasks(cases: &[&Scenario], from: u32, threads: usize) -> Vec<Task> {
    let runs: usize = cases.iter().map(|case| case.run.replications.saturating_sub(from) as usize).sum();
    let together = (runs / (threads * TASKS_A_THREAD)).clamp(1, MOST_TOGETHER);
    let mut tasks = Vec::new();
    for alike in alike(cases) {
        for group in alike.chunks(together) {
            let replications = cases[group[0]].run.replications;
            tasks.extend((from..replications).map(|replication| Task { cases: group.to_vec(), replication }));
        }
    }
    tasks
}

/// The cases by the requests they meet and how often they run.
fn alike(cases: &[&Scenario]) -> Vec<Vec<usize>> {
    let mut classes: Vec<Vec<usize>> = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let same = |class: &&mut Vec<usize>| {
            let first = cases[class[0]];
            first.run.seed == case.run.seed
                && first.run.replications == case.run.replications
                && RequestSource::same(&first.model, &case.model)
        };
        match classes.iter_mut().find(same) {
            Some(class) => class.push(index),
            None => classes.push(vec![index]),
        }
    }
    classes
}

impl Task {
    /// Draws the requests once, block by block, and feeds every case with them; nothing if cancelled.
    fn run(&self, cases: &[&Scenario], keep: Keep<'_>, control: &Control) -> Result<Vec<Finished>, RunError> {
        let group = self.cases.iter().map(|index| cases[*index]);
        let Some(first) = group.clone().next() else { return Ok(Vec::new()) };
        let streams = Streams::new(first.run.seed, u64::from(self.replication));
        let log = match keep {
            Keep::First(log) if self.replication == 0 => Some(log),
            _ => None,
        };
        let start = |case: &Scenario| {
            let options = Options {
                mark_interval: case.run.timeline_interval,
                timeline: log.is_some() || matches!(keep, Keep::Timelines),
                decisions: log.is_some(),
            };
            let mut simulation = Simulation::new(&case.model, streams, &options, ());
            simulation.watch(control.watch());
            simulation
        };
        let mut simulations: Vec<Simulation> = group.map(start).collect();
        let mut source = RequestSource::new(&first.model, streams);
        let mut block = Block::default();
        loop {
            if control.cancelled() {
                return Ok(Vec::new());
            }
            source.fill(&mut block);
            let mut wanted = false;
            for (case, simulation) in self.cases.iter().zip(&mut simulations) {
                wanted |= simulation.feed(&block);
                if let Some(log) = log {
                    log(*case, &simulation.take_decisions());
                }
            }
            control.count_requests((block.arrival.len() * simulations.len()) as u64);
            if block.arrival.is_empty() || !wanted {
                break;
            }
        }
        let finish = |(case, simulation): (&usize, Simulation)| {
            let (mut outcome, ()) = simulation.finish();
            if control.cancelled() {
                return Ok(None);
            }
            let failed = |what| RunError { case: *case, replication: self.replication, what };
            if let Some(at) = outcome.queue_overflow {
                // One is enough: what the others would come to is of no use.
                control.cancel();
                return Err(failed(Mishap::Overgrown { at, most_waiting: control.watch().max_waiting() }));
            }
            if !outcome.counts.conserved() {
                return Err(failed(Mishap::NotConserved(outcome.counts)));
            }
            control.count_runs(1);
            let figures = Record::of(self.replication, &outcome, cases[*case].model.slo);
            let timeline = matches!(keep, Keep::Timelines).then(|| std::mem::take(&mut outcome.timeline));
            let kept = log.map(|log| {
                log(*case, &outcome.decisions);
                outcome
            });
            Ok(Some(Finished { case: *case, figures, kept, timeline }))
        };
        self.cases.iter().zip(simulations).map(finish).filter_map(Result::transpose).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::ScenarioFile;

    fn scenarios(rates: &[f64]) -> Vec<Scenario> {
        let scenario = |rate: &f64| {
            let text = format!(
                "[arrivals]\nkind = \"poisson\"\nrate = {rate}\n[service]\ntime = \"200ms\"\n\
                 [autoscaler]\nkind = \"threshold\"\nmetric = \"queue_length\"\nmax = 9\n\
                 up = {{ above = 5 }}\ndown = {{ below = 1 }}\n[run]\nduration = \"10m\"\nreplications = 3"
            );
            ScenarioFile::parse("test.toml", &text, ".").unwrap().scenario().unwrap()
        };
        rates.iter().map(scenario).collect()
    }

    #[test]
    fn cases_that_meet_the_same_requests_share_a_task() {
        let mut scenarios = scenarios(&[8.0, 9.0, 8.0, 8.0, 8.0, 8.0]);
        scenarios[3].run.seed = 2;
        let cases: Vec<&Scenario> = scenarios.iter().collect();
        assert_eq!(alike(&cases), [vec![0, 2, 4, 5], vec![1], vec![3]]);
        let shared = tasks(&cases, 0, 1);
        assert_eq!(shared.len(), 3 * 3);
        assert_eq!(shared[1], Task { cases: vec![0, 2, 4, 5], replication: 1 });
    }

    #[test]
    fn threads_that_would_idle_get_smaller_tasks() {
        let scenarios = scenarios(&[8.0; 4]);
        let cases: Vec<&Scenario> = scenarios.iter().collect();
        // 12 runs: for one thread three at a time, so two groups in each of three replications.
        assert_eq!(tasks(&cases, 0, 1).len(), 6);
        assert_eq!(tasks(&cases, 0, 8).len(), 12);
    }

    #[test]
    fn a_case_comes_out_the_same_alone_and_in_company() {
        let mut scenarios = scenarios(&[8.0, 9.0, 8.0]);
        scenarios[2].model.duration = crate::time::Span::from_secs(60);
        let cases: Vec<&Scenario> = scenarios.iter().collect();
        let together = replicate(&cases, Keep::Figures, &Control::default()).unwrap();
        for (index, case) in cases.iter().enumerate() {
            let alone = replicate(&[case], Keep::Figures, &Control::default()).unwrap();
            assert_eq!(together[index].replications, alone[0].replications);
            let numbers: Vec<u32> = alone[0].replications.iter().map(|each| each.number).collect();
            assert_eq!(numbers, [0, 1, 2]);
        }
    }

    #[test]
    fn the_decisions_of_replication_0_are_heard_in_order_and_no_others() {
        let scenarios = scenarios(&[8.0]);
        let heard = Mutex::new(Vec::new());
        let log = |case: usize, decisions: &[DecisionRecord]| {
            assert_eq!(case, 0);
            heard.lock().unwrap().extend(decisions.iter().map(|record| record.at.as_secs_f64()));
        };
        let found = replicate(&[&scenarios[0]], Keep::First(&log), &Control::default()).unwrap();
        // Every 15 s for 10 minutes; the end of the run is not within it.
        let evaluations: Vec<f64> = (1..).map(|k| f64::from(k) * 15.0).take_while(|at| *at < 600.0).collect();
        let heard = heard.into_inner().unwrap();
        assert_eq!(heard[..evaluations.len()], evaluations);
        assert!(heard.len() <= evaluations.len() + 1);
        assert!(found[0].first.as_ref().is_some_and(|first| !first.timeline.is_empty()));
    }

    #[test]
    fn a_queue_that_outgrows_its_bound_stops_the_work_and_says_where() {
        // 8 requests/s that need 0.2 s each, and an autoscaler that adds nothing to the one instance: 3 more wait every
        // second, some 10,000 within an hour. The pool it might have would serve them easily.
        let scenario = |rate: f64| {
            let text = format!(
                "[arrivals]\nkind = \"poisson\"\nrate = {rate}\n[service]\ntime = \"200ms\"\n[autoscaler]\n\
                 kind = \"threshold\"\nmetric = \"queue_length\"\nmax = 9\nup = {{ above = 1000000 }}\n\
                 down = {{ below = 1 }}\n[run]\nduration = \"1d\"\nreplications = 3"
            );
            ScenarioFile::parse("test.toml", &text, ".").unwrap().scenario().unwrap()
        };
        let scenarios = [scenario(3.0), scenario(8.0)];
        assert!(scenarios.iter().all(|scenario| scenario.check_fits(1 << 20, 1).is_ok()));
        let cases: Vec<&Scenario> = scenarios.iter().collect();
        let error = replicate(&cases, Keep::Figures, &Control::bounded(10_000)).unwrap_err();
        let Mishap::Overgrown { at, most_waiting } = error.what else { panic!("{error}") };
        assert_eq!((error.case, most_waiting), (1, 10_000));
        // Looked at once in 16,384 arrivals, some 34 min.
        let minutes = at.as_secs_f64() / 60.0;
        assert!((55.0..100.0).contains(&minutes), "{minutes}");
        assert!(error.to_string().starts_with("more than 10000 requests wait at 1h"), "{error}");
        assert!(replicate(&cases[..1], Keep::Figures, &Control::bounded(10_000)).is_ok());
    }

    #[test]
    fn cancelled_work_returns_nothing_unfinished() {
        let scenarios = scenarios(&[8.0]);
        let control = Control::default();
        control.cancel();
        let found = replicate(&[&scenarios[0]], Keep::Figures, &control).unwrap();
        assert!(found[0].replications.is_empty() && control.runs() == 0);
    }
}
