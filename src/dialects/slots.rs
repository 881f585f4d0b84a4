//! Values by the index that a stream gives them: choices, parts, items, calls.
//!
//! An ordered map of the standard library is compiled anew for each type of value, 4 KB of the worker each time. So the one map here leads from an index
//! to a place in a list, and is compiled once. It stays a map, and no sorted list: indices are a provider's, who may count down from a million.

use std::collections::BTreeMap;

/// Values by index, in its order.
#[derive(Clone, Debug)]
pub(crate) struct Slots<V> {
    /// Where among `values` an index's is; there is one at every such place, until it is taken out.
    places: BTreeMap<u64, usize>,
    /// In the order in which they came.
    values: Vec<Option<V>>,
}

impl<V> Default for Slots<V> {
    fn default() -> Self {
        Self { places: BTreeMap::new(), values: Vec::new() }
    }
}

impl<V> Slots<V> {
    /// The value of an index.
    pub(crate) fn get(&self, index: impl Into<u64>) -> Option<&V> {
        self.values.get(*self.places.get(&index.into())?)?.as_ref()
    }

    /// The same, to be changed.
    pub(crate) fn get_mut(&mut self, index: impl Into<u64>) -> Option<&mut V> {
        self.values.get_mut(*self.places.get(&index.into())?)?.as_mut()
    }

    /// The value of an index, which is made where there is none.
    pub(crate) fn of(&mut self, index: impl Into<u64>, fresh: impl FnOnce() -> V) -> &mut V {
        let next = self.values.len();
        let place = *self.places.entry(index.into()).or_insert(next);
        if place == next {
            self.values.push(None);
        }
        #[expect(
            clippy::indexing_slicing,
            reason = "a place is the length of the list when it is given, and the list shrinks only when no place is left"
        )]
        self.values[place].get_or_insert_with(fresh)
    }

    /// Gives an index a value, instead of what it had.
    pub(crate) fn insert(&mut self, index: impl Into<u64>, value: V) {
        let index = index.into();
        self.remove(index);
        self.of(index, || value);
    }

    /// Takes an index's value out.
    pub(crate) fn remove(&mut self, index: impl Into<u64>) -> Option<V> {
        let place = self.places.remove(&index.into())?;
        let value = self.values.get_mut(place)?.take();
        // Things that are told one after the other take no more room than one.
        if self.places.is_empty() {
            self.values.clear();
        }
        value
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The values, to be changed, in the order in which they came.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.values.iter_mut().flatten()
    }

    /// The indices, in order.
    pub(crate) fn indices(&self) -> impl DoubleEndedIterator<Item = u64> {
        self.places.keys().copied()
    }

    /// The indices with their values, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &V)> {
        self.places.iter().filter_map(|(index, place)| Some((*index, self.values.get(*place)?.as_ref()?)))
    }

    /// The same, to be used up.
    pub(crate) fn into_all(mut self) -> Vec<(u64, V)> {
        let mut all = Vec::with_capacity(self.places.len());
        for (index, place) in &self.places {
            if let Some(value) = self.values.get_mut(*place).and_then(Option::take) {
                all.push((*index, value));
            }
        }
        all
    }

    /// The values, in the order of their indices.
    pub(crate) fn into_values(self) -> Vec<V> {
        self.into_all().into_iter().map(|(_, value)| value).collect()
    }
}

impl<V: Default> Slots<V> {
    /// The value of an index, the usual one where there is none.
    pub(crate) fn or_default(&mut self, index: impl Into<u64>) -> &mut V {
        self.of(index, V::default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_in_the_order_of_their_indices_whichever_came_first() {
        let mut slots = Slots::default();
        for (index, value) in [(7_u64, "g"), (0, "a"), (3, "d"), (u64::MAX, "z")] {
            let _ = slots.of(index, || value.to_owned());
        }
        *slots.or_default(3_u32) += "!";
        slots.or_default(1_u32).push('b');
        assert_eq!(slots.of(7_u32, || "again".to_owned()), "g");
        assert_eq!(slots.get(3_u32).map(String::as_str), Some("d!"));
        assert_eq!(slots.get(2_u32), None);
        assert_eq!(slots.get_mut(2_u32), None);
        assert_eq!(slots.indices().next_back(), Some(u64::MAX));
        assert_eq!(
            slots.iter().map(|(index, value)| (index, value.as_str())).collect::<Vec<_>>(),
            [(0, "a"), (1, "b"), (3, "d!"), (7, "g"), (u64::MAX, "z")]
        );
        assert_eq!(slots.into_values().concat(), "abd!gz");
    }

    #[test]
    fn what_is_taken_out_or_replaced_is_gone_and_its_index_is_free() {
        let mut slots = Slots::default();
        slots.insert(1_u32, 'a');
        slots.insert(0_u32, 'b');
        slots.insert(1_u32, 'c');
        assert_eq!((slots.len(), slots.get(1_u32)), (2, Some(&'c')));
        assert_eq!((slots.remove(1_u32), slots.remove(1_u32), slots.len(), slots.is_empty()), (Some('c'), None, 1, false));
        assert_eq!(*slots.of(1_u32, || 'd'), 'd');
        assert_eq!(slots.clone().into_all(), [(0, 'b'), (1, 'd')]);
        assert_eq!((slots.remove(0_u32), slots.remove(1_u32), slots.is_empty()), (Some('b'), Some('d'), true));
        assert_eq!(slots.into_values(), []);
    }
}
