//! Errors in units in the last place, against the system's double-precision functions.
//!
//! By default every 509th `f32` is tried; with `WEFT_EXHAUSTIVE=1` every one is.

use std::sync::Mutex;

use super::{Real, double, single};
use crate::threads;

/// The largest error and where it is.
#[derive(Debug, Clone, Copy)]
struct Worst {
    ulp: f64,
    at: f64,
}

/// `|y - exact|` in units of the last place of an `f32` near `exact`.
fn ulps32(y: f32, exact: f64) -> f64 {
    let rounded = exact as f32;
    if y == rounded || (y.is_nan() && exact.is_nan()) {
        return 0.0_f64.max(if y.is_finite() { error32(y, exact) } else { 0.0 });
    }
    if y.is_infinite() {
        // An overflow counts from the power of two that was not reached.
        return error32(f32::MAX, exact) + 1.0;
    }
    if y.is_nan() || exact.is_nan() { f64::INFINITY } else { error32(y, exact) }
}

fn error32(y: f32, exact: f64) -> f64 {
    let exponent = ((exact.abs().to_bits() >> 52) as i32 - 1023).clamp(-126, 127);
    let units = f64::from_bits(((1023 + 23 - exponent) as u64) << 52);
    (f64::from(y) - exact).abs() * units
}

fn sweep(f: impl Fn(f32) -> f32 + Sync, exact: impl Fn(f64) -> f64 + Sync, limit: f32) -> Worst {
    let step = if std::env::var_os("WEFT_EXHAUSTIVE").is_some() { 1 } else { 509 };
    let worst = Mutex::new(Worst { ulp: 0.0, at: 0.0 });
    threads::for_ranges((1 << 32) / step, 1, 100, |range| {
        let mut here = Worst { ulp: 0.0, at: 0.0 };
        for i in range {
            let x = f32::from_bits((i * step) as u32);
            if x.abs() <= limit || x.is_nan() {
                let ulp = ulps32(f(x), exact(f64::from(x)));
                if ulp > here.ulp {
                    here = Worst { ulp, at: f64::from(x) };
                }
            }
        }
        let mut worst = worst.lock().unwrap();
        if here.ulp > worst.ulp {
            *worst = here;
        }
    });
    worst.into_inner().unwrap()
}

#[track_caller]
fn check(
    name: &str,
    bound: f64,
    limit: f32,
    f: impl Fn(f32) -> f32 + Sync,
    exact: impl Fn(f64) -> f64 + Sync,
) {
    let worst = sweep(f, exact, limit);
    println!("f32 {name}: {:.3} ulp at {:e}", worst.ulp, worst.at);
    assert!(worst.ulp <= bound, "{name}: {worst:?}");
}

#[test]
fn single_precision_keeps_its_bounds() {
    let all = f32::INFINITY;
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    check("exp", 1.0, all, Real::exp, f64::exp);
    check("expm1", 2.0, all, Real::expm1, f64::exp_m1);
    check("log", 1.0, all, Real::log, f64::ln);
    check("log1p", 2.0, all, Real::log1p, f64::ln_1p);
    check("sin", 2.0, 1e5, Real::sin, f64::sin);
    check("cos", 2.0, 1e5, Real::cos, f64::cos);
    check("tanh", 3.0, all, Real::tanh, f64::tanh);
    check("sigmoid", 3.0, all, Real::sigmoid, sigmoid);
    check("erf", 2.0, all, Real::erf, double::erf);
    check("silu", 3.5, 87.0, Real::silu, |x| x * sigmoid(x));
    check("softplus", 3.0, all, Real::softplus, double::softplus);
    check("rsqrt", 1.5, all, |x| 1.0 / x.sqrt(), |x| 1.0 / x.sqrt());
}

#[test]
fn gelus_are_close_relative_to_their_argument() {
    let ratio = |f: fn(f32) -> f32, exact: fn(f64) -> f64| {
        (0..1u32 << 21).fold(0f64, |worst, i| {
            let x = f32::from_bits(i << 11);
            let (got, exact) = (f64::from(f(x)), exact(f64::from(x)));
            let error = (got - exact).abs() / f64::from(x.abs()).max(1e-30);
            if x.is_finite() { worst.max(error) } else { worst }
        })
    };
    let unit = f64::from(f32::EPSILON);
    let exact = ratio(single::gelu, double::gelu) / unit;
    let tanh = ratio(single::gelu_tanh, double::gelu_tanh) / unit;
    println!("f32 gelu: {exact:.3} eps |x|, gelu_tanh: {tanh:.3} eps |x|");
    assert!(exact <= 1.0 && tanh <= 1.5);
    for f in [single::gelu, single::gelu_tanh, single::silu] {
        assert_eq!(f(f32::INFINITY), f32::INFINITY);
        assert_eq!(f(f32::NEG_INFINITY), 0.0);
        assert!(f(f32::NAN).is_nan());
    }
}

/// Numbers of every magnitude, and many near 1.
fn samples() -> impl Iterator<Item = f64> {
    let mut state = 1u64;
    let mut next = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        state >> 11
    };
    (0..2_000_000).map(move |i| {
        let unit = next() as f64 / (1u64 << 53) as f64 - 0.5;
        match i % 4 {
            0 => f64::from_bits(next() << 11 | next() & 0x7ff),
            1 => unit * 4.0,
            2 => unit * 1500.0,
            _ => unit * 2f64.powi((next() % 60) as i32 - 50),
        }
    })
}

