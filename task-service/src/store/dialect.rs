//! The dialects of the databases: one method for each difference, and no other difference in the
//! store.

use sea_orm::{
    DbBackend,
    sea_query::{Expr, Func, FunctionCall},
};

use crate::query::full_text::Term;

/// A query of the full-text index: tasks with all of some terms, and at least one of others if
/// there are others.
pub struct WordQuery {
    /// The terms that a task must all have.
    pub all: Vec<Term>,
    /// The terms of which a task must have one.
    pub any: Vec<Term>,
}

/// The dialect of a database.
pub trait Dialect: Copy {
    /// Whether replicas may share the database and must be notified of changes. A file belongs to
    /// one process.
    fn is_shared(self) -> bool;

    /// Whether writers lock rows and not the whole database. SQLite has one writer, so long work is
    /// done in chunks there.
    fn locks_rows(self) -> bool;

    /// Whether one statement can insert what another inserted and returned.
    fn chains_inserts(self) -> bool;

    /// The condition that a task is not part of an unfinished import, where imports are stored in
    /// chunks.
    ///
    /// A text without values, since every read has it: built piecewise it would cost as much as the
    /// rest of the statement. The first part is evaluated once, and skips the rows while there is
    /// no import.
    fn of_no_unfinished_import(self) -> Option<Expr>;

    /// The tags in the details of a task as a table function, and the column of a tag.
    fn tags(self) -> (FunctionCall, Expr);

    /// The condition that a task matches `query`.
    fn has_words(self, query: &WordQuery) -> Expr;

    /// The condition that a task does not match `query`, or is not indexed yet.
    fn lacks_words(self, query: &WordQuery) -> Expr;

    /// The number of tasks that match `query`, up to `most`, where it decides by which index a list
    /// is read. PostgreSQL combines indexes; SQLite uses one.
    fn count_with_words(self, query: &WordQuery, most: i64) -> Option<Expr>;

    /// The condition that a task has `phrase` literally.
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
    let text = match_text(query, " & ", " | ", |Term { token, is_whole }| {
        format!("'{token}'{}", if *is_whole { "" } else { ":*" })
    });
    let condition = "array_to_tsvector(string_to_array(\"task\".\"words\", ' ')) \
                     @@ ($1::text)::tsquery";
    Expr::cust_with_values(format!("({condition}){outcome}"), [text])
}

fn sqlite_words(is_in: &str, query: &WordQuery) -> Expr {
    let condition = format!(
        "\"task\".\"number\" {is_in} (SELECT rowid FROM task_words WHERE task_words MATCH ?)"
    );
    Expr::cust_with_values(condition, [match_of(query)])
}

/// The query as SQLite's `MATCH` takes it.
fn match_of(query: &WordQuery) -> String {
    match_text(query, " AND ", " OR ", |Term { token, is_whole }| {
        format!("\"{token}\"{}", if *is_whole { "" } else { "*" })
    })
}

/// The query as a text.
fn match_text(query: &WordQuery, and: &str, or: &str, term: impl Fn(&Term) -> String) -> String {
    let mut parts: Vec<_> = query.all.iter().map(&term).collect();
    if !query.any.is_empty() {
        let any: Vec<_> = query.any.iter().map(term).collect();
        parts.push(format!("({})", any.join(or)));
    }
    parts.join(and)
}
