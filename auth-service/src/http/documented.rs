//! Responses that routes have in common, as OpenAPI.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses, PartialSchema,
    openapi::{ContentBuilder, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder},
};

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
