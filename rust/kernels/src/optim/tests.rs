use super::{adam, sgd};
use crate::testing::{Tensor, noise};
use crate::threads::set_num_threads;

const SIZES: [usize; 5] = [0, 1, 16, 37, 100_003];

fn zeros(n: usize) -> Tensor {
    Tensor::new(&vec![0f64; n], &[n])
}

fn near(got: &Tensor, expect: &[f64]) -> bool {
    let got = got.values::<f64>();
    got.iter().zip(expect).all(|(g, e)| (g - e).abs() <= 1e-12 * e.abs().max(1.0))
}

#[test]
fn sgd_takes_torchs_steps_in_place() {
    set_num_threads(2);
    for hyper in [
        [0.1, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.1, 0.9, 0.0, 0.01, 0.0, 0.0],
        [0.1, 0.9, 0.3, 0.0, 0.0, 1.0],
        [0.1, 0.9, 0.0, 0.01, 1.0, 0.0],
    ] {
        let [lr, mu, damp, decay, nesterov, maximize] = hyper;
        for n in SIZES {
            let (mut p, mut b) = (noise(n, 1), vec![0.0; n]);
            let (param, buf, step) = (Tensor::new(&p, &[n]), zeros(n), Tensor::new(&[0f32], &[]));
            let hyper = Tensor::new(&hyper, &[6]);
            for t in 0..3 {
                let g = noise(n, 10 + t);
                for i in 0..n {
                    let s = if maximize == 1.0 { -g[i] } else { g[i] } + decay * p[i];
                    b[i] = if t == 0 { s } else { mu * b[i] + (1.0 - damp) * s };
                    let d = if nesterov == 1.0 { s + mu * b[i] } else { b[i] };
                    p[i] -= lr * if mu == 0.0 { s } else { d };
                }
                let grad = Tensor::new(&g, &[n]);
                let momentum = (mu != 0.0).then(|| buf.arg());
                let (p, s) = (param.arg(), step.arg());
                sgd(hyper.arg(), p, grad.arg(), momentum, s, p, momentum, s);
            }
            assert!(near(&param, &p) && (mu == 0.0 || near(&buf, &b)));
            assert_eq!(step.values::<f32>(), [3.0]);
        }
    }
}

#[test]
fn adam_takes_torchs_steps() {
    for (hyper, amsgrad) in [
        ([0.1, 0.9, 0.999, 1e-8, 0.0, 0.0, 0.0], false),
        ([0.1, 0.4, 0.99, 1e-8, 0.1, 0.0, 0.0], false),
        ([0.1, 0.9, 0.999, 1e-8, 0.1, 1.0, 1.0], true),
    ] {
        let [lr, b1, b2, eps, decay, decoupled, maximize]: [f64; 7] = hyper;
        for n in SIZES {
            let (mut p, mut m, mut v, mut top) =
                (noise(n, 1), vec![0.0; n], vec![0.0; n], vec![0.0f64; n]);
            let (param, tm, tv, tx) = (Tensor::new(&p, &[n]), zeros(n), zeros(n), zeros(n));
            let (step, hyper) = (Tensor::new(&[0f32], &[]), Tensor::new(&hyper, &[7]));
            for t in 1..4 {
                let g = noise(n, 10 + t);
                let (c1, c2) = (1.0 - b1.powi(t as i32), 1.0 - b2.powi(t as i32));
                for i in 0..n {
                    let mut s = if maximize == 1.0 { -g[i] } else { g[i] };
                    if decoupled == 1.0 {
                        p[i] *= 1.0 - lr * decay
                    } else {
                        s += decay * p[i]
                    }
                    m[i] = b1 * m[i] + (1.0 - b1) * s;
                    v[i] = b2 * v[i] + (1.0 - b2) * s * s;
                    top[i] = top[i].max(v[i]);
                    let root = if amsgrad { top[i] } else { v[i] };
                    p[i] -= lr / c1 * m[i] / (root.sqrt() / c2.sqrt() + eps);
                }
                let grad = Tensor::new(&g, &[n]);
                let max = amsgrad.then(|| tx.arg());
                let (p, m, v, s) = (param.arg(), tm.arg(), tv.arg(), step.arg());
                adam(hyper.arg(), p, grad.arg(), m, v, max, s, p, m, v, max, s);
            }
            assert!(near(&param, &p) && near(&tm, &m) && near(&tv, &v));
            assert!(!amsgrad || near(&tx, &top));
        }
    }
}
