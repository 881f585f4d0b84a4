//! `[providers.X]`: whom calls go to, by which protocol, with whose key.
//!
//! A provider is an account, not a company: two of the same preset share nothing but the preset's data.

use breakwater_dialects::dialect::Dialect;
use breakwater_dialects::quirk::Quirks;

use crate::config::address;
use crate::config::breaker::{self, BreakerSettings};
use crate::config::header;
use crate::config::preset::{self, Preset};
use crate::config::problem;
use crate::config::read::{Table, Value};
use crate::config::simulated::{Behaviour, Fault, Simulated};

/// A provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// Its name in targets.
    pub name: String,
    /// What it speaks, at least one.
    pub protocols: Vec<Protocol>,
    /// Its address without a slash at the end, perhaps with placeholders ([`crate::config::fill`]); empty for a simulated one.
    pub base_url: String,
    /// The names of the secrets that hold its keys; empty where it needs none.
    pub keys: Vec<String>,
    /// Header fields for every call, names in lower case.
    pub headers: Vec<(String, String)>,
    /// When its circuits open.
    pub breaker: BreakerSettings,
    /// Where it differs from others of its protocol.
    pub quirks: Quirks,
    /// How it behaves, where it is simulated.
    pub simulated: Option<Simulated>,
}

impl Provider {
    /// Whether this version can talk to it.
    #[must_use]
    pub fn is_supported(&self) -> bool {
        self.protocols.iter().any(|protocol| protocol.is_supported())
    }
}

/// The provider that a preset is by itself; a note where it cannot be talked to.
pub(super) fn of_preset(preset: &Preset, notes: &mut Vec<String>) -> Provider {
    let provider = Provider {
        name: preset.name.to_owned(),
        protocols: preset.protocols.to_vec(),
        base_url: preset.base_url.to_owned(),
        keys: preset.key.map(str::to_owned).into_iter().collect(),
        headers: Vec::new(),
        breaker: BreakerSettings::default(),
        quirks: preset.quirks,
        simulated: preset.protocols.contains(&Protocol::Simulated).then(Simulated::default),
    };
    if !provider.is_supported() {
        notes.push(unsupported(preset.name, preset.protocols));
    }
    provider
}

/// What an upstream speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// OpenAI's Chat Completions.
    OpenAi,
    /// OpenAI's Responses.
    Responses,
    /// Anthropic's Messages.
    Anthropic,
    /// Google's Gemini API.
    Gemini,
    /// The `AI` binding of Cloudflare Workers.
    WorkersAi,
    /// Amazon Bedrock's Converse.
    Bedrock,
    /// None: the gateway makes the answers up.
    Simulated,
}

impl Protocol {
    const NAMES: [(&'static str, Self); 7] = [
        ("openai", Self::OpenAi),
        ("responses", Self::Responses),
        ("anthropic", Self::Anthropic),
        ("gemini", Self::Gemini),
        ("workers-ai", Self::WorkersAi),
        ("bedrock", Self::Bedrock),
        ("simulated", Self::Simulated),
    ];

    /// Its name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Responses => "responses",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::WorkersAi => "workers-ai",
            Self::Bedrock => "bedrock",
            Self::Simulated => "simulated",
        }
    }

    /// The dialect that it is; none where this version does not speak it.
    #[must_use]
    pub const fn dialect(self) -> Option<Dialect> {
        match self {
            Self::OpenAi | Self::Simulated => Some(Dialect::Chat),
            Self::Responses => Some(Dialect::Responses),
            Self::Anthropic => Some(Dialect::Messages),
            Self::Gemini => Some(Dialect::Gemini),
            Self::WorkersAi | Self::Bedrock => None,
        }
    }

    /// Whether this version speaks it.
    #[must_use]
    pub const fn is_supported(self) -> bool {
        self.dialect().is_some()
    }
}

/// Reads `[providers]`, in the order of the document. A provider that is wrong is in the list all the same, so that its targets are
/// not reported as well.
pub(super) fn read_all(table: &Table<'_>, notes: &mut Vec<String>) -> Vec<Provider> {
    let entries = table.entries();
    entries.into_iter().map(|(name, value)| read(name, &value, notes)).collect()
}

