//! What a reference is to.

use serde_json::Value;

use super::{Compiler, Place, address};
use crate::node::{Id, NEVER};
use crate::{uri, violation};

impl<'v> Compiler<'v> {
    /// The node that a reference is to, and its name where that is a dynamic anchor.
    pub(super) fn reference(&mut self, reference: &'v Value, resource: usize) -> Result<(Id, Option<&'v str>), String> {
        let Some(text) = reference.as_str() else {
            return Err(format!("it is {}; a reference is a string", violation::shown(reference)));
        };
        let (document, fragment) = uri::split(text);
        let found = if document.is_empty() { resource } else { self.document(text, document, resource)? };
        let decoded = uri::decoded(fragment);
        let nowhere = || format!("{} is nowhere in this schema", violation::quoted(text));
        if !decoded.is_empty() && !decoded.starts_with('/') {
            let (value, dynamic) = self.index.anchor(found, &decoded).ok_or_else(nowhere)?;
            return Ok((self.node(value, found)?, dynamic.then_some(fragment)));
        }
        let (value, resource) = self.pointed(found, &decoded).ok_or_else(nowhere)?;
        let id = self.node(value, resource)?;
        if let Some(place) = self.places.get_mut(id).filter(|place| matches!(place, Place::Root))
            && id > NEVER
        {
            *place = Place::Far(found, decoded);
        }
        Ok((id, None))
    }

    /// The resource that a reference's part before the fragment is of.
    fn document(&mut self, text: &str, document: &str, resource: usize) -> Result<usize, String> {
        let whole = uri::resolve(self.index.uri(resource), document);
        match (self.index.find(&whole).as_slice(), self.metas.get(&whole, self.draft)) {
            ([only], _) => Ok(*only),
            ([], Some(meta)) => self.index.add(whole, meta, self.draft).map_err(|refusal| refusal.message),
            ([], None) => Err(format!(
                "{} is not in this schema, and nothing is fetched: what is referred to must stand in $defs",
                violation::quoted(text)
            )),
            _ => Err(format!("more than one schema in it has the $id {}", violation::quoted(&whole))),
        }
    }

    /// What a JSON pointer leads to, and the resource that this stands in.
    fn pointed(&mut self, resource: usize, pointer: &str) -> Option<(&'v Value, usize)> {
        let mut value = self.index.value(resource)?;
        let mut resource = resource;
        for name in pointer.split('/').skip(1) {
            let name = unescaped(name);
            value = match value {
                Value::Object(members) => members.get(&name),
                Value::Array(items) if name == "0" || !name.starts_with(['0', '+']) => items.get(name.parse::<usize>().ok()?),
                _ => None,
            }?;
            if let Some(entry) = self.index.entry(address(value)) {
                resource = entry.resource;
            }
        }
        Some((value, resource))
    }
}

/// A name as a JSON pointer has it: `~1` is a slash, `~0` a tilde.
fn unescaped(name: &str) -> String {
    let mut text = String::new();
    let mut parts = name.split('~');
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        text.push(if part.starts_with('1') { '/' } else { '~' });
        text.push_str(part.strip_prefix(['0', '1']).unwrap_or(part));
    }
    text
}
