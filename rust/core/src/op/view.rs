//! The same elements, seen otherwise; and writing into such a view.

use smallvec::smallvec;
use weft_kernels::{Arg, DType, Layout, Scalar, Shape, copy};

use super::create::Create;
use super::index::{Index, IndexKind};
use super::sample::Domain;
use super::simplify::keep;
use super::{
    Batch, Class, Emit, Faults, Fields, Forward, Grad, Known, Nature, Op, Over, Rule, Sample,
    Saves, Simpler, Size, Sizes, Val, Vals, Which,
};
use crate::ensure;
use crate::error::{Error, Result};
use crate::fact::{Fact, Facts};

/// A way to see the same elements.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum View {
    /// The same order under another shape.
    Reshape(Sizes),
    /// New dimension `i` is old dimension `order[i]`.
    Permute(Shape),
    /// Repeated along dimensions of size 1 and new leading ones.
    Expand(Sizes),
    /// Every `step`-th index from `start` along `dim`.
    Slice {
        /// The dimension.
        dim: usize,
        /// First index.
        start: Size,
        /// Number of indices.
        len: Size,
        /// Distance of indices.
        step: usize,
    },
    /// Any region of a contiguous value, by strides.
    AsStrided(Box<Region>),
}

/// A region of a contiguous value, by strides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Region {
    /// Size of each dimension.
    pub shape: Sizes,
    /// Elements between neighbours.
    pub strides: Sizes,
    /// Elements before the first.
    pub offset: Size,
}

impl Region {
    /// The region `layout`; one without elements begins nowhere else than at the start.
    pub fn new(layout: &Layout) -> Region {
        let offset = if layout.numel() == 0 { 0 } else { layout.offset };
        Region { shape: layout.shape.into(), strides: layout.strides.into(), offset: offset.into() }
    }

    /// Its layout in memory where the whole value begins at `offset`.
    pub fn layout(&self, offset: usize) -> Layout {
        let offset = offset.saturating_add(self.offset.get());
        Layout { shape: *self.shape, strides: *self.strides, offset }
    }

    fn fields(&mut self, f: &mut Fields) {
        f.field("size", &mut self.shape);
        f.field("stride", &mut self.strides);
        f.field("offset", &mut self.offset);
    }

    fn is_whole(&self, shape: &Shape) -> bool {
        self.offset.get() == 0 && *self.strides == shape.strides()
    }

    /// The same region of each value of a batch.
    fn batched(&self, b: &Batch) -> Result<Region> {
        let step = b.fact(0).numel();
        let strides = std::iter::once(step).chain(self.strides.iter().copied()).collect::<Shape>();
        Ok(Region { shape: b.shape(&self.shape)?.into(), strides: strides.into(), ..*self })
    }
}

impl View {
    /// The region `layout` of a contiguous value.
    pub fn as_strided(layout: &Layout) -> View {
        View::AsStrided(Box::new(Region::new(layout)))
    }

