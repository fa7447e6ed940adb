use super::*;
use crate::dtype::{Category, Element};
use crate::scalar::Scalar;

/// Every instruction, its number of operands, and whether it gives truth values.
fn all() -> Vec<(&'static str, &'static TileSet, usize, bool)> {
    macro_rules! list {
        ($arity:literal $truth:literal $($set:ident)+) => {
            [$((stringify!($set), &$set, $arity, $truth)),+]
        };
    }
    let mut sets = Vec::new();
    sets.extend(
        list!(1 false CONJ NEG ABS SIGN SQUARE FLOOR CEIL ROUND TRUNC RELU SQRT RSQRT RECIPROCAL
        EXP EXPM1 LOG LOG1P SIN COS TANH SIGMOID ERF GELU GELU_TANH SILU SOFTPLUS),
    );
    sets.extend(list!(1 true ISNAN ISINF ISFINITE LOGICAL_NOT));
    sets.extend(list!(2 false ADD SUB MUL DIV POW MAXIMUM MINIMUM REMAINDER FLOOR_DIVIDE
        TRUNC_DIVIDE CLAMP_MIN CLAMP_MAX LEAKY_RELU ELU ATAN2 BINARY_CROSS_ENTROPY AND OR XOR));
    sets.extend(list!(2 true EQ NE LT LE GT GE LOGICAL_AND LOGICAL_OR LOGICAL_XOR));
    sets.extend(list!(3 false WHERE CLAMP));
    sets
}

const FLOATS: [f64; 24] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    2.5,
    -2.5,
    3.0,
    1e-3,
    -7.25,
    20.0,
    88.5,
    -88.5,
    -100.0,
    1e5,
    -2e5,
    3e8,
    1e-40,
    -1e-42,
    1e30,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    0.7,
];

/// `n` elements, the `turn`-th from the pool on.
fn data(dtype: DType, n: usize, turn: usize) -> Vec<u8> {
    let pick = |i: usize| FLOATS[(i * 7 + turn * 5 + i / 24) % FLOATS.len()];
    let whole = |i: usize| [0, 1, -1, 2, -3, 5, 100, i64::MIN, i64::MAX, 7][(i * 3 + turn) % 10];
    let element = |i: usize| match dtype.category() {
        Category::Bool => Scalar::Bool(whole(i) & 1 == 1),
        Category::Unsigned => Scalar::Int(whole(i)),
        // Large ones keep their size among the narrower.
        Category::Signed if dtype == DType::I64 => Scalar::Int(whole(i)),
        Category::Signed => Scalar::Int(whole(i) >> (whole(i).abs_diff(0) >> 40).min(32)),
        Category::Float => Scalar::Float(pick(i)),
        Category::Complex => Scalar::Complex(pick(i), pick(i + 11)),
    };
    (0..n).flat_map(|i| element(i).to_bytes(dtype)[..dtype.size()].to_vec()).collect()
}

/// Bytes at a given distance from a cache line.
struct Run {
    memory: Vec<u64>,
    skip: usize,
}

impl Run {
    fn new(bytes: &[u8], skip: usize) -> Run {
        let mut run = Run { memory: vec![0; bytes.len() / 8 + 32], skip };
        // SAFETY: the memory is longer by more than the alignment and the distance.
        unsafe { run.ptr().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        run
    }

    fn ptr(&mut self) -> *mut u8 {
        let start = self.memory.as_mut_ptr().cast::<u8>();
        start.wrapping_add(start.align_offset(64) + self.skip)
    }

    /// The elements as bits, with all NaNs of `f32` and `f64` made one.
    fn read(&mut self, dtype: DType, n: usize) -> Vec<[u64; 2]> {
        let (ptr, size) = (self.ptr(), dtype.size());
        let single = |bits: u64| if f32::from_bits(bits as u32).is_nan() { u64::MAX } else { bits };
        let double = |bits: u64| if f64::from_bits(bits).is_nan() { u64::MAX } else { bits };
        let each = |i: usize| {
            let mut words = [0u64; 2];
            // SAFETY: the run holds `n` elements, of at most 16 bytes.
            unsafe {
                words.as_mut_ptr().cast::<u8>().copy_from(ptr.wrapping_add(i * size), size);
            }
            match dtype.to_real() {
                DType::F32 => [single(words[0] & 0xffff_ffff), single(words[0] >> 32)],
                DType::F64 => words.map(double),
                _ => words,
            }
        };
        (0..n).map(each).collect()
    }
}

/// One call. `at` is the distance of all runs from a cache line in elements, `single` the
/// operand that is one value repeated, `alias` the operand that is also the output.
struct Call<'a> {
    tile: Tile,
    ins: &'a [(DType, Vec<u8>)],
    out: DType,
    n: usize,
    at: usize,
    single: Option<usize>,
    alias: Option<usize>,
}

