use super::{Form, backward, forward, logsumexp};
use crate::testing::{Tensor, close, noise32};
use crate::threads::set_num_threads;

const SHAPES: [(&[usize], usize); 8] = [
    (&[1], 0),
    (&[3, 10], 1),
    (&[64, 600], 1),
    (&[10, 3], 0),
    (&[600, 37], 0),
    (&[2, 33, 17], 1),
    (&[4, 5, 1], 2),
    (&[0, 5], 1),
];

/// Places of each row along `dim`.
fn rows(dims: &[usize], dim: usize) -> Vec<Vec<usize>> {
    let inner: usize = dims[dim + 1..].iter().product();
    let outer: usize = dims[..dim].iter().product();
    let row =
        |o: usize, i: usize| (0..dims[dim]).map(|k| (o * dims[dim] + k) * inner + i).collect();
    (0..outer * inner).map(|r| row(r / inner, r % inner)).collect()
}

fn soft(x: &[f32], log: bool, dims: &[usize], dim: usize) -> Vec<f64> {
    let mut out = vec![0.0; x.len()];
    for row in rows(dims, dim) {
        let max = row.iter().map(|&i| f64::from(x[i])).fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = row.iter().map(|&i| (f64::from(x[i]) - max).exp()).sum();
        for &i in &row {
            let z = f64::from(x[i]) - max;
            out[i] = if log { z - sum.ln() } else { z.exp() / sum };
        }
    }
    out
}

#[test]
fn agrees_with_f64_along_any_dimension() {
    for (dims, dim) in SHAPES {
        let n = dims.iter().product();
        let x: Vec<f32> = noise32(n, 1).iter().map(|x| x * 20.0).collect();
        let input = Tensor::new(&x, dims);
        for log in [false, true] {
            let out = Tensor::new(&vec![0f32; n], dims);
            let form = if log { Form::Log } else { Form::Plain };
            forward(form, input.arg(), dim, out.arg()).unwrap();
            let y = out.values::<f32>();
            assert!(close(&y, &soft(&x, log, dims, dim), 3e-6), "{dims:?} {dim} {log}");
            let g = noise32(n, 2);
            let mut expect = vec![0.0; n];
            for row in rows(dims, dim) {
                let (y, g) = (|i: usize| f64::from(y[i]), |i: usize| f64::from(g[i]));
                let sum: f64 = row.iter().map(|&i| if log { g(i) } else { g(i) * y(i) }).sum();
                for &i in &row {
                    expect[i] = if log { g(i) - y(i).exp() * sum } else { y(i) * (g(i) - sum) };
                }
            }
            let d = Tensor::new(&vec![0f32; n], dims);
            backward(log, out.arg(), Tensor::new(&g, dims).arg(), dim, d.arg()).unwrap();
            assert!(close(&d.values(), &expect, 3e-5), "{dims:?} {dim} {log}");
        }
        let sums = Tensor::new(&vec![0f32; n / dims[dim].max(1)], &[n / dims[dim].max(1)]);
        if n > 0 {
            logsumexp(input.arg(), dim, sums.arg()).unwrap();
            let expect: Vec<f64> = rows(dims, dim)
                .iter()
                .map(|r| r.iter().map(|&i| f64::from(x[i]).exp()).sum::<f64>().ln())
                .collect();
            assert!(close(&sums.values(), &expect, 3e-6), "{dims:?} {dim}");
        }
    }
}

#[test]
fn infinities() {
    let (inf, none) = (f32::INFINITY, f32::NEG_INFINITY);
    let input = Tensor::new(&[none, none, none, 1.0, inf, 2.0], &[3, 2]);
    let out = Tensor::new(&[0f32; 6], &[3, 2]);
    for log in [false, true] {
        let form = if log { Form::Log } else { Form::Plain };
        forward(form, input.arg(), 1, out.arg()).unwrap();
        let y = out.values::<f32>();
        assert!(y[0].is_nan() && y[1].is_nan());
        assert_eq!(y[2..4], if log { [none, 0.0] } else { [0.0, 1.0] });
    }
    let sums = Tensor::new(&[0f32; 3], &[3]);
    logsumexp(input.arg(), 1, sums.arg()).unwrap();
    assert_eq!(sums.values::<f32>(), [none, 1.0, inf]);
}

#[test]
fn threads_and_order_do_not_change_bits() {
    let x = noise32(300 * 700, 4);
    let turned: Vec<f32> = (0..x.len()).map(|i| x[i % 300 * 700 + i / 300]).collect();
    let run = |data: &[f32], dims: &[usize], dim, threads| {
        set_num_threads(threads);
        let out = Tensor::new(&vec![0f32; data.len()], dims);
        forward(Form::Plain, Tensor::new(data, dims).arg(), dim, out.arg()).unwrap();
        out.values::<f32>()
    };
    let one = run(&x, &[300, 700], 1, 1);
    assert!(one == run(&x, &[300, 700], 1, 4));
    let other = run(&turned, &[700, 300], 0, 2);
    assert!((0..x.len()).all(|i| other[i] == one[i % 300 * 700 + i / 300]));
}

#[test]
fn a_masked_row_of_nothing_is_zero() {
    let none = f32::NEG_INFINITY;
    let data = [none, none, none, 1.0, none, 2.0, none, 0.5];
    for (dims, dim) in [([4, 2], 1), ([2, 4], 0)] {
        let mut x = data.to_vec();
        if dim == 0 {
            x = (0..8).map(|i| data[i % 4 * 2 + i / 4]).collect();
        }
        let (masked, plain) = (Tensor::new(&[9f32; 8], &dims), Tensor::new(&[9f32; 8], &dims));
        forward(Form::Masked, Tensor::new(&x, &dims).arg(), dim, masked.arg()).unwrap();
        forward(Form::Plain, Tensor::new(&x, &dims).arg(), dim, plain.arg()).unwrap();
        let (masked, plain) = (masked.values::<f32>(), plain.values::<f32>());
        for i in 0..8 {
            let nothing = if dim == 1 { i < 2 } else { i % 4 == 0 };
            assert!(if nothing {
                masked[i] == 0.0 && plain[i].is_nan()
            } else {
                masked[i] == plain[i]
            });
        }
    }
}
