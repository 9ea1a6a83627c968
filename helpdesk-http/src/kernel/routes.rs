//! From path and method to operation.

use std::collections::BTreeMap;

use http::Method;
use matchit::Router;
use percent_encoding::percent_decode_str;

use super::failure::Failure;
use super::operation::Operation;

/// The operations of a dialect, by path.
#[derive(Debug)]
pub(crate) struct Routes {
    router: Router<Vec<(Method, usize)>>,
    operations: Vec<Operation>,
}

/// An operation that was found, with the path's parameters.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub operation: &'a Operation,
    pub parameters: Vec<(String, String)>,
}

impl Routes {
    /// # Panics
    ///
    /// If two operations share a name, or path and method, or a path cannot be one: mistakes in a dialect's table.
    pub(crate) fn new(operations: Vec<Operation>) -> Self {
        let mut by_path: BTreeMap<String, Vec<(Method, usize)>> = BTreeMap::new();
        for (place, operation) in operations.iter().enumerate() {
            let earlier = &operations[..place];
            assert!(
                earlier.iter().all(|other| other.id != operation.id),
                "two operations are called {}",
                operation.id
            );
            let methods = by_path.entry(trimmed(operation.path).to_owned()).or_default();
            let taken = methods.iter().any(|(method, _)| *method == operation.method);
            assert!(!taken, "two operations answer {} {}", operation.method, operation.path);
            methods.push((operation.method.clone(), place));
        }
        let mut router = Router::new();
        for (path, methods) in by_path {
            let inserted = router.insert(path.clone(), methods);
            assert!(inserted.is_ok(), "the path {path} cannot be routed: {inserted:?}");
        }
        Self { router, operations }
    }

    /// The operation for a path and method. Literal segments win over parameters; a slash at the end makes no
    /// difference.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Result<Found<'_>, Failure> {
        let matched = self.router.at(trimmed(path)).map_err(|_| Failure::NoRoute)?;
        let wanted = if *method == Method::HEAD { &Method::GET } else { method };
        let Some((_, place)) = matched.value.iter().find(|(method, _)| method == wanted) else {
            return Err(Failure::Method {
                allowed: matched.value.iter().map(|(method, _)| method.clone()).collect(),
            });
        };
        let mut parameters = Vec::new();
        for (name, value) in matched.params.iter() {
            // What is not text names nothing.
            let value = percent_decode_str(value).decode_utf8().map_err(|_| Failure::NoRoute)?;
            parameters.push((name.to_owned(), value.into_owned()));
        }
        Ok(Found { operation: &self.operations[*place], parameters })
    }

    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }
}

fn trimmed(path: &str) -> &str {
    match path.strip_suffix('/') {
        Some("") | None => path,
        Some(trimmed) => trimmed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Call, Json};

    async fn answer(_: Call) -> Result<Json<u8>, Failure> {
        Ok(Json(1))
    }

    fn routes() -> Routes {
        Routes::new(vec![
            Operation::get("list", "/tickets/", answer),
            Operation::post("create", "/tickets/", answer),
            Operation::get("new", "/tickets/new/", answer),
            Operation::get("one", "/tickets/{id}/", answer),
            Operation::get("media", "/media/{*path}", answer),
        ])
    }

    fn found(method: Method, path: &str) -> String {
        match routes().find(&method, path) {
            Ok(found) => format!("{} {:?}", found.operation.id, found.parameters),
            Err(Failure::Method { allowed }) => format!("{allowed:?}"),
            Err(_) => "none".to_owned(),
        }
    }

    #[test]
    fn literals_win_and_the_last_slash_makes_no_difference() {
        assert_eq!(found(Method::GET, "/tickets/new/"), "new []");
        assert_eq!(found(Method::GET, "/tickets/new"), "new []");
        assert_eq!(found(Method::GET, "/tickets/7%2F8/"), r#"one [("id", "7/8")]"#);
        assert_eq!(found(Method::HEAD, "/tickets"), "list []");
        assert_eq!(found(Method::GET, "/media/a/b.png"), r#"media [("path", "a/b.png")]"#);
        assert_eq!(found(Method::GET, "/nothing"), "none");
        assert_eq!(found(Method::GET, "/tickets/%ff/"), "none");
        assert_eq!(found(Method::DELETE, "/tickets/"), "[GET, POST]");
    }

    #[test]
    #[should_panic(expected = "two operations are called list")]
    fn a_name_is_used_once() {
        Routes::new(vec![Operation::get("list", "/a", answer), Operation::get("list", "/b", answer)]);
    }

    #[test]
    #[should_panic(expected = "two operations answer GET /a/")]
    fn a_path_and_method_are_answered_once() {
        Routes::new(vec![Operation::get("a", "/a", answer), Operation::get("b", "/a/", answer)]);
    }
}
