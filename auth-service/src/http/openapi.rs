//! The OpenAPI document of the routes.

use std::sync::Arc;

use server::http::Route;
use utoipa::{
    OpenApi,
    openapi::{
        Components, RefOr, Schema,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{desk::Desk, refusal::Refusal};
use crate::password::PasswordRules;

/// What the document says beside the routes.
#[derive(OpenApi)]
#[openapi(
    components(schemas(Refusal)),
    tags((
        name = "auth",
        description = "Accounts and sessions, as Better Auth's client speaks to them. Any other \
                       path or method under `/api/auth/` is answered with 404 and no body."
    ))
)]
struct Document;

/// The members of bodies in which somebody chooses a password.
const NEW_PASSWORDS: [(&str, &str); 2] =
    [("SignUp", "password"), ("ChangePassword", "newPassword")];

/// The description of `routes`; `cookie` is the name of the cookie that signs in.
pub fn document(
    routes: &[Route<Arc<Desk>>],
    cookie: &str,
    rules: PasswordRules,
) -> utoipa::openapi::OpenApi {
    let mut api = Route::describe(routes, Document::openapi());
    let components = api.components.get_or_insert_with(Components::new);
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A session token, as it is or signed"));
    components.add_security_scheme("sessionToken", SecurityScheme::Http(token.build()));
    let cookie = ApiKeyValue::with_description(cookie, "A signed session token");
    components.add_security_scheme("sessionCookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    for (body, member) in NEW_PASSWORDS {
        if let Some(RefOr::T(Schema::Object(body))) = components.schemas.get_mut(body)
            && let Some(RefOr::T(Schema::Object(password))) = body.properties.get_mut(member)
        {
            password.min_length = Some(rules.min_length);
        }
    }
    api
}
