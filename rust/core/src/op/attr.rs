//! Attributes: what an operation is besides its name and its inputs, as data both ways.
//!
//! A family lists its attributes once, in [`Rule::fields`](super::Rule::fields): the list is
//! what texts and files are written from and what they are read back with.

use std::fmt;
use std::ops::Deref;

use weft_kernels::loss::Reduction;
use weft_kernels::{DType, MAX_DIMS, Scalar, Shape};

use crate::error::{Error, Result};

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Attr {
    /// A whole number.
    Int(i64),
    /// A real number.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// A word, or text in brackets.
    Text(String),
}

/// Named attributes, in the order in which texts print them.
pub type Attrs = Vec<(String, Attr)>;

impl fmt::Display for Attr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attr::Int(i) => write!(f, "{i}"),
            Attr::Float(x) if x.is_nan() && x.to_bits() != f64::NAN.to_bits() => {
                write!(f, "nan:{:x}", x.to_bits())
            }
            Attr::Float(x) => write!(f, "{x:?}"),
            Attr::Bool(b) => write!(f, "{b}"),
            Attr::Ints(v) => write!(f, "{v:?}"),
            Attr::Text(s) => f.write_str(s),
        }
    }
}

impl Attr {
    /// The attribute that prints as `text`.
    pub fn parse(text: &str) -> Attr {
        let number = |text: &str| text.parse::<i64>().ok();
        if let Some(i) = number(text) {
            return Attr::Int(i);
        }
        if let Some(bits) = text.strip_prefix("nan:") {
            let bits = u64::from_str_radix(bits, 16).ok();
            return bits
                .map_or_else(|| Attr::Text(text.into()), |b| Attr::Float(f64::from_bits(b)));
        }
        if let Some(list) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let items = list.split(',').map(str::trim).filter(|item| !item.is_empty());
            let ints: Option<Vec<i64>> = items.map(number).collect();
            return ints.map_or_else(|| Attr::Text(text.into()), Attr::Ints);
        }
        match text {
            "true" => Attr::Bool(true),
            "false" => Attr::Bool(false),
            _ => text.parse().map_or_else(|_| Attr::Text(text.into()), Attr::Float),
        }
    }
}

/// A type of attribute.
pub trait Field: Sized {
    /// What the attribute may be, for errors.
    const EXPECTED: &'static str;
    /// The value as data.
    fn put(&self) -> Attr;
    /// The value that this data stands for.
    fn take(attr: &Attr) -> Option<Self>;
}

macro_rules! whole {
    ($($t:ty)*) => {
        $(impl Field for $t {
            const EXPECTED: &'static str = "a whole number";
            fn put(&self) -> Attr {
                Attr::Int(*self as i64)
            }
            fn take(attr: &Attr) -> Option<Self> {
                match attr {
                    Attr::Int(i) if *i as $t as i64 == *i => Some(*i as $t),
                    _ => None,
                }
            }
        })*
    };
}
whole!(i64 u64);

impl Field for usize {
    const EXPECTED: &'static str = "a whole number of at least 0";
    fn put(&self) -> Attr {
        Attr::Int(*self as i64)
    }
    fn take(attr: &Attr) -> Option<Self> {
        match attr {
            Attr::Int(i) => usize::try_from(*i).ok(),
            _ => None,
        }
    }
}

impl Field for bool {
    const EXPECTED: &'static str = "true or false";
    fn put(&self) -> Attr {
        Attr::Bool(*self)
    }
    fn take(attr: &Attr) -> Option<Self> {
        match attr {
            Attr::Bool(b) => Some(*b),
            _ => None,
        }
    }
}

