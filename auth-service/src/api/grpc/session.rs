//! `auth.v1.SessionService`: rpcs for callers with a session token.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use proto::auth::v1::{
    self as pb,
    session_service_server::{SessionService, SessionServiceServer},
};
use server::{ClientInfo, MAX_REQUEST_BYTES, StreamKind};
use shared::auth::Keyring;
use tonic::{Request, Response, Status, service::interceptor::InterceptedService};

use super::credential::{RequireSessionToken, session_token, signed_in, signing_out};
use crate::{
    access_token::AccessTokens,
    account::Accounts,
    api::wire,
    error::Error,
    export::DataExports,
    session::{Refreshed, Sessions, SignedIn},
    store::Which,
};

struct Session {
    accounts: Accounts,
    sessions: Sessions,
    access: Arc<AccessTokens>,
    exports: DataExports,
}

/// The service, behind an interceptor that requires a session token.
pub fn session_service(
    accounts: Accounts,
    sessions: Sessions,
    access: Arc<AccessTokens>,
    exports: DataExports,
    keys: Arc<Keyring>,
) -> InterceptedService<SessionServiceServer<impl SessionService>, RequireSessionToken> {
    let service = Session { accounts, sessions, access, exports };
    let server = SessionServiceServer::new(service).max_decoding_message_size(MAX_REQUEST_BYTES);
    InterceptedService::new(server, RequireSessionToken(keys))
}

impl Session {
    async fn caller<T>(&self, request: &Request<T>) -> Result<SignedIn, Error> {
        signed_in(request, &self.sessions).await
    }
}

#[tonic::async_trait]
impl SessionService for Session {
    async fn get_session(
        &self,
        request: Request<pb::GetSessionRequest>,
    ) -> Result<Response<pb::GetSessionResponse>, Status> {
        let caller = self.caller(&request).await?;
        let session = wire::session(caller.session(), &caller.session().id);
        let user = wire::user(caller.user().clone());
        Ok(Response::new(pb::GetSessionResponse { session: Some(session), user: Some(user) }))
    }

    async fn get_token(
        &self,
        request: Request<pb::GetTokenRequest>,
    ) -> Result<Response<pb::GetTokenResponse>, Status> {
        let caller = self.caller(&request).await?;
        let token = self.access.issue(caller.user(), caller.session())?;
        Ok(Response::new(pb::GetTokenResponse { access_token: Some(wire::access_token(token)) }))
    }

    async fn sign_out(
        &self,
        request: Request<pb::SignOutRequest>,
    ) -> Result<Response<pb::SignOutResponse>, Status> {
        let caller = signing_out(&request, &self.sessions).await?;
        self.sessions.end(&caller, Which::One(&caller.session().id)).await?;
        Ok(Response::new(pb::SignOutResponse {}))
    }

    async fn list_sessions(
        &self,
        request: Request<pb::ListSessionsRequest>,
    ) -> Result<Response<pb::ListSessionsResponse>, Status> {
        let caller = self.caller(&request).await?;
        let sessions = self.sessions.list(&caller).await?;
        let current = &caller.session().id;
        let sessions = sessions.iter().map(|one| wire::listed_session(one, current)).collect();
        Ok(Response::new(pb::ListSessionsResponse { sessions }))
    }

    async fn refresh_session(
        &self,
        request: Request<pb::RefreshSessionRequest>,
    ) -> Result<Response<pb::RefreshSessionResponse>, Status> {
        let token = session_token(&request)?;
        let client = ClientInfo::of(request.extensions());
        let Refreshed { signed_in, token } = self.sessions.refresh(token, &client).await?;
        let (session, user) = (signed_in.session(), signed_in.user());
        Ok(Response::new(pb::RefreshSessionResponse {
            access_token: Some(wire::access_token(self.access.issue(user, session)?)),
            session: Some(wire::session(session, &session.id)),
            session_token: token.reveal().to_owned(),
            user: Some(wire::user(user.clone())),
        }))
    }

