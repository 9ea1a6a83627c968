//! Where the links of mails about accounts lead. A page that is only looked at changes nothing: programs that read mails
//! follow their links, too. What its form sends acts, and so does the same as JSON.

use std::sync::Arc;

use helpdesk_core::identity::Confirming;
use helpdesk_core::{Actor, Error, Problem, Problems, Via};
use http::StatusCode;
use http::header::CONTENT_TYPE;

use super::envelope::{Nothing, Success, done};
use super::pages::{Page, escaped, page};
use crate::input;
use crate::input::{Line, Text};
use crate::kernel::{Answer, Body, Call, Failure, Json, Operation, OperationDoc, Query, Reply};

/// Where the link leads that confirms an address, below the dialect's mount.
const CONFIRM: &str = "/api/auth/confirm";

/// Where the link leads by which a password is chosen.
const PASSWORD: &str = "/api/auth/password";

/// The same, as the door says it: [`with_links`] puts in where the dialect is.
pub(super) const PASSWORD_PAGE: &str = "{mount}/api/auth/password?token={token}";

/// The titles of the pages there.
const ADDRESS: &str = "Your address";
const YOUR_PASSWORD: &str = "Your password";

/// How much a form may send.
const FORM_BYTES: u64 = 64 * 1024;

input! {
    /// What a link that confirms an address says.
    struct Link {
        /// The token.
        token: Line<500>,
        /// Whether it confirms another address for an account.
        change: Option<bool>,
    }

    /// What a link says whose form says the same.
    struct MaybeLink {
        /// The token.
        token: Option<Line<500>>,
    }

    /// What confirms an address.
    struct Confirm {
        /// The token of the link. It may stand in the query as well.
        token: Option<Line<500>>,
        /// The password of the account.
        password: Option<Text<1024>>,
        /// In its place, for an account that signed up: the password that it has from now on, of at least 8 characters.
        new_password["newPassword"]: Option<Text<1024>>,
        /// Whether it is another address for an account, as the link says.
        change: Option<bool>,
    }

    /// The token of a mailed link.
    struct PasswordLink {
        /// The token.
        token: Line<500>,
    }

    /// A password that is chosen by a mailed link.
    struct Choose {
        /// The token of the link. It may stand in the query as well.
        token: Option<Line<500>>,
        /// The new password, of at least 8 characters.
        new_password["newPassword"]: Option<Text<1024>>,
    }
}

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::get("auth.confirm", CONFIRM, confirm)
            .says(
                "Asks how to confirm an address, where a mailed link leads",
                "The page changes nothing: programs that read mails follow their links, too. Its form confirms.",
            )
            .errors(&[422]),
        Operation::post("auth.confirm_address", CONFIRM, confirm_address)
            .form(FORM_BYTES, FORM_BYTES)
            .says(
                "Confirms an address by a mailed link",
                "With the password of the account: the link shows whose the address is, and not whose the account. An \
                 account that signed up may be given another password instead. A link works once, and for three days. \
                 Forms are answered with a page, JSON with JSON.",
            )
            .errors(&[400, 422]),
        Operation::get("auth.password", PASSWORD, password)
            .says(
                "Asks for a password, where the links of invitations and for forgotten ones lead",
                "The page changes nothing. Its form sets the password.",
            )
            .errors(&[422]),
        Operation::post("auth.choose_password", PASSWORD, choose_password)
            .form(FORM_BYTES, FORM_BYTES)
            .says(
                "Sets a password by a mailed link",
                "As `auth.reset_password`, for forms, which are answered with a page.",
            )
            .errors(&[400, 422]),
    ];
    let area = |operation: Operation| operation.area("Authentication").beyond_document();
    operations.into_iter().map(area).collect()
}

/// Where a mail sends somebody who signed up.
pub(super) fn confirm_link(call: &Call) -> String {
    format!("{}{CONFIRM}?token={{token}}", call.head.link_base)
}

/// Where a mail sends somebody who wants another address.
pub(super) fn change_link(call: &Call) -> String {
    format!("{}{CONFIRM}?change=true&token={{token}}", call.head.link_base)
}

/// The caller, who has mailed links for a password lead to the page here, unless the door says where else.
pub(super) fn with_links(call: &Call) -> Actor {
    let via = call.actor().via();
    let reset_path = via.reset_path.replace("{mount}", &call.head.link_base).into();
    call.actor().clone().through(Arc::new(Via { reset_path, ..Via::clone(via) }))
}

/// What is answered: a page, unless JSON was sent.
enum Answered {
    Page(Reply),
    Data(Json<Success<Nothing>>),
}

impl Answer for Answered {
    fn describe(doc: &mut OperationDoc) {
        <Json<Success<Nothing>>>::describe(doc);
    }

    fn reply(self, success: StatusCode) -> Reply {
        match self {
            Self::Page(page) => page,
            Self::Data(view) => view.reply(success),
        }
    }
}

