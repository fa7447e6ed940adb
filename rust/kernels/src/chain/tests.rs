use super::*;
use crate::Scalar;
use crate::fill::One;
use crate::layout::Layout;
use crate::testing::{Tensor, noise32};
use crate::tile::{self, TileSet};

fn f32_tile(set: &TileSet) -> Tile {
    set.get(DType::F32).unwrap()
}

fn instr(set: &TileSet, ins: &[Src], dst: Dst) -> Instr {
    Instr { tile: f32_tile(set), ins: ins.to_vec(), dst }
}

fn slots(ins: usize, outs: usize, regs: Vec<DType>) -> Slots {
    Slots { ins: vec![DType::F32; ins], outs: vec![DType::F32; outs], regs }
}

/// out0 = tanh(a b + c), out1 = (out0 < a ? out0 : a) c; one register of truth values.
fn chain() -> Chain {
    let less =
        Instr { tile: f32_tile(&tile::LT), ins: vec![Src::Out(0), Src::In(0)], dst: Dst::Reg(1) };
    let instrs = vec![
        instr(&tile::MUL, &[Src::In(0), Src::In(1)], Dst::Reg(0)),
        instr(&tile::ADD, &[Src::Reg(0), Src::In(2)], Dst::Reg(0)),
        instr(&tile::TANH, &[Src::Reg(0)], Dst::Out(0)),
        less,
        instr(&tile::WHERE, &[Src::Reg(1), Src::Out(0), Src::In(0)], Dst::Reg(0)),
        instr(&tile::MUL, &[Src::Reg(0), Src::In(2)], Dst::Out(1)),
    ];
    Chain::new(instrs, slots(3, 2, vec![DType::F32, DType::Bool])).unwrap()
}

/// What [`chain`] gives for one element.
fn expect(a: f32, b: f32, c: f32) -> (f32, f32) {
    let t = crate::math::single::tanh(a * b + c);
    (t, if t < a { t } else { a } * c)
}

fn check(ins: [&Tensor; 3], outs: [&Tensor; 2]) {
    let [a, b, c] = ins.map(|t| t.values::<f32>());
    chain().run(&ins.map(Tensor::arg), &outs.map(Tensor::arg));
    let expected: Vec<_> = (0..a.len()).map(|i| expect(a[i], b[i], c[i])).collect();
    let (x, y): (Vec<_>, Vec<_>) = expected.into_iter().unzip();
    assert_eq!(outs[0].values::<f32>(), x, "{:?}", outs[0].layout);
    assert_eq!(outs[1].values::<f32>(), y, "{:?}", outs[1].layout);
}

fn tensor(dims: &[usize], seed: u64) -> Tensor {
    Tensor::new(&noise32(dims.iter().product(), seed), dims)
}

#[test]
fn contiguous_runs_of_any_length() {
    for n in [0, 1, 7, TILE - 1, TILE, TILE + 1, 5 * TILE + 3, 300_000] {
        let [a, b, c, x, y] = [1, 2, 3, 4, 5].map(|seed| tensor(&[n], seed));
        check([&a, &b, &c], [&x, &y]);
    }
    let [a, b, c, x, y] = [1, 2, 3, 4, 5].map(|seed| tensor(&[], seed));
    check([&a, &b, &c], [&x, &y]);
}

#[test]
fn strides_of_every_kind() {
    for dims in [[3, 5, 4], [4, 300, 7], [2, 9, 1030], [50, 1, 130], [1, 1, 2000], [0, 3, 2]] {
        let [d, e, f] = dims;
        let plain = tensor(&dims, 1);
        let turned = tensor(&[f, d, e], 2).view(|l| l.permute(&[1, 2, 0]));
        let sparse = tensor(&[d, e, 2 * f], 3).view(|l| l.slice(2, 1.min(f), f, 2));
        let shape = plain.layout.shape;
        let row = tensor(&[1, 1, f], 4).view(|l| l.broadcast_to(&shape));
        let column = tensor(&[d, 1, 1], 5).view(|l| l.broadcast_to(&shape));
        let point = tensor(&[1], 6).view(|l| l.broadcast_to(&shape));
        let all = [&plain, &turned, &sparse, &row, &column, &point];
        for (i, a) in all.into_iter().enumerate() {
            let (b, c) = (all[(i + 1) % 6], all[(i + 3) % 6]);
            let out = |seed| tensor(&dims, seed);
            let turned = |seed| tensor(&[f, d, e], seed).view(|l| l.permute(&[1, 2, 0]));
            let gaps = |seed| tensor(&[d, 2 * e, f], seed).view(|l| l.slice(1, 0, e, 2));
            check([a, b, c], [&out(7), &out(8)]);
            check([a, b, c], [&out(7), &turned(8)]);
            check([a, b, c], [&turned(7), &gaps(8)]);
            check([a, b, c], [&gaps(7), &turned(8)]);
        }
    }
}

