//! Full-text search: the conditions of a filter on either database's index.
//!
//! Index entries are computed by [`Lexicon`] and compared as bytes, so both databases give the same
//! results.

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr,
    sea_query::{self, Expr},
};

use super::dialect::{Dialect, WordQuery};
use crate::query::{
    filter::Filter,
    full_text::{Lexicon, phrase_of},
};

/// The most tasks that are sorted after the full-text index, rather than read in order.
const FEW: i64 = 1_000;

/// Whether to read by the full-text index, and not in the order of the list.
#[expect(clippy::disallowed_methods, reason = "counts in the index by words of one user")]
pub async fn reads_index_first(
    on: &impl ConnectionTrait,
    user_id: &str,
    filter: &Filter,
) -> Result<bool, DbErr> {
    let Some(query) = wanted(user_id, filter) else { return Ok(false) };
    let Some(count) = on.get_database_backend().count_with_words(&query, FEW) else {
        return Ok(true);
    };
    let select = sea_query::Query::select().expr_as(count, "found").take();
    let row = on.query_one(&select).await?;
    let found: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(found < FEW)
}

/// The condition of the words and tags of `filter`; `None` without any.
pub fn with_terms(backend: DbBackend, user_id: &str, filter: &Filter) -> Option<Expr> {
    wanted(user_id, filter).map(|query| backend.has_words(&query))
}

/// The condition of the excluded tags of `filter`; `None` without any.
pub fn without_terms(backend: DbBackend, user_id: &str, filter: &Filter) -> Option<Expr> {
    if filter.tags_none.is_empty() {
        return None;
    }
    let lexicon = Lexicon::of(user_id);
    let any = filter.tags_none.iter().map(|key| lexicon.tag(key)).collect();
    Some(backend.lacks_words(&WordQuery { all: Vec::new(), any }))
}

/// The conditions of the phrases of `filter`; none where [`with_terms`] is exact. They read the text of
/// each task that matches `with_terms`.
pub fn phrases(backend: DbBackend, filter: &Filter) -> impl Iterator<Item = Expr> {
    let phrases = filter.words.iter().filter_map(|word| phrase_of(word));
    phrases.map(move |phrase| backend.has_phrase(phrase))
}

/// The query of the words and tags of `filter`, if any.
fn wanted(user_id: &str, filter: &Filter) -> Option<WordQuery> {
    let Filter { words, tags_any, tags_all, .. } = filter;
    if words.is_empty() && tags_any.is_empty() && tags_all.is_empty() {
        return None;
    }
    let lexicon = Lexicon::of(user_id);
    let words = words.iter().flat_map(|word| lexicon.terms(word));
    Some(WordQuery {
        all: words.chain(tags_all.iter().map(|key| lexicon.tag(key))).collect(),
        any: tags_any.iter().map(|key| lexicon.tag(key)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::filter::search_words;

    #[test]
    fn operators_are_data_and_so_become_quoted_words_or_nothing() {
        let words = search_words("a\" OR 'b' & !c:* NEAR(d) \\ -e").expect("a text");
        let tags_any = vec!["\"'x\\".to_owned(), "y".to_owned()];
        let filter = Filter { tags_any, words, ..Filter::default() };
        for backend in [DbBackend::Sqlite, DbBackend::Postgres] {
            let Some(Expr::CustomWithExpr(_, values)) = with_terms(backend, "ada", &filter) else {
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
    fn a_filter_without_words_and_tags_asks_nothing() {
        for backend in [DbBackend::Sqlite, DbBackend::Postgres] {
            assert!(with_terms(backend, "ada", &Filter::default()).is_none());
            assert!(without_terms(backend, "ada", &Filter::default()).is_none());
        }
    }
}
