//! The folding of texts for search and sorting.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use super::{
    identity::without_case,
    script::{Marks, is_ignorable, is_mark, is_unspaced, marks_on},
};

/// The zero-width space.
const BREAK: char = '\u{200b}';

/// The mark that makes `й` of `и`. Unicode's collation treats it as a letter, unlike other marks on
/// Cyrillic letters.
const BREVE: char = '\u{306}';

/// `text` as it is searched for: without case and compatibility variants (width, ligatures,
/// invisible signs), without accents on Latin, Greek and Cyrillic letters, and without the points
/// of Arabic and Hebrew. Marks that make another letter stay.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        };
    }
    let mut plain = String::with_capacity(text.len());
    let mut base = ' ';
    for c in text.nfkd() {
        if is_mark(c) {
            let is_letter = matches!(base, 'и' | 'И') && c == BREVE;
            if !is_ignorable(c) && (is_letter || marks_on(base) != Marks::Accents) {
                plain.push(c);
            }
        } else if c == BREAK {
            // In scripts without spaces it only allows a line break.
            if !is_unspaced(base) {
                plain.push(c);
                base = c;
            }
        } else if !is_ignorable(c) {
            plain.push(c);
            base = c;
        }
    }
    let mut folded = String::with_capacity(plain.len());
    base = ' ';
    for c in without_case(&plain).nfc() {
        if !is_mark(c) {
            // The capital of both is the same.
            folded.push(if c == 'ı' { 'i' } else { c });
            base = c;
        } else if marks_on(base) != Marks::Points {
            folded.push(c);
        }
    }
    Cow::Owned(folded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::characters;

    #[test]
    fn case_accents_and_compatibility_variants_are_folded() {
        for (text, folded) in [
            ("Milk", "milk"),
            ("already", "already"),
            ("Crème Brûlée", "creme brulee"),
            ("STRASSE straße STRAẞE", "strasse strasse strasse"),
            ("Ὀδυσσεύς ΟΔΥΣΣΕΥΣ ᾳ", "οδυσσευσ οδυσσευσ α"),
            ("İstanbul ISPARTA ısparta", "istanbul isparta isparta"),
            ("ﬁnal №5 ½", "final no5 1⁄2"),
            ("Ёлка за\u{301}мок", "елка замок"),
            ("ＡＢＣ ①", "abc 1"),
            ("Tiếng Việt", "tieng viet"),
            ("Donau\u{ad}dampf", "donaudampf"),
            ("1\u{fe0f}\u{20e3}", "1"),
            ("مُحَمَّد مـحمد", "محمد مـحمد"),
            ("שָׁלוֹם", "שלום"),
            ("می\u{200c}خواهم", "میخواهم"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    #[test]
    fn what_makes_another_letter_is_kept() {
        for (text, folded) in [
            ("かぎ カ\u{3099} ｶﾞ", "かぎ ガ ガ"),
            ("чай ЧАИ", "чай чаи"),
            ("หน้า น้ำ", "หน้า น\u{e49}\u{e4d}า"),
            ("हिन्दी क़", "हिन्दी क\u{93c}"),
            ("آب أب", "آب أب"),
            ("\u{1112}\u{1161}\u{11ab}", "한"),
            ("မြန်မာ", "မြန်မာ"),
            ("ភាសា\u{200b}ខ្មែរ", "ភាសាខ្មែរ"),
            ("two\u{200b}words", "two\u{200b}words"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    #[test]
    fn twice_is_once_for_every_character() {
        for c in characters() {
            for text in [c.to_string(), format!("か{c}\u{3099}"), format!("и{c}\u{306}")] {
                let once = fold(&text).into_owned();
                assert_eq!(fold(&once), once, "{text:?}");
            }
        }
    }
}
