//! The session token of a call, read from its metadata before its body.

use std::sync::Arc;

use server::ClientInfo;
use shared::{
    auth::{Keyring, bearer},
    error::Refusal,
};
use tonic::{Request, Status, service::Interceptor};

use crate::{
    error::Error,
    session::{Sessions, SignedIn},
    session_token::SessionToken,
};

/// Refuses calls without a possible session token, and passes the token of the others to the
/// handler. Whether it opens a session is checked by the handler (see [`signed_in`]): an
/// interceptor cannot query a database.
#[derive(Clone)]
pub struct RequireSessionToken(pub Arc<Keyring>);

impl Interceptor for RequireSessionToken {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.extensions_mut().remove::<Arc<SessionToken>>();
        let credential = bearer(request.metadata().as_ref())?;
        let token = SessionToken::parse(credential, &self.0).ok_or(Refusal::InvalidSession)?;
        request.extensions_mut().insert(Arc::new(token));
        Ok(request)
    }
}

/// The caller, if its token opens a live session.
pub async fn signed_in<T>(request: &Request<T>, sessions: &Sessions) -> Result<SignedIn, Error> {
    sessions.resume(session_token(request)?, &ClientInfo::of(request.extensions())).await
}

/// The caller of a sign-out, which a banned user may do.
pub async fn signing_out<T>(request: &Request<T>, sessions: &Sessions) -> Result<SignedIn, Error> {
    sessions.resume_to_end(session_token(request)?, &ClientInfo::of(request.extensions())).await
}

/// The caller's token, unverified. Fails closed without the interceptor.
pub fn session_token<T>(request: &Request<T>) -> Result<&SessionToken, Refusal> {
    let token = request.extensions().get::<Arc<SessionToken>>().ok_or(Refusal::MissingToken)?;
    Ok(token)
}
