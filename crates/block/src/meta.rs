//! `meta.json`: what a block says of itself.

use std::path::Path;

use env::Fs;
use serde_json::{Map, Value, json};

use crate::{Error, Ulid};

/// Name of the file inside the block.
pub const META_FILE: &str = "meta.json";
/// A meta.json is some hundred bytes; sources and parents of a large compaction some more.
const META_LEN_MAX: u64 = 16 << 20;

/// The hint on a block of out-of-order samples.
pub const HINT_FROM_OUT_OF_ORDER: &str = "from-out-of-order";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockMeta {
    pub ulid: Ulid,
    /// First millisecond of the block, inclusive.
    pub min_time: i64,
    /// End of the block, **exclusive**.
    pub max_time: i64,
    pub stats: BlockStats,
    pub compaction: Compaction,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockStats {
    pub num_samples: u64,
    pub num_float_samples: u64,
    pub num_histogram_samples: u64,
    pub num_series: u64,
    pub num_chunks: u64,
    pub num_tombstones: u64,
}

/// How the block came to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compaction {
    /// 1 for a block cut from the head.
    pub level: u32,
    /// The head blocks whose samples are in it.
    pub sources: Vec<Ulid>,
    /// Every sample is gone: delete the block at the next reload.
    pub deletable: bool,
    /// The blocks it was made from.
    pub parents: Vec<BlockDesc>,
    pub failed: bool,
    /// Sorted.
    pub hints: Vec<String>,
}

/// A block by name and time; `max_time` exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockDesc {
    pub ulid: Ulid,
    pub min_time: i64,
    pub max_time: i64,
}

impl BlockMeta {
    /// Reads the file of the block in `dir`. Unknown fields are left aside, as Prometheus does.
    pub fn read(fs: &dyn Fs, dir: &Path) -> Result<BlockMeta, Error> {
        let path = dir.join(META_FILE);
        let bytes = fs.read(&path, META_LEN_MAX).map_err(Error::io(&path))?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|e| Error::corrupt(&path, 0, e))?;
        Self::from_json(&value).map_err(|what| Error::corrupt(&path, 0, what))
    }

    /// Replaces the file of the block in `dir`; old or new survives a crash.
    pub fn write(&self, fs: &dyn Fs, dir: &Path) -> Result<(), Error> {
        let path = dir.join(META_FILE);
        fs.write_atomic(&path, self.to_text().as_bytes()).map_err(Error::io(&path))
    }

    fn from_json(value: &Value) -> Result<BlockMeta, String> {
        match value.get("version").and_then(Value::as_i64) {
            Some(1) => {}
            found => return Err(format!("meta version {found:?}, known is 1")),
        }
        let stats = value.get("stats").unwrap_or(&Value::Null);
        let count = |name: &str| stats.get(name).and_then(Value::as_u64).unwrap_or(0);
        let compaction = value.get("compaction").unwrap_or(&Value::Null);
        let list = |name: &str| compaction.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let flag = |name: &str| compaction.get(name).and_then(Value::as_bool).unwrap_or(false);
        Ok(BlockMeta {
            ulid: ulid(value.get("ulid"))?,
            min_time: time(value, "minTime")?,
            max_time: time(value, "maxTime")?,
            stats: BlockStats {
                num_samples: count("numSamples"),
                num_float_samples: count("numFloatSamples"),
                num_histogram_samples: count("numHistogramSamples"),
                num_series: count("numSeries"),
                num_chunks: count("numChunks"),
                num_tombstones: count("numTombstones"),
            },
            compaction: Compaction {
                level: compaction.get("level").and_then(Value::as_u64).unwrap_or(0) as u32,
                sources: list("sources").iter().map(|u| ulid(Some(u))).collect::<Result<_, _>>()?,
                deletable: flag("deletable"),
                parents: list("parents")
                    .iter()
                    .map(|p| {
                        Ok(BlockDesc {
                            ulid: ulid(p.get("ulid"))?,
                            min_time: time(p, "minTime")?,
                            max_time: time(p, "maxTime")?,
                        })
                    })
                    .collect::<Result<_, String>>()?,
                failed: flag("failed"),
                hints: list("hints").iter().filter_map(Value::as_str).map(str::to_string).collect(),
            },
        })
    }

    fn to_json(&self) -> Value {
        let mut stats = Map::new();
        for (name, count) in [
            ("numSamples", self.stats.num_samples),
            ("numFloatSamples", self.stats.num_float_samples),
            ("numHistogramSamples", self.stats.num_histogram_samples),
            ("numSeries", self.stats.num_series),
            ("numChunks", self.stats.num_chunks),
            ("numTombstones", self.stats.num_tombstones),
        ] {
            if count > 0 {
                stats.insert(name.to_string(), json!(count));
            }
        }
        let c = &self.compaction;
        let mut compaction = Map::new();
        compaction.insert("level".to_string(), json!(c.level));
        if !c.sources.is_empty() {
            let sources: Vec<String> = c.sources.iter().map(Ulid::to_string).collect();
            compaction.insert("sources".to_string(), json!(sources));
        }
        if c.deletable {
            compaction.insert("deletable".to_string(), json!(true));
        }
        if !c.parents.is_empty() {
            let parents: Vec<Value> = c
                .parents
                .iter()
                .map(|p| json!({"ulid": p.ulid.to_string(), "minTime": p.min_time, "maxTime": p.max_time}))
                .collect();
            compaction.insert("parents".to_string(), Value::Array(parents));
        }
        if c.failed {
            compaction.insert("failed".to_string(), json!(true));
        }
        if !c.hints.is_empty() {
            compaction.insert("hints".to_string(), json!(c.hints));
        }
        json!({
            "ulid": self.ulid.to_string(),
            "minTime": self.min_time,
            "maxTime": self.max_time,
            "stats": stats,
            "compaction": compaction,
            "version": 1,
        })
    }

    /// The file's text.
    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string_pretty(&self.to_json()).expect("strings and numbers always print")
    }
}

