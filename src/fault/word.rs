//! The faults by their words: every way of failing that the test suites' upstreams know.

use std::time::Duration;

/// What a call meets. `K` is a number of words of a made-up answer; what is not streamed has no words, and goes wrong as a whole.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// `refuse`: no connection.
    Refuse,
    /// `hang`: no headers, ever.
    Hang,
    /// `silent`: headers, and nothing after them.
    Silent,
    /// `role`: a stream's role, which is no content, and nothing after it.
    Role,
    /// `drip`: a byte now and then, and never an event.
    Drip,
    /// `400` to `599`, and redirects: a status with a body that fits it.
    Status(u16),
    /// `429`: a rate limit, which says, or does not, how long it lasts.
    Limited(Wait),
    /// `quota`: a 429 that will not pass, as nothing is left of the account.
    Quota,
    /// `context`: the request is too long for the model.
    Context,
    /// `html`: a 200 with a web page.
    Html,
    /// `empty`: a 200 with nothing in it.
    Empty,
    /// `error`: a 200 with an error object, or one as a stream's first event; `error@K`: after so many words.
    Error(Option<usize>),
    /// `garbage`: a 200 with something that is no answer; `garbage@K`: after so many words.
    Garbage(Option<usize>),
    /// `cut@K`: a connection that breaks.
    Cut(usize),
    /// `stall@K`: silence on an open connection.
    Stall(usize),
    /// `end@K`: a regular end, without finish reason and terminator.
    End(usize),
    /// `midframe@K`: the same, in the middle of an event.
    Midframe(usize),
    /// `hugeline`: a line, or an answer, that is larger than any.
    Huge,
    /// `slow:2s`: the real target, after a wait.
    Slow(Duration),
}

/// How a rate limit says when it is over: in each of the ways that providers do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wait {
    /// Not at all.
    Unsaid,
    /// `429:retry-after=7`: in seconds.
    After(u64),
    /// `429:retry-after-ms=2500`: in milliseconds; `retry-after` beside it is the same in whole seconds, as OpenAI sends it.
    AfterMillis(u64),
    /// `429:date=20`: as the date so many seconds from now.
    Date(u64),
    /// `429:retry-info=34.4`: in the body, as Gemini does, in seconds.
    Info(f64),
}

/// The most words that a made-up answer has before it goes wrong.
const MOST_WORDS: usize = 1000;

/// The longest that a call is kept waiting: longer than any deadline is not needed.
const LONGEST: Duration = Duration::from_secs(3600);

/// The longest that a rate limit asks for, in seconds: providers ask for a day.
const LONGEST_LIMIT: u64 = 86_400;

/// Redirects; other statuses below 400 are none that an upstream fails with.
const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

const ALLOWED: &str = "refuse, hang, silent, role, drip, a status from 400 to 599 or of a redirect, 429:retry-after=N, \
                       429:retry-after-ms=N, 429:date=N, 429:retry-info=N, quota, context, html, empty, error, error@K, garbage, \
                       garbage@K, cut@K, stall@K, end@K, midframe@K, hugeline or slow:2s";

impl Fault {
    /// Reads a fault. The error says what was found and what is allowed.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let found = |allowed: &str| format!("found {text:?}; allowed is {allowed}");
        if let Some((word, count)) = text.split_once('@') {
            let count = count.parse().ok().filter(|count| *count <= MOST_WORDS);
            let count = count.ok_or_else(|| found(&format!("a number of words from 0 to {MOST_WORDS} after the @")));
            return match word {
                "error" => count.map(|count| Self::Error(Some(count))),
                "garbage" => count.map(|count| Self::Garbage(Some(count))),
                "cut" => count.map(Self::Cut),
                "stall" => count.map(Self::Stall),
                "end" => count.map(Self::End),
                "midframe" => count.map(Self::Midframe),
                _ => Err(found(ALLOWED)),
            };
        }
        match text.split_once(':') {
            Some(("slow", wait)) => {
                let wait = humantime::parse_duration(wait).ok().filter(|wait| *wait <= LONGEST);
                return wait.map(Self::Slow).ok_or_else(|| found("slow: and a duration up to 1h, such as slow:2s"));
            }
            Some(("429", how)) => {
                let wait = Wait::parse(how);
                return wait.map(Self::Limited).ok_or_else(|| {
                    found(&format!(
                        "429, 429:retry-after=7, 429:retry-after-ms=2500, 429:date=20 or 429:retry-info=34.4, of up to {LONGEST_LIMIT} seconds"
                    ))
                });
            }
            Some(_) => return Err(found(ALLOWED)),
            None => {}
        }
        let status = |text: &str| {
            text.parse().ok().filter(|status| (400..600).contains(status) || REDIRECTS.contains(status)).map(Self::Status)
        };
        let fault = match text {
            "refuse" => Some(Self::Refuse),
            "hang" => Some(Self::Hang),
            "silent" => Some(Self::Silent),
            "role" => Some(Self::Role),
            "drip" => Some(Self::Drip),
            "429" => Some(Self::Limited(Wait::Unsaid)),
            "quota" => Some(Self::Quota),
            "context" => Some(Self::Context),
            "html" => Some(Self::Html),
            "empty" => Some(Self::Empty),
            "error" => Some(Self::Error(None)),
            "garbage" => Some(Self::Garbage(None)),
            "cut" => Some(Self::Cut(0)),
            "stall" => Some(Self::Stall(0)),
            "end" => Some(Self::End(0)),
            "midframe" => Some(Self::Midframe(0)),
            "hugeline" => Some(Self::Huge),
            text => status(text),
        };
        fault.ok_or_else(|| found(ALLOWED))
    }

    /// How long a call is kept waiting before it is sent.
    pub(crate) fn delay(&self) -> Option<Duration> {
        if let Self::Slow(wait) = self { Some(*wait) } else { None }
    }
}

impl Wait {
    fn parse(text: &str) -> Option<Self> {
        let (how, value) = text.split_once('=')?;
        let whole = |most: u64| value.parse().ok().filter(|value| *value <= most);
        match how {
            "retry-after" => whole(LONGEST_LIMIT).map(Self::After),
            "retry-after-ms" => whole(LONGEST_LIMIT * 1000).map(Self::AfterMillis),
            "date" => whole(LONGEST_LIMIT).map(Self::Date),
            "retry-info" => {
                #[expect(clippy::cast_precision_loss, reason = "a day's seconds")]
                let most = LONGEST_LIMIT as f64;
                value.parse().ok().filter(|seconds| (0.0..=most).contains(seconds)).map(Self::Info)
            }
            _ => None,
        }
    }
}
