//! The same elements, seen otherwise; and writing into such a view.

use smallvec::smallvec;
use weft_kernels::{Arg, DType, Layout, Scalar, Shape, copy};

use super::create::Create;
use super::index::{Index, IndexKind};
use super::sample::Domain;
use super::simplify::keep;
use super::{
    Attr, Attrs, Class, Emit, Faults, Grads, Io, Known, Op, Read, Rule, Sample, Saves, Simpler, Val,
};
use crate::ensure;
use crate::error::{Error, Result};
use crate::fact::{Fact, Facts};

/// A way to see the same elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// The same order under another shape.
    Reshape(Shape),
    /// New dimension `i` is old dimension `order[i]`.
    Permute(Shape),
    /// Repeated along dimensions of size 1 and new leading ones.
    Expand(Shape),
    /// Every `step`-th index from `start` along `dim`.
    Slice {
        /// The dimension.
        dim: usize,
        /// First index.
        start: usize,
        /// Number of indices.
        len: usize,
        /// Distance of indices.
        step: usize,
    },
    /// Any region of a contiguous value, by strides.
    AsStrided {
        /// Size of each dimension.
        shape: Shape,
        /// Elements between neighbours.
        strides: Shape,
        /// Elements before the first.
        offset: usize,
    },
}

impl View {
    /// The region `layout` of a contiguous value.
    pub fn as_strided(layout: &Layout) -> View {
        View::AsStrided { shape: layout.shape, strides: layout.strides, offset: start(layout) }
    }

    /// How the result lies in the memory of an input that lies as `input`; `None` if the
    /// elements must be copied into row-major order first.
    pub fn layout(&self, input: &Layout) -> Option<Layout> {
        match self {
            View::Reshape(shape) => input.reshape(shape),
            View::Permute(order) => Some(input.permute(order)),
            View::Expand(shape) => Some(input.broadcast_to(shape)),
            View::Slice { dim, start, len, step } => Some(input.slice(*dim, *start, *len, *step)),
            View::AsStrided { shape, strides, offset } => input.is_contiguous().then(|| Layout {
                shape: *shape,
                strides: *strides,
                offset: input.offset.saturating_add(*offset),
            }),
        }
    }

    fn shape(&self, input: &Shape) -> Result<Shape> {
        let name = self.name();
        match self {
            View::Reshape(shape) => {
                ensure!(
                    shape.numel() == input.numel(),
                    name,
                    "number of elements differs, expected {}, got shape {shape}",
                    input.numel()
                );
                Ok(*shape)
            }
            View::Permute(order) => {
                let mut sorted = *order;
                sorted.sort_unstable();
                let fits = sorted.iter().copied().eq(0..input.len());
                ensure!(fits, name, "expected an order of {} dimensions, got {order}", input.len());
                Ok(order.iter().map(|&d| input[d]).collect())
            }
            View::Expand(shape) => {
                let fits = shape.len() >= input.len() && input.broadcast(shape) == Some(*shape);
                ensure!(fits, name, "shape {input} does not expand to {shape}");
                Ok(*shape)
            }
            View::Slice { dim, start, len, step } => {
                let size = input.get(*dim).copied().unwrap_or(0);
                let reach = len.saturating_sub(1).saturating_mul(*step);
                let end = start.saturating_add(reach).saturating_add((*len).min(1));
                if *dim >= input.len() || end > size || *step == 0 {
                    let what =
                        format_args!("{start}..{end} outside dimension {dim} of shape {input}");
                    return Err(Error::index(name, what));
                }
                let mut shape = *input;
                shape[*dim] = *len;
                Ok(shape)
            }
            View::AsStrided { shape, strides, offset } => {
                let layout = Layout { shape: *shape, strides: *strides, offset: *offset };
                ensure!(
                    layout.end() <= input.numel() && layout.fits(),
                    name,
                    "region of size {shape}, stride {strides} and offset {offset} \
                     exceeds {} elements",
                    input.numel()
                );
                Ok(*shape)
            }
        }
    }

    /// The part of a contiguous value of shape `shape` that the view shows, for views
    /// that show each element at most once.
    fn region(&self, shape: &Shape) -> Layout {
        let whole = Layout::contiguous(*shape);
        self.layout(&whole).expect("a contiguous value can be viewed")
    }
}

/// `sum`, a value of fact `fact`, with `g` added at the places of `region`, in order.
fn add_at(e: &mut dyn Emit, sum: Val, fact: Fact, region: &Layout, g: Val) -> Result<Val> {
    let flat = |n| Shape::new(&[n]);
    let count = Create::Arange {
        len: fact.shape.numel(),
        dtype: DType::I64,
        start: Scalar::Int(0),
        step: Scalar::Int(1),
    };
    let every = e.one(Op::Create(count), &[])?;
    let places = e.one(Op::View(View::as_strided(region)), &[every])?;
    let places = e.reshape(places, flat(region.numel()))?;
    let (sum, g) = (e.reshape(sum, flat(fact.shape.numel()))?, e.reshape(g, flat(region.numel()))?);
    let add = Index { kind: IndexKind::Add, dim: 0, wrap: false };
    let sum = e.one(Op::Index(add), &[sum, places, g])?;
    e.reshape(sum, fact.shape)
}

