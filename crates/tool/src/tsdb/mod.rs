//! `twinfire tool tsdb`: looks at a data directory. Reads only, whoever has it open.

mod list;

use std::path::Path;

use env::real::RealFs;

const HELP: &str = "\
usage: twinfire tool tsdb list [DB_PATH]

Lists the blocks of a data directory (default data/), as promtool does. Reads only.
Exit 0: listed. 1: the directory or a block cannot be read. 2: the command line is wrong.
";

const FAILED: u8 = 1;
const USAGE: u8 = 2;

/// Runs the command; the exit code.
pub fn main(args: &[String]) -> u8 {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    if words.iter().any(|word| matches!(*word, "--help" | "-h")) {
        print!("{HELP}");
        return 0;
    }
    let path = match words.as_slice() {
        ["list"] => "data/",
        ["list", path] if !path.starts_with('-') => *path,
        _ => {
            eprintln!(
                "twinfire tool tsdb: not supported: {}\n    hint: `twinfire tool tsdb list [DB_PATH]`",
                words.join(" ")
            );
            return USAGE;
        }
    };
    match list::table(&RealFs, Path::new(path)) {
        Ok(table) => {
            print!("{table}");
            0
        }
        Err(why) => {
            eprintln!("twinfire tool tsdb list: {why}\n    hint: the path is that of --storage.tsdb.path");
            FAILED
        }
    }
}
