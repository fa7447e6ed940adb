//! Visiting several strided operands of one shape in tiles.

use super::scratch::Scratch;
use crate::buffer::{Arg, Spec};
use crate::dtype::{DType, Width, by_width};
use crate::layout::Layout;
use crate::shape::MAX_DIMS;
use crate::threads;
use crate::tile::{Operand, splat};

/// Elements of a tile: some of them fit the first-level cache together.
pub(super) const TILE: usize = 1024;

/// Rows shorter than this are gathered several to a tile where they cannot be read in place.
const SHORT_ROW: usize = 512;

/// One operand of a sweep.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lane {
    /// Bytes per element.
    width: Width,
    strides: [usize; MAX_DIMS],
    /// Elements from the first one to the end of the last; 0 if there is none.
    reach: usize,
    /// Offset of the lane's tile in the scratch memory, where it needs one.
    stage: usize,
    how: How,
}

/// How a lane's tiles are reached.
#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    /// Where they lie.
    InPlace { step: usize },
    /// By way of a scratch tile.
    Staged,
}

const NO_LANE: Lane =
    Lane { width: Width::W1, strides: [0; MAX_DIMS], reach: 0, stage: 0, how: How::Staged };

/// Lanes that are kept without an allocation.
const FEW: usize = 8;
/// Lanes whose addresses are.
const SOME: usize = 64;

/// Lanes of a sweep that is made where it runs.
pub(super) struct Few {
    few: [Lane; FEW],
    many: Vec<Lane>,
    count: usize,
}

impl Few {
    fn new(count: usize) -> Few {
        let many = if count > FEW { vec![NO_LANE; count] } else { Vec::new() };
        Few { few: [NO_LANE; FEW], many, count }
    }
}

impl AsRef<[Lane]> for Few {
    fn as_ref(&self) -> &[Lane] {
        if self.many.is_empty() { &self.few[..self.count] } else { &self.many }
    }
}

impl AsMut<[Lane]> for Few {
    fn as_mut(&mut self) -> &mut [Lane] {
        if self.many.is_empty() { &mut self.few[..self.count] } else { &mut self.many }
    }
}

impl Lane {
    fn size(&self) -> usize {
        self.width as usize
    }
}

/// Operands of one shape, their dimensions sorted and merged.
#[derive(Debug, Clone)]
pub(super) struct Sweep<L> {
    lanes: L,
    /// How many of the lanes are read; the rest are written.
    ins: usize,
    dims: [usize; MAX_DIMS],
    rank: usize,
    numel: usize,
    /// Scratch bytes that the lanes need.
    stage_bytes: usize,
}

/// A sweep whose memory comes later.
pub(super) type Laid = Sweep<Box<[Lane]>>;

/// Where lanes begin.
struct Bases {
    few: [*mut u8; SOME],
    many: Vec<*mut u8>,
}

// SAFETY: the addresses are those of buffers that the caller of the kernel keeps alive;
// what several threads may do with them at once is documented on `Buffer`.
unsafe impl Sync for Bases {}

impl Bases {
    /// Of lanes that reach as far as `lanes` say.
    ///
    /// # Panics
    /// When one reaches beyond its buffer.
    fn new<'a>(lanes: &[Lane], args: impl Iterator<Item = &'a Arg<'a>>) -> Bases {
        let mut bases = Bases { few: [std::ptr::null_mut(); SOME], many: Vec::new() };
        if lanes.len() > SOME {
            bases.many = vec![std::ptr::null_mut(); lanes.len()];
        }
        let to = if bases.many.is_empty() { &mut bases.few[..] } else { &mut bases.many[..] };
        for ((to, lane), arg) in to.iter_mut().zip(lanes).zip(args) {
            let end = arg.layout.offset.saturating_add(lane.reach).saturating_mul(lane.size());
            let inside = lane.reach == 0 || end <= arg.buffer.len();
            assert!(inside && lane.width == arg.dtype.width(), "{:?} exceeds {:?}", arg, lane);
            *to = arg.buffer.as_ptr().wrapping_add(arg.layout.offset.wrapping_mul(lane.size()));
        }
        bases
    }

    fn at(&self, lane: usize) -> *mut u8 {
        if self.many.is_empty() { self.few[lane] } else { self.many[lane] }
    }
}

