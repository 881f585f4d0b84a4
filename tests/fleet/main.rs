//! The breaker at the scale of the internet: a fleet of isolates in several regions, one object for each of them, and a provider that fails
//! in every way that providers do. See `docs/fleet.md`, whose figures `make simulate-fleet` writes; here a small fleet shows what must
//! hold for any.

#![allow(clippy::indexing_slicing, reason = "a test's world ends when it is wrong")]
#![allow(missing_docs, unreachable_pub, reason = "a test's tools")]

mod contender;
mod dice;
mod fault;
mod fleet;
mod plot;
mod report;
mod tally;
mod wheel;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use breakwater::breaker::Settings;

use contender::Contender;
use fault::Fault;
use fleet::{Fleet, Size};
use plot::Line;
use tally::Figures;

/// The regions' shares of isolates, roughly as the world's traffic is spread.
const WORLD: [f64; 9] = [0.25, 0.20, 0.16, 0.15, 0.09, 0.06, 0.03, 0.03, 0.03];

/// What an object must stay under in any second.
const MOST_PER_SECOND: u64 = 200;

fn full() -> Size {
    Size {
        isolates: 10_000,
        regions: WORLD.to_vec(),
        rate: 30_000.0,
        before: 80_000,
        fault: 60_000,
        after: 80_000,
        lifetime: 600_000.0,
        settings: Settings::default(),
    }
}

fn small() -> Size {
    Size {
        isolates: 200,
        regions: vec![0.5, 0.3, 0.2],
        rate: 600.0,
        before: 15_000,
        fault: 50_000,
        after: 60_000,
        lifetime: 120_000.0,
        settings: Settings::default(),
    }
}