#[test]
fn the_last_reader_of_an_input_may_overwrite_it() {
    for n in [10, 5000, 200_000] {
        let [a, b, c] = [1, 2, 3].map(|seed| tensor(&[n], seed));
        let before = [&a, &b, &c].map(|t| t.values::<f32>());
        chain().run(&[a.arg(), b.arg(), c.arg()], &[b.arg(), c.arg()]);
        let want = |i: usize| expect(before[0][i], before[1][i], before[2][i]);
        assert!(b.values::<f32>().iter().enumerate().all(|(i, &x)| x == want(i).0));
        assert!(c.values::<f32>().iter().enumerate().all(|(i, &y)| y == want(i).1));
    }
    let square = tensor(&[70, 80], 1).view(|l| l.permute(&[1, 0]));
    let before = square.values::<f32>();
    apply(f32_tile(&tile::SQUARE), &[square.arg()], square.arg(), 1);
    assert!(square.values::<f32>().iter().zip(before).all(|(&y, x)| y == x * x));
}

#[test]
fn threads_do_not_change_bits() {
    let [a, b, c] = [1, 2, 3].map(|seed| tensor(&[400, 1001], seed));
    let b = b.view(|l| l.slice(0, 7, 1, 1).broadcast_to(&a.layout.shape));
    let run = |threads| {
        crate::threads::set_num_threads(threads);
        let [x, y, z] = [4, 5, 6].map(|seed| tensor(&[400, 1001], seed));
        chain().run(&[a.arg(), b.arg(), c.arg()], &[x.arg(), y.arg()]);
        apply(f32_tile(&tile::EXP), &[a.arg()], z.arg(), 10);
        [x, y, z].map(|t| t.values::<f32>())
    };
    let alone = run(1);
    assert_eq!(run(4), alone);
}

#[test]
fn one_instruction_alone_follows_the_same_rules() {
    let shape = crate::Shape::new(&[33, 65]);
    let a = tensor(&[33, 65], 1);
    let others = [
        tensor(&[33, 65], 2),
        tensor(&[65, 33], 3).view(|l| l.permute(&[1, 0])),
        tensor(&[1, 65], 4).view(|l| l.broadcast_to(&shape)),
        tensor(&[33, 1], 5).view(|l| l.broadcast_to(&shape)),
        tensor(&[1, 1], 6).view(|l| l.broadcast_to(&shape)),
    ];
    for b in &others {
        for out in [tensor(&[33, 65], 7), tensor(&[65, 33], 8).view(|l| l.permute(&[1, 0]))] {
            apply(f32_tile(&tile::SUB), &[a.arg(), b.arg()], out.arg(), 1);
            let expected: Vec<f32> =
                a.values::<f32>().iter().zip(b.values::<f32>()).map(|(a, b)| a - b).collect();
            assert_eq!(out.values::<f32>(), expected);
        }
    }
}

#[test]
fn many_operands_and_registers_work_too() {
    const N: usize = 2500;
    let ins: Vec<Tensor> = (0..20).map(|seed| tensor(&[N], seed + 1)).collect();
    let mut instrs = vec![instr(&tile::NEG, &[Src::In(0)], Dst::Reg(0))];
    for k in 1..20u8 {
        instrs.push(instr(&tile::ADD, &[Src::Reg(k - 1), Src::In(k)], Dst::Reg(k)));
    }
    instrs.push(instr(&tile::NEG, &[Src::Reg(19)], Dst::Out(0)));
    let chain = Chain::new(instrs, slots(20, 1, vec![DType::F32; 20])).unwrap();
    let out = tensor(&[N], 99);
    let args: Vec<Arg> = ins.iter().map(Tensor::arg).collect();
    chain.run(&args, &[out.arg()]);
    let columns: Vec<Vec<f32>> = ins.iter().map(|t| t.values()).collect();
    let sum = |i: usize| columns[1..].iter().fold(-columns[0][i], |sum, c| sum + c[i]);
    assert!(out.values::<f32>().iter().enumerate().all(|(i, &x)| x == -sum(i)));
}

#[test]
#[should_panic(expected = "in a sweep of")]
fn shapes_must_agree() {
    let (a, out) = (tensor(&[3], 1), tensor(&[4], 2));
    chain().run(&[a.arg(), out.arg(), out.arg()], &[out.arg(), out.arg()]);
}

