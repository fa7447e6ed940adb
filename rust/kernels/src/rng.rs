//! Random numbers from a counter: Philox4x32-10 (J. Salmon, M. Moraes, R. Dror and D. Shaw,
//! "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
//!
//! Element i of a stream depends only on the key and i, so streams can be made in any order,
//! by any number of threads. Blocks are taken 16 at a time, a group of 64 words: first the
//! first word of each block, then the second, and so on. Word i serves element i of the
//! group; where an element takes two words, word i + 32 serves element i too.

mod choice;
mod make;
mod philox;
#[cfg(test)]
mod tests;

use crate::buffer::Arg;
use crate::cpu::{Work, dispatch};
use crate::dtype::{DType, Element, by_width};
use crate::float::{with_float, with_ordered};
use crate::half::{BF16, F16};
use crate::scalar::Scalar;
use crate::shared::split_rows;
pub use choice::choose;
use make::{Bernoulli, Integers, Normal, Rounded, Uniform, Whole};
use philox::{GROUP, Groups, LANES, Words};

/// Where in which stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which stream.
    pub seed: u64,
    /// How many blocks of 4 times 32 bits come before.
    pub offset: u64,
}

/// Groups whose words are made in one go.
const BATCH: usize = 8;

/// Blocks that one call for `numel` elements consumes at most; the next call's offset
/// lies this much further. The same for every dtype and distribution.
pub fn blocks(numel: usize, _dtype: DType) -> u64 {
    (numel.div_ceil(GROUP / 2) * LANES) as u64
}

/// Turns the words of a group into elements.
trait Make<T>: Copy + Sync {
    /// Elements that one group serves.
    const SERVES: usize;
    /// Scalar operations per element.
    const COST: usize;
    /// Makes the first `SERVES` elements.
    fn make(self, words: &Words, at: Place, out: &mut [T; GROUP]);
}

/// Which group of which stream, for those who need more words.
#[derive(Clone, Copy)]
struct Place {
    key: Key,
    group: u64,
}

struct Stream<'a, T, M> {
    make: M,
    at: Place,
    words: &'a [Words],
    out: &'a mut [T],
}

impl<T: Copy + Default, M: Make<T>> Work for Stream<'_, T, M> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let mut made = [T::default(); GROUP];
        for (i, piece) in self.out.chunks_mut(M::SERVES).enumerate() {
            let at = Place { group: self.at.group + i as u64, ..self.at };
            self.make.make(&self.words[i], at, &mut made);
            piece.copy_from_slice(&made[..piece.len()]);
        }
    }
}

/// Makes elements from the start of group `first` on.
fn draw<T: Copy + Default, M: Make<T>>(make: M, key: Key, first: u64, out: &mut [T]) {
    let mut words = [[0; GROUP]; BATCH];
    for (i, out) in out.chunks_mut(BATCH * M::SERVES).enumerate() {
        let at = Place { key, group: first + (i * BATCH) as u64 };
        let words = &mut words[..out.len().div_ceil(M::SERVES)];
        dispatch(Groups { key, first: at.group, out: &mut *words });
        dispatch(Stream { make, at, words, out });
    }
}

/// Fills `out`, which must be contiguous.
fn stream<T: Element + Default, M: Make<T>>(make: M, key: Key, out: Arg) {
    stream_to(make, key, out.slice_mut::<T>());
}

fn stream_to<T: Copy + Default + Send + Sync, M: Make<T>>(make: M, key: Key, out: &mut [T]) {
    let whole = out.len() / M::SERVES * M::SERVES;
    let (body, tail) = out.split_at_mut(whole);
    split_rows(body, M::SERVES, M::SERVES * M::COST, |first, out| {
        draw(make, key, first as u64, out);
    });
    draw(make, key, (whole / M::SERVES) as u64, tail);
}

/// Uniform numbers in `[low, high)` from 24 (`f32` and narrower) or 53 (`f64`) random bits; all
/// `low` where the two are equal.
///
/// # Panics
/// When `out` is not a contiguous window of floats inside its buffer.
pub fn uniform(key: Key, low: f64, high: f64, out: Arg) {
    match out.dtype {
        DType::F16 => stream::<F16, _>(Rounded::below(low, high, F16::next_down), key, out),
        DType::BF16 => {
            stream::<BF16, _>(Rounded::below(low, high, BF16::next_down), key, out);
        }
        DType::F32 => stream(Uniform::<f32>::new(low, high), key, out),
        DType::F64 => stream(Uniform::<f64>::new(low, high), key, out),
        other => panic!("a float dtype, got {other}"),
    }
}

/// Normal numbers by the transformation of Box and Muller (1958): pairs of elements share a
/// radius from 32 (`f32`) or 53 (`f64`) random bits.
///
/// # Panics
/// As [`uniform`].
pub fn normal(key: Key, mean: f64, std: f64, out: Arg) {
    let single = Normal { mean: mean as f32, std: std as f32 };
    match out.dtype {
        DType::F16 => stream::<F16, _>(Rounded::of(single), key, out),
        DType::BF16 => stream::<BF16, _>(Rounded::of(single), key, out),
        DType::F32 => stream(single, key, out),
        DType::F64 => stream(Normal { mean, std }, key, out),
        other => panic!("a float dtype, got {other}"),
    }
}

/// `scale` with probability `p` (to within 2^-33), else 0.
///
/// # Panics
/// When `out` is not a contiguous window inside its buffer.
pub fn bernoulli(key: Key, p: f64, scale: f64, out: Arg) {
    let hit = Scalar::Float(scale).to_bytes(out.dtype);
    by_width!(out.dtype.width(), T => {
        // SAFETY: `to_bytes` gives 16 bytes, at least as many as a `T` has.
        let hit = unsafe { hit.as_ptr().cast::<T>().read_unaligned() };
        stream_to(Bernoulli::new(p, hit), key, out.words_mut::<T>());
    });
}

/// Uniform integers in `low..high`: 64 random bits times the range (bias below 2^-32), or,
/// where the range exceeds 2^32, D. Lemire's unbiased variant of that.
///
/// # Panics
/// When `low >= high`, or as [`bernoulli`].
pub fn integers(key: Key, low: i64, high: i64, out: Arg) {
    assert!(low < high, "a range of integers");
    let make = Integers { low, range: high.wrapping_sub(low) as u64 };
    with_ordered!(out.dtype, T => stream::<T, _>(make, key, out))
}

/// A permutation of `0..n` by the shuffle of Fisher and Yates (bias below n 2^-64 a step).
///
/// # Panics
/// When `out` is not a contiguous window of `i64` inside its buffer.
pub fn permutation(key: Key, out: Arg) {
    let out = out.slice_mut::<i64>();
    for (i, x) in out.iter_mut().enumerate() {
        *x = i as i64;
    }
    let mut draws = [0i64; GROUP];
    for (step, i) in (1..out.len()).rev().enumerate() {
        let serves = <Whole as Make<i64>>::SERVES;
        if step % serves == 0 {
            draw(Whole, key, (step / serves) as u64, &mut draws[..serves]);
        }
        let draw = draws[step % serves] as u64;
        out.swap(i, ((u128::from(draw) * (i as u128 + 1)) >> 64) as usize);
    }
}
