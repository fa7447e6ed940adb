//! Checking and transposing the structure.

use super::{Int, with_int};
use crate::buffer::Arg;
use crate::{Checked, Fault, memory};

/// Whether `crow` `[rows + 1]` and `col` `[nnz]` (contiguous, both i32 or both i64)
/// describe a matrix of `rows` rows and `cols` columns; if not, what is wrong.
pub fn check(crow: Arg, col: Arg, rows: usize, cols: usize) -> Result<(), String> {
    assert_eq!(crow.dtype, col.dtype, "one index dtype");
    with_int!(crow.dtype, I => check_as(crow.slice::<I>(), col.slice::<I>(), rows, cols))
}

fn check_as<I: Int>(crow: &[I], col: &[I], rows: usize, cols: usize) -> Result<(), String> {
    if crow.len().checked_sub(1) != Some(rows) {
        let expected = rows.saturating_add(1);
        return Err(format!("{} row starts for {rows} rows, expected {expected}", crow.len()));
    }
    if crow[0].wide() != 0 {
        return Err(format!("the first row starts at {}, expected 0", crow[0].wide()));
    }
    if let Some(row) = crow.windows(2).position(|w| w[1] < w[0]) {
        let (end, start) = (crow[row + 1].wide(), crow[row].wide());
        return Err(format!("row {row} ends at {end}, before its start {start}"));
    }
    if crow[rows].wide() != col.len() as i64 {
        let end = crow[rows].wide();
        return Err(format!("the last row ends at {end}, expected {} entries", col.len()));
    }
    match bad_column(col, cols) {
        Some(column) => Err(format!("column {column} of {cols}")),
        None => Ok(()),
    }
}

/// The first column outside `0..cols`.
pub(super) fn bad_column<I: Int>(col: &[I], cols: usize) -> Option<i64> {
    let bad = |c: i64| c as u64 >= cols as u64;
    // A fold without an early exit runs at memory speed.
    if !col.iter().fold(false, |any, c| any | bad(c.wide())) {
        return None;
    }
    col.iter().map(|c| c.wide()).find(|&c| bad(c))
}

/// Faults of the values that would lead outside the arrays.
pub(super) fn guard<I: Int>(crow: &[I], col: &[I], cols: usize) -> Checked {
    let mut last = 0;
    for start in crow {
        let start = start.wide();
        if start < last || start > col.len() as i64 {
            return Err(Fault::Index { index: start, len: col.len() + 1 });
        }
        last = start;
    }
    match bad_column(col, cols) {
        Some(index) => Err(Fault::Index { index, len: cols }),
        None => Ok(()),
    }
}

/// The structure of the transpose of a matrix with `cols` columns, by counting sort.
///
/// `crow_t` `[cols + 1]`, `col_t` `[nnz]` and `perm` `[nnz]` are contiguous and of the
/// index dtype; entry `e` of the transpose is entry `perm[e]` of the original, and
/// entries of a row of the transpose keep the original order.
pub fn transpose(crow: Arg, col: Arg, cols: usize, crow_t: Arg, col_t: Arg, perm: Arg) -> Checked {
    with_int!(crow.dtype, I => transpose_as::<I>(
        crow.slice(),
        col.slice(),
        cols,
        crow_t.slice_mut(),
        col_t.slice_mut(),
        perm.slice_mut(),
    ))
}

fn transpose_as<I: Int>(
    crow: &[I],
    col: &[I],
    cols: usize,
    crow_t: &mut [I],
    col_t: &mut [I],
    perm: &mut [I],
) -> Checked {
    assert!(crow_t.len() == cols + 1 && col_t.len() == col.len() && perm.len() == col.len());
    guard(crow, col, cols)?;
    let mut next = memory::try_vec(0usize, cols + 1)?;
    col.iter().for_each(|c| next[c.at() + 1] += 1);
    for c in 0..cols {
        next[c + 1] += next[c];
    }
    crow_t.iter_mut().zip(&next).for_each(|(c, &n)| *c = I::from_usize(n));
    for row in 0..crow.len() - 1 {
        for e in crow[row].at()..crow[row + 1].at() {
            let place = &mut next[col[e].at()];
            col_t[*place] = I::from_usize(row);
            perm[*place] = I::from_usize(e);
            *place += 1;
        }
    }
    Ok(())
}
