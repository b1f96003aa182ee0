//! Unicode properties of characters: script, marks, visibility.

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup, Script},
    script::ScriptWithExtensions,
};

/// Scripts that put no spaces between words, or whose words are found inside longer ones.
const UNSPACED: [Script; 17] = [
    Script::Han,
    Script::Hiragana,
    Script::Katakana,
    Script::Hangul,
    Script::Bopomofo,
    Script::Yi,
    Script::Thai,
    Script::Lao,
    Script::Khmer,
    Script::Myanmar,
    Script::TaiLe,
    Script::NewTaiLue,
    Script::TaiTham,
    Script::TaiViet,
    Script::Balinese,
    Script::Javanese,
    Script::Tibetan,
];

/// Characters without ink although Unicode gives them a glyph: annotation marks, the empty braille
/// pattern, the null note head.
const WITHOUT_INK: [char; 5] = ['\u{2800}', '\u{fff9}', '\u{fffa}', '\u{fffb}', '\u{1d159}'];

/// The treatment of marks on a letter in a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marks {
    /// Accents, which are dropped.
    Accents,
    /// Points, which are dropped unless they make another letter.
    Points,
    /// Parts of the letter, which stay.
    Letters,
}

/// The treatment of the marks on `base`.
pub fn marks_on(base: char) -> Marks {
    if is_unspaced(base) {
        return Marks::Letters;
    }
    match script(base) {
        // Digits and symbols are of no script.
        Script::Latin | Script::Greek | Script::Cyrillic | Script::Common => Marks::Accents,
        Script::Arabic | Script::Hebrew => Marks::Points,
        _ => Marks::Letters,
    }
}

/// Whether `c` is written without spaces between words.
pub fn is_unspaced(c: char) -> bool {
    if c < '\u{e00}' {
        return false;
    }
    match script(c) {
        // Such as the sign that makes a vowel long, which two scripts share.
        Script::Common | Script::Inherited => {
            let extensions = ScriptWithExtensions::new();
            UNSPACED.iter().any(|script| extensions.has_script(c, *script))
        }
        script => UNSPACED.contains(&script),
    }
}

/// Whether `c` is a mark on the character before it.
pub fn is_mark(c: char) -> bool {
    !c.is_ascii()
        && GeneralCategoryGroup::Mark.contains(CodePointMapData::<GeneralCategory>::new().get(c))
}

/// Whether `c` belongs to a word: a letter, a digit, or a mark on one.
pub fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || is_mark(c)
}

/// Whether `c` is invisible and only affects its neighbours.
pub fn is_ignorable(c: char) -> bool {
    !c.is_ascii() && CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Whether `text` has a visible character.
pub fn is_visible(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace() && !is_ignorable(c) && !WITHOUT_INK.contains(&c))
}

fn script(c: char) -> Script {
    CodePointMapData::<Script>::new().get(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_without_spaces_are_recognised() {
        for c in "中々〇あゝアーｱ한ㄅ東ไລຂមនမဂ๑ກ".chars() {
            assert!(is_unspaced(c), "{c}");
        }
        for c in "aé1йαאبहአ🦀, ".chars() {
            assert!(!is_unspaced(c), "{c}");
        }
    }

    #[test]
    fn invisible_text_is_blank() {
        for blank in [
            "",
            " \t\u{a0}\u{3000}",
            "\u{200b}",
            "\u{2060}\u{feff}",
            "\u{ad}",
            "\u{115f}\u{1160}",
            "\u{3164}",
            "\u{ffa0}",
            "\u{fe0f}\u{e0100}",
            "\u{e0001}\u{e0041}\u{e007f}",
            "\u{200d}\u{200c}\u{200e}\u{202e}\u{2066}\u{61c}",
            "\u{180e}\u{34f}\u{17b4}",
            "\u{2800} \u{2800}",
            "\u{fff9}\u{fffb}",
        ] {
            assert!(!is_visible(blank), "{blank:?}");
        }
        for seen in ["a", "\u{200b}a", "。", "🏴\u{e0067}\u{e007f}", "가", "\u{e000}", "\u{301}"]
        {
            assert!(is_visible(seen), "{seen:?}");
        }
    }
}
