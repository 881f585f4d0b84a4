//! `GET /v1/models`: what a key may put into `model`, in OpenAI's form or, for its clients, Anthropic's.
//!
//! Routes come first, then, for a key that may name targets directly, every configured target that has a credential.

use serde_json::{Value, json};

use crate::auth::Caller;
use crate::config::{Config, Found};
use crate::dialect::Dialect;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::http;
use crate::route;

/// Each model's name and owner.
fn models<'a>(gateway: &'a Gateway, config: &'a Config, caller: &'a Caller) -> Vec<(String, &'a str)> {
    let mut models: Vec<(String, &str)> = route::names(config, caller).map(|name| (name.to_owned(), "breakwater")).collect();
    if caller.may_name_targets() {
        for target in config.routes.iter().flat_map(|route| &route.targets) {
            let Some(provider) = config.providers.get(target.provider) else { continue };
            let usable = gateway.providers().get(target.provider).is_some_and(|state| !state.credentials.is_empty());
            let name = format!("{}/{}", provider.name, target.model);
            if usable && models.iter().all(|(other, _)| *other != name) {
                models.push((name, &provider.name));
            }
        }
    }
    models
}

fn object(id: &str, owner: &str, dialect: Dialect) -> Value {
    if dialect == Dialect::Messages {
        json!({ "type": "model", "id": id, "display_name": id, "created_at": "1970-01-01T00:00:00Z" })
    } else {
        json!({ "id": id, "object": "model", "created": 0, "owned_by": owner })
    }
}

/// The list.
#[inline(never)]
pub(crate) fn list(gateway: &Gateway, config: &Config, caller: &Caller, dialect: Dialect) -> String {
    let models = models(gateway, config, caller);
    let data: Vec<Value> = models.iter().map(|(id, owner)| object(id, owner, dialect)).collect();
    if dialect == Dialect::Messages {
        // All of them: there is no second page to ask for.
        let [first, last] = [models.first(), models.last()].map(|model| model.map(|(id, _)| id));
        json!({ "data": data, "has_more": false, "first_id": first, "last_id": last })
    } else {
        json!({ "object": "list", "data": data })
    }
    .to_string()
}

/// One of them. Its name may hold slashes; SDKs escape them, and whatever else they see fit.
pub(crate) fn one(gateway: &Gateway, config: &Config, caller: &Caller, dialect: Dialect, name: &str) -> Result<String, Error> {
    let name = http::percent_decoded(name).unwrap_or_else(|_| name.to_owned());
    let models = models(gateway, config, caller);
    if let Some((id, owner)) = models.iter().find(|(id, _)| *id == name) {
        return Ok(object(id, owner, dialect).to_string());
    }
    // A target that no route lists may be named all the same.
    match config.find(&name) {
        Found::Direct { provider, .. } if caller.may_name_targets() => {
            let usable = gateway.providers().get(provider).is_some_and(|state| !state.credentials.is_empty());
            let owner = config.providers.get(provider).filter(|_| usable).map(|provider| &*provider.name);
            owner.map(|owner| object(&name, owner, dialect).to_string())
        }
        _ => None,
    }
    .ok_or_else(|| route::unknown(config, caller, &name))
}
