use super::{ReduceKind, run};
use crate::dtype::Element;
use crate::shape::Shape;
use crate::testing::{Tensor, noise, noise32};
use crate::threads::set_num_threads;

/// Row-major input values grouped by result.
fn groups<T: Element>(input: &Tensor, dims: u32) -> Vec<Vec<T>> {
    let shape = &input.layout.shape;
    let kept: usize = (0..shape.len()).filter(|&d| dims >> d & 1 == 0).map(|d| shape[d]).product();
    let mut out = vec![Vec::new(); kept];
    for (flat, x) in input.values::<T>().into_iter().enumerate() {
        let (mut rest, mut at, mut step) = (flat, 0, 1);
        for d in (0..shape.len()).rev() {
            let i = rest % shape[d];
            rest /= shape[d];
            if dims >> d & 1 == 0 {
                at += i * step;
                step *= shape[d];
            }
        }
        out[at].push(x);
    }
    out
}

fn reduced<O: Element>(kind: ReduceKind, input: &Tensor, dims: u32, fill: O) -> Vec<O> {
    let shape = &input.layout.shape;
    let kept: Shape = (0..shape.len()).filter(|&d| dims >> d & 1 == 0).map(|d| shape[d]).collect();
    let out = Tensor::new(&vec![fill; kept.numel()], &kept);
    run(kind, input.arg(), dims, out.arg()).unwrap();
    out.values()
}

fn inputs() -> Vec<(Tensor, u32)> {
    let mut out = Vec::new();
    for dims in [&[7][..], &[3000], &[5, 17], &[40, 600], &[600, 40], &[1100, 300], &[4, 33, 50]] {
        let make = || Tensor::new(&noise32(dims.iter().product(), 3), dims);
        for mask in 0..1u32 << dims.len() {
            out.push((make(), mask));
            let order: Vec<usize> = (0..dims.len()).rev().collect();
            out.push((make().view(|l| l.permute(&order)), mask));
            out.push((make().view(|l| l.slice(0, 1, (l.shape[0] - 1) / 2, 2)), mask));
        }
    }
    let wide = Tensor::new(&noise32(70, 1), &[70, 1, 1]);
    out.push((wide.view(|l| l.broadcast_to(&Shape::new(&[70, 9, 4]))), 0b010));
    out
}

#[test]
fn sums_are_as_good_as_pairwise_ones() {
    for (input, dims) in inputs() {
        let expect = groups::<f32>(&input, dims);
        for kind in [ReduceKind::Sum, ReduceKind::Mean] {
            let got = reduced::<f32>(kind, &input, dims, f32::NAN);
            for (got, terms) in got.iter().zip(&expect) {
                let sum: f64 = terms.iter().map(|&x| f64::from(x)).sum();
                let size: f64 = terms.iter().map(|x| f64::from(x.abs())).sum();
                let by = if kind == ReduceKind::Mean { terms.len() as f64 } else { 1.0 };
                let bound = 45.0 * f64::from(f32::EPSILON) * size / by;
                assert!((f64::from(*got) - sum / by).abs() <= bound, "{:?} {dims}", input.layout);
            }
        }
    }
}

#[test]
fn extremes_and_their_places() {
    for (input, dims) in inputs() {
        let expect = groups::<f32>(&input, dims);
        let max = reduced::<f32>(ReduceKind::Max, &input, dims, 0.0);
        let min = reduced::<f32>(ReduceKind::Min, &input, dims, 0.0);
        let first = reduced::<i64>(ReduceKind::ArgMax, &input, dims, -1);
        let last = reduced::<i64>(ReduceKind::ArgMin, &input, dims, -1);
        for (i, terms) in expect.iter().enumerate() {
            let top = terms.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let low = terms.iter().copied().fold(f32::INFINITY, f32::min);
            assert_eq!((max[i], min[i]), (top, low), "{:?} {dims}", input.layout);
            assert_eq!(first[i] as usize, terms.iter().position(|&x| x == top).unwrap());
            assert_eq!(last[i] as usize, terms.iter().position(|&x| x == low).unwrap());
        }
    }
}

