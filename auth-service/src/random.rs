//! Random ids and bytes, from the operating system.

use uuid::{Builder, Uuid};

/// Letters and digits, the alphabet of Better Auth's ids and tokens.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// 32 random letters and digits: 190 bits, the form of every id and session token.
pub fn id() -> Result<String, getrandom::Error> {
    let mut id = String::with_capacity(32);
    while id.len() < 32 {
        let drawn: [u8; 48] = bytes()?;
        id.extend(letters(&drawn).take(32 - id.len()));
    }
    Ok(id)
}

/// A random UUID, version 4, as Better Auth makes them.
pub fn uuid() -> Result<Uuid, getrandom::Error> {
    Ok(Builder::from_random_bytes(bytes()?).into_uuid())
}

/// Letters and digits from random bytes, six bits a character. The two values beyond the alphabet
/// are skipped, so that every character is equally likely.
pub fn letters(bytes: &[u8]) -> impl Iterator<Item = char> {
    let fitting = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 63)));
    fitting.map(|&c| char::from(c))
}

/// Random bytes.
pub fn bytes<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_32_letters_and_digits_and_never_the_same() {
        let ids: HashSet<String> = (0..1000).map(|_| id().expect("randomness")).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 32));
        let used: HashSet<char> = ids.iter().flat_map(|id| id.chars()).collect();
        assert_eq!(used.len(), 62);
        assert!(used.iter().all(char::is_ascii_alphanumeric));
    }
}
