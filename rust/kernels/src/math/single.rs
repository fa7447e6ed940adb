//! Single precision. Bounds are in units in the last place (ulp) of the exact result,
//! measured over every bit pattern where the tests say so.
//!
//! The polynomials of `log`, `erf`, `sin` and `cos` are N. Juffa's; that of `exp` is
//! S. Moshier's (Cephes), evaluated with fused multiply-adds.

/// 1.5 * 2^23: adding it rounds to an integer, half to even, into the low bits.
const MAGIC: f32 = 12582912.0;
const LN2_HI: f32 = 0.693_145_75;
const LN2_LO: f32 = 1.428_606_8e-6;

/// 2^k for k in -127..=128 (0 and infinity at the ends).
#[inline(always)]
fn pow2(k: i32) -> f32 {
    f32::from_bits(((k + 127) << 23) as u32)
}

#[inline(always)]
fn copysign(magnitude: f32, sign: f32) -> f32 {
    f32::from_bits((magnitude.to_bits() & 0x7fff_ffff) | (sign.to_bits() & 0x8000_0000))
}

/// Nearest integer to x / ln 2, as float and integer, and what is left of x.
#[inline(always)]
fn split(x: f32) -> (i32, f32) {
    let t = x.mul_add(std::f32::consts::LOG2_E, MAGIC);
    let k = t - MAGIC;
    let r = k.mul_add(-LN2_LO, k.mul_add(-LN2_HI, x));
    (t.to_bits() as i32 - MAGIC.to_bits() as i32, r)
}

/// (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2.
#[inline(always)]
fn exp_tail(r: f32) -> f32 {
    let mut p = 1.987_569_1e-4f32;
    p = p.mul_add(r, 1.398_199_9e-3);
    p = p.mul_add(r, 8.333_452e-3);
    p = p.mul_add(r, 4.166_579_6e-2);
    p = p.mul_add(r, 0.166_666_65);
    p.mul_add(r, 0.5)
}

/// e^x within 1 ulp, subnormal results included.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -105.0 { -105.0 } else { x };
    let (k, r) = split(x);
    // Horner to the end: rounding r + r² … by itself would cost the bound.
    let p = exp_tail(r).mul_add(r, 1.0).mul_add(r, 1.0);
    let half = k >> 1;
    p * pow2(half) * pow2(k - half)
}

/// e^x - 1 within 2 ulp.
#[inline(always)]
pub fn expm1(x: f32) -> f32 {
    let c = if x > 89.0 { 89.0 } else { x };
    let c = if c < -30.0 { -30.0 } else { c };
    let (k, r) = split(c);
    let p = exp_tail(r).mul_add(r * r, r);
    // One power less, so that 2^128 is never formed.
    let s = pow2(k - 1);
    let y = p.mul_add(s, s - 0.5) * 2.0;
    copysign(if k == 0 { p } else { y }, x)
}

/// log(1 + f) for f in [-1/3, 1/3].
#[inline(always)]
fn log_near_one(f: f32) -> f32 {
    let s = f * f;
    let mut r = -0.130_310_06f32;
    let mut t = 0.140_869_14f32;
    r = r.mul_add(s, -0.121_483_51);
    t = t.mul_add(s, 0.139_814_85);
    r = r.mul_add(s, -0.166_846_13);
    t = t.mul_add(s, 0.200_120_34);
    r = r.mul_add(s, -0.249_996_2);
    r = t.mul_add(f, r);
    r = r.mul_add(f, 0.333_331_97);
    r = r.mul_add(f, -0.5);
    r.mul_add(s, f)
}

/// The exponent k (times 2^23) for which x / 2^k lies in [2/3, 4/3).
#[inline(always)]
fn exponent_bits(x: f32) -> i32 {
    (x.to_bits() as i32).wrapping_sub(0x3f2a_aaab) & 0xff80_0000u32 as i32
}

/// Natural logarithm within 1 ulp.
#[inline(always)]
pub fn log(x: f32) -> f32 {
    let tiny = x < f32::MIN_POSITIVE;
    let a = if tiny { x * 8388608.0 } else { x };
    let bias = if tiny { -23.0 } else { 0.0 };
    let e = exponent_bits(a);
    let m = f32::from_bits((a.to_bits() as i32).wrapping_sub(e) as u32);
    let k = (e as f32).mul_add(1.0 / 8388608.0, bias);
    let y = k.mul_add(std::f32::consts::LN_2, log_near_one(m - 1.0));
    log_edges(y, x)
}

