//! One recording on one thread, from its start to its end.

use std::any::Any;

use super::recorder::Recorder;
use super::recording::Recording;
use crate::error::{Error, Result};
use crate::listen::{self, Listener};
use crate::mode;
use crate::op::Op;
use crate::site::Site;
use crate::tensor::Tensor;

/// Finds the line of the user's program that runs now.
pub type Lines = fn() -> Site;

/// All that a recording is while it runs.
struct Session {
    recorder: Recorder,
    lines: Lines,
    /// The line of the forward operation whose gradient is being computed.
    fixed: Option<Site>,
}

/// Starts recording on this thread; `args` are the function's tensor arguments.
pub fn start(args: &[Tensor], lines: Lines) -> Result<()> {
    if mode::listening() {
        return Err(Error::compile("a compiled function is being recorded already on this thread"));
    }
    listen::begin(Box::new(Session { recorder: Recorder::new(args)?, lines, fixed: None }));
    Ok(())
}

/// Ends the recording; `returned` are the tensors that the function returns, `doors` those
/// that it reached in another way than as an argument.
pub fn finish(returned: &[Tensor], doors: &[Tensor]) -> Result<Recording> {
    let number = mode::generation();
    let mut session = end().ok_or_else(|| Error::compile("nothing is being recorded"))?;
    session.find_line();
    session.recorder.number = number;
    session.recorder.finish(returned, doors)
}

/// Gives the recording up.
pub fn abort() {
    end();
}

fn end() -> Option<Box<Session>> {
    let listener: Box<dyn Any> = listen::end()?;
    listener.downcast().ok()
}

impl Session {
    /// The recorder, told of the line that runs now.
    fn find_line(&mut self) -> &mut Recorder {
        self.recorder.site = self.line();
        &mut self.recorder
    }
}

impl Listener for Session {
    fn called(&mut self, op: &Op, inputs: &[&Tensor], outputs: &[Tensor]) -> Result<()> {
        self.find_line().called(op, inputs, outputs)
    }

    fn before_write(&mut self, inputs: &[&Tensor], targets: &[Tensor]) -> Result<()> {
        self.find_line().before_write(inputs, targets)
    }

    fn wrote(&mut self, op: &Op, inputs: &[&Tensor], targets: &[Tensor]) -> Result<()> {
        self.find_line().wrote(op, inputs, targets)
    }

    fn rebased(&mut self, owner: &Tensor) {
        self.recorder.rebased(owner);
    }

    fn grad_read(&mut self, leaf: &Tensor, grad: Option<&Tensor>) {
        self.recorder.grad_read(leaf, grad);
    }

    fn grad_set(&mut self, leaf: &Tensor) {
        self.recorder.grad_set(leaf);
    }

    fn flag_read(&mut self, tensor: &Tensor) {
        self.recorder.flag_read(tensor);
    }

    fn flag_switched(&mut self, tensor: &Tensor) {
        self.recorder.flag_switched(tensor);
    }

    fn value_read(&mut self, how: &str) -> Result<()> {
        Err(Error::compile(format_args!(
            "{how} reads a value inside a compiled function, which the graph cannot follow (at {}). \
             Return the tensor and read it outside, or choose with weft.where",
            self.line()
        )))
    }

    fn beside(&mut self, what: &str) -> Result<()> {
        Err(Error::compile(format_args!("{what} (at {})", self.line())))
    }

    fn older(&mut self, tensor: &Tensor) {
        self.recorder.older(tensor);
    }

    fn reached(&mut self, low: usize, high: usize) -> (bool, bool) {
        self.recorder.reached(low, high)
    }

    fn stands_for_view(&mut self, copy: &Tensor) {
        self.recorder.stands_for_view(copy);
    }

    fn line(&mut self) -> Site {
        self.fixed.unwrap_or_else(self.lines)
    }

    fn fix_line(&mut self, line: Option<Site>) -> Option<Site> {
        std::mem::replace(&mut self.fixed, line)
    }
}
