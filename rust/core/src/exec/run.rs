//! Running a plan.

use smallvec::SmallVec;
use weft_kernels::Buffer;

use super::plan::{Plan, Step};
use crate::error::{Error, ErrorKind, Result};
use crate::op::bind::Operands;

/// The working memory of one caller. The slab stays between runs.
#[derive(Debug)]
pub struct Run {
    /// Slab, constants, inputs, outputs.
    buffers: Vec<Buffer>,
}

/// What becomes of a run after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// It goes on.
    Go,
    /// It ends here, if nobody outside has seen a change yet; otherwise it goes on to its end,
    /// and nobody is asked any more.
    Stop,
}

/// Buffers of results.
pub type Results = SmallVec<[Buffer; 2]>;

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
    pub fn call(&mut self, plan: &Plan, inputs: &[Buffer]) -> Result<Results> {
        let results = self.through(plan, inputs, |_, _| Control::Go)?;
        Ok(results.expect("nobody stopped it"))
    }

    /// [`Run::call`], with somebody who is shown each step after it was made, and what it read
    /// (unless it was written over) and made. `None` if it was stopped: nothing has changed.
    ///
    /// # Panics
    /// As [`Run::call`].
    pub fn each(
        &mut self,
        plan: &Plan,
        inputs: &[Buffer],
        watch: &mut dyn FnMut(&Step, &Operands) -> Control,
    ) -> Result<Option<Results>> {
        self.through(plan, inputs, watch)
    }

    fn through(
        &mut self,
        plan: &Plan,
        inputs: &[Buffer],
        watch: impl FnMut(&Step, &Operands) -> Control,
    ) -> Result<Option<Results>> {
        assert_eq!(inputs.len(), plan.inputs.len(), "one buffer per input");
        if let Some(i) = (0..inputs.len()).find(|&i| !plan.holds(i, inputs[i].len())) {
            return Err(Error::compile(format_args!("input {i} is smaller than was recorded")));
        }
        let fixed = 1 + plan.constants.len();
        self.buffers.truncate(fixed);
        self.buffers.extend_from_slice(inputs);
        let done = self.steps(plan, watch);
        let outputs = self.buffers.drain(fixed + inputs.len()..).collect();
        self.buffers.truncate(fixed);
        if done? == Control::Stop {
            return Ok(None);
        }
        for &i in &plan.updates {
            inputs[i].bump_version();
        }
        Ok(Some(outputs))
    }

    /// Makes all steps, or those before the one that was stopped at.
    fn steps(
        &mut self,
        plan: &Plan,
        mut watch: impl FnMut(&Step, &Operands) -> Control,
    ) -> Result<Control> {
        for target in &plan.targets {
            self.buffers.push(memory(target.fact.bytes())?);
        }
        let (before, after) = plan.steps.split_at(plan.commit);
        for step in before {
            let operands = self.step(plan, step)?;
            if watch(step, &operands) == Control::Stop {
                return Ok(Control::Stop);
            }
        }
        let mut asked = Control::Go;
        for step in after {
            let done = self.step(plan, step);
            debug_assert!(done.is_ok(), "{} failed after the commit point", step.name);
            let operands = done?;
            if asked == Control::Go {
                asked = watch(step, &operands);
            }
        }
        Ok(Control::Go)
    }

    fn step<'a>(&'a self, plan: &'a Plan, step: &'a Step) -> Result<Operands<'a>> {
        let operands = Operands {
            buffers: &self.buffers,
            places: &plan.places,
            ins: &step.ins,
            outs: &step.outs,
            scratch: step.scratch,
        };
        match step.bound.run(&operands) {
            Ok(()) => Ok(operands),
            Err(error) => Err(located(error, step)),
        }
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
