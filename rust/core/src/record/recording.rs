//! A finished recording, and how two of them differ.

use std::collections::HashMap;
use std::sync::Arc;

use smallvec::SmallVec;
use weft_kernels::{Buffer, Layout, Scalar};

use super::given::{Given, Returned};
use crate::graph::{Graph, Names, NodeKind, Output, Role};
use crate::site::Site;
use crate::tensor::Tensor;

/// Where a graph input comes from.
#[derive(Debug, Clone)]
pub enum Binding {
    /// The tensor argument of this number.
    Arg(usize),
    /// A tensor reached from outside: a live reference, never a copy.
    Captured(Tensor),
    /// Whatever the `.grad` of this leaf is.
    GradOf(Leaf),
}

/// A leaf whose `.grad` a recording reads or sets.
#[derive(Debug, Clone)]
pub enum Leaf {
    /// A tensor reached from outside.
    Captured(Tensor),
    /// The tensor argument of this number.
    Arg(usize),
}

impl Leaf {
    /// The tensor, at a call with these arguments.
    pub fn of<'a>(&'a self, args: &'a [Tensor]) -> &'a Tensor {
        match self {
            Leaf::Captured(tensor) => tensor,
            Leaf::Arg(i) => &args[*i],
        }
    }

    pub(super) fn same(&self, other: &Leaf) -> bool {
        match (self, other) {
            (Leaf::Captured(a), Leaf::Captured(b)) => a.same(b),
            (Leaf::Arg(i), Leaf::Arg(j)) => i == j,
            _ => false,
        }
    }
}

/// What a `.grad` field was when it was first read.
#[derive(Debug, Clone)]
pub struct GradGuard {
    /// The leaf.
    pub leaf: Leaf,
    /// How its gradient lay, if it had one.
    pub layout: Option<Layout>,
    /// Its memory, if the function also reached it in another way.
    pub on: Option<Buffer>,
}

impl GradGuard {
    /// Whether a `.grad` field is as it was: present or not, its layout and its memory.
    fn holds(&self, args: &[Tensor]) -> bool {
        let grad = self.leaf.of(args).peek_grad();
        match (&grad, &self.layout) {
            (Some(grad), Some(layout)) => {
                let whole = layout.end() * grad.dtype().size();
                grad.layout() == layout
                    && grad.buffer().len() >= whole
                    && self.on.as_ref().is_none_or(|buffer| grad.buffer().same(buffer))
            }
            (grad, layout) => grad.is_none() && layout.is_none(),
        }
    }
}

/// What one run of a function did.
#[derive(Debug)]
pub struct Recording {
    /// The operations.
    pub graph: Graph,
    /// Where each graph input comes from.
    pub bindings: Vec<Binding>,
    /// How each graph input lies (offset 0).
    pub layouts: Vec<Layout>,
    /// What the function returns.
    pub returns: Vec<Returned>,
    /// Leaves whose `.grad` the function set, and to what.
    pub grads: Vec<(Leaf, Option<Given>)>,
    /// What `requires_grad` flags had to be that the function read.
    pub flags_read: Vec<(Tensor, bool)>,
    /// Tensors whose `requires_grad` the function switched, and to what.
    pub switched: Vec<(Leaf, bool)>,
    /// Arguments that have to be these very tensors, since the function also reaches them
    /// in another way.
    pub pinned: Vec<(usize, Tensor)>,
    /// Arguments that have to be the `.grad` of these leaves.
    pub aliases: Vec<(usize, Leaf)>,
    /// Numbers of the buffers of captured tensors, in order.
    pub captured: Vec<u64>,
    /// What `.grad` fields had to be.
    pub grads_read: Vec<GradGuard>,
    /// Whether each captured tensor wanted a gradient.
    pub requires: Vec<bool>,
    /// Blocks of the random stream that one run uses.
    pub random_blocks: u64,
}

/// Where two recordings of one function first differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The user's line.
    pub site: Site,
    /// The operation in the first recording.
    pub first: String,
    /// The operation in the second.
    pub second: String,
}

impl Recording {
    /// Names the inputs of the graph, and its outputs after them: a new value of an input has
    /// the input's name, a gradient that of its leaf (`leaves`, in the order of
    /// [`Recording::grads`]).
    pub fn name(&mut self, inputs: Vec<String>, leaves: &[String]) {
        let number = |given: &Option<Given>| match given {
            Some(Given::Made(number, _)) => Some(*number),
            _ => None,
        };
        let given = self.grads.iter().zip(leaves);
        let grads: HashMap<u32, &String> =
            given.filter_map(|((_, given), leaf)| Some((number(given)?, leaf))).collect();
        let grad = |i: u32| match grads.get(&i) {
            Some(leaf) => format!("{leaf}.grad"),
            None => format!("grad{i}"),
        };
        let returned = |output: &Output| match output.role {
            Role::Return(i) => Some(i),
            _ => None,
        };
        let first = self.graph.outputs.iter().filter_map(returned).min().unwrap_or(0);
        let output = |output: &Output| match output.role {
            Role::Return(i) => format!("result{}", i - first),
            Role::Update(i) => {
                inputs.get(i as usize).map_or_else(|| format!("input{i}"), String::clone)
            }
            Role::Grad(i) => grad(i),
        };
        let outputs = self.graph.outputs.iter().map(output).collect();
        self.graph.names = Arc::new(Names { inputs, outputs });
    }

    /// Whether a call with these arguments finds the `.grad` fields that were read, the
    /// `requires_grad` flags of captured tensors and the sharing of memory as they were.
    pub fn fits(&self, args: &[Tensor]) -> bool {
        self.grads_read.iter().all(|guard| guard.holds(args))
            && self.flags_read.iter().all(|(tensor, on)| tensor.requires_grad() == *on)
            && self.bindings.iter().zip(&self.requires).all(|(binding, &requires)| match binding {
                Binding::Captured(tensor) => tensor.requires_grad() == requires,
                _ => true,
            })
            && self.pinned.iter().all(|(i, tensor)| args[*i].same(tensor))
            && self.stand_apart(args)
    }

