//! Distributions.

use super::philox::{GROUP, Words, group};
use super::{Make, Place};
use crate::float::Stored;
use crate::half::{BF16, F16};
use crate::math::{double, single};

/// Elements that a group serves where each takes two words.
const HALF: usize = GROUP / 2;

/// 24 bits as a number in [0, 1).
#[inline(always)]
fn unit32(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / 16777216.0)
}

/// 53 bits as a number in [0, 1).
#[inline(always)]
pub(super) fn unit64(high: u32, low: u32) -> f64 {
    let bits = (u64::from(high) << 21) | u64::from(low >> 11);
    bits as f64 * (1.0 / 9007199254740992.0)
}

#[derive(Clone, Copy)]
pub(super) struct Uniform<T> {
    low: T,
    span: T,
    /// The largest number below the upper end, which rounding might reach.
    last: T,
}

macro_rules! uniform {
    ($t:ty) => {
        impl Uniform<$t> {
            pub(super) fn new(low: f64, high: f64) -> Self {
                let (low, high) = (low as $t, high as $t);
                Uniform { low, span: high - low, last: high.next_down().max(low) }
            }

            #[inline(always)]
            fn of(self, unit: $t) -> $t {
                let x = self.low + unit * self.span;
                if x > self.last { self.last } else { x }
            }
        }
    };
}
uniform!(f32);
uniform!(f64);

impl Make<f32> for Uniform<f32> {
    const SERVES: usize = GROUP;
    const COST: usize = 4;
    #[inline(always)]
    fn make(self, words: &Words, _: Place, out: &mut [f32; GROUP]) {
        for (x, &word) in out.iter_mut().zip(words) {
            *x = self.of(unit32(word));
        }
    }
}

