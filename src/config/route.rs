//! `[routes.X]`: which targets answer to a name, in which order, by which settings.
//!
//! Routes are read first and settled afterwards, as one may extend another that stands below it. A known provider that a target names need
//! not be configured: its preset is all that there is to say.

use std::time::Duration;

use serde_json::{Map, Value as Json};

use crate::config::pattern;
use crate::config::preset;
use crate::config::problem;
use crate::config::provider::{self, Provider};
use crate::config::read::{Table, Value};
use crate::config::reasoning;
use crate::config::settings::{Defaults, Hedge, Hold, OnCut, Order, SchemaStream, Share, Stated, Times, Unsupported};

/// A route.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Its name, or a pattern with `*`.
    pub name: String,
    /// Who answers. None is left where this version supports no target's protocol.
    pub targets: Vec<Target>,
    /// In which order.
    pub order: Order,
    /// How often a target is asked again before the next one is, where it does not say so itself.
    pub retries: u32,
    /// When a second target is asked beside the first.
    pub hedge_after: Option<Hedge>,
    /// How often a model is told that its answer breaks the requested schema.
    pub schema_retries: u32,
    /// Whether a stream waits until its answer is valid.
    pub schema_stream: SchemaStream,
    /// Whether calls of all tools are validated, or those of strict ones alone.
    pub validate_tools: bool,
    /// How long a stream is held back beyond its first content.
    pub hold: Option<Hold>,
    /// What becomes of a stream that breaks off.
    pub on_cut: OnCut,
    /// Whether a stream's 200 is sent before anyone has answered.
    pub early_headers: bool,
    /// What becomes of a request that a target cannot be told all of.
    pub unsupported: Unsupported,
    /// Whether a conversation stays with a target and a key while they are healthy.
    pub affinity: bool,
    /// How many calls beyond the first a request earns its route; without limit where this is none.
    pub retry_budget: Option<Share>,
    /// How many hedges it earns.
    pub hedge_budget: Option<Share>,
    /// How long an answer is kept as fresh; nothing is kept where this is none.
    pub cache: Option<Duration>,
    /// How long an answer that is no longer fresh may be given when every target fails.
    pub stale_for: Duration,
    /// Fields of the request that the route decides; a target's own come on top of them, in [`Target::set`].
    pub set: Map<String, Json>,
    /// How long things may take; `first_token` is never none here.
    pub times: Times,
}

/// A model of a provider, as a member of a route.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The provider's position in [`crate::config::Config::providers`].
    pub provider: usize,
    /// The provider's own name of the model.
    pub model: String,
    /// Its share, among those of its route, where the order is weighted; at least 1.
    pub weight: u32,
    /// How long things may take here.
    pub times: Times,
    /// How often it is asked again before the next one is.
    pub retries: u32,
    /// How long its answers are kept as fresh.
    pub cache: Option<Duration>,
    /// Whether `first_token` was stated for it, by its route or by itself.
    pub first_token_set: bool,
    /// Whether its model is known to reason before it shows anything.
    pub silent_reasoner: bool,
    /// Fields of the request that are decided here: the route's, and the target's own over them. They are those of a client's dialect that is the
    /// provider's too; where it is not, the route's are set in the client's request, and the target's own in what the provider is sent.
    pub set: Map<String, Json>,
    /// The target's own.
    pub own_set: Map<String, Json>,
}

/// A route as it was written.
struct Draft<'a> {
    name: &'a str,
    value: Value<'a>,
    extends: Option<Value<'a>>,
    targets: Option<Vec<TargetDraft>>,
    stated: Stated,
    set: Map<String, Json>,
}

#[derive(Clone)]
struct TargetDraft {
    provider: usize,
    model: String,
    weight: u32,
    stated: Stated,
    set: Map<String, Json>,
}

/// Weights are shares; beyond a million to one a share is never drawn.
const MOST_WEIGHT: u32 = 1_000_000;

/// Longer than any model's name in use; it ends up in header fields.
const MAX_MODEL: usize = 256;

/// Reads and settles `[routes]`, in the order of the document.
pub(super) fn read_all(
    table: &Table<'_>,
    providers: &mut Vec<Provider>,
    defaults: &Defaults,
    notes: &mut Vec<String>,
) -> Vec<Route> {
    let entries = table.entries();
    let routes: Vec<&str> = entries.iter().map(|(name, _)| *name).collect();
    let mut names = Names { providers, routes: &routes, notes };
    let drafts: Vec<Draft<'_>> = entries.into_iter().filter_map(|(name, value)| draft(name, value, &mut names)).collect();
    drafts.iter().filter_map(|draft| settle(draft, &drafts, providers, defaults)).collect()
}