/// Visits operands of one shape as [`Sweep::run`] does.
///
/// # Panics
/// When shapes differ or an operand exceeds its buffer.
pub(crate) fn sweep(
    ins: &[Arg],
    outs: &[Arg],
    cost: usize,
    scratch_bytes: usize,
    body: impl Fn(&[Operand], *mut u8, usize) + Sync,
) {
    let args = || ins.iter().chain(outs);
    let lanes = args().map(|arg| (arg.dtype, arg.layout));
    let sweep = Sweep::arrange(Few::new(ins.len() + outs.len()), ins.len(), lanes);
    sweep.run(Bases::new(sweep.lanes(), args()), cost, scratch_bytes, body);
}

impl Laid {
    /// # Panics
    /// When shapes differ.
    pub(super) fn new(ins: &[Spec], outs: &[Spec]) -> Laid {
        let lanes = vec![NO_LANE; ins.len() + outs.len()].into_boxed_slice();
        let specs = ins.iter().chain(outs).map(|spec| (spec.dtype, &spec.layout));
        Sweep::arrange(lanes, ins.len(), specs)
    }

    /// [`Sweep::run`] on operands that lie as they were said to.
    ///
    /// # Panics
    /// When an operand reaches beyond its buffer or has elements of another size.
    pub(super) fn visit(
        &self,
        ins: &[Arg],
        outs: &[Arg],
        cost: usize,
        scratch_bytes: usize,
        body: impl Fn(&[Operand], *mut u8, usize) + Sync,
    ) {
        assert!(ins.len() == self.ins && ins.len() + outs.len() == self.lanes.len());
        let bases = Bases::new(self.lanes(), ins.iter().chain(outs));
        self.run(bases, cost, scratch_bytes, body);
    }
}

impl<L: AsRef<[Lane]> + AsMut<[Lane]> + Sync> Sweep<L> {
    /// # Panics
    /// When shapes differ.
    fn arrange<'a>(
        lanes: L,
        ins: usize,
        operands: impl Iterator<Item = (DType, &'a Layout)> + Clone,
    ) -> Sweep<L> {
        let (_, first) = operands.clone().nth(ins).expect("an output");
        let shape = first.shape;
        let mut sweep = Sweep {
            lanes,
            ins,
            dims: [0; MAX_DIMS],
            rank: shape.len(),
            numel: shape.numel(),
            stage_bytes: 0,
        };
        sweep.dims[..shape.len()].copy_from_slice(&shape);
        for (lane, (dtype, layout)) in sweep.lanes_mut().iter_mut().zip(operands) {
            assert!(layout.shape == shape, "{layout:?} in a sweep of {shape:?}");
            lane.width = dtype.width();
            lane.strides[..shape.len()].copy_from_slice(&layout.strides);
            lane.reach = layout.end().saturating_sub(layout.offset);
        }
        sweep.sort();
        sweep.merge();
        sweep.place();
        sweep
    }

    fn lanes(&self) -> &[Lane] {
        self.lanes.as_ref()
    }

    fn lanes_mut(&mut self) -> &mut [Lane] {
        self.lanes.as_mut()
    }

    /// Orders dimensions by falling stride of the first output.
    fn sort(&mut self) {
        for end in 1..self.rank {
            for d in (1..=end).rev() {
                let strides = &self.lanes()[self.ins].strides;
                if self.dims[d] == 1 || strides[d - 1] >= strides[d] {
                    break;
                }
                self.dims.swap(d - 1, d);
                self.lanes_mut().iter_mut().for_each(|lane| lane.strides.swap(d - 1, d));
            }
        }
    }

    /// Drops dimensions of size 1 and merges neighbours that all lanes step through alike.
    fn merge(&mut self) {
        let mut n = 0;
        for d in 0..self.rank {
            let size = self.dims[d];
            if size == 1 {
                continue;
            }
            let joins =
                n > 0 && self.lanes().iter().all(|x| x.strides[n - 1] == x.strides[d] * size);
            if !joins {
                n += 1;
                self.dims[n - 1] = 1;
            }
            self.dims[n - 1] *= size;
            self.lanes_mut().iter_mut().for_each(|lane| lane.strides[n - 1] = lane.strides[d]);
        }
        if n == 0 {
            n = 1;
            self.dims[0] = 1;
            self.lanes_mut().iter_mut().for_each(|lane| lane.strides[0] = 1);
        }
        self.rank = n;
    }