impl Make<f64> for Uniform<f64> {
    const SERVES: usize = HALF;
    const COST: usize = 8;
    #[inline(always)]
    fn make(self, words: &Words, _: Place, out: &mut [f64; GROUP]) {
        for i in 0..HALF {
            out[i] = self.of(unit64(words[i], words[i + HALF]));
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Normal<T> {
    pub(super) mean: T,
    pub(super) std: T,
}

impl Make<f32> for Normal<f32> {
    const SERVES: usize = GROUP;
    const COST: usize = 10;
    #[inline(always)]
    fn make(self, words: &Words, _: Place, out: &mut [f32; GROUP]) {
        for i in 0..HALF {
            // In (0, 1], so that the logarithm is finite.
            let u = (words[i] as f32).mul_add(1.0 / 4294967296.0, 0.5 / 4294967296.0);
            let radius = (-2.0 * single::log(u)).sqrt();
            let (sin, cos) = single::sin_cos_turns(unit32(words[i + HALF]));
            out[i] = self.mean + self.std * (radius * cos);
            out[i + HALF] = self.mean + self.std * (radius * sin);
        }
    }
}

impl Make<f64> for Normal<f64> {
    const SERVES: usize = HALF;
    const COST: usize = 20;
    #[inline(always)]
    fn make(self, words: &Words, _: Place, out: &mut [f64; GROUP]) {
        const QUARTER: usize = HALF / 2;
        for i in 0..QUARTER {
            let u = 1.0 - unit64(words[i], words[i + HALF]);
            let radius = (-2.0 * double::log(u)).sqrt();
            let turns = unit64(words[i + QUARTER], words[i + QUARTER + HALF]);
            let (sin, cos) = double::sin_cos_turns(turns);
            out[i] = self.mean + self.std * (radius * cos);
            out[i + QUARTER] = self.mean + self.std * (radius * sin);
        }
    }
}

/// Singles, rounded to elements of sixteen bits.
#[derive(Clone, Copy)]
pub(super) struct Rounded<M, T> {
    make: M,
    /// The largest element that is wanted, where rounding might reach beyond.
    last: Option<T>,
}

impl<M, T> Rounded<M, T> {
    pub(super) fn of(make: M) -> Self {
        Rounded { make, last: None }
    }
}

impl<T: Stored<Wide = f32> + PartialOrd> Rounded<Uniform<f32>, T> {
    /// Uniform elements below `high`, or `low` where no other is.
    pub(super) fn below(low: f64, high: f64, next_down: fn(T) -> T) -> Self {
        let (first, end) = (T::store(low as f32), T::store(high as f32));
        let last = if end.load() < high as f32 { end } else { next_down(end) };
        let last = if last < first { first } else { last };
        Rounded { make: Uniform::<f32>::new(low, high), last: Some(last) }
    }
}

impl<M: Make<f32>, T: Stored<Wide = f32> + PartialOrd> Make<T> for Rounded<M, T> {
    const SERVES: usize = M::SERVES;
    const COST: usize = M::COST + 4;
    #[inline(always)]
    fn make(self, words: &Words, at: Place, out: &mut [T; GROUP]) {
        let mut single = [0f32; GROUP];
        self.make.make(words, at, &mut single);
        for (x, &single) in out.iter_mut().zip(&single) {
            let made = T::store(single);
            *x = match self.last {
                Some(last) if made > last => last,
                Some(_) | None => made,
            };
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Bernoulli<T> {
    /// Words up to this one are hits, if there are any.
    last_hit: u32,
    hit: T,
}

impl<T: Default> Bernoulli<T> {
    pub(super) fn new(p: f64, scale: T) -> Self {
        let hits = (p * 4294967296.0).round() as u64;
        match hits {
            0 => Bernoulli { last_hit: 0, hit: T::default() },
            _ => Bernoulli { last_hit: (hits - 1).min(u64::from(u32::MAX)) as u32, hit: scale },
        }
    }
}

impl<T: Copy + Default + Sync> Make<T> for Bernoulli<T> {
    const SERVES: usize = GROUP;
    const COST: usize = 4;
    #[inline(always)]
    fn make(self, words: &Words, _: Place, out: &mut [T; GROUP]) {
        for (x, &word) in out.iter_mut().zip(words) {
            *x = if word <= self.last_hit { self.hit } else { T::default() };
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Integers {
    pub(super) low: i64,
    /// How many there are.
    pub(super) range: u64,
}

impl Integers {
    #[inline(always)]
    fn each(self, words: &Words, at: Place, mut put: impl FnMut(usize, i64)) {
        if self.range <= 1 << 32 {
            for i in 0..HALF {
                let high = u64::from(words[i]) * self.range;
                let low = u64::from(words[i + HALF]) * self.range;
                let pick = (high + (low >> 32)) >> 32;
                put(i, self.low.wrapping_add(pick as i64));
            }
        } else {
            for i in 0..HALF {
                put(i, self.low.wrapping_add(self.unbiased(words, at, i) as i64));
            }
        }
    }

    /// D. Lemire, "Fast random integer generation in an interval", 2019.
    #[inline(never)]
    fn unbiased(self, words: &Words, at: Place, i: usize) -> u64 {
        let reject_below = self.range.wrapping_neg() % self.range;
        let mut words = *words;
        let mut again = 0;
        loop {
            let product = u128::from(whole(&words, i)) * u128::from(self.range);
            if product as u64 >= reject_below {
                return (product >> 64) as u64;
            }
            again += 1;
            words = group(at.key, at.group, again);
        }
    }
}

/// The 64 bits of element `i`.
#[inline(always)]
fn whole(words: &Words, i: usize) -> u64 {
    u64::from(words[i]) << 32 | u64::from(words[i + HALF])
}

macro_rules! integers {
    ($($t:ty)+) => {
        $(impl Make<$t> for Integers {
            const SERVES: usize = HALF;
            const COST: usize = 6;
            #[inline(always)]
            fn make(self, words: &Words, at: Place, out: &mut [$t; GROUP]) {
                self.each(words, at, |i, x| out[i] = x as $t);
            }
        })+
    };
}
integers!(f32 f64 i8 i16 i32 i64 u8 u16 u32 u64);

macro_rules! half_integers {
    ($($t:ty)+) => {
        $(impl Make<$t> for Integers {
            const SERVES: usize = HALF;
            const COST: usize = 8;
            #[inline(always)]
            fn make(self, words: &Words, at: Place, out: &mut [$t; GROUP]) {
                self.each(words, at, |i, x| out[i] = <$t>::from_f32(x as f32));
            }
        })+
    };
}

half_integers!(F16 BF16);

/// All 64 bits.
#[derive(Clone, Copy)]
pub(super) struct Whole;

impl Make<i64> for Whole {
    const SERVES: usize = HALF;
    const COST: usize = 4;
    #[inline(always)]
    fn make(self, words: &Words, _: Place, out: &mut [i64; GROUP]) {
        for (i, x) in out[..HALF].iter_mut().enumerate() {
            *x = whole(words, i) as i64;
        }
    }
}
