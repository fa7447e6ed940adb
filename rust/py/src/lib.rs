//! Floor 6: the door. Python calls come in, core calls go out; no arithmetic here.

mod apply;
mod call;
mod convert;
mod create;
mod data;
mod dispatch;
mod dtype;
mod foreign;
mod fork;
mod graph;
mod guards;
mod index;
mod info;
mod line;
mod names;
mod ops;
mod optim;
mod raise;
mod result;
mod signature;
mod snapshot;
mod table;
mod tape;
mod tensor;
mod view;

/// The native module of weft.
#[pyo3::pymodule]
mod _core {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::apply::apply;
    #[pymodule_export]
    use crate::call::Pointwise;
    #[pymodule_export]
    use crate::create::{arange, full, linspace};
    #[pymodule_export]
    use crate::dispatch::{Dispatch, Entry};
    #[pymodule_export]
    use crate::dtype::{PyDType, can_cast, dtype_of, dtypes, promote_types, result_type};
    #[pymodule_export]
    use crate::foreign::{array_arrangement, from_buffer, share_buffer};
    #[pymodule_export]
    use crate::graph::{
        PyExecutable, PyRecording, adopt, parse_graph, reached, record_abort, record_finish,
        record_start, set_paused, store, verify_plans,
    };
    #[pymodule_export]
    use crate::guards::Guards;
    #[pymodule_export]
    use crate::info::{_fail_allocation, build_info, get_num_threads, set_num_threads};
    #[pymodule_export]
    use crate::ops::{
        as_strided, cast, cat, class_loss, clone, csr_transpose, cumsum, draw, draw_into, expand,
        index, initial_seed, linear, manual_seed, matmul, multinomial, narrow, nonzero_flat,
        overlaps_itself, permute, random_state, reduce, reshape, set_random_state, softmax, spmm,
        standardize, transpose, within,
    };
    #[pymodule_export]
    use crate::optim::{adam_, drop_grads, sgd_};
    #[pymodule_export]
    use crate::raise::CompileError;
    #[pymodule_export]
    use crate::snapshot::PySnapshot;
    #[pymodule_export]
    use crate::table::{PyOpInfo, op_table};
    #[pymodule_export]
    use crate::tape::{
        PyNode, backward, copy_memory, forbid_read, forbid_writes, is_recording, live_nodes,
        memory_id, placed_as, set_unseen,
    };
    #[pymodule_export]
    use crate::tensor::{PyTensor, is_grad_enabled, set_grad_enabled};

    #[pymodule_export]
    use crate::view::{several, view};

    #[pymodule_init]
    fn init(m: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::names::make(m.py());
        m.add("__version__", env!("CARGO_PKG_VERSION"))?;
        crate::fork::register(m.py())
    }
}