#[track_caller]
fn check64(name: &str, bound: f64, f: fn(f64) -> f64, system: fn(f64) -> f64) {
    let mut worst = Worst { ulp: 0.0, at: 0.0 };
    for x in samples().chain([0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -1.0, 5e-324])
    {
        let (y, expect) = (f(x), system(x));
        let ulp = if y == expect || (y.is_nan() && expect.is_nan()) {
            0.0
        } else {
            (y.to_bits() as i64).abs_diff(expect.to_bits() as i64) as f64
        };
        if ulp > worst.ulp {
            worst = Worst { ulp, at: x };
        }
    }
    println!("f64 {name}: {} ulp from the system's at {:e}", worst.ulp, worst.at);
    assert!(worst.ulp <= bound, "{name}: {worst:?}");
}

/// The system's functions are within 1 ulp themselves (glibc's `exp` and `log` within 0.52).
#[test]
fn double_precision_agrees_with_the_system() {
    check64("exp", 1.0, Real::exp, f64::exp);
    check64("expm1", 2.0, Real::expm1, f64::exp_m1);
    check64("log", 1.0, Real::log, f64::ln);
    check64("log1p", 2.0, Real::log1p, f64::ln_1p);
    check64("tanh", 3.0, Real::tanh, f64::tanh);
    check64("sigmoid", 2.0, Real::sigmoid, |x| {
        if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) }
    });
    check64("softplus", 2.0, Real::softplus, |x| x.max(0.0) + (-x.abs()).exp().ln_1p());
}

#[test]
fn zeros_keep_their_sign_and_ends_are_exact() {
    for f in [single::expm1, single::log1p, single::sin, single::tanh, single::erf] {
        assert_eq!(f(-0.0).to_bits(), (-0f32).to_bits());
        assert_eq!(f(0.0).to_bits(), 0);
        assert!(f(f32::NAN).is_nan());
        let least = f32::from_bits(1);
        assert!(f(least) == least || f(least) == 2.0 * least);
    }
    assert_eq!(single::exp(-104.0), 0.0);
    assert_eq!(single::exp(f32::NEG_INFINITY), 0.0);
    assert!(single::exp(88.722_83) < f32::INFINITY);
    assert_eq!(single::exp(88.722_84), f32::INFINITY);
    assert_eq!(single::exp(-103.9), f32::from_bits(1));
    assert_eq!(single::softplus(89.0), 89.0);
    assert_eq!(single::log(f32::from_bits(1)), -103.278_93);
    assert_eq!(single::log(0.0), f32::NEG_INFINITY);
    assert!(single::log(-1.0).is_nan() && single::log1p(-1.5).is_nan());
    assert_eq!(single::log1p(-1.0), f32::NEG_INFINITY);
    assert_eq!((single::tanh(50.0), single::tanh(f32::NEG_INFINITY)), (1.0, -1.0));
}

#[test]
fn powers_have_the_special_cases_of_c() {
    let specials = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        2.0,
        -2.0,
        3.0,
        0.5,
        -0.5,
        4.0,
        1e30,
        -1e30,
        1e-40,
        5.0,
        -7.0,
        2.5,
        16777215.0,
        -3.0,
        1e38,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        f32::MIN_POSITIVE,
    ];
    for x in specials {
        for y in specials {
            let exact = f64::from(x).powf(f64::from(y));
            let got = single::pow(x, y);
            let same_sign = got.is_nan() || got.is_sign_negative() == exact.is_sign_negative();
            assert!(ulps32(got, exact) <= 1.1 && same_sign, "{x}^{y} = {got}, not {exact}");
            let (wide, exact) = (double::pow(x.into(), y.into()), exact);
            let close = (wide - exact).abs() <= 1e-15 * exact.abs();
            assert!(close || wide == exact || (wide.is_nan() && exact.is_nan()), "{x}^{y}");
        }
    }
    let mut worst = 0f64;
    for i in 0..2_000_000u32 {
        let x = f32::from_bits(i.wrapping_mul(0x9e37_79b9) >> 1);
        let y = (i % 8191) as f32 / 511.0 - 8.0;
        let exact = f64::from(x).powf(f64::from(y));
        if x.is_finite() && y != 3.0 {
            worst = worst.max(ulps32(single::pow(x, y), exact));
        }
    }
    println!("f32 pow: {worst:.3} ulp");
    assert!(worst <= 1.0);
}

#[test]
fn whole_turns_are_measured_exactly() {
    for i in 0..=4096u32 {
        let turns = f64::from(i) / 4096.0;
        let (sin, cos) = (turns * std::f64::consts::TAU).sin_cos();
        let (s, c) = double::sin_cos_turns(turns);
        assert!((s - sin).abs() < 1e-15 && (c - cos).abs() < 1e-15, "{turns}");
        let (s, c) = single::sin_cos_turns(turns as f32);
        assert!((f64::from(s) - sin).abs() < 2e-7 && (f64::from(c) - cos).abs() < 2e-7, "{turns}");
    }
}