fn ulid(value: Option<&Value>) -> Result<Ulid, String> {
    let text = value.and_then(Value::as_str).ok_or("a ulid is missing")?;
    text.parse().map_err(|e| format!("{text:?}: {e}"))
}

fn time(value: &Value, name: &str) -> Result<i64, String> {
    value.get(name).and_then(Value::as_i64).ok_or_else(|| format!("{name} is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_comes_back() {
        let meta = BlockMeta {
            ulid: Ulid(5),
            min_time: -3,
            max_time: 7_200_000,
            stats: BlockStats {
                num_samples: 10,
                num_float_samples: 10,
                num_series: 2,
                ..BlockStats::default()
            },
            compaction: Compaction {
                level: 2,
                sources: vec![Ulid(1), Ulid(2)],
                deletable: true,
                parents: vec![BlockDesc { ulid: Ulid(1), min_time: 0, max_time: 5 }],
                failed: true,
                hints: vec![HINT_FROM_OUT_OF_ORDER.to_string()],
            },
        };
        assert_eq!(BlockMeta::from_json(&meta.to_json()), Ok(meta.clone()));
        let bare = BlockMeta { ulid: Ulid(5), ..BlockMeta::default() };
        assert_eq!(BlockMeta::from_json(&bare.to_json()), Ok(bare));
    }

    #[test]
    fn damage_is_named() {
        let fs = env::MemFs::new();
        fs.create_dir_all(Path::new("b")).expect("mkdir");
        fs.write_atomic(Path::new("b/meta.json"), b"{\"version\":2}").expect("write");
        let error = BlockMeta::read(&fs, Path::new("b")).expect_err("version 2");
        assert_eq!(error.to_string(), "b/meta.json: damaged at byte 0: meta version Some(2), known is 1");
    }
}
