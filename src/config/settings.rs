//! The settings that `[defaults]` begins, a route may override, and any target within it again.
//!
//! A level that does not state a setting takes it from the level above: built-in values, `[defaults]`, the route that is extended, the
//! route, the target.

use std::time::Duration;

use crate::config::read::{Table, Value};

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Until a stream has begun, or an unstreamed answer is complete: attempts, retries and waits included.
    pub deadline: Duration,
    /// Until the first content of a streamed upstream call; none for a model that reasons in silence, whose slice of the deadline is
    /// its limit. `[defaults]` and routes always have one.
    pub first_token: Option<Duration>,
    /// Between any two bytes of an upstream stream.
    pub stall: Duration,
    /// A stream that has begun.
    pub max_duration: Duration,
}

/// In which order a route's targets are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they are listed.
    Listed,
    /// The better of two by chance, by their recent latency and the calls that they have under way.
    Fastest,
    /// By lot, in proportion to their weights.
    Weighted,
}

/// When a second target is asked while the first has not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hedge {
    /// When the first has taken longer than 95 in 100 of its recent calls.
    P95,
    /// After a fixed time.
    After(Duration),
}

/// How long a stream is held back beyond its first content, so that a failure in its first words is still unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// For so many tokens.
    Tokens(u32),
    /// For a time.
    Time(Duration),
}

/// What becomes of a stream that breaks off after it was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnCut {
    /// It ends with an error event.
    Error,
    /// The next target begins anew, as long as nothing but reasoning was shown.
    Restart,
}

/// What becomes of a request that a target cannot be told all of, as its protocol has no words for some member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsupported {
    /// What does not change the answer's meaning is left out, and named in a header; for anything else the next target is asked.
    Mind,
    /// It is left out, whatever it is, and named in a header.
    Ignore,
    /// The request is refused.
    Refuse,
    /// The next target is asked, whatever it is.
    Next,
}

/// What becomes of a stream whose answer must be valid by a JSON schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaStream {
    /// Nothing of it is sent before all of it is known to be valid.
    Buffer,
    /// It is passed on as it comes, and ends with an error where it cannot become valid any more.
    Live,
}

/// So much for each request, 0 to 1, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u32);

impl Share {
    /// A share of so many thousandths.
    #[must_use]
    pub const fn of_thousandths(thousandths: u32) -> Self {
        Self(thousandths)
    }

    /// In thousandths.
    #[must_use]
    pub const fn thousandths(self) -> u32 {
        self.0
    }
}

/// The settings of everything that no route decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// How long things may take.
    pub times: Times,
    /// How long an answer is kept as fresh; nothing is kept where this is none.
    pub cache: Option<Duration>,
    /// How long an answer that is no longer fresh may be given when every target fails.
    pub stale_for: Duration,
    /// In which order targets are asked.
    pub order: Order,
    /// How often a target is asked again before the next one is.
    pub retries: u32,
    /// When a second target is asked beside the first; never where this is none.
    pub hedge_after: Option<Hedge>,
    /// How often a model is told that its answer breaks the requested schema.
    pub schema_retries: u32,
    /// Whether a stream waits until its answer is valid.
    pub schema_stream: SchemaStream,
    /// Whether calls of all tools are validated, or those of strict ones alone.
    pub validate_tools: bool,
    /// How long a stream is held back beyond its first content; not at all where this is none.
    pub hold: Option<Hold>,
    /// What becomes of a stream that breaks off.
    pub on_cut: OnCut,
    /// Whether a stream's 200 is sent before anyone has answered.
    pub early_headers: bool,
    /// What becomes of a request that a target cannot be told all of.
    pub unsupported: Unsupported,
    /// Whether a conversation stays with a target and a key; where this is none, it does unless targets are asked as they are listed.
    pub affinity: Option<bool>,
    /// How many calls beyond the first a request earns its route; without limit where this is none.
    pub retry_budget: Option<Share>,
    /// How many hedges it earns.
    pub hedge_budget: Option<Share>,
}

impl Default for Defaults {
    fn default() -> Self {
        let times = Times {
            deadline: Duration::from_mins(2),
            first_token: Some(Duration::from_secs(10)),
            stall: Duration::from_secs(30),
            max_duration: Duration::from_mins(30),
        };
        Self {
            times,
            cache: None,
            stale_for: DAY,
            order: Order::Listed,
            retries: 0,
            hedge_after: None,
            schema_retries: 1,
            schema_stream: SchemaStream::Buffer,
            validate_tools: false,
            hold: None,
            on_cut: OnCut::Error,
            early_headers: false,
            unsupported: Unsupported::Mind,
            affinity: None,
            retry_budget: Some(RETRY_BUDGET),
            hedge_budget: Some(HEDGE_BUDGET),
        }
    }
}

/// Enough for a primary and its fallback that both fail just short of half of their calls, where a breaker opens, and too little to double a
/// fleet's calls.
const RETRY_BUDGET: Share = Share(800);
/// A hedge after the 95th percentile is due for one request in twenty.
const HEDGE_BUDGET: Share = Share(50);