    /// Decides how each lane is reached, and where its scratch tile lies.
    fn place(&mut self) {
        let (rank, flat, ins) = (self.rank, self.is_flat(), self.ins);
        let mut bytes = 0;
        for (k, lane) in self.lanes_mut().iter_mut().enumerate() {
            let inner = lane.strides[rank - 1];
            let repeats = k < ins && inner == 0;
            let lies_well = if flat {
                lane.strides[..rank].iter().all(|&s| s == 0) && repeats
            } else {
                inner == 1 || repeats
            };
            lane.how = if lies_well { How::InPlace { step: inner } } else { How::Staged };
            if !lies_well {
                lane.stage = bytes;
                bytes += TILE * lane.size();
            }
        }
        if flat {
            self.place_whole();
        }
        self.stage_bytes = bytes;
    }

    /// In a flat sweep a lane without gaps lies well across rows.
    fn place_whole(&mut self) {
        let (rank, dims) = (self.rank, self.dims);
        for lane in self.lanes_mut() {
            let gapless = (1..rank).all(|d| lane.strides[d - 1] == lane.strides[d] * dims[d]);
            if gapless && lane.strides[rank - 1] == 1 {
                lane.how = How::InPlace { step: 1 };
            }
        }
    }

    /// Whether tiles cross the ends of rows.
    fn is_flat(&self) -> bool {
        self.rank > 1 && self.dims[self.rank - 1] < SHORT_ROW
    }

    /// Calls `body(operands, n)` for tiles of at most [`TILE`] elements that together
    /// cover everything, on several threads if `cost` operations per element are worth it.
    /// `scratch_bytes` more bytes of scratch memory begin at the operand after the last.
    fn run(
        &self,
        bases: Bases,
        cost: usize,
        scratch_bytes: usize,
        body: impl Fn(&[Operand], *mut u8, usize) + Sync,
    ) {
        if self.numel == 0 {
            return;
        }
        let row = if self.is_flat() { self.numel } else { self.dims[self.rank - 1] };
        let tiles = row.div_ceil(TILE);
        let units = self.numel / row * tiles;
        let per_unit = cost.max(1).saturating_mul(row.div_ceil(tiles));
        threads::for_ranges(units, 1, per_unit, |range| {
            let scratch = Scratch::take(self.stage_bytes + scratch_bytes);
            let rest = scratch.ptr().wrapping_add(self.stage_bytes);
            let count = self.lanes().len();
            let mut few = [Operand { ptr: std::ptr::null(), step: 0 }; FEW];
            let (mut some, mut many);
            let operands = if count <= FEW {
                &mut few[..count]
            } else if count <= SOME {
                some = [few[0]; SOME];
                &mut some[..count]
            } else {
                many = vec![few[0]; count];
                &mut many[..]
            };
            for unit in range {
                let start = unit % tiles * TILE;
                let tile = Tile { at: unit / tiles * row + start, n: (row - start).min(TILE) };
                let body = |operands: &[Operand]| body(operands, rest, tile.n);
                self.one(&bases, tile, scratch.ptr(), operands, body);
            }
        });
    }

