//! One keyword as rules.

use serde_json::{Map, Number, Value};

use super::{Compiler, Draft, Refusal, below};
use crate::node::{Id, Rule, Types};
use crate::pattern::Pattern;
use crate::violation;

impl<'v> Compiler<'v> {
    /// Adds the rules of one keyword. What is none says nothing, as the drafts will have it.
    pub(super) fn keyword(
        &mut self,
        name: &str,
        value: &'v Value,
        members: &'v Map<String, Value>,
        at: &str,
        resource: usize,
        rules: &mut Vec<Rule>,
    ) -> Result<(), Refusal> {
        let place = below(at, name);
        let is_seven = self.draft == Draft::Seven;
        let rule = match name {
            "type" => Rule::Types(types(value, &place)?),
            "enum" => Rule::Enum(list(value, &place)?.clone()),
            "const" => Rule::Enum(vec![value.clone()]),
            "minimum" => Rule::Minimum(number(value, &place)?),
            "exclusiveMinimum" => Rule::ExclusiveMinimum(number(value, &place)?),
            "maximum" => Rule::Maximum(number(value, &place)?),
            "exclusiveMaximum" => Rule::ExclusiveMaximum(number(value, &place)?),
            "multipleOf" => Rule::MultipleOf(positive(value, &place)?),
            "minLength" => Rule::MinLength(count(value, &place)?),
            "maxLength" => Rule::MaxLength(count(value, &place)?),
            "pattern" => Rule::Pattern(pattern(text(value, &place)?, &place)?),
            "minItems" => Rule::MinItems(count(value, &place)?),
            "maxItems" => Rule::MaxItems(count(value, &place)?),
            "uniqueItems" => match value {
                Value::Bool(true) => Rule::UniqueItems,
                Value::Bool(false) => return Ok(()),
                _ => return wrong(value, &place, "true or false"),
            },
            "prefixItems" if self.draft == Draft::Latest => Rule::Prefix(self.nodes_of(value, &place, resource)?),
            // Of an array the items are schemas one by one: up to 2019-09, and in what says nothing of its draft and means one of these.
            "items" if value.is_array() && (self.draft != Draft::Latest || !members.contains_key("$schema")) => {
                let nodes = self.nodes_of(value, &place, resource)?;
                if let Some(more) = members.get("additionalItems") {
                    let node = self.node(more, &below(at, "additionalItems"), resource)?;
                    rules.push(Rule::Items { from: nodes.len(), node });
                }
                Rule::Prefix(nodes)
            }
            "items" => {
                let before = members.get("prefixItems").filter(|_| self.draft == Draft::Latest).and_then(Value::as_array);
                Rule::Items { from: before.map_or(0, Vec::len), node: self.node(value, &place, resource)? }
            }
            "contains" => {
                let bound = |name: &str| members.get(name).filter(|_| !is_seven).map(|value| count(value, &below(at, name))).transpose();
                let (least, most) = (bound("minContains")?.unwrap_or(1), bound("maxContains")?);
                Rule::Contains { node: self.node(value, &place, resource)?, least, most }
            }
            "minProperties" => Rule::MinProperties(count(value, &place)?),
            "maxProperties" => Rule::MaxProperties(count(value, &place)?),
            "required" => Rule::Required(texts(value, &place)?),
            "properties" => Rule::Properties(self.named(value, &place, resource)?),
            "patternProperties" => {
                let named = self.named(value, &place, resource)?;
                let mut all = Vec::with_capacity(named.len());
                for (text, node) in named {
                    all.push((pattern(&text, &below(&place, &text))?, node));
                }
                Rule::PatternProperties(all)
            }
            "additionalProperties" => Rule::AdditionalProperties(self.node(value, &place, resource)?),
            "propertyNames" => Rule::PropertyNames(self.node(value, &place, resource)?),
            "dependentRequired" if !is_seven => {
                let mut all = Vec::new();
                for (name, names) in object(value, &place)? {
                    all.push((name.clone(), texts(names, &below(&place, name))?));
                }
                Rule::DependentRequired(all)
            }
            "dependentSchemas" if !is_seven => Rule::DependentSchemas(self.named(value, &place, resource)?),
            // Draft 7's, which newer ones split in two, and which many still write.
            "dependencies" if is_seven || !members.contains_key("$schema") => {
                let (mut names, mut schemas) = (Vec::new(), Vec::new());
                for (name, value) in object(value, &place)? {
                    let place = below(&place, name);
                    match value {
                        Value::Array(_) => names.push((name.clone(), texts(value, &place)?)),
                        schema => schemas.push((name.clone(), self.node(schema, &place, resource)?)),
                    }
                }
                rules.push(Rule::DependentRequired(names));
                Rule::DependentSchemas(schemas)
            }
            "allOf" => Rule::AllOf(self.some(value, &place, resource)?),
            "anyOf" => Rule::AnyOf(self.some(value, &place, resource)?),
            "oneOf" => Rule::OneOf(self.some(value, &place, resource)?),
            "not" => Rule::Not(self.node(value, &place, resource)?),
            "if" => {
                let condition = self.node(value, &place, resource)?;
                let mut branch = |name: &str| members.get(name).map(|value| self.node(value, &below(at, name), resource)).transpose();
                let (then, otherwise) = (branch("then")?, branch("else")?);
                Rule::If { condition, then, otherwise }
            }
            _ => return Ok(()),
        };
        rules.push(rule);
        Ok(())
    }

