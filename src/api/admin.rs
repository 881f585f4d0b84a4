//! `/admin`: what operators order while the gateway runs.
//!
//! `POST /admin/circuits/{provider}` forces a provider's circuits, or one model's, open or closed for a time, so that a provider is drained in
//! seconds and without a deploy; see [`crate::breaker`] for what that means. `GET /admin/circuits` lists what this isolate has heard of.
//!
//! **The invariant.** An operator is told the truth about how far an order got. The circuits of a provider are held by one object in each region,
//! and each is told; one that does not answer is named, and has perhaps heard: orders can be given again. Isolates hear of it from the object of
//! their region with their next exchange; the one that served the order obeys at once.

use std::rc::Rc;
use std::time::Duration;

use futures::future::{Either, join_all, select};
use serde_json::{Value, json};

use crate::auth::Caller;
use crate::breaker::{self, Force, LONGEST_FORCE, Stance, message};
use crate::config::Config;
use crate::dialect::Dialect;
use crate::error::Error;
use crate::gateway::{self, Gateway};
use crate::http::{Request, Response};
use crate::region;
use crate::runtime::Runtime;
use crate::time::Timestamp;

/// The most objects that are asked at the same time: the platform lets a request wait for six, and queues the others without a word while
/// their time runs.
const AT_ONCE: usize = 3;

/// How long an object is waited for. One that has to be made first, at the other end of the world, takes about a second.
const PATIENCE: Duration = Duration::from_secs(3);

/// The shortest time that a circuit is forced for: less would be over before most isolates have heard.
const SHORTEST: Duration = Duration::from_secs(1);

/// The longest name of a model.
const LONGEST_MODEL: usize = 200;

const CIRCUITS: &str = "/admin/circuits";

/// Serves whatever is below `/admin/`, where `[admin]` is configured.
pub(crate) async fn serve<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    config: &Config,
    request: &Request,
    caller: &Caller,
) -> Response<R::Stream> {
    if !caller.is_admin() {
        let message = format!("{} takes an operator's key, which that of '{}' is not", request.path, caller.name);
        return gateway::refuse(Dialect::Chat, &Error::not_an_admin(None, message));
    }
    let path = request.path.as_str();
    let provider = path.strip_prefix(CIRCUITS).and_then(|rest| rest.strip_prefix('/')).filter(|name| !name.contains('/'));
    let answer = match (request.method.as_str(), provider) {
        ("GET", None) if path == CIRCUITS => Ok(list(gateway, config, runtime.now())),
        (method, None) if path == CIRCUITS => Err(Error::method_not_allowed(method, "GET")),
        ("POST", Some(provider)) => force(gateway, runtime, config, request, caller, provider).await,
        (method, Some(_)) => Err(Error::method_not_allowed(method, "POST")),
        (_, None) => Err(Error::not_found(path)),
    };
    answer.map_or_else(|error| gateway::refuse(Dialect::Chat, &error), |body| gateway::json(200, body.to_string()))
}

fn list(gateway: &Gateway, config: &Config, now: Timestamp) -> Value {
    let view = gateway.view().borrow();
    let providers = config.providers.iter().enumerate();
    let forced = providers.flat_map(|(index, provider)| {
        let orders: Vec<Value> = view
            .forced(index, now)
            .map(|forced| told(&provider.name, &forced.key, Some(forced.stance), forced.until, now))
            .collect();
        orders
    });
    json!({ "forced": forced.collect::<Vec<_>>() })
}

/// An order in words.
fn told(provider: &str, key: &str, stance: Option<Stance>, until: Timestamp, now: Timestamp) -> Value {
    json!({
        "provider": provider,
        "model": key.strip_prefix("model:"),
        "state": stance.map_or("auto", Stance::word),
        "until": stance.map(|_| humantime::format_rfc3339_seconds(std::time::UNIX_EPOCH + Duration::from_millis(until.as_millis())).to_string()),
        "for_ms": stance.map(|_| crate::time::millis(until.since(now))),
    })
}

/// The body of an order.
#[derive(Default)]
struct Order {
    state: String,
    lasts: Option<String>,
    model: Option<String>,
}

/// What such a body looks like.
const FORM: &str = r#"{"state": "open" | "closed" | "auto", "for": "10m", "model": "…"}, the last one optional"#;

impl Order {
    fn read(body: &str) -> Result<Self, Error> {
        let Ok(Value::Object(members)) = serde_json::from_str(body) else {
            return Err(Error::invalid_request(None, format!("the body is no JSON object; allowed is {FORM}")));
        };
        let mut order = Self::default();
        for (name, value) in members {
            let Value::String(text) = value else {
                return Err(Error::invalid_request(Some(&name), format!("{name} is not a text; allowed is {FORM}")));
            };
            match name.as_str() {
                "state" => order.state = text,
                "for" => order.lasts = Some(text),
                "model" => order.model = Some(text),
                _ => return Err(Error::invalid_request(Some(&name), format!("{name} is unknown; allowed is {FORM}"))),
            }
        }
        Ok(order)
    }

