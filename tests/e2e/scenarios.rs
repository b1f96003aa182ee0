//! Each scenario as tests: on every database, over every wire that it is about.

/// Runs each `async fn(&World)` as four tests: both databases, both wires.
macro_rules! in_both_worlds {
    ($($scenario:ident),+ $(,)?) => {$(
        mod $scenario {
            crate::scenarios::tests!(run: sqlite_grpc sqlite_http postgres_grpc postgres_http);
            crate::scenarios::run!($scenario);
        }
    )+};
}

/// Runs each as two tests over gRPC: `because` is the reason why HTTP has no such scenario.
macro_rules! over_grpc_alone {
    (because $reason:literal: $($scenario:ident),+ $(,)?) => {$(
        #[doc = $reason]
        mod $scenario {
            crate::scenarios::tests!(run: sqlite_grpc postgres_grpc);
            crate::scenarios::run!($scenario);
        }
    )+};
}

/// Runs each as two tests over HTTP: they are about HTTP itself.
macro_rules! over_http_alone {
    ($($scenario:ident),+ $(,)?) => {$(
        mod $scenario {
            crate::scenarios::tests!(run: sqlite_http postgres_http);
            crate::scenarios::run!($scenario);
        }
    )+};
}

/// Runs each `async fn(&World, &ManualClock)` as four tests. The clock stands still until
/// the test moves it.
macro_rules! in_both_worlds_with_manual_clock {
    ($($scenario:ident),+ $(,)?) => {$(
        mod $scenario {
            crate::scenarios::tests!(run: sqlite_grpc sqlite_http postgres_grpc postgres_http);

            async fn run(backend: fixtures::Backend, wire: crate::wire::Wire) {
                use shared::clock::{Clock, ManualClock, SystemClock};

                let clock = std::sync::Arc::new(ManualClock::at(SystemClock.now()));
                let world = crate::world::World::start_at(backend, wire, clock.clone()).await;
                if let Some(world) = world {
                    super::$scenario(&world, &clock).await;
                    world.stop().await;
                }
            }
        }
    )+};
}

/// A world for the scenario, and its end.
macro_rules! run {
    ($scenario:ident) => {
        async fn run(backend: fixtures::Backend, wire: crate::wire::Wire) {
            if let Some(world) = crate::world::World::start(backend, wire).await {
                super::$scenario(&world).await;
                world.stop().await;
            }
        }
    };
}

/// Tests that call `$run(backend, wire)`, named after both.
macro_rules! tests {
    ($run:ident:) => {};
    ($run:ident: sqlite_grpc $($rest:ident)*) => {
        crate::scenarios::test!($run sqlite_grpc Sqlite Grpc);
        crate::scenarios::tests!($run: $($rest)*);
    };
    ($run:ident: sqlite_http $($rest:ident)*) => {
        crate::scenarios::test!($run sqlite_http Sqlite Http);
        crate::scenarios::tests!($run: $($rest)*);
    };
    ($run:ident: postgres_grpc $($rest:ident)*) => {
        crate::scenarios::test!($run postgres_grpc Postgres Grpc);
        crate::scenarios::tests!($run: $($rest)*);
    };
    ($run:ident: postgres_http $($rest:ident)*) => {
        crate::scenarios::test!($run postgres_http Postgres Http);
        crate::scenarios::tests!($run: $($rest)*);
    };
}

macro_rules! test {
    ($run:ident $name:ident $backend:ident $wire:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            $run(fixtures::Backend::$backend, crate::wire::Wire::$wire).await;
        }
    };
}

pub(crate) use {
    in_both_worlds, in_both_worlds_with_manual_clock, over_grpc_alone, over_http_alone, run, test,
    tests,
};
