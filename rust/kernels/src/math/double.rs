//! Double precision, the oracle's type. `exp`, `expm1`, `log`, `log1p`, `tanh` and
//! `sigmoid` are our own and vectorise; `sin`, `cos`, `erf` and `pow` are the system's,
//! element by element.
//!
//! `log` follows fdlibm's `e_log.c`; the exponential's polynomial is Taylor's.

/// 1.5 * 2^52: adding it rounds to an integer, half to even, into the low bits.
const MAGIC: f64 = 6755399441055744.0;
const LN2_HI: f64 = 6.931_471_803_691_238_164_90e-01;
const LN2_LO: f64 = 1.908_214_929_270_587_700_02e-10;

/// 2^k for k in -1023..=1024 (0 and infinity at the ends).
#[inline(always)]
fn pow2(k: i64) -> f64 {
    f64::from_bits(((k + 1023) << 52) as u64)
}

#[inline(always)]
fn copysign(magnitude: f64, sign: f64) -> f64 {
    f64::from_bits((magnitude.to_bits() & (u64::MAX >> 1)) | (sign.to_bits() & (1 << 63)))
}

/// The float of a small integer.
#[inline(always)]
fn float(k: i64) -> f64 {
    f64::from_bits((MAGIC.to_bits() as i64).wrapping_add(k) as u64) - MAGIC
}

/// Nearest integer to x / ln 2, and what is left of x.
#[inline(always)]
fn split(x: f64) -> (i64, f64) {
    let t = x.mul_add(std::f64::consts::LOG2_E, MAGIC);
    let k = t - MAGIC;
    let r = k.mul_add(-LN2_LO, k.mul_add(-LN2_HI, x));
    ((t.to_bits() as i64).wrapping_sub(MAGIC.to_bits() as i64), r)
}

/// (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2: 1/2! + r/3! + … + r^11/13!.
#[inline(always)]
fn exp_tail(r: f64) -> f64 {
    const FACTORIALS: [f64; 12] = [
        6227020800.0,
        479001600.0,
        39916800.0,
        3628800.0,
        362880.0,
        40320.0,
        5040.0,
        720.0,
        120.0,
        24.0,
        6.0,
        2.0,
    ];
    let mut p = 1.0 / FACTORIALS[0];
    let mut i = 1;
    while i < 12 {
        p = p.mul_add(r, 1.0 / FACTORIALS[i]);
        i += 1;
    }
    p
}

/// e^x within 2 ulp, subnormal results included.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let x = if x > 710.0 { 710.0 } else { x };
    let x = if x < -750.0 { -750.0 } else { x };
    let (k, r) = split(x);
    let p = exp_tail(r).mul_add(r * r, r) + 1.0;
    let half = k >> 1;
    p * pow2(half) * pow2(k - half)
}

/// e^x - 1 within 2 ulp.
#[inline(always)]
pub fn expm1(x: f64) -> f64 {
    let c = if x > 710.0 { 710.0 } else { x };
    let c = if c < -60.0 { -60.0 } else { c };
    let (k, r) = split(c);
    let p = exp_tail(r).mul_add(r * r, r);
    // One power less, so that 2^1024 is never formed.
    let s = pow2(k - 1);
    let y = p.mul_add(s, s - 0.5) * 2.0;
    copysign(if k == 0 { p } else { y }, x)
}

/// log(2^k (1 + f)) for f in [√½ - 1, √2 - 1].
#[inline(always)]
fn log_parts(k: f64, f: f64) -> f64 {
    let s = f / (2.0 + f);
    let z = s * s;
    let mut p = 1.479_819_860_511_658_591e-1;
    p = f64::mul_add(p, z, 1.531_383_769_920_937_332e-1);
    p = p.mul_add(z, 1.818_357_216_161_805_012e-1);
    p = p.mul_add(z, 2.222_219_843_214_978_396e-1);
    p = p.mul_add(z, 2.857_142_874_366_239_149e-1);
    p = p.mul_add(z, 3.999_999_999_940_941_908e-1);
    p = p.mul_add(z, 6.666_666_666_666_735_130e-1);
    let half = 0.5 * f * f;
    let low = s.mul_add(half + p * z, k * LN2_LO);
    k.mul_add(LN2_HI, -((half - low) - f))
}

/// The exponent k for which x / 2^k lies in [√½, √2).
#[inline(always)]
fn exponent(x: f64) -> i64 {
    (x.to_bits() as i64).wrapping_sub(0x3fe6_a09e_667f_3bcd) >> 52
}

/// Natural logarithm within 2 ulp.
#[inline(always)]
pub fn log(x: f64) -> f64 {
    let tiny = x < f64::MIN_POSITIVE;
    let a = if tiny { x * 18014398509481984.0 } else { x };
    let bias = if tiny { -54.0 } else { 0.0 };
    let k = exponent(a);
    let m = f64::from_bits((a.to_bits() as i64).wrapping_sub(k << 52) as u64);
    log_edges(log_parts(float(k) + bias, m - 1.0), x)
}

/// `y`, or what the logarithm is at and outside the ends of its domain.
#[inline(always)]
fn log_edges(y: f64, x: f64) -> f64 {
    let y = if x == f64::INFINITY { x } else { y };
    let y = if x == 0.0 { f64::NEG_INFINITY } else { y };
    if x >= 0.0 { y } else { f64::NAN }
}

