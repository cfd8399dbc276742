//! The grammar of PromQL and the automaton compiled from it.

mod lalr;
mod rules;

use std::sync::LazyLock;

pub(crate) use lalr::{Action, END, ERROR, Tables};
pub(crate) use rules::Reduce;

use crate::lexer::Kind;
use lalr::{Assoc, Grammar, Prec, Shape};

/// Terminals before the kinds of tokens: [`END`] and [`ERROR`].
const BEFORE_KINDS: usize = 2;
const TERMINALS: usize = BEFORE_KINDS + Kind::ALL.len();

/// The number by which the automaton knows a kind of token.
pub(crate) fn terminal(kind: Kind) -> usize {
    BEFORE_KINDS + kind as usize
}

/// What the parser needs to know of a rule.
pub(crate) struct Rule {
    /// The left side, counted among nonterminals.
    pub nonterminal: usize,
    pub rhs_len: usize,
    pub reduce: Reduce,
}

pub(crate) struct Language {
    pub tables: Tables,
    /// By rule number; the automaton's number 0 is the end, so rule 1 is the first here.
    pub rules: Vec<Rule>,
}

/// Compiled at first use (a few milliseconds).
pub(crate) static LANGUAGE: LazyLock<Language> = LazyLock::new(Language::compile);

/// Operators from the loosest to the tightest. The bracket comes last: a range or subquery belongs to the
/// nearest expression.
const PRECEDENCE: &[(Assoc, &[Kind])] = &[
    (Assoc::Left, &[Kind::Lor]),
    (Assoc::Left, &[Kind::Land, Kind::Lunless]),
    (
        Assoc::Left,
        &[
            Kind::Eqlc,
            Kind::Gte,
            Kind::Gtr,
            Kind::Lss,
            Kind::Lte,
            Kind::Neq,
            Kind::TrimUpper,
            Kind::TrimLower,
        ],
    ),
    (Assoc::Left, &[Kind::Add, Kind::Sub]),
    (Assoc::Left, &[Kind::Mul, Kind::Div, Kind::Mod, Kind::Atan2]),
    (Assoc::Right, &[Kind::Pow]),
    (Assoc::None, &[Kind::Offset]),
    (Assoc::Right, &[Kind::LeftBracket]),
];

impl Language {
    fn compile() -> Language {
        let mut token_prec: Vec<Option<Prec>> = vec![None; TERMINALS];
        for (level, (assoc, kinds)) in PRECEDENCE.iter().enumerate() {
            for &kind in *kinds {
                token_prec[terminal(kind)] = Some(Prec { level: level as u8, assoc: *assoc });
            }
        }
        let written = rules::rules();
        let mut names: Vec<&str> = Vec::new();
        for rule in &written {
            if !names.contains(&rule.lhs) {
                names.push(rule.lhs);
            }
        }
        let number = |name: &str| -> usize {
            if name == "error" {
                return ERROR;
            }
            let kind = Kind::ALL.iter().find(|kind| kind.upstream_name() == name);
            kind.map(|&kind| terminal(kind))
                .or_else(|| names.iter().position(|n| *n == name).map(|at| TERMINALS + at))
                .unwrap_or_else(|| panic!("BUG: the grammar has no symbol {name}"))
        };
        let mut shapes = Vec::new();
        let mut rules = Vec::new();
        for rule in written {
            let (symbols, prec_of) = match rule.rhs.split_once("%prec") {
                Some((symbols, token)) => (symbols, Some(number(token.trim()))),
                None => (rule.rhs, None),
            };
            let rhs: Vec<usize> = symbols.split_whitespace().map(number).collect();
            // A rule binds like its last terminal unless it says otherwise.
            let prec = prec_of.or_else(|| rhs.iter().rev().copied().find(|&s| s < TERMINALS));
            let lhs = number(rule.lhs);
            rules.push(Rule { nonterminal: lhs - TERMINALS, rhs_len: rhs.len(), reduce: rule.reduce });
            shapes.push(Shape { lhs, rhs, prec: prec.and_then(|terminal| token_prec[terminal]) });
        }
        let grammar = Grammar { terminals: TERMINALS, nonterminals: names.len(), shapes };
        Language { tables: lalr::compile(&grammar, &token_prec), rules }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_compiles() {
        let states = LANGUAGE.tables.states.len();
        assert!((300..2000).contains(&states), "{states} states");
    }
}
