//! Search in every script: found inside text without spaces, and nothing that is not there.

use fixtures::{FreshDatabase, on_both_databases};
use shared::auth::Owner;

use super::{
    variety::has_word,
    world::{World, first_page, owner},
};
use crate::{
    domain::text::fold,
    query::{
        filter::{Filter, InvalidText, search_words},
        page::PageRequest,
    },
};

on_both_databases!(
    words_are_found_inside_text_without_spaces,
    neighbours_alone_are_found,
    any_part_of_a_text_finds_what_has_it_and_nothing_else,
    the_longest_texts_are_searched_for,
);

async fn found(world: &World, owner: &Owner, words: Vec<String>) -> Vec<String> {
    let request = PageRequest { filter: Filter { words, ..Filter::default() }, ..first_page() };
    let page = world.tasks.list(owner, &request).await.expect("a page");
    let mut titles: Vec<_> =
        page.tasks.into_iter().map(|task| task.content.title.into_string()).collect();
    titles.sort();
    titles
}

async fn words_are_found_inside_text_without_spaces(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    for (title, parts) in [
        ("今天玩成语接龙游戏", &["今天", "成语", "戏", "语接龙", "今天玩成语接龙游戏"][..]),
        ("重跑gen-itgc后50条", &["gen", "itgc", "50", "重跑", "后", "跑gen", "ITGC后5", "条 重"]),
        ("設備清單", &["清單", "單", "備清"]),
        ("サーバーを再起動する", &["再起動", "ーバー", "ｻｰﾊﾞｰ", "る"]),
        ("회의록을정리하기", &["정리", "회의록", "기"]),
        ("ซื้อนมและไข่ที่ตลาด", &["นม", "ไข่", "ตลาด", "ซื้อ", "น"]),
        ("ຊື້ນົມຢູ່ຕະຫຼາດ", &["ນົມ", "ຕະຫຼາດ"]),
        ("ទិញទឹកដោះគោ\u{200b}នៅផ្សារ", &["ទឹក", "គោនៅ", "ផ្សារ"]),
        ("နွားနို့ဝယ်ရန်", &["နို့", "ဝယ်"]),
        ("卡拉OK之夜", &["ok", "拉OK", "ok之", "夜"]),
    ] {
        world.made(&alice, title).await;
        for part in parts {
            let words = search_words(part).expect("a text");
            assert_eq!(found(&world, &alice, words).await, [title], "{part}");
        }
    }
}

async fn neighbours_alone_are_found(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    for title in
        ["成功的语言", "语成", "成 语", "成，语", "成x语", "接龙成语语接", "13月", "3日月", "かぎ"]
    {
        world.made(&alice, title).await;
    }
    for (text, titles) in [
        ("成语", &["接龙成语语接"][..]),
        ("成语接", &[]),
        ("成语接龙", &[]),
        ("成语语接", &["接龙成语语接"]),
        ("接龙成语语", &["接龙成语语接"]),
        ("3月", &[]),
        ("3日", &["3日月"]),
        ("13月", &["13月"]),
        ("かき", &[]),
        ("か", &["かぎ"]),
        ("x语", &["成x语"]),
        ("成x", &["成x语"]),
        ("成语 13月", &[]),
    ] {
        let words = search_words(text).expect("a text");
        assert_eq!(found(&world, &alice, words).await, titles, "{text}");
    }
}

/// Letters of many scripts, the first of each no mark, and what stands between words.
const ALPHABETS: [&str; 14] = [
    "abÀé1ßİı",
    "ΑάΣς",
    "ИЙйЁ",
    "مُحَأآ",
    "שָׁלם",
    "कखिी्",
    "中文字",
    "かがきーぎ",
    "カｶﾞ",
    "한하글",
    "กขา้ำ",
    "ກາ້",
    "កខា្",
    "ကခာ်",
];
const BETWEEN: [&str; 5] = [" ", "-", "/", ", ", ". "];

fn text(next: &mut impl FnMut(usize) -> usize) -> String {
    let mut text = String::new();
    for _ in 0..=next(4) {
        // Words of one script, and of two that touch.
        for _ in 0..=next(2) {
            let alphabet: Vec<_> = ALPHABETS[next(ALPHABETS.len())].chars().collect();
            text.push(alphabet[0]);
            text.extend((0..=next(3)).map(|_| alphabet[next(alphabet.len())]));
        }
        text.push_str(BETWEEN[next(BETWEEN.len())]);
    }
    text.trim().to_owned()
}

async fn any_part_of_a_text_finds_what_has_it_and_nothing_else(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    // Numbers without a pattern, the same in every run.
    let mut state = 29_u64;
    let mut next = |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 33).expect("31 bits") % end
    };
    let titles: Vec<_> = (0..60).map(|_| text(&mut next)).collect();
    for title in &titles {
        world.made(&alice, title).await;
    }
    let (mut whole, mut some) = (0, 0);
    for number in 0..300 {
        let title: Vec<_> = titles[number % titles.len()].chars().collect();
        let start = next(title.len());
        let end = start + 1 + next(6).min(title.len() - start - 1);
        let part: String = title[start..end].iter().collect();
        let words = match search_words(&part) {
            Ok(words) => words,
            Err(InvalidText::NoWord) => continue,
            Err(error) => panic!("{part}: {error}"),
        };
        let is_there = |title: &&String| {
            let folded = fold(title);
            words.iter().all(|word| has_word(&folded, word))
        };
        let mut expected: Vec<_> = titles.iter().filter(is_there).cloned().collect();
        expected.sort();
        whole += usize::from(expected.contains(&titles[number % titles.len()]));
        some += usize::from(expected.len() > 1);
        assert_eq!(found(&world, &alice, words).await, expected, "{part:?}");
    }
    assert!(whole > 150 && some > 50, "{whole} {some}: what finds nothing shows little");
}

/// However many pieces a text has, the databases take the question.
async fn the_longest_texts_are_searched_for(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let ideographs: String = ('\u{4e00}'..).take(200).collect();
    for title in ["a中".repeat(100), ideographs, "ab中 ".repeat(20), "ก้".repeat(100)] {
        let title = title.trim();
        world.made(&alice, title).await;
        let words = search_words(title).expect("a text");
        assert_eq!(found(&world, &alice, words).await, [title]);
    }
}
