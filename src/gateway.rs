//! The gateway of one isolate, and a request's way to the endpoint that answers it.

mod bodies;
mod provider;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

pub use bodies::Holding;
pub(crate) use provider::{Credential, ProviderState};

use crate::affinity::Pins;
use crate::api;
use crate::api::generate::Endpoint;
use crate::auth::{self, Caller, Keyring};
use crate::breaker::{self, View};
use crate::budget::{Account, Spending};
use crate::config::{self, Config};
use crate::cors;
use crate::demand::{self, Demands};
use crate::dialect::Dialect;
use crate::error::Error;
use crate::http::{Body, Headers, Request, Response};
use crate::load::Load;
use crate::runtime::Runtime;
use crate::time::Timestamp;
use crate::trace::Trace;
use bodies::{Bodies, COUNTED_FROM, declared};

/// The configuration that was checked when this was built.
const BUILT_IN: &str = include_str!("../gateway.toml");

/// The configuration's binding, and that of the variable that opens the gateway on loopback.
const CONFIG_BINDING: &str = "GATEWAY_CONFIG";
const OPEN_BINDING: &str = "BREAKWATER_OPEN";

/// The platform's variables and secrets.
pub struct Bindings<'a> {
    /// A variable's or secret's text.
    pub text: &'a dyn Fn(&str) -> Option<String>,
}

/// What all requests of an isolate share: data only, never a future.
pub struct Gateway {
    config: Result<Config, String>,
    keyring: Keyring,
    /// Whether any key is an operator's.
    admins: bool,
    open: bool,
    providers: Vec<ProviderState>,
    view: RefCell<View>,
    simulated: RefCell<HashMap<String, u64>>,
    bodies: Bodies,
    load: Rc<Load>,
    pins: RefCell<Pins>,
    demands: Demands,
    demand_record: RefCell<demand::Record>,
    /// One for each route, in the order of the configuration.
    accounts: Vec<Spending>,
    /// One for all targets that are named directly.
    direct: Spending,
    /// One for requests with injected faults, which limits nothing.
    rehearsals: Spending,
    served: Cell<u64>,
}

impl Gateway {
    /// Reads configuration and secrets. What is wrong is logged here, once, and answered to every request.
    #[inline(never)]
    pub fn new(bindings: &Bindings<'_>, log: &dyn Fn(&str)) -> Self {
        let text = (bindings.text)(CONFIG_BINDING).filter(|text| !text.trim().is_empty());
        let config = config::parse(text.as_deref().unwrap_or(BUILT_IN)).map_err(|errors| errors.to_string());
        if let Err(errors) = &config {
            log(&format!("{CONFIG_BINDING} is wrong, and no request is served:\n{errors}"));
        }
        let keys_name = config.as_ref().ok().and_then(|config| config.auth.as_ref()).map_or("GATEWAY_KEYS", |auth| &auth.keys);
        let (mut keyring, mut problems) = auth::read_keys(keys_name, bindings.text);
        if let Some(admin) = config.as_ref().ok().and_then(|config| config.admin.as_ref()) {
            problems.extend(keyring.read(auth::Rank::Admin, &admin.keys, bindings.text));
        }
        for problem in problems {
            log(&problem);
        }
        let routes: Vec<&str> =
            config.iter().flat_map(|config| config.routes.iter().map(|route| route.name.as_str())).collect();
        for (caller, route) in keyring.unknown_routes(&routes) {
            log(&format!("the key '{caller}' is for the route '{route}', which there is not"));
        }
        let providers: Vec<ProviderState> =
            config.as_ref().map_or_else(|_| Vec::new(), |config| provider::states(config, bindings, log));
        let view = config.as_ref().map_or_else(
            |_| View::default(),
            |config| View::new(config.providers.iter().map(|provider| (provider.name.clone(), (&provider.breaker).into()))),
        );
        let account = |calls, hedges| Spending::new(Account::new(calls, hedges));
        let routes = config.iter().flat_map(|config| &config.routes);
        let accounts = routes.map(|route| account(route.retry_budget, route.hedge_budget)).collect();
        let defaults = config.as_ref().map_or_else(|_| config::Defaults::default(), |config| config.defaults);
        let direct = account(defaults.retry_budget, defaults.hedge_budget);
        Self {
            config,
            admins: keyring.has_admins(),
            keyring,
            open: (bindings.text)(OPEN_BINDING).as_deref() == Some("loopback"),
            providers,
            view: RefCell::new(view),
            simulated: RefCell::default(),
            bodies: Bodies::default(),
            load: Rc::default(),
            pins: RefCell::default(),
            demands: Demands::default(),
            demand_record: RefCell::default(),
            accounts,
            direct,
            rehearsals: account(None, None),
            served: Cell::new(0),
        }
    }

    /// The most that a request's body may hold, in bytes.
    pub fn body_limit(&self) -> usize {
        self.config.as_ref().map_or(config::MAX_BODY, |config| config.limits.max_body)
    }

