//! A short hash for keys that the program itself makes: numbers of buffers, addresses, layouts.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A map by such keys.
pub(super) type QuickMap<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;

/// A set of such keys.
pub(super) type QuickSet<K> = HashSet<K, BuildHasherDefault<Quick>>;

/// One multiplication for each number. Nobody from outside chooses the keys, so nothing has to be
/// kept from finding some that collide.
#[derive(Default)]
pub(super) struct Quick(u64);

/// 2^64 by the golden ratio, whose multiples lie evenly.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        words.iter().for_each(|word| self.write_u64(u64::from_ne_bytes(*word)));
        rest.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(23) ^ number).wrapping_mul(FACTOR);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    // The upper bits of a product depend on all bits of the number, and maps look at the lower.
    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::{BuildHasher, BuildHasherDefault};

    use weft_kernels::{Layout, Shape};

    use super::Quick;

    /// How many of the lowest 12 bits' values 4096 keys take; chance takes 63 of 100.
    fn spread<K: std::hash::Hash>(key: impl Fn(usize) -> K) -> usize {
        let hash = BuildHasherDefault::<Quick>::default();
        let low = (0..4096).map(|i| hash.hash_one(key(i)) & 4095);
        low.collect::<HashSet<u64>>().len()
    }

    #[test]
    fn numbers_addresses_and_layouts_are_spread_in_the_lower_bits() {
        assert!(spread(|i| i as u64) > 2400);
        assert!(spread(|i| 0x7f00_0000_0000 + i * 64) > 2400);
        let row = Layout::contiguous(Shape::new(&[8]));
        assert!(spread(|i| Layout { offset: 8 * i, ..row }) > 2400);
        assert!(spread(|i| Layout::contiguous(Shape::new(&[i, 2]))) > 2400);
    }
}
