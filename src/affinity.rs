//! Which requests belong together, and with whom a conversation is.
//!
//! Providers keep the beginnings of prompts that they have read, per account and often per machine, for some minutes. Requests that begin alike
//! are cheap and quick where they come back to the same account, and one of the gateway's users measured 99.4 % of the input read from such a
//! cache with requests kept together, and 0.09 % with requests spread.
//!
//! **What belongs together.** What the client says does: `prompt_cache_key` in the body, which is OpenAI's own word for it, or a session in
//! one of the header fields that clients send already. Where it says nothing, requests belong together that begin alike: the tools, and the messages up
//! to the first of the user's, byte for byte, as a client repeats them with every turn. A conversation that is edited at its beginning is another
//! one, to the provider's cache too.
//!
//! **Where it is.** For most orders that is computed ([`crate::route`]), and nothing is remembered. Only the order by speed changes its mind
//! with every latency it hears of, so the isolate pins what it chose ([`Pins`]). Pins are a memory of what is likely cached elsewhere: they
//! are bounded, they are forgotten when the provider has forgotten, and losing one costs one slower answer.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::time::Duration;

use crate::envelope::Envelope;
use crate::hash::Hash;
use crate::http::Headers;
use crate::time::Timestamp;

/// The header fields that name a session: ours, and those that coding agents and chat front ends send.
const SESSIONS: [&str; 3] = ["x-breakwater-session", "session_id", "x-session-id"];

/// The conversation that a request belongs to, computed where it is asked for: most routes do not.
pub(crate) struct Conversation<'a> {
    envelope: &'a Envelope<'a>,
    headers: &'a Headers,
    hash: OnceCell<u64>,
}

impl<'a> Conversation<'a> {
    pub(crate) const fn new(envelope: &'a Envelope<'a>, headers: &'a Headers) -> Self {
        Self { envelope, headers, hash: OnceCell::new() }
    }

    /// The same number for every request of the conversation, in every isolate.
    pub(crate) fn hash(&self) -> u64 {
        *self.hash.get_or_init(|| {
            let session = || SESSIONS.iter().find_map(|name| self.headers.get(name).filter(|session| !session.is_empty()));
            let kind = |kind: u64| Hash::new(kind);
            match (self.envelope.prompt_cache_key(), session()) {
                (Some(key), _) => kind(0).with(key.as_bytes()),
                (None, Some(session)) => kind(1).with(session.as_bytes()),
                (None, None) => {
                    let parts = self.envelope.opening().into_iter().filter(|part| !part.is_empty());
                    parts.fold(kind(2), |hash, part| hash.with(part.as_bytes()))
                }
            }
            .finish()
        })
    }
}

/// How long a conversation is with a target that it was last sent to: as long as providers keep prompts, which is five to ten
/// minutes from their last use.
const KEPT: Duration = Duration::from_secs(600);

/// The most pins of one generation; with two of them, about 200 KB. An isolate that has more conversations within ten minutes forgets the oldest.
const GENERATION: usize = 2048;

/// Which target each conversation is with.
///
/// What is used is moved to the young generation; when that is full it becomes the old one, and what was old is forgotten. So the
/// pins that were used last survive, without a list that says in which order.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    young: HashMap<u64, Pin>,
    old: HashMap<u64, Pin>,
}

#[derive(Clone, Copy, Debug)]
struct Pin {
    target: u64,
    used: Timestamp,
}

impl Pins {
    /// The target that `conversation` was last sent to.
    pub(crate) fn get(&self, conversation: u64, now: Timestamp) -> Option<u64> {
        let pin = self.young.get(&conversation).or_else(|| self.old.get(&conversation))?;
        (now.since(pin.used) < KEPT).then_some(pin.target)
    }