    /// How the result lies in the memory of an input that lies as `input`; `None` if the
    /// elements must be copied into row-major order first.
    pub fn layout(&self, input: &Layout) -> Option<Layout> {
        match self {
            View::Reshape(shape) => input.reshape(shape),
            View::Permute(order) => Some(input.permute(order)),
            View::Expand(shape) => Some(input.broadcast_to(shape)),
            View::Slice { dim, start, len, step } => {
                Some(input.slice(*dim, start.get(), len.get(), *step))
            }
            View::AsStrided(region) => input.is_contiguous().then(|| region.layout(input.offset)),
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
                Ok(**shape)
            }
            View::Permute(order) => {
                let mut sorted = *order;
                sorted.sort_unstable();
                let fits = sorted.iter().copied().eq(0..input.len());
                ensure!(fits, name, "expected an order of {} dimensions, got {order}", input.len());
                Ok(order.iter().map(|&d| input[d]).collect())
            }
            View::Expand(shape) => {
                let fits = shape.len() >= input.len() && input.broadcast(shape) == Some(**shape);
                ensure!(fits, name, "shape {input} does not expand to {shape}");
                Ok(**shape)
            }
            View::Slice { dim, start, len, step } => {
                let size = input.get(*dim).copied().unwrap_or(0);
                let (start, len) = (start.get(), len.get());
                let reach = len.saturating_sub(1).saturating_mul(*step);
                let end = start.saturating_add(reach).saturating_add(len.min(1));
                if *dim >= input.len() || end > size || *step == 0 {
                    let what =
                        format_args!("{start}..{end} outside dimension {dim} of shape {input}");
                    return Err(Error::index(name, what));
                }
                let mut shape = *input;
                shape[*dim] = len;
                Ok(shape)
            }
            View::AsStrided(region) => {
                let Region { shape, strides, offset } = **region;
                let layout = region.layout(0);
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
        len: fact.shape.numel().into(),
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

impl View {
    pub(super) fn forms() -> Vec<Op> {
        let one = Shape::new(&[1]);
        let region = Layout::contiguous(one);
        let slice = View::Slice { dim: 0, start: 0.into(), len: 1.into(), step: 1 };
        let views = [
            View::Reshape(one.into()),
            View::Permute(Shape::new(&[0])),
            View::Expand(one.into()),
            slice,
            View::as_strided(&region),
        ];
        let scatter = Op::Region(Box::new(AsStridedScatter::new(&region)));
        views.map(Op::View).into_iter().chain([scatter]).collect()
    }

    pub(super) fn simplify(&self, known: &dyn Known) -> Option<Simpler> {
        let trivial = match self {
            View::Reshape(_) | View::Expand(_) => true,
            View::Permute(order) => order.iter().copied().eq(0..order.len()),
            View::Slice { step, len, .. } => *step == 1 || len.get() <= 1,
            View::AsStrided(region) => region.is_whole(&known.result().shape),
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
}

impl Rule for View {
    fn name(&self) -> &'static str {
        match self {
            View::Reshape(_) => "reshape",
            View::Permute(_) => "permute",
            View::Expand(_) => "expand",
            View::Slice { .. } => "slice",
            View::AsStrided(_) => "as_strided",
        }
    }

    fn doc(&self) -> &'static str {
        match self {
            View::Reshape(_) => "The same elements in the same order under another shape.",
            View::Permute(_) => "Dimensions reordered.",
            View::Expand(_) => "Repeated without a copy.",
            View::Slice { .. } => "Every step-th index along one dimension.",
            View::AsStrided(_) => "A region of a contiguous value, by strides.",
        }
    }

    fn fields(&mut self, f: &mut Fields) {
        match self {
            View::Reshape(shape) | View::Expand(shape) => f.field("shape", shape),
            View::Permute(order) => f.field("dims", order),
            View::Slice { dim, start, len, step } => {
                f.field("dim", dim);
                f.field("start", start);
                f.field("length", len);
                f.field("step", step);
            }
            View::AsStrided(region) => region.fields(f),
        }
    }

    fn nature(&self) -> Nature {
        let nature = Nature::new(Class::View, Faults::Never, Forward::Linear);
        if matches!(self, View::AsStrided(_)) { nature } else { nature.strided() }
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        super::expect_inputs(self.name(), inputs, 1)?;
        Ok(inputs[0].with_shape(self.shape(&inputs[0].shape)?).only())
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

    fn gradient(&self, _input: usize) -> Grad<View> {
        Grad::Of(Saves::NONE, |view, e, io, g| {
            let fact = io.fact();
            match view {
                View::Reshape(_) => e.reshape(g, fact.shape),
                View::Permute(order) => e.permute(g, inverse(order)),
                View::Expand(_) => e.sum_to(g, fact.shape),
                View::Slice { .. } | View::AsStrided(_) => {
                    let region = view.region(&fact.shape);
                    let zeros = e.zeros(fact)?;
                    if region.overlaps_itself() {
                        return add_at(e, zeros, fact, &region, g);
                    }
                    e.one(Op::Region(Box::new(AsStridedScatter::new(&region))), &[zeros, g])
                }
            }
        })
    }

    fn batch(&self, b: &mut Batch) -> Result<Vals> {
        let mut inputs = b.plain();
        let view = match self {
            View::Reshape(shape) => View::Reshape(b.shape(shape)?.into()),
            View::Permute(order) => {
                View::Permute(std::iter::once(0).chain(order.iter().map(|d| d + 1)).collect())
            }
            View::Expand(shape) => {
                inputs = b.aligned(shape.len())?;
                View::Expand(b.shape(shape)?.into())
            }
            View::Slice { dim, start, len, step } => {
                View::Slice { dim: dim + 1, start: *start, len: *len, step: *step }
            }
            View::AsStrided(region) => View::AsStrided(Box::new(region.batched(b)?)),
        };
        b.emit(Op::View(view), &inputs)
    }

    fn flops(&self, _inputs: &[Fact]) -> u64 {
        0
    }

    fn samples(&self) -> Vec<Sample> {
        let x = || Domain::Uniform(-2.0, 2.0);
        let s = |d: &[usize]| Shape::new(d);
        let make = |view, dims: &'static [usize]| Sample::smooth(Op::View(view), vec![(dims, x())]);
        let region = Layout { shape: s(&[2, 3]), strides: s(&[5, 1]), offset: 1 };
        let windows = Layout { shape: s(&[4, 3]), strides: s(&[1, 1]), offset: 0 };
        let mut samples = vec![
            make(View::Reshape(s(&[6, 2]).into()), &[3, 4]),
            make(View::Reshape(s(&[1]).into()), &[]),
            make(View::Reshape(s(&[0, 7]).into()), &[2, 0]),
            make(View::Permute(s(&[2, 0, 1])), &[2, 3, 4]),
            make(View::Expand(s(&[2, 3, 4]).into()), &[3, 1]),
            make(View::Slice { dim: 1, start: 1.into(), len: 2.into(), step: 2 }, &[3, 5]),
            make(View::Slice { dim: 0, start: 2.into(), len: 0.into(), step: 1 }, &[3, 5]),
            make(View::as_strided(&region), &[4, 3]),
            make(View::as_strided(&windows), &[2, 3]),
        ];
        samples.retain(|sample| sample.op.name() == self.name());
        samples
    }
}

/// The order that undoes `order`.
pub(super) fn inverse(order: &Shape) -> Shape {
    let mut inverse = *order;
    order.iter().enumerate().for_each(|(i, &d)| inverse[d] = i);
    inverse
}

/// The first input, with the region `layout` of it replaced by the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AsStridedScatter {
    /// The region.
    pub region: Region,
}

impl AsStridedScatter {
    /// Writing into the region `layout` of a contiguous value.
    pub fn new(layout: &Layout) -> AsStridedScatter {
        AsStridedScatter { region: Region::new(layout) }
    }
}

/// Copies `from` to `to` unless they are the same elements already.
pub(crate) fn copy_unless_same(from: Arg, to: Arg) {
    if !(from.buffer.same(to.buffer) && from.layout == to.layout) {
        copy::copy(from, to);
    }
}

impl AsStridedScatter {
    pub(super) fn simplify(&self, known: &dyn Known) -> Option<Simpler> {
        let whole = self.region.is_whole(&self.region.shape);
        if whole && known.fact(1) == known.result() { keep(known, 1) } else { None }
    }
}

impl Rule for AsStridedScatter {
    fn name(&self) -> &'static str {
        "as_strided_scatter"
    }

    fn doc(&self) -> &'static str {
        "The first input with a region, given by strides, replaced by the second."
    }

    fn fields(&mut self, f: &mut Fields) {
        self.region.fields(f);
    }

    fn nature(&self) -> Nature {
        Nature::new(Class::Move, Faults::Never, Forward::Linear)
            .contiguous(Which::These(&[0]))
            .over(Over::First)
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        super::expect_inputs(self.name(), inputs, 2)?;
        let region = self.region.layout(0);
        ensure!(
            region.fits()
                && region.end() <= inputs[0].numel()
                && inputs[1] == inputs[0].with_shape(*self.region.shape),
            self.name(),
            "expected a source of shape {} inside {}, got {}",
            self.region.shape,
            inputs[0],
            inputs[1]
        );
        Ok(inputs[0].only())
    }

    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        let out = outputs[0];
        copy_unless_same(inputs[0], out);
        let region = self.region.layout(out.layout.offset);
        copy::copy(inputs[1], Arg::new(out.buffer, out.dtype, &region));
        Ok(())
    }

    fn gradient(&self, input: usize) -> Grad<AsStridedScatter> {
        if input == 1 {
            return Grad::Of(Saves::NONE, |scatter, e, _, g| {
                e.one(Op::View(View::AsStrided(Box::new(scatter.region))), &[g])
            });
        }
        Grad::Of(Saves::NONE, |scatter, e, io, g| {
            let zeros = e.zeros(io.input_facts[1])?;
            e.one(Op::Region(Box::new(*scatter)), &[g, zeros])
        })
    }

    fn batch(&self, b: &mut Batch) -> Result<Vals> {
        let inputs = b.all()?;
        let region = self.region.batched(b)?;
        b.emit(Op::Region(Box::new(AsStridedScatter { region })), &inputs)
    }

    fn flops(&self, _inputs: &[Fact]) -> u64 {
        0
    }

    fn samples(&self) -> Vec<Sample> {
        let x = || Domain::Uniform(-2.0, 2.0);
        let region = Layout { shape: Shape::new(&[2, 2]), strides: Shape::new(&[1, 4]), offset: 1 };
        let op = Op::Region(Box::new(AsStridedScatter::new(&region)));
        vec![Sample::smooth(op, vec![(&[3, 4], x()), (&[2, 2], x())])]
    }
}