    /// Whether no argument shares memory with anything but what it did.
    fn stand_apart(&self, args: &[Tensor]) -> bool {
        let buffer = |guard: &GradGuard| Some(guard.leaf.of(args).peek_grad()?.buffer().id());
        let guards = self.grads_read.iter().enumerate();
        let mut grads: SmallVec<[(u64, usize); 16]> = match args.is_empty() {
            true => SmallVec::new(),
            false => guards.filter_map(|(g, guard)| Some((buffer(guard)?, g))).collect(),
        };
        grads.sort_unstable();
        args.iter().enumerate().all(|(i, arg)| self.stands_apart(i, arg, &grads))
    }

    /// The same of one argument, with the guards of `.grad` fields by their buffers.
    fn stands_apart(&self, i: usize, arg: &Tensor, grads: &[(u64, usize)]) -> bool {
        if self.pinned.binary_search_by_key(&i, |(pinned, _)| *pinned).is_ok() {
            return true;
        }
        let id = arg.buffer().id();
        let first = grads.partition_point(|(buffer, _)| *buffer < id);
        let shared = grads[first..].iter().take_while(|(buffer, _)| *buffer == id);
        let known = self.aliases.partition_point(|(j, _)| *j < i);
        let known = || self.aliases[known..].iter().take_while(|(j, _)| *j == i);
        let expected =
            |(_, g): &(u64, usize)| known().any(|(_, leaf)| leaf.same(&self.grads_read[*g].leaf));
        self.captured.binary_search(&id).is_err()
            && shared.clone().count() == known().count()
            && shared.clone().all(expected)
    }

    /// The first difference from `other`, if there is one: operations, attributes,
    /// constants, what is captured, what is returned.
    pub fn difference(&self, other: &Recording) -> Option<Difference> {
        let (a, b) = (&self.graph, &other.graph);
        for (x, y) in a.nodes.iter().zip(&b.nodes) {
            if x.kind == y.kind && x.inputs == y.inputs {
                continue;
            }
            let site = if y.site.is_known() { y.site } else { x.site };
            let (first, second) = match (&x.kind, &y.kind) {
                (NodeKind::Const(c), NodeKind::Const(d)) => (
                    format!("{} {}", c.fact, values(&c.bytes, c.fact.dtype)),
                    format!("{} {}", d.fact, values(&d.bytes, d.fact.dtype)),
                ),
                _ => (a.line(x), b.line(y)),
            };
            return Some(Difference { site, first, second });
        }
        if a.nodes.len() != b.nodes.len() {
            let (longer, at) =
                if a.nodes.len() > b.nodes.len() { (a, b.nodes.len()) } else { (b, a.nodes.len()) };
            let node = &longer.nodes[at];
            let (line, end) = (longer.line(node), "the end".to_string());
            let (first, second) =
                if a.nodes.len() > b.nodes.len() { (line, end) } else { (end, line) };
            return Some(Difference { site: node.site, first, second });
        }
        let same_bindings = self.bindings.iter().zip(&other.bindings).all(|(x, y)| x.same(y));
        if !same_bindings || a.outputs != b.outputs || !self.gives_the_same(other) {
            let text = |g: &Graph| {
                let last = g.to_string();
                last.lines().filter(|l| !l.starts_with('%')).collect::<Vec<_>>().join("; ")
            };
            return Some(Difference {
                site: Site::UNKNOWN,
                first: text(a),
                second: if same_bindings { text(b) } else { "another captured tensor".to_string() },
            });
        }
        None
    }

    /// Whether both hand out the same things and switch the same flags.
    fn gives_the_same(&self, other: &Recording) -> bool {
        let given = |a: &Option<Given>, b: &Option<Given>| match (a, b) {
            (Some(a), Some(b)) => a.same(b),
            (a, b) => a.is_none() && b.is_none(),
        };
        let returned = |(a, b): (&Returned, &Returned)| {
            a.given.same(&b.given)
                && a.walked.is_some() == b.walked.is_some()
                && given(&a.grad, &b.grad)
        };
        self.returns.len() == other.returns.len()
            && self.returns.iter().zip(&other.returns).all(returned)
            && self.grads.len() == other.grads.len()
            && self.grads.iter().zip(&other.grads).all(|(a, b)| a.0.same(&b.0) && given(&a.1, &b.1))
            && self.switched.len() == other.switched.len()
            && self.switched.iter().zip(&other.switched).all(|(a, b)| a.0.same(&b.0) && a.1 == b.1)
    }
}

/// The first few numbers of a constant.
fn values(bytes: &[u8], dtype: weft_kernels::DType) -> String {
    let size = dtype.size();
    let texts: Vec<String> = bytes
        .chunks_exact(size)
        .take(4)
        .map(|b| match Scalar::from_bytes(dtype, b) {
            Scalar::Float(x) if size < 8 => (x as f32).to_string(),
            Scalar::Float(x) => x.to_string(),
            other => other.to_string(),
        })
        .collect();
    let more = if bytes.len() > 4 * size { ", …" } else { "" };
    format!("[{}{more}]", texts.join(", "))
}

impl Binding {
    fn same(&self, other: &Binding) -> bool {
        match (self, other) {
            (Binding::Arg(i), Binding::Arg(j)) => i == j,
            (Binding::Captured(a), Binding::Captured(b)) => a.buffer().same(b.buffer()),
            (Binding::GradOf(a), Binding::GradOf(b)) => a.same(b),
            _ => false,
        }
    }
}
