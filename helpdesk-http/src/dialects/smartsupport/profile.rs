//! One's own account.

use super::employees::PICTURE_BYTES;
use super::show::{self, Show};
use super::views;
use crate::input;
use crate::input::Upload;
use crate::kernel::{Auth, Body, Call, Failure, Json, Operation};

input! {
    /// A profile picture.
    struct Picture {
        /// PNG or JPEG, 2 MB at most. It becomes 1024 by 1024 pixels.
        image: Upload,
    }
}

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::get("profile.get", "/api/employee/profile/", profile)
            .says("Shows the caller's own account", "")
            .errors(&[401]),
        Operation::post("profile.upload_image", "/api/employee/upload-image/", upload)
            .form(PICTURE_BYTES, PICTURE_BYTES + 64 * 1024)
            .says("Sets the caller's own picture", "")
            .errors(&[400, 401]),
    ];
    let area = |operation: Operation| operation.area("User Profile Management").auth(Auth::Bearer);
    operations.into_iter().map(area).collect()
}

async fn profile(call: Call) -> Result<Json<views::Employee>, Failure> {
    let user = call.desk.identity().profile(call.actor()).await?;
    let role = show::role(call.actor().permissions());
    Ok(Json(Show::new(&call).employee(&user, role)))
}

async fn upload(
    call: Call,
    Body(Picture { image }): Body<Picture>,
) -> Result<Json<views::PictureSet>, Failure> {
    let user = call.desk.identity().set_picture(call.actor(), image.content).await?;
    Ok(Json(views::PictureSet {
        detail: "Image uploaded successfully.",
        user: views::PictureOwner {
            id: user.number,
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            email: user.email.clone(),
            image: Show::new(&call).picture(&user),
        },
    }))
}
