//! The check of file access: private files must not be readable by others.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::Report;
use crate::storage::private_file;

/// Reports whether other users of this machine can read `file`, which holds `what`. A closed
/// folder protects its files.
pub fn file_access(report: &mut Report, file: &Path, what: &str) {
    let mode =
        |path: &Path| fs::metadata(path).map(|metadata| metadata.permissions().mode() & 0o777);
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let (Ok(of_file), Ok(of_folder)) = (mode(file), mode(folder)) else {
        report.warn("files", format!("{} cannot be looked at", file.display()));
        return;
    };
    if private_file::lets_others_write(folder) {
        report.warn(
            "files",
            format!(
                "others on this machine can replace {}: chmod go-w {}",
                file.display(),
                folder.display()
            ),
        );
    } else if of_file & 0o077 != 0 && of_folder & 0o011 != 0 {
        report.warn(
            "files",
            format!(
                "others on this machine can reach {} (mode {of_file:03o}), which holds {what}: \
                 chmod 700 {}",
                file.display(),
                folder.display()
            ),
        );
    } else {
        report.ok("files", format!("nobody else reaches {}", file.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::Verdict;

    #[test]
    fn a_closed_folder_or_a_closed_file_is_enough() {
        let folder = std::env::temp_dir().join(format!("private-{}", std::process::id()));
        let file = folder.join("a.db");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(&file, "").expect("a file");
        let judge = |of_folder: u32, of_file: u32| {
            for (path, mode) in [(&folder, of_folder), (&file, of_file)] {
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
            }
            let mut report = Report::default();
            file_access(&mut report, &file, "rows");
            report.findings()[0].verdict
        };
        assert_eq!(judge(0o700, 0o644), Verdict::Ok);
        assert_eq!(judge(0o755, 0o600), Verdict::Ok);
        assert_eq!(judge(0o755, 0o640), Verdict::Warn);
        assert_eq!(judge(0o777, 0o600), Verdict::Warn);
        assert_eq!(judge(0o1777, 0o600), Verdict::Ok);
        fs::remove_dir_all(folder).expect("the folder");
    }
}
