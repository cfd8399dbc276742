//! YAML text as a tree of nodes, each with its line and column.
//!
//! Invariants
//! * Nodes live in one arena; an alias is a node that points at its anchor's node, never a copy, so the tree is
//!   as large as the text however often an anchor is used. Whoever walks it counts the steps ([`Budget`]).
//! * An alias never points at a node that contains it.
//! * Only the first document is kept, as go-yaml does; [`Document::second_document`] tells where another begins.

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

/// Deeper nesting than any configuration has; keeps the recursion of every later step bounded.
const DEPTH_MAX: usize = 200;

/// A place in the text, both from 1, the column in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    pub line: usize,
    pub column: usize,
}

/// Index of a node in its [`Document`].
pub(crate) type NodeId = usize;

#[derive(Debug)]
pub(crate) struct Node {
    pub mark: Mark,
    /// In the short form, `!!str`; empty when the text names none.
    pub tag: String,
    pub content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    Scalar {
        text: String,
        /// Written without quotes, so that its meaning depends on its form.
        plain: bool,
    },
    Sequence(Vec<NodeId>),
    /// Keys and values in the order of the text; duplicates are kept.
    Mapping(Vec<(NodeId, NodeId)>),
    Alias {
        target: NodeId,
    },
}

/// The first document of a text.
#[derive(Debug)]
pub(crate) struct Document {
    nodes: Vec<Node>,
    root: Option<NodeId>,
    pub second_document: Option<Mark>,
}

/// Text that is not YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub mark: Mark,
    pub message: String,
}

impl Document {
    /// Reads `text`. An empty text has no root.
    pub fn parse(text: &str) -> Result<Document, SyntaxError> {
        Reader {
            parser: Parser::new_from_str(text),
            nodes: Vec::new(),
            anchors: Vec::new(),
            open: Vec::new(),
        }
        .document()
    }

    pub fn root(&self) -> Option<NodeId> {
        self.root
    }

    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    /// The node an alias stands for, or the node itself.
    pub fn resolve(&self, id: NodeId) -> &Node {
        match self.nodes[id].content {
            // An anchor is a node with content of its own: one step is enough.
            Content::Alias { target } => &self.nodes[target],
            _ => &self.nodes[id],
        }
    }
}

struct Reader<'t> {
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
    nodes: Vec<Node>,
    /// Anchor number of the parser, its node and its mark.
    anchors: Vec<(usize, NodeId)>,
    /// Anchors of the nodes that are being read: an alias to one of them contains itself.
    open: Vec<usize>,
}

impl<'t> Reader<'t> {
    fn document(mut self) -> Result<Document, SyntaxError> {
        let mut root = None;
        let mut second_document = None;
        loop {
            let (event, mark) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
                Event::DocumentStart(_) if root.is_some() => {
                    second_document = Some(mark);
                    break;
                }
                Event::DocumentStart(_) => {}
                Event::StreamEnd => break,
                event => root = Some(self.node(event, mark, 0)?),
            }
        }
        Ok(Document { nodes: self.nodes, root, second_document })
    }

    fn next(&mut self) -> Result<(Event<'t>, Mark), SyntaxError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                Ok((event, Mark { line: span.start.line(), column: span.start.col() + 1 }))
            }
            Some(Err(error)) => {
                let at = error.marker();
                let mark = Mark { line: at.line(), column: at.col() + 1 };
                Err(SyntaxError { mark, message: error.info().to_string() })
            }
            None => Ok((Event::StreamEnd, Mark::default())),
        }
    }

    fn node(&mut self, event: Event<'t>, mark: Mark, depth: usize) -> Result<NodeId, SyntaxError> {
        if depth > DEPTH_MAX {
            let message = format!("nested deeper than {DEPTH_MAX} levels");
            return Err(SyntaxError { mark, message });
        }
        match event {
            Event::Alias(anchor) => {
                if self.open.contains(&anchor) {
                    return Err(SyntaxError { mark, message: "anchor value contains itself".to_string() });
                }
                let Some(&(_, target)) = self.anchors.iter().rev().find(|(known, _)| *known == anchor) else {
                    return Err(SyntaxError { mark, message: "unknown anchor referenced".to_string() });
                };
                Ok(self.push(mark, None, Content::Alias { target }))
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = matches!(style, ScalarStyle::Plain);
                let content = Content::Scalar { text: text.into_owned(), plain };
                let id = self.push(mark, tag.as_deref(), content);
                self.name(anchor, id);
                Ok(id)
            }
            Event::SequenceStart(anchor, tag) => {
                let id = self.push(mark, tag.as_deref(), Content::Sequence(Vec::new()));
                self.open.push(anchor);
                let mut items = Vec::new();
                loop {
                    let (event, mark) = self.next()?;
                    match event {
                        Event::SequenceEnd | Event::StreamEnd => break,
                        event => items.push(self.node(event, mark, depth + 1)?),
                    }
                }
                self.open.pop();
                self.nodes[id].content = Content::Sequence(items);
                self.name(anchor, id);
                Ok(id)
            }
            Event::MappingStart(anchor, tag) => {
                let id = self.push(mark, tag.as_deref(), Content::Mapping(Vec::new()));
                self.open.push(anchor);
                let mut pairs = Vec::new();
                loop {
                    let (event, mark) = self.next()?;
                    if matches!(event, Event::MappingEnd | Event::StreamEnd) {
                        break;
                    }
                    let key = self.node(event, mark, depth + 1)?;
                    let (event, mark) = self.next()?;
                    let value = self.node(event, mark, depth + 1)?;
                    pairs.push((key, value));
                }
                self.open.pop();
                self.nodes[id].content = Content::Mapping(pairs);
                self.name(anchor, id);
                Ok(id)
            }
            other => {
                Err(SyntaxError { mark, message: format!("unexpected {other:?} where a value should stand") })
            }
        }
    }

    fn push(&mut self, mark: Mark, tag: Option<&Tag>, content: Content) -> NodeId {
        self.nodes.push(Node { mark, tag: tag.map(short_tag).unwrap_or_default(), content });
        self.nodes.len() - 1
    }

    /// Remembers `id` under its anchor; the parser numbers anchors from 1.
    fn name(&mut self, anchor: usize, id: NodeId) {
        if anchor > 0 {
            self.anchors.push((anchor, id));
        }
    }
}