#[test]
fn the_tree_depends_on_the_length_alone() {
    for len in [3, 15, 16, 100, 511, 512, 513, 5000] {
        let width = 20;
        let rows = Tensor::new(&noise32(len * width, 5), &[width, len]);
        let turned: Vec<f32> = {
            let x = rows.values::<f32>();
            (0..len * width).map(|i| x[i % width * len + i / width]).collect()
        };
        let columns = Tensor::new(&turned, &[len, width]);
        let expect = reduced::<f32>(ReduceKind::Sum, &rows, 0b10, 0.0);
        assert_eq!(expect, reduced::<f32>(ReduceKind::Sum, &columns, 0b01, 0.0), "{len}");
        let one = Tensor::new(&rows.values::<f32>()[..len], &[len]);
        assert_eq!(expect[..1], reduced::<f32>(ReduceKind::Sum, &one, 1, 0.0), "{len}");
    }
}

#[test]
fn threads_do_not_change_bits() {
    let input = Tensor::new(&noise32(3_000_000, 9), &[3000, 1000]);
    for dims in [0b01, 0b10, 0b11] {
        let with = |n| {
            set_num_threads(n);
            reduced::<f32>(ReduceKind::Sum, &input, dims, 0.0)
        };
        let one = with(1);
        assert!(one == with(2) && one == with(4));
    }
}

#[test]
fn integers_and_bools_fold_into_their_dtypes() {
    let bytes = Tensor::new(&[200u8, 100, 0, 7, 1, 3], &[2, 3]);
    assert_eq!(reduced::<i64>(ReduceKind::Sum, &bytes, 0b10, 0), [300, 11]);
    assert_eq!(reduced::<i64>(ReduceKind::Prod, &bytes, 0b10, 0), [0, 21]);
    assert_eq!(reduced::<u8>(ReduceKind::Max, &bytes, 0b01, 0), [200, 100, 3]);
    assert_eq!(reduced::<u8>(ReduceKind::All, &bytes, 0b10, 9), [0, 1]);
    assert_eq!(reduced::<u8>(ReduceKind::Any, &bytes, 0b11, 9), [1]);
    let ints = Tensor::new(&[i64::MAX, 1, 5], &[3]);
    assert_eq!(reduced::<i64>(ReduceKind::Sum, &ints, 1, 0), [i64::MIN + 5]);
    let doubles = Tensor::new(&noise(1000, 1), &[1000]);
    let prod = reduced::<f64>(ReduceKind::Prod, &doubles, 1, 0.0);
    assert!(prod[0].abs() < 1e-100);
}

#[test]
fn nothing_gives_the_neutral_element() {
    let input = Tensor::new::<f32>(&[], &[2, 0]);
    assert_eq!(reduced::<f32>(ReduceKind::Sum, &input, 0b10, 9.0), [0.0; 2]);
    assert_eq!(reduced::<f32>(ReduceKind::Prod, &input, 0b10, 9.0), [1.0; 2]);
    assert_eq!(reduced::<u8>(ReduceKind::Any, &input, 0b10, 9), [0; 2]);
    assert_eq!(reduced::<u8>(ReduceKind::All, &input, 0b10, 9), [1; 2]);
    assert!(reduced::<f32>(ReduceKind::Mean, &input, 0b10, 9.0).iter().all(|x| x.is_nan()));
    assert!(reduced::<f32>(ReduceKind::Sum, &input, 0b01, 9.0).is_empty());
}

#[test]
fn nan_is_the_extreme() {
    for (len, width) in [(5, 1), (40, 1), (40, 8), (700, 8)] {
        let mut data = noise32(len * width, 2);
        let at = len / 2;
        data[at * width] = f32::NAN;
        data[(at + 1) * width] = f32::NAN;
        let input = Tensor::new(&data, &[len, width]);
        for kind in [ReduceKind::Max, ReduceKind::Min] {
            let got = reduced::<f32>(kind, &input, 1, 0.0);
            assert!(got[0].is_nan() && got[1..].iter().all(|x| !x.is_nan()));
        }
        for kind in [ReduceKind::ArgMax, ReduceKind::ArgMin] {
            assert_eq!(reduced::<i64>(kind, &input, 1, 0)[0], at as i64);
        }
    }
}
