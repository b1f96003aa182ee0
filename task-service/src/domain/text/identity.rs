//! The caseless form of a text: equal for every encoding of the same letters.

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use unicode_normalization::UnicodeNormalization;

/// `text` in canonical caseless form, independent of language: `ß` is `ss`, `I` is `i`, and the
/// dotless `ı` is neither. Marks and width stay.
pub fn identity(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        };
    }
    let apart: String = text.nfd().collect();
    Cow::Owned(without_case(&apart).nfc().collect())
}

/// `text` with case folded, not normalised.
pub fn without_case(text: &str) -> Cow<'_, str> {
    CaseMapper::new().fold_string(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::characters;

    #[test]
    fn the_same_letters_are_the_same_however_they_are_encoded() {
        for (one, other) in [
            ("Home", "hOME"),
            ("café", "CAFE\u{301}"),
            ("straße", "STRASSE"),
            ("straße", "STRAẞE"),
            ("Ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ"),
            ("ᾳ", "ΑΙ"),
            ("Я", "я"),
            ("Å", "å"),
            ("가", "\u{1100}\u{1161}"),
            ("が", "か\u{3099}"),
            ("ǅ", "ǆ"),
            ("\u{1e9b}\u{323}", "\u{1e63}\u{307}"),
        ] {
            assert_eq!(identity(one), identity(other), "{one} {other}");
        }
    }

    #[test]
    fn other_letters_are_other_letters() {
        for texts in [
            &["かき", "かぎ", "がき", "カキ"][..],
            &["cafe", "café", "cafè"],
            &["и", "й", "ї", "і"],
            &["е", "ё"],
            &["sinir", "sınır", "sİnİr"],
            &["กา", "ก้า", "กำ", "ก"],
            &["कि", "की", "क", "क्", "क़"],
            &["שלום", "שָׁלוֹם"],
            &["آ", "ا", "أ", "إ"],
            &["ａ", "a"],
            &["①", "1", "¹"],
            &["o", "ø", "ö"],
            &["한", "하", "ㅎ"],
        ] {
            let mut keys: Vec<_> = texts.iter().map(|text| identity(text)).collect();
            keys.sort();
            keys.dedup();
            assert_eq!(keys.len(), texts.len(), "{texts:?}");
        }
    }

    #[test]
    fn a_form_is_its_own_form() {
        for c in characters() {
            for text in [c.to_string(), format!("{c}\u{345}\u{301}")] {
                let once = identity(&text).into_owned();
                assert_eq!(identity(&once), once, "{text:?}");
            }
        }
    }
}
