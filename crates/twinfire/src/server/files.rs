//! The files a configuration names, on the real disk.

use std::path::{Path, PathBuf};

/// Reads relative to the working directory, as the configuration's paths were joined.
pub struct OnDisk;

impl config::Files for OnDisk {
    /// Patterns may hold wildcards in any segment. Sorted.
    fn glob(&self, pattern: &str) -> Result<Vec<String>, String> {
        let mut found = vec![PathBuf::from(if pattern.starts_with('/') { "/" } else { "" })];
        for segment in pattern.split('/').filter(|segment| !segment.is_empty()) {
            let wild = segment.contains(['*', '?', '[']);
            let mut next = Vec::new();
            for base in &found {
                if wild {
                    next.extend(matching_entries(base, segment));
                } else if base.join(segment).exists() {
                    next.push(base.join(segment));
                }
            }
            found = next;
        }
        let mut names: Vec<String> =
            found.into_iter().filter(|p| p.is_file()).map(|p| p.display().to_string()).collect();
        names.sort_unstable();
        Ok(names)
    }

    fn read(&self, path: &str) -> Result<String, String> {
        std::fs::read_to_string(path).map_err(|why| why.to_string())
    }

    fn absolute(&self, path: &str) -> String {
        std::path::absolute(path).map_or_else(|_| path.to_string(), |full| full.display().to_string())
    }
}

fn matching_entries(base: &Path, segment: &str) -> Vec<PathBuf> {
    let dir = if base.as_os_str().is_empty() { Path::new(".") } else { base };
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| config::glob_matches(segment, name))
        .map(|name| base.join(name))
        .collect()
}
