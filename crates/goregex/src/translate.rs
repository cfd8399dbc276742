//! The tree in the representation of `regex-syntax`, which the engines compile.

use regex_syntax::hir::{self, Capture, Class, ClassUnicode, ClassUnicodeRange, Hir, Repetition};

use crate::ast::{Ast, Kind, Look};

/// Group names are left out: Go allows a name twice, the engines do not.
pub(crate) fn translate(ast: &Ast) -> Hir {
    match &ast.kind {
        Kind::Empty => Hir::empty(),
        Kind::Literal(c) => Hir::literal(c.encode_utf8(&mut [0; 4]).as_bytes()),
        Kind::Class(class) => Hir::class(Class::Unicode(class.clone())),
        Kind::Any => Hir::class(Class::Unicode(ClassUnicode::new([ClassUnicodeRange::new('\0', char::MAX)]))),
        Kind::Look(look) => Hir::look(match look {
            Look::TextStart => hir::Look::Start,
            Look::TextEnd => hir::Look::End,
            Look::LineStart => hir::Look::StartLF,
            Look::LineEnd => hir::Look::EndLF,
            Look::WordBoundary => hir::Look::WordAscii,
            Look::NoWordBoundary => hir::Look::WordAsciiNegate,
        }),
        Kind::Capture { index, sub } => {
            Hir::capture(Capture { index: *index as u32, name: None, sub: Box::new(translate(sub)) })
        }
        Kind::Repeat { min, max, greedy, sub } => Hir::repetition(Repetition {
            min: *min,
            max: *max,
            greedy: *greedy,
            sub: Box::new(translate(sub)),
        }),
        Kind::Concat(subs) => Hir::concat(subs.iter().map(translate).collect()),
        Kind::Alternate(subs) => Hir::alternation(subs.iter().map(translate).collect()),
    }
}

/// The whole haystack must match.
pub(crate) fn anchored(hir: Hir) -> Hir {
    Hir::concat(vec![Hir::look(hir::Look::Start), hir, Hir::look(hir::Look::End)])
}
