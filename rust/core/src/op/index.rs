//! Reading and writing by index tensors (`int64` or `int32`).

use weft_kernels::{Arg, DType, Scalar, Shape, index};

use super::sample::Domain;
use super::view::copy_unless_same;
use super::{
    Batch, Class, Emit, Faults, Fields, Forward, Grad, Io, Nature, Op, Over, Rule, Sample, Saves,
    Val, Vals, Which,
};
use crate::ensure;
use crate::error::{Error, ErrorKind, Result};
use crate::fact::{Fact, Facts};

/// An access by index along `dim`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Index {
    /// Which access.
    pub kind: IndexKind,
    /// The dimension that the indices count along.
    pub dim: usize,
    /// Whether negative indices count from the end.
    pub wrap: bool,
}

/// Members of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IndexKind {
    /// `(x, index[n])`: whole slices at these indices.
    Select,
    /// `(base, index[n], source)`: slices added at these indices.
    Add,
    /// `(x, index)`: one element per index.
    Gather,
    /// `(base, index, source)`: elements written; of several the last stays.
    Scatter,
    /// `(base, index, source)`: elements added.
    ScatterAdd,
}

use IndexKind::{Add, Gather, Scatter, ScatterAdd, Select};

impl Index {
    fn other(&self, kind: IndexKind) -> Op {
        Op::Index(Index { kind, ..*self })
    }

    fn arity(&self) -> usize {
        if matches!(self.kind, Select | Gather) { 2 } else { 3 }
    }

    fn check(&self, inputs: &[Fact]) -> Result<()> {
        super::expect_inputs(self.name(), inputs, self.arity())?;
        let (x, idx) = (&inputs[0], &inputs[1]);
        if !matches!(idx.dtype, DType::I64 | DType::I32) {
            let what = format_args!("expected int64 or int32 indices, got {}", idx.dtype);
            return Err(Error::type_(self.name(), what));
        }
        let n = x.shape.len();
        super::expect_dim(self.name(), self.dim, n)?;
        if inputs.len() == 3 && inputs[2].dtype != x.dtype {
            let what =
                format_args!("expected a source of dtype {}, got {}", x.dtype, inputs[2].dtype);
            return Err(Error::type_(self.name(), what));
        }
        if matches!(self.kind, Add | ScatterAdd) && x.dtype == DType::Bool {
            return Err(Error::type_(self.name(), "expected a numeric dtype, got bool"));
        }
        Ok(())
    }

    /// Gather and scatter: the index may be smaller than `x`, except along `dim`.
    fn check_places(&self, x: &Fact, idx: &Fact) -> Result<()> {
        let fits = idx.shape.len() == x.shape.len()
            && (0..x.shape.len()).all(|d| d == self.dim || idx.shape[d] <= x.shape[d]);
        ensure!(
            fits,
            self.name(),
            "expected an index that fits into {} apart from dimension {}, got {}",
            x.shape,
            self.dim,
            idx.shape
        );
        Ok(())
    }
}

impl Index {
    pub(super) fn forms() -> Vec<Op> {
        [Select, Add, Gather, Scatter, ScatterAdd]
            .map(|kind| Op::Index(Index { kind, dim: 0, wrap: false }))
            .into()
    }

    /// Gradient of what is read: `g` put back where it was read.
    fn read_vjp(&self, e: &mut dyn Emit, io: &Io, g: Val) -> Result<Val> {
        let zeros = e.zeros(io.fact())?;
        let places = io.input(1);
        if self.kind == Select && !self.wrap && io.input_facts[1].numel() == 1 {
            // One slice is put back as it is, as the view of that slice would.
            let shape = e.fact(g).shape;
            let one = e.reshape(places, Shape::filled(shape.len(), 1))?;
            let places = e.expand(one, shape)?;
            return e.one(self.other(Scatter), &[zeros, places, g]);
        }
        let back = if self.kind == Select { Add } else { ScatterAdd };
        e.one(self.other(back), &[zeros, places, g])
    }

