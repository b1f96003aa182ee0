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

    /// The number of tasks that match `query`, up to `most`. The words are those of one user, who is
    /// named where tables are distributed, as that names the shard.
    fn count_with_words(self, query: &WordQuery, user_id: Option<&str>, most: u64) -> Expr;

    /// The condition that the text, an expression, has `part` literally; false without a text.
    fn has_text(self, text: &str, part: String) -> Expr;
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
        if self == Self::Postgres {
            Expr::cust_with_values(POSTGRES_MATCH, [tsquery_of(query)])
        } else {
            let condition = format!("\"task\".\"number\" IN ({SQLITE_MATCH})");
            Expr::cust_with_values(condition, [match_of(query)])
        }
    }

    fn count_with_words(self, query: &WordQuery, user_id: Option<&str>, most: u64) -> Expr {
        let (some, query) = if self == Self::Postgres {
            let shard = user_id.map_or("", |_| "\"task\".\"user_id\" = $2 AND ");
            // A limit that the planner does not know: for a small one it would rather read the
            // table, hoping to find as many soon.
            let some = format!(
                "SELECT 1 FROM \"task\" WHERE {shard}{POSTGRES_MATCH} LIMIT (SELECT {most})"
            );
            (some, tsquery_of(query))
        } else {
            (format!("{SQLITE_MATCH} LIMIT {most}"), match_of(query))
        };
        let count = format!("(SELECT count(*) FROM ({some}) AS \"some\")");
        let user_id = user_id.filter(|_| self == Self::Postgres).map(str::to_owned);
        Expr::cust_with_values(count, std::iter::once(query).chain(user_id))
    }

    fn has_text(self, text: &str, part: String) -> Expr {
        let position = if self == Self::Postgres {
            format!("coalesce(strpos({text}, $1), 0) > 0")
        } else {
            format!("coalesce(instr({text}, ?), 0) > 0")
        };
        Expr::cust_with_values(position, [part])
    }
}

/// A query of the index `task_by_words`, spelled as there.
const POSTGRES_MATCH: &str =
    "array_to_tsvector(string_to_array(\"task\".\"words\", ' ')) @@ ($1::text)::tsquery";

/// A query of the table `task_words`.
const SQLITE_MATCH: &str = "SELECT rowid FROM task_words WHERE task_words MATCH ?";

/// The query as PostgreSQL's `tsquery` takes it.
fn tsquery_of(query: &WordQuery) -> String {
    match_text(query, " & ", " | ", |Term { token, is_whole }| {
        format!("'{token}'{}", if *is_whole { "" } else { ":*" })
    })
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
