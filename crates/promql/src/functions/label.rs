//! `label_replace` and `label_join`.

use model::{Labels, METRIC_NAME};

use crate::plan::LabelFunction;
use crate::row::Row;

impl LabelFunction {
    fn target(&self) -> &str {
        match self {
            LabelFunction::Replace { target, .. } | LabelFunction::Join { target, .. } => target,
        }
    }

    /// Rewrites the labels of one series. A name given here is meant to stay.
    pub fn apply(&self, row: &mut Row) {
        let Some(value) = self.value(&row.labels) else { return };
        let mut labels = row.labels.to_builder();
        labels.set(self.target(), &value);
        row.labels = labels.labels();
        if self.target() == METRIC_NAME {
            row.drop_name = false;
        }
    }

    /// The new value of the target; `None` leaves the series as it is.
    fn value(&self, labels: &Labels) -> Option<String> {
        match self {
            LabelFunction::Replace { template, source, regex, .. } => {
                let captures = regex.captures(labels.get(source).unwrap_or(""))?;
                let mut value = String::new();
                captures.expand(template, &mut value);
                Some(value)
            }
            LabelFunction::Join { separator, sources, .. } => {
                let values: Vec<&str> = sources.iter().map(|name| labels.get(name).unwrap_or("")).collect();
                Some(values.join(separator))
            }
        }
    }
}
