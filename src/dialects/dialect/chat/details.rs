//! Reasoning beside a message: `reasoning_content`, `reasoning`, and `reasoning_details`, in which signed and encrypted thoughts travel.
//!
//! `OpenAI`'s own messages show no thoughts. `DeepSeek` and most after it put the text into `reasoning_content`, Groq, vLLM and `OpenRouter` into `reasoning`;
//! `OpenRouter` documents `reasoning_details` beside it (<https://openrouter.ai/docs/use-cases/reasoning-tokens>, "Preserving Reasoning Blocks"): entries of
//! three types, each in a `format` that says whose it is, pieces of one block with the same `index`.
//!
//! What a client is told of another provider's seal stands in such entries too, marked by [`MARK`] in their `id`. The mark tells whose a seal is: entries
//! without one are `OpenRouter`'s own, whatever their format, and go back to where they came from; those with one are taken out of a body that passes through
//! ([`super::without_foreign`]). No provider is sent what another one sealed.

use serde_json::Value;

use super::merge;
use super::places::{Place, Placed};
use crate::chat::{Object, Origin, Reasoning, Seal};

/// What the `id` of an entry begins with that a translation wrote. [`crate::chat`] looks for it in bodies. Behind it stand the [`Place`], and the id that the
/// provider gave.
pub(super) const MARK: &str = "bw1";

/// What stands behind the mark where an entry is a text's seal, and where it is an image's.
const OF_TEXT: char = 't';
const OF_IMAGE: char = 'i';

const FORMATS: [(&str, Origin); 3] = [
    ("anthropic-claude-v1", Origin::Anthropic),
    ("google-gemini-v1", Origin::Gemini),
    ("openai-responses-v1", Origin::Responses),
];

/// Which block an entry belongs to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Block {
    /// Of text that nobody signed.
    Plain,
    /// Of a provider's, by its index.
    Of(Origin, Option<u64>),
    /// Of no thought, but of an image, by its index.
    Image(usize),
    /// Of those that hand out entries themselves: all of them together.
    Unknown,
}

/// One entry, as far as it is understood.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) block: Block,
    pub(super) text: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) seal: Option<Seal>,
    /// Where it stands.
    place: Place,
    /// Whether it is no thought, but the seal of a text that begins and ends at these characters.
    pub(super) of_text: Option<(usize, usize)>,
    /// Whether it is encrypted, and not signed: its type tells Anthropic's `redacted_thinking` from thinking that is not shown.
    is_encrypted: bool,
    /// The entry itself, where only whoever wrote it understands it.
    whole: Option<Value>,
}

impl Entry {
    pub(super) fn of(entry: Value) -> Self {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let origin = FORMATS.iter().find(|(format, _)| text("format") == Some(format)).map(|(_, origin)| *origin);
        let kind = text("type").unwrap_or_default();
        let shown = text("text").filter(|_| kind == "reasoning.text").map(str::to_owned);
        let summary = text("summary").filter(|_| kind == "reasoning.summary").map(str::to_owned);
        let marked = text("id").and_then(|id| id.strip_prefix(MARK));
        let index = entry.get("index").and_then(Value::as_u64);
        let is_encrypted = kind == "reasoning.encrypted";
        if let Some((origin, id)) = origin.zip(marked) {
            let (of_text, of_image) = (id.strip_prefix(OF_TEXT), id.strip_prefix(OF_IMAGE));
            let (place, id) = Place::read(of_text.or(of_image).unwrap_or(id));
            let of_text = of_text.map(|_| (place.characters, place.calls));
            let data = if is_encrypted { text("data") } else { text("signature") };
            let seal = data.map(|data| match origin {
                Origin::Responses => Seal::new(origin, format!("{id} {data}")),
                _ => Seal::new(origin, data),
            });
            return Self {
                block: match of_image {
                    Some(_) => Block::Image(id.parse().unwrap_or(usize::MAX)),
                    None => Block::Of(origin, index),
                },
                text: shown,
                summary,
                seal,
                place,
                of_text,
                is_encrypted,
                whole: None,
            };
        }
        let is_plain = kind == "reasoning.text"
            && matches!(text("format"), None | Some("unknown"))
            && text("signature").is_none()
            && text("id").is_none();
        let (block, whole) = if is_plain { (Block::Plain, None) } else { (Block::Unknown, Some(entry)) };
        Self { block, text: shown, summary, seal: None, place: Place::default(), of_text: None, is_encrypted, whole }
    }

