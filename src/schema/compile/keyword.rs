//! Keywords as rules. What is none says nothing, as the drafts will have it.
//!
//! Places in refusals are relative to the schema that the keywords are of.

use serde_json::{Map, Number, Value};

use super::{Compiler, Draft, MOST_STATES, Refusal, refusal};
use crate::node::{Id, Rule, Types};
use crate::pattern::Pattern;
use crate::violation;

type Members = Map<String, Value>;

impl<'v> Compiler<'v> {
    /// The rules of a schema: types first, as they are the soonest to say no, and last those that depend on what the others evaluated.
    pub(super) fn rules(&mut self, members: &'v Members, resource: usize) -> Result<Vec<Rule>, Refusal> {
        let mut rules = Vec::new();
        if let Some(reference) = members.get("$ref") {
            let (node, _) = self.reference(reference, resource).map_err(|message| refusal(&["$ref"], message))?;
            rules.push(Rule::Ref(node));
            // "All other properties in a "$ref" object MUST be ignored" (draft 7, section 8.3).
            if self.draft == Draft::Seven {
                return Ok(rules);
            }
        }
        if self.draft != Draft::Seven && members.contains_key("$recursiveRef") {
            let message = "$recursiveRef is not taken; use $ref, or $dynamicRef of draft 2020-12".to_owned();
            return Err(refusal(&["$recursiveRef"], message));
        }
        if let Some(reference) = members.get("$dynamicRef").filter(|_| self.draft == Draft::Latest) {
            let (fallback, anchor) =
                self.reference(reference, resource).map_err(|message| refusal(&["$dynamicRef"], message))?;
            self.is_dynamic |= anchor.is_some();
            rules.push(match anchor {
                Some(anchor) => Rule::DynamicRef { anchor: anchor.to_owned(), fallback },
                None => Rule::Ref(fallback),
            });
        }
        for (name, value) in members {
            self.keyword(name, value, members, resource, &mut rules)?;
        }
        if let Some(types) = rules.iter().position(|rule| matches!(rule, Rule::Types(_))) {
            rules.swap(0, types);
        }
        for name in ["unevaluatedItems", "unevaluatedProperties"] {
            let Some(value) = members.get(name).filter(|_| self.draft != Draft::Seven) else { continue };
            let node = self.at(value, &[name], resource)?;
            rules.push(if name == "unevaluatedItems" {
                Rule::UnevaluatedItems(node)
            } else {
                Rule::UnevaluatedProperties(node)
            });
        }
        Ok(rules)
    }

