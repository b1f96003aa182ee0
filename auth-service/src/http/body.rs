//! The body of a request, read whole within its limit, as JSON or as an HTML form.

use std::borrow::Cow;

use axum::extract::{FromRequest, Request};
use http::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Map, Value};
use server::http::{body::read_body, byte_order_mark::without_byte_order_mark};

use super::{
    members::{Form, Members},
    refusal::Refused,
};
use crate::error_code;

const JSON: &str = "application/json";
const HTML_FORM: &str = "application/x-www-form-urlencoded";

/// What a request asks, read and checked; refused before its handler otherwise.
pub struct Asked<T>(pub T);

impl<S: Send + Sync, T: Form> FromRequest<S> for Asked<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refused> {
        let (head, body) = request.into_parts();
        let media = Media::of(&head.headers, T::FROM_HTML);
        let body = read_body(&head.headers, body).await?;
        let from_html = matches!(media, Ok(Some(Media::HtmlForm)));
        let value = match (body.is_empty(), media) {
            // What nobody says the type of is not looked at.
            (true, _) | (false, Ok(None)) => None,
            (false, Ok(Some(media))) => Some(media.read(&body)?),
            (false, Err(refused)) => return Err(refused),
        };
        Members::read(value, from_html).map(Self)
    }
}

/// The forms a body can have here.
enum Media {
    Json,
    HtmlForm,
}

impl Media {
    /// `None` where no type is given.
    fn of(headers: &HeaderMap, from_html: bool) -> Result<Option<Self>, Refused> {
        let given = headers.get(CONTENT_TYPE).map_or(b"" as &[u8], |value| value.as_bytes());
        let given = String::from_utf8_lossy(given);
        let essence = given.split(';').next().unwrap_or_default().trim();
        if given.is_empty() {
            return Ok(None);
        }
        if essence.eq_ignore_ascii_case(JSON) {
            return Ok(Some(Self::Json));
        }
        if from_html && essence.eq_ignore_ascii_case(HTML_FORM) {
            return Ok(Some(Self::HtmlForm));
        }
        let allowed = if from_html { format!("{HTML_FORM}, {JSON}") } else { JSON.to_owned() };
        let message = format!("Content-Type \"{given}\" is not allowed. Allowed types: {allowed}");
        Err(Refused::saying(&error_code::UNSUPPORTED_MEDIA_TYPE, message))
    }

    fn read(self, body: &[u8]) -> Result<Value, Refused> {
        match self {
            Self::Json => serde_json::from_slice(without_byte_order_mark(body))
                .map_err(|_| Refused::of(&error_code::BAD_REQUEST)),
            Self::HtmlForm => {
                let member = |(name, value): (Cow<'_, str>, Cow<'_, str>)| {
                    (name.into_owned(), Value::String(value.into_owned()))
                };
                Ok(Value::Object(form_urlencoded::parse(body).map(member).collect::<Map<_, _>>()))
            }
        }
    }
}
