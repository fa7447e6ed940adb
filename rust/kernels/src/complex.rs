//! Complex numbers.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A complex number with real and imaginary part of one type.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[repr(C)]
pub struct Complex<T> {
    /// The real part.
    pub re: T,
    /// The imaginary part.
    pub im: T,
}

macro_rules! complex {
    ($t:ty, $size:expr) => {
        impl Add for Complex<$t> {
            type Output = Self;
            #[inline(always)]
            fn add(self, o: Self) -> Self {
                Complex { re: self.re + o.re, im: self.im + o.im }
            }
        }

        impl Sub for Complex<$t> {
            type Output = Self;
            #[inline(always)]
            fn sub(self, o: Self) -> Self {
                Complex { re: self.re - o.re, im: self.im - o.im }
            }
        }

        impl Mul for Complex<$t> {
            type Output = Self;
            #[inline(always)]
            fn mul(self, o: Self) -> Self {
                Complex { re: self.re * o.re - self.im * o.im, im: self.re * o.im + self.im * o.re }
            }
        }

        impl Neg for Complex<$t> {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                Complex { re: -self.re, im: -self.im }
            }
        }

        /// The divisor is scaled by its larger part, so that nothing overflows on the way
        /// (R. L. Smith, "Algorithm 116: Complex division", 1962, as torch has it).
        impl Div for Complex<$t> {
            type Output = Self;
            #[inline(always)]
            fn div(self, o: Self) -> Self {
                if o.re.abs() >= o.im.abs() {
                    if o.re == 0.0 && o.im == 0.0 {
                        return Complex { re: self.re / o.re.abs(), im: self.im / o.im.abs() };
                    }
                    let (ratio, part) = (o.im / o.re, o.re + o.im * (o.im / o.re));
                    let scale = 1.0 / part;
                    Complex {
                        re: (self.re + self.im * ratio) * scale,
                        im: (self.im - self.re * ratio) * scale,
                    }
                } else {
                    let (ratio, part) = (o.re / o.im, o.re * (o.re / o.im) + o.im);
                    let scale = 1.0 / part;
                    Complex {
                        re: (self.re * ratio + self.im) * scale,
                        im: (self.im * ratio - self.re) * scale,
                    }
                }
            }
        }

        impl Complex<$t> {
            /// The distance from zero; infinite where a part is.
            #[inline(always)]
            pub fn abs(self) -> $t {
                let size: fn(Self) -> $t = $size;
                size(self)
            }

            /// The conjugate.
            #[inline(always)]
            pub fn conj(self) -> Self {
                Complex { re: self.re, im: -self.im }
            }
        }
    };
}

complex!(f32, |z| {
    // Squares of singles neither overflow nor vanish in double precision.
    let (re, im) = (f64::from(z.re), f64::from(z.im));
    let size = (re * re + im * im).sqrt() as f32;
    if z.re.is_infinite() || z.im.is_infinite() { f32::INFINITY } else { size }
});
complex!(f64, |z| z.re.hypot(z.im));
