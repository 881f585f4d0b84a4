//! The two drafts' own schemas, which schemas may refer to: the only documents that are known beside the schema itself.
//!
//! Of 2020-12 what it is in one document: its own is put together of seven, by dynamic references, of which a schema that extends it uses the one that is
//! here, `meta`. Keywords that say nothing of validity are left out.

use std::cell::OnceCell;

use serde_json::Value;

use super::Draft;

/// What was referred to, read once.
#[derive(Default)]
pub(super) struct Metas(OnceCell<Value>);

impl Metas {
    /// The schema of this URI, where it is the draft's own.
    pub(super) fn get(&self, uri: &str, draft: Draft) -> Option<&Value> {
        let text = match (draft, uri) {
            (Draft::Seven, "http://json-schema.org/draft-07/schema") => SEVEN,
            (Draft::Latest, "https://json-schema.org/draft/2020-12/schema") => LATEST,
            _ => return None,
        };
        Some(self.0.get_or_init(|| serde_json::from_str(text).unwrap_or_default()))
    }
}

const SEVEN: &str = r##"{"type":["object","boolean"],"definitions":{"a":{"type":"array","minItems":1,"items":{"$ref":"#"}},"n":{"type":"integer","minimum":0},"t":{"enum":["array","boolean","integer","null","number","object","string"]},"s":{"type":"array","items":{"type":"string"},"uniqueItems":true},"m":{"type":"object","additionalProperties":{"$ref":"#"}}},"properties":{"$id":{"type":"string"},"$schema":{"type":"string"},"$ref":{"type":"string"},"$comment":{"type":"string"},"title":{"type":"string"},"description":{"type":"string"},"readOnly":{"type":"boolean"},"examples":{"type":"array"},"multipleOf":{"type":"number","exclusiveMinimum":0},"maximum":{"type":"number"},"exclusiveMaximum":{"type":"number"},"minimum":{"type":"number"},"exclusiveMinimum":{"type":"number"},"maxLength":{"$ref":"#/definitions/n"},"minLength":{"$ref":"#/definitions/n"},"pattern":{"type":"string"},"additionalItems":{"$ref":"#"},"items":{"anyOf":[{"$ref":"#"},{"$ref":"#/definitions/a"}]},"maxItems":{"$ref":"#/definitions/n"},"minItems":{"$ref":"#/definitions/n"},"uniqueItems":{"type":"boolean"},"contains":{"$ref":"#"},"maxProperties":{"$ref":"#/definitions/n"},"minProperties":{"$ref":"#/definitions/n"},"required":{"$ref":"#/definitions/s"},"additionalProperties":{"$ref":"#"},"definitions":{"$ref":"#/definitions/m"},"properties":{"$ref":"#/definitions/m"},"patternProperties":{"$ref":"#/definitions/m"},"dependencies":{"type":"object","additionalProperties":{"anyOf":[{"$ref":"#"},{"$ref":"#/definitions/s"}]}},"propertyNames":{"$ref":"#"},"enum":{"type":"array"},"type":{"anyOf":[{"$ref":"#/definitions/t"},{"type":"array","items":{"$ref":"#/definitions/t"},"minItems":1,"uniqueItems":true}]},"format":{"type":"string"},"contentMediaType":{"type":"string"},"contentEncoding":{"type":"string"},"if":{"$ref":"#"},"then":{"$ref":"#"},"else":{"$ref":"#"},"allOf":{"$ref":"#/definitions/a"},"anyOf":{"$ref":"#/definitions/a"},"oneOf":{"$ref":"#/definitions/a"},"not":{"$ref":"#"}}}"##;

const LATEST: &str = r##"{"$dynamicAnchor":"meta","type":["object","boolean"],"$defs":{"i":{"$dynamicRef":"#meta"},"a":{"type":"array","minItems":1,"items":{"$dynamicRef":"#meta"}},"n":{"type":"integer","minimum":0},"t":{"enum":["array","boolean","integer","null","number","object","string"]},"s":{"type":"array","items":{"type":"string"},"uniqueItems":true},"m":{"type":"object","additionalProperties":{"$dynamicRef":"#meta"}},"u":{"type":"string","pattern":"^[A-Za-z_][-A-Za-z0-9._]*$"}},"properties":{"$id":{"type":"string","pattern":"^[^#]*#?$"},"$schema":{"type":"string"},"$ref":{"type":"string"},"$anchor":{"$ref":"#/$defs/u"},"$dynamicRef":{"type":"string"},"$dynamicAnchor":{"$ref":"#/$defs/u"},"$vocabulary":{"type":"object","additionalProperties":{"type":"boolean"}},"$comment":{"type":"string"},"$defs":{"$ref":"#/$defs/m"},"title":{"type":"string"},"description":{"type":"string"},"deprecated":{"type":"boolean"},"readOnly":{"type":"boolean"},"writeOnly":{"type":"boolean"},"examples":{"type":"array"},"multipleOf":{"type":"number","exclusiveMinimum":0},"maximum":{"type":"number"},"exclusiveMaximum":{"type":"number"},"minimum":{"type":"number"},"exclusiveMinimum":{"type":"number"},"maxLength":{"$ref":"#/$defs/n"},"minLength":{"$ref":"#/$defs/n"},"pattern":{"type":"string"},"prefixItems":{"$ref":"#/$defs/a"},"items":{"$ref":"#/$defs/i"},"maxItems":{"$ref":"#/$defs/n"},"minItems":{"$ref":"#/$defs/n"},"uniqueItems":{"type":"boolean"},"contains":{"$ref":"#/$defs/i"},"minContains":{"$ref":"#/$defs/n"},"maxContains":{"$ref":"#/$defs/n"},"unevaluatedItems":{"$ref":"#/$defs/i"},"maxProperties":{"$ref":"#/$defs/n"},"minProperties":{"$ref":"#/$defs/n"},"required":{"$ref":"#/$defs/s"},"additionalProperties":{"$ref":"#/$defs/i"},"unevaluatedProperties":{"$ref":"#/$defs/i"},"definitions":{"$ref":"#/$defs/m"},"properties":{"$ref":"#/$defs/m"},"patternProperties":{"$ref":"#/$defs/m"},"dependentSchemas":{"$ref":"#/$defs/m"},"dependentRequired":{"type":"object","additionalProperties":{"$ref":"#/$defs/s"}},"dependencies":{"type":"object","additionalProperties":{"anyOf":[{"$ref":"#/$defs/i"},{"$ref":"#/$defs/s"}]}},"propertyNames":{"$ref":"#/$defs/i"},"enum":{"type":"array"},"type":{"anyOf":[{"$ref":"#/$defs/t"},{"type":"array","items":{"$ref":"#/$defs/t"},"minItems":1,"uniqueItems":true}]},"format":{"type":"string"},"contentMediaType":{"type":"string"},"contentEncoding":{"type":"string"},"contentSchema":{"$ref":"#/$defs/i"},"if":{"$ref":"#/$defs/i"},"then":{"$ref":"#/$defs/i"},"else":{"$ref":"#/$defs/i"},"allOf":{"$ref":"#/$defs/a"},"anyOf":{"$ref":"#/$defs/a"},"oneOf":{"$ref":"#/$defs/a"},"not":{"$ref":"#/$defs/i"}}}"##;
