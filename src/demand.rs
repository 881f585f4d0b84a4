//! What a request demands of the form of its answer, and whether an answer has it.
//!
//! ```text
//! read        what a client's request demands, compiled once per isolate          demand/read.rs
//! judge       whether an answer is what was demanded, repaired where that is free  demand/judge.rs
//! correction  what a model is told of its wrong answer                             demand/correction.rs
//! guard       the same judgement on a stream that is passed on as it comes         demand/guard.rs
//! record      which targets fail which schemas                                     demand/record.rs
//! ```
//!
//! **The promise**: where a JSON schema is demanded, what the client gets is valid by it, by the text of the schema that the client itself sent, whichever
//! target answered and whatever that target was told; or it is an error. A turn that calls tools, and one that refuses, is exempt from the demand on its text.

mod correction;
mod guard;
mod judge;
mod read;
mod record;

use std::rc::Rc;

use breakwater_schema::Schema;

pub(crate) use correction::Correction;
pub(crate) use guard::Guard;
pub(crate) use judge::{Judgement, Wrong};
pub(crate) use read::Demands;
pub(crate) use record::{Passed, Record};

/// What a request demands.
#[derive(Clone, Debug)]
pub(crate) struct Demand {
    /// Of an answer's text.
    form: Option<Rc<Form>>,
    /// Of calls of tools.
    tools: Option<Rc<Tools>>,
    /// Whether the request offers tools, so that words may come before a call.
    may_call: bool,
    /// Whether a stream is passed on as it comes, and checked meanwhile.
    pub(crate) live: bool,
    /// Which demand it is, for what is remembered of it.
    pub(crate) id: u64,
}

impl Demand {
    /// Whether a schema must be put otherwise to a provider of one of OpenAI's dialects. To `OpenAI` itself one that is to be enforced strictly, of which it
    /// takes a subset of JSON Schema; what is written there instead of a property that need not be there is null, which is taken out of an answer before it
    /// is sent. To the others one that says `nullable`.
    pub(crate) fn bends(&self, is_original: bool) -> bool {
        let form = self.form.as_ref().map(|form| form.bends);
        let tools = self.tools.as_ref().map(|tools| tools.bends);
        form.into_iter().chain(tools).any(|bends| if is_original { bends.strictly } else { bends.nullable })
    }

    /// Whether a provider is asked to hold calls to the schemas of their tools.
    pub(crate) fn has_strict_tools(&self) -> bool {
        self.tools.as_ref().is_some_and(|tools| tools.strict)
    }

    /// Whether the text must be JSON, by no schema.
    pub(crate) fn takes_any_object(&self) -> bool {
        self.form.as_ref().is_some_and(|form| form.any_object)
    }

    /// Whether the text must be valid by a schema, for which providers have means of their own.
    pub(crate) fn has_schema(&self) -> bool {
        self.form.as_ref().is_some_and(|form| !form.any_object)
    }
}

/// What is demanded of an answer's text: that it is JSON.
#[derive(Debug)]
pub(crate) struct Form {
    /// By this schema.
    schema: Rc<Schema>,
    /// Whether that says no more than that it is an object.
    any_object: bool,
    /// To whom it must be put otherwise.
    bends: Bends,
}

/// Why schemas cannot be sent as they are.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bends {
    /// One is to be enforced strictly, and is not in `OpenAI`'s subset.
    strictly: bool,
    /// One says `nullable`, a word of `OpenAI`'s.
    nullable: bool,
}

/// The tools that were offered.
#[derive(Debug)]
pub(crate) struct Tools {
    /// Each with the schema that its arguments must be valid by, if any.
    offered: Vec<(String, Option<Rc<Schema>>)>,
    /// To whom one of these must be put otherwise.
    bends: Bends,
    /// Whether one of these is to be enforced strictly by its provider.
    strict: bool,
}

/// Whether a provider's refusal of a request is one of the schema in it: its words name the member or the thing. That of a function's is none of the
/// answer's.
pub(crate) fn is_of_schema(refusal: &str) -> bool {
    const WORDS: [&str; 16] = [
        "response_format",
        "response format",
        "json_schema",
        "json schema",
        "response_schema",
        "responseschema",
        "responsejsonschema",
        "response_json_schema",
        "response mime type",
        "output_config.format",
        "output_format",
        "output format",
        "text.format",
        "structured output",
        "schema is too complex",
        "grammar",
    ];
    let refusal = refusal.to_ascii_lowercase();
    !names_function(&refusal)
        && (WORDS.iter().any(|word| refusal.contains(word)) || refusal.contains("schema") && refusal.contains("invalid"))
}

/// Whether a provider's refusal of a request is one of the schema of a strict tool in it: that names the function, or how much there is of strict ones.
pub(crate) fn is_of_strict_tool(refusal: &str) -> bool {
    let refusal = refusal.to_ascii_lowercase();
    refusal.contains("schema is too complex")
        || refusal.contains("too many strict tools")
        || names_function(&refusal) && (refusal.contains("schema") || refusal.contains("strict"))
}

fn names_function(refusal: &str) -> bool {
    refusal.contains("for function") || refusal.contains("tools[") || refusal.contains("tools.")
}

/// Whether a provider that enforces JSON itself refuses the answer of its own model: Groq's 400 for it.
pub(crate) fn is_wrong_answer(refusal: &str) -> bool {
    refusal.contains("json_validate_failed")
}

/// How an answer came to be what was demanded: the word of `x-breakwater-schema`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// At once.
    Valid,
    /// At once, from a target that was asked by other means than a schema of its protocol's.
    Emulated,
    /// The JSON was taken out of what was around it.
    Repaired,
    /// After so many corrective retries.
    Retried(u32),
}

impl Mark {
    pub(crate) fn word(self) -> String {
        match self {
            Self::Valid => "valid".to_owned(),
            Self::Emulated => "emulated".to_owned(),
            Self::Repaired => "repaired".to_owned(),
            Self::Retried(times) => format!("retried;{times}"),
        }
    }
}