fn draft<'a>(name: &'a str, value: Value<'a>, names: &mut Names<'_>) -> Option<Draft<'a>> {
    if let Some(problem) = pattern::problem(name) {
        value.problem(problem);
    }
    let table = value.table()?;
    let targets = table.get("targets").map(|value| targets(&value, names));
    let draft = Draft {
        name,
        extends: table.get("extends"),
        targets,
        stated: Stated::read(&table),
        set: table.get("set").map(|value| set(&value, false)).unwrap_or_default(),
        value,
    };
    table.close_with(|key| {
        let global = matches!(key, "max_attempts" | "max_body" | "server_timing");
        global.then(|| "allowed only in [defaults]".to_owned())
    });
    Some(draft)
}

fn targets(value: &Value<'_>, names: &mut Names<'_>) -> Vec<TargetDraft> {
    const ALLOWED: &str = "a list of targets, each \"provider/model\" or { target = \"provider/model\", … }";
    let entries = value.list(ALLOWED).unwrap_or_default();
    if entries.is_empty() && value.is_list() {
        value.problem(format!("found an empty list; allowed is {ALLOWED}"));
    }
    let mut targets: Vec<TargetDraft> = Vec::new();
    for entry in entries {
        let Some(target) = target(&entry, names) else { continue };
        if targets.iter().any(|other| (other.provider, &other.model) == (target.provider, &target.model)) {
            entry.problem("is there twice; a route asks each target once, and retries = N asks it again");
        } else {
            targets.push(target);
        }
    }
    targets
}

fn target(value: &Value<'_>, names: &mut Names<'_>) -> Option<TargetDraft> {
    const ALLOWED: &str = "\"provider/model\", or { target = \"provider/model\", … }";
    let Some(table) = value.as_table() else {
        let (provider, model) = names.target(value, value.text(ALLOWED)?)?;
        return Some(TargetDraft { provider, model, weight: 1, stated: Stated::default(), set: Map::new() });
    };
    let stated_name = table.get("target");
    if stated_name.is_none() {
        value.problem(format!("has no target; allowed is {ALLOWED}"));
    }
    let found = stated_name.and_then(|value| names.target(&value, value.text("\"provider/model\"")?));
    let weight = table.get("weight").map_or(Some(1), |value| value.whole(1, MOST_WEIGHT));
    let stated = Stated::read_of_target(&table);
    let set = table.get("set").map(|value| set(&value, true)).unwrap_or_default();
    table.close();
    let (provider, model) = found?;
    Some(TargetDraft { provider, model, weight: weight?, stated, set })
}

/// Whether this can be a provider's own name of a model.
pub(super) fn is_model(model: &str) -> bool {
    (1..=MAX_MODEL).contains(&model.len()) && model.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What a target's name may refer to.
struct Names<'n> {
    providers: &'n mut Vec<Provider>,
    routes: &'n [&'n str],
    notes: &'n mut Vec<String>,
}

impl Names<'_> {
    /// The provider's position and the model of a target's name.
    fn target(&mut self, value: &Value<'_>, text: &str) -> Option<(usize, String)> {
        let Some((provider, model)) = text.split_once('/') else {
            let is_route = self.routes.contains(&text);
            let hint =
                if is_route { format!("; to use the targets of a route, say extends = {text:?}") } else { String::new() };
            value.wrong(&format!("\"provider/model\"{hint}"));
            return None;
        };
        if !is_model(model) {
            value.wrong(&format!("\"provider/model\", with a model of 1 to {MAX_MODEL} visible ASCII characters"));
            return None;
        }
        Some((self.provider(value, provider)?, model.to_owned()))
    }

    /// The position of the provider of that name, which joins the others where it is a known one.
    fn provider(&mut self, value: &Value<'_>, name: &str) -> Option<usize> {
        if let Some(position) = self.providers.iter().position(|provider| provider.name == name) {
            return Some(position);
        }
        if let Some(preset) = preset::find(name) {
            self.providers.push(provider::of_preset(preset, self.notes));
            return Some(self.providers.len() - 1);
        }
        let configured: Vec<&str> = self.providers.iter().map(|provider| provider.name.as_str()).collect();
        let known = preset::PRESETS.iter().map(|preset| preset.name);
        let hint = problem::suggest(name, configured.iter().copied().chain(known)).unwrap_or_default();
        let configured = if configured.is_empty() { "none".to_owned() } else { configured.join(", ") };
        value.problem(format!(
            "found the provider {name:?}, which is neither known nor configured; configured are {configured}{hint}"
        ));
        None
    }
}

/// What a route may not decide: the model, as that is what it chooses; the question, in any dialect; how it is to be delivered.
const NEVER_SET: [&str; 6] = ["model", "models", "messages", "input", "contents", "stream"];

