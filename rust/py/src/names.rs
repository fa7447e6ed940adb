//! Python strings that are looked up often.
//!
//! They are made with the module. Whoever makes one waits for the interpreter inside of a lock
//! of its own, and a fork at that moment would leave the lock taken in the child for ever.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

macro_rules! names {
    ($($name:ident = $text:literal),* $(,)?) => {
        $(
            #[doc = concat!("`", $text, "`")]
            pub fn $name(py: Python<'_>) -> &Bound<'_, PyString> {
                intern!(py, $text)
            }
        )*

        /// Makes all of them.
        pub fn make(py: Python<'_>) {
            $($name(py);)*
        }
    };
}

names! {
    array = "array",
    array_interface = "__array_interface__",
    attributes = "attributes",
    cell_contents = "cell_contents",
    dtype = "dtype",
    generic = "generic",
    members = "__dict__",
    numpy = "numpy",
    slow = "_slow",
    tobytes = "tobytes",
    tree = "weft._compile._tree",
    typecode = "typecode",
    watched = "__weft_watched__",
}