const DAY: Duration = Duration::from_hours(24);
const HOUR: Duration = Duration::from_hours(1);

/// The least that any time may be: below it, a timeout says something about the network rather than about a model.
const LEAST_TIME: Duration = Duration::from_millis(10);
/// Longer than this nothing is worth waiting for; it also keeps every timer within JavaScript's 2^31 ms.
const MOST_TIME: Duration = HOUR;
const MOST_STREAM: Duration = DAY;
/// Cached answers: a second is what HTTP's `age` counts in, and a year is its customary "for ever".
const LEAST_CACHE: Duration = Duration::from_secs(1);
const MOST_CACHE: Duration = Duration::from_hours(365 * 24);
/// More retries than a request has attempts are no use.
const MOST_RETRIES: u32 = 10;

/// A setting that can be stated to be off.
#[derive(Clone, Copy, Debug)]
enum Switch<T> {
    Off,
    On(T),
}

impl<T> Switch<T> {
    fn on(self) -> Option<T> {
        match self {
            Self::Off => None,
            Self::On(setting) => Some(setting),
        }
    }
}

/// The settings that one level states.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stated {
    deadline: Option<Duration>,
    pub(super) first_token: Option<Duration>,
    stall: Option<Duration>,
    max_duration: Option<Duration>,
    cache: Option<Switch<Duration>>,
    stale_for: Option<Duration>,
    order: Option<Order>,
    retries: Option<u32>,
    hedge_after: Option<Switch<Hedge>>,
    schema_retries: Option<u32>,
    schema_stream: Option<SchemaStream>,
    validate_tools: Option<bool>,
    hold: Option<Switch<Hold>>,
    on_cut: Option<OnCut>,
    early_headers: Option<bool>,
    unsupported: Option<Unsupported>,
    affinity: Option<bool>,
    retry_budget: Option<Switch<Share>>,
    hedge_budget: Option<Switch<Share>>,
}

impl Stated {
    /// What `[defaults]` or a route states.
    pub(super) fn read(table: &Table<'_>) -> Self {
        let of_target = Self::read_of_target(table);
        Self {
            stale_for: table
                .get("stale_for")
                .and_then(|value| Some(off_or(&value, LEAST_CACHE, MOST_CACHE)?.on().unwrap_or_default())),
            order: table.get("order").and_then(|value| value.choice(&ORDERS)),
            hedge_after: table.get("hedge_after").and_then(|value| hedge(&value)),
            schema_retries: table.get("schema_retries").and_then(|value| value.whole(0, MOST_RETRIES)),
            schema_stream: table.get("schema_stream").and_then(|value| value.choice(&SCHEMA_STREAMS)),
            validate_tools: table.get("validate_tools").and_then(|value| value.flag()),
            hold: table.get("hold").and_then(|value| hold(&value)),
            on_cut: table.get("on_cut").and_then(|value| value.choice(&ON_CUT)),
            early_headers: table.get("early_headers").and_then(|value| value.flag()),
            unsupported: table.get("unsupported").and_then(|value| value.choice(&UNSUPPORTED)),
            affinity: table.get("affinity").and_then(|value| value.flag()),
            retry_budget: table.get("retry_budget").and_then(|value| share(&value)),
            hedge_budget: table.get("hedge_budget").and_then(|value| share(&value)),
            ..of_target
        }
    }

    /// What a target states.
    pub(super) fn read_of_target(table: &Table<'_>) -> Self {
        let time = |key, most| table.get(key).and_then(|value| value.duration(LEAST_TIME, most));
        Self {
            deadline: time("deadline", MOST_TIME),
            first_token: time("first_token", MOST_TIME),
            stall: time("stall", MOST_TIME),
            max_duration: time("max_duration", MOST_STREAM),
            cache: table.get("cache").and_then(|value| off_or(&value, LEAST_CACHE, MOST_CACHE)),
            retries: table.get("retries").and_then(|value| value.whole(0, MOST_RETRIES)),
            ..Self::default()
        }
    }

    /// These settings, and those of the level above where this one says nothing.
    pub(super) fn over(self, above: Self) -> Self {
        Self {
            deadline: self.deadline.or(above.deadline),
            first_token: self.first_token.or(above.first_token),
            stall: self.stall.or(above.stall),
            max_duration: self.max_duration.or(above.max_duration),
            cache: self.cache.or(above.cache),
            stale_for: self.stale_for.or(above.stale_for),
            order: self.order.or(above.order),
            retries: self.retries.or(above.retries),
            hedge_after: self.hedge_after.or(above.hedge_after),
            schema_retries: self.schema_retries.or(above.schema_retries),
            schema_stream: self.schema_stream.or(above.schema_stream),
            validate_tools: self.validate_tools.or(above.validate_tools),
            hold: self.hold.or(above.hold),
            on_cut: self.on_cut.or(above.on_cut),
            early_headers: self.early_headers.or(above.early_headers),
            unsupported: self.unsupported.or(above.unsupported),
            affinity: self.affinity.or(above.affinity),
            retry_budget: self.retry_budget.or(above.retry_budget),
            hedge_budget: self.hedge_budget.or(above.hedge_budget),
        }
    }

