//! Kernels that walk over rows: reductions, softmax, norms, losses, optimisers, sparse
//! products. Throughput counts the bytes that must be read and written at least.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use weft_kernels::reduce::ReduceKind;
use weft_kernels::softmax::Form;
use weft_kernels::{Arg, Buffer, DType, Element, Layout, Shape};
use weft_kernels::{loss, norm, optim, reduce, softmax, sparse};

struct Tensor(Buffer, DType, Layout);

impl Tensor {
    fn new<T: Element>(data: &[T], dims: &[usize]) -> Tensor {
        Tensor(Buffer::from_slice(data), T::DTYPE, Layout::contiguous(Shape::new(dims)))
    }

    /// Small numbers.
    fn floats(dims: &[usize]) -> Tensor {
        let n = dims.iter().product();
        let data: Vec<f32> =
            (0..n).map(|i: usize| (i * 7919 % 1000) as f32 / 1000.0 - 0.5).collect();
        Tensor::new(&data, dims)
    }

    fn arg(&self) -> Arg<'_> {
        Arg::new(&self.0, self.1, &self.2)
    }
}

fn time(c: &mut Criterion, name: &str, bytes: usize, run: impl Fn()) {
    let mut group = c.benchmark_group("rows");
    group.throughput(Throughput::Bytes(bytes as u64)).sample_size(10);
    group.bench_function(name, |bench| bench.iter(&run));
}

fn reductions(c: &mut Criterion) {
    for (dims, mask) in [
        (&[4096, 1024][..], 0b11),
        (&[4096, 1024], 0b10),
        (&[4096, 1024], 0b01),
        (&[128, 512], 0b01),
        (&[32, 64, 32, 32], 0b1101),
    ] {
        let x = Tensor::floats(dims);
        let kept: Vec<usize> =
            (0..dims.len()).filter(|d| mask >> d & 1 == 0).map(|d| dims[d]).collect();
        let out = Tensor::floats(&kept);
        for kind in [ReduceKind::Sum, ReduceKind::Max] {
            let name = format!("{kind:?}{dims:?}{mask:b}");
            time(c, &name, x.0.len(), || reduce::run(kind, x.arg(), mask, out.arg()).unwrap());
        }
    }
}

fn normalisers(c: &mut Criterion) {
    let x = Tensor::floats(&[4096, 1024]);
    let (out, rstd) = (Tensor::floats(&[4096, 1024]), Tensor::floats(&[4096]));
    let bytes = 2 * x.0.len();
    time(c, "softmax", bytes, || softmax::forward(Form::Plain, x.arg(), 1, out.arg()).unwrap());
    time(c, "log_softmax", bytes, || softmax::forward(Form::Log, x.arg(), 1, out.arg()).unwrap());
    time(c, "softmax dim 0", bytes, || {
        softmax::forward(Form::Plain, x.arg(), 0, out.arg()).unwrap()
    });
    time(c, "standardize", bytes, || {
        norm::standardize(x.arg(), 1024, 1e-5, out.arg(), rstd.arg());
    });
}

fn training(c: &mut Criterion) {
    let n = 1 << 20;
    let tensor = || Tensor::floats(&[n]);
    let (p, g, m, step) = (tensor(), tensor(), tensor(), Tensor::new(&[3f32], &[]));
    let positive: Vec<f32> = vec![0.5; n];
    let v = Tensor::new(&positive, &[n]);
    let hyper = Tensor::new(&[1e-9, 0.9, 0.999, 1e-8, 0.01, 1.0, 0.0], &[7]);
    let (pa, ma, va, s) = (p.arg(), m.arg(), v.arg(), step.arg());
    time(c, "adamw", 7 * n * 4, || {
        optim::adam(hyper.arg(), pa, g.arg(), ma, va, None, s, pa, ma, va, None, s);
    });
    let hyper = Tensor::new(&[1e-9, 0.9, 0.0, 0.01, 0.0, 0.0], &[6]);
    time(c, "sgd", 5 * n * 4, || {
        optim::sgd(hyper.arg(), pa, g.arg(), Some(ma), s, pa, Some(ma), s);
    });
    let (logits, logp) = (Tensor::floats(&[128, 10]), Tensor::floats(&[128, 10]));
    let target = Tensor::new(&vec![3i64; 128], &[128]);
    let (out, count) = (Tensor::floats(&[]), Tensor::floats(&[]));
    time(c, "cross_entropy 128x10", 2 * 128 * 10 * 4, || {
        let mean = loss::Reduction::Mean;
        let (l, t) = (logits.arg(), target.arg());
        loss::cross_entropy(l, t, -100, mean, out.arg(), logp.arg(), count.arg()).unwrap();
    });
}

/// As large as Cora with self-loops: 2708 rows, about five entries a row.
fn graphs(c: &mut Criterion) {
    let (rows, per_row) = (2708usize, 5usize);
    let crow: Vec<i64> = (0..=rows).map(|r| (r * per_row) as i64).collect();
    let col: Vec<i64> = (0..rows * per_row).map(|e| (e * 7919 % rows) as i64).collect();
    let (crow, col) = (Tensor::new(&crow, &[rows + 1]), Tensor::new(&col, &[rows * per_row]));
    let values = Tensor::floats(&[rows * per_row]);
    for n in [7, 16, 64] {
        let (x, out) = (Tensor::floats(&[rows, n]), Tensor::floats(&[rows, n]));
        let bytes = rows * (per_row * (n * 4 + 12) + n * 4);
        time(c, &format!("spmm {n}"), bytes, || {
            sparse::spmm(crow.arg(), col.arg(), values.arg(), x.arg(), out.arg()).unwrap();
        });
    }
}

criterion_group!(benches, reductions, normalisers, training, graphs);
criterion_main!(benches);
