//! A grammar compiled to the tables of a bottom-up parser, by yacc's rules.
//!
//! Which mistake is reported for a broken query, and where, follows from the automaton that yacc builds for the
//! grammar: from its default reductions, its choice between conflicting rules and its `error` rules. So this is
//! LALR(1) with exactly those habits:
//! * shift wins over reduce, and the earlier rule over the later, unless precedence decides;
//! * a state's most frequent reduction is its default, taken without looking at the next token where the
//!   state cannot shift; a state that can shift `error` has no default.
//!
//! Does not know: the language; symbols are numbers, terminals first.

use std::collections::HashMap;

/// The end of the input.
pub(crate) const END: usize = 0;
/// Where a grammar says that a mistake may be caught.
pub(crate) const ERROR: usize = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Assoc {
    Left,
    Right,
    None,
}

/// How tightly a terminal or rule binds; a higher level binds tighter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prec {
    pub level: u8,
    pub assoc: Assoc,
}

/// `lhs : rhs`.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub lhs: usize,
    pub rhs: Vec<usize>,
    pub prec: Option<Prec>,
}

/// Terminals are `0..terminals`, nonterminals follow. The first rule's left side is the start symbol.
#[derive(Debug)]
pub(crate) struct Grammar {
    pub terminals: usize,
    pub nonterminals: usize,
    pub shapes: Vec<Shape>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// What the state's default says.
    Default,
    Shift(u16),
    /// By number of the rule.
    Reduce(u16),
    Accept,
    Fail,
}

/// Where the parser may be.
#[derive(Debug)]
pub(crate) struct State {
    /// By terminal.
    actions: Vec<Action>,
    /// By nonterminal; 0 where impossible.
    gotos: Vec<u16>,
    /// The rule to reduce when nothing else is said; `None` is a mistake in the input.
    pub default: Option<u16>,
    /// Whether the next token must be read to know what to do.
    pub looks_ahead: bool,
}

#[derive(Debug)]
pub(crate) struct Tables {
    pub states: Vec<State>,
}

impl State {
    pub fn action(&self, terminal: usize) -> Action {
        self.actions[terminal]
    }

    pub fn goto(&self, nonterminal: usize) -> usize {
        self.gotos[nonterminal] as usize
    }
}

/// A set of terminals.
type Terminals = u128;

/// Rule number and position in its right side. Rule 0 is the augmented `start END`.
type Item = (u16, u8);

struct Kernel {
    items: Vec<Item>,
    lookahead: Vec<Terminals>,
    /// Successors by symbol, in order of the symbols.
    next: Vec<(usize, usize)>,
}

struct Builder<'g> {
    grammar: &'g Grammar,
    /// By nonterminal: numbers of its rules.
    rules_of: Vec<Vec<u16>>,
    nullable: Vec<bool>,
    first: Vec<Terminals>,
}

/// Compiles the grammar. `token_prec` is indexed by terminal.
pub(crate) fn compile(grammar: &Grammar, token_prec: &[Option<Prec>]) -> Tables {
    assert!(grammar.terminals <= 128, "BUG: {} terminals do not fit a set", grammar.terminals);
    let builder = Builder::new(grammar);
    let mut kernels = builder.automaton();
    builder.propagate(&mut kernels);
    Tables { states: kernels.iter().map(|kernel| builder.state(kernel, token_prec)).collect() }
}

impl<'g> Builder<'g> {
    fn new(grammar: &'g Grammar) -> Builder<'g> {
        let mut rules_of = vec![Vec::new(); grammar.nonterminals];
        for (number, shape) in grammar.shapes.iter().enumerate() {
            rules_of[shape.lhs - grammar.terminals].push(number as u16 + 1);
        }
        let nullable = vec![false; grammar.nonterminals];
        let first = vec![0; grammar.nonterminals];
        let mut builder = Builder { grammar, rules_of, nullable, first };
        builder.find_first();
        builder
    }

    fn rhs(&self, rule: u16) -> &'g [usize] {
        // The augmented rule's end is not a symbol to go over: it is accepted by reading END.
        match rule {
            0 => std::slice::from_ref(&self.grammar.shapes[0].lhs),
            rule => &self.grammar.shapes[rule as usize - 1].rhs,
        }
    }

