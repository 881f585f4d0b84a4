//! Parts of messages as blocks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::blocks::write_source;
use super::super::{block, citation, object, system};
use super::Writer;
use crate::chat::{Kind, Object, Origin, Part, Reasoning, Source, ToolCall};
use crate::dialect::Dialect;

/// The images that Anthropic reads ("Vision").
const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// The field of what is in a message.
const CONTENT: &str = "messages[].content";

impl Writer<'_> {
    /// With what stands beside every block.
    fn beside(&mut self, mut written: Object, part: &Part) -> Object {
        if let Some(cache) = &part.cache {
            written.insert("cache_control".to_owned(), cache.clone());
        }
        if self.own {
            written.extend(part.extra.clone());
        } else {
            // An item's number and state are nothing that was asked, nor is what another signed.
            let is_asked = |name: &&String| !matches!(name.as_str(), "id" | "status" | "index" | "extra_content");
            for name in part.extra.keys().filter(is_asked) {
                self.losses.ignore(format!("messages[].content[].{name}"));
            }
        }
        written
    }

    /// What the model said.
    pub(super) fn said(&mut self, part: &Part) -> Option<Value> {
        match &part.kind {
            Kind::Text { text, notes, .. } => {
                if text.trim().is_empty() {
                    return None;
                }
                let mut written = block("text", [("text", text.as_str().into())]);
                let citations: Vec<Value> =
                    notes.iter().filter(|note| self.own && citation::is_anthropics(note)).cloned().collect();
                if !citations.is_empty() {
                    written.insert("citations".to_owned(), citations.into());
                }
                Some(self.beside(written, part).into())
            }
            Kind::Refusal(text) => system::text_block(text, part.cache.as_ref(), None),
            Kind::Speech(speech) => {
                let words = speech.words(self.losses)?;
                system::text_block(words, None, None)
            }
            Kind::Reasoning(reasoning) => thought(reasoning, self.own.then_some(&part.extra)),
            Kind::Opaque(value) if self.own => Some(value.clone()),
            // The same words again would be refused; that the model had drawn something is not what its next answer stands on.
            _ => {
                self.losses.ignore(CONTENT);
                None
            }
        }
    }

    pub(super) fn call(&mut self, call: &ToolCall, id: &str, part: &Part) -> Object {
        // Anything but an object is refused, so that what a model wrote badly is wrapped rather than lost.
        let input = match serde_json::from_str(&call.arguments) {
            Ok(Value::Object(input)) if !call.custom => input,
            _ if call.arguments.trim().is_empty() => Object::new(),
            _ => object([("input", call.arguments.as_str().into())]),
        };
        let written = block("tool_use", [("id", id.into()), ("name", call.name.as_str().into()), ("input", input.into())]);
        self.beside(written, part)
    }

    /// Adds a result to those of the calls that wait. Where none waits for it, it comes back as blocks that tell it.
    pub(super) fn result(&mut self, part: &Part) -> Result<(), Vec<Value>> {
        let Kind::ToolResult(result) = &part.kind else { return Err(Vec::new()) };
        let mut content: Vec<Value> = result.content.iter().filter_map(|part| self.given(part)).collect();
        let call = self.pending.as_mut().and_then(|pending| {
            let call = pending.calls.iter_mut().find(|(known, _, is_answered)| *known == result.id && !is_answered)?;
            call.2 = true;
            Some(call.1.clone())
        });
        let Some(id) = call else {
            let told = format!("Result of the tool call '{}':", result.id);
            content.splice(0..0, system::text_block(&told, None, None));
            return Err(content);
        };
        let mut written = block("tool_result", [("tool_use_id", id.into())]);
        if !content.is_empty() {
            written.insert("content".to_owned(), content.into());
        }
        if result.is_error {
            written.insert("is_error".to_owned(), true.into());
        }
        let written = Value::Object(self.beside(written, part));
        if let Some(pending) = &mut self.pending {
            pending.results.push(written);
        }
        Ok(())
    }

    /// What the model is given.
    pub(super) fn given(&mut self, part: &Part) -> Option<Value> {
        let written = match &part.kind {
            Kind::Text { text, .. } => {
                if text.trim().is_empty() {
                    return None;
                }
                block("text", [("text", text.as_str().into())])
            }
            Kind::Refusal(text) => return system::text_block(text, part.cache.as_ref(), None),
            Kind::Image { source, detail, .. } => {
                if detail.as_deref().is_some_and(|detail| detail != "auto") {
                    self.losses.ignore(if self.dialect == Dialect::Responses {
                        "input[].content[].detail"
                    } else {
                        "messages[].content[].image_url.detail"
                    });
                }
                self.image(source)?
            }
            Kind::File { source, name } => {
                let mut written = self.document(source, name.as_deref())?;
                if super::super::text(&written, "type") == Some("document")
                    && let Some(name) = name
                {
                    written.insert("title".to_owned(), name.as_str().into());
                }
                written
            }
            Kind::Audio(_) | Kind::Video(_) => return self.unreadable("Anthropic's models take no sound and no films"),
            Kind::Opaque(value) if self.own => return Some(value.clone()),
            Kind::Opaque(_) => return self.unreadable("a block of another provider's own is not known to Anthropic's API"),
            // Nothing of the user's.
            Kind::Speech(_) | Kind::Reasoning(_) | Kind::ToolCall(_) | Kind::ToolResult(_) => return None,
        };
        Some(self.beside(written, part).into())
    }

    fn unreadable<T>(&mut self, why: &str) -> Option<T> {
        self.losses.refuse(CONTENT, why);
        None
    }

    fn image(&mut self, source: &Source) -> Option<Object> {
        match source {
            Source::Base64 { media_type, .. } if !self.own && !IMAGES.contains(&media_type.as_str()) => {
                self.unreadable("Anthropic's API takes images in JPEG, PNG, GIF and WebP")
            }
            Source::FileId(_) if !self.own => self.unreadable("the file is another provider's"),
            source => Some(block("image", [("source", write_source(source).into())])),
        }
    }

    /// A PDF, or a text; images are what they are also where they are called files.
    fn document(&mut self, source: &Source, name: Option<&str>) -> Option<Object> {
        let document = |source: &Source| Some(block("document", [("source", write_source(source).into())]));
        match source {
            Source::Base64 { media_type, data } if !self.own && media_type != "application/pdf" => {
                if IMAGES.contains(&media_type.as_str()) {
                    return self.image(source);
                }
                let ends = |ending: &str| name.is_some_and(|name| name.to_ascii_lowercase().ends_with(ending));
                if ends(".pdf") {
                    return document(&Source::Base64 { media_type: "application/pdf".to_owned(), data: data.clone() });
                }
                match STANDARD
                    .decode(data)
                    .ok()
                    .and_then(|bytes| String::from_utf8(bytes).ok())
                    .filter(|text| !text.trim().is_empty())
                {
                    Some(text) => document(&Source::Text(text)),
                    None => self.unreadable("Anthropic's API takes PDFs and texts as documents"),
                }
            }
            Source::FileId(_) if !self.own => self.unreadable("the file is another provider's"),
            source => document(source),
        }
    }
}

/// Thinking that Anthropic signed. Without its signature it is refused.
fn thought(reasoning: &Reasoning, extra: Option<&Object>) -> Option<Value> {
    let seal = reasoning.seal.as_ref().filter(|seal| seal.origin == Origin::Anthropic)?;
    let data = Value::from(seal.data.as_str());
    let mut written = if reasoning.redacted {
        block("redacted_thinking", [("data", data)])
    } else {
        block("thinking", [("thinking", reasoning.text.as_str().into()), ("signature", data)])
    };
    written.extend(extra.cloned().into_iter().flatten());
    Some(Value::Object(written))
}
