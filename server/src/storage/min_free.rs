//! The setting `STORAGE_MIN_FREE`, and sizes with units.

use shared::config::{Reader, Setting, Vars};

use super::FileSystem;

/// The largest default, for large disks.
const MOST: u64 = 256 * 1024 * 1024;

shared::settings! {
    /// The setting of the minimum.
    pub const SETTINGS: "Data";

    STORAGE_MIN_FREE: MinFree = Setting::computed(
        "a twentieth of the file system, at most `256MiB`",
        MinFree::default,
        MinFree::parse,
    ), "the free space below which nothing more is stored, or `off`";
}

/// The minimum of free space on a file system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MinFree {
    /// A twentieth of its size, at most 256 MiB.
    #[default]
    Share,
    /// A number of bytes.
    Bytes(u64),
    /// No minimum.
    Off,
}

impl MinFree {
    /// Reads `STORAGE_MIN_FREE`.
    pub fn read(reader: &mut Reader<'_, impl Vars>) -> Self {
        reader.get(&STORAGE_MIN_FREE)
    }

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            _ => bytes(text)
                .map(Self::Bytes)
                .ok_or_else(|| "must be `off` or a size such as `256MiB` or `2GiB`".to_owned()),
        }
    }

    /// The minimum for this file system, in bytes.
    #[must_use]
    pub fn of(self, file_system: FileSystem) -> u64 {
        match self {
            Self::Share => (file_system.size / 20).min(MOST),
            Self::Bytes(bytes) => bytes,
            Self::Off => 0,
        }
    }
}

/// A size: bytes as a bare number, or with a unit (`64KiB`, `256MiB`, `2GiB`).
#[must_use]
pub fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit: u64 = match unit.trim_start() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_size_is_bytes_or_carries_a_unit() {
        for (text, size) in [
            ("0", Some(0)),
            ("17", Some(17)),
            ("4KiB", Some(4096)),
            ("256 MiB", Some(256 << 20)),
            ("2GiB", Some(2 << 30)),
            ("", None),
            ("GiB", None),
            ("-1", None),
            ("1.5GiB", None),
            ("2GB", None),
            ("99999999999TiB", None),
        ] {
            assert_eq!(bytes(text), size, "{text:?}");
        }
    }

    #[test]
    fn the_floor_is_a_share_of_small_disks_and_a_size_of_large_ones() {
        let read = |text: &str| {
            let vars = HashMap::from([("STORAGE_MIN_FREE", text.to_owned())]);
            let mut reader = Reader::new(&vars);
            let min_free = MinFree::read(&mut reader);
            reader.finish(Some(min_free)).ok()
        };
        let of = |text: &str, size: u64| {
            read(text).map(|min_free| min_free.of(FileSystem { device: 1, size, free: 0 }))
        };
        assert_eq!(of("", 100 << 20), Some(5 << 20));
        assert_eq!(of("", 100 << 40), Some(256 << 20));
        assert_eq!(of("off", 100 << 40), Some(0));
        assert_eq!(of("3GiB", 100), Some(3 << 30));
        for bad in ["on", "5%", "much"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
