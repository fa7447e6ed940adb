//! One application of an operation as text: `sum(%0, dim=[1], keepdim=false)`.

use super::{Attr, Op, register};
use crate::error::{Error, Result};

/// The text of `op` applied to what `inputs` call its inputs.
pub fn written(op: &Op, inputs: impl Iterator<Item = String>) -> String {
    let attrs = op.attrs().into_iter().map(|(name, attr)| format!("{name}={attr}"));
    format!("{}({})", op.name(), inputs.chain(attrs).collect::<Vec<_>>().join(", "))
}

/// The operation of a text, and what it calls its inputs.
pub fn read(text: &str) -> Result<(Op, Vec<&str>)> {
    let unfit =
        || Error::value("parse", format_args!("expected name(inputs, attributes), got {text}"));
    let inside = text.strip_suffix(')').ok_or_else(unfit)?;
    let (name, inside) = inside.split_once('(').ok_or_else(unfit)?;
    let (mut inputs, mut attrs) = (Vec::new(), Vec::new());
    for part in split(inside) {
        match part.split_once('=').filter(|(name, _)| is_name(name)) {
            Some((name, value)) => attrs.push((name.to_string(), Attr::parse(value))),
            None => inputs.push(part),
        }
    }
    Ok((register::make(name, &attrs)?, inputs))
}

fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// The parts between commas that stand in no brackets.
pub fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0usize, 0);
    for (i, c) in text.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    let last = text[start..].trim();
    if !last.is_empty() || !parts.is_empty() {
        parts.push(last);
    }
    parts
}
