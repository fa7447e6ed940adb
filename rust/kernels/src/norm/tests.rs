use super::{standardize, standardize_backward};
use crate::testing::{Tensor, close, noise32};
use crate::threads::set_num_threads;

#[test]
fn agrees_with_f64_in_both_directions() {
    for (rows, len) in [(1, 1), (5, 3), (7, 16), (300, 1000), (2, 5000)] {
        let x: Vec<f32> = noise32(rows * len, 1).iter().map(|x| x * 3.0 + 100.0).collect();
        let g = noise32(rows * len, 2);
        let make = |n: usize| Tensor::new(&vec![0f32; n], &[n]);
        let (out, rstd, grad) = (make(rows * len), make(rows), make(rows * len));
        standardize(Tensor::new(&x, &[rows, len]).arg(), len, 1e-5, out.arg(), rstd.arg());
        let g_in = Tensor::new(&g, &[rows, len]);
        standardize_backward(out.arg(), rstd.arg(), g_in.arg(), len, grad.arg());
        let (mut expect, mut scale, mut slope) = (vec![], vec![], vec![]);
        for (x, g) in x.chunks(len).zip(g.chunks(len)) {
            let mean = |f: &dyn Fn(usize) -> f64| (0..len).map(f).sum::<f64>() / len as f64;
            let m = mean(&|i| f64::from(x[i]));
            let r = 1.0 / (mean(&|i| (f64::from(x[i]) - m).powi(2)) + 1e-5).sqrt();
            let hat = |i: usize| (f64::from(x[i]) - m) * r;
            let (gm, gx) = (mean(&|i| f64::from(g[i])), mean(&|i| f64::from(g[i]) * hat(i)));
            scale.push(r);
            expect.extend((0..len).map(hat));
            slope.extend((0..len).map(|i| r * (f64::from(g[i]) - gm - hat(i) * gx)));
        }
        assert!(close(&out.values(), &expect, 1e-4), "{rows} {len}");
        assert!(close(&rstd.values(), &scale, 1e-4), "{rows} {len}");
        assert!(close(&grad.values(), &slope, 1e-3), "{rows} {len}");
    }
}

#[test]
fn threads_do_not_change_bits() {
    let x = Tensor::new(&noise32(400 * 777, 1), &[400, 777]);
    let run = |threads| {
        set_num_threads(threads);
        let (out, rstd) =
            (Tensor::new(&[0f32; 400 * 777], &[400 * 777]), Tensor::new(&[0f32; 400], &[400]));
        standardize(x.arg(), 777, 1e-5, out.arg(), rstd.arg());
        out.values::<f32>()
    };
    let one = run(1);
    assert!(one == run(2) && one == run(4));
}
