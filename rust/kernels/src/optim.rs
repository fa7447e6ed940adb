//! One step of an optimiser, in one pass over a parameter.

use crate::buffer::Arg;
use crate::cpu::{Work, dispatch};
use crate::float::{Float, Stored, with_float};
use crate::threads;

/// Elements that are read before any of them is written.
const CHUNK: usize = 16;

/// Stochastic gradient descent, as torch's `SGD` (Sutskever et al., 2013, for Nesterov).
///
/// `hyper` (f64) is `[lr, momentum, dampening, weight_decay, nesterov, maximize]`, `step`
/// (one f32) the number of steps already taken: at 0 the momentum buffer begins as the
/// gradient. All else is contiguous, of one float dtype and one number of elements;
/// outputs may be the very inputs they replace. Without a buffer the momentum counts as 0.
///
/// # Panics
/// When an argument is not such a window inside its buffer.
pub fn sgd(
    hyper: Arg,
    param: Arg,
    grad: Arg,
    buf: Option<Arg>,
    step: Arg,
    param_out: Arg,
    buf_out: Option<Arg>,
    step_out: Arg,
) {
    let &[lr, momentum, dampening, decay, nesterov, maximize] = hyper.slice::<f64>() else {
        panic!("six hyperparameters");
    };
    let taken = next_step(step, step_out);
    with_float!(param.dtype, T => {
        let slope = Slope::new(lr, decay, maximize);
        match (buf, buf_out) {
            (Some(buf), Some(buf_out)) if momentum != 0.0 => {
                let rule = Momentum {
                    slope,
                    mu: Float::from_f64(momentum),
                    fresh: Float::from_f64(1.0 - dampening),
                    first: taken == 0.0,
                    nesterov: nesterov != 0.0,
                };
                each::<T, 3, 2>([param, grad, buf], [param_out, buf_out], rule);
            }
            (buf, buf_out) => {
                each::<T, 2, 1>([param, grad], [param_out], slope);
                if let (Some(buf), Some(buf_out)) = (buf, buf_out) {
                    each::<T, 1, 1>([buf], [buf_out], Keep);
                }
            }
        }
    });
}

/// Adam (Kingma & Ba, 2015), AdamW (Loshchilov & Hutter, 2019) and AMSGrad (Reddi et
/// al., 2018), as torch's `Adam` and `AdamW`.
///
/// `hyper` (f64) is `[lr, beta1, beta2, eps, weight_decay, decoupled, maximize]`, `step`
/// (one f32) the number of steps already taken. All else is contiguous, of one float
/// dtype and one number of elements; outputs may be the very inputs they replace. With
/// `vmax` it is AMSGrad. Bias corrections are computed in f64.
pub fn adam(
    hyper: Arg,
    param: Arg,
    grad: Arg,
    m: Arg,
    v: Arg,
    vmax: Option<Arg>,
    step: Arg,
    param_out: Arg,
    m_out: Arg,
    v_out: Arg,
    vmax_out: Option<Arg>,
    step_out: Arg,
) {
    let hyper = hyper.slice::<f64>();
    let count = f64::from(next_step(step, step_out)) + 1.0;
    with_float!(param.dtype, T => {
        let step = AdamStep::new(hyper, count);
        match (vmax, vmax_out) {
            (Some(vmax), Some(vmax_out)) => {
                let outputs = [param_out, m_out, v_out, vmax_out];
                each::<T, 5, 4>([param, grad, m, v, vmax], outputs, step);
            }
            _ => each::<T, 4, 3>([param, grad, m, v], [param_out, m_out, v_out], step),
        }
    });
}

/// Reads the number of steps taken and writes one more.
fn next_step(step: Arg, step_out: Arg) -> f32 {
    let taken = step.slice::<f32>()[0];
    step_out.slice_mut::<f32>()[0] = taken + 1.0;
    taken
}

