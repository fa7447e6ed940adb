use super::cumsum;
use crate::testing::{Tensor, noise};
use crate::threads::set_num_threads;

#[test]
fn adds_in_order_along_any_dimension() {
    for threads in [1, 4] {
        set_num_threads(threads);
        for (dims, dim) in [(&[4, 3, 5][..], 0), (&[4, 3, 5], 1), (&[4, 3, 5], 2), (&[300, 900], 0)]
        {
            let n = dims.iter().product();
            let x = noise(n, 1);
            let inner: usize = dims[dim + 1..].iter().product();
            let mut expect = x.clone();
            for i in 0..n {
                if !(i / inner).is_multiple_of(dims[dim]) {
                    expect[i] += expect[i - inner];
                }
            }
            let out = Tensor::new(&vec![0f64; n], dims);
            cumsum(Tensor::new(&x, dims).arg(), dim, false, out.arg());
            assert!(out.values::<f64>() == expect, "{dims:?} {dim}");
            let mut expect = x.clone();
            for i in (0..n).rev() {
                if !(i / inner + 1).is_multiple_of(dims[dim]) {
                    expect[i] += expect[i + inner];
                }
            }
            cumsum(Tensor::new(&x, dims).arg(), dim, true, out.arg());
            assert!(out.values::<f64>() == expect, "{dims:?} {dim} reverse");
        }
    }
}

#[test]
fn integers_widen_and_nothing_stays_nothing() {
    let out = Tensor::new(&[0i64; 3], &[3]);
    cumsum(Tensor::new(&[200u8, 100, 1], &[3]).arg(), 0, false, out.arg());
    assert_eq!(out.values::<i64>(), [200, 300, 301]);
    cumsum(Tensor::new(&[i32::MAX, 1, -1], &[3]).arg(), 0, false, out.arg());
    assert_eq!(out.values::<i64>(), [2147483647, 2147483648, 2147483647]);
    let empty = Tensor::new::<f32>(&[], &[0, 2]);
    cumsum(empty.arg(), 0, false, Tensor::new::<f32>(&[], &[0, 2]).arg());
}

/// In `f32` alone the sum of 2^25 ones stops at 2^24.
#[test]
fn single_precision_is_summed_in_double() {
    let n = 1 << 25;
    for dims in [&[n][..], &[n / 4, 4]] {
        let (ones, out) = (Tensor::new(&vec![1f32; n], dims), Tensor::new(&vec![0f32; n], dims));
        for reverse in [false, true] {
            cumsum(ones.arg(), 0, reverse, out.arg());
            let sums = out.values::<f32>();
            let last = if reverse { sums[0] } else { sums[n - 1] };
            assert_eq!(last, dims[0] as f32);
        }
    }
}

#[test]
fn signs_of_zero_stay() {
    let out = Tensor::new(&[1f32; 2], &[2]);
    cumsum(Tensor::new(&[-0f32, -0.0], &[2]).arg(), 0, false, out.arg());
    assert!(out.values::<f32>().iter().all(|x| x.is_sign_negative()));
}
