//! The compact form and its size, judged before anything is decoded (RFC 7515 section
//! 7.1; rules T6, T7, T22).

use super::forge::{
    HEADER, SECRET, assert_passes, assert_refused, b64, mac, payload, seal, token, verdict,
};
use crate::auth::Refusal::MalformedToken;

/// T6.
#[test]
fn a_token_has_three_parts_and_none_is_empty() {
    let good = token(&[]);
    let [header, payload, tag] =
        good.split('.').collect::<Vec<_>>().try_into().expect("three parts");
    for parts in [
        vec![""],
        vec![header],
        vec![header, payload],
        vec!["", "", ""],
        vec!["", payload, tag],
        vec![header, "", tag],
        vec![header, payload, ""],
        vec!["", header, payload, tag],
        vec![header, payload, tag, ""],
        vec![header, payload, tag, tag],
        vec![header, payload, "", tag],
        vec![header, "", payload, tag],
        vec![header, payload, payload, tag],
        vec![header, payload, tag, tag, tag],
    ] {
        let token = parts.join(".");
        assert_refused(&format!("T6: {} parts: {token}", parts.len()), &token, MalformedToken);
    }
}

/// T6. Each variant decodes to the good token in some reader.
#[test]
fn only_the_base64url_alphabet_is_read() {
    let good = token(&[]);
    let parts: Vec<_> = good.split('.').collect();
    for (position, part) in parts.iter().enumerate() {
        for spelled in [
            format!("{part}="),
            format!("{part}=="),
            format!("{part}%3D"),
            format!("{part} "),
            format!(" {part}"),
            format!("{part}\n"),
            format!("\t{part}"),
            format!("{part}\0"),
            format!("{part}\u{200b}"),
            format!("\"{part}\""),
            format!("{}\r\n{}", &part[..4], &part[4..]),
            format!("{}?{}", &part[..4], &part[4..]),
            format!("{}+{}", &part[..4], &part[5..]),
            format!("{}/{}", &part[..4], &part[5..]),
            format!("{}%{:02x}{}", &part[..4], part.as_bytes()[4], &part[5..]),
        ] {
            let mut parts = parts.clone();
            parts[position] = &spelled;
            assert_refused(&format!("T6: {spelled:?}"), &parts.join("."), MalformedToken);
        }
    }
}

/// T6. The tag covers the spelled-out text, so these are signed as they stand.
#[test]
fn padded_or_standard_base64_is_refused_under_a_right_tag() {
    let (header, body) = (b64(HEADER), b64(payload(&[("x", "\"???>>>\"")])));
    assert!(body.contains(['-', '_']), "else the case below shows nothing: {body}");
    let standard = body.replace('-', "+").replace('_', "/");
    for (header, body) in [
        (&header, &standard),
        (&header, &format!("{body}=")),
        (&format!("{header}="), &body),
        (&format!("{header} "), &body),
        (&header, &format!("{body}\n")),
    ] {
        let message = format!("{header}.{body}");
        let token = format!("{message}.{}", b64(mac(SECRET, &message)));
        assert_refused(&format!("T6: {message}"), &token, MalformedToken);
    }
}

/// T6. The spare bits at the end of a part are zero: else one token has several texts.
#[test]
fn spare_bits_are_not_ignored() {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let spoil = |part: &str| {
        let last = *part.as_bytes().last().expect("not empty");
        let value = ALPHABET.iter().position(|&c| c == last).expect("in the alphabet");
        assert_eq!(value % 4, 0, "no spare bits in {part}");
        format!("{}{}", &part[..part.len() - 1], char::from(ALPHABET[value + 1]))
    };
    // One more byte where the length would leave no spare bits.
    let header = if HEADER.len().is_multiple_of(3) { format!("{HEADER} ") } else { HEADER.into() };
    let mut body = payload(&[]);
    if body.len().is_multiple_of(3) {
        body.push(' ');
    }
    let good = seal(&header, &body);
    assert_passes("before", &good);
    let parts: Vec<_> = good.split('.').collect();
    let tag = format!("{}.{}.{}", parts[0], parts[1], spoil(parts[2]));
    assert!(verdict(&tag).is_err(), "T6: the tag's");
    for (header, body) in
        [(spoil(parts[0]), parts[1].to_owned()), (parts[0].to_owned(), spoil(parts[1]))]
    {
        let message = format!("{header}.{body}");
        let signed = format!("{message}.{}", b64(mac(SECRET, &message)));
        assert_refused(&format!("T6: {message}"), &signed, MalformedToken);
    }
}

/// T22. 8 KiB, to the byte.
#[test]
fn a_long_token_is_refused_unread() {
    for (length, passes) in [
        (8190, true),
        (8191, true),
        (8192, true),
        (8193, false),
        (8194, false),
        (17 * 1024, false),
        (64 * 1024, false),
        (1024 * 1024, false),
    ] {
        let token = of_length(length);
        assert_eq!(token.len(), length);
        if passes {
            assert_passes(&format!("T22: {length}"), &token);
        } else {
            assert_refused(&format!("T22: {length}"), &token, MalformedToken);
        }
    }
}

/// A good token of exactly `length` bytes. Base64 has no texts of 4n+1 letters, so the
/// header takes up what the payload cannot.
fn of_length(length: usize) -> String {
    let body = |padding: usize| payload(&[("x", &format!("\"{}\"", "x".repeat(padding)))]);
    let tag = b64([0; 32]).len();
    let most = length * 3 / 4;
    (0..3)
        .flat_map(|spaces| (most - 300..most).rev().map(move |padding| (spaces, padding)))
        .find_map(|(spaces, padding)| {
            let header = format!("{HEADER}{}", " ".repeat(spaces));
            let encoded = |bytes: usize| (bytes * 4).div_ceil(3);
            let size = encoded(header.len()) + encoded(payload_size(padding)) + tag + 2;
            (size == length).then(|| seal(header, body(padding)))
        })
        .expect("some padding fits")
}

fn payload_size(padding: usize) -> usize {
    payload(&[("x", "\"\"")]).len() + padding
}