    fn nonterminal(&self, symbol: usize) -> Option<usize> {
        symbol.checked_sub(self.grammar.terminals)
    }

    fn find_first(&mut self) {
        let mut changed = true;
        while changed {
            changed = false;
            for shape in &self.grammar.shapes {
                let lhs = shape.lhs - self.grammar.terminals;
                let (first, nullable) = self.first_of(&shape.rhs);
                changed |= self.first[lhs] | first != self.first[lhs] || (nullable && !self.nullable[lhs]);
                self.first[lhs] |= first;
                self.nullable[lhs] |= nullable;
            }
        }
    }

    /// The terminals that can begin the symbols, and whether all of them can be empty.
    fn first_of(&self, symbols: &[usize]) -> (Terminals, bool) {
        let mut first = 0;
        for &symbol in symbols {
            match self.nonterminal(symbol) {
                None => return (first | 1 << symbol, false),
                Some(n) => {
                    first |= self.first[n];
                    if !self.nullable[n] {
                        return (first, false);
                    }
                }
            }
        }
        (first, true)
    }

    /// States and their successors, without lookahead.
    fn automaton(&self) -> Vec<Kernel> {
        let start = vec![(0, 0)];
        let mut known = HashMap::from([(start.clone(), 0)]);
        let mut kernels = vec![Kernel { items: start, lookahead: Vec::new(), next: Vec::new() }];
        let mut at = 0;
        while at < kernels.len() {
            let mut moves: Vec<(usize, Vec<Item>)> = Vec::new();
            for (rule, dot) in self.closure(&kernels[at].items) {
                if let Some(&symbol) = self.rhs(rule).get(dot as usize) {
                    match moves.iter_mut().find(|(s, _)| *s == symbol) {
                        Some((_, items)) => items.push((rule, dot + 1)),
                        None => moves.push((symbol, vec![(rule, dot + 1)])),
                    }
                }
            }
            moves.sort_by_key(|(symbol, _)| *symbol);
            for (symbol, mut items) in moves {
                items.sort_unstable();
                let next = *known.entry(items.clone()).or_insert_with(|| {
                    kernels.push(Kernel { items, lookahead: Vec::new(), next: Vec::new() });
                    kernels.len() - 1
                });
                kernels[at].next.push((symbol, next));
            }
            at += 1;
        }
        for kernel in &mut kernels {
            kernel.lookahead = vec![0; kernel.items.len()];
        }
        kernels
    }

    /// The kernel's items, then the beginnings of all rules that may begin here.
    fn closure(&self, kernel: &[Item]) -> Vec<Item> {
        let mut items = kernel.to_vec();
        let mut seen = vec![false; self.grammar.nonterminals];
        let mut at = 0;
        while at < items.len() {
            let (rule, dot) = items[at];
            let symbol = self.rhs(rule).get(dot as usize);
            if let Some(n) = symbol.and_then(|&s| self.nonterminal(s))
                && !std::mem::replace(&mut seen[n], true)
            {
                items.extend(self.rules_of[n].iter().map(|&rule| (rule, 0)));
            }
            at += 1;
        }
        items
    }

    /// What may follow each item of the closure: the kernel's items as they say, a rule that begins here by
    /// what may follow its left side.
    fn lookaheads(&self, kernel: &Kernel) -> Vec<(Item, Terminals)> {
        let items = self.closure(&kernel.items);
        let mut follow: Vec<Terminals> = vec![0; self.grammar.nonterminals];
        let of = |at: usize, follow: &[Terminals]| match kernel.lookahead.get(at) {
            Some(&set) => set,
            None => follow[self.grammar.shapes[items[at].0 as usize - 1].lhs - self.grammar.terminals],
        };
        let mut changed = true;
        while changed {
            changed = false;
            for (at, &(rule, dot)) in items.iter().enumerate() {
                let rhs = self.rhs(rule);
                let Some(n) = rhs.get(dot as usize).and_then(|&s| self.nonterminal(s)) else { continue };
                let (mut set, empty) = self.first_of(&rhs[dot as usize + 1..]);
                if empty {
                    set |= of(at, &follow);
                }
                changed |= follow[n] | set != follow[n];
                follow[n] |= set;
            }
        }
        (0..items.len()).map(|at| (items[at], of(at, &follow))).collect()
    }

