//! What the gateway is to do: providers, routes, keys and limits, read from `gateway.toml`.
//!
//! A mistake in it should be found before anybody's request is, and its owner should hear of all mistakes at once. So the document is
//! checked when the worker is built (`build.rs` compiles this same module, which is why it uses nothing of the rest of the crate), and once
//! more where a binding replaces it.
//!
//! The invariant: a [`Config`] is consistent. Every target's provider is there, `extends` and defaults are worked in, every duration is within
//! its bounds, names and addresses are legal. What cannot be so is an [`Errors`] instead, with a line for each mistake.
//!
//! `read` walks the document and collects problems; `provider`, `route` and `settings` say what is allowed where; `preset` is the table
//! of known providers.

mod address;
mod breaker;
mod header;
mod pattern;
mod preset;
mod problem;
mod provider;
mod read;
mod reasoning;
mod route;
mod settings;
pub mod simulated;
mod units;

use toml::de::DeTable;

pub use breakwater_dialects::quirk::{Asks, Models, Quirks, Thoughts, ToolIds};

pub use address::fill;
pub use breaker::BreakerSettings;
pub(crate) use preset::is_public;
pub use preset::{PRESETS, Preset};
pub use problem::{Error, Errors};
pub use provider::{Protocol, Provider};
pub use route::{Route, Target};
pub use settings::{Defaults, Hedge, Hold, OnCut, Order, SchemaStream, Share, Times, Unsupported};

use problem::Problems;
use read::{Table, Value};
use settings::Stated;

/// The most that a request's body may hold, in bytes, where the configuration does not say.
pub const MAX_BODY: usize = 10 * 1024 * 1024;

/// Bodies beyond this would not fit beside each other into an isolate, which may hold 48 MiB of them.
const MOST_BODY: usize = 48 * 1024 * 1024;
/// Too little for any request is a mistake of units.
const LEAST_BODY: usize = 1024;

/// How many upstream calls a request may start, where the configuration does not say.
const MAX_ATTEMPTS: u32 = 6;
/// A Worker on the free plan may make 50 calls of any kind for one request.
const MOST_ATTEMPTS: u32 = 20;

/// The name of the route that takes what nothing else does.
const DEFAULT_ROUTE: &str = "default";

/// A whole configuration, consistent in itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Whom calls may go to, in the order of the document; then known ones that targets name and nothing configures.
    pub providers: Vec<Provider>,
    /// Which targets answer to which names, in the order of the document.
    pub routes: Vec<Route>,
    /// The position among `routes` of the one that takes what nothing else does.
    pub default_route: Option<usize>,
    /// What holds for targets that are named directly.
    pub defaults: Defaults,
    /// Where the callers' keys are; without it nobody has one.
    pub auth: Option<Auth>,
    /// Where the operators' keys are; without it nobody may force circuits or inject faults.
    pub admin: Option<Auth>,
    /// The origins whose pages may call; `*` stands for all.
    pub cors: Vec<String>,
    /// What a request may use.
    pub limits: Limits,
    /// Whether responses carry `server-timing`.
    pub server_timing: bool,
    notes: Vec<String>,
}

/// Where the callers' or operators' keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// The name of the secret that holds them; those with `_2` to `_9` after it are merged.
    pub keys: String,
}

/// What a request may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most that its body may hold, in bytes.
    pub max_body: usize,
    /// The most upstream calls that it may start.
    pub max_attempts: usize,
}

/// What a model name stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found<'a> {
    /// A route: by its name, by its pattern, or the one that takes what nothing else does.
    Route(&'a Route),
    /// A target that was named itself.
    Direct {
        /// The provider's position among the configuration's.
        provider: usize,
        /// The provider's own name of the model.
        model: &'a str,
        /// How long things may take.
        times: Times,
    },
    /// Nothing.
    Unknown,
}

/// Reads a configuration.
#[inline(never)]
pub fn parse(text: &str) -> Result<Config, Errors> {
    let problems = Problems::default();
    let (document, syntax) = DeTable::parse_recoverable(text);
    for error in &syntax {
        problems.add_syntax(text, error);
    }
    // What is left of a document that is not TOML would be blamed for what is missing.
    let config = if syntax.is_empty() { Some(read(&Table::document(document.get_ref(), &problems))) } else { None };
    match (problems.into_errors(text), config) {
        (None, Some(config)) => Ok(config),
        (errors, _) => Err(errors.unwrap_or_default()),
    }
}