/// `y`, or what the logarithm is at and outside the ends of its domain.
#[inline(always)]
fn log_edges(y: f32, x: f32) -> f32 {
    let y = if x == f32::INFINITY { x } else { y };
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if x >= 0.0 { y } else { f32::NAN }
}

/// log(1 + x) within 2 ulp.
#[inline(always)]
pub fn log1p(x: f32) -> f32 {
    let u = 1.0 + x;
    let k = exponent_bits(u) >> 23;
    // f = (1 + x) / 2^k - 1 with one rounding; 2^-k in two factors, as k may be 128.
    let half = k >> 1;
    let (s, t) = (pow2(-half), pow2(half - k));
    let f = (x * s).mul_add(t, s * t - 1.0);
    let y = (k as f32).mul_add(std::f32::consts::LN_2, log_near_one(f));
    log_edges(if x == 0.0 { x } else { y }, u)
}

/// Quadrant of x, and what is left of it within [-π/4, π/4].
#[inline(always)]
fn quadrant(x: f32) -> (u32, f32) {
    let t = x.mul_add(std::f32::consts::FRAC_2_PI, MAGIC);
    let j = t - MAGIC;
    let r = j.mul_add(-1.570_796_01, x);
    let r = j.mul_add(-3.139_164_73e-7, r);
    (t.to_bits(), j.mul_add(-5.390_302_53e-15, r))
}

/// sin r and cos r for |r| <= π/4 (a little more is allowed).
#[inline(always)]
pub(crate) fn sin_cos_poly(r: f32) -> (f32, f32) {
    let s = r * r;
    let mut p = 2.865_679_56e-6f32;
    p = p.mul_add(s, -1.985_599_23e-4);
    p = p.mul_add(s, 8.333_385_92e-3);
    p = p.mul_add(s, -1.666_666_72e-1);
    let sin = p.mul_add(r * s, r);
    let mut q = 2.446_770_67e-5f32;
    q = q.mul_add(s, -1.388_772_97e-3);
    q = q.mul_add(s, 4.166_665_67e-2);
    q = q.mul_add(s, -0.5);
    (sin, q.mul_add(s, 1.0))
}

#[inline(always)]
fn sine(r: f32, quadrant: u32) -> f32 {
    let (sin, cos) = sin_cos_poly(r);
    let y = if quadrant & 1 == 0 { sin } else { cos };
    f32::from_bits(y.to_bits() ^ ((quadrant & 2) << 30))
}

/// Sine within 2 ulp for |x| <= 1e5.
#[inline(always)]
pub fn sin(x: f32) -> f32 {
    let (q, r) = quadrant(x);
    let y = sine(r, q);
    if x == 0.0 { x } else { y }
}

/// Cosine within 2 ulp for |x| <= 1e5.
#[inline(always)]
pub fn cos(x: f32) -> f32 {
    let (q, r) = quadrant(x);
    sine(r, q.wrapping_add(1))
}

/// Whether x needs [`sin_far`] and [`cos_far`].
#[inline(always)]
pub fn far(x: f32) -> bool {
    x.abs() > 1e5
}

/// Sine of any x, by the double-precision function of the system.
#[inline(always)]
pub fn sin_far(x: f32) -> f32 {
    f64::from(x).sin() as f32
}

/// Cosine of any x, by the double-precision function of the system.
#[inline(always)]
pub fn cos_far(x: f32) -> f32 {
    f64::from(x).cos() as f32
}

/// Hyperbolic tangent within 3 ulp.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let e = expm1(-2.0 * x.abs());
    copysign(-e / (e + 2.0), x)
}

/// e^-|x|, and the numerator that makes `numerator / (1 + e^-|x|)` the sigmoid.
#[inline(always)]
fn sigmoid_parts(x: f32) -> (f32, f32) {
    let z = exp(-x.abs());
    (if x < 0.0 { z } else { 1.0 }, 1.0 + z)
}

