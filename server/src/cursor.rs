//! Cursors: page tokens, sync tokens and resume tokens of both services.
//!
//! A cursor is one byte of version, one of kind, eight of the digest of its context, and the values
//! of the position, in URL-safe base64 without padding. It holds nothing that the client has not
//! seen and grants nothing: the owner is checked again each time.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The first byte of a cursor. Clients may hold tokens of earlier builds: pages of version 3, which
/// are refused, and sync tokens of versions 1 and 2, which are read.
const VERSION: u8 = 4;

/// The version of sync tokens without a byte of kind.
const VERSION_2: u8 = 2;

/// The kind of a cursor, over all services. The numbers are part of cursors and must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A list of tasks.
    Tasks = 1,
    /// A user's history of changes.
    Changes = 2,
    /// The reminders of all users.
    Reminders = 3,
    /// A user's security events.
    SecurityEvents = 4,
}

/// The encoder of a cursor.
pub struct Writer(Vec<u8>);

impl Writer {
    /// A cursor of this kind, valid for this `context` (user and list) alone.
    #[must_use]
    pub fn new(kind: Kind, context: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend([VERSION, kind as u8]);
        bytes.extend(digest(context));
        Self(bytes)
    }

    /// Appends a byte.
    #[must_use]
    pub fn byte(self, byte: u8) -> Self {
        self.bytes(&[byte])
    }

    /// Appends a number.
    #[must_use]
    pub fn number(self, number: i64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    /// Appends an id.
    #[must_use]
    pub fn id(self, id: Uuid) -> Self {
        self.bytes(id.as_bytes())
    }

    /// Appends bytes without a length, so they must come last.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    /// The encoded cursor.
    #[must_use]
    pub fn token(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

/// The decoder of a cursor; its methods return `None` for an invalid one.
pub struct Reader {
    bytes: Vec<u8>,
    at: usize,
}

impl Reader {
    /// The cursor of this kind in `token`, valid for `context`, or for any without one.
    #[must_use]
    pub fn open(token: &str, kind: Kind, context: Option<&[u8]>) -> Option<Self> {
        let mut reader = Self { bytes: URL_SAFE_NO_PAD.decode(token).ok()?, at: 0 };
        let is_of_kind = [reader.byte()?, reader.byte()?] == [VERSION, kind as u8];
        let context_digest = reader.take()?;
        let is_of_context = context.is_none_or(|context| digest(context) == context_digest);
        (is_of_kind && is_of_context).then_some(reader)
    }

    /// The cursor in a `token` of version 2, with or without a context.
    #[must_use]
    pub fn open_version_2(token: &str, context: Option<&[u8]>) -> Option<Self> {
        let mut reader = Self { bytes: URL_SAFE_NO_PAD.decode(token).ok()?, at: 0 };
        let is_of_version = reader.byte()? == VERSION_2;
        let is_of_context = match context {
            Some(context) => reader.take()? == digest(context),
            None => true,
        };
        (is_of_version && is_of_context).then_some(reader)
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

    /// The next number, if it is not negative.
    pub fn count(&mut self) -> Option<i64> {
        self.number().filter(|number| *number >= 0)
    }

    /// The next id.
    pub fn id(&mut self) -> Option<Uuid> {
        self.take().map(Uuid::from_bytes)
    }

    /// The remaining bytes.
    pub fn rest(&mut self) -> &[u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at = self.bytes.len();
        rest
    }

    /// `value`, if nothing remains.
    pub fn finish<T>(self, value: T) -> Option<T> {
        (self.at == self.bytes.len()).then_some(value)
    }
}

/// Whether `token` is a cursor of version 1 with this length; it had no epoch.
#[must_use]
pub fn is_of_version_1(token: &str, bytes: usize) -> bool {
    let decoded = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
    decoded.len() == bytes && decoded.first() == Some(&1)
}

/// The digest of a context.
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
        let value = (reader.byte()?, reader.number()?, reader.id()?);
        reader.finish(value)
    }

    #[test]
    fn a_cursor_is_read_back_by_its_own_kind_and_context_alone() {
        let token = written().token();
        let value = Some((7, -1, Uuid::from_u128(9)));
        assert_eq!(read(&token, Kind::Changes, Some(b"ada")), value);
        assert_eq!(read(&token, Kind::Changes, None), value, "of whomever");
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