/// What becomes of the corresponding elements of `I` arrays. A trait and not a closure,
/// because closures need not be inlined into the code compiled for wide registers.
trait Advance<T, const I: usize, const O: usize>: Copy + Sync {
    fn apply(self, inputs: [T; I]) -> [T; O];
}

/// Nothing.
#[derive(Clone, Copy)]
struct Keep;

impl<T> Advance<T, 1, 1> for Keep {
    #[inline(always)]
    fn apply(self, inputs: [T; 1]) -> [T; 1] {
        inputs
    }
}

/// The constants of plain gradient descent.
#[derive(Clone, Copy)]
struct Slope<T> {
    size: T,
    decay: T,
    sign: T,
}

impl<T: Float> Slope<T> {
    fn new(lr: f64, decay: f64, maximize: f64) -> Slope<T> {
        let sign = if maximize != 0.0 { -1.0 } else { 1.0 };
        Slope { size: T::from_f64(-lr), decay: T::from_f64(decay), sign: T::from_f64(sign) }
    }

    #[inline(always)]
    fn of(&self, p: T, g: T) -> T {
        let g = g * self.sign;
        if self.decay == T::ZERO { g } else { g + p * self.decay }
    }
}

impl<T: Float> Advance<T, 2, 1> for Slope<T> {
    #[inline(always)]
    fn apply(self, [p, g]: [T; 2]) -> [T; 1] {
        [p + self.of(p, g) * self.size]
    }
}

/// The constants of gradient descent with momentum.
#[derive(Clone, Copy)]
struct Momentum<T> {
    slope: Slope<T>,
    mu: T,
    fresh: T,
    first: bool,
    nesterov: bool,
}

impl<T: Float> Advance<T, 3, 2> for Momentum<T> {
    #[inline(always)]
    fn apply(self, [p, g, b]: [T; 3]) -> [T; 2] {
        let g = self.slope.of(p, g);
        let b = if self.first { g } else { b * self.mu + g * self.fresh };
        let g = if self.nesterov { g + b * self.mu } else { b };
        [p + g * self.slope.size, b]
    }
}

/// The constants of one step of Adam.
#[derive(Clone, Copy)]
struct AdamStep<T> {
    sign: T,
    shrink: T,
    decay: T,
    weight: T,
    beta2: T,
    fresh: T,
    root: T,
    eps: T,
    size: T,
}

impl<T: Float> AdamStep<T> {
    fn new(hyper: &[f64], count: f64) -> AdamStep<T> {
        let &[lr, beta1, beta2, eps, decay, decoupled, maximize] = hyper else {
            panic!("seven hyperparameters");
        };
        let f = T::from_f64;
        let decoupled = decoupled != 0.0;
        AdamStep {
            sign: f(if maximize != 0.0 { -1.0 } else { 1.0 }),
            shrink: f(if decoupled { 1.0 - lr * decay } else { 1.0 }),
            decay: f(if decoupled { 0.0 } else { decay }),
            weight: f(1.0 - beta1),
            beta2: f(beta2),
            fresh: f(1.0 - beta2),
            root: f((1.0 - beta2.powf(count)).sqrt()),
            eps: f(eps),
            size: f(-lr / (1.0 - beta1.powf(count))),
        }
    }

    /// The decayed parameter and both new moments.
    #[inline(always)]
    fn moments(&self, p: T, g: T, m: T, v: T) -> (T, T, T) {
        let p = p * self.shrink;
        let g = g * self.sign;
        let g = if self.decay == T::ZERO { g } else { g + p * self.decay };
        // torch's lerp, which switches form at one half to meet both ends exactly.
        let m = if self.weight < T::from_f64(0.5) {
            m + self.weight * (g - m)
        } else {
            g - (g - m) * (T::ONE - self.weight)
        };
        (p, m, v * self.beta2 + self.fresh * g * g)
    }

    #[inline(always)]
    fn advance(&self, p: T, m: T, v: T) -> T {
        p + self.size * m / (v.sqrt() / self.root + self.eps)
    }
}

