//! Products with sparse matrices in compressed rows (CSR).
//!
//! The structure comes as six index tensors, so that either gradient is a product of the
//! same kind: `crow`, `col`, the same of the transpose, `perm` (entry `e` of the transpose
//! is entry `perm[e]`) and its inverse.

use smallvec::smallvec;
use weft_kernels::{Arg, DType, Shape, sparse};

use super::index::{Index, IndexKind};
use super::sample::Domain;
use super::{
    Batch, Class, Emit, Faults, Fields, Forward, Grad, Io, Nature, Op, Rule, Sample, Saves, Size,
    Val, Vals,
};
use crate::ensure;
use crate::error::{Error, Result};
use crate::fact::{Fact, Facts};

/// A product with a sparse matrix of `rows` x `cols`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sparse {
    /// False: `(structure…, values, dense) -> sparse @ dense`. True: `(structure…, a, b)` ->
    /// the entries of `a @ b.T` at the places of the sparse matrix.
    pub sampled: bool,
    /// Rows of the sparse matrix.
    pub rows: Size,
    /// Columns of the sparse matrix.
    pub cols: Size,
}

/// Inputs before the values.
const STRUCTURE: usize = 6;

impl Sparse {
    fn sampled(&self, sampled: bool) -> Op {
        Op::Sparse(Sparse { sampled, ..*self })
    }

    fn structure(io: &Io) -> [Val; STRUCTURE] {
        std::array::from_fn(|i| io.input(i))
    }

    /// `structure` with these two inputs.
    fn join(structure: [Val; STRUCTURE], a: Val, b: Val) -> [Val; STRUCTURE + 2] {
        let [c, d, e, f, g, h] = structure;
        [c, d, e, f, g, h, a, b]
    }

    /// `transpose(sparse with these values) @ dense`.
    fn transposed(&self, e: &mut dyn Emit, io: &Io, values: Val, dense: Val) -> Result<Val> {
        let [crow, col, crow_t, col_t, perm, inverse] = Self::structure(io);
        let select = Index { kind: IndexKind::Select, dim: 0, wrap: false };
        let values = e.one(Op::Index(select), &[values, perm])?;
        let op = Op::Sparse(Sparse { sampled: false, rows: self.cols, cols: self.rows });
        let structure = [crow_t, col_t, crow, col, inverse, perm];
        e.one(op, &Self::join(structure, values, dense))
    }

    fn check_structure(&self, inputs: &[Fact]) -> Result<usize> {
        super::expect_inputs(self.name(), inputs, STRUCTURE + 2)?;
        let dtype = inputs[0].dtype;
        ensure!(
            matches!(dtype, DType::I32 | DType::I64)
                && inputs[..STRUCTURE].iter().all(|f| f.dtype == dtype && f.shape.len() == 1),
            self.name(),
            "expected 1-D int32 or int64 indices of one dtype"
        );
        let nnz = inputs[1].shape[0];
        let lens = [
            self.rows.get().saturating_add(1),
            nnz,
            self.cols.get().saturating_add(1),
            nnz,
            nnz,
            nnz,
        ];
        ensure!(
            inputs.iter().zip(lens).all(|(f, len)| f.shape[0] == len),
            self.name(),
            "index lengths do not fit a {} x {} matrix with {nnz} entries",
            self.rows,
            self.cols
        );
        Ok(nnz)
    }
}

impl Sparse {
    pub(super) fn forms() -> Vec<Op> {
        let (rows, cols) = (3.into(), 4.into());
        [false, true].map(|sampled| Op::Sparse(Sparse { sampled, rows, cols })).into()
    }
}