impl Rule for View {
    fn name(&self) -> &'static str {
        match self {
            View::Reshape(_) => "reshape",
            View::Permute(_) => "permute",
            View::Expand(_) => "expand",
            View::Slice { .. } => "slice",
            View::AsStrided { .. } => "as_strided",
        }
    }

    fn doc(&self) -> &'static str {
        match self {
            View::Reshape(_) => "The same elements in the same order under another shape.",
            View::Permute(_) => "Dimensions reordered.",
            View::Expand(_) => "Repeated without a copy.",
            View::Slice { .. } => "Every step-th index along one dimension.",
            View::AsStrided { .. } => "A region of a contiguous value, by strides.",
        }
    }

    fn attrs(&self) -> Attrs {
        let int = |i: usize| Attr::Int(i as i64);
        match self {
            View::Reshape(shape) | View::Expand(shape) => vec![("shape", shape.into())],
            View::Permute(order) => vec![("dims", order.into())],
            View::Slice { dim, start, len, step } => {
                vec![
                    ("dim", int(*dim)),
                    ("start", int(*start)),
                    ("length", int(*len)),
                    ("step", int(*step)),
                ]
            }
            View::AsStrided { shape, strides, offset } => {
                vec![("size", shape.into()), ("stride", strides.into()), ("offset", int(*offset))]
            }
        }
    }

    fn class(&self) -> Class {
        Class::View
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        super::expect_inputs(self.name(), inputs, 1)?;
        Ok(inputs[0].with_shape(self.shape(&inputs[0].shape)?).only())
    }

    fn reads(&self, _input: usize) -> Read {
        if matches!(self, View::AsStrided { .. }) { Read::Contiguous } else { Read::Strided }
    }

    fn overwrites(&self, _output: usize, _input: usize) -> bool {
        false
    }

    fn faults(&self, _inputs: &[Fact]) -> Faults {
        Faults::Never
    }

    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        let (x, out) = (inputs[0], outputs[0]);
        if let Some(layout) = self.layout(x.layout) {
            copy::copy(Arg::new(x.buffer, x.dtype, &layout), out);
        } else {
            let mut layout = Layout::contiguous(x.layout.shape);
            layout.offset = out.layout.offset;
            copy::copy(x, Arg::new(out.buffer, out.dtype, &layout));
        }
        Ok(())
    }

    fn saves(&self, _input: usize) -> Saves {
        Saves::NONE
    }

    fn vjp(&self, e: &mut dyn Emit, io: &Io, grads: &[Option<Val>]) -> Result<Grads> {
        let Some(g) = grads[0] else { return Ok(smallvec![None]) };
        let fact = io.input_facts[0];
        let grad = match self {
            View::Reshape(_) => e.reshape(g, fact.shape)?,
            View::Permute(order) => {
                let mut inverse = *order;
                order.iter().enumerate().for_each(|(i, &d)| inverse[d] = i);
                e.permute(g, inverse)?
            }
            View::Expand(_) => e.sum_to(g, fact.shape)?,
            View::Slice { .. } | View::AsStrided { .. } => {
                let region = self.region(&fact.shape);
                let zeros = e.zeros(fact)?;
                if region.overlaps_itself() {
                    return Ok(smallvec![Some(add_at(e, zeros, fact, &region, g)?)]);
                }
                e.one(Op::Region(AsStridedScatter::new(&region)), &[zeros, g])?
            }
        };
        Ok(smallvec![Some(grad)])
    }

    fn flops(&self, _inputs: &[Fact]) -> u64 {
        0
    }

    fn simplify(&self, known: &dyn Known) -> Option<Simpler> {
        let trivial = match self {
            View::Reshape(_) | View::Expand(_) => true,
            View::Permute(order) => order.iter().copied().eq(0..order.len()),
            View::Slice { step, len, .. } => *step == 1 || *len <= 1,
            View::AsStrided { strides, offset, .. } => {
                *offset == 0 && *strides == known.result().shape.strides()
            }
        };
        if trivial && let Some(same) = keep(known, 0) {
            return Some(same);
        }
        let (Op::View(inner), inputs) = known.producer(0)? else { return None };
        let merged = match (self, inner) {
            (View::Reshape(shape), View::Reshape(_)) => View::Reshape(*shape),
            (View::Expand(shape), View::Expand(_)) => View::Expand(*shape),
            (View::Permute(outer), View::Permute(inner)) => {
                View::Permute(outer.iter().map(|&d| inner[d]).collect())
            }
            _ => return None,
        };
        Some(Simpler::Call(Op::View(merged), smallvec![inputs[0]]))
    }

    fn samples(&self) -> Vec<Sample> {
        let x = || Domain::Uniform(-2.0, 2.0);
        let s = |d: &[usize]| Shape::new(d);
        let make = |view, dims: &'static [usize]| Sample::smooth(Op::View(view), vec![(dims, x())]);
        let region = Layout { shape: s(&[2, 3]), strides: s(&[5, 1]), offset: 1 };
        let windows = Layout { shape: s(&[4, 3]), strides: s(&[1, 1]), offset: 0 };
        let mut samples = vec![
            make(View::Reshape(s(&[6, 2])), &[3, 4]),
            make(View::Reshape(s(&[1])), &[]),
            make(View::Reshape(s(&[0, 7])), &[2, 0]),
            make(View::Permute(s(&[2, 0, 1])), &[2, 3, 4]),
            make(View::Expand(s(&[2, 3, 4])), &[3, 1]),
            make(View::Slice { dim: 1, start: 1, len: 2, step: 2 }, &[3, 5]),
            make(View::Slice { dim: 0, start: 2, len: 0, step: 1 }, &[3, 5]),
            make(View::as_strided(&region), &[4, 3]),
            make(View::as_strided(&windows), &[2, 3]),
        ];
        samples.retain(|sample| sample.op.name() == self.name());
        samples
    }
}

