//! Floor 5: running a finished graph.
//!
//! A [`Plan`] is immutable and shared between threads; a [`Run`] is one caller's working
//! memory.

mod finish;
mod memory;
mod order;
mod place;
mod plan;
mod planner;
mod run;
mod verify;

pub use plan::{Plan, Report, Step, Target, verify_plans};
pub use run::{Control, Results, Run};
