use std::io::ErrorKind;
use std::path::Path;

use super::{Crash, MemFs};
use crate::fs::Fs;
use crate::real::RealFs;

fn p(path: &str) -> &Path {
    Path::new(path)
}

fn content(fs: &dyn Fs, path: &str) -> Option<Vec<u8>> {
    fs.read(p(path), 1 << 20).ok()
}

fn put(fs: &dyn Fs, path: &str, bytes: &[u8]) {
    fs.create(p(path)).unwrap().write_all(bytes).unwrap();
}

/// Everything an engine relies on, on any implementation, below `root`.
fn behaves_like_a_disk(fs: &dyn Fs, root: &Path) {
    let at = |name: &str| root.join(name);
    fs.create_dir_all(&at("a/b")).unwrap();
    let mut w = fs.create(&at("a/f")).unwrap();
    w.write_all(b"hello world").unwrap();
    w.set_len(5).unwrap();
    w.write_all(b"!").unwrap();
    w.write_at(0, b"J").unwrap();
    assert_eq!(w.write_at(3, b"too far").unwrap_err().kind(), ErrorKind::InvalidInput);
    w.sync_handle().unwrap().sync_data().unwrap();
    let r = fs.open(&at("a/f")).unwrap();
    let mut buf = [0; 16];
    assert_eq!((r.len().unwrap(), r.read_at(1, &mut buf).unwrap()), (6, 5));
    assert_eq!(&buf[..5], b"ello!");
    assert_eq!(r.read_at(99, &mut buf).unwrap(), 0);
    assert_eq!(r.read_exact_at(4, &mut buf).unwrap_err().kind(), ErrorKind::UnexpectedEof);

    let mut again = fs.append(&at("a/f")).unwrap();
    again.write_all(b"?").unwrap();
    assert_eq!(fs.read(&at("a/f"), 100).unwrap(), b"Jello!?");
    assert_eq!(fs.read(&at("a/f"), 3).unwrap_err().kind(), ErrorKind::FileTooLarge);

    fs.hard_link(&at("a/f"), &at("a/g")).unwrap();
    assert_eq!(fs.hard_link(&at("a/f"), &at("a/g")).unwrap_err().kind(), ErrorKind::AlreadyExists);
    fs.rename(&at("a/f"), &at("a/b/f")).unwrap();
    fs.remove_file(&at("a/g")).unwrap();
    assert_eq!(fs.open(&at("a/g")).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(r.len().unwrap(), 7, "a handle outlives its name");

    let names: Vec<_> = fs.read_dir(&at("a")).unwrap().into_iter().map(|e| (e.name, e.is_dir)).collect();
    assert_eq!(names, [("b".to_owned(), true)]);
    assert_eq!(fs.remove_dir(&at("a")).unwrap_err().kind(), ErrorKind::DirectoryNotEmpty);
    fs.truncate(&at("a/b/f"), 2).unwrap();
    assert_eq!(fs.tree_len(&at("a")).unwrap(), 2);
    fs.write_atomic(&at("a/b/f"), b"new").unwrap();
    assert_eq!(fs.read(&at("a/b/f"), 100).unwrap(), b"new");
    assert!(!fs.exists(&at("a/b/f.tmp")) && fs.exists(&at("a/b")));

    let lock = fs.lock(&at("lock")).unwrap();
    assert_eq!(fs.lock(&at("lock")).unwrap_err().kind(), ErrorKind::WouldBlock);
    drop(lock);
    fs.lock(&at("lock")).unwrap();
    assert!(fs.space(root).unwrap().available > 0);
    fs.remove_dir_all(&at("a")).unwrap();
    assert!(!fs.exists(&at("a")));
}

#[test]
fn memory_behaves_like_a_disk() {
    behaves_like_a_disk(&MemFs::new(), p(""));
}

#[test]
fn this_machine_behaves_like_a_disk() {
    let root = std::env::temp_dir().join(format!("twinfire-env-{}", std::process::id()));
    std::fs::create_dir_all(&root).unwrap();
    behaves_like_a_disk(&RealFs, &root);
    std::fs::remove_dir_all(&root).unwrap();
}

#[test]
fn only_what_was_synced_survives_the_worst_crash() {
    let fs = MemFs::new();
    fs.create_dir_all(p("d")).unwrap();
    fs.sync_dir(p("")).unwrap();
    let mut w = fs.create(p("d/f")).unwrap();
    w.write_all(b"synced").unwrap();
    w.sync_data().unwrap();
    assert_eq!(content(&fs.crash(0, Crash::LoseUnsynced), "d/f"), None, "its name was not synced");
    fs.sync_dir(p("d")).unwrap();
    w.write_all(b", not").unwrap();
    assert_eq!(content(&fs.crash(0, Crash::LoseUnsynced), "d/f").unwrap(), b"synced");
    assert_eq!(content(&fs.crash(0, Crash::Process), "d/f").unwrap(), b"synced, not");
}

#[test]
fn a_torn_crash_keeps_a_prefix_or_zeros_and_never_hurts_synced_bytes() {
    let fs = MemFs::new();
    let mut w = fs.create(p("f")).unwrap();
    fs.sync_dir(p("")).unwrap();
    w.write_all(&[1; 100]).unwrap();
    w.sync_data().unwrap();
    w.write_all(&[2; 5000]).unwrap();
    w.write_all(&[3; 5000]).unwrap();
    let mut lens = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let data = content(&fs.crash(seed, Crash::Torn), "f").unwrap();
        assert_eq!(data, content(&fs.crash(seed, Crash::Torn), "f").unwrap(), "seed {seed} repeats");
        assert!(data[..100].iter().all(|&b| b == 1), "seed {seed}");
        let written = |i: usize| if i < 5100 { 2 } else { 3 };
        assert!(data[100..].iter().enumerate().all(|(i, &b)| b == 0 || b == written(i + 100)), "seed {seed}");
        lens.insert(data.len());
    }
    assert!(lens.len() > 20, "tears at many places: {lens:?}");
}

#[test]
fn a_rename_is_old_or_new_after_a_crash() {
    let fs = MemFs::new();
    put(&fs, "f", b"old");
    fs.append(p("f")).unwrap().sync_data().unwrap();
    fs.sync_dir(p("")).unwrap();
    put(&fs, "t", b"new");
    fs.append(p("t")).unwrap().sync_data().unwrap();
    fs.rename(p("t"), p("f")).unwrap();
    for seed in 0..50 {
        let found = content(&fs.crash(seed, Crash::Torn), "f").unwrap();
        assert!(found == b"old" || found == b"new", "seed {seed}: {found:?}");
    }
    fs.sync_dir(p("")).unwrap();
    assert_eq!(content(&fs.crash(0, Crash::LoseUnsynced), "f").unwrap(), b"new");
}

#[test]
fn a_full_disk_takes_what_fits() {
    let fs = MemFs::new();
    fs.set_capacity(10);
    let mut w = fs.create(p("f")).unwrap();
    let e = w.write_all(&[7; 12]).unwrap_err();
    assert_eq!((e.written, e.source.kind()), (10, ErrorKind::StorageFull));
    fs.remove_file(p("f")).unwrap();
    assert_eq!(fs.space(p("")).unwrap().available, 10);
}
