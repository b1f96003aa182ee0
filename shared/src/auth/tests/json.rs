//! Header and payload are one JSON object each, whole and unambiguous (RFC 7519 section
//! 7.2; rules T9, T10, T21, T23).

use super::forge::{HEADER, NOW, assert_passes, assert_refused, payload, seal, token};
use crate::auth::Refusal::MalformedToken;

/// A good payload with more members at its end.
fn payload_and(more: &str) -> String {
    let payload = payload(&[]);
    format!("{},{more}}}", &payload[..payload.len() - 1])
}

/// `text` in ways that are not UTF-8.
fn encodings(text: &str) -> [(&'static str, Vec<u8>); 6] {
    let wide = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect();
    let wider = |unit: fn(u32) -> [u8; 4]| text.chars().flat_map(|c| unit(c.into())).collect();
    let marked: Vec<u8> = [b"\xff\xfe".to_vec(), wide(u16::to_le_bytes)].concat();
    [
        ("UTF-16LE", wide(u16::to_le_bytes)),
        ("UTF-16BE", wide(u16::to_be_bytes)),
        ("UTF-16 with a mark", marked),
        ("UTF-32LE", wider(u32::to_le_bytes)),
        ("UTF-32BE", wider(u32::to_be_bytes)),
        ("UTF-8 with a mark", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
    ]
}

/// T9.
#[test]
fn other_encodings_are_refused() {
    for (name, bytes) in encodings(&payload(&[])) {
        assert_refused(&format!("T9: payload in {name}"), &seal(HEADER, bytes), MalformedToken);
    }
    for (name, bytes) in encodings(HEADER) {
        let token = seal(bytes, payload(&[]));
        assert_refused(&format!("T9: header in {name}"), &token, MalformedToken);
    }
}

/// T9. Invalid bytes count where nobody looks as well: a lenient reader further on would
/// see another token.
#[test]
fn invalid_utf8_is_refused_wherever_it_stands() {
    for (name, bad) in [
        ("a lone continuation", &b"\x80"[..]),
        ("a cut sequence", b"\xe2\x82"),
        ("an overlong slash", b"\xc0\xaf"),
        ("a surrogate", b"\xed\xa0\x80"),
        ("beyond Unicode", b"\xf5\x80\x80\x80"),
        ("0xff", b"\xff"),
    ] {
        for template in [r#""sub":"@""#, r#""x":"@""#, r#""@":1"#, r#""x":["@"]"#, r#""x":{"@":1}"#]
        {
            let spoil = |text: String| {
                let (left, right) = text.split_once('@').expect("a place");
                [left.as_bytes(), bad, right.as_bytes()].concat()
            };
            let body = spoil(format!("{{{template},{}", &payload(&[("sub", "")])[1..]));
            assert_refused(&format!("T9: {name}: {template}"), &seal(HEADER, body), MalformedToken);
            let header = spoil(format!(r#"{{"alg":"HS256",{template}}}"#));
            let token = seal(header, payload(&[]));
            assert_refused(&format!("T9: {name}: header {template}"), &token, MalformedToken);
        }
    }
}

/// T9. Things that some readers take for JSON.
#[test]
fn anything_around_or_beside_one_object_is_refused() {
    let (good, header) = (payload(&[]), HEADER);
    let ways: [fn(&str) -> String; 22] = [
        |_| String::from("[]"),
        |_| String::from("{"),
        |_| String::from("null"),
        |_| String::from("true"),
        |_| String::from("1"),
        |_| String::from("\"alice\""),
        |_| String::from(" "),
        |o| format!("[{o}]"),
        |o| format!("{o}x"),
        |o| format!("{o}{o}"),
        |o| format!("{o},"),
        |o| format!("{o}\0"),
        |o| format!("{o}//"),
        |o| format!("/**/{o}"),
        |o| format!("\u{a0}{o}"),
        |o| format!("\u{b}{o}"),
        |o| o.replace('"', "'"),
        |o| o.replace('}', ",}"),
        |o| o.replace('}', ",\"x\":NaN}"),
        |o| o.replace('}', ",\"x\":-Infinity}"),
        |o| o.replace('}', ",\"x\":01}"),
        |o| o.replace('}', ",\"x\":\"\t\"}"),
    ];
    for way in ways {
        assert_refused(&way(&good), &seal(header, way(&good)), MalformedToken);
        assert_refused(&way(header), &seal(way(header), &good), MalformedToken);
    }
    // A derived reader would take these for the fields in their order.
    let listed = format!(r#"["alice","alice",null,null,{},null,null]"#, NOW + 900);
    assert_refused("T9: claims as a list", &seal(header, listed), MalformedToken);
    assert_refused("T9: header as a list", &seal(r#"["HS256",null]"#, &good), MalformedToken);
    assert_passes("T9: white space", &seal(header, format!(" \t\r\n{good}\n")));
}

/// T10. Two readers could take different ones, so a name that decides stands once.
#[test]
fn a_claim_that_decides_cannot_be_named_twice() {
    let (past, future) = (NOW - 900, NOW + 900);
    for more in [
        format!(r#""exp":{future}"#),
        format!(r#""exp":{past}"#),
        format!(r#""\u0065xp":{future}"#),
        r#""sub":"alice""#.to_owned(),
        r#""sub":"bob""#.to_owned(),
        r#""\u0073\u0075\u0062":"bob""#.to_owned(),
        r#""sub":null"#.to_owned(),
        r#""uid":"alice","uid":"alice""#.to_owned(),
        r#""iss":"https://app.example.com""#.to_owned(),
        r#""aud":"https://app.example.com""#.to_owned(),
        format!(r#""iat":{NOW}"#),
        format!(r#""nbf":{NOW},"nbf":{NOW}"#),
        r#""token_use":"access","token_use":"access""#.to_owned(),
        r#""type":"user","type":"user""#.to_owned(),
    ] {
        let token = seal(HEADER, payload_and(&more));
        assert_refused(&format!("T10: {more}"), &token, MalformedToken);
    }
    assert_passes("T10: ignored names", &seal(HEADER, payload_and(r#""x":1,"x":2"#)));
    assert_passes("T10: other names", &seal(HEADER, payload_and(r#""SUB":"bob","Exp":1"#)));
}

/// T10.
#[test]
fn a_parameter_that_decides_cannot_be_named_twice() {
    for header in [
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"HS256","alg":"none"}"#,
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","\u0061lg":"none"}"#,
        r#"{"alg":"HS256","kid":"a","kid":"a"}"#,
        r#"{"alg":"HS256","typ":"JWT","typ":"JWT"}"#,
        r#"{"alg":"HS256","crit":["x"],"crit":[]}"#,
    ] {
        assert_refused(header, &seal(header, payload(&[])), MalformedToken);
    }
}

/// T21. What is not understood does not matter, as long as it is JSON.
#[test]
fn unknown_claims_are_ignored() {
    let many: Vec<_> = (0..60)
        .map(|i| format!(r#""claim-{i}":{{"a":[{i},null,true,"\u00e9 \ud83d\ude00"]}}"#))
        .collect();
    assert_passes("T21: 60 claims", &seal(HEADER, payload_and(&many.join(","))));
    for (name, json) in [
        ("x", "null"),
        ("", "1"),
        ("x", "1e400"),
        ("x", &"9".repeat(5000)),
        ("x", r#""\u0000""#),
        ("https://example.com/roles", r#"["admin"]"#),
        ("\u{e9}t\u{e9}", r#""\u00e9""#),
        ("user_id", "\"bob\""),
        ("email", "7"),
    ] {
        assert_passes(&format!("T21: {name} {json:.20}"), &token(&[(name, json)]));
    }
}

/// T23. As deep as 8 KiB can hold, ignored or decisive, and far deeper.
#[test]
fn deep_nesting_is_survived() {
    let nested = |levels: usize, open: &str, close: &str| {
        format!("{}1{}", open.repeat(levels), close.repeat(levels))
    };
    assert_passes("T23: ignored lists", &token(&[("x", &nested(2000, "[", "]"))]));
    assert_passes("T23: ignored objects", &token(&[("x", &nested(900, "{\"\":", "}"))]));
    for name in ["sub", "uid", "iss", "aud", "exp", "nbf", "iat", "token_use", "type"] {
        let deep = token(&[(name, &nested(2000, "[", "]"))]);
        assert_refused(&format!("T23: {name}"), &deep, MalformedToken);
    }
    for parameter in ["alg", "kid", "typ", "crit", "jwk"] {
        let header = format!("{{\"{parameter}\":{}}}", nested(2000, "[", "]"));
        assert_refused(parameter, &seal(header, payload(&[])), MalformedToken);
    }
    let open = token(&[("x", &"[".repeat(2000))]);
    assert_refused("T23: never closed", &open, MalformedToken);
    let deep = token(&[("x", &nested(100_000, "[", "]"))]);
    assert_refused("T23: beyond the size", &deep, MalformedToken);
}
