//! The request id of a call, in the log and the response.

use std::{
    fmt::Write,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use tonic::codegen::http::{HeaderMap, HeaderValue};

/// The header of the id, in both directions.
pub const HEADER: &str = "x-request-id";

/// The client's id if it has 1 to 128 visible ASCII characters, else a new one: eight random
/// digits for the process and a running number.
pub fn of(headers: &HeaderMap) -> HeaderValue {
    static PROCESS: LazyLock<u32> = LazyLock::new(|| getrandom::u32().unwrap_or_default());
    static NEXT: AtomicU64 = AtomicU64::new(1);

    if let Some(id_sent) = headers.get(HEADER)
        && (1..=128).contains(&id_sent.len())
        && id_sent.as_bytes().iter().all(u8::is_ascii_graphic)
    {
        return id_sent.clone();
    }
    let mut id = String::with_capacity(20);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let _ = write!(id, "{:08x}-{number:x}", *PROCESS);
    HeaderValue::from_maybe_shared(bytes(id)).unwrap_or(HeaderValue::from_static("-"))
}

fn bytes(id: String) -> tonic::codegen::Bytes {
    id.into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_id_is_kept_and_anything_else_replaced() {
        let mut headers = HeaderMap::new();
        assert_ne!(of(&headers), of(&headers));
        for (sent, kept) in
            [("abc-1", true), ("a b", false), ("", false), (&"x".repeat(129), false)]
        {
            headers.insert(HEADER, HeaderValue::from_str(sent).expect("a header value"));
            assert_eq!(of(&headers) == sent, kept, "{sent:?}");
        }
    }
}
