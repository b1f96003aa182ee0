//! When a token counts (RFC 7519 section 4.1.4 to 4.1.6; rules T11 to T15).

use chrono::TimeDelta;

use super::forge::{
    HEADER, NOW, SECRET, assert_passes, assert_refused, clock, payload, policy, seal, token,
    user_of, verifier_with,
};
use crate::auth::Refusal::{self, MalformedToken, TokenExpired, TokenNotYetValid};

/// Leeway and the longest life, as [`policy`] has them.
const LEEWAY: i64 = 15;
const WEEK: i64 = 7 * 24 * 3600;

/// T11. Malformed is not the same as missing, and neither is the same as "for ever".
#[test]
fn exp_is_required_and_a_number_and_ahead() {
    for (exp, reason) in [
        ("", MalformedToken),
        ("\"never\"", MalformedToken),
        ("\"1e9\"", MalformedToken),
        ("\"1800000900\"", MalformedToken),
        ("true", MalformedToken),
        ("false", MalformedToken),
        ("[]", MalformedToken),
        ("[1800000900]", MalformedToken),
        ("{}", MalformedToken),
        ("null", MalformedToken),
        ("-1", TokenExpired),
        ("0", TokenExpired),
        ("-0.0", TokenExpired),
        ("-1e30", TokenExpired),
        ("1799999000", TokenExpired),
        ("1799999984.5", TokenExpired),
        ("1.799999e9", TokenExpired),
    ] {
        assert_refused(&format!("T11: {exp}"), &token(&[("exp", exp)]), reason);
    }
    for exp in ["1800000900", "1800000000.5", "1.8000009e9", "18000009E2"] {
        assert_passes(&format!("T11: {exp}"), &token(&[("exp", exp)]));
    }
}

/// T12. Compared as floats: nothing wraps round, and no date is too far to be refused.
#[test]
fn huge_times_are_refused_without_overflow() {
    let (long, small) = ("9".repeat(5000), format!("-{}", "9".repeat(5000)));
    for huge in [
        "9007199254740992",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "1e30",
        "1e308",
    ] {
        assert_refused(&format!("T12: exp {huge}"), &token(&[("exp", huge)]), MalformedToken);
        for start in ["nbf", "iat"] {
            let case = format!("T12: {start} {huge}");
            assert_refused(&case, &token(&[(start, huge)]), TokenNotYetValid);
        }
        let both = token(&[("exp", huge), ("iat", huge)]);
        assert_refused(&format!("T12: both {huge}"), &both, TokenNotYetValid);
    }
    for beyond in ["1e400", "-1e400", &long, &small] {
        for name in ["exp", "nbf", "iat"] {
            let case = format!("T12: {name} {beyond:.10}");
            assert_refused(&case, &token(&[(name, beyond)]), MalformedToken);
        }
    }
    for early in ["-9223372036854775808", "-9223372036854775809", "-1e308"] {
        assert_refused(&format!("T12: {early}"), &token(&[("exp", early)]), TokenExpired);
        assert_refused(&format!("T12: iat {early}"), &token(&[("iat", early)]), MalformedToken);
        assert_passes(&format!("T12: nbf {early}"), &token(&[("nbf", early)]));
    }
    let tiny = token(&[("nbf", "1e-400")]);
    assert_passes("T12: as good as zero", &tiny);
}

/// T13, T15.
#[test]
fn nbf_and_iat_are_numbers_and_not_ahead() {
    for name in ["nbf", "iat"] {
        for json in ["\"1\"", "\"\"", "{}", "[]", "[1]", "true", "null"] {
            assert_refused(&format!("T13: {name} {json}"), &token(&[(name, json)]), MalformedToken);
        }
        let ahead = (NOW + 3600).to_string();
        assert_refused(name, &token(&[(name, &ahead)]), TokenNotYetValid);
        let longer = (NOW + 7200).to_string();
        let both = token(&[(name, &ahead), ("exp", &longer)]);
        assert_refused(name, &both, TokenNotYetValid);
    }
    for changes in [
        [("nbf", ""), ("iat", "")],
        [("nbf", "0"), ("iat", "1799999999.999")],
        [("nbf", "1800000000"), ("iat", "1800000000")],
    ] {
        assert_passes(&format!("T13: {changes:?}"), &token(&changes));
    }
}

