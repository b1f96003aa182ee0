//! Private files, for the user that runs the service: they hold e-mails, password hashes, tasks
//! or a secret.

use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

const FILE: u32 = 0o600;
const FOLDER: u32 = 0o700;

/// Creates the folder of `path` where it is missing. An existing one is not changed; the log
/// names it if other users can replace its files.
pub fn make_folder(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    if !folder.is_dir() {
        DirBuilder::new().recursive(true).mode(FOLDER).create(folder)?;
        return fs::set_permissions(folder, Permissions::from_mode(FOLDER));
    }
    if lets_others_write(folder) {
        tracing::warn!(folder = %folder.display(), "others can replace files in a folder");
    }
    Ok(())
}

/// Creates the file of a SQLite database at `path`, and its folder, where missing. Existing files
/// are restricted.
pub fn make(path: &Path) -> io::Result<()> {
    make_folder(path)?;
    match OpenOptions::new().write(true).create_new(true).mode(FILE).open(path) {
        Ok(made) => made.set_permissions(Permissions::from_mode(FILE))?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    // SQLite creates its other files with the mode of the first.
    for file in ["", "-wal", "-shm", "-journal"].map(|ending| with_ending(path, ending)) {
        narrow(&file);
    }
    Ok(())
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Restricts the file at `path` to its owner, and logs whether that was possible.
pub fn narrow(path: &Path) {
    let Ok(metadata) = fs::metadata(path) else { return };
    let mode = metadata.permissions().mode() & 0o777;
    let others = mode & 0o077;
    if !metadata.is_file() || others == 0 {
        return;
    }
    let (file, mode) = (path.display(), format!("{mode:03o}"));
    match fs::set_permissions(path, Permissions::from_mode(FILE)) {
        Ok(()) => tracing::warn!(%file, mode, "others could read a file: its mode is 600 now"),
        Err(error) => tracing::warn!(%file, mode, %error, "others can read a file"),
    }
}

/// Whether other users can replace files in `folder`.
#[must_use]
pub fn lets_others_write(folder: &Path) -> bool {
    const STICKY: u32 = 0o1000;
    let mode = fs::metadata(folder).map_or(0, |metadata| metadata.permissions().mode());
    mode & 0o022 != 0 && mode & STICKY == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Database, DatabaseUrl};
    use sea_orm::ConnectionTrait;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn all_files_are_for_the_owner_alone_and_wider_ones_are_narrowed() {
        let top = std::env::temp_dir().join(format!("permissions-{}", std::process::id()));
        let folder = top.join("data");
        let path = folder.join("test.db");
        let url = DatabaseUrl::parse(&format!("sqlite://{}", path.display()), 8).expect("fine");
        let database = Database::connect(&url).await.expect("connects");
        database.writer().execute_unprepared("CREATE TABLE t (x)").await.expect("a table");
        let files = ["", "-wal", "-shm"].map(|ending| with_ending(&path, ending));
        for file in &files {
            assert_eq!(mode(file), 0o600, "{}", file.display());
        }
        assert_eq!(mode(&folder), 0o700);

        fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("a mode");
        for file in &files {
            fs::set_permissions(file, Permissions::from_mode(0o644)).expect("a mode");
        }
        let again = Database::connect(&url).await.expect("connects");
        for file in &files {
            assert_eq!(mode(file), 0o600, "{}", file.display());
        }
        assert_eq!(mode(&folder), 0o755, "a folder that was there is not ours to close");
        for database in [database, again] {
            database.close().await.expect("closes");
        }
        fs::remove_dir_all(top).expect("the folder");
    }
}
