use super::{add, gather, nonzero, scatter, scatter_add, select};
use crate::Fault;
use crate::shape::Shape;
use crate::testing::{Tensor, noise32};
use crate::threads::set_num_threads;

#[test]
fn select_takes_slices_of_any_window() {
    let data = noise32(6 * 5 * 4, 1);
    for order in [[0, 1, 2], [2, 0, 1], [2, 1, 0]] {
        let input = Tensor::new(&data, &[6, 5, 4]).view(|l| l.permute(&order));
        let (dims, x) = (input.layout.shape, input.values::<f32>());
        for dim in 0..3 {
            let index = [-1i64, 0, 2, 0, -(dims[dim] as i64)];
            let mut shape = dims;
            shape[dim] = 5;
            let out = Tensor::new(&vec![0f32; shape.numel()], &shape);
            let every = Tensor::new(&[-1i64, 9, 0, 9, 2, 9, 0, 9, index[4]], &[9])
                .view(|l| l.slice(0, 0, 5, 2));
            select(input.arg(), dim, every.arg(), true, out.arg()).unwrap();
            let inner: usize = dims[dim + 1..].iter().product();
            for (flat, got) in out.values::<f32>().into_iter().enumerate() {
                let (o, i, r) = (flat / inner / 5, flat / inner % 5, flat % inner);
                let place = index[i].rem_euclid(dims[dim] as i64) as usize;
                assert_eq!(got, x[(o * dims[dim] + place) * inner + r], "{order:?} {dim}");
            }
        }
    }
}

#[test]
fn bad_indices_are_told_before_anything_is_written() {
    let out = Tensor::new(&[7f32; 2], &[2]);
    let input = Tensor::new(&[1f32, 2.0, 3.0], &[3]);
    for (bad, wrap) in [(3i64, true), (-1, false), (-4, true), (i64::MIN, true)] {
        let index = Tensor::new(&[0, bad], &[2]);
        let fault = Err(Fault::Index { index: bad, len: 3 });
        assert_eq!(select(input.arg(), 0, index.arg(), wrap, out.arg()), fault);
        assert_eq!(add(input.arg(), 0, index.arg(), wrap, out.arg()), fault);
        if !wrap {
            assert_eq!(gather(input.arg(), 0, index.arg(), out.arg()), fault);
            assert_eq!(scatter(input.arg(), 0, index.arg(), out.arg()), fault);
            assert_eq!(scatter_add(input.arg(), 0, index.arg(), out.arg()), fault);
        }
    }
    assert_eq!(out.values::<f32>(), [7.0; 2]);
    assert_eq!(input.values::<f32>(), [1.0, 2.0, 3.0]);
}

#[test]
fn add_sums_in_order_whatever_the_threads() {
    let (n, places, width) = (5000, 70, 300);
    let source = noise32(n * width, 1);
    let index: Vec<i32> = (0..n as i32).map(|i| i * 37 % places as i32).collect();
    let mut expect = vec![1f32; places * width];
    for (i, &p) in index.iter().enumerate() {
        for c in 0..width {
            expect[p as usize * width + c] += source[i * width + c];
        }
    }
    for threads in [1, 2, 4] {
        set_num_threads(threads);
        let out = Tensor::new(&vec![1f32; places * width], &[places, width]);
        let source = Tensor::new(&source, &[n, width]);
        add(out.arg(), 0, Tensor::new(&index, &[n]).arg(), false, source.arg()).unwrap();
        assert!(out.values::<f32>() == expect);
    }
    let out = Tensor::new(&[1u8, 2, 3, 4], &[2, 2]);
    let source = Tensor::new(&[10u8, 250, 1, 1, 5, 5], &[2, 3]);
    add(out.arg(), 1, Tensor::new(&[1i64, 1, 0], &[3]).arg(), true, source.arg()).unwrap();
    assert_eq!(out.values::<u8>(), [2, 6, 8, 10]);
}

#[test]
fn gather_and_scatter_follow_the_index() {
    let input = Tensor::new(&[1, 2, 3, 4, 5, 6], &[2, 3]);
    let index = Tensor::new(&[2i64, 0, 1, 1], &[2, 2]);
    let out = Tensor::new(&[0i32; 4], &[2, 2]);
    gather(input.arg(), 1, index.arg(), out.arg()).unwrap();
    assert_eq!(out.values::<i32>(), [3, 1, 5, 5]);
    let turned = Tensor::new(&[1i64, 0, 0, 1], &[2, 2]).view(|l| l.permute(&[1, 0]));
    gather(input.arg(), 0, turned.arg(), out.arg()).unwrap();
    assert_eq!(out.values::<i32>(), [4, 2, 1, 5]);

    let target = Tensor::new(&[0i32; 6], &[2, 3]);
    scatter(target.arg(), 1, index.arg(), Tensor::new(&[1, 2, 3, 4], &[2, 2]).arg()).unwrap();
    assert_eq!(target.values::<i32>(), [2, 0, 1, 0, 4, 0]);
    let one = Tensor::new(&[1i32], &[1, 1]).view(|l| l.broadcast_to(&Shape::new(&[2, 2])));
    scatter_add(target.arg(), 1, index.arg(), one.arg()).unwrap();
    assert_eq!(target.values::<i32>(), [3, 0, 2, 0, 6, 0]);
}

#[test]
fn nonzero_counts_positions_in_row_major_order() {
    let mask = Tensor::new(&[0f32, 1.0, f32::NAN, -0.0, 0.0, 2.0], &[2, 3]);
    assert_eq!(nonzero(mask.arg()).unwrap(), [1, 2, 5]);
    assert_eq!(nonzero(mask.view(|l| l.permute(&[1, 0])).arg()).unwrap(), [2, 4, 5]);
    assert_eq!(nonzero(Tensor::new::<u8>(&[], &[0]).arg()).unwrap(), []);
    assert_eq!(nonzero(Tensor::new(&[1u8], &[]).arg()).unwrap(), [0]);
}

#[test]
fn empty_dimensions() {
    let none = Tensor::new::<i64>(&[], &[0]);
    let out = Tensor::new::<f32>(&[], &[0, 3]);
    let input = Tensor::new(&[1f32; 6], &[2, 3]);
    select(input.arg(), 0, none.arg(), true, out.arg()).unwrap();
    add(input.arg(), 0, none.arg(), true, out.arg()).unwrap();
    let index = Tensor::new::<i64>(&[], &[0, 3]);
    gather(input.arg(), 0, index.arg(), out.arg()).unwrap();
    scatter(input.arg(), 0, index.arg(), out.arg()).unwrap();
    assert_eq!(input.values::<f32>(), [1.0; 6]);
}