/// T14. Both sides of each boundary, to the millisecond.
#[test]
fn the_leeway_ends_exactly() {
    let exp = |after: f64| {
        let now: f64 = NOW.to_string().parse().expect("a number");
        (now + after).to_string()
    };
    for (case, changes, millis, expected) in [
        ("just before", ("exp", exp(0.0)), 14_999, None),
        ("at the end", ("exp", exp(0.0)), 15_000, Some(TokenExpired)),
        ("just after", ("exp", exp(0.0)), 15_001, Some(TokenExpired)),
        ("a fraction before", ("exp", exp(0.5)), 15_499, None),
        ("a fraction after", ("exp", exp(0.5)), 15_500, Some(TokenExpired)),
        ("nbf at the edge", ("nbf", exp(15.0)), 0, None),
        ("nbf beyond", ("nbf", exp(15.0)), -1, Some(TokenNotYetValid)),
        ("nbf beyond", ("nbf", exp(15.001)), 0, Some(TokenNotYetValid)),
        ("iat at the edge", ("iat", exp(15.0)), 0, None),
        ("iat beyond", ("iat", exp(15.0)), -1, Some(TokenNotYetValid)),
    ] {
        let clock = clock();
        let verifier = verifier_with(&[SECRET.as_bytes()], policy(), clock.clone());
        clock.advance(TimeDelta::milliseconds(millis));
        let verdict = user_of(&verifier, &token(&[(changes.0, &changes.1)]));
        assert_eq!(verdict.err(), expected, "T14: {case}");
    }
}

/// T14. A verifier without leeway has none.
#[test]
fn without_leeway_the_second_of_exp_is_too_late() {
    let clock = clock();
    let mut strict = policy();
    strict.leeway = std::time::Duration::ZERO;
    let verifier = verifier_with(&[SECRET.as_bytes()], strict, clock.clone());
    let token = token(&[]);
    clock.advance(TimeDelta::milliseconds(899_999));
    assert!(user_of(&verifier, &token).is_ok());
    clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(user_of(&verifier, &token), Err(TokenExpired));
}

/// T15. No token outlives the cap, however it was dated.
#[test]
fn a_life_beyond_the_cap_is_refused() {
    let cases: [(&str, Option<i64>, i64, Option<Refusal>); 9] = [
        ("a week", Some(NOW), NOW + WEEK, None),
        ("a second more", Some(NOW), NOW + WEEK + 1, Some(MalformedToken)),
        ("ten years", Some(NOW), NOW + 520 * WEEK, Some(MalformedToken)),
        ("a week, half over", Some(NOW - WEEK / 2), NOW + WEEK / 2, None),
        ("too long, nearly over", Some(NOW - WEEK), NOW + 1, Some(MalformedToken)),
        ("dated ahead by the leeway", Some(NOW + LEEWAY), NOW + LEEWAY + WEEK, None),
        ("undated, a week", None, NOW + WEEK, None),
        ("undated, a second more", None, NOW + WEEK + 1, Some(MalformedToken)),
        ("undated, ten years", None, NOW + 520 * WEEK, Some(MalformedToken)),
    ];
    for (case, iat, exp, expected) in cases {
        let iat = iat.map(|iat| iat.to_string()).unwrap_or_default();
        let token = token(&[("iat", &iat), ("exp", &exp.to_string())]);
        assert_eq!(super::forge::verdict(&token).err(), expected, "T15: {case}");
    }
}

/// A token cannot be born after its death; and expiry is what it is refused for.
#[test]
fn expiry_comes_first() {
    let late = (NOW + 3600).to_string();
    let both = payload(&[("exp", "1"), ("nbf", &late)]);
    assert_refused("expired and not yet valid", &seal(HEADER, both), TokenExpired);
    let stranger = payload(&[("exp", "1"), ("iss", "7"), ("sub", "7")]);
    assert_refused("expired and wrong otherwise", &seal(HEADER, stranger), TokenExpired);
}
