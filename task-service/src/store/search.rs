//! Full-text search: the conditions of a filter on either database's index.
//!
//! Index entries are computed by [`Lexicon`] and compared as bytes, so both databases give the same
//! results.

use sea_orm::{Condition, DbBackend, sea_query::Expr};
use shared::auth::Owner;

use super::{
    dialect::{Dialect, WordQuery},
    selection::View,
};
use crate::query::{
    filter::Filter,
    full_text::{Lexicon, Term, phrase_of},
};

/// The tokens of a task, each between spaces.
const TOKENS: &str = "' ' || \"task\".\"words\" || ' '";

/// The condition of the words and tags of `filter` as the full-text index has it, without those
/// whose [`bit`] is in `common`; `None` without any.
pub fn in_index(backend: DbBackend, owner: &Owner, filter: &Filter, common: u64) -> Option<Expr> {
    rare(owner, filter, common).map(|query| backend.has_words(&query))
}

/// The number of tasks that match [`in_index`], up to `most`.
pub fn count(view: View<'_>, filter: &Filter, most: u64) -> Expr {
    let View { backend, owner, common, is_distributed, .. } = view;
    let shard = is_distributed.then(|| owner.user().as_str());
    let query = rare(owner, filter, common);
    query.map_or(Expr::val(i64::MAX), |query| backend.count_with_words(&query, shard, most))
}

/// The bit of a condition among [`terms`]; none beyond 64, as no condition must be common.
pub fn bit(number: usize) -> u64 {
    u32::try_from(number).ok().and_then(|number| 1_u64.checked_shl(number)).unwrap_or(0)
}

/// The conditions of the words and tags of `filter`, as each task has them.
pub fn terms(backend: DbBackend, owner: &Owner, filter: &Filter) -> Vec<Condition> {
    let WordQuery { all, any } = wanted(owner, filter);
    let has = |term: &Term| has_term(backend, term);
    let any = any.iter().map(has).fold(Condition::any(), Condition::add);
    let all = all.iter().map(|term| Condition::all().add(has(term)));
    all.chain((!any.is_empty()).then_some(any)).collect()
}

/// The condition of the excluded tags of `filter`; `None` without any. Tasks that are not indexed yet
/// match.
pub fn without_terms(backend: DbBackend, owner: &Owner, filter: &Filter) -> Option<Condition> {
    let lexicon = Lexicon::of(owner.user().as_str());
    let terms = filter.tags_none.iter().map(|key| has_term(backend, &lexicon.tag(key)));
    let any = terms.fold(Condition::any(), Condition::add);
    (!any.is_empty()).then(|| any.not())
}

fn has_term(backend: DbBackend, Term { token, is_whole }: &Term) -> Expr {
    backend.has_text(TOKENS, format!(" {token}{}", if *is_whole { " " } else { "" }))
}

/// The conditions of the phrases of `filter`; none where the terms are exact.
pub fn phrases(backend: DbBackend, filter: &Filter) -> impl Iterator<Item = Expr> {
    let phrases = filter.words.iter().filter_map(|word| phrase_of(word));
    phrases.map(move |phrase| backend.has_text("\"task\".\"phrases\"", phrase))
}

/// The query of the words and tags of `filter`.
fn wanted(owner: &Owner, filter: &Filter) -> WordQuery {
    let Filter { words, tags_any, tags_all, .. } = filter;
    let lexicon = Lexicon::of(owner.user().as_str());
    let words = words.iter().flat_map(|word| lexicon.terms(word));
    WordQuery {
        all: words.chain(tags_all.iter().map(|key| lexicon.tag(key))).collect(),
        any: tags_any.iter().map(|key| lexicon.tag(key)).collect(),
    }
}

/// The query without what is common, if anything is left.
fn rare(owner: &Owner, filter: &Filter, common: u64) -> Option<WordQuery> {
    let WordQuery { mut all, mut any } = wanted(owner, filter);
    if common & bit(all.len()) != 0 {
        any.clear();
    }
    let mut numbers = 0..;
    all.retain(|_| numbers.next().is_some_and(|number| common & bit(number) == 0));
    (!(all.is_empty() && any.is_empty())).then_some(WordQuery { all, any })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{query::filter::search_words, world::owner};

    #[test]
    fn operators_are_data_and_so_become_quoted_words_or_nothing() {
        let words = search_words("a\" OR 'b' & !c:* NEAR(d) \\ -e").expect("a text");
        let tags_any = vec!["\"'x\\".to_owned(), "y".to_owned()];
        let filter = Filter { tags_any, words, ..Filter::default() };
        for backend in [DbBackend::Sqlite, DbBackend::Postgres] {
            let Some(Expr::CustomWithExpr(_, values)) =
                in_index(backend, &owner("ada"), &filter, 0)
            else {
                panic!("a condition with a value");
            };
            let spelled = format!("{values:?}");
            let quote = if backend == DbBackend::Postgres { "'" } else { "\\\"" };
            for word in ["a", "or", "b", "c", "near", "d", "e"] {
                let quoted = format!("{quote}fdee430d{word}{quote}");
                assert!(spelled.contains(&quoted), "{quoted}: {spelled}");
            }
        }
    }

    #[test]
    fn the_index_is_asked_for_what_is_rare() {
        let filter = Filter {
            words: search_words("a b c").expect("a text"),
            tags_any: vec!["d".to_owned(), "e".to_owned()],
            ..Filter::default()
        };
        let left = |common| {
            let query = rare(&owner("ada"), &filter, common);
            query.map(|WordQuery { all, any }| (all.len(), any.len()))
        };
        assert_eq!(terms(DbBackend::Sqlite, &owner("ada"), &filter).len(), 4);
        assert_eq!(left(0), Some((3, 2)));
        assert_eq!(left(bit(0) | bit(2)), Some((1, 2)));
        assert_eq!(left(bit(3)), Some((3, 0)));
        assert_eq!(left(bit(0) | bit(1) | bit(2)), Some((0, 2)));
        assert_eq!(left(0b1111), None);
        assert_eq!((bit(63), bit(64)), (1 << 63, 0));
    }

    #[test]
    fn a_filter_without_words_and_tags_asks_nothing() {
        for backend in [DbBackend::Sqlite, DbBackend::Postgres] {
            assert!(in_index(backend, &owner("ada"), &Filter::default(), 0).is_none());
        }
    }
}
