//! Sets of characters.

use super::property::Property;

/// A set of characters.
#[derive(Debug, Default)]
pub(super) struct Set {
    pub(super) ranges: Vec<(char, char)>,
    /// Those with a property, or (where that is true) without it.
    pub(super) properties: Vec<(Property, bool)>,
    /// Whether it is all others.
    pub(super) negated: bool,
}

impl Set {
    /// Whether a character is in it. A large set takes more than one step.
    pub(super) fn holds(&self, character: char, left: &mut usize) -> bool {
        *left = left.saturating_sub(1 + self.ranges.len() / 8 + self.properties.len());
        let within = self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&character))
            || self.properties.iter().any(|(property, without)| property.holds(character) != *without);
        within != self.negated
    }
}
