//! Floor 3, dynamic: the graph that eager operations leave behind.

mod arena;
mod backward;
mod history;
mod views;
mod walked;

pub use arena::{Edge, NodeRef, Saved, SavedValue, TapeNode, live_nodes};
pub use backward::{Backward, backward};
pub(crate) use history::{Change, push};
pub(crate) use views::node;
pub(crate) use walked::mark_walked;
