//! Sorting, with one copy of the standard library's sort in the modules that hosts
//! load: it takes 4 KB for each order that it is compiled for.

use std::cmp::Ordering;

/// Sorts indexes; equals stay in their order.
#[inline(never)]
pub(crate) fn sort(indexes: &mut [usize], compare: &dyn Fn(usize, usize) -> Ordering) {
    indexes.sort_by(|one, other| compare(*one, *other));
}
