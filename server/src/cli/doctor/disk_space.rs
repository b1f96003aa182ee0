//! The check of free disk space.

use std::path::Path;

use super::Report;
use crate::storage::{FileSystem, MinFree};

/// Reports the free space on the disk of `file`, against `min_free`.
pub fn disk_space(report: &mut Report, file: &Path, min_free: MinFree) {
    let file_system = match FileSystem::of(file) {
        Ok(file_system) => file_system,
        Err(error) => {
            let file = file.display();
            report.warn("space", format!("the disk of {file} cannot be looked at: {error}"));
            return;
        }
    };
    let (free, min) = (file_system.free >> 20, min_free.of(file_system) >> 20);
    let told = format!("{free} MiB are free where {} lies", file.display());
    if file_system.free < min_free.of(file_system) {
        report.fault(
            "space",
            format!("{told}, fewer than {min}: nothing more is stored, see STORAGE_MIN_FREE"),
        );
    } else if file_system.free / 2 < min_free.of(file_system) {
        report.warn("space", format!("{told}: below {min} nothing more is stored"));
    } else {
        report.ok("space", told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::Verdict;

    #[test]
    fn a_disk_that_is_nearly_full_is_a_fault_and_one_that_soon_is_a_warning() {
        let file = std::env::temp_dir().join("a.db");
        let free = FileSystem::of(&file).expect("a file system").free;
        let judge = |min_free| {
            let mut report = Report::default();
            disk_space(&mut report, &file, min_free);
            report.findings()[0].verdict
        };
        assert_eq!(judge(MinFree::Bytes(free * 2)), Verdict::Fault);
        assert_eq!(judge(MinFree::Bytes(free / 4 * 3)), Verdict::Warn);
        assert_eq!(judge(MinFree::Bytes(free / 4)), Verdict::Ok);
    }
}