    /// Adds the rules of one keyword.
    fn keyword(
        &mut self,
        name: &'v str,
        value: &'v Value,
        members: &'v Members,
        resource: usize,
        rules: &mut Vec<Rule>,
    ) -> Result<(), Refusal> {
        let is_seven = self.draft == Draft::Seven;
        let rule = match name {
            "type" => {
                let mut allowed = types(value)?;
                // `OpenAPI` 3.0's word, which is none of JSON Schema's: null "is allowed by `nullable: true`, only if `type` is explicitly defined within the
                // same Schema Object" (3.0.3). It says nothing else: what an `enum` or `const` beside it does not list is not allowed. OpenAI's helpers for
                // zod 3 write it of strings, numbers and booleans, and nothing beside it that could disagree.
                if members.get("nullable") == Some(&Value::Bool(true)) {
                    allowed.0 |= Types::NULL;
                }
                Rule::Types(allowed)
            }
            "enum" => Rule::Enum(list(value, name)?.clone()),
            "const" => Rule::Enum(vec![value.clone()]),
            "minimum" => Rule::Minimum(number(value, name)?),
            "exclusiveMinimum" => Rule::ExclusiveMinimum(number(value, name)?),
            "maximum" => Rule::Maximum(number(value, name)?),
            "exclusiveMaximum" => Rule::ExclusiveMaximum(number(value, name)?),
            "multipleOf" => Rule::MultipleOf(positive(value)?),
            "minLength" => Rule::MinLength(count(value, name)?),
            "maxLength" => Rule::MaxLength(count(value, name)?),
            "pattern" => {
                let Some(text) = value.as_str() else { return Err(wrong(value, &[name], "a string")) };
                Rule::Pattern(self.pattern(text, &[name])?)
            }
            "minItems" => Rule::MinItems(count(value, name)?),
            "maxItems" => Rule::MaxItems(count(value, name)?),
            "uniqueItems" => match value {
                Value::Bool(true) => Rule::UniqueItems,
                Value::Bool(false) => return Ok(()),
                _ => return Err(wrong(value, &[name], "true or false")),
            },
            "prefixItems" if self.draft == Draft::Latest => Rule::Prefix(self.nodes(value, name, resource)?),
            // Of an array the items are schemas one by one: up to 2019-09, and in what says nothing of its draft and means one of these.
            "items" if value.is_array() && (self.draft != Draft::Latest || self.is_lenient) => {
                let nodes = self.nodes(value, name, resource)?;
                if let Some(more) = members.get("additionalItems") {
                    rules.push(Rule::Items { from: nodes.len(), node: self.at(more, &["additionalItems"], resource)? });
                }
                Rule::Prefix(nodes)
            }
            "items" => {
                let before = members.get("prefixItems").filter(|_| self.draft == Draft::Latest).and_then(Value::as_array);
                Rule::Items { from: before.map_or(0, Vec::len), node: self.at(value, &[name], resource)? }
            }
            "contains" => {
                let bound = |name: &str| members.get(name).filter(|_| !is_seven).map(|value| count(value, name)).transpose();
                let (least, most) = (bound("minContains")?.unwrap_or(1), bound("maxContains")?);
                let node = self.at(value, &[name], resource)?;
                Rule::Contains { node, least, most, evaluates: self.draft == Draft::Latest }
            }
            "minProperties" => Rule::MinProperties(count(value, name)?),
            "maxProperties" => Rule::MaxProperties(count(value, name)?),
            "required" => Rule::Required(names(value, &[name])?),
            "properties" => Rule::Properties(self.named(value, name, resource)?),
            "patternProperties" => {
                let mut all = Vec::new();
                for (text, node) in self.named(value, name, resource)? {
                    all.push((self.pattern(&text, &[name, &text])?, node));
                }
                Rule::PatternProperties(all)
            }
            "additionalProperties" => Rule::AdditionalProperties(self.at(value, &[name], resource)?),
            "propertyNames" => Rule::PropertyNames(self.at(value, &[name], resource)?),
            "dependentRequired" if !is_seven => {
                let mut all = Vec::new();
                for (of, value) in object(value, name)? {
                    all.push((of.clone(), names(value, &[name, of])?));
                }
                Rule::DependentRequired(all)
            }
            "dependentSchemas" if !is_seven => Rule::DependentSchemas(self.named(value, name, resource)?),
            // Draft 7's, which newer ones split in two, and which many still write.
            "dependencies" => {
                let (mut required, mut schemas) = (Vec::new(), Vec::new());
                for (of, value) in object(value, name)? {
                    if value.is_array() {
                        required.push((of.clone(), names(value, &[name, of])?));
                    } else {
                        schemas.push((of.clone(), self.at(value, &[name, of], resource)?));
                    }
                }
                rules.push(Rule::DependentRequired(required));
                Rule::DependentSchemas(schemas)
            }
            "allOf" => Rule::AllOf(self.some(value, name, resource)?),
            "anyOf" => Rule::AnyOf(self.some(value, name, resource)?),
            "oneOf" => Rule::OneOf(self.some(value, name, resource)?),
            "not" => Rule::Not(self.at(value, &[name], resource)?),
            "if" => {
                let condition = self.at(value, &[name], resource)?;
                let mut branch = |name| members.get(name).map(|value| self.at(value, &[name], resource)).transpose();
                let (then, otherwise) = (branch("then")?, branch("else")?);
                Rule::If { condition, then, otherwise }
            }
            _ => return Ok(()),
        };
        rules.push(rule);
        Ok(())
    }

    /// The node of the schema at a path from here.
    fn at(&mut self, value: &'v Value, path: &[&str], resource: usize) -> Result<Id, Refusal> {
        self.node(value, resource).map_err(|message| refusal(path, message))
    }

