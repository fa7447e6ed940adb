//! Checks of values.

use crate::buffer::Arg;
use crate::float::{Float, Stored, with_float};
use crate::{Checked, Fault};

/// Fails unless every element of `x` lies in `low..=high`. NaN does not.
///
/// # Panics
/// When `x` is not a contiguous window of floats inside its buffer.
pub fn within(low: f64, high: f64, x: Arg) -> Checked {
    with_float!(x.dtype, T => inside(low, high, x.slice::<T>()))
}

fn inside<T: Stored>(low: f64, high: f64, all: &[T]) -> Checked {
    let (low, high) = (T::Wide::from_f64(low), T::Wide::from_f64(high));
    let fits = |x: &T| low <= x.load() && x.load() <= high;
    for part in all.chunks(256) {
        if !part.iter().fold(true, |all, x| all & fits(x)) {
            let value = part.iter().find(|x| !fits(x)).map_or(f64::NAN, |x| x.load().into());
            return Err(Fault::Outside { value });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Tensor;

    #[test]
    fn the_first_element_outside_is_found() {
        let mut data = vec![0.5f32; 700];
        (data[0], data[699]) = (0.0, 1.0);
        assert_eq!(within(0.0, 1.0, Tensor::new(&data, &[700]).arg()), Ok(()));
        (data[300], data[301]) = (1.5, -1.0);
        let found = within(0.0, 1.0, Tensor::new(&data, &[700]).arg());
        assert_eq!(found, Err(Fault::Outside { value: 1.5 }));
        let found = within(0.0, 1.0, Tensor::new(&[f64::NAN], &[1]).arg());
        assert!(matches!(found, Err(Fault::Outside { value }) if value.is_nan()));
        assert_eq!(within(0.0, 1.0, Tensor::new::<f64>(&[], &[0]).arg()), Ok(()));
    }
}
