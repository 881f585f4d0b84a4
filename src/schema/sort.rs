//! Sorting, once for all that this crate sorts: the standard library's own is 2 KB for each type.

/// Sorts by heap: never worse than n log n, and in place.
pub(crate) fn sort(all: &mut [(u64, usize)]) {
    for root in (0..all.len() / 2).rev() {
        sift(all, root, all.len());
    }
    for end in (1..all.len()).rev() {
        all.swap(0, end);
        sift(all, 0, end);
    }
}

/// Lets the first of a heap sink to its place.
fn sift(all: &mut [(u64, usize)], mut root: usize, end: usize) {
    loop {
        let mut child = 2 * root + 1;
        if child + 1 < end && all.get(child) < all.get(child + 1) {
            child += 1;
        }
        if child >= end || all.get(root) >= all.get(child) {
            return;
        }
        all.swap(root, child);
        root = child;
    }
}
