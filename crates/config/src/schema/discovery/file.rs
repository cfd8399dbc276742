//! Target groups in files.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::{Schema, field};
use crate::section::Section as Mapping;

pub(crate) static SD: Schema = Schema::new(
    "file.SDConfig",
    "file.plain",
    Some(check),
    &[field("files", List(&Path)).always(), field("refresh_interval", Duration).or_ms(300_000)],
);

fn check(section: &mut Mapping, report: &mut Report) {
    if section.list("files").is_empty() {
        let message = "file service discovery config must contain at least one path name";
        return report.rule(section.mark("files"), message);
    }
    for path in section.strings("files") {
        let typed =
            [".json", ".yml", ".yaml", ".JSON", ".YML", ".YAML"].iter().any(|end| path.ends_with(end));
        let starred = path.find('*').is_some_and(|at| path[at..].contains('/'));
        if !typed || starred {
            let message = format!("path name {} is not valid for file discovery", gomath::quote(&path));
            let hint = "the name ends in .json, .yml or .yaml; a * may stand in its last part only";
            return report.rule_with_hint(section.mark("files"), message, hint);
        }
    }
}