fn read(document: &Table<'_>) -> Config {
    let mut notes = Vec::new();
    let section = |key| document.get(key).and_then(|value: Value<'_>| value.table());
    let mut limits = Limits { max_body: MAX_BODY, max_attempts: MAX_ATTEMPTS as usize };
    let mut server_timing = false;
    let mut defaults = Defaults::default();
    if let Some(table) = section("defaults") {
        let stated = Stated::read(&table);
        defaults = stated.settle(&defaults);
        server_timing = table.get("server_timing").and_then(|value| value.flag()).unwrap_or_default();
        limits.max_body = table.get("max_body").and_then(|value| size(&value)).unwrap_or(MAX_BODY);
        let attempts = table.get("max_attempts").and_then(|value| value.whole(1, MOST_ATTEMPTS));
        limits.max_attempts = attempts.unwrap_or(MAX_ATTEMPTS) as usize;
        table.close();
    }
    let auth = section("auth").and_then(|table| keys(&table, CALLERS_KEYS));
    let admin = section("admin").and_then(|table| admin(&table, auth.as_ref()));
    let cors = section("cors").map(|table| cors(&table)).unwrap_or_default();
    let mut providers = section("providers").map(|table| provider::read_all(&table, &mut notes)).unwrap_or_default();
    let routes =
        section("routes").map(|table| route::read_all(&table, &mut providers, &defaults, &mut notes)).unwrap_or_default();
    document.close();
    let default_route = routes.iter().position(|route| route.name == DEFAULT_ROUTE);
    Config { providers, routes, default_route, defaults, auth, admin, cors, limits, server_timing, notes }
}

/// A size, as `"10MiB"` or as a number of bytes.
fn size(value: &Value<'_>) -> Option<usize> {
    let bytes = value.as_scalar().and_then(|text| units::bytes(&text).or_else(|| text.parse().ok()));
    let bytes = bytes.filter(|bytes| (LEAST_BODY..=MOST_BODY).contains(bytes));
    if bytes.is_none() {
        let (least, most) = (units::show_bytes(LEAST_BODY), units::show_bytes(MOST_BODY));
        value.wrong(&format!("a size from \"{least}\" to \"{most}\", such as \"10MiB\""));
    }
    bytes
}

/// Keys' secrets by their usual names.
const CALLERS_KEYS: &str = "GATEWAY_KEYS";
const ADMINS_KEYS: &str = "ADMIN_KEYS";

fn keys(table: &Table<'_>, usual: &str) -> Option<Auth> {
    let keys = table.get("keys");
    if keys.is_none() {
        table.problem(&format!("has no keys; allowed is keys = \"{usual}\", the name of a secret"));
    }
    table.close();
    let keys = keys?;
    // What stands here by mistake may be a key.
    let Some(name) = keys.as_text().filter(|name| address::is_binding(name)) else {
        keys.problem(format!(
            "is not a secret's name; allowed are capital letters, digits and _, such as \"{usual}\", and never a key itself",
        ));
        return None;
    };
    Some(Auth { keys: name.to_owned() })
}

/// Operators' keys stand apart from callers': a secret that both were read from would make every caller an operator.
fn admin(table: &Table<'_>, callers: Option<&Auth>) -> Option<Auth> {
    let admin = keys(table, ADMINS_KEYS)?;
    let callers = callers.map_or(CALLERS_KEYS, |auth| &auth.keys);
    // Each is read with `_2` to `_9` after it, too.
    let within = |one: &str, other: &str| {
        let rest = one.strip_prefix(other);
        rest.is_some_and(|rest| rest.is_empty() || matches!(rest.as_bytes(), [b'_', b'2'..=b'9']))
    };
    if within(&admin.keys, callers) || within(callers, &admin.keys) {
        table.problem(&format!(
            "has the callers' keys, {callers}; allowed is the name of another secret, such as \"{ADMINS_KEYS}\""
        ));
        return None;
    }
    Some(admin)
}

/// Origins as browsers send them: scheme, host and port in lower case, without a path.
fn cors(table: &Table<'_>) -> Vec<String> {
    const ALLOWED: &str = "\"*\", or an origin as browsers send it, such as \"https://app.example.com\"";
    let entries = table.get("origins").and_then(|value| value.list(&format!("a list, each {ALLOWED}"))).unwrap_or_default();
    table.close();
    let legal = |origin: &str| {
        let plain = origin == origin.to_ascii_lowercase() && !origin.contains(['{', '*']) && origin.matches('/').count() == 2;
        origin == "*" || (plain && address::check(origin).is_ok())
    };
    let mut origins = Vec::new();
    for entry in entries {
        match entry.as_text().filter(|origin| legal(origin)) {
            Some(origin) => origins.push(origin.to_owned()),
            None => entry.wrong(ALLOWED),
        }
    }
    origins
}

impl Config {
    /// What a model name stands for. A route's own name wins over a pattern, the pattern that decides more characters over the other (the
    /// first of equals), a pattern over a direct target, and the default route takes the rest.
    #[must_use]
    pub fn find<'a>(&'a self, model: &'a str) -> Found<'a> {
        if let Some(route) = self.routes.iter().find(|route| route.name == model) {
            return Found::Route(route);
        }
        let patterns =
            self.routes.iter().filter(|route| pattern::is_pattern(&route.name) && pattern::matches(&route.name, model));
        // The last of equals is what `max_by_key` gives.
        if let Some(route) = patterns.rev().max_by_key(|route| pattern::literal(&route.name)) {
            return Found::Route(route);
        }
        if let Some(direct) = self.direct(model) {
            return direct;
        }
        self.default_route.and_then(|position| self.routes.get(position)).map_or(Found::Unknown, Found::Route)
    }

    fn direct<'a>(&self, name: &'a str) -> Option<Found<'a>> {
        let (provider, model) = name.split_once('/').filter(|(_, model)| route::is_model(model))?;
        let provider = self.providers.iter().position(|other| other.name == provider && other.is_supported())?;
        let mut times = self.defaults.times;
        if reasoning::is_silent(model) {
            times.first_token = None;
        }
        Some(Found::Direct { provider, model, times })
    }

    /// What was accepted and is not in effect in this version, a line each.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}