/// Names end up in trace headers, in the names of objects, and before a target's slash.
const MAX_NAME: usize = 64;

fn read(name: &str, value: &Value<'_>, notes: &mut Vec<String>) -> Provider {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(legal) {
        value.problem(format!("a provider's name has 1 to {MAX_NAME} letters, digits, - _ and ."));
    }
    let mut provider = Provider {
        name: name.to_owned(),
        protocols: Vec::new(),
        base_url: String::new(),
        keys: Vec::new(),
        headers: Vec::new(),
        breaker: BreakerSettings::default(),
        quirks: Quirks::default(),
        simulated: None,
    };
    let Some(table) = value.table() else { return provider };
    let preset = preset_of(name, &table);
    provider.protocols = protocols(name, &table, preset, notes);
    if let Some(preset) = preset {
        provider.quirks = preset.quirks;
    }
    provider.base_url = base_url(&provider, value, &table, preset);
    provider.keys = keys(&table, preset);
    provider.headers = table.get("headers").map(|value| header::read(&value)).unwrap_or_default();
    provider.breaker = table.get("breaker").map(|value| breaker::read(&value)).unwrap_or_default();
    let may_be_simulated = provider.protocols.is_empty() || provider.protocols.contains(&Protocol::Simulated);
    provider.simulated = may_be_simulated.then(|| read_simulated(&table));
    table.close_with(|key| {
        (key == "models" || Behaviour::KEYS.contains(&key)).then(|| "allowed only where protocol = \"simulated\"".to_owned())
    });
    provider
}