impl<T: Float> Advance<T, 4, 3> for AdamStep<T> {
    #[inline(always)]
    fn apply(self, [p, g, m, v]: [T; 4]) -> [T; 3] {
        let (p, m, v) = self.moments(p, g, m, v);
        [self.advance(p, m, v), m, v]
    }
}

impl<T: Float> Advance<T, 5, 4> for AdamStep<T> {
    #[inline(always)]
    #[allow(clippy::eq_op)]
    fn apply(self, [p, g, m, v, top]: [T; 5]) -> [T; 4] {
        let (p, m, v) = self.moments(p, g, m, v);
        // NaN wins, as in torch's maximum.
        let top = if v > top || v != v { v } else { top };
        [self.advance(p, m, top), m, v, top]
    }
}

/// Applies `step` to the corresponding elements of contiguous arrays.
///
/// An output may be one of the inputs (not overlap it partly): elements are read in
/// chunks before the outputs of the chunk are written.
fn each<T: Stored, const I: usize, const O: usize>(
    inputs: [Arg; I],
    outputs: [Arg; O],
    step: impl Advance<T::Wide, I, O>,
) {
    let len = inputs[0].numel();
    let whole = |arg: &Arg| {
        assert!(T::is(arg.dtype) && arg.numel() == len, "one dtype and number of elements");
        assert!(arg.layout.is_contiguous(), "contiguous windows");
        arg.ptr() as *mut T
    };
    let from = Pointers(inputs.each_ref().map(whole));
    let to = Pointers(outputs.each_ref().map(whole));
    threads::for_ranges(len, CHUNK, 4 * (I + O), |range| {
        let (from, to) = (from.at(range.start), to.at(range.start));
        dispatch(Each { from, to, len: range.len(), step });
    });
}

#[derive(Clone, Copy)]
struct Pointers<T, const N: usize>([*mut T; N]);
// SAFETY: threads use them for disjoint ranges.
unsafe impl<T: Send, const N: usize> Sync for Pointers<T, N> {}

impl<T, const N: usize> Pointers<T, N> {
    fn at(&self, start: usize) -> [*mut T; N] {
        self.0.map(|p| p.wrapping_add(start))
    }
}

struct Each<T, F, const I: usize, const O: usize> {
    from: [*mut T; I],
    to: [*mut T; O],
    len: usize,
    step: F,
}

impl<T: Stored, F: Advance<T::Wide, I, O>, const I: usize, const O: usize> Work
    for Each<T, F, I, O>
{
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let zero = T::store(T::Wide::ZERO);
        let whole = self.len / CHUNK * CHUNK;
        for at in (0..whole).step_by(CHUNK) {
            // SAFETY: `at + CHUNK <= len`, and `each` checked that all arrays hold `len`.
            let x = self.from.map(|p| unsafe { *p.add(at).cast::<[T; CHUNK]>() });
            let mut y = [[zero; CHUNK]; O];
            for l in 0..CHUNK {
                let out = self.step.apply(lane(&x, l));
                for (y, x) in y.iter_mut().zip(out) {
                    y[l] = T::store(x);
                }
            }
            for (y, &to) in y.iter().zip(&self.to) {
                // SAFETY: as above.
                unsafe { *to.add(at).cast::<[T; CHUNK]>() = *y };
            }
        }
        for at in whole..self.len {
            // SAFETY: `at < len`, and `each` checked that all arrays hold `len`.
            let out = self.step.apply(self.from.map(|p| unsafe { (*p.add(at)).load() }));
            for (x, &to) in out.into_iter().zip(&self.to) {
                // SAFETY: as above.
                unsafe { *to.add(at) = T::store(x) };
            }
        }
    }
}

/// Element `l` of each chunk.
#[inline(always)]
fn lane<T: Stored, const I: usize>(x: &[[T; CHUNK]; I], l: usize) -> [T::Wide; I] {
    let mut out = [T::Wide::ZERO; I];
    for (out, x) in out.iter_mut().zip(x) {
        *out = x[l].load();
    }
    out
}

#[cfg(test)]
mod tests;
