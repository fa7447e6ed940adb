//! Matrix products beside the `gemm` crate, on one and on two threads.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gemm::Parallelism;
use weft_kernels::gemm::matmul;
use weft_kernels::{Arg, Buffer, DType, Layout, Shape, threads};

/// Rows, terms, columns, and whether each operand is the transpose of what lies in memory.
type Case = (usize, usize, usize, bool, bool);

const CASES: [Case; 14] = [
    (8, 4, 16, false, false),
    (64, 64, 64, false, false),
    (256, 256, 256, false, false),
    (1024, 1024, 1024, false, false),
    (2048, 2048, 2048, false, false),
    (128, 784, 512, false, false),
    (128, 784, 512, false, true),
    (512, 784, 128, false, true),
    (784, 128, 512, true, false),
    (128, 512, 10, false, true),
    (2708, 1433, 16, false, false),
    (1433, 2708, 16, true, false),
    (1, 784, 512, false, false),
    (1, 784, 512, false, true),
];

/// A matrix of small numbers, and how it lies in memory.
fn matrix(rows: usize, cols: usize, turned: bool) -> (Buffer, Layout) {
    let data: Vec<f32> =
        (0..rows * cols).map(|i| (i * 7919 % 1000) as f32 / 1000.0 - 0.5).collect();
    let layout = if turned {
        Layout::contiguous(Shape::new(&[cols, rows])).permute(&[1, 0])
    } else {
        Layout::contiguous(Shape::new(&[rows, cols]))
    };
    (Buffer::from_slice(&data), layout)
}

fn opponent(a: Arg, b: Arg, out: Arg, parallelism: Parallelism) {
    let strides = |x: &Arg| (x.layout.strides[1] as isize, x.layout.strides[0] as isize);
    let ((ac, ar), (bc, br), (oc, or)) = (strides(&a), strides(&b), strides(&out));
    let (m, n, k) = (a.layout.shape[0], b.layout.shape[1], a.layout.shape[1]);
    let (a, b, out) = (a.ptr() as *const f32, b.ptr() as *const f32, out.ptr() as *mut f32);
    // SAFETY: `Arg::ptr` checked that all three windows lie in their buffers.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out,
            oc,
            or,
            false,
            a,
            ac,
            ar,
            b,
            bc,
            br,
            0.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

fn products(c: &mut Criterion) {
    for (m, k, n, ta, tb) in CASES {
        let turned = |t: bool| if t { "t" } else { "" };
        let name = format!("matmul/{m}x{k}{}x{n}{}", turned(ta), turned(tb));
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements((2 * m * k * n) as u64));
        group.sample_size(10);
        let ((a, la), (b, lb), (out, lo)) =
            (matrix(m, k, ta), matrix(k, n, tb), matrix(m, n, false));
        let arg = |x, l| Arg::new(x, DType::F32, l);
        for count in [1, 2] {
            threads::set_num_threads(count);
            group.bench_function(BenchmarkId::new("weft", count), |bench| {
                bench.iter(|| matmul(arg(&a, &la), arg(&b, &lb), arg(&out, &lo)));
            });
            let parallelism =
                if count == 1 { Parallelism::None } else { Parallelism::Rayon(count) };
            group.bench_function(BenchmarkId::new("gemm", count), |bench| {
                bench.iter(|| opponent(arg(&a, &la), arg(&b, &lb), arg(&out, &lo), parallelism));
            });
        }
    }
}

criterion_group!(benches, products);
criterion_main!(benches);
