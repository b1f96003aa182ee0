//! Routes, one row each: a service's router and its OpenAPI description are made from one list,
//! so no route can be served without a description.

use std::collections::BTreeMap;

use axum::{
    Router,
    routing::{MethodFilter, MethodRouter},
};
use http::Method;
use utoipa::openapi::{OpenApi, PathItem};

use super::GuardedRoutes;

/// A route: a handler, and the OpenAPI operation with its method and path. Made by
/// [`routes!`](crate::routes).
pub struct Route<S> {
    describe: fn() -> OpenApi,
    mount: fn(MethodRouter<S>, MethodFilter) -> MethodRouter<S>,
}

impl<S: Clone + Send + Sync + 'static> Route<S> {
    /// A route with an OpenAPI document of its own, and its handler.
    #[must_use]
    pub fn new(
        describe: fn() -> OpenApi,
        mount: fn(MethodRouter<S>, MethodFilter) -> MethodRouter<S>,
    ) -> Self {
        Self { describe, mount }
    }

    /// The router of `routes`. Each path starts as `base`, which handles other methods.
    pub fn router(routes: &[Self], base: impl Fn() -> MethodRouter<S>) -> Router<S> {
        let mut paths = BTreeMap::new();
        for route in routes {
            for (path, item) in (route.describe)().paths.paths {
                let mounted = paths.remove(&path).unwrap_or_else(&base);
                let filters = methods(&item).filter_map(|of| MethodFilter::try_from(of).ok());
                paths.insert(path, filters.fold(mounted, route.mount));
            }
        }
        let mount = |router: Router<S>, (path, methods): (String, _)| router.route(&path, methods);
        paths.into_iter().fold(Router::new(), mount)
    }

    /// The paths and methods of `routes`, none of which takes a call without a token.
    #[must_use]
    pub fn guarded(routes: &[Self]) -> GuardedRoutes {
        let mut guarded = BTreeMap::<_, Vec<_>>::new();
        for route in routes {
            for (path, item) in (route.describe)().paths.paths {
                guarded.entry(path).or_default().extend(methods(&item));
            }
        }
        GuardedRoutes::new(guarded)
    }

    /// `document` with the operations of `routes` and their schemas.
    #[must_use]
    pub fn describe(routes: &[Self], mut document: OpenApi) -> OpenApi {
        for route in routes {
            document.merge((route.describe)());
        }
        document
    }
}

/// The methods of an operation.
fn methods(item: &PathItem) -> impl Iterator<Item = Method> {
    let methods = [
        (item.get.is_some(), Method::GET),
        (item.post.is_some(), Method::POST),
        (item.put.is_some(), Method::PUT),
        (item.patch.is_some(), Method::PATCH),
        (item.delete.is_some(), Method::DELETE),
        (item.head.is_some(), Method::HEAD),
        (item.options.is_some(), Method::OPTIONS),
        (item.trace.is_some(), Method::TRACE),
    ];
    methods.into_iter().filter_map(|(is_described, method)| is_described.then_some(method))
}

/// The rows of a router, a `Vec`: handlers with `#[utoipa::path]`, each as `module::handler`.
#[macro_export]
macro_rules! routes {
    ($($module:ident::$handler:ident),+ $(,)?) => {
        vec![$({
            #[derive(utoipa::OpenApi)]
            #[openapi(paths($module::$handler))]
            struct Described;
            $crate::http::Route::new(
                <Described as utoipa::OpenApi>::openapi,
                |methods, method| methods.on(method, $module::$handler),
            )
        }),+]
    };
}
