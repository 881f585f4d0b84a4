//! A circuit that has opened: leases, probes and epochs, as timelines.

use breakwater::breaker::Settings;
use breakwater::breaker::circuit::{Circuit, Counts, LEASE};

use super::circuit::Do::{Failed, FailedIn, Lease, Look, Ok, Probed, Release, Restore, Trip, TripByOthers};
use super::circuit::Seen::{Closed, HalfOpen, Leased, Open};
use super::circuit::{Line, check, check_all, seen};
use super::{at, secs, settings};

/// Open, half-open, and one lease at a time, which is found when somebody asks.
#[test]
fn a_lease_is_granted_to_one_at_a_time() {
    let usual = settings();
    let lease = u64::try_from(LEASE.as_millis()).unwrap();
    check_all(&[
        ("not while it is closed", usual, &[(0, Failed(2), false, Closed(0)), (1, Lease, false, Closed(0))]),
        (
            "not before the cooldown ends",
            usual,
            &[
                (0, Failed(3), true, Open(1, 1000)),
                (999, Lease, false, Open(1, 1000)),
                (1000, Look, true, HalfOpen(1)),
                (1000, Lease, true, Leased(2, 1000 + lease)),
            ],
        ),
        (
            "once",
            usual,
            &[
                (0, Failed(3), true, Open(1, 1000)),
                (1500, Lease, true, Leased(2, 1500 + lease)),
                (1501, Lease, false, Leased(2, 1500 + lease)),
                (1499 + lease, Lease, false, Leased(2, 1500 + lease)),
            ],
        ),
        (
            "it expires by itself",
            usual,
            &[
                (0, Failed(3), true, Open(1, 1000)),
                (1500, Lease, true, Leased(2, 1500 + lease)),
                (1500 + lease, Look, true, HalfOpen(2)),
                (1500 + lease, Lease, true, Leased(3, 1500 + 2 * lease)),
            ],
        ),
        (
            "it is given back",
            usual,
            &[
                (0, Failed(3), true, Open(1, 1000)),
                (1500, Lease, true, Leased(2, 1500 + lease)),
                (1600, Release(1), false, Leased(2, 1500 + lease)),
                (1600, Release(2), true, HalfOpen(2)),
                (1601, Release(2), false, HalfOpen(2)),
                (1602, Probed(2, true), false, HalfOpen(2)),
                (1603, Lease, true, Leased(3, 1603 + lease)),
            ],
        ),
        (
            "days later",
            usual,
            &[(0, Failed(3), true, Open(1, 1000)), (864_000_000, Lease, true, Leased(2, 864_000_000 + lease))],
        ),
    ]);
}

#[test]
fn a_probe_closes_it_or_opens_it_for_longer() {
    let usual = settings();
    let lease = u64::try_from(LEASE.as_millis()).unwrap();
    let open: [Line; 2] = [(0, Failed(3), true, Open(1, 1000)), (1000, Lease, true, Leased(2, 1000 + lease))];
    let after = |lines: &[Line]| [&open[..], lines].concat();
    let rows: Vec<(&str, Settings, Vec<Line>)> = vec![
        (
            "success closes it, with no run",
            usual,
            after(&[
                (1100, Probed(2, true), true, Closed(3)),
                (1101, Failed(2), false, Closed(3)),
                (1102, Failed(1), true, Open(4, 2102)),
            ]),
        ),
        (
            "success closes it, with an empty window",
            Settings { failures: 3, min_requests: 3, ..usual },
            after(&[
                (1100, Probed(2, true), true, Closed(3)),
                (1101, Ok(1), false, Closed(3)),
                (1102, Failed(1), false, Closed(3)),
                (1103, Ok(1), false, Closed(3)),
            ]),
        ),
        (
            "failures double the cooldown up to the longest",
            usual,
            after(&[
                (1100, Probed(2, false), true, Open(3, 3100)),
                (3100, Lease, true, Leased(4, 3100 + lease)),
                (3200, Probed(4, false), true, Open(5, 7200)),
                (7200, Lease, true, Leased(6, 7200 + lease)),
                (7200, Probed(6, false), true, Open(7, 15_200)),
                (15_200, Lease, true, Leased(8, 15_200 + lease)),
                (15_200, Probed(8, false), true, Open(9, 23_200)),
            ]),
        ),
        (
            "a longest that is no multiple",
            Settings { max_cooldown: secs(3), ..usual },
            after(&[
                (1100, Probed(2, false), true, Open(3, 3100)),
                (3100, Lease, true, Leased(4, 3100 + lease)),
                (3100, Probed(4, false), true, Open(5, 6100)),
            ]),
        ),
        (
            "a later trip never inherits an earlier one's clock",
            usual,
            after(&[
                (1100, Probed(2, false), true, Open(3, 3100)),
                (3100, Lease, true, Leased(4, 3100 + lease)),
                (3200, Probed(4, true), true, Closed(5)),
                (3300, Failed(3), true, Open(6, 4300)),
            ]),
        ),
        (
            "a lease that expired can still be made good",
            usual,
            after(&[(1000 + lease, Look, true, HalfOpen(2)), (1001 + lease, Probed(2, true), true, Closed(3))]),
        ),
        (
            "but not where another is out",
            usual,
            after(&[
                (1000 + lease, Lease, true, Leased(3, 1000 + 2 * lease)),
                (1001 + lease, Probed(2, true), false, Leased(3, 1000 + 2 * lease)),
                (1002 + lease, Probed(2, false), false, Leased(3, 1000 + 2 * lease)),
                (1003 + lease, Probed(3, true), true, Closed(4)),
            ]),
        ),
        (
            "a result is heard once",
            usual,
            after(&[
                (1100, Probed(2, true), true, Closed(3)),
                (1101, Probed(2, false), false, Closed(3)),
                (1102, Probed(3, false), false, Closed(3)),
            ]),
        ),
    ];
    for (name, settings, lines) in rows {
        check(name, &settings, &lines);
    }
    // Settings that were shortened since it opened hold at once.
    let mut circuit = Circuit::default();
    circuit.record(Counts { ok: 0, failed: 3, trailing: 3 }, 0, at(0), &Settings { cooldown: secs(8), ..usual }, 0);
    let epoch = circuit.lease(at(8000)).unwrap();
    assert!(circuit.probed(epoch, false, at(8000), &Settings { max_cooldown: secs(2), ..usual }, 0));
    assert_eq!(seen(&circuit, 8000), Open(3, 10_000));
}

