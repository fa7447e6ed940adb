//! The random generator: a seed and a position in the stream, shared by both modes.

use std::sync::{LazyLock, Mutex};

use smallvec::SmallVec;
use weft_kernels::{DType, Layout, Shape};

use crate::eager;
use crate::error::{Error, Result};
use crate::listen;
use crate::op::Op;
use crate::op::random::{Dist, Random};
use crate::tensor::Tensor;

struct Generator {
    seed: u64,
    position: u64,
    /// Seed and position, as random operations read them.
    state: Tensor,
}

static GENERATOR: LazyLock<Mutex<Generator>> = LazyLock::new(|| {
    let state = Tensor::from_slice(&[0i64, 0], Shape::new(&[2]));
    Mutex::new(Generator { seed: 0, position: 0, state })
});

fn lock() -> std::sync::MutexGuard<'static, Generator> {
    GENERATOR.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Generator {
    fn store(&self) {
        let layout = Layout::contiguous(Shape::SCALAR);
        for (i, word) in [self.seed, self.position].into_iter().enumerate() {
            let place = Layout { offset: i, ..layout };
            let arg = weft_kernels::Arg::new(self.state.buffer(), DType::I64, &place);
            weft_kernels::fill::fill(weft_kernels::Scalar::Int(word as i64), arg);
        }
    }
}

/// Starts the stream of `seed` from its beginning.
pub fn seed(seed: u64) -> Result<()> {
    listen::beside(
        "manual_seed inside a compiled function would restart the stream on every call. Call it outside",
    )?;
    let mut generator = lock();
    (generator.seed, generator.position) = (seed, 0);
    generator.store();
    Ok(())
}

/// The seed of the stream.
pub fn current_seed() -> u64 {
    lock().seed
}

/// How many blocks of the stream have been used.
pub fn position() -> u64 {
    lock().position
}

/// Goes to a position of a stream.
pub fn set_state(seed: u64, position: u64) {
    let mut generator = lock();
    (generator.seed, generator.position) = (seed, position);
    generator.store();
}

/// Skips blocks that a static graph has used.
pub fn advance(blocks: u64) {
    if blocks > 0 {
        let mut generator = lock();
        generator.position = generator.position.wrapping_add(blocks);
        generator.store();
    }
}

/// What random operations read. It is older than every listener, though it may be made only now.
fn state() -> Tensor {
    let state = lock().state.clone();
    listen::older(&state);
    state
}

/// Random values from the stream.
pub fn draw(dist: Dist, shape: Shape, dtype: DType) -> Result<Tensor> {
    draw_from(Random { dist, shape: shape.into(), dtype, ahead: 0 }, None)
}

/// `samples` categories for each row of `weights`.
pub fn choose(weights: &Tensor, samples: usize, replacement: bool) -> Result<Tensor> {
    let &[rows, classes] = &weights.shape()[..] else {
        let got = weights.shape();
        return Err(Error::runtime("multinomial", format_args!("expected 2 dims, got {got}")));
    };
    let dist = Dist::Choice { classes: classes.into(), replacement };
    let shape = Shape::new(&[rows, samples]).into();
    let random = Random { dist, shape, dtype: DType::I64, ahead: 0 };
    draw_from(random, Some(weights))
}

fn draw_from(random: Random, weights: Option<&Tensor>) -> Result<Tensor> {
    let state = state();
    let inputs: SmallVec<[&Tensor; 2]> = std::iter::once(&state).chain(weights).collect();
    let blocks = random.blocks();
    let result = eager::call1(&Op::Random(Box::new(random)), &inputs)?;
    advance(blocks);
    Ok(result)
}

/// Random values written over `target`.
pub fn draw_into(dist: Dist, target: &Tensor) -> Result<()> {
    let random = Random { dist, shape: (*target.shape()).into(), dtype: target.dtype(), ahead: 0 };
    let (state, blocks) = (state(), random.blocks());
    eager::call_into(&Op::Random(Box::new(random)), &[&state], std::slice::from_ref(target))?;
    advance(blocks);
    Ok(())
}
