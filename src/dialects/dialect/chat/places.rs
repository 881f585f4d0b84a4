//! Where thoughts stood, and which text was signed.
//!
//! A message of Chat Completions has its text in one member, its calls in another and its thoughts in a third, and so no order among them. Models that think
//! between their words and calls have one, and refuse a turn in another ("Interleaved thinking" of Anthropic's "Extended thinking"). So the entries of
//! `reasoning_details` that a translation wrote say in their `id`, behind [`super::details::MARK`], what stood before: so many characters of the content, and so
//! many calls. One that is of a text, which Gemini signs too, says where that begins and ends; one that is of an image, which of the message's it is.

use crate::chat::{Kind, Part, Reasoning, Seal};

/// What stood before something: characters of the content, and calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) characters: usize,
    pub(super) calls: usize,
}

impl Place {
    /// Behind the mark in an id; nothing where it is the beginning, as it mostly is.
    pub(super) fn written(self) -> String {
        if self == Self::default() { String::new() } else { format!(".{}.{}", self.characters, self.calls) }
    }

    /// What an id has behind the mark: the place, and the rest of it.
    pub(super) fn read(id: &str) -> (Self, &str) {
        let (place, rest) = id.split_once('_').unwrap_or((id, ""));
        let numbers = place.strip_prefix('.').and_then(|numbers| numbers.split_once('.'));
        let read = numbers
            .and_then(|(characters, calls)| Some(Self { characters: characters.parse().ok()?, calls: calls.parse().ok()? }));
        (read.unwrap_or_default(), rest)
    }
}

/// What is to be put among the words and calls of a message.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// Thoughts and the sealed images between them, in their order. The images are still to be found.
    thoughts: Vec<(Place, Option<Part>)>,
    /// Seals of images: where in `thoughts`, and which of the message's images.
    images: Vec<(usize, usize, Seal)>,
    /// Seals of texts: from where in the content, to where.
    pub(super) seals: Vec<(usize, usize, Seal)>,
}

impl Placed {
    /// Adds a thought.
    pub(super) fn think(&mut self, place: Place, reasoning: Reasoning) {
        self.thoughts.push((place, Some(Part::new(Kind::Reasoning(reasoning)))));
    }

    /// Adds the seal of an image, by its index.
    pub(super) fn seal_image(&mut self, place: Place, index: usize, seal: Seal) {
        self.images.push((self.thoughts.len(), index, seal));
        self.thoughts.push((place, None));
    }

    /// Takes a message's images: a sealed one stands where it was, all others behind what was said so far.
    pub(super) fn show(&mut self, images: Vec<Part>, said: &mut Vec<Part>) {
        for (index, mut image) in images.into_iter().enumerate() {
            let sealed = self.images.iter().find(|(_, of, _)| *of == index);
            let place = sealed.and_then(|(at, _, seal)| {
                image.take_seal(seal.clone());
                self.thoughts.get_mut(*at)
            });
            match place {
                Some((_, place)) => *place = Some(image),
                None => said.push(image),
            }
        }
    }

    /// A message's parts in the order in which they were said. Where nothing tells it, thoughts come first and calls last.
    pub(super) fn among(self, mut said: Vec<Part>, mut calls: Vec<Part>) -> Vec<Part> {
        for (from, to, sealed) in self.seals {
            cut(&mut said, from);
            let end = cut(&mut said, to);
            if let Some(Kind::Text { seal, .. }) = said.get_mut(..end).and_then(<[Part]>::last_mut).map(|part| &mut part.kind) {
                *seal = Some(sealed);
            }
        }
        let mut parts = Vec::new();
        let mut before = Place::default();
        for (place, thought) in self.thoughts {
            let end = cut(&mut said, place.characters.saturating_sub(before.characters));
            move_to(&mut parts, &mut said, end);
            let end = place.calls.saturating_sub(before.calls).min(calls.len());
            move_to(&mut parts, &mut calls, end);
            before = place;
            parts.extend(thought);
        }
        parts.append(&mut said);
        parts.append(&mut calls);
        parts
    }
}

/// Moves the first parts, so many.
fn move_to(parts: &mut Vec<Part>, from: &mut Vec<Part>, count: usize) {
    let rest = from.split_off(count);
    parts.append(from);
    *from = rest;
}

/// Makes a part begin at this character of the texts, and says which one does: none where there are fewer. What is cited stays whole.
fn cut(said: &mut Vec<Part>, at: usize) -> usize {
    let mut before = 0;
    let mut found = None;
    for (index, part) in said.iter_mut().enumerate() {
        if before >= at {
            return index;
        }
        let Kind::Text { text, notes, .. } = &part.kind else { continue };
        let length = text.chars().count();
        if before + length > at && notes.is_empty() {
            found = Some((index + 1, at - before));
            break;
        }
        before += length;
    }
    let Some((index, at)) = found else { return said.len() };
    let rest = said.get_mut(index - 1).and_then(|part| {
        let Kind::Text { text, seal, .. } = &mut part.kind else { return None };
        let (byte, _) = text.char_indices().nth(at)?;
        let rest = Kind::Text { text: text.split_off(byte), notes: Vec::new(), seal: seal.take() };
        // What stands beside a text, such as the mark of a prompt cache, is of its end.
        Some(Part { kind: rest, cache: part.cache.take(), extra: std::mem::take(&mut part.extra) })
    });
    if let Some(rest) = rest {
        said.insert(index, rest);
    }
    index
}
