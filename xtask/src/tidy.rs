//! What a reader may rely on anywhere in the tree.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::layers::{self, Layer};

/// A file is one noun; past this it is split, unless it is a table.
const FILE_LINES_MAX: usize = 1_000;
/// Crates that may hold `unsafe`.
const UNSAFE_ROOMS: [&str; 2] = ["codec", "env"];
/// Layers 0 to 3 are synchronous and deterministic.
const FIRST_ASYNC_LAYER: u32 = 4;

pub fn run(root: &Path) -> Result<String, Vec<String>> {
    let mut problems = Vec::new();
    let layers = layers::read(root).map_err(|why| vec![why])?;
    check_imports(root, &layers, &mut problems);
    let files = tracked_files(root).map_err(|why| vec![why])?;
    for file in &files {
        check_file(root, file, &mut problems);
    }
    if problems.is_empty() {
        let crates: usize = layers.iter().map(|layer| layer.crates.len()).sum();
        Ok(format!("tidy: {crates} crates on {} floors, {} files", layers.len(), files.len()))
    } else {
        Err(problems)
    }
}

fn check_imports(root: &Path, layers: &[Layer], problems: &mut Vec<String>) {
    let mut floor_of = BTreeMap::new();
    for layer in layers {
        for room in &layer.crates {
            floor_of.insert(room.name.as_str(), layer.number);
        }
    }
    for layer in layers {
        for room in &layer.crates {
            for import in &room.may_import {
                match floor_of.get(import.as_str()) {
                    None => problems
                        .push(format!("layers.toml: {} may import {import}, which no layer has", room.name)),
                    Some(floor) if *floor > layer.number => {
                        problems.push(format!(
                            "layers.toml: {} (layer {}) may not import {import} (layer {floor}): imports go down",
                            room.name, layer.number
                        ));
                    }
                    Some(_) => {}
                }
            }
        }
    }
    let packages = match metadata(root) {
        Ok(packages) => packages,
        Err(why) => return problems.push(why),
    };
    for package in &packages {
        if package.name == "xtask" {
            continue;
        }
        let Some(floor) = floor_of.get(package.name.as_str()) else {
            problems.push(format!("crate {} has no floor in xtask/layers.toml", package.name));
            continue;
        };
        let room = layers.iter().flat_map(|l| &l.crates).find(|r| r.name == package.name);
        let allowed = room.map(|room| room.may_import.as_slice()).unwrap_or_default();
        for (import, dev_only) in &package.imports {
            let inside = floor_of.contains_key(import.as_str());
            if inside && !dev_only && !allowed.contains(import) {
                problems.push(format!(
                    "crates/{}/Cargo.toml imports {import}, which xtask/layers.toml does not allow",
                    package.name
                ));
            }
            if import == "tokio" && *floor < FIRST_ASYNC_LAYER && !dev_only {
                problems.push(format!("crates/{}: tokio starts at layer {FIRST_ASYNC_LAYER}", package.name));
            }
        }
    }
    for name in floor_of.keys() {
        if !packages.iter().any(|package| package.name == **name) {
            problems.push(format!("xtask/layers.toml names {name}, which is no crate"));
        }
    }
}

struct Package {
    name: String,
    /// Name, and whether tests alone import it.
    imports: Vec<(String, bool)>,
}

fn metadata(root: &Path) -> Result<Vec<Package>, String> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(root)
        .output()
        .map_err(|why| format!("cargo metadata: {why}"))?;
    let tree: serde_json::Value = serde_json::from_slice(&output.stdout)
        .map_err(|why| format!("cargo metadata: {why}: {}", String::from_utf8_lossy(&output.stderr)))?;
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_string();
    let packages = tree["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(packages
        .iter()
        .map(|package| Package {
            name: text(&package["name"]),
            imports: package["dependencies"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default()
                .iter()
                .map(|import| (text(&import["name"]), import["kind"] == "dev"))
                .collect(),
        })
        .collect())
}

/// Files git tracks or would track.
pub fn tracked_files(root: &Path) -> Result<Vec<PathBuf>, String> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .map_err(|why| format!("git ls-files: {why}"))?;
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(names
        .split('\0')
        .filter(|n| !n.is_empty())
        .map(PathBuf::from)
        .filter(|n| root.join(n).is_file())
        .collect())
}

fn check_file(root: &Path, file: &Path, problems: &mut Vec<String>) {
    let shown = file.display();
    let Ok(text) = std::fs::read_to_string(root.join(file)) else {
        return; // A picture or other data.
    };
    let is_rust = file.extension().is_some_and(|e| e == "rs");
    let own = file.starts_with("xtask");
    if is_rust {
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX && !text.contains("tidy: table") {
            problems.push(format!("{shown}: {lines} lines; split it by concept (limit {FILE_LINES_MAX})"));
        }
        let head = text.trim_start();
        let is_root = file.ends_with("src/lib.rs") || file.ends_with("src/main.rs");
        let opens = ["//!", "#![doc = include_str!"].iter().any(|opening| head.starts_with(opening));
        if is_root && !opens {
            problems.push(format!("{shown}: a crate opens with what it is (//!)"));
        }
    }
    let room =
        file.components().nth(1).map(|c| c.as_os_str().to_string_lossy().into_owned()).unwrap_or_default();
    for (at, line) in text.lines().enumerate() {
        let place = format!("{shown}:{}", at + 1);
        if is_rust && !own {
            let code = line.split("//").next().unwrap_or("");
            for word in ["todo!(", "unimplemented!(", "dbg!(", "#[ignore"] {
                if code.contains(word) {
                    problems.push(format!("{place}: {word} is a promise left open"));
                }
            }
            if code.contains("allow(unsafe_code)") && !UNSAFE_ROOMS.contains(&room.as_str()) {
                problems.push(format!("{place}: unsafe code lives in {UNSAFE_ROOMS:?} only"));
            }
            if code.contains("allow(dead_code)") {
                problems.push(format!("{place}: dead code is deleted, not allowed"));
            }
        }
        if !own && line.len() > 400 && is_rust {
            problems.push(format!("{place}: a line of {} bytes", line.len()));
        }
    }
}
