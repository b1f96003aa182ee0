//! Request bodies: each struct is the schema of a body. No `Debug`: they hold passwords and
//! tokens.

use utoipa::ToSchema;

use super::members::{Members, RequestBody};
use crate::{email::Email, profile::Image};

/// A new account.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct SignUp {
    /// At most 200 characters; may be empty.
    #[schema(max_length = 200, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    pub name: String,
    #[schema(value_type = String, format = Email)]
    pub email: Email,
    /// 8 to 128 UTF-16 code units (or from `PASSWORD_MIN_LENGTH` on), and not a common one.
    #[schema(format = Password, max_length = 128)]
    pub password: String,
    /// The address of a picture.
    #[schema(value_type = Option<String>, nullable = false, max_length = 2048, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    pub image: Option<Image>,
    /// Checked, and not used: it is meant for a mail, and this server sends none.
    #[schema(rename = "callbackURL", nullable = false)]
    pub callback_url: Option<String>,
    /// `false`: the session ends with the browser's, or after a day.
    #[schema(default = true, nullable = false)]
    pub remember_me: Option<bool>,
}

impl RequestBody for SignUp {
    const EXPECTED: &'static [&'static str] = &["object", "record"];
    const ACCEPTS_HTML_FORM: bool = true;

    fn read(members: &mut Members) -> Option<Self> {
        let name = members.name("name");
        let email = members.email("email");
        let password = members.nonempty_text("password");
        let image = members.optional_image("image");
        let callback_url = members.optional_text("callbackURL");
        let remember_me = members.optional_switch("rememberMe");
        let (name, email, password) = (name?, email?, password?);
        Some(Self { name, email, password, image, callback_url, remember_me })
    }
}

/// The credentials of an account.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct SignIn {
    #[schema(format = Email)]
    pub email: String,
    #[schema(format = Password, max_length = 128)]
    pub password: String,
    /// Where a browser goes next: a path, or an address at a trusted origin.
    #[schema(rename = "callbackURL", nullable = false)]
    pub callback_url: Option<String>,
    /// `false`: the session ends with the browser's, or after a day.
    #[schema(default = true, nullable = false)]
    pub remember_me: Option<bool>,
}

impl RequestBody for SignIn {
    const ACCEPTS_HTML_FORM: bool = true;

    fn read(members: &mut Members) -> Option<Self> {
        let email = members.text("email");
        let password = members.text("password");
        let callback_url = members.optional_text("callbackURL");
        let remember_me = members.optional_switch("rememberMe");
        Some(Self { email: email?, password: password?, callback_url, remember_me })
    }
}

/// What to change about oneself: at least one of these.
#[derive(ToSchema)]
#[schema(min_properties = 1)]
pub struct UpdateUser {
    #[schema(nullable = false, max_length = 200, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    pub name: Option<String>,
    /// The address of a picture; `null` removes it.
    #[schema(value_type = Option<String>, max_length = 2048, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    pub image: Option<Image>,
    /// An e-mail was sent along, which cannot be changed here.
    #[schema(ignore)]
    pub has_email: bool,
}

impl RequestBody for UpdateUser {
    const EXPECTED: &'static [&'static str] = &["record"];

    fn read(members: &mut Members) -> Option<Self> {
        let name = members.optional_name("name");
        let image = members.nullable_image("image");
        Some(Self { name, image, has_email: members.is_given("email") })
    }
}

/// The password that was and the one that is to be.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct ChangePassword {
    /// Under the rules of `password` at sign-up.
    #[schema(format = Password, max_length = 128)]
    pub new_password: String,
    #[schema(format = Password, max_length = 128)]
    pub current_password: String,
    /// Ends every session, the caller's too, and opens one instead.
    #[schema(default = false, nullable = false)]
    pub revoke_other_sessions: Option<bool>,
}

impl RequestBody for ChangePassword {
    fn read(members: &mut Members) -> Option<Self> {
        let new_password = members.text("newPassword");
        let current_password = members.text("currentPassword");
        let revoke_other_sessions = members.optional_switch("revokeOtherSessions");
        let (new_password, current_password) = (new_password?, current_password?);
        Some(Self { new_password, current_password, revoke_other_sessions })
    }
}

/// A password to check.
#[derive(ToSchema)]
pub struct VerifyPassword {
    #[schema(format = Password, max_length = 128)]
    pub password: String,
}

impl RequestBody for VerifyPassword {
    fn read(members: &mut Members) -> Option<Self> {
        members.text("password").map(|password| Self { password })
    }
}

/// Which session to end.
#[derive(ToSchema)]
pub struct RevokeSession {
    /// The token of the session, or its handle from `list-sessions`.
    pub token: String,
}

impl RequestBody for RevokeSession {
    fn read(members: &mut Members) -> Option<Self> {
        members.text("token").map(|token| Self { token })
    }
}

/// What confirms that an account is to go. Without a password, a session that was opened
/// within a day does.
#[derive(ToSchema)]
pub struct DeleteUser {
    /// Checked, and not used: it is meant for a mail, and this server sends none.
    #[schema(rename = "callbackURL", nullable = false)]
    pub callback_url: Option<String>,
    #[schema(format = Password, max_length = 128, nullable = false)]
    pub password: Option<String>,
    /// One that was mailed; this server mails none, so none is valid.
    #[schema(nullable = false)]
    pub token: Option<String>,
}

impl RequestBody for DeleteUser {
    fn read(members: &mut Members) -> Option<Self> {
        let callback_url = members.optional_text("callbackURL");
        let password = members.optional_text("password");
        let token = members.optional_text("token");
        Some(Self { callback_url, password, token })
    }
}

/// Nothing: a body may be there, and is not looked at.
pub struct Nothing;

impl RequestBody for Nothing {
    const EXPECTED: &'static [&'static str] = &[];

    fn read(_: &mut Members) -> Option<Self> {
        Some(Self)
    }
}