impl Rule for Sparse {
    fn name(&self) -> &'static str {
        if self.sampled { "sddmm" } else { "spmm" }
    }

    fn doc(&self) -> &'static str {
        if self.sampled {
            "The entries of a @ b.T at the places of a sparse matrix."
        } else {
            "A sparse matrix (CSR) times a dense one, each row summed in entry order."
        }
    }

    fn fields(&mut self, f: &mut Fields) {
        f.field("rows", &mut self.rows);
        f.field("cols", &mut self.cols);
    }

    fn nature(&self) -> Nature {
        Nature::new(Class::Contract, Faults::Values, Forward::Multilinear).ulps(1.0)
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        let nnz = self.check_structure(inputs)?;
        let (a, b) = (&inputs[STRUCTURE], &inputs[STRUCTURE + 1]);
        super::expect_float(self.name(), a)?;
        if a.dtype != b.dtype {
            let what = format_args!("dtypes differ, got {} and {}", a.dtype, b.dtype);
            return Err(Error::type_(self.name(), what));
        }
        let two_d = |f: &Fact, rows: usize| f.shape.len() == 2 && f.shape[0] == rows;
        if self.sampled {
            let fits =
                two_d(a, self.rows.get()) && two_d(b, self.cols.get()) && a.shape[1] == b.shape[1];
            ensure!(
                fits,
                self.name(),
                "expected [{}, n] and [{}, n], got {} and {}",
                self.rows,
                self.cols,
                a.shape,
                b.shape
            );
            return Ok(a.with_shape(Shape::new(&[nnz])).only());
        }
        ensure!(
            a.shape[..] == [nnz] && two_d(b, self.cols.get()),
            self.name(),
            "inner dimensions differ, expected [{}, {}] x [{}, *], got a factor of shape {}",
            self.rows,
            self.cols,
            self.cols,
            b.shape
        );
        Ok(a.with_shape(Shape::new(&[self.rows.get(), b.shape[1]])).only())
    }

    fn run(&self, x: &[Arg], out: &[Arg]) -> Result<()> {
        let (a, b) = (x[STRUCTURE], x[STRUCTURE + 1]);
        if self.sampled {
            sparse::sddmm(x[0], x[1], a, b, out[0])
        } else {
            sparse::spmm(x[0], x[1], a, b, out[0])
        }
        .map_err(|fault| Error::fault(self.name(), fault))
    }

    fn gradient(&self, input: usize) -> Grad<Sparse> {
        const FIRST: Saves = Saves::inputs(&[0, 1, 2, 3, 4, 5, STRUCTURE + 1]);
        const SECOND: Saves = Saves::inputs(&[0, 1, 2, 3, 4, 5, STRUCTURE]);
        match input {
            STRUCTURE => Grad::Of(FIRST, |sparse, e, io, g| {
                let args = Self::join(Self::structure(io), g, io.input(STRUCTURE + 1));
                e.one(sparse.sampled(!sparse.sampled), &args)
            }),
            i if i > STRUCTURE => Grad::Of(SECOND, |sparse, e, io, g| {
                let a = io.input(STRUCTURE);
                let (values, dense) = if sparse.sampled { (g, a) } else { (a, g) };
                sparse.transposed(e, io, values, dense)
            }),
            _ => Grad::Nothing,
        }
    }

    /// Many dense matrices times one sparse one are one wide matrix.
    fn batch(&self, b: &mut Batch) -> Result<Vals> {
        let one = (0..=STRUCTURE).all(|i| !b.has(i));
        let width = b.fact(STRUCTURE + 1).shape.get(1).copied();
        let (Some(width), true) = (width, one && !self.sampled) else {
            return b.each(&Op::Sparse(*self));
        };
        let mut inputs = b.plain();
        let columns = b.e.permute(inputs[STRUCTURE + 1], Shape::new(&[1, 0, 2]))?;
        let wide = Shape::new(&[self.cols.get(), b.size().saturating_mul(width)]);
        inputs[STRUCTURE + 1] = b.e.reshape(columns, wide)?;
        let out = b.e.one(Op::Sparse(*self), &inputs)?;
        let out = b.e.reshape(out, Shape::new(&[self.rows.get(), b.size(), width]))?;
        Ok(smallvec![b.e.permute(out, Shape::new(&[1, 0, 2]))?])
    }

    fn flops(&self, inputs: &[Fact]) -> u64 {
        let n = inputs[STRUCTURE + 1].shape.get(1).copied().unwrap_or(1);
        2 * (inputs[1].numel() * n) as u64
    }

    /// The 3 x 4 matrix with entries at (0,1), (0,3), (2,0), (2,1), (2,3).
    fn samples(&self) -> Vec<Sample> {
        let exact = |v: &[u8]| Domain::Exact(DType::I64, v.iter().map(|&i| f64::from(i)).collect());
        let x = || Domain::Uniform(-2.0, 2.0);
        let mut inputs: Vec<(&[usize], Domain)> = vec![
            (&[4], exact(&[0, 2, 2, 5])),
            (&[5], exact(&[1, 3, 0, 1, 3])),
            (&[5], exact(&[0, 1, 3, 3, 5])),
            (&[5], exact(&[2, 0, 2, 0, 2])),
            (&[5], exact(&[2, 0, 3, 1, 4])),
            (&[5], exact(&[1, 3, 0, 2, 4])),
        ];
        if self.sampled {
            inputs.extend([(&[3, 6][..], x()), (&[4, 6], x())]);
        } else {
            inputs.extend([(&[5][..], x()), (&[4, 6], x())]);
        }
        vec![Sample::smooth(Op::Sparse(Sparse { rows: 3.into(), cols: 4.into(), ..*self }), inputs)]
    }
}
