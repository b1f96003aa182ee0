//! Which limits an attempt at a password uses up, and when it is refused.

use server::ClientInfo;
use shared::error::Refusal;

use super::{
    super::{InvalidTokens, LimitScope, Limits, PasswordAttempt, RateLimitError, RateLimiter},
    Duration, Limit, SPAN, TestCounter,
    counters::{account, client},
    on_every_counter, ten,
};
use crate::error::Error;

/// Ten for an account from an address, twelve from all, forty from an address.
fn limits() -> Limits {
    Limits {
        passwords: Some(ten()),
        passwords_per_account: Some(Limit::new(12, SPAN)),
        passwords_per_address: Some(Limit::new(40, SPAN)),
        right_passwords: Some(Limit::new(20, SPAN)),
        right_passwords_per_address: Some(Limit::new(60, SPAN)),
        sign_ups_per_address: Some(Limit::new(4, SPAN)),
        sessions_per_address: Some(Limit::new(6, SPAN)),
    }
}

fn limiter(test: &TestCounter) -> RateLimiter {
    RateLimiter::new(limits(), test.counter.clone())
}

on_every_counter!(
    an_address_has_its_share_and_others_theirs,
    where_the_account_limit_is_used_up_a_known_client_has_its_share,
    an_address_has_so_many_for_all_accounts,
    a_refused_attempt_costs_other_clients_nothing,
    an_attempt_that_fails_while_it_is_counted_is_refunded,
    a_refusal_has_the_scope_of_its_limit,
    right_passwords_are_counted_apart_from_wrong_ones,
    wrong_passwords_use_up_no_limit_of_right_ones,
    new_accounts_are_counted_by_address_for_good,
);

async fn attempt(
    limiter: &RateLimiter,
    name: &str,
    from: &ClientInfo,
    is_known_client: bool,
) -> Result<PasswordAttempt, Duration> {
    let attempt = limiter.take_password(Some(name), from, async { Ok(is_known_client) }).await;
    attempt.map_err(|error| match error {
        Error::TooManyAttempts { retry_after, .. } => retry_after,
        other => panic!("{other}"),
    })
}

/// How many of twenty wrong passwords are let through.
async fn let_through(
    limiter: &RateLimiter,
    account: &str,
    from: &ClientInfo,
    is_known_client: bool,
) -> usize {
    let mut through = 0;
    for _ in 0..20 {
        through += usize::from(attempt(limiter, account, from, is_known_client).await.is_ok());
    }
    through
}

async fn an_address_has_its_share_and_others_theirs(test: TestCounter) {
    let (limiter, ada) = (limiter(&test), account("ada"));
    let attacker = client();
    assert_eq!(let_through(&limiter, &ada, &attacker, false).await, 5);
    let wait = attempt(&limiter, &ada, &attacker, false).await.err().expect("refused");
    assert!((91..=100).contains(&wait.as_secs()), "{wait:?}");
    assert!(attempt(&limiter, &ada, &client(), false).await.is_ok());
    assert!(attempt(&limiter, &account("bob"), &attacker, false).await.is_ok());
}

async fn where_the_account_limit_is_used_up_a_known_client_has_its_share(test: TestCounter) {
    let (limiter, ada) = (limiter(&test), account("ada"));
    assert_eq!(let_through(&limiter, &ada, &client(), false).await, 5);
    assert_eq!(let_through(&limiter, &ada, &client(), false).await, 1, "six in all");
    let known = client();
    assert!(attempt(&limiter, &ada, &known, false).await.is_err());
    assert_eq!(let_through(&limiter, &ada, &known, true).await, 5, "its share and no more");
}

async fn an_address_has_so_many_for_all_accounts(test: TestCounter) {
    let (limiter, attacker) = (limiter(&test), client());
    let mut through = 0;
    for _ in 0..30 {
        let anybody = account("anybody");
        through += usize::from(attempt(&limiter, &anybody, &attacker, false).await.is_ok());
    }
    assert_eq!(through, 20);
}

/// Neither the account nor, through other accounts, the address.
async fn a_refused_attempt_costs_other_clients_nothing(test: TestCounter) {
    let (limiter, ada) = (limiter(&test), account("ada"));
    let attacker = client();
    for _ in 0..5 {
        let_through(&limiter, &ada, &attacker, false).await;
    }
    assert!(attempt(&limiter, &ada, &client(), false).await.is_ok(), "one of six is left");
    assert_eq!(let_through(&limiter, &account("bob"), &attacker, false).await, 5);
    for _ in 0..8 {
        let attempt = attempt(&limiter, &account("eve"), &client(), false).await;
        limiter.refund(attempt.expect("fresh")).await;
    }
}

async fn an_attempt_that_fails_while_it_is_counted_is_refunded(test: TestCounter) {
    let (limiter, ada) = (limiter(&test), account("ada"));
    for _ in 0..2 {
        let_through(&limiter, &ada, &client(), false).await;
    }
    let known = client();
    for _ in 0..20 {
        let failing = async { Err(Error::Refused(Refusal::InvalidSession)) };
        let attempt = limiter.take_password(Some(&ada), &known, failing).await;
        assert!(matches!(attempt, Err(Error::Refused(Refusal::InvalidSession))));
    }
    assert_eq!(let_through(&limiter, &ada, &known, true).await, 5);
}

