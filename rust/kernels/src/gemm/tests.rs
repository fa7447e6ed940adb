use crate::buffer::{Arg, Buffer};
use crate::dtype::{DType, Element};
use crate::layout::Layout;
use crate::shape::Shape;
use crate::testing::{Tensor, noise};
use crate::threads::set_num_threads;

use super::matmul;

trait Number: Element {
    fn of(x: f64) -> Self;
    fn back(self) -> f64;
}
impl Number for f32 {
    fn of(x: f64) -> f32 {
        x as f32
    }
    fn back(self) -> f64 {
        f64::from(self)
    }
}
impl Number for f64 {
    fn of(x: f64) -> f64 {
        x
    }
    fn back(self) -> f64 {
        self
    }
}

/// How an operand of a logical shape lies in memory.
#[derive(Clone, Copy, Debug)]
enum Lie {
    Rows,
    Columns,
    Gaps,
}

fn operand<T: Number>(rows: usize, cols: usize, lie: Lie, seed: u64) -> Tensor {
    let (shape, order): (&[usize], [usize; 2]) = match lie {
        Lie::Rows => (&[rows, cols], [0, 1]),
        Lie::Columns => (&[cols, rows], [1, 0]),
        Lie::Gaps => (&[2 * rows + 1, 3 * cols + 2], [0, 1]),
    };
    let shape = Shape::new(shape);
    let data: Vec<T> = noise(shape.numel(), seed).into_iter().map(T::of).collect();
    let mut layout = Layout::contiguous(shape).permute(&order);
    if matches!(lie, Lie::Gaps) {
        layout = layout.slice(0, 1, rows, 2).slice(1, 2, cols, 3);
    }
    Tensor { buffer: Buffer::from_slice(&data), dtype: T::DTYPE, layout }
}

fn result<T: Number>(dims: &[usize]) -> Tensor {
    let shape = Shape::new(dims);
    let data = vec![T::of(f64::NAN); shape.numel()];
    let layout = Layout::contiguous(shape);
    Tensor { buffer: Buffer::from_slice(&data), dtype: T::DTYPE, layout }
}

fn value<T: Number>(t: &Tensor, index: &[usize]) -> f64 {
    let at: usize = index.iter().zip(t.layout.strides.iter()).map(|(i, s)| i * s).sum();
    let all = Layout::contiguous(Shape::new(&[t.buffer.len() / size_of::<T>()]));
    Arg::new(&t.buffer, t.dtype, &all).slice::<T>()[t.layout.offset + at].back()
}

fn check<T: Number>(m: usize, k: usize, n: usize, la: Lie, lb: Lie) -> Vec<T> {
    let (a, b) = (operand::<T>(m, k, la, 1), operand::<T>(k, n, lb, 2));
    let out = result::<T>(&[m, n]);
    matmul(a.arg(), b.arg(), out.arg());
    let got = out.arg().slice::<T>().to_vec();
    let eps = if T::DTYPE == DType::F32 { f64::from(f32::EPSILON) } else { f64::EPSILON };
    let bound = eps * (k as f64 + 2.0);
    // Large results are checked at some places.
    let step = (m * n * k / 2_000_000).max(1);
    for at in (0..m * n).step_by(step) {
        let (i, j) = (at / n, at % n);
        let terms = (0..k).map(|p| value::<T>(&a, &[i, p]) * value::<T>(&b, &[p, j]));
        let (sum, size) = terms.fold((0.0, 0.0), |(s, z), x| (s + x, z + f64::abs(x)));
        let error = (got[at].back() - sum).abs();
        assert!(error <= bound * size, "{m}x{k}x{n} {la:?} {lb:?} at {i},{j}: {error}");
    }
    got
}

const LIES: [Lie; 3] = [Lie::Rows, Lie::Columns, Lie::Gaps];

fn check_all<T: Number>(m: usize, k: usize, n: usize) {
    for la in LIES {
        for lb in LIES {
            check::<T>(m, k, n, la, lb);
        }
    }
}

#[test]
fn odd_shapes_in_any_order() {
    let sizes = [1, 2, 3, 5, 8, 13, 15, 16, 17, 31, 33, 47];
    for (i, &m) in sizes.iter().enumerate() {
        for (j, &n) in sizes.iter().enumerate() {
            let k = sizes[(i * 5 + j * 7) % sizes.len()];
            check_all::<f32>(m, k, n);
            check_all::<f64>(m, k, n);
        }
    }
}

#[test]
fn shapes_around_the_block_sizes() {
    for (m, k, n) in [
        (1, 1000, 700),
        (4, 259, 129),
        (7, 300, 65),
        (9, 515, 40),
        (57, 257, 67),
        (130, 513, 10),
        (300, 5, 100),
        (1, 3, 5000),
        (5000, 3, 1),
        (128, 784, 512),
        (97, 1024, 130),
    ] {
        check_all::<f32>(m, k, n);
        check_all::<f64>(m, k, n);
    }
}

