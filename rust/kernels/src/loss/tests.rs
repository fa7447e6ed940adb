use super::{Reduction, cross_entropy, cross_entropy_backward, nll, nll_backward};
use crate::Fault;
use crate::testing::{Tensor, close, noise32};

const ALL: [Reduction; 3] = [Reduction::None, Reduction::Mean, Reduction::Sum];

struct Case {
    x: Vec<f32>,
    target: Vec<i64>,
    n: usize,
    c: usize,
}

fn cases() -> Vec<Case> {
    [(1, 1), (4, 10), (33, 100), (700, 7)]
        .map(|(n, c)| Case {
            x: noise32(n * c, 1).iter().map(|x| x * 9.0).collect(),
            target: (0..n).map(|i| if i % 5 == 3 { -100 } else { (i * 7 % c) as i64 }).collect(),
            n,
            c,
        })
        .into()
}

impl Case {
    fn logp(&self) -> Vec<f64> {
        let log = |row: &[f32]| {
            let sum: f64 = row.iter().map(|&x| f64::from(x).exp()).sum();
            row.iter().map(|&x| f64::from(x) - sum.ln()).collect::<Vec<_>>()
        };
        self.x.chunks(self.c).flat_map(log).collect()
    }

    fn counted(&self) -> f64 {
        self.target.iter().filter(|&&t| t >= 0).count() as f64
    }

    fn losses(&self, reduction: Reduction) -> Vec<f64> {
        let logp = self.logp();
        let loss = |i: usize| match self.target[i] {
            t if t < 0 => 0.0,
            t => -logp[i * self.c + t as usize],
        };
        let rows: Vec<f64> = (0..self.n).map(loss).collect();
        match reduction {
            Reduction::None => rows,
            Reduction::Sum => vec![rows.iter().sum()],
            Reduction::Mean => vec![rows.iter().sum::<f64>() / self.counted()],
        }
    }

    /// Gradient with respect to the logits, or to their logarithmic probabilities.
    fn slopes(&self, reduction: Reduction, grad: &[f32], logits: bool) -> Vec<f64> {
        let logp = self.logp();
        let by = if reduction == Reduction::Mean { self.counted() } else { 1.0 };
        let slope = |i: usize| {
            let (row, c) = (i / self.c, (i % self.c) as i64);
            let scale = f64::from(grad[if grad.len() == 1 { 0 } else { row }]) / by;
            let hit = f64::from(u8::from(self.target[row] == c));
            let p = if logits { logp[i].exp() } else { 0.0 };
            if self.target[row] < 0 { 0.0 } else { (p - hit) * scale }
        };
        (0..self.n * self.c).map(slope).collect()
    }
}

#[test]
fn losses_and_gradients_agree_with_f64() {
    for case in cases() {
        let (n, c) = (case.n, case.c);
        for reduction in ALL {
            let size = if reduction == Reduction::None { n } else { 1 };
            let (logits, target) = (Tensor::new(&case.x, &[n, c]), Tensor::new(&case.target, &[n]));
            let make = |n: usize| Tensor::new(&vec![9f32; n], &[n]);
            let (out, count) = (make(size), make(1));
            let logp = Tensor::new(&vec![9f32; n * c], &[n, c]);
            cross_entropy(
                logits.arg(),
                target.arg(),
                -100,
                reduction,
                out.arg(),
                logp.arg(),
                count.arg(),
            )
            .unwrap();
            assert!(close(&logp.values(), &case.logp(), 1e-5));
            assert!(close(&out.values(), &case.losses(reduction), 1e-5), "{n} {c} {reduction:?}");
            assert!(close(&count.values(), &[case.counted()], 0.0));
            let again = make(size);
            nll(logp.arg(), target.arg(), -100, reduction, again.arg(), count.arg()).unwrap();
            assert_eq!(again.values::<f32>(), out.values::<f32>());

            let g = noise32(size, 5);
            let (grad, d) = (Tensor::new(&g, &[size]), Tensor::new(&vec![9f32; n * c], &[n, c]));
            cross_entropy_backward(
                grad.arg(),
                logp.arg(),
                target.arg(),
                count.arg(),
                -100,
                reduction,
                d.arg(),
            )
            .unwrap();
            assert!(close(&d.values(), &case.slopes(reduction, &g, true), 1e-5));
            nll_backward(grad.arg(), target.arg(), count.arg(), -100, reduction, d.arg()).unwrap();
            assert!(close(&d.values(), &case.slopes(reduction, &g, false), 1e-6));
        }
    }
}

#[test]
fn a_wrong_class_is_a_fault_and_no_class_at_all_nan() {
    let x = Tensor::new(&[0f32; 6], &[2, 3]);
    let (out, count) = (Tensor::new(&[9f32], &[]), Tensor::new(&[9f32], &[]));
    let logp = Tensor::new(&[9f32; 6], &[2, 3]);
    for bad in [3i64, -1] {
        let target = Tensor::new(&[0, bad], &[2]);
        let fault = Err(Fault::Index { index: bad, len: 3 });
        let mean = Reduction::Mean;
        assert_eq!(nll(x.arg(), target.arg(), -100, mean, out.arg(), count.arg()), fault);
        let got =
            cross_entropy(x.arg(), target.arg(), -100, mean, out.arg(), logp.arg(), count.arg());
        assert_eq!(got, fault);
        assert_eq!((out.values::<f32>()[0], logp.values::<f32>()[0]), (9.0, 9.0));
    }
    let target = Tensor::new(&[-100i64; 2], &[2]);
    nll(x.arg(), target.arg(), -100, Reduction::Mean, out.arg(), count.arg()).unwrap();
    assert!(out.values::<f32>()[0].is_nan() && count.values::<f32>() == [0.0]);
}
