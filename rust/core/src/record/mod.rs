//! Recording a static graph from the operations that an eager run applies.
//!
//! The recorder keeps, for every buffer it has seen, the value that the buffer holds at
//! present. A write in place gives the buffer a new value, so the graph itself has none.
//! Buffers that were there before the recording are inputs; what they hold at the end,
//! if it changed, is an update.

mod apart;
mod given;
mod known;
mod quick;
mod recorder;
mod recording;
mod session;
mod storage;
mod widened;

pub use given::{Given, Returned};
pub use recorder::Recorder;
pub use recording::{Binding, Difference, GradGuard, Leaf, Recording};
pub use session::{Lines, abort, finish, start};