async fn a_refusal_has_the_scope_of_its_limit(test: TestCounter) {
    let limiter = limiter(&test);
    let until_refused = async |account: &dyn Fn() -> Option<String>,
                               from: &dyn Fn() -> ClientInfo| {
        for _ in 0..50 {
            let (account, from) = (account(), from());
            let attempt =
                limiter.take_password(account.as_deref(), &from, async { Ok::<_, Error>(false) });
            if let Err(Error::TooManyAttempts { by, .. }) = attempt.await {
                return by;
            }
        }
        panic!("never refused")
    };
    let (ada, bob, here) = (account("ada"), account("bob"), client());
    let by = until_refused(&|| Some(ada.clone()), &|| here.clone()).await;
    assert_eq!(by, LimitScope::AccountFromAddress);
    assert_eq!(until_refused(&|| Some(bob.clone()), &client).await, LimitScope::Account);
    let by = until_refused(&|| Some(account("anybody")), &|| here.clone()).await;
    assert_eq!(by, LimitScope::Address);
    let there = client();
    assert_eq!(
        until_refused(&|| None, &|| there.clone()).await,
        LimitScope::Address,
        "nobody's account"
    );
}

/// How many of a hundred right passwords are let through.
async fn right_let_through(
    limiter: &RateLimiter,
    account: &dyn Fn() -> String,
    from: &ClientInfo,
) -> usize {
    for through in 0..100 {
        let attempt =
            limiter.take_password(Some(&account()), from, async { Ok::<_, Error>(false) }).await;
        match attempt {
            Ok(attempt) => limiter.settle(attempt, true).await,
            Err(Error::TooManyRight { retry_after }) => {
                assert!((1..=100).contains(&retry_after.as_secs()), "{retry_after:?}");
                return through;
            }
            Err(other) => panic!("{other}"),
        }
    }
    100
}

/// Ten of one account at once and thirty of all, from an address; others have their own.
async fn right_passwords_are_counted_apart_from_wrong_ones(test: TestCounter) {
    let (limiter, ada, here) = (limiter(&test), account("ada"), client());
    assert_eq!(right_let_through(&limiter, &|| ada.clone(), &here).await, 10);
    assert_eq!(right_let_through(&limiter, &|| account("anybody"), &here).await, 20);
    let there = client();
    assert_eq!(right_let_through(&limiter, &|| ada.clone(), &there).await, 10, "from elsewhere");
    assert_eq!(let_through(&limiter, &ada, &client(), false).await, 5, "no attempt was counted");
    let attempt = limiter.take_password(Some(&ada), &there, async { Ok::<_, Error>(false) }).await;
    assert!(matches!(attempt, Err(Error::TooManyRight { .. })), "before it is checked");
}

async fn wrong_passwords_use_up_no_limit_of_right_ones(test: TestCounter) {
    let (limiter, ada, here) = (limiter(&test), account("ada"), client());
    let mut pending = Vec::new();
    for _ in 0..3 {
        let from = client();
        let attempt =
            limiter.take_password(Some(&ada), &from, async { Ok::<_, Error>(false) }).await;
        pending.push(attempt.expect("one of six"));
    }
    assert_eq!(
        right_let_through(&limiter, &|| ada.clone(), &here).await,
        10,
        "while they are checked"
    );
    let there = client();
    for _ in 0..4 {
        let bob = account("bob");
        let attempt =
            limiter.take_password(Some(&bob), &there, async { Ok::<_, Error>(false) }).await;
        limiter.settle(attempt.expect("fresh"), false).await;
    }
    assert_eq!(right_let_through(&limiter, &|| account("bob"), &there).await, 30, "and after it");
}

async fn new_accounts_are_counted_by_address_for_good(test: TestCounter) {
    let (limiter, here) = (limiter(&test), client());
    for _ in 0..2 {
        limiter.take_sign_up(&here).await.expect("one of the first");
    }
    assert!(matches!(limiter.take_sign_up(&here).await, Err(RateLimitError::TooMany { .. })));
    limiter.take_sign_up(&client()).await.expect("from elsewhere");
}

#[tokio::test]
async fn invalid_tokens_are_counted_by_client() {
    let test = TestCounter::memory().await.expect("memory is always there");
    let dead = InvalidTokens::new(limits().sessions_per_address, test.clock.clone());
    let (here, there) = (client(), client());
    for _ in 0..3 {
        dead.count(&here).expect("one of the first");
    }
    assert!(matches!(dead.count(&here), Err(RateLimitError::TooMany { .. })));
    dead.count(&there).expect("from elsewhere");
}

#[tokio::test]
async fn nothing_is_counted_where_limits_are_off() {
    let test = TestCounter::memory().await.expect("memory is always there");
    let limiter = RateLimiter::new(Limits::OFF, test.counter.clone());
    let (ada, here) = (account("ada"), client());
    assert_eq!(let_through(&limiter, &ada, &here, false).await, 20);
    for _ in 0..20 {
        limiter.take_sign_up(&here).await.expect("no limit");
    }
    let dead = InvalidTokens::new(None, test.clock.clone());
    assert!((0..20).all(|_| dead.count(&here).is_ok()));
}
