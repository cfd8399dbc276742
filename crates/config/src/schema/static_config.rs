//! A group of targets named in the file.

use super::Kind::*;
use super::{Schema, field};

pub(crate) static TARGET_GROUP: Schema = Schema::new(
    "targetgroup.Group",
    r#"struct { Targets []string "yaml:\"targets\""; Labels model.LabelSet "yaml:\"labels\"" }"#,
    None,
    &[field("targets", List(&Str)).or(super::Default::EmptyList).always(), field("labels", LabelSet)],
);