/// Where a region begins; one without elements begins nowhere else than at the start.
fn start(layout: &Layout) -> usize {
    if layout.numel() == 0 { 0 } else { layout.offset }
}

/// The first input, with the region `layout` of it replaced by the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AsStridedScatter {
    /// Size of each dimension of the region.
    pub shape: Shape,
    /// Elements between neighbours.
    pub strides: Shape,
    /// Elements before the first.
    pub offset: usize,
}

impl AsStridedScatter {
    /// Writing into the region `layout` of a contiguous value.
    pub fn new(layout: &Layout) -> AsStridedScatter {
        AsStridedScatter { shape: layout.shape, strides: layout.strides, offset: start(layout) }
    }

    fn region(&self, base_offset: usize) -> Layout {
        Layout { shape: self.shape, strides: self.strides, offset: base_offset + self.offset }
    }
}

/// Copies `from` to `to` unless they are the same elements already.
pub(crate) fn copy_unless_same(from: Arg, to: Arg) {
    if !(from.buffer.same(to.buffer) && from.layout == to.layout) {
        copy::copy(from, to);
    }
}

impl Rule for AsStridedScatter {
    fn name(&self) -> &'static str {
        "as_strided_scatter"
    }

    fn doc(&self) -> &'static str {
        "The first input with a region, given by strides, replaced by the second."
    }

    fn attrs(&self) -> Attrs {
        let offset = Attr::Int(self.offset as i64);
        vec![("size", (&self.shape).into()), ("stride", (&self.strides).into()), ("offset", offset)]
    }

    fn class(&self) -> Class {
        Class::Opaque
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        super::expect_inputs(self.name(), inputs, 2)?;
        let region = self.region(0);
        ensure!(
            region.fits()
                && region.end() <= inputs[0].numel()
                && inputs[1] == inputs[0].with_shape(self.shape),
            self.name(),
            "expected a source of shape {} inside {}, got {}",
            self.shape,
            inputs[0],
            inputs[1]
        );
        Ok(inputs[0].only())
    }

    fn reads(&self, input: usize) -> Read {
        if input == 0 { Read::Contiguous } else { Read::Strided }
    }

    fn overwrites(&self, _output: usize, input: usize) -> bool {
        input == 0
    }

    fn faults(&self, _inputs: &[Fact]) -> Faults {
        Faults::Never
    }

    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        let out = outputs[0];
        copy_unless_same(inputs[0], out);
        let region = self.region(out.layout.offset);
        copy::copy(inputs[1], Arg::new(out.buffer, out.dtype, &region));
        Ok(())
    }

    fn saves(&self, _input: usize) -> Saves {
        Saves::NONE
    }

    fn vjp(&self, e: &mut dyn Emit, io: &Io, grads: &[Option<Val>]) -> Result<Grads> {
        let Some(g) = grads[0] else { return Ok(smallvec![None, None]) };
        let mut out: Grads = smallvec![None, None];
        if io.needs(0) {
            let zeros = e.zeros(io.input_facts[1])?;
            out[0] = Some(e.one(Op::Region(*self), &[g, zeros])?);
        }
        if io.needs(1) {
            out[1] = Some(e.one(Op::View(View::as_strided(&self.region(0))), &[g])?);
        }
        Ok(out)
    }

    fn flops(&self, _inputs: &[Fact]) -> u64 {
        0
    }

    fn simplify(&self, known: &dyn Known) -> Option<Simpler> {
        let whole = self.offset == 0 && self.strides == self.shape.strides();
        if whole && known.fact(1) == known.result() { keep(known, 1) } else { None }
    }

    fn samples(&self) -> Vec<Sample> {
        let x = || Domain::Uniform(-2.0, 2.0);
        let region = Layout { shape: Shape::new(&[2, 2]), strides: Shape::new(&[1, 4]), offset: 1 };
        let op = Op::Region(AsStridedScatter::new(&region));
        vec![Sample::smooth(op, vec![(&[3, 4], x()), (&[2, 2], x())])]
    }
}
