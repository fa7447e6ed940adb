//! Categories drawn by weight.

use super::make::unit64;
use super::philox::{GROUP, Words, group};
use super::{Key, with_float};
use crate::buffer::Arg;
use crate::cpu::{Work, dispatch};
use crate::float::Stored;
use crate::math::double;
use crate::shared::Shared;
use crate::{Checked, Fault, threads};

/// Draws categories with probabilities proportional to the weights in each row.
///
/// With replacement by inversion of the running sum. Without, the largest of
/// `log(weight) - log(-log(uniform))`, in falling order: the exponential race of P. Efraimidis
/// and P. Spirakis, "Weighted random sampling with a reservoir", 2006. A category of weight 0
/// is never drawn.
///
/// `weights` is `[rows, classes]` floats, `out` `[rows, samples]` of `i64`. `work` is `f64`:
/// `[rows, classes]` running sums with replacement, `[rows, samples]` keys without. If a fault
/// is found nothing is written.
///
/// # Panics
/// When an argument is not such a contiguous window inside its buffer.
pub fn choose(key: Key, weights: Arg, replacement: bool, out: Arg, work: Arg) -> Checked {
    with_float!(weights.dtype, T => choose_as::<T>(key, weights, replacement, out, work))
}

fn choose_as<T: Stored + Into<f64>>(
    key: Key,
    weights: Arg,
    replacement: bool,
    out: Arg,
    work: Arg,
) -> Checked {
    let (classes, samples) = (weights.layout.shape[1], out.layout.shape[1]);
    let (rows, width) = (out.layout.shape[0], work.layout.shape[1]);
    let (weights, out, work) =
        (weights.slice::<T>(), out.slice_mut::<i64>(), work.slice_mut::<f64>());
    let (out, work) = (Shared::new(out), Shared::new(work));
    let needed = if replacement { samples.min(1) } else { samples };
    for row in 0..rows {
        check(&weights[row * classes..][..classes], needed)?;
    }
    threads::for_ranges(rows, 1, 40 * (classes + samples), |range| {
        for row in range {
            // SAFETY: each row belongs to one range.
            let (out, work) = unsafe {
                (
                    out.part(row * samples..(row + 1) * samples),
                    work.part(row * width..(row + 1) * width),
                )
            };
            let weights = &weights[row * classes..][..classes];
            let drawn = if replacement { samples } else { classes };
            let noise = Noise::new(key, (row * drawn) as u64);
            if replacement {
                dispatch(Inversion { weights, noise, out, sums: work });
            } else {
                dispatch(Race { weights, noise, best: Best { ids: out, keys: work, len: 0 } });
            }
        }
    });
    Ok(())
}

fn check<T: Copy + Into<f64>>(weights: &[T], needed: usize) -> Checked {
    let mut positive = 0;
    for &weight in weights {
        let weight: f64 = weight.into();
        if !(0.0..f64::INFINITY).contains(&weight) {
            return Err(Fault::Weight { weight });
        }
        positive += usize::from(weight > 0.0);
    }
    if positive < needed { Err(Fault::Weights { positive, needed }) } else { Ok(()) }
}

/// Uniform numbers in `[0, 1)`, one after the other.
struct Noise {
    key: Key,
    next: u64,
    words: Words,
}

impl Noise {
    const SERVES: u64 = GROUP as u64 / 2;

    fn new(key: Key, first: u64) -> Noise {
        let begun = !first.is_multiple_of(Self::SERVES);
        let words = if begun { group(key, first / Self::SERVES, 0) } else { [0; GROUP] };
        Noise { key, next: first, words }
    }

    #[inline(always)]
    fn draw(&mut self) -> f64 {
        let lane = (self.next % Self::SERVES) as usize;
        if lane == 0 {
            self.words = group(self.key, self.next / Self::SERVES, 0);
        }
        self.next += 1;
        unit64(self.words[lane], self.words[lane + GROUP / 2])
    }
}

struct Inversion<'a, T> {
    weights: &'a [T],
    noise: Noise,
    out: &'a mut [i64],
    sums: &'a mut [f64],
}

impl<T: Copy + Into<f64>> Work for Inversion<'_, T> {
    type Out = ();

    #[inline(always)]
    fn run(mut self) {
        let largest = self.weights.iter().fold(0.0, |most: f64, &w| most.max(w.into()));
        let mut total = 0.0;
        for (sum, &weight) in self.sums.iter_mut().zip(self.weights) {
            total += weight.into() / largest;
            *sum = total;
        }
        // The first place that holds the total: where rounding reaches it, the draw ends here.
        let last = self.sums.partition_point(|&sum| sum < total);
        for id in self.out {
            let aim = self.noise.draw() * total;
            *id = self.sums.partition_point(|&sum| sum <= aim).min(last) as i64;
        }
    }
}

struct Race<'a, T> {
    weights: &'a [T],
    noise: Noise,
    best: Best<'a>,
}

