//! The tree of a pattern.
//!
//! Invariants
//! * No tree is higher than [`HEIGHT_MAX`] nor would compile to more than [`SIZE_MAX`] of Go's instructions, so
//!   recursion over it is safe.

use regex_syntax::hir::ClassUnicode;

/// Go's limit of nesting.
pub(crate) const HEIGHT_MAX: usize = 1000;

/// Go's limit of instructions: 128 MiB of 40 bytes each.
pub(crate) const SIZE_MAX: usize = (128 << 20) / 40;

#[derive(Clone, Debug)]
pub(crate) struct Ast {
    pub kind: Kind,
    pub height: usize,
    /// Instructions of Go's program, by its estimate.
    pub size: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Empty,
    Literal(char),
    /// What `.`, `[…]`, `\d` and letters without case stand for.
    Class(ClassUnicode),
    /// `.` with newline.
    Any,
    Look(Look),
    Capture {
        index: usize,
        sub: Box<Ast>,
    },
    Repeat {
        min: u32,
        max: Option<u32>,
        greedy: bool,
        sub: Box<Ast>,
    },
    Concat(Vec<Ast>),
    Alternate(Vec<Ast>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    TextStart,
    TextEnd,
    LineStart,
    LineEnd,
    WordBoundary,
    NoWordBoundary,
}

impl Ast {
    pub fn new(kind: Kind) -> Ast {
        let (height, size) = match &kind {
            Kind::Empty | Kind::Literal(_) | Kind::Class(_) | Kind::Any | Kind::Look(_) => (0, 1),
            Kind::Capture { sub, .. } => (sub.height, sub.size + 2),
            Kind::Repeat { min, max, sub, .. } => (sub.height, repeat_size(*min, *max, sub.size)),
            Kind::Concat(subs) => (highest(subs), subs.iter().map(|sub| sub.size).sum()),
            Kind::Alternate(subs) => {
                (highest(subs), subs.iter().map(|sub| sub.size).sum::<usize>() + subs.len() - 1)
            }
        };
        Ast { kind, height: height + 1, size: size.max(1) }
    }

    pub fn concat(mut subs: Vec<Ast>) -> Ast {
        match subs.len() {
            0 => Ast::new(Kind::Empty),
            1 => subs.remove(0),
            _ => Ast::new(Kind::Concat(subs)),
        }
    }

    pub fn alternate(mut subs: Vec<Ast>) -> Ast {
        match subs.len() {
            1 => subs.remove(0),
            _ => Ast::new(Kind::Alternate(subs)),
        }
    }

    pub fn subs(&self) -> &[Ast] {
        match &self.kind {
            Kind::Capture { sub, .. } | Kind::Repeat { sub, .. } => std::slice::from_ref(sub),
            Kind::Concat(subs) | Kind::Alternate(subs) => subs,
            _ => &[],
        }
    }

    /// The tree without the capture groups around it.
    pub fn uncaptured(&self) -> &Ast {
        let mut ast = self;
        while let Kind::Capture { sub, .. } = &ast.kind {
            ast = sub;
        }
        ast
    }
}

fn highest(subs: &[Ast]) -> usize {
    subs.iter().map(|sub| sub.height).max().unwrap_or(0)
}

fn repeat_size(min: u32, max: Option<u32>, sub: usize) -> usize {
    let (min, sub) = (min as usize, sub);
    match max.map(|max| max as usize) {
        None if min == 0 => sub + 2,
        None => min.saturating_mul(sub) + 1,
        Some(1) if min == 0 => sub + 1,
        Some(max) => max.saturating_mul(sub) + (max - min),
    }
}
