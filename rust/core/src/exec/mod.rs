//! Floor 5: running a finished graph.
//!
//! A [`Plan`] is immutable and shared between threads; a [`Run`] is one caller's working
//! memory.

mod memory;
mod place;
mod plan;
mod run;

pub use plan::{Plan, Report, Target};
pub use run::Run;
