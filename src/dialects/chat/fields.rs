//! Reading a request member by member, so that every mistake is told with its place.

use serde_json::Value;

use super::Object;
use crate::mistake::Mistake;

/// What reading gives.
pub type Reading<T> = Result<T, Mistake>;

/// The members of an object that have not been read yet, and where it stands. `null` is as good as absent, in every dialect.
#[derive(Debug)]
pub struct Fields {
    members: Object,
    at: String,
}

impl Fields {
    /// A request's own members.
    #[must_use]
    pub fn root(members: Object) -> Self {
        Self { members, at: String::new() }
    }

    /// The members of the value at `at`, such as `messages[0]`.
    pub fn of(value: Value, at: impl Into<String>) -> Reading<Self> {
        let at = at.into();
        match value {
            Value::Object(members) => Ok(Self { members, at }),
            other => Err(wrong(&at, "an object", &other)),
        }
    }

    /// Where a member stands.
    #[must_use]
    pub fn at(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }

    /// Whether there is such a member.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    /// A member that is not read, but looked at.
    #[must_use]
    pub fn peek(&self, name: &str) -> Option<&Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// A member of any type.
    pub fn any(&mut self, name: &str) -> Option<Value> {
        self.members.shift_remove(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub fn text(&mut self, name: &str) -> Reading<Option<String>> {
        match self.any(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(name, "a string", &other)),
        }
    }

    /// A text that must be there.
    pub fn needs_text(&mut self, name: &str) -> Reading<String> {
        self.text(name)?.ok_or_else(|| self.missing(name, "a string"))
    }

    /// True or false.
    pub fn boolean(&mut self, name: &str) -> Reading<Option<bool>> {
        match self.any(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(other) => Err(self.wrong(name, "true or false", &other)),
        }
    }

    /// A number, as the client spelled it.
    pub fn number(&mut self, name: &str) -> Reading<Option<Value>> {
        match self.any(name) {
            None => Ok(None),
            Some(value @ Value::Number(_)) => Ok(Some(value)),
            Some(other) => Err(self.wrong(name, "a number", &other)),
        }
    }

    /// A whole number, not negative; one that is spelled with a fraction of zero is one too.
    pub fn whole(&mut self, name: &str) -> Reading<Option<u64>> {
        let Some(value) = self.any(name) else { return Ok(None) };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the range that was checked")]
        let of_float = |float: f64| (float >= 0.0 && float.fract() == 0.0 && float < 9e15).then_some(float as u64);
        match value.as_u64().or_else(|| value.as_f64().and_then(of_float)) {
            Some(number) => Ok(Some(number)),
            None => Err(self.wrong(name, "a whole number that is not negative", &value)),
        }
    }

    /// A list.
    pub fn list(&mut self, name: &str) -> Reading<Option<Vec<Value>>> {
        match self.any(name) {
            None => Ok(None),
            Some(Value::Array(values)) => Ok(Some(values)),
            Some(other) => Err(self.wrong(name, "an array", &other)),
        }
    }

    /// An object's members.
    pub fn object(&mut self, name: &str) -> Reading<Option<Self>> {
        self.any(name).map(|value| Self::of(value, self.at(name))).transpose()
    }

    /// An object that must be there.
    pub fn needs_object(&mut self, name: &str) -> Reading<Self> {
        self.object(name)?.ok_or_else(|| self.missing(name, "an object"))
    }

    /// A list of objects, each with its place.
    pub fn objects(&mut self, name: &str) -> Reading<Option<Vec<Self>>> {
        let Some(values) = self.list(name)? else { return Ok(None) };
        let at = self.at(name);
        let objects = values.into_iter().enumerate().map(|(index, value)| Self::of(value, format!("{at}[{index}]")));
        objects.collect::<Reading<Vec<Self>>>().map(Some)
    }

    /// A list of texts.
    pub fn texts(&mut self, name: &str) -> Reading<Option<Vec<String>>> {
        let Some(values) = self.list(name)? else { return Ok(None) };
        let text = |value: Value| match value {
            Value::String(text) => Ok(text),
            other => Err(self.wrong(name, "an array of strings", &other)),
        };
        values.into_iter().map(text).collect::<Reading<Vec<String>>>().map(Some)
    }

    /// What was not read: it stays with the dialect that it came from.
    #[must_use]
    pub fn rest(self) -> Object {
        self.members.into_iter().filter(|(_, value)| !value.is_null()).collect()
    }

    /// The whole of it again, where it turned out to be something that is kept as it is.
    #[must_use]
    pub fn whole_value(self) -> Value {
        Value::Object(self.members)
    }

    /// That a member is of the wrong type.
    #[must_use]
    pub fn wrong(&self, name: &str, allowed: &str, found: &Value) -> Mistake {
        wrong(&self.at(name), allowed, found)
    }

    /// That a member must be there.
    #[must_use]
    pub fn missing(&self, name: &str, allowed: &str) -> Mistake {
        let at = self.at(name);
        Mistake::new(Some(&at), format!("'{at}' is missing; it takes {allowed}"))
    }

    /// That a member's word is not one of those that there are.
    #[must_use]
    pub fn unknown_word(&self, name: &str, found: &str, allowed: &str) -> Mistake {
        let at = self.at(name);
        Mistake::new(Some(&at), format!("'{at}' is '{found}'; it takes {allowed}"))
    }
}

fn wrong(at: &str, allowed: &str, found: &Value) -> Mistake {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(text) if text.is_empty() => "an empty string",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    Mistake::new(Some(at), format!("'{at}' is {found}; it takes {allowed}"))
}