    /// Whether nothing of what begins with it can be shown.
    pub(super) fn is_redacted(&self) -> bool {
        matches!(self.block, Block::Of(Origin::Anthropic, _)) && self.is_encrypted && self.seal.is_some()
    }

    /// Adds it to those that only their writer understands: pieces of one are put together.
    pub(super) fn keep(&mut self, kept: &mut Object) {
        if let Some(whole) = self.whole.take() {
            merge::append(kept, KEPT.to_owned(), Value::Array(vec![whole]));
        }
    }
}

const KEPT: &str = "kept";

/// The seal on a block of entries that were kept.
pub(super) fn seal_of(kept: Object) -> Option<Seal> {
    kept.into_iter().next().map(|(_, entries)| Seal::new(Origin::Chat, entries.to_string()))
}

/// Takes all reasoning out of a message or of what is left of one: each block is a part. Texts that stand beside entries with text say the same, and are
/// not taken twice.
pub(super) fn take(message: &mut Object) -> Placed {
    let beside = take_text(message);
    let entries = match message.shift_remove("reasoning_details") {
        Some(Value::Array(entries)) => entries,
        _ => Vec::new(),
    };
    let mut blocks: Vec<(Block, Reasoning, Object, Place)> = Vec::new();
    let mut placed = Placed::default();
    let mut is_shown = false;
    for mut entry in entries.into_iter().map(Entry::of) {
        if let Some((from, to)) = entry.of_text {
            placed.seals.extend(entry.seal.map(|seal| (from, to, seal)));
            continue;
        }
        if blocks.last().is_none_or(|(block, ..)| *block != entry.block) {
            let reasoning = Reasoning { redacted: entry.is_redacted(), ..Reasoning::default() };
            blocks.push((entry.block.clone(), reasoning, Object::new(), entry.place));
        }
        let Some((_, reasoning, kept, _)) = blocks.last_mut() else { continue };
        is_shown |= entry.text.is_some() || entry.summary.is_some();
        entry.keep(kept);
        reasoning.text.push_str(entry.text.as_deref().unwrap_or_default());
        match (reasoning.summary.last_mut(), entry.summary) {
            (Some(ours), Some(more)) => ours.push_str(&more),
            (None, Some(more)) => reasoning.summary.push(more),
            (_, None) => {}
        }
        reasoning.seal = entry.seal.or(reasoning.seal.take());
    }
    if let Some(text) = beside.filter(|_| !is_shown) {
        placed.think(Place::default(), Reasoning { text, ..Reasoning::default() });
    }
    for (block, mut reasoning, kept, place) in blocks {
        match (block, reasoning.seal.take()) {
            (Block::Image(index), Some(seal)) => placed.seal_image(place, index, seal),
            (Block::Image(_), None) => {}
            (_, seal) => {
                reasoning.seal = seal.or_else(|| seal_of(kept));
                placed.think(place, reasoning);
            }
        }
    }
    placed
}

/// The text of `reasoning_content` or `reasoning`, of which servers that write both write the same twice.
pub(super) fn take_text(message: &mut Object) -> Option<String> {
    let mut text = None;
    for name in ["reasoning_content", "reasoning"] {
        if matches!(message.get(name), Some(Value::String(_) | Value::Null))
            && let Some(Value::String(found)) = message.shift_remove(name)
        {
            text = text.or((!found.is_empty()).then_some(found));
        }
    }
    text
}

