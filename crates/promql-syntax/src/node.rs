//! The owning pointer from a node of the tree to a child.

use std::ops::{Deref, DerefMut};

use crate::ast::Expr;

/// A boxed expression that is dropped without recursion: a query may nest as deep as its text is long, the
/// stack of a thread may not.
#[derive(Clone, Debug, PartialEq)]
pub struct Node(Option<Box<Expr>>);

const PRESENT: &str = "BUG: a node is empty only while it is dropped";

impl Node {
    pub fn new(expr: Expr) -> Node {
        Node(Some(Box::new(expr)))
    }

    pub fn into_inner(mut self) -> Expr {
        *self.0.take().expect(PRESENT)
    }
}

impl From<Expr> for Node {
    fn from(expr: Expr) -> Node {
        Node::new(expr)
    }
}

impl Deref for Node {
    type Target = Expr;

    fn deref(&self) -> &Expr {
        self.0.as_deref().expect(PRESENT)
    }
}

impl DerefMut for Node {
    fn deref_mut(&mut self) -> &mut Expr {
        self.0.as_deref_mut().expect(PRESENT)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let Some(expr) = self.0.take() else { return };
        let mut pending = vec![expr];
        while let Some(mut expr) = pending.pop() {
            expr.for_each_child_mut(&mut |child| pending.extend(child.0.take()));
        }
    }
}
