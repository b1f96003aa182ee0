//! What an attempt at a password touches, and who is refused.

use server::ClientInfo;

use super::{
    super::{AttemptError, Attempts, DeadTokens, Guess, Limited, Limits},
    Duration, Limit, Place, SPAN, on_every_place,
    places::{account, client},
    ten,
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

fn attempts(place: &Place) -> Attempts {
    Attempts::new(limits(), place.counter.clone())
}

on_every_place!(
    an_address_has_its_share_and_others_theirs,
    where_all_together_took_too_much_a_home_has_its_share,
    an_address_has_so_many_for_all_accounts,
    who_is_refused_has_taken_nothing_from_others,
    a_guess_that_fails_while_it_is_counted_is_given_back,
    a_refusal_tells_whose_attempts_are_used_up,
    right_passwords_are_counted_apart_from_wrong_ones,
    guesses_keep_nobody_out_as_if_they_were_right,
    new_accounts_are_counted_by_address_for_good,
);

async fn attempt(
    attempts: &Attempts,
    name: &str,
    from: &ClientInfo,
    is_home: bool,
) -> Result<Guess, Duration> {
    let guess = attempts.at_password(Some(name), from, async { Ok(is_home) }).await;
    guess.map_err(|error| match error {
        Error::TooManyAttempts { retry_after, .. } => retry_after,
        other => panic!("{other}"),
    })
}

/// How many of twenty wrong guesses are let through.
async fn guessed(attempts: &Attempts, account: &str, from: &ClientInfo, is_home: bool) -> usize {
    let mut through = 0;
    for _ in 0..20 {
        through += usize::from(attempt(attempts, account, from, is_home).await.is_ok());
    }
    through
}

async fn an_address_has_its_share_and_others_theirs(place: Place) {
    let (attempts, ada) = (attempts(&place), account("ada"));
    let attacker = client();
    assert_eq!(guessed(&attempts, &ada, &attacker, false).await, 5);
    let wait = attempt(&attempts, &ada, &attacker, false).await.err().expect("refused");
    assert!((91..=100).contains(&wait.as_secs()), "{wait:?}");
    assert!(attempt(&attempts, &ada, &client(), false).await.is_ok());
    assert!(attempt(&attempts, &account("bob"), &attacker, false).await.is_ok());
}

async fn where_all_together_took_too_much_a_home_has_its_share(place: Place) {
    let (attempts, ada) = (attempts(&place), account("ada"));
    assert_eq!(guessed(&attempts, &ada, &client(), false).await, 5);
    assert_eq!(guessed(&attempts, &ada, &client(), false).await, 1, "six in all");
    let home = client();
    assert!(attempt(&attempts, &ada, &home, false).await.is_err());
    assert_eq!(guessed(&attempts, &ada, &home, true).await, 5, "its share and no more");
}

async fn an_address_has_so_many_for_all_accounts(place: Place) {
    let (attempts, attacker) = (attempts(&place), client());
    let mut through = 0;
    for _ in 0..30 {
        let anybody = account("anybody");
        through += usize::from(attempt(&attempts, &anybody, &attacker, false).await.is_ok());
    }
    assert_eq!(through, 20);
}

/// Neither the account nor, by way of other accounts, the address.
async fn who_is_refused_has_taken_nothing_from_others(place: Place) {
    let (attempts, ada) = (attempts(&place), account("ada"));
    let attacker = client();
    for _ in 0..5 {
        guessed(&attempts, &ada, &attacker, false).await;
    }
    assert!(attempt(&attempts, &ada, &client(), false).await.is_ok(), "one of six is left");
    assert_eq!(guessed(&attempts, &account("bob"), &attacker, false).await, 5);
    for _ in 0..8 {
        let guess = attempt(&attempts, &account("eve"), &client(), false).await;
        attempts.give_back(guess.expect("fresh")).await;
    }
}

async fn a_guess_that_fails_while_it_is_counted_is_given_back(place: Place) {
    let (attempts, ada) = (attempts(&place), account("ada"));
    for _ in 0..2 {
        guessed(&attempts, &ada, &client(), false).await;
    }
    let home = client();
    for _ in 0..20 {
        let away = async { Err(Error::InvalidSession) };
        let guess = attempts.at_password(Some(&ada), &home, away).await;
        assert!(matches!(guess, Err(Error::InvalidSession)));
    }
    assert_eq!(guessed(&attempts, &ada, &home, true).await, 5);
}

async fn a_refusal_tells_whose_attempts_are_used_up(place: Place) {
    let attempts = attempts(&place);
    let until_refused = async |account: &dyn Fn() -> Option<String>,
                               from: &dyn Fn() -> ClientInfo| {
        for _ in 0..50 {
            let (account, from) = (account(), from());
            let guess =
                attempts.at_password(account.as_deref(), &from, async { Ok::<_, Error>(false) });
            if let Err(Error::TooManyAttempts { by, .. }) = guess.await {
                return by;
            }
        }
        panic!("never refused")
    };
    let (ada, bob, here) = (account("ada"), account("bob"), client());
    let by = until_refused(&|| Some(ada.clone()), &|| here.clone()).await;
    assert_eq!(by, Limited::AccountFromAddress);
    assert_eq!(until_refused(&|| Some(bob.clone()), &client).await, Limited::Account);
    let by = until_refused(&|| Some(account("anybody")), &|| here.clone()).await;
    assert_eq!(by, Limited::Address);
    let there = client();
    assert_eq!(
        until_refused(&|| None, &|| there.clone()).await,
        Limited::Address,
        "nobody's account"
    );
}

/// How many of a hundred right passwords are let through.
async fn came_in(attempts: &Attempts, account: &dyn Fn() -> String, from: &ClientInfo) -> usize {
    for through in 0..100 {
        let guess =
            attempts.at_password(Some(&account()), from, async { Ok::<_, Error>(false) }).await;
        match guess {
            Ok(guess) => attempts.judged(guess, true).await,
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
async fn right_passwords_are_counted_apart_from_wrong_ones(place: Place) {
    let (attempts, ada, here) = (attempts(&place), account("ada"), client());
    assert_eq!(came_in(&attempts, &|| ada.clone(), &here).await, 10);
    assert_eq!(came_in(&attempts, &|| account("anybody"), &here).await, 20);
    let there = client();
    assert_eq!(came_in(&attempts, &|| ada.clone(), &there).await, 10, "from elsewhere");
    assert_eq!(guessed(&attempts, &ada, &client(), false).await, 5, "no guess was counted");
    let guess = attempts.at_password(Some(&ada), &there, async { Ok::<_, Error>(false) }).await;
    assert!(matches!(guess, Err(Error::TooManyRight { .. })), "before it is looked at");
}

async fn guesses_keep_nobody_out_as_if_they_were_right(place: Place) {
    let (attempts, ada, here) = (attempts(&place), account("ada"), client());
    let mut looked_at = Vec::new();
    for _ in 0..3 {
        let from = client();
        let guess = attempts.at_password(Some(&ada), &from, async { Ok::<_, Error>(false) }).await;
        looked_at.push(guess.expect("one of six"));
    }
    assert_eq!(came_in(&attempts, &|| ada.clone(), &here).await, 10, "while they are looked at");
    let there = client();
    for _ in 0..4 {
        let bob = account("bob");
        let guess = attempts.at_password(Some(&bob), &there, async { Ok::<_, Error>(false) }).await;
        attempts.judged(guess.expect("fresh"), false).await;
    }
    assert_eq!(came_in(&attempts, &|| account("bob"), &there).await, 30, "and after it");
}

async fn new_accounts_are_counted_by_address_for_good(place: Place) {
    let (attempts, here) = (attempts(&place), client());
    for _ in 0..2 {
        attempts.at_sign_up(&here).await.expect("one of the first");
    }
    assert!(matches!(attempts.at_sign_up(&here).await, Err(AttemptError::TooMany { .. })));
    attempts.at_sign_up(&client()).await.expect("from elsewhere");
}

#[tokio::test]
async fn tokens_that_open_nothing_are_counted_by_client() {
    let place = Place::memory().await.expect("memory is always there");
    let dead = DeadTokens::new(limits().sessions_per_address, place.clock.clone());
    let (here, there) = (client(), client());
    for _ in 0..3 {
        dead.count(&here).expect("one of the first");
    }
    assert!(matches!(dead.count(&here), Err(AttemptError::TooMany { .. })));
    dead.count(&there).expect("from elsewhere");
}

#[tokio::test]
async fn nothing_is_counted_where_limits_are_off() {
    let place = Place::memory().await.expect("memory is always there");
    let attempts = Attempts::new(Limits::OFF, place.counter.clone());
    let (ada, here) = (account("ada"), client());
    assert_eq!(guessed(&attempts, &ada, &here, false).await, 20);
    for _ in 0..20 {
        attempts.at_sign_up(&here).await.expect("no limit");
    }
    let dead = DeadTokens::new(None, place.clock.clone());
    assert!((0..20).all(|_| dead.count(&here).is_ok()));
}