    /// The breaker object of a provider for callers of a region.
    pub(crate) fn breaker_object(&self, provider: usize, region: &str) -> String {
        let name =
            self.config.as_ref().ok().and_then(|config| config.providers.get(provider)).map_or("", |provider| &provider.name);
        breaker::object_name(name, region)
    }

    /// What `GET /status` answers; nothing where the configuration is wrong.
    pub fn status(&self, now: Timestamp) -> Option<String> {
        self.config.as_ref().ok().map(|config| api::status::report(self, config, now))
    }

    pub(crate) fn config(&self) -> Result<&Config, &str> {
        self.config.as_ref().map_err(String::as_str)
    }

    pub(crate) fn providers(&self) -> &[ProviderState] {
        &self.providers
    }

    pub(crate) fn view(&self) -> &RefCell<View> {
        &self.view
    }

    /// The calls that this isolate has under way.
    pub(crate) fn load(&self) -> &Rc<Load> {
        &self.load
    }

    /// Which targets conversations are with.
    pub(crate) fn pins(&self) -> &RefCell<Pins> {
        &self.pins
    }

    /// The forms that requests have demanded, compiled.
    pub(crate) fn demands(&self) -> &Demands {
        &self.demands
    }

    /// Which targets fail which demands.
    pub(crate) fn demand_record(&self) -> &RefCell<demand::Record> {
        &self.demand_record
    }

    /// What pays for further calls of the requests for a route, by its place; of those that name a target directly where it is none.
    pub(crate) fn spending(&self, route: Option<usize>) -> &Spending {
        route.and_then(|route| self.accounts.get(route)).unwrap_or(&self.direct)
    }

    /// What pays for further calls of requests with injected faults.
    pub(crate) fn rehearsals(&self) -> &Spending {
        &self.rehearsals
    }

    /// How many requests this isolate has been given.
    pub(crate) fn served(&self) -> u64 {
        self.served.get()
    }

    /// How many calls a simulated target had before this one.
    pub(crate) fn count_simulated(&self, target: &str) -> u64 {
        let mut counts = self.simulated.borrow_mut();
        let count = counts.entry(target.to_owned()).or_default();
        *count += 1;
        *count - 1
    }
}

/// Whether a request's body may be read, judged by its header fields: a large one takes its place among those that this isolate holds,
/// and only for a caller with a key. The place is kept until the request has been served; small bodies need none.
pub fn admit<R: Runtime>(gateway: &Rc<Gateway>, runtime: &R, request: &Request) -> Result<Option<Holding>, Error> {
    let Some(declared) = declared(request).filter(|bytes| *bytes >= COUNTED_FROM) else { return Ok(None) };
    gateway.caller(request)?;
    if declared > gateway.body_limit() {
        return Err(Error::request_too_large(gateway.body_limit()));
    }
    gateway.hold(declared, runtime).map(Some)
}

/// Serves one request.
pub async fn handle<R: Runtime>(gateway: Rc<Gateway>, runtime: R, request: Request) -> Response<R::Stream> {
    gateway.served.set(gateway.served.get() + 1);
    let response = serve(&gateway, &runtime, &request).await;
    finish(&gateway, &runtime, &request, response)
}

/// The answer to a request that is not served, as its body was not admitted.
pub fn turn_away<R: Runtime>(gateway: &Gateway, runtime: &R, request: &Request, error: &Error) -> Response<R::Stream> {
    finish(gateway, runtime, request, refuse(dialect(request), error))
}

/// What every response has.
fn finish<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    request: &Request,
    mut response: Response<R::Stream>,
) -> Response<R::Stream> {
    response.headers.push("x-request-id", request_id(runtime, request));
    if let Ok(config) = &gateway.config {
        cors::expose(&config.cors, request, &mut response.headers);
    }
    response
}

async fn serve<R: Runtime>(gateway: &Rc<Gateway>, runtime: &R, request: &Request) -> Response<R::Stream> {
    if request.path == "/health" {
        return match request.method.as_str() {
            "GET" | "HEAD" => json(200, r#"{"status":"ok"}"#.to_owned()),
            _ => refuse(Dialect::Chat, &Error::method_not_allowed(&request.method, "GET")),
        };
    }
    let dialect = dialect(request);
    if request.method == "OPTIONS" {
        return cors::preflight(gateway.config.as_ref().map_or(&[], |config| &config.cors), request);
    }
    let caller = gateway.caller(request);
    let config = match &gateway.config {
        Ok(config) => config,
        // What is wrong is nobody's business but its owner's.
        Err(errors) => return refuse(dialect, &Error::config_invalid(caller.is_ok().then_some(errors))),
    };
    let caller = match caller {
        Ok(caller) => caller,
        Err(error) => return refuse(dialect, &error),
    };
    if let Some(endpoint) = Endpoint::at(&request.path) {
        if request.method == "POST" {
            // One whose length was not declared has not been counted yet.
            let counted = declared(request).is_some() || request.body.len() < COUNTED_FROM;
            let _holding = match (!counted).then(|| gateway.hold(request.body.len(), runtime)).transpose() {
                Ok(holding) => holding,
                Err(error) => return refuse(dialect, &error),
            };
            return api::generate::serve(gateway, runtime, config, request, &caller, endpoint).await;
        }
        return refuse(dialect, &Error::method_not_allowed(&request.method, "POST"));
    }
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/v1/models") => json(200, api::models::list(gateway, config, &caller, dialect)),
        ("GET", path) if path.starts_with("/v1/models/") => {
            match api::models::one(gateway, config, &caller, dialect, path.trim_start_matches("/v1/models/")) {
                Ok(body) => json(200, body),
                Err(error) => refuse(dialect, &error),
            }
        }
        (_, path) if path.starts_with(api::stored::BELOW) => {
            api::stored::serve(gateway, runtime, config, request, &caller).await
        }
        ("GET", "/status") => json(200, api::status::report(gateway, config, runtime.now())),
        (_, path) if config.admin.is_some() && path.starts_with("/admin/") => {
            api::admin::serve(gateway, runtime, config, request, &caller).await
        }
        (method, "/v1/models" | "/status") => refuse(dialect, &Error::method_not_allowed(method, "GET")),
        (_, path) => refuse(dialect, &Error::not_found(path)),
    }
}