impl Field for Scalar {
    const EXPECTED: &'static str = "a number";
    fn put(&self) -> Attr {
        match *self {
            Scalar::Bool(b) => Attr::Bool(b),
            Scalar::Int(i) => Attr::Int(i),
            Scalar::Float(x) => Attr::Float(x),
            Scalar::Uint(u) => Attr::Text(format!("u{u}")),
            Scalar::Complex(re, im) => {
                Attr::Text(format!("{}+{}j", Attr::Float(re), Attr::Float(im)))
            }
        }
    }
    fn take(attr: &Attr) -> Option<Self> {
        match attr {
            Attr::Bool(b) => Some(Scalar::Bool(*b)),
            Attr::Int(i) => Some(Scalar::Int(*i)),
            Attr::Float(x) => Some(Scalar::Float(*x)),
            Attr::Text(text) => scalar_text(text),
            Attr::Ints(_) => None,
        }
    }
}

/// The numbers that are no other attributes: `u18446744073709551615`, `0.5+-1.0j`.
fn scalar_text(text: &str) -> Option<Scalar> {
    if let Some(digits) = text.strip_prefix('u') {
        return digits.parse().ok().map(Scalar::unsigned);
    }
    let part = |text: &str| match Attr::parse(text) {
        Attr::Float(x) => Some(x),
        _ => None,
    };
    // An exponent of a float is written without a plus.
    let (re, im) = text.strip_suffix('j')?.split_once('+')?;
    Some(Scalar::Complex(part(re)?, part(im)?))
}

impl Field for DType {
    const EXPECTED: &'static str = "the short name of a dtype";
    fn put(&self) -> Attr {
        Attr::Text(self.short().to_string())
    }
    fn take(attr: &Attr) -> Option<Self> {
        match attr {
            Attr::Text(name) => DType::ALL.into_iter().find(|d| d.short() == name),
            _ => None,
        }
    }
}

impl Field for Shape {
    const EXPECTED: &'static str = "a list of at most 8 whole numbers of at least 0";
    fn put(&self) -> Attr {
        Attr::Ints(self.iter().map(|&s| s as i64).collect())
    }
    fn take(attr: &Attr) -> Option<Self> {
        Shape::try_new(&Vec::take(attr)?)
    }
}

impl Field for Vec<usize> {
    const EXPECTED: &'static str = "a list of whole numbers of at least 0";
    fn put(&self) -> Attr {
        Attr::Ints(self.iter().map(|&i| i as i64).collect())
    }
    fn take(attr: &Attr) -> Option<Self> {
        let Attr::Ints(ints) = attr else { return None };
        ints.iter().map(|&i| usize::try_from(i).ok()).collect()
    }
}

/// A word among several.
pub trait Word: Copy + PartialEq + 'static {
    /// Every value and its word.
    const WORDS: &'static [(&'static str, Self)];
}

impl Word for Reduction {
    const WORDS: &'static [(&'static str, Self)] =
        &[("none", Reduction::None), ("mean", Reduction::Mean), ("sum", Reduction::Sum)];
}

impl<T: Word> Field for T {
    const EXPECTED: &'static str = "one of its words";
    fn put(&self) -> Attr {
        let word = Self::WORDS.iter().find(|(_, value)| value == self);
        Attr::Text(word.map_or("?", |(word, _)| word).to_string())
    }
    fn take(attr: &Attr) -> Option<Self> {
        let Attr::Text(text) = attr else { return None };
        Self::WORDS.iter().find(|(word, _)| word == text).map(|(_, value)| *value)
    }
}

/// An extent: a size, count, length or place that follows from sizes. A type of its own, so
/// that it is known of every attribute whether it changes with the sizes of inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Size(usize);

impl Size {
    /// The number.
    #[inline]
    pub const fn get(self) -> usize {
        self.0
    }
}

