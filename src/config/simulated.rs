//! How a simulated provider behaves.
//!
//! People test their own agents with it, so a behaviour must be written in one line and must come out the same every time: nothing
//! here is drawn from a clock or from the platform's randomness. The **schedule** `fail` says what the first calls of a target meet, in
//! their order (counted per isolate); what comes after it answers, unless `cycle` starts the schedule again. `error_rate` then
//! fails a share of what the schedule lets through, drawn from `seed`.
//!
//! The same keys are read from the configuration and, one at a time as text, from a request's header.

use std::fmt;
use std::time::Duration;

use crate::config::units;

/// A simulated provider's settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Simulated {
    /// What holds for every model that is not named.
    pub base: Behaviour,
    /// The models that were named, each with everything that `base` decides for it already in place.
    pub models: Vec<(String, Behaviour)>,
}

impl Simulated {
    /// How a model behaves.
    #[must_use]
    pub fn behaviour(&self, model: &str) -> &Behaviour {
        self.models.iter().find(|(name, _)| name == model).map_or(&self.base, |(_, behaviour)| behaviour)
    }
}

/// How one simulated model behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Behaviour {
    /// What the first calls meet, one entry a call.
    pub fail: Vec<Fault>,
    /// Whether the schedule starts again at its end, rather than giving way to answers.
    pub cycle: bool,
    /// From the call to the headers.
    pub latency: Duration,
    /// From the headers to the first content.
    pub first_token: Duration,
    /// From one piece to the next.
    pub pace: Duration,
    /// The share of calls that fail although the schedule lets them through, from 0 to 1.
    pub error_rate: f64,
    /// What those meet.
    pub error: Fault,
    /// What that share is drawn from.
    pub seed: u64,
    /// What is answered; the simulated model makes something up where nothing is given.
    pub text: Option<String>,
    /// How many words make a piece.
    pub piece: usize,
}

impl Default for Behaviour {
    /// Answers at once, and always.
    fn default() -> Self {
        Self {
            fail: Vec::new(),
            cycle: false,
            latency: Duration::ZERO,
            first_token: Duration::ZERO,
            pace: Duration::ZERO,
            error_rate: 0.0,
            error: Fault::Status(500),
            seed: 0,
            text: None,
            piece: 1,
        }
    }
}

/// No wait of a simulated model is longer: a request is given up long before.
const LONGEST: Duration = Duration::from_hours(1);

/// The longest schedule and the longest text, in entries and bytes: both are kept for every isolate.
const MAX_FAIL: usize = 1000;
const MAX_TEXT: usize = 64 * 1024;

