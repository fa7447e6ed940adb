//! Offsets in one slab for values that live at different times.

use std::collections::{BTreeMap, BTreeSet};

/// Every offset is a multiple of this.
const ALIGN: usize = 64;

/// A value that needs memory from step `first` to step `last`, inclusive.
#[derive(Debug, Clone, Copy)]
pub struct Life {
    /// Bytes needed.
    pub bytes: usize,
    /// The step that writes it.
    pub first: usize,
    /// The last step that touches it.
    pub last: usize,
}

/// Free pieces of the slab, by offset and by size.
#[derive(Default)]
struct Free {
    by_offset: BTreeMap<usize, usize>,
    by_size: BTreeSet<(usize, usize)>,
}

impl Free {
    fn add(&mut self, mut offset: usize, mut size: usize) {
        if let Some((&before, &len)) = self.by_offset.range(..offset).next_back()
            && before + len == offset
        {
            self.remove(before, len);
            offset = before;
            size += len;
        }
        if let Some(&len) = self.by_offset.get(&(offset + size)) {
            self.remove(offset + size, len);
            size += len;
        }
        self.by_offset.insert(offset, size);
        self.by_size.insert((size, offset));
    }

    fn remove(&mut self, offset: usize, size: usize) {
        self.by_offset.remove(&offset);
        self.by_size.remove(&(size, offset));
    }

    /// The smallest piece that fits.
    fn take(&mut self, size: usize) -> Option<usize> {
        let &(len, offset) = self.by_size.range((size, 0)..).next()?;
        self.remove(offset, len);
        if len > size {
            self.add(offset + size, len - size);
        }
        Some(offset)
    }
}

/// Offsets (one per life, in the given order) and the slab's size in bytes, by best fit in
/// order of time. `lives` are sorted by `first`.
pub fn pack(lives: &[Life]) -> (Vec<usize>, usize) {
    let mut ends: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut free = Free::default();
    let mut top = 0;
    let mut offsets = vec![0; lives.len()];
    let size = |life: &Life| life.bytes.next_multiple_of(ALIGN).max(ALIGN);
    for (i, life) in lives.iter().enumerate() {
        let alive = ends.split_off(&life.first);
        for ended in std::mem::replace(&mut ends, alive).into_values().flatten() {
            free.add(offsets[ended], size(&lives[ended]));
        }
        offsets[i] = free.take(size(life)).unwrap_or_else(|| {
            let mut offset = top;
            if let Some((&last, &len)) = free.by_offset.iter().next_back()
                && last + len == top
            {
                free.remove(last, len);
                offset = last;
            }
            top = offset + size(life);
            offset
        });
        ends.entry(life.last).or_default().push(i);
    }
    (offsets, top)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(bytes: usize, first: usize, last: usize) -> Life {
        Life { bytes, first, last }
    }

    #[test]
    fn values_alive_together_never_overlap() {
        let mut seed = 1u64;
        let mut next = |n: u64| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) % n
        };
        for _ in 0..200 {
            let mut lives: Vec<Life> = (0..60)
                .map(|_| {
                    let first = next(40) as usize;
                    life(next(5000) as usize, first, first + next(12) as usize)
                })
                .collect();
            lives.sort_by_key(|l| l.first);
            let (offsets, top) = pack(&lives);
            for (i, a) in lives.iter().enumerate() {
                assert!(offsets[i] + a.bytes <= top);
                for (j, b) in lives.iter().enumerate().skip(i + 1) {
                    let together = a.first <= b.last && b.first <= a.last;
                    let apart = offsets[i] + a.bytes.max(1) <= offsets[j]
                        || offsets[j] + b.bytes.max(1) <= offsets[i];
                    assert!(!together || apart, "{a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn memory_is_used_again() {
        let (offsets, top) = pack(&[life(640, 0, 1), life(64, 1, 2), life(640, 2, 3)]);
        assert_eq!((offsets, top), (vec![0, 640, 0], 704));
    }
}