/// What is shown of some reasoning: thoughts, else their summaries.
pub(super) fn shown(reasoning: &Reasoning) -> String {
    if reasoning.text.is_empty() { reasoning.summary.join("\n\n") } else { reasoning.text.clone() }
}

/// The format of an origin's entries.
fn format_of(origin: Origin) -> Option<&'static str> {
    FORMATS.iter().find(|(_, known)| *known == origin).map(|(format, _)| *format)
}

/// The entry that carries the seal of a text which begins and ends at these characters.
pub(super) fn sealed_text(seal: &Seal, from: usize, to: usize) -> Option<Value> {
    sealed(seal, format!("{MARK}{OF_TEXT}.{from}.{to}")).filter(|_| from < to)
}

/// The entry that carries the seal of an image.
pub(super) fn sealed_image(seal: &Seal, place: Place, index: usize) -> Option<Value> {
    sealed(seal, format!("{MARK}{OF_IMAGE}{}_{index}", place.written()))
}

fn sealed(seal: &Seal, id: String) -> Option<Value> {
    let format = format_of(seal.origin)?;
    let mut entry = Object::new();
    entry.insert("type".to_owned(), "reasoning.encrypted".into());
    entry.insert("data".to_owned(), seal.data.as_str().into());
    entry.insert("format".to_owned(), format.into());
    entry.insert("id".to_owned(), id.into());
    Some(Value::Object(entry))
}

/// The entries that tell it.
pub(super) fn entries(reasoning: &Reasoning, index: usize, place: Place) -> Vec<Value> {
    let origin = reasoning.seal.as_ref().map(|seal| seal.origin);
    let mut entries = Vec::new();
    if let Some(Seal { origin: Origin::Chat, data }) = &reasoning.seal {
        if let Ok(Value::Array(kept)) = serde_json::from_str(data) {
            entries.extend(kept);
        }
        return entries;
    }
    // Summaries are told in one: pieces of a stream could not be told from the next.
    let summary = reasoning.summary.join("\n\n");
    let origin = origin.or_else(|| (!summary.is_empty()).then_some(Origin::Responses));
    let (id, data) = match &reasoning.seal {
        Some(Seal { origin: Origin::Responses, data }) => data.split_once(' ').unwrap_or(("", data)),
        Some(seal) => ("", seal.data.as_str()),
        None => ("", ""),
    };
    let mut entry = |kind: &str, members: &[(&str, &str)]| {
        let mut entry = Object::new();
        entry.insert("type".to_owned(), kind.into());
        for (name, value) in members.iter().filter(|(name, value)| *name != "signature" || !value.is_empty()) {
            entry.insert((*name).to_owned(), (*value).into());
        }
        if let Some(format) = origin.and_then(format_of) {
            entry.insert("format".to_owned(), format.into());
            let between = if id.is_empty() { "" } else { "_" };
            let id = [MARK, &place.written(), between, id].concat();
            entry.insert("id".to_owned(), id.into());
        }
        entry.insert("index".to_owned(), index.into());
        entries.push(Value::Object(entry));
    };
    // Thinking that Anthropic does not show is signed all the same, and comes back as it was: with no text.
    let is_signed = origin == Some(Origin::Anthropic) && !reasoning.redacted;
    let is_encrypted = !data.is_empty() && (origin == Some(Origin::Responses) || reasoning.text.is_empty() && !is_signed);
    if !reasoning.text.is_empty() || is_signed {
        entry("reasoning.text", &[("text", &reasoning.text), ("signature", if is_encrypted { "" } else { data })]);
    }
    if !summary.is_empty() {
        entry("reasoning.summary", &[("summary", &summary)]);
    }
    if is_encrypted {
        entry("reasoning.encrypted", &[("data", data)]);
    }
    entries
}
