//! Differences of HTTP from gRPC, unavoidable or by design. This is the
//! whole list; a scenario that meets one names it.

/// One of them. Better Auth's wire is what its client expects, so there it decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Headers carry `Idempotency-Key` and `If-Match`, and no header can hold a NUL or a
    /// line break: HTTP has no way to ask.
    HeadersHoldNoControlCharacters,
    /// A path that ends in an empty id is a path of nothing: the router answers, with 404 to
    /// every caller alike.
    EmptyIdsNameNoRoute,
    /// JSON names priorities, and what a rule counts from. A number that is none is a fault
    /// of type, and types are checked before rules: its fault comes alone.
    PrioritiesHaveNames,
    /// PUT is the mask `*`, PATCH a mask of its members. A mask of `*` and more is neither.
    NoMaskBesideTheStar,
    /// Better Auth signs out every caller, with a live session or not.
    SignOutNeedsNoSession,
    /// Better Auth's sign-in distinguishes a malformed address from an unknown one: 400
    /// INVALID_EMAIL. It reveals nothing about any account.
    SignInNamesMalformedEmails,
    /// Better Auth trims no e-mail: white space around it is a fault.
    EmailsAreNotTrimmed,
    /// Better Auth checks the schema (name, e-mail, password, image, in this order), then
    /// the length of the password, and reports the fault by a code that names
    /// one rule of one field.
    PasswordRulesComeAfterAllOthers,
    /// To Better Auth an empty password is a wrong one.
    EmptyPasswordsAreWrong,
    /// Better Auth revokes sessions by token, and any text may be one.
    SessionsAreRevokedByToken,
}
