//! What Linux counts of a process and its children: CPU time and memory, from `/proc`.

use std::fs;

/// What is read of `/proc/PID/stat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    /// User and system time of all its threads, ended ones included, in clock ticks.
    ticks: u64,
}

/// CPU time of a process and its living descendants so far, in microseconds.
pub fn cpu_us(process: u32) -> f64 {
    let ticks: u64 = family(process).iter().map(|(_, stat)| stat.ticks).sum();
    ticks as f64 * 1e6 / rustix::param::clock_ticks_per_second() as f64
}

/// The most memory that a process and its descendants have had, each, summed up: MiB. Pages that they share are
/// counted in each.
pub fn peak_rss_mib(process: u32) -> f64 {
    memory_mib(process, "VmHWM")
}

/// The memory that they have now: MiB.
pub fn rss_mib(process: u32) -> f64 {
    memory_mib(process, "VmRSS")
}

fn memory_mib(process: u32, field: &str) -> f64 {
    let kib: u64 = family(process)
        .iter()
        .filter_map(|(id, _)| fs::read_to_string(format!("/proc/{id}/status")).ok())
        .filter_map(|status| status_kib(&status, field))
        .sum();
    kib as f64 / 1024.0
}

/// A process and its descendants.
fn family(process: u32) -> Vec<(u32, Stat)> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let all: Vec<(u32, Stat)> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|id: u32| {
            // A process that has ended meanwhile has no file any more.
            let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            Some((id, stat(&text)?))
        })
        .collect();
    let mut family: Vec<(u32, Stat)> = all
        .iter()
        .filter(|(id, _)| *id == process)
        .copied()
        .collect();
    let mut next = 0;
    while next < family.len() {
        let (parent, _) = family[next];
        family.extend(all.iter().filter(|(_, stat)| stat.parent == parent));
        next += 1;
    }
    family
}

/// Reads a line of `proc_pid_stat(5)`.
fn stat(text: &str) -> Option<Stat> {
    // The second field is the program's name in parentheses, which may itself contain spaces and parentheses.
    let (_, rest) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(Stat {
        parent: field(4)?.try_into().ok()?,
        ticks: field(14)? + field(15)?,
    })
}

/// A field of `proc_pid_status(5)` in kB.
fn status_kib(text: &str, field: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    let value = line.strip_prefix(':')?.trim();
    value.strip_suffix("kB")?.trim_end().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_shifts_no_field() {
        let line = "4242 (nginx: (worker) x) S 17 4242 4242 0 -1 4194560 1500 0 3 0 120 34 0 0 20 0 1 0 900 1 2";
        let expected = Stat {
            parent: 17,
            ticks: 154,
        };
        assert_eq!(stat(line), Some(expected));
        assert_eq!(stat("4242 (cut"), None);
        assert_eq!(stat("4242 (cut) S 17 1"), None);
    }

    #[test]
    fn memory_is_read_by_its_field() {
        let status = "Name:\tcaddy\nVmHWM:\t   63488 kB\nVmRSS:\t   60000 kB\n";
        assert_eq!(status_kib(status, "VmHWM"), Some(63_488));
        assert_eq!(status_kib(status, "VmRSS"), Some(60_000));
        assert_eq!(status_kib(status, "VmSwap"), None);
    }

    #[test]
    fn this_process_has_memory_and_parents_have_children() {
        let own = std::process::id();
        // Other tests of this process need more meanwhile, so the peak is read last.
        let now = rss_mib(own);
        assert!(now > 0.0);
        assert!(peak_rss_mib(own) >= now);
        let mut child = std::process::Command::new("sleep")
            .arg("5")
            .spawn()
            .expect("sleep runs");
        let ids: Vec<u32> = family(own).iter().map(|(id, _)| *id).collect();
        let found = ids.contains(&child.id());
        child.kill().expect("a child of ours");
        child.wait().expect("a child of ours");
        assert!(found, "{ids:?}");
    }
}