    fn nodes(&mut self, value: &'v Value, name: &str, resource: usize) -> Result<Vec<Id>, Refusal> {
        let mut nodes = Vec::new();
        for (place, value) in list(value, name)?.iter().enumerate() {
            nodes.push(self.node(value, resource).map_err(|message| refusal(&[name, &place.to_string()], message))?);
        }
        Ok(nodes)
    }

    /// At least one.
    fn some(&mut self, value: &'v Value, name: &str, resource: usize) -> Result<Vec<Id>, Refusal> {
        let nodes = self.nodes(value, name, resource)?;
        if nodes.is_empty() { Err(wrong(value, &[name], "an array of at least one schema")) } else { Ok(nodes) }
    }

    fn named(&mut self, value: &'v Value, name: &str, resource: usize) -> Result<Vec<(String, Id)>, Refusal> {
        let mut nodes = Vec::new();
        for (of, value) in object(value, name)? {
            nodes.push((of.clone(), self.at(value, &[name, of], resource)?));
        }
        Ok(nodes)
    }

    fn pattern(&mut self, text: &str, path: &[&str]) -> Result<Pattern, Refusal> {
        let pattern = Pattern::new(text).map_err(|message| refusal(path, message))?;
        self.states += pattern.states();
        if self.states > MOST_STATES {
            return Err(refusal(
                path,
                format!("the patterns up to here come to more than {MOST_STATES} states, which are the most that are taken"),
            ));
        }
        Ok(pattern)
    }
}

#[inline(never)]
fn wrong(value: &Value, path: &[&str], allowed: &str) -> Refusal {
    refusal(path, format!("it is {}; allowed is {allowed}", violation::shown(value)))
}

fn types(value: &Value) -> Result<Types, Refusal> {
    let mut bits = 0;
    for value in value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice) {
        bits |= match value.as_str() {
            Some("null") => Types::NULL,
            Some("boolean") => Types::BOOLEAN,
            Some("object") => Types::OBJECT,
            Some("array") => Types::ARRAY,
            Some("number") => Types::INTEGER | Types::FRACTION,
            Some("string") => Types::STRING,
            Some("integer") => Types::INTEGER,
            _ => {
                bits = 0;
                break;
            }
        };
    }
    if bits != 0 {
        return Ok(Types(bits));
    }
    Err(wrong(value, &["type"], "null, boolean, object, array, number, string or integer, or an array of these"))
}

fn number(value: &Value, name: &str) -> Result<Number, Refusal> {
    if let Value::Number(number) = value { Ok(number.clone()) } else { Err(wrong(value, &[name], "a number")) }
}

fn positive(value: &Value) -> Result<Number, Refusal> {
    match value {
        Value::Number(number) if number.as_f64().is_some_and(|float| float > 0.0) => Ok(number.clone()),
        _ => Err(wrong(value, &["multipleOf"], "a number above 0")),
    }
}

fn count(value: &Value, name: &str) -> Result<u64, Refusal> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number of at least 0, and far below 2^64"
    )]
    let whole = |float: f64| (float.fract() == 0.0 && (0.0..1e15).contains(&float)).then_some(float as u64);
    match value.as_u64().or_else(|| value.as_f64().and_then(whole)) {
        Some(count) => Ok(count),
        None => Err(wrong(value, &[name], "a whole number of at least 0")),
    }
}

fn list<'v>(value: &'v Value, name: &str) -> Result<&'v Vec<Value>, Refusal> {
    value.as_array().ok_or_else(|| wrong(value, &[name], "an array"))
}

fn object<'v>(value: &'v Value, name: &str) -> Result<&'v Members, Refusal> {
    value.as_object().ok_or_else(|| wrong(value, &[name], "an object"))
}

fn names(value: &Value, path: &[&str]) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    for name in value.as_array().map(Vec::as_slice).unwrap_or_default() {
        names.extend(name.as_str().map(str::to_owned));
    }
    if value.as_array().is_some_and(|all| all.len() == names.len()) {
        Ok(names)
    } else {
        Err(wrong(value, path, "an array of names"))
    }
}
