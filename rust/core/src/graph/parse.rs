//! Reading the text form of a graph back.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use smallvec::SmallVec;
use weft_kernels::{DType, Shape};

use super::{Constant, Graph, Names, NodeKind, Output, Role, ValueId};
use crate::error::{Error, Result};
use crate::fact::{Fact, Facts};
use crate::op::attr::{Attr, Field};
use crate::op::text;
use crate::site::Site;

/// The graph of which [`Graph::to_text`] made this text. Shapes and dtypes that it states are
/// compared with what follows from the operations.
///
/// # Errors
/// `ValueError`, with the number of the line, for text that is no graph; the operation's own
/// error where its inputs do not fit it.
pub fn parse(text: &str) -> Result<Graph> {
    let mut parser = Parser::default();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        parser.line(line).map_err(|error| error.at(format_args!("line {}", at + 1)))?;
    }
    parser.finish()
}

#[derive(Default)]
struct Parser {
    graph: Graph,
    /// Inputs by number, in whatever order they come.
    inputs: BTreeMap<u32, (ValueId, Option<String>)>,
    outputs: Vec<Option<String>>,
    /// Lengths that the data of constants must have, until it comes.
    waiting: HashMap<ValueId, usize>,
}

fn unfit(expected: &str, got: &str) -> Error {
    Error::value("parse", format_args!("expected {expected}, got {got}"))
}

/// The text before and after `mark`, trimmed.
fn cut<'a>(text: &'a str, mark: &str, expected: &str) -> Result<(&'a str, &'a str)> {
    let (before, after) = text.split_once(mark).ok_or_else(|| unfit(expected, text))?;
    Ok((before.trim(), after.trim()))
}

/// A text and the name in quotes behind it.
fn name_behind(text: &str) -> Result<(&str, Option<String>)> {
    let Some((before, quoted)) = text.split_once('"') else { return Ok((text.trim(), None)) };
    let inside = quoted.strip_suffix('"').ok_or_else(|| unfit("a name in quotes", text))?;
    let mut name = String::new();
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        name.push(match c {
            '\\' => match chars.next().ok_or_else(|| unfit("a character after \\", text))? {
                'n' => '\n',
                c => c,
            },
            '"' => return Err(unfit("one name in quotes", text)),
            c => c,
        });
    }
    Ok((before.trim(), Some(name)))
}

fn fact(text: &str) -> Result<Fact> {
    let unfit = || unfit("a dtype and a shape", text);
    let at = text.find('[').ok_or_else(unfit)?;
    let (dtype, shape) = text.split_at(at);
    let dtype = DType::take(&Attr::Text(dtype.to_string())).ok_or_else(unfit)?;
    let shape = Shape::take(&Attr::parse(shape)).ok_or_else(unfit)?;
    Ok(Fact::new(dtype, shape))
}

/// The names, after which nothing has a name.
fn leading(names: Vec<Option<String>>) -> Result<Vec<String>> {
    let count = names.iter().take_while(|name| name.is_some()).count();
    match names[count..].iter().flatten().next() {
        Some(name) => Err(unfit("names for all before", name)),
        None => Ok(names.into_iter().flatten().collect()),
    }
}

impl Parser {
    fn value(&self, text: &str) -> Result<ValueId> {
        let number = text.trim().strip_prefix('%').and_then(|n| n.parse::<u32>().ok());
        match number.filter(|&n| (n as usize) < self.graph.values.len()) {
            Some(n) => Ok(ValueId(n)),
            None => Err(unfit("a value of a line before", text)),
        }
    }

    fn line(&mut self, line: &str) -> Result<()> {
        if line.starts_with('%') {
            return self.node(line);
        }
        if let Some(data) = line.strip_prefix("data ") {
            return self.data(data);
        }
        let (line, name) = name_behind(line)?;
        let (what, rest) = cut(line, " ", "return, update, grad or data")?;
        let (value, role) = match what {
            "return" => self.returned(rest)?,
            "update" => {
                let (target, value) = cut(rest, " with ", "update %i with %j")?;
                let target = self.value(target)?;
                let at = self.inputs.iter().find(|(_, (input, _))| *input == target);
                let (at, _) = at.ok_or_else(|| unfit("an update of an input", line))?;
                (self.value(value)?, Role::Update(*at))
            }
            "grad" => {
                let (place, value) = cut(rest, " is ", "grad i is %j")?;
                let place = place.parse().map_err(|_| unfit("the number of a gradient", place))?;
                (self.value(value)?, Role::Grad(place))
            }
            _ => return Err(unfit("a node, return, update, grad or data", line)),
        };
        self.outputs.push(name);
        self.graph.outputs.push(Output { value, role });
        Ok(())
    }

