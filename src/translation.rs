//! A client's request in the words of each target that it may go to.
//!
//! Where a target speaks the client's dialect, that is the client's own text with a few places changed ([`crate::envelope`]). Where it does not,
//! the request is read once ([`crate::chat`]) and written for each target, once each, whatever the number of retries; and what the target's protocol has no
//! words for is judged here, by the route's `unsupported`:
//!
//! | | what does not change the answer's meaning | what does |
//! |---|---|---|
//! | `mind` (the default) | is left out, named in `x-breakwater-ignored` | the next target is asked; 400 if nobody can |
//! | `ignore` | is left out, named | is left out, named |
//! | `refuse` | 400 | 400 |
//! | `next` | the next target is asked; 400 if nobody can | the same |
//!
//! The invariant: of what a client said, nothing is dropped that is neither named in the answer's header nor the reason of an error.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use breakwater_dialects::mistake::Mistake;
use serde_json::{Map, Value};

use crate::binding;
use crate::chat::{Losses, Means, Object, Reading, Request};
use crate::config::Unsupported;
use crate::demand::{Correction, Demand};
use crate::dialect::chat::Adapted;
use crate::dialect::{self, Dialect, Recipient};
use crate::envelope::{self, Envelope};
use crate::error::Error;
use crate::provider::address::Operation;
use crate::route::Candidate;
use crate::verdict::{Fault, Next, Said, Verdict};

/// See the module's documentation.
pub(crate) struct Translation<'a> {
    envelope: &'a Envelope<'a>,
    operation: Operation,
    unsupported: Unsupported,
    /// Whether streams must tell their usage, as they may be stored.
    force_usage: bool,
    tenant: String,
    /// What is demanded of the answer's form.
    demand: Option<Rc<Demand>>,
    /// The canonical request, as the client sent it.
    request: OnceCell<Reading<Rc<Request>>>,
    /// What was written, by the target's name, and by which means a form was asked for.
    written: RefCell<Vec<(String, Means, Rc<Written>)>>,
}

/// How a call asks for a form of its answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guise {
    pub(crate) means: Means,
    /// What is said of a wrong answer that came before.
    pub(crate) correction: Option<Correction>,
}

/// What a call sends.
pub(crate) struct Sent {
    pub(crate) body: String,
    /// What of the request it does not say.
    pub(crate) ignored: Vec<String>,
    /// Whether a form of the answer is asked for by other means than one of the protocol's.
    pub(crate) emulated: bool,
    /// Whether the answer is to come as the arguments of a tool.
    pub(crate) by_tool: bool,
}

/// A request as one target is sent it.
#[derive(Debug)]
struct Written {
    body: String,
    /// What of it could not be said, and is told to the client.
    ignored: Vec<String>,
    emulated: bool,
    by_tool: bool,
    /// Why it is not sent.
    refusal: Option<Refusal>,
}

#[derive(Clone, Debug)]
struct Refusal {
    fault: Fault,
    next: Next,
    said: Said,
}

impl<'a> Translation<'a> {
    pub(crate) fn new(
        envelope: &'a Envelope<'a>,
        operation: Operation,
        unsupported: Unsupported,
        force_usage: bool,
        tenant: &str,
        demand: Option<Rc<Demand>>,
    ) -> Self {
        let (request, written) = (OnceCell::new(), RefCell::default());
        Self { envelope, operation, unsupported, force_usage, tenant: tenant.to_owned(), demand, request, written }
    }

    pub(crate) fn operation(&self) -> Operation {
        self.operation
    }

    /// The canonical request. An error where the client's could not be read, which one that passes through need not be.
    pub(crate) fn request(&self) -> Reading<Rc<Request>> {
        self.request.get_or_init(|| self.read(None).map(Rc::new)).clone()
    }

    /// Whether anything was translated.
    pub(crate) fn is_used(&self) -> bool {
        !self.written.borrow().is_empty()
    }

    /// Whether a candidate speaks what the client does.
    fn passes_through(&self, candidate: &Candidate<'_>) -> bool {
        candidate.dialect == self.envelope.dialect
    }

