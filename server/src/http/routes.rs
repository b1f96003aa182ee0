//! Routes, one row each: a service's router and its OpenAPI description are made from one list,
//! so no route can be served without a description.

use std::collections::BTreeMap;

use axum::{
    Router,
    routing::{MethodFilter, MethodRouter},
};
use utoipa::openapi::{OpenApi, PathItem};

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
                let methods = paths.remove(&path).unwrap_or_else(&base);
                let mounted = filters(&item).into_iter().fold(methods, route.mount);
                paths.insert(path, mounted);
            }
        }
        let mount = |router: Router<S>, (path, methods): (String, _)| router.route(&path, methods);
        paths.into_iter().fold(Router::new(), mount)
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
fn filters(item: &PathItem) -> Vec<MethodFilter> {
    let methods = [
        (&item.get, MethodFilter::GET),
        (&item.post, MethodFilter::POST),
        (&item.put, MethodFilter::PUT),
        (&item.patch, MethodFilter::PATCH),
        (&item.delete, MethodFilter::DELETE),
        (&item.head, MethodFilter::HEAD),
        (&item.options, MethodFilter::OPTIONS),
        (&item.trace, MethodFilter::TRACE),
    ];
    methods.into_iter().filter(|(operation, _)| operation.is_some()).map(|(_, m)| m).collect()
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
