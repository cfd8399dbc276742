//! `/proc/stat`: what the processors did since the start.

use crate::text::{ParseError, error, lines, unsigned, words};

/// Ticks a second in which the kernel counts for programs (USER_HZ), on every architecture Linux still has.
pub const TICKS_PER_SECOND: f64 = 100.0;

/// Interrupt vectors in the order of the `softirq` line.
pub const SOFTIRQS: [&str; 10] =
    ["hi", "timer", "net_tx", "net_rx", "block", "block_iopoll", "tasklet", "sched", "hrtimer", "rcu"];

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stat {
    pub cpus: Vec<Cpu>,
    pub interrupts: u64,
    pub context_switches: u64,
    /// Seconds since 1970.
    pub boot_time: u64,
    /// Processes created.
    pub processes: u64,
    pub procs_running: u64,
    pub procs_blocked: u64,
    /// As in [`SOFTIRQS`].
    pub softirqs: [u64; 10],
}

/// Seconds one processor spent in each mode. `user` and `nice` contain `guest` and `guest_nice`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cpu {
    pub id: u32,
    pub user: f64,
    pub nice: f64,
    pub system: f64,
    pub idle: f64,
    pub iowait: f64,
    pub irq: f64,
    pub softirq: f64,
    pub steal: f64,
    pub guest: f64,
    pub guest_nice: f64,
}

/// Replaces the content of `out`. Modes an old kernel does not have stay 0.
pub fn parse(text: &[u8], out: &mut Stat) -> Result<(), ParseError> {
    out.cpus.clear();
    let mut cpus = std::mem::take(&mut out.cpus);
    *out = Stat::default();
    for (number, line) in lines(text) {
        let mut words = words(line);
        let Some(key) = words.next() else { continue };
        let wrong = |what: &str| error("stat", number, what, line);
        let mut value = || words.next().and_then(unsigned).ok_or_else(|| wrong("expected a number"));
        match key {
            b"intr" => out.interrupts = value()?,
            b"ctxt" => out.context_switches = value()?,
            b"btime" => out.boot_time = value()?,
            b"processes" => out.processes = value()?,
            b"procs_running" => out.procs_running = value()?,
            b"procs_blocked" => out.procs_blocked = value()?,
            b"softirq" => {
                let _total = value()?;
                for slot in &mut out.softirqs {
                    *slot = value()?;
                }
            }
            _ => {
                let Some(id) = key.strip_prefix(b"cpu").filter(|id| !id.is_empty()) else { continue };
                let id = unsigned(id)
                    .and_then(|id| u32::try_from(id).ok())
                    .ok_or_else(|| wrong("no processor"))?;
                let mut modes = [0.0; 10];
                for (slot, word) in modes.iter_mut().zip(words) {
                    *slot =
                        unsigned(word).ok_or_else(|| wrong("expected numbers"))? as f64 / TICKS_PER_SECOND;
                }
                let [user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice] = modes;
                cpus.push(Cpu {
                    id,
                    user,
                    nice,
                    system,
                    idle,
                    iowait,
                    irq,
                    softirq,
                    steal,
                    guest,
                    guest_nice,
                });
            }
        }
    }
    out.cpus = cpus;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_a_kernel() {
        let mut stat = Stat::default();
        let text = b"cpu  1 2 3\ncpu0 30118 1 2 3 4 5 6 7 8 9\ncpu3 100\nintr 8885917 17 0\nctxt 5\nbtime 1418183276\n\
            processes 7\nprocs_running 2\nprocs_blocked 1\nsoftirq 45 1 2 3 4 5 6 7 8 9 10\n";
        parse(text, &mut stat).unwrap();
        assert_eq!(stat.cpus.len(), 2);
        assert_eq!((stat.cpus[0].user, stat.cpus[0].guest_nice), (301.18, 0.09));
        assert_eq!((stat.cpus[1].id, stat.cpus[1].user, stat.cpus[1].idle), (3, 1.0, 0.0));
        assert_eq!((stat.interrupts, stat.boot_time, stat.softirqs[9]), (8_885_917, 1_418_183_276, 10));
        parse(b"", &mut stat).unwrap();
        assert_eq!(stat, Stat::default());
    }

    #[test]
    fn other_text_is_an_error_with_its_line() {
        let mut stat = Stat::default();
        for bad in ["ctxt x", "cpu0 1 x", "cpux 1", "softirq 1 2", "intr"] {
            let text = format!("\n{bad}\n");
            assert_eq!(parse(text.as_bytes(), &mut stat).unwrap_err().line, 2, "{bad}");
        }
    }
}
