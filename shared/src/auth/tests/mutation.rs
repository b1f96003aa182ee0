//! A valid token with changes: at every position, and at random.

use serde_json::Value;

use super::forge::{HEADER, payload, seal, token, user_of, verifier};

/// xorshift64*: the same cases in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        usize::try_from(high).expect("32 bits") % sides
    }

    /// One to four changes, each of which keeps to `alphabet`.
    fn change(&mut self, bytes: &mut Vec<u8>, alphabet: &[u8]) {
        for _ in 0..=self.roll(4) {
            let position = self.roll(bytes.len().max(1));
            let letter = alphabet[self.roll(alphabet.len())];
            match self.roll(6) {
                0 => bytes.insert(position, letter),
                1 => bytes.truncate(bytes.len() - position.min(8)),
                2 => bytes.extend_from_within(position..),
                _ if bytes.is_empty() => {}
                3 => drop(bytes.remove(position)),
                4 => bytes.swap(position, 0),
                _ => bytes[position] = letter,
            }
        }
    }
}

#[test]
fn every_single_changed_character_is_refused() {
    let (verifier, good) = (verifier(), token(&[]));
    assert!(user_of(&verifier, &good).is_ok());
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\0~";
    for position in 0..good.len() {
        let (left, right) = (&good[..position], &good[position + 1..]);
        assert!(user_of(&verifier, &format!("{left}{right}")).is_err(), "without {position}");
        for letter in alphabet.chars() {
            let inserted = format!("{left}{letter}{}", &good[position..]);
            assert!(user_of(&verifier, &inserted).is_err(), "{letter:?} before {position}");
            if !good[position..].starts_with(letter) {
                let changed = format!("{left}{letter}{right}");
                assert!(user_of(&verifier, &changed).is_err(), "{letter:?} at {position}");
            }
        }
    }
}

#[test]
fn twenty_thousand_random_changes_never_make_a_token() {
    let (verifier, mut dice) = (verifier(), Dice(0x5eed));
    let good = [token(&[]), token(&[("sub", "\"bob\"")])];
    let mut changed = 0;
    for round in 0..20_000 {
        let mut bytes = good[round % 2].clone().into_bytes();
        dice.change(&mut bytes, b"ABCDabcd0123-_.=+/ \"{}");
        let mutant = String::from_utf8(bytes).expect("ASCII");
        if !good.contains(&mutant) {
            changed += 1;
            assert!(user_of(&verifier, &mutant).is_err(), "round {round}: {mutant}");
        }
    }
    assert!(changed > 19_000, "only {changed} were changed at all");
}

/// Behind a right tag: whatever was accepted, a second reader of the same bytes finds the
/// same user in them.
#[test]
fn twenty_thousand_signed_changes_never_mean_another_user() {
    let (verifier, mut dice) = (verifier(), Dice(0xfeed));
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..20_000 {
        let mut header = HEADER.as_bytes().to_vec();
        let mut body = payload(&[("uid", "\"alice\""), ("x", r#"{"y":["z",null]}"#)]).into_bytes();
        let part = if dice.roll(4) == 0 { &mut header } else { &mut body };
        dice.change(part, b"{}[]\",:.-+eE0189abcixu\\ \n\x80\xff");
        match user_of(&verifier, &seal(&header, &body)) {
            Err(_) => refused += 1,
            Ok(user) => {
                accepted += 1;
                let claims: Value = serde_json::from_slice(&body).expect("JSON");
                let named = claims.get("sub").or(claims.get("uid")).and_then(Value::as_str);
                assert_eq!(named, Some(user.as_str()), "round {round}");
            }
        }
    }
    assert!(accepted > 100 && refused > 10_000, "{accepted} accepted, {refused} refused");
}
