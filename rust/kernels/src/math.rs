//! Elementary functions as branch-free scalar code that vectorises.
//!
//! Every function here is `#[inline(always)]` and made of selects, bit operations and
//! explicit fused multiply-adds, so that a plain loop over it becomes vector code under
//! each instruction set, with the same bits in the body, the tail and on every machine.

// Coefficients are written with the digits of their sources.
#[allow(clippy::excessive_precision)]
pub mod double;
#[allow(clippy::excessive_precision)]
pub mod single;
#[cfg(test)]
mod tests;

/// The transcendental functions of one floating-point type. Error bounds are those of
/// [`single`] and [`double`].
pub trait Real: Copy {
    /// e^x.
    fn exp(self) -> Self;
    /// e^x - 1, accurate near 0.
    fn expm1(self) -> Self;
    /// Natural logarithm.
    fn log(self) -> Self;
    /// log(1 + x), accurate near 0.
    fn log1p(self) -> Self;
    /// Sine, for arguments that [`Real::far`] does not reject.
    fn sin(self) -> Self;
    /// Cosine, for arguments that [`Real::far`] does not reject.
    fn cos(self) -> Self;
    /// Whether the argument is too large for [`Real::sin`] and [`Real::cos`].
    fn far(self) -> bool;
    /// Sine of any argument, slowly.
    fn sin_far(self) -> Self;
    /// Cosine of any argument, slowly.
    fn cos_far(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// 1 / (1 + e^-x).
    fn sigmoid(self) -> Self;
    /// Error function.
    fn erf(self) -> Self;
    /// x Φ(x), with Φ the normal distribution function.
    fn gelu(self) -> Self;
    /// The tanh approximation of [`Real::gelu`].
    fn gelu_tanh(self) -> Self;
    /// x sigmoid(x); 0 at -inf.
    fn silu(self) -> Self;
    /// log(1 + e^x) without overflow.
    fn softplus(self) -> Self;
}

macro_rules! real {
    ($t:ty, $module:ident) => {
        impl Real for $t {
            real!(@ $t, $module, exp expm1 log log1p sin cos sin_far cos_far tanh sigmoid erf
                gelu gelu_tanh silu softplus);
            #[inline(always)]
            fn far(self) -> bool {
                $module::far(self)
            }
        }
    };
    (@ $t:ty, $module:ident, $($f:ident)+) => {
        $(#[inline(always)]
        fn $f(self) -> $t {
            $module::$f(self)
        })+
    };
}
real!(f32, single);
real!(f64, double);