impl Behaviour {
    /// The names of the settings, in the order in which they are documented.
    pub const KEYS: [&'static str; 10] =
        ["fail", "cycle", "latency", "first_token", "pace", "error_rate", "error", "seed", "text", "piece"];

    /// What the schedule has for call number `nth` of a target, counted from 0.
    #[must_use]
    pub fn scheduled(&self, nth: u64) -> Fault {
        let length = self.fail.len() as u64;
        let nth = if self.cycle && length > 0 { nth % length } else { nth };
        usize::try_from(nth).ok().and_then(|nth| self.fail.get(nth)).copied().unwrap_or(Fault::Ok)
    }

    /// Sets one setting from text. The faults of `fail` stand apart by commas, `|` or blanks. The error says what was found and what
    /// is allowed.
    pub fn apply(&mut self, key: &str, value: &str) -> Result<(), String> {
        let value = value.trim();
        match key {
            "fail" => {
                let entries = value.split([',', '|', ' ', '\t']).filter(|entry| !entry.is_empty());
                self.schedule(entries.map(Fault::parse).collect::<Result<_, _>>()?)?;
            }
            "cycle" => self.cycle = value.parse().map_err(|_| found(value, "true or false"))?,
            "latency" => self.latency = wait(value)?,
            "first_token" => self.first_token = wait(value)?,
            "pace" => self.pace = wait(value)?,
            "error_rate" => {
                let rate: Option<f64> = value.parse().ok().filter(|rate| (0.0..=1.0).contains(rate));
                self.error_rate = rate.ok_or_else(|| found(value, "a number from 0 to 1"))?;
            }
            "error" => self.error = Fault::parse(value)?,
            "seed" => self.seed = value.parse().map_err(|_| found(value, "a whole number from 0"))?,
            "text" if value.len() > MAX_TEXT => return Err(format!("found {} bytes; allowed are {MAX_TEXT}", value.len())),
            "text" => self.text = Some(value.to_owned()),
            "piece" => {
                let words = value.parse().ok().filter(|words| (1..=1000).contains(words));
                self.piece = words.ok_or_else(|| found(value, "a number of words from 1 to 1000"))?;
            }
            _ => return Err(format!("unknown; allowed are {}", Self::KEYS.join(", "))),
        }
        Ok(())
    }

    /// Sets the schedule.
    pub fn schedule(&mut self, fail: Vec<Fault>) -> Result<(), String> {
        if fail.len() > MAX_FAIL {
            return Err(format!("found {} entries; allowed are {MAX_FAIL}", fail.len()));
        }
        self.fail = fail;
        Ok(())
    }
}

fn found(value: &str, allowed: &str) -> String {
    format!("found {value:?}; allowed is {allowed}")
}

fn wait(value: &str) -> Result<Duration, String> {
    units::duration(value, Duration::ZERO, LONGEST)
}

/// What a call of a simulated model meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An answer.
    Ok,
    /// An error status with an error object, as `500`; 400 to 599.
    Status(u16),
    /// No headers, ever.
    Hang,
    /// No connection.
    Refuse,
    /// A connection that breaks after so many pieces of the answer, as `cut:3`; `cut` alone is `cut:0`, before any content.
    Cut(usize),
    /// Silence after so many pieces, on an open connection, as `stall:3`; `stall` alone is `stall:0`.
    Stall(usize),
    /// A 200 with nothing in it.
    Empty,
    /// A 200 with something that is no answer.
    Garbage,
    /// A 200 with an error object.
    ErrorInBody,
    /// A stream that ends after all of its content, without finish reason and terminator.
    NoDone,
    /// A 200 with a web page.
    Html,
}

impl Fault {
    /// What [`Fault::parse`] reads, in words.
    pub const ALLOWED: &'static str = "\"ok\", a status from 400 to 599, \"hang\", \"refuse\", \"cut:N\", \"stall:N\", \"empty\", \"garbage\", \"error\", \"no-done\" or \"html\"";