    fn propagate(&self, kernels: &mut [Kernel]) {
        kernels[0].lookahead[0] = 1 << END;
        let mut pending: Vec<usize> = (0..kernels.len()).rev().collect();
        let mut queued = vec![true; kernels.len()];
        while let Some(at) = pending.pop() {
            queued[at] = false;
            for ((rule, dot), set) in self.lookaheads(&kernels[at]) {
                let Some(&symbol) = self.rhs(rule).get(dot as usize) else { continue };
                let next = &kernels[at].next;
                let to = next[next.binary_search_by_key(&symbol, |&(s, _)| s).expect("a successor")].1;
                let target = &mut kernels[to];
                let item = target.items.binary_search(&(rule, dot + 1)).expect("the item moved over");
                if target.lookahead[item] | set != target.lookahead[item] {
                    target.lookahead[item] |= set;
                    if !std::mem::replace(&mut queued[to], true) {
                        pending.push(to);
                    }
                }
            }
        }
    }

    fn state(&self, kernel: &Kernel, token_prec: &[Option<Prec>]) -> State {
        let mut actions = vec![Action::Default; self.grammar.terminals];
        let mut gotos = vec![0; self.grammar.nonterminals];
        for &(symbol, next) in &kernel.next {
            match self.nonterminal(symbol) {
                Some(n) => gotos[n] = next as u16,
                None => actions[symbol] = Action::Shift(next as u16),
            }
        }
        for ((rule, dot), set) in self.lookaheads(kernel) {
            if (dot as usize) < self.rhs(rule).len() {
                continue;
            }
            for terminal in (0..self.grammar.terminals).filter(|t| set >> t & 1 == 1) {
                actions[terminal] = self.resolve(actions[terminal], rule, token_prec[terminal]);
            }
        }
        let default = default_reduction(&actions);
        for action in &mut actions {
            if default.is_some_and(|rule| *action == Action::Reduce(rule)) {
                *action = Action::Default;
            }
        }
        let looks_ahead = actions.iter().any(|&action| action != Action::Default);
        State { actions, gotos, default, looks_ahead }
    }

    /// What to do where `rule` could be reduced and `present` is what is known already.
    fn resolve(&self, present: Action, rule: u16, token: Option<Prec>) -> Action {
        if rule == 0 {
            return Action::Accept;
        }
        match present {
            Action::Default => Action::Reduce(rule),
            Action::Reduce(earlier) => Action::Reduce(earlier.min(rule)),
            Action::Accept => Action::Accept,
            Action::Shift(_) | Action::Fail => {
                let (Some(rule_prec), Some(token)) = (self.grammar.shapes[rule as usize - 1].prec, token)
                else {
                    return present;
                };
                match rule_prec.level.cmp(&token.level) {
                    std::cmp::Ordering::Less => present,
                    std::cmp::Ordering::Greater => Action::Reduce(rule),
                    std::cmp::Ordering::Equal => match token.assoc {
                        Assoc::Left => Action::Reduce(rule),
                        Assoc::Right => present,
                        Assoc::None => Action::Fail,
                    },
                }
            }
        }
    }
}

/// The reduction that stands for the most terminals, the first of equals; none where `error` can be shifted.
fn default_reduction(actions: &[Action]) -> Option<u16> {
    if matches!(actions[ERROR], Action::Shift(_)) {
        return None;
    }
    let count = |rule| actions.iter().filter(|&&action| action == Action::Reduce(rule)).count();
    let mut best = None;
    for action in actions {
        if let Action::Reduce(rule) = *action
            && best.is_none_or(|(most, _)| count(rule) > most)
        {
            best = Some((count(rule), rule));
        }
    }
    best.map(|(_, rule)| rule)
}
