//! A call whose arguments come piece by piece: `streamFunctionCallArguments`, which nobody here asks for, but a route's own settings may
//! (<https://docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling>, "Streaming function call arguments").
//!
//! A piece says where in the arguments it belongs (`$.recipe.steps[0]`) and what is added there. Put together they are the arguments that would have come whole.

use serde_json::Value;

use super::piece;
use crate::chat::{Object, Seal};

/// A call that goes on.
#[derive(Debug)]
pub(super) struct Growing {
    pub(super) id: Option<String>,
    pub(super) name: String,
    pub(super) seal: Option<Seal>,
    pub(super) arguments: Value,
}

impl Growing {
    /// The beginning of one; none where it has no name.
    pub(super) fn begin(call: &Object, seal: Option<Seal>) -> Option<Self> {
        let name = call.get("name")?.as_str()?.to_owned();
        let arguments =
            call.get("args").filter(|args| args.is_object()).cloned().unwrap_or_else(|| Value::Object(Object::new()));
        Some(Self { id: piece::id_of(call), name, seal, arguments })
    }

    /// Adds what a piece says; none where it says it of no place that there is.
    pub(super) fn add(&mut self, call: &Object) -> Option<()> {
        for piece in call.get("partialArgs").and_then(Value::as_array).into_iter().flatten() {
            let place = place(&mut self.arguments, piece.get("jsonPath")?.as_str()?)?;
            if let Some(Value::String(more)) = piece.get("stringValue") {
                match place {
                    Value::String(text) => text.push_str(more),
                    _ => *place = Value::from(more.as_str()),
                }
            } else {
                *place = ["numberValue", "boolValue"].iter().find_map(|kind| piece.get(kind).cloned()).unwrap_or(Value::Null);
            }
        }
        Some(())
    }
}

/// The place that a path leads to, made where it is not there yet. Lists grow by one at most.
fn place<'a>(root: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    let mut at = root;
    let mut rest = path.strip_prefix('$')?;
    while !rest.is_empty() {
        let name;
        if let Some(bracket) = rest.strip_prefix('[') {
            let (step, after) = bracket.split_once(']')?;
            rest = after;
            if let Ok(index) = step.parse::<usize>() {
                if at.is_null() {
                    *at = Value::Array(Vec::new());
                }
                let list = at.as_array_mut()?;
                if index == list.len() {
                    list.push(Value::Null);
                }
                at = list.get_mut(index)?;
                continue;
            }
            name = step.trim_matches(['\'', '"']);
        } else {
            let dotted = rest.strip_prefix('.')?;
            let (step, after) = dotted.split_at(dotted.find(['.', '[']).unwrap_or(dotted.len()));
            (name, rest) = (step, after);
        }
        if at.is_null() {
            *at = Value::Object(Object::new());
        }
        at = at.as_object_mut()?.entry(name).or_insert(Value::Null);
    }
    Some(at)
}
