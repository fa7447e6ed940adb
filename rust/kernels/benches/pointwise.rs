//! Elementwise kernels: alone, in chains, and what moves or makes data.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use weft_kernels::chain::{Chain, Dst, Instr, Slots, Src, apply};
use weft_kernels::tile::{self, Tile};
use weft_kernels::{Arg, Buffer, DType, Layout, Scalar, Shape, copy, fill, rng};

struct Tensor {
    buffer: Buffer,
    dtype: DType,
    layout: Layout,
}

impl Tensor {
    fn new(dtype: DType, dims: &[usize]) -> Tensor {
        let layout = Layout::contiguous(Shape::new(dims));
        let buffer = Buffer::new(layout.numel() * dtype.size());
        let tensor = Tensor { buffer, dtype, layout };
        fill::fill(Scalar::Float(0.7), tensor.arg());
        tensor
    }

    fn arg(&self) -> Arg<'_> {
        Arg::new(&self.buffer, self.dtype, &self.layout)
    }
}

fn float(set: &tile::TileSet) -> Tile {
    set.get(DType::F32).expect("a float tile")
}

fn tiles(c: &mut Criterion) {
    let sets = [
        ("exp", &tile::EXP),
        ("log", &tile::LOG),
        ("tanh", &tile::TANH),
        ("sigmoid", &tile::SIGMOID),
        ("erf", &tile::ERF),
        ("gelu", &tile::GELU),
        ("sin", &tile::SIN),
        ("relu", &tile::RELU),
        ("sqrt", &tile::SQRT),
    ];
    for n in [1 << 10, 1 << 20] {
        let mut group = c.benchmark_group(format!("{n} f32"));
        group.throughput(Throughput::Elements(n as u64));
        let (x, y, out) = (
            Tensor::new(DType::F32, &[n]),
            Tensor::new(DType::F32, &[n]),
            Tensor::new(DType::F32, &[n]),
        );
        rng::normal(rng::Key { seed: 1, offset: 0 }, 0.0, 2.0, x.arg());
        for (name, set) in sets {
            let cost = if name == "relu" { 1 } else { 8 };
            group.bench_function(name, |b| {
                b.iter(|| apply(float(set), &[x.arg()], out.arg(), cost));
            });
        }
        for (name, set) in [("add", &tile::ADD), ("pow", &tile::POW), ("max", &tile::MAXIMUM)] {
            group.bench_function(name, |b| {
                b.iter(|| apply(float(set), &[x.arg(), y.arg()], out.arg(), 1));
            });
        }
        group.bench_function("add in place", |b| {
            b.iter(|| apply(float(&tile::ADD), &[out.arg(), x.arg()], out.arg(), 1));
        });
        let scalar = Layout { strides: Shape::new(&[0]), ..x.layout };
        group.bench_function("add one value", |b| {
            let one = Arg::new(&y.buffer, DType::F32, &scalar);
            b.iter(|| apply(float(&tile::ADD), &[x.arg(), one], out.arg(), 1));
        });
    }
}

fn small(c: &mut Criterion) {
    let x = Tensor::new(DType::F32, &[2, 2]);
    let out = Tensor::new(DType::F32, &[2, 2]);
    c.bench_function("2x2 add", |b| {
        b.iter(|| apply(float(&tile::ADD), &[x.arg(), x.arg()], out.arg(), 1));
    });
    let row = x.layout.slice(0, 0, 1, 1).broadcast_to(&x.layout.shape);
    c.bench_function("2x2 add row", |b| {
        let row = Arg::new(&x.buffer, DType::F32, &row);
        b.iter(|| apply(float(&tile::ADD), &[x.arg(), row], out.arg(), 1));
    });
    let (x, bias) = (Tensor::new(DType::F32, &[128, 512]), Tensor::new(DType::F32, &[512]));
    let out = Tensor::new(DType::F32, &[128, 512]);
    let row = bias.layout.broadcast_to(&x.layout.shape);
    c.bench_function("128x512 add row", |b| {
        let row = Arg::new(&bias.buffer, DType::F32, &row);
        b.iter(|| apply(float(&tile::ADD), &[x.arg(), row], out.arg(), 1));
    });
}

