//! Bodies of any length that consist of lines, one JSON value each (NDJSON, JSON Lines):
//! read line by line as they arrive, so that memory is bounded by a line.

use std::time::Duration;

use axum::body::Body;
use http::HeaderMap;
use http_body_util::BodyExt;
use hyper::body::Bytes;

use super::{
    Problem,
    body::{PATIENCE, broken, check_announced, is_of, other_type, too_long, too_slow},
    byte_order::without_byte_order_mark,
};
use crate::admission::limits::MAX_REQUEST_BYTES;

/// The names of the one format.
const TYPES: [&str; 3] = ["application/x-ndjson", "application/jsonl", "application/ndjson"];

/// How much a body of lines may be.
#[derive(Clone, Copy, Debug)]
pub struct LinesLimits {
    /// The longest line, without its end.
    pub line: usize,
    /// All bytes together.
    pub total: usize,
    /// The longest pause while a line is waited for.
    pub pause: Duration,
}

impl LinesLimits {
    /// Lines as long as any request may be, pauses as long as a whole body may take.
    #[must_use]
    pub fn of_total(total: usize) -> Self {
        Self { line: MAX_REQUEST_BYTES, total, pause: PATIENCE }
    }
}

/// A line that is not blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its place in the body, from 1, blank lines counted.
    pub number: usize,
    /// What stands in it, without its end.
    pub text: Bytes,
}

/// A body of lines on its way in.
pub struct Lines {
    body: Body,
    limits: LinesLimits,
    /// What has arrived and is not read.
    arrived: Bytes,
    /// The beginning of a line whose end has not arrived.
    begun: Vec<u8>,
    /// How many lines were read.
    number: usize,
    total: usize,
    ended: bool,
}

impl Lines {
    /// The lines of `body`. Refuses another type than `application/x-ndjson` or
    /// `application/jsonl` (415) and an announced length beyond the total (413).
    pub fn of(headers: &HeaderMap, body: Body, limits: LinesLimits) -> Result<Self, Problem> {
        if !is_of(headers, &TYPES) {
            let message = "The body must be lines of JSON, sent as \
                           `content-type: application/x-ndjson`";
            return Err(other_type(message));
        }
        check_announced(headers, limits.total)?;
        let (arrived, begun) = (Bytes::new(), Vec::new());
        Ok(Self { body, limits, arrived, begun, number: 0, total: 0, ended: false })
    }

    /// The next line that is not blank; `None` after the last. The last line needs no end.
    ///
    /// Refuses a line that is too long (413), too much in all (413) and a pause that is too
    /// long (408). Where it was refused or cut off, there is no next line.
    pub async fn next(&mut self) -> Result<Option<Line>, Problem> {
        while let Some(text) = self.next_of_any().await? {
            if !text.trim_ascii().is_empty() {
                return Ok(Some(Line { number: self.number, text }));
            }
        }
        Ok(None)
    }

    async fn next_of_any(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            if let Some(end) = self.arrived.iter().position(|byte| *byte == b'\n') {
                let rest = self.arrived.split_to(end + 1).slice(..end);
                return self.finish(rest).map(Some);
            }
            let arrived = std::mem::take(&mut self.arrived);
            self.fits(arrived.len())?;
            if self.ended {
                let is_over = arrived.is_empty() && self.begun.is_empty();
                return if is_over { Ok(None) } else { self.finish(arrived).map(Some) };
            }
            self.begun.extend_from_slice(&arrived);
            self.arrive().await?;
        }
    }

    /// The line that began earlier and ends with `rest`.
    fn finish(&mut self, rest: Bytes) -> Result<Bytes, Problem> {
        self.fits(rest.len())?;
        self.number += 1;
        let whole = if self.begun.is_empty() {
            rest
        } else {
            self.begun.extend_from_slice(&rest);
            std::mem::take(&mut self.begun).into()
        };
        let mark =
            if self.number == 1 { whole.len() - without_byte_order_mark(&whole).len() } else { 0 };
        let end = whole.strip_suffix(b"\r").map_or(whole.len(), <[u8]>::len);
        Ok(whole.slice(mark..end.max(mark)))
    }

    /// Whether `more` bytes still belong to a line that may be.
    fn fits(&mut self, more: usize) -> Result<(), Problem> {
        let limit = self.limits.line;
        if self.begun.len() + more <= limit {
            return Ok(());
        }
        let number = self.number + 1;
        Err(self.stop(too_long(format!("Line {number} must have at most {limit} bytes"))))
    }

    /// Waits for more.
    async fn arrive(&mut self) -> Result<(), Problem> {
        loop {
            let frame = tokio::time::timeout(self.limits.pause, self.body.frame()).await;
            // Whatever else happens, nothing comes after it.
            let frame = match frame {
                Ok(Some(Ok(frame))) => frame,
                Ok(None) => {
                    self.ended = true;
                    return Ok(());
                }
                Ok(Some(Err(error))) => return Err(self.stop(broken(&error))),
                Err(_elapsed) => {
                    let message = "The rest of the body did not arrive in time";
                    return Err(self.stop(too_slow(message)));
                }
            };
            if let Ok(bytes) = frame.into_data() {
                self.total += bytes.len();
                if self.total > self.limits.total {
                    let limit = self.limits.total;
                    let message = format!("The body must have at most {limit} bytes");
                    return Err(self.stop(too_long(message)));
                }
                self.arrived = bytes;
                return Ok(());
            }
        }
    }

    fn stop(&mut self, problem: Problem) -> Problem {
        self.ended = true;
        self.arrived = Bytes::new();
        self.begun = Vec::new();
        problem
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{StreamExt, stream};
    use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};

    use super::*;

    const LIMITS: LinesLimits = LinesLimits { line: 8, total: 40, pause: PATIENCE };

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
    async fn a_mark_of_the_encoding_stands_before_the_first_line_alone() {
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
        for (pieces, good, told) in [
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
            assert_eq!(problem.as_ref().map(|problem| &*problem.message), told, "{pieces:?}");
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
        assert_eq!(start.elapsed(), PATIENCE);
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
