//! Buffers of their own on memory that they share: arrays of numpy seen as two dtypes.

use super::recorder::Recorder;
use super::recording::Binding;
use crate::error::{Error, Result};
use crate::tensor::Tensor;

/// The bytes of one input's buffer, and whether they were written.
struct Span {
    start: usize,
    end: usize,
    id: u64,
    written: bool,
}

impl Recorder {
    /// Refuses writes to memory that is also reached through another buffer: what that one holds
    /// is then not known.
    pub(super) fn check_apart(&self) -> Result<()> {
        let mut spans: Vec<Span> =
            self.bindings.iter().filter_map(|binding| self.span(binding)).collect();
        spans.sort_unstable_by_key(|span| (span.start, span.end));
        for (i, a) in spans.iter().enumerate() {
            let mut near = spans[i + 1..].iter().take_while(|b| b.start < a.end);
            if let Some(b) = near.find(|b| b.id != a.id && (a.written || b.written)) {
                return Err(Error::compile(format_args!(
                    "a tensor is changed in place whose memory another tensor sees as something \
                     else ({} bytes of one array of numpy), which the graph cannot follow. Make \
                     both of one array and dtype",
                    a.end.min(b.end) - b.start
                )));
            }
        }
        Ok(())
    }

    /// Whether tensors see memory between two addresses, and whether it was written.
    pub(super) fn reached(&self, low: usize, high: usize) -> (bool, bool) {
        let spans = self.bindings.iter().filter_map(|binding| self.span(binding));
        let near = spans.filter(|span| span.start < high && low < span.end);
        near.fold((false, false), |(_, written), span| (true, written || span.written))
    }

    fn span(&self, binding: &Binding) -> Option<Span> {
        let tensor: Tensor = match binding {
            Binding::Captured(tensor) => tensor.clone(),
            Binding::Arg(i) => self.args[*i].clone(),
            Binding::GradOf(leaf) => leaf.of(&self.args).peek_grad()?,
        };
        let buffer = tensor.buffer();
        if !self.storages.has(buffer.id()) {
            return None;
        }
        let written = self.storages.regions(buffer.id()).iter().any(|storage| storage.written);
        let start = buffer.as_ptr() as usize;
        Some(Span { start, end: start + buffer.len(), id: buffer.id(), written })
    }
}
