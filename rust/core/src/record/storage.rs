//! What the recorder knows of memory.

use std::collections::hash_map::Entry;

use weft_kernels::Layout;

use super::quick::QuickMap;
use crate::graph::{Graph, ValueId};
use crate::tensor::Tensor;

/// A region of a buffer, the value it holds, and the views of it that have values.
#[derive(Debug)]
pub(super) struct Storage {
    /// The region.
    pub root: Layout,
    /// What it holds now, in the root's shape.
    pub value: ValueId,
    /// The graph input that it was at first, if it was there before the recording.
    pub input: Option<u32>,
    /// Whether it was written.
    pub written: bool,
    /// Values of views of what it holds now.
    pub views: QuickMap<Layout, ValueId>,
}

/// The first element that a layout touches, and one past the last.
pub(super) fn extent(layout: &Layout) -> (usize, usize) {
    (layout.offset, layout.end().max(layout.offset))
}

impl Storage {
    pub fn new(root: Layout, value: ValueId, input: Option<u32>) -> Storage {
        Storage { root, value, input, written: false, views: QuickMap::default() }
    }

    /// `view`, relative to a contiguous root.
    pub fn relative(&self, view: &Layout) -> Option<Layout> {
        let offset = view.offset.checked_sub(self.root.offset)?;
        let region = Layout { offset, ..*view };
        (self.root.is_contiguous() && region.end() <= self.root.numel()).then_some(region)
    }

    /// Whether all elements that `view` touches lie in the root.
    pub fn covers(&self, view: &Layout) -> bool {
        self.root == *view || self.views.contains_key(view) || self.relative(view).is_some()
    }

    /// The value of `view`, if it has one.
    pub fn holds(&self, view: &Layout) -> Option<ValueId> {
        let known = if self.views.is_empty() { None } else { self.views.get(view).copied() };
        known.or_else(|| (self.root == *view).then_some(self.value))
    }

    pub fn write(&mut self, value: ValueId) {
        self.value = value;
        self.written = true;
        self.views.clear();
    }
}

/// All buffers that were met, by their numbers.
#[derive(Default)]
pub(super) struct Storages(QuickMap<u64, Held>);

/// What one buffer holds.
enum Held {
    /// One value of this layout from end to end, which nobody has looked at otherwise: what most
    /// results are until they are forgotten.
    Result(ValueId),
    /// Regions.
    Regions(Vec<Storage>),
}

/// Whether `layout` is that of new memory for the value.
fn is_fresh(layout: &Layout, graph: &Graph, value: ValueId) -> bool {
    let shape = &graph.values[value.0 as usize].fact.shape;
    layout.offset == 0 && layout.shape == *shape && layout.strides == shape.strides()
}

impl Storages {
    /// Whether a buffer was met.
    pub fn has(&self, id: u64) -> bool {
        self.0.contains_key(&id)
    }

    /// The value of a tensor that sees all that its buffer holds.
    pub fn whole(&self, tensor: &Tensor, graph: &Graph) -> Option<ValueId> {
        match self.0.get(&tensor.buffer().id())? {
            Held::Result(value) => is_fresh(tensor.layout(), graph, *value).then_some(*value),
            Held::Regions(list) => match &list[..] {
                [one] => one.holds(tensor.layout()),
                _ => None,
            },
        }
    }

    /// Notes a value that an operation made.
    pub fn made(&mut self, tensor: &Tensor, graph: &Graph, value: ValueId) {
        let new = match self.0.entry(tensor.buffer().id()) {
            Entry::Vacant(new) if is_fresh(tensor.layout(), graph, value) => {
                new.insert(Held::Result(value));
                return;
            }
            Entry::Vacant(new) => new.insert(Held::Regions(Vec::new())),
            Entry::Occupied(known) => known.into_mut(),
        };
        regions(new, graph).push(Storage::new(*tensor.layout(), value, None));
    }

    /// The regions of a buffer, to which some may be added.
    pub fn of(&mut self, id: u64, graph: &Graph) -> &mut Vec<Storage> {
        regions(self.0.entry(id).or_insert_with(|| Held::Regions(Vec::new())), graph)
    }

    /// The regions of a buffer; none of a result that is as it was made.
    pub fn regions(&self, id: u64) -> &[Storage] {
        match self.0.get(&id) {
            Some(Held::Regions(list)) => list,
            _ => &[],
        }
    }

    /// Forgets a buffer; what was known of it.
    pub fn take(&mut self, id: u64, graph: &Graph) -> Vec<Storage> {
        self.0
            .remove(&id)
            .map(|mut held| std::mem::take(regions(&mut held, graph)))
            .unwrap_or_default()
    }

    /// All regions of all buffers but results that are as they were made.
    pub fn all(&self) -> impl Iterator<Item = &Storage> {
        self.0.values().flat_map(|held| match held {
            Held::Regions(list) => &list[..],
            Held::Result(_) => &[],
        })
    }
}

/// What a buffer holds as regions.
fn regions<'a>(held: &'a mut Held, graph: &Graph) -> &'a mut Vec<Storage> {
    if let Held::Result(value) = *held {
        let root = Layout::contiguous(graph.fact(value).shape);
        *held = Held::Regions(vec![Storage::new(root, value, None)]);
    }
    match held {
        Held::Regions(list) => list,
        Held::Result(_) => unreachable!("just made regions"),
    }
}
