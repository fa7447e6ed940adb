//! The table of all operations, by name.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::cast::Cast;
use super::chain::Chain;
use super::create::Create;
use super::index::Index;
use super::join::Cat;
use super::loss::Loss;
use super::matmul::Matmul;
use super::norm::Standardize;
use super::optim::Optim;
use super::random::Random;
use super::reduce::Reduce;
use super::scan::Cumsum;
use super::softmax::Softmax;
use super::sparse::Sparse;
use super::view::View;
use super::within::Within;
use super::{Attr, Op, pointwise};
use crate::error::{Error, Result};

/// One operation per name, with some attributes; its `samples` show others. What the property
/// tests walk.
pub fn all() -> Vec<Op> {
    let families = [
        Cast::forms,
        Reduce::forms,
        Softmax::forms,
        Matmul::forms,
        View::forms,
        Cat::forms,
        Index::forms,
        Cumsum::forms,
        Standardize::forms,
        Loss::forms,
        Sparse::forms,
        Create::forms,
        Random::forms,
        Within::forms,
        Optim::forms,
    ];
    pointwise::all().map(Op::Pointwise).chain(families.iter().flat_map(|forms| forms())).collect()
}

static BY_NAME: LazyLock<HashMap<&'static str, Op>> =
    LazyLock::new(|| all().into_iter().chain(Chain::forms()).map(|op| (op.name(), op)).collect());

/// The operation of this name with these attributes: the inverse of [`Op::name`] and
/// [`Op::attrs`].
///
/// # Errors
/// `ValueError` for a name that no operation has, and for attributes that are missing, unknown
/// or no value of theirs.
///
/// ```
/// use weft_core::op::register;
/// let op = register::make("cumsum", &[])
///     .map_err(|error| error.message);
/// assert_eq!(op, Err("cumsum: expected an attribute dim".to_string()));
/// ```
pub fn make(name: &str, attrs: &[(String, Attr)]) -> Result<Op> {
    let Some(form) = BY_NAME.get(name) else {
        return Err(Error::value("make", format_args!("no operation is named {name}")));
    };
    form.clone().with(attrs)
}

#[cfg(test)]
mod tests {
    use weft_kernels::DType;

    use super::*;

    #[test]
    fn every_row_has_a_name_a_sentence_and_samples_that_infer() {
        for op in all() {
            assert!(op.doc().ends_with('.'), "{}", op.name());
            let samples = op.samples();
            assert!(!samples.is_empty(), "{} has no samples", op.name());
            for sample in samples {
                assert_eq!(sample.op.name(), op.name());
                let facts = sample.sample_facts(DType::F64);
                let fits = sample.op.infer(&facts);
                let unfit = matches!(&fits, Err(e) if e.kind == crate::error::ErrorKind::Type);
                assert!(fits.is_ok() || unfit, "{}: {fits:?}", op.name());
            }
        }
    }
}
