//! An isolate with one provider, and what can be seen of it from outside.

use breakwater::breaker::{Admission, Object, Outcome, Question, Sent, Settings, TargetId, Ticket, Urgency, View, Why};
use breakwater::time::Timestamp;
use serde_json::Value;

use super::{at, settings};

pub(crate) struct Isolate {
    pub(crate) view: View,
}

impl Isolate {
    pub(crate) fn new() -> Self {
        Self::with(settings())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        Self { view: View::new(std::iter::once(("p".to_owned(), settings))) }
    }

    pub(crate) fn target(&mut self, model: &str, credential: &str) -> TargetId {
        self.view.target(0, model, credential)
    }

    /// Whether a call may be made: `go`, `ask`, `open` or `cooling`.
    pub(crate) fn word(&mut self, model: &str, credential: &str, millis: u64) -> &'static str {
        let target = self.target(model, credential);
        match self.view.admit(target, at(millis)) {
            Admission::Go(_) => "go",
            Admission::Ask(_) => "ask",
            Admission::Refused(refusal) if refusal.why == Why::Cooling => "cooling",
            Admission::Refused(_) => "open",
        }
    }

    pub(crate) fn ticket(&mut self, model: &str, credential: &str, millis: u64) -> Ticket {
        let target = self.target(model, credential);
        match self.view.admit(target, at(millis)) {
            Admission::Go(ticket) => ticket,
            other => panic!("{model} with {credential} at {millis}: {other:?}"),
        }
    }

    pub(crate) fn question(&mut self, model: &str, credential: &str, millis: u64) -> Question {
        let target = self.target(model, credential);
        match self.view.admit(target, at(millis)) {
            Admission::Ask(question) => question,
            other => panic!("{model} with {credential} at {millis}: {other:?}"),
        }
    }

    /// A call that is admitted and ends at once.
    pub(crate) fn call(&mut self, model: &str, credential: &str, outcome: Outcome, millis: u64) -> Urgency {
        let ticket = self.ticket(model, credential, millis);
        self.view.record(&ticket, outcome, at(millis), 0)
    }

    pub(crate) fn fails(&mut self, model: &str, count: usize, millis: u64) {
        for _ in 0..count {
            self.call(model, "k", Outcome::ModelFailed, millis);
        }
    }

    /// What it has to say, and the message.
    pub(crate) fn outgoing(&mut self, question: Option<&Question>, millis: u64) -> (Value, String, Sent) {
        let (message, sent) = self.view.outgoing(0, question, at(millis));
        (serde_json::from_str(&message).unwrap(), message, sent)
    }

    pub(crate) fn incoming(&mut self, sent: Sent, answer: Option<&str>, millis: u64) {
        self.view.incoming(0, sent, answer, at(millis));
    }

    /// An exchange that is not disturbed.
    pub(crate) fn exchange(&mut self, object: &mut Object, millis: u64) -> String {
        let (_, message, sent) = self.outgoing(None, millis);
        let answer = object.exchange(&message, at(millis), 0).answer;
        self.incoming(sent, Some(&answer), millis);
        answer
    }

    /// A circuit as people are shown it, `provider`, `model:…` or `key:…`; null where there is none.
    pub(crate) fn circuit(&self, key: &str, millis: u64) -> Value {
        let status = self.view.status(0, at(millis)).unwrap();
        let (kind, name) = key.split_once(':').unwrap_or(("provider", "p"));
        let mut circuits = status["circuits"].as_array().unwrap().iter();
        circuits.find(|circuit| circuit["circuit"] == kind && circuit["name"] == name).cloned().unwrap_or_default()
    }

    pub(crate) fn state(&self, key: &str, millis: u64) -> String {
        self.circuit(key, millis)["state"].as_str().unwrap_or("unknown").to_owned()
    }

    pub(crate) fn until(&mut self, model: &str, credential: &str, millis: u64) -> u64 {
        let target = self.target(model, credential);
        let Admission::Refused(refusal) = self.view.admit(target, at(millis)) else { panic!("it is admitted") };
        relative(refusal.until)
    }
}

pub(crate) fn relative(point: Timestamp) -> u64 {
    point.as_millis() - at(0).as_millis()
}
