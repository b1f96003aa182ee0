//! NDJSON (JSON Lines): bodies of any length, one JSON value per line, read as they arrive, so
//! that memory is bounded by a line.

use std::time::Duration;

use axum::body::Body;
use http::HeaderMap;
use http_body_util::BodyExt;
use hyper::body::Bytes;

use super::{
    Problem,
    body::{BODY_TIMEOUT, broken, check_announced, is_of, other_type, too_long, too_slow},
    byte_order_mark::without_byte_order_mark,
};
use crate::admission::limits::MAX_REQUEST_BYTES;

/// The media types of the format.
const TYPES: [&str; 3] = ["application/x-ndjson", "application/jsonl", "application/ndjson"];

/// The limits of a body of lines.
#[derive(Clone, Copy, Debug)]
pub struct LinesLimits {
    /// The longest line, without the line break.
    pub line: usize,
    /// The total size.
    pub total: usize,
    /// The longest pause between pieces.
    pub pause: Duration,
}

impl LinesLimits {
    /// The limits for a total size, with lines as long as a request and pauses as long as a body
    /// may take.
    #[must_use]
    pub fn of_total(total: usize) -> Self {
        Self { line: MAX_REQUEST_BYTES, total, pause: BODY_TIMEOUT }
    }
}

/// A line that is not blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The line number, from 1, blank lines included.
    pub number: usize,
    /// The text, without the line break.
    pub text: Bytes,
}

/// A body of lines, as it arrives.
pub struct Lines {
    body: Body,
    limits: LinesLimits,
    /// The received bytes that are not read yet.
    buffered: Bytes,
    /// The beginning of an incomplete line.
    partial: Vec<u8>,
    /// The number of lines read.
    number: usize,
    total: usize,
    ended: bool,
}

impl Lines {
    /// The lines of `body`. Refuses other types than `application/x-ndjson` or `application/jsonl`
    /// (415) and an announced length beyond the total (413).
    pub fn of(headers: &HeaderMap, body: Body, limits: LinesLimits) -> Result<Self, Problem> {
        if !is_of(headers, &TYPES) {
            let message = "The body must be lines of JSON, sent as \
                           `content-type: application/x-ndjson`";
            return Err(other_type(message));
        }
        check_announced(headers, limits.total)?;
        let (buffered, partial) = (Bytes::new(), Vec::new());
        Ok(Self { body, limits, buffered, partial, number: 0, total: 0, ended: false })
    }

    /// The next line that is not blank; `None` after the last. The last line needs no line break.
    ///
    /// Refuses a line that is too long (413), a total that is too large (413) and a pause that is
    /// too long (408). After an error there is no next line.
    pub async fn next(&mut self) -> Result<Option<Line>, Problem> {
        while let Some(text) = self.next_line().await? {
            if !text.trim_ascii().is_empty() {
                return Ok(Some(Line { number: self.number, text }));
            }
        }
        Ok(None)
    }