    /// Notes that `conversation` is sent to `target`.
    pub(crate) fn set(&mut self, conversation: u64, target: u64, now: Timestamp) {
        if self.young.len() >= GENERATION && !self.young.contains_key(&conversation) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(conversation, Pin { target, used: now });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    type Fields<'a> = &'a [(&'static str, &'a str)];

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn hash(body: &str, headers: Fields<'_>) -> u64 {
        let headers: Headers = headers.iter().copied().collect();
        Conversation::new(&Envelope::parse(Dialect::Chat, body).unwrap(), &headers).hash()
    }

    /// A body with these members beside the model.
    fn body(members: &str) -> String {
        format!(r#"{{"model":"m",{members}}}"#)
    }

    #[test]
    fn what_belongs_together() {
        let turn = body(r#""messages":[{"role":"system","content":"S"},{"role":"user","content":"A"}]"#);
        let rows: &[(&str, String, Fields<'_>, bool)] = &[
            ("the same again", turn.clone(), &[], true),
            (
                "the next turn",
                body(
                    r#""messages":[{"role":"system","content":"S"},{"role":"user","content":"A"},{"role":"assistant","content":"B"},{"role":"user","content":"C"}]"#,
                ),
                &[],
                true,
            ),
            (
                "other settings",
                body(
                    r#""messages":[{"role":"system","content":"S"},{"role":"user","content":"A"}],"temperature":1,"stream":true"#,
                ),
                &[],
                true,
            ),
            (
                "another question",
                body(r#""messages":[{"role":"system","content":"S"},{"role":"user","content":"B"}]"#),
                &[],
                false,
            ),
            (
                "other instructions",
                body(r#""messages":[{"role":"system","content":"T"},{"role":"user","content":"A"}]"#),
                &[],
                false,
            ),
            (
                "tools",
                body(r#""tools":[],"messages":[{"role":"system","content":"S"},{"role":"user","content":"A"}]"#),
                &[],
                false,
            ),
            ("a session", turn.clone(), &[("x-breakwater-session", "1")], false),
            ("a session without a name", turn.clone(), &[("x-breakwater-session", "")], true),
            ("a key", turn.replace("\"messages\"", "\"prompt_cache_key\":\"k\",\"messages\""), &[], false),
            ("a key that is none", turn.replace("\"messages\"", "\"prompt_cache_key\":7,\"messages\""), &[], true),
            ("a key of nothing", turn.replace("\"messages\"", "\"prompt_cache_key\":\"\",\"messages\""), &[], true),
        ];
        for (name, other, headers, together) in rows {
            assert_eq!(hash(&turn, &[]) == hash(other, headers), *together, "{name}");
        }
    }

    #[test]
    fn where_a_conversations_beginning_ends() {
        let rows: &[(&str, &str, &str)] = &[
            ("nothing", "[]", "[]"),
            ("a question alone", r#"[{"role":"user","content":"A"}]"#, r#"[{"role":"user","content":"A"}"#),
            (
                "the first question",
                r#"[ {"role":"developer"} , {"content":"A","role" : "user"}, {"role":"user"}]"#,
                r#"[ {"role":"developer"} , {"content":"A","role" : "user"}"#,
            ),
            (
                "a question within instructions is none",
                r#"[{"role":"system","content":[{"role":"user","text":"]},{"}]},{"role":"user"},{}]"#,
                r#"[{"role":"system","content":[{"role":"user","text":"]},{"}]},{"role":"user"}"#,
            ),
            ("no question", r#"[{"role":"system"},{"role":"assistant"}]"#, r#"[{"role":"system"},{"role":"assistant"}]"#),
            ("what are no messages", r#"[1,"user",{"role":7},null]"#, r#"[1,"user",{"role":7},null]"#),
        ];
        for (name, messages, expected) in rows {
            let body = body(&format!(r#""messages":{messages},"tools":[{{}}]"#));
            assert_eq!(Envelope::parse(Dialect::Chat, &body).unwrap().opening(), ["[{}]", "", *expected], "{name}");
        }
    }

    #[test]
    fn what_the_client_says_is_what_counts() {
        let keyed = |question: &str, key: &str| {
            body(&format!(r#""prompt_cache_key":"{key}","messages":[{{"role":"user","content":"{question}"}}]"#))
        };
        let plain = |question: &str| body(&format!(r#""messages":[{{"role":"user","content":"{question}"}}]"#));
        assert_eq!(
            hash(&keyed("A", "k"), &[("session_id", "1")]),
            hash(&keyed("B", "k"), &[("session_id", "2")]),
            "the key before a session"
        );
        assert_ne!(hash(&keyed("A", "k"), &[]), hash(&keyed("A", "l"), &[]));
        assert_eq!(hash(&keyed("A", "k"), &[]), hash(&keyed("A", "\\u006b"), &[]), "however it is spelt");
        for name in SESSIONS {
            assert_eq!(hash(&plain("A"), &[(name, "1")]), hash(&plain("B"), &[(name, "1")]), "{name}");
            assert_ne!(hash(&plain("A"), &[(name, "1")]), hash(&plain("A"), &[(name, "2")]), "{name}");
        }
        assert_ne!(hash(&keyed("A", "1"), &[]), hash(&plain("A"), &[("session_id", "1")]), "a key is no session");
    }

    #[test]
    fn a_pin_is_kept_while_it_is_used() {
        let mut pins = Pins::default();
        let after = |seconds| NOW + Duration::from_secs(seconds);
        pins.set(1, 10, NOW);
        assert_eq!((pins.get(1, after(599)), pins.get(1, after(600)), pins.get(2, NOW)), (Some(10), None, None));
        pins.set(1, 11, after(599));
        assert_eq!(pins.get(1, after(1_198)), Some(11));
    }

    #[test]
    fn the_oldest_are_forgotten_first() {
        let mut pins = Pins::default();
        for conversation in 0..100_000 {
            pins.set(conversation, conversation, NOW);
            pins.set(7, 7, NOW);
            assert!(pins.young.len() + pins.old.len() <= 2 * GENERATION);
        }
        assert_eq!(pins.get(7, NOW), Some(7), "it is used all the time");
        assert_eq!((pins.get(99_999, NOW), pins.get(99_999 - 2_000, NOW)), (Some(99_999), Some(97_999)));
        assert_eq!(pins.get(8, NOW), None);
    }
}
