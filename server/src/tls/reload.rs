//! The reload of the files: when they change, and at SIGHUP. Connections stay as they are; new ones
//! get the new certificate. Files that do not fit together, or have expired, leave the old ones in
//! use.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    sync::{Arc, PoisonError},
    time::Duration,
};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{
    Inner, Tls,
    certificate::{FileFault, Files},
};

/// The period at which the files are compared with those in use.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// What tells a file from its successor: device, inode, size and time of change. Of a symbolic link
/// it is that of the file behind it.
type Stamp = Option<[u64; 5]>;

impl Tls {
    /// Reloads the files as they change. Never ends.
    pub async fn keep_reloading(self) {
        // Caught from here on: without a handler it would end the process.
        let mut hangup = signal(SignalKind::hangup()).ok();
        let mut in_use = stamps(&self.0.files);
        loop {
            let is_asked = tokio::select! {
                () = next(&mut hangup) => true,
                () = tokio::time::sleep(CHECK_INTERVAL) => false,
            };
            let found = stamps(&self.0.files);
            if is_asked || found != in_use {
                in_use = found;
                self.0.reload();
            }
        }
    }
}

impl Inner {
    fn reload(&self) {
        match self.files.load() {
            Ok(config) => {
                *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
                tracing::info!("the certificate is reloaded");
            }
            Err(faults) => {
                for FileFault { file, message } in faults {
                    let setting = file.row().name;
                    tracing::error!(setting, fault = message, "the certificate in use is kept");
                }
            }
        }
    }
}

async fn next(hangup: &mut Option<Signal>) {
    match hangup {
        Some(hangup) => drop(hangup.recv().await),
        None => std::future::pending().await,
    }
}

fn stamps(files: &Files) -> Vec<Stamp> {
    let clients = files.clients.as_ref().map(|clients| &clients.file);
    let all = [&files.chain, &files.key].into_iter().chain(clients);
    all.map(|path| stamp(fs::metadata(path)).ok()).collect()
}

fn stamp(metadata: io::Result<fs::Metadata>) -> io::Result<[u64; 5]> {
    let file = metadata?;
    let [seconds, nanoseconds] = [file.mtime(), file.mtime_nsec()].map(i64::cast_unsigned);
    Ok([file.dev(), file.ino(), file.size(), seconds, nanoseconds])
}