#[test]
#[should_panic(expected = "exceeds")]
fn a_window_beyond_its_buffer_is_refused() {
    let mut a = tensor(&[3], 1);
    a.layout = Layout { offset: 1, ..a.layout };
    let out = tensor(&[3], 2);
    apply(f32_tile(&tile::NEG), &[a.arg()], out.arg(), 1);
}

#[test]
fn a_chain_that_names_what_it_does_not_have_does_not_exist() {
    let neg = |src, dst| instr(&tile::NEG, &[src], dst);
    let (out, f32s) = (Dst::Out(0), || vec![DType::F32]);
    for bad in [
        neg(Src::In(1), out),
        neg(Src::Reg(1), out),
        neg(Src::Out(1), out),
        neg(Src::In(0), Dst::Reg(1)),
        neg(Src::In(0), Dst::Out(1)),
        instr(&tile::ADD, &[Src::In(0)], out),
        instr(&tile::NEG, &[Src::In(0), Src::In(0)], out),
        instr(&tile::LT, &[Src::In(0), Src::In(0)], out),
        instr(&tile::WHERE, &[Src::In(0), Src::In(0), Src::In(0)], out),
    ] {
        assert!(Chain::new(vec![bad.clone()], slots(1, 1, f32s())).is_none(), "{bad:?}");
    }
    let wide = Slots { regs: vec![DType::F64], ..slots(1, 1, Vec::new()) };
    let into_wide = neg(Src::In(0), Dst::Reg(0));
    assert!(Chain::new(vec![into_wide], wide).is_none());
    assert!(Chain::new(Vec::new(), Slots::default()).is_none());
}

#[test]
#[should_panic(expected = "for Slots")]
fn a_chain_is_not_run_on_another_dtype() {
    let (a, wrong) = (tensor(&[3], 1), Tensor::new(&[1f64, 2.0, 3.0], &[3]));
    chain().run(&[a.arg(), a.arg(), a.arg()], &[a.arg(), wrong.arg()]);
}

#[test]
#[should_panic(expected = "for Tile")]
fn an_instruction_is_not_run_on_another_dtype() {
    let (a, wrong) = (tensor(&[3], 1), Tensor::new(&[1f64, 2.0, 3.0], &[3]));
    apply(f32_tile(&tile::NEG), &[a.arg()], wrong.arg(), 1);
}

fn one(value: f64) -> One {
    One::new(Scalar::Float(value), DType::F32)
}

fn span<'a>(x: &'a Tensor, offset: usize) -> Span<'a> {
    Span { buffer: &x.buffer, dtype: DType::F32, offset }
}

#[test]
fn numbers_beside_adjacent_elements_are_read_as_repeated_ones() {
    let (low, high) = (one(-0.3), one(0.4));
    for n in [0, 1, 7, 100, 1_000_000] {
        let (x, out, expected) = (tensor(&[n], 1), tensor(&[n], 2), tensor(&[n], 3));
        let ins = [Flat::Each(span(&x, 0)), Flat::One(&low), Flat::One(&high)];
        flat(f32_tile(&tile::CLAMP), &ins, span(&out, 0), n, 2);
        let repeated =
            |value| Tensor::new(&[value], &[1]).view(|l| l.broadcast_to(&Shape::new(&[n])));
        let (low, high) = (repeated(-0.3f32), repeated(0.4));
        let args = [x.arg(), low.arg(), high.arg()];
        apply(f32_tile(&tile::CLAMP), &args, expected.arg(), 2);
        assert_eq!(out.values::<f32>(), expected.values::<f32>());
    }
}

#[test]
fn a_span_begins_at_its_offset_and_may_be_written_over() {
    let (x, two) = (tensor(&[300_003], 1), one(2.0));
    let before = x.values::<f32>();
    let ins = [Flat::Each(span(&x, 3)), Flat::One(&two)];
    flat(f32_tile(&tile::MUL), &ins, span(&x, 3), 300_000, 1);
    let doubled = before.iter().enumerate().map(|(i, v)| if i < 3 { *v } else { 2.0 * v });
    assert_eq!(x.values::<f32>(), doubled.collect::<Vec<_>>());
}

#[test]
#[should_panic(expected = "exceed")]
fn a_span_beyond_its_buffer() {
    let (x, out) = (tensor(&[64], 1), tensor(&[64], 2));
    flat(f32_tile(&tile::NEG), &[Flat::Each(span(&x, 1))], span(&out, 0), 64, 1);
}

#[test]
#[should_panic(expected = "for Tile")]
fn a_number_of_another_dtype_than_its_tile_expects() {
    let (x, wrong) = (tensor(&[4], 1), One::new(Scalar::Int(1), DType::I64));
    let ins = [Flat::Each(span(&x, 0)), Flat::One(&wrong)];
    flat(f32_tile(&tile::ADD), &ins, span(&x, 0), 4, 1);
}