/// Lives every world through, as many at a time as there are processors.
fn all(worlds: &[(Size, Contender, Fault)], seed: u64) -> Vec<Figures> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            scope.spawn(|| {
                loop {
                    let nth = next.fetch_add(1, Ordering::SeqCst);
                    let Some((size, contender, fault)) = worlds.get(nth) else { return };
                    let figures = Fleet::new(size, *contender, *fault, seed).run();
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((nth, figures));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(nth, _)| *nth);
    done.into_iter().map(|(_, figures)| figures).collect()
}

fn every(size: &Size, seed: u64) -> report::Runs {
    let keys: Vec<(Fault, Contender)> =
        Fault::ALL.into_iter().flat_map(|fault| Contender::ALL.map(|contender| (fault, contender))).collect();
    let worlds: Vec<_> = keys.iter().map(|(fault, contender)| (size.clone(), *contender, *fault)).collect();
    keys.into_iter().zip(all(&worlds, seed)).collect()
}

#[test]
fn what_holds_for_any_fleet() {
    let size = small();
    let runs = every(&size, 7);
    for fault in Fault::ALL {
        let [nobody, alone, central, ours] = Contender::ALL.map(|contender| &runs[&(fault, contender)]);
        let name = fault.name();
        // A call that is not answered is known to have failed when it is given up.
        let known_after = match fault {
            Fault::Silent => 10.0,
            Fault::Creep => 36.0,
            _ => 0.0,
        };
        if fault != Fault::Some {
            let stops = ours.traffic_stops.unwrap_or(f64::INFINITY);
            assert!(stops <= known_after + 6.0, "{name}: the traffic stops after {stops} s");
        }
        assert!(ours.wasted < nobody.wasted / 2, "{name}: {} of {} are wasted", ours.wasted, nobody.wasted);
        assert!(ours.wasted <= alone.wasted, "{name}: {} are wasted, and {} alone", ours.wasted, alone.wasted);
        assert!(ours.load.0 < MOST_PER_SECOND, "{name}: {} exchanges in a second", ours.load.0);
        assert!(central.load.0 > 1_000, "{name}: the central object has an easy life");
        // One in each region for each of a cooldown's ends, and for each of the circuits that open apart from one another.
        assert!(ours.probes <= 3 * 3 * 6, "{name}: {} probes", ours.probes);
        assert!(ours.recovers.1.is_some(), "{name}: not everybody is let through again");
        if matches!(fault, Fault::Region | Fault::Model | Fault::Key | Fault::Limited) {
            // Of those calls that the fault does not concern hardly one is refused.
            assert!(ours.bystanders * 200 < ours.requests, "{name}: {} bystanders are refused", ours.bystanders);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_figures() {
    for contender in Contender::ALL {
        let live = |seed| Fleet::new(&small(), contender, Fault::Creep, seed).run();
        assert_eq!(live(3), live(3), "{contender:?}");
        assert_ne!(live(3), live(4), "{contender:?}");
    }
}

/// Writes the figures into `docs/`.
#[test]
#[ignore = "takes minutes, and writes into the documents: make simulate-fleet"]
fn full_size() {
    let size = full();
    let runs = every(&size, 1);
    let begins = usize::try_from(size.before / 1_000).unwrap();
    let lines = Contender::ALL.map(|contender| {
        let wasted = runs[&(Fault::Whole, contender)].wasted_per_second.iter().skip(begins).copied();
        Line { contender, wasted: wasted.take(80).collect() }
    });
    let title = "A provider is down for a minute: 10,000 isolates, 30,000 requests a second";
    let picture = plot::svg(title, size.fault, &lines);
    let table = report::table(&runs);
    let tuning = report::tuning(&tried());
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let document = std::fs::read_to_string(docs.join("fleet.md")).unwrap();
    let document = report::insert(&document, "figures", &table).unwrap();
    let document = report::insert(&document, "tuning", &tuning).unwrap();
    std::fs::write(docs.join("fleet.md"), document).unwrap();
    std::fs::write(docs.join("fleet.svg"), picture).unwrap();
    println!("{table}\n{tuning}");
    for ((fault, contender), figures) in &runs {
        if *contender == Contender::Ours {
            assert!(figures.load.0 < MOST_PER_SECOND, "{}: {} exchanges in a second", fault.name(), figures.load.0);
        }
    }
}

/// The defaults, and what is to each side of them.
fn tried() -> Vec<(&'static str, &'static str, Figures)> {
    let seconds = Duration::from_secs;
    let with = |settings| Size { settings, ..full() };
    // It ends a little after a probe has failed, which is the worst moment. A smaller fleet, as the probe waits for the same.
    let long = |settings| Size { isolates: 1_000, rate: 3_000.0, fault: 350_000, after: 350_000, ..with(settings) };
    let default = Settings::default();
    let rows = [
        (Fault::Whole, "defaults", with(default)),
        (Fault::Whole, "`failures = 3`", with(Settings { failures: 3, ..default })),
        (Fault::Whole, "`failures = 10`", with(Settings { failures: 10, ..default })),
        (Fault::Whole, "`cooldown = \"5s\"`", with(Settings { cooldown: seconds(5), ..default })),
        (Fault::Whole, "`cooldown = \"20s\"`", with(Settings { cooldown: seconds(20), ..default })),
        (Fault::Whole, "350 s, `max_cooldown = \"5m\"`", long(Settings { max_cooldown: seconds(300), ..default })),
        (Fault::Whole, "350 s, `max_cooldown = \"1m\"`", long(Settings { max_cooldown: seconds(60), ..default })),
        (Fault::Whole, "350 s, `max_cooldown = \"30s\"`", long(Settings { max_cooldown: seconds(30), ..default })),
        (Fault::Some, "defaults", with(default)),
        (Fault::Some, "`failures = 10`", with(Settings { failures: 10, ..default })),
        (Fault::Some, "`failures = 20`", with(Settings { failures: 20, ..default })),
        (Fault::Creep, "defaults", with(default)),
        (Fault::Creep, "`window = \"10s\"`", with(Settings { window: seconds(10), ..default })),
        (Fault::Creep, "`window = \"1m\"`", with(Settings { window: seconds(60), ..default })),
    ];
    let worlds: Vec<_> = rows.iter().map(|(fault, _, size)| (size.clone(), Contender::Ours, *fault)).collect();
    let figures = all(&worlds, 1);
    rows.into_iter().zip(figures).map(|((fault, settings, _), figures)| (fault.name(), settings, figures)).collect()
}
