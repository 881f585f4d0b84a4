//! What a client is told of an upstream's frames: themselves, where it speaks the upstream's dialect, else what they say in its own.

use crate::binding::{self, Binder};
use crate::chat::Delta;
use crate::dialect::{Decoder, Dialect, Encoder, Manner};

/// How frames are told.
pub(crate) enum Wording {
    /// As they are.
    Same,
    /// As they are but for some words: what a provider calls things is not what the client is told.
    Rewritten(Rewriter),
    /// In another dialect.
    Translated(Box<Translator>),
}

/// Gives the frame that a client is told instead of one, from its bytes and its data.
pub(crate) type Rewriter = Box<dyn Fn(&[u8], &str) -> Vec<u8>>;

impl Wording {
    /// With ids that are bound.
    pub(crate) fn bound(bind: Binder) -> Self {
        Self::Rewritten(Box::new(move |frame, data| binding::rebound(frame, data, &bind)))
    }

    /// From an upstream's dialect into the client's.
    pub(crate) fn translated(upstream: Dialect, client: Dialect, manner: Manner) -> Self {
        Self::Translated(Box::new(Translator {
            decoder: Decoder::new(upstream),
            encoder: Encoder::new(client, manner),
            deltas: Vec::new(),
        }))
    }

    /// Whether frames go to the client as they are.
    pub(crate) fn is_same(&self) -> bool {
        matches!(self, Self::Same)
    }

    /// Adds what the client is told of one frame. None where it cannot be told.
    pub(crate) fn frame(&mut self, frame: &[u8], data: Option<&[u8]>, told: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Same => told.extend_from_slice(frame),
            Self::Rewritten(rewrite) => match data {
                Some(data) => told.extend(rewrite(frame, &String::from_utf8_lossy(data))),
                None => told.extend_from_slice(frame),
            },
            Self::Translated(translator) => {
                // A comment keeps a connection alive in any dialect; a frame without data says nothing.
                let Some(data) = data else {
                    if frame.starts_with(b":") {
                        told.extend_from_slice(b": keep-alive\n\n");
                    }
                    return Some(());
                };
                translator.data(data, told)?;
            }
        }
        Some(())
    }

    /// Adds what the client is told of the end of a stream that is complete.
    pub(crate) fn end(&mut self, told: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Same | Self::Rewritten(_) => Some(()),
            Self::Translated(translator) => translator.end(told),
        }
    }

    /// The number of the client's next event, where its dialect numbers them and this is who counts.
    pub(crate) fn sequence(&self) -> Option<u64> {
        match self {
            Self::Same | Self::Rewritten(_) => None,
            Self::Translated(translator) => Some(translator.encoder.sequence()),
        }
    }
}

/// A stream's way from one dialect into another.
pub(crate) struct Translator {
    decoder: Decoder,
    encoder: Encoder,
    /// Empty between two calls.
    deltas: Vec<Delta>,
}

impl Translator {
    fn data(&mut self, data: &[u8], told: &mut Vec<u8>) -> Option<()> {
        self.decoder.event(&String::from_utf8_lossy(data), &mut self.deltas)?;
        self.tell(told)
    }

    fn end(&mut self, told: &mut Vec<u8>) -> Option<()> {
        self.decoder.end(&mut self.deltas);
        self.tell(told)
    }

    fn tell(&mut self, told: &mut Vec<u8>) -> Option<()> {
        let mut frames = String::new();
        for delta in self.deltas.drain(..) {
            self.encoder.delta(delta, &mut frames)?;
        }
        told.extend_from_slice(frames.as_bytes());
        Some(())
    }
}
