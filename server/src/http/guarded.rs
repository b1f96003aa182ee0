//! Calls without a token to routes that want one: refused before they take a permit, so that
//! strangers cost little and keep no user out.

use axum::response::{IntoResponse, Response};
use http::{Method, Request, header::AUTHORIZATION};
use shared::error::Refusal;

use super::Problem;

/// The paths and methods that take no call without a token. None by default.
#[derive(Clone, Debug, Default)]
pub struct GuardedRoutes(matchit::Router<Vec<Method>>);

impl GuardedRoutes {
    /// The routes with these paths, in the syntax of axum, each with its methods.
    pub(super) fn new(paths: impl IntoIterator<Item = (String, Vec<Method>)>) -> Self {
        let mut routes = matchit::Router::new();
        for (path, methods) in paths {
            let inserted = routes.insert(&path, methods);
            debug_assert!(inserted.is_ok(), "{path}: {inserted:?}");
        }
        Self(routes)
    }

    /// The refusal of `request` if such a route is called without `Authorization`. The gate
    /// decides about every other call; its refusal of this one would be the same.
    #[must_use]
    pub fn refuse<B>(&self, request: &Request<B>) -> Option<Response> {
        if request.headers().contains_key(AUTHORIZATION) {
            return None;
        }
        let methods = self.0.at(request.uri().path()).ok()?.value;
        methods
            .contains(request.method())
            .then(|| Problem::from(Refusal::MissingToken).into_response())
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};

    use super::*;

    #[test]
    fn calls_without_a_token_are_refused_on_these_routes_alone() {
        let of_tasks = ("/api/{user_id}/tasks".to_owned(), vec![Method::GET, Method::POST]);
        let guarded = GuardedRoutes::new([of_tasks]);
        let status = |method: Method, path: &str, token: Option<&str>| {
            let mut request = Request::builder().method(method).uri(path);
            if let Some(token) = token {
                request = request.header(AUTHORIZATION, token);
            }
            let refusal = guarded.refuse(&request.body(()).expect("a request"));
            refusal.map(|response| response.status())
        };
        let refused = Some(StatusCode::UNAUTHORIZED);
        assert_eq!(status(Method::GET, "/api/alice/tasks?limit=1", None), refused);
        assert_eq!(status(Method::POST, "/api/alice/tasks", None), refused);
        assert_eq!(status(Method::GET, "/api/alice/tasks", Some("nonsense")), None, "to the gate");
        assert_eq!(status(Method::DELETE, "/api/alice/tasks", None), None, "no such method");
        assert_eq!(status(Method::OPTIONS, "/api/alice/tasks", None), None);
        assert_eq!(status(Method::GET, "/api/alice/tasks/", None), None, "no such route");
        assert_eq!(GuardedRoutes::default().refuse(&Request::new(())).map(|_| ()), None);
    }
}
