//! Cursors: places in a list or a history, as callers carry them.
//!
//! A cursor is one byte of version, one of its kind, eight of the digest of what it is good for,
//! and the values of the place, in URL-safe base64 without padding. It tells a caller nothing
//! that the caller has not seen and opens nothing: the owner is asked for again each time.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The first byte of a cursor; another layout gets another one. Pages of the version before
/// had 3.
const VERSION: u8 = 4;

/// The layout before, in which each kind had a version of its own and no byte of kind.
const VERSION_2: u8 = 2;

/// What a cursor is a place in. The numbers are part of cursors: never change one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A list of tasks.
    Tasks = 1,
    /// A user's history of changes.
    Changes = 2,
    /// The reminders of all users.
    Reminders = 3,
}

/// A cursor that is being written.
pub struct Writer(Vec<u8>);

impl Writer {
    /// A cursor of this kind, good for this `context` alone: whose list it is of, and which.
    pub fn new(kind: Kind, context: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend([VERSION, kind as u8]);
        bytes.extend(digest(context));
        Self(bytes)
    }

    /// The cursor with one more byte.
    pub fn byte(self, byte: u8) -> Self {
        self.bytes(&[byte])
    }

    /// The cursor with one more number.
    pub fn number(self, number: i64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    /// The cursor with one more id.
    pub fn id(self, id: Uuid) -> Self {
        self.bytes(id.as_bytes())
    }

    /// The cursor with these bytes, which only its end tells from what comes next.
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    /// The cursor as callers carry it.
    pub fn token(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

/// A cursor that is being read, value by value. `None` comes from one that was not written so.
pub struct Reader {
    bytes: Vec<u8>,
    at: usize,
}

impl Reader {
    /// The cursor of this kind in `token`, for the `context` that it was written for; without
    /// one it may be for any.
    pub fn open(token: &str, kind: Kind, context: Option<&[u8]>) -> Option<Self> {
        let mut reader = Self { bytes: URL_SAFE_NO_PAD.decode(token).ok()?, at: 0 };
        let is_one = [reader.byte()?, reader.byte()?] == [VERSION, kind as u8];
        let of = reader.take()?;
        let is_for = context.is_none_or(|context| digest(context) == of);
        (is_one && is_for).then_some(reader)
    }

    /// The cursor in a `token` of version 2, which said what it was good for or did not.
    pub fn open_version_2(token: &str, context: Option<&[u8]>) -> Option<Self> {
        let mut reader = Self { bytes: URL_SAFE_NO_PAD.decode(token).ok()?, at: 0 };
        let is_one = reader.byte()? == VERSION_2;
        let is_for = match context {
            Some(context) => reader.take()? == digest(context),
            None => true,
        };
        (is_one && is_for).then_some(reader)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, _) = self.bytes.get(self.at..)?.split_first_chunk()?;
        self.at += N;
        Some(*taken)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Option<u8> {
        self.take().map(u8::from_be_bytes)
    }

    /// The next number.
    pub fn number(&mut self) -> Option<i64> {
        self.take().map(i64::from_be_bytes)
    }

    /// The next number, of those that are never negative.
    pub fn count(&mut self) -> Option<i64> {
        self.number().filter(|number| *number >= 0)
    }

    /// The next id.
    pub fn id(&mut self) -> Option<Uuid> {
        self.take().map(Uuid::from_bytes)
    }

    /// All bytes that are left.
    pub fn rest(&mut self) -> &[u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at = self.bytes.len();
        rest
    }

    /// `place`, if nothing is left.
    pub fn finish<T>(self, place: T) -> Option<T> {
        (self.at == self.bytes.len()).then_some(place)
    }
}

/// Whether `token` is one of version 1, of this many bytes: it did not say of which database
/// it was.
pub fn is_of_version_1(token: &str, bytes: usize) -> bool {
    let decoded = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
    decoded.len() == bytes && decoded.first() == Some(&1)
}

/// Tells contexts apart.
fn digest(context: &[u8]) -> [u8; 8] {
    Sha256::digest(context).first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> Writer {
        Writer::new(Kind::Changes, b"ada").byte(7).number(-1).id(Uuid::from_u128(9))
    }

    fn read(token: &str, kind: Kind, context: Option<&[u8]>) -> Option<(u8, i64, Uuid)> {
        let mut reader = Reader::open(token, kind, context)?;
        let place = (reader.byte()?, reader.number()?, reader.id()?);
        reader.finish(place)
    }

    #[test]
    fn a_cursor_is_read_back_by_its_own_kind_and_context_alone() {
        let token = written().token();
        let place = Some((7, -1, Uuid::from_u128(9)));
        assert_eq!(read(&token, Kind::Changes, Some(b"ada")), place);
        assert_eq!(read(&token, Kind::Changes, None), place, "of whomever");
        assert_eq!(read(&token, Kind::Changes, Some(b"bob")), None);
        assert_eq!(read(&token, Kind::Tasks, Some(b"ada")), None);
    }

    #[test]
    fn what_was_not_written_so_is_none() {
        let token = written().token();
        let longer = written().byte(0).token();
        let other = format!("C{}", &token[1..]);
        let cut = (0..token.len()).map(|length| &token[..length]);
        let padded = format!("{token}=");
        for text in cut.chain([&*longer, &*other, &*padded, &token[1..], "!"]) {
            assert_eq!(read(text, Kind::Changes, None), None, "{text:?}");
        }
        let mut reader = Reader::open(&token, Kind::Changes, None).expect("a cursor");
        assert_eq!((reader.byte(), reader.count()), (Some(7), None), "negative");
    }

    #[test]
    fn cursors_outlive_their_process_so_their_bytes_are_fixed() {
        let token = Writer::new(Kind::Reminders, b"").number(1).token();
        assert_eq!(token, "BAPjsMRCmPwcFAAAAAAAAAAB");
    }
}
