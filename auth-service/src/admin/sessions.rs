//! The `sessions` command: ends sessions in the database of running servers. They check it on
//! every call, so an ended session is refused everywhere at once.

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

/// The options of `sessions end`. No `Debug`: they can contain an e-mail.
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

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// `--all` without `--yes`.
    #[error("--all ends every session of every user: add --yes if that is meant")]
    Unconfirmed,
    /// No user has this id or e-mail, or several have e-mails that differ in case alone.
    #[error(
        "there is no such user, or there are several whose e-mails differ in case alone: give the \
         id, or the exact spelling"
    )]
    NoSuchUser,
    /// The database cannot be opened.
    #[error("cannot use the database of accounts")]
    Unusable(#[from] OpenError),
    /// The database failed.
    #[error("the database of accounts fails")]
    Database(#[from] Error),
}

impl SessionsCommand {
    /// Runs the command, and returns how many sessions ended.
    pub async fn run(&self, url: &DatabaseUrl) -> Result<u64, AdminError> {
        let Self::End(end) = self;
        if end.all && !end.yes {
            return Err(AdminError::Unconfirmed);
        }
        let store = Store::open_existing(url).await?;
        match &end.user {
            None => Ok(end_all(&store).await?),
            Some(user) => end_those_of(user, &store).await?.ok_or(AdminError::NoSuchUser),
        }
    }
}

async fn end_all(store: &Store) -> Result<u64, Error> {
    let ended = store.end_all_sessions().await?;
    let event = Event::new(EventKind::SessionsEndedByOperator);
    store.record_admin_event(event.with_detail(ended.to_string())).await?;
    Ok(ended)
}

/// `None`: there is no such user.
async fn end_those_of(user: &str, store: &Store) -> Result<Option<u64>, Error> {
    // The id first: an id of another server may look like an address.
    let mut found = store.user(user).await?;
    if let (None, Ok(email)) = (&found, Email::parse(user)) {
        found = store.user_by_email(&email).await?;
    }
    let Some(user) = found else { return Ok(None) };
    let ended = store.end_sessions(&user.id, Which::All).await?.count;
    let event = Event::of(EventKind::SessionsEndedByOperator, &user.id);
    store.record_admin_event(event.with_detail(ended.to_string())).await?;
    Ok(Some(ended))
}
