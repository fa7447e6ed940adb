//! Results whose history was differentiated and let go inside a static graph.

use smallvec::SmallVec;

use super::arena::{NodeRef, TapeNode};
use crate::op::Op;
use crate::site::Site;
use crate::tensor::Tensor;

/// Says of `output` what an eager run would: that `op` made it, that gradients went
/// through it, and that they have been taken.
pub(crate) fn mark_walked(op: &Op, output: &Tensor) {
    let node = NodeRef::new(Box::new(TapeNode {
        op: op.clone(),
        seq: 0,
        edges: SmallVec::new(),
        saved: SmallVec::new(),
        input_facts: SmallVec::new(),
        output_facts: output.fact().only(),
        released: true,
        site: Site::UNKNOWN,
    }));
    output.set_requires_grad(true);
    output.auto().node = Some((node, 0));
}
