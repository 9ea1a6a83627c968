//! What clients send, read into types.
//!
//! A dialect declares each body and query as a struct inside [`input!`](crate::input!). Reading one collects
//! everything that is wrong, field by field, instead of stopping at the first; the same declaration becomes the
//! schema of the dialect's document. JSON, forms and query strings are read alike.

mod form;
mod times;
mod types;

pub use self::form::{Form, Raw, Upload};
pub use self::times::Moment;
pub use self::types::{Change, Choice, Choices, Email, Field, Int, Line, Object, Text};

use utoipa::openapi::schema::{ObjectBuilder, Schema};
use utoipa::openapi::{RefOr, schema};

/// A struct that is read from a body or a query.
pub trait Input: Sized + Send + 'static {
    /// Its fields, for the document.
    fn fields() -> Vec<FieldDoc>;

    /// Reads it. `None` where a field was wrong: what was wrong is noted in the form.
    fn read(form: &mut Form) -> Option<Self>;

    /// The schema of the object.
    fn schema() -> RefOr<Schema> {
        let mut object = ObjectBuilder::new();
        for field in Self::fields() {
            if field.required {
                object = object.required(field.name);
            }
            object = object.property(field.name, described(field.schema, field.doc));
        }
        object.into()
    }
}

/// A field of an [`Input`], as the document shows it.
#[derive(Clone, Debug)]
pub struct FieldDoc {
    /// The name that clients use.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// The schema of its values.
    pub schema: RefOr<Schema>,
}

fn described(schema: RefOr<Schema>, doc: &str) -> RefOr<Schema> {
    match schema {
        RefOr::T(Schema::Object(mut object)) => {
            object.description = Some(doc.to_owned());
            object.into()
        }
        RefOr::T(Schema::Array(mut array)) => {
            array.description = Some(doc.to_owned());
            RefOr::T(Schema::Array(array))
        }
        other => other,
    }
}

/// Nothing is read: for operations without a body or query.
impl Input for () {
    fn fields() -> Vec<FieldDoc> {
        Vec::new()
    }

    fn read(_: &mut Form) -> Option<Self> {
        Some(())
    }

    fn schema() -> RefOr<Schema> {
        schema::empty().into()
    }
}

/// Declares structs that are read from bodies and queries.
///
/// A field's type says what is accepted: see [`Field`]. `field["name", "other"]` gives a field other names than its
/// own; the first is the documented one.
///
/// ```
/// use helpdesk_http::input;
/// use helpdesk_http::input::{Form, Input, Line};
///
/// input! {
///     /// A parcel to be sent.
///     pub struct Parcel {
///         /// Where it goes.
///         pub to: Line<100>,
///         /// What is written on it.
///         pub label["label[]", "label"]: Option<Line<20>>,
///     }
/// }
///
/// let mut form = Form::json(serde_json::json!({"label[]": "a label that is far too long"}).as_object().unwrap().clone());
/// assert!(Parcel::read(&mut form).is_none());
/// let fields: Vec<_> = form.problems().iter().map(|(field, _)| field.to_owned()).collect();
/// assert_eq!(fields, ["label[]", "to"]);
/// ```
#[macro_export]
macro_rules! input {
    ($($(#[doc = $doc:literal])+ $vis:vis struct $name:ident {
        $($(#[doc = $field_doc:literal])+ $field_vis:vis $field:ident $([$first:literal $(, $other:literal)*])?: $ty:ty),* $(,)?
    })+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug)]
        $vis struct $name {
            $($(#[doc = $field_doc])+ $field_vis $field: $ty,)*
        }

        impl $crate::input::Input for $name {
            fn fields() -> Vec<$crate::input::FieldDoc> {
                vec![$($crate::input::FieldDoc {
                    name: $crate::input!(@names $field $($first $($other)*)?)[0],
                    doc: concat!($($field_doc),+).trim_ascii(),
                    required: <$ty as $crate::input::Field>::REQUIRED,
                    schema: <$ty as $crate::input::Field>::schema(),
                }),*]
            }

            fn read(form: &mut $crate::input::Form) -> Option<Self> {
                $(let $field = form.field::<$ty>($crate::input!(@names $field $($first $($other)*)?));)*
                Some(Self { $($field: $field?),* })
            }
        }
    )+};
    (@names $field:ident) => { &[stringify!($field)] };
    (@names $field:ident $($name:literal)+) => { &[$($name),+] };
}
