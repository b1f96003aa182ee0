//! Whether there is room for what a service stores.

use std::path::Path;

use super::Report;
use crate::storage::{FileSystem, MinFree};

/// Notes how much is free where `file` lies, and whether that is more than `min_free`.
pub fn space(report: &mut Report, file: &Path, min_free: MinFree) {
    let found = match FileSystem::of(file) {
        Ok(found) => found,
        Err(error) => {
            let file = file.display();
            report.warn("space", format!("the disk of {file} cannot be looked at: {error}"));
            return;
        }
    };
    let (free, least) = (found.free >> 20, min_free.of(found) >> 20);
    let told = format!("{free} MiB are free where {} lies", file.display());
    if found.free < min_free.of(found) {
        report.fault(
            "space",
            format!("{told}, fewer than {least}: nothing more is stored, see STORAGE_MIN_FREE"),
        );
    } else if found.free / 2 < min_free.of(found) {
        report.warn("space", format!("{told}: below {least} nothing more is stored"));
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
            space(&mut report, &file, min_free);
            report.findings()[0].verdict
        };
        assert_eq!(judge(MinFree::Bytes(free * 2)), Verdict::Fault);
        assert_eq!(judge(MinFree::Bytes(free / 4 * 3)), Verdict::Warn);
        assert_eq!(judge(MinFree::Bytes(free / 4)), Verdict::Ok);
    }
}