impl Call<'_> {
    fn run(&self) -> Vec<[u64; 2]> {
        let mut runs: Vec<Run> = self
            .ins
            .iter()
            .map(|(dtype, bytes)| Run::new(&bytes[..self.n * dtype.size()], self.at * dtype.size()))
            .collect();
        let size = self.out.size();
        let mut out = Run::new(&vec![0; self.n * size], self.at * size);
        let operands: Vec<Operand> = runs
            .iter_mut()
            .enumerate()
            .map(|(k, run)| Operand { ptr: run.ptr(), step: usize::from(self.single != Some(k)) })
            .collect();
        let target = match self.alias {
            Some(k) => &mut runs[k],
            None => &mut out,
        };
        // SAFETY: every run holds `n` elements of its dtype.
        unsafe { self.tile.call(&operands, target.ptr(), self.n) };
        target.read(self.out, self.n)
    }
}

fn isas() -> Vec<Isa> {
    [Isa::Baseline, Isa::Avx2, Isa::Avx512].into_iter().filter(|&i| i <= isa()).collect()
}

fn check(name: &str, set: &TileSet, arity: usize, truth: bool, dtype: DType) {
    const N: usize = 1100;
    let real = if name == "ABS" { dtype.to_real() } else { dtype };
    let out = if truth { DType::Bool } else { real };
    let key = |k: usize| if name == "WHERE" && k == 0 { DType::Bool } else { dtype };
    let ins: Vec<_> = (0..arity).map(|k| (key(k), data(key(k), N, k))).collect();
    let base = set.get_for(dtype, Isa::Baseline).unwrap();
    let call = |tile, n| Call { tile, ins: &ins, out, n, at: 0, single: None, alias: None };
    let whole = call(base, N).run();
    for isa in isas() {
        let tile = set.get_for(dtype, isa).unwrap();
        let label = format!("{name} {dtype} {isa:?}");
        for n in 0..70 {
            for at in [0, 1, 3, 7] {
                assert_eq!(Call { at, ..call(tile, n) }.run(), whole[..n], "{label} {n} at {at}");
            }
        }
        assert_eq!(call(tile, N).run(), whole, "{label}");
        for k in 0..arity {
            if key(k).size() == out.size() {
                let alias = Some(k);
                for n in [1, 70, N] {
                    let got = Call { alias, ..call(tile, n) }.run();
                    assert_eq!(got, whole[..n], "{label} in place of {k}");
                }
            }
            check_single(&ins, k, call(tile, N), &label);
        }
    }
}

/// Operand `k` repeated gives what the same value written out gives.
fn check_single(ins: &[(DType, Vec<u8>)], k: usize, call: Call, label: &str) {
    for value in 0..12 {
        let size = ins[k].0.size();
        let mut spread = ins.to_vec();
        let element = ins[k].1[value * size..][..size].to_vec();
        spread[k].1 = element.repeat(call.n);
        for n in [1, 5, 67, call.n] {
            let expect = Call { ins: &spread, n, ..call }.run();
            let got = Call { ins: &spread, n, single: Some(k), ..call }.run();
            assert_eq!(got, expect, "{label}, operand {k} repeated");
        }
    }
}

#[test]
fn bits_depend_on_the_values_alone() {
    for (name, set, arity, truth) in all() {
        for dtype in DType::ALL.into_iter().filter(|&d| set.supports(d)) {
            check(name, set, arity, truth, dtype);
        }
    }
}

#[test]
fn casts_are_those_of_rust() {
    for from in DType::ALL {
        for to in DType::ALL {
            let ins = [(from, data(from, 100, 1))];
            let single = |n, at, isa: Isa| {
                let tile = super::cast::cast_for(from, to, isa);
                Call { tile, ins: &ins, out: to, n, at, single: None, alias: None }.run()
            };
            let whole = single(100, 0, Isa::Baseline);
            for isa in isas() {
                assert!((0..70).all(|n| single(n, n % 5, isa) == whole[..n]), "{from} {to}");
            }
        }
    }
    let f = [(DType::F32, [300.7f32, -5.9, f32::NAN, 1e20, -0.0].map(f32::to_ne_bytes).concat())];
    let to = |out| -> Vec<u64> {
        let tile = cast(DType::F32, out);
        let call = Call { tile, ins: &f, out, n: 5, at: 0, single: None, alias: None };
        call.run().into_iter().map(|[word, _]| word).collect()
    };
    assert_eq!(to(DType::U8), [255, 0, 0, 255, 0]);
    assert_eq!(to(DType::Bool), [1, 1, 1, 1, 0]);
    assert_eq!(to(DType::I64), [300, -5i64 as u64, 0, i64::MAX as u64, 0]);
}