    /// Why this candidate is not sent the request, where it is not.
    pub(crate) fn refusal(&self, candidate: &Candidate<'_>) -> Option<Verdict> {
        if self.passes_through(candidate) && !self.is_measured(candidate) {
            return None;
        }
        let Refusal { fault, next, said } = self.written(candidate, Means::Native).refusal.clone()?;
        Some(Verdict { fault, status: None, next, wait: None, said: Some(said), target: candidate.name.clone() })
    }

    /// Whether a target that speaks the client's dialect is held to what is known of it, as others are. Only where the route asks for that: what is known may be
    /// older than the provider, which otherwise says itself what it does not take, in its own words. And only a request that could be read.
    fn is_measured(&self, candidate: &Candidate<'_>) -> bool {
        let asked_for = matches!(self.unsupported, Unsupported::Refuse | Unsupported::Next);
        asked_for && candidate.dialect == Dialect::Chat && self.request().is_ok()
    }

    /// What a candidate is sent.
    pub(crate) fn sent(&self, candidate: &Candidate<'_>, guise: &Guise) -> Sent {
        let mut sent = if self.passes_through(candidate) && guise.means == Means::Native {
            let (quirks, envelope) = (candidate.provider.quirks, self.envelope);
            let (tools, demand) = (envelope.has_tools(), self.demand.as_deref());
            let by_words = |demand: &Demand| {
                demand.has_schema() && !quirks.has_schemas(candidate.model, tools, envelope.stream)
                    || demand.takes_any_object() && !quirks.has_objects(tools)
            };
            let emulated = candidate.dialect == Dialect::Chat && demand.is_some_and(by_words);
            let (body, ignored) = self.same(candidate);
            Sent { body, ignored, emulated, by_tool: false }
        } else {
            let written = self.written(candidate, guise.means);
            let Written { body, ignored, emulated, by_tool, .. } = &*written;
            Sent { body: body.clone(), ignored: ignored.clone(), emulated: *emulated, by_tool: *by_tool }
        };
        let is_original = candidate.provider.quirks.original;
        if matches!(candidate.dialect, Dialect::Chat | Dialect::Responses)
            && let Some(demand) = self.demand.as_ref().filter(|demand| demand.bends(is_original))
            && let Some(body) = candidate.dialect.bent(&sent.body, is_original, demand.live)
        {
            sent.body = body;
        }
        if let Some(correction) = &guise.correction
            && let Some(body) = candidate.dialect.continued(&sent.body, &correction.turns, &recipient(candidate))
        {
            sent.body = body;
        }
        // Elsewhere such a request is bound to whoever can read it, where the route has that.
        if self.unsupported == Unsupported::Ignore
            && self.envelope.dialect == Dialect::Responses
            && binding::leaves_out(self.envelope.body, candidate, &self.tenant)
        {
            sent.ignored.push("input[].encrypted_content".to_owned());
        }
        sent
    }

    /// The client's own text, as far as it can be: without what only a translation of an earlier turn put there, and adapted where the provider is
    /// known not to know a word of its own dialect.
    fn same(&self, candidate: &Candidate<'_>) -> (String, Vec<String>) {
        let quirks = candidate.provider.quirks;
        let force_usage = self.force_usage && quirks.stream_usage;
        let encode = |envelope: &Envelope<'_>| envelope::encode(envelope, candidate.model, &candidate.set, force_usage);
        let cleaned = candidate.dialect.without_foreign(self.envelope.body);
        let cleaned = match candidate.dialect {
            Dialect::Responses => {
                binding::unbound(cleaned.as_deref().unwrap_or(self.envelope.body), candidate, &self.tenant).or(cleaned)
            }
            _ => cleaned,
        };
        let body = cleaned.as_deref().unwrap_or(self.envelope.body);
        // The original is adapted to in nothing but the form of an answer, and its bodies are not even looked through.
        let may_be_adapted = candidate.dialect == Dialect::Chat && !(quirks.original && self.envelope.form().is_empty());
        let adapted = if may_be_adapted { dialect::chat::adapt(body, candidate.model, quirks) } else { None };
        let (adapted, ignored) = adapted.map(|Adapted { body, ignored }| (body, ignored)).unzip();
        let body = match adapted.or(cleaned) {
            // What was changed was a request before, and still is.
            Some(body) => match Envelope::parse(self.envelope.dialect, &body) {
                Ok(envelope) => encode(&envelope),
                Err(_) => encode(self.envelope),
            },
            None => encode(self.envelope),
        };
        (body, ignored.into_iter().flatten().map(str::to_owned).collect())
    }

