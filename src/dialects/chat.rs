//! The canonical conversation: what dialects meet in where the client's is not the provider's.
//!
//! Each dialect ([`crate::dialect`]) is read into these types and written from them, so that four dialects need four readers and four writers, and
//! not twelve translations. A request is a [`Request`], an answer an [`Answer`], and a stream a sequence of [`Delta`]s; [`Gather`] makes an answer
//! of deltas, [`Answer::told`] deltas of an answer.
//!
//! What these types guarantee:
//!
//! - *Nothing is lost in silence.* Every reader keeps what it does not know, in the `extra` of the place where it stood, and every writer says what
//!   of a request it could not express ([`Losses`]).
//! - *A dialect read and written again says the same.* `extra` belongs to the dialect that it came from ([`Request::dialect`]): a writer of the same
//!   dialect puts it back, every other one reports it as lost.
//! - *What a provider signed or encrypted is carried, never understood.* A [`Seal`] names whose it is. A client gets it in a place of its own
//!   dialect from which it will send it back, and no other provider is ever sent it.
//!
//! None of this runs where client and provider speak the same dialect: there the body passes through (the gateway's `envelope`).

mod answer;
mod delta;
mod fields;
mod gather;
mod loss;
mod means;
mod part;
mod request;
mod seal;
mod sound;

pub use answer::{Answer, Choice, Finish, Usage};
pub use delta::{Delta, Opening};
pub use fields::{Fields, Reading};
pub use gather::Gather;
pub(crate) use gather::pieces;
pub use loss::{Loss, Losses, says};
pub(crate) use means::in_words;
pub use means::{ANSWER, Means, taken_out_of_call};
pub use part::{Kind, Part, Reasoning, Source, Speech, ToolCall, ToolResult};
pub use request::{Effort, Format, Message, Request, Role, Thinking, Tool, ToolChoice};
pub(crate) use seal::may_be_in;
pub use seal::{Origin, Seal, bare_id, seal_into_id, sealed_in_id};
pub(crate) use sound::{UNHEARD, UNKNOWN};

/// A JSON object.
pub type Object = serde_json::Map<String, serde_json::Value>;
