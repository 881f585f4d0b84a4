//! Who is asked first, who stays with whom, and how many calls that may cost.

use breakwater::config::{Config, Order, Share, parse};

fn read(document: &str) -> Config {
    parse(document).unwrap_or_else(|errors| panic!("{errors}\n{document}"))
}

#[test]
fn conversations_stay_where_that_is_worth_something() {
    let rows: &[(&str, &str, &str, Order, bool)] = &[
        ("nothing is said", "", "", Order::Listed, false),
        ("by weight", "", "order = \"weighted\"", Order::Weighted, true),
        ("by speed", "", "order = \"fastest\"", Order::Fastest, true),
        ("by speed, everywhere", "order = \"fastest\"", "", Order::Fastest, true),
        ("but as listed here", "order = \"fastest\"", "order = \"listed\"", Order::Listed, false),
        ("not here", "", "order = \"weighted\"\naffinity = false", Order::Weighted, false),
        ("nowhere", "affinity = false", "order = \"fastest\"", Order::Fastest, false),
        ("nowhere but here", "affinity = false", "order = \"fastest\"\naffinity = true", Order::Fastest, true),
        ("with a key, as listed", "", "affinity = true", Order::Listed, true),
        ("with a key, everywhere", "affinity = true", "", Order::Listed, true),
    ];
    for (name, defaults, route, order, affinity) in rows {
        let document = format!(
            "[defaults]\n{defaults}\n[providers.simulated]\n[routes.a]\ntargets = [\"simulated/a\"]\n{route}\n[routes.b]\nextends = \"a\"\n"
        );
        let config = read(&document);
        assert_eq!(config.routes.len(), 2);
        for route in &config.routes {
            assert_eq!((route.order, route.affinity), (*order, *affinity), "{name}: {}", route.name);
        }
        assert!(config.notes().is_empty(), "{name}: {:?}", config.notes());
    }
}

#[test]
fn budgets() {
    type Budgets = (Option<Share>, Option<Share>);
    let share = |thousandths| Some(Share::of_thousandths(thousandths));
    let rows: &[(&str, &str, &str, Budgets)] = &[
        ("nothing is said", "", "", (share(800), share(50))),
        ("none", "", "retry_budget = 0\nhedge_budget = 0.0", (share(0), share(0))),
        ("one for each", "", "retry_budget = 1\nhedge_budget = 1.0", (share(1000), share(1000))),
        ("a third, or so", "", "retry_budget = 0.333\nhedge_budget = 0.007", (share(333), share(7))),
        ("no limit", "", "retry_budget = \"off\"\nhedge_budget = \"off\"", (None, None)),
        ("no limit anywhere", "retry_budget = \"off\"\nhedge_budget = \"off\"", "", (None, None)),
        ("but here", "retry_budget = \"off\"\nhedge_budget = \"off\"", "retry_budget = 0.2", (share(200), None)),
        ("nor there", "hedge_budget = 0.1", "retry_budget = \"off\"", (None, share(100))),
    ];
    for (name, defaults, route, budgets) in rows {
        let document = format!(
            "[defaults]\n{defaults}\n[providers.simulated]\n[routes.a]\ntargets = [\"simulated/a\"]\n{route}\n[routes.b]\nextends = \"a\"\n"
        );
        for route in &read(&document).routes {
            assert_eq!((route.retry_budget, route.hedge_budget), *budgets, "{name}: {}", route.name);
        }
    }
}
