//! Forward mode: tangents of results from tangents of inputs.
//!
//! A family says in its [`Nature`](super::Nature) which of a few forms its rule has; the
//! forms are written here, once.

use std::collections::{HashMap, HashSet};

use smallvec::{SmallVec, smallvec};

use super::{Emit, Forward, Io, Op, Val, Vals};
use crate::error::Result;
use crate::fact::Fact;
use crate::op::rule::no_gradient;

/// Tangents of the results; `None` where they are zero or the result is not differentiable.
pub type Tangents = SmallVec<[Option<Val>; 1]>;

/// One application of an operation, and the tangents of its inputs (`None`: zero).
pub struct Applied<'a> {
    /// The operation.
    pub op: &'a Op,
    /// Its inputs.
    pub inputs: &'a [Val],
    /// Its results.
    pub outputs: &'a [Val],
    /// Tangents of its inputs, each with the fact of its input.
    pub tangents: &'a [Option<Val>],
}

/// The tangents of the results.
pub fn jvp(e: &mut dyn Emit, applied: &Applied) -> Result<Tangents> {
    let Applied { op, outputs, tangents, .. } = *applied;
    let floats: Vec<bool> = outputs.iter().map(|y| e.fact(*y).dtype.is_differentiable()).collect();
    let none = smallvec![None; outputs.len()];
    if !floats.contains(&true) {
        return Ok(none);
    }
    let mut moving: SmallVec<[usize; 2]> = SmallVec::new();
    for i in (0..tangents.len()).filter(|&i| tangents[i].is_some()) {
        if op.differentiable(i).map_err(|why| no_gradient(op.name(), why))? {
            moving.push(i);
        }
    }
    if moving.is_empty() {
        return Ok(none);
    }
    let made = match op.nature().forward {
        Forward::Linear => linear(e, applied)?,
        Forward::Multilinear => multilinear(e, applied, &moving)?,
        Forward::Diagonal => diagonal(e, applied, &moving)?,
        Forward::Transposed => transposed(e, applied, &moving)?,
        Forward::None(why) => return Err(no_gradient(op.name(), why)),
    };
    Ok(made.into_iter().zip(floats).map(|(t, float)| t.filter(|_| float)).collect())
}

fn all(results: Vals) -> Tangents {
    results.into_iter().map(Some).collect()
}

fn linear(e: &mut dyn Emit, applied: &Applied) -> Result<Tangents> {
    let Applied { op, inputs, tangents, .. } = *applied;
    let mut args: SmallVec<[Val; 4]> = SmallVec::new();
    for (i, (&x, &t)) in inputs.iter().zip(tangents).enumerate() {
        args.push(match t {
            _ if op.differentiable(i) != Ok(true) => x,
            Some(t) => t,
            None => e.zeros(e.fact(x))?,
        });
    }
    Ok(all(e.emit(op.clone(), &args)?))
}

fn multilinear(e: &mut dyn Emit, applied: &Applied, moving: &[usize]) -> Result<Tangents> {
    let mut sum: Option<Vals> = None;
    for &i in moving {
        let mut args: SmallVec<[Val; 8]> = applied.inputs.into();
        args[i] = applied.tangents[i].expect("a tangent that moves");
        let term = e.emit(applied.op.clone(), &args)?;
        sum = Some(match sum {
            None => term,
            Some(sum) => {
                sum.iter().zip(&term).map(|(&a, &b)| e.add(a, b)).collect::<Result<_>>()?
            }
        });
    }
    Ok(sum.map_or_else(Tangents::new, all))
}

/// Facts, and everything as saved, as gradient rules want to see them.
struct Seen {
    inputs: Vec<Option<Val>>,
    outputs: Vec<Option<Val>>,
    input_facts: Vec<Fact>,
    output_facts: Vec<Fact>,
    needs: Vec<bool>,
}

impl Seen {
    fn new(e: &dyn Emit, inputs: &[Val], outputs: &[Val], needs: Vec<bool>) -> Seen {
        let facts = |vals: &[Val]| vals.iter().map(|v| e.fact(*v)).collect();
        Seen {
            inputs: inputs.iter().copied().map(Some).collect(),
            outputs: outputs.iter().copied().map(Some).collect(),
            input_facts: facts(inputs),
            output_facts: facts(outputs),
            needs,
        }
    }

    fn io(&self) -> Io<'_> {
        Io {
            of: 0,
            inputs: &self.inputs,
            outputs: &self.outputs,
            input_facts: &self.input_facts,
            output_facts: &self.output_facts,
            needs: &self.needs,
        }
    }
}