/// The fields that a route decides, or a target: for the latter, `models` is a field of its provider's (OpenRouter's chain of fallbacks).
fn set(value: &Value<'_>, of_target: bool) -> Map<String, Json> {
    let mut set = Map::new();
    for (field, value) in value.table().map(|table| table.entries()).unwrap_or_default() {
        if NEVER_SET.contains(&field) && !(of_target && field == "models") {
            value.problem(format!("a route may not decide {}", NEVER_SET.join(", ")));
        } else if let Some(json) = value.json() {
            set.insert(field.to_owned(), json);
        }
    }
    set
}

/// The routes from this one up to the one that extends nothing; none where the way is broken, which is reported at one place.
fn lineage<'d, 'a>(draft: &'d Draft<'a>, drafts: &'d [Draft<'a>]) -> Option<Vec<&'d Draft<'a>>> {
    let mut line = vec![draft];
    let mut last = draft;
    while let Some(extends) = &last.extends {
        let names = || drafts.iter().map(|draft| draft.name);
        // Only a route's own `extends` is reported with it; those above it are with their own routes.
        let own = line.len() == 1;
        let parent = drafts.iter().find(|other| extends.as_text() == Some(other.name));
        let Some(parent) = parent else {
            if own {
                let others = names().filter(|name| *name != draft.name).collect::<Vec<_>>().join(", ");
                let hint = extends.as_text().and_then(|text| problem::suggest(text, names())).unwrap_or_default();
                extends.wrong(&format!("the name of another route, of {others}{hint}"));
            }
            return None;
        };
        if let Some(start) = line.iter().position(|seen| std::ptr::eq(*seen, parent)) {
            let ring: Vec<&str> = line.iter().skip(start).map(|draft| draft.name).collect();
            // The whole ring is one mistake, reported where it stands first.
            let first = drafts.iter().find(|draft| ring.contains(&draft.name));
            if start == 0
                && first.is_some_and(|first| std::ptr::eq(first, draft))
                && let Some(extends) = &draft.extends
            {
                extends.problem(format!("routes extend each other in a ring: {} → {}", ring.join(" → "), draft.name));
            }
            return None;
        }
        line.push(parent);
        last = parent;
    }
    Some(line)
}

fn settle(draft: &Draft<'_>, drafts: &[Draft<'_>], providers: &[Provider], defaults: &Defaults) -> Option<Route> {
    let line = lineage(draft, drafts)?;
    let mut stated = Stated::default();
    let mut merged = Map::new();
    for level in line.iter().rev() {
        stated = level.stated.over(stated);
        merged.extend(level.set.clone());
    }
    let Some(targets) = line.iter().find_map(|level| level.targets.as_ref()) else {
        draft
            .value
            .problem("has no targets; allowed are targets = [\"provider/model\", …] here, or in the route that it extends");
        return None;
    };
    let settings = stated.settle(defaults);
    let supported = targets.iter().filter(|target| providers.get(target.provider).is_some_and(Provider::is_supported));
    let targets = supported.map(|target| settle_target(target, &settings, stated.first_token.is_some(), &merged)).collect();
    Some(Route {
        name: draft.name.to_owned(),
        targets,
        order: settings.order,
        retries: settings.retries,
        hedge_after: settings.hedge_after,
        schema_retries: settings.schema_retries,
        schema_stream: settings.schema_stream,
        validate_tools: settings.validate_tools,
        hold: settings.hold,
        on_cut: settings.on_cut,
        early_headers: settings.early_headers,
        unsupported: settings.unsupported,
        affinity: settings.affinity.unwrap_or(settings.order != Order::Listed),
        retry_budget: settings.retry_budget,
        hedge_budget: settings.hedge_budget,
        cache: settings.cache,
        stale_for: settings.stale_for,
        set: merged,
        times: settings.times,
    })
}

fn settle_target(target: &TargetDraft, route: &Defaults, first_token_set: bool, set: &Map<String, Json>) -> Target {
    let settings = target.stated.settle(route);
    let first_token_set = first_token_set || target.stated.first_token.is_some();
    let silent_reasoner = reasoning::is_silent(&target.model);
    let mut times = settings.times;
    if silent_reasoner && !first_token_set {
        times.first_token = None;
    }
    let mut merged = set.clone();
    merged.extend(target.set.clone());
    Target {
        provider: target.provider,
        model: target.model.clone(),
        weight: target.weight,
        times,
        retries: settings.retries,
        cache: settings.cache,
        first_token_set,
        silent_reasoner,
        set: merged,
        own_set: target.set.clone(),
    }
}