/// Six instructions: sigmoid(x * y + x) - y, squared, times x.
fn chain() -> Vec<(&'static tile::TileSet, Vec<Src>)> {
    use Src::{In, Reg};
    vec![
        (&tile::MUL, vec![In(0), In(1)]),
        (&tile::ADD, vec![Reg(0), In(0)]),
        (&tile::SIGMOID, vec![Reg(1)]),
        (&tile::SUB, vec![Reg(0), In(1)]),
        (&tile::SQUARE, vec![Reg(1)]),
        (&tile::MUL, vec![Reg(0), In(0)]),
    ]
}

fn chains(c: &mut Criterion) {
    let n = 10_000_000;
    let [x, y, a, b] = [(); 4].map(|()| Tensor::new(DType::F32, &[n]));
    let steps = chain();
    let instr = |(i, (set, ins)): (usize, &(&tile::TileSet, Vec<Src>))| Instr {
        tile: float(set),
        ins: ins.clone(),
        dst: if i + 1 == steps.len() { Dst::Out(0) } else { Dst::Reg(i as u8 % 2) },
    };
    let instrs = steps.iter().enumerate().map(instr).collect();
    let f32s = |n| vec![DType::F32; n];
    let slots = Slots { ins: f32s(2), outs: f32s(1), regs: f32s(2) };
    let chain = Chain::new(instrs, slots).expect("a chain of its slots");
    let mut group = c.benchmark_group("6 instructions, 10 M f32");
    group.throughput(Throughput::Elements(n as u64));
    group.bench_function("chain", |bench| {
        bench.iter(|| chain.run(&[x.arg(), y.arg()], &[a.arg()]));
    });
    group.bench_function("one by one", |bench| {
        bench.iter(|| {
            for (i, (set, ins)) in steps.iter().enumerate() {
                let args: Vec<Arg> = ins
                    .iter()
                    .map(|src| match src {
                        Src::In(k) => [x.arg(), y.arg()][*k as usize],
                        Src::Reg(k) | Src::Out(k) => [a.arg(), b.arg()][*k as usize],
                    })
                    .collect();
                apply(float(set), &args, [a.arg(), b.arg()][i % 2], 4);
            }
        });
    });
}

fn movement(c: &mut Criterion) {
    let (from, to) =
        (Tensor::new(DType::F32, &[1024, 1024]), Tensor::new(DType::F32, &[1024, 1024]));
    let turned = from.layout.permute(&[1, 0]);
    let mut group = c.benchmark_group("1 Mi f32");
    group.throughput(Throughput::Elements(1 << 20));
    group.bench_function("copy transposed", |b| {
        b.iter(|| copy::copy(Arg::new(&from.buffer, DType::F32, &turned), to.arg()));
    });
    group.bench_function("copy", |b| b.iter(|| copy::copy(from.arg(), to.arg())));
    group.bench_function("fill", |b| b.iter(|| fill::fill(Scalar::Float(1.0), to.arg())));
    let key = rng::Key { seed: 7, offset: black_box(0) };
    group.bench_function("normal", |b| b.iter(|| rng::normal(key, 0.0, 1.0, to.arg())));
    group.bench_function("uniform", |b| b.iter(|| rng::uniform(key, 0.0, 1.0, to.arg())));
    group.bench_function("bernoulli", |b| b.iter(|| rng::bernoulli(key, 0.9, 1.1, to.arg())));
    let ints = Tensor::new(DType::I64, &[1 << 20]);
    group.bench_function("integers", |b| b.iter(|| rng::integers(key, 0, 1000, ints.arg())));
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(300))
        .sample_size(20)
        .without_plots()
        .configure_from_args();
    tiles(&mut criterion);
    small(&mut criterion);
    chains(&mut criterion);
    movement(&mut criterion);
    criterion.final_summary();
}