    async fn revoke_session(
        &self,
        request: Request<pb::RevokeSessionRequest>,
    ) -> Result<Response<pb::RevokeSessionResponse>, Status> {
        let caller = self.caller(&request).await?;
        let id = wire::session_id(request.into_inner())?;
        self.sessions.end(&caller, Which::One(&id)).await?;
        Ok(Response::new(pb::RevokeSessionResponse {}))
    }

    async fn revoke_sessions(
        &self,
        request: Request<pb::RevokeSessionsRequest>,
    ) -> Result<Response<pb::RevokeSessionsResponse>, Status> {
        let caller = self.caller(&request).await?;
        self.sessions.end(&caller, Which::All).await?;
        Ok(Response::new(pb::RevokeSessionsResponse {}))
    }

    async fn revoke_other_sessions(
        &self,
        request: Request<pb::RevokeOtherSessionsRequest>,
    ) -> Result<Response<pb::RevokeOtherSessionsResponse>, Status> {
        let caller = self.caller(&request).await?;
        self.sessions.end(&caller, Which::Others(&caller.session().id)).await?;
        Ok(Response::new(pb::RevokeOtherSessionsResponse {}))
    }

    async fn list_security_events(
        &self,
        request: Request<pb::ListSecurityEventsRequest>,
    ) -> Result<Response<pb::ListSecurityEventsResponse>, Status> {
        let caller = self.caller(&request).await?;
        let wanted = wire::page_request(request.get_ref(), &caller.user().id)?;
        let page = self.sessions.security_events(&caller, &wanted).await?;
        Ok(Response::new(wire::security_events(page)))
    }

    async fn update_user(
        &self,
        request: Request<pb::UpdateUserRequest>,
    ) -> Result<Response<pb::UpdateUserResponse>, Status> {
        let caller = self.caller(&request).await?;
        let patch = wire::user_patch(request.into_inner())?;
        let user = self.accounts.update(&caller, patch).await?;
        Ok(Response::new(pb::UpdateUserResponse { user: Some(wire::user(user)) }))
    }

    async fn change_password(
        &self,
        request: Request<pb::ChangePasswordRequest>,
    ) -> Result<Response<pb::ChangePasswordResponse>, Status> {
        let caller = self.caller(&request).await?;
        let revoke = request.get_ref().revoke_other_sessions;
        let (current, new) =
            wire::password_change(request.into_inner(), self.accounts.password_rules())?;
        let opened = self.accounts.change_password(&caller, current, new, revoke).await?;
        Ok(Response::new(pb::ChangePasswordResponse {
            user: Some(wire::user(caller.user().clone())),
            session_token: opened.map(|opened| opened.token.reveal().to_owned()),
        }))
    }

    async fn verify_password(
        &self,
        request: Request<pb::VerifyPasswordRequest>,
    ) -> Result<Response<pb::VerifyPasswordResponse>, Status> {
        let caller = self.caller(&request).await?;
        let password = wire::password(request.into_inner().password)?;
        self.accounts.verify_password(&caller, password).await?;
        Ok(Response::new(pb::VerifyPasswordResponse {}))
    }

    async fn delete_user(
        &self,
        request: Request<pb::DeleteUserRequest>,
    ) -> Result<Response<pb::DeleteUserResponse>, Status> {
        let caller = self.caller(&request).await?;
        let password = request.into_inner().password.map(wire::password).transpose()?;
        self.accounts.delete(&caller, password).await?;
        Ok(Response::new(pb::DeleteUserResponse {}))
    }

    type ExportUserDataStream = BoxStream<'static, Result<pb::ExportUserDataResponse, Status>>;

    async fn export_user_data(
        &self,
        request: Request<pb::ExportUserDataRequest>,
    ) -> Result<Response<Self::ExportUserDataStream>, Status> {
        let caller = self.caller(&request).await?;
        let document = self.exports.begin(&caller).await?;
        let chunks = document.map_ok(|chunk| pb::ExportUserDataResponse { chunk });
        let mut answer = Response::new(chunks.map_err(Into::into).boxed());
        answer.extensions_mut().insert(StreamKind::Export);
        Ok(answer)
    }
}