impl<T: Copy + Into<f64>> Work for Race<'_, T> {
    type Out = ();

    #[inline(always)]
    fn run(mut self) {
        for (id, &weight) in self.weights.iter().enumerate() {
            let (weight, uniform): (f64, f64) = (weight.into(), self.noise.draw());
            if weight > 0.0 {
                let key = double::log(weight) - double::log(-double::log(1.0 - uniform));
                self.best.offer(key, id as i64);
            }
        }
        self.best.sort();
    }
}

/// The entries with the largest keys so far, as a heap with the smallest on top; of equal
/// keys the later entry counts as smaller.
struct Best<'a> {
    ids: &'a mut [i64],
    keys: &'a mut [f64],
    len: usize,
}

impl Best<'_> {
    fn less(&self, a: usize, b: usize) -> bool {
        let order = self.keys[a].total_cmp(&self.keys[b]).then(self.ids[b].cmp(&self.ids[a]));
        order.is_lt()
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.ids.swap(a, b);
        self.keys.swap(a, b);
    }

    fn offer(&mut self, key: f64, id: i64) {
        if self.len < self.ids.len() {
            (self.ids[self.len], self.keys[self.len]) = (id, key);
            self.len += 1;
            let mut at = self.len - 1;
            while at > 0 && self.less(at, (at - 1) / 2) {
                self.swap(at, (at - 1) / 2);
                at = (at - 1) / 2;
            }
        } else if self.len > 0 && key > self.keys[0] {
            (self.ids[0], self.keys[0]) = (id, key);
            self.sink(self.len);
        }
    }

    /// Lets the entry on top of the first `len` find its place.
    fn sink(&mut self, len: usize) {
        let mut at = 0;
        loop {
            let mut least = at;
            for child in [2 * at + 1, 2 * at + 2] {
                if child < len && self.less(child, least) {
                    least = child;
                }
            }
            if least == at {
                return;
            }
            self.swap(at, least);
            at = least;
        }
    }

    /// The largest first.
    fn sort(&mut self) {
        for len in (1..self.len).rev() {
            self.swap(0, len);
            self.sink(len);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtype::DType;
    use crate::testing::Tensor;

    const KEY: Key = Key { seed: 77, offset: 3 };

    fn draw(weights: &Tensor, samples: usize, replacement: bool) -> Result<Vec<i64>, Fault> {
        let (rows, classes) = (weights.layout.shape[0], weights.layout.shape[1]);
        let out = Tensor::new(&vec![-1i64; rows * samples], &[rows, samples]);
        let width = if replacement { classes } else { samples };
        let work = Tensor::new(&vec![0f64; rows * width], &[rows, width]);
        choose(KEY, weights.arg(), replacement, out.arg(), work.arg())?;
        Ok(out.values())
    }

    #[test]
    fn without_replacement_all_positive_categories_come_once() {
        for dtype in [DType::F32, DType::F64] {
            let data: Vec<f64> = (0..200).map(|i| f64::from(i % 3)).collect();
            let single: Vec<f32> = data.iter().map(|&x| x as f32).collect();
            let weights = match dtype {
                DType::F32 => Tensor::new(&single, &[2, 100]),
                _ => Tensor::new(&data, &[2, 100]),
            };
            for row in draw(&weights, 66, false).unwrap().chunks_mut(66) {
                row.sort_unstable();
                assert!(row.windows(2).all(|pair| pair[0] < pair[1]));
                assert!(row.iter().all(|&id| (0..100).contains(&id)));
            }
            let fault = Fault::Weights { positive: 66, needed: 67 };
            assert_eq!(draw(&weights, 67, false), Err(fault));
        }
    }

    #[test]
    fn fewer_draws_are_the_first_of_more() {
        let weights = Tensor::new(&[0.5f64, 0.0, 3.0, 1e-300, 1e300, 2.0, 1.0], &[1, 7]);
        let all = draw(&weights, 6, false).unwrap();
        for samples in 0..6 {
            assert_eq!(draw(&weights, samples, false).unwrap(), all[..samples]);
        }
        let many = draw(&weights, 90, true).unwrap();
        assert_eq!(draw(&weights, 41, true).unwrap(), many[..41]);
    }

    #[test]
    fn the_extremes_of_the_range_are_weights() {
        let weights = Tensor::new(&[f64::MAX, 5e-324, f64::MAX, 0.0], &[1, 4]);
        assert!(draw(&weights, 1000, true).unwrap().iter().all(|&id| id == 0 || id == 2));
        assert_eq!(draw(&weights, 3, false).unwrap()[2], 1);
        for wrong in [-1.0, f64::NAN, f64::INFINITY] {
            let weights = Tensor::new(&[1.0, wrong], &[1, 2]);
            assert!(matches!(draw(&weights, 1, true), Err(Fault::Weight { .. })));
        }
    }
}
