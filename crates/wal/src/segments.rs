//! Which files of a directory are the log.

use std::path::{Path, PathBuf};

use env::Fs;

use crate::Error;

/// The name of a segment.
pub fn segment_path(dir: &Path, index: u64) -> PathBuf {
    dir.join(format!("{index:08}"))
}

/// The name of a checkpoint that covers segments up to `index`.
pub fn checkpoint_path(dir: &Path, index: u64) -> PathBuf {
    dir.join(format!("checkpoint.{index:08}"))
}

/// Numbers of the segments in `dir`, ascending; a directory that is not there has none.
pub fn list_segments(fs: &dyn Fs, dir: &Path) -> Result<Vec<u64>, Error> {
    let mut found: Vec<u64> = names(fs, dir, false)?.iter().filter_map(|name| number(name)).collect();
    found.sort_unstable();
    Ok(found)
}

/// Numbers of the finished checkpoints in `dir`, ascending.
pub fn list_checkpoints(fs: &dyn Fs, dir: &Path) -> Result<Vec<u64>, Error> {
    let mut found: Vec<u64> =
        names(fs, dir, true)?.iter().filter_map(|name| number(name.strip_prefix("checkpoint.")?)).collect();
    found.sort_unstable();
    Ok(found)
}

/// Names of checkpoints that were never finished.
pub(crate) fn list_unfinished(fs: &dyn Fs, dir: &Path) -> Result<Vec<String>, Error> {
    let is_tmp = |name: &String| name.starts_with("checkpoint.") && name.ends_with(".tmp");
    Ok(names(fs, dir, true)?.into_iter().filter(is_tmp).collect())
}

/// The whole log in reading order: segments of the newest checkpoint, then those behind it.
pub fn log_files(fs: &dyn Fs, dir: &Path) -> Result<Vec<(PathBuf, u64)>, Error> {
    let mut files = Vec::new();
    let checkpoint = list_checkpoints(fs, dir)?.pop();
    if let Some(index) = checkpoint {
        let dir = checkpoint_path(dir, index);
        files.extend(list_segments(fs, &dir)?.into_iter().map(|i| (segment_path(&dir, i), i)));
    }
    let behind = list_segments(fs, dir)?.into_iter().filter(|&i| checkpoint.is_none_or(|c| i > c));
    files.extend(behind.map(|i| (segment_path(dir, i), i)));
    Ok(files)
}

/// The number the next segment gets.
pub fn next_index(fs: &dyn Fs, dir: &Path) -> Result<u64, Error> {
    let last = list_segments(fs, dir)?.pop();
    let covered = list_checkpoints(fs, dir)?.pop();
    Ok(last.max(covered).map_or(0, |i| i + 1))
}

fn number(name: &str) -> Option<u64> {
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    name.parse().ok()
}

fn names(fs: &dyn Fs, dir: &Path, dirs: bool) -> Result<Vec<String>, Error> {
    match fs.read_dir(dir) {
        Ok(entries) => Ok(entries.into_iter().filter(|e| e.is_dir == dirs).map(|e| e.name).collect()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(Error::io("list log directory", dir, e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use env::MemFs;

    fn setup(files: &[&str]) -> MemFs {
        let fs = MemFs::new();
        for file in files {
            let path = Path::new(file);
            fs.create_dir_all(path.parent().unwrap()).unwrap();
            fs.create(path).unwrap();
        }
        fs
    }

    #[test]
    fn the_log_is_the_newest_checkpoint_and_what_follows_it() {
        let fs = setup(&[
            "w/00000003",
            "w/00000004",
            "w/00000005",
            "w/00000003.damaged-1",
            "w/checkpoint.00000001/00000000",
            "w/checkpoint.00000003/00000000",
            "w/checkpoint.00000003/00000001",
            "w/checkpoint.00000009.tmp/00000000",
        ]);
        let files = log_files(&fs, Path::new("w")).unwrap();
        let files: Vec<_> = files.iter().map(|(p, _)| p.to_str().unwrap()).collect();
        assert_eq!(
            files,
            ["w/checkpoint.00000003/00000000", "w/checkpoint.00000003/00000001", "w/00000004", "w/00000005"]
        );
        assert_eq!(list_unfinished(&fs, Path::new("w")).unwrap(), ["checkpoint.00000009.tmp"]);
        assert_eq!(next_index(&fs, Path::new("w")).unwrap(), 6);
    }

    #[test]
    fn numbers_go_on_behind_a_lone_checkpoint() {
        let fs = setup(&["w/checkpoint.00000007/00000000"]);
        assert_eq!(next_index(&fs, Path::new("w")).unwrap(), 8);
        assert_eq!(next_index(&fs, Path::new("absent")).unwrap(), 0);
    }
}
