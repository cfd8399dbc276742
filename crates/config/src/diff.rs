//! What a new configuration changes, job by job: the plan of a reload.

use crate::{Resolved, ScrapeConfig};

/// Jobs by what happens to them. A renamed job is one that goes and one that comes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff<'c> {
    /// Only in the new configuration.
    pub added: Vec<&'c ScrapeConfig>,
    /// In both, with other settings: old and new.
    pub changed: Vec<(&'c ScrapeConfig, &'c ScrapeConfig)>,
    /// In both, the same: keep their loops and caches.
    pub unchanged: Vec<&'c ScrapeConfig>,
    /// Only in the old configuration.
    pub removed: Vec<&'c ScrapeConfig>,
    /// `external_labels` differ.
    pub external_labels: bool,
    /// The `storage` part differs.
    pub storage: bool,
}

impl Resolved {
    /// What changes when `self` is replaced by `new`.
    pub fn diff<'c>(&'c self, new: &'c Resolved) -> Diff<'c> {
        let mut diff = Diff {
            external_labels: self.config.global.external_labels != new.config.global.external_labels,
            storage: self.config.storage != new.config.storage,
            ..Diff::default()
        };
        let find = |jobs: &'c [ScrapeConfig], name: &str| jobs.iter().find(|job| job.job_name == name);
        for job in &new.scrape_configs {
            match find(&self.scrape_configs, &job.job_name) {
                None => diff.added.push(job),
                Some(old) if old == job => diff.unchanged.push(job),
                Some(old) => diff.changed.push((old, job)),
            }
        }
        let gone = |job: &&ScrapeConfig| find(&new.scrape_configs, &job.job_name).is_none();
        diff.removed = self.scrape_configs.iter().filter(gone).collect();
        diff
    }
}