    /// Reads a fault. The error says what was found and what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (word, count) = text.split_once(':').map_or((text, None), |(word, count)| (word, Some(count)));
        let pieces = count.map_or(Some(0), |count| count.parse().ok());
        let fault = match (word, count) {
            ("cut", _) => pieces.map(Self::Cut),
            ("stall", _) => pieces.map(Self::Stall),
            ("ok", None) => Some(Self::Ok),
            ("hang", None) => Some(Self::Hang),
            ("refuse", None) => Some(Self::Refuse),
            ("empty", None) => Some(Self::Empty),
            ("garbage", None) => Some(Self::Garbage),
            ("error", None) => Some(Self::ErrorInBody),
            ("no-done", None) => Some(Self::NoDone),
            ("html", None) => Some(Self::Html),
            (status, None) => status.parse().ok().filter(|status| (400..600).contains(status)).map(Self::Status),
            _ => None,
        };
        fault.ok_or_else(|| found(text, Self::ALLOWED))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("ok"),
            Self::Status(status) => write!(f, "{status}"),
            Self::Hang => f.write_str("hang"),
            Self::Refuse => f.write_str("refuse"),
            Self::Cut(pieces) => write!(f, "cut:{pieces}"),
            Self::Stall(pieces) => write!(f, "stall:{pieces}"),
            Self::Empty => f.write_str("empty"),
            Self::Garbage => f.write_str("garbage"),
            Self::ErrorInBody => f.write_str("error"),
            Self::NoDone => f.write_str("no-done"),
            Self::Html => f.write_str("html"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_as_they_are_written() {
        let rows = [
            ("ok", Fault::Ok),
            ("400", Fault::Status(400)),
            ("599", Fault::Status(599)),
            ("hang", Fault::Hang),
            ("refuse", Fault::Refuse),
            ("cut:3", Fault::Cut(3)),
            ("stall:0", Fault::Stall(0)),
            ("empty", Fault::Empty),
            ("garbage", Fault::Garbage),
            ("error", Fault::ErrorInBody),
            ("no-done", Fault::NoDone),
            ("html", Fault::Html),
        ];
        for (text, fault) in rows {
            assert_eq!(Fault::parse(text), Ok(fault));
            assert_eq!(fault.to_string(), text);
        }
        assert_eq!(Fault::parse("cut"), Ok(Fault::Cut(0)));
        assert_eq!(Fault::parse("stall"), Ok(Fault::Stall(0)));
        for wrong in ["", "200", "399", "600", "hang:1", "cut:", "cut:-1", "cut:x", "OK", "500:1", " hang"] {
            assert_eq!(Fault::parse(wrong), Err(format!("found {wrong:?}; allowed is {}", Fault::ALLOWED)));
        }
    }

    #[test]
    fn a_schedule_is_followed_once_or_again_and_again() {
        let mut behaviour = Behaviour::default();
        assert_eq!(behaviour.scheduled(0), Fault::Ok);
        behaviour.apply("fail", "500, hang|cut:3 ok").expect("a schedule");
        let schedule = [Fault::Status(500), Fault::Hang, Fault::Cut(3), Fault::Ok];
        let first: Vec<Fault> = (0..6).map(|nth| behaviour.scheduled(nth)).collect();
        assert_eq!(first, [&schedule[..], &[Fault::Ok, Fault::Ok]].concat());
        assert_eq!(behaviour.scheduled(u64::MAX), Fault::Ok);
        behaviour.apply("cycle", "true").expect("a flag");
        let round: Vec<Fault> = (4..8).map(|nth| behaviour.scheduled(nth)).collect();
        assert_eq!(round, schedule);
        behaviour.apply("fail", "").expect("no schedule");
        assert_eq!(behaviour.scheduled(1), Fault::Ok, "an empty schedule that repeats");
    }

    #[test]
    fn settings_from_text() {
        let mut behaviour = Behaviour::default();
        let settings = [
            ("fail", "502"),
            ("cycle", "true"),
            ("latency", "20ms"),
            ("first_token", "1s"),
            ("pace", "0s"),
            ("error_rate", "0.25"),
            ("error", "refuse"),
            ("seed", "7"),
            ("text", " hello "),
            ("piece", "3"),
        ];
        assert_eq!(settings.map(|(key, _)| key), Behaviour::KEYS);
        for (key, value) in settings {
            assert_eq!(behaviour.apply(key, value), Ok(()), "{key}");
        }
        let expected = Behaviour {
            fail: vec![Fault::Status(502)],
            cycle: true,
            latency: Duration::from_millis(20),
            first_token: Duration::from_secs(1),
            pace: Duration::ZERO,
            error_rate: 0.25,
            error: Fault::Refuse,
            seed: 7,
            text: Some("hello".to_owned()),
            piece: 3,
        };
        assert_eq!(behaviour, expected);
    }

    #[test]
    fn settings_that_are_refused() {
        let rows = [
            ("fail", "500,nope", format!("found \"nope\"; allowed is {}", Fault::ALLOWED)),
            ("cycle", "yes", "found \"yes\"; allowed is true or false".to_owned()),
            ("latency", "20", "found \"20\"; allowed is a duration, such as \"250ms\", \"10s\" or \"1h 30m\"".to_owned()),
            ("pace", "2h", "found \"2h\"; allowed is 0ms to 1h".to_owned()),
            ("first_token", "1us", "found \"1us\"; allowed are whole milliseconds".to_owned()),
            ("error_rate", "1.1", "found \"1.1\"; allowed is a number from 0 to 1".to_owned()),
            ("error_rate", "NaN", "found \"NaN\"; allowed is a number from 0 to 1".to_owned()),
            ("error", "200", format!("found \"200\"; allowed is {}", Fault::ALLOWED)),
            ("seed", "-1", "found \"-1\"; allowed is a whole number from 0".to_owned()),
            ("piece", "0", "found \"0\"; allowed is a number of words from 1 to 1000".to_owned()),
            (
                "speed",
                "1",
                "unknown; allowed are fail, cycle, latency, first_token, pace, error_rate, error, seed, text, piece".to_owned(),
            ),
        ];
        for (key, value, message) in rows {
            let mut behaviour = Behaviour::default();
            assert_eq!(behaviour.apply(key, value), Err(message));
            assert_eq!(behaviour, Behaviour::default(), "{key} is left as it was");
        }
    }
}
