//! The routes as OpenAPI: what they have in common, and their list.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses, OpenApi, PartialSchema,
    openapi::{
        Components, ContentBuilder, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{data, entrance, refusal::Refusal, security_events, sessions, token, user};

#[derive(OpenApi)]
#[openapi(
    paths(
        token::ok,
        entrance::sign_up,
        entrance::sign_in,
        entrance::sign_out,
        sessions::get_session,
        sessions::post_get_session,
        sessions::list_sessions,
        sessions::refresh_session,
        sessions::revoke_session,
        sessions::revoke_sessions,
        sessions::revoke_other_sessions,
        user::update_user,
        user::change_password,
        user::verify_password,
        user::delete_user,
        user::list_accounts,
        security_events::list_security_events,
        data::export_user_data,
        token::token,
        token::jwks,
    ),
    components(schemas(Refusal)),
    tags((
        name = "auth",
        description = "Accounts and sessions, as Better Auth's client speaks to them. Any other \
                       path or method under `/api/auth/` is answered with 404 and no body."
    ))
)]
struct Routes;

/// The description of the routes; `cookie` is the name of the cookie that signs in.
pub fn api(cookie: &str) -> utoipa::openapi::OpenApi {
    let mut api = Routes::openapi();
    let components = api.components.get_or_insert_with(Components::new);
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A session token, as it is or signed"));
    components.add_security_scheme("sessionToken", SecurityScheme::Http(token.build()));
    let cookie = ApiKeyValue::with_description(cookie, "A signed session token");
    components.add_security_scheme("sessionCookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    api
}

/// Routes share the status, and a list has one description of it.
const FORBIDDEN: &str = "No trusted origin asked for this, or the user is banned (`BANNED_USER`)";

/// Refusals of any request.
pub enum AnyTime {}

impl IntoResponses for AnyTime {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let wait = |description| {
            let seconds =
                HeaderBuilder::new().schema(Some(u32::schema())).description(Some("Seconds"));
            let seconds = seconds.build();
            refusal(description)
                .header("retry-after", seconds.clone())
                .header("x-retry-after", seconds)
        };
        responses([
            ("400", refusal("The query, a header or the body breaks a rule; each is named")),
            ("429", wait("More is asked for than can be done, or tried too often")),
            ("500", refusal("A fault of this server, logged with its cause")),
            (
                "503",
                wait(
                    "The database is away or busy; with the code `BUSY`, too many passwords are checked",
                ),
            ),
            ("507", refusal("There is no room to store it (`STORAGE_FULL`)")),
        ])
    }
}

/// Refusals of requests that have a body.
pub enum ForBodies {}

impl IntoResponses for ForBodies {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses([
            ("408", refusal("The body did not arrive in time")),
            ("413", refusal("The body is larger than 64 KiB")),
            ("415", refusal("The body is of another type")),
        ])
    }
}

/// Refusals of requests that a foreign web site may have caused.
pub enum ForSites {}

impl IntoResponses for ForSites {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses([("403", refusal(FORBIDDEN))])
    }
}

/// Refusals of requests that need a session.
pub enum ForUsers {}

impl IntoResponses for ForUsers {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses([
            ("401", refusal("No live session; the cookies of a dead one are expired")),
            ("403", refusal(FORBIDDEN)),
        ])
    }
}

fn refusal(description: &str) -> ResponseBuilder {
    let schema = Ref::from_schema_name("Refusal");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content("application/json", content)
}

fn responses<const N: usize>(
    list: [(&str, ResponseBuilder); N],
) -> BTreeMap<String, RefOr<Response>> {
    list.into_iter().map(|(status, built)| (status.to_owned(), RefOr::T(built.build()))).collect()
}