    /// An index of slices for each place of a batch, as an index of elements.
    fn spread_places(&self, b: &mut Batch) -> Result<Val> {
        let (fact, mut slices) = (b.fact(1), b.fact(0).shape);
        let count = fact.shape[0];
        let mut places = b.val(1);
        if self.wrap {
            let size = b.e.full(Scalar::Int(slices[self.dim] as i64), fact.dtype, Shape::SCALAR)?;
            let zero = b.e.full(Scalar::Int(0), fact.dtype, Shape::SCALAR)?;
            let (negative, wrapped) = (b.e.lt(places, zero)?, b.e.add(places, size)?);
            places = b.e.select(negative, wrapped, places)?;
        }
        let mut column = Shape::filled(slices.len(), 1);
        (column[self.dim], slices[self.dim]) = (count, count);
        let column = b.shape(&column)?;
        let whole = b.shape(&slices)?;
        let places = b.e.reshape(places, column)?;
        b.e.expand(places, whole)
    }
}

impl Rule for Index {
    fn name(&self) -> &'static str {
        match self.kind {
            Select => "index_select",
            Add => "index_add",
            Gather => "gather",
            Scatter => "scatter",
            ScatterAdd => "scatter_add",
        }
    }

    fn doc(&self) -> &'static str {
        match self.kind {
            Select => "Slices at the given indices along a dimension.",
            Add => "The first input with slices added at the given indices, in index order.",
            Gather => "out[i][j] = x[index[i][j]][j], for dim 0.",
            Scatter => "out[index[i][j]][j] = source[i][j], for dim 0; the last of several stays.",
            ScatterAdd => "out[index[i][j]][j] += source[i][j], for dim 0, in row-major order.",
        }
    }

    fn fields(&mut self, f: &mut Fields) {
        f.field("dim", &mut self.dim);
        f.flag("wrap", &mut self.wrap);
    }

    fn nature(&self) -> Nature {
        let (class, contiguous, over) = match self.kind {
            Select | Gather => (Class::Move, Which::These(&[]), Over::Nothing),
            Scatter => (Class::Move, Which::These(&[0, 2]), Over::First),
            Add | ScatterAdd => (Class::Opaque, Which::These(&[0, 2]), Over::First),
        };
        Nature::new(class, Faults::Values, Forward::Linear).contiguous(contiguous).over(over)
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        self.check(inputs)?;
        let (x, idx) = (&inputs[0], &inputs[1]);
        match self.kind {
            Select | Add => {
                let n = idx.shape.len();
                ensure!(n == 1, self.name(), "expected an index with 1 dimension, got {n}");
                let mut slices = x.shape;
                slices[self.dim] = idx.shape[0];
                if self.kind == Select {
                    return Ok(x.with_shape(slices).only());
                }
                let got = inputs[2].shape;
                ensure!(
                    got == slices,
                    self.name(),
                    "expected a source of shape {slices}, got {got}"
                );
                Ok(x.only())
            }
            Gather => {
                self.check_places(x, idx)?;
                Ok(x.with_shape(idx.shape).only())
            }
            Scatter | ScatterAdd => {
                self.check_places(x, idx)?;
                let got = inputs[2].shape;
                ensure!(
                    got == idx.shape,
                    self.name(),
                    "expected a source of shape {}, got {got}",
                    idx.shape
                );
                Ok(x.only())
            }
        }
    }

    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        let (x, idx, out, dim) = (inputs[0], inputs[1], outputs[0], self.dim);
        if self.arity() == 3 {
            copy_unless_same(x, out);
        }
        match self.kind {
            Select => index::select(x, dim, idx, self.wrap, out),
            Add => index::add(out, dim, idx, self.wrap, inputs[2]),
            Gather => index::gather(x, dim, idx, out),
            Scatter => index::scatter(out, dim, idx, inputs[2]),
            ScatterAdd => index::scatter_add(out, dim, idx, inputs[2]),
        }
        .map_err(|fault| {
            let error = Error::fault(self.name(), fault);
            match self.kind {
                Gather | Scatter | ScatterAdd if error.kind == ErrorKind::Index => {
                    Error { kind: ErrorKind::Runtime, ..error }
                }
                _ => error,
            }
        })
    }

    fn gradient(&self, input: usize) -> Grad<Index> {
        const PLACES: Saves = Saves::inputs(&[1]);
        match (self.kind, input) {
            (_, 1) => Grad::Nothing,
            (Select | Gather, _) => Grad::Of(PLACES, Index::read_vjp),
            (Add | ScatterAdd, 0) => Grad::Of(Saves::NONE, |_, _, _, g| Ok(g)),
            (Scatter, 0) => Grad::Of(PLACES, |index, e, io, g| {
                let zeros = e.zeros(io.input_facts[2])?;
                e.one(index.other(Scatter), &[g, io.input(1), zeros])
            }),
            (Add, _) => {
                Grad::Of(PLACES, |index, e, io, g| e.one(index.other(Select), &[g, io.input(1)]))
            }
            (Scatter | ScatterAdd, _) => {
                Grad::Of(PLACES, |index, e, io, g| e.one(index.other(Gather), &[g, io.input(1)]))
            }
        }
    }

    fn batch(&self, b: &mut Batch) -> Result<Vals> {
        let mut kind = self.kind;
        let mut inputs = b.all()?;
        if matches!(kind, Select | Add) {
            if b.has(1) {
                kind = if kind == Select { Gather } else { ScatterAdd };
                inputs[1] = self.spread_places(b)?;
            } else {
                inputs[1] = b.val(1);
            }
        }
        let wrap = self.wrap && kind == self.kind;
        b.emit(Op::Index(Index { kind, dim: self.dim + 1, wrap }), &inputs)
    }

    fn flops(&self, inputs: &[Fact]) -> u64 {
        if matches!(self.kind, Add | ScatterAdd) { inputs[2].numel() as u64 } else { 0 }
    }

    fn samples(&self) -> Vec<Sample> {
        let x = || Domain::Uniform(-2.0, 2.0);
        let op = |dim| Op::Index(Index { dim, ..*self });
        let i = Domain::Index;
        match self.kind {
            Select => vec![
                Sample::smooth(op(0), vec![(&[5, 3], x()), (&[4], i(5))]),
                Sample::smooth(op(1), vec![(&[2, 5, 3], x()), (&[7], i(5))]),
                Sample::smooth(op(0), vec![(&[5, 3], x()), (&[0], i(5))]),
                Sample::smooth(op(1), vec![(&[2, 5, 3], x()), (&[1], i(5))]),
            ],
            Add => vec![
                Sample::smooth(op(0), vec![(&[5, 3], x()), (&[8], i(5)), (&[8, 3], x())]),
                Sample::smooth(op(1), vec![(&[2, 5, 3], x()), (&[4], i(5)), (&[2, 4, 3], x())]),
            ],
            Gather => vec![
                Sample::smooth(op(1), vec![(&[3, 5], x()), (&[3, 2], i(5))]),
                Sample::smooth(op(0), vec![(&[4, 5], x()), (&[6, 3], i(4))]),
            ],
            Scatter => vec![
                Sample::smooth(op(1), vec![(&[3, 5], x()), (&[3, 1], i(5)), (&[3, 1], x())]),
                Sample::values(op(0), vec![(&[4, 5], x()), (&[6, 3], i(4)), (&[6, 3], x())]),
            ],
            ScatterAdd => vec![
                Sample::smooth(op(1), vec![(&[3, 5], x()), (&[3, 4], i(5)), (&[3, 4], x())]),
                Sample::smooth(op(0), vec![(&[4, 5], x()), (&[6, 3], i(4)), (&[6, 3], x())]),
            ],
        }
    }
}
