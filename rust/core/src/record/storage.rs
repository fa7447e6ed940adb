//! What the recorder knows of one buffer.

use std::collections::HashMap;

use weft_kernels::Layout;

use crate::graph::ValueId;

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
    pub views: HashMap<Layout, ValueId>,
}

/// The first element that a layout touches, and one past the last.
pub(super) fn extent(layout: &Layout) -> (usize, usize) {
    (layout.offset, layout.end().max(layout.offset))
}

impl Storage {
    pub fn new(root: Layout, value: ValueId, input: Option<u32>) -> Storage {
        Storage { root, value, input, written: false, views: HashMap::new() }
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

    pub fn write(&mut self, value: ValueId) {
        self.value = value;
        self.written = true;
        self.views.clear();
    }
}
