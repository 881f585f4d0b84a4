//! The figures as tables and as a picture, for `docs/fleet.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::contender::Contender;
use crate::fault::Fault;
use crate::tally::Figures;

/// What every run came to.
pub type Runs = BTreeMap<(Fault, Contender), Figures>;

/// The table of all faults and contenders.
pub fn table(runs: &Runs) -> String {
    let mut text = String::from(
        "| the provider fails | breaker | 95 % of isolates stopped | 95 % of traffic stopped | wasted | refused though well: during | after \
         | busiest object, most (mean) per second | probes | 95 % flow again | 99 % |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for ((fault, contender), figures) in runs {
        let name = if *contender == Contender::Nobody { fault.name() } else { "" };
        let breaker = *contender != Contender::Nobody;
        let or_none = |text: String| if breaker { text } else { String::new() };
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            contender.name(),
            or_none(time(figures.isolates_stop)),
            or_none(time(figures.traffic_stops)),
            grouped(figures.wasted),
            or_none(grouped(figures.wrongly.0)),
            or_none(grouped(figures.wrongly.1 - figures.wrongly.0)),
            if figures.load.0 > 0 { load(figures) } else { String::new() },
            or_none(grouped(figures.probes)),
            or_none(time(figures.recovers.0)),
            or_none(time(figures.recovers.1)),
        );
    }
    text
}

/// The table of settings that were tried, each with what it came to under one fault.
pub fn tuning(rows: &[(&str, &str, Figures)]) -> String {
    let mut text = String::from(
        "| the provider fails | settings | 95 % of traffic stopped | wasted | refused though well: during | after | busiest object \
         | probes | 95 % flow again |\n|---|---|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    let mut before = "";
    for (fault, settings, figures) in rows {
        let _ = writeln!(
            text,
            "| {} | {settings} | {} | {} | {} | {} | {} | {} | {} |",
            if *fault == before { "" } else { fault },
            time(figures.traffic_stops),
            grouped(figures.wasted),
            grouped(figures.wrongly.0),
            grouped(figures.wrongly.1 - figures.wrongly.0),
            load(figures),
            figures.probes,
            time(figures.recovers.0),
        );
        before = fault;
    }
    text
}

fn time(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "never".to_owned(), |seconds| format!("{seconds:.1} s"))
}

fn load(figures: &Figures) -> String {
    format!("{} ({:.0})", grouped(figures.load.0), figures.load.1)
}

/// A number as people read it.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `document` with `text` between the two comments of that `name`.
pub fn insert(document: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = document.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{text}\n{end}{after}"))
}
