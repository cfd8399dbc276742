//! Which group a series belongs to.

use hashbrown::HashMap;
use model::{Labels, METRIC_NAME};

use crate::plan::Aggregate;

/// The groups seen so far, numbered from 0.
pub(super) struct Groups<'p> {
    names: &'p [String],
    without: bool,
    /// By the labels of the group, flattened.
    numbers: HashMap<Vec<u8>, usize, foldhash::fast::FixedState>,
    key: Vec<u8>,
    pub labels: Vec<Labels>,
    /// Some series of the group wants its name dropped later.
    pub drop_names: Vec<bool>,
}

impl<'p> Groups<'p> {
    pub fn new(plan: &'p Aggregate) -> Groups<'p> {
        Groups {
            names: &plan.grouping,
            without: plan.without,
            numbers: HashMap::default(),
            key: Vec::new(),
            labels: Vec::new(),
            drop_names: Vec::new(),
        }
    }

    /// Everything is one group, so nobody needs labels.
    pub fn is_single(plan: &Aggregate) -> bool {
        plan.grouping.is_empty() && !plan.without
    }

    /// The group of a series; a new one is the last.
    pub fn of(&mut self, labels: &Labels, drop_name: bool) -> usize {
        self.key.clear();
        for (name, value) in labels.iter().filter(|(name, _)| in_group(self.names, self.without, name)) {
            for text in [name, value] {
                self.key.extend_from_slice(&(text.len() as u32).to_le_bytes());
                self.key.extend_from_slice(text.as_bytes());
            }
        }
        if let Some(&number) = self.numbers.get(&self.key) {
            self.drop_names[number] |= drop_name;
            return number;
        }
        let number = self.labels.len();
        self.numbers.insert(self.key.clone(), number);
        self.labels.push(labels.filter(|name| in_group(self.names, self.without, name)));
        self.drop_names.push(drop_name);
        number
    }
}

/// Whether a label stays on the result.
fn in_group(names: &[String], without: bool, name: &str) -> bool {
    let named = names.iter().any(|n| n == name);
    if without { !named && name != METRIC_NAME } else { named }
}