/// Answers what came of a form: words where it worked or can never work, and the form again where it can.
fn answer(
    call: &Call,
    title: &str,
    outcome: Result<(), Error>,
    (words, form): (&'static str, String),
    over: &str,
) -> Result<Answered, Failure> {
    let outcome = outcome.map_err(|error| {
        Failure::from(error).renamed(|field| (field == "new_password").then_some("newPassword"))
    });
    let sent = call.head.header(CONTENT_TYPE.as_str()).unwrap_or_default();
    if sent.trim_start().to_ascii_lowercase().starts_with("application/json") {
        return outcome.map(|()| Answered::Data(done(words)));
    }
    let (status, content) = match outcome {
        Ok(()) => (StatusCode::OK, said(words)),
        Err(Failure::Core(Error::BadToken)) => (StatusCode::BAD_REQUEST, said(over)),
        Err(Failure::Core(Error::Invalid(problems))) => {
            (StatusCode::UNPROCESSABLE_ENTITY, format!("{}{form}", wrong(&problems)))
        }
        Err(other) => return Err(other),
    };
    Ok(Answered::Page(page(status, title, &content)))
}

fn said(words: &str) -> String {
    format!("<p>{words}</p>")
}

/// What is wrong with a form, in words.
fn wrong(problems: &Problems) -> String {
    let all = problems.iter().flat_map(|(_, problems)| problems);
    all.map(|problem| format!("<p role=\"alert\">{}</p>", escaped(&problem.to_string()))).collect()
}

/// A form that posts to its own path. Without the query: the token goes into the body, which nobody writes into a log.
fn form(token: &str, fields: &str, button: &str) -> String {
    format!(
        "<form method=\"post\" action=\"?\"><input type=\"hidden\" name=\"token\" value=\"{}\">{fields}\
         <button>{button}</button></form>",
        escaped(token)
    )
}

/// The field of a password. Managers of passwords know by `kind` which.
fn password_field(name: &str, label: &str, kind: &str) -> String {
    format!(
        "<label for=\"{name}\">{label}</label><input type=\"password\" id=\"{name}\" name=\"{name}\" \
         maxlength=\"1024\" autocomplete=\"{kind}\">"
    )
}

fn confirm_form(token: &str, change: bool) -> String {
    if change {
        let fields = password_field("password", "The password of your account", "current-password");
        let fields = format!("{fields}<input type=\"hidden\" name=\"change\" value=\"true\">");
        let form = form(token, &fields, "Confirm my address");
        return format!(
            "<h1>Your new address</h1><p>Your account has this address once you confirm it. If you have not asked for \
             that, close this page.</p>{form}"
        );
    }
    let fields = format!(
        "{}{}",
        password_field("password", "The password that you chose when you signed up", "current-password"),
        password_field("newPassword", "or another one, from now on", "new-password")
    );
    format!(
        "<h1>Your address</h1><p>Your account can be used once you confirm this address. If it was not you who signed \
         up, choose another password: somebody else may know the present one.</p>{}",
        form(token, &fields, "Confirm my address")
    )
}

async fn confirm(_: Call, Query(link): Query<Link>) -> Result<Page, Failure> {
    let form = confirm_form(&link.token, link.change == Some(true));
    Ok(Page(page(StatusCode::OK, ADDRESS, &form)))
}

async fn confirm_address(
    call: Call,
    Query(link): Query<MaybeLink>,
    Body(body): Body<Confirm>,
) -> Result<Answered, Failure> {
    let token = body.token.or(link.token).ok_or_else(|| Failure::invalid("token", Problem::Required))?;
    // Also where none was sent: a link that is over says so before anything else.
    let shown = match &body.new_password {
        Some(new) => Confirming::NewPassword(new),
        None => Confirming::Password(body.password.as_deref().unwrap_or_default()),
    };
    let outcome = call.desk.identity().confirm_address(call.actor().via(), &token, shown).await;
    let form = confirm_form(&token, body.change == Some(true));
    let words = "Your address is confirmed. You can sign in now.";
    let over = "This link is not valid any more. Where your address is confirmed already, you can sign in; if not, ask \
                for a new password, which confirms it as well.";
    answer(&call, ADDRESS, outcome, (words, form), over)
}

fn password_form(token: &str) -> String {
    let fields = password_field("newPassword", "A password of at least 8 characters", "new-password");
    format!("<h1>Choose a password</h1>{}", form(token, &fields, "Set my password"))
}

async fn password(_: Call, Query(link): Query<PasswordLink>) -> Result<Page, Failure> {
    Ok(Page(page(StatusCode::OK, YOUR_PASSWORD, &password_form(&link.token))))
}

async fn choose_password(
    call: Call,
    Query(link): Query<MaybeLink>,
    Body(body): Body<Choose>,
) -> Result<Answered, Failure> {
    let token = body.token.or(link.token).ok_or_else(|| Failure::invalid("token", Problem::Required))?;
    // Also where none was sent: a link that is over says so before anything else.
    let new = body.new_password.as_deref().unwrap_or_default();
    let outcome = call.desk.identity().reset_password_anywhere(call.actor().via(), &token, new).await;
    let words = "Your password is set. You can sign in now.";
    let over =
        "This link is not valid any more. Ask for a new password where you sign in, and you get another.";
    answer(&call, YOUR_PASSWORD, outcome, (words, password_form(&token)), over)
}