/// The answer to a request whose body was not read to its end.
pub fn unreadable<R: Runtime>(gateway: &Gateway, runtime: &R, request: &Request, too_large: bool) -> Response<R::Stream> {
    // A stranger is told about the key first, whatever was sent.
    let error = match gateway.caller(request) {
        Err(error) => error,
        Ok(_) if too_large => Error::request_too_large(gateway.body_limit()),
        Ok(_) => Error::invalid_request(None, "the request's body broke off"),
    };
    turn_away(gateway, runtime, request, &error)
}

impl Gateway {
    /// Who is calling.
    fn caller(&self, request: &Request) -> Result<Caller, Error> {
        if self.open && auth::is_loopback(&request.host) {
            // Nobody needs a key here, but an operator is one by theirs.
            let named = self.admins.then(|| auth::identify(&self.keyring, &request.headers).ok()).flatten();
            return Ok(named.filter(Caller::is_admin).unwrap_or_else(Caller::anyone));
        }
        auth::identify(&self.keyring, &request.headers).map_err(Error::invalid_api_key)
    }

    /// Counts a large body for as long as it is served.
    fn hold<R: Runtime>(&self, bytes: usize, runtime: &R) -> Result<Holding, Error> {
        let deadline = self.config.as_ref().map_or(Duration::ZERO, |config| config.defaults.times.deadline);
        let now = runtime.now();
        self.bodies.hold(bytes, runtime.random(), now, now + deadline).ok_or_else(Error::busy)
    }
}

/// The longest `x-request-id` of a client's that is used.
const MAX_REQUEST_ID: usize = 128;

/// The client's id for the request where it is a printable one, else a ULID of our own.
fn request_id<R: Runtime>(runtime: &R, request: &Request) -> String {
    match request.headers.get("x-request-id") {
        Some(id) if !id.is_empty() && id.len() <= MAX_REQUEST_ID && id.bytes().all(|byte| byte.is_ascii_graphic()) => {
            id.to_owned()
        }
        _ => {
            let random = u128::from(runtime.random()) << 64 | u128::from(runtime.random());
            ulid::Ulid::from_parts(runtime.now().as_millis(), random).to_string()
        }
    }
}

/// A JSON response.
pub(crate) fn json<S>(status: u16, body: String) -> Response<S> {
    let mut headers = Headers::new();
    headers.push("content-type", "application/json");
    Response { status, headers, body: Body::Text(body) }
}

/// What a client speaks, by where it calls; at an endpoint that several share, by what Anthropic's clients always send.
fn dialect(request: &Request) -> Dialect {
    match Endpoint::at(&request.path) {
        Some(endpoint) => endpoint.dialect,
        None if request.path.starts_with("/v1/messages") => Dialect::Messages,
        None if request.path.starts_with(api::stored::BELOW) => Dialect::Responses,
        None if request.headers.get("anthropic-version").is_some() => Dialect::Messages,
        None => Dialect::Chat,
    }
}

/// An error that no upstream call led to.
pub(crate) fn refuse<S>(dialect: Dialect, error: &Error) -> Response<S> {
    answer_error(dialect, error, &Trace::default())
}

/// An error, with the calls that led to it.
#[inline(never)]
pub(crate) fn answer_error<S>(dialect: Dialect, error: &Error, trace: &Trace) -> Response<S> {
    let mut response = json(error.status(), error.body(dialect, trace));
    for (name, value) in error.headers() {
        response.headers.push(name, value);
    }
    response
}

/// Host without port, path, and query, of an absolute URL as the platform gives it.
pub fn split_url(url: &str) -> (&str, &str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
    let host = match authority.rfind(':') {
        // The last colon of an IPv6 address stands within its brackets.
        Some(colon) if !authority.ends_with(']') => authority.get(..colon).unwrap_or(authority),
        _ => authority,
    };
    let (path, _) = path.split_once('#').unwrap_or((path, ""));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    (host, path, query)
}
