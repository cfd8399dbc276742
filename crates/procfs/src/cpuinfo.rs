//! `/proc/cpuinfo` of x86 processors.

use crate::text::{ParseError, error, float, lines, string, trimmed, unsigned};

/// One processor; empty where the kernel says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CpuInfo {
    pub processor: u64,
    pub vendor: String,
    pub family: String,
    pub model: String,
    pub model_name: String,
    pub stepping: String,
    pub microcode: String,
    pub mhz: f64,
    pub cache_size: String,
    /// The package it is in.
    pub physical_id: String,
    pub core_id: String,
    pub flags: Vec<String>,
    pub bugs: Vec<String>,
}

pub fn parse(text: &[u8]) -> Result<Vec<CpuInfo>, ParseError> {
    let mut cpus: Vec<CpuInfo> = Vec::new();
    for (number, line) in lines(text) {
        let Some(colon) = line.iter().position(|&b| b == b':') else { continue };
        let (key, value) = (trimmed(&line[..colon]), trimmed(&line[colon + 1..]));
        if key == b"processor" {
            let processor =
                unsigned(value).ok_or_else(|| error("cpuinfo", number, "expected a number", line))?;
            cpus.push(CpuInfo { processor, ..CpuInfo::default() });
            continue;
        }
        let Some(cpu) = cpus.last_mut() else { continue };
        let words = |value: &[u8]| string(value).split_ascii_whitespace().map(str::to_owned).collect();
        match key {
            b"vendor_id" | b"vendor" => cpu.vendor = string(value),
            b"cpu family" => cpu.family = string(value),
            b"model" => cpu.model = string(value),
            b"model name" => cpu.model_name = string(value),
            b"stepping" => cpu.stepping = string(value),
            b"microcode" => cpu.microcode = string(value),
            b"cpu MHz" => {
                cpu.mhz = float(value).ok_or_else(|| error("cpuinfo", number, "expected a number", line))?
            }
            b"cache size" => cpu.cache_size = string(value),
            b"physical id" => cpu.physical_id = string(value),
            b"core id" => cpu.core_id = string(value),
            b"flags" => cpu.flags = words(value),
            b"bugs" => cpu.bugs = words(value),
            _ => {}
        }
    }
    Ok(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_for_each_processor() {
        let text = b"processor\t: 0\nvendor_id\t: GenuineIntel\ncpu MHz\t\t: 799.998\nflags\t\t: fpu aes\n\nprocessor\t: 1\nbugs : mds\n";
        let cpus = parse(text).unwrap();
        assert_eq!((cpus.len(), cpus[0].mhz, cpus[0].vendor.as_str()), (2, 799.998, "GenuineIntel"));
        assert_eq!(
            (cpus[0].flags.clone(), cpus[1].bugs.clone()),
            (vec!["fpu".into(), "aes".into()], vec!["mds".into()])
        );
    }
}
