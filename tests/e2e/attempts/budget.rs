//! Rate limits: one budget for all wires, spellings and calls.

use fixtures::Backend;
use proto::auth::v1::{
    ChangePasswordRequest, DeleteUserRequest, GetSessionRequest, GetTokenRequest,
    RefreshSessionRequest, VerifyPasswordRequest,
};
use tonic::Code;

use super::{ADA, Became, FORWARDED_FOR, WRONG, ada, from, post, sign_in, world};
use crate::{
    caller::PASSWORD,
    raw,
    security_events::so_many,
    wire::Wire,
    world::{World, channel},
};

const BOTH: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];
const ATTACKER: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.1";

async fn each(settings: &[(&'static str, &str)], test: impl AsyncFn(&World)) {
    for backend in BOTH {
        if let Some(world) = world(backend, settings).await {
            test(&world).await;
            world.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_over_both_wires_and_in_every_spelling_are_counted_together() {
    each(&[], async |world| {
        ada(world).await;
        let spellings = [ADA, "Ada@Example.com", " ada@example.com", "ADA@EXAMPLE.COM\n"];
        let mut wrong = 0;
        for number in 0..24 {
            // Better Auth takes no address with white space around it.
            let (wire, spelling) = match number % 4 {
                0 => (Wire::Http, spellings[number % 2]),
                other => (Wire::Grpc, spellings[other]),
            };
            match sign_in(world, wire, ATTACKER, spelling, WRONG).await {
                Became::Wrong => wrong += 1,
                Became::TooMany => {}
                Became::SignedIn => panic!("with a wrong password"),
            }
        }
        assert!((5..=10).contains(&wrong), "{wrong}");
        for wire in [Wire::Grpc, Wire::Http] {
            assert_eq!(sign_in(world, wire, ATTACKER, ADA, PASSWORD).await, Became::TooMany);
            assert_eq!(sign_in(world, wire, ELSEWHERE, ADA, PASSWORD).await, Became::SignedIn);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_that_checks_a_password_draws_on_the_same_budget() {
    each(&[("PASSWORD_ATTEMPTS", "2/24h")], async |world| {
        let ada = ada(world).await;
        let mut sessions = ada.sessions();
        let guess = VerifyPasswordRequest { password: WRONG.into() };
        let status = sessions.verify_password(from(ATTACKER, guess)).await.expect_err("wrong");
        assert_eq!(status.code(), Code::InvalidArgument);

        let guess = VerifyPasswordRequest { password: PASSWORD.into() };
        let change = ChangePasswordRequest {
            current_password: PASSWORD.into(),
            new_password: "tulips and hail".into(),
            revoke_other_sessions: false,
        };
        let delete = DeleteUserRequest { password: Some(PASSWORD.into()) };
        let refusals = [
            sessions.verify_password(from(ATTACKER, guess)).await.map(drop),
            sessions.change_password(from(ATTACKER, change)).await.map(drop),
            sessions.delete_user(from(ATTACKER, delete)).await.map(drop),
        ];
        for refusal in refusals {
            assert_eq!(refusal.expect_err("refused").code(), Code::ResourceExhausted);
        }
        let bearer = format!("Bearer {}", ada.session_token);
        let here = [("authorization", bearer.as_str()), ("x-forwarded-for", ATTACKER)];
        for (path, body) in [
            ("/verify-password", serde_json::json!({ "password": PASSWORD })),
            (
                "/change-password",
                serde_json::json!({ "currentPassword": PASSWORD, "newPassword": "hail and rain" }),
            ),
            ("/delete-user", serde_json::json!({ "password": PASSWORD })),
        ] {
            assert_eq!(post(world, path, &here, &body).await.status, 429, "{path}");
        }
        assert_eq!(sign_in(world, Wire::Grpc, ATTACKER, ADA, PASSWORD).await, Became::TooMany);
        assert_eq!(sign_in(world, Wire::Grpc, ELSEWHERE, ADA, PASSWORD).await, Became::SignedIn);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_attempts_at_the_same_instant_exceed_no_limit() {
    each(&[("PASSWORD_ATTEMPTS", "6/24h")], async |world| {
        ada(world).await;
        let guesses = (0..100).map(|number| {
            let wire = if number % 2 == 0 { Wire::Grpc } else { Wire::Http };
            sign_in(world, wire, ATTACKER, ADA, WRONG)
        });
        let became = futures_util::future::join_all(guesses).await;
        let wrong = became.iter().filter(|became| **became == Became::Wrong).count();
        assert_eq!(wrong, 3);
        assert!(became.iter().all(|became| *became != Became::SignedIn));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_right_password_takes_nothing_away() {
    each(&[("PASSWORD_ATTEMPTS", "2/24h")], async |world| {
        ada(world).await;
        for number in 0..6 {
            let wire = if number % 2 == 0 { Wire::Grpc } else { Wire::Http };
            let became = sign_in(world, wire, ELSEWHERE, ADA, PASSWORD).await;
            assert_eq!(became, Became::SignedIn, "{number}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_many_attack_an_account_its_user_is_let_in_from_home() {
    each(&[("PASSWORD_ATTEMPTS_PER_ACCOUNT", "4/24h")], async |world| {
        ada(world).await;
        let home = "2001:db8:0:7::1";
        assert_eq!(sign_in(world, Wire::Grpc, home, ADA, PASSWORD).await, Became::SignedIn);
        for (number, expected) in [(1, Became::Wrong), (2, Became::Wrong), (3, Became::TooMany)] {
            let attacker = format!("203.0.113.{number}");
            assert_eq!(sign_in(world, Wire::Http, &attacker, ADA, WRONG).await, expected);
        }
        for near in [home, "2001:db8:0:7:ffff::2"] {
            assert_eq!(sign_in(world, Wire::Http, near, ADA, PASSWORD).await, Became::SignedIn);
        }
        assert_eq!(sign_in(world, Wire::Grpc, ELSEWHERE, ADA, PASSWORD).await, Became::TooMany);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_untrusted_caller_cannot_choose_an_address() {
    let settings = [("TRUSTED_PROXIES", "none"), ("PASSWORD_ATTEMPTS", "2/24h")];
    each(&settings, async |world| {
        ada(world).await;
        for number in 1..=6 {
            let spoofed = format!("203.0.113.{number}");
            let wire = if number % 2 == 0 { Wire::Grpc } else { Wire::Http };
            let expected = if number == 1 { Became::Wrong } else { Became::TooMany };
            assert_eq!(sign_in(world, wire, &spoofed, ADA, WRONG).await, expected, "{number}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_shows_the_address_that_a_trusted_proxy_names() {
    each(&[], async |world| {
        let ada = ada(world).await;
        let answer = ada.sessions().get_session(GetSessionRequest {}).await.expect("signed in");
        let session = answer.into_inner().session.expect("a session");
        assert_eq!(session.ip_address.as_deref(), Some("198.51.100.250"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_names_the_address_that_a_trusted_proxy_names() {
    each(&[], async |world| {
        let ada = ada(world).await;
        let recorded = so_many(&ada, 1).await;
        assert_eq!(recorded[0].ip_address.as_deref(), Some("198.51.100.250"));
        assert_eq!(sign_in(world, Wire::Grpc, ATTACKER, ADA, WRONG).await, Became::Wrong);
        assert_eq!(so_many(&ada, 2).await[0].ip_address.as_deref(), Some(ATTACKER));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_ups_are_counted_whether_they_succeed_or_not() {
    each(&[("SIGN_UPS_PER_ADDRESS", "4/24h")], async |world| {
        let here = [("x-forwarded-for", ATTACKER)];
        for (email, expected) in
            [("eve@example.com", 200), ("eve@example.com", 422), ("ivy@example.com", 429)]
        {
            let body = serde_json::json!({ "name": "E", "email": email, "password": PASSWORD });
            assert_eq!(post(world, "/sign-up/email", &here, &body).await.status, expected);
        }
        ada(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_open_nothing_are_counted_over_both_wires() {
    each(&[("INVALID_SESSIONS_PER_ADDRESS", "4/24h")], async |world| {
        let ada = ada(world).await;
        let mut dead = ada.ways.sessions(&"x".repeat(32));
        let mut codes = Vec::new();
        for _ in 0..3 {
            let refusal = dead.get_token(from(ATTACKER, GetTokenRequest {})).await;
            codes.push(refusal.expect_err("no session").code());
        }
        assert_eq!(codes, [Code::Unauthenticated, Code::Unauthenticated, Code::ResourceExhausted]);
        let here = [("authorization", "Bearer xyz"), ("x-forwarded-for", ATTACKER)];
        let reply = post(world, "/update-user", &here, &serde_json::json!({ "name": "E" })).await;
        assert_eq!(reply.status, 401, "what cannot be a token is not looked up");
        let bearer = format!("Bearer {}", "y".repeat(32));
        let here = [("authorization", bearer.as_str()), ("x-forwarded-for", ATTACKER)];
        let reply = post(world, "/update-user", &here, &serde_json::json!({ "name": "E" })).await;
        assert_eq!(reply.status, 429);
    })
    .await;
}

/// An address that many users share.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_open_nothing_lock_no_user_out() {
    each(&[("INVALID_SESSIONS_PER_ADDRESS", "1/24h")], async |world| {
        let ada = ada(world).await;
        let mut dead = ada.ways.sessions(&"x".repeat(32));
        for expected in [Code::Unauthenticated, Code::ResourceExhausted] {
            let refusal = dead.get_token(from(ATTACKER, GetTokenRequest {})).await;
            assert_eq!(refusal.expect_err("no session").code(), expected);
        }
        ada.sessions().get_token(from(ATTACKER, GetTokenRequest {})).await.expect("a token");
        let refresh = from(ATTACKER, RefreshSessionRequest {});
        let refreshed = ada.sessions().refresh_session(refresh).await.expect("a successor");
        let bearer = format!("Bearer {}", refreshed.into_inner().session_token);
        let here = [("authorization", bearer.as_str()), ("x-forwarded-for", ATTACKER)];
        let name = serde_json::json!({ "name": "E" });
        let nothing = serde_json::json!({});
        // The last opens nothing any more.
        for (path, body, expected) in [
            ("/update-user", &name, 200),
            ("/sign-out", &nothing, 200),
            ("/update-user", &name, 429),
        ] {
            let reply = post(world, path, &here, body).await;
            assert_eq!(reply.status, expected, "{path}");
        }
    })
    .await;
}

/// The rpcs come from the descriptors, so that a new one is covered the day it is declared.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_rpc_of_a_session_counts_tokens_that_open_nothing() {
    each(&[("INVALID_SESSIONS_PER_ADDRESS", "1/24h")], async |world| {
        let sessions = channel(world.auth_grpc());
        let rpcs = raw::every_rpc();
        let of_sessions = rpcs.iter().filter(|rpc| rpc.service == "auth.v1.SessionService");
        let bearer = format!("Bearer {}", "x".repeat(32));
        for (number, rpc) in of_sessions.enumerate() {
            let address = format!("203.0.113.{number}");
            for expected in [Code::Unauthenticated, Code::ResourceExhausted] {
                let headers = [("authorization", &*bearer), (FORWARDED_FOR, &*address)];
                let answer = raw::call_with(&sessions, &rpc.path, &headers, &[]).await;
                assert_eq!(answer.expect_err("no session").code(), expected, "{}", rpc.path);
            }
        }
    })
    .await;
}