    async fn next_line(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            if let Some(end) = self.buffered.iter().position(|byte| *byte == b'\n') {
                let rest = self.buffered.split_to(end + 1).slice(..end);
                return self.finish(rest).map(Some);
            }
            let buffered = std::mem::take(&mut self.buffered);
            self.check_length(buffered.len())?;
            if self.ended {
                let is_over = buffered.is_empty() && self.partial.is_empty();
                return if is_over { Ok(None) } else { self.finish(buffered).map(Some) };
            }
            self.partial.extend_from_slice(&buffered);
            self.read_more().await?;
        }
    }

    /// The line that ends with `rest`.
    fn finish(&mut self, rest: Bytes) -> Result<Bytes, Problem> {
        self.check_length(rest.len())?;
        self.number += 1;
        let line = if self.partial.is_empty() {
            rest
        } else {
            self.partial.extend_from_slice(&rest);
            std::mem::take(&mut self.partial).into()
        };
        let mark =
            if self.number == 1 { line.len() - without_byte_order_mark(&line).len() } else { 0 };
        let end = line.strip_suffix(b"\r").map_or(line.len(), <[u8]>::len);
        Ok(line.slice(mark..end.max(mark)))
    }

    /// Refuses a line that `more` bytes would make too long.
    fn check_length(&mut self, more: usize) -> Result<(), Problem> {
        let limit = self.limits.line;
        if self.partial.len() + more <= limit {
            return Ok(());
        }
        let number = self.number + 1;
        Err(self.fail(too_long(format!("Line {number} must have at most {limit} bytes"))))
    }

    /// Waits for more bytes.
    async fn read_more(&mut self) -> Result<(), Problem> {
        loop {
            let frame = tokio::time::timeout(self.limits.pause, self.body.frame()).await;
            // In all other cases the body has ended.
            let frame = match frame {
                Ok(Some(Ok(frame))) => frame,
                Ok(None) => {
                    self.ended = true;
                    return Ok(());
                }
                Ok(Some(Err(error))) => return Err(self.fail(broken(&error))),
                Err(_elapsed) => {
                    let message = "The rest of the body did not arrive in time";
                    return Err(self.fail(too_slow(message)));
                }
            };
            if let Ok(bytes) = frame.into_data() {
                self.total += bytes.len();
                if self.total > self.limits.total {
                    let limit = self.limits.total;
                    let message = format!("The body must have at most {limit} bytes");
                    return Err(self.fail(too_long(message)));
                }
                self.buffered = bytes;
                return Ok(());
            }
        }
    }

    fn fail(&mut self, problem: Problem) -> Problem {
        self.ended = true;
        self.buffered = Bytes::new();
        self.partial = Vec::new();
        problem
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{StreamExt, stream};
    use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};

    use super::*;

    const LIMITS: LinesLimits = LinesLimits { line: 8, total: 40, pause: BODY_TIMEOUT };

    fn headers(content_type: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))])
    }

    /// A body in these pieces; it stays open where it does not end.
    fn lines(pieces: &[&'static str], ends: bool) -> Lines {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok::<_, Infallible>(*piece)).collect();
        let never = stream::pending().take(usize::from(!ends));
        let body = Body::from_stream(stream::iter(pieces).chain(never));
        Lines::of(&headers("application/x-ndjson"), body, LIMITS).expect("lines")
    }

    async fn all(mut lines: Lines) -> (Vec<(usize, String)>, Option<Problem>) {
        let mut read = Vec::new();
        loop {
            match lines.next().await {
                Ok(Some(Line { number, text })) => {
                    read.push((number, String::from_utf8(text.to_vec()).expect("text")));
                }
                Ok(None) => return (read, None),
                Err(problem) => {
                    assert_eq!(lines.next().await, Ok(None), "nothing after a refusal");
                    return (read, Some(problem));
                }
            }
        }
    }

    #[tokio::test]
    async fn lines_are_the_same_however_the_body_was_cut() {
        let expected = [(1, "{\"a\":1}"), (3, "{}"), (5, "[1]")];
        for pieces in [
            &["{\"a\":1}\n\n{}\r\n  \n[1]"][..],
            &["{\"a\"", ":1}", "\n", "\n{", "}\r", "\n  \n", "[1]", "\n"],
            &["", "{\"a\":1}\n", "", "\n{}\r\n  \n[1]\n\n"],
        ] {
            let (read, problem) = all(lines(pieces, true)).await;
            let read: Vec<_> = read.iter().map(|(n, text)| (*n, text.as_str())).collect();
            assert_eq!((read, problem), (expected.to_vec(), None), "{pieces:?}");
        }
        assert_eq!(all(lines(&[], true)).await, (Vec::new(), None));
    }

    #[tokio::test]
    async fn a_byte_order_mark_is_before_the_first_line_alone() {
        for (pieces, expected) in [
            (&["\u{feff}{}\r\n[]\n"][..], &[(1, "{}"), (2, "[]")][..]),
            (&["\u{feff}", "\n{}"], &[(2, "{}")]),
            (&["\u{feff}\r\n{}"], &[(2, "{}")]),
            (&["\n\u{feff}{}"], &[(2, "\u{feff}{}")]),
        ] {
            let (read, problem) = all(lines(pieces, true)).await;
            let read: Vec<_> = read.iter().map(|(n, text)| (*n, text.as_str())).collect();
            assert_eq!((read, problem), (expected.to_vec(), None), "{pieces:?}");
        }
    }

    #[tokio::test]
    async fn a_line_and_a_body_have_a_limit() {
        let long = "Line 2 must have at most 8 bytes";
        let large = "The body must have at most 40 bytes";
        for (pieces, good, message) in [
            (&["12345678\n12345678\n"][..], 2, None),
            (&["12345678\n123456789\n1\n"], 1, Some(long)),
            (&["12345678\n12345", "6789"], 1, Some(long)),
            (&["1\n", "123456789012"], 1, Some(long)),
            (&["1234567\n"; 5], 5, None),
            (
                &["1234567\n", "1234567\n", "1234567\n", "1234567\n", "1234567\n", "1"],
                5,
                Some(large),
            ),
        ] {
            let (read, problem) = all(lines(pieces, true)).await;
            assert_eq!(read.len(), good, "{pieces:?}");
            assert_eq!(problem.as_ref().map(|problem| &*problem.message), message, "{pieces:?}");
            if let Some(problem) = problem {
                assert_eq!(problem.status, StatusCode::PAYLOAD_TOO_LARGE);
            }
        }
        let mut announced = headers("application/jsonl");
        announced.insert("content-length", HeaderValue::from_static("41"));
        let refused = Lines::of(&announced, Body::empty(), LIMITS).err().expect("too large");
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    }

    /// An end that never comes does not make a line grow until it does.
    #[tokio::test]
    async fn a_line_without_an_end_is_refused_while_it_arrives() {
        let (_, problem) = all(lines(&["123456789"], false)).await;
        assert_eq!(problem.expect("too long").status, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_has_a_limit_and_what_came_before_it_is_read() {
        let start = tokio::time::Instant::now();
        let (read, problem) = all(lines(&["{}\n[", "]\n{"], false)).await;
        assert_eq!(start.elapsed(), BODY_TIMEOUT);
        assert_eq!(read, [(1, "{}".to_owned()), (2, "[]".to_owned())]);
        assert_eq!(problem.expect("too slow").status, StatusCode::REQUEST_TIMEOUT);
    }

    #[tokio::test]
    async fn lines_are_what_says_so() {
        for (content_type, is_taken) in [
            ("application/x-ndjson", true),
            ("application/jsonl; charset=utf-8", true),
            ("application/json", false),
            ("text/plain", false),
        ] {
            let taken = Lines::of(&headers(content_type), Body::empty(), LIMITS);
            let status = taken.err().map(|problem| problem.status);
            let expected = (!is_taken).then_some(StatusCode::UNSUPPORTED_MEDIA_TYPE);
            assert_eq!(status, expected, "{content_type}");
        }
    }
}