fn needs(n: usize, moving: &[usize]) -> Vec<bool> {
    (0..n).map(|i| moving.contains(&i)).collect()
}

/// The Jacobian is its own transpose: each tangent, broadcast, goes through the gradient rule,
/// whose sum over broadcast dimensions is left out.
fn diagonal(e: &mut dyn Emit, applied: &Applied, moving: &[usize]) -> Result<Tangents> {
    let Applied { op, inputs, outputs, tangents } = *applied;
    let shape = e.fact(outputs[0]).shape;
    let mut sum = None;
    for &i in moving {
        let mut seen = Seen::new(e, inputs, outputs, needs(inputs.len(), &[i]));
        seen.input_facts.iter_mut().for_each(|fact| fact.shape = shape);
        let t = e.expand(tangents[i].expect("a tangent that moves"), shape)?;
        // Gradient rules conjugate the slope, which a tangent is multiplied by as it is.
        let t = e.conj(t)?;
        let term = match op.vjp(e, &seen.io(), &[Some(t)])?[i] {
            Some(term) => Some(e.conj(term)?),
            None => None,
        };
        sum = match (sum, term) {
            (Some(sum), Some(term)) => Some(e.add(sum, term)?),
            (sum, term) => sum.or(term),
        };
    }
    Ok(smallvec![sum])
}

/// The gradient rule is linear in the gradient `u` of the results, whatever `u` is; its
/// transpose, found by walking back over its own operations, maps tangents of inputs to
/// tangents of results.
fn transposed(e: &mut dyn Emit, applied: &Applied, moving: &[usize]) -> Result<Tangents> {
    let Applied { op, inputs, outputs, tangents } = *applied;
    let mut units: SmallVec<[Option<Val>; 1]> = SmallVec::new();
    for y in outputs {
        let fact = e.fact(*y);
        units.push(if fact.dtype.is_differentiable() { Some(e.zeros(fact)?) } else { None });
    }
    let seen = Seen::new(e, inputs, outputs, needs(inputs.len(), moving));
    let mut trace =
        Trace { e, reached: units.iter().copied().flatten().collect(), applied: Vec::new() };
    let grads = op.vjp(&mut trace, &seen.io(), &units)?;
    let Trace { e, reached, applied } = trace;
    let mut back = Back { e, grads: HashMap::new() };
    for &i in moving {
        if let (Some(grad), Some(tangent)) = (grads[i], tangents[i]) {
            back.add(grad, tangent)?;
        }
    }
    for (op, inputs, outputs) in applied.iter().rev() {
        back.step(op, inputs, outputs, &reached)?;
    }
    Ok(units.into_iter().map(|u| u.and_then(|u| back.grads.get(&u).copied())).collect())
}

/// Passes operations on, and keeps those that a few values reach.
struct Trace<'a> {
    e: &'a mut dyn Emit,
    reached: HashSet<Val>,
    applied: Vec<(Op, SmallVec<[Val; 4]>, Vals)>,
}

impl Emit for Trace<'_> {
    fn emit(&mut self, op: Op, inputs: &[Val]) -> Result<Vals> {
        let outputs = self.e.emit(op.clone(), inputs)?;
        if inputs.iter().any(|x| self.reached.contains(x)) {
            self.reached.extend(outputs.iter().copied());
            self.applied.push((op, inputs.into(), outputs.clone()));
        }
        Ok(outputs)
    }

    fn fact(&self, value: Val) -> Fact {
        self.e.fact(value)
    }
}

struct Back<'a> {
    e: &'a mut dyn Emit,
    grads: HashMap<Val, Val>,
}

impl Back<'_> {
    fn add(&mut self, value: Val, grad: Val) -> Result<()> {
        let sum = match self.grads.get(&value) {
            Some(&sum) => self.e.add(sum, grad)?,
            None => grad,
        };
        self.grads.insert(value, sum);
        Ok(())
    }

    fn step(
        &mut self,
        op: &Op,
        inputs: &[Val],
        made: &[Val],
        reached: &HashSet<Val>,
    ) -> Result<()> {
        let grads: SmallVec<[Option<Val>; 2]> =
            made.iter().map(|y| self.grads.get(y).copied()).collect();
        if grads.iter().all(Option::is_none) {
            return Ok(());
        }
        let needs = inputs.iter().map(|x| reached.contains(x)).collect();
        let seen = Seen::new(self.e, inputs, made, needs);
        let back = op.vjp(self.e, &seen.io(), &grads)?;
        for (&x, grad) in inputs.iter().zip(back) {
            if let Some(grad) = grad {
                self.add(x, grad)?;
            }
        }
        Ok(())
    }
}
