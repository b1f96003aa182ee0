//! The number of concurrent password hashes: bounded by cores and memory.

use std::{
    fs,
    num::NonZero,
    path::{Path, PathBuf},
    thread::available_parallelism,
};

use shared::config::{Reader, Setting, Vars, number};

/// The memory of one hash, in bytes: scrypt's 128 × r × N.
pub const HASH_BYTES: u64 = 32 << 20;

shared::settings! {
    /// The setting of the concurrency.
    pub const SETTINGS: "Accounts and sessions";

    HASH_CONCURRENCY: NonZero<usize> = Setting::computed(
        "one per core, within half of the memory limit",
        default_concurrency,
        |text| number(text, NonZero::<usize>::MIN..=NonZero::<usize>::MIN.saturating_add(1023)),
    ), "how many passwords are hashed at once, 32 MiB each";
}

/// The folder of control group limits on Linux.
const CONTROL_GROUPS: &str = "/sys/fs/cgroup";

/// Reads `HASH_CONCURRENCY`.
pub fn read_concurrency(reader: &mut Reader<'_, impl Vars>) -> NonZero<usize> {
    reader.get(&HASH_CONCURRENCY)
}

/// The number of cores, but within half of this process's memory limit.
pub fn default_concurrency() -> NonZero<usize> {
    fitting(available_parallelism().unwrap_or(NonZero::<usize>::MIN), memory_limit())
}

fn fitting(cores: NonZero<usize>, memory: Option<u64>) -> NonZero<usize> {
    let fit = memory
        .map_or(usize::MAX, |bytes| usize::try_from(bytes / 2 / HASH_BYTES).unwrap_or(usize::MAX));
    NonZero::new(cores.get().min(fit)).unwrap_or(NonZero::<usize>::MIN)
}

/// The memory limit of this process, in bytes, if a control group has one.
pub fn memory_limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    limit_in(Path::new(CONTROL_GROUPS), &groups)
}

/// The smallest limit of the groups in `groups` (as in `/proc/self/cgroup`) and of their
/// ancestors. In a container the outermost visible group is its own.
fn limit_in(root: &Path, groups: &str) -> Option<u64> {
    let limits = groups.lines().flat_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        let (base, file) = match controllers {
            "" => (root.to_owned(), "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                (root.join("memory"), "memory.limit_in_bytes")
            }
            _ => return Vec::new(),
        };
        let group: PathBuf = base.join(path.trim_start_matches('/'));
        let around = group.ancestors().take_while(|group| group.starts_with(&base));
        around.filter_map(|group| limit_of(&group.join(file))).collect()
    });
    limits.min()
}

/// The limit in a file; `max`, or an absurdly large number, is none.
fn limit_of(file: &Path) -> Option<u64> {
    let bytes = fs::read_to_string(file).ok()?.trim().parse().ok()?;
    (bytes < 1 << 60).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn half_of_the_memory_is_for_hashes_and_one_always_runs() {
        for (cores, memory, expected) in [
            (2, None, 2),
            (64, None, 64),
            (64, Some(512 * MIB), 8),
            (2, Some(128 * MIB), 2),
            (2, Some(96 * MIB), 1),
            (4, Some(16 * MIB), 1),
            (4, Some(u64::MAX), 4),
        ] {
            let cores = NonZero::new(cores).expect("some");
            assert_eq!(fitting(cores, memory).get(), expected, "{cores} cores, {memory:?}");
        }
    }

    #[test]
    fn the_smallest_limit_around_the_process_counts() {
        let root = std::env::temp_dir().join(format!("cgroup-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let file = root.join(path);
            fs::create_dir_all(file.parent().expect("a folder")).expect("folders");
            fs::write(file, text).expect("a file");
        };
        write("memory.max", "max\n");
        write("system.slice/memory.max", "1073741824\n");
        write("system.slice/auth.service/memory.max", "max\n");
        write("memory/memory.limit_in_bytes", "536870912\n");
        write("memory/docker/0af/memory.limit_in_bytes", "9223372036854771712\n");
        let limit = |groups: &str| limit_in(&root, groups);
        assert_eq!(limit("0::/system.slice/auth.service\n"), Some(1024 * MIB));
        assert_eq!(limit("0::/\n"), None);
        assert_eq!(limit("0::/elsewhere/deep\n"), None);
        assert_eq!(limit("3:cpu,cpuacct:/x\n5:memory:/docker/0af\n"), Some(512 * MIB));
        assert_eq!(limit("5:memory:/not/mounted/here\n"), Some(512 * MIB));
        assert_eq!(limit("nonsense"), None);
        fs::remove_dir_all(root).expect("the folder");
    }
}
