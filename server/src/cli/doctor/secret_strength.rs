//! The check of secret strength: random or made up. Plainly weak secrets are refused at every
//! start; this finds the rest.

use shared::{
    auth::{BETTER_AUTH_SECRET, BETTER_AUTH_SECRETS},
    config::{Reader, Vars},
};

use super::Report;

/// A longer secret is no easier to guess than its beginning, and the estimate takes time.
const JUDGED_CHARS: usize = 64;

/// The estimator's count saturates soon after this many characters.
const PIECE: usize = 16;

/// The estimator gives a random character ten guesses, and a letter of a word a few.
const DRAWN: f64 = 0.75;

/// Reports each configured secret that a dictionary attack would guess.
pub fn secret_strength(report: &mut Report, reader: &Reader<'_, impl Vars>) {
    let listed = reader.text(&BETTER_AUTH_SECRETS).map(|list| {
        let text = |entry: &str| entry.split_once(':').map(|(_, text)| text.to_owned());
        list.split(',').filter_map(text).collect()
    });
    let one = || reader.text(&BETTER_AUTH_SECRET).into_iter().collect();
    let secrets: Vec<String> = listed.unwrap_or_else(one);
    for (place, secret) in (1..).zip(&secrets) {
        if looks_made_up(secret) {
            report.warn(
                "secret",
                format!(
                    "secret {place} of {} looks made up: whoever guesses it signs for every user; \
                     draw one with `openssl rand -base64 32` and rotate",
                    secrets.len()
                ),
            );
        }
    }
}

/// Whether a secret is a sentence, or takes fewer guesses than a random one.
fn looks_made_up(secret: &str) -> bool {
    let characters: Vec<char> = secret.chars().take(JUDGED_CHARS).collect();
    let pieces = characters.chunks(PIECE).map(|piece| piece.iter().collect::<String>());
    let guesses: f64 = pieces.map(|piece| zxcvbn::zxcvbn(&piece, &[]).guesses_log10()).sum();
    let drawn: f64 = characters.iter().map(|_| DRAWN).sum();
    guesses < drawn || characters.iter().any(|c| c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn hardly_any_random_secret_looks_made_up() {
        let drawn = (0_u32..50).map(|number| Sha256::digest(number.to_be_bytes()));
        let hex =
            |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().concat();
        let texts = drawn.flat_map(|bytes| [STANDARD.encode(bytes), hex(&bytes[..16])]);
        let wrong: Vec<String> = texts.filter(|text| looks_made_up(text)).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn a_random_secret_passes_and_a_sentence_does_not() {
        for drawn in [
            "0b5f1c9e7a3d48626e2f9b04c7d1583a",
            "Zm9v7hQk2x+9rTqLw3YbPzN8sVdKj4Xa0uEcGiMoR6Q=",
            "8f14e45fceea167a5a36dedd4bea2543c9f0f895fb98ab9159f51fd0297e236d",
        ] {
            assert!(!looks_made_up(drawn), "{drawn}");
        }
        for typed in [
            "this is the password for our app",
            "company-production-password-2026!",
            "letmein-letmein-password-password",
        ] {
            assert!(looks_made_up(typed), "{typed}");
        }
    }
}