/// The preset that a provider names, or is named after.
fn preset_of(name: &str, table: &Table<'_>) -> Option<&'static Preset> {
    let Some(value) = table.get("preset") else { return preset::find(name) };
    let text = value.text("a preset's name")?;
    let preset = preset::find(text);
    if preset.is_none() {
        let names = || preset::PRESETS.iter().map(|preset| preset.name);
        let hint = problem::suggest(text, names()).unwrap_or_default();
        value.wrong(&format!("one of {}{hint}", names().collect::<Vec<_>>().join(", ")));
    }
    preset
}

fn protocols(name: &str, table: &Table<'_>, preset: Option<&Preset>, notes: &mut Vec<String>) -> Vec<Protocol> {
    let Some(value) = table.get("protocol") else {
        // What most servers speak.
        let protocols = preset.map_or(&[Protocol::OpenAi][..], |preset| preset.protocols).to_vec();
        if !protocols.iter().any(|protocol| protocol.is_supported()) {
            notes.push(unsupported(name, &protocols));
        }
        return protocols;
    };
    let entries = if value.is_list() { value.list("").unwrap_or_default() } else { vec![value.clone()] };
    if entries.is_empty() {
        value.problem("found an empty list; allowed is at least one protocol");
    }
    let mut protocols = Vec::new();
    for entry in entries {
        match entry.choice(&Protocol::NAMES) {
            Some(protocol) if protocols.contains(&protocol) => entry.problem(format!("{:?} is there twice", protocol.name())),
            Some(protocol) => protocols.push(protocol),
            None => {}
        }
    }
    if protocols.len() > 1 && protocols.contains(&Protocol::Simulated) {
        value.problem("simulated stands beside other protocols; allowed is simulated alone");
    }
    let later: Vec<Protocol> = protocols.iter().copied().filter(|protocol| !protocol.is_supported()).collect();
    if !later.is_empty() {
        let note = if later.len() == protocols.len() {
            unsupported(name, &later)
        } else {
            format!("providers.{name}: protocol {} is not in effect in this version", listing(&later))
        };
        notes.push(note);
    }
    protocols
}

fn unsupported(name: &str, protocols: &[Protocol]) -> String {
    format!("providers.{name}: protocol {} is not supported by this version; its targets are left out", listing(protocols))
}

fn listing(protocols: &[Protocol]) -> String {
    protocols.iter().map(|protocol| protocol.name()).collect::<Vec<_>>().join(", ")
}

fn base_url(provider: &Provider, whole: &Value<'_>, table: &Table<'_>, preset: Option<&Preset>) -> String {
    let simulated = provider.protocols.contains(&Protocol::Simulated);
    let Some(value) = table.get("base_url") else {
        // Where protocol or preset could not be read, nothing is said of what would follow from them.
        if !simulated && !provider.protocols.is_empty() && preset.is_none() && !table.has("preset") {
            let hint = problem::suggest(&provider.name, preset::PRESETS.iter().map(|preset| preset.name)).unwrap_or_default();
            whole.problem(format!("has neither a preset nor an address; allowed is base_url, preset, or a known name{hint}"));
        }
        return preset.map_or("", |preset| preset.base_url).to_owned();
    };
    if simulated {
        value.problem("a simulated provider has no address");
        return String::new();
    }
    let Some(text) = value.text("an address such as \"https://llm.example.com/v1\"") else { return String::new() };
    address::check(text).map_err(|message| value.problem(message)).unwrap_or_default()
}

/// The names of secrets. What was found is never part of a message: a key itself, pasted here, must not get into a build's log.
fn keys(table: &Table<'_>, preset: Option<&Preset>) -> Vec<String> {
    const ALLOWED: &str = "is not a secret's name; allowed are capital letters, digits and _, such as \"OPENAI_API_KEY\", and never the key itself";
    let (one, many) = (table.get("key"), table.get("keys"));
    if let (Some(_), Some(many)) = (&one, &many) {
        many.problem("stands beside key; allowed is one of the two");
    }
    let entries = match (one, many) {
        (Some(one), _) => vec![one],
        (None, Some(many)) if many.is_list() => many.list("").unwrap_or_default(),
        (None, Some(many)) => {
            many.problem("is not a list; allowed is a list of secrets' names");
            Vec::new()
        }
        (None, None) => return preset.and_then(|preset| preset.key).map(str::to_owned).into_iter().collect(),
    };
    let mut keys: Vec<String> = Vec::new();
    for entry in entries {
        match entry.as_text().filter(|text| address::is_binding(text)) {
            Some(name) if keys.iter().any(|key| key == name) => entry.problem("is there twice"),
            Some(name) => keys.push(name.to_owned()),
            None => entry.problem(ALLOWED),
        }
    }
    keys
}

fn read_simulated(table: &Table<'_>) -> Simulated {
    let base = behaviour(table, Behaviour::default());
    let models = table.get("models").and_then(|models| models.table()).map(|models| models.entries()).unwrap_or_default();
    let models = models.into_iter().filter_map(|(model, value)| {
        let table = value.table()?;
        let behaviour = behaviour(&table, base.clone());
        table.close();
        Some((model.to_owned(), behaviour))
    });
    let models = models.collect();
    Simulated { base, models }
}

/// One model's behaviour, over what holds for all of the provider's.
fn behaviour(table: &Table<'_>, mut behaviour: Behaviour) -> Behaviour {
    for key in Behaviour::KEYS {
        let Some(value) = table.get(key) else { continue };
        if key == "fail" {
            let entries = value.list(&format!("a list, of {}", Fault::ALLOWED)).unwrap_or_default();
            let faults = entries.iter().filter_map(|entry| fault(entry)).collect();
            if let Err(message) = behaviour.schedule(faults) {
                value.problem(message);
            }
        } else if key == "error" {
            if let Some(fault) = fault(&value) {
                behaviour.error = fault;
            }
        } else if let Some(text) = value.as_scalar() {
            if let Err(message) = behaviour.apply(key, &text) {
                value.problem(message);
            }
        } else {
            value.wrong("a text, a number, true or false");
        }
    }
    behaviour
}

/// A fault, as a status or as a word.
fn fault(value: &Value<'_>) -> Option<Fault> {
    let fault = value.as_scalar().and_then(|text| Fault::parse(&text).ok());
    if fault.is_none() {
        value.wrong(Fault::ALLOWED);
    }
    fault
}
