//! The batching rule: one operation on many inputs at once.

use smallvec::SmallVec;
use weft_kernels::Shape;

use super::join::Cat;
use super::{Emit, Op, Val, Vals};
use crate::error::{Error, Result};
use crate::fact::Fact;

/// Inputs of an operation, some of which have a batch as their first dimension. Rules speak of
/// shapes and dimensions without it.
pub struct Batch<'a> {
    /// Where the operations go.
    pub e: &'a mut dyn Emit,
    inputs: &'a [Val],
    batched: &'a [bool],
    size: usize,
}

impl<'a> Batch<'a> {
    /// A batch of `size`; `batched` says which inputs have it.
    ///
    /// # Panics
    /// If `inputs` and `batched` differ in length.
    pub fn new(
        e: &'a mut dyn Emit,
        inputs: &'a [Val],
        batched: &'a [bool],
        size: usize,
    ) -> Batch<'a> {
        assert_eq!(inputs.len(), batched.len());
        Batch { e, inputs, batched, size }
    }

    /// How many there are.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Number of inputs.
    pub fn count(&self) -> usize {
        self.inputs.len()
    }

    /// Whether input `i` has the batch.
    pub fn has(&self, i: usize) -> bool {
        self.batched[i]
    }

    /// Input `i` as it is.
    pub fn val(&self, i: usize) -> Val {
        self.inputs[i]
    }

    /// Fact of one of the many inputs `i`.
    pub fn fact(&self, i: usize) -> Fact {
        let fact = self.e.fact(self.inputs[i]);
        if self.batched[i] { fact.with_shape(Shape::new(&fact.shape[1..])) } else { fact }
    }

    /// `shape` with the batch before it.
    pub fn shape(&self, shape: &[usize]) -> Result<Shape> {
        let dims: SmallVec<[usize; 9]> =
            std::iter::once(self.size).chain(shape.iter().copied()).collect();
        Shape::try_new(&dims).ok_or_else(|| {
            Error::runtime("vmap", "too many dimensions, expected at most 7 beside the batch")
        })
    }

    /// Input `i` with the batch, repeated if it has none.
    pub fn full(&mut self, i: usize) -> Result<Val> {
        if self.batched[i] {
            return Ok(self.inputs[i]);
        }
        let shape = self.shape(&self.fact(i).shape)?;
        self.e.expand(self.inputs[i], shape)
    }

    /// All inputs with the batch.
    pub fn all(&mut self) -> Result<SmallVec<[Val; 4]>> {
        (0..self.count()).map(|i| self.full(i)).collect()
    }

    /// The inputs as they are.
    pub fn plain(&self) -> SmallVec<[Val; 4]> {
        self.inputs.iter().copied().collect()
    }

    /// Inputs that broadcast against each other as the single ones do: behind the batch stand
    /// sizes of 1 up to `rank` dimensions.
    pub fn aligned(&mut self, rank: usize) -> Result<SmallVec<[Val; 4]>> {
        (0..self.count()).map(|i| self.aligned_to(i, rank)).collect()
    }

    fn aligned_to(&mut self, i: usize, rank: usize) -> Result<Val> {
        let shape = self.fact(i).shape;
        if !self.batched[i] || shape.len() >= rank {
            return Ok(self.inputs[i]);
        }
        let mut sizes: SmallVec<[usize; 8]> = SmallVec::from_elem(1, rank - shape.len());
        sizes.extend_from_slice(&shape);
        let shape = self.shape(&sizes)?;
        self.e.reshape(self.inputs[i], shape)
    }

    /// The largest number of dimensions of one of the inputs.
    pub fn rank(&self) -> usize {
        (0..self.count()).map(|i| self.fact(i).shape.len()).max().unwrap_or(0)
    }

    /// Applies an operation.
    pub fn emit(&mut self, op: Op, inputs: &[Val]) -> Result<Vals> {
        self.e.emit(op, inputs)
    }

    /// One application per place of the batch, put together: what is right for everything and
    /// fast for nothing.
    pub fn each(&mut self, op: &Op) -> Result<Vals> {
        let facts: SmallVec<[Fact; 4]> = (0..self.count()).map(|i| self.fact(i)).collect();
        let results = op.infer(&facts)?;
        let mut parts: Vec<Vec<Val>> = vec![Vec::new(); results.len()];
        for k in 0..self.size {
            let one: SmallVec<[Val; 4]> =
                (0..self.count()).map(|i| self.pick(i, k)).collect::<Result<_>>()?;
            for (part, made) in parts.iter_mut().zip(self.e.emit(op.clone(), &one)?) {
                part.push(made);
            }
        }
        parts.into_iter().zip(results).map(|(part, fact)| self.stack(&part, fact)).collect()
    }

    /// Input `i` at place `k` of the batch.
    fn pick(&mut self, i: usize, k: usize) -> Result<Val> {
        if !self.batched[i] {
            return Ok(self.inputs[i]);
        }
        let shape = self.fact(i).shape;
        let row = self.e.slice(self.inputs[i], 0, k, 1)?;
        self.e.reshape(row, shape)
    }

    fn stack(&mut self, parts: &[Val], fact: Fact) -> Result<Val> {
        let whole = self.shape(&fact.shape)?;
        if parts.is_empty() {
            return self.e.zeros(fact.with_shape(whole));
        }
        let mut row = whole;
        row[0] = 1;
        let rows: Vec<Val> =
            parts.iter().map(|&part| self.e.reshape(part, row)).collect::<Result<_>>()?;
        self.e.one(Op::Cat(Cat { dim: 0 }), &rows)
    }

    /// The error of an operation that has no batching rule, and why.
    pub fn refuse(&self, op: &str, why: &str) -> Error {
        Error::runtime(op, format_args!("no batching rule: {why}"))
    }
}