    /// `%i`, numbered after the one before, or `%i as k`.
    fn returned(&self, text: &str) -> Result<(ValueId, Role)> {
        let (value, number) = match text.split_once(" as ") {
            Some((value, number)) => (value, number.parse().ok()),
            None => (text, Some(self.next_return())),
        };
        let number = number.ok_or_else(|| unfit("a number", text))?;
        Ok((self.value(value)?, Role::Return(number)))
    }

    fn next_return(&self) -> u32 {
        let number = |output: &Output| match output.role {
            Role::Return(k) => Some(k.saturating_add(1)),
            _ => None,
        };
        self.graph.outputs.iter().rev().find_map(number).unwrap_or(0)
    }

    fn node(&mut self, line: &str) -> Result<()> {
        let (line, site) = match line.split_once("  # ") {
            Some((line, site)) => (line, Site::intern(site)),
            None => (line, Site::UNKNOWN),
        };
        let (made, rest) = cut(line, " = ", "%i = operation : facts")?;
        let (what, facts) = rest.rsplit_once(" : ").ok_or_else(|| unfit("a fact", rest))?;
        let facts = text::split(facts).into_iter().map(fact).collect::<Result<Facts>>()?;
        let outputs = self.apply(what, &facts, site)?;
        let stated: Vec<String> = outputs.iter().map(ToString::to_string).collect();
        if stated.join(", ") != made {
            return Err(unfit(&stated.join(", "), made));
        }
        for (value, stated) in outputs.iter().zip(&facts) {
            let found = self.graph.fact(*value);
            if found != *stated || outputs.len() != facts.len() {
                return Err(unfit(&found.to_string(), &stated.to_string()));
            }
        }
        Ok(())
    }

    fn apply(&mut self, what: &str, facts: &Facts, site: Site) -> Result<SmallVec<[ValueId; 1]>> {
        let fact = *facts.first().ok_or_else(|| unfit("a fact", what))?;
        if let Some(rest) = what.strip_prefix("input ") {
            let (number, name) = name_behind(rest)?;
            let number: u32 = number.parse().map_err(|_| unfit("the number of an input", what))?;
            let kind = NodeKind::Input(number);
            let value = self.graph.node(kind, SmallVec::new(), fact.only(), site)[0];
            if self.inputs.insert(number, (value, name)).is_some() {
                return Err(unfit("each input once", what));
            }
            return Ok(SmallVec::from_elem(value, 1));
        }
        if what == "const" {
            let constant = Constant { fact, bytes: Arc::from([]) };
            let value = self.graph.constant(constant, site);
            self.waiting.insert(value, fact.bytes());
            return Ok(SmallVec::from_elem(value, 1));
        }
        let (op, inputs) = text::read(what)?;
        let inputs: SmallVec<[ValueId; 4]> =
            inputs.into_iter().map(|input| self.value(input)).collect::<Result<_>>()?;
        self.graph.call(op, &inputs, site)
    }

    fn data(&mut self, line: &str) -> Result<()> {
        let (value, data) = line.split_once(' ').unwrap_or((line, ""));
        let value = self.value(value)?;
        let len = self.waiting.remove(&value).ok_or_else(|| unfit("data of a const", line))?;
        let bytes = BASE64_STANDARD.decode(data.trim()).ok().filter(|bytes| bytes.len() == len);
        let bytes = bytes.ok_or_else(|| unfit(&format!("{len} bytes in base 64"), "others"))?;
        let node = self.graph.values[value.0 as usize].node;
        if let NodeKind::Const(constant) = &mut self.graph.nodes[node.0 as usize].kind {
            constant.bytes = bytes.into();
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Graph> {
        if let Some(value) = self.waiting.keys().min() {
            return Err(unfit("data of every const", &format!("none of {value}")));
        }
        let count = self.inputs.len() as u32;
        if let Some(number) = self.inputs.keys().copied().find(|number| *number >= count) {
            return Err(unfit(&format!("inputs 0 to {count}"), &format!("input {number}")));
        }
        let (values, names): (Vec<_>, Vec<_>) = self.inputs.into_values().unzip();
        self.graph.inputs = values;
        self.graph.names =
            Arc::new(Names { inputs: leading(names)?, outputs: leading(self.outputs)? });
        super::verify(&self.graph)?;
        Ok(self.graph)
    }
}
