//! The same judgement on a stream that is passed on as it comes (`schema_stream = "live"`).
//!
//! What was passed on cannot be taken back, so that there is nothing to repair or to ask again: the stream ends with an error at the first event with which
//! it cannot become what was demanded any more. Where the model may call tools, words may come before a call, and a turn that calls is exempt: what is wrong
//! with a text is known only at its end there.

use std::rc::Rc;

use breakwater_schema::Prefix;

use super::Demand;
use super::judge::{acts, in_words, is_exempt};
use crate::chat::{Delta, Finish, Opening};
use crate::dialect::{Decoder, Dialect};

/// See the module's documentation.
pub(crate) struct Guard {
    demand: Rc<Demand>,
    decoder: Decoder,
    choices: Vec<Watched>,
}

/// One of `n` answers.
struct Watched {
    index: u32,
    /// The parts that are text; the JSON may be in several.
    texts: Vec<u32>,
    text: Option<Prefix>,
    /// What is wrong with the text, as long as a call may still excuse it.
    complaint: Option<String>,
    calls: Vec<Call>,
    refuses: bool,
    /// Whether the client is to do something that is no tool's call.
    acts: bool,
}

/// A call that is being made.
struct Call {
    part: u32,
    name: String,
    custom: bool,
    arguments: Option<Prefix>,
    is_empty: bool,
}

impl Guard {
    /// Over a stream in this dialect.
    pub(crate) fn new(demand: Rc<Demand>, upstream: Dialect) -> Self {
        Self { demand, decoder: Decoder::new(upstream), choices: Vec::new() }
    }

    /// Looks at the data of the next event. An error says why the answer cannot become what was demanded.
    pub(crate) fn event(&mut self, data: &str) -> Result<(), String> {
        let mut deltas = Vec::new();
        // What is not of the protocol is the relay's to judge.
        let _ = self.decoder.event(data, &mut deltas);
        deltas.into_iter().try_for_each(|delta| self.delta(delta))
    }

    /// The stream has come to its end, where that is no event.
    pub(crate) fn end(&mut self) -> Result<(), String> {
        let mut deltas = Vec::new();
        self.decoder.end(&mut deltas);
        deltas.into_iter().try_for_each(|delta| self.delta(delta))
    }

    fn delta(&mut self, delta: Delta) -> Result<(), String> {
        let demand = Rc::clone(&self.demand);
        let (Delta::Open { choice, .. }
        | Delta::Text { choice, .. }
        | Delta::Close { choice, .. }
        | Delta::Finish { choice, .. }) = &delta
        else {
            return Ok(());
        };
        let Some(choice) = self.choice(*choice) else { return Ok(()) };
        match delta {
            Delta::Open { part, kind, .. } => choice.open(part, kind, &demand),
            Delta::Text { part, text, .. } => choice.text(part, &text, &demand),
            Delta::Close { part, .. } => {
                choice.calls.iter_mut().filter(|call| call.part == part).try_for_each(|call| call.end(&demand))
            }
            Delta::Finish { finish, .. } => choice.finish(&finish, &demand),
            _ => Ok(()),
        }
    }

    fn choice(&mut self, index: u32) -> Option<&mut Watched> {
        let at = self.choices.iter().position(|choice| choice.index == index).unwrap_or_else(|| {
            let text = self.demand.form.as_deref().map(|form| Prefix::new(Rc::clone(&form.schema)));
            self.choices.push(Watched {
                index,
                texts: Vec::new(),
                text,
                complaint: None,
                calls: Vec::new(),
                refuses: false,
                acts: false,
            });
            self.choices.len() - 1
        });
        self.choices.get_mut(at)
    }
}

impl Watched {
    fn open(&mut self, part: u32, kind: Opening, demand: &Demand) -> Result<(), String> {
        match kind {
            Opening::Text => self.texts.push(part),
            Opening::Refusal => self.refuses = true,
            Opening::ToolCall { name, custom, .. } => {
                let offered = demand.tools.as_deref().map(|tools| tools.offered.iter().find(|(tool, _)| *tool == name));
                if let Some(None) = offered {
                    return demand.of_call(&name, "", custom).pop().map_or(Ok(()), Err);
                }
                let schema = offered.flatten().and_then(|(_, schema)| schema.clone()).filter(|_| !custom);
                self.calls.push(Call { part, name, custom, arguments: schema.map(Prefix::new), is_empty: true });
            }
            Opening::Whole(kind) => self.acts |= acts(&kind),
            Opening::Reasoning { .. } | Opening::Speech => {}
        }
        Ok(())
    }

    fn text(&mut self, part: u32, piece: &str, demand: &Demand) -> Result<(), String> {
        if self.texts.contains(&part) {
            return match self.text.as_mut().map_or(Ok(()), |text| text.feed(piece)) {
                Err(violation) if demand.may_call => {
                    self.complaint.get_or_insert_with(|| in_words("the answer", &violation));
                    Ok(())
                }
                fed => fed.map_err(|violation| in_words("the answer", &violation)),
            };
        }
        let Some(call) = self.calls.iter_mut().find(|call| call.part == part) else { return Ok(()) };
        call.is_empty &= piece.trim().is_empty();
        let fed = call.arguments.as_mut().map_or(Ok(()), |arguments| arguments.feed(piece));
        fed.map_err(|violation| in_words(&format!("the arguments of {}", call.name), &violation))
    }

    fn finish(&mut self, finish: &Finish, demand: &Demand) -> Result<(), String> {
        if !self.calls.is_empty() {
            return self.calls.iter_mut().try_for_each(|call| call.end(demand));
        }
        if self.refuses || self.acts || is_exempt(Some(finish)) {
            return Ok(());
        }
        if let Some(complaint) = self.complaint.take() {
            return Err(complaint);
        }
        let violations = self.text.as_mut().map_or(Ok(()), Prefix::end).err().unwrap_or_default();
        violations.first().map_or(Ok(()), |violation| Err(in_words("the answer", violation)))
    }
}

impl Call {
    /// All of it was said; once.
    fn end(&mut self, demand: &Demand) -> Result<(), String> {
        let Some(mut arguments) = self.arguments.take() else { return Ok(()) };
        let messages = if self.is_empty {
            demand.of_call(&self.name, "", self.custom)
        } else {
            let violations = arguments.end().err().unwrap_or_default();
            violations.iter().map(|violation| in_words(&format!("the arguments of {}", self.name), violation)).collect()
        };
        messages.into_iter().next().map_or(Ok(()), Err)
    }
}
