//! Random models of pools that misbehave and clients that do not wait.

use kneepoint::internals::distribution::{Distribution, Durations};
use kneepoint::internals::schema::{Context, Reader, Tree};
use kneepoint::internals::service;
use kneepoint::internals::sim::{
    Client, DispatchPolicy, Idle, Instances, LostRequests, Model, Nodes, Portion, Rollout, Stage,
};
use proptest::prelude::*;

use super::models::{Watched, models, tenths};

/// Models in which instances fail, are refused, differ, and clients give up, try again and hedge.
pub fn wild_models(metrics: Vec<Watched>) -> impl Strategy<Value = Model> {
    (models(metrics), hazards(), types(), client(), any::<bool>(), nodes(), rollouts()).prop_map(
        |(mut model, hazards, types, client, fastest, node, rollouts)| {
            let cold_start = std::mem::take(&mut model.instances.cold_start);
            let names: Vec<String> = (0..cold_start.len()).map(|n| format!("stage {n}")).collect();
            let after = names.first().filter(|_| fastest);
            let after = after.map(|name| format!("after = \"{name}\"\n")).unwrap_or_default();
            let hazards = hazards.replace("after_stage\n", &after);
            let stages =
                cold_start.into_iter().zip(names).map(|(stage, name)| Stage { name, ..stage }).collect();
            let stages: Vec<Stage> = stages;
            let text = stages.iter().map(|stage| {
                format!("[[cold_start]]\nname = \"{}\"\ntime = \"{}s\"\n", stage.name, stage.time.0.mean())
            });
            let text = format!("{hazards}{}{types}", text.collect::<String>());
            let tree = Tree::parse(&text).unwrap();
            let context = Context::default();
            let reader = Reader::open(tree.root(), "instances", &Instances::SPEC, &context).unwrap();
            let read = Instances::read(&reader).unwrap_or_else(|problem| panic!("{text}: {problem:?}"));
            let instances = std::mem::take(&mut model.instances);
            model.instances = Instances {
                initial: instances.initial,
                scale_down: instances.scale_down,
                drain_deadline: instances.drain_deadline,
                leaving: instances.leaving,
                ..read
            };
            model.client = client;
            if let Some(node) = &node {
                pack(&mut model.instances, node);
            }
            if model.instances.warm_pool.is_none() {
                model.instances.rollouts = rollouts;
            }
            tame(&mut model);
            if fastest && model.dispatch.policy == DispatchPolicy::CentralQueue {
                model.dispatch.idle = Idle::Fastest;
            }
            model
        },
    )
}

/// Packs the instances on nodes, which takes the place of what does not go with that.
fn pack(instances: &mut Instances, node: &Nodes) {
    instances.node = Some(node.clone());
    (instances.warm_pool, instances.hazards.interruptions) = (None, None);
    let cache = |stages: &mut Vec<Stage>| {
        if let Some(last) = stages.last_mut() {
            last.cached_on_node = true;
        }
    };
    cache(&mut instances.cold_start);
    for kind in &mut instances.types {
        kind.hazards.interruptions = None;
        cache(&mut kind.cold_start);
    }
}

fn nodes() -> impl Strategy<Value = Option<Nodes>> {
    let nodes = (1_u32..4, 0_u64..30, 0_u64..30, prop::option::of(1_u64..90)).prop_map(
        |(instances_per_node, start, keep, failures)| Nodes {
            instances_per_node,
            start: tenths_of(start),
            remove_after: tenths(keep),
            per_node_hour: 3.6,
            failures: failures.map(tenths_of),
        },
    );
    prop_oneof![2 => Just(None), 1 => nodes.prop_map(Some)]
}

fn rollouts() -> impl Strategy<Value = Vec<Rollout>> {
    let portion = || {
        prop_oneof![
            (0_u32..3).prop_map(Portion::Instances),
            prop::sample::select(vec![0.0, 25.0, 40.0, 100.0]).prop_map(Portion::Percent),
        ]
    };
    let rollout = (0_u64..120, portion(), portion()).prop_map(|(at, max_surge, max_unavailable)| Rollout {
        at: tenths(at),
        max_surge,
        max_unavailable,
    });
    let rollouts = prop::collection::vec(rollout, 1..3).prop_map(|mut rollouts| {
        rollouts.sort_by_key(|rollout| rollout.at);
        rollouts
    });
    prop_oneof![2 => Just(Vec::new()), 1 => rollouts]
}

fn tenths_of(tenths: u64) -> Durations {
    Durations(Distribution::constant(tenths as f64 / 10.0))
}

/// Takes away what goes with slots only.
fn tame(model: &mut Model) {
    if let service::Model::Slots(_) = model.service.model {
        return;
    }
    let instances = &mut model.instances;
    instances.first_request = None;
    if instances.lost == LostRequests::Resume {
        instances.lost = LostRequests::Restart;
    }
}

