//! The breakers for people: what `GET /status` shows of a provider.

use serde_json::{Value, json};

use super::circuit::Phase;
use super::force::Forced;
use super::message::PROVIDER;
use super::provider::{Local, Provider};
use super::view::View;
use crate::latency::{Kind, Quantiles};
use crate::time::{Timestamp, millis};

impl View {
    /// A provider's circuits as this isolate sees them; none where there is no such provider.
    #[must_use]
    pub fn status(&self, provider: usize, now: Timestamp) -> Option<Value> {
        let provider = self.providers.get(provider)?;
        let circuits: Vec<Value> = provider.circuits.iter().map(|local| circuit(provider, local, now)).collect();
        let cooling = provider.cooling.iter().filter(|cooling| now < cooling.until);
        let cooling: Vec<Value> = cooling
            .map(|cooling| {
                json!({
                    "model": cooling.model,
                    "key": name_of(&cooling.credential),
                    "for_ms": millis(cooling.until.since(now)),
                })
            })
            .collect();
        Some(json!({
            "circuits": circuits,
            "cooling": cooling,
            "forced": provider.orders.0.all(now).map(|order| forced(provider, order, now)).collect::<Vec<_>>(),
            "exchanges": provider.exchanges,
            "unreachable": provider.unreachable,
            "heard_ms_ago": provider.heard.map(|heard| millis(now.since(heard))),
        }))
    }
    /// How long a provider's models take, by what was waited for and by the size of the request; what too little is known of is left out.
    #[must_use]
    pub fn latency(&self, provider: usize, now: Timestamp) -> Vec<Value> {
        let Some(provider) = self.providers.get(provider) else { return Vec::new() };
        let row = |(model, kind, known, told): (&str, Kind, Quantiles, bool)| {
            json!({
                "model": model,
                "awaited": kind.awaited.word(),
                "size": kind.size.word(),
                "p50_ms": millis(known.p50),
                "p95_ms": millis(known.p95),
                "p99_ms": millis(known.p99),
                "unanswered_percent": (f64::from(known.unanswered) * 1000.0).round() / 10.0,
                "seen_by": if told { "all_isolates" } else { "this_isolate" },
            })
        };
        provider.latency.all(now).map(row).collect()
    }
}

/// An operator's order. A circuit's own `state` stays as it is beneath it.
fn forced(provider: &Provider, order: &Forced, now: Timestamp) -> Value {
    let (kind, name) = order.key.split_once(':').unwrap_or((PROVIDER, &provider.name));
    json!({ "circuit": kind, "name": name, "state": order.stance.word(), "for_ms": millis(order.until.since(now)) })
}

fn circuit(provider: &Provider, local: &Local, now: Timestamp) -> Value {
    let (state, until, probing) = match local.circuit.phase(now) {
        Phase::Closed => ("closed", None, false),
        Phase::Open { until } => ("open", Some(until), false),
        Phase::HalfOpen { leased } => ("half_open", None, leased.is_some()),
    };
    let (kind, name) = local.key.split_once(':').unwrap_or((PROVIDER, &provider.name));
    let name = if kind == "key" { name_of(name) } else { name };
    let (ok, failed) = local.circuit.window(now, &provider.settings);
    json!({
        "circuit": kind,
        "name": name,
        "state": state,
        "probing": probing,
        "open_for_ms": until.map(|until| millis(until.since(now))),
        "failures_in_a_row": local.circuit.run(),
        "window": { "ok": ok, "failed": failed },
        "since_start": { "ok": local.ok, "failed": local.failed, "trips": local.trips },
        "epoch": local.circuit.epoch(),
    })
}

/// A credential by the name of its secret, without the digest that tells its values apart.
fn name_of(credential: &str) -> &str {
    match credential.split_once('#') {
        Some((name, _)) => name,
        None if credential.is_empty() => "(none needed)",
        None => credential,
    }
}
