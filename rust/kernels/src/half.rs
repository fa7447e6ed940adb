//! Real numbers of sixteen bits. They are stored; arithmetic is that of `f32`.
//!
//! Conversions are made of selects and integer arithmetic, so that loops over them become
//! vector code with the same bits under every instruction set. They round to nearest, ties
//! to even, and know one NaN.

use std::cmp::Ordering;

/// IEEE 754 half precision: 1 sign, 5 exponent and 10 fraction bits.
#[derive(Debug, Clone, Copy, Default)]
#[repr(transparent)]
pub struct F16(u16);

/// The upper half of an `f32`: 1 sign, 8 exponent and 7 fraction bits.
#[derive(Debug, Clone, Copy, Default)]
#[repr(transparent)]
pub struct BF16(u16);

impl F16 {
    /// The number with these bits.
    #[inline(always)]
    pub const fn from_bits(bits: u16) -> F16 {
        F16(bits)
    }

    /// Its bits.
    #[inline(always)]
    pub const fn to_bits(self) -> u16 {
        self.0
    }

    /// The nearest half. (After M. Dukhan's FP16: adding a power of two at the right place
    /// rounds.)
    #[inline(always)]
    pub fn from_f32(x: f32) -> F16 {
        let scale_to_inf = f32::from_bits(0x7780_0000);
        let scale_to_zero = f32::from_bits(0x0880_0000);
        let w = x.to_bits();
        let base = (f32::from_bits(w & 0x7fff_ffff) * scale_to_inf) * scale_to_zero;
        let doubled = w << 1;
        let bias = doubled & 0xff00_0000;
        let bias = if bias < 0x7100_0000 { 0x7100_0000 } else { bias };
        let sum = (f32::from_bits((bias >> 1) + 0x0780_0000) + base).to_bits();
        let magnitude = ((sum >> 13) & 0x7c00) + (sum & 0x0fff);
        let number = (w >> 16 & 0x8000) | magnitude;
        F16(if doubled > 0xff00_0000 { 0x7e00 } else { number as u16 })
    }

    /// The same number.
    #[inline(always)]
    pub fn to_f32(self) -> f32 {
        let w = u32::from(self.0) << 16;
        let (sign, doubled) = (w & 0x8000_0000, w << 1);
        let normal = f32::from_bits((doubled >> 4) + (0xe0 << 23)) * f32::from_bits(0x0780_0000);
        let small = f32::from_bits((doubled >> 17) | (126 << 23)) - 0.5;
        let magnitude = if doubled < 1 << 27 { small.to_bits() } else { normal.to_bits() };
        f32::from_bits(sign | magnitude)
    }
}

impl BF16 {
    /// The number with these bits.
    #[inline(always)]
    pub const fn from_bits(bits: u16) -> BF16 {
        BF16(bits)
    }

    /// Its bits.
    #[inline(always)]
    pub const fn to_bits(self) -> u16 {
        self.0
    }

    /// The nearest of these numbers.
    #[inline(always)]
    pub fn from_f32(x: f32) -> BF16 {
        let w = x.to_bits();
        let rounded = w.wrapping_add(0x7fff + (w >> 16 & 1)) >> 16;
        BF16(if w & 0x7fff_ffff > 0x7f80_0000 { 0x7fc0 } else { rounded as u16 })
    }

    /// The same number.
    #[inline(always)]
    pub fn to_f32(self) -> f32 {
        f32::from_bits(u32::from(self.0) << 16)
    }
}

macro_rules! ordered {
    ($($t:ident)+) => {$(
        impl From<$t> for f64 {
            #[inline(always)]
            fn from(x: $t) -> f64 {
                x.to_f32().into()
            }
        }

        impl $t {
            /// The greatest number below, of one that is not NaN or the least.
            pub fn next_down(self) -> $t {
                match self.0 {
                    0 | 0x8000 => $t(0x8001),
                    bits if bits < 0x8000 => $t(bits - 1),
                    bits => $t(bits + 1),
                }
            }
        }

        impl PartialEq for $t {
            #[inline(always)]
            fn eq(&self, other: &$t) -> bool {
                self.to_f32() == other.to_f32()
            }
        }

        impl PartialOrd for $t {
            #[inline(always)]
            fn partial_cmp(&self, other: &$t) -> Option<Ordering> {
                self.to_f32().partial_cmp(&other.to_f32())
            }
        }
    )+};
}

ordered!(F16 BF16);

#[cfg(test)]
mod tests {
    use super::*;

    /// Round to nearest even among the sixteen-bit numbers, by search.
    fn nearest(x: f32, of: impl Fn(u16) -> f32, infinity: u16) -> u16 {
        let size = f64::from(x.abs());
        // As if there were one more number above the greatest.
        let value = |bits: u16| {
            if bits < infinity {
                f64::from(of(bits))
            } else {
                2.0 * f64::from(of(infinity - 1)) - f64::from(of(infinity - 2))
            }
        };
        let (mut low, mut high) = (0, infinity);
        while high - low > 1 {
            let mid = low.midpoint(high);
            if value(mid) <= size { low = mid } else { high = mid }
        }
        let (below, above) = (size - value(low), value(high) - size);
        let up = above < below || (above == below && low & 1 == 1);
        let bits = if x.is_infinite() || up { high } else { low };
        bits | ((x.to_bits() >> 16) as u16 & 0x8000)
    }

    #[test]
    fn every_half_survives_the_way_through_f32() {
        for bits in 0..=u16::MAX {
            let (half, brain) = (F16::from_bits(bits), BF16::from_bits(bits));
            if half.to_f32().is_nan() {
                assert!(bits & 0x7fff > 0x7c00);
                assert_eq!(F16::from_f32(half.to_f32()).to_bits(), 0x7e00);
            } else {
                assert_eq!(F16::from_f32(half.to_f32()).to_bits(), bits);
            }
            if brain.to_f32().is_nan() {
                assert_eq!(BF16::from_f32(brain.to_f32()).to_bits(), 0x7fc0);
            } else {
                assert_eq!(BF16::from_f32(brain.to_f32()).to_bits(), bits);
            }
        }
        assert_eq!(F16::from_bits(0x3555).to_f32(), 0.333_251_95);
        assert_eq!(F16::from_bits(0x0001).to_f32(), 2f32.powi(-24));
        assert_eq!(F16::from_bits(0x7bff).to_f32(), 65504.0);
    }

    #[test]
    fn rounding_is_to_nearest_even() {
        let mut x = 0x1234_5678u32;
        let hard = [0.0, 65519.99, 65520.0, 65504.0, 2f32.powi(-25), 1.5 * 2f32.powi(-24), 3e38];
        let random = std::iter::from_fn(|| {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some(f32::from_bits(x))
        });
        // Every pattern of the bits that decide, beside random ones.
        let ties = (0..1 << 16).map(|i: u32| f32::from_bits(0x3f80_0000 ^ (i << 12)));
        let all = hard.into_iter().chain(ties).chain(random.take(100_000));
        for x in all.filter(|x| !x.is_nan()).flat_map(|x| [x, -x]) {
            let half = nearest(x, |b| F16::from_bits(b).to_f32(), 0x7c00);
            assert_eq!(F16::from_f32(x).to_bits(), half, "{x:e}");
            let brain = nearest(x, |b| BF16::from_bits(b).to_f32(), 0x7f80);
            assert_eq!(BF16::from_f32(x).to_bits(), brain, "{x:e}");
        }
    }
}