/// Keys of `[instances]`, some of them there and some not.
fn hazards() -> impl Strategy<Value = String> {
    let maybe = |text: String| prop_oneof![2 => Just(String::new()), 1 => Just(text)];
    let lost = prop::sample::select(vec!["fail", "restart", "resume"]);
    let time = || {
        prop_oneof![
            (1_u64..60).prop_map(|n| format!("\"{n}00ms\"")),
            Just("{ dist = \"exponential\", mean = \"3s\" }".to_owned()),
        ]
    };
    let warm = (0_u32..3, prop::option::of(1_u32..6), prop::option::of(0_u64..20), any::<bool>()).prop_map(
        |(least, most, start, reuse)| {
            let most = most.map(|most| format!("max_prepared = {most}\n")).unwrap_or_default();
            let start = start.map(|n| format!("start = \"{n}00ms\"\n")).unwrap_or_default();
            let least = if most.is_empty() { least + 1 } else { least };
            format!("[warm_pool]\nmin_size = {least}\n{most}{start}price_fraction = 0.25\nreuse_on_scale_in = {reuse}\n")
        },
    );
    let warm = prop_oneof![2 => Just(String::new()), 1 => warm];
    let warm_up =
        maybe("[warm_up]\ntime = { dist = \"exponential\", mean = \"2s\" }\nutilization = 1.5\n".to_owned());
    let first = (lost, prop::option::of(1_u64..40)).prop_map(|(lost, first)| {
        let first = first.map(|n| format!("first_request = \"{n}00ms\"\n")).unwrap_or_default();
        format!("lost = \"{lost}\"\n{first}")
    });
    let tables = (time(), time(), 0_u64..30, 0.0..0.9_f64, 1_u64..20, 0_u64..5, 0_u64..40).prop_flat_map(
        move |(failure, notice, length, p, pause, quota, at)| {
            let failures = maybe(format!("[failures]\nafter = {failure}\n"));
            let interruptions =
                maybe(format!("[interruptions]\nafter = {notice}\nnotice = \"{length}00ms\"\n"));
            let starts = maybe(format!(
                "[start_failures]\nafter_stage\nprobability = {p}\nbackoff = \"{pause}00ms\"\nbackoff_max = \"2s\"\n"
            ));
            // At coinciding instants if `p` says so, else at random ones.
            let spells = match (quota, p < 0.4) {
                (0..3, true) => format!("available = \"{pause}00ms\"\nunavailable = \"700ms\"\n"),
                (0..3, false) => "available = { dist = \"exponential\", mean = \"2s\" }\nunavailable = { dist = \"exponential\", mean = \"1s\" }\n".to_owned(),
                _ => String::new(),
            };
            let stock = maybe(format!(
                "[stock]\nquota = {quota}\nrefused = {p}\nbackoff = \"{pause}00ms\"\nbackoff_max = \"3s\"\n\
                 outages = [{{ from = \"{at}00ms\", until = \"5s\" }}]\n{spells}"
            ));
            let slow = maybe(format!("[slow]\nshare = {p}\nspeed = 0.5\n"));
            (failures, interruptions, starts, stock, slow)
                .prop_map(|(a, b, c, d, e)| [a, b, c, d, e].concat())
        },
    );
    (first, tables, warm, warm_up)
        .prop_map(|(first, tables, warm, warm_up)| format!("{first}{tables}{warm}{warm_up}"))
}

fn types() -> impl Strategy<Value = String> {
    let two = (0_u32..3, 0_u32..3, 1_u32..4, prop::sample::select(vec!["0.5", "1", "2", "3"])).prop_map(
        |(base, other_base, quota, speed)| {
            format!(
                "[[type]]\nname = \"a\"\nbase = {base}\nspeed = {speed}\nper_instance_hour = 7.2\n\
                 stock = {{ quota = {quota}, backoff = \"700ms\" }}\n\
                 [[type]]\nname = \"b\"\nbase = {other_base}\ncold_start = \"300ms\"\n\
                 interruptions = {{ after = \"4s\", notice = \"500ms\" }}\n"
            )
            .replace(
                "cold_start = \"300ms\"\n",
                "cold_start = \"300ms\"\nstart_failures = { probability = 0.2 }\n",
            )
        },
    );
    prop_oneof![2 => Just(String::new()), 1 => two]
}

pub fn client() -> impl Strategy<Value = Client> {
    let abandoned = prop::sample::select(vec!["served", "dropped", "stopped"]);
    let jitter = prop::sample::select(vec!["none", "equal", "full"]);
    let on = prop::sample::select(vec![
        "\"rejected\", \"timed_out\", \"failed\"",
        "\"rejected\"",
        "\"failed\", \"timed_out\"",
    ]);
    let tries = (prop::option::of(1_u64..30), 0_u32..4, 0_u64..8, abandoned, jitter, on);
    let first_token = prop::option::weighted(0.3, 1_u64..20);
    let active = (tries, prop::option::of(1_u64..20), any::<bool>(), first_token).prop_map(
        |((timeout, retries, backoff, abandoned, jitter, on), hedge, cancel, first_token)| {
            let maybe = |key: &str, tenths: Option<u64>| {
                tenths.map(|n| format!("{key} = \"{n}00ms\"\n")).unwrap_or_default()
            };
            let text = format!(
                "{}{}{}retries = {retries}\nbackoff = \"{backoff}00ms\"\nbackoff_max = \"2s\"\n\
                 abandoned = \"{abandoned}\"\njitter = \"{jitter}\"\nretry_on = [{on}]\nhedge_cancel = {cancel}",
                maybe("timeout", timeout),
                maybe("hedge_after", hedge),
                maybe("first_token_timeout", first_token)
            );
            let tree = Tree::parse(&text).unwrap();
            let context = Context::default();
            let reader = Reader::open(tree.root(), "client", &Client::SPEC, &context).unwrap();
            Client::read(&reader).unwrap_or_else(|problem| panic!("{text}: {problem:?}"))
        },
    );
    prop_oneof![1 => Just(Client::default()), 1 => active]
}