impl From<usize> for Size {
    #[inline]
    fn from(size: usize) -> Size {
        Size(size)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Field for Size {
    const EXPECTED: &'static str = usize::EXPECTED;
    fn put(&self) -> Attr {
        self.0.put()
    }
    fn take(attr: &Attr) -> Option<Self> {
        usize::take(attr).map(Size)
    }
}

/// Extents of all dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sizes(Shape);

impl From<Shape> for Sizes {
    #[inline]
    fn from(shape: Shape) -> Sizes {
        Sizes(shape)
    }
}

impl Deref for Sizes {
    type Target = Shape;

    #[inline]
    fn deref(&self) -> &Shape {
        &self.0
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Field for Sizes {
    const EXPECTED: &'static str = Shape::EXPECTED;
    fn put(&self) -> Attr {
        self.0.put()
    }
    fn take(attr: &Attr) -> Option<Self> {
        Shape::take(attr).map(Sizes)
    }
}

/// What walks over the attributes of an operation, to tell them or to set them.
pub struct Fields<'a>(Walk<'a>);

enum Walk<'a> {
    Tell(Attrs),
    Set { given: &'a [(String, Attr)], used: usize, error: Option<String> },
}

impl<'a> Fields<'a> {
    pub(super) fn tell() -> Fields<'static> {
        Fields(Walk::Tell(Attrs::new()))
    }

    pub(super) fn set(given: &'a [(String, Attr)]) -> Fields<'a> {
        Fields(Walk::Set { given, used: 0, error: None })
    }

    /// Whether attributes are set, and not told.
    pub(super) fn sets(&self) -> bool {
        matches!(self.0, Walk::Set { .. })
    }

    /// What was told.
    pub(super) fn told(self) -> Attrs {
        match self.0 {
            Walk::Tell(attrs) => attrs,
            Walk::Set { .. } => Attrs::new(),
        }
    }

    /// Whether all that was given has been set.
    pub(super) fn finish(self, op: &str) -> Result<()> {
        let Walk::Set { given, used, error } = self.0 else { return Ok(()) };
        if let Some(error) = error {
            return Err(Error::value(op, error));
        }
        if used < given.len() {
            let names: Vec<&str> = given.iter().map(|(name, _)| name.as_str()).collect();
            let what = format_args!("expected {used} attributes, got {}", names.join(", "));
            return Err(Error::value(op, what));
        }
        Ok(())
    }

    /// An attribute.
    pub fn field<T: Field>(&mut self, name: &'static str, value: &mut T) {
        match &mut self.0 {
            Walk::Tell(attrs) => attrs.push((name.to_string(), value.put())),
            Walk::Set { .. } => {
                if !self.find(name, value) {
                    self.fail(format!("expected an attribute {name}"));
                }
            }
        }
    }

    /// A truth value that is told only where it holds.
    pub fn flag(&mut self, name: &'static str, value: &mut bool) {
        match &mut self.0 {
            Walk::Tell(attrs) => {
                if *value {
                    attrs.push((name.to_string(), Attr::Bool(true)));
                }
            }
            Walk::Set { .. } => *value = self.find(name, value) && *value,
        }
    }

    /// Dimensions in a bit mask, told as a list.
    pub fn dims(&mut self, name: &'static str, mask: &mut u32) {
        let mut list: Shape = (0..MAX_DIMS).filter(|d| *mask >> d & 1 == 1).collect();
        self.field(name, &mut list);
        if list.iter().all(|&d| d < MAX_DIMS) {
            *mask = list.iter().fold(0, |mask, d| mask | 1 << d);
        } else {
            self.fail(format!("{name}: expected dimensions below {MAX_DIMS}"));
        }
    }

    fn find<T: Field>(&mut self, name: &str, value: &mut T) -> bool {
        let Walk::Set { given, used, .. } = &mut self.0 else { return false };
        let Some((_, attr)) = given.iter().find(|(known, _)| known == name) else { return false };
        *used += 1;
        match T::take(attr) {
            Some(taken) => *value = taken,
            None => self.fail(format!("{name}: expected {}, got {attr}", T::EXPECTED)),
        }
        true
    }

    /// Notes that what was set does not fit together.
    pub(super) fn fail(&mut self, what: String) {
        if let Walk::Set { error, .. } = &mut self.0 {
            error.get_or_insert(what);
        }
    }
}
