//! The `sessions` sub-command: ends sessions in the database that the servers use. They ask
//! it on every call, so what has ended here is refused everywhere at once.

use clap::{ArgGroup, Args, Subcommand};
use server::{
    audit_log::{Event, EventKind},
    db::DatabaseUrl,
};

use crate::{
    email::Email,
    error::Error,
    store::{OpenError, Store, Which},
};

/// The commands of `sessions`.
#[derive(Subcommand)]
pub enum SessionsCommand {
    /// End the sessions of one user, or of all; access tokens live out their minutes
    End(End),
}

/// The options of `sessions end`. They can hold an e-mail, so they have no `Debug`.
#[derive(Args)]
#[command(group(ArgGroup::new("whose").required(true)))]
pub struct End {
    /// Whose sessions: an id, or an e-mail address
    #[arg(long, value_name = "ID or E-MAIL", group = "whose")]
    user: Option<String>,
    /// Every session of every user; needs --yes
    #[arg(long, group = "whose")]
    all: bool,
    /// Says that --all is meant
    #[arg(long, requires = "all")]
    yes: bool,
}

/// Why nothing, or not everything, was done.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// Everybody would have to sign in again.
    #[error("--all ends every session of every user: add --yes if that is meant")]
    Unconfirmed,
    /// Neither an id nor an e-mail is this one here, or several e-mails are but for their case.
    #[error(
        "there is no such user, or there are several whose e-mails differ in case alone: give the \
         id, or the exact spelling"
    )]
    NoSuchUser,
    /// The database cannot be reached, or has not the tables.
    #[error("cannot use the database of accounts")]
    Unusable(#[from] OpenError),
    /// It was reached, and fails.
    #[error("the database of accounts fails")]
    Database(#[from] Error),
}

impl SessionsCommand {
    /// Does it, and tells how many sessions ended.
    pub async fn run(&self, url: &DatabaseUrl) -> Result<u64, OperatorError> {
        let Self::End(end) = self;
        if end.all && !end.yes {
            return Err(OperatorError::Unconfirmed);
        }
        let store = Store::visit(url).await?;
        match &end.user {
            None => Ok(end_all(&store).await?),
            Some(user) => end_those_of(user, &store).await?.ok_or(OperatorError::NoSuchUser),
        }
    }
}

async fn end_all(store: &Store) -> Result<u64, Error> {
    let ended = store.end_all_sessions().await?;
    let event = Event::new(EventKind::SessionsEndedByOperator);
    store.note_of_operator(event.with_detail(ended.to_string())).await?;
    Ok(ended)
}

/// `None`: there is no such user.
async fn end_those_of(user: &str, store: &Store) -> Result<Option<u64>, Error> {
    // The id first: another server's may look like an address.
    let mut found = store.user(user).await?;
    if let (None, Ok(email)) = (&found, Email::parse(user)) {
        found = store.user_by_email(&email).await?;
    }
    let Some(user) = found else { return Ok(None) };
    let ended = store.end_sessions(&user.id, Which::All).await?.count;
    let event = Event::of(EventKind::SessionsEndedByOperator, &user.id);
    store.note_of_operator(event.with_detail(ended.to_string())).await?;
    Ok(Some(ended))
}