fn short_tag(tag: &Tag) -> String {
    const CORE: &str = "tag:yaml.org,2002:";
    let whole = format!("{}{}", tag.handle, tag.suffix);
    match whole.strip_prefix(CORE) {
        Some(name) => format!("!!{name}"),
        None => whole,
    }
}

/// Counts the values decoded, and how many of them came through aliases, by go-yaml's rule: small documents may
/// consist of aliases almost entirely, large ones hardly.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    decoded: u64,
    through_alias: u64,
    alias_depth: u32,
}

impl Budget {
    /// Counts one value; false when the document lives of its aliases.
    pub fn step(&mut self) -> bool {
        const LOW: u64 = 400_000;
        const HIGH: u64 = 4_000_000;
        self.decoded += 1;
        if self.alias_depth > 0 {
            self.through_alias += 1;
        }
        if self.through_alias <= 100 || self.decoded <= 1000 {
            return true;
        }
        let allowed = match self.decoded {
            ..=LOW => 0.99,
            HIGH.. => 0.10,
            count => 0.99 - 0.89 * ((count - LOW) as f64 / (HIGH - LOW) as f64),
        };
        self.through_alias as f64 / self.decoded as f64 <= allowed
    }

    pub fn enter_alias(&mut self) {
        self.alias_depth += 1;
    }

    pub fn leave_alias(&mut self) {
        self.alias_depth -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> SyntaxError {
        Document::parse(text).expect_err("must not parse")
    }

    #[test]
    fn marks_count_lines_and_characters_from_one() {
        let document = Document::parse("a: 1\nüb:\n  - x\n").unwrap();
        let Content::Mapping(pairs) = &document.node(document.root().unwrap()).content else { panic!() };
        assert_eq!(document.node(pairs[0].1).mark, Mark { line: 1, column: 4 });
        assert_eq!(document.node(pairs[1].0).mark, Mark { line: 2, column: 1 });
        let Content::Sequence(items) = &document.node(pairs[1].1).content else { panic!() };
        assert_eq!(document.node(items[0]).mark, Mark { line: 3, column: 5 });
    }

    #[test]
    fn an_alias_must_not_contain_itself() {
        assert!(error("a: &x [*x]").message.contains("contains itself"));
    }

    #[test]
    fn nesting_is_limited() {
        let text = "[".repeat(10_000);
        assert!(Document::parse(&text).is_err());
        assert!(error(&"- ".repeat(300)).message.contains("nested deeper"));
    }

    #[test]
    fn a_second_document_is_noticed() {
        let document = Document::parse("a: 1\n---\nb: 2\n").unwrap();
        assert_eq!(document.second_document.map(|mark| mark.line), Some(2));
        assert_eq!(Document::parse("a: 1\n").unwrap().second_document, None);
    }

    #[test]
    fn an_empty_text_has_no_root() {
        assert_eq!(Document::parse("# nothing\n").unwrap().root(), None);
    }
}