    fn nodes_of(&mut self, value: &'v Value, at: &str, resource: usize) -> Result<Vec<Id>, Refusal> {
        let mut nodes = Vec::new();
        for (place, value) in list(value, at)?.iter().enumerate() {
            nodes.push(self.node(value, &format!("{at}/{place}"), resource)?);
        }
        Ok(nodes)
    }

    /// At least one.
    fn some(&mut self, value: &'v Value, at: &str, resource: usize) -> Result<Vec<Id>, Refusal> {
        let nodes = self.nodes_of(value, at, resource)?;
        if nodes.is_empty() { wrong(value, at, "an array of at least one schema") } else { Ok(nodes) }
    }

    fn named(&mut self, value: &'v Value, at: &str, resource: usize) -> Result<Vec<(String, Id)>, Refusal> {
        let mut nodes = Vec::new();
        for (name, value) in object(value, at)? {
            nodes.push((name.clone(), self.node(value, &below(at, name), resource)?));
        }
        Ok(nodes)
    }
}

fn wrong<T>(value: &Value, at: &str, allowed: &str) -> Result<T, Refusal> {
    Err(Refusal { at: at.to_owned(), message: format!("it is {}; allowed is {allowed}", violation::shown(value)) })
}

fn types(value: &Value, at: &str) -> Result<Types, Refusal> {
    const ALLOWED: &str = "\"null\", \"boolean\", \"object\", \"array\", \"number\", \"string\" or \"integer\", or an array of these";
    let one = |value: &Value| match value.as_str()? {
        "null" => Some(Types::NULL),
        "boolean" => Some(Types::BOOLEAN),
        "object" => Some(Types::OBJECT),
        "array" => Some(Types::ARRAY),
        "number" => Some(Types::INTEGER | Types::FRACTION),
        "string" => Some(Types::STRING),
        "integer" => Some(Types::INTEGER),
        _ => None,
    };
    let mut bits = 0;
    let listed = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    for value in listed {
        match one(value) {
            Some(bit) => bits |= bit,
            None => return wrong(value, at, ALLOWED),
        }
    }
    if bits == 0 { wrong(value, at, ALLOWED) } else { Ok(Types(bits)) }
}

fn number(value: &Value, at: &str) -> Result<Number, Refusal> {
    if let Value::Number(number) = value { Ok(number.clone()) } else { wrong(value, at, "a number") }
}

fn positive(value: &Value, at: &str) -> Result<Number, Refusal> {
    match value {
        Value::Number(number) if number.as_f64().is_some_and(|float| float > 0.0) => Ok(number.clone()),
        _ => wrong(value, at, "a number above 0"),
    }
}

fn count(value: &Value, at: &str) -> Result<u64, Refusal> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number of at least 0, and far below 2^64")]
    let whole = |float: f64| (float.fract() == 0.0 && (0.0..1e15).contains(&float)).then_some(float as u64);
    match value.as_u64().or_else(|| value.as_f64().and_then(whole)) {
        Some(count) => Ok(count),
        None => wrong(value, at, "a whole number of at least 0"),
    }
}

fn text<'v>(value: &'v Value, at: &str) -> Result<&'v str, Refusal> {
    value.as_str().map_or_else(|| wrong(value, at, "a string"), Ok)
}

fn list<'v>(value: &'v Value, at: &str) -> Result<&'v Vec<Value>, Refusal> {
    value.as_array().map_or_else(|| wrong(value, at, "an array"), Ok)
}

fn object<'v>(value: &'v Value, at: &str) -> Result<&'v Map<String, Value>, Refusal> {
    value.as_object().map_or_else(|| wrong(value, at, "an object"), Ok)
}

fn texts(value: &Value, at: &str) -> Result<Vec<String>, Refusal> {
    let mut texts = Vec::new();
    for value in list(value, at)? {
        texts.push(text(value, at)?.to_owned());
    }
    Ok(texts)
}

fn pattern(text: &str, at: &str) -> Result<Pattern, Refusal> {
    Pattern::new(text).map_err(|message| Refusal { at: at.to_owned(), message })
}