    /// Gathers, calls and scatters one tile.
    fn one(
        &self,
        bases: &Bases,
        tile: Tile,
        scratch: *mut u8,
        operands: &mut [Operand],
        body: impl FnOnce(&[Operand]),
    ) {
        let index = self.index(tile.at);
        for (k, lane) in self.lanes().iter().enumerate() {
            let stage = scratch.wrapping_add(lane.stage);
            operands[k] = match lane.how {
                How::InPlace { step } => {
                    let from = bases.at(k).wrapping_add(self.offset(lane, &index) * lane.size());
                    Operand { ptr: from, step }
                }
                How::Staged => Operand { ptr: stage, step: 1 },
            };
            if k < self.ins && lane.how == How::Staged {
                self.runs(bases.at(k), lane, index, tile.n, |at, done, n, stride| {
                    // SAFETY: `Bases::new` checked that the lane lies inside its buffer;
                    // the scratch tile holds TILE elements.
                    unsafe {
                        gather(at, stride, stage.wrapping_add(done * lane.size()), lane.width, n)
                    }
                });
            }
        }
        body(operands);
        let staged = |(_, lane): &(usize, &Lane)| lane.how == How::Staged;
        for (k, lane) in self.lanes().iter().enumerate().skip(self.ins).filter(staged) {
            let stage = scratch.wrapping_add(lane.stage);
            self.runs(bases.at(k), lane, index, tile.n, |at, done, n, stride| {
                // SAFETY: as above.
                unsafe {
                    scatter(stage.wrapping_add(done * lane.size()), at, stride, lane.width, n)
                }
            });
        }
    }

    /// The indices of the element with row-major index `flat`.
    fn index(&self, mut flat: usize) -> [usize; MAX_DIMS] {
        let mut index = [0; MAX_DIMS];
        for d in (1..self.rank).rev() {
            index[d] = flat % self.dims[d];
            flat /= self.dims[d];
        }
        index[0] = flat;
        index
    }

    fn offset(&self, lane: &Lane, index: &[usize; MAX_DIMS]) -> usize {
        (0..self.rank).map(|d| index[d] * lane.strides[d]).sum()
    }

    /// Calls `body(address, elements before, elements, stride)` for the pieces of rows that
    /// `n` elements from `index` on make up.
    fn runs(
        &self,
        base: *mut u8,
        lane: &Lane,
        mut index: [usize; MAX_DIMS],
        n: usize,
        mut body: impl FnMut(*mut u8, usize, usize, usize),
    ) {
        let last = self.rank - 1;
        let mut done = 0;
        while done < n {
            let len = (self.dims[last] - index[last]).min(n - done);
            let at = base.wrapping_add(self.offset(lane, &index) * lane.size());
            body(at, done, len, lane.strides[last]);
            done += len;
            index[last] += len;
            let mut d = last;
            while d > 0 && index[d] == self.dims[d] {
                index[d] = 0;
                d -= 1;
                index[d] += 1;
            }
        }
    }
}

/// `n` elements from row-major index `at` on.
#[derive(Clone, Copy)]
struct Tile {
    at: usize,
    n: usize,
}

/// # Safety
/// `from` must be readable for `n` elements of `width` bytes that lie `stride` apart, `to`
/// writable for `n` adjacent ones.
unsafe fn gather(from: *const u8, stride: usize, to: *mut u8, width: Width, n: usize) {
    /// # Safety
    /// As the outer function.
    unsafe fn each<T: Copy>(from: *const T, stride: usize, to: *mut T, n: usize) {
        for i in 0..n {
            // SAFETY: the caller's promise.
            unsafe { *to.add(i) = *from.add(i * stride) };
        }
    }
    // SAFETY: the caller's promise.
    unsafe {
        match stride {
            0 => splat(from, to, width, n),
            1 => from.copy_to_nonoverlapping(to, n * width as usize),
            _ => by_width!(width, T => each(from.cast::<T>(), stride, to.cast(), n)),
        }
    }
}

/// # Safety
/// `from` must be readable for `n` adjacent elements of `width` bytes, `to` writable for `n`
/// that lie `stride` apart.
unsafe fn scatter(from: *const u8, to: *mut u8, stride: usize, width: Width, n: usize) {
    /// # Safety
    /// As the outer function.
    unsafe fn each<T: Copy>(from: *const T, to: *mut T, stride: usize, n: usize) {
        for i in 0..n {
            // SAFETY: the caller's promise.
            unsafe { *to.add(i * stride) = *from.add(i) };
        }
    }
    // SAFETY: the caller's promise.
    unsafe {
        if stride == 1 {
            from.copy_to_nonoverlapping(to, n * width as usize);
        } else {
            by_width!(width, T => each(from.cast::<T>(), to.cast(), stride, n));
        }
    }
}