    /// The whole settings of this level.
    pub(super) fn settle(self, above: &Defaults) -> Defaults {
        Defaults {
            times: Times {
                deadline: self.deadline.unwrap_or(above.times.deadline),
                first_token: self.first_token.or(above.times.first_token),
                stall: self.stall.unwrap_or(above.times.stall),
                max_duration: self.max_duration.unwrap_or(above.times.max_duration),
            },
            cache: self.cache.map_or(above.cache, Switch::on),
            stale_for: self.stale_for.unwrap_or(above.stale_for),
            order: self.order.unwrap_or(above.order),
            retries: self.retries.unwrap_or(above.retries),
            hedge_after: self.hedge_after.map_or(above.hedge_after, Switch::on),
            schema_retries: self.schema_retries.unwrap_or(above.schema_retries),
            schema_stream: self.schema_stream.unwrap_or(above.schema_stream),
            validate_tools: self.validate_tools.unwrap_or(above.validate_tools),
            hold: self.hold.map_or(above.hold, Switch::on),
            on_cut: self.on_cut.unwrap_or(above.on_cut),
            early_headers: self.early_headers.unwrap_or(above.early_headers),
            unsupported: self.unsupported.unwrap_or(above.unsupported),
            affinity: self.affinity.or(above.affinity),
            retry_budget: self.retry_budget.map_or(above.retry_budget, Switch::on),
            hedge_budget: self.hedge_budget.map_or(above.hedge_budget, Switch::on),
        }
    }
}

const ORDERS: [(&str, Order); 3] = [("listed", Order::Listed), ("fastest", Order::Fastest), ("weighted", Order::Weighted)];

const ON_CUT: [(&str, OnCut); 2] = [("error", OnCut::Error), ("restart", OnCut::Restart)];

const SCHEMA_STREAMS: [(&str, SchemaStream); 2] = [("buffer", SchemaStream::Buffer), ("live", SchemaStream::Live)];

const UNSUPPORTED: [(&str, Unsupported); 4] = [
    ("mind", Unsupported::Mind),
    ("ignore", Unsupported::Ignore),
    ("refuse", Unsupported::Refuse),
    ("next", Unsupported::Next),
];

/// More than any answer's beginning; what is held is held in memory.
const MOST_HELD: u32 = 2000;
const LONGEST_HOLD: Duration = Duration::from_secs(30);

/// `"40 tokens"`, `"500ms"` or `"off"`.
fn hold(value: &Value<'_>) -> Option<Switch<Hold>> {
    let text = value.as_text().unwrap_or_default();
    if text == "off" {
        return Some(Switch::Off);
    }
    if let Some(count) = text.strip_suffix("tokens").or_else(|| text.strip_suffix("token")) {
        let tokens = count.trim().parse().ok().filter(|tokens| (1..=MOST_HELD).contains(tokens));
        if tokens.is_none() {
            value.wrong(&format!("\"1 token\" to \"{MOST_HELD} tokens\""));
        }
        return tokens.map(|tokens| Switch::On(Hold::Tokens(tokens)));
    }
    if text.starts_with(|letter: char| letter.is_ascii_digit()) {
        return value.duration(LEAST_TIME, LONGEST_HOLD).map(|time| Switch::On(Hold::Time(time)));
    }
    value.wrong("\"40 tokens\", a duration such as \"500ms\", or \"off\"");
    None
}

/// `"off"`, or a number from 0 to 1.
fn share(value: &Value<'_>) -> Option<Switch<Share>> {
    if value.as_text() == Some("off") {
        return Some(Switch::Off);
    }
    let thousandths = value.as_number().map(|share| share * 1000.0).filter(|share| (0.0..=1000.0).contains(share));
    // Of 0.29 as of most fractions there is a little missing.
    let whole = thousandths.filter(|share| (share - share.round()).abs() < 1e-6);
    if whole.is_none() {
        value.wrong("a number from 0 to 1 with at most three decimals, or \"off\"");
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number up to a thousand")]
    whole.map(|share| Switch::On(Share(share.round() as u32)))
}

/// `"off"`, or a duration.
fn off_or(value: &Value<'_>, least: Duration, most: Duration) -> Option<Switch<Duration>> {
    match value.as_text() {
        Some("off") => Some(Switch::Off),
        Some(_) => value.duration(least, most).map(Switch::On),
        None => {
            value.wrong("\"off\" or a duration, such as \"1h\"");
            None
        }
    }
}

fn hedge(value: &Value<'_>) -> Option<Switch<Hedge>> {
    match value.as_text() {
        Some("off") => Some(Switch::Off),
        Some("p95") => Some(Switch::On(Hedge::P95)),
        // Only a number begins a duration: "p99" is a wrong percentile rather than a wrong duration.
        Some(text) if text.starts_with(|letter: char| letter.is_ascii_digit()) => {
            value.duration(LEAST_TIME, MOST_TIME).map(|after| Switch::On(Hedge::After(after)))
        }
        _ => {
            value.wrong("\"p95\", a duration such as \"2s\", or \"off\"");
            None
        }
    }
}
