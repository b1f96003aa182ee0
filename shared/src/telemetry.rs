//! Logs on standard error: text for people, JSON lines for machines (`LOG_FORMAT=json`).
//!
//! `RUST_LOG` filters as usual (default `info`), with one exception: crates that are not
//! ours never log below INFO. Their DEBUG and TRACE lines quote headers and rows, and
//! those hold tokens and e-mails.

use std::panic::PanicHookInfo;

use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, filter_fn},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::config::{Reader, Vars};

/// Starts logging for the process. Faults of `RUST_LOG` and `LOG_FORMAT` are noted in
/// `reader`, and the defaults used in their place. A second call changes nothing.
pub fn init(reader: &mut Reader<'_, impl Vars>) {
    let filter = reader
        .parsed("RUST_LOG", |text| EnvFilter::try_new(text).map_err(|e| e.to_string()))
        .unwrap_or_else(|| EnvFilter::new("info"));
    let json = reader
        .parsed("LOG_FORMAT", |text| match text {
            "json" => Ok(true),
            "text" => Ok(false),
            _ => Err("must be `json` or `text`".to_owned()),
        })
        .unwrap_or(false);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if json {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    } else {
        lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).boxed()
    };
    let layer = lines.with_filter(filter.and(filter_fn(may_speak)));
    let _ = tracing_subscriber::registry().with(layer).try_init();
    std::panic::set_hook(Box::new(log_panic));
}

/// Where it happened, in the span of its call. The message stays out: it may quote what a
/// caller sent.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, "panic");
}

/// Whether a line of this origin and level is safe to print.
fn may_speak(metadata: &Metadata<'_>) -> bool {
    const OURS: [&str; 4] = ["auth_service", "shared", "standalone", "task_service"];
    let root = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() <= Level::INFO || OURS.contains(&root)
}