/// 1 / (1 + e^-x) within 3 ulp, subnormal results included.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    let (numerator, denominator) = sigmoid_parts(x);
    numerator / denominator
}

/// Error function within 2 ulp.
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let t = x.abs();
    let s = x * x;
    let mut r = (-1.728_534_70e-5f32).mul_add(t, 3.831_971_26e-4);
    let u = (-3.883_964_38e-3f32).mul_add(t, 2.425_462_19e-2);
    r = r.mul_add(s, u);
    r = r.mul_add(t, -1.067_778_77e-1);
    r = r.mul_add(t, -6.348_466_87e-1);
    r = r.mul_add(t, -1.287_175_12e-1);
    r = r.mul_add(t, -t);
    let large = copysign(1.0 - exp(r), x);
    let mut p = -5.967_617_03e-4f32;
    p = p.mul_add(s, 4.991_194_23e-3);
    p = p.mul_add(s, -2.676_813_49e-2);
    p = p.mul_add(s, 1.128_199_25e-1);
    p = p.mul_add(s, -3.761_253_36e-1);
    p = p.mul_add(s, 1.283_791_66e-1);
    let small = p.mul_add(x, x);
    if t > 0.927_734_375 { large } else { small }
}

/// x/2 (1 + erf(x / √2)), with an error of at most 2^-23 |x|; 0 at -inf.
#[inline(always)]
pub fn gelu(x: f32) -> f32 {
    let c = if x < -f32::MAX { -f32::MAX } else { x };
    0.5 * c * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))), computed as x sigmoid(2 √(2/π) (…)).
#[inline(always)]
pub fn gelu_tanh(x: f32) -> f32 {
    let inner = (0.071_354_814 * x * x).mul_add(x, 1.595_769_1 * x);
    let c = if x < -f32::MAX { -f32::MAX } else { x };
    c * sigmoid(inner)
}

/// x sigmoid(x) within 3.5 ulp, below -87 within 1e-43; 0 at -inf.
#[inline(always)]
pub fn silu(x: f32) -> f32 {
    let c = if x < -f32::MAX { -f32::MAX } else { x };
    c * sigmoid(x)
}

/// max(x, 0) + log1p(e^-|x|) within 3 ulp.
#[inline(always)]
pub fn softplus(x: f32) -> f32 {
    let positive = if x < 0.0 { 0.0 } else { x };
    positive + log1p(exp(-x.abs()))
}

/// x^y within 1 ulp, with the special cases of C's `pow`. x², x³, √x and 1/x are what
/// multiplication, square root and division give.
#[inline(always)]
pub fn pow(x: f32, y: f32) -> f32 {
    let (wide, power) = (f64::from(x), f64::from(y));
    let magnitude = super::double::exp(power * super::double::log(wide.abs())) as f32;
    let whole = y.trunc() == y;
    let half = y * 0.5;
    let odd = whole && half.trunc() != half;
    let negative = x.is_sign_negative();
    let r = if negative && odd { -magnitude } else { magnitude };
    let r = if x < 0.0 && x > f32::NEG_INFINITY && !whole { f32::NAN } else { r };
    let r = if x == -1.0 && y.is_infinite() { 1.0 } else { r };
    let r = if y == 2.0 { x * x } else { r };
    let r = if y == 3.0 { x * x * x } else { r };
    let r = if y == 0.5 { root(x) } else { r };
    let r = if y == -1.0 { 1.0 / x } else { r };
    if y == 0.0 || x == 1.0 { 1.0 } else { r }
}

/// x^0.5 as `pow` has it: +0 for -0, +inf for -inf.
#[inline(always)]
pub(crate) fn root(x: f32) -> f32 {
    let r = (x + 0.0).sqrt();
    if x == f32::NEG_INFINITY { f32::INFINITY } else { r }
}

/// Sine and cosine of `turns` whole turns, for 0 <= turns <= 1.
#[inline(always)]
pub fn sin_cos_turns(turns: f32) -> (f32, f32) {
    let t = turns * 4.0;
    let rounded = t + MAGIC;
    let r = (t - (rounded - MAGIC)) * std::f32::consts::FRAC_PI_2;
    let q = rounded.to_bits();
    (sine(r, q), sine(r, q.wrapping_add(1)))
}