#[test]
fn the_order_in_memory_does_not_change_bits() {
    for (m, k, n) in [(1, 600, 40), (40, 600, 1), (6, 300, 70), (64, 300, 64), (200, 520, 130)] {
        let (a, b) = (operand::<f32>(m, k, Lie::Rows, 1), operand::<f32>(k, n, Lie::Rows, 2));
        let turn = |t: &Tensor| {
            let (rows, cols) = (t.layout.shape[0], t.layout.shape[1]);
            let x = t.arg().slice::<f32>();
            let data: Vec<f32> = (0..rows * cols).map(|i| x[i % rows * cols + i / rows]).collect();
            let layout = Layout::contiguous(Shape::new(&[cols, rows])).permute(&[1, 0]);
            Tensor { buffer: Buffer::from_slice(&data), dtype: DType::F32, layout }
        };
        let (at, bt) = (turn(&a), turn(&b));
        let bits = |a: &Tensor, b: &Tensor| {
            let out = result::<f32>(&[m, n]);
            matmul(a.arg(), b.arg(), out.arg());
            out.arg().slice::<f32>().iter().map(|x| x.to_bits()).collect::<Vec<_>>()
        };
        let first = bits(&a, &b);
        assert!(first == bits(&at, &b) && first == bits(&a, &bt) && first == bits(&at, &bt));
    }
}

#[test]
fn threads_do_not_change_bits() {
    for (m, k, n) in [(200, 300, 250), (1, 2000, 3000), (2, 2000, 1000), (700, 700, 10)] {
        let run = |threads| {
            set_num_threads(threads);
            check::<f32>(m, k, n, Lie::Rows, Lie::Columns)
        };
        let one = run(1);
        assert!(one == run(2) && one == run(4));
    }
}

#[test]
fn batches_broadcast_and_fold() {
    for (la, lb) in [(0, 1), (1, 0), (1, 1), (0, 0)] {
        let (batch, m, k, n) = (6, 5, 7, 9);
        let make = |own: usize, rows: usize, cols: usize, seed| {
            let layout =
                Layout::contiguous(Shape::new(&[if own == 1 { batch } else { 1 }, rows, cols]));
            let data: Vec<f32> =
                noise(layout.numel(), seed).into_iter().map(|x| x as f32).collect();
            let layout = layout.broadcast_to(&Shape::new(&[batch, rows, cols]));
            Tensor { buffer: Buffer::from_slice(&data), dtype: DType::F32, layout }
        };
        let (a, b) = (make(la, m, k, 1), make(lb, k, n, 2));
        let out = result::<f32>(&[batch, m, n]);
        matmul(a.arg(), b.arg(), out.arg());
        for (at, &got) in out.arg().slice::<f32>().iter().enumerate() {
            let (z, i, j) = (at / (m * n), at / n % m, at % n);
            let terms = (0..k).map(|p| value::<f32>(&a, &[z, i, p]) * value::<f32>(&b, &[z, p, j]));
            let sum: f64 = terms.sum();
            assert!((f64::from(got) - sum).abs() < 1e-5, "{la} {lb} {z} {i} {j}");
        }
    }
}

#[test]
fn integers_wrap_and_nothing_gives_zeros() {
    let layout = Layout::contiguous(Shape::new(&[2, 2]));
    let a = Buffer::from_slice(&[200u8, 100, 3, 4]);
    let out = Buffer::from_slice(&[0u8; 4]);
    let arg = |b| Arg::new(b, DType::U8, &layout);
    matmul(arg(&a), arg(&a), arg(&out));
    let expect = [200u32 * 200 + 300, 200 * 100 + 400, 612, 316].map(|x| x as u8);
    assert_eq!(arg(&out).slice::<u8>(), expect);

    let (a, b) = (operand::<f32>(3, 0, Lie::Rows, 1), operand::<f32>(0, 4, Lie::Rows, 1));
    let out = result::<f32>(&[3, 4]);
    matmul(a.arg(), b.arg(), out.arg());
    assert_eq!(out.arg().slice::<f32>(), [0.0; 12]);
    let (a, b) = (operand::<f64>(0, 3, Lie::Rows, 1), operand::<f64>(3, 4, Lie::Rows, 1));
    matmul(a.arg(), b.arg(), result::<f64>(&[0, 4]).arg());
}

#[test]
fn infinities_and_nan_stay_where_they_belong() {
    let (m, k, n) = (20, 40, 50);
    let (a, b) = (operand::<f32>(m, k, Lie::Rows, 1), operand::<f32>(k, n, Lie::Rows, 2));
    a.arg().slice_mut::<f32>()[3 * k + 5] = f32::NAN;
    b.arg().slice_mut::<f32>()[7 * n + 49] = f32::INFINITY;
    let out = result::<f32>(&[m, n]);
    matmul(a.arg(), b.arg(), out.arg());
    for (at, x) in out.arg().slice::<f32>().iter().enumerate() {
        assert_eq!(x.is_nan(), at / n == 3);
        assert_eq!(x.is_infinite(), at / n != 3 && at % n == 49);
    }
}