#[test]
fn reports_of_another_epoch_say_nothing() {
    let usual = settings();
    let lease = u64::try_from(LEASE.as_millis()).unwrap();
    check_all(&[
        ("of one that is to come", usual, &[(0, FailedIn(1), false, Closed(0)), (1, Failed(2), false, Closed(0))]),
        (
            "of calls that began before a trip",
            usual,
            &[
                (0, Failed(3), true, Open(1, 1000)),
                (1, FailedIn(0), false, Open(1, 1000)),
                (2, Failed(3), false, Open(1, 1000)),
                (1000, Lease, true, Leased(2, 1000 + lease)),
                (1001, FailedIn(0), false, Leased(2, 1000 + lease)),
                (1002, FailedIn(2), false, Leased(2, 1000 + lease)),
                (1003, Probed(2, true), true, Closed(3)),
                (1004, FailedIn(0), false, Closed(3)),
                (1005, FailedIn(0), false, Closed(3)),
                (1006, FailedIn(0), false, Closed(3)),
                (1007, Failed(2), false, Closed(3)),
            ],
        ),
        (
            "of a trip",
            usual,
            &[
                (0, Trip(1), false, Closed(0)),
                (0, Trip(0), true, Open(1, 1000)),
                (1, Trip(1), false, Open(1, 1000)),
                (1000, Trip(1), false, HalfOpen(1)),
            ],
        ),
        (
            "neighbours know no epoch",
            usual,
            &[
                (0, TripByOthers, true, Open(1, 1000)),
                (500, TripByOthers, false, Open(1, 1000)),
                (1000, TripByOthers, false, HalfOpen(1)),
                (1000, Lease, true, Leased(2, 1000 + lease)),
                (1000, Probed(2, true), true, Closed(3)),
                (1000, TripByOthers, true, Open(4, 2000)),
            ],
        ),
    ]);
}

/// Transitions survive; counts do not, as only transitions are stored.
#[test]
fn it_is_written_down_and_read_again() {
    let usual = settings();
    let lease = u64::try_from(LEASE.as_millis()).unwrap();
    check_all(&[
        ("closed", usual, &[(0, Failed(2), false, Closed(0)), (1, Restore, true, Closed(0)), (2, Failed(2), false, Closed(0))]),
        (
            "open",
            usual,
            &[(0, Failed(3), true, Open(1, 1000)), (1, Restore, true, Open(1, 1000)), (1000, Look, true, HalfOpen(1))],
        ),
        (
            "leased",
            usual,
            &[
                (0, Failed(3), true, Open(1, 1000)),
                (1000, Lease, true, Leased(2, 1000 + lease)),
                (1001, Restore, true, Leased(2, 1000 + lease)),
                (1002, Lease, false, Leased(2, 1000 + lease)),
                (1003, Probed(2, false), true, Open(3, 3003)),
                (1004, Restore, true, Open(3, 3003)),
                (3003, Lease, true, Leased(4, 3003 + lease)),
                (3004, Restore, true, Leased(4, 3004 + lease - 1)),
                (3005, Probed(4, false), true, Open(5, 7005)),
            ],
        ),
        (
            "closed again",
            usual,
            &[
                (0, Trip(0), true, Open(1, 1000)),
                (1000, Lease, true, Leased(2, 1000 + lease)),
                (1000, Probed(2, true), true, Closed(3)),
                (1001, Restore, true, Closed(3)),
                (1002, FailedIn(0), false, Closed(3)),
            ],
        ),
    ]);
}
