//! `GET /v1/models`: what a key may put into `model`, in OpenAI's form.
//!
//! Routes come first, then, for a key that may name targets directly, every configured target that has a credential.

use serde_json::{Value, json};

use crate::auth::Caller;
use crate::config::Config;
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

fn object(id: &str, owner: &str) -> Value {
    json!({ "id": id, "object": "model", "created": 0, "owned_by": owner })
}

/// The list.
#[inline(never)]
pub(crate) fn list(gateway: &Gateway, config: &Config, caller: &Caller) -> String {
    let data: Vec<Value> = models(gateway, config, caller).iter().map(|(id, owner)| object(id, owner)).collect();
    json!({ "object": "list", "data": data }).to_string()
}

/// One of them. Its name may hold slashes; SDKs escape them, and whatever else they see fit.
pub(crate) fn one(gateway: &Gateway, config: &Config, caller: &Caller, name: &str) -> Result<String, Error> {
    let name = http::percent_decoded(name).unwrap_or_else(|_| name.to_owned());
    let models = models(gateway, config, caller);
    models
        .iter()
        .find(|(id, _)| *id == name)
        .map(|(id, owner)| object(id, owner).to_string())
        .ok_or_else(|| route::unknown(config, caller, &name))
}
