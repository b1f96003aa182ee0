//! Telemetry: logs on standard error, text for people, JSON lines for machines (`LOG_FORMAT=json`).
//!
//! `RUST_LOG` filters as usual (default `info`), with one exception: other crates never log below
//! INFO. Their DEBUG and TRACE lines quote headers and rows, which hold tokens and e-mails.

use std::{fmt, panic::PanicHookInfo};

use shared::config::{Reader, Setting, Vars, either};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, filter_fn},
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::client_info::ClientInfo;

shared::settings! {
    /// The settings of logs.
    pub const SETTINGS: "Logs";

    RUST_LOG: EnvFilter =
        Setting::new("info", |text| EnvFilter::try_new(text).map_err(|error| error.to_string())),
        "the level, per module if need be; `warn,audit=info` keeps security events";
    LOG_FORMAT: Format = Setting::new("text", |text| {
        either(text, [("json", Format::Json), ("text", Format::Text)])
    }), "`text`, or `json` with one object per line";
}

/// The form of log lines.
enum Format {
    Json,
    Text,
}

/// Starts logging for the process. Faults of `RUST_LOG` and `LOG_FORMAT` are recorded in
/// `reader`, and the defaults used instead. A second call changes nothing.
pub fn init(reader: &mut Reader<'_, impl Vars>) {
    let filter = reader.get(&RUST_LOG);
    let format = reader.get(&LOG_FORMAT);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        Format::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(true);
            lines.with_span_list(false).map_event_format(InCall).boxed()
        }
        Format::Text => {
            let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
            lines.with_ansi(is_terminal).map_event_format(InCall).boxed()
        }
    };
    let layer =
        lines.with_filter(filter.and(filter_fn(|line| may_log(line.target(), *line.level()))));
    let _ = tracing_subscriber::registry().with(layer).try_init();
    std::panic::set_hook(Box::new(log_panic));
}

/// Lines with the request id and the path of their call. Its span is made for a line, and not for a
/// call: most calls log nothing.
struct InCall<F>(F);

impl<S, N, F> FormatEvent<S, N> for InCall<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        ClientInfo::log_span().in_scope(|| self.0.format_event(ctx, writer, event))
    }
}

/// The log line of a panic: its location, and its call. The message is left out, as it
/// may quote a client.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, "panic");
}

/// Whether a line of this target and level is safe to print. Database drivers quote addresses and
/// rows even in warnings.
fn may_log(target: &str, level: Level) -> bool {
    const OURS: [&str; 5] = ["auth_service", "server", "shared", "standalone", "task_service"];
    let root = target.split("::").next().unwrap_or_default();
    match root {
        root if OURS.contains(&root) => true,
        // The pool logs each failed attempt to connect.
        "sqlx_core" if target.starts_with("sqlx_core::pool") => false,
        root if root.starts_with("sqlx") => level <= Level::ERROR,
        _ => level <= Level::INFO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_crates_may_speak_below_info() {
        for (target, level, may) in [
            ("server::layers::call", Level::TRACE, true),
            ("task_service", Level::DEBUG, true),
            ("h2::codec", Level::DEBUG, false),
            ("hyper", Level::TRACE, false),
            ("sea_orm_migration", Level::INFO, true),
            ("sqlx_postgres::options", Level::WARN, false),
            ("sqlx::query", Level::DEBUG, false),
            ("sqlx_core::pool::inner", Level::ERROR, false),
            ("sqlx_sqlite::connection", Level::ERROR, true),
            ("shared_memory", Level::DEBUG, false),
        ] {
            assert_eq!(may_log(target, level), may, "{target} {level}");
        }
    }
}
