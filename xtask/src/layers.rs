//! `layers.toml`: which crate lives on which floor and what it may import.
//!
//! The file keeps to the few shapes read here (tables of arrays, numbers, strings, arrays of strings on one line), so
//! no TOML library is needed; anything else is refused with its line.

use std::path::Path;

pub struct Layer {
    pub number: u32,
    pub name: String,
    pub crates: Vec<Room>,
}

pub struct Room {
    pub name: String,
    pub may_import: Vec<String>,
}

pub fn read(root: &Path) -> Result<Vec<Layer>, String> {
    let path = root.join("xtask/layers.toml");
    let text = std::fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))?;
    let mut layers: Vec<Layer> = Vec::new();
    let mut in_room = false;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        let wrong = |what: &str| format!("xtask/layers.toml:{}: {what}: {line}", at + 1);
        match line.split_once('=').map(|(key, value)| (key.trim(), value.trim())) {
            None if line.is_empty() || line.starts_with('#') => {}
            None if line == "[[layer]]" => {
                in_room = false;
                layers.push(Layer { number: u32::MAX, name: String::new(), crates: Vec::new() });
            }
            None if line == "[[layer.crate]]" => {
                in_room = true;
                let layer = layers.last_mut().ok_or_else(|| wrong("a crate before any layer"))?;
                layer.crates.push(Room { name: String::new(), may_import: Vec::new() });
            }
            Some((key, value)) => {
                let layer = layers.last_mut().ok_or_else(|| wrong("a value before any layer"))?;
                let room = layer.crates.last_mut().filter(|_| in_room);
                match (key, room) {
                    ("number", None) => layer.number = value.parse().map_err(|_| wrong("not a number"))?,
                    ("name", None) => layer.name = unquote(value),
                    ("name", Some(room)) => room.name = unquote(value),
                    ("may_import", Some(room)) => {
                        let inner = value.trim_start_matches('[').trim_end_matches(']');
                        room.may_import = inner.split(',').map(unquote).filter(|n| !n.is_empty()).collect();
                    }
                    _ => return Err(wrong("unknown key")),
                }
            }
            None => return Err(wrong("not understood")),
        }
    }
    Ok(layers)
}

fn unquote(text: &str) -> String {
    text.trim().trim_matches('"').to_string()
}
