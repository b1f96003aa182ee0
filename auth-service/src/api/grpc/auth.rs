//! `auth.v1.AuthService`: rpcs with the credential in the message.

use std::sync::Arc;

use proto::auth::v1::{
    self as pb,
    auth_service_server::{AuthService, AuthServiceServer},
};
use server::{ClientInfo, MAX_REQUEST_BYTES};
use tonic::{Request, Response, Status};

use crate::{access_token::AccessTokens, account::Accounts, api::wire, session::Stay};

struct Auth {
    accounts: Accounts,
    access: Arc<AccessTokens>,
}

/// The service, without authentication.
pub fn auth_service(
    accounts: Accounts,
    access: Arc<AccessTokens>,
) -> AuthServiceServer<impl AuthService> {
    AuthServiceServer::new(Auth { accounts, access }).max_decoding_message_size(MAX_REQUEST_BYTES)
}

#[tonic::async_trait]
impl AuthService for Auth {
    async fn sign_up(
        &self,
        request: Request<pb::SignUpRequest>,
    ) -> Result<Response<pb::SignUpResponse>, Status> {
        let client = ClientInfo::of(request.extensions());
        let rules = self.accounts.password_rules();
        let account = wire::new_account(request.into_inner(), rules)?;
        let (user, opened) = self.accounts.sign_up(account, &client, Stay::Remembered).await?;
        Ok(Response::new(pb::SignUpResponse {
            access_token: Some(wire::access_token(self.access.issue(&user, &opened.session)?)),
            session: Some(wire::session(&opened.session, &opened.session.id)),
            session_token: opened.token.reveal().to_owned(),
            user: Some(wire::user(user)),
        }))
    }

    async fn sign_in(
        &self,
        request: Request<pb::SignInRequest>,
    ) -> Result<Response<pb::SignInResponse>, Status> {
        let client = ClientInfo::of(request.extensions());
        let (email, password) = wire::credential(request.into_inner())?;
        let sign_in = self.accounts.sign_in(email.as_ref(), password, &client, Stay::Remembered);
        let (user, opened) = sign_in.await?;
        Ok(Response::new(pb::SignInResponse {
            access_token: Some(wire::access_token(self.access.issue(&user, &opened.session)?)),
            session: Some(wire::session(&opened.session, &opened.session.id)),
            session_token: opened.token.reveal().to_owned(),
            user: Some(wire::user(user)),
        }))
    }
}
