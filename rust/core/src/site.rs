//! Places in the user's program (`train.py:41`), as small numbers.

use std::collections::HashMap;
use std::fmt;
use std::sync::{LazyLock, RwLock};

/// A line of the user's program; 0 is "unknown".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Site(u32);

#[derive(Default)]
struct Table {
    texts: Vec<String>,
    ids: HashMap<String, u32>,
}

static TABLE: LazyLock<RwLock<Table>> = LazyLock::new(RwLock::default);

impl Site {
    /// No known place.
    pub const UNKNOWN: Site = Site(0);

    /// The number of a place.
    pub fn intern(text: &str) -> Site {
        if let Some(&id) = TABLE.read().expect("no panic inside").ids.get(text) {
            return Site(id);
        }
        let mut table = TABLE.write().expect("no panic inside");
        if let Some(&id) = table.ids.get(text) {
            return Site(id);
        }
        table.texts.push(text.to_string());
        let id = table.texts.len() as u32;
        table.ids.insert(text.to_string(), id);
        Site(id)
    }

    /// Whether a place is known.
    pub fn is_known(self) -> bool {
        self.0 > 0
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("unknown");
        }
        f.write_str(&TABLE.read().expect("no panic inside").texts[self.0 as usize - 1])
    }
}
