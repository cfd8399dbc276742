//! `node_pressure_*`: seconds lost waiting for processor, disk, memory, interrupts.

use exposition::{MetricType, Page};

use crate::host::at;
use crate::{CollectError, Collector, Host};

#[derive(Default)]
pub(crate) struct PressureCollector {
    buf: Vec<u8>,
}

/// One family, named after the `some` or the `full` line of a resource.
struct Told {
    resource: &'static str,
    is_full: bool,
    name: &'static str,
    help: &'static str,
}

const TOLD: [Told; 6] = [
    Told {
        resource: "cpu",
        is_full: false,
        name: "node_pressure_cpu_waiting_seconds_total",
        help: "Total time in seconds that processes have waited for CPU time",
    },
    Told {
        resource: "io",
        is_full: false,
        name: "node_pressure_io_waiting_seconds_total",
        help: "Total time in seconds that processes have waited due to IO congestion",
    },
    Told {
        resource: "io",
        is_full: true,
        name: "node_pressure_io_stalled_seconds_total",
        help: "Total time in seconds no process could make progress due to IO congestion",
    },
    Told {
        resource: "memory",
        is_full: false,
        name: "node_pressure_memory_waiting_seconds_total",
        help: "Total time in seconds that processes have waited for memory",
    },
    Told {
        resource: "memory",
        is_full: true,
        name: "node_pressure_memory_stalled_seconds_total",
        help: "Total time in seconds no process could make progress due to memory congestion",
    },
    Told {
        resource: "irq",
        is_full: true,
        name: "node_pressure_irq_stalled_seconds_total",
        help: "Total time in seconds no process could make progress due to IRQ congestion",
    },
];

/// The kernel has the files and was started without `psi=1`.
const EOPNOTSUPP: i32 = 95;

impl Collector for PressureCollector {
    fn update(&mut self, host: &Host, page: &mut Page) -> Result<(), CollectError> {
        let mut found = false;
        for resource in ["cpu", "io", "memory", "irq"] {
            let path = host.proc("pressure").join(resource);
            match host.read(&path, &mut self.buf) {
                // Kernels before 4.20, those without PSI, and irq before 6.1.
                Err(e) if e.is_absent() => continue,
                Err(CollectError::Io { source, .. }) if source.raw_os_error() == Some(EOPNOTSUPP) => {
                    return Err(CollectError::NoData(
                        "pressure information is off, start the kernel with psi=1",
                    ));
                }
                other => other?,
            }
            let pressure = procfs::pressure::parse(&self.buf).map_err(at(&path))?;
            for told in TOLD.iter().filter(|told| told.resource == resource) {
                let micros = if told.is_full { pressure.full } else { pressure.some };
                let micros = micros.ok_or(CollectError::NoData("pressure information lacks a line"))?;
                let seconds = micros as f64 / 1000.0 / 1000.0;
                page.family(told.name, MetricType::Counter, told.help).sample(&[], seconds);
            }
            found = true;
        }
        if found { Ok(()) } else { Err(CollectError::NoData("this kernel has no pressure information")) }
    }
}