/// The results of an instruction on columns of operands.
fn results<T: Element>(set: &TileSet, columns: &[&[T]]) -> Vec<T> {
    let n = columns[0].len();
    let operands: Vec<Operand> =
        columns.iter().map(|x| Operand { ptr: x.as_ptr().cast(), step: 1 }).collect();
    let mut out = columns[0].to_vec();
    // SAFETY: all columns hold `n` elements.
    unsafe { set.get(T::DTYPE).unwrap().call(&operands, out.as_mut_ptr().cast(), n) };
    out
}

#[test]
fn division_rounds_down_and_never_traps() {
    let a = [7i32, -7, 7, -7, i32::MIN, 5, i32::MIN];
    let b = [3i32, 3, -3, -3, -1, 0, 2];
    assert_eq!(results(&FLOOR_DIVIDE, &[&a, &b]), [2, -3, -3, 2, i32::MIN, 0, i32::MIN / 2]);
    assert_eq!(results(&REMAINDER, &[&a, &b]), [1, 2, -2, -1, 0, 0, 0]);
    let (a, b) = ([7f64, -7.0, 7.0, -0.5, 1.0, 6.0], [3f64, 3.0, -3.0, 2.0, 0.0, f64::INFINITY]);
    assert_eq!(results(&REMAINDER, &[&a, &b])[..4], [1.0, 2.0, -2.0, 1.5]);
    assert!(results(&REMAINDER, &[&a, &b])[4].is_nan());
    assert_eq!(results(&FLOOR_DIVIDE, &[&a, &b]), [2.0, -3.0, -3.0, -1.0, f64::INFINITY, 0.0]);
    assert_eq!(results(&FLOOR_DIVIDE, &[&[1f32], &[0.1]]), [9.0]);
}

#[test]
fn nan_passes_through_every_choice() {
    let (nan, one) = (f32::NAN, 1f32);
    for set in [&MAXIMUM, &MINIMUM] {
        assert!(results(set, &[&[nan, one], &[one, nan]]).iter().all(|x| x.is_nan()));
    }
    assert!(results(&RELU, &[&[nan]])[0].is_nan());
    let clamped = results(&CLAMP, &[&[nan, one, one], &[0.0, nan, 0.0], &[2.0, 2.0, nan]]);
    assert!(clamped.iter().all(|x| x.is_nan()));
    assert_eq!(
        results(&CLAMP, &[&[5f32, -5.0, 0.5], &[0.0; 3], &[1.0, 1.0, -1.0]]),
        [1.0, 0.0, -1.0]
    );
}

#[test]
fn whole_powers_and_roundings() {
    let (x, y) = ([2i64, -1, 3, 0, 1, -1, 10], [10i64, -3, -1, 0, -5, -2, 3]);
    assert_eq!(results(&POW, &[&x, &y]), [1024, -1, 0, 1, 1, 1, 1000]);
    assert_eq!(results(&POW, &[&[2u8, 3], &[8, 5]]), [0, 243]);
    assert_eq!(results(&ROUND, &[&[0.5f32, 1.5, 2.5, -0.5, -1.5]]), [0.0, 2.0, 2.0, -0.0, -2.0]);
    assert_eq!(results(&SIGN, &[&[-3i32, 0, 9]]), [-1, 0, 1]);
    assert_eq!(results(&NEG, &[&[1u8]]), [255]);
    assert_eq!(results(&ELU, &[&[1e9f32, -1.0], &[2.0, 2.0]])[0], 1e9);
}

#[test]
fn sines_of_large_numbers_are_right() {
    let x: Vec<f32> = (0..100).map(|i| 10f32.powf(i as f32 / 3.0)).collect();
    for (y, x) in results(&SIN, &[&x]).iter().zip(&x) {
        assert!((f64::from(*y) - f64::from(*x).sin()).abs() < 1e-7, "{x}");
    }
}
