//! A compiled schema: an arena of nodes, each a list of rules, so that a check looks nothing up by name and follows references by number.

use serde_json::{Number, Value};

use crate::pattern::Pattern;

/// A node's place in the arena.
pub(crate) type Id = usize;

/// The nodes of `true` and `false`, in every arena.
pub(crate) const ALWAYS: Id = 0;
pub(crate) const NEVER: Id = 1;

/// What must hold of a value.
#[derive(Debug)]
pub(crate) enum Node {
    /// `true`, `{}`: nothing.
    Always,
    /// `false`: no value is valid.
    Never,
    /// All of these.
    Rules(Vec<Rule>),
}

/// One keyword, with what it needs of its neighbours. Rules of a type of value hold for every other one.
#[derive(Debug)]
pub(crate) enum Rule {
    /// `type`.
    Types(Types),
    /// `enum`, and `const` as one of one.
    Enum(Vec<Value>),
    Minimum(Number),
    ExclusiveMinimum(Number),
    Maximum(Number),
    ExclusiveMaximum(Number),
    MultipleOf(Number),
    /// In characters.
    MinLength(u64),
    MaxLength(u64),
    Pattern(Pattern),
    MinItems(u64),
    MaxItems(u64),
    UniqueItems,
    /// `prefixItems`, draft 7's `items` of an array: the first items, one by one.
    Prefix(Vec<Id>),
    /// `items`, draft 7's `additionalItems`: all from this one on.
    Items {
        from: usize,
        node: Id,
    },
    Contains {
        node: Id,
        least: u64,
        most: Option<u64>,
        /// Whether those that match count as evaluated: not before 2020-12.
        evaluates: bool,
    },
    MinProperties(u64),
    MaxProperties(u64),
    Required(Vec<String>),
    Properties(Vec<(String, Id)>),
    PatternProperties(Vec<(Pattern, Id)>),
    /// `additionalProperties`: those that neither the node's `Properties` nor its `PatternProperties` name.
    AdditionalProperties(Id),
    PropertyNames(Id),
    DependentRequired(Vec<(String, Vec<String>)>),
    DependentSchemas(Vec<(String, Id)>),
    AllOf(Vec<Id>),
    AnyOf(Vec<Id>),
    OneOf(Vec<Id>),
    Not(Id),
    If {
        condition: Id,
        then: Option<Id>,
        otherwise: Option<Id>,
    },
    Ref(Id),
    /// `$dynamicRef` to a `$dynamicAnchor`: the outermost resource on the way here that has the anchor, else `fallback`.
    DynamicRef {
        anchor: String,
        fallback: Id,
    },
    UnevaluatedItems(Id),
    UnevaluatedProperties(Id),
}

/// A set of types, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Types(pub(crate) u8);

impl Types {
    pub(crate) const NULL: u8 = 1;
    pub(crate) const BOOLEAN: u8 = 2;
    pub(crate) const INTEGER: u8 = 4;
    /// Numbers that are no integers: `number` is both.
    pub(crate) const FRACTION: u8 = 8;
    pub(crate) const STRING: u8 = 16;
    pub(crate) const ARRAY: u8 = 32;
    pub(crate) const OBJECT: u8 = 64;
}
