//! Tokens under the same secret that were made for something else (RFC 8725 sections
//! 3.11 and 3.12; rule T20).

use super::forge::{
    HEADER, NOW, SECRET, assert_passes, assert_refused, clock, policy, seal, token, user_of,
    verifier_with,
};
use crate::auth::Refusal::{MalformedToken, MissingUidClaim};

/// T20.
#[test]
fn a_token_that_says_it_is_no_access_token_is_believed() {
    for (name, json) in [
        ("token_use", "\"refresh\""),
        ("token_use", "\"id\""),
        ("token_use", "\"Access\""),
        ("token_use", "\"\""),
        ("token_use", "null"),
        ("token_use", "1"),
        ("token_use", "[\"access\"]"),
        ("type", "\"refresh\""),
        ("type", "\"REFRESH\""),
    ] {
        let case = format!("T20: {name} {json}");
        assert_refused(&case, &token(&[(name, json)]), MalformedToken);
    }
    for (name, json) in
        [("token_use", "\"access\""), ("type", "\"access\""), ("type", "\"user\""), ("type", "1")]
    {
        assert_passes(&format!("T20: {name} {json}"), &token(&[(name, json)]));
    }
}

/// T20. Better Auth signs other things with the same secret. With issuer and audience
/// checked they fail there; here both are off, so that nothing but the missing user
/// stands between them and a task list.
#[test]
fn better_auths_other_tokens_name_no_user() {
    let mut open = policy();
    (open.issuer, open.audience) = (None, None);
    let verifier = verifier_with(&[SECRET.as_bytes()], open, clock());
    let (exp, user) = (NOW + 300, r#"{"id":"alice","email":"alice@example.com"}"#);
    for (kind, payload) in [
        (
            "e-mail verification",
            format!(r#"{{"email":"alice@example.com","iat":{NOW},"exp":{exp}}}"#),
        ),
        (
            "e-mail change",
            format!(
                r#"{{"email":"alice@example.com","updateTo":"a@example.com","iat":{NOW},"exp":{exp}}}"#
            ),
        ),
        (
            "cookie cache",
            format!(
                r#"{{"session":{{"userId":"alice"}},"user":{user},"updatedAt":{NOW}000,"version":"1","iat":{NOW},"exp":{exp}}}"#
            ),
        ),
    ] {
        assert_eq!(user_of(&verifier, &seal(HEADER, payload)), Err(MissingUidClaim), "T20: {kind}");
    }
}
