//! Real processes: started, spoken to, signalled and killed by their own id alone.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tonic::transport::Channel;

use crate::{
    binary::Binary,
    secrecy,
    world::{SECRET, URL, channel},
};

/// How long a process may take to start, or to end where no other limit is tested.
const PATIENCE: Duration = Duration::from_mins(1);

/// A child that is killed when it is dropped, whatever else goes wrong.
struct Kept(Child);

impl Kept {
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A server at work. Dropped, it is killed.
pub struct Server {
    child: Kept,
    address: SocketAddr,
    http: Option<SocketAddr>,
    log: Arc<Mutex<Vec<String>>>,
}

/// Where a server listens: gRPC, and HTTP if it does.
type Addresses = (SocketAddr, Option<SocketAddr>);

/// A server that may or may not be listening yet.
pub struct Starting {
    binary: Binary,
    child: Kept,
    listening: mpsc::Receiver<Addresses>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Runs a service on `database` and any free port, and waits until it listens.
    pub fn start(binary: Binary, database: &str) -> Self {
        Starting::new(binary, &[("DATABASE_URL", database)]).wait()
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the HTTP port. Panics where there is none.
    pub fn http_address(&self) -> SocketAddr {
        self.http.expect("an HTTP port")
    }

    pub fn id(&self) -> u32 {
        self.child.0.id()
    }

    pub fn channel(&self) -> Channel {
        channel(self.address)
    }

    /// Everything it has written so far, to either stream.
    pub fn log(&self) -> String {
        self.log.lock().expect("the log").join("\n")
    }

    /// Waits until it has written `words`.
    pub fn until_logged(&self, words: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.log().contains(words) {
            assert!(Instant::now() < end, "it never logs {words:?}:\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as a power cut would (SIGKILL), and waits until it is gone.
    pub fn kill(mut self) {
        self.child.0.kill().expect("it can be killed");
        self.child.0.wait().expect("it is gone");
    }

    /// Asks it to stop (SIGTERM).
    pub fn terminate(&self) {
        let id = self.child.0.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Waits for its end, at most so long. `None`: it is still running.
    pub fn wait(&mut self, at_most: Duration) -> Option<ExitStatus> {
        wait(&mut self.child.0, at_most)
    }
}

impl Starting {
    /// Runs a service with these settings beside what every service needs.
    pub fn new(binary: Binary, settings: &[(&str, &str)]) -> Self {
        let mut command = binary.command();
        command
            .env("BETTER_AUTH_SECRET", SECRET)
            .env("BETTER_AUTH_URL", URL)
            .env("GRPC_ADDR", "127.0.0.1:0")
            .env("HTTP_ADDR", "127.0.0.1:0")
            .env("LOG_FORMAT", "json")
            .env("ATTEMPT_LIMITS", "off") // all callers are this process
            .env("RUST_LOG", "trace")
            .envs(settings.iter().copied());
        Self::from_command(binary, command)
    }

    /// Runs a command that serves.
    pub fn from_command(binary: Binary, mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let stdout = child.stdout.take().expect("a pipe");
        let stderr = child.stderr.take().expect("a pipe");
        let log = Arc::default();
        let (heard, listening) = mpsc::channel();
        for pipe in [Box::new(stdout) as Box<dyn Read + Send>, Box::new(stderr)] {
            let (log, heard) = (Arc::clone(&log), heard.clone());
            thread::spawn(move || listen(pipe, &log, &heard));
        }
        Self { binary, child: Kept(child), listening, log }
    }

    /// Waits until it listens.
    pub fn wait(mut self) -> Server {
        if let Ok((address, http)) = self.listening.recv_timeout(PATIENCE) {
            return Server { child: self.child, address, http, log: self.log };
        }
        self.child.kill();
        let status = self.child.0.try_wait();
        let log = self.log.lock().expect("the log").join("\n");
        panic!("{} does not listen: {status:?}\n{log}", self.binary.name());
    }
}

/// The log of every server is checked for secrets at its end.
impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill();
        if !thread::panicking() {
            secrecy::assert_kept(&self.log());
        }
    }
}

/// Keeps every line, and sends the address that is logged once the server listens.
fn listen(pipe: impl Read, log: &Mutex<Vec<String>>, heard: &mpsc::Sender<Addresses>) {
    for line in BufReader::new(pipe).lines().map_while(Result::ok) {
        if line.contains("listening")
            && let Some(grpc) = address(&line, "grpc")
        {
            let _ = heard.send((grpc, address(&line, "http")));
        }
        log.lock().expect("the log").push(line);
    }
}

/// An address in a line of either format.
fn address(line: &str, field: &str) -> Option<SocketAddr> {
    if let Ok(event) = serde_json::from_str::<Value>(line) {
        return event[field].as_str()?.parse().ok();
    }
    let (_, rest) = line.split_once(&format!(" {field}="))?;
    rest.split(' ').next()?.parse().ok()
}

/// What a process that has ended left behind.
pub struct Exited {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

/// Runs a command to its end.
pub fn run(mut command: Command) -> Exited {
    let start = Instant::now();
    let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = Kept(spawned.expect("the binary runs"));
    // Each pipe holds 64 KiB, more than any command here prints.
    let Some(status) = wait(&mut child.0, PATIENCE) else {
        panic!("{command:?} goes on and on");
    };
    let took = start.elapsed();
    let text = |pipe: Option<&mut dyn Read>| {
        let mut text = String::new();
        pipe.expect("a pipe").read_to_string(&mut text).expect("UTF-8");
        text
    };
    let stdout = text(child.0.stdout.as_mut().map(|pipe| pipe as &mut dyn Read));
    let stderr = text(child.0.stderr.as_mut().map(|pipe| pipe as &mut dyn Read));
    Exited { code: status.code(), stdout, stderr, took }
}

/// Polls, as the standard library cannot wait with a limit.
fn wait(child: &mut Child, at_most: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + at_most;
    loop {
        if let Some(status) = child.try_wait().expect("a child of ours") {
            return Some(status);
        }
        if Instant::now() >= end {
            return None;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// The command line of a process, readable for every user of the machine.
pub fn command_line(id: u32) -> String {
    let bytes = fs::read(format!("/proc/{id}/cmdline")).expect("the process is there");
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

/// How many ports a process listens on, as the system counts.
pub fn listening_ports(id: u32) -> usize {
    let read = |file: &str| fs::read_to_string(format!("/proc/{id}/net/{file}"));
    let tables = ["tcp", "tcp6"].map(|file| read(file).unwrap_or_default()).concat();
    // The fourth column is the state, 0A for listening, and the tenth the inode.
    let columns = tables.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let listening: Vec<String> = columns
        .filter(|columns| columns.get(3) == Some(&"0A"))
        .filter_map(|columns| columns.get(9).map(|inode| format!("socket:[{inode}]")))
        .collect();
    let own = fs::read_dir(format!("/proc/{id}/fd")).expect("the process is there");
    own.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter(|target| listening.iter().any(|socket| target.as_os_str() == socket.as_str()))
        .count()
}
