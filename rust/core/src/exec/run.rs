//! Running a plan.

use smallvec::SmallVec;
use weft_kernels::{Arg, Buffer};

use super::place::{Place, Step};
use super::plan::Plan;
use crate::error::{Error, ErrorKind, Result};

/// The working memory of one caller. The slab stays between runs.
#[derive(Debug)]
pub struct Run {
    /// Slab, constants, inputs, outputs.
    buffers: Vec<Buffer>,
}

impl Run {
    /// Working memory for `plan`.
    pub fn new(plan: &Plan) -> Result<Run> {
        let bytes = plan.report.slab_bytes;
        let mut buffers = vec![memory(bytes)?];
        buffers.extend(plan.constants.iter().cloned());
        Ok(Run { buffers })
    }

    /// Runs `plan` on `inputs` and returns the buffers of its targets. Inputs that the
    /// plan updates are changed in place and declared changed; an error changes none.
    ///
    /// # Panics
    /// When there are not as many inputs as the plan has.
    pub fn call(&mut self, plan: &Plan, inputs: &[Buffer]) -> Result<SmallVec<[Buffer; 2]>> {
        assert_eq!(inputs.len(), plan.inputs.len(), "one buffer per input");
        if let Some(i) = (0..inputs.len()).find(|&i| !plan.holds(i, inputs[i].len())) {
            return Err(Error::compile(format_args!("input {i} is smaller than was recorded")));
        }
        let fixed = 1 + plan.constants.len();
        self.buffers.truncate(fixed);
        self.buffers.extend_from_slice(inputs);
        let result = self.steps(plan);
        let outputs = self.buffers.drain(fixed + inputs.len()..).collect();
        self.buffers.truncate(fixed);
        result?;
        for &i in &plan.updates {
            inputs[i].bump_version();
        }
        Ok(outputs)
    }

    fn steps(&mut self, plan: &Plan) -> Result<()> {
        for target in &plan.targets {
            self.buffers.push(memory(target.fact.bytes())?);
        }
        let (before, after) = plan.steps.split_at(plan.commit);
        before.iter().try_for_each(|step| self.step(step))?;
        for step in after {
            let done = self.step(step);
            debug_assert!(done.is_ok(), "{} failed after the commit point", step.op.name());
            done?;
        }
        Ok(())
    }

    fn step(&self, step: &Step) -> Result<()> {
        let inputs: SmallVec<[Arg; 8]> = step.inputs.iter().map(|p| self.arg(p)).collect();
        let outputs: SmallVec<[Arg; 4]> = step.outputs.iter().map(|p| self.arg(p)).collect();
        step.op.run(&inputs, &outputs).map_err(|error| located(error, step))
    }

    fn arg<'a>(&'a self, place: &'a Place) -> Arg<'a> {
        Arg::new(&self.buffers[place.root], place.dtype, &place.layout)
    }
}

fn memory(bytes: usize) -> Result<Buffer> {
    let none =
        || Error::new(ErrorKind::Memory, "compiled", format_args!("no memory for {bytes} bytes"));
    Buffer::try_new(bytes).ok_or_else(none)
}

#[cold]
fn located(error: Error, step: &Step) -> Error {
    if step.site.is_known() { error.at(step.site) } else { error }
}
