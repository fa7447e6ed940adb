//! Operations, dynamic and static graphs, passes and executor of weft.
//!
//! From the bottom: `op` (floor 2) says what operations are; `tensor`, `tape`, `eager`
//! (floor 3) run them at once, leave a dynamic graph behind and tell whoever listens
//! (`listen`); `graph` and `record` (floor 3) hold and make static graphs; `pass` (floor 4) improves them; `exec` (floor 5)
//! runs them. `executable` puts the last three together.

#![forbid(unsafe_code)]

pub mod eager;
pub mod error;
pub mod exec;
pub mod executable;
pub mod fact;
pub mod feed;
pub mod graph;
pub mod listen;
pub mod mode;
pub mod op;
pub mod pass;
pub mod random;
pub mod record;
pub mod site;
pub mod tape;
pub mod tensor;
mod writers;

pub use error::{Error, Result};
pub use executable::Executable;
pub use fact::{Fact, Facts};
pub use tensor::Tensor;