    fn written(&self, candidate: &Candidate<'_>, means: Means) -> Rc<Written> {
        let known = |(name, by, _): &&(String, Means, Rc<Written>)| *name == candidate.name && *by == means;
        if let Some((_, _, written)) = self.written.borrow().iter().find(known) {
            return Rc::clone(written);
        }
        let written = Rc::new(self.write(candidate, means));
        self.written.borrow_mut().push((candidate.name.clone(), means, Rc::clone(&written)));
        written
    }

    fn read(&self, set: Option<&Map<String, Value>>) -> Reading<Request> {
        let mut body: Object = serde_json::from_str(self.envelope.body)
            .map_err(|error| Mistake::new(None, format!("the body is not JSON: {error}")))?;
        body.shift_remove("models");
        for (name, value) in set.into_iter().flatten() {
            body.insert(name.clone(), value.clone());
        }
        self.envelope.dialect.read(body)
    }

    fn write(&self, candidate: &Candidate<'_>, means: Means) -> Written {
        let set = if self.passes_through(candidate) { Some(&*candidate.set) } else { candidate.apart.map(|(route, _)| route) };
        let of_route = set.filter(|set| !set.is_empty());
        let request = match of_route {
            Some(set) => self.read(Some(set)).map(Rc::new),
            None => self.request(),
        };
        let mut request = match request {
            Ok(request) => request,
            Err(mistake) => return Written::refused(Fault::Refused, Next::Stop, Error::from(mistake).as_said()),
        };
        // A stream that is passed on as it comes is passed on in the part that it comes in.
        let may_call = self.demand.as_ref().is_some_and(|demand| !demand.live);
        let means =
            if means == Means::Native && may_call { candidate.dialect.means(&request, &recipient(candidate)) } else { means };
        if means != Means::Native {
            means.apply(Rc::make_mut(&mut request));
        }
        let mut losses = Losses::new();
        let mut body = candidate.dialect.write(&request, &recipient(candidate), &mut losses);
        if self.operation == Operation::Count {
            match candidate.dialect {
                Dialect::Gemini => body = dialect::gemini::count_request(body, candidate.model),
                Dialect::Messages => {}
                Dialect::Chat | Dialect::Completions | Dialect::Responses => {
                    let message = format!("{} cannot count tokens", candidate.name);
                    return Written::refused(Fault::Unsupported, Next::Target, Said { message, ..Said::default() });
                }
            }
        }
        if let (Some(members), Some((_, own))) = (body.as_object_mut(), candidate.apart) {
            members.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        let refused = losses.iter().find(|loss| match self.unsupported {
            Unsupported::Mind => loss.refusal.is_some(),
            Unsupported::Ignore => false,
            Unsupported::Refuse | Unsupported::Next => true,
        });
        let refusal = refused.map(|loss| {
            let why = loss.refusal.as_deref().unwrap_or("its protocol has no words for it");
            let said = Said {
                message: format!("{} cannot honour '{}': {why}", candidate.name, loss.field),
                kind: None,
                param: Some(loss.field.clone()),
                code: Some("unsupported_parameter".to_owned()),
                request: None,
            };
            match self.unsupported {
                // For nobody else is asked.
                Unsupported::Refuse => Refusal { fault: Fault::Refused, next: Next::Stop, said },
                Unsupported::Mind | Unsupported::Ignore | Unsupported::Next => {
                    Refusal { fault: Fault::Unsupported, next: Next::Target, said }
                }
            }
        });
        let ignored = losses.iter().map(|loss| loss.field.clone()).collect();
        Written {
            body: body.to_string(),
            ignored,
            emulated: losses.is_emulated() || means != Means::Native,
            by_tool: means == Means::Tool,
            refusal,
        }
    }
}

fn recipient<'a>(candidate: &Candidate<'a>) -> Recipient<'a> {
    Recipient { model: candidate.model, quirks: candidate.provider.quirks }
}

impl Written {
    fn refused(fault: Fault, next: Next, said: Said) -> Self {
        Self {
            body: String::new(),
            ignored: Vec::new(),
            emulated: false,
            by_tool: false,
            refusal: Some(Refusal { fault, next, said }),
        }
    }
}