/// log(1 + x) within 2 ulp.
#[inline(always)]
pub fn log1p(x: f64) -> f64 {
    let u = 1.0 + x;
    let k = exponent(u);
    // f = (1 + x) / 2^k - 1 with one rounding; 2^-k in two factors, as k may be 1024.
    let half = k >> 1;
    let (s, t) = (pow2(-half), pow2(half - k));
    let f = (x * s).mul_add(t, s * t - 1.0);
    let y = log_parts(float(k), f);
    log_edges(if x.abs() < 1e-17 { x } else { y }, u)
}

/// The system's sine.
#[inline(always)]
pub fn sin(x: f64) -> f64 {
    x.sin()
}

/// The system's cosine.
#[inline(always)]
pub fn cos(x: f64) -> f64 {
    x.cos()
}

/// Never: [`sin`] and [`cos`] take any argument.
#[inline(always)]
pub fn far(_: f64) -> bool {
    false
}

/// As [`sin`].
#[inline(always)]
pub fn sin_far(x: f64) -> f64 {
    x.sin()
}

/// As [`cos`].
#[inline(always)]
pub fn cos_far(x: f64) -> f64 {
    x.cos()
}

/// Hyperbolic tangent within 3 ulp.
#[inline(always)]
pub fn tanh(x: f64) -> f64 {
    let e = expm1(-2.0 * x.abs());
    copysign(-e / (e + 2.0), x)
}

/// 1 / (1 + e^-x) within 3 ulp, subnormal results included.
#[inline(always)]
pub fn sigmoid(x: f64) -> f64 {
    let z = exp(-x.abs());
    (if x < 0.0 { z } else { 1.0 }) / (1.0 + z)
}

/// The system's error function.
#[inline(always)]
pub fn erf(x: f64) -> f64 {
    unsafe extern "C" {
        safe fn erf(x: f64) -> f64;
    }
    erf(x)
}

/// x/2 (1 + erf(x / √2)), with an error of at most 2^-52 |x|; 0 at -inf.
#[inline(always)]
pub fn gelu(x: f64) -> f64 {
    let c = if x < -f64::MAX { -f64::MAX } else { x };
    0.5 * c * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2))
}

/// x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))), computed as x sigmoid(2 √(2/π) (…)).
#[inline(always)]
pub fn gelu_tanh(x: f64) -> f64 {
    const SLOPE: f64 = 1.595_769_121_605_731;
    let inner = (0.044_715 * SLOPE * x * x).mul_add(x, SLOPE * x);
    let c = if x < -f64::MAX { -f64::MAX } else { x };
    c * sigmoid(inner)
}

/// x sigmoid(x) within 4 ulp; 0 at -inf.
#[inline(always)]
pub fn silu(x: f64) -> f64 {
    let c = if x < -f64::MAX { -f64::MAX } else { x };
    c * sigmoid(x)
}

/// max(x, 0) + log1p(e^-|x|) within 3 ulp.
#[inline(always)]
pub fn softplus(x: f64) -> f64 {
    let positive = if x < 0.0 { 0.0 } else { x };
    positive + log1p(exp(-x.abs()))
}

/// The system's x^y; x², x³, √x and 1/x are what multiplication, square root and
/// division give.
#[inline(always)]
pub fn pow(x: f64, y: f64) -> f64 {
    if y == 2.0 {
        x * x
    } else if y == 3.0 {
        x * x * x
    } else if y == 0.5 {
        root(x)
    } else if y == -1.0 {
        1.0 / x
    } else {
        x.powf(y)
    }
}

/// x^0.5 as `pow` has it: +0 for -0, +inf for -inf.
#[inline(always)]
pub(crate) fn root(x: f64) -> f64 {
    let r = (x + 0.0).sqrt();
    if x == f64::NEG_INFINITY { f64::INFINITY } else { r }
}

/// Sine and cosine of `turns` whole turns, for 0 <= turns <= 1, within 2 ulp of the larger.
#[inline(always)]
pub fn sin_cos_turns(turns: f64) -> (f64, f64) {
    let t = turns * 4.0;
    let rounded = t + MAGIC;
    let r = (t - (rounded - MAGIC)) * std::f64::consts::FRAC_PI_2;
    let q = rounded.to_bits();
    let (sin, cos) = sin_cos_poly(r);
    let (a, b) = if q & 1 == 0 { (sin, cos) } else { (cos, sin) };
    let flip = |x: f64, quadrant: u64| f64::from_bits(x.to_bits() ^ ((quadrant & 2) << 62));
    (flip(a, q), flip(b, q.wrapping_add(1)))
}

/// sin r and cos r for |r| <= π/4, by Taylor's series.
#[inline(always)]
fn sin_cos_poly(r: f64) -> (f64, f64) {
    const ODD: [f64; 8] = [
        355687428096000.0,
        1307674368000.0,
        6227020800.0,
        39916800.0,
        362880.0,
        5040.0,
        120.0,
        6.0,
    ];
    const EVEN: [f64; 8] =
        [20922789888000.0, 87178291200.0, 479001600.0, 3628800.0, 40320.0, 720.0, 24.0, 2.0];
    let s = -r * r;
    let (mut sin, mut cos) = (1.0 / ODD[0], 1.0 / EVEN[0]);
    let mut i = 1;
    while i < 8 {
        sin = f64::mul_add(sin, s, 1.0 / ODD[i]);
        cos = f64::mul_add(cos, s, 1.0 / EVEN[i]);
        i += 1;
    }
    ((sin * s).mul_add(r, r), cos.mul_add(s, 1.0))
}
