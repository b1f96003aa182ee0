//! Full-text conditions: one question, asked of either database's index.
//!
//! What a task is found by is computed here (see [`Lexicon`]), and the indexes compare it
//! byte for byte, so both give the same answers.

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr,
    sea_query::{self, Expr},
};

use crate::{
    filter::Filter,
    words::{Lexicon, Term, phrase_of},
};

/// So many tasks are looked at one by one, to be put in order, rather than all in order.
const FEW: i64 = 1_000;

/// Whether to begin with the tasks that have the words and tags of `filter`, and not with
/// the list as it is sorted.
pub async fn comes_first(
    on: &impl ConnectionTrait,
    user_id: &str,
    filter: &Filter,
) -> Result<bool, DbErr> {
    let Some(query) = Query::of(user_id, filter) else { return Ok(false) };
    if on.get_database_backend() == DbBackend::Postgres {
        return Ok(true);
    }
    let count = format!(
        "(SELECT count(*) FROM (SELECT rowid FROM task_words WHERE task_words MATCH ? \
         LIMIT {FEW}))"
    );
    let count = Expr::cust_with_values(count, [query.on_sqlite()]);
    let select = sea_query::Query::select().expr_as(count, "found").take();
    let row = on.query_one(&select).await?;
    let found: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(found < FEW)
}

/// The tasks that have the words and tags of `filter`; `None` where it names none.
pub fn having(backend: DbBackend, user_id: &str, filter: &Filter) -> Option<Expr> {
    let query = Query::of(user_id, filter)?;
    Some(match backend {
        DbBackend::Postgres => on_postgres("", &query),
        _ => on_sqlite("IN", &query),
    })
}

/// The tasks that have none of the tags that `filter` excludes; `None` where it excludes
/// none.
pub fn lacking(backend: DbBackend, user_id: &str, filter: &Filter) -> Option<Expr> {
    if filter.tags_none.is_empty() {
        return None;
    }
    let lexicon = Lexicon::of(user_id);
    let any = filter.tags_none.iter().map(|key| lexicon.tag(key)).collect();
    let query = Query { all: Vec::new(), any };
    Some(match backend {
        // A task that is not in the index yet has no tags that anybody knows of.
        DbBackend::Postgres => on_postgres(" IS NOT TRUE", &query),
        _ => on_sqlite("NOT IN", &query),
    })
}

/// The tasks in which the characters of the words of `filter` stand as they do there; none
/// where [`having`] says it all. It reads the text of whatever passes `having`.
pub fn phrases(backend: DbBackend, filter: &Filter) -> impl Iterator<Item = Expr> {
    let position = match backend {
        DbBackend::Postgres => "strpos(\"task\".\"phrases\", $1) > 0",
        _ => "instr(\"task\".\"phrases\", ?) > 0",
    };
    let phrases = filter.words.iter().filter_map(|word| phrase_of(word));
    phrases.map(move |phrase| Expr::cust_with_values(position, [phrase]))
}

/// All of some terms, and one at least of others if there are others.
struct Query {
    all: Vec<Term>,
    any: Vec<Term>,
}

impl Query {
    /// What `filter` says that a task must have, if anything.
    fn of(user_id: &str, filter: &Filter) -> Option<Self> {
        let Filter { words, tags_any, tags_all, .. } = filter;
        if words.is_empty() && tags_any.is_empty() && tags_all.is_empty() {
            return None;
        }
        let lexicon = Lexicon::of(user_id);
        Some(Self {
            all: words
                .iter()
                .flat_map(|word| lexicon.terms(word))
                .chain(tags_all.iter().map(|key| lexicon.tag(key)))
                .collect(),
            any: tags_any.iter().map(|key| lexicon.tag(key)).collect(),
        })
    }

    fn on_sqlite(&self) -> String {
        self.spelled(" AND ", " OR ", |Term { token, is_whole }| {
            format!("\"{token}\"{}", if *is_whole { "" } else { "*" })
        })
    }

    /// The query as a text.
    fn spelled(&self, and: &str, or: &str, term: impl Fn(&Term) -> String) -> String {
        let mut parts: Vec<_> = self.all.iter().map(&term).collect();
        if !self.any.is_empty() {
            let any: Vec<_> = self.any.iter().map(term).collect();
            parts.push(format!("({})", any.join(or)));
        }
        parts.join(and)
    }
}

fn on_postgres(outcome: &str, query: &Query) -> Expr {
    let spelled = query.spelled(" & ", " | ", |Term { token, is_whole }| {
        format!("'{token}'{}", if *is_whole { "" } else { ":*" })
    });
    let condition = "array_to_tsvector(string_to_array(\"task\".\"words\", ' ')) \
                     @@ ($1::text)::tsquery";
    Expr::cust_with_values(format!("({condition}){outcome}"), [spelled])
}

fn on_sqlite(is_in: &str, query: &Query) -> Expr {
    let condition = format!(
        "\"task\".\"number\" {is_in} (SELECT rowid FROM task_words WHERE task_words MATCH ?)"
    );
    Expr::cust_with_values(condition, [query.on_sqlite()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::search_words;

    #[test]
    fn operators_are_data_and_so_become_quoted_words_or_nothing() {
        let words = search_words("a\" OR 'b' & !c:* NEAR(d) \\ -e").expect("a text");
        let tags_any = vec!["\"'x\\".to_owned(), "y".to_owned()];
        let filter = Filter { tags_any, words, ..Filter::default() };
        for backend in [DbBackend::Sqlite, DbBackend::Postgres] {
            let Some(Expr::CustomWithExpr(_, values)) = having(backend, "ada", &filter) else {
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
            assert!(having(backend, "ada", &Filter::default()).is_none());
            assert!(lacking(backend, "ada", &Filter::default()).is_none());
        }
    }
}
