//! The secret of a machine that was not given one: drawn once, kept in a file.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use server::storage::private_file;

/// The secret in `file`; where there is no file, a new one is drawn and written, readable
/// by its owner alone. Tells whether it was drawn now.
pub fn kept_in(file: &Path) -> io::Result<(String, bool)> {
    match fs::read_to_string(file) {
        Ok(text) => {
            private_file::narrow(file);
            return Ok((text.trim_end().to_owned(), false));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    private_file::make_folder(file)?;
    let mut drawn = [0_u8; 32];
    getrandom::fill(&mut drawn).map_err(io::Error::other)?;
    let text: Vec<String> = drawn.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = text.concat();
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    created?.write_all(text.as_bytes())?;
    Ok((text, true))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn it_is_drawn_once_and_kept_for_its_owner_alone() {
        let folder = std::env::temp_dir().join(format!("secret-{}", std::process::id()));
        let file = folder.join("data/secret");
        let (first, drawn) = kept_in(&file).expect("a secret");
        assert!(drawn && first.len() == 64);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("a mode");
        assert_eq!(kept_in(&file).expect("a secret"), (first, false));
        let mode = fs::metadata(&file).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::remove_dir_all(folder).expect("the folder");
    }
}
