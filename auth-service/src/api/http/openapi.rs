//! The OpenAPI document of the routes, and the responses that routes share.

use std::{collections::BTreeMap, sync::Arc};

use server::http::Route;
use utoipa::{
    IntoResponses, OpenApi, PartialSchema,
    openapi::{
        Components, ContentBuilder, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder, Schema,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{api_error::ErrorBody, state::AppState};
use crate::password::PasswordRules;

/// The document without its routes.
#[derive(OpenApi)]
#[openapi(
    components(schemas(ErrorBody)),
    tags((
        name = "auth",
        description = "Accounts and sessions, as Better Auth's client speaks to them. Any other \
                       path or method under `/api/auth/` is answered with 404 and no body."
    ))
)]
struct Document;

/// The members of request bodies that hold a new password.
const NEW_PASSWORDS: [(&str, &str); 2] =
    [("SignUp", "password"), ("ChangePassword", "newPassword")];

/// The description of `routes`; `cookie` is the name of the cookie that signs in.
pub fn document(
    routes: &[Route<Arc<AppState>>],
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

/// The description of 403 for every route: the document has one per status.
const FORBIDDEN: &str = "No trusted origin asked for this, or the user is banned (`BANNED_USER`)";

/// Error responses of any request.
pub enum CommonErrors {}

impl IntoResponses for CommonErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let wait = |description| {
            let seconds =
                HeaderBuilder::new().schema(Some(u32::schema())).description(Some("Seconds"));
            let seconds = seconds.build();
            error(description)
                .header("retry-after", seconds.clone())
                .header("x-retry-after", seconds)
        };
        responses([
            ("400", error("The query, a header or the body breaks a rule; each is named")),
            ("429", wait("More is asked for than can be done, or tried too often")),
            ("500", error("A fault of this server, logged with its cause")),
            (
                "503",
                wait(
                    "The database is away or busy; with the code `BUSY`, too many passwords are checked",
                ),
            ),
            ("507", error("There is no room to store it (`STORAGE_FULL`)")),
        ])
    }
}

/// Error responses of requests that have a body.
pub enum BodyErrors {}

impl IntoResponses for BodyErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses([
            ("408", error("The body did not arrive in time")),
            ("413", error("The body is larger than 64 KiB")),
            ("415", error("The body is of another type")),
        ])
    }
}

/// Error responses of requests that a foreign web site may have caused (csrf).
pub enum OriginErrors {}

impl IntoResponses for OriginErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses([("403", error(FORBIDDEN))])
    }
}

/// Error responses of requests that need a session.
pub enum SessionErrors {}

impl IntoResponses for SessionErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses([
            ("401", error("No live session; the cookies of a dead one are expired")),
            ("403", error(FORBIDDEN)),
        ])
    }
}

fn error(description: &str) -> ResponseBuilder {
    let schema = Ref::from_schema_name("Refusal");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content("application/json", content)
}

fn responses<const N: usize>(
    list: [(&str, ResponseBuilder); N],
) -> BTreeMap<String, RefOr<Response>> {
    list.into_iter().map(|(status, built)| (status.to_owned(), RefOr::T(built.build()))).collect()
}
