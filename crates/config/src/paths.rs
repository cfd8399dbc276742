//! Relative files: they are meant from the folder of the configuration file.

use crate::schema::Kind;
use crate::section::{Section, Value};

/// Joins every relative file of `section` with `folder`.
pub(crate) fn join(section: &mut Section, folder: &str) {
    let fields = section.schema.fields.iter();
    for (field, entry) in fields.zip(&mut section.entries) {
        join_value(&field.kind, &mut entry.value, folder);
    }
}

fn join_value(kind: &Kind, value: &mut Value, folder: &str) {
    match (kind, value) {
        (Kind::Path, Value::Str(path)) => *path = joined(folder, path),
        (Kind::Optional(inner), value) => join_value(inner, value, folder),
        (Kind::List(item), Value::List(items)) => {
            items.iter_mut().for_each(|value| join_value(item, value, folder));
        }
        (Kind::Map(inner) | Kind::InlineMap(inner), Value::Map(pairs)) => {
            pairs.iter_mut().for_each(|(_, value)| join_value(inner, value, folder));
        }
        (_, Value::Section(section)) => join(section, folder),
        _ => {}
    }
}

/// `path` from `folder`, without `.` and `..` where they can be resolved; empty and absolute ones unchanged.
pub fn joined(folder: &str, path: &str) -> String {
    if path.is_empty() || path.starts_with('/') {
        return path.to_string();
    }
    clean(&format!("{folder}/{path}"))
}

fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_string(),
        (false, false) => joined,
    }
}

/// The folder a file is in: `.` for a bare name.
pub(crate) fn folder_of(file: &str) -> String {
    match file.rsplit_once('/') {
        Some(("", _)) => "/".to_string(),
        Some((folder, _)) => clean(folder),
        None => ".".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_join_as_in_go() {
        assert_eq!(joined("testdata", "first.rules"), "testdata/first.rules");
        assert_eq!(joined("testdata", "/abs"), "/abs");
        assert_eq!(joined("testdata", ""), "");
        assert_eq!(joined(".", "a.yml"), "a.yml");
        assert_eq!(joined("/etc/prometheus", "../x/*.yml"), "/etc/x/*.yml");
        assert_eq!(joined("a", "../../b"), "../b");
        assert_eq!(folder_of("prometheus.yml"), ".");
        assert_eq!(folder_of("/prometheus.yml"), "/");
    }
}
