//! Handlers: plain async functions, made into one type.
//!
//! A handler takes the [`Call`] and what it wants read for it, and answers a view. The types of its arguments and
//! of its answer describe themselves, so that the document cannot say anything else than what happens.

use std::future::Future;
use std::pin::Pin;

use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::ObjectBuilder;

use super::call::Call;
use super::failure::Failure;
use super::operation::OperationDoc;
use super::reply::{Json, Reply};
use crate::input::{Form, Input};

/// A handler at work.
pub type Running = Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send>>;

/// A function that answers calls: `async fn(Call) -> Result<impl Answer, Failure>`, with up to two arguments that
/// are read from the request.
pub trait Handler<A>: Send + Sync + 'static {
    /// Notes what is read and answered.
    fn describe(&self, doc: &mut OperationDoc);

    /// Answers a call.
    fn run(&self, call: Call, success: StatusCode) -> Running;
}

/// Something that is read from a request for a handler.
pub trait Extract: Sized + Send {
    /// Notes what is read.
    fn describe(doc: &mut OperationDoc);

    /// Reads it.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    fn extract(call: &mut Call) -> Result<Self, Failure>;
}

/// The body, read as an [`Input`].
#[derive(Debug)]
pub struct Body<T>(pub T);

/// The query, read as an [`Input`].
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: Input> Extract for Body<T> {
    fn describe(doc: &mut OperationDoc) {
        doc.request = Some(T::schema());
    }

    fn extract(call: &mut Call) -> Result<Self, Failure> {
        read(std::mem::take(&mut call.payload).into_form()).map(Self)
    }
}

impl<T: Input> Extract for Query<T> {
    fn describe(doc: &mut OperationDoc) {
        doc.query = T::fields();
    }

    fn extract(call: &mut Call) -> Result<Self, Failure> {
        read(Form::query(&call.head.query)).map(Self)
    }
}

fn read<T: Input>(mut form: Form) -> Result<T, Failure> {
    T::read(&mut form).ok_or_else(|| Failure::problems(form.into_problems()))
}

/// Something that a handler answers.
pub trait Answer: Send + 'static {
    /// Notes what is answered.
    fn describe(doc: &mut OperationDoc);

    /// The answer, with the status of the operation's success.
    fn reply(self, success: StatusCode) -> Reply;
}

impl<V: Serialize + ToSchema + Send + 'static> Answer for Json<V> {
    fn describe(doc: &mut OperationDoc) {
        doc.response = Some(("application/json", V::schema()));
        V::schemas(&mut doc.schemas);
    }

    fn reply(self, success: StatusCode) -> Reply {
        Reply::json(success, &self.0)
    }
}

/// An answer that is made by hand: files.
impl Answer for Reply {
    fn describe(doc: &mut OperationDoc) {
        let binary = utoipa::openapi::schema::SchemaFormat::Custom("binary".to_owned());
        let file = ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::SchemaType::Type(utoipa::openapi::schema::Type::String))
            .format(Some(binary));
        doc.response = Some(("application/octet-stream", file.into()));
    }

    fn reply(self, _: StatusCode) -> Reply {
        self
    }
}

/// Nothing but the status.
impl Answer for () {
    fn describe(_: &mut OperationDoc) {}

    fn reply(self, success: StatusCode) -> Reply {
        Reply::empty(success)
    }
}

macro_rules! handlers {
    ($(($($argument:ident),*))+) => {$(
        impl<F, Fut, R, $($argument),*> Handler<(R, $($argument,)*)> for F
        where
            F: Fn(Call, $($argument),*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = Result<R, Failure>> + Send + 'static,
            R: Answer,
            $($argument: Extract + 'static,)*
        {
            fn describe(&self, doc: &mut OperationDoc) {
                $($argument::describe(doc);)*
                R::describe(doc);
            }

            #[expect(clippy::allow_attributes, reason = "what is unused depends on the number of arguments")]
            #[allow(unused_mut, non_snake_case, reason = "one name serves for type and value")]
            fn run(&self, mut call: Call, success: StatusCode) -> Running {
                $(
                    let $argument = match $argument::extract(&mut call) {
                        Ok(argument) => argument,
                        Err(failure) => return Box::pin(std::future::ready(Err(failure))),
                    };
                )*
                let running = self(call, $($argument),*);
                Box::pin(async move { running.await.map(|answer| answer.reply(success)) })
            }
        }
    )+};
}

handlers! { () (A) (A, B) }
