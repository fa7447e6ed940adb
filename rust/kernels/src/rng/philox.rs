//! The block function.

use super::Key;
use crate::cpu::Work;

/// Blocks that are computed side by side.
pub(super) const LANES: usize = 16;

/// Words that a group of blocks has.
pub(super) const GROUP: usize = 4 * LANES;

/// A group's words: the first of every block, then the second of every block, …
pub(super) type Words = [u32; GROUP];

const MULTIPLIERS: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: u32 = 10;

/// One block.
#[inline(always)]
pub(super) fn block(mut counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    for round in 0..ROUNDS {
        let a = u64::from(counter[0]) * MULTIPLIERS[0];
        let b = u64::from(counter[2]) * MULTIPLIERS[1];
        let k0 = key[0].wrapping_add(round.wrapping_mul(WEYL[0]));
        let k1 = key[1].wrapping_add(round.wrapping_mul(WEYL[1]));
        counter = [
            (b >> 32) as u32 ^ counter[1] ^ k0,
            b as u32,
            (a >> 32) as u32 ^ counter[3] ^ k1,
            a as u32,
        ];
    }
    counter
}

/// The words of group `index` of a stream; `again` counts further words for the same
/// elements.
#[inline(always)]
pub(super) fn group(key: Key, index: u64, again: u32) -> Words {
    let first = key.offset.wrapping_add(index.wrapping_mul(LANES as u64));
    let seed = [key.seed as u32, (key.seed >> 32) as u32];
    let mut words = [[0; LANES]; 4];
    let [a, b, c, d] = &mut words;
    let lanes = a.iter_mut().zip(b).zip(c).zip(d).enumerate();
    for (l, (((a, b), c), d)) in lanes {
        let counter = first.wrapping_add(l as u64);
        [*a, *b, *c, *d] = block([counter as u32, (counter >> 32) as u32, again, 0], seed);
    }
    let mut flat = [0; GROUP];
    flat.copy_from_slice(words.as_flattened());
    flat
}

/// Writes the words of the groups from `first` on.
pub(super) struct Groups<'a> {
    pub(super) key: Key,
    pub(super) first: u64,
    pub(super) out: &'a mut [Words],
}

impl Work for Groups<'_> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        for (i, words) in self.out.iter_mut().enumerate() {
            *words = group(self.key, self.first + i as u64, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::block;

    /// From `kat_vectors` of Random123, the authors' library.
    #[test]
    fn blocks_have_the_published_values() {
        let max = u32::MAX;
        let known = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([max; 4], [max; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expect) in known {
            assert_eq!(block(counter, key), expect);
        }
    }
}