    fn force(&self, now: Timestamp) -> Result<Force, Error> {
        let wrong = |param: &str, message: String| Error::invalid_request(Some(param), message);
        let stance = match self.state.as_str() {
            "open" => Some(Stance::Open),
            "closed" => Some(Stance::Closed),
            "auto" => None,
            other => return Err(wrong("state", format!("state is {other:?}; allowed are open, closed and auto"))),
        };
        let allowed = "a duration from 1s to 24h, such as \"10m\"";
        let lasts = match (stance, self.lasts.as_deref()) {
            (None, None) => Duration::ZERO,
            (None, Some(_)) => return Err(wrong("for", "for stands beside auto, which ends an order now".to_owned())),
            (Some(_), None) => return Err(wrong("for", format!("there is no for; required is {allowed}"))),
            (Some(_), Some(text)) => humantime::parse_duration(text)
                .ok()
                .filter(|lasts| (SHORTEST..=LONGEST_FORCE).contains(lasts))
                .ok_or_else(|| wrong("for", format!("for is {text:?}; allowed is {allowed}")))?,
        };
        let key = match self.model.as_deref() {
            None => message::PROVIDER.to_owned(),
            Some(model) if (1..=LONGEST_MODEL).contains(&model.len()) => message::model(model),
            Some(_) => {
                return Err(wrong(
                    "model",
                    format!("model has 1 to {LONGEST_MODEL} characters: the provider's own name of it"),
                ));
            }
        };
        Ok(Force { key, stance, until: now + lasts })
    }
}

async fn force<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    config: &Config,
    request: &Request,
    caller: &Caller,
    name: &str,
) -> Result<Value, Error> {
    let names = || config.providers.iter().map(|provider| provider.name.as_str());
    let provider =
        names().position(|other| other == name).ok_or_else(|| Error::unknown_provider(name, &names().collect::<Vec<_>>()))?;
    let order = Order::read(&request.body)?;
    let now = runtime.now();
    let force = order.force(now)?;
    let regions = tell_all(gateway, runtime, provider, name, &force).await;
    let heard = regions.iter().any(|(_, word)| *word == OK);
    let in_words: Vec<String> = regions.iter().map(|(region, word)| format!("{region} {word}")).collect();
    let in_words = in_words.join(", ");
    runtime.log(&format!(
        "'{}' forces {name} {}{} for {}: {in_words}",
        caller.name,
        order.state,
        order.model.as_ref().map(|model| format!(" (model {model})")).unwrap_or_default(),
        order.lasts.as_deref().unwrap_or("no time"),
    ));
    if !heard {
        return Err(Error::upstream_failed(format!(
            "no region's circuits of {name} could be reached, so that nothing is forced: {in_words}"
        )));
    }
    if regions.iter().any(|(region, word)| *region == runtime.region() && *word != OK) {
        gateway.view().borrow_mut().obey(provider, &force, runtime.now());
    }
    let mut answer = told(name, &force.key, force.stance, force.until, runtime.now());
    if let Some(members) = answer.as_object_mut() {
        members.insert("targets".to_owned(), affected(config, provider, order.model.as_deref()));
        members.insert(
            "regions".to_owned(),
            regions.into_iter().map(|(region, word)| (region.to_owned(), Value::from(word))).collect(),
        );
    }
    Ok(answer)
}

/// The routes' targets that an order is about: an empty list tells of a name that was mistyped.
fn affected(config: &Config, provider: usize, model: Option<&str>) -> Value {
    let targets = config.routes.iter().flat_map(|route| &route.targets);
    let mut models: Vec<&str> = targets
        .filter(|target| target.provider == provider && model.is_none_or(|model| model == target.model))
        .map(|target| target.model.as_str())
        .collect();
    models.sort_unstable();
    models.dedup();
    let name = config.providers.get(provider).map_or("", |provider| &provider.name);
    models.into_iter().map(|model| format!("{name}/{model}")).collect()
}

const OK: &str = "ok";

/// Brings an order to the object of every region, the caller's own first; says of each what came of it.
async fn tell_all<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    provider: usize,
    name: &str,
    force: &Force,
) -> Vec<(&'static str, &'static str)> {
    let own = runtime.region();
    let others = region::ALL.iter().copied().filter(|region| *region != own);
    let regions: Vec<&'static str> = region::ALL.iter().copied().filter(|region| *region == own).chain(others).collect();
    let mut told = Vec::with_capacity(regions.len());
    for some in regions.chunks(AT_ONCE) {
        told.extend(join_all(some.iter().map(|region| tell(gateway, runtime, provider, name, force, region))).await);
    }
    told
}

async fn tell<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    provider: usize,
    name: &str,
    force: &Force,
    region: &'static str,
) -> (&'static str, &'static str) {
    let Some(message) = gateway.view().borrow().order(provider, force) else { return (region, "unreachable") };
    let answer = runtime.exchange(&breaker::object_name(name, region), message);
    let patience = runtime.sleep(PATIENCE);
    let answer = match select(std::pin::pin!(answer), std::pin::pin!(patience)).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => None,
    };
    let Some(answer) = answer else { return (region, "unreachable") };
    if !breaker::is_taken(force, &answer) {
        return (region, "refused");
    }
    if region == runtime.region() {
        gateway.view().borrow_mut().ordered(provider, &answer);
    }
    (region, OK)
}
