//! What differs between the databases: a method a difference, and none elsewhere in the store.
//!
//! Both give the same answers. Where one cannot do what the other can, it says so here.

use sea_orm::{
    DbBackend,
    sea_query::{Expr, Func, FunctionCall},
};

use crate::query::full_text::Term;

/// Tasks that are looked up in the full-text index: those with all of some terms, and one at
/// least of others if there are others.
pub struct WordQuery {
    /// What a task must have.
    pub all: Vec<Term>,
    /// Of which it must have one.
    pub any: Vec<Term>,
}

/// The kind of a database.
pub trait Dialect: Copy {
    /// Whether other processes may serve from the same database, and must be told of changes.
    /// A file belongs to one process.
    fn is_shared(self) -> bool;

    /// Whether writers wait for rows and not for the whole database. SQLite has one writer:
    /// long work is done piece by piece there, so that others get their turn.
    fn locks_rows(self) -> bool;

    /// Whether one statement can insert what another inserted and returned.
    fn chains_inserts(self) -> bool;

    /// That a task is of no import that is not all there yet, where there may be such imports:
    /// those that are stored in pieces.
    ///
    /// As a text without values, since every read of a task asks it: built piece by piece it
    /// costs as much as all the rest of the statement. Where there is no import of anybody,
    /// which is asked once, rows are not looked at.
    fn of_no_unfinished_import(self) -> Option<Expr>;

    /// The tags in the details of a task, as a table of them, and a tag in it.
    fn tags(self) -> (FunctionCall, Expr);

    /// That a task has the words of `query`.
    fn has_words(self, query: &WordQuery) -> Expr;

    /// That a task has none of the words of `query`. One that is not in the index yet has
    /// none that anybody knows of.
    fn lacks_words(self, query: &WordQuery) -> Expr;

    /// How many tasks have the words of `query`, counted up to `most`, where that decides by
    /// which index a list is read. PostgreSQL combines indexes; SQLite goes by one.
    fn count_with_words(self, query: &WordQuery, most: i64) -> Option<Expr>;

    /// That the characters of `phrase` stand in a task as they do there.
    fn has_phrase(self, phrase: String) -> Expr;
}

impl Dialect for DbBackend {
    fn is_shared(self) -> bool {
        self == Self::Postgres
    }

    fn locks_rows(self) -> bool {
        self == Self::Postgres
    }

    fn chains_inserts(self) -> bool {
        self == Self::Postgres
    }

    fn of_no_unfinished_import(self) -> Option<Expr> {
        const CONDITION: &str = "(\
            NOT EXISTS (SELECT 1 FROM \"task_import\") \
            OR NOT EXISTS (SELECT 1 FROM \"task_import\" AS \"i\" \
            WHERE \"i\".\"user_id\" = \"task\".\"user_id\" \
            AND \"i\".\"revision\" = \"task\".\"revision\"))";
        (!self.locks_rows()).then(|| Expr::cust(CONDITION))
    }

    fn tags(self) -> (FunctionCall, Expr) {
        if self == Self::Postgres {
            let tags = Expr::cust("(\"task\".\"details\"::jsonb) -> 'tags'");
            (Func::cust("jsonb_array_elements_text").arg(tags), Expr::col("tag"))
        } else {
            let details = Expr::cust("\"task\".\"details\"");
            let tags = Func::cust("json_each").arg(details).arg(Expr::cust("'$.tags'"));
            (tags, Expr::col(("tag", "value")))
        }
    }

    fn has_words(self, query: &WordQuery) -> Expr {
        if self == Self::Postgres { postgres_words("", query) } else { sqlite_words("IN", query) }
    }

    fn lacks_words(self, query: &WordQuery) -> Expr {
        if self == Self::Postgres {
            postgres_words(" IS NOT TRUE", query)
        } else {
            sqlite_words("NOT IN", query)
        }
    }

    fn count_with_words(self, query: &WordQuery, most: i64) -> Option<Expr> {
        let count = format!(
            "(SELECT count(*) FROM (SELECT rowid FROM task_words WHERE task_words MATCH ? \
             LIMIT {most}))"
        );
        let is_asked = self != Self::Postgres;
        is_asked.then(|| Expr::cust_with_values(count, [match_of(query)]))
    }

    fn has_phrase(self, phrase: String) -> Expr {
        let position = if self == Self::Postgres {
            "strpos(\"task\".\"phrases\", $1) > 0"
        } else {
            "instr(\"task\".\"phrases\", ?) > 0"
        };
        Expr::cust_with_values(position, [phrase])
    }
}

fn postgres_words(outcome: &str, query: &WordQuery) -> Expr {
    let spelled = spelled(query, " & ", " | ", |Term { token, is_whole }| {
        format!("'{token}'{}", if *is_whole { "" } else { ":*" })
    });
    let condition = "array_to_tsvector(string_to_array(\"task\".\"words\", ' ')) \
                     @@ ($1::text)::tsquery";
    Expr::cust_with_values(format!("({condition}){outcome}"), [spelled])
}

fn sqlite_words(is_in: &str, query: &WordQuery) -> Expr {
    let condition = format!(
        "\"task\".\"number\" {is_in} (SELECT rowid FROM task_words WHERE task_words MATCH ?)"
    );
    Expr::cust_with_values(condition, [match_of(query)])
}

/// The query as SQLite's `MATCH` takes it.
fn match_of(query: &WordQuery) -> String {
    spelled(query, " AND ", " OR ", |Term { token, is_whole }| {
        format!("\"{token}\"{}", if *is_whole { "" } else { "*" })
    })
}

/// The query as a text.
fn spelled(query: &WordQuery, and: &str, or: &str, term: impl Fn(&Term) -> String) -> String {
    let mut parts: Vec<_> = query.all.iter().map(&term).collect();
    if !query.any.is_empty() {
        let any: Vec<_> = query.any.iter().map(term).collect();
        parts.push(format!("({})", any.join(or)));
    }
    parts.join(and)
}
