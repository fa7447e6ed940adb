use super::{check, sddmm, spmm, transpose};
use crate::Fault;
use crate::dtype::Element;
use crate::testing::{Tensor, close, noise, noise32};
use crate::threads::set_num_threads;

/// Row starts and columns with empty, long and repeating rows.
fn structure(rows: usize, cols: usize) -> (Vec<i64>, Vec<i64>) {
    let (mut crow, mut col) = (vec![0], vec![]);
    for r in 0..rows {
        let n = if r == rows / 2 { 500 } else { r * 7 % 5 };
        col.extend((0..n).map(|e| ((r * 31 + e * 17) % cols) as i64));
        crow.push(col.len() as i64);
    }
    (crow, col)
}

fn flat<T: Element>(data: &[T]) -> Tensor {
    Tensor::new(data, &[data.len()])
}

#[test]
fn products_agree_with_f64_and_with_themselves() {
    let (rows, cols) = (301, 90);
    let (crow, col) = structure(rows, cols);
    let values = noise32(col.len(), 1);
    for n in [1, 3, 7, 8, 16, 19, 33, 64, 100, 0] {
        let dense =
            Tensor::new(&noise32(cols * (n + 3), 2), &[cols, n + 3]).view(|l| l.slice(1, 2, n, 1));
        let x = dense.values::<f32>();
        let mut expect = vec![0.0; rows * n];
        for r in 0..rows {
            for e in crow[r] as usize..crow[r + 1] as usize {
                for c in 0..n {
                    expect[r * n + c] +=
                        f64::from(values[e]) * f64::from(x[col[e] as usize * n + c]);
                }
            }
        }
        let with = |threads| {
            set_num_threads(threads);
            let out = Tensor::new(&vec![9f32; rows * n], &[rows, n]);
            let (crow, col) = (flat(&crow), flat(&col));
            spmm(crow.arg(), col.arg(), flat(&values).arg(), dense.arg(), out.arg()).unwrap();
            out.values::<f32>()
        };
        let one = with(1);
        assert!(close(&one, &expect, 2e-5), "{n}");
        assert!(one == with(2) && one == with(4));

        let (a, b) = (noise32(rows * n, 3), noise32(cols * n, 4));
        let dots = flat(&vec![9f32; col.len()]);
        let (ta, tb) = (Tensor::new(&a, &[rows, n]), Tensor::new(&b, &[cols, n]));
        sddmm(flat(&crow).arg(), flat(&col).arg(), ta.arg(), tb.arg(), dots.arg()).unwrap();
        let row_of = |e: usize| crow.partition_point(|&s| s <= e as i64) - 1;
        let dot = |e: usize| {
            let (r, k) = (row_of(e), col[e] as usize);
            (0..n).map(|c| f64::from(a[r * n + c]) * f64::from(b[k * n + c])).sum()
        };
        let expect: Vec<f64> = (0..col.len()).map(dot).collect();
        assert!(close(&dots.values(), &expect, 1e-5), "{n}");
    }
}

#[test]
fn transposing_twice_gives_the_sorted_matrix() {
    let (crow, col) = structure(20, 9);
    let narrow = |x: &[i64]| x.iter().map(|&x| x as i32).collect::<Vec<_>>();
    let (crow, col) = (narrow(&crow), narrow(&col));
    let (crow_t, col_t) = (flat(&[0i32; 10]), flat(&vec![0i32; col.len()]));
    let perm = flat(&vec![0i32; col.len()]);
    transpose(flat(&crow).arg(), flat(&col).arg(), 9, crow_t.arg(), col_t.arg(), perm.arg())
        .unwrap();
    check(crow_t.arg(), col_t.arg(), 9, 20).unwrap();
    let (starts, rows, perm) =
        (crow_t.values::<i32>(), col_t.values::<i32>(), perm.values::<i32>());
    for c in 0..9 {
        let range = starts[c] as usize..starts[c + 1] as usize;
        assert!(perm[range.clone()].is_sorted());
        for e in range {
            let from = perm[e] as usize;
            assert_eq!(col[from], c as i32);
            let r = rows[e] as usize;
            assert!((crow[r] as usize..crow[r + 1] as usize).contains(&from));
        }
    }
}

#[test]
fn broken_structures_are_found() {
    let wrong =
        |crow: &[i64], col: &[i64]| check(flat(crow).arg(), flat(col).arg(), 2, 3).unwrap_err();
    assert!(check(flat(&[0i64, 1, 2]).arg(), flat(&[2i64, 0]).arg(), 2, 3).is_ok());
    assert!(wrong(&[0, 2], &[0, 0]).contains("2 row starts"));
    assert!(wrong(&[1, 1, 2], &[0, 0]).contains("starts at 1"));
    assert!(wrong(&[0, 2, 1], &[0]).contains("before its start"));
    assert!(wrong(&[0, 1, 1], &[0, 0]).contains("expected 2"));
    assert!(wrong(&[0, 1, 2], &[0, 3]).contains("column 3 of 3"));
    let out = Tensor::new(&[7f64; 2], &[2, 1]);
    let dense = Tensor::new(&noise(3, 1), &[3, 1]);
    let run = |crow: &[i64], col: &[i64]| {
        let values = flat(&vec![1f64; col.len()]);
        spmm(flat(crow).arg(), flat(col).arg(), values.arg(), dense.arg(), out.arg())
    };
    assert_eq!(run(&[0, 1, 2], &[0, -1]), Err(Fault::Index { index: -1, len: 3 }));
    assert_eq!(run(&[0, 1, 5], &[0, 1]), Err(Fault::Index { index: 5, len: 3 }));
    assert_eq!(out.values::<f64>(), [7.0; 2]);
}
