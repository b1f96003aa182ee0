//! Request bodies: read whole within the limit, as JSON or as an HTML form.

use std::borrow::Cow;

use axum::extract::{FromRequest, Request};
use http::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Map, Value};
use server::http::{body::read_body, byte_order_mark::without_byte_order_mark};

use super::{
    api_error::ApiError,
    members::{Members, RequestBody},
};
use crate::error_code;

const JSON: &str = "application/json";
const HTML_FORM: &str = "application/x-www-form-urlencoded";

/// A request body, read and checked before the handler.
pub struct JsonOrForm<T>(pub T);

impl<S: Send + Sync, T: RequestBody> FromRequest<S> for JsonOrForm<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (head, body) = request.into_parts();
        let media = Media::of(&head.headers, T::ACCEPTS_HTML_FORM);
        let body = read_body(&head.headers, body).await?;
        let from_html = matches!(media, Ok(Some(Media::HtmlForm)));
        let value = match (body.is_empty(), media) {
            // A body without a content type is ignored.
            (true, _) | (false, Ok(None)) => None,
            (false, Ok(Some(media))) => Some(media.read(&body)?),
            (false, Err(refused)) => return Err(refused),
        };
        Members::read(value, from_html).map(Self)
    }
}

/// The media types of request bodies.
enum Media {
    Json,
    HtmlForm,
}

impl Media {
    /// `None`: no content type.
    fn of(headers: &HeaderMap, from_html: bool) -> Result<Option<Self>, ApiError> {
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
        Err(ApiError::with_message(&error_code::UNSUPPORTED_MEDIA_TYPE, message))
    }

    fn read(self, body: &[u8]) -> Result<Value, ApiError> {
        match self {
            Self::Json => serde_json::from_slice(without_byte_order_mark(body))
                .map_err(|_| ApiError::of(&error_code::BAD_REQUEST)),
            Self::HtmlForm => {
                let member = |(name, value): (Cow<'_, str>, Cow<'_, str>)| {
                    (name.into_owned(), Value::String(value.into_owned()))
                };
                Ok(Value::Object(form_urlencoded::parse(body).map(member).collect::<Map<_, _>>()))
            }
        }
    }
}
